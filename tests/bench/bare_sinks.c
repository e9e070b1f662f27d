/* bare_sinks.c -- the client libraries of sinks driven with nothing in between, for `make bench`: what skeeter_sink_* is compared with.
 *
 *   bare_sinks redis    HOST:PORT STREAM N BATCH SIZE       XADD STREAM * payload ..., a batch written, then its replies read
 *   bare_sinks postgres CONNINFO  STATEMENT N BATCH SIZE    a prepared statement with $1 = payload in pipeline mode, one sync a batch
 *   bare_sinks kafka    SERVERS   TOPIC N - SIZE            an idempotent producer that never waits but for room and at the end
 *   bare_sinks http     URL       - N PARALLEL SIZE         POSTs over one multi handle, PARALLEL of them under way
 *
 * Prints {"n": N, "seconds": S}; any error ends it with code 1. */
#include <curl/curl.h>
#include <hiredis/hiredis.h>
#include <libpq-fe.h>
#include <librdkafka/rdkafka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

struct job {
	const char *where, *what;
	long n, batch;
	size_t size;
	char *payload;
};

static double now(void)
{
	struct timespec t;
	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static int fail(const char *what, const char *why)
{
	fprintf(stderr, "bare_sinks: %s: %s\n", what, why ? why : "");
	return 1;
}

/* -- Redis -- */

static int redis_batch(redisContext *c, const struct job *j, long n)
{
	const char *argv[] = { "XADD", j->what, "*", "payload", j->payload };
	const size_t size[] = { 4, strlen(j->what), 1, 7, j->size };
	redisReply *r;
	for (long i = 0; i < n; i++)
		redisAppendCommandArgv(c, 5, argv, size);
	for (long i = 0; i < n; i++) {
		if (redisGetReply(c, (void **)&r) != REDIS_OK || r->type == REDIS_REPLY_ERROR)
			return fail("redis", c->errstr);
		freeReplyObject(r);
	}
	return 0;
}

static int redis(const struct job *j)
{
	char host[128];
	const char *colon = strrchr(j->where, ':');
	snprintf(host, sizeof host, "%.*s", colon ? (int)(colon - j->where) : 0, j->where);
	redisContext *c = redisConnect(host, colon ? atoi(colon + 1) : 6379);
	int rc = c && !c->err ? 0 : fail("redis", c ? c->errstr : "memory");
	for (long left = j->n; left > 0 && !rc; left -= j->batch)
		rc = redis_batch(c, j, left < j->batch ? left : j->batch);
	redisFree(c);
	return rc;
}

/* -- PostgreSQL -- */

static int postgres_batch(PGconn *c, const struct job *j, long n)
{
	const char *value[] = { j->payload };
	int synced = 0, rc = 0;
	for (long i = 0; i < n; i++)
		if (!PQsendQueryPrepared(c, "s", 1, value, NULL, NULL, 0))
			return fail("postgres", PQerrorMessage(c));
	if (!PQpipelineSync(c))
		return fail("postgres", PQerrorMessage(c));
	while (!synced) {
		PGresult *r = PQgetResult(c);
		ExecStatusType status = r ? PQresultStatus(r) : PGRES_COMMAND_OK;
		synced = r && status == PGRES_PIPELINE_SYNC;
		if (r && !synced && status != PGRES_COMMAND_OK && status != PGRES_TUPLES_OK)
			rc = fail("postgres", PQresultErrorMessage(r));
		if (!r && PQstatus(c) != CONNECTION_OK)
			return fail("postgres", PQerrorMessage(c));
		PQclear(r);
	}
	return rc;
}

static int postgres(const struct job *j)
{
	PGconn *c = PQconnectdb(j->where);
	int rc = PQstatus(c) == CONNECTION_OK ? 0 : fail("postgres", PQerrorMessage(c));
	PGresult *r = rc ? NULL : PQprepare(c, "s", j->what, 1, NULL);
	if (!rc && PQresultStatus(r) != PGRES_COMMAND_OK)
		rc = fail("postgres", PQerrorMessage(c));
	PQclear(r);
	if (!rc && !PQenterPipelineMode(c))
		rc = fail("postgres", PQerrorMessage(c));
	for (long left = j->n; left > 0 && !rc; left -= j->batch)
		rc = postgres_batch(c, j, left < j->batch ? left : j->batch);
	PQfinish(c);
	return rc;
}

/* -- Kafka -- */

static void reported(rd_kafka_t *k, const rd_kafka_message_t *m, void *failed)
{
	(void)k;
	if (m->err)
		*(long *)failed += 1;
}

static int produce_all(rd_kafka_t *k, const struct job *j)
{
	for (long i = 0; i < j->n;) {
		rd_kafka_resp_err_t e = rd_kafka_producev(k, RD_KAFKA_V_TOPIC(j->what), RD_KAFKA_V_VALUE(j->payload, j->size), RD_KAFKA_V_MSGFLAGS(RD_KAFKA_MSG_F_COPY), RD_KAFKA_V_END);
		if (e && e != RD_KAFKA_RESP_ERR__QUEUE_FULL)
			return fail("kafka", rd_kafka_err2str(e));
		i += !e;
		rd_kafka_poll(k, e ? 10 : 0);
	}
	return rd_kafka_flush(k, 60000) ? fail("kafka", "not all were delivered") : 0;
}

static int kafka(const struct job *j)
{
	char why[256] = "";
	long failed = 0;
	rd_kafka_conf_t *conf = rd_kafka_conf_new();
	rd_kafka_conf_set(conf, "bootstrap.servers", j->where, why, sizeof why);
	rd_kafka_conf_set(conf, "enable.idempotence", "true", why, sizeof why);
	rd_kafka_conf_set_opaque(conf, &failed);
	rd_kafka_conf_set_dr_msg_cb(conf, reported);
	rd_kafka_t *k = rd_kafka_new(RD_KAFKA_PRODUCER, conf, why, sizeof why);
	if (!k)
		return fail("kafka", why);
	int rc = produce_all(k, j);
	rd_kafka_destroy(k);
	return rc ? rc : failed ? fail("kafka", "a message was refused") : 0;
}

/* -- HTTP -- */

static size_t ignore(char *bytes, size_t size, size_t n, void *ctx)
{
	(void)bytes, (void)ctx;
	return size * n;
}

static CURL *post(const struct job *j)
{
	CURL *e = curl_easy_init();
	curl_easy_setopt(e, CURLOPT_URL, j->where);
	curl_easy_setopt(e, CURLOPT_POSTFIELDS, j->payload);
	curl_easy_setopt(e, CURLOPT_POSTFIELDSIZE, (long)j->size);
	curl_easy_setopt(e, CURLOPT_WRITEFUNCTION, ignore);
	curl_easy_setopt(e, CURLOPT_NOSIGNAL, 1L);
	return e;
}

/* Those that have ended begin again until n have been begun. */
static int again(CURLM *m, long *begun, long *ended, long n)
{
	int left, rc = 0;
	for (CURLMsg *msg; (msg = curl_multi_info_read(m, &left));) {
		CURL *e = msg->easy_handle;
		long status = 0;
		curl_easy_getinfo(e, CURLINFO_RESPONSE_CODE, &status);
		if (msg->data.result || status / 100 != 2)
			rc = fail("http", curl_easy_strerror(msg->data.result));
		curl_multi_remove_handle(m, e);
		++*ended;
		if (*begun < n && ++*begun)
			curl_multi_add_handle(m, e);
		else
			curl_easy_cleanup(e);
	}
	return rc;
}

static int http(const struct job *j)
{
	long begun = 0, ended = 0;
	int running, rc = 0;
	curl_global_init(CURL_GLOBAL_DEFAULT);
	CURLM *m = curl_multi_init();
	for (; begun < j->batch && begun < j->n; begun++)
		curl_multi_add_handle(m, post(j));
	while (ended < j->n && !rc) {
		curl_multi_perform(m, &running);
		rc = again(m, &begun, &ended, j->n);
		if (ended < j->n)
			curl_multi_poll(m, NULL, 0, 100, NULL);
	}
	curl_multi_cleanup(m);
	return rc;
}

int main(int argc, char **argv)
{
	static const struct { const char *name; int (*run)(const struct job *); } ways[] = { { "redis", redis }, { "postgres", postgres }, { "kafka", kafka }, { "http", http } };
	if (argc != 7)
		return fail("usage", "bare_sinks redis|postgres|kafka|http WHERE WHAT N BATCH SIZE");
	struct job j = { .where = argv[2], .what = argv[3], .n = atol(argv[4]), .batch = atol(argv[5]), .size = (size_t)atol(argv[6]) };
	j.payload = malloc(j.size + 1);
	memset(j.payload, 'x', j.size);
	j.payload[0] = j.payload[j.size - 1] = '"'; /* a JSON text */
	j.payload[j.size] = '\0';
	for (size_t i = 0; i < sizeof ways / sizeof *ways; i++) {
		if (strcmp(argv[1], ways[i].name))
			continue;
		double began = now();
		int rc = ways[i].run(&j);
		if (!rc)
			printf("{\"n\": %ld, \"seconds\": %.6f}\n", j.n, now() - began);
		free(j.payload);
		return rc;
	}
	return fail(argv[1], "is none of redis, postgres, kafka, http");
}
