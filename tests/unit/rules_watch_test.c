/* rules_watch_test.c -- records of rules as they are committed, and what is then in force: the filter's record first, the rule's second. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "plugins/rules/engine_unit.h"
#include "tests/unit/rules_fake.h"

static int setup(void **state)
{
	static struct rules_fake f;
	*state = &f;
	return rules_fake_open(&f, 1, 1 << 16) ? 0 : -1;
}

static int teardown(void **state)
{
	rules_fake_close(*state);
	return 0;
}

typedef int watch(void *state, const char *name, const struct sk_bytes *bytes);

static void tell(struct rules_fake *f, watch *apply, const char *name, const char *text)
{
	struct sk_bytes *bytes = text ? sk_bytes_new(text, strlen(text)) : NULL;
	assert_int_equal(apply(&f->options, name, bytes), 0);
	sk_bytes_unref(bytes);
}

static void filter_is(struct rules_fake *f, const char *name, const char *text)
{
	tell(f, engine_watch_filter, name, text);
}

static void rule_is(struct rules_fake *f, const char *name, const char *text)
{
	tell(f, engine_watch_rule, name, text);
}

static struct live_rule *find(struct rules_fake *f, const char *name)
{
	return live_find(&f->engine->table, name);
}

static size_t messages(struct rules_fake *f, const char *topic)
{
	assert_int_equal(rules_fake_feed(f, topic, ""), SK_PASS);
	size_t n = 0;
	for (struct rules_message *m; (m = rules_fake_read(f, 0)); rules_fake_done(f, 0, m))
		n += m->rules;
	return n;
}

static const char record[] = "{\"payload\":{\"sql\":\"SELECT * FROM 'a/+'\",\"actions\":[]}}";

static void a_rule_comes_into_force_with_its_second_record(void **state)
{
	struct rules_fake *f = *state;
	filter_is(f, "r", "{\"filter\":\"a/+\"}");
	assert_null(find(f, "r"));
	assert_int_equal(messages(f, "a/b"), 0);
	rule_is(f, "r", record);
	const struct live_rule *r = find(f, "r");
	assert_true(r && !strcmp(r->filter, "a/+") && !r->disabled && !r->unit && !r->runs_lua);
	assert_int_equal(messages(f, "a/b"), 1);
	assert_non_null(live_program(find(f, "r"), &f->engine->settings));
	assert_null(f->engine->next);
	assert_ptr_equal(f->engine->next_tail, &f->engine->next);
}

static void replaced_disabled_enabled_and_deleted(void **state)
{
	struct rules_fake *f = *state;
	filter_is(f, "r", "{\"filter\":\"a/+\"}");
	rule_is(f, "r", record);
	filter_is(f, "r", "{\"filter\":\"b\"}");
	assert_int_equal(messages(f, "a/b"), 1);
	rule_is(f, "r", record);
	assert_int_equal(messages(f, "a/b"), 0);
	assert_int_equal(messages(f, "b"), 1);
	filter_is(f, "r", "{\"filter\":\"b\",\"disabled\":true}");
	rule_is(f, "r", record);
	assert_int_equal(messages(f, "b"), 0);
	assert_true(find(f, "r")->disabled);
	filter_is(f, "r", "{\"filter\":\"b\"}");
	rule_is(f, "r", record);
	assert_int_equal(messages(f, "b"), 1);
	filter_is(f, "r", NULL);
	assert_non_null(find(f, "r"));
	rule_is(f, "r", NULL);
	assert_null(find(f, "r"));
	assert_int_equal(messages(f, "b"), 0);
	rule_is(f, "r", NULL);
}

static void without_a_filter_it_is_for_basic_ingest_only(void **state)
{
	struct rules_fake *f = *state;
	filter_is(f, "r", "{}");
	rule_is(f, "r", record);
	assert_true(find(f, "r") && !find(f, "r")->filter);
	assert_int_equal(messages(f, "a/b"), 0);
}

/* When the broker starts all filters come first, then all rules. */
static void thousands_at_the_start(void **state)
{
	enum { MANY = 3000 };
	struct rules_fake *f = *state;
	char name[16], text[64];
	for (int i = 0; i < MANY; i++) {
		snprintf(name, sizeof name, "r%04d", i);
		snprintf(text, sizeof text, "{\"filter\":\"t/%d\"%s}", i, i % 2 ? ",\"disabled\":true" : "");
		filter_is(f, name, text);
	}
	assert_int_equal(f->engine->table.count, 0);
	for (int i = 0; i < MANY; i++) {
		snprintf(name, sizeof name, "r%04d", i);
		rule_is(f, name, record);
		snprintf(text, sizeof text, "t/%d", i);
		assert_string_equal(find(f, name)->filter, text);
		assert_int_equal(find(f, name)->disabled, i % 2);
	}
	assert_int_equal(f->engine->table.count, MANY);
	assert_null(f->engine->next);
}

static void names_that_come_in_another_order_meet_their_own_filters(void **state)
{
	static const int order[] = { 2, 0, 3, 1 };
	struct rules_fake *f = *state;
	char name[] = "r0", text[] = "{\"filter\":\"t/0\"}";
	for (int round = 0; round < 3; round++) {
		for (int i = 0; i < 4; i++) {
			name[1] = text[13] = (char)('0' + i);
			filter_is(f, name, text);
		}
		for (int i = 0; i < 4; i++) {
			name[1] = (char)('0' + order[i]);
			rule_is(f, name, record);
			assert_int_equal(find(f, name)->filter[2], name[1]);
		}
	}
	filter_is(f, "left", "{\"filter\":\"x\"}"); /* freed at the end */
}

static void a_rule_alone_changes_nothing(void **state)
{
	struct rules_fake *f = *state;
	rule_is(f, "r", record);
	assert_null(find(f, "r"));
	filter_is(f, "r", "{\"filter\":\"a/+\"}");
	rule_is(f, "r", record);
	const struct live_rule *r = find(f, "r");
	rule_is(f, "r", "{\"payload\":{},\"tags\":{}}");
	assert_ptr_equal(find(f, "r"), r);
}

static void a_record_that_is_none_is_said_and_what_was_stays(void **state)
{
	static char large[10000];
	struct rules_fake *f = *state;
	filter_is(f, "r", "{\"filter\":\"a/+\"}");
	rule_is(f, "r", record);
	const struct live_rule *r = find(f, "r");
	memset(large, ' ', sizeof large - 1);
	memcpy(large, "{\"filter\":\"b\"}", 14);
	filter_is(f, "r", large);
	assert_true(rules_fake_said(f, "rule r is not in force as it is now"));
	rule_is(f, "r", record);
	filter_is(f, "r", "no JSON");
	assert_true(rules_fake_said(f, "rule r is not in force as it is now"));
	rule_is(f, "r", record);
	filter_is(f, "r", "{\"filter\":\"a/#/b\"}");
	rule_is(f, "r", record);
	assert_true(rules_fake_said(f, "rule r is not in force as it is now"));
	assert_ptr_equal(find(f, "r"), r);
	assert_int_equal(messages(f, "a/b"), 1);
}

static void a_stored_rule_that_hides_a_files_is_said(void **state)
{
	struct rules_fake *f = *state;
	struct live_rule *files = live_new("r", "f", NULL);
	files->unit = lua_unit_new("doors.lua", NULL);
	assert_int_equal(engine_put(f->engine, files), 0);
	filter_is(f, "r", "{\"filter\":\"a/+\"}");
	rule_is(f, "r", record);
	assert_true(rules_fake_said(f, "rule r of doors.lua is not in force"));
	assert_null(find(f, "r")->unit);
	filter_is(f, "r", "{\"filter\":\"a/+\"}");
	rule_is(f, "r", record);
	assert_false(rules_fake_said(f, "doors.lua"));
}

/* -- where brokers share the store -- */

static void share(struct rules_fake *f)
{
	f->rt.follower = (struct sk_follower *)f; /* that there is one is all that is asked */
}

static int reset(struct rules_fake *f, enum sk_reset phase)
{
	int calls = 0, rc;
	while ((rc = engine_watch_reset(&f->options, phase)) > 0)
		assert_true(++calls < 100);
	return rc;
}

static void the_same_record_again_changes_nothing(void **state)
{
	struct rules_fake *f = *state;
	share(f);
	filter_is(f, "r", "{\"filter\":\"a/+\"}");
	rule_is(f, "r", record);
	const struct live_rule *r = find(f, "r");
	filter_is(f, "r", "{\"filter\":\"a/+\"}");
	rule_is(f, "r", record);
	assert_ptr_equal(find(f, "r"), r);
	assert_null(f->engine->next);
	filter_is(f, "r", "{\"filter\":\"b\"}");
	rule_is(f, "r", record);
	assert_ptr_not_equal(find(f, "r"), r);
	assert_string_equal(find(f, "r")->filter, "b");
	r = find(f, "r");
	filter_is(f, "r", "{\"filter\":\"b\",\"disabled\":true}");
	rule_is(f, "r", record);
	assert_true(find(f, "r")->disabled);
	find(f, "r")->broken = true;
	r = find(f, "r");
	filter_is(f, "r", "{\"filter\":\"b\",\"disabled\":true}");
	rule_is(f, "r", record);
	assert_ptr_not_equal(find(f, "r"), r);
}

/* The rule's record was older than the one in force and is not told: its filter must not meet the next one. */
static void a_filter_whose_rule_never_came_is_replaced(void **state)
{
	struct rules_fake *f = *state;
	share(f);
	f->engine->taking = true;
	filter_is(f, "r", "{\"filter\":\"old\"}");
	filter_is(f, "r", "{\"filter\":\"new\"}");
	rule_is(f, "r", record);
	assert_string_equal(find(f, "r")->filter, "new");
	assert_null(f->engine->next);
}

static void after_a_gap_rules_that_were_not_told_of_are_out_of_force(void **state)
{
	struct rules_fake *f = *state;
	struct live_rule *files = live_new("file", "f", NULL);
	char name[32];
	share(f);
	files->unit = lua_unit_new("doors.lua", NULL);
	assert_int_equal(engine_put(f->engine, files), 0);
	for (int i = 0; i < 500; i++) {
		snprintf(name, sizeof name, "r%d", i);
		filter_is(f, name, "{\"filter\":\"a/+\"}");
		rule_is(f, name, record);
	}
	const struct live_rule *kept = find(f, "r7");
	assert_int_equal(reset(f, SK_RESET_BEGINS), 0);
	assert_non_null(find(f, "r8"));
	filter_is(f, "r7", "{\"filter\":\"a/+\"}");
	rule_is(f, "r7", record);
	assert_int_equal(reset(f, SK_RESET_ENDS), 0);
	assert_int_equal(reset(f, SK_RESET_OVER), 0);
	assert_ptr_equal(find(f, "r7"), kept);
	assert_null(find(f, "r8"));
	assert_ptr_equal(find(f, "file"), files);
	assert_int_equal(messages(f, "a/b"), 1);
}

int main(void)
{
#define T(test) cmocka_unit_test_setup_teardown(test, setup, teardown)
	const struct CMUnitTest tests[] = {
		T(a_rule_comes_into_force_with_its_second_record), T(replaced_disabled_enabled_and_deleted), T(without_a_filter_it_is_for_basic_ingest_only),
		T(thousands_at_the_start), T(names_that_come_in_another_order_meet_their_own_filters), T(a_rule_alone_changes_nothing),
		T(a_record_that_is_none_is_said_and_what_was_stays), T(a_stored_rule_that_hides_a_files_is_said),
		T(the_same_record_again_changes_nothing), T(a_filter_whose_rule_never_came_is_replaced), T(after_a_gap_rules_that_were_not_told_of_are_out_of_force),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
