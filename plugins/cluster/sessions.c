/* sessions.c -- see sessions.h. A filter's `refs` are the sessions that have it, `lasting` those of them that may outlive their connections.
 *
 * The broker counts the places that a session has ever needed for its subscriptions, so that its number is never too low: when it is ours, nothing
 * is unknown, and nothing becomes so later. */
#include "plugins/cluster/sessions.h"

#include <stdlib.h>
#include <string.h>

enum { FEW = 64 };

struct held {
	struct string *filter;
	uint32_t group; /* the hash of a shared subscription's group; 0: it is none */
};
struct session {
	struct session *next_generation, *next_id;
	struct session *doubtful;   /* the next one */
	uint64_t generation;
	void *handle;
	uint32_t hash;              /* of id */
	bool lasting, doubted;
	bool everything;            /* it has "" because of a doubt */
	struct held *held;
	size_t filters, room, shared; /* shared: of them */
	char id[];
};

static uint32_t hash_of(const char *text, size_t n)
{
	uint32_t h = 2166136261u;

	for (size_t i = 0; i < n; i++)
		h = (h ^ (unsigned char)text[i]) * 16777619u;
	return h;
}

static struct session **generation_place(const struct sessions *s, uint64_t generation)
{
	return &s->by_generation[generation & (s->places - 1)];
}

static struct session **id_place(const struct sessions *s, uint32_t hash)
{
	return &s->by_id[hash & (s->places - 1)];
}

static struct session *find(const struct sessions *s, uint64_t generation)
{
	struct session *one = s->places ? *generation_place(s, generation) : NULL;

	while (one && one->generation != generation)
		one = one->next_generation;
	return one;
}

static void chain(struct sessions *s, struct session *one)
{
	struct session **generation = generation_place(s, one->generation), **id = id_place(s, one->hash);

	one->next_generation = *generation;
	*generation = one;
	one->next_id = *id;
	*id = one;
}

static int grow(struct sessions *s)
{
	size_t places = s->places ? s->places * 2 : FEW, before = s->places;
	struct session **generation = calloc(places, sizeof(struct session *)), **id = calloc(places, sizeof(struct session *)), **old = s->by_generation;

	if (!generation || !id) {
		free(generation);
		free(id);
		return before ? 0 : -1;
	}
	free(s->by_id);
	s->by_generation = generation;
	s->by_id = id;
	s->places = places;
	for (size_t i = 0; i < before; i++)
		for (struct session *one = old[i], *next; one; one = next) {
			next = one->next_generation;
			chain(s, one);
		}
	free(old);
	return 0;
}

/* -- filters -- */

static void tell(const struct sessions *s, enum entry_kind what, const char *filter)
{
	s->changed(s->ctx, what, filter);
}

static int take(struct sessions *s, struct session *one, const char *filter, uint32_t group)
{
	struct string *text = strings_add(&s->filters, filter);
	size_t room = one->room ? one->room * 2 : 4;

	if (!text)
		return -1;
	if (one->filters == one->room) {
		struct held *grown = realloc(one->held, room * sizeof *grown);
		if (!grown) {
			if (!text->refs)
				strings_remove(&s->filters, text);
			return -1;
		}
		one->held = grown;
		one->room = room;
	}
	one->held[one->filters++] = (struct held){ text, group };
	one->shared += group != 0;
	if (!text->refs++)
		tell(s, ENTRY_ADD, filter);
	if (one->lasting && !text->lasting++)
		tell(s, ENTRY_KEEP, filter);
	return 0;
}

static void give(struct sessions *s, const struct session *one, struct string *text)
{
	if (one->lasting && !--text->lasting)
		tell(s, ENTRY_FORGET, text->text);
	if (--text->refs)
		return;
	tell(s, ENTRY_REMOVE, text->text);
	strings_remove(&s->filters, text);
}

static size_t place_of(const struct session *one, const struct string *text, uint32_t group)
{
	size_t i = 0;

	while (i < one->filters && (one->held[i].filter != text || one->held[i].group != group))
		i++;
	return i;
}

static void drop_at(struct sessions *s, struct session *one, size_t i)
{
	struct held gone = one->held[i];

	one->held[i] = one->held[--one->filters];
	one->shared -= gone.group != 0;
	give(s, one, gone.filter);
}

/* What is behind the group; NULL: the broker will refuse it. */
static const char *without_share(const char *filter, uint32_t *group)
{
	const char *end = strncmp(filter, "$share/", 7) ? NULL : strchr(filter + 7, '/');

	*group = end ? hash_of(filter, (size_t)(end - filter)) | 1 : 0;
	return end ? end + 1 : strncmp(filter, "$share/", 7) ? filter : NULL;
}

int sessions_subscribed(struct sessions *s, uint64_t generation, const char *filter, bool on)
{
	uint32_t group;
	struct session *one = find(s, generation);
	const char *plain = without_share(filter, &group);
	const struct string *text = plain && *plain ? strings_find(&s->filters, plain) : NULL;

	if (!one || !plain || !*plain)
		return 0;
	size_t i = text ? place_of(one, text, group) : one->filters;
	if (on)
		return i < one->filters ? 0 : take(s, one, plain, group);
	if (i < one->filters)
		drop_at(s, one, i);
	return 0;
}

/* -- sessions -- */

static struct session *newest_of(const struct sessions *s, const char *id, uint32_t hash)
{
	struct session *newest = NULL;

	for (struct session *one = s->places ? *id_place(s, hash) : NULL; one; one = one->next_id)
		if (one->generation && one->hash == hash && !strcmp(one->id, id) && (!newest || one->generation > newest->generation))
			newest = one;
	return newest;
}

static int copy(struct sessions *s, struct session *to, const struct session *from)
{
	int rc = 0;

	for (size_t i = 0; i < from->filters && !rc; i++)
		rc = from->held[i].filter->text[0] ? take(s, to, from->held[i].filter->text, from->held[i].group) : 0;
	return rc;
}

static void doubt(struct sessions *s, struct session *one)
{
	one->doubted = true;
	one->doubtful = s->doubtful;
	s->doubtful = one;
}

int sessions_came(struct sessions *s, const struct session_is *is)
{
	size_t n = strlen(is->id);
	uint32_t hash = hash_of(is->id, n);
	struct session *before = is->fresh ? NULL : newest_of(s, is->id, hash), *one;

	if (find(s, is->generation))
		return 0;
	if (s->count >= s->places && grow(s))
		return -1;
	one = calloc(1, sizeof *one + n + 1);
	if (!one)
		return -1;
	memcpy(one->id, is->id, n);
	one->generation = is->generation;
	one->handle = is->handle;
	one->hash = hash;
	one->lasting = is->lasting;
	chain(s, one);
	s->count++;
	if (is->generation && !is->fresh && (!before || before->doubted))
		doubt(s, one);
	return before ? copy(s, one, before) : 0;
}

static void unchain(struct sessions *s, struct session *one)
{
	struct session **at = generation_place(s, one->generation);

	while (*at != one)
		at = &(*at)->next_generation;
	*at = one->next_generation;
	for (at = id_place(s, one->hash); *at != one;)
		at = &(*at)->next_id;
	*at = one->next_id;
	for (at = &s->doubtful; *at && *at != one;)
		at = &(*at)->doubtful;
	if (*at)
		*at = one->doubtful;
	s->count--;
}

void sessions_gone(struct sessions *s, uint64_t generation)
{
	struct session *one = find(s, generation);

	if (!one)
		return;
	unchain(s, one);
	for (size_t i = 0; i < one->filters; i++)
		give(s, one, one->held[i].filter);
	free(one->held);
	free(one);
}

bool sessions_fade(struct sessions *s, uint64_t generation, size_t n)
{
	struct session *one = find(s, generation);

	while (one && one->filters && n--)
		drop_at(s, one, one->filters - 1);
	if (one && one->filters)
		return false;
	sessions_gone(s, generation);
	return true;
}

/* -- doubt -- */

static int take_everything(struct sessions *s, struct session *one)
{
	one->everything = !take(s, one, "", 0);
	return one->everything ? 0 : -1;
}

static void take_no_more(struct sessions *s, struct session *one)
{
	if (one->everything)
		drop_at(s, one, place_of(one, strings_find(&s->filters, ""), 0));
	one->everything = false;
}

/* A shared subscription is in no number of the broker's. */
static int look(struct sessions *s, struct session *one, int there)
{
	size_t known = one->filters - one->everything;

	if (there < 0 || known >= one->shared + (size_t)there) {
		take_no_more(s, one);
		one->doubted = false;
		return 0;
	}
	return one->everything ? 0 : take_everything(s, one);
}

int sessions_doubt(struct sessions *s, int (*subscriptions)(void *handle, uint64_t generation))
{
	int rc = 0;

	for (struct session **at = &s->doubtful, *one; (one = *at);) {
		rc = look(s, one, subscriptions(one->handle, one->generation)) ? -1 : rc;
		if (one->doubted)
			at = &one->doubtful;
		else
			*at = one->doubtful;
	}
	return rc;
}

void sessions_free(struct sessions *s)
{
	for (size_t i = 0; i < s->places; i++)
		for (struct session *one = s->by_generation[i], *next; one; one = next) {
			next = one->next_generation;
			free(one->held);
			free(one);
		}
	free(s->by_generation);
	free(s->by_id);
	strings_free(&s->filters);
	*s = (struct sessions){ .changed = s->changed, .ctx = s->ctx };
}
