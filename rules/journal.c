/* journal.c -- see journal.h. Every file is reached through the folder's descriptor, which also holds the lock, and none through a link. */
#include "rules/journal.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "core/why.h"

enum { TMPFS = 0x01021994, RAMFS = (int)0x858458f6, NAME = 32, TRIES = 16 };

struct file {
	char name[NAME];
	void *block;
	size_t bytes;
	struct rules_left left; /* of one of before */
	bool gone;
};
struct rules_journal {
	char *folder;
	int fd;
	bool ours;
	size_t damaged;
	unsigned next;          /* of left-N and damaged-N */
	struct file *ring, *left;
	size_t rings, lefts;
};

/* -- the folder -- */

static bool is_there(const struct rules_journal *j)
{
	struct stat here, named;
	return !fstat(j->fd, &here) && !lstat(j->folder, &named) && here.st_ino == named.st_ino && here.st_dev == named.st_dev;
}

static int check_folder(const struct rules_journal *j, char *why, size_t why_size)
{
	struct stat st;
	if (fstat(j->fd, &st))
		return sk_why(why, why_size, "plugin_opt_journal: %s: %s", j->folder, strerror(errno));
	if (st.st_uid != geteuid())
		return sk_why(why, why_size, "plugin_opt_journal: %s belongs to another user", j->folder);
	if (st.st_mode & 077)
		return sk_why(why, why_size, "plugin_opt_journal: %s is open to other users: chmod 700", j->folder);
	return 0;
}

/* Another broker that ends just now may take the folder away between two of these steps. */
static int lock_folder(struct rules_journal *j, char *why, size_t why_size)
{
	for (int i = 0; i < TRIES; i++) {
		if (mkdir(j->folder, 0700) && errno != EEXIST)
			return sk_why(why, why_size, "plugin_opt_journal: cannot make the folder %s: %s", j->folder, strerror(errno));
		j->fd = open(j->folder, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
		if (j->fd < 0 && errno == ENOENT)
			continue;
		if (j->fd < 0)
			return sk_why(why, why_size, "plugin_opt_journal: %s is no folder of ours: %s", j->folder, strerror(errno));
		if (check_folder(j, why, why_size))
			return -1;
		if (flock(j->fd, LOCK_EX | LOCK_NB))
			return sk_why(why, why_size, "plugin_opt_journal: %s is another broker's, which runs", j->folder);
		if (is_there(j))
			return 0;
		close(j->fd);
		j->fd = -1;
	}
	return sk_why(why, why_size, "plugin_opt_journal: %s comes and goes", j->folder);
}

/* -- files -- */

/* A name is a prefix and a number. */
static bool number_of(const char *name, const char *prefix, unsigned *n)
{
	size_t size = strlen(prefix);
	char again[NAME];
	if (strncmp(name, prefix, size) || sscanf(name + size, "%u", n) != 1)
		return false;
	snprintf(again, sizeof again, "%s%u", prefix, *n);
	return *n < UINT_MAX / 2 && !strcmp(name, again);
}

static int by_number(const void *a, const void *b)
{
	unsigned x = *(const unsigned *)a, y = *(const unsigned *)b;
	return x < y ? -1 : x > y;
}

/* The numbers of all files with that prefix, sorted; SIZE_MAX: memory or the folder fails. *list is the caller's. */
static size_t numbers(const struct rules_journal *j, const char *prefix, unsigned **list)
{
	int fd = openat(j->fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *d = fd < 0 ? NULL : fdopendir(fd);
	size_t n = 0, room = 0;
	bool good = d;
	*list = NULL;
	if (!d && fd >= 0)
		close(fd);
	for (const struct dirent *e; good && (e = readdir(d));) {
		unsigned number;
		if (!number_of(e->d_name, prefix, &number))
			continue;
		unsigned *more = n < room ? *list : realloc(*list, (room = room * 2 + 16) * sizeof *more);
		good = more;
		if (more)
			(*list = more)[n++] = number;
	}
	if (d)
		closedir(d);
	if (good && n)
		qsort(*list, n, sizeof **list, by_number);
	return good ? n : SIZE_MAX;
}

static void unmap(struct file *f)
{
	if (f->block)
		munmap(f->block, f->bytes);
	f->block = NULL;
	f->left.records = NULL;
	f->left.at = f->left.from = f->left.head = 0;
}

/* -- what was left -- */

/* ring-K of the process before becomes left-N. */
static int set_aside(struct rules_journal *j)
{
	unsigned *list;
	size_t n = numbers(j, "ring-", &list);
	bool good = n != SIZE_MAX;
	for (size_t i = 0; good && i < n; i++) {
		char from[NAME], to[NAME];
		snprintf(from, sizeof from, "ring-%u", list[i]);
		snprintf(to, sizeof to, "left-%u", j->next++);
		good = !renameat(j->fd, from, j->fd, to);
	}
	free(list);
	return good ? 0 : -1;
}

static int next_number(struct rules_journal *j)
{
	static const char *const prefixes[] = { "left-", "damaged-" };
	for (size_t i = 0; i < 2; i++) {
		unsigned *list;
		size_t n = numbers(j, prefixes[i], &list);
		if (n == SIZE_MAX)
			return -1;
		if (n && list[n - 1] >= j->next)
			j->next = list[n - 1] + 1;
		free(list);
	}
	return 0;
}

/* 0; 1: nothing that it could hold; -1 with errno. */
static int map(struct rules_journal *j, struct file *f)
{
	struct stat st;
	int fd = openat(j->fd, f->name, O_RDWR | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK);
	if (fd < 0 || fstat(fd, &st)) {
		if (fd >= 0)
			close(fd);
		return -1;
	}
	bool file = S_ISREG(st.st_mode), wanted = file && st.st_size > 0 && st.st_size <= (off_t)RULES_RING_HEAD + RULES_RING_MOST;
	f->bytes = wanted ? (size_t)st.st_size : 0;
	f->block = wanted ? mmap(NULL, f->bytes, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_POPULATE, fd, 0) : NULL;
	close(fd);
	if (f->block != MAP_FAILED)
		return wanted ? 0 : file && !st.st_size ? 1 : -1;
	f->block = NULL;
	return -1;
}

static void put_away(struct rules_journal *j, struct file *f, bool damaged)
{
	char to[NAME];
	unsigned n;
	unmap(f);
	f->gone = true;
	if (!damaged) {
		unlinkat(j->fd, f->name, 0);
		return;
	}
	number_of(f->name, "left-", &n);
	snprintf(to, sizeof to, "damaged-%u", n);
	renameat(j->fd, f->name, j->fd, to);
}

/* Files with nothing to do go at once. */
static void look_at(struct rules_journal *j, struct file *f)
{
	size_t size;
	int rc = map(j, f);
	if (!rc)
		rc = rules_left_open(&f->left, f->block, f->bytes);
	bool some = !rc && rules_left_next(&f->left, &size);
	if (!rc)
		while (rules_left_next(&f->left, &size))
			continue;
	bool damaged = rc < 0 || f->left.damaged;
	j->damaged += damaged;
	rules_left_rewind(&f->left);
	if (!some)
		put_away(j, f, damaged);
}

static int find_left(struct rules_journal *j)
{
	unsigned *list;
	size_t n = numbers(j, "left-", &list);
	j->left = n == SIZE_MAX ? NULL : calloc(n + 1, sizeof *j->left);
	for (size_t i = 0; j->left && i < n; i++) {
		struct file *f = &j->left[j->lefts++];
		snprintf(f->name, sizeof f->name, "left-%u", list[i]);
		look_at(j, f);
	}
	free(list);
	return j->left ? 0 : -1;
}

struct rules_left *rules_journal_left(struct rules_journal *j, size_t i)
{
	return i < j->lefts ? &j->left[i].left : NULL;
}

void rules_journal_forget(struct rules_journal *j, size_t i)
{
	struct file *f = &j->left[i];
	if (!f->gone)
		put_away(j, f, f->left.damaged);
}

size_t rules_journal_damaged(const struct rules_journal *j)
{
	return j->damaged;
}

/* -- rings -- */

static int write_zeros(int fd, size_t bytes)
{
	static const char zeros[1 << 16];
	while (bytes) {
		ssize_t n = write(fd, zeros, bytes < sizeof zeros ? bytes : sizeof zeros);
		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return -1;
		bytes -= (size_t)n;
	}
	return 0;
}

static int cannot_lock(size_t bytes, char *why, size_t why_size)
{
	struct rlimit most = { 0 };
	getrlimit(RLIMIT_MEMLOCK, &most);
	return sk_why(why, why_size, "plugin_opt_ring: %zu bytes cannot be locked in memory: the limit is %llu (ulimit -l; LimitMEMLOCK= in mosquitto.service)", bytes,
	              (unsigned long long)most.rlim_cur);
}

/* A page is written once, so that it is mapped for writing. */
static void touch(volatile char *at, size_t bytes)
{
	for (size_t i = 0; i < bytes; i += RULES_RING_HEAD)
		at[i] = 0;
}

static int make_ring(struct rules_journal *j, struct file *f, size_t all, char *why, size_t why_size)
{
	int fd = openat(j->fd, f->name, O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
	if (fd < 0 || write_zeros(fd, f->bytes)) {
		sk_why(why, why_size, "plugin_opt_journal: %s takes no file of %zu bytes: %s", j->folder, f->bytes, strerror(errno));
		if (fd >= 0)
			close(fd);
		return -1;
	}
	f->block = mmap(NULL, f->bytes, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_POPULATE, fd, 0);
	int failed = errno;
	close(fd);
	if (f->block == MAP_FAILED) {
		f->block = NULL;
		return sk_why(why, why_size, "plugin_opt_journal: a file in %s cannot be mapped: %s", j->folder, strerror(failed));
	}
	if (mlock2(f->block, f->bytes, 0)) /* sanitizers have an mlock() of their own, which does nothing */
		return cannot_lock(all, why, why_size);
	touch(f->block, f->bytes);
	return 0;
}

int rules_journal_rings(struct rules_journal *j, size_t n, size_t bytes, struct rules_ring **ring, char *why, size_t why_size)
{
	size_t whole = RULES_RING_HEAD + bytes;
	j->ring = calloc(n, sizeof *j->ring);
	if (!j->ring)
		return sk_why(why, why_size, "memory is out");
	for (; j->rings < n; j->rings++) {
		struct file *f = &j->ring[j->rings];
		f->bytes = whole;
		snprintf(f->name, sizeof f->name, "ring-%zu", j->rings);
		if (make_ring(j, f, n * whole, why, why_size)) {
			j->rings++; /* so that it is removed */
			return -1;
		}
		ring[j->rings] = rules_ring_over(f->block, whole);
		if (!ring[j->rings])
			return sk_why(why, why_size, "plugin_opt_ring: a ring of %zu bytes cannot be", bytes);
	}
	return 0;
}

bool rules_journal_on_disk(const struct rules_journal *j)
{
	struct statfs fs;
	return !fstatfs(j->fd, &fs) && (int)fs.f_type != TMPFS && (int)fs.f_type != RAMFS;
}

/* -- life -- */

struct rules_journal *rules_journal_open(const char *folder, bool ours, char *why, size_t why_size)
{
	struct rules_journal *j = calloc(1, sizeof *j);
	if (j) {
		j->fd = -1;
		j->ours = ours;
		j->folder = strdup(folder);
	}
	if (!j || !j->folder)
		sk_why(why, why_size, "memory is out");
	else if (!lock_folder(j, why, why_size)) {
		if (!next_number(j) && !set_aside(j) && !find_left(j))
			return j;
		sk_why(why, why_size, "plugin_opt_journal: %s: %s", folder, strerror(errno));
	}
	rules_journal_close(&j);
	return NULL;
}

static bool holds_something(struct file *f)
{
	struct rules_left l;
	size_t size;
	return f->block && !rules_left_open(&l, f->block, f->bytes) && (rules_left_next(&l, &size) || l.damaged);
}

void rules_journal_close(struct rules_journal **at)
{
	struct rules_journal *j = *at;
	*at = NULL;
	if (!j)
		return;
	for (size_t i = 0; i < j->rings; i++) {
		bool stays = holds_something(&j->ring[i]);
		unmap(&j->ring[i]);
		if (!stays)
			unlinkat(j->fd, j->ring[i].name, 0);
	}
	for (size_t i = 0; i < j->lefts; i++)
		unmap(&j->left[i]);
	if (j->fd >= 0) {
		if (j->ours && is_there(j))
			rmdir(j->folder); /* which fails when something is left */
		close(j->fd);
	}
	free(j->ring);
	free(j->left);
	free(j->folder);
	free(j);
}
