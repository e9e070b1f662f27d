/* lanes_add.c -- from a thread that evaluates to the files of its lanes: buffers, one append for each lane and batch, and what happens when there is no room.
 *
 * A message of a ring stays open until the records that it caused are in the files. */
#include "plugins/rules/lanes.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

enum { RECORDS_MOST = 256, KEPT = 256 << 10 }; /* of one append; bytes of a buffer that stay when it is empty */
enum { SIZE_MOST = 64 << 20 };                 /* of a record (core/segments.h) */

/* -- room -- */

/* Full at its bound, and until an eighth of it is free again: not by turns. */
static bool no_room(const struct lane *l)
{
	uint64_t bytes = sk_segments_bytes(l->files), most = l->set->settings.spill;

	if (atomic_load(&l->held))
		return true;
	return atomic_load(&l->full) ? bytes > most - most / 8 : bytes >= most;
}

void lane_look_at_room(struct lane *l)
{
	if (no_room(l) == atomic_load(&l->full))
		return;
	pthread_mutex_lock(&l->set->lock);
	bool full = no_room(l);
	if (full != atomic_load(&l->full)) {
		atomic_store(&l->full, full);
		for (struct lane_use *u = l->users; u; u = u->next)
			atomic_fetch_add(&u->rule->full_lanes, full ? 1u : -1u);
	}
	pthread_mutex_unlock(&l->set->lock);
}

/* -- a buffer -- */

static bool grow(struct lane_buffer *b, size_t size)
{
	size_t room = b->room ? b->room : 4096, n = b->n_room ? b->n_room * 2 : 64;

	while (room - b->used < size)
		room *= 2;
	char *bytes = room > b->room ? realloc(b->bytes, room) : b->bytes;
	if (!bytes)
		return false;
	b->bytes = bytes;
	b->room = room;
	if (b->n < b->n_room)
		return true;
	size_t *sizes = realloc(b->size, n * sizeof *sizes);
	b->size = sizes ? sizes : b->size;
	struct rules_message **messages = sizes ? realloc(b->message, n * sizeof *messages) : NULL;
	if (!messages)
		return false;
	b->message = messages;
	b->n_room = n;
	return true;
}

/* What one message brings one after the other is counted once. */
static void add_message(struct lane_buffer *b, struct rules_message *m)
{
	size_t i = b->n;

	b->message[i] = m;
	if (!m)
		return;
	if (i && b->message[i - 1] == m)
		b->message[i - 1] = NULL;
	else
		m->open++;
}

const char *lane_add(struct lane *l, struct rules_thread *t, struct rules_message *m, const struct lane_item *i)
{
	struct lane_buffer *b = &l->buffer[t->index];
	size_t size = lane_item_size(i);

	if (size > SIZE_MOST)
		return "more than 64 MiB are no item";
	if (!grow(b, size))
		return "memory is out";
	if (lane_item_put(i, b->bytes + b->used))
		return "memory is out";
	b->used += size;
	b->size[b->n] = size;
	add_message(b, m);
	b->n++;
	if (!b->listed) {
		b->listed = true;
		atomic_fetch_add(&l->listed, 1);
		b->lane = l;
		b->next = t->buffers;
		t->buffers = b;
	}
	return NULL;
}

/* -- into the files -- */

/* Some of its records; how many, 0: they cannot be appended now. */
static size_t append_some(struct lane_buffer *b, size_t from, const char *at)
{
	struct sk_span span[RECORDS_MOST];
	size_t n = 0;

	for (; n < RECORDS_MOST && from + n < b->n; n++) {
		span[n] = (struct sk_span){ at, b->size[from + n] };
		at += span[n].size;
	}
	return sk_segments_append(b->lane->files, span, n) ? 0 : n;
}

static void forget_first(struct lane_buffer *b, size_t n, size_t bytes)
{
	memmove(b->bytes, b->bytes + bytes, b->used - bytes);
	memmove(b->size, b->size + n, (b->n - n) * sizeof *b->size);
	memmove(b->message, b->message + n, (b->n - n) * sizeof(struct rules_message *));
	b->used -= bytes;
	b->n -= n;
	if (b->n || b->room <= KEPT)
		return;
	free(b->bytes);
	b->bytes = NULL;
	b->room = 0;
}

static void note_held(struct rules_thread *t, struct lane_buffer *b)
{
	t->held += b->used - b->held;
	atomic_fetch_add(&b->lane->held, b->used - b->held);
	b->held = b->used;
}

/* true: all of it is in the files. */
static bool flush(struct rules_thread *t, struct lane_buffer *b)
{
	size_t done = 0, bytes = 0, n;

	while (done < b->n && (n = append_some(b, done, b->bytes + bytes))) {
		atomic_fetch_add(&lane_numbers(b->lane->run)->appended, n);
		for (size_t i = done; i < done + n; i++) {
			bytes += b->size[i];
			if (b->message[i])
				work_done(t, b->message[i]);
		}
		done += n;
	}
	bool all = done == b->n;
	forget_first(b, done, bytes);
	if (!all || b->held)
		note_held(t, b);
	lane_look_at_room(b->lane);
	if (done)
		lane_ring(b->lane);
	return all;
}

bool lanes_flush(struct rules_thread *t)
{
	struct lane_buffer **at = &t->buffers;

	while (*at) {
		struct lane_buffer *b = *at;
		if (flush(t, b)) {
			*at = b->next;
			b->listed = false;
			atomic_fetch_sub(&b->lane->listed, 1); /* the last that is done with it */
		} else {
			at = &b->next;
		}
	}
	return t->buffers != NULL;
}

int lane_append(struct lane *l, const struct lane_item *i)
{
	size_t size = lane_item_size(i);
	void *record = malloc(size);
	const struct sk_span span = { record, size };

	if (!record || atomic_load(&l->full)) {
		free(record);
		errno = record ? ENOSPC : ENOMEM;
		return -1;
	}
	errno = ENOMEM;
	int rc = lane_item_put(i, record) ? -1 : sk_segments_append(l->files, &span, 1), failed = errno;
	free(record);
	if (!rc) {
		atomic_fetch_add(&lane_numbers(l->run)->appended, 1);
		lane_look_at_room(l);
		lane_ring(l);
	}
	errno = failed;
	return rc;
}
