/* kafka_mock.c -- librdkafka's mock cluster as a process of its own, for the tests of skeeter_sink_kafka.
 *
 *   kafka_mock BROKERS          prints {"servers": "127.0.0.1:1,127.0.0.1:2"}, then answers each line of stdin with one line:
 *     topic NAME PARTITIONS     makes a topic; others are made when somebody asks for them, with 4 partitions
 *     error NAME CODE           what asking for that topic is answered from now on; 0: as usual
 *     down ID, up ID            a broker, from 1; -1: all of them
 *     push KEY N CODE           the next N requests of that kind (0 is Produce) are answered with that error; -195 drops the connection
 *     rtt ID MS                 how long that broker takes
 *     read NAME                 [{"partition", "key", "value", "headers": {...}, "time"}, ...]: all records, by partition
 *
 * Its records are in memory. It ends with stdin. */
#include <librdkafka/rdkafka.h>
#include <librdkafka/rdkafka_mock.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/json.h"

enum { MOST_PARTITIONS = 64, PATIENCE = 60000 };
static rd_kafka_t *host;
static rd_kafka_mock_cluster_t *cluster;

static rd_kafka_t *client(rd_kafka_type_t type, const char *servers)
{
	char why[256];
	rd_kafka_conf_t *conf = rd_kafka_conf_new();
	rd_kafka_conf_set(conf, "bootstrap.servers", servers, why, sizeof why);
	rd_kafka_conf_set(conf, "group.id", "test", why, sizeof why);
	rd_kafka_conf_set(conf, "enable.partition.eof", "true", why, sizeof why);
	rd_kafka_conf_set(conf, "log_level", "2", why, sizeof why);
	return rd_kafka_new(type, conf, why, sizeof why);
}

static int partitions_of(rd_kafka_t *reader, const char *name)
{
	const struct rd_kafka_metadata *m = NULL;
	rd_kafka_topic_t *topic = rd_kafka_topic_new(reader, name, NULL);
	int n = -1;
	if (!rd_kafka_metadata(reader, 0, topic, &m, PATIENCE)) {
		n = m->topic_cnt == 1 ? m->topics[0].partition_cnt : 0;
		rd_kafka_metadata_destroy(m);
	}
	rd_kafka_topic_destroy(topic);
	return n < MOST_PARTITIONS ? n : MOST_PARTITIONS;
}

static cJSON *record_of(struct sk_arena *a, const rd_kafka_message_t *m)
{
	rd_kafka_timestamp_type_t type;
	rd_kafka_headers_t *headers;
	cJSON *o = sk_json_object(a), *h = NULL;
	const char *name;
	const void *value;
	size_t size;
	sk_json_set_int(a, o, "partition", m->partition);
	if (m->key)
		sk_json_set(a, o, "key", sk_json_stringn(a, m->key, m->key_len));
	sk_json_set(a, o, "value", sk_json_stringn(a, m->payload, m->len));
	sk_json_set_int(a, o, "time", rd_kafka_message_timestamp(m, &type));
	if (!rd_kafka_message_headers(m, &headers))
		for (size_t i = 0; !rd_kafka_header_get_all(headers, i, &name, &value, &size); i++) {
			h = h ? h : sk_json_set_object(a, o, "headers");
			sk_json_set(a, h, name, sk_json_stringn(a, value, size));
		}
	return o;
}

static void read_all(const char *name)
{
	struct sk_arena a = { 0 };
	rd_kafka_t *reader = client(RD_KAFKA_CONSUMER, rd_kafka_mock_cluster_bootstraps(cluster));
	int n = partitions_of(reader, name), ended = 0;
	rd_kafka_topic_partition_list_t *list = rd_kafka_topic_partition_list_new(MOST_PARTITIONS);
	cJSON *out = sk_json_array(&a);
	for (int i = 0; i < n; i++)
		rd_kafka_topic_partition_list_add(list, name, i)->offset = RD_KAFKA_OFFSET_BEGINNING;
	rd_kafka_assign(reader, list);
	while (ended < n) {
		rd_kafka_message_t *m = rd_kafka_consumer_poll(reader, PATIENCE);
		if (!m)
			break;
		if (!m->err)
			sk_json_append(out, record_of(&a, m));
		ended += m->err == RD_KAFKA_RESP_ERR__PARTITION_EOF;
		rd_kafka_message_destroy(m);
	}
	puts(n < 0 || ended < n ? "\"not all could be read\"" : sk_json_print(&a, out, NULL));
	rd_kafka_topic_partition_list_destroy(list);
	rd_kafka_consumer_close(reader);
	rd_kafka_destroy(reader);
	sk_arena_free(&a);
}

static void push(long key, long n, long code)
{
	while (n-- > 0)
		rd_kafka_mock_push_request_errors(cluster, (int16_t)key, 1, (rd_kafka_resp_err_t)code);
}

static int command(char *line)
{
	char word[16] = "", name[256] = "";
	long x = 0, y = 0, z = 0;
	int rc = 0;
	sscanf(line, "%15s %255s %ld %ld", word, name, &y, &z);
	x = atol(name);
	if (!strcmp(word, "topic"))
		rc = rd_kafka_mock_topic_create(cluster, name, (int)y, 1);
	else if (!strcmp(word, "error"))
		rd_kafka_mock_topic_set_error(cluster, name, (rd_kafka_resp_err_t)y);
	else if (!strcmp(word, "down"))
		rc = rd_kafka_mock_broker_set_down(cluster, (int32_t)x);
	else if (!strcmp(word, "up"))
		rc = rd_kafka_mock_broker_set_up(cluster, (int32_t)x);
	else if (!strcmp(word, "rtt"))
		rc = rd_kafka_mock_broker_set_rtt(cluster, (int32_t)x, (int)y);
	else if (!strcmp(word, "push"))
		push(x, y, z);
	else
		return -1;
	printf("%d\n", rc);
	return 0;
}

int main(int argc, char **argv)
{
	char line[512];
	host = client(RD_KAFKA_PRODUCER, "");
	cluster = host ? rd_kafka_mock_cluster_new(host, argc > 1 ? atoi(argv[1]) : 1) : NULL;
	if (!cluster) {
		fputs("kafka_mock: no cluster\n", stderr);
		return 1;
	}
	printf("{\"servers\":\"%s\"}\n", rd_kafka_mock_cluster_bootstraps(cluster));
	fflush(stdout);
	while (fgets(line, sizeof line, stdin)) {
		line[strcspn(line, "\n")] = '\0';
		if (!strncmp(line, "read ", 5))
			read_all(line + 5);
		else if (command(line))
			puts("\"what?\"");
		fflush(stdout);
	}
	rd_kafka_mock_cluster_destroy(cluster);
	rd_kafka_destroy(host);
	return 0;
}
