-- publish(topic, payload, options): a message that leaves when the run has come to its end. Text goes as it is, anything else as JSON.
local base = ...
local fields = require "fields"

local known = {
	qos = "integer",
	retain = "boolean",
	expiry = "integer", -- seconds
	content_type = "string",
	response_topic = "string",
	correlation = "string",
	utf8 = "boolean",
	user = "table", -- { name = "value" }
}

return function(topic, payload, options)
	if options ~= nil then
		fields("publish", options, known)
	end
	base.publish(topic, payload, options)
end
