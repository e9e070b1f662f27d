/* index_table.c -- open addressing with linear probing in mapped pages; see index_table.h.
 *
 * While it grows there are two generations: lookups ask the new one first, each put moves MOVES places of the old one. The
 * new one has room for at least a sixteenth of the old one's places in new entries, so the old one is empty long before the new one fills. */
#include "plugins/auth/index_table.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

enum { SMALLEST = 64, MOVES = 32 };
static const uint64_t REMOVED = UINT64_MAX;

struct generation {
	unsigned char *at;
	size_t places; /* 0: there is no such generation */
	size_t used;   /* live and removed places */
	size_t live;
};

struct table {
	struct generation now, old;
	size_t moved; /* places of old that have been looked at */
	size_t entry_size, key_size;
	char folder[];
};

static uint64_t head_of(const void *key)
{
	uint64_t head;

	memcpy(&head, key, sizeof(head));
	return head;
}

static size_t bytes_of(const struct table *t, const struct generation *g)
{
	return g->places * t->entry_size;
}

/* -- generations -- */

static int file_in(const char *folder)
{
	char path[PATH_MAX];
	int fd = -1;

	errno = ENAMETOOLONG;
	if (snprintf(path, sizeof(path), "%s/auth-index-XXXXXX", folder) < (int)sizeof(path))
		fd = mkostemp(path, O_CLOEXEC);
	if (fd >= 0)
		unlink(path);
	return fd;
}

/* The file with all of its blocks there; it is closed if they cannot be had. */
static int reserve(int fd, size_t bytes)
{
	int error = fd < 0 ? errno : posix_fallocate(fd, 0, (off_t)bytes);

	if (!error)
		return fd;
	if (fd >= 0)
		close(fd);
	errno = error;
	return -1;
}

/* What is stored already must be known here too: when the disk is full, memory takes its place. */
static int reserve_anywhere(const char *folder, size_t bytes)
{
	int fd = reserve(file_in(folder), bytes);

	return fd < 0 && errno == ENOSPC ? reserve(memfd_create("auth-index", MFD_CLOEXEC), bytes) : fd;
}

static int open_generation(const struct table *t, struct generation *g, size_t places)
{
	size_t bytes = places * t->entry_size;
	int fd = reserve_anywhere(t->folder, bytes);
	void *at;

	if (fd < 0)
		return -1;
	at = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	close(fd);
	if (at == MAP_FAILED)
		return -1;
	*g = (struct generation){ .at = at, .places = places };
	return 0;
}

static void close_generation(const struct table *t, struct generation *g)
{
	if (g->places)
		munmap(g->at, bytes_of(t, g));
	*g = (struct generation){ 0 };
}

/* The place of the key, or the first free one behind its home; *found says which. */
static unsigned char *probe(const struct table *t, const struct generation *g, const void *key, bool *found)
{
	size_t i = (size_t)(((unsigned __int128)head_of(key) * g->places) >> 64);

	for (;; i = i + 1 == g->places ? 0 : i + 1) {
		unsigned char *at = g->at + i * t->entry_size;
		*found = !memcmp(at, key, t->key_size);
		if (*found || !head_of(at))
			return at;
	}
}

static void *find_in(const struct table *t, const struct generation *g, const void *key)
{
	bool found = false;
	void *at = g->places ? probe(t, g, key, &found) : NULL;

	return found ? at : NULL;
}

static void *insert(const struct table *t, struct generation *g, const void *key)
{
	bool found;
	unsigned char *at = probe(t, g, key, &found);

	if (found)
		return at;
	memcpy(at, key, t->key_size);
	memset(at + t->key_size, 0, t->entry_size - t->key_size);
	g->used++;
	g->live++;
	return at;
}

static void mark_removed(struct generation *g, void *at)
{
	memcpy(at, &REMOVED, sizeof(REMOVED));
	g->live--;
}

/* -- growing -- */

static void move(struct table *t, void *at)
{
	memcpy(insert(t, &t->now, at), at, t->entry_size);
	mark_removed(&t->old, at);
}

static void move_some(struct table *t, size_t places)
{
	while (places-- && t->moved < t->old.places) {
		void *at = t->old.at + t->moved++ * t->entry_size;
		if (head_of(at) && head_of(at) != REMOVED)
			move(t, at);
	}
	if (t->old.places && t->moved == t->old.places)
		close_generation(t, &t->old);
}

/* Full at four fifths; then 1.75 places for each live entry, but not below half of what was. */
static int make_room(struct table *t)
{
	struct generation next;
	size_t places = t->now.live + t->now.live / 2 + t->now.live / 4;

	if (t->now.used + 1 <= t->now.places / 5 * 4)
		return 0;
	move_some(t, SIZE_MAX);
	if (places < t->now.places / 2)
		places = t->now.places / 2;
	if (open_generation(t, &next, places < SMALLEST ? SMALLEST : places))
		return -1;
	t->old = t->now;
	t->now = next;
	t->moved = 0;
	return 0;
}

/* -- public -- */

struct table *table_new(const char *folder, size_t entry_size, size_t key_size)
{
	struct table *t = calloc(1, sizeof(*t) + strlen(folder) + 1);

	if (!t)
		return NULL;
	t->entry_size = entry_size;
	t->key_size = key_size;
	strcpy(t->folder, folder);
	if (open_generation(t, &t->now, SMALLEST)) {
		free(t);
		return NULL;
	}
	return t;
}

void table_free(struct table **t)
{
	if (!*t)
		return;
	close_generation(*t, &(*t)->now);
	close_generation(*t, &(*t)->old);
	free(*t);
	*t = NULL;
}

static bool usable(const void *key)
{
	return head_of(key) && head_of(key) != REMOVED;
}

void *table_find(const struct table *t, const void *key)
{
	void *at;

	if (!usable(key))
		return NULL;
	at = find_in(t, &t->now, key);
	return at ? at : find_in(t, &t->old, key);
}

void *table_put(struct table *t, const void *key)
{
	void *old;

	if (!usable(key))
		return NULL;
	move_some(t, MOVES);
	if (make_room(t))
		return NULL;
	old = find_in(t, &t->old, key);
	if (old)
		move(t, old);
	return insert(t, &t->now, key);
}

void table_remove(struct table *t, const void *key)
{
	void *at = table_find(t, key);
	bool is_old = at && t->old.places && (unsigned char *)at >= t->old.at && (unsigned char *)at < t->old.at + bytes_of(t, &t->old);

	if (at)
		mark_removed(is_old ? &t->old : &t->now, at);
}

size_t table_count(const struct table *t)
{
	return t->now.live + t->old.live;
}

size_t table_bytes(const struct table *t)
{
	return bytes_of(t, &t->now) + bytes_of(t, &t->old);
}
