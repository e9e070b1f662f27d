/* rules_rule_memory_test.c -- rules with memory that fails at every point in turn: what cannot be made is refused or fails with "out of memory", and
 * nothing is left behind. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

#include "tests/unit/rules_world.h"
#include "tests/unit/scarce.h"
#include "tests/unit/sql_world.h"

static const char rule_text[] =
        "{`awsIotSqlVersion`:`2016-03-23`,`sql`:`SELECT topic() AS t, upper(text) AS u, (SELECT VALUE x + 1 FROM list) AS l FROM 'a/+/c' WHERE n > 1`,`actions`:[{`republish`:{`topic`:`x/${n}`,`qos`:1,"
        "`headers`:{`contentType`:`${text}`,`correlationData`:`AQL/`,`userProperties`:[{`key`:`k`,`value`:`${text}`}]}}},{`s3`:{`bucketName`:`b`,`key`:`${missing}`}}],"
        "`errorAction`:{`sqs`:{`queueUrl`:`q/${topic(1)}`}}}";

struct world {
	const cJSON *payload;
	struct sql_message message;
	const struct rules_rule *rule;
};

/* Each step of a rule's life; all memory is scarce in it, its own message aside. */
static bool lives(void *ctx)
{
	const struct world *w = ctx;
	struct sk_arena kept = { 0 }, a = { 0 };
	struct rules_error e;
	struct rules_outcome o = { .deliveries = 0 }, told;
	struct rules_republish out;
	bool later = false;
	const struct rules_rule *r = rules_compile(&kept, "alarm", w->payload, NULL, &e);
	int rc = r ? rules_evaluate(r, &w->message, &a, NULL, &o) : 0;
	bool good = r && rc == SK_OK && o.deliveries == 2 && o.delivery[1].error;

	if (!r)
		assert_true(e.error == SK_E_INTERNAL && strcmp(e.message, "out of memory") == 0);
	else if (!good)
		assert_true(rc == SK_E_INTERNAL && strcmp(o.why, "out of memory") == 0 && o.deliveries == 0);
	if (good) {
		const char *fault = rules_republish(&o.delivery[0], &a, &out);
		assert_true(!fault || strcmp(fault, "out of memory") == 0);
		good = !fault;
	}
	if (good) {
		rc = rules_evaluate_error(r, &w->message, o.delivery, o.deliveries, NULL, &a, &told);
		assert_true(rc == SK_OK ? told.deliveries == 1 : rc == SK_E_INTERNAL && told.why);
		good = rc == SK_OK;
	}
	if (good) {
		const cJSON *trace = rules_trace(r, &w->message, &a, NULL, &later);
		const char *text = rules_explain(&a, r);
		assert_true((trace && text) == !a.failed);
		assert_true(!text || strstr(text, "error action: sqs"));
		good = trace && text;
	}
	sk_arena_free(&a);
	sk_arena_free(&kept);
	return good;
}

static void a_rule(void **state)
{
	struct sk_arena a = { 0 };
	char *text = sk_alloc_text(&a, 30000);
	struct world w = { .payload = world_json(&a, rule_text) };

	(void)state;
	strcpy(text, "{\"n\":7,\"text\":\"");
	memset(text + strlen(text), 'x', 900);
	strcpy(text + 14 + 900, "\",\"list\":[{\"x\":1}");
	for (int i = 0; i < 1000; i++)
		strcat(text, ",{\"x\":1}");
	w.message = world_parsed(&a, strcat(text, "]}"), "a/b/c");
	assert_non_null(w.message.document);
	assert_true(scarce_everywhere(lives, &w) > 15);
	sk_arena_free(&a);
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(a_rule) };

	scarce_libraries();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
