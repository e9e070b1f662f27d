/* rules_recorder_test.c -- the flight recorder: which messages it keeps, once each, what it says of them, and what it does without room. The threads do not run:
 * the test reads the rings. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <dirent.h>
#include <signal.h>
#include <sys/resource.h>
#include <unistd.h>

#include "core/segments.h"
#include "core/topic.h"
#include "plugins/rules/engine_recorder.h"
#include "plugins/rules/engine_unit.h"
#include "rules/recorded.h"
#include "tests/unit/rules_fake.h"

enum { THREADS = 3, RING = 4096, ROOM = 1 << 17 };

static struct rules_fake fake;
static char folder[64];

static int open_fake(void **state)
{
	(void)state;
	snprintf(folder, sizeof folder, "/tmp/recorder-XXXXXX");
	return mkdtemp(folder) && rules_fake_open(&fake, THREADS, RING) ? 0 : -1;
}

static int shut(void **state)
{
	char path[400];
	DIR *d = opendir(folder);
	(void)state;
	rules_fake_close(&fake);
	for (struct dirent *one; d && (one = readdir(d));) {
		snprintf(path, sizeof path, "%s/%s", folder, one->d_name);
		unlink(path);
	}
	if (d)
		closedir(d);
	return rmdir(folder);
}

static void record(uint64_t most, const char *topics)
{
	char why[200] = "";
	const struct recorder_settings s = { .folder = folder, .most = most, .age_ms = 3600000, .topics = topics };
	fake.engine->recorder = recorder_open(&s, why, sizeof why);
	assert_string_equal(why, "");
	assert_non_null(fake.engine->recorder);
}

static void put(const char *name, const char *filter)
{
	assert_int_equal(engine_put(fake.engine, rules_fake_rule(name, filter)), 0);
}

static void put_lua(const char *name, const char *filter, int thread)
{
	struct live_rule *r = live_new(name, filter, NULL);
	r->unit = lua_unit_new("doors.lua", NULL);
	r->unit->thread = thread;
	r->runs_lua = true;
	assert_int_equal(engine_put(fake.engine, r), 0);
}

/* As the threads do: how many messages were for rules. */
static size_t work(void)
{
	size_t rules = 0;
	for (int k = 0; k < THREADS; k++) {
		for (struct rules_message *m; (m = rules_fake_read(&fake, k));) {
			rules += !m->recorded || recorder_note(fake.engine->recorder, k, m);
			rules_fake_done(&fake, k, m);
		}
		recorder_flush(fake.engine->recorder, k);
	}
	return rules;
}

/* The topics that are in the folder, in no order that matters: "a b ". */
static const char *topics(void)
{
	static char text[4096], buffer[ROOM];
	char why[100];
	struct sk_segments *s = sk_segments_open_read(folder, why, sizeof why);
	struct sk_place at = { 0, 0 };
	size_t need, size;
	text[0] = '\0';
	for (long n; (n = sk_segments_read(s, &at, buffer, sizeof buffer, &need)) > 0;) {
		size_t i = 0;
		for (const void *r; (r = sk_segments_next(buffer, (size_t)n, &i, &size));) {
			struct rules_recorded m;
			assert_int_equal(rules_recorded_read(r, size, &m), 0);
			assert_memory_equal(m.payload, "{}", 3);
			strcat(strcat(text, m.topic), " ");
		}
	}
	sk_segments_close(&s);
	return text;
}

static void what_matches_a_rule_is_kept_once(void **state)
{
	(void)state;
	record(1 << 20, NULL);
	put("sql", "a/+");
	put("other", "a/#");
	put_lua("one", "a/b", 1);
	put_lua("two", "a/b", 2);
	assert_int_equal(rules_fake_feed(&fake, "a/b", "{}"), SK_PASS);
	assert_int_equal(rules_fake_feed(&fake, "b", "{}"), SK_PASS);
	assert_true(work() >= 2);
	assert_string_equal(topics(), "a/b ");
	work();
	assert_string_equal(topics(), "a/b ");
}

static void topics_are_kept_whether_a_rule_matches_or_not(void **state)
{
	(void)state;
	record(1 << 20, " x/#  y ");
	put("sql", "a");
	put("both", "x/1");
	rules_fake_feed(&fake, "a", "{}");
	rules_fake_feed(&fake, "x/1", "{}");
	assert_int_equal(work(), 2);
	assert_string_equal(topics(), "x/1 ");
	rules_fake_feed(&fake, "y", "{}");
	assert_int_equal(work(), 0);
	assert_string_equal(topics(), "x/1 y ");
	rules_fake_feed(&fake, "z", "{}");
	work();
	assert_string_equal(topics(), "x/1 y ");
}

static void basic_ingest_keeps_its_topic(void **state)
{
	const struct sk_topic_match own = { .capture = { { "sql", 3 }, { "u/v", 3 } }, .captures = 2 };
	const struct sk_feed feed = { .topic = "$aws/rules/sql/u/v", .payload = "{}", .size = 2, .own = &own };
	(void)state;
	record(1 << 20, NULL);
	put("sql", "a");
	assert_int_equal(engine_message(fake.engine, &feed), SK_PASS);
	work();
	assert_string_equal(topics(), "$aws/rules/sql/u/v ");
}

/* A full ring refuses nobody for the recorder's sake. */
static void without_room_it_is_left_out_and_told_once(void **state)
{
	int n = 0;
	(void)state;
	record(1 << 20, "x");
	for (; n < 1000; n++)
		assert_int_equal(rules_fake_feed(&fake, "x", "{}"), SK_PASS);
	assert_true(rules_fake_said(&fake, "the ring of its thread is full"));
	assert_false(rules_fake_said(&fake, "recorder"));
	work();
	assert_true(rules_fake_said(&fake, "the recorder goes on; "));
	const char *kept = topics();
	assert_true(strlen(kept) > 10 && strlen(kept) < 2000);
}

static void a_full_disk_is_told_once_and_passes(void **state)
{
	struct rlimit most = { 300, RLIM_INFINITY };
	(void)state;
	record(1 << 20, NULL);
	put("sql", "a");
	signal(SIGXFSZ, SIG_IGN);
	setrlimit(RLIMIT_FSIZE, &most);
	for (int i = 0; i < 20; i++) {
		rules_fake_feed(&fake, "a", "{}");
		assert_int_equal(work(), 1);
	}
	most.rlim_cur = RLIM_INFINITY;
	setrlimit(RLIMIT_FSIZE, &most);
	assert_true(rules_fake_said(&fake, "the recorder: File too large: what comes now is not recorded"));
	size_t kept = strlen(topics()) / 2;
	char line[100];
	assert_true(kept > 0 && kept < 20);
	rules_fake_feed(&fake, "a", "{}");
	work();
	snprintf(line, sizeof line, "the recorder goes on; %zu messages are missing", 20 - kept);
	assert_true(rules_fake_said(&fake, line));
	assert_int_equal(strlen(topics()) / 2, kept + 1);
}

static void it_keeps_so_many_bytes(void **state)
{
	char why[100];
	(void)state;
	record(64 << 10, NULL);
	put("sql", "a");
	for (int i = 0; i < 3000; i++) {
		rules_fake_feed(&fake, "a", "{}");
		work();
	}
	struct sk_segments *s = sk_segments_open_read(folder, why, sizeof why);
	assert_true(sk_segments_bytes(s) <= 64 << 10 && sk_segments_bytes(s) > 48 << 10);
	sk_segments_close(&s);
}

/* However few they are, and though the first segment is not full. */
static void what_is_too_old_goes_with_what_comes(void **state)
{
	char why[200];
	const struct recorder_settings s = { .folder = folder, .most = 1 << 20, .age_ms = 40 };
	(void)state;
	fake.engine->recorder = recorder_open(&s, why, sizeof why);
	assert_non_null(fake.engine->recorder);
	put("first", "first");
	put("later", "later");
	rules_fake_feed(&fake, "first", "{}");
	do {
		work();
		rules_fake_feed(&fake, "later", "{}");
		usleep(1000);
	} while (strstr(topics(), "first"));
	assert_non_null(strstr(topics(), "later"));
}

static void what_cannot_be_is_refused(void **state)
{
	char why[200];
	(void)state;
	struct recorder_settings s = { .folder = folder, .most = 1 << 20, .topics = "a b/#/c" };
	assert_null(recorder_open(&s, why, sizeof why));
	assert_string_equal(why, "plugin_opt_recorder_topics: b/#/c is no topic filter");
	s = (struct recorder_settings){ .folder = "/dev/null/x", .most = 1 << 20 };
	assert_null(recorder_open(&s, why, sizeof why));
	assert_string_equal(why, "/dev/null/x: Not a directory");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, open_fake, shut)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(what_matches_a_rule_is_kept_once),
		TEST(topics_are_kept_whether_a_rule_matches_or_not),
		TEST(basic_ingest_keeps_its_topic),
		TEST(without_room_it_is_left_out_and_told_once),
		TEST(a_full_disk_is_told_once_and_passes),
		TEST(it_keeps_so_many_bytes),
		TEST(what_is_too_old_goes_with_what_comes),
		TEST(what_cannot_be_is_refused),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
