-- state: what a rule remembers from message to message. It survives restarts, and belongs to this rule alone.
local base = ...

local state = { set = base.set_state } -- set(key, value): nil forgets

-- The value, or nil, or `otherwise` instead of nil. A table that comes back may be changed, and is kept by set() only.
function state.get(key, otherwise)
	local value = base.state(key)
	if value == nil then
		return otherwise
	end
	return value
end

return state
