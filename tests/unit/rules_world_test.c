/* rules_world_test.c -- a store that does not answer is an error of the rule, never "there is no such record". */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "plugins/rules/engine_state.h"
#include "tests/unit/rules_fake.h"

static bool silent;
static const char *stored; /* the one record that there is, under any key */

static int read_records(struct sk_store *s, struct sk_store_read *reads, size_t n)
{
	(void)s;
	for (size_t i = 0; i < n; i++) {
		reads[i].bytes = silent || !stored ? NULL : sk_bytes_new(stored, strlen(stored));
		reads[i].version = reads[i].bytes ? 1 : 0;
	}
	return silent ? -1 : 0;
}

static int scan_records(struct sk_store *s, struct sk_store_scan *wanted)
{
	(void)s, (void)wanted;
	return silent ? -1 : 0;
}

static const struct sk_store_ops ops = { .name = "fake", .read = read_records, .scan = scan_records };
static struct sk_store store = { .ops = &ops };

static int setup(void **state)
{
	static struct rules_fake f;
	*state = &f;
	silent = false;
	stored = NULL;
	if (!rules_fake_open(&f, 1, 1 << 16))
		return -1;
	f.rt.store = &store;
	return 0;
}

static int teardown(void **state)
{
	rules_fake_close(*state);
	return 0;
}

static struct live_rule *asking(struct rules_fake *f)
{
	static const char record[] = "{\"payload\":{\"sql\":\"SELECT get_registry_data('DescribeThing', 'lamp', 'r').thingName AS thing FROM 'in'\",\"awsIotSqlVersion\":\"2016-03-23\","
		"\"actions\":[{\"republish\":{\"roleArn\":\"r\",\"topic\":\"out\"}}]}}";
	struct sk_bytes *bytes = sk_bytes_new(record, sizeof record - 1);
	struct live_rule *r = live_new("asking", "in", bytes);
	sk_bytes_unref(bytes);
	assert_non_null(r);
	assert_int_equal(engine_put(f->engine, r), 0);
	return r;
}

static void run(struct rules_fake *f)
{
	struct rules_thread *t = f->engine->thread[0];
	assert_int_equal(rules_fake_feed(f, "in", "{}"), SK_PASS);
	struct rules_message *m = rules_fake_read(f, 0);
	assert_non_null(m);
	work_message(t, m);
}

static void a_rule_that_asks_a_silent_store_fails(void **state)
{
	struct rules_fake *f = *state;
	struct live_rule *r = asking(f);
	struct sk_arena a = { 0 };
	int64_t at;
	stored = "{\"thingId\":\"x\",\"version\":1}";
	run(f);
	assert_int_equal(atomic_load(&r->count.failed), 0);
	assert_string_equal(f->engine->thread[0]->out.head->payload, "{\"thing\":\"lamp\"}");
	silent = true;
	run(f);
	assert_int_equal(atomic_load(&r->count.failed), 1);
	assert_string_equal(live_last_error(r, &a, &at), "the store does not answer");
	assert_null(f->engine->thread[0]->out.head->next);
	sk_arena_free(&a);
}

static void state_of_a_silent_store_is_not_empty(void **state)
{
	struct rules_fake *f = *state;
	struct rules_thread *t = f->engine->thread[0];
	int64_t n;
	assert_null(lua_state_get(t, NULL, "rule/r/state/k", &n));
	assert_int_equal(n, 0);
	stored = "{\"v\":3,\"n\":7}";
	assert_int_equal(lua_state_get(t, NULL, "rule/r/state/k", &n)->valueint, 3);
	assert_int_equal(n, 7);
	silent = true;
	assert_null(lua_state_get(t, NULL, "rule/r/state/k", &n));
	assert_int_equal(n, -1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(a_rule_that_asks_a_silent_store_fails, setup, teardown),
		cmocka_unit_test_setup_teardown(state_of_a_silent_store_is_not_empty, setup, teardown),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
