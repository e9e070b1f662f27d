/* auth_index_test.c -- the table in a file's pages against a plain array, and the index of certificates on top of it. */
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>
#include <dirent.h>
#include <signal.h>

#include <cmocka.h>
#include <malloc.h>
#include <openssl/sha.h>

#include "plugins/auth/index.h"
#include "plugins/auth/index_blobs.h"
#include "plugins/auth/index_table.h"

static char folder[] = "/tmp/auth-index-test-XXXXXX";

static int make_folder(void **state)
{
	(void)state;
	return mkdtemp(folder) ? 0 : -1;
}

static int remove_folder(void **state)
{
	(void)state;
	return rmdir(folder); /* fails, and with it the test, if a file was left */
}

/* The disk is full while `full` stands; memory is not. */
static bool full;

int posix_fallocate(int fd, off_t at, off_t n)
{
	char link[64], path[64] = "";

	snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
	if (full && readlink(link, path, sizeof(path) - 1) > 0 && strncmp(path, "/memfd:", 7))
		return ENOSPC;
	return fallocate(fd, 0, at, n) ? errno : 0;
}

static void digest(unsigned n, uint8_t out[32])
{
	SHA256((const unsigned char *)&n, sizeof(n), out);
}

static void a_table_remembers_what_an_array_does(void **state)
{
	enum { KEYS = 3000, ROUNDS = 60000 };
	static unsigned char present[KEYS];
	struct table *t = table_new(folder, 48, 32);
	unsigned seed = 3;
	size_t live = 0;

	(void)state;
	assert_non_null(t);
	for (int i = 0; i < ROUNDS; i++) {
		uint8_t key[32];
		seed = seed * 1103515245u + 12345u;
		unsigned k = (seed >> 8) % KEYS;
		digest(k, key);
		uint8_t *found = table_find(t, key);
		assert_int_equal(found != NULL, present[k] != 0);
		if (found)
			assert_int_equal(found[40], present[k]);
		/* Grows for a while, then shrinks. */
		if ((seed >> 24) % 10 < (i < ROUNDS / 2 ? 7u : 3u)) {
			uint8_t *put = table_put(t, key);
			assert_non_null(put);
			if (!present[k])
				assert_int_equal(put[40], 0);
			live += !present[k];
			put[40] = present[k] = (unsigned char)(1 + i % 250);
		} else {
			table_remove(t, key);
			live -= present[k] != 0;
			present[k] = 0;
		}
		assert_int_equal(table_count(t), live);
	}
	table_free(&t);
	assert_null(t);
}

static void a_table_refuses_the_two_marks_as_keys(void **state)
{
	struct table *t = table_new(folder, 32, 32);
	uint8_t zero[32] = { 0 }, ones[32];

	(void)state;
	memset(ones, 255, sizeof(ones));
	assert_null(table_put(t, zero));
	assert_null(table_put(t, ones));
	assert_null(table_find(t, zero));
	table_remove(t, ones);
	assert_int_equal(table_count(t), 0);
	table_free(&t);
}

static void a_folder_that_is_not_there_is_an_error(void **state)
{
	char why[300];

	(void)state;
	assert_null(table_new("/nowhere/at/all", 64, 32));
	assert_null(index_new("/nowhere/at/all", why, sizeof(why)));
	assert_string_equal(why, "the certificate index in /nowhere/at/all: No such file or directory");
}

static void a_full_disk_is_an_error_and_no_signal(void **state)
{
	struct rlimit old, small = { .rlim_cur = 200000 };
	struct table *t;
	uint8_t key[32];
	unsigned n = 0;

	(void)state;
	signal(SIGXFSZ, SIG_IGN);
	assert_int_equal(getrlimit(RLIMIT_FSIZE, &old), 0);
	small.rlim_max = old.rlim_max;
	t = table_new(folder, 64, 32);
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &small), 0);
	for (; n < 100000; n++) {
		digest(n, key);
		if (!table_put(t, key))
			break;
	}
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &old), 0);
	assert_in_range(n, 100, 10000);
	/* What was there is there still, and it goes on once there is room. */
	for (unsigned i = 0; i < n; i++) {
		digest(i, key);
		assert_non_null(table_find(t, key));
	}
	digest(n, key);
	assert_non_null(table_put(t, key));
	table_free(&t);
}

static void with_a_full_disk_a_table_grows_in_memory(void **state)
{
	struct table *t = table_new(folder, 64, 32);
	uint8_t key[32];

	(void)state;
	full = true;
	for (unsigned i = 0; i < 5000; i++) {
		digest(i, key);
		assert_non_null(table_put(t, key));
	}
	full = false;
	for (unsigned i = 0; i < 20000; i++) {
		digest(i, key);
		assert_non_null(i < 5000 ? table_find(t, key) : table_put(t, key));
	}
	assert_int_equal(table_count(t), 20000);
	table_free(&t);
}

static void with_a_full_disk_memory_takes_the_texts(void **state)
{
	struct blobs *b = blobs_new(folder);
	struct blob blob[600] = { 0 };
	char text[300], found[300];

	(void)state;
	for (int turn = 0; turn < 6; turn++)
		for (int i = 0; i < 600; i++) {
			size_t n = (size_t)(i * 7 + turn * 31) % 299 + 1;
			full = i % 300 < 150;
			memset(text, 'a' + (i + turn) % 26, n);
			if (blob[i].size) {
				assert_int_equal(blobs_get(b, &blob[i], found), 0);
				assert_int_equal(found[0], 'a' + (i + turn - 1) % 26);
				assert_int_equal(found[blob[i].size - 1], found[0]);
			}
			assert_int_equal(blobs_put(b, &blob[i], text, n), 0);
		}
	full = false;
	blobs_free(&b);
}

/* -- the index -- */

static struct index *new_index(void)
{
	char why[200];
	struct index *ix = index_new(folder, why, sizeof(why));

	assert_non_null(ix);
	return ix;
}

#define DOCUMENT "{\"Version\":\"2012-10-17\",\"Statement\":{\"Effect\":\"Allow\",\"Action\":\"*\",\"Resource\":\"*\"}}"

static void certificates_come_and_go(void **state)
{
	struct index *ix = new_index();
	struct index_certificate x;
	uint8_t id[32];

	(void)state;
	digest(1, id);
	assert_false(index_find(ix, id, &x));
	assert_int_equal(x.status, INDEX_UNKNOWN);
	static const struct {
		const char *text;
		enum index_status status;
	} rows[] = { { "ACTIVE", INDEX_ACTIVE }, { "INACTIVE", INDEX_INACTIVE }, { "REVOKED", INDEX_REVOKED }, { "PENDING_TRANSFER", INDEX_OTHER }, { "", INDEX_OTHER } };
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		assert_int_equal(index_set_certificate(ix, id, rows[i].text), 0);
		assert_true(index_find(ix, id, &x));
		assert_int_equal(x.status, rows[i].status);
	}
	assert_int_equal(index_certificates(ix), 1);
	assert_int_equal(index_set_certificate(ix, id, NULL), 0);
	assert_false(index_find(ix, id, &x));
	assert_int_equal(index_certificates(ix), 0);
	assert_int_equal(index_set_certificate(ix, id, NULL), 0);
	index_free(&ix);
}

static void attachments_may_come_before_what_they_attach(void **state)
{
	struct index *ix = new_index();
	struct index_certificate x;
	uint8_t id[32];
	char why[200] = "";

	(void)state;
	digest(2, id);
	assert_int_equal(index_set_attached(ix, id, "p", true), 0);
	assert_int_equal(index_set_attached(ix, id, "q", true), 0);
	assert_int_equal(index_set_attached(ix, id, "p", true), 0);
	assert_true(index_find(ix, id, &x));
	assert_int_equal(x.status, INDEX_UNKNOWN);
	assert_int_equal(x.policies, 2);
	assert_null(x.policy[0]->compiled);
	assert_int_equal(index_set_policy(ix, "p", "3", DOCUMENT, why, sizeof(why)), 0);
	assert_string_equal(why, "");
	assert_string_equal(x.policy[0]->name, "p");
	assert_string_equal(x.policy[0]->version, "3");
	assert_non_null(x.policy[0]->compiled);
	assert_int_equal(index_set_certificate(ix, id, "ACTIVE"), 0);
	assert_int_equal(index_set_attached(ix, id, "p", false), 0);
	assert_int_equal(index_set_attached(ix, id, "never seen", false), 0);
	assert_true(index_find(ix, id, &x));
	assert_int_equal(x.policies, 1);
	assert_string_equal(x.policy[0]->name, "q");
	assert_int_equal(index_set_certificate(ix, id, NULL), 0);
	assert_true(index_find(ix, id, &x)); /* an attachment is left */
	assert_int_equal(index_set_attached(ix, id, "q", false), 0);
	assert_false(index_find(ix, id, &x));
	index_free(&ix);
}

static void a_policy_that_does_not_compile_is_kept_as_none(void **state)
{
	struct index *ix = new_index();
	char why[200] = "";

	(void)state;
	assert_int_equal(index_set_policy(ix, "p", "1", DOCUMENT, why, sizeof(why)), 0);
	assert_non_null(index_policy(ix, "p")->compiled);
	assert_int_equal(index_set_policy(ix, "p", "2", "{}", why, sizeof(why)), 0);
	assert_string_equal(why, "Version must be 2012-10-17");
	assert_null(index_policy(ix, "p")->compiled);
	assert_int_equal(index_set_policy(ix, "p", NULL, NULL, why, sizeof(why)), 0);
	assert_null(index_policy(ix, "p")->compiled);
	assert_null(index_policy(ix, "q"));
	index_free(&ix);
}

static void an_eleventh_policy_is_noticed(void **state)
{
	struct index *ix = new_index();
	struct index_certificate x;
	uint8_t id[32];
	char name[8];

	(void)state;
	digest(3, id);
	for (int i = 0; i <= INDEX_POLICIES; i++) {
		snprintf(name, sizeof(name), "p%d", i);
		assert_int_equal(index_set_attached(ix, id, name, true), 0);
		assert_true(index_find(ix, id, &x));
		assert_int_equal(x.overflow, i == INDEX_POLICIES);
	}
	assert_int_equal(index_set_attached(ix, id, "p0", false), 0);
	assert_true(index_find(ix, id, &x));
	assert_true(x.overflow);
	index_free(&ix);
}

static void things_belong_to_one_certificate_each_way(void **state)
{
	struct index *ix = new_index();
	uint8_t one[32], two[32];

	(void)state;
	digest(4, one);
	digest(5, two);
	assert_int_equal(index_set_thing(ix, one, "lamp", true), 0);
	assert_int_equal(index_set_thing(ix, one, "lamp", true), 0);
	assert_true(index_is_attached(ix, one, "lamp"));
	assert_false(index_is_attached(ix, one, "lam"));
	assert_false(index_is_attached(ix, one, ""));
	assert_false(index_is_attached(ix, two, "lamp"));
	assert_int_equal(index_set_thing(ix, one, "lamp", false), 0);
	assert_false(index_is_attached(ix, one, "lamp"));
	index_free(&ix);
}

static void a_certificate_takes_256_bytes_at_most_and_no_heap(void **state)
{
	enum { CERTIFICATES = 100000 };
	struct index *ix = new_index();
	struct mallinfo2 before, after;
	size_t most = 0;

	(void)state;
	assert_int_equal(index_set_policy(ix, "p", "1", DOCUMENT, NULL, 0), 0);
	before = mallinfo2();
	for (unsigned i = 0; i < CERTIFICATES; i++) {
		uint8_t id[32];
		char thing[16];
		digest(i, id);
		snprintf(thing, sizeof(thing), "t%u", i);
		assert_int_equal(index_set_certificate(ix, id, "ACTIVE"), 0);
		assert_int_equal(index_set_attached(ix, id, "p", true), 0);
		assert_int_equal(index_set_thing(ix, id, thing, true), 0);
		if (i >= 1000 && index_bytes(ix) / (i + 1) > most)
			most = index_bytes(ix) / (i + 1);
	}
	after = mallinfo2();
	assert_int_equal(index_certificates(ix), CERTIFICATES);
	assert_in_range(most, 64 + 16, 256);
	assert_true(after.uordblks <= before.uordblks + 4096);
	index_free(&ix);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_table_remembers_what_an_array_does),
		cmocka_unit_test(a_table_refuses_the_two_marks_as_keys),
		cmocka_unit_test(with_a_full_disk_a_table_grows_in_memory),
		cmocka_unit_test(with_a_full_disk_memory_takes_the_texts),
		cmocka_unit_test(a_folder_that_is_not_there_is_an_error),
		cmocka_unit_test(a_full_disk_is_an_error_and_no_signal),
		cmocka_unit_test(certificates_come_and_go),
		cmocka_unit_test(attachments_may_come_before_what_they_attach),
		cmocka_unit_test(a_policy_that_does_not_compile_is_kept_as_none),
		cmocka_unit_test(an_eleventh_policy_is_noticed),
		cmocka_unit_test(things_belong_to_one_certificate_each_way),
		cmocka_unit_test(a_certificate_takes_256_bytes_at_most_and_no_heap),
	};
	return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
