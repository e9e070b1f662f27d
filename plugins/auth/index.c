/* index.c -- see index.h. Certificates name their policies by number, so that an entry is 64 bytes: one cache line. */
#include "plugins/auth/index.h"

#include <errno.h>
#include <search.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/digest.h"
#include "core/why.h"
#include "plugins/auth/index_table.h"
#include "plugins/auth/index_things.h"

enum { NUMBER_SIZE = 3, THING_KEY_SIZE = 16, OVERFLOW = 255 };
#define MOST_POLICIES (1u << 24)

struct row {
	uint8_t id[CERTIFICATE_ID_SIZE];
	uint8_t status;
	uint8_t count; /* OVERFLOW: more than fit, until the broker starts again */
	uint8_t number[INDEX_POLICIES][NUMBER_SIZE];
};
_Static_assert(sizeof(struct row) == 64, "a row is one cache line");

struct index {
	struct table *certificates;
	struct table *attached;    /* digests of (certificate, thing): that the two are attached */
	struct things *things;
	void *names;               /* tree of struct index_policy by name */
	struct index_policy **policy; /* by number */
	uint32_t policies, room;
};

static const char *const status_names[] = {
	[INDEX_UNKNOWN] = "not registered",
	[INDEX_ACTIVE] = "ACTIVE",
	[INDEX_INACTIVE] = "INACTIVE",
	[INDEX_REVOKED] = "REVOKED",
	[INDEX_OTHER] = "not ACTIVE",
};

const char *index_status_name(enum index_status s)
{
	return status_names[s];
}

static enum index_status status_of(const char *name)
{
	for (int i = INDEX_ACTIVE; i < INDEX_OTHER; i++)
		if (!strcmp(status_names[i], name))
			return (enum index_status)i;
	return INDEX_OTHER;
}

/* -- policies -- */

static int by_name(const void *a, const void *b)
{
	return strcmp(((const struct index_policy *)a)->name, ((const struct index_policy *)b)->name);
}

const struct index_policy *index_policy(const struct index *ix, const char *name)
{
	struct index_policy wanted = { .name = (char *)name };
	void *node = tfind(&wanted, &ix->names, by_name);

	return node ? *(struct index_policy **)node : NULL;
}

const struct index_policy *index_policy_at(const struct index *ix, size_t i)
{
	return i < ix->policies ? ix->policy[i] : NULL;
}

static void free_policy(struct index_policy *p)
{
	if (!p)
		return;
	policy_free(&p->compiled);
	free(p->name);
	free(p->version);
	free(p);
}

static int make_room(struct index *ix)
{
	uint32_t room = ix->room ? 2 * ix->room : 16;
	struct index_policy **more;

	if (ix->policies < ix->room)
		return 0;
	if (ix->policies == MOST_POLICIES)
		return -1;
	more = realloc(ix->policy, room * sizeof(*more));
	if (!more)
		return -1;
	ix->policy = more;
	ix->room = room;
	return 0;
}

/* The policy of that name, made when it is new. A deleted one keeps its number and costs its name. */
static struct index_policy *policy_named(struct index *ix, const char *name)
{
	struct index_policy *p = (struct index_policy *)index_policy(ix, name);

	if (p)
		return p;
	p = calloc(1, sizeof(*p));
	if (!p || make_room(ix) || !(p->name = strdup(name)) || !tsearch(p, &ix->names, by_name)) {
		free_policy(p);
		return NULL;
	}
	p->number = ix->policies;
	ix->policy[ix->policies++] = p;
	return p;
}

int index_set_policy(struct index *ix, const char *name, const char *version, const char *document, char *why, size_t why_size)
{
	struct index_policy *p = policy_named(ix, name);
	char *copy = strdup(version ? version : "?");

	if (!p || !copy) {
		if (p)
			policy_free(&p->compiled); /* what it says now is not known: it denies */
		free(copy);
		return sk_why(why, why_size, "memory is out");
	}
	policy_free(&p->compiled);
	free(p->version);
	p->version = copy;
	if (document)
		p->compiled = policy_new_with(document, strlen(document), policy_any_action, why, why_size);
	return 0;
}

/* -- certificates -- */

static void drop_if_empty(struct index *ix, const struct row *e)
{
	if (e->status == INDEX_UNKNOWN && !e->count)
		table_remove(ix->certificates, e->id);
}

int index_set_certificate(struct index *ix, const uint8_t id[CERTIFICATE_ID_SIZE], const char *status)
{
	struct row *e = status ? table_put(ix->certificates, id) : table_find(ix->certificates, id);

	if (!e)
		return status ? -1 : 0;
	e->status = (uint8_t)(status ? status_of(status) : INDEX_UNKNOWN);
	drop_if_empty(ix, e);
	return 0;
}

static uint32_t number_at(const struct row *e, size_t i)
{
	return (uint32_t)e->number[i][0] | (uint32_t)e->number[i][1] << 8 | (uint32_t)e->number[i][2] << 16;
}

static void put_number(struct row *e, size_t i, uint32_t number)
{
	e->number[i][0] = (uint8_t)number;
	e->number[i][1] = (uint8_t)(number >> 8);
	e->number[i][2] = (uint8_t)(number >> 16);
}

/* Where the number stands; the count when it is not there. */
static size_t place_of(const struct row *e, uint32_t number)
{
	size_t i = 0;

	while (i < e->count && number_at(e, i) != number)
		i++;
	return i;
}

static void attach(struct row *e, uint32_t number)
{
	if (e->count == OVERFLOW || place_of(e, number) < e->count)
		return;
	if (e->count == INDEX_POLICIES)
		e->count = OVERFLOW;
	else
		put_number(e, e->count++, number);
}

static void detach(struct row *e, uint32_t number)
{
	size_t i;

	if (e->count == OVERFLOW)
		return;
	i = place_of(e, number);
	if (i == e->count)
		return;
	e->count--;
	memmove(e->number[i], e->number[i + 1], (e->count - i) * NUMBER_SIZE);
}

int index_close_certificate(struct index *ix, const uint8_t id[CERTIFICATE_ID_SIZE])
{
	struct row *e = table_find(ix->certificates, id);

	if (e)
		e->count = OVERFLOW;
	return -1;
}

int index_set_attached(struct index *ix, const uint8_t id[CERTIFICATE_ID_SIZE], const char *policy, bool attached)
{
	const struct index_policy *p = attached ? policy_named(ix, policy) : index_policy(ix, policy);
	struct row *e;

	if (!p)
		return attached ? index_close_certificate(ix, id) : 0;
	e = attached ? table_put(ix->certificates, id) : table_find(ix->certificates, id);
	if (!e)
		return attached ? -1 : 0;
	if (attached)
		attach(e, p->number);
	else
		detach(e, p->number);
	drop_if_empty(ix, e);
	return 0;
}

bool index_find(const struct index *ix, const uint8_t id[CERTIFICATE_ID_SIZE], struct index_certificate *out)
{
	const struct row *e = table_find(ix->certificates, id);

	*out = (struct index_certificate){ .status = INDEX_UNKNOWN };
	if (!e)
		return false;
	out->status = (enum index_status)e->status;
	out->overflow = e->count == OVERFLOW;
	out->policies = out->overflow ? 0 : e->count;
	for (size_t i = 0; i < out->policies; i++)
		out->policy[i] = ix->policy[number_at(e, i)];
	return true;
}

/* -- things -- */

static void thing_key(const uint8_t id[CERTIFICATE_ID_SIZE], const char *thing, uint8_t key[SK_DIGEST_SIZE])
{
	uint8_t text[CERTIFICATE_ID_SIZE + 256];
	size_t n = strnlen(thing, sizeof(text) - CERTIFICATE_ID_SIZE);

	memcpy(text, id, CERTIFICATE_ID_SIZE);
	memcpy(text + CERTIFICATE_ID_SIZE, thing, n);
	sk_digest(text, CERTIFICATE_ID_SIZE + n, key);
}

int index_set_thing(struct index *ix, const uint8_t id[CERTIFICATE_ID_SIZE], const char *thing, bool attached)
{
	uint8_t key[SK_DIGEST_SIZE];

	thing_key(id, thing, key);
	if (attached)
		return table_put(ix->attached, key) ? 0 : -1;
	table_remove(ix->attached, key);
	return 0;
}

bool index_is_attached(const struct index *ix, const uint8_t id[CERTIFICATE_ID_SIZE], const char *thing)
{
	uint8_t key[SK_DIGEST_SIZE];

	thing_key(id, thing, key);
	return table_find(ix->attached, key) != NULL;
}

int index_set_attached_group(struct index *ix, const char *group, const char *policy, bool attached)
{
	const struct index_policy *p = attached ? policy_named(ix, policy) : index_policy(ix, policy);

	if (!p)
		return attached ? things_lose(ix->things) : 0;
	return things_set_attached(ix->things, group, p, attached);
}

struct things *index_things(const struct index *ix)
{
	return ix->things;
}

/* -- the whole -- */

struct index *index_new(const char *folder, char *why, size_t why_size)
{
	struct index *ix = calloc(1, sizeof(*ix));

	if (ix) {
		ix->certificates = table_new(folder, sizeof(struct row), CERTIFICATE_ID_SIZE);
		ix->attached = ix->certificates ? table_new(folder, THING_KEY_SIZE, THING_KEY_SIZE) : NULL;
		ix->things = ix->attached ? things_new(folder) : NULL;
	}
	if (ix && ix->things)
		return ix;
	sk_why(why, why_size, "the certificate index in %s: %s", folder, strerror(errno));
	index_free(&ix);
	return NULL;
}

static void keep_node(void *node)
{
	(void)node;
}

void index_free(struct index **ix)
{
	if (!*ix)
		return;
	table_free(&(*ix)->certificates);
	table_free(&(*ix)->attached);
	things_free(&(*ix)->things);
	tdestroy((*ix)->names, keep_node);
	for (uint32_t i = 0; i < (*ix)->policies; i++)
		free_policy((*ix)->policy[i]);
	free((*ix)->policy);
	free(*ix);
	*ix = NULL;
}

size_t index_certificates(const struct index *ix)
{
	return table_count(ix->certificates);
}

size_t index_bytes(const struct index *ix)
{
	return table_bytes(ix->certificates) + table_bytes(ix->attached) + things_bytes(ix->things);
}
