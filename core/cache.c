/* cache.c -- hash table with a recency list. */
#include "core/cache.h"

#include <malloc.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

struct sk_cache_entry {
	struct sk_cache_entry *next;         /* in the bucket */
	struct sk_cache_entry *newer, *older;
	struct sk_bytes *bytes;
	uint64_t version;
	uint32_t hash;
	uint32_t key_size;
	char key[];
};

/* FNV-1a with a final mix: keys are short and alike. */
uint32_t sk_hash(const char *s, size_t n)
{
	uint64_t h = 1469598103934665603u;
	for (size_t i = 0; i < n; i++)
		h = (h ^ (unsigned char)s[i]) * 1099511628211u;
	h ^= h >> 32;
	return (uint32_t)(h * 0x9E3779B1u ^ h >> 15);
}

void sk_cache_init(struct sk_cache *c, size_t limit_bytes)
{
	memset(c, 0, sizeof *c);
	c->limit = limit_bytes;
}

static size_t cost(const struct sk_cache_entry *e)
{
	return sizeof *e + 32 + e->key_size + (e->bytes ? sizeof *e->bytes + e->bytes->size : 0);
}

static void unlink_age(struct sk_cache *c, struct sk_cache_entry *e)
{
	*(e->newer ? &e->newer->older : &c->newest) = e->older;
	*(e->older ? &e->older->newer : &c->oldest) = e->newer;
}

static void link_newest(struct sk_cache *c, struct sk_cache_entry *e)
{
	e->newer = NULL;
	e->older = c->newest;
	*(c->newest ? &c->newest->newer : &c->oldest) = e;
	c->newest = e;
}

static struct sk_cache_entry **find(struct sk_cache *c, const char *key, uint32_t hash)
{
	if (!c->buckets)
		return NULL;
	struct sk_cache_entry **at = &c->bucket[hash & (c->buckets - 1)];
	while (*at && ((*at)->hash != hash || strcmp((*at)->key, key)))
		at = &(*at)->next;
	return *at ? at : NULL;
}

static void remove_at(struct sk_cache *c, struct sk_cache_entry **at)
{
	struct sk_cache_entry *e = *at;
	*at = e->next;
	unlink_age(c, e);
	c->bytes -= cost(e);
	c->count--;
	sk_bytes_unref(e->bytes);
	free(e);
}

bool sk_cache_get(struct sk_cache *c, const char *key, uint32_t hash, struct sk_bytes **bytes, uint64_t *version)
{
	struct sk_cache_entry **at = find(c, key, hash);
	if (!at)
		return false;
	struct sk_cache_entry *e = *at;
	if (c->newest != e) {
		unlink_age(c, e);
		link_newest(c, e);
	}
	*bytes = e->bytes;
	*version = e->version;
	return true;
}

void sk_cache_drop(struct sk_cache *c, const char *key, uint32_t hash)
{
	struct sk_cache_entry **at = find(c, key, hash);
	if (at)
		remove_at(c, at);
}

static bool grow(struct sk_cache *c)
{
	size_t n = c->buckets ? c->buckets * 2 : 64;
	struct sk_cache_entry **bucket = calloc(n, sizeof *bucket);
	if (!bucket)
		return c->buckets > 0;
	for (struct sk_cache_entry *e = c->newest; e; e = e->older) {
		e->next = bucket[e->hash & (n - 1)];
		bucket[e->hash & (n - 1)] = e;
	}
	free(c->bucket);
	c->bucket = bucket;
	c->buckets = n;
	return true;
}

static void shrink_to_limit(struct sk_cache *c)
{
	while (c->bytes > c->limit && c->oldest)
		remove_at(c, find(c, c->oldest->key, c->oldest->hash));
}

void sk_cache_put(struct sk_cache *c, const char *key, uint32_t hash, struct sk_bytes *bytes, uint64_t version)
{
	sk_cache_drop(c, key, hash);
	if (c->count >= c->buckets && !grow(c))
		return;
	size_t n = strlen(key);
	struct sk_cache_entry *e = malloc(sizeof *e + n + 1);
	if (!e)
		return;
	memcpy(e->key, key, n + 1);
	e->key_size = (uint32_t)n;
	e->hash = hash;
	e->bytes = sk_bytes_ref(bytes);
	e->version = version;
	struct sk_cache_entry **bucket = &c->bucket[hash & (c->buckets - 1)];
	e->next = *bucket;
	*bucket = e;
	link_newest(c, e);
	c->bytes += cost(e);
	c->count++;
	shrink_to_limit(c);
}

/* -- compaction: all entries wait outside of the heap while it shrinks -- */

struct packed { /* then the key with its NUL, then the bytes; the next one begins aligned */
	uint64_t version;
	uint32_t hash, key_size, size;
	bool present;
};

static size_t packed_size(const struct packed *p)
{
	return (sizeof *p + p->key_size + 1 + p->size + 15) & ~(size_t)15;
}

static char *pack(char *at, const struct sk_cache_entry *e)
{
	struct packed p = { e->version, e->hash, e->key_size, e->bytes ? e->bytes->size : 0, e->bytes != NULL };
	memcpy(at, &p, sizeof p);
	memcpy(at + sizeof p, e->key, p.key_size + 1);
	if (p.size)
		memcpy(at + sizeof p + p.key_size + 1, e->bytes->data, p.size);
	return at + packed_size(&p);
}

static void unpack(struct sk_cache *c, const char *at, const char *end)
{
	struct packed p;
	for (; at < end; at += packed_size(&p)) {
		memcpy(&p, at, sizeof p);
		const char *key = at + sizeof p;
		struct sk_bytes *bytes = p.present ? sk_bytes_new(key + p.key_size + 1, p.size) : NULL;
		if (bytes || !p.present)
			sk_cache_put(c, key, p.hash, bytes, p.version);
		sk_bytes_unref(bytes);
	}
}

void sk_cache_compact(struct sk_cache *c)
{
	size_t limit = c->limit, room = c->bytes + c->count * 64 + 4096;
	char *space = mmap(NULL, room, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0), *end = space;
	if (space == MAP_FAILED)
		return;
	for (const struct sk_cache_entry *e = c->oldest; e; e = e->newer)
		end = pack(end, e);
	sk_cache_free(c);
	sk_cache_init(c, limit);
	malloc_trim(0);
	unpack(c, space, end);
	munmap(space, room);
}

void sk_cache_free(struct sk_cache *c)
{
	while (c->oldest)
		remove_at(c, find(c, c->oldest->key, c->oldest->hash));
	free(c->bucket);
	memset(c, 0, sizeof *c);
}
