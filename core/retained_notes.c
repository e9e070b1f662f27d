/* retained_notes.c -- see retained_notes.h. */
#include "core/retained_notes.h"

#include <stdlib.h>
#include <string.h>

void sk_notes_init(struct sk_notes *n, size_t most)
{
	memset(n, 0, sizeof *n);
	pthread_mutex_init(&n->lock, NULL);
	pthread_mutex_init(&n->applying, NULL);
	n->tail = &n->head;
	n->most = most;
}

static struct sk_note *take_all(struct sk_notes *n)
{
	pthread_mutex_lock(&n->lock);
	struct sk_note *list = n->head;
	n->head = NULL;
	n->tail = &n->head;
	n->count = 0;
	pthread_mutex_unlock(&n->lock);
	return list;
}

void sk_notes_free(struct sk_notes *n)
{
	for (struct sk_note *list = take_all(n), *next; list; list = next) {
		next = list->next;
		free(list);
	}
	pthread_mutex_destroy(&n->applying);
	pthread_mutex_destroy(&n->lock);
}

size_t sk_notes_add(struct sk_notes *n, enum sk_note_kind kind, const char *topic, const struct sk_retained_fact *fact)
{
	size_t size = strlen(topic) + 1;
	struct sk_note *note = malloc(sizeof *note + size);
	bool room = false;
	if (note) {
		note->next = NULL;
		note->kind = kind;
		note->fact = fact ? *fact : (struct sk_retained_fact){ 0 };
		memcpy(note->topic, topic, size);
	}
	pthread_mutex_lock(&n->lock);
	if (note && n->count < n->most) {
		*n->tail = note;
		n->tail = &note->next;
		n->count++;
		room = true;
	}
	size_t count = n->count;
	pthread_mutex_unlock(&n->lock);
	if (!room) {
		free(note);
		atomic_fetch_add(&n->dropped, 1);
	}
	return count;
}

void sk_notes_apply(struct sk_notes *n, void (*fn)(void *, const struct sk_note *), void *ctx)
{
	pthread_mutex_lock(&n->applying);
	for (struct sk_note *list = take_all(n), *next; list; list = next) {
		next = list->next;
		fn(ctx, list);
		free(list);
	}
	pthread_mutex_unlock(&n->applying);
}
