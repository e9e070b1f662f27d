-- Every reading of a hall goes to a file of that hall, a line each, turned over at ten megabytes (skeeter_sink_file).

rule "log_file" {
	description = "readings as lines of JSON, a file for each hall",
	sql = [[SELECT celsius, timestamp() AS at, clientid() AS sensor FROM 'hall/+/temperature']],
	actions = {
		{ file = { path = "readings/${topic(2)}.jsonl", maxBytes = 10000000, files = 3 } },
	},
}

test "a line in the file of its hall" {
	topic = "hall/7/temperature",
	client = "sensor-3",
	now = 1700000000,
	message = { celsius = 21.5 },
	expect = { { action = "file", path = "readings/7.jsonl", payload = { celsius = 21.5, at = 1700000000000, sensor = "sensor-3" } } },
}
