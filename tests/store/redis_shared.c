/* redis_shared.c -- two stores that are open on one Redis, as two brokers have them. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "redis/route.h"
#include "tests/store/redis_suite.h"

static const struct store_backend backend = { "redis, shared", redis_suite_open, redis_suite_destroy };
static struct store_fixture first, second;

static int setup(void **state)
{
	(void)state;
	fixture_start(&first, &backend);
	fixture_start(&second, &backend);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	fixture_stop(&first);
	fixture_stop(&second);
	return 0;
}

/* -- a command of the test's own -- */
static int64_t now_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

/* On each bucket's key `name`, or if there is none on the key of the whole store. */
static void command(const char *verb, const char *name, const char *more)
{
	struct redis_url u;
	char why[256] = "", key[128];
	struct redis_route *r;

	assert_int_equal(redis_url_parse(&u, redis_suite_admin_url(), why, sizeof why), 0);
	r = redis_route_new(&u, now_ms);
	for (int i = 0; i < 64; i++) {
		struct redis_text t = { 0 };
		struct redis_ask ask = { .node = -1 };
		int n = strcmp(name, "meta") ? snprintf(key, sizeof key, "%s{%03d}%s", u.prefix, i, name) : snprintf(key, sizeof key, "%s{skeeter}meta", u.prefix);

		redis_begin(&t, more ? 4 : 2);
		redis_name(&t, verb);
		redis_word(&t, key, (size_t)n);
		if (more) {
			redis_name(&t, "MAXLEN");
			redis_name(&t, more);
		}
		ask.slot = (int)redis_slot(key, (size_t)n);
		ask.bytes = t.bytes;
		ask.size = t.size;
		assert_int_equal(redis_route_ask(r, &ask, 1, now_ms() + 5000), 0);
		assert_int_not_equal(ask.reply->type, REDIS_REPLY_ERROR);
		freeReplyObject(ask.reply);
		redis_text_free(&t);
	}
	redis_route_free(r);
	redis_url_free(&u);
}

static void empty(void)
{
	static const char *const names[] = { "h0", "h1", "h2", "z0", "z1", "z2", "m", "c" };

	for (size_t i = 0; i < sizeof names / sizeof *names; i++)
		command("DEL", names[i], NULL);
	command("DEL", "meta", NULL);
}

static void what_one_writes_the_other_reads(void **state)
{
	uint64_t version, seen;
	char *text;
	(void)state;

	version = put(&first, "thing/a/shadow", "1");
	text = get(&second, SK_RECORD, "thing/a/shadow", &seen);
	assert_string_equal(text, "1");
	assert_int_equal(seen, version);
	free(text);
	assert_false(second.store->exclusive);
	assert_int_equal(strlen(first.store->self), 16);
	assert_string_not_equal(first.store->self, second.store->self);
}

static enum sk_commit_status put_expecting(struct store_fixture *f, const char *key, uint64_t version, const char *text)
{
	struct change c;

	change_start(&c, f, "thing/a");
	change_expect(&c, key, version, version);
	change_write(&c, SK_RECORD, key, text);
	return change_run(&c);
}

static void the_slower_of_two_conflicts(void **state)
{
	uint64_t version = put(&first, "thing/a/shadow", "0");
	(void)state;

	assert_int_equal(put_expecting(&second, "thing/a/shadow", version, "2"), SK_COMMIT_OK);
	assert_int_equal(put_expecting(&first, "thing/a/shadow", version, "1"), SK_COMMIT_CONFLICT);
	assert_value(&first, "thing/a/shadow", "2");
	assert_int_equal(put_expecting(&first, "thing/a/new", 0, "1"), SK_COMMIT_OK);
	assert_int_equal(put_expecting(&second, "thing/a/new", 0, "2"), SK_COMMIT_CONFLICT);
}

static int drop(void *ctx, const struct sk_scan_item *item)
{
	(void)ctx;
	free(item->key);
	sk_bytes_unref(item->bytes);
	return 0;
}

static uint64_t as_of(struct store_fixture *f, const char *prefix)
{
	struct sk_store_scan wanted = { .space = SK_RECORD, .prefix = prefix, .fn = drop };

	assert_int_equal(f->store->ops->scan(f->store, &wanted), 0);
	return wanted.as_of;
}

static enum sk_commit_status count_things(struct store_fixture *f, const char *prefix, uint64_t since)
{
	struct change c;

	change_start(&c, f, "thing/a");
	change_expect_structure(&c, prefix, since);
	change_write(&c, SK_RECORD, "thing/a/count", "x");
	return change_run(&c);
}

static void what_the_other_adds_is_a_structure_conflict(void **state)
{
	uint64_t narrow, wide;
	(void)state;

	put(&first, "thing/a/count", "0");
	put(&first, "thing/a/1", "0");
	narrow = as_of(&first, "thing/a/");
	wide = as_of(&first, "thing/");
	put(&second, "thing/a/1", "changed");
	assert_int_equal(count_things(&first, "thing/a/", narrow), SK_COMMIT_OK);
	assert_int_equal(count_things(&first, "thing/", wide), SK_COMMIT_OK);
	put(&second, "thing/a/2", "new");
	assert_int_equal(count_things(&first, "thing/a/", narrow), SK_COMMIT_CONFLICT);
	assert_int_equal(count_things(&first, "thing/", wide), SK_COMMIT_CONFLICT);
	wide = as_of(&first, "thing/");
	put(&second, "thing/elsewhere/1", "new");
	assert_int_equal(count_things(&first, "thing/a/", as_of(&first, "thing/a/")), SK_COMMIT_OK);
	assert_int_equal(count_things(&first, "thing/", wide), SK_COMMIT_CONFLICT);
}

/* -- changes -- */
static bool watched(void *ctx, const char *key)
{
	(void)ctx;
	return !strncmp(key, "registry/", 9);
}

static void watch(void)
{
	first.store->watched = second.store->watched = watched;
}

static void note_change(void *ctx, const char *key, uint64_t version)
{
	fprintf(ctx, "%s %llu\n", key, (unsigned long long)version);
}

struct follower { struct sk_changes *at; bool gap; char *heard; };

static void follow(struct store_fixture *f, struct follower *w)
{
	size_t size;
	FILE *out;

	free(w->heard);
	out = open_memstream(&w->heard, &size);
	assert_int_equal(f->store->ops->changes(f->store, &w->at, &w->gap, note_change, out), 0);
	fclose(out);
}

static void unfollow(struct store_fixture *f, struct follower *w)
{
	f->store->ops->changes_end(w->at);
	free(w->heard);
}

static void changes_of_watched_keys_are_told_to_both(void **state)
{
	struct follower w[2] = { 0 };
	char expected[200];
	uint64_t a, b;
	(void)state;

	watch();
	put(&first, "registry/before", "1");
	for (int i = 0; i < 2; i++) {
		follow(i ? &second : &first, &w[i]);
		assert_string_equal(w[i].heard, "");
		assert_false(w[i].gap);
	}
	a = put(&first, "registry/a", "1");
	put(&first, "thing/x/shadow", "1");
	b = put(&second, "registry/a", NULL);
	assert_true(b > a);
	snprintf(expected, sizeof expected, "registry/a %llu\nregistry/a %llu\n", (unsigned long long)a, (unsigned long long)b);
	for (int round = 0; round < 2; round++)
		for (int i = 0; i < 2; i++) {
			follow(i ? &second : &first, &w[i]);
			assert_string_equal(w[i].heard, round ? "" : expected);
			assert_false(w[i].gap);
		}
	unfollow(&first, &w[0]);
	unfollow(&second, &w[1]);
}

static void many_changes_are_told_whole(void **state)
{
	enum { N = 1700 };
	struct change *c = calloc(N, sizeof *c);
	struct follower w = { 0 };
	size_t lines = 0;
	(void)state;

	watch();
	follow(&second, &w);
	for (int i = 0; i < N; i++) {
		char key[32];

		snprintf(key, sizeof key, "registry/%d", i);
		change_start(&c[i], &first, "registry");
		change_write(&c[i], SK_RECORD, key, "x");
	}
	change_submit(c, N);
	for (int i = 0; i < N; i++) {
		change_wait(&c[i]);
		change_free(&c[i]);
		assert_int_equal(c[i].commit.status, SK_COMMIT_OK);
	}
	follow(&second, &w);
	assert_false(w.gap);
	for (const char *at = w.heard; (at = strchr(at, '\n')); at++)
		lines++;
	assert_int_equal(lines, N);
	unfollow(&second, &w);
	free(c);
}

static void a_log_that_was_cut_is_a_gap_once(void **state)
{
	struct follower w = { 0 };
	(void)state;

	watch();
	put(&first, "registry/a", "1");
	follow(&second, &w);
	put(&first, "registry/a", "2");
	command("XTRIM", "c", "0");
	follow(&second, &w);
	assert_true(w.gap);
	put(&first, "registry/a", "3");
	follow(&second, &w);
	assert_false(w.gap);
	assert_non_null(strstr(w.heard, "registry/a "));
	unfollow(&second, &w);
}

static void an_emptied_store_is_a_gap_and_usable(void **state)
{
	struct follower w[2] = { 0 };
	uint64_t before, after;
	(void)state;

	watch();
	follow(&second, &w[0]);
	follow(&first, &w[1]);
	before = put(&first, "registry/a", "1");
	follow(&second, &w[0]);
	assert_false(w[0].gap);
	empty();
	assert_value(&first, "registry/a", NULL);
	after = put(&first, "registry/a", "2");
	assert_true(after > before);
	follow(&second, &w[0]);
	assert_true(w[0].gap);
	follow(&first, &w[1]);
	assert_true(w[1].gap);
	put(&second, "registry/b", "1");
	for (int i = 0; i < 2; i++) {
		follow(i ? &first : &second, &w[i]);
		assert_false(w[i].gap);
		assert_non_null(strstr(w[i].heard, "registry/b "));
	}
	unfollow(&second, &w[0]);
	unfollow(&first, &w[1]);
}

static void note_broker(void *ctx, const char *self)
{
	fprintf(ctx, "%s ", self);
}

static void who_lives_is_known_to_all(void **state)
{
	char *text = NULL;
	size_t size;
	FILE *out = open_memstream(&text, &size);
	(void)state;

	assert_int_equal(first.store->ops->beat(first.store, note_broker, out), 0);
	fflush(out);
	assert_non_null(strstr(text, first.store->self));
	assert_null(strstr(text, second.store->self));
	assert_int_equal(second.store->ops->beat(second.store, note_broker, out), 0);
	fflush(out);
	assert_non_null(strstr(text, second.store->self));
	fclose(out);
	free(text);
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
int redis_shared_run(void)
{
	const struct CMUnitTest cases[] = {
		CASE(what_one_writes_the_other_reads), CASE(the_slower_of_two_conflicts), CASE(what_the_other_adds_is_a_structure_conflict),
		CASE(changes_of_watched_keys_are_told_to_both), CASE(many_changes_are_told_whole), CASE(a_log_that_was_cut_is_a_gap_once),
		CASE(an_emptied_store_is_a_gap_and_usable), CASE(who_lives_is_known_to_all),
	};

	return cmocka_run_group_tests_name("redis, shared", cases, NULL, NULL);
}
