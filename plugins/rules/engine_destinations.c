/* engine_destinations.c -- see engine_destinations.h. What is ENABLED stands in a list by URL that never changes; the records themselves, by id, are
 * the broker's thread's. */
#include "plugins/rules/engine_destinations.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "core/plugin.h"
#include "plugins/rules/destinations.h"
#include "plugins/rules/engine.h"

struct enabled {              /* one block */
	atomic_uint refs;
	size_t n;
	const char *url[];        /* by name; the texts are behind it */
};
struct one {
	char id[DESTINATION_ID + 1];
	char *url;                /* NULL: it is not ENABLED, or has none */
	unsigned round;           /* in which it was told */
};
struct destinations {
	pthread_mutex_t lock;     /* short: for `now` alone */
	struct enabled *now;      /* NULL: there are none */
	/* the broker's thread's */
	struct one *one;
	size_t n, room;
	unsigned round;
};

struct destinations *destinations_new(void)
{
	struct destinations *d = calloc(1, sizeof *d);

	if (d)
		pthread_mutex_init(&d->lock, NULL);
	return d;
}

static void unref(struct enabled *e)
{
	if (e && atomic_fetch_sub(&e->refs, 1) == 1)
		free(e);
}

void destinations_free(struct destinations **at)
{
	struct destinations *d = *at;

	*at = NULL;
	if (!d)
		return;
	for (size_t i = 0; i < d->n; i++)
		free(d->one[i].url);
	free(d->one);
	unref(d->now);
	pthread_mutex_destroy(&d->lock);
	free(d);
}

/* -- the list -- */

static int by_url(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* NULL: there are none, or memory is out. */
static struct enabled *list_of(const struct destinations *d, bool *failed)
{
	size_t n = 0, bytes = 0;

	for (size_t i = 0; i < d->n; i++)
		if (d->one[i].url) {
			n++;
			bytes += strlen(d->one[i].url) + 1;
		}
	struct enabled *e = n ? calloc(1, sizeof *e + n * sizeof *e->url + bytes) : NULL;
	*failed = n && !e;
	if (!e)
		return NULL;
	char *to = (char *)(e->url + n);
	atomic_init(&e->refs, 1);
	for (size_t i = 0; i < d->n; i++)
		if (d->one[i].url) {
			e->url[e->n++] = to;
			to = stpcpy(to, d->one[i].url) + 1;
		}
	qsort(e->url, n, sizeof *e->url, by_url);
	return e;
}

static void exchange(struct destinations *d)
{
	bool failed;
	struct enabled *next = list_of(d, &failed), *old;

	if (failed)
		sk_log('e', "rules", "memory is out: http actions are refused until a destination changes");
	pthread_mutex_lock(&d->lock);
	old = d->now;
	d->now = next;
	pthread_mutex_unlock(&d->lock);
	unref(old);
}

/* -- the watch -- */

static struct one *find(struct destinations *d, const char *id)
{
	for (size_t i = 0; i < d->n; i++)
		if (!strcmp(d->one[i].id, id))
			return &d->one[i];
	return NULL;
}

static struct one *add(struct destinations *d, const char *id)
{
	if (d->n == d->room) {
		size_t room = d->room ? 2 * d->room : 16;
		struct one *more = realloc(d->one, room * sizeof *more);
		if (!more)
			return NULL;
		d->one = more;
		d->room = room;
	}
	struct one *o = &d->one[d->n++];
	*o = (struct one){ .url = NULL };
	strcpy(o->id, id);
	return o;
}

static void drop(struct destinations *d, struct one *o)
{
	free(o->url);
	*o = d->one[--d->n];
}

/* The URL of a record that may be sent to; NULL: there is none. malloc'd. */
static char *enabled_url(const struct sk_bytes *bytes, bool *failed)
{
	struct sk_arena a = { 0 };
	const cJSON *record = sk_json_parse(&a, bytes->data, bytes->size, NULL, NULL);
	const char *status = sk_json_text(record, "status"), *url = sk_json_text(record, "url");
	bool wanted = url && status && !strcmp(status, "ENABLED");
	char *copy = wanted ? strdup(url) : NULL;

	*failed = !record || (wanted && !copy);
	sk_arena_free(&a);
	return copy;
}

int engine_watch_destination(void *state, const char *name, const struct sk_bytes *bytes)
{
	struct destinations *d = ((struct rules_state *)state)->engine->destinations;
	struct one *o = find(d, name);
	bool failed = false, had = o && o->url;

	if (strlen(name) != DESTINATION_ID)
		return 0;
	char *url = bytes ? enabled_url(bytes, &failed) : NULL;
	if (o)
		drop(d, o);
	o = url ? add(d, name) : NULL;
	if (o) {
		o->url = url;
		o->round = d->round;
	} else {
		free(url);
	}
	if (failed || (url && !o))
		sk_log('e', "rules", "destination %s is not in force as it is now: memory is out", name);
	if (had || o)
		exchange(d);
	return 0;
}

void destinations_reset(struct destinations *d, enum sk_reset phase)
{
	size_t had = d->n;

	if (phase == SK_RESET_BEGINS)
		d->round++;
	else
		for (size_t i = d->n; i-- > 0;)
			if (d->one[i].round != d->round)
				drop(d, &d->one[i]);
	if (d->n != had)
		exchange(d);
}

/* -- asking -- */

static bool is_enabled(struct destinations *d, const char *url)
{
	pthread_mutex_lock(&d->lock);
	struct enabled *e = d->now;
	if (e)
		atomic_fetch_add(&e->refs, 1);
	pthread_mutex_unlock(&d->lock);
	bool found = e && bsearch(&url, e->url, e->n, sizeof *e->url, by_url);
	unref(e);
	return found;
}

/* So much of it: parameters may be keys. */
static int sayable(const char *url)
{
	size_t n = destination_url_fault(url) ? strlen("of the url") : strcspn(url, "?");

	return n < 200 ? (int)n : 200;
}

const char *destinations_refuse(struct rules_engine *e, const char *kind, const cJSON *fields, struct sk_arena *a)
{
	const char *url = sk_json_text(fields, "url"), *confirm = sk_json_text(fields, "confirmationUrl"), *base = confirm ? confirm : url;

	if (e->options->destinations == DESTINATIONS_ANY || strcmp(kind, "http") || !url)
		return NULL;
	if (!is_enabled(e->destinations, base))
		return sk_printf(a, "the destination %.*s is not confirmed, or not enabled", sayable(base), destination_url_fault(base) ? "of the url" : base);
	return destination_is_below(url, base) ? NULL : "the url is not below its confirmationUrl";
}
