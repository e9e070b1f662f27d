/* core_timers_test.c -- durable timers: once, on time, through crashes and stepped clocks. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "tests/unit/sim_host.h"

static void nothing_is_left(struct sim *s)
{
	assert_int_equal(sim_count(s, SK_TIMER), 0);
	for (size_t i = 0; i < s->store->table[SK_RECORD].count; i++)
		assert_null(strstr(s->store->table[SK_RECORD].at[i].key, "~timer"));
}

static void value_is(struct sim *s, const char *key, int v)
{
	char expected[32];
	snprintf(expected, sizeof expected, "{\"v\":%d}", v);
	assert_non_null(sim_record(s, key));
	assert_string_equal(sim_record(s, key), expected);
}

static void a_timer_fires_once_and_on_time(void **state)
{
	struct sim *s = sim_new(1, 2);
	(void)state;
	sim_do(s, "a", "timer t 5000 E add n 1,say fired x");
	sim_advance(s, 4800);
	assert_null(sim_record(s, "thing/a/n"));
	sim_advance(s, 400);
	value_is(s, "thing/a/n", 1);
	sim_advance(s, 200000);
	value_is(s, "thing/a/n", 1);
	assert_int_equal(sim_times_sent(s, "publish fired=x; "), 1);
	assert_int_equal(s->rt->count.timers_fired, 1);
	nothing_is_left(s);
	sim_free(&s);
}

static void a_timer_whose_replacement_is_not_stored_after_all_fires(void **state)
{
	struct sim *s = sim_new(1, 2);
	(void)state;
	sim_do(s, "a", "timer t 1000 E add n 1");
	sim_settle(s);
	s->store->held = true;
	sim_do(s, "a", "put busy 1");
	sim_settle(s);
	int replacing = sim_do(s, "a", "timer t 900000 E add n 10");
	sim_advance(s, 1200); /* it is fired, behind its replacement in one run */
	s->store->held = false;
	sim_store_step(s->store, 1);
	s->store->fail_commits = 2;
	sim_settle(s);
	assert_int_equal(s->answer[replacing].error, SK_E_UNAVAILABLE);
	value_is(s, "thing/a/n", 1);
	nothing_is_left(s);
	sim_free(&s);
}

static void a_timer_in_the_registry_partition_fires(void **state)
{
	struct sim *s = sim_new(1, 2);
	(void)state;
	sim_operation(s, "Register", "-", "timer t 1000 E add n 1");
	sim_advance(s, 2000);
	value_is(s, "registry/n", 1);
	nothing_is_left(s);
	sim_free(&s);
}

static void a_replaced_timer_fires_only_as_replaced(void **state)
{
	struct sim *s = sim_new(1, 2);
	(void)state;
	sim_do(s, "a", "timer t 1000 E add n 1");
	sim_do(s, "a", "timer t 3000 E add n 10");
	sim_settle(s);
	sim_do(s, "a", "timer t 2000 E add n 100");
	sim_settle(s);
	assert_int_equal(sim_count(s, SK_TIMER), 1);
	sim_advance(s, 10000);
	value_is(s, "thing/a/n", 100);
	assert_int_equal(s->rt->count.timers_fired, 1);
	nothing_is_left(s);
	sim_free(&s);
}

static void a_cleared_timer_does_not_fire(void **state)
{
	struct sim *s = sim_new(1, 2);
	(void)state;
	sim_do(s, "a", "timer t 1000 E add n 1; timer u 1000 E add n 10");
	sim_settle(s);
	sim_do(s, "a", "clear t; clear never");
	sim_do(s, "a", "timer w 500 E add n 100; clear w");
	sim_advance(s, 3000);
	value_is(s, "thing/a/n", 10);
	nothing_is_left(s);
	sim_free(&s);
}

static void a_timer_may_set_itself_again(void **state)
{
	struct sim *s = sim_new(1, 2);
	(void)state;
	sim_do(s, "a", "timer t 1000 E add n 1,timer t 1000 Both add n 10");
	sim_advance(s, 5000);
	value_is(s, "thing/a/n", 11);
	nothing_is_left(s);
	sim_free(&s);
}

static void a_timer_beyond_the_horizon_fires_on_time(void **state)
{
	struct sim *s = sim_new(1, 2);
	(void)state;
	for (int minutes = 1; minutes < 30; minutes += 4) {
		char script[100];
		snprintf(script, sizeof script, "timer t%d %d E now,put at%d 1", minutes, minutes * 60000 + 7, minutes);
		sim_do(s, "a", script);
	}
	int64_t start = s->wall_ms;
	sim_settle(s);
	for (int minutes = 1; minutes < 30; minutes += 4) {
		char key[32];
		snprintf(key, sizeof key, "thing/a/at%d", minutes);
		sim_advance(s, start + minutes * 60000 - s->wall_ms);
		assert_null(sim_record(s, key));
		sim_advance(s, 200);
		assert_non_null(sim_record(s, key));
	}
	nothing_is_left(s);
	sim_free(&s);
}

static void overdue_timers_fire_paced_after_a_start(void **state)
{
	struct sim *s = sim_new(1, 2);
	(void)state;
	for (int i = 0; i < 1000; i++) {
		char thing[16];
		snprintf(thing, sizeof thing, "d%d", i);
		sim_do(s, thing, "timer t 90000 E add n 1");
	}
	sim_settle(s);
	assert_int_equal(sim_count(s, SK_TIMER), 1000);
	s->wall_ms += 3600000; /* while it was off */
	sim_crash(s);
	sk_keeper_step(s->rt->keeper, s->mono_us);
	for (int i = 0; i < 2; i++)
		sk_worker_step(s->rt->worker[i], s->mono_us);
	sim_store_step(s->store, 10000);
	assert_int_equal(sim_count(s, SK_TIMER), 900);
	int64_t wanted = sk_keeper_step(s->rt->keeper, s->mono_us);
	assert_int_equal(wanted, s->mono_us + 10000);
	sim_advance(s, 2000);
	for (int i = 0; i < 1000; i++) {
		char key[32];
		snprintf(key, sizeof key, "thing/d%d/n", i);
		value_is(s, key, 1);
	}
	nothing_is_left(s);
	sim_free(&s);
}

static void a_timer_due_in_the_past_fires_at_once_also_after_a_crash(void **state)
{
	static const char *const due[] = { "0", "-5", "1" };
	(void)state;
	for (int i = 0; i < 6; i++) {
		struct sim *s = sim_new(1, 2);
		char script[100];
		snprintf(script, sizeof script, "at t %s E add n 1", due[i % 3]);
		if (i >= 3) {
			s->crash_at = "release.before";
			s->crash_after = 0;
		}
		sim_do(s, "a", script);
		sim_settle(s);
		sim_advance(s, 1200);
		value_is(s, "thing/a/n", 1);
		nothing_is_left(s);
		sim_free(&s);
	}
}

static void the_wall_clock_may_be_put_forward(void **state)
{
	struct sim *s = sim_new(1, 2);
	(void)state;
	sim_do(s, "a", "timer soon 30000 E add n 1; timer far 600000 E add n 10; timer further 900000 E add n 100");
	sim_advance(s, 1000);
	s->wall_ms += 700000;
	sim_advance(s, 1400);
	value_is(s, "thing/a/n", 11);
	sim_advance(s, 300000);
	value_is(s, "thing/a/n", 111);
	nothing_is_left(s);
	sim_free(&s);
}

static void the_wall_clock_may_be_put_back(void **state)
{
	struct sim *s = sim_new(1, 2);
	(void)state;
	sim_do(s, "a", "timer t 10000 E add n 1");
	sim_advance(s, 5000);
	s->wall_ms -= 3600000;
	sim_advance(s, 60000);
	assert_null(sim_record(s, "thing/a/n"));
	char script[100]; /* by the clock of now: the call's own time does not go back */
	snprintf(script, sizeof script, "at u %lld E add n 10", (long long)s->wall_ms + 5000);
	sim_do(s, "a", script);
	sim_advance(s, 5400);
	value_is(s, "thing/a/n", 10);
	s->wall_ms += 3600000;
	sim_advance(s, 1400);
	value_is(s, "thing/a/n", 11);
	nothing_is_left(s);
	sim_free(&s);
}

static void a_timer_survives_a_crash_at_every_point(void **state)
{
	static const char *const points[] = { "commit.before", "store.before", "store.durable", "commit.after", "release.before", "release.after", "broker.item" };
	(void)state;
	for (size_t p = 0; p < sizeof points / sizeof *points; p++)
		for (int after = 0; after < 4; after++) {
			struct sim *s = sim_new(p * 10 + (size_t)after, 2);
			int set = sim_do(s, "a", "timer t 3000 E add n 1,say fired x");
			sim_settle(s);
			assert_true(s->answer[set].done);
			s->crash_at = points[p];
			s->crash_after = after;
			sim_advance(s, 120000);
			value_is(s, "thing/a/n", 1);
			assert_true(sim_times_sent(s, "fired") <= 1);
			nothing_is_left(s);
			sim_free(&s);
		}
}

static void a_timer_whose_commit_fails_is_tried_again(void **state)
{
	struct sim *s = sim_new(1, 2);
	(void)state;
	sim_do(s, "a", "timer t 1000 E add n 1");
	sim_settle(s);
	s->store->fail_commits = 3;
	sim_advance(s, 1200);
	assert_null(sim_record(s, "thing/a/n"));
	sim_advance(s, 10000);
	value_is(s, "thing/a/n", 1);
	nothing_is_left(s);
	sim_free(&s);
}

static void a_timer_that_is_tried_again_is_not_lost_when_the_clock_jumps(void **state)
{
	struct sim *s = sim_new(1, 2);
	(void)state;
	sim_do(s, "a", "timer t 1000 E add n 1");
	sim_settle(s);
	s->store->fail_commits = 1;
	s->mono_us += 1000000;
	s->wall_ms += 7200000;
	sim_settle(s);
	sim_advance(s, 5000);
	value_is(s, "thing/a/n", 1);
	nothing_is_left(s);
	sim_free(&s);
}

static void a_timer_that_is_refused_for_good_is_consumed_with_a_log_line(void **state)
{
	struct sim *s = sim_new(1, 2);
	(void)state;
	sim_do(s, "a", "timer t 1000 E put n 1,say t x,fail ConflictException never");
	sim_advance(s, 2000);
	assert_non_null(strstr(s->log, "w skeeter: core: timer t of thing/a was refused for good: never\n"));
	assert_null(sim_record(s, "thing/a/n"));
	assert_string_equal(sim_sent(s), "");
	nothing_is_left(s);
	sim_crash(s);
	unsigned handled = s->handled;
	sim_advance(s, 2000);
	assert_int_equal(s->handled, handled);
	sim_free(&s);
}

static void a_timer_whose_handler_is_broken_is_tried_less_and_less_often(void **state)
{
	struct sim *s = sim_new(1, 2);
	(void)state;
	sim_do(s, "a", "timer t 1000 E put @thing/b/x 1");
	sim_advance(s, 600000);
	assert_in_range(s->handled, 10, 40); /* twice each */
	assert_int_equal(sim_count(s, SK_TIMER), 1);
	sim_free(&s);
}

static void a_timer_whose_plugin_is_not_there_waits_for_it(void **state)
{
	struct sim *s = sim_new(1, 2);
	(void)state;
	sim_do(s, "a", "timer t 1000 Nobody x");
	sim_advance(s, 5000);
	assert_int_equal(sim_count(s, SK_TIMER), 1);
	sim_free(&s);
}

static void a_store_that_cannot_be_scanned_delays_but_loses_no_timer(void **state)
{
	struct sim *s = sim_new(1, 2);
	(void)state;
	sim_do(s, "a", "timer t 90000 E add n 1");
	sim_settle(s);
	sim_crash(s);
	s->store->fail_scans = 3;
	sim_advance(s, 90400);
	value_is(s, "thing/a/n", 1);
	sim_free(&s);
}

static void a_timers_name_that_is_too_long_fails_the_call(void **state)
{
	struct sim *s = sim_new(1, 2);
	char script[1200], name[1100];
	(void)state;
	for (int n = 980; n < 1020; n += 2) {
		memset(name, 'x', sizeof name);
		name[n] = '\0';
		snprintf(script, sizeof script, "timer %s 1000 E add n 1", name);
		int a = sim_do(s, "a", script);
		sim_settle(s);
		assert_true(s->answer[a].error == 0 || s->answer[a].error == SK_E_INTERNAL);
	}
	sim_advance(s, 2000);
	nothing_is_left(s);
	sim_free(&s);
}

static void a_keeper_with_nothing_to_do_still_looks_at_the_clock_every_second(void **state)
{
	struct sim *s = sim_new(1, 2);
	(void)state;
	for (int i = 0; i < 20; i++) {
		s->mono_us += 100000;
		int64_t next = sk_keeper_step(s->rt->keeper, s->mono_us);
		assert_in_range(next, s->mono_us + 1, s->mono_us + 1000000);
	}
	sim_free(&s);
}

static int seconds;

static void each_second(void *arg)
{
	(void)arg;
	seconds++;
}

static void counters_are_published_and_the_second_hand_turns(void **state)
{
	struct sim *s = sim_new(1, 2);
	(void)state;
	seconds = 0;
	sk_keeper_each_second(s->rt->keeper, each_second);
	sk_keeper_publish_counters(s->rt->keeper, 2000000);
	sim_do(s, "a", "get x");
	sim_advance(s, 9900);
	assert_in_range(seconds, 9, 11);
	assert_in_range(sim_times_sent(s, "retain $SYS/skeeter/calls="), 4, 6);
	assert_true(sim_was_sent(s, "retain $SYS/skeeter/calls=1; "));
	sim_free(&s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_timer_fires_once_and_on_time),
		cmocka_unit_test(a_timer_whose_replacement_is_not_stored_after_all_fires),
		cmocka_unit_test(a_timer_in_the_registry_partition_fires),
		cmocka_unit_test(a_replaced_timer_fires_only_as_replaced),
		cmocka_unit_test(a_cleared_timer_does_not_fire),
		cmocka_unit_test(a_timer_may_set_itself_again),
		cmocka_unit_test(a_timer_beyond_the_horizon_fires_on_time),
		cmocka_unit_test(overdue_timers_fire_paced_after_a_start),
		cmocka_unit_test(a_timer_due_in_the_past_fires_at_once_also_after_a_crash),
		cmocka_unit_test(the_wall_clock_may_be_put_forward),
		cmocka_unit_test(the_wall_clock_may_be_put_back),
		cmocka_unit_test(a_timer_survives_a_crash_at_every_point),
		cmocka_unit_test(a_timer_whose_commit_fails_is_tried_again),
		cmocka_unit_test(a_timer_that_is_tried_again_is_not_lost_when_the_clock_jumps),
		cmocka_unit_test(a_timer_that_is_refused_for_good_is_consumed_with_a_log_line),
		cmocka_unit_test(a_timer_whose_handler_is_broken_is_tried_less_and_less_often),
		cmocka_unit_test(a_timer_whose_plugin_is_not_there_waits_for_it),
		cmocka_unit_test(a_store_that_cannot_be_scanned_delays_but_loses_no_timer),
		cmocka_unit_test(a_timers_name_that_is_too_long_fails_the_call),
		cmocka_unit_test(a_keeper_with_nothing_to_do_still_looks_at_the_clock_every_second),
		cmocka_unit_test(counters_are_published_and_the_second_hand_turns),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
