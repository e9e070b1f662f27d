/* fill.c -- a batch is one submission; it is stepped until every commit in it is answered, so nothing is under way between two calls.
 *
 * A commit that failed because the store was away is submitted again when it is back: the same puts twice are the same. */
#include "cli/store/fill.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { RECORDS = 4096, BYTES = 4 << 20, WRITES = 512, REST_MS = 100, PATIENCE_MS = 20000, TELL_EVERY = 1024 };

struct fill {
	struct place *place;
	const volatile sig_atomic_t *stop;
	struct sk_store_write write[RECORDS];
	struct sk_commit commit[RECORDS];
	size_t writes, commits, bytes;
	uint64_t marker;      /* version of the marker that is there; 0: none */
	size_t pending;       /* commits that are not answered */
	struct sk_commit *again, **again_end;
	const char *refused;  /* why one failed */
	bool conflict;
	char why[PLACE_NAME + 300];
};

size_t fill_home(enum sk_space space, const char **key)
{
	if (space == SK_TIMER && strspn(*key, "0123456789abcdef") == 16 && (*key)[16] == '/' && (*key)[17])
		*key += 17;
	return sk_key_partition(*key);
}

static void wake(void *ctx)
{
	(void)ctx; /* whoever submits here steps next */
}

struct fill *fill_new(struct place *p, const volatile sig_atomic_t *stop)
{
	struct fill *f = calloc(1, sizeof *f);
	struct sk_store_read marker = { .space = SK_RECORD, .key = SK_STORE_FILLING };
	struct view_why why;

	if (!f)
		return NULL;
	f->place = p;
	f->stop = stop;
	p->store->wake = wake;
	if (!place_get(p, &marker, &why))
		f->marker = marker.version;
	sk_bytes_unref(marker.bytes);
	return f;
}

static void forget(struct fill *f)
{
	for (size_t i = 0; i < f->writes; i++) {
		free((char *)f->write[i].key);
		sk_bytes_unref(f->write[i].bytes);
	}
	for (size_t i = 0; i < f->commits; i++)
		free((char *)f->commit[i].partition);
	f->writes = f->commits = f->bytes = 0;
}

void fill_free(struct fill **f)
{
	if (*f)
		forget(*f);
	free(*f);
	*f = NULL;
}

const char *fill_why(const struct fill *f)
{
	return f->why;
}

static int fails(struct fill *f, const char *what)
{
	snprintf(f->why, sizeof f->why, "cannot write store %s: %s", f->place->name, what);
	return -1;
}

/* -- submitting -- */
static void answered(struct sk_commit *c)
{
	struct fill *f = c->owner;

	f->pending--;
	f->conflict = f->conflict || c->status == SK_COMMIT_CONFLICT;
	if (c->status != SK_COMMIT_FAILED)
		return;
	f->refused = c->why ? c->why : "refused";
	c->next = NULL;
	*f->again_end = c;
	f->again_end = &c->next;
}

static int64_t clock_us(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (int64_t)t.tv_sec * 1000000 + t.tv_nsec / 1000;
}

static void rest(int64_t ms)
{
	nanosleep(&(struct timespec){ ms / 1000, ms % 1000 * 1000000 }, NULL);
}

/* Submits the list; those that failed are f->again then. */
static void send_list(struct fill *f, struct sk_commit *list)
{
	struct sk_store *s = f->place->store;

	f->again = NULL;
	f->again_end = &f->again;
	for (struct sk_commit *c = list; c; c = c->next)
		f->pending++;
	s->ops->submit(s, list);
	while (f->pending) {
		int64_t now = clock_us(), next = s->ops->step(s, now);
		if (f->pending && next > now)
			rest(1);
	}
	while (s->ops->pressed(s)) {
		int64_t now = clock_us(), next = s->ops->step(s, now);
		if (next == INT64_MAX)
			break;
		if (next > now)
			rest(1);
	}
}

/* A store that is away may come back; one that says no says it again. */
static bool is_away(struct fill *f)
{
	struct sk_store_stats stats;

	f->place->store->ops->stats(f->place->store, &stats);
	return stats.down && !(f->stop && *f->stop);
}

static int send(struct fill *f, struct sk_commit *list)
{
	int64_t until = clock_us() + PATIENCE_MS * 1000LL;

	f->conflict = false;
	send_list(f, list);
	while (f->again && is_away(f) && clock_us() < until) {
		rest(REST_MS);
		send_list(f, f->again);
	}
	if (f->again)
		return fails(f, f->refused);
	return f->conflict ? fails(f, "somebody else fills it too") : 0;
}

/* -- gathering -- */
static bool continues(const struct fill *f, const char *home, size_t size)
{
	const struct sk_commit *last = f->commits ? &f->commit[f->commits - 1] : NULL;

	return last && last->write_count < WRITES && strlen(last->partition) == size && !memcmp(last->partition, home, size);
}

static int begin(struct fill *f, const char *home, size_t size)
{
	struct sk_commit *c = &f->commit[f->commits];

	*c = (struct sk_commit){ .partition = strndup(home, size), .writes = &f->write[f->writes], .done = answered, .owner = f };
	if (!c->partition)
		return -1;
	f->commits++;
	return 0;
}

bool fill_is_full(const struct fill *f)
{
	return f->writes == RECORDS || f->bytes >= BYTES;
}

int fill_add(struct fill *f, struct flow_record *r)
{
	const char *home = r->key;
	size_t size = fill_home(r->space, &home);

	if ((fill_is_full(f) && fill_flush(f, "")) || (!continues(f, home, size) && begin(f, home, size) && fails(f, "out of memory"))) {
		flow_drop(r);
		return -1;
	}
	f->bytes += strlen(r->key) + (r->bytes ? r->bytes->size : 0);
	f->write[f->writes++] = (struct sk_store_write){ .space = r->space, .key = r->key, .bytes = r->bytes };
	f->commit[f->commits - 1].write_count++;
	r->key = NULL;
	r->bytes = NULL;
	return 0;
}

/* After a conflict: a commit whose answer was lost may have been ours. */
static bool stands(struct fill *f, const char *text)
{
	struct sk_store_read r = { .space = SK_RECORD, .key = SK_STORE_FILLING };
	struct view_why why;
	bool same = f->conflict && !place_get(f->place, &r, &why) && (text ? r.bytes && !strcmp(r.bytes->data, text) : !r.bytes);

	if (same)
		f->marker = r.version;
	sk_bytes_unref(r.bytes);
	return same;
}

/* The marker changes only if it is the one that we know: of two that fill one store the second is told. */
static int put_marker(struct fill *f, const char *text)
{
	char home[] = SK_STORE_FILLING;
	struct sk_store_write write = { .space = SK_RECORD, .key = SK_STORE_FILLING, .bytes = text ? sk_bytes_new(text, strlen(text)) : NULL };
	struct sk_store_expect expect = { .key = SK_STORE_FILLING, .version = f->marker };
	struct sk_commit c = { .partition = home, .expects = &expect, .expect_count = 1, .writes = &write, .write_count = 1, .done = answered, .owner = f };
	int rc;

	home[sk_key_partition(home)] = '\0';
	expect.as_of = atomic_load(&f->place->store->seq);
	rc = text && !write.bytes ? fails(f, "out of memory") : send(f, &c);
	sk_bytes_unref(write.bytes);
	if (!rc)
		f->marker = text ? c.version : 0;
	return rc && stands(f, text) ? 0 : rc;
}

int fill_flush(struct fill *f, const char *marker)
{
	int rc = 0;

	for (size_t i = 0; i < f->commits; i++)
		f->commit[i].next = i + 1 < f->commits ? &f->commit[i + 1] : NULL;
	if (f->commits)
		rc = send(f, f->commit);
	forget(f);
	if (!rc && (!marker || *marker))
		rc = put_marker(f, marker);
	return rc;
}

static int take_away(struct fill *f, struct flow *flow, struct progress *progress)
{
	struct flow_record r;
	uint64_t n = 0;
	int rc = 0, more = 0;

	while (!rc && !(f->stop && *f->stop) && (more = flow_next(flow, &r)) > 0) {
		if (!(++n % TELL_EVERY))
			progress_tell(progress, n, 0);
		sk_bytes_unref(r.bytes);
		r.bytes = NULL;
		if (place_is_marker(r.space, r.key, strlen(r.key)))
			flow_drop(&r);
		else
			rc = fill_add(f, &r);
	}
	if (more < 0)
		snprintf(f->why, sizeof f->why, "%s", flow_why(flow));
	return rc || more || fill_flush(f, "") ? -1 : 0;
}

int fill_empty(struct fill *f, struct progress *progress)
{
	struct flow *flow = flow_open(f->place, SK_RECORD, NULL);
	int rc;

	progress_begin(progress, "removed: records");
	forget(f); /* what was added and not written yet goes with the rest */
	f->why[0] = '\0';
	rc = flow ? take_away(f, flow, progress) : fails(f, "out of memory");
	flow_close(&flow);
	return rc;
}
