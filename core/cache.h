/* cache.h -- the newest records of a worker's partitions, bounded in bytes, least recently used goes first.
 *
 * Only the owning worker touches it, and only records of partitions that this worker owns are in it; since nobody else
 * writes them (store.exclusive) an entry is never stale. Absent records are kept too (bytes NULL, version 0). */
#ifndef SK_CACHE_H
#define SK_CACHE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/store.h"

struct sk_cache_entry;
struct sk_cache {
	struct sk_cache_entry **bucket;
	size_t buckets, count, bytes, limit;
	struct sk_cache_entry *newest, *oldest;
};

void sk_cache_init(struct sk_cache *c, size_t limit_bytes);
void sk_cache_free(struct sk_cache *c);
/* true: known; *bytes is borrowed (valid until the next put, drop or free), NULL when the record is absent. */
bool sk_cache_get(struct sk_cache *c, const char *key, uint32_t hash, struct sk_bytes **bytes, uint64_t *version);
/* Takes its own reference. Memory out: the key is simply not cached. */
void sk_cache_put(struct sk_cache *c, const char *key, uint32_t hash, struct sk_bytes *bytes, uint64_t version);
void sk_cache_drop(struct sk_cache *c, const char *key, uint32_t hash);
/* Moves every entry into fresh memory, so that what a load peak left of the heap can go back to the system: after a peak a few thousand
 * entries are strewn over as many pages. Entries may be lost when memory is out; it is a cache. */
void sk_cache_compact(struct sk_cache *c);
uint32_t sk_hash(const char *s, size_t n);

#endif
