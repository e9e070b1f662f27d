/* core_url_test.c -- URLs taken apart, and those that are refused. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

#include "core/url.h"

/* "scheme|user|password|host|port|path|query", - for what is not there; or what is wrong. */
static const char *apart(struct sk_arena *a, const char *text)
{
	struct sk_url u;
	const char *fault = sk_url_parse(a, text, &u);
#define PART(p) ((p) ? (p) : "-")
	return fault ? fault : sk_printf(a, "%s|%s|%s|%s|%d|%s|%s", u.scheme, PART(u.user), PART(u.password), u.host, u.port, PART(u.path), PART(u.query));
}

static void urls_come_apart(void **state)
{
	static const struct { const char *url, *parts; } cases[] = {
		{ "redis://localhost", "redis|-|-|localhost|0|-|-" },
		{ "REDISS://h:6380/3", "rediss|-|-|h|6380|3|-" },
		{ "redis://:p%40ss@h/0", "redis||p@ss|h|0|0|-" },
		{ "redis://u@h@h:1", "redis|u@h|-|h|1|-|-" },
		{ "amqp://u:p:q@h:5672/", "amqp|u|p:q|h|5672||-" },
		{ "amqp://h/%2fa", "amqp|-|-|h|0|/a|-" },
		{ "nats://[::1]:4222", "nats|-|-|::1|4222|-|-" },
		{ "nats://[::1]", "nats|-|-|::1|0|-|-" },
		{ "unix:///run/redis.sock?db=2", "unix|-|-||0|run/redis.sock|db=2" },
		{ "http://h?a=%41", "http|-|-|h|0|-|a=%41" },
	};
	struct sk_arena a = { 0 };
	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
		assert_string_equal(apart(&a, cases[i].url), cases[i].parts);
	sk_arena_free(&a);
}

static void what_is_no_url_is_refused_without_being_told(void **state)
{
	static const struct { const char *url, *why; } cases[] = {
		{ "localhost:6379", "no scheme" }, { "://h", "no scheme" }, { "", "no scheme" }, { "re dis://h", "no scheme" },
		{ "redis://h:0", "1 to 65535" }, { "redis://h:65536", "1 to 65535" }, { "redis://h:", "1 to 65535" },
		{ "redis://h:99999999999999999999", "1 to 65535" }, { "redis://h:6x", "no number" },
		{ "redis://[::1", "no ]" }, { "redis://[::1]6379", "something else than a port" }, { "redis://a b", "a blank" },
		{ "redis://%zz@h", "a bad %" }, { "redis://u:secret%0@h", "a bad %" }, { "redis://h/%00", "a bad %" }, { "redis://%4", "a bad %" }, { "redis://h/#x", "a #" },
	};
	struct sk_arena a = { 0 };
	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		const char *why = apart(&a, cases[i].url);
		assert_non_null(strstr(why, cases[i].why));
		assert_null(strstr(why, "secret"));
	}
	sk_arena_free(&a);
}

static void memory_that_runs_out_is_told(void **state)
{
	(void)state;
	struct sk_arena a = { 0 };
	struct sk_url u;
	sk_arena_fail_after(1);
	assert_non_null(sk_url_parse(&a, "redis://u:p@h:1/0?x", &u));
	sk_arena_fail_after(0);
	sk_arena_free(&a);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(urls_come_apart),
		cmocka_unit_test(what_is_no_url_is_refused_without_being_told),
		cmocka_unit_test(memory_that_runs_out_is_told),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
