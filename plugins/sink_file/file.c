/* file.c -- see file.h: each delivery opens what it writes to, so a file that somebody moves away or deletes is made anew.
 *
 * Levels are opened one by one and links are not followed, so nothing outside of the folder is ever opened, whatever a device puts into a template. Lines
 * of one file are written together, in their order; a write that ends in the middle is taken back.
 * Invariant: a file ends with a whole line, unless the process was killed within a write: then the next line begins behind an end of line. */
#include "plugins/sink_file/file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/why.h"

enum { ROOM = 256 << 10, FILES = 5, FILE_MODE = 0640, FOLDER_MODE = 0750 };

struct out {                   /* one file being written */
	struct sk_arena *arena;
	const char *path, *name;   /* name: the last level */
	int folder, fd;
	int64_t most, size;        /* most 0: it is not turned over */
	int files;
	bool sync;
	char *lines;               /* not written yet */
	size_t used, room;
	struct sk_sink_item *const *item;
	size_t n, *waiting, waits; /* whose lines those are: indexes */
};

const char *file_lane(const cJSON *fields, struct sk_arena *a, const char **why)
{
	(void)fields, (void)a, (void)why;
	return "files";
}

const char *file_check(const cJSON *fields, struct sk_arena *a)
{
	const char *path = sk_json_text(fields, "path");

	(void)a;
	return path && !strstr(path, "${") ? file_path_fault(path) : NULL;
}

void *file_open(void *state, const cJSON *fields, char *why, size_t why_size)
{
	(void)fields, (void)why, (void)why_size;
	return state;
}

void file_close(void *sink)
{
	(void)sink;
}

/* -- what errors mean -- */

static enum sk_sunk judge(int error)
{
	static const int passes[] = { ENOSPC, EDQUOT, EIO, ENOMEM, EMFILE, ENFILE, EINTR, EAGAIN, EBUSY, EROFS, EFBIG, ESTALE, ETIMEDOUT };

	for (size_t i = 0; i < sizeof passes / sizeof *passes; i++)
		if (error == passes[i])
			return SK_SUNK_RETRY;
	return SK_SUNK_FAIL;
}

static const char *words(const struct out *o, int error)
{
	const char *why = error == ELOOP ? "a link: links are not followed" : strerror(error);

	return sk_printf(o->arena, "%.300s: %s", o->path, why);
}

/* -- opening -- */

/* The folder that the file's name is in, made if it is not there; -1 with errno. *name is what is left of the path. */
static int enter(const char *root, const char *path, const char **name)
{
	int folder = open(root, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	char level[256];

	for (size_t n; folder >= 0 && path[n = strcspn(path, "/")]; path += n + 1) {
		snprintf(level, sizeof level, "%.*s", (int)n, path);
		int made = mkdirat(folder, level, FOLDER_MODE), error = errno;
		int next = made && error != EEXIST ? -1 : openat(folder, level, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
		error = made && error != EEXIST ? error : errno;
		close(folder);
		folder = next;
		errno = error;
	}
	*name = path;
	return folder;
}

static int end_the_line(struct out *o)
{
	char last;

	if (!o->size || pread(o->fd, &last, 1, o->size - 1) != 1 || last == '\n')
		return 0;
	if (write(o->fd, "\n", 1) != 1)
		return -1;
	o->size++;
	return 0;
}

/* What is no file, a pipe say, is not opened: that alone might do something. */
static int open_file(struct out *o)
{
	struct stat st;
	bool there = !fstatat(o->folder, o->name, &st, AT_SYMLINK_NOFOLLOW);

	if (there && !S_ISREG(st.st_mode)) {
		errno = S_ISDIR(st.st_mode) ? EISDIR : S_ISLNK(st.st_mode) ? ELOOP : EINVAL;
		return -1;
	}
	o->fd = openat(o->folder, o->name, O_RDWR | O_CREAT | O_APPEND | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC, FILE_MODE);
	if (o->fd < 0 || fstat(o->fd, &st))
		return -1;
	o->size = st.st_size;
	return end_the_line(o);
}

/* -- turning over: path.1 is the one before, path.2 that before it -- */

static int turn_over(struct out *o)
{
	char from[300], to[300];

	for (int i = o->files - 1; i >= 0; i--) {
		snprintf(from, sizeof from, i ? "%s.%d" : "%s", o->name, i);
		snprintf(to, sizeof to, "%s.%d", o->name, i + 1);
		if (renameat(o->folder, from, o->folder, to) && errno != ENOENT)
			return -1;
	}
	close(o->fd);
	o->fd = -1;
	return open_file(o);
}

/* -- writing -- */

static void settle(struct out *o, enum sk_sunk result, const char *why)
{
	for (size_t i = 0; i < o->waits; i++) {
		o->item[o->waiting[i]]->result = result;
		o->item[o->waiting[i]]->why = why;
	}
	o->waits = o->used = 0;
}

static int settle_error(struct out *o, int error)
{
	settle(o, judge(error), words(o, error));
	return -1;
}

/* Somebody else may append too: what is not ours is not cut off. */
static void take_back(struct out *o, size_t written)
{
	struct stat st;
	int error = errno;

	if (written && !fstat(o->fd, &st) && st.st_size == o->size + (int64_t)written && ftruncate(o->fd, o->size))
		o->size = st.st_size; /* then a torn line stays: the next one begins behind it */
	errno = error;
}

static int write_lines(struct out *o)
{
	size_t done = 0;

	while (done < o->used) {
		ssize_t n = write(o->fd, o->lines + done, o->used - done);
		if (n <= 0 && errno != EINTR) {
			errno = n ? errno : ENOSPC;
			take_back(o, done);
			return settle_error(o, errno);
		}
		done += n > 0 ? (size_t)n : 0;
	}
	if (o->used && o->sync && fdatasync(o->fd)) {
		take_back(o, done);
		return settle_error(o, errno);
	}
	o->size += (int64_t)done;
	settle(o, SK_SUNK_OK, NULL);
	return 0;
}

static int add_line(struct out *o, size_t i, const char *line, size_t size)
{
	bool over = o->most && o->size + (int64_t)(o->used + size) > o->most;

	if ((over || o->used + size > o->room) && write_lines(o))
		return -1;
	o->waiting[o->waits++] = i;
	if (over && o->size && turn_over(o))
		return settle_error(o, errno);
	if (size > o->room) {
		o->lines = sk_alloc(o->arena, size);
		o->room = o->lines ? size : 0;
	}
	if (!o->lines)
		return settle_error(o, ENOMEM);
	memcpy(o->lines + o->used, line, size);
	o->used += size;
	return 0;
}

static bool same_file(const struct sk_sink_item *a, const struct sk_sink_item *b)
{
	const char *one = sk_sink_text(a, "path"), *other = sk_sink_text(b, "path");

	return one && other && !strcmp(one, other);
}

/* All items from `first` on of its file. The first that is not written ends it: those behind it come again, or meet the same. */
static void write_file(struct out *o, size_t first)
{
	for (size_t i = first; i < o->n; i++) {
		struct sk_sink_item *item = o->item[i];
		const char *format = sk_sink_text(item, "format");
		size_t size = 0;
		if (!same_file(item, o->item[first]))
			continue;
		const char *line = file_line(item, format && !strcmp(format, "document"), o->arena, &size);
		o->sync = sk_sink_true(item, "sync") || (o->sync && o->used);
		o->most = sk_sink_int(item, "maxBytes", 0);
		o->files = (int)sk_sink_int(item, "files", FILES);
		if (!line)
			o->waiting[o->waits++] = i;
		if (!line ? settle_error(o, ENOMEM) : add_line(o, i, line, size))
			return;
	}
	write_lines(o);
}

/* Every item of that file that has not been tried. */
static void fail_file(struct out *o, size_t first, enum sk_sunk result, const char *why)
{
	for (size_t i = first; i < o->n; i++)
		if (same_file(o->item[i], o->item[first]))
			o->waiting[o->waits++] = i;
	settle(o, result, why);
}

static void deliver_file(struct out *o, const char *root, size_t first)
{
	const char *fault;

	o->path = sk_sink_text(o->item[first], "path");
	fault = o->path ? file_path_fault(o->path) : "there is no path";
	o->folder = o->fd = -1;
	o->waits = o->used = 0;
	if (fault) {
		o->item[first]->result = SK_SUNK_FAIL;
		o->item[first]->why = fault;
		return;
	}
	o->folder = enter(root, o->path, &o->name);
	if (o->folder < 0 || open_file(o)) {
		int error = errno;
		fail_file(o, first, judge(error), words(o, error));
	} else
		write_file(o, first);
	if (o->fd >= 0)
		close(o->fd);
	if (o->folder >= 0)
		close(o->folder);
}

static bool is_first(struct sk_sink_item *const *item, size_t i)
{
	for (size_t k = 0; k < i; k++)
		if (same_file(item[k], item[i]))
			return false;
	return true;
}

void file_deliver(void *sink, struct sk_sink_item *const *item, size_t n, struct sk_arena *a)
{
	const struct file_settings *s = sink;
	struct out o = { .arena = a, .item = item, .n = n, .room = ROOM };

	o.lines = sk_alloc(a, o.room);
	o.waiting = sk_alloc(a, n * sizeof *o.waiting);
	if (!o.lines || !o.waiting) {
		sk_sink_all(item, n, SK_SUNK_RETRY, "memory is out");
		return;
	}
	if (access(s->folder, X_OK)) { /* not mounted yet, say: it is not an item's fault */
		sk_sink_all(item, n, SK_SUNK_RETRY, sk_printf(a, "%s: %s", s->folder, strerror(errno)));
		return;
	}
	for (size_t i = 0; i < n; i++)
		if (is_first(item, i))
			deliver_file(&o, s->folder, i);
}
