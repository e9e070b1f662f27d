/* rules_live_test.c -- the table of rules in force against a list that is searched name by name, and read from other threads while it changes. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "core/topic.h"
#include "tests/unit/rules_fake.h"

enum { NAMES = 300, STEPS = 20000, TOPICS = 6 };

static uint64_t rng = 1;

static uint32_t chance(uint32_t n)
{
	rng = rng * 6364136223846793005u + 1442695040888963407u;
	return (uint32_t)(rng >> 33) % n;
}

static const char *const filters[] = { NULL, "#", "a/+", "a/b", "+/b", "c/#", "a/b/+" };
static const char *const topics[TOPICS] = { "a/b", "a/x", "c", "c/d/e", "a/b/c", "z" };

struct list {
	struct live_rule *rule[NAMES]; /* by name; the table's */
	int count, most;
};

static void name_of(uint32_t i, char out[16])
{
	snprintf(out, 16, "rule_%u", i);
}

static void matches_as_the_list(const struct live_table *t, const struct list *l, const char *topic)
{
	uint32_t id[NAMES];
	size_t n = rules_filters_match(t->filters, topic, id, NAMES), wanted = 0;
	for (uint32_t i = 0; i < NAMES; i++)
		wanted += l->rule[i] && l->rule[i]->filter && sk_topic_filter_matches(l->rule[i]->filter, topic);
	assert_int_equal(n, wanted);
	for (size_t i = 0; i < n; i++) {
		const struct live_rule *r = live_at(t, id[i]);
		assert_non_null(r);
		assert_int_equal(r->id, id[i]);
		assert_ptr_equal(l->rule[atoi(r->name + 5)], r);
		assert_true(sk_topic_filter_matches(r->filter, topic));
	}
}

static void holds_what_the_list_holds(struct live_table *t, const struct list *l)
{
	char name[16];
	for (uint32_t i = 0; i < NAMES; i++) {
		name_of(i, name);
		assert_ptr_equal(live_find(t, name), l->rule[i]);
		struct live_rule *got = live_get(t, name);
		assert_ptr_equal(got, l->rule[i]);
		live_unref(got);
	}
	assert_int_equal(t->count, l->count);
	assert_true(t->used <= (uint32_t)l->most);
	for (int i = 0; i < TOPICS; i++)
		matches_as_the_list(t, l, topics[i]);
}

static void put_one(struct live_table *t, struct list *l, uint32_t i)
{
	char name[16];
	name_of(i, name);
	struct live_rule *r = live_new(name, filters[chance(sizeof filters / sizeof *filters)], NULL);
	assert_int_equal(live_prepare(t, r), 0);
	assert_ptr_equal(live_find(t, name), l->rule[i]);
	struct live_rule *old = live_put(t, r);
	assert_ptr_equal(old, l->rule[i]);
	live_unref(old);
	l->count += !l->rule[i];
	l->most = l->count > l->most ? l->count : l->most;
	l->rule[i] = r;
}

static void take_one(struct live_table *t, struct list *l, uint32_t i)
{
	char name[16];
	name_of(i, name);
	struct live_rule *old = live_take(t, name);
	assert_ptr_equal(old, l->rule[i]);
	l->count -= old != NULL;
	l->rule[i] = NULL;
	live_unref(old);
}

static void puts_replacements_and_takes_in_any_order(void **state)
{
	struct live_table t;
	struct list l = { .count = 0 };
	(void)state;
	assert_int_equal(live_table_init(&t), 0);
	for (int step = 0; step < STEPS; step++) {
		uint32_t i = chance(NAMES), puts = step / 2500 % 2 ? 3 : 7;
		if (chance(10) < puts)
			put_one(&t, &l, i);
		else
			take_one(&t, &l, i);
		matches_as_the_list(&t, &l, topics[chance(TOPICS)]);
		if (step % 200 == 0)
			holds_what_the_list_holds(&t, &l);
	}
	holds_what_the_list_holds(&t, &l);
	live_table_free(&t);
}

/* Several are prepared, some with names that are there, and none of them is put. */
static void what_was_prepared_and_given_up_was_never_there(void **state)
{
	struct live_table t;
	struct list l = { .count = 0 };
	struct live_rule *prepared[NAMES];
	char name[16];
	(void)state;
	assert_int_equal(live_table_init(&t), 0);
	for (uint32_t i = 0; i < NAMES / 2; i++)
		put_one(&t, &l, i);
	for (uint32_t i = 0; i < NAMES / 2; i += 3)
		take_one(&t, &l, i);
	for (int round = 0; round < 5; round++) {
		for (uint32_t i = 0; i < NAMES; i++) {
			name_of(i, name);
			prepared[i] = live_new(name, filters[chance(sizeof filters / sizeof *filters)], NULL);
			assert_int_equal(live_prepare(&t, prepared[i]), 0);
			assert_ptr_equal(live_find(&t, name), l.rule[i]);
		}
		for (uint32_t i = 0; i < NAMES; i++) {
			live_give_up(&t, prepared[i]);
			live_unref(prepared[i]);
		}
		l.most = NAMES;
		holds_what_the_list_holds(&t, &l);
	}
	live_table_free(&t);
}

static void an_id_is_used_again(void **state)
{
	struct live_table t;
	char name[16];
	(void)state;
	assert_int_equal(live_table_init(&t), 0);
	for (uint32_t i = 0; i < 5000; i++) {
		name_of(i, name);
		struct live_rule *r = live_new(name, "a", NULL);
		assert_int_equal(live_prepare(&t, r), 0);
		assert_null(live_put(&t, r));
		assert_true(r->id < 2);
		if (i)
			name_of(i - 1, name);
		live_unref(i ? live_take(&t, name) : NULL);
	}
	assert_int_equal(t.count, 1);
	live_table_free(&t);
}

static void a_filter_that_is_none_leaves_all_as_it_was(void **state)
{
	struct live_table t;
	(void)state;
	assert_int_equal(live_table_init(&t), 0);
	struct live_rule *good = live_new("r", "a/+", NULL), *bad = live_new("r", "a/#/b", NULL), *other = live_new("s", "a+", NULL);
	assert_int_equal(live_prepare(&t, good), 0);
	assert_null(live_put(&t, good));
	assert_int_equal(live_prepare(&t, bad), -1);
	assert_int_equal(live_prepare(&t, other), -1);
	assert_ptr_equal(live_find(&t, "r"), good);
	assert_null(live_find(&t, "s"));
	assert_int_equal(t.count, 1);
	uint32_t id;
	assert_int_equal(rules_filters_match(t.filters, "a/b", &id, 1), 1);
	live_unref(bad);
	live_unref(other);
	live_table_free(&t);
}

/* -- from other threads -- */

struct reader {
	struct live_table *table;
	atomic_bool stop;
	atomic_ulong seen;
};

static void look_at(void *ctx, struct live_rule *r)
{
	struct reader *me = ctx;
	char filter[32];
	snprintf(filter, sizeof filter, "t/%s", r->name);
	if (strcmp(filter, r->filter))
		abort();
	atomic_fetch_add(&me->seen, 1);
}

static void *read_on(void *arg)
{
	struct reader *me = arg;
	char name[16];
	for (uint32_t i = 0; !atomic_load(&me->stop); i++) {
		live_each(me->table, look_at, me);
		name_of(i % NAMES, name);
		struct live_rule *r = live_get(me->table, name);
		if (r && strcmp(r->name, name))
			abort();
		if (r)
			look_at(me, r);
		live_unref(r);
	}
	return NULL;
}

static void change_much(struct live_table *t)
{
	char name[16], filter[32];
	for (int step = 0; step < STEPS; step++) {
		name_of(chance(NAMES), name);
		snprintf(filter, sizeof filter, "t/%s", name);
		if (chance(3)) {
			struct live_rule *r = live_new(name, filter, NULL);
			assert_int_equal(live_prepare(t, r), 0);
			live_unref(live_put(t, r));
		} else
			live_unref(live_take(t, name));
	}
}

static void others_read_while_it_changes(void **state)
{
	struct live_table t;
	struct reader me = { .table = &t };
	pthread_t id[2];
	(void)state;
	assert_int_equal(live_table_init(&t), 0);
	for (int i = 0; i < 2; i++)
		assert_int_equal(pthread_create(&id[i], NULL, read_on, &me), 0);
	do
		change_much(&t);
	while (!atomic_load(&me.seen));
	atomic_store(&me.stop, true);
	for (int i = 0; i < 2; i++)
		pthread_join(id[i], NULL);
	live_table_free(&t);
}

static void *compile_it(void *arg)
{
	const struct rules_settings s = { .strict_aws = false };
	return (void *)live_program(arg, &s);
}

/* Its error is asked for meanwhile. */
static void threads_that_need_a_program_at_once_get_the_same(void **state)
{
	pthread_t id[4];
	void *got[4];
	(void)state;
	for (int round = 0; round < 50; round++) {
		struct sk_arena a = { 0 };
		struct live_rule *r = rules_fake_rule("r", "a/+");
		int64_t at;
		for (int i = 0; i < 4; i++)
			assert_int_equal(pthread_create(&id[i], NULL, compile_it, r), 0);
		assert_null(live_last_error(r, &a, &at));
		for (int i = 0; i < 4; i++)
			pthread_join(id[i], &got[i]);
		for (int i = 0; i < 4; i++)
			assert_true(got[i] && got[i] == got[0]);
		assert_null(r->record);
		live_unref(r);
		sk_arena_free(&a);
	}
}

static void a_program_that_does_not_compile_says_why_once(void **state)
{
	static const char text[] = "{\"payload\":{\"sql\":\"SELECT FROM\",\"actions\":[]}}";
	struct sk_arena a = { 0 };
	struct sk_bytes *record = sk_bytes_new(text, sizeof text - 1);
	struct live_rule *r = live_new("r", "a", record);
	const struct rules_settings s = { .strict_aws = false };
	int64_t at;
	(void)state;
	assert_null(live_program(r, &s));
	const char *why = live_last_error(r, &a, &at);
	assert_non_null(strstr(why, "line 1, column"));
	live_failed(r, 5, NULL);
	assert_string_equal(live_last_error(r, &a, &at), why);
	assert_null(live_program(r, &s));
	assert_int_equal(atomic_load(&r->count.failed), 1);
	live_unref(r);
	sk_bytes_unref(record);
	sk_arena_free(&a);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(puts_replacements_and_takes_in_any_order),
		cmocka_unit_test(what_was_prepared_and_given_up_was_never_there),
		cmocka_unit_test(an_id_is_used_again),
		cmocka_unit_test(a_filter_that_is_none_leaves_all_as_it_was),
		cmocka_unit_test(others_read_while_it_changes),
		cmocka_unit_test(threads_that_need_a_program_at_once_get_the_same),
		cmocka_unit_test(a_program_that_does_not_compile_says_why_once),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
