/* memory_test.c -- the runtime and its store when memory runs out: at each allocation of a call's life in turn, once alone and once
 * with all that follow. Every call gets its answer or a clear error, nothing is stored in half, nothing leaks, and when memory is
 * back all works. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/sim/memory.h"
#include "tests/unit/sim_host.h"

enum { OUT_STEPS = 120, MOST = 4000, RECORDS = 300 };

int64_t sim_mono_us(void);
int64_t sim_mono_us(void)
{
	return 0;
}

/* -- a world in which memory is out for a while -- */

struct life {
	const char *script;      /* of a call of thing/a, twice: both in one batch */
	const char *made[5];     /* records that are there when it was accepted, and only then */
	const char *heard;       /* a message that was sent then, once for each call, and only then */
	void (*ask)(struct sim *s); /* NULL: the script is asked */
	void (*check)(struct sim *s, bool again, bool lasting);
	void (*before)(struct sim *s);
};
static bool on_file;

/* SCARCE_STEP=n tries every n-th point only, for slow tools. */
static long step_by(void)
{
	const char *text = getenv("SCARCE_STEP");
	return text && atol(text) > 0 ? atol(text) : 1;
}

static void steps(struct sim *s, int n)
{
	while (n-- > 0)
		if (!sim_step_woken(s)) {
			s->mono_us += 5000;
			s->wall_ms += 5;
		}
}

static void settled(struct sim *s)
{
	const char *left = sim_pass(s, 4000);
	if (left)
		fail_msg("%s", left);
}

static void check_answers(struct sim *s)
{
	for (int i = 0; i < s->answers; i++) {
		assert_int_equal(s->answer[i].count, 1);
		assert_int_equal(s->answer[i].ended, 1);
		if (s->answer[i].error)
			assert_int_equal(s->answer[i].error, SK_E_UNAVAILABLE);
	}
}

static void check_quiet(struct sim *s)
{
	assert_int_equal(sim_count(s, SK_EFFECT), 0);
	assert_int_equal(sim_count(s, SK_TIMER), 0);
	for (int w = 0; w < s->workers; w++) {
		assert_int_equal(s->rt->worker[w]->inbox.calls, 0);
		assert_int_equal(s->rt->worker[w]->inbox.bytes[SK_LANE_DEVICE], 0);
		assert_null(s->rt->worker[w]->untold);
	}
}

static int value(struct sim *s, const char *key)
{
	const char *text = sim_record(s, key);
	return text ? atoi(text + 5) : 0;
}

static void check_made(struct sim *s, const struct life *l)
{
	int accepted = 0;
	for (int i = 0; i < s->answers; i++)
		accepted += !s->answer[i].error;
	for (int i = 0; l->made[i]; i++)
		assert_int_equal(value(s, l->made[i]), accepted);
	if (l->heard)
		assert_int_equal(sim_times_sent(s, l->heard), accepted);
}

static void ask(struct sim *s, const struct life *l)
{
	if (l->ask) {
		l->ask(s);
		return;
	}
	for (int i = 0; i < 2; i++)
		assert_true(sim_do(s, "a", l->script) >= 0);
}

static void check(struct sim *s, const struct life *l, bool again, bool lasting)
{
	check_answers(s);
	check_quiet(s);
	if (l->check)
		l->check(s, again, lasting);
	else
		check_made(s, l);
	if (again && s->answers)
		assert_string_equal(s->answer[s->answers - 1].message, "");
}

/* false: the n-th allocation was never asked for. */
static bool live(const struct life *l, long n, bool lasting)
{
	long blocks = sim_memory_live(), failed = sim_memory_failed();
	int64_t used = sqlite3_memory_used();
	struct sim *s = on_file ? sim_new_on_file(7, 2) : sim_new(7, 2);
	if (l->before)
		l->before(s);
	ask(s, l);
	sim_memory_fail(n, lasting ? 1000000 : 0);
	sim_memory_world(false);
	steps(s, OUT_STEPS);
	sim_memory_world(true);
	sim_memory_fail(0, 0);
	settled(s);
	check(s, l, false, lasting);
	ask(s, l);
	settled(s);
	check(s, l, true, lasting);
	sim_free(&s);
	assert_int_equal(sim_memory_live(), blocks);
	assert_true(!on_file || sqlite3_memory_used() <= used);
	return sim_memory_failed() != failed;
}

static void at_each_point(const struct life *l)
{
	for (int files = 0; files < 2; files++)
		for (int lasting = 0; lasting < 2; lasting++) {
			long n = 1;
			on_file = files;
			while (live(l, n, lasting))
				n += step_by();
			assert_in_range(n, 5, MOST);
		}
}

/* -- the lives -- */

static void a_put_is_stored_whole_and_said_or_refused(void **state)
{
	(void)state;
	at_each_point(&(struct life){ .script = "add x 1; add y 1; say t x", .made = { "thing/a/x", "thing/a/y" }, .heard = "publish t=x; " });
}

static void records_to_scan(struct sim *s)
{
	sim_do(s, "a", "put p/a 1; put p/b 1; put p/c 1");
	sim_do(s, "b", "put p/a 1; put p/b 1");
	settled(s);
	while (s->answers) {
		struct sim_answer *a = &s->answer[--s->answers];
		free(a->message);
		free(a->text);
		*a = (struct sim_answer){ 0 };
	}
}

static void a_scan_shows_all_or_fails(void **state)
{
	(void)state;
	at_each_point(&(struct life){ .script = "scan 2 p/; scan 10 @thing/b/p/; add x 1", .made = { "thing/a/x" }, .before = records_to_scan });
}

static void slow_work_is_answered_or_refused(void **state)
{
	(void)state;
	at_each_point(&(struct life){ .script = "await one; await two; add x 1", .made = { "thing/a/x" } });
}

static void an_event_and_a_durable_publish_happen_when_their_call_was_accepted(void **state)
{
	(void)state;
	at_each_point(&(struct life){ .script = "add x 1; emit Both b add n 1; say! t x", .made = { "thing/a/x", "thing/b/n", "registry/n" }, .heard = "publish t=x; " });
}

static void an_event_that_nobody_takes_leaves_nothing(void **state)
{
	(void)state;
	at_each_point(&(struct life){ .script = "add x 1; emit Nobody b add n 1", .made = { "thing/a/x" } });
}

static void check_timers(struct sim *s, bool again, bool lasting)
{
	(void)again, (void)lasting;
	int accepted = 0;
	for (int i = 0; i < s->answers; i++)
		accepted += !s->answer[i].error;
	assert_int_equal(value(s, "thing/a/x"), accepted);
	assert_int_equal(value(s, "thing/a/fired") > 0, accepted > 0); /* the second call replaces the first one's */
	assert_true(value(s, "thing/a/fired") <= accepted);
}

static void a_timer_fires_once_when_its_call_was_accepted(void **state)
{
	(void)state;
	at_each_point(&(struct life){ .script = "add x 1; timer t 40 E add fired 1", .check = check_timers });
}

/* -- messages, refusals, envelopes -- */

static int messages;

static void send_message(struct sim *s)
{
	assert_int_equal(sim_message(s, "sim/a/do", "add x 1; say t x"), 0);
	messages++;
}

/* One that lasts takes the words, too. */
static void check_messages(struct sim *s, bool again, bool lasting)
{
	int said = sim_times_sent(s, "publish t=x; "), refused = sim_times_sent(s, "publish sim/a/refused=ServiceUnavailableException; ");
	assert_int_equal(value(s, "thing/a/x"), said);
	assert_true(said + refused <= messages && said + refused >= messages - lasting);
	if (again)
		assert_true(said >= 1);
	messages = again ? 0 : messages;
}

static void a_message_is_answered_once(void **state)
{
	(void)state;
	at_each_point(&(struct life){ .ask = send_message, .check = check_messages });
}

static void send_too_much(struct sim *s)
{
	s->rt->inbox_limit = 20000;
	for (size_t i = 0; i < 3; i++)
		s->rt->worker[i % 2]->inbox.bytes[SK_LANE_DEVICE] = 20000;
	assert_int_equal(sim_message(s, "sim/a/do", "add x 1"), -1);
	for (size_t i = 0; i < 2; i++)
		s->rt->worker[i]->inbox.bytes[SK_LANE_DEVICE] = 0;
	messages++;
}

static void check_refused(struct sim *s, bool again, bool lasting)
{
	int refused = sim_times_sent(s, "publish sim/a/refused=");
	assert_int_equal(value(s, "thing/a/x"), 0);
	assert_true(refused <= messages && refused >= messages - lasting);
	messages = again ? 0 : messages;
}

static void a_refused_message_hears_that_it_was(void **state)
{
	(void)state;
	at_each_point(&(struct life){ .ask = send_too_much, .check = check_refused });
}

static void send_envelope(struct sim *s)
{
	static const char text[] = "{\"commands\":[{\"command\":\"Register\",\"script\":\"add x 1; put w/k 1\"},{\"command\":\"Index\"},"
		"{\"command\":\"Register\",\"script\":\"add y 1; scan 5 w/\"}]}";
	assert_int_equal(sim_control(s, text, sizeof text - 1), 0);
	messages++;
}

static void check_envelopes(struct sim *s, bool again, bool lasting)
{
	int replies = sim_times_sent(s, "reply $CONTROL/skeeter/v1/response={\"responses\":[{");
	assert_true(replies <= messages && replies >= messages - lasting);
	assert_true(value(s, "registry/y") <= messages && value(s, "registry/x") <= messages);
	if (again)
		assert_true(value(s, "registry/y") >= 1);
	messages = again ? 0 : messages;
}

static void an_envelope_is_answered_once(void **state)
{
	(void)state;
	at_each_point(&(struct life){ .ask = send_envelope, .check = check_envelopes });
}

/* -- the committer alone: folding, checkpoints -- */

static int folds, checkpoints;

static void count_points(void *ctx, const char *point, bool crash)
{
	(void)ctx, (void)crash;
	folds += !strcmp(point, "fold.durable");
	checkpoints += !strcmp(point, "checkpoint.done");
}

static void many_records(struct sim *s)
{
	s->passed = count_points;
	for (int i = 0; i < RECORDS; i++) {
		char script[60];
		snprintf(script, sizeof script, "put r%d 1; add x 1", i);
		sim_do(s, "a", script);
		sim_rest(s);
	}
	folds = checkpoints = 0;
	s->mono_us += 100000; /* idle from here on */
	sim_wake(s, s->workers + SIM_COMMITTER);
}

static void nothing(struct sim *s)
{
	(void)s;
}

static void check_records(struct sim *s, bool again, bool lasting)
{
	(void)again, (void)lasting;
	assert_int_equal(value(s, "thing/a/x"), RECORDS);
	assert_true(folds > 0 && checkpoints > 0);
	for (int i = 0; i < RECORDS; i += 7) {
		char key[40];
		snprintf(key, sizeof key, "thing/a/r%d", i);
		assert_int_equal(value(s, key), 1);
	}
}

static void folds_and_checkpoints_lose_nothing(void **state)
{
	struct life l = { .ask = nothing, .before = many_records, .check = check_records };
	(void)state;
	on_file = true;
	for (int lasting = 0; lasting < 2; lasting++) {
		long n = 1;
		while (live(&l, n, lasting))
			n += step_by() + n / 50;
		assert_in_range(n, 5, MOST);
	}
}

/* -- starting and stopping -- */

/* true: it started. */
static bool start(struct sim *s, long n, bool lasting)
{
	char why[300];
	sim_stop(s);
	if (on_file)
		sim_file_close(s->store);
	s->on_file = false;
	sim_memory_fail(n, lasting ? 1000000 : 0);
	sim_memory_world(false);
	if (on_file)
		s->store->file = sk_store_open_embedded(&(struct sk_store_options){ .path = s->store->path }, why, sizeof why);
	s->rt = !on_file || s->store->file ? sk_runtime_new(&s->host, on_file ? s->store->file : &s->store->store, 2) : NULL;
	bool started = s->rt && !sk_runtime_load(s->rt, &sim_plugin, s, why, sizeof why) && !sk_runtime_load(s->rt, &sim_other_plugin, s, why, sizeof why);
	sim_memory_world(true);
	sim_memory_fail(0, 0);
	sk_runtime_free(&s->rt);
	if (on_file && s->store->file)
		s->store->file->ops->close(s->store->file);
	s->store->file = NULL;
	s->on_file = on_file;
	return started;
}

static void starts(long n, bool lasting)
{
	long blocks = sim_memory_live();
	struct sim *s = on_file ? sim_new_on_file(7, 2) : sim_new(7, 2);
	sim_do(s, "a", "add x 1; put w 1");
	sim_operation(s, "Register", "a", "put w/x 5; put w/y 6");
	settled(s);
	start(s, n, lasting);
	sim_start(s);
	assert_int_equal(value(s, "thing/a/x"), 1);
	assert_true(sim_do(s, "a", "add x 1") >= 0);
	settled(s);
	assert_int_equal(value(s, "thing/a/x"), 2);
	sim_free(&s);
	assert_int_equal(sim_memory_live(), blocks);
}

static void a_start_without_memory_fails_and_the_next_one_finds_all(void **state)
{
	(void)state;
	for (int files = 0; files < 2; files++)
		for (int lasting = 0; lasting < 2; lasting++) {
			long failed, n = 1;
			on_file = files;
			do {
				failed = sim_memory_failed();
				starts(n, lasting);
				n += step_by() + n / 100;
			} while (sim_memory_failed() != failed);
			assert_in_range(n, 50, 20000);
		}
}

static bool stops(long n, bool lasting)
{
	long blocks = sim_memory_live(), failed = sim_memory_failed();
	struct sim *s = on_file ? sim_new_on_file(7, 2) : sim_new(7, 2);
	int first = sim_do(s, "a", "add x 1; emit Both b add n 1");
	sim_do(s, "c", "await slow; add x 1");
	steps(s, 8);
	sim_memory_fail(n, lasting ? 1000000 : 0);
	sim_memory_world(false);
	sim_shut_down(s, 30);
	sim_memory_world(true);
	sim_memory_fail(0, 0);
	for (int i = 0; i < s->answers; i++)
		assert_int_equal(s->answer[i].ended, 1);
	sim_start(s);
	settled(s);
	bool accepted = s->answer[first].done && !s->answer[first].error;
	assert_true(!accepted || value(s, "thing/a/x") == 1);
	assert_int_equal(value(s, "thing/b/n") > 0, value(s, "thing/a/x") == 1);
	assert_int_equal(value(s, "registry/n") > 0, value(s, "thing/a/x") == 1);
	check_quiet(s);
	sim_free(&s);
	assert_int_equal(sim_memory_live(), blocks);
	return sim_memory_failed() != failed;
}

static void a_stop_without_memory_keeps_what_was_accepted(void **state)
{
	(void)state;
	for (int files = 0; files < 2; files++)
		for (int lasting = 0; lasting < 2; lasting++) {
			long n = 1;
			on_file = files;
			while (stops(n, lasting))
				n += step_by();
			assert_in_range(n, 5, MOST);
		}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_put_is_stored_whole_and_said_or_refused),
		cmocka_unit_test(a_scan_shows_all_or_fails),
		cmocka_unit_test(slow_work_is_answered_or_refused),
		cmocka_unit_test(an_event_and_a_durable_publish_happen_when_their_call_was_accepted),
		cmocka_unit_test(an_event_that_nobody_takes_leaves_nothing),
		cmocka_unit_test(a_timer_fires_once_when_its_call_was_accepted),
		cmocka_unit_test(a_message_is_answered_once),
		cmocka_unit_test(a_refused_message_hears_that_it_was),
		cmocka_unit_test(an_envelope_is_answered_once),
		cmocka_unit_test(folds_and_checkpoints_lose_nothing),
		cmocka_unit_test(a_start_without_memory_fails_and_the_next_one_finds_all),
		cmocka_unit_test(a_stop_without_memory_keeps_what_was_accepted),
	};
	sim_memory_of_sqlite();
	sim_memory_world(true);
	atexit(sim_file_remove_now);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
