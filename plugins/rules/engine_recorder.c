/* engine_recorder.c -- see engine_recorder.h. A batch belongs to its thread; the segments take appends of all of them. */
#include "plugins/rules/engine_recorder.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/segments.h"
#include "core/threads.h"
#include "core/why.h"
#include "plugins/rules/engine_thread.h"
#include "rules/recorded.h"

enum { SPANS = 64, SEGMENTS = 8, SEGMENT_LEAST = 8 << 10, SEGMENT_MOST = 16 << 20, KEPT = 1 << 20, LOOK_MS = 10000 };

struct batch {
	char *bytes;
	size_t size, room;
	size_t n;
	size_t end[SPANS];         /* of each record */
};
struct recorder {
	struct sk_segments *segments;
	struct rules_filters *filters; /* NULL: what matches a rule */
	struct live_rule *rule;
	uint64_t most;
	int64_t age_ms;
	_Atomic int64_t looked_ms, turned_ms; /* for what is too old; when a segment was ended for its age */
	_Atomic uint64_t missed;
	atomic_bool failing;
	struct batch batch[RULES_MAX_THREADS];
};

/* -- life -- */

static int add_filter(struct recorder *r, const char *at, size_t n, char *why, size_t why_size)
{
	char *filter = strndup(at, n);
	bool valid = filter && rules_filter_valid(filter);
	int rc = valid ? rules_filters_add(r->filters, filter, 0) : -1;
	if (rc)
		sk_why(why, why_size, !filter || valid ? "memory is out" : "plugin_opt_recorder_topics: %s is no topic filter", filter);
	free(filter);
	return rc;
}

static int add_filters(struct recorder *r, const char *topics, char *why, size_t why_size)
{
	static const char blanks[] = " \t";
	const char *at = topics ? topics + strspn(topics, blanks) : "";
	if (*at && !(r->filters = rules_filters_new()))
		return sk_why(why, why_size, "memory is out");
	while (*at) {
		size_t n = strcspn(at, blanks);
		if (add_filter(r, at, n, why, why_size))
			return -1;
		at += n + strspn(at + n, blanks);
	}
	return 0;
}

static size_t segment_of(uint64_t most)
{
	uint64_t one = most / SEGMENTS;
	return one < SEGMENT_LEAST ? SEGMENT_LEAST : one > SEGMENT_MOST ? SEGMENT_MOST : (size_t)one;
}

struct recorder *recorder_open(const struct recorder_settings *s, char *why, size_t why_size)
{
	struct recorder *r = calloc(1, sizeof *r);
	if (!r) {
		sk_why(why, why_size, "memory is out");
		return NULL;
	}
	r->most = s->most;
	r->age_ms = s->age_ms;
	if (!(r->rule = live_new("", NULL, NULL)))
		sk_why(why, why_size, "memory is out");
	else if (!add_filters(r, s->topics, why, why_size) && (r->segments = sk_segments_open(s->folder, segment_of(s->most), why, why_size)))
		return r;
	recorder_free(&r);
	return NULL;
}

void recorder_free(struct recorder **at)
{
	struct recorder *r = *at;
	*at = NULL;
	if (!r)
		return;
	for (int i = 0; i < RULES_MAX_THREADS; i++)
		free(r->batch[i].bytes);
	sk_segments_close(&r->segments);
	rules_filters_free(&r->filters);
	live_unref(r->rule);
	free(r);
}

/* -- the broker's thread -- */

bool recorder_wants(const struct recorder *r, const char *topic, bool matched)
{
	uint32_t id;
	return r->filters ? rules_filters_match(r->filters, topic, &id, 1) > 0 : matched;
}

struct live_rule *recorder_rule(struct recorder *r)
{
	return r->rule;
}

/* -- what cannot be kept -- */

static void miss(struct recorder *r, size_t n, const char *why)
{
	atomic_fetch_add_explicit(&r->missed, n, memory_order_relaxed);
	if (!atomic_exchange(&r->failing, true))
		sk_log('w', "rules", "the recorder: %s: what comes now is not recorded", why);
}

static void went_well(struct recorder *r)
{
	if (__builtin_expect(atomic_load_explicit(&r->failing, memory_order_relaxed), 0) && atomic_exchange(&r->failing, false))
		sk_log('n', "rules", "the recorder goes on; %llu messages are missing", (unsigned long long)atomic_exchange(&r->missed, 0));
}

void recorder_missed(struct recorder *r)
{
	miss(r, 1, "the ring of its thread is full");
}

/* -- threads that evaluate -- */

/* However few messages come: a segment holds those of an eighth of the age. */
static void turn(struct recorder *r, int64_t now)
{
	int64_t turned = atomic_load_explicit(&r->turned_ms, memory_order_relaxed);
	if (!r->age_ms || (now - turned < r->age_ms / SEGMENTS && now >= turned))
		return;
	atomic_store_explicit(&r->turned_ms, now, memory_order_relaxed);
	sk_segments_turn(r->segments);
}

/* What is too old is looked for now and then; what is too much, each time. */
static void trim(struct recorder *r)
{
	int64_t now = sk_wall_ms(), looked = atomic_load_explicit(&r->looked_ms, memory_order_relaxed);
	int64_t slice = r->age_ms / SEGMENTS;
	bool look = now - looked >= (slice && slice < LOOK_MS ? slice : LOOK_MS) || now < looked;
	if (look) {
		atomic_store_explicit(&r->looked_ms, now, memory_order_relaxed);
		turn(r, now);
	}
	if (look || sk_segments_bytes(r->segments) > r->most)
		sk_segments_trim(r->segments, r->most, look && r->age_ms ? now - r->age_ms : 0);
}

static void empty(struct batch *b)
{
	b->n = b->size = 0;
	if (b->room <= KEPT)
		return;
	free(b->bytes);
	b->bytes = NULL;
	b->room = 0;
}

void recorder_flush(struct recorder *r, int thread)
{
	struct batch *b = &r->batch[thread];
	struct sk_span span[SPANS];
	size_t at = 0;
	if (!b->n)
		return;
	for (size_t i = 0; i < b->n; at = b->end[i++])
		span[i] = (struct sk_span){ b->bytes + at, b->end[i] - at };
	if (sk_segments_append(r->segments, span, b->n))
		miss(r, b->n, strerror(errno));
	else
		went_well(r);
	empty(b);
	trim(r);
}

static bool make_room(struct batch *b, size_t more)
{
	size_t room = b->room ? b->room : 1 << 16;
	while (room - b->size < more)
		room *= 2;
	if (room == b->room)
		return true;
	char *bytes = realloc(b->bytes, room);
	if (!bytes)
		return false;
	b->bytes = bytes;
	b->room = room;
	return true;
}

/* The topic of Basic Ingest is what came behind the rule's name. */
static const char *topic_of(const struct rules_message *m, char *text, size_t size)
{
	const char *topic = message_text(m, m->topic);
	if (!m->basic)
		return topic;
	return (size_t)snprintf(text, size, "$aws/rules/%s/%s", m->rule[0]->name, topic) < size ? text : NULL;
}

bool recorder_note(struct recorder *r, int thread, const struct rules_message *m)
{
	struct batch *b = &r->batch[thread];
	char basic[(1 << 16) + 256];
	const struct rules_recorded one = { .time_ms = m->now_ms, .number = m->number, .qos = m->qos, .depth = m->depth, .retain = m->retain,
		.topic = topic_of(m, basic, sizeof basic), .client_id = message_text(m, m->client_id), .principal = message_text(m, m->principal),
		.source_ip = message_text(m, m->source_ip), .payload = (const char *)m + m->payload, .size = m->size,
		.properties = (const char *)m + m->properties, .properties_size = m->properties_size };
	size_t size = one.topic ? rules_recorded_size(&one) : 0;
	if (b->n == SPANS || (b->n && b->size + size > KEPT))
		recorder_flush(r, thread);
	if (!size || !make_room(b, size)) {
		miss(r, 1, "memory is out");
	} else {
		rules_recorded_write(&one, b->bytes + b->size);
		b->end[b->n++] = b->size += size;
	}
	return m->rule[0] != r->rule;
}
