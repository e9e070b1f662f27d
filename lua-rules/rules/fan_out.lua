-- Fan-out: a gateway sends the readings of many sensors in one message. Each goes on under its own topic; a message of
-- its own counts what was in it, and bad ones are told apart instead of lost.

rule "unbatch" {
	description = "one message for each reading of a batch",
	topic = "gateway/+/batch",
	run = function(m)
		local gateway = m.levels[2]
		local good, bad = 0, array {}
		for i, reading in ipairs(m.readings) do
			if type(reading.sensor) == "string" and not reading.sensor:find("[+#/]") and reading.value ~= nil then
				good = good + 1
				publish("sensor/" .. reading.sensor, { value = reading.value, at = reading.at or m.at, gateway = gateway })
			else
				table.insert(bad, i)
			end
		end
		publish("gateway/" .. gateway .. "/summary", { good = good, bad = bad })
	end,
}

test "each reading has its own message" {
	topic = "gateway/g1/batch",
	message = { at = 1700000000, readings = { { sensor = "t1", value = 21.5 }, { sensor = "t2", value = null, at = 1699999999 } } },
	expect = {
		{ topic = "sensor/t1", payload = { value = 21.5, at = 1700000000, gateway = "g1" } },
		{ topic = "sensor/t2", payload = { value = null, at = 1699999999, gateway = "g1" } },
		{ topic = "gateway/g1/summary", payload = { good = 2, bad = array {} } },
	},
}

test "what cannot be a topic is told in the summary" {
	topic = "gateway/g1/batch",
	message = { readings = { { sensor = "t/#", value = 1 }, { value = 2 } } },
	expect = { { topic = "gateway/g1/summary", payload = { good = 0, bad = { 1, 2 } } } },
}

test "a message without readings fails, and nothing of it leaves" {
	topic = "gateway/g1/batch",
	message = { at = 1 },
	expect = {},
	error = "ipairs: expected a table or a list, got nil",
}
