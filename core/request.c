/* request.c -- what waits for a worker: one block of memory with copies of all that the call will look at. */
#include "core/runtime.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static _Thread_local struct sk_blocks *taking; /* where this thread's requests lie */

void sk_requests_from(struct sk_blocks *b)
{
	taking = b;
}

static char *put(char **at, const void *data, size_t n)
{
	char *here = *at;
	memcpy(here, data, n);
	here[n] = '\0';
	*at += n + 1;
	return here;
}

struct sk_request *sk_request_new(struct sk_row *row, enum sk_lane lane, const struct sk_caller *caller, const char *topic,
                                  const void *payload, size_t payload_size)
{
	const char *home = caller->region ? caller->region : "";
	size_t id = strlen(caller->client_id), principal = strlen(caller->principal), region = strlen(home);
	size_t topic_size = topic ? strlen(topic) : 0, copied = payload ? payload_size : 0;
	size_t rest = strlen(row->partition) + topic_size + sizeof "/aa"; /* what is captured from a topic is not longer than the topic */
	size_t total = sizeof(struct sk_request) + id + principal + region + topic_size + copied + rest + 5;
	struct sk_request *r = taking ? sk_blocks_take(taking, total) : NULL;
	bool in_block = r != NULL;
	if (!r && !(r = malloc(total)))
		return NULL;
	memset(r, 0, sizeof *r);
	r->in_block = in_block;
	char *at = (char *)(r + 1);
	r->row = row;
	r->lane = lane;
	r->bytes = total;
	r->caller.kind = caller->kind;
	r->caller.client_id = put(&at, caller->client_id, id);
	r->caller.principal = put(&at, caller->principal, principal);
	r->caller.region = put(&at, home, region);
	r->topic = topic ? put(&at, topic, topic_size) : NULL;
	r->payload = payload ? put(&at, payload, payload_size) : NULL;
	r->payload_size = payload_size;
	r->rest = at;
	r->rest_size = rest;
	return r;
}

void sk_request_renew(struct sk_request *r)
{
	while (r->slow) {
		struct sk_slow_result *next = r->slow->next;
		sk_bytes_unref(r->slow->answer);
		free(r->slow);
		r->slow = next;
	}
	r->tries = 0;
	r->now_ms = r->again_us = 0;
}

void sk_request_free(struct sk_request *r)
{
	if (!r)
		return;
	sk_request_renew(r);
	free(r->body);
	if (r->partition != r->rest)
		free(r->partition);
	free((char *)r->timer);
	if (r->in_block)
		sk_blocks_give(r);
	else
		free(r);
}

void sk_request_abandon(struct sk_request *r)
{
	struct sk_answer a = { .error = SK_E_UNAVAILABLE, .message = "The broker is shutting down" };
	if (r && r->finish)
		r->finish(r, &a);
	if (r && r->effect)
		sk_effect_abandon(r->effect);
	sk_request_free(r);
}

struct value { const char *at; size_t size; };

static struct value capture_value(const struct sk_request *r, const char *name, size_t n)
{
	const char *pattern = r->row->name;
	for (size_t i = 0; i < r->match.captures; i++) {
		size_t size;
		const char *at = sk_topic_capture_name(pattern, i, &size);
		if (at && size == n && !memcmp(at, name, n))
			return (struct value){ r->match.capture[i].at, r->match.capture[i].size };
	}
	return (struct value){ 0 };
}

static struct value input_value(const cJSON *in, const char *name, size_t n)
{
	char key[128];
	if (n >= sizeof key)
		return (struct value){ 0 };
	memcpy(key, name, n);
	key[n] = '\0';
	const char *text = sk_json_text(in, key);
	return (struct value){ text, text ? strlen(text) : 0 };
}

/* Writes the pattern with each {name} replaced; 0, or -1 for a value that cannot be part of a partition's name. */
static int fill(const struct sk_request *r, const cJSON *in, char *out, size_t room)
{
	size_t used = 0;
	for (const char *p = r->row->partition; *p;) {
		struct value v = { p, 1 };
		if (*p == '{') {
			size_t n = strcspn(p + 1, "}");
			v = r->topic ? capture_value(r, p + 1, n) : input_value(in, p + 1, n);
			p += n + (p[n + 1] ? 2 : 1);
			if (!v.size || memchr(v.at, '/', v.size))
				return -1;
		} else {
			p++;
		}
		if (used + v.size >= room)
			return -1;
		memcpy(out + used, v.at, v.size);
		used += v.size;
	}
	out[used] = '\0';
	return 0;
}

static char *keep(const struct sk_request *r, const char *name)
{
	size_t n = strlen(name) + 1;
	return n <= r->rest_size ? memcpy(r->rest, name, n) : strdup(name);
}

int sk_request_route(struct sk_request *r, const cJSON *in)
{
	static atomic_ullong last_alone;
	char name[SK_KEY_MAX / 2];
	if (!strcmp(r->row->partition, "alone")) {
		snprintf(name, sizeof name, "alone/%llx", atomic_fetch_add_explicit(&last_alone, 1, memory_order_relaxed));
		r->partition = keep(r, name);
	} else if (!strcmp(r->row->partition, "any")) {
		char any[] = "any/00";
		unsigned n = atomic_fetch_add_explicit(&r->row->turn, 1, memory_order_relaxed);
		any[4] = (char)('a' + n % 8);
		any[5] = (char)('a' + n / 8 % 8);
		r->partition = keep(r, any);
	} else if (fill(r, in, name, sizeof name)) {
		return SK_ROUTE_NAME;
	} else {
		r->partition = keep(r, name);
	}
	return r->partition ? 0 : SK_ROUTE_MEMORY;
}

static bool over_limit(const struct sk_runtime *rt, enum sk_lane lane, size_t bytes)
{
	if (lane == SK_LANE_DEVICE)
		return bytes > rt->inbox_limit;
	return lane == SK_LANE_REJECT && bytes > rt->inbox_limit / 16;
}

int sk_runtime_submit(struct sk_runtime *rt, struct sk_request *r)
{
	struct sk_worker *w = rt->worker[sk_hash(r->partition, strlen(r->partition)) % (unsigned)rt->workers];
	size_t now = atomic_fetch_add(&w->inbox.bytes[r->lane], r->bytes) + r->bytes;
	if (over_limit(rt, r->lane, now)) {
		atomic_fetch_sub(&w->inbox.bytes[r->lane], r->bytes);
		return -1;
	}
	atomic_fetch_add(&w->inbox.calls, 1);
	r->next = NULL;
	pthread_mutex_lock(&w->inbox.lock);
	*w->inbox.tail[r->lane] = r;
	w->inbox.tail[r->lane] = &r->next;
	pthread_mutex_unlock(&w->inbox.lock);
	if (atomic_load(&w->inbox.asleep))
		rt->host->wake_thread(rt->host->ctx, w->index);
	return 0;
}
