-- Debounce: a door contact that chatters. What it says counts when it has said the same for two seconds.

local QUIET = 2 -- seconds

rule "door" {
	description = "a door's state when it has not changed for two seconds",
	topic = "door/+/contact",
	run = function(m)
		local door = m.levels[2]
		-- Setting the timer again begins the wait anew.
		timer.set(door, QUIET, { open = m.open })
	end,
	timer = function(door, data)
		if state.get(door) ~= data.open then
			state.set(door, data.open)
			publish("door/" .. door .. "/state", { open = data.open })
		end
	end,
}

test "chatter is one message" {
	steps = {
		{ topic = "door/front/contact", message = { open = true }, expect = {} },
		{ after = 0.3, topic = "door/front/contact", message = { open = false }, expect = {} },
		{ after = 0.3, topic = "door/front/contact", message = { open = true }, expect = {} },
		{ after = 1.9, expect = {} },
		{ after = 0.2, expect = { { topic = "door/front/state", payload = { open = true } } } },
		{ after = 3600, expect = {} },
	},
}

test "what was so before is not said again" {
	state = { front = true },
	steps = {
		{ topic = "door/front/contact", message = { open = true } },
		{ after = 5, expect = {}, expect_state = { front = true } },
	},
}

test "two doors wait on their own" {
	steps = {
		{ topic = "door/front/contact", message = { open = true } },
		{ after = 1, topic = "door/back/contact", message = { open = false } },
		{
			after = 60,
			expect = {
				{ topic = "door/front/state", payload = { open = true } },
				{ topic = "door/back/state", payload = { open = false } },
			},
		},
	},
}
