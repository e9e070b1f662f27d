-- sink.NAME { field = value, payload = ... }: AWS's actions by their names. Without a payload the message's own is sent.
local base = ...
local actions = base.actions()

local function sender(name)
	return function(given)
		if type(given) ~= "table" then
			base.fail("sink." .. name .. ": expected a table { ... }, got " .. type(given))
		end
		local fields = {}
		for key, value in pairs(given) do
			if key ~= "payload" then
				fields[key] = value
			end
		end
		base.act(name, fields, given.payload)
	end
end

return setmetatable({}, {
	__index = function(sink, name)
		if not actions[name] then
			base.fail("sink: there is no action '" .. tostring(name) .. "'" .. base.did_you_mean(name, actions))
		end
		local send = sender(name)
		rawset(sink, name, send)
		return send
	end,
	__newindex = function()
		base.fail("sink: its actions are AWS's, none can be added")
	end,
	__metatable = false,
})
