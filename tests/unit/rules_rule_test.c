/* rules_rule_test.c -- topicRulePayloads to rules: what is taken, what is refused and how that is said, how much memory a rule has. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/unit/rules_world.h"
#include "tests/unit/sql_world.h"

#define SQL "`sql`:`SELECT * FROM 'a/b' WHERE temp > 30`"

/* -- the smallest rule that does something -- */

static void a_simple_rule_has_less_than_a_kilobyte(void **state)
{
	struct sk_arena a = { 0 };
	struct rules_error e;
	const struct rules_rule *r = world_rule(&a, "{" SQL ",`actions`:[{`republish`:{`topic`:`alarms`,`roleArn`:`arn:aws:iam::123456789012:role/rules`}}]}", &e);

	(void)state;
	assert_non_null(r);
	print_message("a simple rule: %zu bytes\n", a.total);
#if !defined(__SANITIZE_ADDRESS__) /* which fences each piece */
	assert_true(a.total < 1024);
	assert_true(a.total - a.used <= 32);
#endif
	assert_string_equal(r->name, "alarm");
	assert_string_equal(r->sql, "SELECT * FROM 'a/b' WHERE temp > 30");
	assert_string_equal(r->filter, "a/b");
	assert_int_equal(r->version, SQL_2016_03_23);
	assert_int_equal(r->actions, 1);
	assert_ptr_equal(r->arena, &a);
	assert_ptr_equal(r->action->kind, rules_kind("republish"));
	assert_int_equal(r->action->templates, 0);
	assert_null(r->error_action);
	assert_false(r->disabled);
	sk_arena_free(&a);
}

/* In an arena that holds more, and as one that is bigger than what is measured. */
static void rules_share_an_arena(void **state)
{
	static char payload[200000];
	struct sk_arena a = { 0 };
	struct rules_error e;
	const struct rules_rule *r;
	int n = snprintf(payload, sizeof payload, "{" SQL ",`actions`:[{`s3`:{`key`:`${temp}%0*d`}}]}", 150000, 7);

	(void)state;
	assert_true(n > 0 && (size_t)n < sizeof payload);
	assert_non_null(sk_alloc(&a, 10));
	for (int i = 0; i < 20; i++)
		assert_non_null(world_rule(&a, "{" SQL ",`actions`:[]}", &e));
	assert_true(a.total < 16384);
	r = world_rule(&a, payload, &e);
	assert_non_null(r);
	assert_int_equal(r->action->templates, 1);
	sk_arena_free(&a);
	r = world_rule(&a, payload, &e);
	assert_non_null(r);
	sk_arena_free(&a);
}

static void what_a_payload_says_is_kept(void **state)
{
	struct sk_arena a = { 0 };
	struct rules_error e;
	const struct rules_rule *r = world_rule(&a, "{`sql`:`SELECT 1`,`awsIotSqlVersion`:null,`ruleDisabled`:true,`description`:`d`,`errorAction`:{`sns`:{`targetArn`:`${topic()}`}},"
	                                            "`actions`:[{`republish`:null,`sqs`:{`queueUrl`:`a`}},{`s3`:{`bucketName`:`${a}`,`key`:`${b}/${c}`,`roleArn`:`${d}`}}]}", &e);

	(void)state;
	assert_non_null(r);
	assert_true(r->disabled);
	assert_null(r->filter);
	assert_int_equal(r->version, SQL_2015_10_08); /* the default */
	assert_int_equal(r->actions, 2);
	assert_string_equal(r->action[0].kind->name, "sqs");
	assert_int_equal(r->action[1].templates, 2);
	assert_string_equal(sk_json_text(r->action[1].fields, "key"), "${b}/${c}");
	assert_string_equal(r->error_action->kind->name, "sns");
	assert_int_equal(r->error_action->templates, 1);
	sk_arena_free(&a);
}

/* -- what is refused -- */

#define ONE(fields) "{" SQL ",`actions`:[{`republish`:" fields "}]}"
#define SQS "{`sqs`:{`queueUrl`:`q`}}"

static const struct {
	const char *payload;
	int error;
	const char *message;
} refused[] = {
	{ "{`actions`:[]}", SK_E_INVALID_REQUEST, "sql: a statement is missing" },
	{ "{`sql`:7,`actions`:[]}", SK_E_INVALID_REQUEST, "sql: a statement is missing" },
	{ "{`sql`:`SELECT * FROM a`,`actions`:[]}", SK_E_SQL_PARSE, "line 1, column 15: expected a topic filter in single quotes, found a" },
	{ "{`sql`:`SELECT length(a) FROM 'a'`,`awsIotSqlVersion`:`2015-10-08`,`actions`:[]}", SK_E_SQL_PARSE, "line 1, column 8: length needs SQL version 2016-03-23" },
	{ "{" SQL ",`awsIotSqlVersion`:`2017`,`actions`:[]}", SK_E_INVALID_REQUEST, "awsIotSqlVersion: '2017' is none of 2015-10-08, 2016-03-23, beta" },
	{ "{" SQL ",`awsIotSqlVersion`:3,`actions`:[]}", SK_E_INVALID_REQUEST, "awsIotSqlVersion: '' is none of 2015-10-08, 2016-03-23, beta" },
	{ "{" SQL "}", SK_E_INVALID_REQUEST, "actions: a list is missing" },
	{ "{" SQL ",`actions`:[" SQS "," SQS "," SQS "," SQS "," SQS "," SQS "," SQS "," SQS "," SQS "," SQS "," SQS "]}", SK_E_INVALID_REQUEST,
	  "actions: 11, at most 10 are taken" },
	{ "{" SQL ",`actions`:[" SQS ",{}]}", SK_E_INVALID_REQUEST, "actions[1]: an action is an object with exactly one kind, such as {\"republish\": {...}}" },
	{ "{" SQL ",`actions`:[{`sqs`:{`queueUrl`:`q`},`sns`:{`targetArn`:`t`}}]}", SK_E_INVALID_REQUEST,
	  "actions[0]: an action is an object with exactly one kind, such as {\"republish\": {...}}" },
	{ "{" SQL ",`actions`:[null]}", SK_E_INVALID_REQUEST, "actions[0]: an action is an object with exactly one kind, such as {\"republish\": {...}}" },
	{ "{" SQL ",`actions`:[{`publish`:{}}]}", SK_E_INVALID_REQUEST, "actions[0]: 'publish' is no kind of action" },
	{ "{" SQL ",`actions`:[{`sqs`:`q`}]}", SK_E_INVALID_REQUEST, "actions[0].sqs: not an object" },
	{ "{" SQL ",`actions`:[],`errorAction`:{`sqs`:{},`sns`:{}}}", SK_E_INVALID_REQUEST,
	  "errorAction: an action is an object with exactly one kind, such as {\"republish\": {...}}" },
	{ "{" SQL ",`actions`:[],`errorAction`:{`sns`:{`targetArn`:`${get_thing_shadow('a', 'r')}`}}}", SK_E_SQL_PARSE,
	  "errorAction.sns.targetArn: line 1, column 3: get_thing_shadow is an external function: error actions may not call these" },
	{ ONE("{`topic`:`a/${b`}"), SK_E_SQL_PARSE, "actions[0].republish.topic: line 1, column 6: expected '}', found the end" },
	{ ONE("{`topic`:`a`,`headers`:{`userProperties`:[{`key`:`a`,`value`:`b`},{`key`:`${}`,`value`:`b`}]}}"), SK_E_SQL_PARSE,
	  "actions[0].republish.headers.userProperties[1].key: line 1, column 3: expected an expression, found }" },
	/* what can never be published */
	{ ONE("{`topic`:`a/+`}"), SK_E_INVALID_REQUEST, "actions[0].republish: topic holds a wildcard: 'a/+'" },
	{ ONE("{`topic`:`$aws/things/x/shadow/update`}"), SK_E_INVALID_REQUEST,
	  "actions[0].republish: topic is reserved: it begins with $$aws/ if that is meant: '$aws/things/x/shadow/update'" },
	{ ONE("{}"), SK_E_INVALID_REQUEST, "actions[0].republish: topic is missing: ''" },
};

static void what_is_wrong_is_said_in_one_line(void **state)
{
	int failures = 0;

	(void)state;
	for (size_t i = 0; i < sizeof refused / sizeof *refused; i++) {
		struct sk_arena a = { 0 };
		struct rules_error e;
		const struct rules_rule *r = world_rule(&a, refused[i].payload, &e);
		if (r || e.error != refused[i].error || strcmp(e.message, refused[i].message) != 0) {
			print_error("%s\n  got      %d %s\n  expected %d %s\n", refused[i].payload, e.error, e.message, refused[i].error, refused[i].message);
			failures++;
		}
		sk_arena_free(&a);
	}
	assert_int_equal(failures, 0);
}

static void a_statement_has_a_greatest_size(void **state)
{
	static char payload[300000];
	struct sk_arena a = { 0 };
	struct rules_error e;

	(void)state;
	snprintf(payload, sizeof payload, "{`sql`:`SELECT '%0*d' AS a`,`actions`:[]}", 262144, 1);
	assert_null(world_rule(&a, payload, &e));
	assert_int_equal(e.error, SK_E_INVALID_REQUEST);
	assert_string_equal(e.message, "sql: 262158 bytes, at most 262144 are taken");
	sk_arena_free(&a);
}

/* Extensions are the settings' affair. */
static void strict_rules_are_strict(void **state)
{
	static const char text[] = "{`sql`:`SELECT * FROM 'a' WHERE a LIKE 'b%'`,`actions`:[]}";
	const struct rules_settings strict = { .strict_aws = true }, loose = { 0 };
	struct sk_arena a = { 0 };
	struct rules_error e;
	const cJSON *payload = world_json(&a, text);

	(void)state;
	assert_non_null(rules_compile(&a, "r", payload, &loose, &e));
	assert_null(rules_compile(&a, "r", payload, &strict, &e));
	assert_int_equal(e.error, SK_E_SQL_PARSE);
	sk_arena_free(&a);
}

/* -- kinds -- */

/* The members of the structure Action are the kinds. */
/* The members that this file of shapes gives the type Action. */
static const char *members_of_action(const char *path)
{
	static char text[60000];
	FILE *f = fopen(path, "r");

	if (!f)
		fail_msg("%s is not there", path);
	text[fread(text, 1, sizeof text - 1, f)] = '\0';
	fclose(f);
	char *action = strstr(text, "(Action,"), *end = action ? strstr(action, "\n\n") : NULL;
	assert_non_null(action);
	if (end)
		*end = '\0';
	return action;
}

/* AWS's, and those that our own sinks add. */
static void the_kinds_are_those_of_the_model(void **state)
{
	int kinds = 0;

	(void)state;
	for (const struct rules_kind *k = rules_kinds; k->name; k++) {
		const char *plugin = k->plugin ? k->plugin : "rules";
		char word[40], path[120];
		snprintf(word, sizeof word, "%s:", k->name);
		snprintf(path, sizeof path, "plugins/%s/%s.shapes", plugin, plugin);
		if (!strstr(members_of_action(path), word))
			fail_msg("%s is no member of Action in %s", k->name, path);
		assert_ptr_equal(rules_kind(k->name), k);
		kinds += !k->plugin;
	}
	assert_int_equal(kinds, 23);
	assert_null(rules_kind("Republish"));
	assert_null(rules_kind(""));
}

/* Each field that the table names takes a template, and is filled in. */
static cJSON *put_path(struct sk_arena *a, const char *path)
{
	cJSON *fields = sk_json_object(a), *at = fields;

	for (char *next, *name = sk_strdup(a, path); name; name = next) {
		next = strchr(name, '.');
		if (next)
			*next++ = '\0';
		char *list = strstr(name, "[]");
		if (list)
			*list = '\0';
		if (*name == '*')
			name = (char *)"some.name";
		if (!next && list)
			sk_json_append(sk_json_set_array(a, at, name), sk_json_string(a, "${n}"));
		else if (!next)
			sk_json_set_string(a, at, name, "${n}");
		else if (list)
			at = sk_json_append(sk_json_set_array(a, at, name), sk_json_object(a));
		else
			at = sk_json_set_object(a, at, name);
	}
	return fields;
}

static void every_template_field_is_filled_in(void **state)
{
	int paths = 0;

	(void)state;
	for (const struct rules_kind *k = rules_kinds; k->name; k++) {
		struct sk_arena a = { 0 };
		for (char *rest = sk_strdup(&a, k->templates), *path; (path = strtok_r(rest, " ", &rest)); paths += !k->plugin) {
			cJSON *payload = world_json(&a, "{`sql`:`SELECT 1 AS a`,`actions`:[]}"), *action = sk_json_object(&a);
			struct sql_message m = world_parsed(&a, "{\"n\":1}", NULL);
			struct rules_outcome o;
			struct rules_error e;
			sk_json_set(&a, action, k->name, put_path(&a, path));
			if (strncmp(path, "headers.", 8) == 0 && strcmp(k->name, "republish") == 0)
				sk_json_set_string(&a, sk_json_get(action, k->name), "topic", "t");
			sk_json_append(sk_json_get(payload, "actions"), action);
			const struct rules_rule *r = rules_compile(&a, "r", payload, NULL, &e);
			if (!r || r->action->templates != 1)
				fail_msg("%s %s: %s", k->name, path, r ? "no template" : e.message);
			assert_int_equal(rules_evaluate(r, &m, &a, NULL, &o), SK_OK);
			assert_null(strstr(sk_json_print(&a, o.delivery->fields, NULL), "${n}"));
			assert_non_null(strstr(sk_json_print(&a, r->action->fields, NULL), "${n}"));
		}
		sk_arena_free(&a);
	}
	assert_int_equal(paths, 78);
}

/* -- secrets -- */

static void fields_that_hold_a_secret_are_known(void **state)
{
	static const struct { const char *fields; bool secret; } cases[] = {
		{ "{}", false }, { "{`url`:`redis://h:6379/0`,`n`:1,`list`:[`a`]}", false }, { "{`url`:`redis://me@h/a:b@c`}", false }, { "{`partitionKey`:`k`,`roleArn`:`r`}", false },
		{ "{`headers`:[{`key`:`Content-Type`,`value`:`x`}]}", false }, { "{`password`:``}", false },
		{ "{`url`:`redis://me:pw@h`}", true }, { "{`password`:`x`}", true }, { "{`clientProperties`:{`sasl.Password`:`x`}}", true }, { "{`token`:`x`}", true },
		{ "{`headers`:[{`key`:`a`,`value`:`b`},{`key`:`X-Api-Key`,`value`:`x`}]}", true }, { "{`headers`:[{`key`:`authorization`,`value`:`Bearer x`}]}", true },
		{ "{`deep`:[{`er`:[`amqp://u:p@h`]}]}", true },
	};
	struct sk_arena a = { 0 };

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
		if (rules_holds_secret(world_json(&a, cases[i].fields)) != cases[i].secret)
			fail_msg("%s", cases[i].fields);
	sk_arena_free(&a);
}

/* -- for people -- */

static void a_rule_is_explained(void **state)
{
	struct sk_arena a = { 0 };
	struct rules_error e;
	const struct rules_rule *r = world_rule(&a, "{" SQL ",`actions`:[{`republish`:{`topic`:`x/${temp}`}},{`sqs`:{`queueUrl`:`q`}}],`ruleDisabled`:true,"
	                                            "`errorAction`:{`sns`:{`targetArn`:`t`}}}", &e);
	char *text = rules_explain(&a, r);
	static const char *const parts[] = { "rule alarm, SQL 2016-03-23, disabled\nSELECT * FROM 'a/b' WHERE temp > 30\n", ", from 'a/b'\n", "NAME 'temp'",
		                             "\naction 1: republish {\"topic\":\"x/${temp}\"}\ntopic is filled in by ", "STRING 'x/'",
		                             "\naction 2: sqs {\"queueUrl\":\"q\"}\n", "\nerror action: sns {\"targetArn\":\"t\"}\n" };

	(void)state;
	assert_non_null(text);
	for (size_t i = 0; i < sizeof parts / sizeof *parts; i++) {
		const char *found = strstr(text, parts[i]);
		if (!found)
			fail_msg("'%s' is not in\n%s", parts[i], text);
	}
	sk_arena_free(&a);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_simple_rule_has_less_than_a_kilobyte),
		cmocka_unit_test(rules_share_an_arena),
		cmocka_unit_test(what_a_payload_says_is_kept),
		cmocka_unit_test(what_is_wrong_is_said_in_one_line),
		cmocka_unit_test(a_statement_has_a_greatest_size),
		cmocka_unit_test(strict_rules_are_strict),
		cmocka_unit_test(the_kinds_are_those_of_the_model),
		cmocka_unit_test(every_template_field_is_filled_in),
		cmocka_unit_test(fields_that_hold_a_secret_are_known),
		cmocka_unit_test(a_rule_is_explained),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
