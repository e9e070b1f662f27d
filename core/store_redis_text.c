/* store_redis_text.c -- what the store's commands look like, and what the records in their answers are.
 *
 * Several commands are written one after the other into one text and asked at once; their replies live until the asks are cleared. */
#include "core/store_redis.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SCRIPT(name, text) static const char name##_text[] = text;
#include "redis_scripts.inc"
#undef SCRIPT

static const char *const bodies[SK_REDIS_SCRIPTS] = {
	[SK_REDIS_COMMIT] = commit_text, [SK_REDIS_SCAN] = scan_text, [SK_REDIS_CHANGES] = changes_text, [SK_REDIS_BEAT] = beat_text,
	[SK_REDIS_META] = meta_text,
};
static const char *const names[] = { "h0", "h1", "h2", "z0", "z1", "z2", "m", "o", "c" };

int sk_redis_scripts(struct sk_redis *s)
{
	for (int i = 0; i < SK_REDIS_SCRIPTS; i++) {
		s->script[i].body = bodies[i];
		redis_script_name(&s->script[i]);
	}
	return 0;
}

void sk_redis_call(struct redis_text *t, const struct redis_script *script, size_t keys, size_t words)
{
	redis_begin(t, 3 + keys + words);
	redis_name(t, "EVALSHA");
	redis_name(t, script->sha);
	redis_number(t, keys);
}

void sk_redis_key(struct redis_text *t, const struct sk_redis_bucket *b, enum sk_redis_key key)
{
	char text[sizeof b->tag + 8];

	redis_word(t, text, (size_t)snprintf(text, sizeof text, "%s%s", b->tag, names[key]));
}

void sk_redis_outcome(struct redis_text *t, const struct sk_redis *s, const struct sk_redis_bucket *b)
{
	char text[sizeof b->tag + 32];

	redis_word(t, text, (size_t)snprintf(text, sizeof text, "%so:%s", b->tag, s->store.self));
}

static size_t own(char *text, size_t size, const struct sk_redis *s, const char *name)
{
	return (size_t)snprintf(text, size, "%s{skeeter}%s", s->url.prefix, name);
}

void sk_redis_own(struct redis_text *t, const struct sk_redis *s, const char *name)
{
	char text[REDIS_PREFIX + 32];

	redis_word(t, text, own(text, sizeof text, s, name));
}

int sk_redis_own_slot(const struct sk_redis *s)
{
	char text[REDIS_PREFIX + 32];

	return (int)redis_slot(text, own(text, sizeof text, s, "meta"));
}

void sk_redis_batch(struct redis_text *t, const struct sk_redis *s, const struct sk_redis_bucket *b, size_t words)
{
	sk_redis_call(t, &s->script[SK_REDIS_COMMIT], 9, 2 + words);
	for (enum sk_redis_key key = SK_REDIS_HASH; key < SK_REDIS_OUTCOME; key++)
		sk_redis_key(t, b, key);
	sk_redis_outcome(t, s, b);
	sk_redis_key(t, b, SK_REDIS_LOG);
	redis_number(t, b->number);
	redis_number(t, atomic_load(&s->store.seq));
}

/* -- several at once -- */
struct redis_ask *sk_redis_ask_add(struct sk_redis_asks *a, int slot, const struct redis_script *script)
{
	size_t room = a->room ? 2 * a->room : 8;

	if (a->n == a->room) {
		struct redis_ask *more = a->failed ? NULL : realloc(a->ask, room * sizeof *more);
		if (!more) {
			a->failed = true;
			return NULL;
		}
		a->ask = more;
		a->room = room;
	}
	/* size is where it begins until all are written */
	a->ask[a->n] = (struct redis_ask){ .slot = slot, .node = -1, .script = script, .size = a->text.size };
	return &a->ask[a->n++];
}

int sk_redis_ask_all(struct sk_redis_asks *a, struct redis_route *r, int64_t until)
{
	if (a->failed || a->text.failed)
		return -1;
	for (size_t i = 0; i < a->n; i++) {
		size_t begin = a->ask[i].size, end = i + 1 < a->n ? a->ask[i + 1].size : a->text.size;
		a->ask[i].bytes = a->text.bytes + begin;
		a->ask[i].size = end - begin;
	}
	return a->n ? redis_route_ask(r, a->ask, a->n, until) : 0;
}

void sk_redis_asks_clear(struct sk_redis_asks *a)
{
	for (size_t i = 0; i < a->n; i++)
		if (a->ask[i].reply)
			freeReplyObject(a->ask[i].reply);
	a->n = 0;
	a->failed = false;
	redis_text_clear(&a->text);
}

void sk_redis_asks_free(struct sk_redis_asks *a)
{
	sk_redis_asks_clear(a);
	free(a->ask);
	redis_text_free(&a->text);
}

/* -- answers -- */
uint64_t sk_redis_version(const redisReply *r)
{
	return r && r->type == REDIS_REPLY_STRING ? strtoull(r->str, NULL, 10) : 0;
}

int sk_redis_record(const redisReply *r, struct sk_bytes **bytes, uint64_t *version)
{
	const char *blank = r->type == REDIS_REPLY_STRING ? memchr(r->str, ' ', r->len < 24 ? r->len : 24) : NULL;

	*bytes = NULL;
	*version = 0;
	if (!blank)
		return 0;
	*bytes = sk_bytes_new(blank + 1, r->len - (size_t)(blank + 1 - r->str));
	if (*bytes)
		*version = sk_redis_version(r);
	return *bytes ? 0 : -1;
}

bool sk_redis_error(const redisReply *r, const char *code)
{
	size_t n = strlen(code);

	return r && r->type == REDIS_REPLY_ERROR && !strncmp(r->str, code, n) && (!r->str[n] || r->str[n] == ' ');
}
