-- test "what it shows" { ... }: messages, and what must come of them. Run by `skeeter rules test`, never by a broker.
local base = ...
local fields = require "fields"

local step = {
	after = "number", -- seconds that pass before it, in which timers run
	topic = "string",
	message = "table null boolean number string", -- JSON
	raw = "string", -- a payload that is not JSON
	client = "string",
	expect = "table", -- what leaves: { topic = , payload = } or { action = , ... }, in order; {} is nothing
	expect_state = "table", -- of these keys, afterwards; null: there is none
	expect_log = "table", -- the lines
	error = "string", -- part of the error that it must fail with
}
local whole = {
	rule = "string", -- only this one of the file's rules
	now = "number", -- seconds since 1970
	state = "table", -- what each rule remembers at the beginning
	shadow = "table", -- documents by "thing" or "thing/name"
	registry = "table", -- things by name
	steps = "table",
}
for name, types in pairs(step) do
	whole[name] = types
end

local function check(what, given)
	if given.message ~= nil and given.raw ~= nil then
		base.fail(what .. ": either message or raw")
	end
	if (given.message ~= nil or given.raw ~= nil) and not given.topic then
		base.fail(what .. ": a message has a topic")
	end
	if given.topic and given.message == nil and given.raw == nil then
		base.fail(what .. ": a topic has a message, or raw = \"\"")
	end
	if not given.topic and not given.after then
		base.fail(what .. ": expected topic and message, or after = seconds")
	end
end

local function expects(given)
	return given.expect or given.expect_state or given.expect_log or given.error
end

local function check_steps(what, given)
	for name in pairs(given) do
		if step[name] then
			base.fail(what .. ": " .. name .. " belongs into a step")
		end
	end
	local any = false
	for i, one in ipairs(given.steps) do
		local which = what .. ", step " .. i
		fields(which, one, step)
		check(which, one)
		any = any or expects(one)
	end
	return any
end

return function(name)
	local line = base.begin("test", name)
	return function(given)
		local what = 'test "' .. name .. '"'
		local any
		fields(what, given, whole)
		if given.steps then
			any = check_steps(what, given)
		else
			check(what, given)
			any = expects(given)
		end
		if not any then
			base.fail(what .. ": it expects nothing, so it cannot fail: expect = {} says that nothing leaves")
		end
		base.declare_test(name, line, given)
	end
end
