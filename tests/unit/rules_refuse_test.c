/* rules_refuse_test.c -- which http actions are refused, as destinations come, change and go; and threads that ask meanwhile. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>

#include "plugins/rules/engine.h"
#include "plugins/rules/engine_destinations.h"

static struct rules_engine engine;
static struct rules_state state = { .engine = &engine };

static int setup(void **at)
{
	(void)at;
	state.destinations = DESTINATIONS_CONFIRMED;
	engine.options = &state;
	engine.destinations = destinations_new();
	return engine.destinations ? 0 : -1;
}

static int teardown(void **at)
{
	(void)at;
	destinations_free(&engine.destinations);
	return 0;
}

static void put(int n, const char *url, const char *status)
{
	char id[40], text[300];

	snprintf(id, sizeof id, "00000000-0000-4000-8000-%012d", n);
	snprintf(text, sizeof text, url ? "{\"url\":\"%s\",\"status\":\"%s\"}" : "{\"vpc\":{}%s,\"status\":\"%s\"}", url ? url : "", status ? status : "");
	struct sk_bytes *bytes = status ? sk_bytes_new(text, strlen(text)) : NULL;
	assert_int_equal(engine_watch_destination(&state, id, bytes), 0);
	if (bytes)
		sk_bytes_unref(bytes);
}

static const char *refuse(const char *kind, const char *url, const char *confirm)
{
	static char said[400];
	struct sk_arena a = { 0 };
	cJSON *fields = sk_json_object(&a);

	sk_json_set_string(&a, fields, "url", url);
	sk_json_set_string(&a, fields, "confirmationUrl", confirm);
	const char *why = destinations_refuse(&engine, kind, fields, &a);
	snprintf(said, sizeof said, "%s", why ? why : "");
	sk_arena_free(&a);
	return said;
}

static void only_enabled_ones_are_sent_to(void **at)
{
	(void)at;
	assert_string_equal(refuse("http", "https://a/b", NULL), "the destination https://a/b is not confirmed, or not enabled");
	put(1, "https://a/b", "IN_PROGRESS");
	assert_string_not_equal(refuse("http", "https://a/b", NULL), "");
	put(1, "https://a/b", "ENABLED");
	put(2, "https://a", "DISABLED");
	put(3, NULL, "ENABLED");
	assert_string_equal(refuse("http", "https://a/b", NULL), "");
	assert_string_equal(refuse("http", "https://a/b/c", "https://a/b"), "");
	assert_string_equal(refuse("http", "https://a/c", "https://a/b"), "the url is not below its confirmationUrl");
	assert_string_not_equal(refuse("http", "https://a/b/c", NULL), ""); /* its own URL is not confirmed */
	assert_string_not_equal(refuse("http", "https://a/c", "https://a"), "");
	assert_string_equal(refuse("influx", "https://x", NULL), "");
	put(2, "https://a", "ENABLED");
	assert_string_equal(refuse("http", "https://a/c", "https://a"), "");
	put(1, NULL, NULL);
	assert_string_not_equal(refuse("http", "https://a/b", NULL), "");
	put(2, "https://a", "ERROR");
	assert_string_not_equal(refuse("http", "https://a/c", "https://a"), "");
	state.destinations = DESTINATIONS_ANY;
	assert_string_equal(refuse("http", "https://anything", NULL), "");
}

/* A password in a URL is no part of what is said. */
static void what_is_said_names_no_odd_url(void **at)
{
	(void)at;
	assert_string_equal(refuse("http", "https://u:c4n4ry@a/", NULL), "the destination of the url is not confirmed, or not enabled");
	assert_string_equal(refuse("http", "https://a/\n", NULL), "the destination of the url is not confirmed, or not enabled");
	assert_string_equal(refuse("http", "https://a/?key=c4n4ry", NULL), "the destination https://a/ is not confirmed, or not enabled");
}

static atomic_bool stop;
static atomic_int wrong;

static void *ask(void *unused)
{
	(void)unused;
	while (!atomic_load(&stop)) {
		struct sk_arena a = { 0 };
		cJSON *fields = sk_json_object(&a);
		sk_json_set_string(&a, fields, "url", "https://stays/x");
		sk_json_set_string(&a, fields, "confirmationUrl", "https://stays");
		if (destinations_refuse(&engine, "http", fields, &a))
			atomic_fetch_add(&wrong, 1);
		sk_arena_free(&a);
	}
	return NULL;
}

static void who_asks_meanwhile_is_answered(void **at)
{
	pthread_t thread[3];
	char url[40];

	(void)at;
	put(0, "https://stays", "ENABLED");
	for (int i = 0; i < 3; i++)
		assert_int_equal(pthread_create(&thread[i], NULL, ask, NULL), 0);
	for (int i = 0; i < 3000; i++) {
		snprintf(url, sizeof url, "https://host-%d", i % 40);
		put(1 + i % 40, url, i % 7 ? "ENABLED" : NULL);
	}
	atomic_store(&stop, true);
	for (int i = 0; i < 3; i++)
		pthread_join(thread[i], NULL);
	assert_int_equal(atomic_load(&wrong), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(only_enabled_ones_are_sent_to, setup, teardown),
		cmocka_unit_test_setup_teardown(what_is_said_names_no_odd_url, setup, teardown),
		cmocka_unit_test_setup_teardown(who_asks_meanwhile_is_answered, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
