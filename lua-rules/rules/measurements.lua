-- Measurements are points in InfluxDB and rows in ClickHouse; what is odd about one is mailed to people (skeeter_sink_http). The passwords are the operator's:
-- plugin_opt_secrets of skeeter_core.

rule "measurements" {
	sql = [[SELECT celsius, humidity FROM 'hall/+/climate' WHERE celsius < 200]],
	actions = {
		{
			influx = {
				url = "http://127.0.0.1:8086", database = "plant", user = "writer", password = "${get_secret('influx', 'SecretString', 'password')}",
				measurement = "climate", tags = { hall = "${topic(2)}" }, fields = { celsius = "${celsius}", humidity = "${humidity}" },
			},
		},
		{
			clickhouse = {
				url = "http://127.0.0.1:8123", database = "plant", user = "writer", password = "${get_secret('clickhouse', 'SecretString', 'password')}",
				table = "climate", columns = { at = "${floor(timestamp() / 1000)}", hall = "${topic(2)}", celsius = "${celsius}" },
			},
		},
	},
}

rule "odd" {
	description = "no hall is as hot as that: somebody should look at the sensor",
	sql = [[SELECT celsius FROM 'hall/+/climate' WHERE celsius >= 200]],
	actions = {
		{
			smtp = {
				url = "smtp://mail.example.org:587", from = "Plant <plant@example.org>", to = "shift@example.org",
				subject = "hall ${topic(2)} says ${celsius} degrees", user = "plant", password = "${get_secret('mail', 'SecretString', 'password')}",
			},
		},
	},
}

test "a measurement is stored twice" {
	topic = "hall/7/climate",
	message = { celsius = 21.5, humidity = 40 },
	expect = {
		{ action = "influx", measurement = "climate", tags = { hall = "7" }, fields = { celsius = "21.5", humidity = "40" } },
		{ action = "clickhouse", table = "climate" },
	},
}

test "an odd one is mailed instead" {
	topic = "hall/7/climate",
	message = { celsius = 850 },
	expect = { { action = "smtp", to = "shift@example.org", subject = "hall 7 says 850 degrees" } },
}
