/* auth_bench.c -- what a policy of ten statements costs on the broker thread, as a ratio to a strcmp of the topic, and what a
 * registered certificate and a thing cost in memory.
 *
 * Each figure is one publish and one receive of the same client, the best of several rounds: with the verdicts kept, with more topics
 * than slots, and with a binding that is made anew for each. Prints "NAME: X ns, strcmp Y ns, ratio Z". */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "plugins/auth/session.h"

enum { ROUNDS = 9, CALLS = 100000, TOPICS = 64, CERTIFICATES = 200000 };

static struct auth a;
static char topics[TOPICS][64];

static int64_t now_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (int64_t)t.tv_sec * 1000000000 + t.tv_nsec;
}

/* -- a broker's side that answers the least -- */

static const unsigned char *certificate_der(struct sk_client *client, size_t *n)
{
	(void)client;
	*n = 5;
	return (const unsigned char *)"valve";
}

static int set_username(struct sk_client *client, const char *username)
{
	(void)client, (void)username;
	return 0;
}

static void log_line(char level, const char *line)
{
	fprintf(stderr, "auth_bench: %c %s\n", level, line);
}

static const struct auth_host host = { .certificate_der = certificate_der, .set_username = set_username, .log = log_line };

/* -- records -- */

static int put(int (*watch)(void *, const char *, const struct sk_bytes *), const char *name, const char *json)
{
	struct sk_bytes *bytes = sk_bytes_new(json, strlen(json));
	int rc = bytes ? watch(&a, name, bytes) : -1;

	sk_bytes_unref(bytes);
	return rc;
}

static int put_policy(void)
{
	char json[4000];
	char *at = json + sprintf(json, "{\"defaultVersionId\":\"1\",\"policyDocument\":\"{\\\"Version\\\":\\\"2012-10-17\\\",\\\"Statement\\\":["
	                                "{\\\"Effect\\\":\\\"Allow\\\",\\\"Action\\\":\\\"iot:Connect\\\",\\\"Resource\\\":\\\"*\\\"}");

	for (int i = 1; i < 10; i++)
		at += sprintf(at, ",{\\\"Effect\\\":\\\"Allow\\\",\\\"Action\\\":[\\\"iot:Publish\\\",\\\"iot:Receive\\\"],"
		                  "\\\"Resource\\\":\\\"%stopic/factory/hall-%d/*\\\"}", a.arn, i);
	sprintf(at, "]}\"}");
	return put(auth_watch_policy, "p", json);
}

static int put_certificate(const char *der, size_t n)
{
	uint8_t id[CERTIFICATE_ID_SIZE];
	char hex[CERTIFICATE_HEX_SIZE + 1], name[CERTIFICATE_HEX_SIZE + 3];

	certificate_id_of((const unsigned char *)der, n, id);
	certificate_id_print(id, hex);
	snprintf(name, sizeof(name), "%s/p", hex);
	return put(auth_watch_certificate, hex, "{\"status\":\"ACTIVE\"}") || put(auth_watch_attached, name, "{}") ||
	       put(auth_watch_principal, name, "{}");
}

/* -- figures -- */

static double time_asking(struct sk_client *c, int count, bool stale)
{
	struct sk_message_view m = { 0 };
	int64_t best = INT64_MAX;

	for (int round = 0; round < ROUNDS; round++) {
		int64_t start = now_ns();
		for (int i = 0; i < CALLS; i++) {
			((struct session *)c->auth)->stale = stale;
			if (auth_acl(&a, c, SK_ACL_WRITE, topics[i % count], &m) != SK_ALLOW || auth_acl(&a, c, SK_ACL_READ, topics[i % count], &m) != SK_ALLOW)
				return -1;
		}
		int64_t took = now_ns() - start;
		best = took < best ? took : best;
	}
	return (double)best / CALLS;
}

static double time_strcmp(void)
{
	int (*volatile compare)(const char *, const char *) = strcmp;
	char copy[64];
	int64_t best = INT64_MAX;
	int sum = 0;

	memcpy(copy, topics[0], sizeof(copy));
	for (int round = 0; round < ROUNDS; round++) {
		int64_t start = now_ns();
		for (int i = 0; i < CALLS; i++)
			sum += compare(copy, topics[0]);
		int64_t took = now_ns() - start;
		best = took < best ? took : best;
	}
	return sum ? -1 : (double)best / CALLS;
}

static void print_times(struct sk_client *c)
{
	static const struct {
		const char *name;
		int topics;
		bool stale;
	} rows[] = { { "verdicts kept", 1, false }, { "verdicts not kept", TOPICS, false }, { "bound anew", 1, true } };
	double compare = time_strcmp();

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		double took = time_asking(c, rows[i].topics, rows[i].stale);
		printf("%s: %.1f ns, strcmp %.1f ns, ratio %.1f\n", rows[i].name, took, compare, took / compare);
	}
}

static int print_certificates(void)
{
	int64_t start = now_ns(), worst = 0;

	for (unsigned i = 0; i < CERTIFICATES; i++) {
		int64_t before = now_ns();
		if (put_certificate((const char *)&i, sizeof(i)))
			return 1;
		worst = now_ns() - before > worst ? now_ns() - before : worst;
	}
	printf("%d certificates with a policy and a thing: %zu bytes each in a file, %.2f us each to load, the slowest %.1f ms\n", CERTIFICATES,
	       index_bytes(a.index) / CERTIFICATES, (double)(now_ns() - start) / 1000 / CERTIFICATES, (double)worst / 1e6);
	return 0;
}

/* A type and three attributes each, and a group. */
static int print_things(void)
{
	size_t before = index_bytes(a.index);
	int64_t start = now_ns();
	char name[64], member[80];

	for (unsigned i = 0; i < CERTIFICATES; i++) {
		snprintf(name, sizeof(name), "press-%06u", i);
		snprintf(member, sizeof(member), "%s/hall-%u", name, i % 50);
		if (put(auth_watch_thing, name, "{\"thingTypeName\":\"press\",\"version\":1,\"attributes\":{\"hall\":\"9\",\"line\":\"north\",\"serial\":\"0123456789\"}}") ||
		    put(auth_watch_member, member, "{}"))
			return 1;
	}
	printf("%d things with a type, three attributes and a group: %zu bytes each in files, %.2f us each to load\n", CERTIFICATES,
	       (index_bytes(a.index) - before) / CERTIFICATES, (double)(now_ns() - start) / 1000 / CERTIFICATES);
	return 0;
}

int main(void)
{
	char folder[] = "/tmp/auth-bench-XXXXXX", why[200];
	struct sk_client c = { .id = "valve", .online = true };
	int rc = 1;

	a.host = &host;
	a.log_tokens = AUTH_LOG_BURST;
	strcpy(a.arn, "arn:aws:iot:us-east-1:123456789012:");
	a.index = mkdtemp(folder) ? index_new(folder, why, sizeof(why)) : NULL;
	for (int i = 0; i < TOPICS; i++)
		snprintf(topics[i], sizeof(topics[i]), "factory/hall-9/press/%02d/temperature", i);
	if (a.index && !put_policy() && !put_certificate("valve", 5) && auth_connect(&a, &c, false) == SK_ALLOW) {
		print_times(&c);
		rc = print_certificates() || print_things();
	}
	auth_gone(&a, &c);
	index_free(&a.index);
	sk_arena_free(&a.scratch);
	rmdir(folder);
	return rc;
}
