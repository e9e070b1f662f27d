/* verdict.c -- what an error of Kafka means for a message. Pure.
 *
 * Only what the message itself causes never works; a topic or a partition that is not there may come, a right may be given. */
#include <errno.h>
#include <stdlib.h>

#include "plugins/sink_kafka/kafka.h"

static const rd_kafka_resp_err_t never[] = {
	RD_KAFKA_RESP_ERR_MSG_SIZE_TOO_LARGE, RD_KAFKA_RESP_ERR_RECORD_LIST_TOO_LARGE, RD_KAFKA_RESP_ERR_INVALID_MSG, RD_KAFKA_RESP_ERR_INVALID_MSG_SIZE,
	RD_KAFKA_RESP_ERR_INVALID_RECORD, RD_KAFKA_RESP_ERR_INVALID_TIMESTAMP, RD_KAFKA_RESP_ERR_TOPIC_EXCEPTION,
	RD_KAFKA_RESP_ERR_POLICY_VIOLATION, RD_KAFKA_RESP_ERR_UNSUPPORTED_FOR_MESSAGE_FORMAT, RD_KAFKA_RESP_ERR__BAD_MSG, RD_KAFKA_RESP_ERR__INVALID_ARG,
};

enum sk_sunk kafka_verdict(rd_kafka_resp_err_t e)
{
	if (e == RD_KAFKA_RESP_ERR_NO_ERROR)
		return SK_SUNK_OK;
	for (size_t i = 0; i < sizeof never / sizeof *never; i++)
		if (never[i] == e)
			return SK_SUNK_FAIL;
	return SK_SUNK_RETRY;
}

bool kafka_partition(const char *text, int32_t *out)
{
	char *end;
	long n;

	*out = RD_KAFKA_PARTITION_UA;
	if (!text || !*text)
		return true;
	errno = 0;
	n = strtol(text, &end, 10);
	if (*text < '0' || *text > '9' || *end || errno || n > INT32_MAX)
		return false;
	*out = (int32_t)n;
	return true;
}
