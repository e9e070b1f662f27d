/* store_suite_wide.c -- cases with more records, partitions and bytes than one answer of a server holds. Each runs on an empty store. */
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

typedef void name_fn(char *key, size_t size, int i);

/* n commits of one write each, in one submission; all must be stored. */
static void fill(enum sk_space space, name_fn *name, int n)
{
	struct change *c = calloc((size_t)n, sizeof *c);
	char key[64], partition[64], text[16];

	for (int i = 0; i < n; i++) {
		name(key, sizeof key, i);
		snprintf(text, sizeof text, "%d", i);
		snprintf(partition, sizeof partition, "thing/%d", i);
		if (space == SK_RECORD)
			snprintf(partition, sizeof partition, "%.*s", (int)sk_key_partition(key), key);
		change_start(&c[i], f, partition);
		change_write(&c[i], space, key, text);
	}
	change_submit(c, (size_t)n);
	for (int i = 0; i < n; i++) {
		change_wait(&c[i]);
		change_free(&c[i]);
		assert_int_equal(c[i].commit.status, SK_COMMIT_OK);
	}
	free(c);
}

static void one_thing(char *key, size_t size, int i)
{
	snprintf(key, size, "thing/m/%04d", i);
}

/* The i-th of as many partitions; keys sort as i does. */
static void many_things(char *key, size_t size, int i)
{
	snprintf(key, size, "thing/p%03d/%d", i / 3, i % 3);
}

static void due(char *key, size_t size, int i)
{
	snprintf(key, size, "%016x/thing/%d/t", 1000 + i, i);
}

static void follow_up(char *key, size_t size, int i)
{
	snprintf(key, size, "thing/%04d/e", i);
}

struct pages { char last[64]; int seen; name_fn *name; };

static int check_next(void *ctx, const struct sk_scan_item *item)
{
	struct pages *p = ctx;
	char expected[64], text[16];

	p->name(expected, sizeof expected, p->seen);
	snprintf(text, sizeof text, "%d", p->seen++);
	assert_string_equal(item->key, expected);
	assert_string_equal(item->bytes->data, text);
	assert_true(item->version > 0);
	snprintf(p->last, sizeof p->last, "%s", item->key);
	free(item->key);
	sk_bytes_unref(item->bytes);
	return 0;
}

/* All n in pages, each once and in order. */
static void assert_pages(enum sk_space space, const char *prefix, name_fn *name, int n, size_t limit)
{
	struct pages p = { .name = name };
	int before;

	do {
		struct sk_store_scan wanted = { .space = space, .prefix = prefix, .after = p.seen ? p.last : NULL, .limit = limit, .fn = check_next, .ctx = &p };

		before = p.seen;
		assert_int_equal(f->store->ops->scan(f->store, &wanted), 0);
		assert_true(!limit || (size_t)(p.seen - before) <= limit);
	} while (p.seen != before && limit);
	assert_int_equal(p.seen, n);
}

static void a_large_partition_is_scanned_whole_and_in_pages(void **state)
{
	enum { N = 2500 };
	(void)state;

	fill(SK_RECORD, one_thing, N);
	for (int i = 0; i < 2; i++) {
		assert_pages(SK_RECORD, "thing/m/", one_thing, N, 0);
		assert_pages(SK_RECORD, "thing/m/", one_thing, N, 700);
		assert_pages(SK_RECORD, "thing/m", one_thing, N, 1000);
		assert_pages(SK_RECORD, "", one_thing, N, 2499);
		fixture_settle(f);
	}
}

static void many_partitions_are_scanned_in_order_and_in_pages(void **state)
{
	enum { N = 1200 };
	(void)state;

	fill(SK_RECORD, many_things, N);
	assert_pages(SK_RECORD, "thing/", many_things, N, 0);
	assert_pages(SK_RECORD, "thing/p", many_things, N, 1);
	assert_pages(SK_RECORD, "", many_things, N, 97);
	fixture_settle(f);
	assert_pages(SK_RECORD, "thing/", many_things, N, 600);
}

static void effects_and_timers_of_many_partitions_are_in_order(void **state)
{
	enum { N = 700 };
	(void)state;

	fill(SK_TIMER, due, N);
	fill(SK_EFFECT, follow_up, N);
	assert_pages(SK_TIMER, "", due, N, 0);
	assert_pages(SK_TIMER, "0000", due, N, 64);
	assert_pages(SK_EFFECT, "", follow_up, N, 0);
	assert_pages(SK_EFFECT, "thing/", follow_up, N, 250);
}

static int add_size(void *ctx, const struct sk_scan_item *item)
{
	*(size_t *)ctx += item->bytes->size;
	free(item->key);
	sk_bytes_unref(item->bytes);
	return 0;
}

static void large_values_are_scanned(void **state)
{
	enum { N = 12, SIZE = 1 << 20 };
	char *large = malloc(SIZE + 1), key[32];
	size_t got = 0;
	(void)state;

	memset(large, 'v', SIZE);
	large[SIZE] = '\0';
	for (int i = 0; i < N; i++) {
		snprintf(key, sizeof key, "thing/large/%d", i);
		assert_true(put(f, key, large) > 0);
	}
	struct sk_store_scan narrow = { .space = SK_RECORD, .prefix = "thing/large/", .fn = add_size, .ctx = &got };
	assert_int_equal(f->store->ops->scan(f->store, &narrow), 0);
	assert_int_equal(got, N * SIZE);
	struct sk_store_scan wide = { .space = SK_RECORD, .prefix = "thing/", .fn = add_size, .ctx = &got };
	assert_int_equal(f->store->ops->scan(f->store, &wide), 0);
	assert_int_equal(got, 2 * N * SIZE);
	free(large);
}

/* Of a key that is written blindly and lies in the file alone the store need not know whether it is there: that counts as one that comes. */
static void rewrite(struct change *c, const char *key)
{
	struct sk_store_read read = { .space = SK_RECORD, .key = key };
	uint64_t as_of = atomic_load(&f->store->seq);

	assert_int_equal(f->store->ops->read(f->store, &read, 1), 0);
	sk_bytes_unref(read.bytes);
	change_expect(c, key, read.version, as_of);
	change_write(c, SK_RECORD, key, "changed");
}

static void overwrite(const char *partition, const char *key)
{
	struct change c;

	change_start(&c, f, partition);
	rewrite(&c, key);
	assert_int_equal(change_run(&c), SK_COMMIT_OK);
}

static enum sk_commit_status relying_on(const char *prefix, uint64_t as_of)
{
	struct change c;

	change_start(&c, f, "thing/a");
	change_expect_structure(&c, prefix, as_of);
	rewrite(&c, "thing/a/count");
	return change_run(&c);
}

static void what_a_scan_says_it_saw_holds_until_a_key_comes_or_goes(void **state)
{
	struct sk_store_scan wanted = { .space = SK_RECORD, .fn = add_size, .ctx = &(size_t){ 0 } };
	(void)state;

	put(f, "thing/a/count", "x");
	put(f, "thing/b/1", "x");
	for (int wide = 0; wide < 2; wide++) {
		wanted.prefix = wide ? "thing/" : "thing/b/";
		assert_int_equal(f->store->ops->scan(f->store, &wanted), 0);
		assert_int_equal(relying_on(wanted.prefix, wanted.as_of), SK_COMMIT_OK);
		overwrite("thing/b", "thing/b/1");
		assert_int_equal(relying_on(wanted.prefix, wanted.as_of), SK_COMMIT_OK);
		put(f, wide ? "thing/c/1" : "thing/b/2", "new");
		assert_int_equal(relying_on(wanted.prefix, wanted.as_of), SK_COMMIT_CONFLICT);
		assert_int_equal(f->store->ops->scan(f->store, &wanted), 0);
		put(f, wide ? "thing/c/1" : "thing/b/2", NULL);
		assert_int_equal(relying_on(wanted.prefix, wanted.as_of), SK_COMMIT_CONFLICT);
	}
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
int store_suite_wide(const struct store_backend *b)
{
	const struct CMUnitTest cases[] = {
		CASE(a_large_partition_is_scanned_whole_and_in_pages), CASE(many_partitions_are_scanned_in_order_and_in_pages),
		CASE(effects_and_timers_of_many_partitions_are_in_order), CASE(large_values_are_scanned),
		CASE(what_a_scan_says_it_saw_holds_until_a_key_comes_or_goes),
	};

	backend = b;
	return cmocka_run_group_tests_name(b->name, cases, NULL, NULL);
}
