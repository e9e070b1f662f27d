/* core_effects_test.c -- durable effects: at least once through crashes at every point, retried, gone when done. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "tests/unit/sim_host.h"

static const char *const points[] = { "commit.before", "store.before", "store.durable", "commit.after", "release.before", "release.after", "broker.item" };
enum { POINTS = sizeof points / sizeof *points };

static void an_event_runs_every_row_of_its_name_once_and_its_record_goes(void **state)
{
	struct sim *s = sim_new(1, 2);
	(void)state;
	int a = sim_do(s, "a", "emit Both b add n 1; put x 1");
	sim_settle(s);
	assert_int_equal(s->answer[a].error, 0);
	assert_string_equal(sim_record(s, "thing/b/n"), "{\"v\":1}");
	assert_string_equal(sim_record(s, "registry/n"), "{\"v\":1}");
	assert_int_equal(sim_count(s, SK_EFFECT), 0);
	assert_int_equal(s->rt->count.effects, 1);
	assert_int_equal(s->rt->count.effects_done, 1);
	sim_free(&s);
}

static void an_event_that_no_row_takes_is_done_at_once(void **state)
{
	struct sim *s = sim_new(1, 2);
	(void)state;
	sim_do(s, "a", "emit Nobody b put n 1");
	sim_settle(s);
	assert_int_equal(sim_count(s, SK_EFFECT), 0);
	sim_free(&s);
}

static void an_event_without_a_usable_partition_is_logged_and_dropped(void **state)
{
	struct sim *s = sim_new(1, 2);
	(void)state;
	sim_do(s, "a", "emit Lost b put n 1");
	sim_settle(s);
	assert_non_null(strstr(s->log, "e skeeter: sim: event Lost has no usable partition thing/{nobody}\n"));
	assert_int_equal(sim_count(s, SK_EFFECT), 0);
	sim_free(&s);
}

static void events_of_a_call_run_in_their_order(void **state)
{
	struct sim *s = sim_new(1, 2);
	(void)state;
	sim_do(s, "a", "emit E b say n 1; emit E b say n 2; emit E b say n 3");
	sim_settle(s);
	assert_string_equal(sim_sent(s), "publish n=1; publish n=2; publish n=3; ");
	sim_free(&s);
}

static void events_make_events(void **state)
{
	struct sim *s = sim_new(1, 2);
	(void)state;
	sim_do(s, "a", "emit E b emit E c put n 1");
	sim_settle(s);
	assert_string_equal(sim_record(s, "thing/c/n"), "{\"v\":1}");
	assert_int_equal(sim_count(s, SK_EFFECT), 0);
	assert_int_equal(s->rt->count.effects, 2);
	sim_free(&s);
}

static void an_event_survives_a_crash_at_each_point(void **state)
{
	(void)state;
	for (int p = 0; p < POINTS; p++)
		for (int after = 0; after < 6; after++) {
			struct sim *s = sim_new((uint64_t)(p * 10 + after), 2);
			int a = sim_do(s, "a", "add made 1; emit Both b add n 1,say t x; say u y");
			s->crash_at = points[p];
			s->crash_after = after;
			sim_settle(s);
			bool made = sim_record(s, "thing/a/made") != NULL;
			assert_true(made || !s->answer[a].done);
			assert_int_equal(made, sim_record(s, "thing/b/n") != NULL);
			assert_int_equal(made, sim_record(s, "registry/n") != NULL);
			assert_int_equal(sim_count(s, SK_EFFECT), 0);
			assert_true(sim_times_sent(s, "publish u=y") <= 1);
			sim_free(&s);
		}
}

static void a_durable_publish_arrives_whatever_crashes(void **state)
{
	(void)state;
	for (int p = 0; p < POINTS; p++)
		for (int after = 0; after < 6; after++) {
			struct sim *s = sim_new((uint64_t)(p * 10 + after), 2);
			sim_do(s, "a", "put made 1; say! t hello world");
			s->crash_at = points[p];
			s->crash_after = after;
			sim_settle(s);
			int times = sim_times_sent(s, "publish t=hello world; ");
			if (sim_record(s, "thing/a/made"))
				assert_in_range(times, 1, 2);
			else
				assert_int_equal(times, 0);
			assert_int_equal(sim_count(s, SK_EFFECT), 0);
			sim_free(&s);
		}
}

static int publish_bytes(struct sk_call *c)
{
	static const char payload[] = "\0\1\xff binary";
	sk_publish_bytes(c, SK_DURABLE | SK_RETAIN | SK_QOS1, payload, (size_t)sk_json_int_of(c->in, "n", 0), "bytes/%s", "t");
	return SK_OK;
}

static const struct sk_op byte_ops[] = {
	{ .name = "Bytes", .verb = SK_POST, .route = "/bytes", .partition = "registry", .inputs = "n:Integer", .handler = publish_bytes }, { 0 } };
static const struct sk_op_group byte_group = { .service = "bytes", .op = byte_ops };
static const struct sk_plugin bytes = { .name = "bytes", .operations = (const struct sk_op_group *const[]){ &byte_group, NULL } };

static size_t seen_size;
static int seen_flags, seen_depth;
static char seen[32];

static void see(void *ctx, const struct sk_outgoing *item)
{
	(void)ctx;
	seen_size = item->payload_size;
	seen_flags = item->qos + (item->retain ? 2 : 0);
	seen_depth = item->depth;
	memcpy(seen, item->payload, item->payload_size < sizeof seen ? item->payload_size : sizeof seen);
}

static void a_durable_publish_keeps_its_bytes_flags_and_depth(void **state)
{
	struct sim *s = sim_new_with(1, 2, &bytes);
	(void)state;
	s->host.publish = see;
	for (int n = 0; n <= 10; n++) {
		char json[32];
		snprintf(json, sizeof json, "{'n':%d}", n);
		seen_size = 99;
		sim_json(s, "Bytes", json);
		sim_settle(s);
		assert_int_equal(seen_size, n);
		assert_memory_equal(seen, "\0\1\xff binary", (size_t)n);
		assert_int_equal(seen_flags, 3);
		assert_int_equal(seen_depth, 1);
	}
	sim_free(&s);
}

static void a_handler_that_says_503_is_tried_again_with_growing_pauses(void **state)
{
	struct sim *s = sim_new(1, 2);
	(void)state;
	sim_do(s, "a", "emit E b unless ready ServiceUnavailableException,add n 1");
	sim_settle(s);
	unsigned first = s->handled;
	sim_advance(s, 50);
	assert_int_equal(s->handled, first);
	sim_advance(s, 60000);
	assert_in_range(s->rt->count.effects_retried, 8, 11);
	assert_null(sim_record(s, "thing/b/n"));
	assert_int_equal(sim_count(s, SK_EFFECT), 1);
	sim_do(s, "b", "put ready 1");
	sim_advance(s, 61000);
	assert_string_equal(sim_record(s, "thing/b/n"), "{\"v\":1}");
	assert_int_equal(sim_count(s, SK_EFFECT), 0);
	sim_advance(s, 200000);
	assert_string_equal(sim_record(s, "thing/b/n"), "{\"v\":1}");
	sim_free(&s);
}

static void only_the_row_that_said_503_is_tried_again(void **state)
{
	struct sim *s = sim_new(1, 2);
	(void)state;
	s->store->poison = "registry/n";
	sim_do(s, "a", "emit Both b add n 1");
	sim_advance(s, 2000);
	assert_string_equal(sim_record(s, "thing/b/n"), "{\"v\":1}");
	assert_int_equal(sim_count(s, SK_EFFECT), 1);
	s->store->poison = NULL;
	sim_advance(s, 61000);
	assert_string_equal(sim_record(s, "thing/b/n"), "{\"v\":1}");
	assert_string_equal(sim_record(s, "registry/n"), "{\"v\":1}");
	assert_int_equal(sim_count(s, SK_EFFECT), 0);
	sim_free(&s);
}

static void a_permanent_error_is_dropped_with_a_log_line(void **state)
{
	struct sim *s = sim_new(1, 2);
	(void)state;
	sim_do(s, "a", "emit E b put n 1,say t x,fail ConflictException never");
	sim_advance(s, 1000);
	assert_non_null(strstr(s->log, "w skeeter: sim: event E was refused for good"));
	assert_null(sim_record(s, "thing/b/n"));
	assert_int_equal(sim_count(s, SK_EFFECT), 0);
	assert_string_equal(sim_sent(s), "");
	sim_free(&s);
}

static void a_record_whose_removal_fails_is_removed_later(void **state)
{
	struct sim *s = sim_new(1, 2);
	(void)state;
	s->hold_broker = true;
	sim_do(s, "a", "emit E b add n 1");
	sim_settle(s);
	s->store->fail_commits = 2;
	s->hold_broker = false;
	sim_settle(s);
	assert_int_equal(sim_count(s, SK_EFFECT), 1);
	sim_advance(s, 5000);
	assert_int_equal(sim_count(s, SK_EFFECT), 0);
	assert_string_equal(sim_record(s, "thing/b/n"), "{\"v\":1}");
	sim_free(&s);
}

static void a_record_stays_until_the_broker_has_what_its_handlers_sent(void **state)
{
	struct sim *s = sim_new(1, 2);
	(void)state;
	s->hold_broker = true;
	sim_do(s, "a", "emit E b say t x");
	sim_settle(s);
	assert_int_equal(sim_count(s, SK_EFFECT), 1);
	sim_crash(s);
	s->hold_broker = false;
	sim_settle(s);
	assert_string_equal(sim_sent(s), "publish t=x; ");
	assert_int_equal(sim_count(s, SK_EFFECT), 0);
	sim_free(&s);
}

static void an_effect_record_that_is_not_ours_stays_and_is_logged(void **state)
{
	struct sim *s = sim_new(1, 2);
	(void)state;
	static const char *const texts[] = { "{oops", "{}", "[]", "{\"event\":5,\"input\":{}}", "{\"event\":\"E\"}" };
	for (int i = 0; i < 5; i++) {
		char key[40];
		snprintf(key, sizeof key, "thing/a/%024d", i);
		sim_put_in(s, SK_EFFECT, key, texts[i]);
	}
	sim_crash(s);
	sim_settle(s);
	assert_int_equal(sim_count(s, SK_EFFECT), 5);
	assert_non_null(strstr(s->log, "e skeeter: core: the durable effect thing/a/000000000000000000000004 cannot be replayed\n"));
	sim_free(&s);
}

static void a_store_that_cannot_be_scanned_at_the_start_says_so(void **state)
{
	struct sim *s = sim_new(1, 2);
	(void)state;
	s->store->fail_scans = 1;
	assert_int_equal(sk_effects_replay(s->rt), -1);
	sim_free(&s);
}

static void memory_out_anywhere_delays_an_effect_but_never_loses_it(void **state)
{
	(void)state;
	for (long n = 1; n < 60; n++) {
		struct sim *s = sim_new(1, 2);
		int a = sim_do(s, "a", "put made 1; emit Both b add n 1; say! t x");
		sk_arena_fail_after(n);
		sim_settle(s);
		sk_arena_fail_after(0);
		sim_advance(s, 2000);
		bool made = s->answer[a].error == 0;
		assert_int_equal(made, sim_record(s, "thing/a/made") != NULL);
		assert_int_equal(made, sim_record(s, "thing/b/n") != NULL);
		assert_int_equal(made, sim_record(s, "registry/n") != NULL);
		assert_int_equal(made, sim_was_sent(s, "publish t=x; "));
		assert_int_equal(sim_count(s, SK_EFFECT), 0);
		sim_free(&s);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_event_runs_every_row_of_its_name_once_and_its_record_goes),
		cmocka_unit_test(an_event_that_no_row_takes_is_done_at_once),
		cmocka_unit_test(an_event_without_a_usable_partition_is_logged_and_dropped),
		cmocka_unit_test(events_of_a_call_run_in_their_order),
		cmocka_unit_test(events_make_events),
		cmocka_unit_test(an_event_survives_a_crash_at_each_point),
		cmocka_unit_test(a_durable_publish_arrives_whatever_crashes),
		cmocka_unit_test(a_durable_publish_keeps_its_bytes_flags_and_depth),
		cmocka_unit_test(a_handler_that_says_503_is_tried_again_with_growing_pauses),
		cmocka_unit_test(only_the_row_that_said_503_is_tried_again),
		cmocka_unit_test(a_permanent_error_is_dropped_with_a_log_line),
		cmocka_unit_test(a_record_whose_removal_fails_is_removed_later),
		cmocka_unit_test(a_record_stays_until_the_broker_has_what_its_handlers_sent),
		cmocka_unit_test(an_effect_record_that_is_not_ours_stays_and_is_logged),
		cmocka_unit_test(a_store_that_cannot_be_scanned_at_the_start_says_so),
		cmocka_unit_test(memory_out_anywhere_delays_an_effect_but_never_loses_it),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
