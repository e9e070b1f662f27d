/* talk.c -- what our sessions take is written to the Redis and told to all; what others take is heard, or read when something was missed.
 *
 * PREFIX{skeeter}cluster is a sorted set of the brokers by the server's time of their last sign of life; PREFIX{skeeter}cluster:NAME a hash of a
 * broker's filters, in which "#number" counts its changes. Each change is published with its number too, so who has the one before needs not read. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "plugins/cluster/cluster.h"

enum { BEAT_MS = 2000, AGAIN_MS = 200, MISSING_MS = 4000, WORDS = 500 };
#define NUMBER "#number" /* no filter is called so */

/* KEYS: the set, our hash. ARGV: our name, what a hash's name begins with. The answer: each broker that is alive and its number. */
static struct redis_script beat_script = { .body =
	"local t = redis.call('TIME')\n"
	"local now = t[1] * 1000 + math.floor(t[2] / 1000)\n"
	"redis.call('ZADD', KEYS[1], string.format('%.0f', now), ARGV[1])\n"
	"redis.call('ZREMRANGEBYSCORE', KEYS[1], '-inf', string.format('%.0f', now - 60000))\n"
	"redis.call('PEXPIRE', KEYS[2], 60000)\n"
	"local out = {}\n"
	"for _, name in ipairs(redis.call('ZRANGEBYSCORE', KEYS[1], string.format('%.0f', now - 6000), '+inf')) do\n"
	"  out[#out + 1] = name\n"
	"  out[#out + 1] = redis.call('HGET', ARGV[2] .. name, '#number') or '0'\n"
	"end\n"
	"return out\n" };

/* KEYS: our hash. ARGV: the number that it must have, the one that it gets. The answer is 0 if it has another: what was there is gone, by a FLUSHALL or
 * a failover, and what was written to it just now is not all of it. */
static struct redis_script number_script = { .body =
	"if redis.call('HGET', KEYS[1], '#number') ~= ARGV[1] then return 0 end\n"
	"redis.call('HSET', KEYS[1], '#number', ARGV[2])\n"
	"return 1\n" };

bool talk_ask(struct cluster *c, int slot, const struct redis_text *command, const struct redis_script *script, redisReply **reply)
{
	struct redis_ask ask = { .slot = slot, .node = -1, .bytes = command->bytes, .size = command->size, .script = script };
	int rc = command->failed ? -1 : redis_route_ask(c->route, &ask, 1, c->end_at ? c->end_at : cluster_now() + c->url.timeout_ms);
	bool good = !rc && ask.reply && ask.reply->type != REDIS_REPLY_ERROR;

	if (!good)
		cluster_away(c, ask.reply && ask.reply->type == REDIS_REPLY_ERROR ? ask.reply->str : command->failed ? "memory is out" : redis_route_why(c->route));
	if (reply)
		*reply = good ? ask.reply : NULL;
	if (ask.reply && (!good || !reply))
		freeReplyObject(ask.reply);
	return good;
}

/* Our key; what was written is empty afterwards. */
static bool do_it(struct cluster *c, struct redis_text *command)
{
	bool done = talk_ask(c, (int)redis_slot(c->filters, strlen(c->filters)), command, NULL, NULL);

	redis_text_clear(command);
	return done;
}

static bool tell_all(struct cluster *c, const void *packet, size_t n)
{
	struct redis_text command = { 0 };

	redis_begin(&command, 3);
	redis_name(&command, c->sharded ? "SPUBLISH" : "PUBLISH");
	redis_name(&command, c->control);
	redis_word(&command, packet, n);
	bool done = talk_ask(c, c->sharded ? (int)redis_slot(c->control, strlen(c->control)) : REDIS_ANY_SLOT, &command, NULL, NULL);
	redis_text_free(&command);
	return done;
}

/* -- what we take -- */

static void note(struct cluster *c, const char *filter, bool on)
{
	struct string *one = strings_add(&c->pending, filter);

	if (one)
		one->mark = on;
	else
		c->written = false; /* all of them are written again */
}

void talk_change(struct cluster *c, const struct frame_entry *e)
{
	struct string *one = strings_add(&c->own, e->topic);

	if (!one) {
		atomic_store(&c->blind, true);
		return;
	}
	switch (e->kind) {
	case ENTRY_ADD: one->refs = 1; break;
	case ENTRY_REMOVE: one->refs = 0; break;
	case ENTRY_KEEP: one->lasting = KEPT; break;
	default: one->lasting = FORGOTTEN; break;
	}
	if (e->kind == ENTRY_ADD || e->kind == ENTRY_REMOVE)
		note(c, e->topic, one->refs);
	else
		c->dirty = true;
	if (!one->refs && !one->lasting)
		strings_remove(&c->own, one);
}

static void begin(struct redis_text *t, const char *verb, const char *key, size_t words)
{
	redis_begin(t, 2 + words);
	redis_name(t, verb);
	redis_name(t, key);
}

/* Nobody reads a hash whose number is 0. */
static bool begin_all(struct cluster *c, struct redis_text *t)
{
	begin(t, "DEL", c->filters, 0);
	if (!do_it(c, t))
		return false;
	begin(t, "HSET", c->filters, 2);
	redis_name(t, NUMBER);
	redis_number(t, 0);
	return do_it(c, t);
}

static bool set_number(struct cluster *c, struct redis_text *t, uint64_t before)
{
	redisReply *r;

	redis_script_name(&number_script);
	redis_begin(t, 6);
	redis_name(t, "EVALSHA");
	redis_name(t, number_script.sha);
	redis_number(t, 1);
	redis_name(t, c->filters);
	redis_number(t, before);
	redis_number(t, c->number);
	bool good = talk_ask(c, (int)redis_slot(c->filters, strlen(c->filters)), t, &number_script, &r), done = good && r->type == REDIS_REPLY_INTEGER && r->integer;
	redis_text_clear(t);
	if (good)
		freeReplyObject(r);
	return done;
}

struct batch { /* filters of one command, and where the next begins */
	const struct string *one[WORDS];
	size_t n;
};

static bool send_batch(struct cluster *c, struct redis_text *t, struct batch *b, bool on)
{
	if (!b->n)
		return true;
	begin(t, on ? "HSET" : "HDEL", c->filters, on ? b->n * 2 : b->n);
	for (size_t i = 0; i < b->n; i++) {
		redis_name(t, b->one[i]->text);
		if (on)
			redis_name(t, "1");
	}
	b->n = 0;
	return do_it(c, t);
}

/* Those of a set that `wanted` says yes to. */
static bool send_some(struct cluster *c, const struct strings *of, bool (*wanted)(const struct string *one), bool on)
{
	struct redis_text t = { 0 };
	struct batch b = { .n = 0 };
	bool good = true;

	for (struct string *one = strings_next(of, NULL); one && good; one = strings_next(of, one)) {
		if (!wanted(one))
			continue;
		b.one[b.n++] = one;
		if (b.n == WORDS)
			good = send_batch(c, &t, &b, on);
	}
	good = good && send_batch(c, &t, &b, on);
	redis_text_free(&t);
	return good;
}

static bool is_taken(const struct string *one)
{
	return one->refs;
}

static bool is_on(const struct string *one)
{
	return one->mark;
}

static bool is_off(const struct string *one)
{
	return !one->mark;
}

/* A number is left out, so that who knows the one before reads all of it. */
static bool write_all(struct cluster *c)
{
	struct redis_text t = { 0 };
	char head[FRAME_HEAD];

	c->number += 2;
	bool good = begin_all(c, &t) && send_some(c, &c->own, is_taken, true) && set_number(c, &t, 0);
	redis_text_free(&t);
	frame_head(head, FRAME_INTEREST, c->self, c->number);
	return good && tell_all(c, head, sizeof head);
}

static bool tell_changes(struct cluster *c)
{
	size_t n = FRAME_HEAD;
	char *bytes;

	for (struct string *one = strings_next(&c->pending, NULL); one; one = strings_next(&c->pending, one))
		n += ENTRY_HEAD + strlen(one->text) + 1;
	bytes = malloc(n);
	if (!bytes)
		return false;
	frame_head(bytes, FRAME_INTEREST, c->self, c->number);
	n = FRAME_HEAD;
	for (struct string *one = strings_next(&c->pending, NULL); one; one = strings_next(&c->pending, one)) {
		const struct frame_entry e = { .kind = one->mark ? ENTRY_ADD : ENTRY_REMOVE, .topic = one->text, .topic_size = strlen(one->text) };
		n = (size_t)(entry_put(bytes + n, &e, NULL) - bytes);
	}
	bool good = tell_all(c, bytes, n);
	free(bytes);
	return good;
}

static bool write_changes(struct cluster *c)
{
	struct redis_text t = { 0 };

	c->number++;
	bool good = send_some(c, &c->pending, is_off, false) && send_some(c, &c->pending, is_on, true) && set_number(c, &t, c->number - 1);
	redis_text_free(&t);
	return good && tell_changes(c);
}

void talk_filters(struct cluster *c)
{
	if (atomic_load(&c->blind) && !strings_find(&c->own, "")) {
		static const struct frame_entry everything = { .kind = ENTRY_ADD, .topic = "" };
		talk_change(c, &everything);
	}
	if (!c->learned || (c->written && !c->pending.count))
		return;
	c->written = (c->written && write_changes(c)) || (!c->away && write_all(c));
	if (!c->written)
		return;
	strings_free(&c->pending);
	atomic_store(&c->announced, true);
}

void talk_bye(struct cluster *c)
{
	struct redis_text t = { 0 };
	char head[FRAME_HEAD];

	frame_head(head, FRAME_BYE, c->self, c->number);
	begin(&t, "ZREM", c->index, 1);
	redis_name(&t, c->name);
	if (do_it(c, &t)) {
		begin(&t, "DEL", c->filters, 0);
		do_it(c, &t);
		tell_all(c, head, sizeof head);
	}
	redis_text_free(&t);
}

/* -- what others take -- */

static void learn_filters(struct cluster *c, struct other *o, const redisReply *r)
{
	uint64_t number = 0;

	for (size_t i = 0; i + 1 < r->elements; i += 2)
		if (r->element[i]->type == REDIS_REPLY_STRING && !strcmp(r->element[i]->str, NUMBER) && r->element[i + 1]->type == REDIS_REPLY_STRING)
			number = strtoull(r->element[i + 1]->str, NULL, 10);
	if (!number) /* it is being written */
		return;
	interest_begin(&c->interest, o);
	for (size_t i = 0; i + 1 < r->elements; i += 2)
		if (r->element[i]->type == REDIS_REPLY_STRING && strcmp(r->element[i]->str, NUMBER))
			interest_change(&c->interest, o, ENTRY_ADD, r->element[i]->str);
	interest_end(&c->interest, o);
	o->known = number;
}

static bool read_filters(struct cluster *c, struct other *o, const char *name)
{
	struct redis_text t = { 0 };
	redisReply *r;
	char key[CHANNEL];

	snprintf(key, sizeof key, "%s:%s", c->index, name);
	begin(&t, "HGETALL", key, 0);
	bool good = talk_ask(c, (int)redis_slot(key, strlen(key)), &t, NULL, &r);
	if (good && r->type == REDIS_REPLY_ARRAY)
		learn_filters(c, o, r);
	if (good)
		freeReplyObject(r);
	redis_text_free(&t);
	return good;
}

/* A broker that is alive, with the number of its filters; 0: they are not there yet. */
static bool meet(struct cluster *c, const char *name, uint64_t number)
{
	uint64_t self = strtoull(name, NULL, 16);
	struct other *o = strlen(name) == NAME - 1 && self ? interest_find(&c->interest, self) : NULL;

	if (strlen(name) != NAME - 1 || !self)
		return true;
	if (self == c->self) {
		c->written = c->written && number == c->number;
		return true;
	}
	if (!o && (o = interest_add(&c->interest, self)))
		sk_log('n', "cluster", "the broker %s is there", name);
	if (!o)
		return true;
	o->missing_since = 0;
	o->mark = true;
	return number <= o->known || read_filters(c, o, name);
}

static void miss(struct cluster *c, struct other *o)
{
	int64_t now = cluster_now();

	o->missing_since = o->missing_since ? o->missing_since : now;
	if (now - o->missing_since < MISSING_MS)
		return;
	sk_log('n', "cluster", "the broker %016llx is gone", (unsigned long long)o->self);
	way_close(c, o);
	interest_drop(&c->interest, o);
}

static bool learn(struct cluster *c, const redisReply *r)
{
	bool good = true;

	for (int k = 0; k < BROKERS; k++)
		c->interest.other[k].mark = false;
	for (size_t i = 0; i + 1 < r->elements && good; i += 2)
		if (r->element[i]->type == REDIS_REPLY_STRING && r->element[i + 1]->type == REDIS_REPLY_STRING)
			good = meet(c, r->element[i]->str, strtoull(r->element[i + 1]->str, NULL, 10));
	for (int k = 0; k < BROKERS && good; k++)
		if (c->interest.other[k].self && !c->interest.other[k].mark)
			miss(c, &c->interest.other[k]);
	return good;
}

static void beaten(struct cluster *c, const redisReply *r)
{
	if (r->type != REDIS_REPLY_ARRAY || !learn(c, r))
		return;
	c->beat_at = cluster_now() + BEAT_MS;
	c->learned = true;
	if (c->said)
		sk_log('n', "cluster", "the Redis is back");
	c->away = c->said = false;
	cluster_audience(c);
}

void talk_beat(struct cluster *c)
{
	struct redis_text t = { 0 };
	redisReply *r;
	char names[CHANNEL + 1];

	if (cluster_now() < c->beat_at)
		return;
	c->beat_at = cluster_now() + AGAIN_MS;
	redis_script_name(&beat_script);
	snprintf(names, sizeof names, "%s:", c->index);
	redis_words(&t, (const char *const[]){ "EVALSHA", beat_script.sha, "2", c->index, c->filters, c->name, names }, 7);
	if (talk_ask(c, (int)redis_slot(c->index, strlen(c->index)), &t, &beat_script, &r)) {
		beaten(c, r);
		freeReplyObject(r);
	}
	redis_text_free(&t);
}
