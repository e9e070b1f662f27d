/* call.c -- what a handler may do: records, answers, and what repeats on a rerun. Effects are in call_effects.c.
 *
 * Every sk_call is the first member of a sk_slot; nothing here leaves the slot and its run. */
#include "core/call_internal.h"
#include "core/digest.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct sk_slot *sk_slot_of(struct sk_call *c)
{
	return (struct sk_slot *)c;
}

bool sk_void(const struct sk_call *c)
{
	const struct sk_slot *s = (const struct sk_slot *)c;
	return s->missed || s->waiting || s->run->void_from_here;
}

void sk_slot_poison(struct sk_slot *s, const char *why)
{
	if (!s->poisoned && !sk_void(&s->call))
		sk_log('e', s->request->row->owner->plugin->name, "%s: %s", s->call.operation, why);
	s->poisoned = true;
}

/* -- records -- */

char *sk_call_key(struct sk_call *c, const char *fmt, va_list ap)
{
	char *key = sk_vprintf(c->arena, fmt, ap);
	if (key && strlen(key) <= SK_KEY_MAX)
		return key;
	if (key)
		sk_slot_poison(sk_slot_of(c), "a key is too long");
	return NULL;
}

struct found { struct sk_bytes *bytes; uint64_t version; bool known; };

static struct found from_cache(struct sk_run *run, const char *key, uint32_t hash)
{
	struct sk_bytes *bytes;
	uint64_t version;
	struct sk_run_read *r = sk_run_add_read(run, key, hash);
	if (!r)
		return (struct found){ 0 };
	if (!r->home || !run->worker->rt->store->exclusive || !sk_cache_get(&run->worker->cache, key, hash, &bytes, &version))
		return (struct found){ 0 };
	SK_COUNT(run->worker->rt->count.cache_hits);
	r->state = SK_READ_HAVE;
	r->bytes = sk_bytes_ref(bytes);
	r->version = version;
	r->as_of = run->seq;
	return (struct found){ r->bytes, version, true };
}

/* The call's own and the batch's writes first, then what this run has read, then the worker's cache. */
static struct found find(struct sk_slot *s, const char *key)
{
	uint32_t hash = sk_hash(key, strlen(key));
	const struct sk_run_write *w = sk_run_find_write(s->run, key, hash);
	if (w)
		return (struct found){ w->bytes, w->bytes ? UINT64_MAX : 0, true };
	struct sk_run_read *r = sk_run_find_read(s->run, key, hash);
	struct found f = { 0 };
	if (r && r->state == SK_READ_HAVE)
		f = (struct found){ r->bytes, r->version, true };
	else if (!r)
		f = from_cache(s->run, key, hash);
	if (!f.known)
		s->missed = true;
	return f;
}

static const cJSON *parse_record(struct sk_slot *s, const char *key, const struct sk_bytes *bytes)
{
	for (struct sk_memo *m = s->memo; m; m = m->next)
		if (m->from == bytes && !strcmp(m->key, key))
			return m->document;
	struct sk_memo *m = sk_alloc(&s->arena, sizeof *m);
	cJSON *document = sk_json_parse(&s->arena, bytes->data, bytes->size, NULL, NULL);
	if (!document && !s->arena.failed)
		sk_slot_poison(s, "a stored record is not JSON");
	if (!m || !document)
		return NULL;
	*m = (struct sk_memo){ .next = s->memo, .key = key, .from = bytes, .document = document };
	s->memo = m;
	return document;
}

const cJSON *sk_get(struct sk_call *c, const char *fmt, ...)
{
	va_list ap;
	va_start(ap, fmt);
	const char *key = sk_call_key(c, fmt, ap);
	va_end(ap);
	if (!key)
		return NULL;
	struct found f = find(sk_slot_of(c), key);
	return f.bytes ? parse_record(sk_slot_of(c), key, f.bytes) : NULL;
}

uint64_t sk_version(struct sk_call *c, const char *fmt, ...)
{
	va_list ap;
	va_start(ap, fmt);
	const char *key = sk_call_key(c, fmt, ap);
	va_end(ap);
	return key ? find(sk_slot_of(c), key).version : 0;
}

uint64_t sk_event_version(struct sk_call *c)
{
	const struct sk_effect *e = sk_slot_of(c)->request->effect;
	return e ? e->version : 0;
}

void sk_call_write(struct sk_call *c, enum sk_space space, const char *key, const char *text, size_t n)
{
	struct sk_slot *s = sk_slot_of(c);
	if (sk_void(c))
		return;
	size_t home = strlen(c->home);
	if (c->refused || sk_key_partition(key) != home || memcmp(key, c->home, home)) {
		sk_slot_poison(s, c->refused ? "a refused call may not write" : "a record outside of the home partition was written");
		return;
	}
	struct sk_bytes *bytes = text ? sk_bytes_new(text, n) : NULL;
	if ((text && !bytes) || sk_run_add_write(s->run, space, key, bytes))
		s->arena.failed = true;
}

void sk_put(struct sk_call *c, const cJSON *document, const char *fmt, ...)
{
	va_list ap;
	va_start(ap, fmt);
	const char *key = sk_call_key(c, fmt, ap);
	va_end(ap);
	size_t n;
	if (!key || sk_void(c))
		return;
	const char *text = sk_json_print(c->arena, document, &n);
	if (text)
		sk_call_write(c, SK_RECORD, key, text, n);
	else
		c->arena->failed = true;
}

void sk_remove(struct sk_call *c, const char *fmt, ...)
{
	va_list ap;
	va_start(ap, fmt);
	const char *key = sk_call_key(c, fmt, ap);
	va_end(ap);
	if (key)
		sk_call_write(c, SK_RECORD, key, NULL, 0);
}

/* -- answers -- */

int sk_fail(struct sk_call *c, int code, const char *fmt, ...)
{
	va_list ap;
	va_start(ap, fmt);
	c->message = sk_vprintf(c->arena, fmt, ap);
	va_end(ap);
	if (!c->message)
		c->message = "";
	return c->error = code < 0 ? code : SK_E_INTERNAL;
}

/* -- what repeats on a rerun: SHA-256 in counter mode over the request's seed -- */

void sk_random(struct sk_call *c, void *buf, size_t n)
{
	struct sk_slot *s = sk_slot_of(c);
	unsigned char *out = buf;
	while (n) {
		unsigned char block[SK_DIGEST_SIZE], in[sizeof s->request->seed + sizeof s->random_used];
		memcpy(in, s->request->seed, sizeof s->request->seed);
		memcpy(in + sizeof s->request->seed, &s->random_used, sizeof s->random_used);
		s->random_used++;
		sk_digest(in, sizeof in, block);
		size_t part = n < sizeof block ? n : sizeof block;
		memcpy(out, block, part);
		out += part;
		n -= part;
	}
}

const char *sk_uuid(struct sk_call *c)
{
	unsigned char b[16];
	char *text = sk_alloc_text(c->arena, SK_UUID_TEXT);
	sk_random(c, b, sizeof b);
	if (text)
		sk_uuid_text(b, text);
	return text;
}

static const char *arn_of(struct sk_call *c, const char *service, const char *fmt, va_list ap)
{
	const char *resource = sk_vprintf(c->arena, fmt, ap);
	const char *region = c->caller && c->caller->region && *c->caller->region ? c->caller->region : sk_region();
	return sk_printf(c->arena, "arn:aws:%s:%s:%s:%s", service, region, sk_account(), resource ? resource : "");
}

const char *sk_arn(struct sk_call *c, const char *fmt, ...)
{
	va_list ap;
	va_start(ap, fmt);
	const char *arn = arn_of(c, "iot", fmt, ap);
	va_end(ap);
	return arn;
}

const char *sk_arn_of(struct sk_call *c, const char *service, const char *fmt, ...)
{
	va_list ap;
	va_start(ap, fmt);
	const char *arn = arn_of(c, service, fmt, ap);
	va_end(ap);
	return arn;
}

cJSON *sk_json_time(struct sk_arena *a, int64_t ms)
{
	return sk_json_number(a, (double)ms / 1000.0);
}
