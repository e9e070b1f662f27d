/* rules_journal_test.c -- rules/journal.h: the folder, whose it may be, what is set aside and when it goes; and what cannot be locked or written. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <fcntl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "rules/journal.h"

enum { RING = 4096 };
static char tmp[128], folder[160];

static int make(void **state)
{
	const char *in = getenv("TMPDIR");

	(void)state;
	snprintf(tmp, sizeof tmp, "%.80s/skeeter-journal-XXXXXX", in ? in : "/tmp");
	snprintf(folder, sizeof folder, "%s/j", mkdtemp(tmp));
	return 0;
}

static int clear(void **state)
{
	char command[256];

	(void)state;
	snprintf(command, sizeof command, "rm -rf '%s'", tmp);
	return system(command);
}

static bool is_file(const char *name)
{
	char path[256];
	struct stat st;

	snprintf(path, sizeof path, "%s/%s", folder, name);
	return !lstat(path, &st);
}

static void write_file(const char *name, const void *bytes, size_t n)
{
	char path[256];

	snprintf(path, sizeof path, "%s/%s", folder, name);
	FILE *f = fopen(path, "w");
	assert_non_null(f);
	assert_int_equal(fwrite(bytes, 1, n, f), n);
	assert_int_equal(fclose(f), 0);
}

static struct rules_journal *open_it(bool ours)
{
	char why[256] = "";
	struct rules_journal *j = rules_journal_open(folder, ours, why, sizeof why);

	if (!j)
		fail_msg("%s", why);
	return j;
}

static void refused(const char *says)
{
	char why[256] = "";

	assert_null(rules_journal_open(folder, false, why, sizeof why));
	if (!strstr(why, says))
		fail_msg("\"%s\" does not say \"%s\"", why, says);
}

static void rings(struct rules_journal *j, size_t n, struct rules_ring **r)
{
	char why[256] = "";

	if (rules_journal_rings(j, n, RING, r, why, sizeof why))
		fail_msg("%s", why);
}

static void put(struct rules_ring *r, const char *text, bool kept)
{
	char *at = rules_ring_reserve(r, 8 + strlen(text) + 1);

	assert_non_null(at);
	strcpy(at + 8, text);
	rules_ring_publish(r, kept);
}

/* All that is left, one after the other. */
static void left_is(struct rules_journal *j, const char *all)
{
	char found[256] = "";
	struct rules_left *l;
	size_t size;

	for (size_t i = 0; (l = rules_journal_left(j, i)); i++) {
		rules_left_rewind(l);
		for (const char *p; (p = rules_left_next(l, &size));)
			strcat(found, p + 8);
	}
	assert_string_equal(found, all);
}

static void a_folder_is_made_and_goes_with_what_was_in_it(void **state)
{
	struct rules_ring *r[3];
	struct stat st;

	(void)state;
	struct rules_journal *j = open_it(true);
	assert_int_equal(stat(folder, &st), 0);
	assert_int_equal(st.st_mode & 0777, 0700);
	rings(j, 3, r);
	assert_true(is_file("ring-0") && is_file("ring-2") && !is_file("ring-3"));
	put(r[1], "x", false);
	rules_journal_close(&j);
	assert_null(j);
	assert_int_equal(access(folder, F_OK), -1);
	j = open_it(false);
	rules_journal_close(&j);
	assert_int_equal(access(folder, F_OK), 0);
	rules_journal_close(&j);
}

static void what_was_kept_stays_until_it_is_forgotten(void **state)
{
	struct rules_ring *r[2];
	struct rules_left *l;
	size_t size;

	(void)state;
	struct rules_journal *j = open_it(true);
	rings(j, 2, r);
	put(r[0], "a", true);
	put(r[0], "b", true);
	put(r[1], "c", true);
	rules_ring_done(r[0], rules_ring_read(r[0], &size));
	rules_journal_close(&j);
	assert_true(is_file("ring-0") && is_file("ring-1"));
	for (int round = 0; round < 3; round++) { /* as often as it is killed before it gets to them */
		j = open_it(true);
		assert_int_equal(rules_journal_damaged(j), 0);
		rings(j, 1, r);
		left_is(j, round ? round == 1 ? "bcd" : "bcdd" : "bc");
		put(r[0], "d", true);
		rules_journal_close(&j);
	}
	j = open_it(true);
	left_is(j, "bcddd");
	for (size_t i = 0; (l = rules_journal_left(j, i)); i++) {
		rules_left_rewind(l);
		for (void *p; (p = rules_left_next(l, &size));)
			rules_left_done(p);
		if (i != 1)
			rules_journal_forget(j, i);
	}
	left_is(j, "");
	rules_journal_close(&j);
	j = open_it(true);
	left_is(j, "");
	rules_journal_close(&j);
	assert_int_equal(access(folder, F_OK), -1);
}

static void a_folder_is_one_brokers(void **state)
{
	(void)state;
	struct rules_journal *j = open_it(false);
	refused("is another broker's, which runs");
	rules_journal_close(&j);
	j = open_it(false);
	rules_journal_close(&j);
}

static void a_folder_that_is_not_ours_alone_is_refused(void **state)
{
	char other[200];

	(void)state;
	assert_int_equal(chmod(folder, 0750), 0);
	refused("is open to other users: chmod 700");
	assert_int_equal(chmod(folder, 0700), 0);
	snprintf(other, sizeof other, "%s/real", tmp);
	assert_int_equal(rename(folder, other), 0);
	assert_int_equal(symlink(other, folder), 0);
	refused("is no folder of ours");
	assert_int_equal(unlink(folder), 0);
	FILE *f = fopen(folder, "w");
	assert_non_null(f);
	fclose(f);
	refused("is no folder of ours");
	assert_int_equal(unlink(folder), 0);
	assert_int_equal(rename(other, folder), 0);
	if (geteuid())
		return; /* another user's folder takes root to make */
	assert_int_equal(chown(folder, 12345, 12345), 0);
	refused("belongs to another user");
	assert_int_equal(chown(folder, 0, 0), 0);
}

static void a_parent_that_is_not_there_is_said(void **state)
{
	char why[256] = "", path[256];

	(void)state;
	snprintf(path, sizeof path, "%s/no/such", tmp);
	assert_null(rules_journal_open(path, true, why, sizeof why));
	assert_non_null(strstr(why, "cannot make the folder"));
}

/* What is none of ours is kept, out of the way; what was never begun goes. */
static void foreign_files_are_set_aside(void **state)
{
	static const char zeros[RULES_RING_HEAD + RING];
	struct rules_ring *r[2];
	char path[200], command[1024];

	(void)state;
	struct rules_journal *j = open_it(false);
	rings(j, 2, r);
	put(r[0], "good", true);
	put(r[1], "one", true);
	put(r[1], "two", true);
	((char *)r[1])[RULES_RING_HEAD + 32 + 16 + 9] ^= 1;
	rules_journal_close(&j);
	write_file("ring-2", "hello", 5);
	write_file("ring-3", zeros, sizeof zeros);
	write_file("ring-4", "", 0);
	write_file("ring-05", "not a name of ours", 18);
	write_file("notes.txt", "nor this", 8);
	write_file("ring-7", "SKring1\n", 8);
	snprintf(command, sizeof command, "mkdir '%s/elsewhere' && cp '%s/ring-0' '%s/elsewhere/ring' && ln -s ../elsewhere/ring '%s/ring-8'", tmp, folder, tmp, folder);
	assert_int_equal(system(command), 0);
	snprintf(path, sizeof path, "%s/ring-9", folder);
	assert_int_equal(mkfifo(path, 0600), 0);
	j = open_it(false);
	assert_int_equal(rules_journal_damaged(j), 5);
	left_is(j, "goodone");
	assert_true(is_file("damaged-2") && !is_file("left-3") && !is_file("left-4") && is_file("damaged-5") && is_file("damaged-6") && is_file("damaged-7"));
	assert_true(is_file("ring-05") && is_file("notes.txt") && is_file("left-0") && is_file("left-1"));
	rules_journal_forget(j, 1);
	assert_true(is_file("damaged-1") && !is_file("left-1"));
	rings(j, 1, r);
	rules_journal_close(&j);
	j = open_it(false);
	assert_int_equal(rules_journal_damaged(j), 0);
	left_is(j, "good");
	rules_journal_close(&j);
}

static void what_is_on_a_disk_is_told_from_what_is_in_memory(void **state)
{
	char in_memory[64], why[256];

	(void)state;
	snprintf(in_memory, sizeof in_memory, "/dev/shm/skeeter-journal-test-%d", (int)getpid());
	struct rules_journal *j = rules_journal_open(in_memory, true, why, sizeof why);
	assert_non_null(j);
	assert_false(rules_journal_on_disk(j));
	rules_journal_close(&j);
	assert_int_equal(access(in_memory, F_OK), -1);
	j = rules_journal_open("/proc/self", false, why, sizeof why);
	assert_null(j);
}

/* In a process of its own, since the limit cannot be lifted again. */
static void limited(int what, rlim_t most, bool (*try)(void))
{
	pid_t child = fork();
	int status;

	if (!child) {
		const struct rlimit limit = { most, most };
		signal(SIGXFSZ, SIG_IGN);
		_exit(setrlimit(what, &limit) ? 2 : try() ? 0 : 1);
	}
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), 0);
}

static bool a_file_does_not_fit(void)
{
	char why[256] = "";
	struct rules_ring *r[2];
	struct rules_journal *j = rules_journal_open(folder, false, why, sizeof why);
	bool good = j && rules_journal_rings(j, 2, 1 << 20, r, why, sizeof why) && strstr(why, "takes no file of 1052672 bytes: File too large");
	rules_journal_close(&j);
	return good && !is_file("ring-0");
}

static void a_file_that_cannot_be_written_is_said(void **state)
{
	(void)state;
	limited(RLIMIT_FSIZE, 1 << 19, a_file_does_not_fit);
}

/* Root is not limited, so this is somebody else there. */
static bool memory_is_not_locked(void)
{
	char why[256] = "";
	struct rules_ring *r[2];
	if (!geteuid() && (chown(tmp, 12345, 12345) || setgid(12345) || setuid(12345)))
		return false;
	snprintf(folder, sizeof folder, "%s/other", tmp);
	struct rules_journal *j = rules_journal_open(folder, true, why, sizeof why);
	bool good = j && rules_journal_rings(j, 2, 1 << 16, r, why, sizeof why) &&
	            !strcmp(why, "plugin_opt_ring: 139264 bytes cannot be locked in memory: the limit is 65536 (ulimit -l; LimitMEMLOCK= in mosquitto.service)");
	rules_journal_close(&j);
	return good && access(folder, F_OK);
}

static void memory_that_cannot_be_locked_is_said(void **state)
{
	(void)state;
	limited(RLIMIT_MEMLOCK, 1 << 16, memory_is_not_locked);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_folder_is_made_and_goes_with_what_was_in_it),
		cmocka_unit_test(what_was_kept_stays_until_it_is_forgotten),
		cmocka_unit_test(a_parent_that_is_not_there_is_said),
		cmocka_unit_test(a_folder_is_one_brokers),
		cmocka_unit_test(a_folder_that_is_not_ours_alone_is_refused),
		cmocka_unit_test(foreign_files_are_set_aside),
		cmocka_unit_test(what_is_on_a_disk_is_told_from_what_is_in_memory),
		cmocka_unit_test(a_file_that_cannot_be_written_is_said),
		cmocka_unit_test(memory_that_cannot_be_locked_is_said),
	};
	return cmocka_run_group_tests(tests, make, clear);
}
