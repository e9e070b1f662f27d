-- A dead-man switch: each heartbeat winds up a clock. When it runs down the device is said to be silent, and when it
-- speaks again, that it is back.

local PATIENCE = 60 -- seconds without a heartbeat

rule "silence" {
	description = "says when a device has been silent for a minute, and when it is back",
	topic = "devices/+/heartbeat",
	run = function(m)
		local device = m.levels[2]
		timer.set(device, PATIENCE, { last = time.now() })
		if state.get(device) then
			state.set(device, nil)
			publish("devices/" .. device .. "/alarm", { silent = false })
		end
	end,
	timer = function(device, data)
		state.set(device, true)
		publish("devices/" .. device .. "/alarm", {
			silent = true,
			since = time.format("%Y-%m-%dT%H:%M:%SZ", data.last),
		}, { qos = 1 })
	end,
}

test "a device that goes on beating is left alone" {
	steps = {
		{ topic = "devices/lamp/heartbeat", message = { uptime = 1 }, expect = {} },
		{ after = 59, topic = "devices/lamp/heartbeat", message = { uptime = 60 }, expect = {} },
		{ after = 59, expect = {} },
	},
}

test "a minute of silence raises the alarm, the next heartbeat ends it" {
	now = 1700000000,
	steps = {
		{ topic = "devices/lamp/heartbeat", message = { uptime = 1 } },
		{
			after = 61,
			expect = {
				{
					topic = "devices/lamp/alarm",
					payload = { silent = true, since = "2023-11-14T22:13:20Z" },
				},
			},
			expect_state = { lamp = true },
		},
		{ after = 3600, expect = {} },
		{
			topic = "devices/lamp/heartbeat",
			message = { uptime = 1 },
			expect = { { topic = "devices/lamp/alarm", payload = { silent = false } } },
			expect_state = { lamp = null },
		},
	},
}
