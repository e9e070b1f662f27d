-- A threshold with hysteresis: the fan goes on above 28 degrees and off again only below 25, so that it does not
-- flutter around one number. What it remembers is one word for each hall.

local ON, OFF = 28, 25

rule "fan" {
	description = "on above 28 degrees, off below 25",
	topic = "hall/+/temperature",
	where = "isUndefined(celsius) = false", -- in SQL: nothing is said about messages that have none
	run = function(m)
		local hall = m.levels[2]
		local is = state.get(hall, "off")
		local wish = is
		if m.celsius > ON then
			wish = "on"
		elseif m.celsius < OFF then
			wish = "off"
		end
		if wish ~= is then
			state.set(hall, wish)
			publish("hall/" .. hall .. "/fan/set", { on = wish == "on" }, { qos = 1, retain = true })
		end
	end,
}

test "goes on once, and off only when it is clearly cooler" {
	steps = {
		{ topic = "hall/a/temperature", message = { celsius = 27 }, expect = {} },
		{
			topic = "hall/a/temperature",
			message = { celsius = 28.5 },
			expect = { { topic = "hall/a/fan/set", payload = { on = true }, qos = 1, retain = true } },
			expect_state = { a = "on" },
		},
		{ topic = "hall/a/temperature", message = { celsius = 31 }, expect = {} },
		{ topic = "hall/a/temperature", message = { celsius = 26 }, expect = {} },
		{
			topic = "hall/a/temperature",
			message = { celsius = 24.9 },
			expect = { { topic = "hall/a/fan/set", payload = { on = false } } },
			expect_state = { a = "off" },
		},
	},
}

test "halls do not share a fan" {
	topic = "hall/b/temperature",
	message = { celsius = 24 },
	state = { a = "on" },
	expect = {},
	expect_state = { a = "on", b = null },
}

test "a message without a temperature is none of its business" {
	topic = "hall/a/temperature",
	message = { humidity = 40 },
	expect = {},
}
