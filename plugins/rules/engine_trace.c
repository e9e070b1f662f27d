/* engine_trace.c -- see engine_trace.h. A circle of texts under a lock that only watched rules ever take. */
#include "plugins/rules/engine_trace.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

struct trace_log {
	pthread_mutex_t lock;
	_Atomic int64_t until_ms;
	uint64_t sequence;          /* of the newest */
	char *text[TRACE_KEPT];     /* at sequence % TRACE_KEPT */
};

struct trace_log *trace_log_new(void)
{
	struct trace_log *t = calloc(1, sizeof *t);
	if (t)
		pthread_mutex_init(&t->lock, NULL);
	return t;
}

void trace_log_free(struct trace_log *t)
{
	if (!t)
		return;
	for (int i = 0; i < TRACE_KEPT; i++)
		free(t->text[i]);
	pthread_mutex_destroy(&t->lock);
	free(t);
}

void trace_log_watch(struct trace_log *t, int64_t until_ms)
{
	atomic_store(&t->until_ms, until_ms);
}

bool trace_log_watched(struct trace_log *t, int64_t now_ms)
{
	return now_ms < atomic_load_explicit(&t->until_ms, memory_order_relaxed);
}

/* A topic alone may be longer than TRACE_BYTES. */
static const char *print(struct sk_arena *a, cJSON *entry)
{
	static const char *const left_out[] = { "trace", "topic", "clientId" };
	size_t n = 0;
	const char *text = sk_json_print(a, entry, &n);
	for (size_t i = 0; text && n > TRACE_BYTES && i < sizeof left_out / sizeof *left_out; i++) {
		sk_json_remove(entry, left_out[i]);
		if (!i)
			sk_json_set_bool(a, entry, "tooLong", true);
		text = sk_json_print(a, entry, &n);
	}
	return text;
}

void trace_log_add(struct trace_log *t, struct sk_arena *a, cJSON *entry)
{
	const char *text = print(a, entry);
	char *copy = text ? strdup(text) : NULL;
	if (!copy)
		return;
	pthread_mutex_lock(&t->lock);
	char **at = &t->text[++t->sequence % TRACE_KEPT];
	free(*at);
	*at = copy;
	pthread_mutex_unlock(&t->lock);
}

void trace_log_read(struct trace_log *t, uint64_t after, struct sk_arena *a, cJSON *array)
{
	pthread_mutex_lock(&t->lock);
	uint64_t oldest = t->sequence > TRACE_KEPT ? t->sequence - TRACE_KEPT + 1 : 1;
	for (uint64_t s = after + 1 > oldest ? after + 1 : oldest; s <= t->sequence; s++) {
		const char *text = t->text[s % TRACE_KEPT];
		cJSON *entry = text ? sk_json_parse(a, text, strlen(text), NULL, NULL) : NULL;
		sk_json_set_int(a, entry, "sequence", (int64_t)s);
		sk_json_append(array, entry);
	}
	pthread_mutex_unlock(&t->lock);
}
