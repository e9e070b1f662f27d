/* queue.c -- see queue.h. The lock is held from queue_room() that gave something to queue_added(): an entry is taken whole. */
#include "plugins/cluster/queue.h"

#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

enum { CHUNK = 64 << 10, SPARES = 8 };

int queue_init(struct queue *q, size_t limit)
{
	memset(q, 0, sizeof *q);
	q->limit = limit;
	pthread_mutex_init(&q->lock, NULL);
	q->event_fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
	return q->event_fd < 0 ? -1 : 0;
}

static void free_list(struct chunk *c)
{
	while (c) {
		struct chunk *next = c->next;
		free(c);
		c = next;
	}
}

void queue_free(struct queue *q)
{
	free_list(q->head);
	free_list(q->spare);
	if (q->event_fd >= 0)
		close(q->event_fd);
	pthread_mutex_destroy(&q->lock);
}

static struct chunk *another(struct queue *q, size_t n)
{
	struct chunk *c = q->spare;

	if (c && n <= c->room) {
		q->spare = c->next;
		q->spares--;
	} else {
		size_t room = n > CHUNK ? n : CHUNK;
		c = malloc(sizeof *c + room);
		if (!c)
			return NULL;
		c->room = room;
	}
	c->next = NULL;
	c->used = 0;
	*(q->tail ? &q->tail->next : &q->head) = c;
	q->tail = c;
	return c;
}

char *queue_room(struct queue *q, size_t n, bool must)
{
	struct chunk *c;

	if (!must && atomic_load_explicit(&q->bytes, memory_order_relaxed) + n > q->limit)
		return NULL;
	pthread_mutex_lock(&q->lock);
	c = q->tail;
	if (!c || c->room - c->used < n)
		c = another(q, n);
	if (!c) {
		pthread_mutex_unlock(&q->lock);
		return NULL;
	}
	c->used += n;
	atomic_fetch_add_explicit(&q->bytes, n, memory_order_relaxed);
	return c->bytes + c->used - n;
}

void queue_added(struct queue *q)
{
	pthread_mutex_unlock(&q->lock);
	q->added = true;
}

void queue_ring(struct queue *q)
{
	uint64_t one = 1;

	if (!q->added)
		return;
	q->added = false;
	atomic_thread_fence(memory_order_seq_cst);
	if (atomic_exchange(&q->asleep, false) && write(q->event_fd, &one, sizeof one) < 0)
		atomic_store(&q->asleep, true); /* it is readable as it is */
}

struct chunk *queue_take(struct queue *q)
{
	struct chunk *all;

	pthread_mutex_lock(&q->lock);
	all = q->head;
	q->head = q->tail = NULL;
	pthread_mutex_unlock(&q->lock);
	return all;
}

void queue_give_back(struct queue *q, struct chunk *c)
{
	pthread_mutex_lock(&q->lock);
	bool keep = c->room == CHUNK && q->spares < SPARES;
	if (keep) {
		c->next = q->spare;
		q->spare = c;
		q->spares++;
	}
	pthread_mutex_unlock(&q->lock);
	if (!keep)
		free(c);
}
