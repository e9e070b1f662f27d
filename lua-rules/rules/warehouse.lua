-- A warehouse: what scanners report becomes rows in PostgreSQL and MariaDB and records in Kafka (skeeter_sink_postgres, skeeter_sink_mysql, skeeter_sink_kafka).
-- The passwords are the operator's: plugin_opt_secrets of skeeter_core.

local kafka = { ["bootstrap.servers"] = "127.0.0.1:9092", ["security.protocol"] = "PLAINTEXT" }
local destination = "arn:aws:iot:eu-central-1:123456789012:ruledestination/vpc/warehouse"

rule "moved" {
	description = "each move is a row, once, though it may come twice, and a record in the order of its box",
	sql = [[SELECT box, shelf, topic(2) AS gate FROM 'gate/+/moved']],
	actions = {
		{
			postgres = {
				url = "postgresql://127.0.0.1/warehouse", user = "gates", password = "${get_secret('warehouse', 'SecretString', 'password')}",
				sql = "INSERT INTO moves(box, shelf, at, id) VALUES ($1, $2, to_timestamp($3), $4) ON CONFLICT DO NOTHING",
				parameters = { "${box}", "${shelf}", "${timestamp() / 1000}" }, idParameter = 4,
			},
		},
		{ kafka = { destinationArn = destination, topic = "moves", key = "${box}", headers = { { key = "gate", value = "${topic(2)}" } }, clientProperties = kafka } },
	},
}

rule "weighed" {
	description = "the weight of a box as it is now; a box that has left has none",
	sql = [[SELECT box, kg FROM 'scale/+/weight']],
	actions = {
		{
			mysql = {
				url = "mysql://127.0.0.1/warehouse", user = "scales", password = "${get_secret('warehouse', 'SecretString', 'password')}",
				table = "weights", columns = { box = "${box}", kg = "${kg}" }, nullWhenEmpty = true, payloadColumn = "document",
			},
		},
	},
}

rule "stuck" {
	description = "a gate that says three times in a row that it is stuck is told to those who listen",
	topic = "gate/+/stuck",
	run = function(m)
		local gate = m.levels[2]
		local times = (state.get(gate) or 0) + 1
		state.set(gate, times % 3)
		if times == 3 then
			sink.postgres {
				url = "postgresql://127.0.0.1/warehouse", user = "gates", password = "${get_secret('warehouse', 'SecretString', 'password')}",
				sql = "SELECT pg_notify('stuck', $1)", parameters = { gate },
			}
		end
	end,
}

test "a move is a row and a record" {
	topic = "gate/3/moved",
	message = { box = "b17", shelf = "s4" },
	now = 1700000000,
	expect = {
		{ action = "postgres", parameters = { "b17", "s4", "1700000000" } },
		{ action = "kafka", topic = "moves", key = "b17", headers = { { key = "gate", value = "3" } }, payload = { box = "b17", shelf = "s4", gate = "3" } },
	},
}

test "a weight is a row" {
	topic = "scale/1/weight",
	message = { box = "b17", kg = 12.5 },
	expect = { { action = "mysql", table = "weights", columns = { box = "b17", kg = "12.5" } } },
}

test "the third time is an alarm, and then it counts from one again" {
	rule = "stuck",
	steps = {
		{ topic = "gate/3/stuck", raw = "", expect = {}, expect_state = { ["3"] = 1 } },
		{ topic = "gate/3/stuck", raw = "", expect = {}, expect_state = { ["3"] = 2 } },
		{ topic = "gate/3/stuck", raw = "", expect = { { action = "postgres", parameters = { "3" } } }, expect_state = { ["3"] = 0 } },
	},
}
