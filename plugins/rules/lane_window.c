/* lane_window.c -- what of a lane has been read ahead: blocks as they were read, each with its entries in order. Nothing is copied: items lie in the
 * blocks' bytes, and a block goes when all of its entries are done. The files are told of the lowest entry that is not. */
#include "plugins/rules/lane_step.h"

#include <stdlib.h>
#include <string.h>

#include "core/cache.h"

enum { BLOCK = 128 << 10 };

void lane_window_init(struct lane_window *w, struct sk_segments *files)
{
	*w = (struct lane_window){ .files = files, .at = sk_segments_first(files) };
	w->low = w->dropped = w->at;
	w->last = &w->first;
}

static void block_free(struct lane_block *b)
{
	sk_arena_free(&b->arena);
	free(b->entry);
	free(b);
}

void lane_window_free(struct lane_window *w)
{
	while (w->first) {
		struct lane_block *b = w->first;
		w->first = b->next;
		block_free(b);
	}
	w->last = &w->first;
}

/* What is there before anything is appended by this process. */
int lane_window_count(struct sk_segments *files, struct sk_place end, uint64_t *count)
{
	struct sk_place at = sk_segments_first(files);
	size_t room = BLOCK, need, used, size;
	char *buffer = malloc(room);
	long n = 0;

	*count = 0;
	while (buffer && (at.segment < end.segment || (at.segment == end.segment && at.offset < end.offset))) {
		n = sk_segments_read(files, &at, buffer, room, &need);
		if (n < 0 || (!n && need <= room))
			break;
		for (used = 0; n && sk_segments_next(buffer, (size_t)n, &used, &size);)
			++*count;
		char *more = n ? buffer : realloc(buffer, room = need);
		if (!more)
			break;
		buffer = more;
	}
	bool whole = buffer && n >= 0;
	free(buffer);
	return whole ? 0 : -1;
}

/* -- keys of order -- */

static uint32_t key_of(const struct lane_item *i, const char *order)
{
	const char *text = !order ? i->sink.topic : *order ? sk_sink_text(&i->sink, order) : NULL;
	uint32_t key = text ? sk_hash(text, strlen(text)) : 0;

	return text && !key ? 1 : key;
}

void lane_window_order(struct lane_window *w, const char *order)
{
	for (struct lane_entry *e = lane_window_next(w, NULL); e; e = lane_window_next(w, e))
		e->key = key_of(&e->item, order);
}

/* -- reading -- */

static size_t count_records(const struct lane_block *b)
{
	size_t n = 0, at = 0, size;

	while (sk_segments_next(b->buffer, b->bytes, &at, &size))
		n++;
	return n;
}

/* What is no item of ours is passed over: nothing can become of it. False: memory is out. */
static bool read_entries(struct lane_window *w, struct lane_block *b, struct sk_place from, const char *order, int64_t now_ms)
{
	size_t at = 0, size, n = count_records(b);
	const void *record;

	b->entry = calloc(n ? n : 1, sizeof *b->entry);
	if (!b->entry)
		return false;
	while ((record = sk_segments_next(b->buffer, b->bytes, &at, &size))) {
		struct lane_entry *e = &b->entry[b->count++];
		*e = (struct lane_entry){ .record = record, .size = size, .block = b, .seen_ms = now_ms };
		e->behind = sk_segments_after(w->files, from, at);
		if (!lane_item_read(&b->arena, record, size, &e->item)) {
			e->key = key_of(&e->item, order);
			b->left++;
			continue;
		}
		if (b->arena.failed)
			return false;
		e->state = ENTRY_DONE;
		w->damaged++;
	}
	return true;
}

/* A block with what lies at w->at; NULL with *more false: there is nothing, true: not now. */
static struct lane_block *read_block(struct lane_window *w, bool *more)
{
	size_t room = BLOCK, need = 0;
	struct lane_block *b;
	long n;

	for (*more = true; (b = calloc(1, sizeof *b + room)); room = need) {
		struct sk_place at = w->at;
		need = 0;
		n = sk_segments_read(w->files, &at, b->buffer, room, &need);
		if (n > 0) {
			b->bytes = (size_t)n;
			b->behind = at;
			return b;
		}
		free(b);
		*more = n < 0 || need;
		if (n < 0 || need <= room)
			return NULL;
	}
	return NULL;
}

int lane_window_fill(struct lane_window *w, const char *order, int64_t now_ms)
{
	bool more = false;

	while (w->items < LANE_WINDOW_ITEMS && w->bytes < LANE_WINDOW_BYTES) {
		struct lane_block *b = read_block(w, &more);
		if (!b)
			return more ? -1 : 0;
		if (!read_entries(w, b, w->at, order, now_ms)) {
			block_free(b);
			return -1;
		}
		w->at = b->behind;
		w->items += b->left;
		w->bytes += b->bytes;
		*w->last = b;
		w->last = &b->next;
	}
	return 0;
}

/* -- the end -- */

void lane_window_done(struct lane_window *w, struct lane_entry *e)
{
	if (e->state == ENTRY_DONE)
		return;
	e->state = ENTRY_DONE;
	e->block->left--;
	w->items--;
}

int lane_window_drop(struct lane_window *w)
{
	const struct lane_block *first;

	while (w->first && !w->first->left) {
		struct lane_block *b = w->first;
		w->low = b->behind;
		w->bytes -= b->bytes;
		w->first = b->next;
		if (!w->first)
			w->last = &w->first;
		block_free(b);
	}
	first = w->first;
	for (size_t i = 0; first && first->entry[i].state == ENTRY_DONE; i++)
		w->low = first->entry[i].behind;
	if (w->low.segment == w->dropped.segment && w->low.offset == w->dropped.offset)
		return 0;
	if (sk_segments_drop(w->files, w->low))
		return -1;
	w->dropped = w->low;
	return 0;
}

struct lane_entry *lane_window_next(const struct lane_window *w, const struct lane_entry *e)
{
	const struct lane_block *b = e ? e->block : w->first;
	size_t i = e ? (size_t)(e - b->entry) + 1 : 0;

	while (b && i >= b->count) {
		b = b->next;
		i = 0;
	}
	return b ? &b->entry[i] : NULL;
}
