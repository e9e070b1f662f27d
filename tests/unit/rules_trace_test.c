/* rules_trace_test.c -- the newest traces of a rule: which are kept, which are read, how long they may be, and readers beside the writer. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <pthread.h>
#include <stdatomic.h>

#include <cmocka.h>

#include "plugins/rules/engine_trace.h"

static void add(struct trace_log *t, int n)
{
	struct sk_arena a = { 0 };
	cJSON *entry = sk_json_object(&a);
	sk_json_set_int(&a, entry, "n", n);
	trace_log_add(t, &a, entry);
	sk_arena_free(&a);
}

/* Those behind `after` are entries first to last. */
static void holds(struct trace_log *t, uint64_t after, int64_t first, int64_t last)
{
	struct sk_arena a = { 0 };
	cJSON *list = sk_json_array(&a);
	int64_t n = first;
	trace_log_read(t, after, &a, list);
	SK_JSON_EACH(one, list) {
		assert_int_equal(sk_json_int_of(one, "sequence", 0), n);
		assert_int_equal(sk_json_int_of(one, "n", 0), n);
		n++;
	}
	assert_int_equal(n, last + 1);
	sk_arena_free(&a);
}

static void the_newest_64_are_kept_in_order(void **state)
{
	struct trace_log *t = trace_log_new();
	(void)state;
	holds(t, 0, 1, 0);
	for (int i = 1; i <= 3 * TRACE_KEPT + 5; i++) {
		add(t, i);
		holds(t, 0, i > TRACE_KEPT ? i - TRACE_KEPT + 1 : 1, i);
		holds(t, (uint64_t)i - 1, i, i);
		holds(t, (uint64_t)i, i + 1, i);
	}
	holds(t, 5, 2 * TRACE_KEPT + 6, 3 * TRACE_KEPT + 5);
	holds(t, UINT64_C(1) << 62, 1, 0);
	trace_log_free(t);
	trace_log_free(NULL);
}

static void it_is_watched_until_a_time(void **state)
{
	struct trace_log *t = trace_log_new();
	(void)state;
	assert_false(trace_log_watched(t, 0));
	trace_log_watch(t, 5000);
	assert_true(trace_log_watched(t, 4999));
	assert_false(trace_log_watched(t, 5000));
	trace_log_free(t);
}

static char *long_text(struct sk_arena *a, size_t n)
{
	char *s = sk_alloc_text(a, n + 1);
	memset(s, 'x', n);
	s[n] = '\0';
	return s;
}

/* topic and trace of those lengths: what is left of the entry. */
static void kept(size_t topic, size_t traced, bool has_topic, bool has_trace)
{
	struct sk_arena a = { 0 };
	struct trace_log *t = trace_log_new();
	cJSON *entry = sk_json_object(&a), *list = sk_json_array(&a);
	size_t n = 0;
	sk_json_set_int(&a, entry, "time", 1);
	sk_json_set_string(&a, entry, "topic", long_text(&a, topic));
	sk_json_set_string(&a, entry, "clientId", "c");
	sk_json_set_string(&a, sk_json_set_object(&a, entry, "trace"), "output", long_text(&a, traced));
	trace_log_add(t, &a, entry);
	trace_log_read(t, 0, &a, list);
	const cJSON *one = list->child;
	assert_non_null(one);
	assert_int_equal(sk_json_int_of(one, "time", 0), 1);
	assert_int_equal(sk_json_get(one, "topic") != NULL, has_topic);
	assert_int_equal(sk_json_get(one, "trace") != NULL, has_trace);
	assert_int_equal(sk_json_true(one, "tooLong"), !has_trace);
	assert_non_null(sk_json_print(&a, one, &n));
	assert_true(n <= TRACE_BYTES + sizeof ",\"sequence\":1");
	trace_log_free(t);
	sk_arena_free(&a);
}

static void what_is_too_long_is_left_out_and_said(void **state)
{
	(void)state;
	kept(10, 10, true, true);
	kept(10, TRACE_BYTES - 100, true, true);
	kept(10, TRACE_BYTES, true, false);
	kept(65535, 10, false, false);
	kept(65535, 1 << 20, false, false);
}

static void what_could_not_be_made_is_no_entry(void **state)
{
	struct trace_log *t = trace_log_new();
	struct sk_arena a = { 0 };
	(void)state;
	trace_log_add(t, &a, NULL);
	holds(t, 0, 1, 0);
	trace_log_free(t);
	sk_arena_free(&a);
}

struct reading {
	struct trace_log *log;
	atomic_bool stop;
	atomic_int rounds;
};

static void *read_on(void *arg)
{
	struct reading *r = arg;
	while (!atomic_load(&r->stop)) {
		struct sk_arena a = { 0 };
		cJSON *list = sk_json_array(&a);
		trace_log_read(r->log, 0, &a, list);
		SK_JSON_EACH(one, list)
			if (sk_json_int_of(one, "sequence", -1) != sk_json_int_of(one, "n", -2))
				abort();
		trace_log_watch(r->log, 1);
		sk_arena_free(&a);
		atomic_fetch_add(&r->rounds, 1);
	}
	return NULL;
}

static void readers_beside_the_writer_see_whole_entries(void **state)
{
	struct reading r = { .log = trace_log_new() };
	pthread_t id[2];
	int n = 0;
	(void)state;
	for (int i = 0; i < 2; i++)
		assert_int_equal(pthread_create(&id[i], NULL, read_on, &r), 0);
	while (n < 2000 || atomic_load(&r.rounds) < 20) {
		add(r.log, ++n);
		trace_log_watched(r.log, 0);
	}
	atomic_store(&r.stop, true);
	for (int i = 0; i < 2; i++)
		pthread_join(id[i], NULL);
	trace_log_free(r.log);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_newest_64_are_kept_in_order),
		cmocka_unit_test(it_is_watched_until_a_time),
		cmocka_unit_test(what_is_too_long_is_left_out_and_said),
		cmocka_unit_test(what_could_not_be_made_is_no_entry),
		cmocka_unit_test(readers_beside_the_writer_see_whole_entries),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
