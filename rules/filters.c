/* filters.c -- a trie over topic levels, in four arrays.
 *
 * A node is a level. Its literal children are found in one open-addressing table for all nodes, keyed by parent and text; its `+` child and the
 * lists of ids, of filters that end there and of those that go on with `#`, are numbers in the node. What is freed is used again, and when
 * half of an array is free all are copied together, so that memory is given back; a copy for which there is no memory is not made.
 * Invariant: every node but the root has something that hangs on it: a child, or an id. */
#include "rules/filters_internal.h"

#include <stdlib.h>

bool rules_filter_valid(const char *filter)
{
	size_t n = strnlen(filter, LONGEST + 1), levels = 0;

	if (n == 0 || n > LONGEST)
		return false;
	for (const char *s = filter;; s++) {
		struct level l = level_at(s, 0);
		bool wild = memchr(l.at, '+', l.size) || memchr(l.at, '#', l.size);
		s += l.size;
		if (++levels > LEVELS || (wild && l.size > 1) || (is_wild(l, '#') && *s))
			return false;
		if (!*s)
			return true;
	}
}

/* -- arrays -- */

/* Room for n more at the end of an array; a quarter more than needed, so that many small steps cost little. */
static int pool_grow(struct pool *p, void *array, uint32_t n, size_t size)
{
	void *old, *now;

	if ((uint64_t)p->used + n <= p->room)
		return 0;
	uint64_t room = (uint64_t)p->used + n + p->room / 4 + FEW;
	memcpy(&old, array, sizeof old);
	if (room >= FREE || !(now = realloc(old, (size_t)room * size)))
		return -1;
	memcpy(array, &now, sizeof now);
	p->room = (uint32_t)room;
	return 0;
}

static uint32_t node_new(struct rules_filters *f)
{
	uint32_t n = f->nodes.free;

	if (n) {
		f->nodes.free = f->node[n].parent;
		f->nodes.unused--;
	} else {
		if (pool_grow(&f->nodes, &f->node, 1, sizeof *f->node))
			return 0;
		n = f->nodes.used++;
	}
	f->node[n] = (struct node){ 0 };
	return n;
}

static uint32_t entry_new(struct rules_filters *f)
{
	uint32_t n = f->entries.free;

	if (n) {
		f->entries.free = f->entry[n].next;
		f->entries.unused--;
		return n;
	}
	if (pool_grow(&f->entries, &f->entry, 1, sizeof *f->entry))
		return 0;
	/* A match may find as many ids as there are entries. */
	f->founds.used = f->entries.used;
	return pool_grow(&f->founds, &f->found, 1, sizeof *f->found) ? 0 : f->entries.used++;
}

/* -- the table of children -- */

static void slot_put(struct slot *slot, uint32_t slots, uint32_t hash, uint32_t node)
{
	uint32_t i = hash & (slots - 1);

	while (slot[i].node)
		i = (i + 1) & (slots - 1);
	slot[i] = (struct slot){ hash, node };
}

static int slots_resize(struct rules_filters *f, uint32_t slots)
{
	struct slot *now = slots ? calloc(slots, sizeof *now) : NULL;

	if (!now)
		return -1;
	for (uint32_t i = 0; i < f->slots; i++)
		if (f->slot[i].node)
			slot_put(now, slots, f->slot[i].hash, f->slot[i].node);
	free(f->slot);
	f->slot = now;
	f->slots = slots;
	return 0;
}

/* Those behind it move up, so that none is cut off from where it belongs. */
static void slot_clear(struct rules_filters *f, struct slot *slot)
{
	uint32_t hole = (uint32_t)(slot - f->slot), mask = f->slots - 1;

	for (uint32_t i = (hole + 1) & mask; f->slot[i].node; i = (i + 1) & mask) {
		if (((i - f->slot[i].hash) & mask) < ((i - hole) & mask))
			continue;
		f->slot[hole] = f->slot[i];
		hole = i;
	}
	f->slot[hole] = (struct slot){ 0 };
	f->taken--;
}

/* -- making nodes -- */

static uint32_t text_add(struct rules_filters *f, const char *s, size_t n)
{
	uint32_t at = f->text.used;

	if (pool_grow(&f->text, &f->texts, (uint32_t)n + 1, 1))
		return FREE;
	memcpy(f->texts + at, s, n);
	f->texts[at + n] = 0;
	f->text.used += (uint32_t)n + 1;
	f->longest = n > f->longest ? n : f->longest;
	return at;
}

static uint32_t child_add(struct rules_filters *f, uint32_t parent, const struct level *l)
{
	if ((f->taken + 1) / 3 >= f->slots / 4 && slots_resize(f, f->slots * 2))
		return 0;
	if (pool_grow(&f->text, &f->texts, l->size + 1, 1))
		return 0;
	uint32_t n = node_new(f);
	if (!n)
		return 0;
	f->node[n].parent = parent;
	f->node[n].text = text_add(f, l->at, l->size);
	f->node[parent].children++;
	f->taken++;
	slot_put(f->slot, f->slots, child_hash(parent, l->hash), n);
	return n;
}

static uint32_t plus_add(struct rules_filters *f, uint32_t parent)
{
	uint32_t n = node_new(f);

	if (!n)
		return 0;
	f->node[n].parent = parent;
	f->node[n].text = PLUS;
	f->node[parent].plus = n;
	return n;
}

static void unlink_literal(struct rules_filters *f, uint32_t n)
{
	const char *text = f->texts + f->node[n].text;
	size_t size = strlen(text);
	struct level l = { text, (uint32_t)size, text_hash(text, size) };

	slot_clear(f, slot_find(f, f->node[n].parent, &l));
	f->node[f->node[n].parent].children--;
	f->text.unused += (uint32_t)size + 1;
}

/* Frees the node, and its parents, as long as nothing hangs on them. */
static void prune(struct rules_filters *f, uint32_t n)
{
	while (n) {
		struct node *node = &f->node[n];
		uint32_t parent = node->parent;
		if (node->children || node->plus || node->ids || node->rest)
			return;
		if (node->text == PLUS)
			f->node[parent].plus = 0;
		else
			unlink_literal(f, n);
		*node = (struct node){ .parent = f->nodes.free, .text = FREE };
		f->nodes.free = n;
		f->nodes.unused++;
		n = parent;
	}
}

/* -- copying together what is left -- */

struct copy {
	struct rules_filters to;
	uint32_t *node; /* of each number: the new one */
};

static bool sparse(const struct pool *p)
{
	return p->unused > p->used / 2 + 4 * FEW;
}

static int copy_room(const struct rules_filters *f, struct copy *c)
{
	struct rules_filters *to = &c->to;

	c->node = malloc(f->nodes.used * sizeof *c->node);
	for (to->slots = FEW; to->slots / 2 < f->taken;)
		to->slots *= 2;
	to->slot = calloc(to->slots, sizeof *to->slot);
	return !c->node || !to->slot || pool_grow(&to->nodes, &to->node, f->nodes.used - f->nodes.unused, sizeof *to->node) ||
	       pool_grow(&to->entries, &to->entry, f->entries.used - f->entries.unused, sizeof *to->entry) ||
	       pool_grow(&to->founds, &to->found, f->entries.used - f->entries.unused, sizeof *to->found) ||
	       pool_grow(&to->text, &to->texts, f->text.used - f->text.unused, 1);
}

static uint32_t copy_list(const struct rules_filters *f, struct rules_filters *to, uint32_t from)
{
	uint32_t first = from ? to->entries.used : 0;

	for (; from; from = f->entry[from].next) {
		uint32_t n = to->entries.used++;
		to->entry[n] = (struct entry){ f->entry[from].id, f->entry[from].next ? n + 1 : 0 };
	}
	return first;
}

static void copy_node(const struct rules_filters *f, struct copy *c, uint32_t from)
{
	struct rules_filters *to = &c->to;
	struct node *n = &to->node[c->node[from]];

	*n = f->node[from];
	n->parent = c->node[n->parent];
	n->plus = c->node[n->plus];
	n->ids = copy_list(f, to, n->ids);
	n->rest = copy_list(f, to, n->rest);
	if (n->text == PLUS || !from)
		return;
	const char *text = f->texts + n->text;
	size_t size = strlen(text);
	n->text = text_add(to, text, size);
	to->taken++;
	slot_put(to->slot, to->slots, child_hash(n->parent, text_hash(text, size)), c->node[from]);
}

static void arrays_free(struct rules_filters *f)
{
	free(f->node);
	free(f->entry);
	free(f->texts);
	free(f->slot);
	free(f->found);
}

static void copy_together(struct rules_filters *f)
{
	struct copy c = { 0 };

	if (copy_room(f, &c)) {
		free(c.node);
		arrays_free(&c.to);
		return;
	}
	c.to.entries.used = 1;
	for (uint32_t i = 0; i < f->nodes.used; i++)
		if (f->node[i].text != FREE)
			c.node[i] = c.to.nodes.used++;
	for (uint32_t i = 0; i < f->nodes.used; i++)
		if (f->node[i].text != FREE)
			copy_node(f, &c, i);
	free(c.node);
	arrays_free(f);
	*f = c.to;
}

/* -- public -- */

struct rules_filters *rules_filters_new(void)
{
	struct rules_filters *f = calloc(1, sizeof *f);

	if (!f)
		return NULL;
	if (pool_grow(&f->nodes, &f->node, 1, sizeof *f->node) || pool_grow(&f->entries, &f->entry, 1, sizeof *f->entry) || slots_resize(f, FEW)) {
		rules_filters_free(&f);
		return NULL;
	}
	f->node[f->nodes.used++] = (struct node){ 0 };
	f->entry[f->entries.used++] = (struct entry){ 0 };
	return f;
}

void rules_filters_free(struct rules_filters **f)
{
	if (!*f)
		return;
	arrays_free(*f);
	free(*f);
	*f = NULL;
}

/* The list that a filter's ids hang in. */
static uint32_t *list_of(struct rules_filters *f, uint32_t node, bool rest)
{
	return rest ? &f->node[node].rest : &f->node[node].ids;
}

/* The node of a valid filter, *rest when it ends with `#`. With `add` nodes are made, else -1 says that there is none.
 * -1 when memory is out, too: then nothing has changed. */
static int64_t node_of(struct rules_filters *f, const char *filter, bool add, bool *rest)
{
	uint32_t n = 0;

	for (const char *s = filter;; s++) {
		struct level l = level_at(s, LONGEST);
		bool plus = is_wild(l, '+');
		if ((*rest = is_wild(l, '#')))
			return n;
		uint32_t child = plus ? f->node[n].plus : child_find(f, n, &l);
		if (!child && add)
			child = plus ? plus_add(f, n) : child_add(f, n, &l);
		if (!child) {
			prune(f, n);
			return -1;
		}
		n = child;
		s += l.size;
		if (!*s)
			return n;
	}
}

/* Where an id stands in a list, or would. */
static uint32_t *place_of(struct rules_filters *f, uint32_t *at, uint32_t id)
{
	while (*at && f->entry[*at].id < id)
		at = &f->entry[*at].next;
	return at;
}

int rules_filters_add(struct rules_filters *f, const char *filter, uint32_t id)
{
	bool rest;

	if (!rules_filter_valid(filter))
		return -1;
	int64_t n = node_of(f, filter, true, &rest);
	if (n < 0)
		return -1;
	uint32_t fresh = entry_new(f);
	if (!fresh) {
		prune(f, (uint32_t)n);
		return -1;
	}
	uint32_t *at = place_of(f, list_of(f, (uint32_t)n, rest), id);
	bool there = *at && f->entry[*at].id == id;
	f->entry[fresh] = there ? (struct entry){ .next = f->entries.free } : (struct entry){ id, *at };
	*(there ? &f->entries.free : at) = fresh;
	f->entries.unused += there;
	return 0;
}

void rules_filters_remove(struct rules_filters *f, const char *filter, uint32_t id)
{
	bool rest;
	int64_t n = rules_filter_valid(filter) ? node_of(f, filter, false, &rest) : -1;

	if (n < 0)
		return;
	uint32_t *at = place_of(f, list_of(f, (uint32_t)n, rest), id), gone = *at;
	if (!gone || f->entry[gone].id != id)
		return;
	*at = f->entry[gone].next;
	f->entry[gone] = (struct entry){ .next = f->entries.free };
	f->entries.free = gone;
	f->entries.unused++;
	prune(f, (uint32_t)n);
	if (sparse(&f->nodes) || sparse(&f->entries) || sparse(&f->text))
		copy_together(f);
}

size_t rules_filters_bytes(const struct rules_filters *f)
{
	return sizeof *f + f->nodes.room * sizeof *f->node + f->entries.room * sizeof *f->entry + f->text.room + f->slots * sizeof *f->slot +
	       f->founds.room * sizeof *f->found;
}
