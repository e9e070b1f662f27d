/* store_map.c -- the ordered map of dirty records: a skip list for each space, and one list of all entries by age.
 *
 * Invariant: an entry stands in its skip list and in the list by age, or in neither; the list by age is sorted by version,
 * because every put carries a higher version than all before. A skip list needs no rebalancing, so the time for which a change
 * holds the lock is the time to find its place. */
#include "core/store_internal.h"

#include <stdlib.h>
#include <string.h>

enum { ALLOCATION = 32 }; /* what malloc adds to an entry and its bytes, about */

int sk_map_init(struct sk_map *m)
{
	pthread_rwlockattr_t attr;
	int rc;

	memset(m, 0, sizeof *m);
	m->random = 0x9e3779b97f4a7c15u;
	if (pthread_rwlockattr_init(&attr))
		return -1;
	pthread_rwlockattr_setkind_np(&attr, PTHREAD_RWLOCK_PREFER_WRITER_NONRECURSIVE_NP);
	rc = pthread_rwlock_init(&m->lock, &attr);
	pthread_rwlockattr_destroy(&attr);
	return rc ? -1 : 0;
}

void sk_map_free(struct sk_map *m)
{
	struct sk_entry *e, *newer;

	for (e = m->oldest; e; e = newer) {
		newer = e->newer;
		sk_entry_free(e);
	}
	pthread_rwlock_destroy(&m->lock);
}

static unsigned random_height(struct sk_map *m)
{
	unsigned height = 1;
	uint64_t x = m->random;

	x ^= x << 13;
	x ^= x >> 7;
	x ^= x << 17;
	m->random = x;
	for (x >>= 8; height < SK_MAP_HEIGHT && !(x & 3); x >>= 2)
		height++;
	return height;
}

struct sk_entry *sk_entry_new(struct sk_map *m, enum sk_space space, struct sk_slice key)
{
	unsigned height = random_height(m);
	struct sk_entry *e = calloc(1, sizeof *e + height * sizeof e->next[0] + key.size + 1);

	if (!e)
		return NULL;
	e->height = (uint8_t)height;
	e->space = (uint8_t)space;
	e->key_size = (uint16_t)key.size;
	memcpy(&e->next[height], key.data, key.size);
	return e;
}

void sk_entry_free(struct sk_entry *e)
{
	if (!e)
		return;
	sk_bytes_unref(e->bytes);
	free(e);
}

struct sk_slice sk_entry_key(const struct sk_entry *e)
{
	return (struct sk_slice){ (const char *)&e->next[e->height], e->key_size };
}

int sk_key_compare(struct sk_slice a, struct sk_slice b)
{
	int order = memcmp(a.data, b.data, a.size < b.size ? a.size : b.size);

	return order ? order : (a.size > b.size) - (a.size < b.size);
}

uint64_t sk_key_hash(enum sk_space space, struct sk_slice key)
{
	uint64_t h = 0xcbf29ce484222325u + space;

	for (size_t i = 0; i < key.size; i++)
		h = (h ^ (unsigned char)key.data[i]) * 0x100000001b3u;
	h ^= h >> 32;
	return h * 0x9e3779b97f4a7c15u >> 16;
}

/* Fills, for each level, the link that points at the first entry not less than key. */
static void descend(struct sk_map *m, enum sk_space space, struct sk_slice key, struct sk_entry **link[])
{
	struct sk_entry **tower = m->head[space];

	for (int level = SK_MAP_HEIGHT - 1; level >= 0; level--) {
		while (tower[level] && sk_key_compare(sk_entry_key(tower[level]), key) < 0)
			tower = tower[level]->next;
		link[level] = &tower[level];
	}
}

struct sk_entry *sk_map_seek(const struct sk_map *m, enum sk_space space, struct sk_slice key)
{
	struct sk_entry *const *tower = m->head[space];
	struct sk_entry *bound = NULL; /* known not to be less than key: not compared again on the level below */

	for (int level = SK_MAP_HEIGHT - 1; level >= 0; level--) {
		while (tower[level] && tower[level] != bound && sk_key_compare(sk_entry_key(tower[level]), key) < 0)
			tower = tower[level]->next;
		bound = tower[level];
	}
	return tower[0];
}

struct sk_entry *sk_map_find(const struct sk_map *m, enum sk_space space, struct sk_slice key)
{
	struct sk_entry *e = sk_map_seek(m, space, key);

	return e && !sk_key_compare(sk_entry_key(e), key) ? e : NULL;
}

static size_t weight(const struct sk_entry *e)
{
	size_t bytes = e->bytes ? sizeof *e->bytes + e->bytes->size + 1 : 0;

	return sizeof *e + e->height * sizeof e->next[0] + e->key_size + 1 + bytes + ALLOCATION;
}

static void age_unlink(struct sk_map *m, struct sk_entry *e)
{
	*(e->older ? &e->older->newer : &m->oldest) = e->newer;
	*(e->newer ? &e->newer->older : &m->newest) = e->older;
	e->older = e->newer = NULL;
	m->bytes -= weight(e);
}

static void age_append(struct sk_map *m, struct sk_entry *e)
{
	e->older = m->newest;
	*(m->newest ? &m->newest->newer : &m->oldest) = e;
	m->newest = e;
	m->bytes += weight(e);
}

static void take_out(struct sk_map *m, struct sk_entry *e, struct sk_entry **link[])
{
	for (int level = 0; level < e->height; level++)
		*link[level] = e->next[level];
	age_unlink(m, e);
	m->count--;
}

static void discard(struct sk_entry *e, struct sk_entry **trash)
{
	e->older = *trash;
	*trash = e;
}

static void replace(struct sk_map *m, struct sk_entry *old, struct sk_entry *e)
{
	struct sk_bytes *bytes = old->bytes;

	age_unlink(m, old);
	old->bytes = e->bytes;
	old->version = e->version;
	e->bytes = bytes;
	age_append(m, old);
}

void sk_map_put(struct sk_map *m, struct sk_entry *e, struct sk_entry **trash)
{
	struct sk_entry **link[SK_MAP_HEIGHT], *old;

	descend(m, e->space, sk_entry_key(e), link);
	old = *link[0];
	if (old && sk_key_compare(sk_entry_key(old), sk_entry_key(e)))
		old = NULL;
	if (!(old ? old : e)->in_table && !e->bytes) {
		if (old) {
			take_out(m, old, link);
			discard(old, trash);
		}
		discard(e, trash);
		return;
	}
	if (old) {
		replace(m, old, e);
		discard(e, trash);
		return;
	}
	for (int level = 0; level < e->height; level++) {
		e->next[level] = *link[level];
		*link[level] = e;
	}
	age_append(m, e);
	m->count++;
}

void sk_map_remove(struct sk_map *m, struct sk_entry *e)
{
	struct sk_entry **link[SK_MAP_HEIGHT];

	descend(m, e->space, sk_entry_key(e), link);
	take_out(m, e, link);
}
