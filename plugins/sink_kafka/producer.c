/* producer.c -- one librdkafka producer: a batch is produced, then its delivery reports are waited for.
 *
 * A report may come for the batch that waits and for no other: when some are missing at the end of the time limit, the producer goes, and
 * with it all that it still knew of them. */
#include "plugins/sink_kafka/kafka.h"

#include <stdio.h>
#include <string.h>

#include "core/plugin.h"
#include "core/why.h"

enum { GRACE = 1500 }; /* ms that librdkafka may take to notice that a message's time is over */

struct kafka {
	struct sk_arena arena;     /* of this */
	int timeout;
	rd_kafka_conf_t *conf;     /* what each producer is made of */
	rd_kafka_t *producer;      /* NULL: there is none */
	struct sk_arena *batch;    /* while a batch is delivered */
	bool denied;               /* librdkafka would remember for minutes that it may not: a new one asks again */
	char said[300];            /* librdkafka's last error of a connection */
};

/* -- librdkafka calls -- */

/* librdkafka's threads. */
static void logged(const rd_kafka_t *producer, int level, const char *facility, const char *text)
{
	(void)producer, (void)level;
	sk_log('d', "sink_kafka", "%s: %s", facility, text);
}

/* Our thread, as the next one. */
static void failed(rd_kafka_t *producer, int error, const char *reason, void *own)
{
	struct kafka *k = own;

	(void)producer;
	if (error != RD_KAFKA_RESP_ERR__ALL_BROKERS_DOWN)
		snprintf(k->said, sizeof k->said, "%s", reason);
}

static void settle(struct kafka *k, struct sk_sink_item *item, rd_kafka_resp_err_t error)
{
	bool late = error == RD_KAFKA_RESP_ERR__MSG_TIMED_OUT || error == RD_KAFKA_RESP_ERR__TRANSPORT;

	k->denied |= error == RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED || error == RD_KAFKA_RESP_ERR_CLUSTER_AUTHORIZATION_FAILED;
	item->result = kafka_verdict(error);
	item->why = !error ? NULL : late && *k->said ? sk_strdup(k->batch, k->said) : rd_kafka_err2str(error);
}

static void reported(rd_kafka_t *producer, const rd_kafka_message_t *m, void *own)
{
	struct kafka *k = own;

	(void)producer;
	if (k->batch && m->_private)
		settle(k, m->_private, m->err);
}

/* -- open and close -- */

static int set(void *to, const char *name, const char *value, char *why, size_t why_size)
{
	return rd_kafka_conf_set(to, name, value, why, why_size) == RD_KAFKA_CONF_OK ? 0 : -1;
}

static int set_number(rd_kafka_conf_t *conf, const char *name, long value)
{
	char text[24], why[256];

	snprintf(text, sizeof text, "%ld", value);
	return set(conf, name, text, why, sizeof why);
}

/* Of those that a rule does not say. Java's partitioner: a key goes where AWS's would go. */
static int set_own(rd_kafka_conf_t *conf, long timeout)
{
	char why[256];
	long step = timeout < 1000 ? 1000 : timeout;

	rd_kafka_conf_set_log_cb(conf, logged);
	rd_kafka_conf_set_error_cb(conf, failed);
	rd_kafka_conf_set_dr_msg_cb(conf, reported);
	return set(conf, "client.id", "skeeter", why, sizeof why) || set(conf, "partitioner", "murmur2_random", why, sizeof why) ||
	       set_number(conf, "message.timeout.ms", timeout) || set_number(conf, "topic.metadata.propagation.max.ms", timeout / 4) ||
	       set_number(conf, "socket.timeout.ms", step) || set_number(conf, "socket.connection.setup.timeout.ms", step) ||
	       set_number(conf, "reconnect.backoff.max.ms", 1000) || set_number(conf, "log_level", 5);
}

void *kafka_open(void *state, const cJSON *fields, char *why, size_t why_size)
{
	long timeout = (long)((struct kafka_state *)state)->timeout;
	struct sk_arena arena = { 0 };
	struct kafka *k = sk_alloc(&arena, sizeof *k);
	rd_kafka_conf_t *conf = rd_kafka_conf_new();

	sk_why(why, why_size, k ? "librdkafka does not know an option of ours" : "memory is out");
	if (!k || set_own(conf, timeout) || kafka_properties(sk_json_get(fields, "clientProperties"), set, conf, why, why_size)) {
		rd_kafka_conf_destroy(conf);
		sk_arena_free(&arena);
		return NULL;
	}
	k->arena = arena;
	k->timeout = (int)timeout;
	k->conf = conf;
	rd_kafka_conf_set_opaque(conf, k);
	return k;
}

static void end_producer(struct kafka *k)
{
	k->batch = NULL;
	if (!k->producer)
		return;
	rd_kafka_purge(k->producer, RD_KAFKA_PURGE_F_QUEUE | RD_KAFKA_PURGE_F_INFLIGHT | RD_KAFKA_PURGE_F_NON_BLOCKING);
	rd_kafka_destroy(k->producer);
	k->producer = NULL;
}

void kafka_close(void *sink)
{
	struct kafka *k = sink;
	struct sk_arena arena = k->arena;

	end_producer(k);
	rd_kafka_conf_destroy(k->conf);
	sk_arena_free(&arena);
}

/* NULL, or why there is no producer; the arena's. */
static const char *begin_producer(struct kafka *k, struct sk_arena *a)
{
	rd_kafka_conf_t *conf = k->producer ? NULL : rd_kafka_conf_dup(k->conf);
	char why[300] = "";

	if (k->producer)
		return NULL;
	*k->said = '\0';
	k->producer = rd_kafka_new(RD_KAFKA_PRODUCER, conf, why, sizeof why);
	if (k->producer)
		return NULL;
	rd_kafka_conf_destroy(conf);
	return sk_printf(a, "no producer: %s", why);
}

/* -- a batch -- */

static bool is_header(const char *path, const char *end)
{
	const char *close = strncmp(path, "headers[", 8) ? NULL : strchr(path, ']');

	return close && !strcmp(close + 1, end);
}

/* Key and value of each stand one after the other, in either order. NULL: there are none. */
static rd_kafka_headers_t *headers_of(const struct sk_sink_item *item)
{
	rd_kafka_headers_t *headers = NULL;

	for (size_t i = 0; i + 1 < item->fields; i++) {
		const struct sk_sink_field *f = &item->field[i], *key = is_header(f->path, ".key") ? f : f + 1, *value = key == f ? f + 1 : f;
		if (!is_header(key->path, ".key") || !is_header(value->path, ".value"))
			continue;
		headers = headers ? headers : rd_kafka_headers_new(8);
		rd_kafka_header_add(headers, key->text, -1, value->text, -1);
		i++;
	}
	return headers;
}

static rd_kafka_resp_err_t produce(struct kafka *k, struct sk_sink_item *item, int32_t partition)
{
	const char *key = sk_sink_text(item, "key"), *topic = sk_sink_text(item, "topic");
	rd_kafka_headers_t *headers = headers_of(item);
	rd_kafka_resp_err_t e;

	e = rd_kafka_producev(k->producer, RD_KAFKA_V_TOPIC(topic), RD_KAFKA_V_PARTITION(partition), RD_KAFKA_V_MSGFLAGS(RD_KAFKA_MSG_F_COPY),
	                      RD_KAFKA_V_KEY(key, key ? strlen(key) : 0), RD_KAFKA_V_VALUE((void *)item->payload, item->size),
	                      RD_KAFKA_V_TIMESTAMP(item->time_ms), RD_KAFKA_V_OPAQUE(item), RD_KAFKA_V_HEADERS(headers), RD_KAFKA_V_END);
	if (e && headers)
		rd_kafka_headers_destroy(headers);
	return e;
}

/* false: librdkafka takes no more. What it does not take is known at once. */
static bool add(struct kafka *k, struct sk_sink_item *item)
{
	const char *topic = sk_sink_text(item, "topic");
	int32_t partition;
	rd_kafka_resp_err_t e;

	item->result = SK_SUNK_FAIL;
	if (!topic || !*topic) {
		item->why = "topic is empty";
		return true;
	}
	if (!kafka_partition(sk_sink_text(item, "partition"), &partition)) {
		item->why = "partition is not a number";
		return true;
	}
	item->result = SK_SUNK_RETRY;
	item->why = "no report came in time";
	e = produce(k, item, partition);
	if (e)
		settle(k, item, e);
	return e != RD_KAFKA_RESP_ERR__QUEUE_FULL && e != RD_KAFKA_RESP_ERR__FATAL;
}

void kafka_deliver(void *sink, struct sk_sink_item *const *item, size_t n, struct sk_arena *a)
{
	struct kafka *k = sink;
	const char *why = begin_producer(k, a);

	sk_sink_all(item, n, SK_SUNK_RETRY, why ? why : "an item before it is tried again");
	if (why)
		return;
	k->batch = a;
	k->denied = false;
	for (size_t i = 0; i < n && add(k, item[i]);)
		i++;
	rd_kafka_flush(k->producer, k->timeout + GRACE);
	if (rd_kafka_outq_len(k->producer) > 0 || k->denied || rd_kafka_fatal_error(k->producer, NULL, 0))
		end_producer(k);
	k->batch = NULL;
}
