/* rules_lane_memory_test.c -- a lane whose memory runs out at every point in turn: what was appended is delivered or has failed, each item once, and in the order of its
 * key; nothing is left behind. */
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

#include "plugins/rules/lane_step.h"
#include "tests/unit/scarce.h"

enum { ITEMS = 40 };

static struct {
	char folder[64];
	struct sk_segments *files;
	struct lane_run *run;
	int64_t now_ms;
	int taken[ITEMS], failed[ITEMS], last;
	bool aimed;
} w;

static void *fake_open(void *state, const cJSON *fields, char *why, size_t why_size)
{
	(void)state, (void)why, (void)why_size;
	return sk_json_text(fields, "url") ? &w : NULL;
}

/* Every seventh fails, every fifth is put off once, and with it what follows. */
static void fake_deliver(void *sink, struct sk_sink_item *const *item, size_t n, struct sk_arena *a)
{
	bool held = false;

	(void)sink;
	for (size_t i = 0; i < n; i++) {
		int number = atoi(item[i]->payload);
		held = held || (number % 5 == 0 && !item[i]->attempt);
		item[i]->why = sk_printf(a, "no %d", number);
		if (held)
			continue;
		item[i]->result = number % 7 ? SK_SUNK_OK : SK_SUNK_FAIL;
		w.taken[number] += number % 7 != 0;
		if (number % 7) {
			assert_true(number > w.last);
			w.last = number;
		}
	}
}

static void fake_close(void *sink)
{
	(void)sink;
}

static const struct sk_sink sink = { .kind = "fake", .connection = "url", .most_items = 8, .open = fake_open, .deliver = fake_deliver, .close = fake_close };

static int failed(void *ctx, const struct lane_failure *f)
{
	(void)ctx;
	w.failed[atoi(f->item->sink.payload)]++;
	lane_settled(w.run, f->token, true);
	return 0;
}

static void chance(void *ctx, void *bytes, size_t n)
{
	(void)ctx;
	memset(bytes, 0, n);
}

static void clock_of(void *ctx, struct lane_clock *now)
{
	(void)ctx;
	*now = (struct lane_clock){ w.now_ms, 1000 };
}

static void say(void *ctx, const char *line)
{
	(void)ctx, (void)line;
}

static void put(int number)
{
	struct sk_arena a = { 0 };
	char text[16], id[33];
	struct sk_span span;

	snprintf(text, sizeof text, "%d", number);
	snprintf(id, sizeof id, "%032x", (unsigned)number);
	span.bytes = lane_item_write(&a, &(struct lane_item){ .kind = "fake", .sink = { .payload = text, .size = strlen(text), .rule = "r", .topic = "t", .id = id, .time_ms = 1 } }, &span.size);
	assert_int_equal(sk_segments_append(w.files, &span, 1), 0);
	sk_arena_free(&a);
}

static void begin(void)
{
	char why[200];

	scarce_plenty();
	memset(w.taken, 0, sizeof w.taken);
	memset(w.failed, 0, sizeof w.failed);
	w.last = -1;
	w.now_ms = 1000;
	w.aimed = false;
	w.files = sk_segments_open(w.folder, 0, why, sizeof why);
	assert_non_null(w.files);
	for (int i = 0; i < ITEMS; i++)
		put(i);
	scarce_again();
}

static void end(void)
{
	scarce_plenty();
	lane_run_free(&w.run);
	sk_segments_close(&w.files);
	scarce_again();
}

static void aim(void)
{
	struct sk_arena a = { 0 };
	cJSON *fields = sk_json_object(&a);

	sk_json_set_string(&a, fields, "url", "fake://a");
	w.aimed = w.aimed || !lane_run_aim(w.run, &sink, NULL, fields);
	sk_arena_free(&a);
}

static void steps(int n)
{
	for (int i = 0; i < n; i++) {
		lane_step(w.run);
		w.now_ms += 100;
	}
}

static bool it_delivers(void *ctx)
{
	static const struct lane_limits limits = { 0, 10, 50 };
	static const struct lane_host host = { failed, chance, clock_of, say, NULL };

	(void)ctx;
	begin();
	w.run = lane_run_new(w.files, &limits, &host);
	if (w.run) {
		aim();
		steps(40);
	}
	scarce_plenty();
	if (!w.run)
		w.run = lane_run_new(w.files, &limits, &host);
	aim();
	steps(60);
	for (int i = 0; i < ITEMS; i++) {
		assert_int_equal(w.taken[i], i % 7 != 0);
		assert_int_equal(w.failed[i], i % 7 == 0);
	}
	assert_int_equal(sk_segments_bytes(w.files), 0);
	scarce_again();
	end();
	return true;
}

static void a_lane(void **state)
{
	(void)state;
	assert_true(scarce_everywhere(it_delivers, NULL) > 10);
}

static int make(void **state)
{
	(void)state;
	snprintf(w.folder, sizeof w.folder, "/tmp/lane-memory-XXXXXX");
	return mkdtemp(w.folder) ? 0 : -1;
}

static int clear(void **state)
{
	char path[400];
	DIR *d = opendir(w.folder);

	(void)state;
	for (const struct dirent *one; d && (one = readdir(d));) {
		snprintf(path, sizeof path, "%s/%s", w.folder, one->d_name);
		unlink(path);
	}
	if (d)
		closedir(d);
	return rmdir(w.folder);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(a_lane, make, clear),
	};
	scarce_libraries();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
