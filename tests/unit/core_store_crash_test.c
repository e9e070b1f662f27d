/* core_store_crash_test.c -- the embedded store against kill -9, damaged files, a full disk and a folder that it may not write.
 *
 * A crash is what a stopped or killed process leaves in its files: a child writes, and reports each commit through a pipe after
 * it was answered; the parent kills it, or stops it and opens a copy, and looks for every commit that was reported. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>
#include <fcntl.h>
#include <signal.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/unit/store_suite.h"

enum { THINGS = 40, KILLS = 20, COPIES = 15 };

static char folder[64], opened_path[96];
static struct store_fixture fixture, *const f = &fixture;
static const char *const suffix[] = { "", "-wal", "-shm" };

static struct sk_store *open_path(const char *path, char *why, size_t size)
{
	struct sk_store_options opt = { .path = path, .dirty_limit = 100000, .log_limit = 200000 };

	return sk_store_open_embedded(&opt, why, size);
}

static struct sk_store *open_store(void)
{
	char why[300];
	struct sk_store *s = open_path(opened_path, why, sizeof why);

	if (!s)
		fprintf(stderr, "%s\n", why);
	return s;
}

static void remove_files(const char *path)
{
	char name[120];

	for (int i = 0; i < 3; i++) {
		snprintf(name, sizeof name, "%s%s", path, suffix[i]);
		unlink(name);
	}
}

static void destroy(void)
{
	remove_files(opened_path);
}

static void keep(void)
{
}

static const struct store_backend scratch = { "scratch", open_store, destroy }, kept = { "kept", open_store, keep };

static void use(const char *name)
{
	snprintf(opened_path, sizeof opened_path, "%s/%s", folder, name);
}

static int setup(void **state)
{
	(void)state;
	use("s.db");
	destroy();
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	destroy();
	return 0;
}

/* -- the child that writes -- */
static void prepare(struct change *c, uint32_t n)
{
	char key[40], text[400];

	snprintf(key, sizeof key, "thing/t%u", n % THINGS);
	change_start(c, f, key);
	for (int k = 0; k < 2; k++) {
		snprintf(key, sizeof key, "thing/t%u/%d", n % THINGS, k);
		snprintf(text, sizeof text, "%u %0*d", n, 50 + (int)(n * 37 % 300), 0);
		change_write(c, SK_RECORD, key, text);
	}
	snprintf(key, sizeof key, "thing/t%u/e%u", n % THINGS, n);
	change_write(c, SK_EFFECT, key, n % 3 ? "x" : NULL);
}

static void write_for_ever(int report)
{
	struct change c[8];

	fixture_start(f, &kept);
	for (uint32_t n = 1;; n += 8) {
		for (uint32_t i = 0; i < 8; i++)
			prepare(&c[i], n + i);
		change_submit(c, 8);
		for (uint32_t i = 0; i < 8; i++) {
			uint32_t number = n + i;

			change_wait(&c[i]);
			change_free(&c[i]);
			if (c[i].commit.status != SK_COMMIT_OK || write(report, &number, sizeof number) != sizeof number)
				_exit(1);
		}
		if (n % 512 == 1)
			usleep(15000);
	}
}

struct child {
	pid_t pid;
	int pipe;
	uint32_t reported[THINGS]; /* newest number that was reported, by thing */
};

static void start_child(struct child *child)
{
	int ends[2];

	assert_int_equal(pipe(ends), 0);
	memset(child, 0, sizeof *child);
	fflush(NULL);
	child->pid = fork();
	assert_true(child->pid >= 0);
	if (!child->pid) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		close(ends[0]);
		write_for_ever(ends[1]);
	}
	close(ends[1]);
	child->pipe = ends[0];
}

/* Reads what is in the pipe; true at its end. */
static bool drain(struct child *child)
{
	uint32_t numbers[1024];
	ssize_t got;

	fcntl(child->pipe, F_SETFL, O_NONBLOCK);
	while ((got = read(child->pipe, numbers, sizeof numbers)) > 0)
		for (size_t i = 0; i < (size_t)got / sizeof *numbers; i++)
			child->reported[numbers[i] % THINGS] = numbers[i];
	return got == 0;
}

static void run_for(struct child *child, unsigned ms)
{
	uint32_t before[THINGS];

	memcpy(before, child->reported, sizeof before);
	for (unsigned i = 0; i < ms || !memcmp(before, child->reported, sizeof before); i++) {
		usleep(1000);
		assert_false(drain(child));
		assert_true(i < 60000);
	}
}

static void check_things(const struct child *child)
{
	char key[40];

	for (unsigned i = 0; i < THINGS; i++) {
		char *value[2];

		for (int k = 0; k < 2; k++) {
			snprintf(key, sizeof key, "thing/t%u/%d", i, k);
			value[k] = get(f, SK_RECORD, key, NULL);
		}
		assert_int_equal(value[0] != NULL, value[1] != NULL);
		if (value[0])
			assert_string_equal(value[0], value[1]);
		assert_true(!child->reported[i] || (value[0] && (uint32_t)atoi(value[0]) >= child->reported[i]));
		free(value[0]);
		free(value[1]);
	}
}

static void check_store(const struct child *child, const struct store_backend *backend)
{
	uint64_t before, version;

	fixture_start(f, backend);
	before = f->store->seq;
	check_things(child);
	version = put(f, "registry/after", "x");
	assert_int_equal(version, before + 1);
	fixture_settle(f);
	check_things(child);
	fixture_stop(f);
}

static void after_kill_9_every_answered_commit_is_there(void **state)
{
	struct child child;
	unsigned seed = 1;
	(void)state;

	for (int i = 0; i < KILLS; i++) {
		start_child(&child);
		run_for(&child, (unsigned)rand_r(&seed) % 30);
		kill(child.pid, SIGKILL);
		assert_int_equal(waitpid(child.pid, NULL, 0), child.pid);
		while (!drain(&child))
			;
		close(child.pipe);
		check_store(&child, i % 4 == 3 ? &scratch : &kept);
	}
}

static void copy_file(const char *from, const char *to)
{
	char buffer[65536];
	int in = open(from, O_RDONLY), out;
	ssize_t got;

	if (in < 0)
		return;
	out = open(to, O_WRONLY | O_CREAT | O_TRUNC, 0600);
	assert_true(out >= 0);
	while ((got = read(in, buffer, sizeof buffer)) > 0)
		assert_int_equal(write(out, buffer, (size_t)got), got);
	close(in);
	close(out);
}

static void copy_store(const char *to)
{
	char source[120], target[120];

	for (int i = 0; i < 2; i++) {
		snprintf(source, sizeof source, "%s/s.db%s", folder, suffix[i]);
		snprintf(target, sizeof target, "%s/%s%s", folder, to, suffix[i]);
		copy_file(source, target);
	}
}

/* Folding and checkpoints go on all the time: the limits are small. */
static void a_copy_of_any_moment_opens_with_every_answered_commit(void **state)
{
	struct child child;
	unsigned seed = 2;
	int status;
	(void)state;

	start_child(&child);
	for (int i = 0; i < COPIES; i++) {
		run_for(&child, (unsigned)rand_r(&seed) % 40);
		kill(child.pid, SIGSTOP);
		assert_int_equal(waitpid(child.pid, &status, WUNTRACED), child.pid);
		drain(&child);
		copy_store("copy.db");
		kill(child.pid, SIGCONT);
		use("copy.db");
		check_store(&child, &scratch);
	}
	kill(child.pid, SIGKILL);
	waitpid(child.pid, NULL, 0);
	close(child.pipe);
	use("s.db");
}

/* -- files that are refused -- */
static void make_store(void)
{
	fixture_start(f, &kept);
	assert_true(put(f, "registry/a", "1") > 0);
	fixture_stop(f);
}

static void sql(const char *text)
{
	sqlite3 *db;

	assert_int_equal(sqlite3_open(opened_path, &db), SQLITE_OK);
	assert_int_equal(sqlite3_exec(db, text, NULL, NULL, NULL), SQLITE_OK);
	assert_int_equal(sqlite3_close(db), SQLITE_OK);
}

static void overwrite(off_t at, const char *data, size_t size)
{
	int fd = open(opened_path, O_RDWR | O_CREAT, 0600);

	assert_true(fd >= 0);
	assert_int_equal(pwrite(fd, data, size, at), size);
	close(fd);
}

static char *content(const char *path, size_t *size)
{
	FILE *in = fopen(path, "rb");
	char *data = malloc(8 << 20);

	assert_non_null(in);
	*size = fread(data, 1, 8 << 20, in);
	fclose(in);
	return data;
}

/* The line's end is `why` after the store's path; the file is as before, and nothing stands beside it. */
static void assert_refused(const char *before, const char *after)
{
	char expected[400], why[300] = "";
	size_t size, size_now;
	char *data = content(opened_path, &size), *now;

	snprintf(expected, sizeof expected, "%s%s%s", before, opened_path, after);
	assert_null(open_path(opened_path, why, sizeof why));
	assert_string_equal(why, expected);
	now = content(opened_path, &size_now);
	assert_int_equal(size, size_now);
	assert_memory_equal(data, now, size);
	for (int i = 1; i < 3; i++) {
		snprintf(expected, sizeof expected, "%s%s", opened_path, suffix[i]);
		assert_int_not_equal(access(expected, F_OK), 0);
	}
	free(data);
	free(now);
}

static void a_newer_store_is_not_touched(void **state)
{
	(void)state;
	make_store();
	sql("PRAGMA user_version=3");
	assert_refused("store ", " is version 3, this build knows 1: nothing was touched");
}

static void what_is_no_database_is_not_touched(void **state)
{
	(void)state;
	overwrite(0, "hello", 5);
	assert_refused("store ", " is damaged (file is not a database): nothing was touched");
}

static void another_programs_database_is_not_touched(void **state)
{
	(void)state;
	sql("CREATE TABLE theirs(a)");
	assert_refused("store ", " is damaged (it is another program's database): nothing was touched");
}

static void a_store_cut_short_is_not_touched(void **state)
{
	(void)state;
	make_store();
	assert_int_equal(truncate(opened_path, 4096 + 100), 0);
	assert_refused("store ", " is damaged (database disk image is malformed): nothing was touched");
}

static void a_store_with_a_scribbled_page_is_not_touched(void **state)
{
	char noise[4096], why[300];
	(void)state;

	make_store();
	memset(noise, 0xa5, sizeof noise);
	for (int page = 1; page < 6; page++) {
		overwrite(page * 4096, noise, sizeof noise);
		assert_null(open_path(opened_path, why, sizeof why));
		assert_non_null(strstr(why, " is damaged ("));
		assert_non_null(strstr(why, "): nothing was touched"));
		destroy();
		make_store();
	}
}

static void a_bad_log_row_is_not_touched(void **state)
{
	(void)state;
	make_store();
	sql("INSERT INTO log VALUES(2, x'534b4c31000000000100000000')");
	assert_refused("store ", " is damaged (log row 2 is not whole or not the next): nothing was touched");
}

static void a_missing_log_row_is_noticed(void **state)
{
	(void)state;
	make_store();
	sql("INSERT INTO log VALUES(3, x'534b4c31000000000100000000')");
	assert_refused("store ", " is damaged (log row 3 is not whole or not the next): nothing was touched");
}

static void assert_unwritable(const char *path, const char *reason)
{
	char why[300] = "", expected[300];

	snprintf(expected, sizeof expected, "cannot write store %s: %s", path, reason);
	assert_null(open_path(path, why, sizeof why));
	assert_string_equal(why, expected);
}

static void a_place_that_cannot_be_written_is_named(void **state)
{
	char path[160];
	(void)state;

	make_store();
	snprintf(path, sizeof path, "%s/below", opened_path);
	assert_unwritable(path, "Not a directory");
	snprintf(path, sizeof path, "%s/none/s.db", folder);
	assert_unwritable(path, "No such file or directory");
	assert_unwritable(folder, "Is a directory");
	assert_unwritable("", "no path");
}

/* As a user who is not root, for whom the folder's mode counts. */
static int open_as_nobody(void)
{
	char why[300] = "", expected[300];

	if (!geteuid() && (setgid(65534) || setuid(65534)))
		return 2;
	snprintf(expected, sizeof expected, "cannot write store %s: Permission denied", opened_path);
	if (open_path(opened_path, why, sizeof why))
		return 3;
	return strcmp(why, expected) ? 4 : 0;
}

static int status_of(int (*fn)(void))
{
	int status;
	pid_t pid;

	fflush(NULL);
	pid = fork();
	if (!pid)
		_exit(fn());
	assert_int_equal(waitpid(pid, &status, 0), pid);
	return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

static void a_read_only_folder_is_named(void **state)
{
	(void)state;
	assert_int_equal(chmod(folder, 0555), 0);
	assert_int_equal(status_of(open_as_nobody), 0);
	assert_int_equal(access(opened_path, F_OK), -1);
	assert_int_equal(chmod(folder, 0777), 0);
	make_store();
	assert_int_equal(chmod(opened_path, 0666), 0);
	assert_int_equal(chmod(folder, 0555), 0);
	assert_int_equal(status_of(open_as_nobody), 0);
	assert_int_equal(chmod(folder, 0700), 0);
}

static int open_in_use(void)
{
	char why[300] = "", expected[300];

	snprintf(expected, sizeof expected, "store %s is in use by another process", opened_path);
	if (open_path(opened_path, why, sizeof why))
		return 2;
	return strcmp(why, expected) ? 3 : 0;
}

static void a_store_is_opened_once(void **state)
{
	struct sk_store *s;
	(void)state;

	s = open_store();
	assert_non_null(s);
	assert_int_equal(status_of(open_in_use), 0);
	assert_int_equal(open_in_use(), 0);
	s->ops->close(s);
	make_store();
}

static void an_empty_file_becomes_a_store(void **state)
{
	(void)state;
	overwrite(0, "", 0);
	make_store();
	fixture_start(f, &kept);
	assert_value(f, "registry/a", "1");
	fixture_stop(f);
}

/* -- a full disk -- */
static void limit_files(rlim_t size)
{
	struct rlimit r;

	assert_int_equal(getrlimit(RLIMIT_FSIZE, &r), 0);
	r.rlim_cur = size;
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &r), 0);
}

static void only_what_does_not_fit_fails(void)
{
	char *large = calloc(1, (2 << 20) + 1), key[32];
	struct change c[9];

	memset(large, 'x', 2 << 20);
	for (int i = 0; i < 9; i++) {
		snprintf(key, sizeof key, "thing/p%d", i);
		change_start(&c[i], f, key);
		strcat(key, "/x");
		change_write(&c[i], SK_RECORD, key, i == 5 ? large : "small");
	}
	change_submit(c, 9);
	for (int i = 0; i < 9; i++) {
		change_wait(&c[i]);
		change_free(&c[i]);
		assert_int_equal(c[i].commit.status, i == 5 ? SK_COMMIT_FAILED : SK_COMMIT_OK);
		assert_int_equal(c[i].commit.why != NULL, i == 5);
	}
	assert_value(f, "thing/p5/x", NULL);
	assert_value(f, "thing/p6/x", "small");
	free(large);
}

/* Fills what is left, with distinct records; the number that were stored. */
static int fill_up(void)
{
	char key[32], text[2001];
	int n = 0;

	memset(text, 'x', 2000);
	text[2000] = '\0';
	do
		snprintf(key, sizeof key, "thing/full%d/x", n++);
	while (n < 3000 && put(f, key, text));
	return n - 1;
}

/* The refused commit has left no mark in the future, with which every scan of its partition would collide. */
static void the_refused_partition_may_be_written(int n)
{
	char partition[32], prefix[40], key[40];
	struct change c;

	snprintf(partition, sizeof partition, "thing/full%d", n);
	snprintf(prefix, sizeof prefix, "%s/", partition);
	snprintf(key, sizeof key, "%s/x", partition);
	change_start(&c, f, partition);
	change_expect_structure(&c, prefix, f->store->seq);
	change_write(&c, SK_RECORD, key, "now");
	assert_int_equal(change_run(&c), SK_COMMIT_OK);
}

static void a_full_disk_refuses_until_there_is_room(void **state)
{
	char key[32], *value;
	int stored;
	(void)state;

	signal(SIGXFSZ, SIG_IGN);
	fixture_start(f, &kept);
	limit_files(1 << 20);
	only_what_does_not_fit_fails();
	stored = fill_up();
	assert_in_range(stored, 10, 2000);
	assert_value(f, "thing/p6/x", "small");
	limit_files(RLIM_INFINITY);
	the_refused_partition_may_be_written(stored);
	assert_true(put(f, "thing/after/x", "room again") > 0);
	fixture_settle(f);
	fixture_reopen(f);
	for (int i = 0; i < stored; i++) {
		snprintf(key, sizeof key, "thing/full%d/x", i);
		value = get(f, SK_RECORD, key, NULL);
		assert_non_null(value);
		free(value);
	}
	assert_value(f, "thing/after/x", "room again");
	fixture_stop(f);
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
int main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(after_kill_9_every_answered_commit_is_there), CASE(a_copy_of_any_moment_opens_with_every_answered_commit),
		CASE(a_newer_store_is_not_touched), CASE(what_is_no_database_is_not_touched), CASE(another_programs_database_is_not_touched),
		CASE(a_store_cut_short_is_not_touched), CASE(a_store_with_a_scribbled_page_is_not_touched), CASE(a_bad_log_row_is_not_touched),
		CASE(a_missing_log_row_is_noticed), CASE(a_place_that_cannot_be_written_is_named), CASE(a_read_only_folder_is_named),
		CASE(a_store_is_opened_once), CASE(an_empty_file_becomes_a_store), CASE(a_full_disk_refuses_until_there_is_room),
	};
	int failed;

	snprintf(folder, sizeof folder, "/tmp/skeeter-crash-XXXXXX");
	if (!mkdtemp(folder))
		return 1;
	failed = cmocka_run_group_tests_name("embedded store, crashes and damage", tests, NULL, NULL);
	rmdir(folder);
	return failed;
}
