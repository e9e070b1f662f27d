/* segments_read.c -- see segments.h: what a frame is, and reading them.
 *
 * A header counts only at the place that it was written for, so nothing that a record contains is ever taken for one, wherever reading has to begin
 * anew. Damaged bytes are noted as holes when they are met: sk_segments_after() passes over the same ones.
 * Invariant: what read() copies are whole records that stand side by side in one file. */
#include "core/segments_internal.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "core/check.h"

enum { SCAN = 4096 };

/* -- frames -- */

uint32_t sk_frame_mark(const struct sk_frame *h, struct sk_place at)
{
	uint64_t all[3] = { at.segment, at.offset, (uint64_t)h->size << 32 | h->check };
	return sk_check(all, sizeof all);
}

bool sk_frame_is_whole(const void *bytes, struct sk_place at, struct sk_frame *out)
{
	memcpy(out, bytes, sizeof *out);
	return out->magic == SK_FRAME_MAGIC && out->size <= SK_RECORD_MOST && out->mark == sk_frame_mark(out, at);
}

ssize_t sk_read_at(int fd, void *buffer, size_t size, uint64_t offset)
{
	size_t done = 0;
	ssize_t n = 1;
	while (done < size && n) {
		n = pread(fd, (char *)buffer + done, size - done, (off_t)(offset + done));
		if (n < 0 && errno != EINTR)
			return -1;
		done += n > 0 ? (size_t)n : 0;
	}
	return (ssize_t)done;
}

int64_t sk_frame_find(int fd, struct sk_place from, uint64_t to)
{
	char piece[SCAN];
	struct sk_frame h;
	while (from.offset < to && to - from.offset >= sizeof h) {
		size_t want = to - from.offset < sizeof piece ? (size_t)(to - from.offset) : sizeof piece;
		ssize_t got = sk_read_at(fd, piece, want, from.offset);
		if (got < 0)
			return -1;
		for (size_t i = 0; i + sizeof h <= (size_t)got; i++, from.offset++)
			if (sk_frame_is_whole(piece + i, from, &h))
				return (int64_t)from.offset;
		if ((size_t)got < want)
			break;
	}
	return (int64_t)to;
}

size_t sk_frames_whole(const char *bytes, size_t size, struct sk_place at)
{
	struct sk_place here = at;
	struct sk_frame h;
	size_t done = 0;
	while (size - done >= sizeof h && sk_frame_is_whole(bytes + done, here, &h)) {
		if (size - done - sizeof h < h.size || sk_check(bytes + done + sizeof h, h.size) != h.check)
			break;
		done += sizeof h + h.size;
		here.offset = at.offset + done;
	}
	return done;
}

const void *sk_segments_next(const void *buffer, size_t size, size_t *at, size_t *record_size)
{
	struct sk_frame h;
	if (size < sizeof h || *at > size - sizeof h)
		return NULL;
	memcpy(&h, (const char *)buffer + *at, sizeof h);
	if (h.size > size - sizeof h - *at)
		return NULL;
	*record_size = h.size;
	*at += sizeof h + h.size;
	return (const char *)buffer + *at - h.size;
}

/* -- places. Under the lock -- */

static void pass_holes(const struct sk_segments *s, struct sk_place *at)
{
	for (size_t i = 0; i < s->holes; i++) /* in the order in which they were met: a later one may begin where an earlier one ends */
		if (s->hole[i].from.segment == at->segment && s->hole[i].from.offset == at->offset)
			at->offset = s->hole[i].to;
}

/* Moves *at to where the next record stands, and says in which file. false: there is none behind it. */
static bool settle(const struct sk_segments *s, struct sk_place *at, struct sk_segment_file *in)
{
	struct sk_place here = *at;
	for (size_t i = sk_segments_find(s, at->segment); i < s->n; i++) {
		if (s->list[i].number != here.segment)
			here = (struct sk_place){ s->list[i].number, 0 };
		pass_holes(s, &here);
		if (here.offset < s->list[i].size) {
			*at = here;
			*in = s->list[i];
			return true;
		}
	}
	return false;
}

struct sk_place sk_segments_first(const struct sk_segments *s)
{
	struct sk_segment_file in;
	sk_segments_lock(s);
	struct sk_place at = s->first;
	if (!settle(s, &at, &in))
		at = s->end;
	sk_segments_unlock(s);
	return at;
}

struct sk_place sk_segments_after(const struct sk_segments *s, struct sk_place from, size_t bytes)
{
	struct sk_segment_file in;
	if (!bytes)
		return from;
	sk_segments_lock(s);
	if (!from.segment)
		from = s->first;
	settle(s, &from, &in);
	sk_segments_unlock(s);
	return (struct sk_place){ from.segment, from.offset + bytes };
}

/* -- reading -- */

static bool next_file(struct sk_segments *s, struct sk_place *at, struct sk_segment_file *in)
{
	sk_segments_lock(s);
	if (sk_place_before(*at, s->first))
		*at = s->first;
	bool some = settle(s, at, in);
	if (!some && s->reads_only && !sk_segments_look(s))
		some = settle(s, at, in);
	sk_segments_unlock(s);
	return some;
}

static int file_of(struct sk_segments *s, uint64_t number)
{
	char name[24];
	if (s->reads >= 0 && s->reads_number == number)
		return s->reads;
	if (s->reads >= 0)
		close(s->reads);
	sk_segment_name(number, name);
	s->reads_number = number;
	s->reads = openat(s->folder, name, O_RDONLY | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK);
	return s->reads;
}

/* A file that is not there was dropped meanwhile, or by somebody else. */
static void file_is_gone(struct sk_segments *s, uint64_t number)
{
	sk_segments_lock(s);
	size_t i = sk_segments_find(s, number);
	if (i < s->n && s->list[i].number == number)
		sk_segments_forget(s, i, 1);
	sk_segments_unlock(s);
}

static int note_hole(struct sk_segments *s, struct sk_place from, uint64_t to)
{
	sk_segments_lock(s);
	bool room = sk_segments_room((void **)&s->hole, &s->hole_room, s->holes, sizeof *s->hole);
	if (room)
		s->hole[s->holes++] = (struct sk_hole){ from, to };
	sk_segments_unlock(s);
	if (room)
		s->damaged++;
	else
		errno = ENOMEM;
	return room ? 0 : -1;
}

/* Of one that only reads: may be in the middle of being written. *more: it has been meanwhile. */
static bool may_grow(struct sk_segments *s, const struct sk_segment_file *in, bool *more)
{
	if (!s->reads_only)
		return false;
	sk_segments_lock(s);
	sk_segments_look(s);
	size_t i = sk_segments_find(s, in->number);
	*more = i < s->n && s->list[i].number == in->number && s->list[i].size > in->size;
	bool last = i + 1 >= s->n;
	sk_segments_unlock(s);
	return last || *more;
}

/* What stands at `at` is not a record: notes how far that goes. 0, or look again; 1: another process may be writing it; -1 with errno. */
static int pass_over(struct sk_segments *s, int fd, struct sk_place at, const struct sk_segment_file *in)
{
	struct sk_frame h;
	ssize_t got = sk_read_at(fd, &h, sizeof h, at.offset);
	int64_t to = (int64_t)in->size;
	if (got < 0)
		return -1;
	if ((size_t)got < sizeof h || !sk_frame_is_whole(&h, at, &h))
		to = sk_frame_find(fd, (struct sk_place){ at.segment, at.offset + 1 }, in->size);
	else if (in->size - at.offset > sizeof h + h.size)
		to = (int64_t)(at.offset + sizeof h + h.size);
	if (to < 0)
		return -1;
	bool more = false;
	if ((uint64_t)to == in->size && may_grow(s, in, &more))
		return !more;
	return note_hole(s, at, (uint64_t)to);
}

/* The bytes of whole records at `at`, or what the first one needs; neither: it is not whole. -1 with errno. */
static long copy(int fd, struct sk_place at, uint64_t size, struct sk_span out, size_t *need)
{
	size_t want = size - at.offset < out.size ? (size_t)(size - at.offset) : out.size;
	struct sk_frame h;
	ssize_t got = sk_read_at(fd, (void *)out.bytes, want, at.offset);
	if (got < 0)
		return -1;
	size_t whole = sk_frames_whole(out.bytes, (size_t)got, at);
	if (whole)
		return (long)whole;
	got = sk_read_at(fd, &h, sizeof h, at.offset);
	if (got == sizeof h && sk_frame_is_whole(&h, at, &h) && sizeof h + h.size > out.size && sizeof h + h.size <= size - at.offset)
		*need = sizeof h + h.size;
	return got < 0 ? -1 : 0;
}

long sk_segments_read(struct sk_segments *s, struct sk_place *at, void *buffer, size_t room, size_t *need)
{
	struct sk_segment_file in;
	long n = 0;
	*need = 0;
	while (!n && !*need && next_file(s, at, &in)) {
		int fd = file_of(s, in.number);
		if (fd < 0 && errno == ENOENT)
			file_is_gone(s, in.number);
		else if (fd < 0)
			return -1;
		else if (!(n = copy(fd, *at, in.size, (struct sk_span){ buffer, room }, need)) && !*need) {
			int rc = pass_over(s, fd, *at, &in);
			if (rc)
				return rc < 0 ? -1 : 0;
		}
	}
	at->offset += n > 0 ? (uint64_t)n : 0;
	return n;
}
