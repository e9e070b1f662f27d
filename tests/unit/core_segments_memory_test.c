/* core_segments_memory_test.c -- a queue in files whose memory runs out at every point in turn: what append() has taken is read, what it has refused is not there, and
 * the next process finds the same. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include "core/segments.h"
#include "tests/unit/scarce.h"

enum { RECORDS = 40, SIZE = 100, SEGMENT = 500 };
static char folder[64];

static void empty(void)
{
	char path[400];
	DIR *d = opendir(folder);
	for (struct dirent *one; d && (one = readdir(d));) {
		snprintf(path, sizeof path, "%s/%s", folder, one->d_name);
		unlink(path);
	}
	if (d)
		closedir(d);
}

static void damage(void)
{
	char path[100];
	snprintf(path, sizeof path, "%s/0000000000000001.seg", folder);
	int fd = open(path, O_RDWR | O_CLOEXEC);
	assert_int_equal(pwrite(fd, "x", 1, 40), 1);
	close(fd);
}

/* The records that are there, by their first byte; -1: reading has failed. */
static int read_all(struct sk_segments *s, bool *there)
{
	struct sk_place at = { 0, 0 };
	char buffer[1000];
	size_t need, size;
	long got;
	memset(there, 0, RECORDS);
	while ((got = sk_segments_read(s, &at, buffer, sizeof buffer, &need)) > 0) {
		size_t i = 0;
		for (const char *r; (r = sk_segments_next(buffer, (size_t)got, &i, &size));)
			there[(int)*r] = true;
	}
	assert_true(got == 0 || errno == ENOMEM);
	return (int)got;
}

static int append_all(struct sk_segments *s, bool *taken)
{
	int refused = 0;
	for (int i = 0; i < RECORDS; i++) {
		char record[SIZE] = { (char)i };
		taken[i] = !sk_segments_append(s, &(struct sk_span){ record, sizeof record }, 1);
		assert_true(taken[i] || errno == ENOMEM);
		refused += !taken[i];
	}
	return refused;
}

static bool once(void *ctx)
{
	bool taken[RECORDS] = { 0 }, there[RECORDS];
	char why[100];
	(void)ctx;
	struct sk_segments *s = sk_segments_open(folder, SEGMENT, why, sizeof why);
	int refused = s ? append_all(s, taken) : RECORDS;
	scarce_plenty();
	if (s && !refused) {
		damage();
		taken[0] = false; /* that is where it lies */
	}
	scarce_again();
	bool read = s && !read_all(s, there);
	if (read)
		assert_memory_equal(there, taken, sizeof there);
	sk_segments_close(&s);
	s = sk_segments_open(folder, SEGMENT, why, sizeof why);
	bool again = s && !read_all(s, there);
	if (again) {
		assert_memory_equal(there, taken, sizeof there);
		assert_int_equal(sk_segments_drop(s, sk_segments_end(s)), 0);
		assert_int_equal(sk_segments_bytes(s), 0);
	}
	sk_segments_close(&s);
	scarce_plenty();
	empty();
	scarce_again();
	return !refused && read && again;
}

static void without_memory(void **state)
{
	(void)state;
	snprintf(folder, sizeof folder, "/tmp/segments-XXXXXX");
	assert_non_null(mkdtemp(folder));
	assert_true(scarce_everywhere(once, NULL) > 5);
	assert_int_equal(rmdir(folder), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(without_memory) };
	return cmocka_run_group_tests(tests, NULL, NULL);
}
