/* rules_lane_test.c -- plugins/rules/lane_step.h with a sink, a clock and chance of the test's own: order, batches, what is tried again and when, what fails, and what a
 * kill leaves. Items as records. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <dirent.h>
#include <unistd.h>

#include "core/why.h"
#include "plugins/rules/lane_step.h"

/* -- the world -- */

enum { MOST = 8192, START_MS = 1000, LEAST = 100, LONGEST = 1600, FOR = 3600000 };
#define WALL INT64_C(1700000000000)

struct world {
	char folder[64];
	struct sk_segments *files;
	struct lane_run *run;
	int64_t now_ms, wall_ms;
	uint32_t chance;
	/* the sink */
	enum sk_sunk (*decide)(const struct sk_sink_item *i);
	bool closed;               /* open() fails */
	int opens, closes, calls;
	int64_t takes_ms;          /* of the clock, for each deliver() */
	size_t batch[MOST];        /* items of each deliver() */
	int n;
	char got[MOST][16];        /* payloads of what it took */
	char url[64];
	/* failures */
	int failures;
	void *token[MOST];
	char failed[MOST][16], why[MOST][600], said[MOST][600];
	bool busy;                 /* no failure begins */
	int lines;
};
static struct world w;

static enum sk_sunk ok(const struct sk_sink_item *i)
{
	(void)i;
	return SK_SUNK_OK;
}

static enum sk_sunk down(const struct sk_sink_item *i)
{
	(void)i;
	return SK_SUNK_RETRY;
}

/* Payloads say what becomes of them: "r2..." is put off twice, "R..." always, "f..." fails. */
static enum sk_sunk by_payload(const struct sk_sink_item *i)
{
	const char *text = i->payload;

	if (*text == 'r')
		return i->attempt < (unsigned)(text[1] - '0') ? SK_SUNK_RETRY : SK_SUNK_OK;
	return *text == 'R' ? SK_SUNK_RETRY : *text == 'f' ? SK_SUNK_FAIL : SK_SUNK_OK;
}

static void *fake_open(void *state, const cJSON *fields, char *why, size_t why_size)
{
	assert_ptr_equal(state, &w);
	w.opens++;
	snprintf(w.url, sizeof w.url, "%s", sk_json_text(fields, "url"));
	if (w.closed)
		sk_why(why, why_size, "it is closed");
	return w.closed ? NULL : &w;
}

static void fake_deliver(void *sink, struct sk_sink_item *const *item, size_t n, struct sk_arena *a)
{
	assert_ptr_equal(sink, &w);
	w.batch[w.calls++] = n;
	w.now_ms += w.takes_ms;
	for (size_t i = 0; i < n; i++) {
		assert_int_equal(item[i]->result, SK_SUNK_RETRY);
		item[i]->result = w.decide(item[i]);
		item[i]->why = item[i]->result == SK_SUNK_OK ? NULL : sk_printf(a, "no %s", (const char *)item[i]->payload);
		if (item[i]->result == SK_SUNK_OK)
			snprintf(w.got[w.n++], sizeof w.got[0], "%s", (const char *)item[i]->payload);
	}
}

static void fake_close(void *sink)
{
	assert_ptr_equal(sink, &w);
	w.closes++;
}

static const struct sk_sink sink = { .kind = "fake", .connection = "url", .order = "key", .most_items = 10, .open = fake_open, .deliver = fake_deliver, .close = fake_close };

static int failed(void *ctx, const struct lane_failure *f)
{
	(void)ctx;
	if (w.busy)
		return -1;
	snprintf(w.failed[w.failures], sizeof w.failed[0], "%s", (const char *)f->item->sink.payload);
	snprintf(w.why[w.failures], sizeof w.why[0], "%s", f->why);
	w.token[w.failures++] = f->token;
	return 0;
}

static void chance(void *ctx, void *bytes, size_t n)
{
	(void)ctx;
	memset(bytes, 0, n);
	memcpy(bytes, &w.chance, n < sizeof w.chance ? n : sizeof w.chance);
}

static void clock_of(void *ctx, struct lane_clock *now)
{
	(void)ctx;
	*now = (struct lane_clock){ w.now_ms, w.wall_ms };
}

static void say(void *ctx, const char *line)
{
	(void)ctx;
	snprintf(w.said[w.lines++], sizeof w.said[0], "%s", line);
}

static void aim(const struct sk_sink *at, const char *url)
{
	struct sk_arena a = { 0 };
	cJSON *fields = sk_json_object(&a);

	sk_json_set_string(&a, fields, "url", url);
	sk_json_set_string(&a, fields, "key", "${topic()}");
	assert_int_equal(lane_run_aim(w.run, at, &w, fields), 0);
	sk_arena_free(&a);
}

static void open_lane(const struct lane_limits *limits)
{
	static const struct lane_limits usual = { FOR, LEAST, LONGEST };
	static const struct lane_host host = { failed, chance, clock_of, say, NULL };
	char why[200] = "";

	w.files = sk_segments_open(w.folder, 4096, why, sizeof why);
	assert_string_equal(why, "");
	w.run = lane_run_new(w.files, limits ? limits : &usual, &host);
	assert_non_null(w.run);
	aim(&sink, "fake://a");
}

static void close_lane(void)
{
	lane_run_free(&w.run);
	sk_segments_close(&w.files);
}

static int make(void **state)
{
	(void)state;
	memset(&w, 0, sizeof w);
	snprintf(w.folder, sizeof w.folder, "/tmp/lane-XXXXXX");
	w.now_ms = START_MS;
	w.wall_ms = WALL;
	w.decide = by_payload;
	if (!mkdtemp(w.folder))
		return -1;
	open_lane(NULL);
	return 0;
}

static int clear(void **state)
{
	char path[400];
	DIR *d;

	(void)state;
	close_lane();
	d = opendir(w.folder);
	for (struct dirent *one; d && (one = readdir(d));) {
		snprintf(path, sizeof path, "%s/%s", w.folder, one->d_name);
		unlink(path);
	}
	if (d)
		closedir(d);
	return rmdir(w.folder);
}

static void put_item(const struct lane_item *i)
{
	struct sk_arena a = { 0 };
	struct sk_span span;

	span.bytes = lane_item_write(&a, i, &span.size);
	assert_non_null(span.bytes);
	assert_int_equal(sk_segments_append(w.files, &span, 1), 0);
	atomic_fetch_add(&lane_numbers(w.run)->appended, 1);
	sk_arena_free(&a);
}

static void put(const char *key, const char *payload)
{
	const struct sk_sink_field field = { "key", key };
	char id[33];
	static unsigned serial;

	snprintf(id, sizeof id, "%032x", ++serial);
	put_item(&(struct lane_item){ .kind = "fake", .sink = { .field = &field, .fields = key ? 1 : 0, .payload = payload, .size = strlen(payload), .rule = "r", .topic = "t",
		.id = id, .time_ms = WALL } });
}

static void put_some(const char *key, int n)
{
	char text[16];

	for (int i = 0; i < n; i++) {
		snprintf(text, sizeof text, "%s%d", key, i);
		put(key, text);
	}
}

/* Steps until it wants to wait: the time that it would like. */
static int64_t go(void)
{
	int64_t next;
	int steps = 0;

	do
		next = lane_step(w.run);
	while (next <= w.now_ms && ++steps < 10000);
	assert_in_range(steps, 0, 9999);
	return next;
}

/* As the thread would, for so long. */
static void go_for(int64_t ms)
{
	int64_t end = w.now_ms + ms;

	for (int64_t next = go(); next <= end; next = go()) {
		w.wall_ms += next > w.now_ms ? next - w.now_ms : 0;
		w.now_ms = next > w.now_ms ? next : w.now_ms;
	}
	w.wall_ms += end > w.now_ms ? end - w.now_ms : 0;
	w.now_ms = end > w.now_ms ? end : w.now_ms;
}

static bool got(const char *payload)
{
	for (int i = 0; i < w.n; i++)
		if (!strcmp(w.got[i], payload))
			return true;
	return false;
}

static bool is_empty(void)
{
	return sk_segments_bytes(w.files) == 0;
}

static const char *last_error(void)
{
	static char text[600];
	struct sk_arena a = { 0 };
	int64_t at;
	const char *why = lane_last_error(w.run, &a, &at);

	snprintf(text, sizeof text, "%s", why ? why : "");
	sk_arena_free(&a);
	return text;
}

/* -- items -- */

static void what_was_appended_is_delivered_in_order_in_batches_and_dropped(void **state)
{
	(void)state;
	put_some("a", 25);
	assert_int_equal(go(), START_MS + 60000);
	assert_int_equal(w.n, 25);
	for (int i = 0; i < 25; i++)
		assert_int_equal(atoi(w.got[i] + 1), i);
	assert_int_equal(w.calls, 3);
	assert_int_equal(w.batch[0], 10);
	assert_true(is_empty());
	assert_int_equal(atomic_load(&lane_numbers(w.run)->state), LANE_UP);
	assert_int_equal(atomic_load(&lane_numbers(w.run)->delivered), 25);
	assert_int_equal(atomic_load(&lane_numbers(w.run)->done), 25);
	assert_string_equal(w.url, "fake://a");
}

static void a_batch_has_no_more_bytes_than_the_sink_wants_but_one_item_may(void **state)
{
	static const struct sk_sink small = { .kind = "fake", .order = "", .most_bytes = 10, .open = fake_open, .deliver = fake_deliver, .close = fake_close };
	static const char *const payloads[] = { "123456", "1234", "1", "123456789012345", "1" };

	(void)state;
	aim(&small, "fake://b");
	for (size_t i = 0; i < 5; i++)
		put(NULL, payloads[i]);
	go();
	assert_int_equal(w.calls, 4);
	assert_int_equal(w.batch[0], 2);
	assert_int_equal(w.batch[1], 1);
	assert_int_equal(w.n, 5);
}

static void what_waits_keeps_back_what_follows_under_its_key_and_nothing_else(void **state)
{
	(void)state;
	put("a", "r2");
	put("b", "b0");
	go();
	put("a", "a1");
	put("b", "b1");
	put(NULL, "x");
	go();
	assert_int_equal(w.n, 3);
	assert_true(got("b0") && got("b1") && got("x"));
	go_for(1000);
	assert_string_equal(w.got[3], "r2");
	assert_string_equal(w.got[4], "a1");
	assert_true(is_empty());
}

static void it_is_tried_again_later_each_time_up_to_a_bound(void **state)
{
	const int64_t wait[] = { 100, 200, 400, 800, 1600, 1600 };

	(void)state;
	put(NULL, "R");
	put(NULL, "x");
	for (size_t i = 0; i < sizeof wait / sizeof *wait; i++) {
		int64_t next = go();
		assert_int_equal(next - w.now_ms, wait[i]);
		w.now_ms = next;
	}
	w.chance = 799;
	assert_int_equal(go() - w.now_ms, 1600 - 799);
	assert_int_equal(w.n, 1);
	assert_string_equal(last_error(), "no R");
}

static enum sk_sunk later(const struct sk_sink_item *i)
{
	((struct sk_sink_item *)(uintptr_t)i)->retry_ms = i->attempt ? INT64_MAX : 5000;
	return by_payload(i);
}

static void the_other_side_may_ask_for_more_time_but_not_for_ever(void **state)
{
	(void)state;
	w.decide = later;
	put(NULL, "R");
	put(NULL, "x");
	assert_int_equal(go(), START_MS + 5000);
	w.now_ms += 5000;
	assert_int_equal(go() - w.now_ms, 60000); /* the sink is closed */
	go_for(3599999);
	assert_int_equal(w.calls, 2);
	go_for(2);
	assert_int_equal(w.calls, 3);
}

/* -- a sink that is down -- */

static void a_sink_that_is_down_is_tried_by_one_item_at_a_time_each_time_another(void **state)
{
	(void)state;
	w.decide = down;
	put_some("a", 1);
	put_some("b", 1);
	put_some("c", 1);
	assert_int_equal(go(), START_MS + 100);
	assert_int_equal(w.batch[0], 3);
	put_some("d", 30);
	go_for(10000);
	assert_in_range(w.calls, 8, 12);
	for (int i = 1; i < w.calls; i++)
		assert_int_equal(w.batch[i], 1);
	assert_int_equal(w.n, 0);
	assert_int_equal(atomic_load(&lane_numbers(w.run)->state), LANE_DOWN);
	assert_int_equal(w.lines, 1);
	assert_non_null(strstr(w.said[0], "is down: no "));
	w.decide = ok;
	go_for(2000);
	assert_int_equal(w.n, 33);
	assert_string_equal(w.said[1], "is up again");
	assert_true(is_empty());
}

static void one_item_that_is_never_taken_keeps_no_other_from_it(void **state)
{
	(void)state;
	put("p", "R");
	go();
	put_some("a", 5);
	go();
	assert_int_equal(w.n, 5);
	go_for(20000);
	put_some("b", 5);
	go_for(1);
	assert_int_equal(w.n, 10);
	assert_false(is_empty());
}

static void one_that_is_never_taken_does_not_keep_a_sink_down_that_has_come_up(void **state)
{
	(void)state;
	w.decide = down;
	put("p", "R");
	put_some("a", 5);
	go_for(10000);
	w.decide = by_payload;
	go_for(2 * LONGEST);
	assert_int_equal(w.n, 5);
}

static void a_sink_that_cannot_be_opened_is_down_and_says_why(void **state)
{
	(void)state;
	w.closed = true;
	put_some("a", 2);
	go_for(5000);
	assert_in_range(w.opens, 5, 10);
	assert_int_equal(w.calls, 0);
	assert_string_equal(last_error(), "it is closed");
	w.closed = false;
	go_for(2000);
	assert_int_equal(w.n, 2);
}

static void without_a_sink_all_waits_until_there_is_one(void **state)
{
	(void)state;
	aim(NULL, "fake://a");
	put_some("a", 2);
	go_for(5000);
	assert_non_null(strstr(last_error(), "nothing here carries out"));
	assert_int_equal(w.opens, 0);
	aim(&sink, "fake://a");
	go_for(2000);
	assert_int_equal(w.n, 2);
}

static void it_is_closed_when_it_has_been_idle_and_opened_anew_when_its_rule_says_another_place(void **state)
{
	(void)state;
	put("a", "a0");
	go();
	go_for(59000);
	assert_int_equal(w.closes, 0);
	go_for(2000);
	assert_int_equal(w.closes, 1);
	assert_int_equal(atomic_load(&lane_numbers(w.run)->state), LANE_IDLE);
	put("a", "a1");
	go();
	assert_int_equal(w.opens, 2);
	aim(&sink, "fake://b");
	put("a", "a2");
	go();
	assert_int_equal(w.opens, 3);
	assert_string_equal(w.url, "fake://b");
	assert_int_equal(w.closes, 2);
}

/* -- failures -- */

static void what_fails_is_handed_over_and_gone_when_that_has_ended(void **state)
{
	(void)state;
	put("a", "f1");
	put("a", "a1");
	go();
	assert_int_equal(w.n, 1);
	assert_int_equal(w.failures, 1);
	assert_string_equal(w.failed[0], "f1");
	assert_string_equal(w.why[0], "no f1");
	assert_false(is_empty());
	go_for(10000);
	assert_int_equal(w.failures, 1);
	lane_settled(w.run, w.token[0], true);
	go();
	assert_true(is_empty());
	assert_int_equal(atomic_load(&lane_numbers(w.run)->failed), 1);
}

static void a_failure_that_could_not_be_dealt_with_comes_again(void **state)
{
	(void)state;
	w.busy = true;
	put("a", "f1");
	go_for(5000);
	assert_int_equal(w.failures, 0);
	w.busy = false;
	go_for(1000);
	assert_int_equal(w.failures, 1);
	lane_settled(w.run, w.token[0], false);
	go_for(900);
	assert_int_equal(w.failures, 1);
	go_for(200);
	assert_int_equal(w.failures, 2);
	assert_string_equal(w.why[1], "no f1");
	lane_settled(w.run, w.token[1], true);
	go();
	assert_true(is_empty());
}

static void many_failures_are_under_way_sixteen_at_a_time_among_what_goes_well(void **state)
{
	char text[16];

	(void)state;
	for (int i = 0; i < 100; i++) {
		snprintf(text, sizeof text, "%s%d", i % 2 ? "f" : "a", i);
		put("k", text);
	}
	go();
	assert_int_equal(w.n, 50);
	assert_int_equal(w.failures, 16);
	for (int i = 0; i < 50; i++) {
		lane_settled(w.run, w.token[i], true);
		go();
	}
	assert_int_equal(w.failures, 50);
	assert_true(is_empty());
}

static void what_was_tried_for_so_long_has_failed(void **state)
{
	(void)state;
	put("p", "R");
	put("q", "x");
	go_for(FOR - 10000);
	assert_int_equal(w.failures, 0);
	go_for(20000);
	assert_int_equal(w.failures, 1);
	assert_string_equal(w.why[0], "gave up after 1h: no R");
}

static void what_a_dead_sink_keeps_waiting_has_failed_too_but_not_before_it_was_tried_for_a_minute(void **state)
{
	(void)state;
	w.decide = down;
	w.wall_ms += 10 * FOR;
	put_some("a", 20);
	go_for(59000);
	assert_int_equal(w.failures, 0);
	go_for(5000);
	assert_int_equal(w.failures, 16);
	for (int i = 0; i < 20; i++) {
		lane_settled(w.run, w.token[i], true);
		go();
	}
	assert_int_equal(w.failures, 20);
	assert_true(is_empty());
}

static void a_rule_may_try_for_ever(void **state)
{
	static const struct lane_limits limits = { 0, LEAST, LONGEST };

	(void)state;
	close_lane();
	open_lane(&limits);
	put("p", "R");
	put("q", "x");
	w.wall_ms += 1000 * (int64_t)FOR;
	go_for(1000000);
	assert_int_equal(w.failures, 0);
}

/* -- files -- */

/* As kill -9: each step has told the files all that it knew, so that nothing more is told here. */
static void kill_it(void)
{
	close_lane();
	open_lane(NULL);
}

static void what_is_left_is_delivered_by_the_next_life(void **state)
{
	(void)state;
	put("a", "R");
	put_some("b", 30);
	w.decide = by_payload;
	go();
	assert_int_equal(w.n, 30);
	put_some("c", 5);
	kill_it();
	w.decide = ok;
	go();
	assert_true(got("R") && got("c4"));
	assert_true(is_empty());
	assert_int_equal(atomic_load(&lane_numbers(w.run)->found), 36);
	assert_int_equal(atomic_load(&lane_numbers(w.run)->done), 36);
}

static void nothing_comes_twice_that_lies_before_all_that_waits(void **state)
{
	(void)state;
	put_some("a", 100);
	for (int i = 0; i < 5; i++)
		lane_step(w.run);
	assert_int_equal(w.n, 50);
	kill_it();
	go();
	assert_int_equal(w.n, 100);
	for (int i = 0; i < 100; i++)
		assert_int_equal(atoi(w.got[i] + 1), i);
}

static void a_window_that_is_full_of_what_waits_lets_nothing_more_in(void **state)
{
	(void)state;
	for (int i = 0; i < 3000; i++)
		put("a", "R");
	put("b", "b0");
	go_for(20000);
	assert_false(got("b0"));
	w.decide = ok;
	go_for(5000);
	assert_true(got("b0"));
	assert_int_equal(w.n, 3001);
	assert_true(is_empty());
}

static void what_is_no_item_is_passed_over_and_told(void **state)
{
	const struct sk_span foreign = { "not an item", 11 };

	(void)state;
	put("a", "a0");
	assert_int_equal(sk_segments_append(w.files, &foreign, 1), 0);
	put("a", "a1");
	go();
	assert_int_equal(w.n, 2);
	assert_true(is_empty());
	assert_non_null(strstr(last_error(), "no items"));
	assert_int_equal(w.lines, 1);
}

static void the_time_that_a_delivery_takes_does_not_shorten_the_wait_for_the_next(void **state)
{
	(void)state;
	w.takes_ms = 5000;
	w.decide = down;
	put_some("a", 3);
	assert_int_equal(lane_step(w.run), START_MS + 5000 + 100);
}

int main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, make, clear)
	const struct CMUnitTest tests[] = {
		T(what_was_appended_is_delivered_in_order_in_batches_and_dropped),
		T(a_batch_has_no_more_bytes_than_the_sink_wants_but_one_item_may),
		T(what_waits_keeps_back_what_follows_under_its_key_and_nothing_else),
		T(it_is_tried_again_later_each_time_up_to_a_bound),
		T(the_other_side_may_ask_for_more_time_but_not_for_ever),
		T(a_sink_that_is_down_is_tried_by_one_item_at_a_time_each_time_another),
		T(one_item_that_is_never_taken_keeps_no_other_from_it),
		T(one_that_is_never_taken_does_not_keep_a_sink_down_that_has_come_up),
		T(a_sink_that_cannot_be_opened_is_down_and_says_why),
		T(without_a_sink_all_waits_until_there_is_one),
		T(it_is_closed_when_it_has_been_idle_and_opened_anew_when_its_rule_says_another_place),
		T(what_fails_is_handed_over_and_gone_when_that_has_ended),
		T(a_failure_that_could_not_be_dealt_with_comes_again),
		T(many_failures_are_under_way_sixteen_at_a_time_among_what_goes_well),
		T(what_was_tried_for_so_long_has_failed),
		T(what_a_dead_sink_keeps_waiting_has_failed_too_but_not_before_it_was_tried_for_a_minute),
		T(a_rule_may_try_for_ever),
		T(what_is_left_is_delivered_by_the_next_life),
		T(nothing_comes_twice_that_lies_before_all_that_waits),
		T(a_window_that_is_full_of_what_waits_lets_nothing_more_in),
		T(what_is_no_item_is_passed_over_and_told),
		T(the_time_that_a_delivery_takes_does_not_shorten_the_wait_for_the_next),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
