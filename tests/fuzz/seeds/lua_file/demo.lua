-- The demo of `make run`: when the thermometer reports more than 30 degrees the valve is to close, below 28 it may open
-- again. The wish goes into the valve's shadow, so the valve obeys also when it was away meanwhile.

rule "overheat" {
	description = "the thermometer above 30 degrees closes the valve",
	topic = "$aws/things/thermometer/shadow/update/accepted",
	where = "isUndefined(state.reported.temperature) = false",
	run = function(m)
		local degrees = m.state.reported.temperature
		local valve = shadow.get("valve")
		local desired = valve and valve.state.desired
		local closed = desired ~= nil and desired.open == false
		if degrees > 30 and not closed then
			log("it is", degrees, "degrees: the valve is to close")
			shadow.desire("valve", { open = false })
		elseif degrees < 28 and closed and state.get("closed") then
			log("it is", degrees, "degrees: the valve may open")
			shadow.desire("valve", { open = true })
		end
		-- Only what was closed here is opened here.
		state.set("closed", (degrees > 30 or (closed and degrees >= 28)) and (state.get("closed") or not closed) or nil)
	end,
}

local function reported(degrees)
	return { state = { reported = { temperature = degrees } }, version = 4, timestamp = 1700000000 }
end

test "above 30 degrees the valve is to close" {
	topic = "$aws/things/thermometer/shadow/update/accepted",
	message = reported(30.5),
	shadow = { valve = { state = { reported = { open = true } }, version = 1 } },
	expect = {
		{ topic = "$aws/things/valve/shadow/update", payload = { state = { desired = { open = false } } }, qos = 1 },
	},
	expect_state = { closed = true },
}

test "it is said once" {
	topic = "$aws/things/thermometer/shadow/update/accepted",
	message = reported(31),
	shadow = { valve = { state = { desired = { open = false } }, version = 2 } },
	state = { closed = true },
	expect = {},
	expect_state = { closed = true },
}

test "below 28 it opens what it has closed" {
	topic = "$aws/things/thermometer/shadow/update/accepted",
	message = reported(27.5),
	shadow = { valve = { state = { desired = { open = false } }, version = 2 } },
	state = { closed = true },
	expect = { { topic = "$aws/things/valve/shadow/update", payload = { state = { desired = { open = true } } } } },
	expect_state = { closed = null },
}

test "what somebody else has closed stays closed" {
	topic = "$aws/things/thermometer/shadow/update/accepted",
	message = reported(21),
	shadow = { valve = { state = { desired = { open = false } }, version = 2 } },
	expect = {},
}

test "other updates of the shadow are none of its business" {
	topic = "$aws/things/thermometer/shadow/update/accepted",
	message = { state = { desired = { on = true } } },
	expect = {},
}
