/* sink_redis_test.c -- commands, addresses and verdicts of the sink `redis`. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

#include "plugins/sink_redis/address.h"
#include "plugins/sink_redis/command.h"
#include "plugins/sink_redis/judge.h"

static struct sk_arena a;

static cJSON *json(const char *text)
{
	cJSON *node = sk_json_parse(&a, text, strlen(text), NULL, NULL);
	assert_non_null(node);
	return node;
}

static struct sk_sink_item item_of(const char *fields)
{
	struct sk_sink_item i = { .payload = "p\0q", .size = 3, .id = "00ff" };
	i.field = sk_sink_flatten(json(fields), "url", &a, &i.fields);
	return i;
}

/* The command with | for CRLF and for NUL; or why there is none. */
static const char *command(const char *fields)
{
	struct sk_sink_item i = item_of(fields);
	struct redis_out counted = { 0 }, out = { 0 };
	const char *why = redis_command(&counted, &i);
	if (why)
		return why;
	out.to = sk_alloc_text(&a, counted.n + 1);
	assert_null(redis_command(&out, &i));
	assert_int_equal(out.n, counted.n);
	char *to = out.to;
	for (size_t at = 0; at < out.n; at++)
		if (out.to[at] != '\r')
			*to++ = out.to[at] == '\n' || !out.to[at] ? '|' : out.to[at];
	*to = '\0';
	return out.to;
}

static void items_become_commands(void **state)
{
	static const struct { const char *fields, *command; } cases[] = {
		{ "{'url':'x','command':'stream','key':'s'}", "*5|$4|XADD|$1|s|$1|*|$7|payload|$3|p|q|" },
		{ "{'command':'stream','key':'s','maxLength':1000,'fields':{'a':'1','b.c':''},'idField':'id'}",
		  "*12|$4|XADD|$1|s|$6|MAXLEN|$1|~|$4|1000|$1|*|$1|a|$1|1|$3|b.c|$0||$2|id|$4|00ff|" },
		{ "{'command':'list','key':'l'}", "*3|$5|RPUSH|$1|l|$3|p|q|" },
		{ "{'command':'list','key':'l','side':'right','value':''}", "*3|$5|RPUSH|$1|l|$0||" },
		{ "{'command':'list','key':'l','side':'left','value':'v'}", "*3|$5|LPUSH|$1|l|$1|v|" },
		{ "{'command':'publish','key':'c','value':'v'}", "*3|$7|PUBLISH|$1|c|$1|v|" },
		{ "{'command':'set','key':'k','value':'v'}", "*3|$3|SET|$1|k|$1|v|" },
		{ "{'command':'set','key':'k','value':'v','expire':60}", "*5|$3|SET|$1|k|$1|v|$2|EX|$2|60|" },
		{ "{'command':'hash','key':'h','fields':{'f':'0123456789ab'}}", "*4|$4|HSET|$1|h|$1|f|$12|0123456789ab|" },
		{ "{'command':'hash','key':'h','idField':'i'}", "*6|$4|HSET|$1|h|$7|payload|$3|p|q|$1|i|$4|00ff|" },
		{ "{'command':'flushall','key':'h'}", "`command` is none of stream, list, publish, set, hash" },
		{ "{'key':'h'}", "`command` is none of stream, list, publish, set, hash" },
		{ "{'command':'set','key':''}", "`key` is empty" },
		{ "{'command':'set'}", "`key` is empty" },
	};
	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		char *text = sk_strdup(&a, cases[i].fields);
		for (char *p = text; *p; p++)
			*p = *p == '\'' ? '"' : *p;
		assert_string_equal(command(text), cases[i].command);
	}
	sk_arena_reset(&a, 0);
}

static void fields_of_another_command_are_refused(void **state)
{
	static const struct { const char *fields, *fault; } cases[] = {
		{ "{\"command\":\"stream\",\"key\":\"s\",\"fields\":{\"a\":\"1\"},\"idField\":\"i\",\"maxLength\":1}", NULL },
		{ "{\"command\":\"set\",\"expire\":1,\"value\":\"\",\"maxLength\":null}", NULL },
		{ "{\"command\":\"list\",\"side\":\"left\"}", NULL },
		{ "{\"command\":\"list\",\"maxLength\":1}", "maxLength is not for command list" },
		{ "{\"command\":\"stream\",\"value\":\"\"}", "value is not for command stream" },
		{ "{\"command\":\"publish\",\"expire\":1}", "expire is not for command publish" },
		{ "{\"command\":\"hash\",\"fields\":{\"\":\"x\"}}", "each member of fields must have a name and be a string" },
		{ "{\"command\":\"hash\",\"fields\":{\"x\":1}}", "each member of fields must have a name and be a string" },
		{ "{\"command\":\"eval\"}", "command must be stream, list, publish, set or hash" },
	};
	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		const char *fault = redis_command_fault(json(cases[i].fields), &a);
		if (cases[i].fault)
			assert_string_equal(fault, cases[i].fault);
		else
			assert_null(fault);
	}
	sk_arena_reset(&a, 0);
}

/* "path|host|port|database|user|password|tls", or what is wrong. */
static const char *address(const char *fields)
{
	struct redis_address to;
	const char *fault = redis_address(json(fields), &a, &to);
#define TEXT(t) ((t) ? (t) : "-")
	return fault ? fault : sk_printf(&a, "%s|%s|%d|%ld|%s|%s|%d|%s", TEXT(to.to.path), TEXT(to.to.host), to.to.port, to.database, TEXT(to.user), TEXT(to.password), to.tls, to.shown);
}

static void addresses_are_read(void **state)
{
	static const struct { const char *fields, *is; } cases[] = {
		{ "{\"url\":\"redis://h\"}", "-|h|6379|0|-|-|0|h:6379" },
		{ "{\"url\":\"rediss://:pw@[::1]:1/15\"}", "-|::1|1|15|-|pw|1|[::1]:1" },
		{ "{\"url\":\"redis://a:b@h/\",\"user\":\"c\",\"password\":\"d\"}", "-|h|6379|0|c|d|0|h:6379" },
		{ "{\"url\":\"/run/r.sock\",\"password\":\"d\"}", "/run/r.sock|-|0|0|-|d|0|/run/r.sock" },
		{ "{\"url\":\"unix:///run/r.sock?db=7\"}", "/run/r.sock|-|0|7|-|-|0|/run/r.sock" },
		{ "{\"url\":\"unix://run/r.sock\"}", "unix:// wants three slashes and a path" },
		{ "{\"url\":\"unix:///r?x=1\"}", "only ?db=NUMBER may follow the path of a socket" },
		{ "{\"url\":\"redis://h/x\"}", "the database of the URL is no number" },
		{ "{\"url\":\"redis://h/-1\"}", "the database of the URL is no number" },
		{ "{\"url\":\"redis://h/99999999999999999999\"}", "the database of the URL is no number" },
		{ "{\"url\":\"redis://h?x\"}", "a URL of Redis takes no ?" },
		{ "{\"url\":\"redis://\"}", "the URL has no host" },
		{ "{\"url\":\"http://h\"}", "url must be redis://, rediss://, unix:// or the path of a socket" },
		{ "{\"url\":\"redis://u@h\"}", "a user without a password" },
		{ "{\"url\":\"redis://h\",\"tls\":{}}", "tls is for rediss:// only" },
		{ "{\"url\":\"rediss://h\",\"tls\":{\"key\":\"k\"}}", "tls.certificate and tls.key go together" },
		{ "{}", "there is no url" },
	};
	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
		assert_string_equal(address(cases[i].fields), cases[i].is);
	sk_arena_reset(&a, 0);
}

static void errors_are_judged(void **state)
{
	static const struct { const char *error; enum sk_sunk result; bool leave; } cases[] = {
		{ "LOADING Redis is loading the dataset in memory", SK_SUNK_RETRY, false },
		{ "OOM command not allowed when used memory > 'maxmemory'.", SK_SUNK_RETRY, false },
		{ "CLUSTERDOWN", SK_SUNK_RETRY, false },
		{ "READONLY You can't write against a read only replica.", SK_SUNK_RETRY, true },
		{ "NOAUTH Authentication required.", SK_SUNK_RETRY, true },
		{ "ERR max number of clients reached", SK_SUNK_RETRY, true },
		{ "ERR max number", SK_SUNK_FAIL, false },
		{ "WRONGTYPE Operation against a key", SK_SUNK_FAIL, false },
		{ "BUSYKEY Target key name already exists.", SK_SUNK_FAIL, false },
		{ "OO", SK_SUNK_FAIL, false },
		{ "", SK_SUNK_FAIL, false },
	};
	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct redis_verdict v = redis_judge(cases[i].error);
		assert_int_equal(v.result, cases[i].result);
		assert_int_equal(v.leave, cases[i].leave);
	}
}

/* Chunks are large: one that fails is all that an address needs. Nothing is read that is not there. */
static void without_memory_an_address_is_refused(void **state)
{
	cJSON *fields = json("{\"url\":\"rediss://u:p@h:1/2\"}");
	struct sk_arena none = { .limit = 1 };
	struct redis_address to;
	(void)state;
	const char *fault = redis_address(fields, &none, &to);
	assert_true(fault || none.failed);
	sk_arena_free(&none);
	sk_arena_reset(&a, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(items_become_commands),
		cmocka_unit_test(fields_of_another_command_are_refused),
		cmocka_unit_test(addresses_are_read),
		cmocka_unit_test(errors_are_judged),
		cmocka_unit_test(without_memory_an_address_is_refused),
	};
	int failed = cmocka_run_group_tests(tests, NULL, NULL);
	sk_arena_free(&a);
	return failed;
}
