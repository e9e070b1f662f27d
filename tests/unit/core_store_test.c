/* core_store_test.c -- the embedded store against the suite of all stores, and what shows only under threads. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tests/unit/store_suite.h"

static char folder[64];
static struct store_fixture fixture, *const f = &fixture;

static const char *file(const char *suffix)
{
	static char name[96];

	snprintf(name, sizeof name, "%s/s.db%s", folder, suffix);
	return name;
}

static struct sk_store *open_with(struct sk_store_options opt)
{
	char why[256] = "", path[96];

	snprintf(path, sizeof path, "%s", file(""));
	opt.path = path;
	struct sk_store *s = sk_store_open_embedded(&opt, why, sizeof why);
	if (!s)
		fprintf(stderr, "%s\n", why);
	return s;
}

static struct sk_store *open_plain(void)
{
	return open_with((struct sk_store_options){ 0 });
}

static struct sk_store *open_small(void)
{
	return open_with((struct sk_store_options){ .dirty_limit = 40000, .log_limit = 60000, .relaxed = true });
}

/* Always above its limits: what is committed is folded in the same step. */
static struct sk_store *open_tiny(void)
{
	return open_with((struct sk_store_options){ .dirty_limit = 1, .log_limit = 1, .relaxed = true });
}

static void destroy(void)
{
	unlink(file(""));
	unlink(file("-wal"));
	unlink(file("-shm"));
}

static const struct store_backend embedded = { "embedded", open_plain, destroy };
static struct sk_store *open_gathering(void)
{
	return open_with((struct sk_store_options){ .gather_us = 2000 });
}

static const struct store_backend gathering = { "embedded, gathering", open_gathering, destroy };
static const struct store_backend small = { "embedded, small limits, relaxed", open_small, destroy };

static const struct store_backend tiny = { "embedded, no room", open_tiny, destroy };

static int setup(void **state)
{
	(void)state;
	fixture_start(f, &embedded);
	return 0;
}

static int setup_small(void **state)
{
	(void)state;
	fixture_start(f, &small);
	return 0;
}

static int setup_tiny(void **state)
{
	(void)state;
	fixture_start(f, &tiny);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	fixture_stop(f);
	return 0;
}

/* -- threads: each submitter keeps two records of its thing equal, in one commit -- */
enum { SUBMITTERS = 2, READERS = 2, ROUNDS = 400 };
struct actor {
	pthread_t thread;
	int number;
	int wrong;
	atomic_bool *stop;
};

static void *submit_pairs(void *arg)
{
	struct actor *a = arg;
	char key[32], text[16];
	struct change c;

	for (int i = 0; i < ROUNDS; i++) {
		snprintf(text, sizeof text, "%d", i);
		snprintf(key, sizeof key, "thing/%d", a->number);
		change_start(&c, f, key);
		for (int k = 0; k < 2; k++) {
			snprintf(key, sizeof key, "thing/%d/%d", a->number, k);
			change_write(&c, SK_RECORD, key, i % 7 == 6 ? NULL : text);
		}
		a->wrong += change_run(&c) != SK_COMMIT_OK;
		if (i % 7 != 6) { /* one half again, unchanged: it is dirty while the other may be folded */
			snprintf(key, sizeof key, "thing/%d/0", a->number);
			a->wrong += !put(f, key, text);
		}
		if (i % 50 == 0)
			usleep(15000); /* so that it folds */
	}
	return NULL;
}

/* "thing/0/0=5 thing/0/1=5 ": both or none, and the same. */
static bool pairs_are_equal(const char *text)
{
	for (int number = 0; number < SUBMITTERS; number++) {
		char name[2][32];
		const char *at[2];

		for (int k = 0; k < 2; k++) {
			snprintf(name[k], sizeof name[k], "thing/%d/%d=", number, k);
			at[k] = strstr(text, name[k]);
		}
		if (!at[0] != !at[1])
			return false;
		if (at[0] && atoi(at[0] + strlen(name[0])) != atoi(at[1] + strlen(name[1])))
			return false;
	}
	return true;
}

static void *read_pairs(void *arg)
{
	struct actor *a = arg;
	uint64_t last = 0, version;

	while (!*a->stop) {
		char *text = scan(f, SK_RECORD, "thing/", NULL, 0), *value; /* these fail loudly only when the store cannot read */

		a->wrong += !pairs_are_equal(text);
		free(text);
		value = get(f, SK_RECORD, "thing/1/1", &version);
		a->wrong += value && version < last;
		last = value ? version : last;
		free(value);
		usleep(50);
	}
	return NULL;
}

static void a_scan_sees_a_commit_whole_or_not_at_all(void **state)
{
	struct actor submitter[SUBMITTERS], reader[READERS];
	atomic_bool stop = false;
	int wrong = 0;
	(void)state;

	for (int i = 0; i < SUBMITTERS; i++) {
		submitter[i] = (struct actor){ .number = i };
		assert_int_equal(pthread_create(&submitter[i].thread, NULL, submit_pairs, &submitter[i]), 0);
	}
	for (int i = 0; i < READERS; i++) {
		reader[i] = (struct actor){ .stop = &stop };
		assert_int_equal(pthread_create(&reader[i].thread, NULL, read_pairs, &reader[i]), 0);
	}
	for (int i = 0; i < SUBMITTERS; i++) {
		pthread_join(submitter[i].thread, NULL);
		wrong += submitter[i].wrong;
	}
	stop = true;
	for (int i = 0; i < READERS; i++) {
		pthread_join(reader[i].thread, NULL);
		wrong += reader[i].wrong;
	}
	assert_int_equal(wrong, 0);
}

/* -- folding -- */
static void submit_filler(int from, int n, const char *text)
{
	struct change *c = calloc((size_t)n, sizeof *c);
	char key[32];

	for (int i = 0; i < n; i++) {
		snprintf(key, sizeof key, "thing/f%d", from + i);
		change_start(&c[i], f, key);
		strcat(key, "/x");
		change_write(&c[i], SK_RECORD, key, text);
	}
	change_submit(c, (size_t)n);
	for (int i = 0; i < n; i++) {
		change_wait(&c[i]);
		change_free(&c[i]);
		assert_int_equal(c[i].commit.status, SK_COMMIT_OK);
	}
	free(c);
}

static void beyond_its_limits_the_store_is_pressed_and_recovers(void **state)
{
	char text[1001];
	struct sk_store_stats stats;
	(void)state;

	memset(text, 'x', 1000);
	text[1000] = '\0';
	for (int round = 0; round < 10; round++)
		submit_filler(round * 100, 100, text);
	fixture_settle(f);
	assert_false(f->store->ops->pressed(f->store));
	f->store->ops->stats(f->store, &stats);
	assert_int_equal(stats.folded_records, 1000);
	assert_int_equal(stats.dirty_bytes, 0);
	assert_int_equal(stats.log_bytes, 0);
	assert_value(f, "thing/f999/x", text);
}

static int64_t stood_still(void)
{
	return 1000000;
}

static void a_record_deleted_before_its_fold_costs_no_table_write(void **state)
{
	struct sk_store *s = open_with((struct sk_store_options){ .now_us = stood_still });
	struct sk_store_stats stats;
	struct change c;
	(void)state;

	assert_non_null(s);
	f->store = s;
	pthread_mutex_init(&f->lock, NULL);
	pthread_cond_init(&f->answered, NULL);
	for (int i = 0; i < 2; i++) {
		change_start(&c, f, "thing/a");
		if (!i)
			change_expect(&c, "thing/a/x", 0, s->seq);
		change_write(&c, SK_RECORD, "thing/a/x", i ? NULL : "1");
		change_write(&c, SK_EFFECT, "thing/a/e", i ? NULL : "1");
		change_submit(&c, 1);
		assert_true(s->ops->step(s, 1000000) > 1000000);
		assert_true(c.answered && c.commit.status == SK_COMMIT_OK);
		change_free(&c);
	}
	while (s->ops->step(s, 9000000) != INT64_MAX)
		;
	s->ops->stats(s, &stats);
	assert_int_equal(stats.folded_records, 0);
	assert_int_equal(stats.log_rows, 0);
	s->ops->close(s);
	destroy();
	pthread_cond_destroy(&f->answered);
	pthread_mutex_destroy(&f->lock);
}

/* -- gathering: after a row of several commits the next one waits as long as that took, and nobody need wake it -- */

static int64_t clock_us;
static int rings;

static int64_t ticking(void)
{
	return clock_us += 50;
}

static void ring(void *ctx)
{
	(void)ctx;
	rings++;
}

static void submit_some(struct change *c, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		change_start(&c[i], f, "thing/a");
		change_write(&c[i], SK_RECORD, "thing/a/x", "1");
	}
	change_submit(c, n);
}

static void free_some(struct change *c, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		assert_true(c[i].answered && c[i].commit.status == SK_COMMIT_OK);
		change_free(&c[i]);
	}
}

static void start_ticking(void)
{
	f->store = open_with((struct sk_store_options){ .gather_us = 300, .now_us = ticking });
	assert_non_null(f->store);
	f->store->wake = ring;
	f->store->answered = ring;
	pthread_mutex_init(&f->lock, NULL);
	pthread_cond_init(&f->answered, NULL);
}

static void stop_ticking(void)
{
	f->store->ops->close(f->store);
	destroy();
	pthread_cond_destroy(&f->answered);
	pthread_mutex_destroy(&f->lock);
}

static void commits_gather_behind_a_row_of_several(void **state)
{
	struct change several[5], later[2];
	(void)state;
	start_ticking();
	struct sk_store *s = f->store;
	rings = 0;
	submit_some(several, 5);
	assert_int_equal(rings, 1);
	int64_t next = s->ops->step(s, clock_us);
	assert_int_equal(rings, 2); /* answered */
	free_some(several, 5);
	assert_in_range(next, clock_us + 1, clock_us + 300);
	submit_some(later, 2);
	assert_int_equal(rings, 2);
	assert_int_equal(s->ops->step(s, next - 1), next);
	assert_false(later[0].answered || later[1].answered);
	s->ops->step(s, next);
	assert_int_equal(rings, 3);
	free_some(later, 2);
	stop_ticking();
}

static void a_lone_commit_does_not_wait(void **state)
{
	struct change one[1];
	(void)state;
	start_ticking();
	rings = 0;
	for (int i = 0; i < 3; i++) {
		submit_some(one, 1);
		f->store->ops->step(f->store, clock_us);
		free_some(one, 1);
	}
	assert_int_equal(rings, 6); /* three wakes, three answers */
	stop_ticking();
}

static void closing_does_not_wait_for_the_gathered(void **state)
{
	struct change several[5], later[2];
	(void)state;
	start_ticking();
	submit_some(several, 5);
	f->store->ops->step(f->store, clock_us);
	free_some(several, 5);
	submit_some(later, 2);
	stop_ticking();
	free_some(later, 2);
}

static void the_file_is_private(void **state)
{
	struct stat st;
	(void)state;

	assert_int_equal(stat(file(""), &st), 0);
	assert_int_equal(st.st_mode & 0777, 0600);
	assert_int_equal(stat(file("-wal"), &st), 0);
	assert_int_equal(st.st_mode & 0777, 0600);
}

static void bytes_are_shared_by_reference(void **state)
{
	struct sk_bytes *b = sk_bytes_new("a\0b", 3);
	(void)state;

	assert_non_null(b);
	assert_int_equal(b->size, 3);
	assert_memory_equal(b->data, "a\0b", 4);
	assert_ptr_equal(sk_bytes_ref(b), b);
	sk_bytes_unref(b);
	assert_int_equal(b->refs, 1);
	sk_bytes_unref(b);
	assert_null(sk_bytes_ref(NULL));
	sk_bytes_unref(NULL);
}

static void a_key_names_its_partition(void **state)
{
	static const struct { const char *key; size_t size; } cases[] = {
		{ "registry/thing/lamp", 8 }, { "registry", 8 }, { "thing/lamp/shadow", 10 }, { "thing/lamp", 10 }, { "thing/", 6 },
		{ "thing//x", 6 }, { "thing", 5 }, { "", 0 }, { "registryx/a/b", 11 }, { "/a/b", 2 },
	};
	(void)state;

	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
		assert_int_equal(sk_key_partition(cases[i].key), cases[i].size);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(bytes_are_shared_by_reference), cmocka_unit_test(a_key_names_its_partition),
		cmocka_unit_test_setup_teardown(the_file_is_private, setup, teardown),
		cmocka_unit_test_setup_teardown(a_scan_sees_a_commit_whole_or_not_at_all, setup, teardown),
		cmocka_unit_test_setup_teardown(a_scan_sees_a_commit_whole_or_not_at_all, setup_small, teardown),
		cmocka_unit_test_setup_teardown(a_scan_sees_a_commit_whole_or_not_at_all, setup_tiny, teardown),
		cmocka_unit_test_setup_teardown(beyond_its_limits_the_store_is_pressed_and_recovers, setup_small, teardown),
		cmocka_unit_test(commits_gather_behind_a_row_of_several), cmocka_unit_test(a_lone_commit_does_not_wait),
		cmocka_unit_test(closing_does_not_wait_for_the_gathered),
		cmocka_unit_test(a_record_deleted_before_its_fold_costs_no_table_write),
	};
	int failed;

	snprintf(folder, sizeof folder, "/tmp/skeeter-store-XXXXXX");
	if (!mkdtemp(folder))
		return 1;
	failed = store_suite_run(&embedded) + store_suite_run(&small) + store_suite_run(&gathering) + cmocka_run_group_tests_name("embedded only", tests, NULL, NULL);
	rmdir(folder);
	return failed != 0;
}
