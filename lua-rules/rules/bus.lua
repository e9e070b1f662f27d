-- What machines say goes on a bus that other programs listen to: NATS, kept by JetStream (skeeter_sink_nats). An order of a machine goes to a queue that somebody
-- works off: RabbitMQ (skeeter_sink_amqp). The passwords are the operator's: plugin_opt_secrets of skeeter_core.

rule "bus" {
	sql = [[SELECT * FROM 'machine/+/state']],
	actions = {
		{
			nats = {
				url = "nats://127.0.0.1:4222", token = "${get_secret('nats', 'SecretString')}", subject = "machine.${topic(2)}.state",
				jetstream = true, headers = { Device = "${clientid()}" },
			},
		},
	},
}

rule "orders" {
	sql = [[SELECT part, count FROM 'machine/+/order' WHERE count > 0]],
	actions = {
		{
			amqp = {
				url = "amqp://127.0.0.1:5672/plant", user = "rules", password = "${get_secret('rabbit', 'SecretString')}",
				exchange = "orders", routingKey = "part.${part}", mandatory = true, contentType = "application/json", expiration = "86400000",
			},
		},
	},
}

test "a state" {
	topic = "machine/7/state",
	message = { running = true },
	expect = { { action = "nats", subject = "machine.7.state", jetstream = true, payload = { running = true } } },
}

test "an order" {
	topic = "machine/7/order",
	message = { part = "bolt", count = 100 },
	expect = { { action = "amqp", exchange = "orders", routingKey = "part.bolt", payload = { part = "bolt", count = 100 } } },
}

test "an order of nothing" { topic = "machine/7/order", message = { part = "bolt", count = 0 }, expect = {} }
