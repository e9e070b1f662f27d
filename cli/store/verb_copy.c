/* verb_copy.c -- skeeter-store copy: all that one store holds into another one, whatever either of them is.
 *
 * Invariants: a store that is not empty is not touched, unless it holds our marker or --replace is given; from the first record on the marker
 * stands in it, and goes when every record has been compared. What the marker says to be there is there: it is written behind it. */
#include <inttypes.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "cli/store/compare.h"
#include "cli/store/fill.h"
#include "cli/store/marker.h"
#include "cli/store/store.h"

enum { MARK_EVERY_MS = 200, TELL_EVERY = 1024 };

struct copying {
	struct store_options *o;
	struct place from, to;
	struct fill *fill;
	struct marker at;     /* how far it is; in the store of what fill_flush() has written */
	uint64_t sure;        /* records that are in the store: the last marker says so */
	int64_t marked_ms;
	char why[5000];
};

/* -- the end asked for -- */
static volatile sig_atomic_t stop;
static const int stoppers[] = { SIGINT, SIGTERM, SIGHUP };
enum { STOPPERS = sizeof stoppers / sizeof stoppers[0] };

static void take_signal(int number)
{
	(void)number;
	stop = 1;
}

/* The second one ends the process as it would any other. */
static void watch_signals(struct sigaction *before)
{
	struct sigaction action = { .sa_handler = take_signal, .sa_flags = SA_RESETHAND | SA_RESTART };

	stop = 0;
	for (int i = 0; i < STOPPERS; i++)
		sigaction(stoppers[i], &action, &before[i]);
}

static void unwatch_signals(const struct sigaction *before)
{
	for (int i = 0; i < STOPPERS; i++)
		sigaction(stoppers[i], &before[i], NULL);
}

/* -- saying it -- */
static int goes_on(const struct copying *c, const char *why)
{
	return store_failed("%s: %" PRIu64 " records are in %s, the same command goes on from there", why, c->sure, c->to.name);
}

static int64_t now_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

/* -- may it be -- */
static int faults_in(struct copying *c)
{
	uint64_t faults = c->from.view ? check_view(c->from.view, stdout, &c->o->progress) : check_redis(&c->from, stdout, &c->o->progress);

	return faults ? store_failed("store %s has faults: nothing was copied", c->from.name) : 0;
}

static int open_both(struct copying *c)
{
	struct view_why why;

	if (place_open(&c->from, c->o->store, PLACE_READ, &why) || place_open(&c->to, c->o->other, c->o->verify ? PLACE_READ : PLACE_FILL, &why))
		return store_failed("%s", why.text);
	if (*c->to.id && !strcmp(c->from.id, c->to.id))
		return store_failed("%s and %s are the same store", c->from.name, c->to.name);
	if (c->from.marker || (c->o->verify && c->to.marker))
		return store_failed("store %s is not whole: what fills it has not ended", c->from.marker ? c->from.name : c->to.name);
	return 0;
}

/* Where to begin, or that it must not. */
static int find_position(struct copying *c)
{
	struct marker begin = { .begun = c->to.empty }, *m = &c->at;
	bool marked = c->to.marker && !marker_read(m, c->to.marker);

	snprintf(begin.from, sizeof begin.from, "%s", c->from.id);
	snprintf(begin.state, sizeof begin.state, "%s", c->from.state);
	if (!c->o->replace && marked && strcmp(m->from, c->from.id))
		return store_failed("store %s is filled from another one (%s) and not whole: --replace puts %s in place of all that it holds", c->to.name, m->from,
			c->from.name);
	if (!c->o->replace && !marked && !c->to.empty)
		return store_failed("store %s is not empty: --replace puts the copy in place of all that it holds", c->to.name);
	if (!marked || strcmp(m->from, c->from.id) || strcmp(m->state, c->from.state) || !m->begun)
		*m = begin;
	c->sure = m->records;
	return 0;
}

/* -- copying -- */
static int put_marker(struct copying *c)
{
	char *text = marker_write(&c->at);
	int rc = text ? fill_flush(c->fill, text) : -1;

	if (rc)
		snprintf(c->why, sizeof c->why, "%s", text ? fill_why(c->fill) : "out of memory");
	free(text);
	if (rc)
		return -1;
	c->marked_ms = now_ms();
	c->sure = c->at.records;
	return 0;
}

static int add(struct copying *c, struct flow_record *r)
{
	if (!fill_add(c->fill, r))
		return 0;
	snprintf(c->why, sizeof c->why, "%s", fill_why(c->fill));
	return -1;
}

/* What is in the store goes: it is not of this copy. */
static int empty(struct copying *c)
{
	if (c->at.begun)
		return 0;
	if (put_marker(c))
		return -1;
	if (fill_empty(c->fill, &c->o->progress)) {
		snprintf(c->why, sizeof c->why, "%s", fill_why(c->fill));
		return -1;
	}
	c->at.begun = true;
	return 0;
}

/* The marker lies behind by a moment's work at most. */
static int keep(struct copying *c, struct flow_record *r)
{
	struct marker *m = &c->at;

	if (fill_is_full(c->fill) && now_ms() - c->marked_ms >= MARK_EVERY_MS && put_marker(c)) {
		flow_drop(r);
		return -1;
	}
	m->space = r->space;
	strcpy(m->after, r->key);
	m->records++;
	if (!(m->records % TELL_EVERY))
		progress_tell(&c->o->progress, m->records, 0);
	return add(c, r);
}

static int copy_records(struct copying *c)
{
	struct flow *flow = flow_open(&c->from, c->at.space, *c->at.after ? c->at.after : NULL);
	struct flow_record r;
	int rc = flow ? 0 : -1, more = 0;

	progress_begin(&c->o->progress, "copy: records");
	while (!rc && !stop && (more = flow_next(flow, &r)) > 0)
		rc = keep(c, &r);
	if (!flow)
		snprintf(c->why, sizeof c->why, "out of memory");
	else if (!rc && more < 0)
		snprintf(c->why, sizeof c->why, "%s", flow_why(flow));
	flow_close(&flow);
	return rc || more < 0 ? -1 : put_marker(c) || stop ? -1 : 0;
}

/* -- comparing -- */
static void tell(const struct copying *c, const struct compare *k)
{
	for (int i = 0; i < SK_SPACES; i++)
		printf("%-10s %" PRIu64 ", %" PRIu64 " bytes\n", (const char *[]){ "records", "effects", "timers" }[i], k->records[i], k->bytes[i]);
	printf("sha256     %s\n", k->sha256);
	printf("store %s holds what %s holds\n", c->to.name, c->from.name);
}

/* STORE_OK or STORE_FAULTS, or -1 with why. */
static int compare(struct copying *c, struct compare *k)
{
	struct view_why why;

	*k = (struct compare){ .from = &c->from, .to = &c->to, .progress = &c->o->progress, .stop = &stop, .expected = c->at.records };
	if (compare_places(k)) {
		snprintf(c->why, sizeof c->why, "%s", k->why);
		return -1;
	}
	if (place_still(&c->from, &why)) {
		snprintf(c->why, sizeof c->why, "%s", why.text);
		return -1;
	}
	if (k->differences)
		printf("%" PRIu64 " difference%s\n", k->differences, k->differences > 1 ? "s" : "");
	return k->differences ? STORE_FAULTS : STORE_OK;
}

/* -- the verb -- */
static int verify_only(struct copying *c)
{
	struct compare k;
	int rc = compare(c, &k);

	if (rc < 0)
		return store_failed("%s", *c->why ? c->why : "interrupted");
	if (!rc)
		tell(c, &k);
	return rc;
}

/* What differs although it was copied: the next copy begins anew. */
static int begin_anew(struct copying *c)
{
	c->at.begun = false;
	put_marker(c);
	store_failed("store %s is not what store %s is: the same command begins anew", c->to.name, c->from.name);
	return STORE_FAULTS;
}

static int fill_and_compare(struct copying *c)
{
	struct compare k;
	int rc = empty(c) || (!c->at.records && put_marker(c)) || copy_records(c) ? -1 : 0;

	if (!rc)
		rc = compare(c, &k);
	if (rc == STORE_FAULTS)
		return begin_anew(c);
	if (!rc && fill_flush(c->fill, NULL)) {
		snprintf(c->why, sizeof c->why, "%s", fill_why(c->fill));
		rc = -1;
	}
	if (rc)
		return goes_on(c, *c->why ? c->why : "interrupted");
	tell(c, &k);
	return STORE_OK;
}

static int copy(struct copying *c)
{
	struct view_why why;
	int rc = open_both(c);

	if (!rc && c->o->verify)
		return verify_only(c);
	if (!rc)
		rc = find_position(c);
	if (!rc)
		rc = faults_in(c);
	if (!rc && place_fill(&c->to, &why))
		rc = store_failed("%s", why.text);
	if (!rc && !(c->fill = fill_new(&c->to, &stop)))
		rc = store_failed("out of memory");
	if (!rc)
		rc = fill_and_compare(c);
	fill_free(&c->fill);
	return rc;
}

int store_copy(struct store_options *o)
{
	struct copying *c = calloc(1, sizeof *c);
	struct sigaction before[STOPPERS];
	int rc;

	if (!c)
		return store_failed("out of memory");
	c->o = o;
	watch_signals(before);
	rc = copy(c);
	unwatch_signals(before);
	place_close(&c->to);
	place_close(&c->from);
	free(c);
	return rc;
}
