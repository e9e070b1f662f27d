/* flow.c -- a ring between the thread that reads and the one that takes. Invariant: what is between `taken` and `put` is whole and the taker's. */
#include "cli/store/flow.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

enum { RING = 4096, BYTES = 8 << 20 }; /* one more record may always come, however large */

struct flow {
	struct place *place;
	enum sk_space space; /* where to begin */
	char *after;
	pthread_t thread;
	pthread_mutex_t lock;
	pthread_cond_t more, room;
	struct flow_record ring[RING];
	size_t put, taken, bytes;
	bool ended, stop;
	int rc;              /* when it has ended */
	struct view_why why;
};

void flow_drop(struct flow_record *r)
{
	free(r->key);
	sk_bytes_unref(r->bytes);
	r->key = NULL;
	r->bytes = NULL;
}

static size_t weight(const struct flow_record *r)
{
	return r->bytes->size + strlen(r->key);
}

/* Waits for room. Nonzero: it is to stop. */
static int hand_over(struct flow *f, struct flow_record *r)
{
	bool stop;

	pthread_mutex_lock(&f->lock);
	while (!f->stop && (f->put - f->taken == RING || f->bytes >= BYTES))
		pthread_cond_wait(&f->room, &f->lock);
	stop = f->stop;
	if (!stop) {
		f->bytes += weight(r);
		f->ring[f->put++ % RING] = *r;
		pthread_cond_signal(&f->more);
	}
	pthread_mutex_unlock(&f->lock);
	return stop;
}

static int take_in(void *ctx, const struct view_record *seen)
{
	struct flow *f = ctx;
	struct flow_record r = { .space = seen->space, .key = strndup(seen->key.data, seen->key.size), .bytes = sk_bytes_new(seen->data.data, seen->data.size),
		.version = seen->version };

	if (!r.key || !r.bytes) {
		flow_drop(&r);
		snprintf(f->why.text, sizeof f->why.text, "cannot read store %s: out of memory", f->place->name);
		return -1;
	}
	if (!hand_over(f, &r))
		return 0;
	flow_drop(&r);
	return 1;
}

static void *run(void *arg)
{
	struct flow *f = arg;
	int rc = 0;

	for (int space = f->space; !rc && space < SK_SPACES; space++)
		rc = place_each(f->place, (enum sk_space)space, space == (int)f->space ? f->after : NULL, take_in, f, &f->why);
	pthread_mutex_lock(&f->lock);
	f->rc = rc;
	f->ended = true;
	pthread_cond_signal(&f->more);
	pthread_mutex_unlock(&f->lock);
	return NULL;
}

static void release(struct flow *f)
{
	pthread_mutex_destroy(&f->lock);
	pthread_cond_destroy(&f->more);
	pthread_cond_destroy(&f->room);
	free(f->after);
	free(f);
}

struct flow *flow_open(struct place *p, enum sk_space space, const char *after)
{
	struct flow *f = calloc(1, sizeof *f);

	if (!f)
		return NULL;
	f->place = p;
	f->space = space;
	pthread_mutex_init(&f->lock, NULL);
	pthread_cond_init(&f->more, NULL);
	pthread_cond_init(&f->room, NULL);
	if ((!after || (f->after = strdup(after))) && !pthread_create(&f->thread, NULL, run, f))
		return f;
	release(f);
	return NULL;
}

int flow_next(struct flow *f, struct flow_record *r)
{
	int rc = 1;

	pthread_mutex_lock(&f->lock);
	while (f->put == f->taken && !f->ended)
		pthread_cond_wait(&f->more, &f->lock);
	if (f->put == f->taken) {
		rc = f->rc < 0 ? -1 : 0;
	} else {
		*r = f->ring[f->taken++ % RING];
		f->bytes -= weight(r);
		pthread_cond_signal(&f->room);
	}
	pthread_mutex_unlock(&f->lock);
	return rc;
}

const char *flow_why(const struct flow *f)
{
	return f->why.text;
}

void flow_close(struct flow **at)
{
	struct flow *f = *at;

	*at = NULL;
	if (!f)
		return;
	pthread_mutex_lock(&f->lock);
	f->stop = true;
	pthread_cond_signal(&f->room);
	pthread_mutex_unlock(&f->lock);
	pthread_join(f->thread, NULL);
	for (; f->taken < f->put; f->taken++)
		flow_drop(&f->ring[f->taken % RING]);
	release(f);
}
