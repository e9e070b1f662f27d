/* rules_action_check_test.c -- which actions a rule may have: kinds that something carries out, connections without templates but secrets, and what a
 * sink itself says of its fields. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "plugins/rules/action_check.h"
#include "tests/unit/rules_world.h"
#include "tests/unit/sql_world.h"

static const char *check(const cJSON *fields, struct sk_arena *a)
{
	return sk_json_get(fields, "value") ? sk_printf(a, "value is %s", "too much") : NULL;
}

static const struct sk_sink *find(const char *kind, void **state)
{
	static const struct sk_sink sinks[] = { { .kind = "redis", .connection = "url password tls", .check = check },
		                                { .kind = "kafka", .connection = "destinationArn clientProperties.*" }, { .kind = "http" } };

	*state = NULL;
	for (size_t i = 0; i < sizeof sinks / sizeof *sinks; i++)
		if (!strcmp(sinks[i].kind, kind))
			return &sinks[i];
	return NULL;
}

#define SECRET "${get_secret('there','SecretString')}"
#define ABSENT "${get_secret('gone','SecretString')}"

static const struct {
	const char *actions, *want; /* "": fine; "~ TEXT": fine, and what is absent */
	action_sinks *find;
} cases[] = {
	{ "`actions`:[]", "", find },
	{ "`actions`:[{`republish`:{`topic`:`t`}},{`sqs`:{`queueUrl`:`q`}}]", "", find },
	{ "`actions`:[{`sqs`:{`queueUrl`:`q`}}]", "", NULL },
	{ "`actions`:[{`redis`:{`url`:`u`}}]", "", find },
	{ "`actions`:[{`sqs`:{`queueUrl`:`q`}},{`redis`:{`url`:`u`}}]", "actions[1]: nothing here carries out redis actions: load skeeter_sink_redis.so", NULL },
	{ "`actions`:[],`errorAction`:{`redis`:{`url`:`u`}}", "errorAction: nothing here carries out redis actions: load skeeter_sink_redis.so", NULL },
	{ "`actions`:[{`redis`:{`url`:`u/" SECRET "`,`tls`:{`key`:`" SECRET "`},`key`:`${topic()}`}}]", "", find },
	{ "`actions`:[{`redis`:{`url`:`u/${topic()}`}}]", "actions[0].redis.url: a template here must be ${get_secret('NAME', 'SecretString', 'KEY')}", find },
	{ "`actions`:[{`redis`:{`url`:`u`,`tls`:{`key`:`${x}`}}}]", "actions[0].redis.tls.key: a template here must be ${get_secret('NAME', 'SecretString', 'KEY')}", find },
	{ "`actions`:[{`redis`:{`url`:`u`,`password`:`" ABSENT "`}}]", "~ actions[0].redis.password: there is no secret gone", find },
	{ "`actions`:[{`redis`:{`url`:`u`,`value`:`1`}}]", "actions[0].redis: value is too much", find },
	{ "`actions`:[{`kafka`:{`destinationArn`:`d`,`topic`:`${t}`,`clientProperties`:{`sasl.password`:`" SECRET "`,`acks`:`1`}}}]", "", find },
	{ "`actions`:[{`kafka`:{`destinationArn`:`d`,`topic`:`t`,`clientProperties`:{`acks`:`${n}`}}}]", "actions[0].kafka.clientProperties.acks: a template here must be", find },
	{ "`actions`:[{`http`:{`url`:`${topic()}`}}]", "", find },
};

static void each_rule_is_taken_or_told(void **state)
{
	(void)state;
	assert_int_equal(setenv("SKEETER_SECRET_THERE", "c4n4ry", 1), 0);
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct sk_arena a = { 0 };
		struct rules_error e;
		const char *absent = "not set";
		const struct rules_rule *r = world_rule(&a, sk_printf(&a, "{`sql`:`SELECT 1 AS a FROM 'a'`,%s}", cases[i].actions), &e);
		if (!r)
			fail_msg("%s: %s", cases[i].actions, e.message);
		const char *fault = action_check(r, cases[i].find, &a, &absent), *want = cases[i].want;
		const char *got = fault ? fault : absent ? sk_printf(&a, "~ %s", absent) : "";
		if (*want ? strncmp(got, want, strlen(want)) != 0 : *got != '\0')
			fail_msg("%s: \"%s\", not \"%s\"", cases[i].actions, got, want);
		sk_arena_free(&a);
	}
}

static void what_nobody_carries_out_is_known(void **state)
{
	struct sk_arena a = { 0 };
	struct rules_error e;
	const struct rules_rule *r = world_rule(&a, "{`sql`:`SELECT 1 AS a FROM 'a'`,`actions`:[{`republish`:{`topic`:`t`}},{`sqs`:{`queueUrl`:`q`}},{`redis`:{`url`:`u`}}]}", &e);

	(void)state;
	assert_non_null(r);
	assert_null(action_unserved(&r->action[0], NULL, &a));
	assert_string_equal(action_unserved(&r->action[1], find, &a), "nothing here carries out sqs actions");
	assert_string_equal(action_unserved(&r->action[2], NULL, &a), "nothing here carries out redis actions: load skeeter_sink_redis.so");
	assert_null(action_unserved(&r->action[2], find, &a));
	sk_arena_free(&a);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_rule_is_taken_or_told),
		cmocka_unit_test(what_nobody_carries_out_is_known),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
