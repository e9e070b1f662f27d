/* rules_engine_memory_test.c -- rules come into force, are replaced and go, messages are fed and folders exchanged with memory that fails at every point in
 * turn: what was in force stays in force, whole, and nothing is left behind. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "plugins/rules/engine_files.h"
#include "plugins/rules/engine_trace.h"
#include "plugins/rules/engine_unit.h"
#include "tests/unit/rules_fake.h"
#include "tests/unit/scarce.h"

static struct rules_fake f;

static void open_engine(int threads)
{
	scarce_plenty();
	assert_true(rules_fake_open(&f, threads, 1 << 14));
	scarce_again();
}

static struct live_rule *find(const char *name)
{
	return live_find(&f.engine->table, name);
}

/* -- an engine -- */

static bool it_opens(void *ctx)
{
	bool good = rules_fake_open(&f, 3, 1 << 12);
	(void)ctx;
	rules_fake_close(&f);
	return good;
}

static void an_engine(void **state)
{
	(void)state;
	assert_true(scarce_everywhere(it_opens, NULL) > 10);
}

/* -- records -- */

/* What the feed does is what the table says: that many rules get a message of that topic. */
static void messages_go_where_the_table_says(const char *topic, size_t wanted)
{
	size_t n = 0;
	assert_int_equal(rules_fake_feed(&f, topic, "{}"), SK_PASS);
	for (int k = 0; k < f.engine->threads; k++)
		for (struct rules_message *m; (m = rules_fake_read(&f, k)); rules_fake_done(&f, k, m))
			n += m->rules;
	assert_int_equal(n, wanted);
}

static void tell(const char *name, const char *filter, const char *record)
{
	scarce_plenty();
	struct sk_bytes *first = sk_bytes_new(filter, strlen(filter)), *second = sk_bytes_new(record, strlen(record));
	scarce_again();
	assert_int_equal(engine_watch_filter(&f.options, name, first), 0);
	assert_int_equal(engine_watch_rule(&f.options, name, second), 0);
	sk_bytes_unref(first);
	sk_bytes_unref(second);
}

static const char record[] = "{\"payload\":{\"sql\":\"SELECT * FROM 'any'\",\"actions\":[]}}";

static bool is(const char *name, const char *filter)
{
	const struct live_rule *r = find(name);
	return r && !strcmp(r->filter, filter);
}

static bool records_come_and_go(void *ctx)
{
	bool good = true;
	char name[16];
	(void)ctx;
	open_engine(2);
	for (int i = 0; i < 70; i++) {
		snprintf(name, sizeof name, "r%d", i);
		tell(name, "{\"filter\":\"a/+\"}", record);
		assert_true(!find(name) || is(name, "a/+"));
		good = good && find(name);
		messages_go_where_the_table_says("a/x", f.engine->table.count);
	}
	size_t count = f.engine->table.count, moved = 0;
	for (int i = 0; i < 70; i += 2) {
		snprintf(name, sizeof name, "r%d", i);
		const struct live_rule *before = find(name);
		tell(name, "{\"filter\":\"b/c\"}", record);
		assert_true(find(name) == before || is(name, "b/c"));
		good = good && is(name, "b/c");
		count += !before && find(name);
		moved += find(name) && is(name, "b/c");
		messages_go_where_the_table_says("b/c", moved);
		messages_go_where_the_table_says("a/x", count - moved);
	}
	for (int i = 0; i < 70; i++) {
		snprintf(name, sizeof name, "r%d", i);
		assert_int_equal(engine_watch_rule(&f.options, name, NULL), 0);
		assert_null(find(name));
	}
	assert_null(f.engine->next);
	messages_go_where_the_table_says("a/x", 0);
	messages_go_where_the_table_says("b/c", 0);
	rules_fake_close(&f);
	return good && !scarce_failed(); /* what the index could not give back is no fault */
}

static void records_of_rules(void **state)
{
	(void)state;
	assert_true(scarce_often(400, records_come_and_go, NULL) > 300);
}

/* -- messages and rules out of force, with full rings -- */

static bool rings_are_full(void *ctx)
{
	(void)ctx;
	open_engine(3);
	scarce_plenty();
	struct live_rule *r = rules_fake_rule("r", "a/+"), *next = rules_fake_rule("r", "a/#");
	assert_int_equal(engine_put(f.engine, r), 0);
	scarce_again();
	for (int i = 0; i < 200; i++) {
		char topic[16];
		snprintf(topic, sizeof topic, "a/%d", i);
		while (rules_fake_feed(&f, topic, "{\"n\":1}") == SK_PASS)
			continue;
	}
	bool good = engine_put(f.engine, next) == 0;
	assert_ptr_equal(find("r"), good ? next : r);
	if (!good)
		live_unref(next);
	engine_drop(f.engine, "r");
	assert_null(find("r"));
	for (int k = 0; k < 3; k++)
		rules_fake_drain(&f, k);
	engine_turn(f.engine);
	assert_null(f.engine->retiring);
	for (int k = 0; k < 3; k++)
		assert_int_equal(rules_fake_drain(&f, k), good ? 2 : 1);
	rules_fake_close(&f);
	return good;
}

/* Nothing of this asks for memory: there is no point at which it could fail. */
static void messages(void **state)
{
	(void)state;
	assert_int_equal(scarce_everywhere(rings_are_full, NULL), 0);
}

/* -- a program: what there was no memory for is tried again -- */

static bool it_compiles(void *ctx)
{
	struct sk_arena a = { 0 };
	const struct rules_settings s = { .strict_aws = false };
	int64_t at;
	(void)ctx;
	scarce_plenty();
	struct live_rule *r = rules_fake_rule("r", "a/+");
	scarce_again();
	const struct rules_rule *first = live_program(r, &s);
	scarce_plenty();
	const char *why = live_last_error(r, &a, &at);
	assert_true(first || !why || !strcmp(why, "memory is out"));
	const struct rules_rule *second = live_program(r, &s);
	assert_true(second && (!first || first == second));
	sk_arena_free(&a);
	scarce_again();
	live_unref(r);
	return first;
}

static void a_program(void **state)
{
	(void)state;
	assert_true(scarce_everywhere(it_compiles, NULL) > 1);
}

/* -- traces -- */

static bool traces_are_kept(void *ctx)
{
	struct sk_arena a = { 0 }, b = { 0 };
	struct trace_log *t = trace_log_new();
	(void)ctx;
	for (int i = 0; t && i < 70; i++) {
		cJSON *entry = sk_json_object(&a);
		sk_json_set_int(&a, entry, "n", i);
		trace_log_add(t, &a, entry);
		sk_arena_reset(&a, 1 << 14);
	}
	cJSON *list = sk_json_array(&b);
	if (t)
		trace_log_read(t, 0, &b, list);
	bool good = t && sk_json_count(list) == 64;
	trace_log_free(t);
	sk_arena_free(&a);
	sk_arena_free(&b);
	return good;
}

static void traces(void **state)
{
	(void)state;
	assert_true(scarce_everywhere(traces_are_kept, NULL) > 70);
}

/* -- folders: `one` is in force and `two` comes instead. same.lua is in both -- */

enum { RULES = 40 };
static char folder[64], one[80], two[80];

static void write_rules(const char *in, const char *file, const char *prefix, const char *topic)
{
	char path[128];
	snprintf(path, sizeof path, "%s/%s", in, file);
	FILE *to = fopen(path, "w");
	assert_non_null(to);
	for (int i = 0; i < RULES; i++)
		fprintf(to, "rule \"%s%d\" { topic = \"%s/%d\", run = function(m) end }\n", prefix, i, topic, i);
	fprintf(to, "rule \"%ssql\" { sql = [[SELECT n FROM '%s/sql' WHERE n > 1]], run = function(m) end }\n", prefix, topic);
	assert_int_equal(fclose(to), 0);
}

static int make_folders(void **state)
{
	const char *tmp = getenv("TMPDIR");
	(void)state;
	snprintf(folder, sizeof folder, "%.40s/rules-XXXXXX", tmp ? tmp : "/tmp");
	if (!mkdtemp(folder))
		return -1;
	snprintf(one, sizeof one, "%s/one", folder);
	snprintf(two, sizeof two, "%s/two", folder);
	if (mkdir(one, 0700) || mkdir(two, 0700))
		return -1;
	write_rules(one, "gone.lua", "gone", "t");
	write_rules(one, "other.lua", "other", "before");
	write_rules(one, "same.lua", "same", "t");
	write_rules(two, "new.lua", "new", "t");
	write_rules(two, "other.lua", "other", "after");
	write_rules(two, "same.lua", "same", "t");
	return 0;
}

static int remove_folders(void **state)
{
	char command[128];
	(void)state;
	snprintf(command, sizeof command, "rm -rf '%s'", folder);
	return system(command);
}

static struct folder_set *read_folder(const char *path, const struct folder_set *before)
{
	char why[256] = "";
	struct folder_set *s = folder_set_read(f.engine, path, before, why, sizeof why);
	assert_true(s || why[0]);
	return s;
}

/* All rules of one of the folders, and none of the other. */
static void in_force(const char *which, bool same, bool gone, bool fresh)
{
	char name[32], topic[32];
	assert_int_equal(f.engine->table.count, (RULES + 1) * 3);
	for (int i = 0; i < RULES; i++) {
		snprintf(name, sizeof name, "gone%d", i);
		assert_int_equal(find(name) != NULL, gone);
		snprintf(name, sizeof name, "new%d", i);
		assert_int_equal(find(name) != NULL, fresh);
		snprintf(name, sizeof name, "same%d", i);
		assert_int_equal(find(name) != NULL, same);
		snprintf(name, sizeof name, "other%d", i);
		snprintf(topic, sizeof topic, "%s/%d", which, i);
		assert_true(is(name, topic));
		messages_go_where_the_table_says(topic, 1);
	}
	messages_go_where_the_table_says("t/1", 2);
	messages_go_where_the_table_says(gone ? "after/1" : "before/1", 0);
}

/* scarce: only the exchange, or all of it. */
static bool exchange(bool reading)
{
	char why[256] = "";
	open_engine(2);
	scarce_plenty();
	struct folder_set *before = read_folder(one, NULL), *next;
	assert_int_equal(folder_set_swap(f.engine, NULL, before, why, sizeof why), 0);
	const struct live_rule *kept = find("same3");
	if (reading)
		scarce_again();
	next = read_folder(two, before);
	if (!reading)
		scarce_again();
	bool good = next && !folder_set_swap(f.engine, before, next, why, sizeof why);
	assert_true(good || !next || !strcmp(why, "memory is out"));
	in_force(good ? "after" : "before", true, !good, good);
	assert_ptr_equal(find("same3"), kept);
	folder_set_free(&before);
	folder_set_free(&next);
	rules_fake_close(&f);
	return good;
}

static bool it_is_exchanged(void *ctx)
{
	(void)ctx;
	return exchange(false);
}

static bool it_is_read_and_exchanged(void *ctx)
{
	(void)ctx;
	return exchange(true);
}

static void exchanging_folders(void **state)
{
	(void)state;
	assert_true(scarce_often(100, it_is_exchanged, NULL) > 10);
}

static void reading_folders(void **state)
{
	(void)state;
	assert_true(scarce_often(100, it_is_read_and_exchanged, NULL) > 100);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_engine), cmocka_unit_test(records_of_rules), cmocka_unit_test(messages), cmocka_unit_test(a_program), cmocka_unit_test(traces),
		cmocka_unit_test(exchanging_folders), cmocka_unit_test(reading_folders),
	};
	scarce_libraries();
	return cmocka_run_group_tests(tests, make_folders, remove_folders);
}
