-- timer: calls the rule's own timer = function(name, data) later. Setting a name again replaces it. Timers survive restarts.
local base = ...

return {
	set = base.set_timer, -- set(name, seconds, data)
	clear = base.clear_timer, -- clear(name)
}
