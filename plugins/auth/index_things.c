/* index_things.c -- see index_things.h. A thing names its groups by number, as a certificate its policies. */
#include "plugins/auth/index_things.h"

#include <search.h>
#include <stdlib.h>
#include <string.h>

#include "core/digest.h"
#include "plugins/auth/index_blobs.h"
#include "plugins/auth/index_table.h"

/* "A thing is in at most ten groups." AWS's trees are seven deep; what is deeper is cut, so that a circle ends. */
enum { GROUPS = 10, DEPTH = 16, KEY = 16, NUMBER_SIZE = 3, OVERFLOW = 255 };

struct thing {
	uint8_t key[KEY];
	struct blob facts;
	uint8_t count; /* OVERFLOW: more groups than fit, until the broker starts again */
	uint8_t number[GROUPS][NUMBER_SIZE];
};
_Static_assert(sizeof(struct thing) == 64, "a thing is one cache line");

struct owner {
	uint8_t key[KEY];
	struct blob thing;
};

struct group {
	uint32_t number;
	char *name;
	struct group *parent;
	uint32_t policies;
	const struct index_policy *policy[INDEX_POLICIES];
	bool overflow;
};

struct things {
	struct table *things, *owners;
	struct blobs *blobs;
	void *names; /* tree of groups by name */
	struct group **group;
	uint32_t groups, room;
	bool lost; /* a change of groups could not be kept: who is concerned is not known either */
};

static void key_of(const char *thing, uint8_t key[SK_DIGEST_SIZE])
{
	sk_digest(thing, strlen(thing), key);
}

/* -- groups -- */

static int by_name(const void *a, const void *b)
{
	return strcmp(((const struct group *)a)->name, ((const struct group *)b)->name);
}

static struct group *group_find(const struct things *t, const char *name)
{
	struct group wanted = { .name = (char *)name };
	void *node = tfind(&wanted, &t->names, by_name);

	return node ? *(struct group **)node : NULL;
}

static int make_room(struct things *t)
{
	uint32_t room = t->room ? 2 * t->room : 16;
	struct group **more;

	if (t->groups < t->room)
		return 0;
	more = t->groups < 1u << 24 ? realloc(t->group, room * sizeof(*more)) : NULL;
	if (!more)
		return -1;
	t->group = more;
	t->room = room;
	return 0;
}

/* Made when it is new. A deleted group keeps its number and costs its name. */
static struct group *group_named(struct things *t, const char *name)
{
	struct group *g = group_find(t, name);

	if (g || make_room(t))
		return g;
	g = calloc(1, sizeof(*g));
	if (!g || !(g->name = strdup(name)) || !tsearch(g, &t->names, by_name)) {
		if (g)
			free(g->name);
		free(g);
		return NULL;
	}
	g->number = t->groups;
	t->group[t->groups++] = g;
	return g;
}

int things_lose(struct things *t)
{
	t->lost = true;
	return -1;
}

int things_set_parent(struct things *t, const char *group, const char *parent)
{
	struct group *g = group_named(t, group), *above = g && parent ? group_named(t, parent) : NULL;

	if (!g || (parent && !above))
		return things_lose(t);
	g->parent = above;
	return 0;
}

static void detach(struct group *g, const struct index_policy *policy)
{
	uint32_t kept = 0;

	for (uint32_t i = 0; i < g->policies; i++)
		if (g->policy[i] != policy)
			g->policy[kept++] = g->policy[i];
	g->policies = kept;
}

int things_set_attached(struct things *t, const char *group, const struct index_policy *policy, bool attached)
{
	struct group *g = group_named(t, group);

	if (!g)
		return things_lose(t);
	detach(g, policy);
	if (attached && g->policies == INDEX_POLICIES)
		g->overflow = true;
	else if (attached)
		g->policy[g->policies++] = policy;
	return 0;
}

/* -- things -- */

static uint32_t number_at(const struct thing *e, size_t i)
{
	return (uint32_t)e->number[i][0] | (uint32_t)e->number[i][1] << 8 | (uint32_t)e->number[i][2] << 16;
}

static void put_number(struct thing *e, size_t i, uint32_t number)
{
	e->number[i][0] = (uint8_t)number;
	e->number[i][1] = (uint8_t)(number >> 8);
	e->number[i][2] = (uint8_t)(number >> 16);
}

static struct thing *thing_find(const struct things *t, const char *name)
{
	uint8_t key[SK_DIGEST_SIZE];

	key_of(name, key);
	return table_find(t->things, key);
}

static struct thing *thing_put(struct things *t, const char *name)
{
	uint8_t key[SK_DIGEST_SIZE];

	key_of(name, key);
	return table_put(t->things, key);
}

static void drop_if_empty(struct things *t, const struct thing *e)
{
	if (!e->count && !e->facts.at)
		table_remove(t->things, e->key);
}

int things_close(struct things *t, const char *thing)
{
	struct thing *e = thing_put(t, thing);

	if (!e)
		return things_lose(t);
	e->count = OVERFLOW;
	return -1;
}

int things_set_facts(struct things *t, const char *thing, const char *facts, size_t n)
{
	struct thing *e = n ? thing_put(t, thing) : thing_find(t, thing);

	if (!e)
		return n ? things_lose(t) : 0;
	if (blobs_put(t->blobs, &e->facts, facts, n))
		return things_close(t, thing);
	drop_if_empty(t, e);
	return 0;
}

static void join(struct thing *e, uint32_t number)
{
	for (size_t i = 0; i < e->count && e->count != OVERFLOW; i++)
		if (number_at(e, i) == number)
			return;
	if (e->count >= GROUPS)
		e->count = OVERFLOW;
	else
		put_number(e, e->count++, number);
}

static void part(struct thing *e, uint32_t number)
{
	for (size_t i = 0; i < e->count && e->count != OVERFLOW; i++) {
		if (number_at(e, i) != number)
			continue;
		e->count--;
		memmove(e->number[i], e->number[i + 1], (e->count - i) * NUMBER_SIZE);
		return;
	}
}

int things_set_member(struct things *t, const char *thing, const char *group, bool member)
{
	const struct group *g = member ? group_named(t, group) : group_find(t, group);
	struct thing *e = member ? thing_put(t, thing) : thing_find(t, thing);

	if (!g || !e)
		return member ? things_close(t, thing) : 0;
	if (member)
		join(e, g->number);
	else
		part(e, g->number);
	drop_if_empty(t, e);
	return 0;
}

int things_set_exclusive(struct things *t, const uint8_t id[CERTIFICATE_ID_SIZE], const char *thing)
{
	struct owner *e = thing ? table_put(t->owners, id) : table_find(t->owners, id);

	if (!e)
		return thing ? -1 : 0;
	if (blobs_put(t->blobs, &e->thing, thing, thing ? strlen(thing) : 0))
		return -1;
	if (!thing)
		table_remove(t->owners, id);
	return 0;
}

/* -- questions -- */

static bool is_listed(const struct index_effective *out, const struct index_policy *policy)
{
	for (size_t i = 0; i < out->count; i++)
		if (out->policy[i].policy == policy)
			return true;
	return false;
}

static bool add_group(const struct group *g, struct index_effective *out)
{
	for (uint32_t i = 0; i < g->policies; i++) {
		if (is_listed(out, g->policy[i]))
			continue;
		if (out->count == INDEX_EFFECTIVE)
			return false;
		out->policy[out->count++] = (struct index_attached){ g->policy[i], g->name };
	}
	return !g->overflow;
}

bool things_policies(const struct things *t, const char *thing, struct index_effective *out)
{
	const struct thing *e = thing_find(t, thing);

	if (!e)
		return !t->lost;
	if (t->lost || e->count == OVERFLOW)
		return false;
	for (size_t i = 0; i < e->count; i++) {
		const struct group *g = t->group[number_at(e, i)];
		for (int depth = 0; g && depth < DEPTH; depth++, g = g->parent)
			if (!add_group(g, out))
				return false;
	}
	return true;
}

char *things_facts(const struct things *t, const char *thing, bool *failed)
{
	const struct thing *e = thing_find(t, thing);
	char *text;

	*failed = false;
	if (!e || !e->facts.at)
		return NULL;
	text = malloc(e->facts.size);
	*failed = !text || blobs_get(t->blobs, &e->facts, text);
	if (!*failed)
		return text;
	free(text);
	return NULL;
}

bool things_exclusive(const struct things *t, const uint8_t id[CERTIFICATE_ID_SIZE], char thing[INDEX_THING])
{
	const struct owner *e = table_find(t->owners, id);

	if (!e || e->thing.size >= INDEX_THING || blobs_get(t->blobs, &e->thing, thing))
		return false;
	thing[e->thing.size] = 0;
	return true;
}

/* -- the whole -- */

struct things *things_new(const char *folder)
{
	struct things *t = calloc(1, sizeof(*t));

	if (!t)
		return NULL;
	t->things = table_new(folder, sizeof(struct thing), KEY);
	t->owners = t->things ? table_new(folder, sizeof(struct owner), KEY) : NULL;
	t->blobs = t->owners ? blobs_new(folder) : NULL;
	if (!t->blobs)
		things_free(&t);
	return t;
}

static void keep_node(void *node)
{
	(void)node;
}

void things_free(struct things **t)
{
	if (!*t)
		return;
	table_free(&(*t)->things);
	table_free(&(*t)->owners);
	blobs_free(&(*t)->blobs);
	tdestroy((*t)->names, keep_node);
	for (uint32_t i = 0; i < (*t)->groups; i++) {
		free((*t)->group[i]->name);
		free((*t)->group[i]);
	}
	free((*t)->group);
	free(*t);
	*t = NULL;
}

size_t things_bytes(const struct things *t)
{
	return table_bytes(t->things) + table_bytes(t->owners) + blobs_bytes(t->blobs);
}
