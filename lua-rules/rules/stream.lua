-- A stream of measurements in Redis for whoever reads along, and beside it the latest of each device for whoever asks now and then (skeeter_sink_redis).
-- The password is the operator's: plugin_opt_secrets of skeeter_core.

local password = "${get_secret('redis', 'SecretString')}"

rule "stream" {
	sql = [[SELECT celsius FROM 'hall/+/climate']],
	actions = {
		{
			redis = {
				url = "redis://127.0.0.1:6379/0", password = password, command = "stream", key = "climate:${topic(2)}", maxLength = 100000,
				fields = { celsius = "${celsius}", at = "${timestamp()}" }, idField = "id",
			},
		},
		{
			redis = {
				url = "redis://127.0.0.1:6379/0", password = password, command = "hash", key = "latest:${topic(2)}",
				fields = { celsius = "${celsius}", at = "${timestamp()}" },
			},
		},
	},
}

test "an entry, and the latest" {
	topic = "hall/7/climate",
	now = 1700000000,
	message = { celsius = 21.5 },
	expect = {
		{ action = "redis", command = "stream", key = "climate:7", fields = { celsius = "21.5", at = "1700000000000" } },
		{ action = "redis", command = "hash", key = "latest:7", fields = { celsius = "21.5", at = "1700000000000" } },
	},
}
