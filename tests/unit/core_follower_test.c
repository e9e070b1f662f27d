/* core_follower_test.c -- brokers that share a store: what one writes the others hear, what one leaves another does. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "core/applied.h"
#include "core/follower_internal.h"
#include "tests/unit/sim_host.h"

enum { MOST = 3 };
static struct sim *world[MOST];
static int worlds;

static void open_worlds(int n)
{
	for (worlds = 0; worlds < n; worlds++)
		world[worlds] = sim_new_beside(worlds ? world[0] : NULL, 11 + (uint64_t)worlds, 2);
}

static void close_worlds(void)
{
	while (worlds)
		sim_free(&world[--worlds]);
}

/* Both clocks of all, in steps in which everybody comes to rest. One that was stopped stays so. */
static void pass(int64_t ms)
{
	for (; ms > 0; ms -= 50)
		for (int i = 0; i < worlds; i++) {
			world[i]->mono_us += 50000;
			world[i]->wall_ms += 50;
			if (world[i]->rt)
				sim_settle(world[i]);
		}
}

static void write_at(int i, const char *script)
{
	int a = sim_operation(world[i], "Register", "-", script);
	sim_settle(world[i]);
	assert_true(world[i]->answer[a].done);
	assert_int_equal(world[i]->answer[a].error, 0);
}

#define assert_index(i, name, value) assert_string_equal(sim_index(world[i], name) ? sim_index(world[i], name) : "none", value)

static uint64_t counted(int i, const char *name)
{
#define SK_COUNTER(counter, prose) \
	if (!strcmp(name, #counter)) \
		return world[i]->rt->count.counter;
#include "core/counters.tbl"
#undef SK_COUNTER
	return UINT64_MAX;
}

/* -- changes -- */

static void what_one_writes_the_other_is_told(void **state)
{
	(void)state;
	open_worlds(2);
	write_at(0, "put w/a 1");
	assert_index(0, "a", "{\"v\":1}"); /* before its reply */
	assert_null(sim_index(world[1], "a"));
	pass(300);
	assert_index(1, "a", "{\"v\":1}");
	write_at(1, "put w/a 2");
	write_at(1, "del w/b; put w/c 3");
	pass(300);
	assert_index(0, "a", "{\"v\":2}");
	assert_index(0, "c", "{\"v\":3}");
	write_at(0, "del w/a");
	pass(300);
	assert_null(sim_index(world[1], "a"));
	assert_int_equal(counted(0, "resets"), 0);
	close_worlds();
}

static void what_a_watch_does_not_look_at_is_not_read(void **state)
{
	(void)state;
	open_worlds(2);
	sim_do(world[0], "a", "put x 1");
	write_at(0, "put other/a 1");
	unsigned reads = world[1]->store->reads;
	pass(600);
	assert_int_equal(world[1]->store->reads, reads);
	close_worlds();
}

static void many_changes_come_as_fast_as_the_broker_takes_them(void **state)
{
	char key[64];
	(void)state;
	open_worlds(2);
	for (int i = 0; i < 3000; i++) {
		snprintf(key, sizeof key, "registry/w/k%d", i);
		sim_put(world[0], key, "{\"v\":7}");
	}
	world[1]->hold_broker = true;
	pass(1000);
	assert_in_range(world[1]->rt->outbox.depth_now, 1, 2500);
	world[1]->hold_broker = false;
	pass(3000);
	assert_index(1, "k0", "{\"v\":7}");
	assert_index(1, "k2999", "{\"v\":7}");
	close_worlds();
}

static void a_store_that_does_not_answer_is_waited_for(void **state)
{
	(void)state;
	open_worlds(2);
	pass(300);
	assert_int_equal(sk_follower_lost_ms(world[1]->rt->follower), 0);
	world[1]->store->silent = true;
	write_at(0, "put w/a 1");
	pass(5000);
	assert_in_range(sk_follower_lost_ms(world[1]->rt->follower), 4500, 5600);
	assert_null(sim_index(world[1], "a"));
	world[1]->store->silent = false;
	pass(300);
	assert_int_equal(sk_follower_lost_ms(world[1]->rt->follower), 0);
	assert_index(1, "a", "{\"v\":1}");
	assert_int_equal(counted(1, "resets"), 0);
	close_worlds();
}

static void a_read_that_fails_loses_no_change(void **state)
{
	(void)state;
	open_worlds(2);
	write_at(0, "put w/a 1");
	world[1]->store->fail_reads = 3;
	pass(2000);
	assert_index(1, "a", "{\"v\":1}");
	close_worlds();
}

/* -- versions -- */

static void an_older_version_is_never_told_after_a_newer_one(void **state)
{
	struct sk_applied a = { 0 };
	struct sk_mark_key k = sk_mark_key(NULL, "registry/w/", "a"), other = sk_mark_key(NULL, "registry/w/", "b");
	(void)state;
	assert_int_equal(sk_applied_init(&a), 0);
	assert_int_equal(sk_applied_judge(&a, k, 5, a.number), SK_APPLY);
	assert_int_equal(sk_applied_judge(&a, k, 4, a.number), SK_APPLY_OLDER);
	assert_int_equal(sk_applied_judge(&a, k, 5, a.number), SK_APPLY);
	assert_int_equal(sk_applied_judge(&a, k, 6, a.number), SK_APPLY);
	assert_int_equal(sk_applied_judge(&a, other, 2, a.number), SK_APPLY);
	sk_applied_free(&a);
}

/* Whatever is forgotten: an item that is older than what is remembered is never simply told. */
static void what_has_been_forgotten_is_asked_for_again(void **state)
{
	struct sk_applied a = { 0 };
	struct sk_mark_key k = sk_mark_key(NULL, "registry/w/", "a");
	char name[32];
	(void)state;
	assert_int_equal(sk_applied_init(&a), 0);
	uint64_t made = a.number;
	assert_int_equal(sk_applied_judge(&a, k, 9, made), SK_APPLY);
	int i = 0;
	for (; a.first <= made && i < 4 * SK_APPLIED_ROOM; i++) {
		assert_int_equal(sk_applied_judge(&a, k, 8, made), SK_APPLY_OLDER);
		snprintf(name, sizeof name, "n%d", i);
		assert_int_equal(sk_applied_judge(&a, sk_mark_key(NULL, name, ""), 10, a.number), SK_APPLY);
	}
	assert_in_range(i, SK_APPLIED_ROOM / 2, 2 * SK_APPLIED_ROOM);
	assert_int_equal(sk_applied_judge(&a, k, 8, made), SK_APPLY_UNKNOWN);
	assert_int_equal(sk_applied_judge(&a, k, 9, a.number), SK_APPLY);
	made = a.number;
	sk_applied_clear(&a);
	assert_int_equal(sk_applied_judge(&a, k, 9, made), SK_APPLY_UNKNOWN);
	assert_int_equal(sk_applied_judge(&a, k, 3, a.number), SK_APPLY); /* a store may have gone back */
	sk_applied_free(&a);
}

static void an_item_that_nobody_can_judge_is_read_anew(void **state)
{
	(void)state;
	open_worlds(2);
	world[1]->hold_broker = true;
	write_at(0, "put w/a 1");
	pass(300);
	assert_true(world[1]->rt->outbox.depth_now > 0);
	sim_put(world[0], "registry/w/a", "{\"v\":2}");
	sk_applied_clear(&world[1]->rt->follower->applied);
	world[1]->hold_broker = false;
	sim_settle(world[1]);
	pass(100);
	assert_index(1, "a", "{\"v\":2}");
	assert_null(strstr(world[1]->index, "a={\"v\":1}"));
	close_worlds();
}

/* -- gaps -- */

static void after_a_gap_all_is_told_and_what_is_gone_is_forgotten(void **state)
{
	(void)state;
	open_worlds(2);
	write_at(0, "put w/a 1; put w/b 1");
	pass(300);
	world[1]->store->silent = true;
	write_at(0, "del w/a; put w/c 3");
	sim_store_cut(world[0]->store);
	pass(1000);
	assert_index(1, "a", "{\"v\":1}");
	world[1]->store->silent = false;
	pass(600);
	assert_null(sim_index(world[1], "a"));
	assert_index(1, "b", "{\"v\":1}");
	assert_index(1, "c", "{\"v\":3}");
	assert_int_equal(counted(1, "resets"), 1);
	assert_non_null(strstr(world[1]->log, "read anew"));
	close_worlds();
}

static void a_store_that_was_emptied_is_believed_and_filled_again(void **state)
{
	(void)state;
	open_worlds(2);
	write_at(0, "put w/a 1");
	pass(300);
	sim_store_empty(world[0]->store);
	pass(600);
	assert_null(sim_index(world[0], "a"));
	assert_null(sim_index(world[1], "a"));
	write_at(1, "put w/a 5");
	pass(300);
	assert_index(0, "a", "{\"v\":5}");
	close_worlds();
}

/* It goes on page by page while others write, in a store that now and then does not answer. */
static void a_gap_in_a_large_store_is_closed_while_others_write(void **state)
{
	char key[64];
	(void)state;
	open_worlds(2);
	for (int i = 0; i < 5200; i++) {
		snprintf(key, sizeof key, "registry/w/k%04d", i);
		sim_put(world[0], key, "{\"v\":1}");
	}
	sim_store_cut(world[0]->store);
	pass(250);
	world[1]->store->fail_scans = 2;
	write_at(0, "put w/k0003 2; del w/k5000; put w/z 9");
	pass(3000);
	assert_index(1, "k0000", "{\"v\":1}");
	assert_index(1, "k0003", "{\"v\":2}");
	assert_index(1, "k5199", "{\"v\":1}");
	assert_index(1, "z", "{\"v\":9}");
	assert_null(sim_index(world[1], "k5000"));
	assert_null(world[1]->aside);
	close_worlds();
}

static void a_gap_within_a_gap_begins_anew(void **state)
{
	char key[64];
	(void)state;
	open_worlds(2);
	for (int i = 0; i < 3000; i++) {
		snprintf(key, sizeof key, "registry/w/k%04d", i);
		sim_put(world[0], key, "{\"v\":1}");
	}
	sim_store_cut(world[0]->store);
	world[1]->hold_broker = true;
	pass(500);
	sim_store_empty(world[0]->store);
	write_at(0, "put w/z 9");
	pass(500);
	world[1]->hold_broker = false;
	pass(2000);
	assert_null(sim_index(world[1], "k0000"));
	assert_index(1, "z", "{\"v\":9}");
	assert_null(world[1]->aside);
	close_worlds();
}

/* -- effects -- */

static void effects_of_a_broker_that_is_gone_are_taken_over_by_one(void **state)
{
	(void)state;
	open_worlds(3);
	pass(2000);
	world[1]->hold_broker = true; /* what it sends is never handed over, so its effect is never done */
	sim_do(world[1], "a", "emit E b add n 1,say t x");
	sim_settle(world[1]);
	assert_int_equal(sim_count(world[0], SK_EFFECT), 1);
	pass(14000);
	assert_int_equal(sim_count(world[0], SK_EFFECT), 1); /* it lives: nobody meddles */
	assert_int_equal(counted(0, "effects_taken_over") + counted(2, "effects_taken_over"), 0);
	world[1]->crashed = true; /* as kill -9 */
	sim_stop(world[1]);
	pass(22000);
	assert_int_equal(sim_count(world[0], SK_EFFECT), 0);
	assert_int_equal(counted(0, "effects_taken_over") + counted(2, "effects_taken_over"), 1);
	assert_int_equal(sim_times_sent(world[0], "publish t=x;") + sim_times_sent(world[2], "publish t=x;"), 1);
	close_worlds();
}

static void an_effect_whose_commit_seemed_to_fail_is_done(void **state)
{
	(void)state;
	open_worlds(2);
	pass(2000);
	world[0]->store->lose_answers = 1;
	int a = sim_do(world[0], "a", "emit E b say t x");
	sim_settle(world[0]);
	assert_int_not_equal(world[0]->answer[a].error, 0);
	assert_int_equal(sim_count(world[0], SK_EFFECT), 1);
	pass(8000);
	assert_int_equal(sim_count(world[0], SK_EFFECT), 0);
	assert_int_equal(sim_times_sent(world[0], "publish t=x;"), 1);
	assert_int_equal(sim_times_sent(world[1], "publish t=x;"), 0);
	close_worlds();
}

static void effects_of_a_store_that_was_one_brokers_own_are_done(void **state)
{
	(void)state;
	open_worlds(2);
	sim_put_in(world[0], SK_EFFECT, "thing/a/0123456789abcdef01234567", "{\"event\":\"E\",\"depth\":1,\"input\":{\"thingName\":\"b\",\"script\":\"say t x\"}}");
	pass(12000);
	assert_int_equal(sim_count(world[0], SK_EFFECT), 0);
	assert_int_equal(sim_times_sent(world[0], "publish t=x;") + sim_times_sent(world[1], "publish t=x;"), 1);
	close_worlds();
}

/* -- timers -- */

static void timers_fire_once_among_three(void **state)
{
	char thing[16], script[64];
	(void)state;
	open_worlds(3);
	pass(2500);
	for (int i = 0; i < 1000; i++) {
		snprintf(thing, sizeof thing, "t%d", i);
		snprintf(script, sizeof script, "timer t %d E add fired 1", i % 4 ? 2000 + i * 10 : 90000 + i * 10);
		sim_do(world[i % 3], thing, script);
		if (i % 20 == 19)
			pass(50);
	}
	pass(4000);
	world[2]->crashed = true;
	sim_stop(world[2]);
	pass(130000);
	assert_int_equal(sim_count(world[0], SK_TIMER), 0);
	for (int i = 0; i < 1000; i++) {
		char key[64];
		snprintf(key, sizeof key, "thing/t%d/fired", i);
		assert_string_equal(sim_record(world[0], key), "{\"v\":1}");
	}
	/* spread, not fought for: those of the one that was stopped are late, few others are tried twice */
	assert_in_range(counted(0, "timers_elsewhere") + counted(1, "timers_elsewhere"), 0, 100);
	assert_true(counted(0, "timers_late") + counted(1, "timers_late") > 50);
	close_worlds();
}

static void a_timer_whose_commit_seemed_to_fail_fires(void **state)
{
	(void)state;
	open_worlds(2);
	pass(2000);
	world[0]->store->lose_answers = 1;
	sim_do(world[0], "a", "timer t 1000 E add n 1");
	pass(12000);
	assert_string_equal(sim_record(world[0], "thing/a/n"), "{\"v\":1}");
	assert_int_equal(sim_count(world[0], SK_TIMER), 0);
	close_worlds();
}

/* -- reads -- */

static void what_one_accepted_the_other_shows(void **state)
{
	char script[64];
	(void)state;
	open_worlds(2);
	for (int i = 1; i <= 50; i++) {
		snprintf(script, sizeof script, "put x %d", i);
		sim_do(world[i % 2], "a", script);
		sim_settle(world[i % 2]);
		for (int k = 0; k < 2; k++) {
			int a = sim_operation(world[k], "Look", "a", "get @thing/a/x");
			int b = sim_do(world[k], "a", "get x");
			sim_settle(world[k]);
			snprintf(script, sizeof script, "{\"saw\":[\"%d\"]}", i);
			assert_string_equal(world[k]->answer[a].text, script);
			assert_string_equal(world[k]->answer[b].text, script);
		}
	}
	close_worlds();
}

/* A commit of several calls that failed is tried again call by call, but not if it may have happened. */
static void calls_whose_commit_may_have_happened_are_not_done_again(void **state)
{
	int a[3];
	(void)state;
	open_worlds(1);
	world[0]->store->lose_answers = 1;
	for (int i = 0; i < 3; i++)
		a[i] = sim_do(world[0], "a", "add x 1");
	pass(500);
	assert_string_equal(sim_record(world[0], "thing/a/x"), "{\"v\":3}");
	for (int i = 0; i < 3; i++)
		assert_int_not_equal(world[0]->answer[a[i]].error, 0);
	close_worlds();
}

static void two_that_write_one_thing_lose_nothing(void **state)
{
	(void)state;
	open_worlds(2);
	for (int i = 0; i < 200; i++) {
		sim_do(world[0], "a", "add x 1");
		sim_do(world[1], "a", "add x 1");
		for (int k = 0; k < 20; k++)
			sim_step_any(world[sim_random(world[0], 2)]);
	}
	for (int k = 0; k < 5; k++)
		pass(50);
	int accepted = 0;
	for (int w = 0; w < 2; w++)
		for (int i = 0; i < world[w]->answers; i++)
			accepted += world[w]->answer[i].done && !world[w]->answer[i].error;
	char text[32];
	snprintf(text, sizeof text, "{\"v\":%d}", accepted);
	assert_string_equal(sim_record(world[0], "thing/a/x"), text);
	assert_true(accepted > 300);
	close_worlds();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_one_writes_the_other_is_told),
		cmocka_unit_test(what_a_watch_does_not_look_at_is_not_read),
		cmocka_unit_test(many_changes_come_as_fast_as_the_broker_takes_them),
		cmocka_unit_test(a_store_that_does_not_answer_is_waited_for),
		cmocka_unit_test(a_read_that_fails_loses_no_change),
		cmocka_unit_test(an_older_version_is_never_told_after_a_newer_one),
		cmocka_unit_test(what_has_been_forgotten_is_asked_for_again),
		cmocka_unit_test(an_item_that_nobody_can_judge_is_read_anew),
		cmocka_unit_test(after_a_gap_all_is_told_and_what_is_gone_is_forgotten),
		cmocka_unit_test(a_store_that_was_emptied_is_believed_and_filled_again),
		cmocka_unit_test(a_gap_in_a_large_store_is_closed_while_others_write),
		cmocka_unit_test(a_gap_within_a_gap_begins_anew),
		cmocka_unit_test(effects_of_a_broker_that_is_gone_are_taken_over_by_one),
		cmocka_unit_test(an_effect_whose_commit_seemed_to_fail_is_done),
		cmocka_unit_test(effects_of_a_store_that_was_one_brokers_own_are_done),
		cmocka_unit_test(timers_fire_once_among_three),
		cmocka_unit_test(a_timer_whose_commit_seemed_to_fail_fires),
		cmocka_unit_test(what_one_accepted_the_other_shows),
		cmocka_unit_test(calls_whose_commit_may_have_happened_are_not_done_again),
		cmocka_unit_test(two_that_write_one_thing_lose_nothing),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
