-- Presses report to AWS, or to servers that speak its protocols: every report to a stream and a table, alarms to a queue, and
-- protocols into a bucket (skeeter_sink_aws). `roleArn` names the operator's secret that holds the keys.

local role = "arn:aws:iam::123456789012:role/to_cloud"

rule "reports" {
	description = "every report to Kinesis, in order for each press, and the latest one of each press to a table",
	sql = [[SELECT celsius, bar, topic(2) AS press, timestamp() AS at FROM 'press/+/report']],
	actions = {
		{ kinesis = { roleArn = role, streamName = "presses", partitionKey = "${topic(2)}" } },
		{ dynamoDBv2 = { roleArn = role, putItem = { tableName = "presses" } } },
		{
			cloudwatchMetric = {
				roleArn = role, metricNamespace = "plant", metricName = "celsius-${topic(2)}", metricValue = "${celsius}", metricUnit = "None",
			},
		},
	},
	error_action = { cloudwatchLogs = { roleArn = role, logGroupName = "rules" } },
}

rule "alarms" {
	sql = [[SELECT celsius, topic(2) AS press FROM 'press/+/report' WHERE celsius > 200]],
	actions = { { sqs = { roleArn = role, queueUrl = "https://sqs.eu-central-1.amazonaws.com/123456789012/alarms", useBase64 = false } } },
}

rule "protocols" {
	description = "a protocol as it came, under the press and the time",
	topic = "press/+/protocol",
	run = function(m)
		local key = m.levels[2] .. "/" .. time.format("%Y/%m/%d/%H%M%S") .. ".txt"
		sink.s3 { roleArn = role, bucketName = "protocols", key = key, payload = m.raw }
	end,
}

test "a report is streamed, stored and measured" {
	topic = "press/7/report",
	message = { celsius = 180, bar = 4 },
	expect = {
		{ action = "kinesis", streamName = "presses", partitionKey = "7" },
		{ action = "dynamoDBv2" },
		{ action = "cloudwatchMetric", metricName = "celsius-7", metricValue = "180" },
	},
}

test "one that is too hot is an alarm too" {
	topic = "press/8/report",
	message = { celsius = 201, bar = 4 },
	expect = {
		{ action = "kinesis", partitionKey = "8" },
		{ action = "dynamoDBv2" },
		{ action = "cloudwatchMetric", metricValue = "201" },
		{ action = "sqs", payload = { celsius = 201, press = "8" } },
	},
}

test "a protocol is an object" {
	topic = "press/7/protocol",
	raw = "started\nstopped\n",
	now = 1700000000,
	expect = { { action = "s3", bucketName = "protocols", key = "7/2023/11/14/221320.txt", payload = "started\nstopped\n" } },
}
