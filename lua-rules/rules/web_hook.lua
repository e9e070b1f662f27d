-- An alarm goes to a web server, which is asked again until it takes it. Several that come at once are one request (skeeter_sink_http).

rule "hook" {
	description = "what is too hot goes to the web server of the plant",
	sql = [[SELECT celsius, topic(2) AS hall FROM 'hall/+/temperature' WHERE celsius > 60]],
	actions = {
		{
			http = {
				url = "https://plant.example.org/alarms/${topic(2)}", confirmationUrl = "https://plant.example.org/alarms",
				headers = { { key = "Content-Type", value = "application/json" }, { key = "X-Hall", value = "${topic(2)}" } },
				enableBatching = true,
				batchConfig = { maxBatchSize = 5 },
			},
		},
	},
}

test "too hot" {
	topic = "hall/7/temperature",
	message = { celsius = 61 },
	expect = { { action = "http", url = "https://plant.example.org/alarms/7", payload = { celsius = 61, hall = "7" } } },
}

test "warm" { topic = "hall/7/temperature", message = { celsius = 60 }, expect = {} }
