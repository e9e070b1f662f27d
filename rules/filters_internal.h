/* filters_internal.h -- what filters.c keeps and filters_match.c reads, and how both find a child. */
#ifndef RULES_FILTERS_INTERNAL_H
#define RULES_FILTERS_INTERNAL_H

#include <string.h>

#include "rules/filters.h"

enum {
	LEVELS = 201,        /* Mosquitto takes 200 slashes */
	LONGEST = 65535,     /* bytes of a filter */
	FEW = 16,
};

/* Numbers of nodes and entries; 0 is the root, and an entry that is never used: both mean none. */
struct node {
	uint32_t parent;   /* of a freed node: the next one */
	uint32_t text;     /* in `texts`; PLUS: the `+` child of its parent; FREE */
	uint32_t plus;
	uint32_t children; /* literal ones */
	uint32_t ids, rest;
};
enum { PLUS = UINT32_MAX, FREE = UINT32_MAX - 1 };
struct entry {
	uint32_t id, next; /* ascending; next of a freed entry: the next freed one */
};
struct slot {
	uint32_t hash;     /* of parent and text */
	uint32_t node;     /* 0: empty */
};

struct pool {
	uint32_t used, room, free, unused; /* unused: of the used ones, in the list from `free` */
};
struct rules_filters {
	struct node *node;
	struct entry *entry;
	char *texts;             /* each with its 0 */
	struct slot *slot;       /* a power of two, at most three quarters taken */
	uint32_t *found;         /* room for each entry: what a match collects */
	struct pool nodes, entries, text, founds;
	uint32_t slots, taken;
	size_t longest;          /* of all texts that were ever here */
};

struct level {
	const char *at;
	uint32_t size, hash;
};

static inline uint64_t word_at(const char *s)
{
	uint64_t w;

	memcpy(&w, s, sizeof w);
	return w;
}

static inline uint64_t half_at(const char *s)
{
	uint32_t w;

	memcpy(&w, s, sizeof w);
	return w;
}

static inline uint64_t mix(uint64_t h, uint64_t w)
{
	h = (h ^ w) * UINT64_C(0x9fb21c651e98df25);
	return h ^ h >> 29;
}

static inline uint32_t text_hash(const char *s, size_t n)
{
	uint64_t h = mix(n, 0);

	for (; n > 8; s += 8, n -= 8)
		h = mix(h, word_at(s));
	if (n >= 4)
		h = mix(h, half_at(s) << 32 | half_at(s + n - 4));
	else if (n)
		h = mix(h, (uint64_t)(unsigned char)s[0] << 16 | (uint64_t)(unsigned char)s[n / 2] << 8 | (unsigned char)s[n - 1]);
	return (uint32_t)(h >> 16);
}

static inline uint32_t child_hash(uint32_t parent, uint32_t text)
{
	return (uint32_t)(mix((uint64_t)parent << 32, text) >> 24);
}

/* The level that begins at s. Its hash is not made when no text is as long. */
static inline struct level level_at(const char *s, size_t longest)
{
	size_t n = (size_t)(strchrnul(s, '/') - s);

	return (struct level){ s, (uint32_t)n, n <= longest ? text_hash(s, n) : 0 };
}

static inline bool is_wild(struct level l, char c)
{
	return l.size == 1 && *l.at == c;
}

/* The slot of a child, or NULL. */
static inline struct slot *slot_find(const struct rules_filters *f, uint32_t parent, const struct level *l)
{
	uint32_t hash = child_hash(parent, l->hash);

	for (uint32_t i = hash & (f->slots - 1); f->slot[i].node; i = (i + 1) & (f->slots - 1)) {
		const struct node *n = &f->node[f->slot[i].node];
		if (f->slot[i].hash != hash || n->parent != parent)
			continue;
		const char *text = f->texts + n->text;
		if (strncmp(text, l->at, l->size) == 0 && !text[l->size])
			return &f->slot[i];
	}
	return NULL;
}

static inline uint32_t child_find(const struct rules_filters *f, uint32_t parent, const struct level *l)
{
	if (!f->node[parent].children || l->size > f->longest)
		return 0;
	const struct slot *slot = slot_find(f, parent, l);
	return slot ? slot->node : 0;
}

#endif
