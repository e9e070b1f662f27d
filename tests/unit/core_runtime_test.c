/* core_runtime_test.c -- runs, overlays, misses, conflicts, failed commits, slow work and scans, in the simulated world. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "tests/unit/sim_host.h"

#define SAW(s, i, expected) assert_string_equal((s)->answer[i].text, expected)

static struct sim *setup(void)
{
	return sim_new(1, 2);
}

static void ok(struct sim *s, int call, const char *saw)
{
	assert_true(s->answer[call].done);
	assert_int_equal(s->answer[call].count, 1);
	if (s->answer[call].error)
		print_message("%s\n", s->answer[call].message);
	assert_int_equal(s->answer[call].error, 0);
	if (saw)
		SAW(s, call, saw);
}

static void failed(struct sim *s, int call, int error, const char *message)
{
	assert_true(s->answer[call].done);
	assert_int_equal(s->answer[call].count, 1);
	assert_int_equal(s->answer[call].error, error);
	assert_string_equal(s->answer[call].message, message);
}

static void a_miss_reruns_and_the_second_run_sees_the_record(void **state)
{
	struct sim *s = setup();
	(void)state;
	sim_put(s, "thing/a/x", "{\"v\":7}");
	int a = sim_do(s, "a", "get x");
	sim_settle(s);
	ok(s, a, "{\"saw\":[\"7\"]}");
	assert_int_equal(s->handled, 2);
	assert_int_equal(s->rt->count.reruns, 1);
	int b = sim_do(s, "a", "get x");
	sim_settle(s);
	ok(s, b, "{\"saw\":[\"7\"]}");
	assert_int_equal(s->handled, 3); /* from the cache */
	sim_free(&s);
}

static void a_void_run_names_all_its_keys_and_they_are_fetched_together(void **state)
{
	struct sim *s = setup();
	(void)state;
	int a = sim_do(s, "a", "get x; get y; get @registry/z"), b = sim_do(s, "a", "get w");
	sim_settle(s);
	ok(s, a, "{\"saw\":[\"-\",\"-\",\"-\"]}");
	ok(s, b, "{\"saw\":[\"-\"]}");
	assert_int_equal(s->store->reads, 4);
	assert_int_equal(s->handled, 4);
	sim_free(&s);
}

static void calls_of_one_partition_keep_their_order_across_misses_conflicts_and_parks(void **state)
{
	static const char *const between[] = { "", "get never", "await x", "get never; await x", "scan 3 p/" };
	(void)state;
	for (size_t i = 0; i < sizeof between / sizeof *between; i++) {
		struct sim *s = setup();
		int call[20];
		s->store->conflict_commits = 2;
		for (int n = 0; n < 20; n++) {
			char script[200];
			snprintf(script, sizeof script, "%s; add n 1; say order %d", n % 3 == 1 ? between[i] : "", n);
			call[n] = sim_do(s, "a", script);
		}
		sim_settle(s);
		for (int n = 0; n < 20; n++) {
			ok(s, call[n], NULL);
			assert_int_equal(s->answer[call[n]].order, n);
		}
		assert_string_equal(sim_record(s, "thing/a/n"), "{\"v\":20}");
		assert_string_equal(sim_sent(s), "publish order=0; publish order=1; publish order=2; publish order=3; publish order=4; "
			"publish order=5; publish order=6; publish order=7; publish order=8; publish order=9; publish order=10; publish order=11; "
			"publish order=12; publish order=13; publish order=14; publish order=15; publish order=16; publish order=17; "
			"publish order=18; publish order=19; ");
		sim_free(&s);
	}
}

static void an_overlay_write_is_seen_by_the_next_call_of_the_batch(void **state)
{
	struct sim *s = setup();
	(void)state;
	int a = sim_do(s, "a", "put x 1; get x; version x"), b = sim_do(s, "a", "get x; version x; del x; get x; version x"), c = sim_do(s, "a", "version x");
	sim_settle(s);
	ok(s, a, "{\"saw\":[\"1\",\"own\"]}");
	ok(s, b, "{\"saw\":[\"1\",\"own\",\"-\",\"absent\"]}");
	ok(s, c, "{\"saw\":[\"absent\"]}");
	assert_int_equal(s->store->commits, 1);
	sim_free(&s);
}

static void an_overlay_write_vanishes_if_its_call_fails(void **state)
{
	struct sim *s = setup();
	(void)state;
	int a = sim_do(s, "a", "put x 1"), b = sim_do(s, "a", "put x 2; put y 2; fail ConflictException no"), c = sim_do(s, "a", "get x; get y");
	sim_settle(s);
	ok(s, a, NULL);
	failed(s, b, SK_E_CONFLICT, "no");
	ok(s, c, "{\"saw\":[\"1\",\"-\"]}");
	assert_null(sim_record(s, "thing/a/y"));
	sim_free(&s);
}

static void a_failed_calls_effects_never_leave_but_its_error_does(void **state)
{
	struct sim *s = setup();
	(void)state;
	int a = sim_do(s, "a", "say t x; say! t y; kick u; reply t z; emit E a put e 1; timer n 0 E put e 2; fail ResourceNotFoundException gone");
	sim_advance(s, 2000);
	failed(s, a, SK_E_NOT_FOUND, "gone");
	assert_string_equal(sim_sent(s), "");
	assert_null(sim_record(s, "thing/a/e"));
	assert_int_equal(sim_count(s, SK_EFFECT) + sim_count(s, SK_TIMER) + sim_count(s, SK_RECORD), 0);
	sim_free(&s);
}

static void a_failed_message_still_publishes_its_rejection(void **state)
{
	struct sim *s = setup();
	(void)state;
	assert_int_equal(sim_message(s, "sim/a/do", "put x 1; fail ConflictException no"), 0);
	sim_settle(s);
	assert_string_equal(sim_sent(s), "publish sim/a/rejected=error; ");
	assert_null(sim_record(s, "thing/a/x"));
	sim_free(&s);
}

static void nothing_leaves_before_the_commit_is_durable(void **state)
{
	struct sim *s = setup();
	(void)state;
	s->store->held = true;
	int a = sim_do(s, "a", "put x 1; say t hello; emit E b put y 1");
	sim_settle(s);
	assert_false(s->answer[a].done);
	assert_false(sim_was_sent(s, "t"));
	assert_null(sim_record(s, "thing/b/y"));
	s->store->held = false;
	sim_settle(s);
	ok(s, a, NULL);
	assert_string_equal(sim_sent(s), "publish t=hello; ");
	assert_non_null(sim_record(s, "thing/b/y"));
	sim_free(&s);
}

static void watches_are_applied_before_the_reply_of_the_same_commit(void **state)
{
	struct sim *s = setup();
	(void)state;
	int a = sim_operation(s, "Register", "-", "put w/k 1; say t x");
	s->hold_broker = true;
	sim_settle(s);
	ok(s, a, NULL);
	assert_null(s->index);
	sim_drain(s, 1);
	assert_string_equal(s->index, "k={\"v\":1} ");
	assert_false(sim_was_sent(s, "t"));
	s->hold_broker = false;
	sim_settle(s);
	assert_true(sim_was_sent(s, "t"));
	sim_operation(s, "Register", "-", "del w/k");
	sim_settle(s);
	assert_string_equal(s->index, "k={\"v\":1} k=gone ");
	sim_free(&s);
}

static void a_watch_hears_what_is_stored_already_when_it_is_loaded(void **state)
{
	struct sim *s = setup();
	(void)state;
	sim_put(s, "registry/w/old", "{}");
	sim_crash(s);
	assert_string_equal(s->index, "old={} ");
	sim_free(&s);
}

static void a_foreign_write_fails_the_call_and_stores_nothing(void **state)
{
	struct sim *s = setup();
	(void)state;
	int a = sim_do(s, "a", "put x 1; put @thing/b/y 1; say t x"), b = sim_do(s, "a", "put @thing/ab/y 1"), c = sim_do(s, "a", "put z 1");
	int d = sim_operation(s, "Look", "-", "put @thing/a/q 1");
	sim_settle(s);
	failed(s, a, SK_E_INTERNAL, "Internal failure");
	failed(s, b, SK_E_INTERNAL, "Internal failure");
	failed(s, d, SK_E_INTERNAL, "Internal failure");
	ok(s, c, NULL);
	assert_int_equal(sim_count(s, SK_RECORD), 1);
	assert_string_equal(sim_sent(s), "");
	assert_non_null(strstr(s->log, "e skeeter: sim: Do: a record outside of the home partition was written\n"));
	sim_free(&s);
}

/* Each step reads a key that only this run names: a chain of misses. */
static int chase(struct sk_call *c)
{
	int64_t n = 0;
	for (int i = 0; i < 20 && !sk_void(c); i++) {
		const cJSON *d = sk_get(c, "thing/%s/chain%lld", sk_json_text(c->in, "thingName"), (long long)n);
		if (!d)
			break;
		n = sk_json_int_of(d, "v", 0);
	}
	sk_json_set_int(c->arena, c->out, "end", n);
	return SK_OK;
}

static int chase_message(struct sk_call *c)
{
	for (int i = 0; i < 20 && !sk_void(c); i++)
		sk_get(c, "%s/chain%d", c->home, i);
	sk_publish_bytes(c, SK_QOS0, "done", 4, "chase/%s/done", c->arg[0]);
	return SK_OK;
}

static int chase_refused(struct sk_call *c)
{
	sk_publish_bytes(c, SK_QOS0, sk_error_info(c->error)->name, strlen(sk_error_info(c->error)->name), "chase/%s/refused", c->arg[0]);
	return SK_OK;
}

static const struct sk_op chase_ops[] = {
	{ .name = "Chase", .verb = SK_POST, .route = "/chase/{thingName}", .partition = "thing/{thingName}", .inputs = "", .handler = chase }, { 0 } };
static const struct sk_op_group chase_group = { .service = "chase", .op = chase_ops };
static const struct sk_topic chase_topics[] = {
	{ .pattern = "chase/{thingName}", .handler = chase_message, .refuse = chase_refused, .partition = "thing/{thingName}" }, { 0 } };
static const struct sk_plugin chasing = { .name = "chase", .topics = chase_topics, .operations = (const struct sk_op_group *const[]){ &chase_group, NULL } };

static void store_chain(struct sim *s, int length)
{
	for (int i = 0; i < length; i++) {
		char key[64], value[64];
		snprintf(key, sizeof key, "thing/a/chain%d", i);
		snprintf(value, sizeof value, "{\"v\":%d}", i + 1);
		sim_put(s, key, value);
	}
}

static void eight_reruns_are_allowed(void **state)
{
	struct sim *s = sim_new_with(1, 2, &chasing);
	(void)state;
	store_chain(s, 7); /* the eighth read finds nothing */
	int a = sim_json(s, "Chase", "{'thingName':'a'}");
	sim_settle(s);
	ok(s, a, "{\"end\":7}");
	assert_int_equal(s->rt->count.rerun_limit, 0);
	sim_free(&s);
}

static void a_ninth_rerun_answers_503_and_the_calls_behind_it_go_on(void **state)
{
	struct sim *s = sim_new_with(1, 2, &chasing);
	(void)state;
	store_chain(s, 15);
	int a = sim_json(s, "Chase", "{'thingName':'a'}"), b = sim_do(s, "a", "put x 1");
	sim_settle(s);
	failed(s, a, SK_E_UNAVAILABLE, "The request kept colliding with others");
	ok(s, b, NULL);
	assert_int_equal(s->rt->count.rerun_limit, 1);
	sim_free(&s);
}

static void a_message_that_is_given_up_reaches_its_refuse_handler(void **state)
{
	struct sim *s = sim_new_with(1, 2, &chasing);
	(void)state;
	sim_message(s, "chase/a", "{}");
	sim_settle(s);
	assert_string_equal(sim_sent(s), "publish chase/a/refused=ServiceUnavailableException; ");
	sim_free(&s);
}

static void a_store_that_does_not_answer_is_a_503(void **state)
{
	struct sim *s = setup();
	(void)state;
	s->store->fail_reads = 1;
	int a = sim_do(s, "a", "get x; put x 1"), b = sim_do(s, "a", "put y 1");
	sim_message(s, "sim/a/do", "get z; put z 1");
	sim_settle(s);
	failed(s, a, SK_E_UNAVAILABLE, "The store does not answer");
	ok(s, b, NULL);
	assert_string_equal(sim_sent(s), "publish sim/a/refused=ServiceUnavailableException; ");
	assert_int_equal(sim_count(s, SK_RECORD), 1);
	s->store->fail_scans = 1;
	int c = sim_do(s, "a", "scan 5 p/"), d = sim_do(s, "a", "get x");
	sim_settle(s);
	failed(s, c, SK_E_UNAVAILABLE, "The store does not answer");
	ok(s, d, NULL);
	sim_free(&s);
}

static void a_conflict_reruns_the_whole_run_with_fresh_reads(void **state)
{
	struct sim *s = setup();
	(void)state;
	int a = sim_do(s, "a", "add n 1");
	sim_settle(s);
	s->store->held = true;
	int b = sim_do(s, "a", "add n 10"), c = sim_do(s, "a", "add n 100");
	sim_settle(s);
	sim_put(s, "thing/a/n", "{\"v\":1000}"); /* somebody else */
	s->store->held = false;
	sim_settle(s);
	ok(s, a, "{\"saw\":[\"1\"]}");
	ok(s, b, "{\"saw\":[\"1010\"]}");
	ok(s, c, "{\"saw\":[\"1110\"]}");
	assert_int_equal(s->rt->count.conflicts, 1);
	sim_free(&s);
}

static void a_run_that_has_nothing_to_write_after_a_conflict_releases_nothing_of_the_first_try(void **state)
{
	struct sim *s = setup();
	(void)state;
	int first = sim_operation(s, "Register", "-", "put go 1");
	sim_settle(s);
	s->store->held = true;
	int a = sim_operation(s, "Register", "-", "unless go ConflictException; put w/k 1; say t x");
	sim_settle(s);
	struct sim_record *go = sim_table_find(&s->store->table[SK_RECORD], "registry/go");
	sk_bytes_unref(go->bytes);
	free(go->key);
	*go = s->store->table[SK_RECORD].at[--s->store->table[SK_RECORD].count];
	s->store->held = false;
	sim_settle(s);
	ok(s, first, NULL);
	failed(s, a, SK_E_CONFLICT, "not yet");
	assert_null(s->index);
	assert_string_equal(sim_sent(s), "");
	sim_free(&s);
}

static void calls_that_keep_conflicting_are_given_up(void **state)
{
	struct sim *s = setup();
	(void)state;
	s->store->conflict_commits = 1000;
	int a = sim_do(s, "a", "put x 1; say t x");
	sim_settle(s);
	failed(s, a, SK_E_UNAVAILABLE, "The request kept colliding with others");
	assert_int_equal(s->store->conflict_commits, 1000 - 9);
	assert_string_equal(sim_sent(s), "");
	sim_free(&s);
}

static void a_failed_commit_of_several_calls_is_retried_call_by_call(void **state)
{
	struct sim *s = setup();
	int call[6];
	(void)state;
	s->store->poison = "thing/a/k3";
	for (int i = 0; i < 6; i++) {
		char script[64];
		snprintf(script, sizeof script, "put k%d 1; say t %d", i, i);
		call[i] = sim_do(s, "a", script);
	}
	sim_settle(s);
	for (int i = 0; i < 6; i++) {
		assert_int_equal(s->answer[call[i]].error, i == 3 ? SK_E_UNAVAILABLE : 0);
		assert_int_equal(s->answer[call[i]].order, i);
	}
	assert_string_equal(s->answer[call[3]].message, "The disk is full");
	assert_string_equal(sim_sent(s), "publish t=0; publish t=1; publish t=2; publish t=4; publish t=5; ");
	assert_int_equal(sim_count(s, SK_RECORD), 5);
	sim_free(&s);
}

static void a_message_whose_commit_fails_reaches_its_refuse_handler(void **state)
{
	struct sim *s = setup();
	(void)state;
	s->store->fail_commits = 1;
	sim_message(s, "sim/a/do", "put x 1; say t x");
	sim_settle(s);
	assert_string_equal(sim_sent(s), "publish sim/a/refused=ServiceUnavailableException; ");
	sim_free(&s);
}

static void a_refuse_handler_can_neither_write_nor_emit(void **state)
{
	struct sim *s = setup();
	(void)state;
	s->store->fail_commits = 1;
	sim_message(s, "sim/a/bad", "put x 1");
	sim_settle(s);
	s->inbox = 1;
	s->rt->inbox_limit = 1;
	sim_message(s, "sim/a/bad", "put x 1");
	sim_settle(s);
	assert_int_equal(sim_count(s, SK_RECORD) + sim_count(s, SK_EFFECT) + sim_count(s, SK_TIMER), 0);
	assert_int_equal(s->rt->count.effects, 0);
	sim_free(&s);
}

static void waiting_parks_only_its_partition(void **state)
{
	struct sim *s = setup();
	(void)state;
	s->hold_slow = true;
	int before = sim_do(s, "a", "put x 1"), slow = sim_do(s, "a", "put half 1; await hello; put y 1"), behind = sim_do(s, "a", "get y; get half");
	int other = sim_do(s, "b", "put x 1");
	sim_settle(s);
	ok(s, before, NULL);
	ok(s, other, NULL);
	assert_false(s->answer[slow].done);
	assert_false(s->answer[behind].done);
	assert_non_null(sim_record(s, "thing/a/x"));
	assert_null(sim_record(s, "thing/a/half"));
	s->hold_slow = false;
	sim_settle(s);
	ok(s, slow, "{\"saw\":[\"HELLO\"]}");
	ok(s, behind, "{\"saw\":[\"1\",\"1\"]}");
	assert_int_equal(s->rt->count.slow_calls, 1);
	sim_free(&s);
}

static void a_ticket_is_answered_when_its_holder_likes(void **state)
{
	struct sim *s = setup();
	(void)state;
	int asking = sim_do(s, "a", "put x 1; ask hello; put y 1"), behind = sim_do(s, "a", "get y"), other = sim_do(s, "b", "put x 1");
	sim_settle(s);
	ok(s, other, NULL);
	assert_false(s->answer[asking].done);
	assert_false(s->answer[behind].done);
	assert_int_equal(s->rt->count.slow_calls, 0);
	sk_ticket_answer(sim_ticket, "\"later\"", 7);
	sim_settle(s);
	ok(s, asking, "{\"saw\":[\"later\"]}");
	ok(s, behind, "{\"saw\":[\"1\"]}");
	assert_int_equal(s->rt->count.slow_calls, 1);
	int without = sim_do(s, "a", "ask again");
	sim_settle(s);
	sk_ticket_answer(sim_ticket, NULL, 0);
	sim_settle(s);
	failed(s, without, SK_E_UNAVAILABLE, "The request needs more memory than there is");
	sim_free(&s);
}

static void who_waits_alone_keeps_nobody_waiting(void **state)
{
	struct sim *s = setup();
	struct sk_ticket *ticket[100];
	int call[100];
	(void)state;
	for (int i = 0; i < 100; i++) {
		call[i] = sim_operation(s, "Wait", "-", "ask x");
		sim_settle(s);
		ticket[i] = sim_ticket;
		assert_true(!i || ticket[i] != ticket[i - 1]);
	}
	for (int i = 100; i-- > 0;) {
		sk_ticket_answer(ticket[i], "\"y\"", 3);
		sim_settle(s);
		ok(s, call[i], "{\"saw\":[\"y\"]}");
	}
	sim_free(&s);
}

static void an_operation_is_named_with_its_service(void **state)
{
	struct sim *s = setup();
	(void)state;
	assert_string_equal(sk_runtime_operation(s->rt, "Look")->service, "sim");
	assert_string_equal(sk_runtime_operation(s->rt, "sim:Look")->service, "sim");
	assert_string_equal(sk_runtime_operation(s->rt, "twin:Look")->service, "twin");
	assert_null(sk_runtime_operation(s->rt, "twin:Do"));
	assert_null(sk_runtime_operation(s->rt, ":Look"));
	assert_null(sk_runtime_operation(s->rt, "tw:Look"));
	sim_free(&s);
}

static void a_parked_calls_half_done_writes_are_not_committed(void **state)
{
	struct sim *s = setup();
	(void)state;
	s->hold_slow = true;
	int a = sim_do(s, "a", "put half 1; emit E b put e 1; await x");
	sim_settle(s);
	assert_int_equal(sim_count(s, SK_RECORD) + sim_count(s, SK_EFFECT), 0);
	s->hold_slow = false;
	sim_settle(s);
	ok(s, a, NULL);
	assert_non_null(sim_record(s, "thing/a/half"));
	assert_int_equal(s->rt->count.effects, 1);
	sim_free(&s);
}

static void slow_answers_repeat_on_a_rerun_each_in_its_place(void **state)
{
	struct sim *s = setup();
	(void)state;
	s->store->conflict_commits = 1;
	int a = sim_do(s, "a", "await one; get later; await two; await three; put x 1");
	sim_settle(s);
	ok(s, a, "{\"saw\":[\"ONE\",\"-\",\"TWO\",\"THREE\"]}");
	assert_int_equal(s->rt->count.slow_calls, 3);
	sim_free(&s);
}

static void a_slow_answer_belongs_to_its_question(void **state)
{
	struct sim *s = setup();
	(void)state;
	/* the question comes from a record that changes while the commit is under way */
	int b = sim_do(s, "a", "add n 1; echo n");
	s->store->held = true;
	sim_settle(s);
	sim_put(s, "thing/a/n", "{\"v\":40}");
	s->store->held = false;
	sim_settle(s);
	ok(s, b, "{\"saw\":[\"41\",\"N41\"]}");
	sim_free(&s);
}

static void two_calls_of_a_partition_may_wait_after_a_conflict(void **state)
{
	struct sim *s = setup();
	(void)state;
	sim_put(s, "thing/a/n", "{\"v\":0}");
	s->store->held = true;
	s->hold_slow = true;
	/* the first waits only when n is not 0, which it is after the conflict; the second waits from the start */
	int first = sim_do(s, "a", "echounless n; put x 1"), second = sim_do(s, "a", "await b; await b2; get x");
	sim_settle(s);
	sim_put(s, "thing/a/n", "{\"v\":5}");
	s->store->held = false;
	sim_settle(s);
	s->hold_slow = false;
	sim_settle(s);
	ok(s, first, "{\"saw\":[\"N5\"]}");
	ok(s, second, "{\"saw\":[\"B\",\"B2\",\"1\"]}");
	assert_int_equal(s->rt->count.slow_calls, 3);
	assert_true(s->answer[first].order < s->answer[second].order);
	sim_free(&s);
}

static void scans_merge_what_the_batch_has_added_and_deleted(void **state)
{
	struct sim *s = setup();
	(void)state;
	for (int i = 1; i <= 9; i += 2) {
		char key[32], value[32];
		snprintf(key, sizeof key, "thing/a/p/%d", i);
		snprintf(value, sizeof value, "{\"v\":%d}", i);
		sim_put(s, key, value);
	}
	sim_put(s, "thing/a/q/1", "{}");
	int a = sim_do(s, "a", "put p/2 2; put p/5 50; del p/1; del p/9; put p/0 0; del p/0; scan 100 p/");
	int b = sim_do(s, "a", "scan 2 p/; scan 2 p/ 3; scan 2 p/ 7; scan 1 nothing/");
	sim_settle(s);
	ok(s, a, "{\"saw\":[\"2=2,3=3,5=50,7=7|\"]}");
	ok(s, b, "{\"saw\":[\"2=2,3=3|3\",\"5=50,7=7|\",\"|\",\"|\"]}");
	sim_free(&s);
}

static void a_short_page_over_deleted_records_still_fills(void **state)
{
	struct sim *s = setup();
	(void)state;
	for (int i = 10; i < 60; i++) {
		char key[32];
		snprintf(key, sizeof key, "thing/a/p/%d", i);
		sim_put(s, key, "{\"v\":0}");
	}
	char script[2000] = "";
	for (int i = 10; i < 40; i++)
		snprintf(script + strlen(script), sizeof script - strlen(script), "del p/%d;", i);
	strcat(script, "scan 3 p/; put p/405 1; scan 3 p/; scan 3 p/ 57");
	int a = sim_do(s, "a", script);
	sim_settle(s);
	ok(s, a, "{\"saw\":[\"40=0,41=0,42=0|42\",\"40=0,405=1,41=0|41\",\"58=0,59=0|\"]}");
	sim_free(&s);
}

static void paging_goes_through_everything_once(void **state)
{
	struct sim *s = setup();
	(void)state;
	for (int i = 10; i < 17; i++) {
		char key[32];
		snprintf(key, sizeof key, "registry/p/%d", i);
		sim_put(s, key, "{\"v\":0}");
	}
	int a = sim_json(s, "Register", "{'script':'page p/','maxResults':3}");
	int b = sim_json(s, "Register", "{'script':'page p/','maxResults':3,'nextToken':'3132'}");
	int c = sim_json(s, "Register", "{'script':'page p/','maxResults':3,'nextToken':'3135'}");
	int d = sim_json(s, "Mark", "{'script':'page p/','pageSize':6,'marker':'3130'}"), e = sim_json(s, "Mark", "{'script':'page p/','pageSize':2}");
	int f = sim_json(s, "Marker", "{'script':'page p/','pageSize':2,'marker':'3130'}");
	sim_settle(s);
	ok(s, a, "{\"nextToken\":\"3132\",\"saw\":[\"10=0,11=0,12=0|12\"]}");
	ok(s, b, "{\"nextToken\":\"3135\",\"saw\":[\"13=0,14=0,15=0|15\"]}");
	ok(s, c, "{\"saw\":[\"16=0|\"]}");
	ok(s, d, "{\"saw\":[\"11=0,12=0,13=0,14=0,15=0,16=0|\"]}");
	ok(s, e, "{\"nextMarker\":\"3131\",\"saw\":[\"10=0,11=0|11\"]}");
	ok(s, f, "{\"nextMarker\":\"3132\",\"saw\":[\"11=0,12=0|12\"]}");
	sim_free(&s);
}

static void a_bad_token_fails_the_call(void **state)
{
	static const char *const bad[] = { "313", "zz", "3g", "00", "31 2", "A1" };
	(void)state;
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
		struct sim *s = setup();
		char json[100];
		snprintf(json, sizeof json, "{'script':'page p/','nextToken':'%s'}", bad[i]);
		int a = sim_json(s, "Register", json);
		sim_settle(s);
		failed(s, a, SK_E_INVALID_REQUEST, "Invalid nextToken");
		sim_free(&s);
	}
}

static void a_scan_conflicts_when_its_partition_gets_or_loses_a_key(void **state)
{
	struct sim *s = setup();
	(void)state;
	sim_put(s, "thing/a/p/1", "{\"v\":1}");
	int warm = sim_do(s, "a", "put z 1");
	sim_settle(s);
	s->store->held = true;
	int a = sim_do(s, "a", "scan 10 p/; put sum 1");
	sim_settle(s);
	/* as another writer would: a commit of its own */
	struct sk_bytes *two = sk_bytes_new("{\"v\":2}", 7);
	struct sk_commit *mine = s->store->queue;
	struct sk_store_write w = { SK_RECORD, "thing/a/p/2", two };
	assert_int_equal(mine->write_count, 1);
	s->store->structure[0].version = s->store->store.seq + 1;
	sim_put(s, w.key, "{\"v\":2}");
	sk_bytes_unref(two);
	s->store->held = false;
	sim_settle(s);
	ok(s, warm, NULL);
	ok(s, a, "{\"saw\":[\"1=1,2=2|\"]}");
	assert_int_equal(s->rt->count.conflicts, 1);
	sim_free(&s);
}

static void time_random_and_ids_repeat_on_a_rerun(void **state)
{
	struct sim *s = setup();
	(void)state;
	s->store->held = true;
	int a = sim_do(s, "a", "uuid; now; put x 1; get x");
	sim_settle(s);
	const struct sk_run *run = s->store->queue->owner;
	char *first = strdup(sk_json_print(run->slot[0]->call.arena, run->slot[0]->call.out, NULL));
	s->wall_ms += 5000;
	s->store->conflict_commits = 3;
	s->store->held = false;
	sim_settle(s);
	ok(s, a, first);
	free(first);
	sim_free(&s);
}

static void two_calls_never_get_the_same_id(void **state)
{
	struct sim *s = setup();
	(void)state;
	int a = sim_do(s, "a", "uuid; uuid"), b = sim_do(s, "a", "uuid; uuid");
	sim_settle(s);
	assert_string_not_equal(s->answer[a].text, s->answer[b].text);
	char one[37], two[37];
	assert_int_equal(sscanf(s->answer[a].text, "{\"saw\":[\"%36[^\"]\",\"%36[^\"]", one, two), 2);
	assert_string_not_equal(one, two);
	assert_int_equal(one[14], '4');
	sim_free(&s);
}

static void time_never_goes_backwards_within_a_worker(void **state)
{
	struct sim *s = sim_new(1, 1);
	long long last = 0, now;
	(void)state;
	for (int i = 0; i < 50; i++) {
		int a = sim_do(s, i % 2 ? "a" : "b", "now");
		s->wall_ms += (int64_t)sim_random(s, 2000) - 1200;
		sim_settle(s);
		assert_int_equal(sscanf(s->answer[a].text, "{\"saw\":[\"%lld", &now), 1);
		assert_true(now >= last);
		last = now;
	}
	sim_free(&s);
}

static void a_lane_takes_so_many_bytes_of_devices_and_any_of_operators(void **state)
{
	struct sim *s = setup();
	int taken = 0, refused = 0, dropped = 0;
	(void)state;
	s->rt->inbox_limit = 64 * 1024;
	for (int i = 0; i < 2000; i++) {
		int rc = sim_message(s, "sim/a/do", "add n 1");
		taken += rc == 0;
		refused += rc == -1;
		dropped += rc == -2;
	}
	assert_true(taken > 50 && taken < 400);
	assert_true(refused > 2 && refused < taken / 10);
	assert_int_equal(taken + refused + dropped, 2000);
	int op = sim_do(s, "a", "get n");
	assert_true(op >= 0);
	sim_settle(s);
	assert_int_equal(sim_times_sent(s, "publish sim/a/refused=ThrottlingException; "), refused);
	assert_int_equal(atoi(sim_record(s, "thing/a/n") + 5), taken);
	ok(s, op, NULL);
	for (int lane = 0; lane < SK_LANES; lane++)
		for (int w = 0; w < 2; w++)
			assert_int_equal(s->rt->worker[w]->inbox.bytes[lane], 0);
	assert_int_equal(sim_message(s, "sim/a/do", "add n 1"), 0);
	sim_free(&s);
}

static void a_payload_over_the_rows_limit_reaches_its_handler_without_it(void **state)
{
	struct sim *s = setup();
	(void)state;
	sim_message(s, "sim/a/small", "put x 1; put y 1; put z 1");
	sim_settle(s);
	assert_string_equal(sim_sent(s), "publish sim/a/rejected=large; ");
	sim_free(&s);
}

static void replies_and_kicks_leave_in_the_order_of_the_handler(void **state)
{
	struct sim *s = setup();
	(void)state;
	sim_do(s, "a", "keep a 1; reply b 2; kick u; say1 c 3");
	sim_settle(s);
	assert_string_equal(sim_sent(s), "retain a=1; reply b=\"2\"; kick u; publish c=3; ");
	sim_free(&s);
}

static void input_that_is_not_json_or_not_the_rows_is_refused(void **state)
{
	struct sim *s = setup();
	(void)state;
	int a = sim_json(s, "Register", "{'script':"), b = sim_json(s, "Register", "{'script':5}");
	sim_settle(s);
	failed(s, a, SK_E_INVALID_REQUEST, "The request is not valid JSON");
	assert_int_equal(s->answer[b].error, SK_E_INVALID_REQUEST);
	assert_int_equal(s->handled, 0);
	sim_free(&s);
}

static void a_stored_record_that_is_not_json_fails_the_call(void **state)
{
	struct sim *s = setup();
	(void)state;
	sim_put(s, "thing/a/x", "{oops");
	sim_put(s, "thing/a/p/x", "{oops");
	int a = sim_do(s, "a", "get x"), b = sim_do(s, "a", "scan 5 p/");
	sim_settle(s);
	failed(s, a, SK_E_INTERNAL, "Internal failure");
	failed(s, b, SK_E_INTERNAL, "Internal failure");
	sim_free(&s);
}

static void more_than_64_mib_in_one_call_is_a_503(void **state)
{
	struct sim *s = setup();
	(void)state;
	int a = sim_do(s, "a", "put x 1; eat 70000000; say t x"), b = sim_do(s, "a", "get x");
	int c = sim_do(s, "a", "put x 1; eat 70000000; await x");
	sim_settle(s);
	failed(s, a, SK_E_UNAVAILABLE, "The request needs more memory than there is");
	ok(s, b, "{\"saw\":[\"-\"]}");
	failed(s, c, SK_E_UNAVAILABLE, "The request needs more memory than there is");
	assert_string_equal(sim_sent(s), "");
	sim_free(&s);
}

static void memory_out_at_every_allocation_answers_503_or_succeeds_whole(void **state)
{
	static const char big[] = "get x; put x 1; add n 1; scan 5 p/; scan 2 p/ 1; put p/9 1; say t hello; say! u hello; reply r x; kick u; "
		"emit E b put e 1; timer t 100000 E put f 1; timer t 100000 E put f 1; clear t; await abc; uuid; now; del y; page p/; version x";
	int outcomes[2] = { 0 };
	(void)state;
	for (long n = 1; n < 400; n++) {
		struct sim *s = setup();
		for (int i = 0; i < 4; i++) {
			char key[32];
			snprintf(key, sizeof key, "thing/a/p/%d", i);
			sim_put(s, key, "{\"v\":1}");
		}
		int before = sim_do(s, "a", "put before 1"), a = sim_do(s, "a", big), after = sim_do(s, "a", "put after 1");
		sim_message(s, "sim/a/do", big);
		sk_arena_fail_after(n);
		sim_settle(s);
		sk_arena_fail_after(0);
		sim_settle(s);
		const int call[] = { before, a, after };
		for (int i = 0; i < 3; i++) {
			assert_int_equal(s->answer[call[i]].count, 1);
			assert_true(s->answer[call[i]].error == 0 || s->answer[call[i]].error == SK_E_UNAVAILABLE);
			outcomes[s->answer[call[i]].error != 0]++;
		}
		assert_int_equal(sim_record(s, "thing/a/before") != NULL, s->answer[before].error == 0);
		assert_int_equal(sim_record(s, "thing/a/after") != NULL, s->answer[after].error == 0);
		for (int w = 0; w < 2; w++)
			assert_int_equal(s->rt->worker[w]->partition_count, 0);
		sim_free(&s);
	}
	assert_true(outcomes[0] > 100 && outcomes[1] > 10);
}

static void requests_of_many_partitions_are_all_served(void **state)
{
	struct sim *s = setup();
	(void)state;
	for (int i = 0; i < 3000; i++) {
		char thing[16];
		snprintf(thing, sizeof thing, "t%d", i);
		sim_do(s, thing, "put x 1");
	}
	sim_settle(s);
	for (int i = 0; i < 3000; i++)
		ok(s, i, NULL);
	assert_int_equal(s->rt->worker[0]->partition_count + s->rt->worker[1]->partition_count, 0);
	assert_int_equal(sim_count(s, SK_RECORD), 3000);
	sim_free(&s);
}

static void what_is_left_at_the_end_is_thrown_away_without_a_trace(void **state)
{
	struct sim *s = setup();
	(void)state;
	s->hold_slow = s->hold_broker = true;
	sim_do(s, "a", "put x 1; say t x; emit E b put e 1; await x");
	sim_do(s, "b", "put x 1; emit E c fail ServiceUnavailableException later; emit E d put q 1");
	sim_settle(s);
	s->store->held = true;
	sim_do(s, "c", "put x 1; emit E a put e 1; timer t 5 E put y 1");
	static const char envelope[] = "{\"commands\":[{\"command\":\"Do\",\"thingName\":\"q\",\"script\":\"put x 1\"}]}";
	sim_control(s, envelope, sizeof envelope - 1);
	sim_settle(s);
	sim_do(s, "d", "put x 1");
	sim_free(&s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_miss_reruns_and_the_second_run_sees_the_record),
		cmocka_unit_test(a_void_run_names_all_its_keys_and_they_are_fetched_together),
		cmocka_unit_test(calls_of_one_partition_keep_their_order_across_misses_conflicts_and_parks),
		cmocka_unit_test(an_overlay_write_is_seen_by_the_next_call_of_the_batch),
		cmocka_unit_test(an_overlay_write_vanishes_if_its_call_fails),
		cmocka_unit_test(a_failed_calls_effects_never_leave_but_its_error_does),
		cmocka_unit_test(a_failed_message_still_publishes_its_rejection),
		cmocka_unit_test(nothing_leaves_before_the_commit_is_durable),
		cmocka_unit_test(watches_are_applied_before_the_reply_of_the_same_commit),
		cmocka_unit_test(a_watch_hears_what_is_stored_already_when_it_is_loaded),
		cmocka_unit_test(a_foreign_write_fails_the_call_and_stores_nothing),
		cmocka_unit_test(eight_reruns_are_allowed),
		cmocka_unit_test(a_ninth_rerun_answers_503_and_the_calls_behind_it_go_on),
		cmocka_unit_test(a_message_that_is_given_up_reaches_its_refuse_handler),
		cmocka_unit_test(a_store_that_does_not_answer_is_a_503),
		cmocka_unit_test(a_conflict_reruns_the_whole_run_with_fresh_reads),
		cmocka_unit_test(a_run_that_has_nothing_to_write_after_a_conflict_releases_nothing_of_the_first_try),
		cmocka_unit_test(calls_that_keep_conflicting_are_given_up),
		cmocka_unit_test(a_failed_commit_of_several_calls_is_retried_call_by_call),
		cmocka_unit_test(a_message_whose_commit_fails_reaches_its_refuse_handler),
		cmocka_unit_test(a_refuse_handler_can_neither_write_nor_emit),
		cmocka_unit_test(waiting_parks_only_its_partition),
		cmocka_unit_test(a_ticket_is_answered_when_its_holder_likes), cmocka_unit_test(who_waits_alone_keeps_nobody_waiting),
		cmocka_unit_test(an_operation_is_named_with_its_service), cmocka_unit_test(a_parked_calls_half_done_writes_are_not_committed),
		cmocka_unit_test(slow_answers_repeat_on_a_rerun_each_in_its_place),
		cmocka_unit_test(a_slow_answer_belongs_to_its_question),
		cmocka_unit_test(two_calls_of_a_partition_may_wait_after_a_conflict),
		cmocka_unit_test(scans_merge_what_the_batch_has_added_and_deleted),
		cmocka_unit_test(a_short_page_over_deleted_records_still_fills),
		cmocka_unit_test(paging_goes_through_everything_once),
		cmocka_unit_test(a_bad_token_fails_the_call),
		cmocka_unit_test(a_scan_conflicts_when_its_partition_gets_or_loses_a_key),
		cmocka_unit_test(time_random_and_ids_repeat_on_a_rerun),
		cmocka_unit_test(two_calls_never_get_the_same_id),
		cmocka_unit_test(time_never_goes_backwards_within_a_worker),
		cmocka_unit_test(a_lane_takes_so_many_bytes_of_devices_and_any_of_operators),
		cmocka_unit_test(a_payload_over_the_rows_limit_reaches_its_handler_without_it),
		cmocka_unit_test(replies_and_kicks_leave_in_the_order_of_the_handler),
		cmocka_unit_test(input_that_is_not_json_or_not_the_rows_is_refused),
		cmocka_unit_test(a_stored_record_that_is_not_json_fails_the_call),
		cmocka_unit_test(more_than_64_mib_in_one_call_is_a_503),
		cmocka_unit_test(memory_out_at_every_allocation_answers_503_or_succeeds_whole),
		cmocka_unit_test(requests_of_many_partitions_are_all_served),
		cmocka_unit_test(what_is_left_at_the_end_is_thrown_away_without_a_trace),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
