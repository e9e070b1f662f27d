-- rule "name" { ... }: declares a rule. It has a topic or a statement in SQL, and says what is done.
local base = ...
local fields = require "fields"

local known = {
	description = "string",
	topic = "string", -- a filter: factory/+/temperature
	sql = "string", -- SELECT ... FROM 'filter' WHERE ...
	sql_version = "string",
	where = "function or string", -- function(m) or an expression in SQL
	run = "function", -- function(m)
	timer = "function", -- function(name, data)
	actions = "table", -- AWS's, instead of run
	error_action = "table",
	disabled = "boolean",
}

return function(name)
	local line = base.begin("rule", name)
	return function(given)
		fields('rule "' .. name .. '"', given, known)
		base.declare_rule(name, line, given)
	end
end
