/* core_segments_test.c -- core/segments.h: what was appended is read again after any tear, damage, full disk and reopening. */
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
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "core/segments.h"

enum { ROOM = 1 << 16 };
static char folder[64];

/* In memory where there is such a folder: thousands of files are cut, and a disk would write each. */
static int make(void **state)
{
	(void)state;
	snprintf(folder, sizeof folder, "%s/segments-XXXXXX", access("/dev/shm", W_OK) ? "/tmp" : "/dev/shm");
	return mkdtemp(folder) ? 0 : -1;
}

static int clear(void **state)
{
	char path[400];
	DIR *d = opendir(folder);
	(void)state;
	for (struct dirent *one; d && (one = readdir(d));) {
		snprintf(path, sizeof path, "%s/%s", folder, one->d_name);
		unlink(path);
	}
	if (d)
		closedir(d);
	return rmdir(folder);
}

static struct sk_segments *open_them(size_t segment)
{
	char why[200] = "";
	struct sk_segments *s = sk_segments_open(folder, segment, why, sizeof why);
	if (!s)
		fail_msg("%s", why);
	return s;
}

/* Records say their number; their sizes differ. */
static size_t fill(char *record, unsigned i)
{
	size_t n = (size_t)snprintf(record, 16, "%u:", i);
	memset(record + n, 'a' + (int)(i % 26), i * 7 % 90);
	return n + i * 7 % 90;
}

static void put(struct sk_segments *s, unsigned from, unsigned n)
{
	char text[64][128];
	struct sk_span span[64];
	for (unsigned i = 0; i < n; i++)
		span[i] = (struct sk_span){ text[i], fill(text[i], from + i) };
	assert_int_equal(sk_segments_append(s, span, n), 0);
}

static void is_record(const char *record, size_t size, unsigned i)
{
	char text[128];
	assert_int_equal(size, fill(text, i));
	assert_memory_equal(record, text, size);
}

/* Every record from *at on; the numbers must follow on `next`. The number after the last. */
static unsigned take(struct sk_segments *s, struct sk_place *at, size_t room, unsigned next)
{
	char *buffer = malloc(room);
	size_t need;
	long n;
	while ((n = sk_segments_read(s, at, buffer, room, &need)) > 0 || need) {
		size_t i = 0, size;
		if (need) {
			assert_true(need > room);
			buffer = realloc(buffer, room = need);
			continue;
		}
		for (const char *r; (r = sk_segments_next(buffer, (size_t)n, &i, &size));)
			is_record(r, size, next++);
		assert_int_equal(i, n);
	}
	assert_int_equal(n, 0);
	free(buffer);
	return next;
}

static unsigned take_all(struct sk_segments *s)
{
	struct sk_place at = { 0, 0 };
	return take(s, &at, ROOM, 0);
}

static int segments(void)
{
	int n = 0;
	DIR *d = opendir(folder);
	for (struct dirent *one; (one = readdir(d));)
		n += strstr(one->d_name, ".seg") != NULL;
	closedir(d);
	return n;
}

static const char *path_of(const char *name)
{
	static char path[128];
	snprintf(path, sizeof path, "%s/%s", folder, name);
	return path;
}

static const char *segment(unsigned number)
{
	char name[32];
	snprintf(name, sizeof name, "%016x.seg", number);
	return path_of(name);
}

static size_t load(const char *path, char *bytes, size_t room)
{
	FILE *f = fopen(path, "re");
	assert_non_null(f);
	size_t n = fread(bytes, 1, room, f);
	fclose(f);
	return n;
}

static void store(const char *path, const char *bytes, size_t n)
{
	FILE *f = fopen(path, "we");
	assert_non_null(f);
	assert_int_equal(fwrite(bytes, 1, n, f), n);
	fclose(f);
}

static void what_was_appended_is_read_in_order(void **state)
{
	struct sk_segments *s = open_them(500);
	struct sk_place at = sk_segments_first(s), end;
	(void)state;
	assert_int_equal(take(s, &at, ROOM, 0), 0);
	for (unsigned i = 0; i < 100; i += 5)
		put(s, i, 5);
	assert_true(segments() > 10);
	assert_int_equal(take(s, &at, 60, 0), 100);
	end = sk_segments_end(s);
	assert_true(at.segment == end.segment && at.offset == end.offset);
	sk_segments_close(&s);
	assert_null(s);
	s = open_them(500);
	assert_int_equal(take_all(s), 100);
	put(s, 100, 50);
	assert_int_equal(take(s, &at, ROOM, 100), 150);
	assert_int_equal(sk_segments_damaged(s), 0);
	sk_segments_close(&s);
}

static void no_record_is_too_small_and_64_mib_not_too_large(void **state)
{
	struct sk_segments *s = open_them(0);
	size_t most = 64u << 20, need, i = 0, size;
	char *large = calloc(1, most + 1), *back = malloc(most + 64);
	struct sk_place at = sk_segments_first(s);
	struct sk_span two[] = { { NULL, 0 }, { large, most + 1 } };
	(void)state;
	large[5] = 'x';
	assert_int_equal(sk_segments_append(s, two, 2), -1);
	assert_int_equal(errno, EFBIG);
	assert_int_equal(sk_segments_bytes(s), 0);
	two[1].size = most;
	assert_int_equal(sk_segments_append(s, two, 2), 0);
	assert_int_equal(sk_segments_append(s, two, 0), 0);
	assert_int_equal(sk_segments_read(s, &at, back, 10, &need), 0);
	assert_int_equal(need, 16);
	assert_int_equal(sk_segments_read(s, &at, back, 100, &need), 16);
	assert_non_null(sk_segments_next(back, 16, &i, &size));
	assert_int_equal(size, 0);
	assert_null(sk_segments_next(back, 16, &i, &size));
	assert_int_equal(sk_segments_read(s, &at, back, 100, &need), 0);
	assert_int_equal(need, most + 16);
	assert_int_equal(sk_segments_read(s, &at, back, most + 64, &need), most + 16);
	assert_memory_equal(back + 16, large, most);
	sk_segments_close(&s);
	s = open_them(0);
	assert_int_equal(sk_segments_bytes(s), most + 32);
	sk_segments_close(&s);
	free(large);
	free(back);
}

static void a_file_torn_at_any_byte_keeps_what_is_whole_and_goes_on(void **state)
{
	char bytes[2048];
	struct sk_segments *s = open_them(0);
	(void)state;
	put(s, 0, 12);
	sk_segments_close(&s);
	size_t size = load(segment(1), bytes, sizeof bytes), end[13] = { 0 };
	for (size_t i = 0, at = 0, one; i < 12; i++) {
		assert_non_null(sk_segments_next(bytes, size, &at, &one));
		end[i + 1] = at;
	}
	assert_int_equal(end[12], size);
	for (size_t cut = 0; cut <= size; cut++) {
		unsigned whole = 0;
		while (whole < 12 && end[whole + 1] <= cut)
			whole++;
		for (int zeros = 0; zeros < 2; zeros++) { /* a lost page reads as zeros */
			char torn[2048] = { 0 };
			memcpy(torn, bytes, cut);
			store(segment(1), torn, zeros ? size : cut);
			s = open_them(0);
			assert_int_equal(sk_segments_end(s).offset, end[whole]);
			assert_int_equal(take_all(s), whole);
			put(s, whole, 3);
			assert_int_equal(take_all(s), whole + 3);
			sk_segments_close(&s);
			s = open_them(0);
			assert_int_equal(take_all(s), whole + 3);
			assert_int_equal(sk_segments_damaged(s), 0);
			sk_segments_close(&s);
		}
	}
}

/* The numbers of the records that are read. */
static unsigned read_numbers(struct sk_segments *s, unsigned *number)
{
	struct sk_place at = { 0, 0 };
	char buffer[ROOM];
	size_t need, size;
	unsigned n = 0;
	for (long got; (got = sk_segments_read(s, &at, buffer, sizeof buffer, &need)) > 0;) {
		size_t i = 0;
		for (const char *r; (r = sk_segments_next(buffer, (size_t)got, &i, &size)); n++) {
			number[n] = (unsigned)atoi(r);
			is_record(r, size, number[n]);
		}
	}
	return n;
}

static void any_damaged_byte_costs_its_record_and_no_other(void **state)
{
	char bytes[2048];
	unsigned number[16];
	struct sk_segments *s = open_them(0);
	(void)state;
	put(s, 0, 12);
	sk_segments_close(&s);
	s = open_them(1); /* so that the first file is not the last one */
	put(s, 12, 1);
	sk_segments_close(&s);
	size_t size = load(segment(1), bytes, sizeof bytes), end = 0, one;
	for (unsigned bad = 0; bad < 12; bad++) {
		size_t start = end;
		assert_non_null(sk_segments_next(bytes, size, &end, &one));
		for (size_t i = start; i < end; i++) {
			bytes[i] ^= 0x41;
			store(segment(1), bytes, size);
			bytes[i] ^= 0x41;
			s = open_them(1);
			assert_int_equal(read_numbers(s, number), 12);
			for (unsigned k = 0; k < 12; k++)
				assert_int_equal(number[k], k + (k >= bad));
			assert_int_equal(sk_segments_damaged(s), 1);
			assert_int_equal(read_numbers(s, number), 12);
			assert_int_equal(sk_segments_damaged(s), 1);
			sk_segments_close(&s);
		}
	}
}

static void places_behind_damage_and_ends_of_files_are_found_again(void **state)
{
	char bytes[2048], buffer[ROOM];
	struct sk_segments *s = open_them(200);
	size_t need, size;
	(void)state;
	for (unsigned i = 0; i < 60; i++)
		put(s, i, 1);
	sk_segments_close(&s);
	size_t n = load(segment(2), bytes, sizeof bytes);
	bytes[20] ^= 1;
	bytes[n - 1] ^= 1;
	store(segment(2), bytes, n);
	s = open_them(200);
	for (struct sk_place at = sk_segments_first(s);;) {
		struct sk_place from = at, again;
		char other[ROOM];
		long got = sk_segments_read(s, &at, buffer, 300, &need), more;
		if (got <= 0)
			break;
		size_t i = 0;
		while (sk_segments_next(buffer, (size_t)got, &i, &size)) {
			again = sk_segments_after(s, from, i);
			more = sk_segments_read(s, &again, other, sizeof other, &need);
			assert_true(i == (size_t)got || more == got - (long)i);
			assert_true(i == (size_t)got || !memcmp(other, buffer + i, (size_t)more));
		}
		again = sk_segments_after(s, from, (size_t)got);
		assert_true(again.segment == at.segment && again.offset == at.offset);
	}
	assert_int_equal(sk_segments_damaged(s), 2);
	sk_segments_close(&s);
}

/* A record that holds another file's bytes: what is inside is never a record, wherever the damage is. */
static void what_a_record_contains_is_no_record(void **state)
{
	char inside[2048], bytes[8192];
	unsigned number[16];
	struct sk_segments *s = open_them(0);
	(void)state;
	put(s, 0, 12);
	sk_segments_close(&s);
	size_t n = load(segment(1), inside, sizeof inside);
	assert_int_equal(unlink(segment(1)), 0);
	s = open_them(0);
	put(s, 0, 1);
	assert_int_equal(sk_segments_append(s, &(struct sk_span){ inside, n }, 1), 0);
	put(s, 1, 1);
	sk_segments_close(&s);
	size_t size = load(segment(1), bytes, sizeof bytes), at = 0, one;
	assert_non_null(sk_segments_next(bytes, size, &at, &one));
	for (size_t i = 0; i < 16; i++) {
		bytes[at + i] ^= 0x10;
		store(segment(1), bytes, size);
		bytes[at + i] ^= 0x10;
		s = open_them(0);
		assert_int_equal(read_numbers(s, number), 2);
		assert_int_equal(sk_segments_damaged(s), 1);
		sk_segments_close(&s);
	}
	store(segment(1), bytes, at + 16 + n - 3);
	s = open_them(0);
	assert_int_equal(take_all(s), 1);
	sk_segments_close(&s);
}

static void what_is_dropped_does_not_come_back(void **state)
{
	char buffer[ROOM];
	size_t need, i = 0, size;
	struct sk_segments *s = open_them(300);
	struct sk_place at = sk_segments_first(s), from = at;
	(void)state;
	for (unsigned k = 0; k < 50; k++)
		put(s, k, 1);
	uint64_t bytes = sk_segments_bytes(s);
	int files = segments();
	long got = sk_segments_read(s, &at, buffer, sizeof buffer, &need);
	assert_non_null(sk_segments_next(buffer, (size_t)got, &i, &size));
	assert_int_equal(sk_segments_drop(s, sk_segments_after(s, from, i)), 0);
	assert_int_equal(sk_segments_bytes(s), bytes - i);
	assert_int_equal(segments(), files);
	sk_segments_close(&s);
	s = open_them(300);
	at = sk_segments_first(s);
	assert_int_equal(take(s, &at, ROOM, 1), 50);
	assert_int_equal(sk_segments_bytes(s), bytes - i);
	assert_int_equal(sk_segments_drop(s, from), 0); /* backwards: nothing */
	assert_int_equal(sk_segments_bytes(s), bytes - i);
	assert_int_equal(sk_segments_drop(s, (struct sk_place){ UINT64_MAX, 0 }), 0);
	assert_int_equal(sk_segments_bytes(s), 0);
	assert_int_equal(segments(), 1);
	sk_segments_close(&s);
	s = open_them(300);
	at = sk_segments_first(s);
	assert_int_equal(take(s, &at, ROOM, 50), 50);
	put(s, 50, 20);
	assert_int_equal(take(s, &at, ROOM, 50), 70);
	sk_segments_close(&s);
}

static void begin_survives_a_torn_slot(void **state)
{
	char begin[48];
	struct sk_segments *s = open_them(0);
	struct sk_place at = { 0, 0 };
	(void)state;
	put(s, 0, 10);
	for (unsigned k = 1; k < 6; k++)
		assert_int_equal(sk_segments_drop(s, sk_segments_after(s, sk_segments_first(s), 16 + 2 + (k - 1) * 7 % 90)), 0);
	sk_segments_close(&s);
	assert_int_equal(load(path_of("begin"), begin, sizeof begin), 48);
	for (int slot = 0; slot < 2; slot++) {
		char torn[48];
		memcpy(torn, begin, sizeof torn);
		torn[slot * 24 + 9] ^= 1;
		store(path_of("begin"), torn, sizeof torn);
		char why[100];
		s = sk_segments_open_read(folder, why, sizeof why);
		assert_non_null(s);
		at = sk_segments_first(s);
		char buffer[ROOM];
		size_t need, i = 0, size;
		long got = sk_segments_read(s, &at, buffer, sizeof buffer, &need);
		const char *first = sk_segments_next(buffer, (size_t)got, &i, &size);
		assert_non_null(first);
		assert_true(first[0] == '4' || first[0] == '5');
		sk_segments_close(&s);
	}
}

static void trimming_keeps_the_newest(void **state)
{
	struct sk_segments *s = open_them(300);
	struct sk_place at = sk_segments_first(s);
	(void)state;
	for (unsigned k = 0; k < 60; k++)
		put(s, k, 1);
	uint64_t bytes = sk_segments_bytes(s);
	assert_int_equal(sk_segments_trim(s, bytes, 0), 0);
	uint64_t gone = sk_segments_trim(s, 1000, 0);
	assert_true(gone > 0 && bytes - gone <= 1000 && bytes - gone > 400);
	assert_int_equal(sk_segments_bytes(s), bytes - gone);
	char buffer[ROOM];
	size_t need, i = 0, size;
	long got = sk_segments_read(s, &at, buffer, sizeof buffer, &need);
	unsigned first = (unsigned)atoi(sk_segments_next(buffer, (size_t)got, &i, &size));
	at = sk_segments_first(s);
	assert_int_equal(take(s, &at, ROOM, first), 60);
	sk_segments_trim(s, UINT64_MAX, INT64_MAX);
	assert_int_equal(segments(), 1);
	assert_true(sk_segments_bytes(s) > 0);
	sk_segments_close(&s);
	s = open_them(300);
	put(s, 60, 1);
	sk_segments_close(&s);
}

static void a_segment_is_ended_so_that_it_may_go(void **state)
{
	struct sk_segments *s = open_them(0);
	struct sk_place at = sk_segments_first(s);
	(void)state;
	sk_segments_turn(s);
	put(s, 0, 3);
	assert_int_equal(segments(), 1);
	sk_segments_turn(s);
	assert_int_equal(sk_segments_trim(s, UINT64_MAX, INT64_MAX), 0);
	put(s, 3, 3);
	put(s, 6, 3);
	assert_int_equal(segments(), 2);
	assert_int_equal(take(s, &at, ROOM, 0), 9);
	assert_true(sk_segments_trim(s, UINT64_MAX, INT64_MAX) > 0);
	at = sk_segments_first(s);
	assert_int_equal(take(s, &at, ROOM, 3), 9);
	sk_segments_close(&s);
}

/* A write that ends in the middle leaves nothing of it, and what fits goes on. */
static void a_full_disk_adds_nothing(void **state)
{
	(void)state;
	pid_t child = fork();
	if (!child) {
		struct rlimit most = { 700, RLIM_INFINITY }, none = { RLIM_INFINITY, RLIM_INFINITY };
		struct stat st;
		signal(SIGXFSZ, SIG_IGN);
		struct sk_segments *s = open_them(1 << 20);
		char text[64][128];
		struct sk_span span[64];
		for (unsigned i = 0; i < 64; i++)
			span[i] = (struct sk_span){ text[i], fill(text[i], i) };
		setrlimit(RLIMIT_FSIZE, &most);
		unsigned n = 0;
		while (!sk_segments_append(s, span + n, 5))
			n += 5;
		int why = errno;
		bool tidy = !stat(segment(1), &st) && st.st_size == (off_t)sk_segments_end(s).offset && sk_segments_bytes(s) == (uint64_t)st.st_size;
		bool same = take_all(s) == n;
		setrlimit(RLIMIT_FSIZE, &none);
		put(s, n, 5);
		same = same && take_all(s) == n + 5;
		sk_segments_close(&s);
		s = open_them(1 << 20);
		same = same && take_all(s) == n + 5;
		sk_segments_close(&s);
		_exit(n && why == EFBIG && tidy && same ? 0 : 1);
	}
	int status;
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_int_equal(status, 0);
}

static void a_disk_that_forgot_does_not_swallow_what_comes(void **state)
{
	struct sk_segments *s = open_them(0);
	(void)state;
	put(s, 0, 20);
	assert_int_equal(sk_segments_drop(s, sk_segments_end(s)), 0);
	sk_segments_close(&s);
	assert_int_equal(truncate(segment(1), 5), 0);
	s = open_them(0);
	struct sk_place at = sk_segments_first(s);
	put(s, 20, 3);
	assert_int_equal(take(s, &at, ROOM, 20), 23);
	sk_segments_close(&s);
	s = open_them(0);
	at = sk_segments_first(s);
	assert_int_equal(take(s, &at, ROOM, 20), 23);
	sk_segments_close(&s);
}

static void a_folder_has_one_writer_and_any_readers(void **state)
{
	char why[200];
	struct sk_segments *s = open_them(100), *r;
	struct sk_place at = { 0, 0 };
	(void)state;
	assert_null(sk_segments_open(folder, 0, why, sizeof why));
	assert_non_null(strstr(why, "is used by another process"));
	put(s, 0, 3);
	r = sk_segments_open_read(folder, why, sizeof why);
	assert_non_null(r);
	assert_int_equal(take(r, &at, ROOM, 0), 3);
	put(s, 3, 10);
	assert_int_equal(take(r, &at, ROOM, 3), 13);
	sk_segments_trim(s, 0, 0);
	put(s, 13, 1);
	assert_int_equal(take(r, &at, ROOM, 13), 14);
	assert_int_equal(sk_segments_append(r, &(struct sk_span){ "x", 1 }, 1), -1);
	assert_int_equal(errno, EROFS);
	assert_int_equal(sk_segments_drop(r, at), -1);
	assert_int_equal(sk_segments_trim(r, 0, 0), 0);
	sk_segments_close(&r);
	sk_segments_close(&s);
	assert_null(sk_segments_open_read("/nowhere/at/all", why, sizeof why));
	assert_string_equal(why, "/nowhere/at/all: No such file or directory");
	assert_null(sk_segments_open("", 0, why, sizeof why));
	assert_null(sk_segments_open("/dev/null/x", 0, why, sizeof why));
	assert_string_equal(why, "/dev/null/x: Not a directory");
}

/* A reader of another process does not take what is half written for damage. */
static void a_reader_waits_for_the_rest(void **state)
{
	char bytes[2048], why[100];
	struct sk_segments *s = open_them(0), *r;
	(void)state;
	put(s, 0, 4);
	sk_segments_close(&s);
	size_t size = load(segment(1), bytes, sizeof bytes);
	for (size_t cut = 1; cut < size; cut++) {
		struct sk_place at = { 0, 0 };
		store(segment(1), bytes, cut);
		r = sk_segments_open_read(folder, why, sizeof why);
		unsigned n = take(r, &at, ROOM, 0);
		assert_true(n < 4);
		store(segment(1), bytes, size);
		assert_int_equal(take(r, &at, ROOM, n), 4);
		assert_int_equal(sk_segments_damaged(r), 0);
		sk_segments_close(&r);
	}
}

static void what_is_no_segment_of_ours_is_left_alone(void **state)
{
	static const char *const names[] = { "0000000000000000.seg", "000000000000000G.seg", "ffffffffffffffff.seg", "1.seg", "000000000000000A.seg" };
	(void)state;
	for (size_t i = 0; i < sizeof names / sizeof *names; i++)
		store(path_of(names[i]), "x", 1);
	assert_int_equal(mkfifo(segment(1), 0600), 0);
	assert_int_equal(symlink("/etc/passwd", segment(2)), 0);
	struct sk_segments *s = open_them(100);
	put(s, 0, 20);
	assert_int_equal(take_all(s), 20);
	sk_segments_drop(s, sk_segments_end(s));
	sk_segments_close(&s);
	s = open_them(100);
	sk_segments_close(&s);
	for (size_t i = 0; i < sizeof names / sizeof *names; i++)
		assert_int_equal(access(path_of(names[i]), F_OK), 0);
	struct stat st;
	assert_int_equal(lstat(segment(2), &st), 0);
}

/* -- threads -- */
enum { WRITERS = 3, EACH = 3000 };
struct crowd {
	struct sk_segments *s;
	_Atomic unsigned writer;
};

static void *write_some(void *arg)
{
	struct crowd *c = arg;
	unsigned me = c->writer++;
	for (unsigned i = 0; i < EACH; i += 10) {
		unsigned record[10][2];
		struct sk_span span[10];
		for (unsigned k = 0; k < 10; k++) {
			record[k][0] = me;
			record[k][1] = i + k;
			span[k] = (struct sk_span){ record[k], sizeof record[k] };
		}
		while (sk_segments_append(c->s, span, 10))
			usleep(100);
	}
	return NULL;
}

static void threads_append_while_one_reads_and_drops(void **state)
{
	struct crowd c = { .s = open_them(2000) };
	pthread_t id[WRITERS];
	unsigned next[WRITERS] = { 0 }, all = 0;
	struct sk_place at = sk_segments_first(c.s);
	char buffer[512];
	size_t need, size;
	(void)state;
	for (int i = 0; i < WRITERS; i++)
		assert_int_equal(pthread_create(&id[i], NULL, write_some, &c), 0);
	while (all < WRITERS * EACH) {
		struct sk_place from = at;
		long n = sk_segments_read(c.s, &at, buffer, sizeof buffer, &need);
		size_t i = 0;
		assert_true(n >= 0 && !need);
		for (const char *r; (r = sk_segments_next(buffer, (size_t)n, &i, &size)); all++) {
			unsigned record[2];
			memcpy(record, r, sizeof record);
			assert_int_equal(record[1], next[record[0]]++);
		}
		assert_int_equal(sk_segments_drop(c.s, sk_segments_after(c.s, from, (size_t)n)), 0);
	}
	for (int i = 0; i < WRITERS; i++)
		pthread_join(id[i], NULL);
	assert_int_equal(sk_segments_bytes(c.s), 0);
	assert_int_equal(sk_segments_damaged(c.s), 0);
	assert_int_equal(segments(), 1);
	sk_segments_close(&c.s);
}

/* kill -9 at any moment: what append() had taken is there. */
static void what_was_taken_survives_kill(void **state)
{
	(void)state;
	for (int round = 0; round < 10; round++) {
		int told[2];
		assert_int_equal(pipe(told), 0);
		pid_t child = fork();
		if (!child) {
			struct sk_segments *s = open_them(4000);
			for (unsigned i = take_all(s);; i += 4) {
				put(s, i, 4);
				unsigned taken = i + 4;
				if (write(told[1], &taken, sizeof taken) < 0)
					_exit(1);
			}
		}
		unsigned taken = 0, one;
		close(told[1]);
		for (int i = 0; i < 50 + round * 40 && read(told[0], &one, sizeof one) == sizeof one; i++)
			taken = one;
		kill(child, SIGKILL);
		waitpid(child, NULL, 0);
		while (read(told[0], &one, sizeof one) == sizeof one)
			taken = one;
		close(told[0]);
		struct sk_segments *s = open_them(4000);
		assert_true(take_all(s) >= taken);
		assert_int_equal(sk_segments_damaged(s), 0);
		sk_segments_close(&s);
	}
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, make, clear)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(what_was_appended_is_read_in_order),
		TEST(no_record_is_too_small_and_64_mib_not_too_large),
		TEST(a_file_torn_at_any_byte_keeps_what_is_whole_and_goes_on),
		TEST(any_damaged_byte_costs_its_record_and_no_other),
		TEST(places_behind_damage_and_ends_of_files_are_found_again),
		TEST(what_a_record_contains_is_no_record),
		TEST(what_is_dropped_does_not_come_back),
		TEST(begin_survives_a_torn_slot),
		TEST(trimming_keeps_the_newest),
		TEST(a_segment_is_ended_so_that_it_may_go),
		TEST(a_full_disk_adds_nothing),
		TEST(a_disk_that_forgot_does_not_swallow_what_comes),
		TEST(a_folder_has_one_writer_and_any_readers),
		TEST(a_reader_waits_for_the_rest),
		TEST(what_is_no_segment_of_ours_is_left_alone),
		TEST(threads_append_while_one_reads_and_drops),
		TEST(what_was_taken_survives_kill),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
