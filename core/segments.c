/* segments.c -- see segments.h: opening, appending, dropping. segments_read.c reads, and knows what a frame is.
 *
 * `begin` is two slots, written in turn; the one that lies further on is right. What threads share is under the lock; files are read outside it.
 * Invariant: list[] is sorted, the sizes in it end behind a whole record, and places only grow, whatever files are lost. */
#include "core/segments_internal.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/check.h"
#include "core/why.h"

enum { KEPT = 1 << 20, SLOTS = 2 };
static const size_t usual_segment = 1 << 20;
static const uint64_t number_most = UINT64_MAX / 2;

struct slot {
	struct sk_place place;
	uint32_t check, magic;
};

void sk_segments_lock(const struct sk_segments *s)
{
	pthread_mutex_lock((pthread_mutex_t *)&s->lock);
}

void sk_segments_unlock(const struct sk_segments *s)
{
	pthread_mutex_unlock((pthread_mutex_t *)&s->lock);
}

bool sk_place_before(struct sk_place a, struct sk_place b)
{
	return a.segment < b.segment || (a.segment == b.segment && a.offset < b.offset);
}

static int write_all(int fd, const void *bytes, size_t size, uint64_t offset)
{
	size_t done = 0;
	while (done < size) {
		ssize_t n = pwrite(fd, (const char *)bytes + done, size - done, (off_t)(offset + done));
		if (n == 0)
			errno = ENOSPC;
		if (n <= 0 && errno != EINTR)
			return -1;
		done += n > 0 ? (size_t)n : 0;
	}
	return 0;
}

/* -- the list of files. Under the lock -- */

void sk_segment_name(uint64_t number, char name[24])
{
	snprintf(name, 24, "%016" PRIx64 ".seg", number);
}

static bool number_in(const char *name, uint64_t *number)
{
	char again[24];
	if (strlen(name) != 20)
		return false;
	*number = strtoull(name, NULL, 16);
	sk_segment_name(*number, again);
	return *number && *number < number_most && !strcmp(name, again);
}

bool sk_segments_room(void **list, size_t *room, size_t n, size_t size)
{
	if (n < *room)
		return true;
	size_t more = *room ? *room * 2 : 16;
	void *grown = reallocarray(*list, more, size);
	if (!grown)
		return false;
	*list = grown;
	*room = more;
	return true;
}

size_t sk_segments_find(const struct sk_segments *s, uint64_t number)
{
	size_t low = 0, high = s->n;
	while (low < high) {
		size_t middle = low + (high - low) / 2;
		if (s->list[middle].number < number)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

static void count_bytes(struct sk_segments *s)
{
	uint64_t gone = s->n && s->list[0].number == s->first.segment ? s->first.offset : 0;
	atomic_store_explicit(&s->bytes, s->total > gone ? s->total - gone : 0, memory_order_relaxed);
}

static int add(struct sk_segments *s, uint64_t number, uint64_t size)
{
	size_t i = sk_segments_find(s, number);
	if (i < s->n && s->list[i].number == number) {
		s->total += size - s->list[i].size;
		s->list[i].size = size;
		return 0;
	}
	if (!sk_segments_room((void **)&s->list, &s->room, s->n, sizeof *s->list))
		return -1;
	memmove(s->list + i + 1, s->list + i, (s->n - i) * sizeof *s->list);
	s->list[i] = (struct sk_segment_file){ number, size };
	s->n++;
	s->total += size;
	return 0;
}

void sk_segments_forget(struct sk_segments *s, size_t from, size_t n)
{
	size_t kept = 0;
	if (!n)
		return;
	uint64_t low = s->list[from].number, high = s->list[from + n - 1].number;
	for (size_t i = from; i < from + n; i++)
		s->total -= s->list[i].size;
	s->n -= n;
	memmove(s->list + from, s->list + from + n, (s->n - from) * sizeof *s->list);
	for (size_t i = 0; i < s->holes; i++)
		if (s->hole[i].from.segment < low || s->hole[i].from.segment > high)
			s->hole[kept++] = s->hole[i];
	s->holes = kept;
	count_bytes(s);
}

/* The size of a file of ours; -1: it is none. */
static int64_t size_of(const struct sk_segments *s, const char *name, int64_t *changed_ms)
{
	struct stat st;
	if (fstatat(s->folder, name, &st, AT_SYMLINK_NOFOLLOW) || !S_ISREG(st.st_mode))
		return -1;
	if (changed_ms)
		*changed_ms = (int64_t)st.st_mtim.tv_sec * 1000 + st.st_mtim.tv_nsec / 1000000;
	return st.st_size;
}

static void delete_first(struct sk_segments *s, size_t n)
{
	char name[24];
	for (size_t i = 0; i < n; i++) {
		sk_segment_name(s->list[i].number, name);
		unlinkat(s->folder, name, 0);
	}
	sk_segments_forget(s, 0, n);
}

/* -- begin -- */

static uint32_t check_of(const struct slot *slot)
{
	return sk_check(&slot->place, sizeof slot->place);
}

static int write_begin(struct sk_segments *s)
{
	struct slot slot = { .place = s->first, .magic = SK_FRAME_MAGIC };
	slot.check = check_of(&slot);
	s->slot = (s->slot + 1) % SLOTS;
	return write_all(s->begin, &slot, sizeof slot, s->slot * sizeof slot);
}

static int read_begin(struct sk_segments *s)
{
	struct slot slot[SLOTS] = { 0 };
	struct stat st;
	if (s->begin < 0)
		return 0;
	if (fstat(s->begin, &st) || !S_ISREG(st.st_mode)) {
		errno = EINVAL;
		return -1;
	}
	if (sk_read_at(s->begin, slot, sizeof slot, 0) < 0)
		return -1;
	for (unsigned i = 0; i < SLOTS; i++)
		if (slot[i].magic == SK_FRAME_MAGIC && slot[i].check == check_of(&slot[i]) && slot[i].place.segment < number_most && sk_place_before(s->first, slot[i].place)) {
			s->first = slot[i].place;
			s->slot = i;
		}
	return 0;
}

/* Adds the files of the folder that are new, and sizes. */
static int list_files(struct sk_segments *s)
{
	int fd = openat(s->folder, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC), rc = 0;
	DIR *d = fd < 0 ? NULL : fdopendir(fd);
	uint64_t number;
	if (!d) {
		if (fd >= 0)
			close(fd);
		return -1;
	}
	for (struct dirent *one; !rc && (one = readdir(d));) {
		int64_t size = number_in(one->d_name, &number) ? size_of(s, one->d_name, NULL) : -1;
		if (size >= 0)
			rc = add(s, number, (uint64_t)size);
	}
	closedir(d);
	return rc;
}

int sk_segments_look(struct sk_segments *s)
{
	if (read_begin(s) || list_files(s))
		return -1;
	if (s->reads_only && s->n)
		s->end = (struct sk_place){ s->list[s->n - 1].number, s->list[s->n - 1].size };
	count_bytes(s);
	return 0;
}

/* -- opening -- */

static bool make_frames_room(struct sk_segments *s, size_t size)
{
	if (size <= s->frames_room)
		return true;
	free(s->frames);
	s->frames = malloc(size);
	s->frames_room = s->frames ? size : 0;
	return s->frames != NULL;
}

static void end_frames(struct sk_segments *s)
{
	if (s->frames_room <= KEPT)
		return;
	free(s->frames);
	s->frames = NULL;
	s->frames_room = 0;
}

/* The end of the last whole record in [at, size). -1 with errno. */
static int64_t whole_end(struct sk_segments *s, int fd, struct sk_place at, uint64_t size)
{
	uint64_t end = at.offset;
	struct sk_frame h;
	while (at.offset < size && size - at.offset >= sizeof h) {
		ssize_t got = sk_read_at(fd, &h, sizeof h, at.offset);
		if (got < 0)
			return -1;
		if ((size_t)got < sizeof h || !sk_frame_is_whole(&h, at, &h)) {
			int64_t next = sk_frame_find(fd, (struct sk_place){ at.segment, at.offset + 1 }, size);
			if (next < 0)
				return -1;
			at.offset = (uint64_t)next;
			continue;
		}
		if (size - at.offset - sizeof h < h.size)
			break;
		if (!make_frames_room(s, sizeof h + h.size) || (got = sk_read_at(fd, s->frames, sizeof h + h.size, at.offset)) < 0)
			return -1;
		uint64_t next = at.offset + sizeof h + h.size;
		if (sk_frames_whole(s->frames, (size_t)got, at))
			end = next;
		at.offset = next;
	}
	end_frames(s);
	return (int64_t)end;
}

/* The last file is appended to from where its records end. */
static int open_last(struct sk_segments *s)
{
	struct sk_segment_file *last = &s->list[s->n - 1];
	struct sk_place from = { last->number, last->number == s->first.segment ? s->first.offset : 0 };
	char name[24];
	sk_segment_name(last->number, name);
	int fd = openat(s->folder, name, O_RDWR | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK);
	int64_t end = fd < 0 ? -1 : whole_end(s, fd, from, last->size);
	if (end < 0 || ftruncate(fd, (off_t)end)) {
		if (fd >= 0)
			close(fd);
		return -1;
	}
	s->writes = fd;
	s->end = (struct sk_place){ last->number, (uint64_t)end };
	return add(s, last->number, (uint64_t)end);
}

/* When the disk has lost the end of what `begin` speaks of, what is appended must not lie before it: that is a new file. */
static int open_files(struct sk_segments *s)
{
	s->begin = openat(s->folder, "begin", (s->reads_only ? O_RDONLY : O_RDWR | O_CREAT) | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK, 0600);
	if ((s->begin < 0 && !s->reads_only) || sk_segments_look(s))
		return -1;
	if (s->reads_only)
		return 0;
	if (write_begin(s) || write_begin(s))
		return -1;
	delete_first(s, sk_segments_find(s, s->first.segment));
	struct sk_segment_file *last = s->n ? &s->list[s->n - 1] : NULL;
	if (last && (last->number > s->first.segment || last->size >= s->first.offset)) {
		if (open_last(s))
			return -1;
	} else
		s->end.segment = s->first.segment + 1;
	return 0;
}

static int make_folders(const char *folder)
{
	char path[PATH_MAX];
	size_t n = strlen(folder);
	if (!n || n >= sizeof path) {
		errno = n ? ENAMETOOLONG : ENOENT;
		return -1;
	}
	memcpy(path, folder, n + 1);
	for (char *at = path + 1; *at; at++)
		if (*at == '/') {
			*at = 0;
			if (mkdir(path, 0700) && errno != EEXIST)
				return -1;
			*at = '/';
		}
	return mkdir(path, 0700) && errno != EEXIST ? -1 : 0;
}

static struct sk_segments *open_folder(const char *folder, size_t segment, bool reads_only, char *why, size_t why_size)
{
	struct sk_segments *s = calloc(1, sizeof *s);
	if (!s) {
		sk_why(why, why_size, "memory is out");
		return NULL;
	}
	*s = (struct sk_segments){ .segment = segment ? segment : usual_segment, .reads_only = reads_only, .folder = -1, .begin = -1, .writes = -1, .reads = -1 };
	pthread_mutex_init(&s->lock, NULL);
	s->folder = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	bool held = s->folder >= 0 && !reads_only && flock(s->folder, LOCK_EX | LOCK_NB);
	if (held && errno == EWOULDBLOCK)
		sk_why(why, why_size, "%s is used by another process", folder);
	else if (s->folder < 0 || held || open_files(s))
		sk_why(why, why_size, "%s: %s", folder, strerror(errno));
	else {
		count_bytes(s);
		return s;
	}
	sk_segments_close(&s);
	return NULL;
}

struct sk_segments *sk_segments_open(const char *folder, size_t segment, char *why, size_t why_size)
{
	if (make_folders(folder)) {
		sk_why(why, why_size, "%s: %s", folder, strerror(errno));
		return NULL;
	}
	return open_folder(folder, segment, false, why, why_size);
}

struct sk_segments *sk_segments_open_read(const char *folder, char *why, size_t why_size)
{
	return open_folder(folder, 0, true, why, why_size);
}

static void close_file(int fd)
{
	if (fd >= 0)
		close(fd);
}

void sk_segments_close(struct sk_segments **at)
{
	struct sk_segments *s = *at;
	*at = NULL;
	if (!s)
		return;
	close_file(s->writes);
	close_file(s->reads);
	close_file(s->begin);
	close_file(s->folder);
	pthread_mutex_destroy(&s->lock);
	free(s->list);
	free(s->hole);
	free(s->frames);
	free(s);
}

/* -- appending. Under the lock -- */

static int open_next(struct sk_segments *s)
{
	char name[24];
	while (s->writes < 0) {
		sk_segment_name(s->end.segment, name);
		s->writes = openat(s->folder, name, O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
		if (s->writes < 0 && errno != EEXIST)
			return -1;
		s->end.segment += s->writes < 0;
	}
	if (!add(s, s->end.segment, 0))
		return 0;
	unlinkat(s->folder, name, 0);
	close(s->writes);
	s->writes = -1;
	s->end.segment++;
	errno = ENOMEM;
	return -1;
}

static int append_frames(struct sk_segments *s, size_t size)
{
	if (write_all(s->writes, s->frames, size, s->end.offset)) {
		int why = errno;
		s->untidy = ftruncate(s->writes, (off_t)s->end.offset) != 0;
		errno = why;
		return -1;
	}
	s->end.offset += size;
	add(s, s->end.segment, s->end.offset);
	count_bytes(s);
	return 0;
}

static void make_frames(struct sk_segments *s, const struct sk_span *record, size_t n)
{
	struct sk_place at = s->end;
	char *out = s->frames;
	for (size_t i = 0; i < n; i++) {
		struct sk_frame h = { .magic = SK_FRAME_MAGIC, .size = (uint32_t)record[i].size, .check = sk_check(record[i].size ? record[i].bytes : "", record[i].size) };
		h.mark = sk_frame_mark(&h, at);
		memcpy(out, &h, sizeof h);
		if (h.size)
			memcpy(out + sizeof h, record[i].bytes, h.size);
		out += sizeof h + h.size;
		at.offset += sizeof h + h.size;
	}
}

static int append(struct sk_segments *s, const struct sk_span *record, size_t n, size_t size)
{
	if (!make_frames_room(s, size)) {
		errno = ENOMEM;
		return -1;
	}
	if (s->untidy && ftruncate(s->writes, (off_t)s->end.offset))
		return -1;
	s->untidy = false;
	if (s->writes >= 0 && s->end.offset && (s->turned || s->end.offset + size > s->segment)) {
		close(s->writes);
		s->writes = -1;
		s->end = (struct sk_place){ s->end.segment + 1, 0 };
	}
	s->turned = false;
	if (s->writes < 0 && open_next(s))
		return -1;
	make_frames(s, record, n);
	return append_frames(s, size);
}

int sk_segments_append(struct sk_segments *s, const struct sk_span *record, size_t n)
{
	size_t size = 0;
	if (s->reads_only) {
		errno = EROFS;
		return -1;
	}
	for (size_t i = 0; i < n; i++) {
		if (record[i].size > SK_RECORD_MOST || size > SIZE_MAX / 2) {
			errno = EFBIG;
			return -1;
		}
		size += SK_SEGMENT_HEADER + record[i].size;
	}
	if (!n)
		return 0;
	sk_segments_lock(s);
	int rc = append(s, record, n, size), why = errno;
	end_frames(s);
	sk_segments_unlock(s);
	errno = why;
	return rc;
}

/* -- dropping -- */

/* How many files lie wholly before. */
static size_t wholly_before(const struct sk_segments *s, struct sk_place before)
{
	size_t n = sk_segments_find(s, before.segment);
	bool one_more = n < s->n && s->list[n].number == before.segment && s->list[n].size <= before.offset && before.segment != s->end.segment;
	return n + one_more;
}

int sk_segments_drop(struct sk_segments *s, struct sk_place before)
{
	int rc = 0, why = errno;
	sk_segments_lock(s);
	if (sk_place_before(s->end, before))
		before = s->end;
	if (s->reads_only) {
		why = EROFS;
		rc = -1;
	} else if (sk_place_before(s->first, before)) {
		struct sk_place was = s->first;
		s->first = before;
		rc = write_begin(s);
		why = errno;
		if (rc)
			s->first = was;
		else
			delete_first(s, wholly_before(s, before));
		count_bytes(s);
	}
	sk_segments_unlock(s);
	errno = why;
	return rc;
}

static bool may_go(const struct sk_segments *s, uint64_t most, int64_t oldest_ms)
{
	char name[24];
	int64_t changed_ms = INT64_MAX;
	if (!s->n || s->list[0].number == s->end.segment)
		return false;
	if (atomic_load_explicit(&s->bytes, memory_order_relaxed) > most)
		return true;
	sk_segment_name(s->list[0].number, name);
	return size_of(s, name, &changed_ms) < 0 || changed_ms < oldest_ms;
}

uint64_t sk_segments_trim(struct sk_segments *s, uint64_t most, int64_t oldest_ms)
{
	sk_segments_lock(s);
	uint64_t before = atomic_load_explicit(&s->bytes, memory_order_relaxed);
	bool some = false;
	while (!s->reads_only && may_go(s, most, oldest_ms)) {
		s->first = (struct sk_place){ s->list[0].number + 1, 0 };
		delete_first(s, 1);
		some = true;
	}
	if (some)
		write_begin(s); /* what it says of files that are gone is passed over */
	uint64_t gone = before - atomic_load_explicit(&s->bytes, memory_order_relaxed);
	sk_segments_unlock(s);
	return gone;
}

void sk_segments_turn(struct sk_segments *s)
{
	sk_segments_lock(s);
	s->turned = true;
	sk_segments_unlock(s);
}

struct sk_place sk_segments_end(const struct sk_segments *s)
{
	sk_segments_lock(s);
	struct sk_place end = s->end;
	sk_segments_unlock(s);
	return end;
}

uint64_t sk_segments_bytes(const struct sk_segments *s)
{
	return atomic_load_explicit(&s->bytes, memory_order_relaxed);
}

uint64_t sk_segments_damaged(const struct sk_segments *s)
{
	return atomic_load_explicit(&s->damaged, memory_order_relaxed);
}
