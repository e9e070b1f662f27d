/* store_suite_cases.c -- the cases that hold for every store. Each runs on an empty store. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/unit/store_suite.h"

static struct store_fixture fixture, *const f = &fixture;
static const struct store_backend *backend;

static int setup(void **state)
{
	(void)state;
	fixture_start(f, backend);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	fixture_stop(f);
	return 0;
}

static uint64_t seq(void)
{
	return f->store->seq;
}

static void a_record_is_read_as_it_was_committed(void **state)
{
	uint64_t version, found;
	char *text;
	(void)state;

	assert_value(f, "thing/lamp/shadow", NULL);
	version = put(f, "thing/lamp/shadow", "{\"on\":true}");
	assert_true(version > 0);
	assert_true(seq() >= version);
	text = get(f, SK_RECORD, "thing/lamp/shadow", &found);
	assert_string_equal(text, "{\"on\":true}");
	assert_int_equal(found, version);
	free(text);
	fixture_settle(f);
	assert_value(f, "thing/lamp/shadow", "{\"on\":true}");
	fixture_reopen(f);
	assert_value(f, "thing/lamp/shadow", "{\"on\":true}");
	assert_true(seq() >= version);
}

static void many_records_are_read_at_once(void **state)
{
	struct sk_store_read reads[200];
	char key[200][32];
	(void)state;

	for (int i = 0; i < 200; i++) {
		snprintf(key[i], sizeof key[i], "thing/t%d/shadow", i);
		reads[i] = (struct sk_store_read){ .space = SK_RECORD, .key = key[i] };
		if (i % 3)
			assert_true(put(f, key[i], key[i]) > 0);
		if (i == 100)
			fixture_settle(f);
	}
	assert_int_equal(f->store->ops->read(f->store, reads, 200), 0);
	for (int i = 0; i < 200; i++) {
		assert_int_equal(reads[i].bytes != NULL, i % 3 != 0);
		if (reads[i].bytes)
			assert_string_equal(reads[i].bytes->data, key[i]);
		sk_bytes_unref(reads[i].bytes);
	}
}

static enum sk_commit_status put_expecting(const char *key, uint64_t version, uint64_t as_of)
{
	struct change c;

	change_start(&c, f, "registry");
	change_expect(&c, key, version, as_of);
	change_write(&c, SK_RECORD, "registry/out", "x");
	return change_run(&c);
}

static void a_stale_version_is_a_conflict(void **state)
{
	uint64_t first, second;
	(void)state;

	assert_int_equal(put_expecting("registry/a", 0, seq()), SK_COMMIT_OK);
	first = put(f, "registry/a", "1");
	assert_int_equal(put_expecting("registry/a", 0, 0), SK_COMMIT_CONFLICT);
	assert_int_equal(put_expecting("registry/a", first, first), SK_COMMIT_OK);
	second = put(f, "registry/a", "2");
	assert_true(second > first);
	assert_int_equal(put_expecting("registry/a", first, first), SK_COMMIT_CONFLICT);
	assert_int_equal(put_expecting("registry/a", second, first), SK_COMMIT_OK);
	put(f, "registry/a", NULL);
	assert_int_equal(put_expecting("registry/a", second, second), SK_COMMIT_CONFLICT);
	assert_int_equal(put_expecting("registry/a", 0, second), SK_COMMIT_OK);
}

static void versions_are_exact_after_folding_and_reopening(void **state)
{
	uint64_t first = put(f, "registry/a", "1"), gone = put(f, "registry/b", "1"), later;
	(void)state;

	put(f, "registry/b", NULL);
	fixture_settle(f);
	assert_int_equal(put_expecting("registry/a", first, 0), SK_COMMIT_OK);
	assert_int_equal(put_expecting("registry/a", first + 1, 0), SK_COMMIT_CONFLICT);
	assert_int_equal(put_expecting("registry/b", gone, 0), SK_COMMIT_CONFLICT);
	assert_int_equal(put_expecting("registry/b", 0, 0), SK_COMMIT_OK);
	fixture_reopen(f);
	assert_int_equal(put_expecting("registry/a", first, 0), SK_COMMIT_OK);
	assert_int_equal(put_expecting("registry/a", 0, 0), SK_COMMIT_CONFLICT);
	later = put(f, "registry/b", "again");
	assert_true(later > gone + 1);
}

static void a_refused_commit_writes_nothing(void **state)
{
	uint64_t as_of = seq();
	struct change c;
	(void)state;

	put(f, "registry/a", "1");
	change_start(&c, f, "registry");
	change_expect(&c, "registry/a", 0, as_of);
	change_write(&c, SK_RECORD, "registry/b", "x");
	change_write(&c, SK_EFFECT, "registry/e", "x");
	assert_int_equal(change_run(&c), SK_COMMIT_CONFLICT);
	assert_scan(f, "", "registry/a=1 ");
	free(get(f, SK_EFFECT, "registry/e", &c.commit.version));
	assert_int_equal(c.commit.version, 0);
}

static enum sk_commit_status put_expecting_structure(const char *prefix, uint64_t as_of)
{
	struct change c;

	change_start(&c, f, "other/x");
	change_expect_structure(&c, prefix, as_of);
	change_write(&c, SK_RECORD, "other/x/y", "x");
	return change_run(&c);
}

static void a_key_added_or_removed_is_a_structure_conflict(void **state)
{
	uint64_t as_of, version;
	struct change c;
	(void)state;

	version = put(f, "thing/lamp/a", "1");
	as_of = seq();
	assert_int_equal(put_expecting_structure("thing/lamp/", as_of), SK_COMMIT_OK);
	put(f, "thing/lamp/b", "1");
	assert_int_equal(put_expecting_structure("thing/lamp/", as_of), SK_COMMIT_CONFLICT);
	as_of = seq();
	change_start(&c, f, "thing/lamp");
	change_expect(&c, "thing/lamp/a", version, version);
	change_write(&c, SK_RECORD, "thing/lamp/a", "2");
	assert_int_equal(change_run(&c), SK_COMMIT_OK);
	assert_int_equal(put_expecting_structure("thing/lamp/", as_of), SK_COMMIT_OK);
	as_of = seq();
	put(f, "thing/lamp/b", NULL);
	assert_int_equal(put_expecting_structure("thing/lamp/", as_of), SK_COMMIT_CONFLICT);
	assert_int_equal(put_expecting_structure("thing/lamp/", seq()), SK_COMMIT_OK);
}

static void a_structure_conflict_is_seen_after_folding_and_by_wide_prefixes(void **state)
{
	uint64_t as_of;
	(void)state;

	put(f, "thing/lamp/a", "1");
	fixture_settle(f);
	as_of = seq();
	put(f, "thing/lamp/a", NULL);
	fixture_settle(f);
	assert_int_equal(put_expecting_structure("thing/lamp/", as_of), SK_COMMIT_CONFLICT);
	as_of = seq();
	put(f, "thing/lamp/a", "1");
	assert_int_equal(put_expecting_structure("thing/", as_of), SK_COMMIT_CONFLICT);
	assert_int_equal(put_expecting_structure("", as_of), SK_COMMIT_CONFLICT);
}

static void a_commit_of_two_partitions_is_refused(void **state)
{
	struct change c;
	(void)state;

	change_start(&c, f, "thing/lamp");
	change_write(&c, SK_RECORD, "thing/lamp/a", "1");
	change_write(&c, SK_RECORD, "thing/valve/a", "1");
	assert_int_equal(change_run(&c), SK_COMMIT_FAILED);
	assert_non_null(c.commit.why);
	assert_value(f, "thing/lamp/a", NULL);
	change_start(&c, f, "thing/lam");
	change_write(&c, SK_RECORD, "thing/lamp/a", "1");
	assert_int_equal(change_run(&c), SK_COMMIT_FAILED);
	change_start(&c, f, "thing/lamp");
	change_write(&c, SK_RECORD, "thing/lamp/a", "1");
	change_write(&c, SK_EFFECT, "thing/valve/follow-up", "1");
	assert_int_equal(change_run(&c), SK_COMMIT_OK);
}

static void keys_have_limits(void **state)
{
	char key[SK_KEY_MAX + 2];
	(void)state;

	memset(key, 'k', sizeof key);
	memcpy(key, "registry/", 9);
	key[SK_KEY_MAX + 1] = '\0';
	assert_int_equal(put(f, key, "1"), 0);
	key[SK_KEY_MAX] = '\0';
	assert_true(put(f, key, "1") > 0);
	assert_value(f, key, "1");
	fixture_settle(f);
	assert_value(f, key, "1");
	assert_int_equal(put(f, "", "1"), 0);
}

static void values_may_be_empty_or_large(void **state)
{
	size_t size = 3 << 20;
	char *large = malloc(size + 1);
	(void)state;

	memset(large, 'v', size);
	large[size] = '\0';
	assert_true(put(f, "thing/a/large", large) > 0);
	assert_true(put(f, "thing/a/empty", "") > 0);
	assert_value(f, "thing/a/large", large);
	fixture_settle(f);
	assert_value(f, "thing/a/large", large);
	assert_value(f, "thing/a/empty", "");
	assert_scan(f, "thing/a/e", "thing/a/empty= ");
	free(large);
}

static void a_deleted_record_is_gone_whether_folded_or_not(void **state)
{
	(void)state;

	put(f, "thing/a/1", "x");
	put(f, "thing/a/2", "x");
	fixture_settle(f);
	put(f, "thing/a/1", NULL);
	put(f, "thing/a/3", "x");
	put(f, "thing/a/3", NULL);
	put(f, "thing/a/never", NULL);
	assert_scan(f, "thing/a/", "thing/a/2=x ");
	assert_value(f, "thing/a/1", NULL);
	fixture_settle(f);
	assert_scan(f, "thing/a/", "thing/a/2=x ");
	fixture_reopen(f);
	assert_scan(f, "thing/a/", "thing/a/2=x ");
	put(f, "thing/a/1", "back");
	assert_value(f, "thing/a/1", "back");
}

static void versions_never_repeat(void **state)
{
	uint64_t last = 0, version;
	(void)state;

	for (int i = 0; i < 5; i++) {
		version = put(f, "thing/a/1", "x");
		assert_true(version > last);
		last = put(f, "thing/a/1", NULL);
		assert_true(last > version);
		fixture_reopen(f);
		assert_true(seq() >= last);
	}
}

static void the_second_of_two_rivals_in_one_submission_conflicts(void **state)
{
	uint64_t version = put(f, "registry/a", "0"), as_of = seq();
	struct change c[3];
	(void)state;

	for (int i = 0; i < 3; i++) {
		change_start(&c[i], f, i == 2 ? "thing/a" : "registry");
		change_expect(&c[i], "registry/a", version, as_of);
		change_write(&c[i], SK_RECORD, i == 2 ? "thing/a/x" : "registry/a", i ? "second" : "first");
	}
	change_submit(c, 3);
	for (int i = 0; i < 3; i++) {
		change_wait(&c[i]);
		change_free(&c[i]);
		assert_int_equal(c[i].commit.status, i ? SK_COMMIT_CONFLICT : SK_COMMIT_OK);
	}
	assert_value(f, "registry/a", "first");
	assert_value(f, "thing/a/x", NULL);
}

static void a_structure_change_in_the_same_submission_conflicts(void **state)
{
	struct change c[2];
	uint64_t as_of = seq();
	(void)state;

	change_start(&c[0], f, "registry");
	change_write(&c[0], SK_RECORD, "registry/new", "1");
	change_start(&c[1], f, "registry");
	change_expect_structure(&c[1], "registry/", as_of);
	change_write(&c[1], SK_RECORD, "registry/count", "0");
	change_submit(c, 2);
	for (int i = 0; i < 2; i++) {
		change_wait(&c[i]);
		change_free(&c[i]);
	}
	assert_int_equal(c[0].commit.status, SK_COMMIT_OK);
	assert_int_equal(c[1].commit.status, SK_COMMIT_CONFLICT);
}

static void a_commit_without_writes_only_asks(void **state)
{
	uint64_t first = put(f, "registry/a", "1"), second = put(f, "registry/a", "2");
	struct change c;
	(void)state;

	change_start(&c, f, "registry");
	change_expect(&c, "registry/a", second, second);
	assert_int_equal(change_run(&c), SK_COMMIT_OK);
	change_start(&c, f, "registry");
	change_expect(&c, "registry/a", first, first);
	assert_int_equal(change_run(&c), SK_COMMIT_CONFLICT);
	assert_int_equal(seq(), second);
}

static void one_partition_keeps_its_order(void **state)
{
	enum { N = 300 };
	struct change *c = calloc(N, sizeof *c);
	char text[16];
	(void)state;

	for (int i = 0; i < N; i++) {
		snprintf(text, sizeof text, "%d", i);
		change_start(&c[i], f, "thing/a");
		change_write(&c[i], SK_RECORD, "thing/a/n", text);
	}
	change_submit(c, 100);
	change_submit(c + 100, 1);
	change_submit(c + 101, N - 101);
	for (int i = 0; i < N; i++) {
		change_wait(&c[i]);
		change_free(&c[i]);
		assert_int_equal(c[i].commit.status, SK_COMMIT_OK);
		if (i)
			assert_true(c[i].order > c[i - 1].order && c[i].commit.version > c[i - 1].commit.version);
	}
	assert_value(f, "thing/a/n", "299");
	free(c);
}

static void a_commit_may_write_a_key_twice(void **state)
{
	struct change c;
	(void)state;

	change_start(&c, f, "thing/a");
	change_expect(&c, "thing/a/n", 0, seq());
	change_write(&c, SK_RECORD, "thing/a/n", "1");
	change_write(&c, SK_RECORD, "thing/a/n", NULL);
	change_write(&c, SK_RECORD, "thing/a/n", "2");
	assert_int_equal(change_run(&c), SK_COMMIT_OK);
	assert_value(f, "thing/a/n", "2");
	fixture_settle(f);
	assert_value(f, "thing/a/n", "2");
}

static void spaces_are_apart(void **state)
{
	struct change c;
	char *text;
	(void)state;

	change_start(&c, f, "thing/a");
	change_write(&c, SK_RECORD, "thing/a/n", "record");
	change_write(&c, SK_EFFECT, "thing/a/n", "effect");
	change_write(&c, SK_TIMER, "thing/a/n", "timer");
	assert_int_equal(change_run(&c), SK_COMMIT_OK);
	for (int i = 0; i < 2; i++) {
		assert_value(f, "thing/a/n", "record");
		text = get(f, SK_EFFECT, "thing/a/n", NULL);
		assert_string_equal(text, "effect");
		free(text);
		text = scan(f, SK_TIMER, "", NULL, 0);
		assert_string_equal(text, "thing/a/n=timer ");
		free(text);
		fixture_settle(f);
	}
}

static void effect(enum sk_space space, const char *partition, const char *key, const char *text)
{
	struct change c;

	change_start(&c, f, partition);
	change_write(&c, space, key, text);
	assert_int_equal(change_run(&c), SK_COMMIT_OK);
}

static void effects_and_timers_are_scanned_over_all_partitions(void **state)
{
	char *text;
	(void)state;

	effect(SK_EFFECT, "thing/b", "thing/b/2", "x");
	effect(SK_EFFECT, "registry", "registry/1", "x");
	effect(SK_TIMER, "thing/b", "0000000000000200/thing/b/t", "x");
	fixture_settle(f);
	effect(SK_TIMER, "thing/a", "0000000000000100/thing/a/t", "x");
	effect(SK_EFFECT, "thing/a", "thing/a/3", "x");
	effect(SK_EFFECT, "registry", "registry/1", NULL);
	text = scan(f, SK_EFFECT, "", NULL, 0);
	assert_string_equal(text, "thing/a/3=x thing/b/2=x ");
	free(text);
	text = scan(f, SK_TIMER, "", NULL, 1);
	assert_string_equal(text, "0000000000000100/thing/a/t=x ");
	free(text);
	effect(SK_EFFECT, "thing/a", "thing/a/3", NULL);
	fixture_reopen(f);
	text = scan(f, SK_EFFECT, "", NULL, 0);
	assert_string_equal(text, "thing/b/2=x ");
	free(text);
	effect(SK_EFFECT, "thing/b", "thing/b/2", NULL);
	fixture_settle(f);
	text = scan(f, SK_EFFECT, "", NULL, 0);
	assert_string_equal(text, "");
	free(text);
}

static void a_prefix_ends_where_its_keys_end(void **state)
{
	char *text;
	(void)state;

	put(f, "thing/a", "1");
	put(f, "thing/a/1", "2");
	put(f, "thing/a\xff/1", "3");
	put(f, "thing/a\xff\xff", "4");
	fixture_settle(f);
	put(f, "thing/a\xff\xff/2", "5");
	put(f, "thing/b", "6");
	put(f, "\xff\xff/x/1", "7");
	assert_scan(f, "thing/a/", "thing/a/1=2 ");
	assert_scan(f, "thing/a\xff", "thing/a\xff/1=3 thing/a\xff\xff=4 thing/a\xff\xff/2=5 ");
	assert_scan(f, "\xff", "\xff\xff/x/1=7 ");
	text = scan(f, SK_RECORD, "thing/", "thing/a\xff/1", 0);
	assert_string_equal(text, "thing/a\xff\xff=4 thing/a\xff\xff/2=5 thing/b=6 ");
	free(text);
	text = scan(f, SK_RECORD, "thing/b", "thing/a", 0);
	assert_string_equal(text, "thing/b=6 ");
	free(text);
	text = scan(f, SK_RECORD, "thing/a", "thing/b", 0);
	assert_string_equal(text, "");
	free(text);
}

/* -- a model: keys thing/m/00..99, each absent or a number -- */
enum { MODEL = 100 };
static int model[MODEL];

static char *model_page(int from, size_t limit)
{
	char *text = NULL;
	size_t size, given = 0;
	FILE *out = open_memstream(&text, &size);

	for (int i = from; i < MODEL; i++)
		if (model[i] && (!limit || given < limit)) {
			fprintf(out, "thing/m/%02d=%d ", i, model[i]);
			given++;
		}
	fclose(out);
	return text;
}

static void check_model(unsigned *seed)
{
	int from = rand_r(seed) % MODEL;
	size_t limit = (size_t)(rand_r(seed) % 12);
	char after[16], *found, *wanted = model_page(from, limit);

	snprintf(after, sizeof after, "thing/m/%02d", from - 1);
	found = scan(f, SK_RECORD, "thing/m/", from ? after : NULL, limit);
	assert_string_equal(found, wanted);
	free(found);
	free(wanted);
}

static void change_model(unsigned *seed)
{
	int at = rand_r(seed) % MODEL;
	char key[16], text[16];

	model[at] = rand_r(seed) % 3 ? rand_r(seed) % 1000 + 1 : 0;
	snprintf(key, sizeof key, "thing/m/%02d", at);
	snprintf(text, sizeof text, "%d", model[at]);
	assert_true(put(f, key, model[at] ? text : NULL) > 0);
}

static void pages_agree_with_a_model(void **state)
{
	unsigned seed = 7;
	(void)state;

	memset(model, 0, sizeof model);
	for (int i = 0; i < 600; i++) {
		change_model(&seed);
		if (i % 5 == 0)
			check_model(&seed);
		if (i % 97 == 96)
			fixture_settle(f);
		if (i % 149 == 148)
			fixture_reopen(f);
	}
}

static int stop_after_two(void *ctx, const struct sk_scan_item *item)
{
	free(item->key);
	sk_bytes_unref(item->bytes);
	return ++*(int *)ctx == 2;
}

static void the_receiver_may_stop_a_scan(void **state)
{
	int n = 0;
	(void)state;

	for (int i = 0; i < 5; i++)
		put(f, (char[]){ 't', '/', 'a', '/', (char)('1' + i), 0 }, "x");
	struct sk_store_scan wanted = { .space = SK_RECORD, .prefix = "t/", .fn = stop_after_two, .ctx = &n };
	assert_int_equal(f->store->ops->scan(f->store, &wanted), 0);
	assert_int_equal(n, 2);
}

static void statistics_count(void **state)
{
	struct sk_store_stats stats;
	(void)state;

	put(f, "registry/a", "1");
	put_expecting("registry/a", 77, 0);
	put(f, "", "1");
	assert_value(f, "registry/a", "1");
	f->store->ops->stats(f->store, &stats);
	assert_int_equal(stats.commits, 1);
	assert_int_equal(stats.conflicts, 1);
	assert_int_equal(stats.failures, 1);
	assert_true(stats.reads >= 1);
	assert_false(f->store->ops->pressed(f->store));
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
int store_suite_run(const struct store_backend *b)
{
	const struct CMUnitTest cases[] = {
		CASE(a_record_is_read_as_it_was_committed), CASE(many_records_are_read_at_once), CASE(a_stale_version_is_a_conflict),
		CASE(versions_are_exact_after_folding_and_reopening), CASE(a_refused_commit_writes_nothing),
		CASE(a_key_added_or_removed_is_a_structure_conflict), CASE(a_structure_conflict_is_seen_after_folding_and_by_wide_prefixes),
		CASE(a_commit_of_two_partitions_is_refused), CASE(keys_have_limits), CASE(values_may_be_empty_or_large),
		CASE(a_deleted_record_is_gone_whether_folded_or_not), CASE(versions_never_repeat),
		CASE(the_second_of_two_rivals_in_one_submission_conflicts), CASE(a_structure_change_in_the_same_submission_conflicts),
		CASE(a_commit_without_writes_only_asks), CASE(one_partition_keeps_its_order), CASE(a_commit_may_write_a_key_twice),
		CASE(spaces_are_apart), CASE(effects_and_timers_are_scanned_over_all_partitions), CASE(a_prefix_ends_where_its_keys_end),
		CASE(pages_agree_with_a_model), CASE(the_receiver_may_stop_a_scan), CASE(statistics_count),
	};

	backend = b;
	return cmocka_run_group_tests_name(b->name, cases, NULL, NULL) + store_suite_wide(b);
}
