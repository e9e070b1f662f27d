/* check_redis.c -- the keys of each bucket against each other: what its sorted sets list is in its hashes and nothing else is, every value is a version
 * and a document, no version is above the bucket's, and every key is in the bucket of its partition.
 *
 * One pass over the sorted sets, a page at a time; only when a hash has more keys than were met it is gone through for those. */
#include <inttypes.h>
#include <string.h>

#include "cli/store/check.h"
#include "cli/store/fill.h"
#include "core/store_redis.h"

enum { PAGE = 256 };

struct bucket {
	struct check *c;
	int number;
	enum sk_space space;
	char tag[REDIS_PREFIX + 16];
	uint64_t newest, met;
};

static redisReply *ask(struct bucket *b, struct redis_text *t)
{
	char why[1024];
	redisReply *r = look_ask(b->c->p->look, t, b->tag, why, sizeof why);

	redis_text_clear(t);
	if (!r)
		check_fault(b->c, "bucket %d: %s", b->number, why);
	return r;
}

/* "h0" of the space: hash or sorted set. */
static void add_key(const struct bucket *b, struct redis_text *t, char kind)
{
	char key[sizeof b->tag + 8];

	redis_word(t, key, (size_t)snprintf(key, sizeof key, "%s%c%d", b->tag, kind, (int)b->space));
}

static uint64_t size_of(struct bucket *b, struct redis_text *t, const char *command, char kind)
{
	redisReply *r;
	uint64_t n;

	redis_begin(t, 2);
	redis_name(t, command);
	add_key(b, t, kind);
	r = ask(b, t);
	n = r && r->type == REDIS_REPLY_INTEGER ? (uint64_t)r->integer : 0;
	if (r)
		freeReplyObject(r);
	return n;
}

static uint64_t read_newest(struct bucket *b, struct redis_text *t)
{
	char key[sizeof b->tag + 8];
	redisReply *r;
	uint64_t newest;

	redis_begin(t, 3);
	redis_name(t, "HGET");
	redis_word(t, key, (size_t)snprintf(key, sizeof key, "%sm", b->tag));
	redis_name(t, "v");
	r = ask(b, t);
	newest = sk_redis_version(r);
	if (r)
		freeReplyObject(r);
	return newest;
}

/* -- one key -- */
static bool belongs(const struct bucket *b, const char *key)
{
	size_t size = fill_home(b->space, &key);

	return (int)((uint32_t)sk_redis_hash(key, size) % (unsigned)b->c->p->look->buckets) == b->number;
}

static bool is_record(const redisReply *r)
{
	size_t digits = r->type == REDIS_REPLY_STRING ? strspn(r->str, "0123456789") : 0;

	return digits && digits < 20 && r->str[digits] == ' ';
}

static void check_key(struct bucket *b, const redisReply *key, const redisReply *value)
{
	char text[VIEW_SHOWN];

	view_shown(b->space, (struct sk_slice){ key->str, key->len }, text);
	if (!key->len || key->len > SK_KEY_MAX || strlen(key->str) != key->len)
		check_fault(b->c, "bucket %d: %s is no usable key", b->number, text);
	else if (value->type == REDIS_REPLY_NIL)
		check_fault(b->c, "bucket %d: %s is listed and not there", b->number, text);
	else if (!is_record(value))
		check_fault(b->c, "bucket %d: %s is not a version and a document", b->number, text);
	else if (!sk_redis_version(value) || sk_redis_version(value) > b->newest)
		check_fault(b->c, "bucket %d: %s has version %" PRIu64 ", the bucket's newest is %" PRIu64, b->number, text, sk_redis_version(value), b->newest);
	else if (!belongs(b, key->str))
		check_fault(b->c, "bucket %d: %s belongs to another bucket: it will not be found", b->number, text);
	b->met += value->type != REDIS_REPLY_NIL;
	check_seen(b->c);
}

/* -- pages -- */
static bool is_list(const redisReply *r, size_t n)
{
	if (r->type != REDIS_REPLY_ARRAY || (n && r->elements != n))
		return false;
	for (size_t i = 0; i < r->elements; i++)
		if (r->element[i]->type != REDIS_REPLY_STRING && r->element[i]->type != REDIS_REPLY_NIL)
			return false;
	return true;
}

static void check_page(struct bucket *b, struct redis_text *t, const redisReply *keys)
{
	redisReply *values;

	redis_begin(t, 2 + keys->elements);
	redis_name(t, "HMGET");
	add_key(b, t, 'h');
	for (size_t i = 0; i < keys->elements; i++)
		redis_word(t, keys->element[i]->str, keys->element[i]->len);
	values = ask(b, t);
	for (size_t i = 0; values && is_list(values, keys->elements) && i < keys->elements; i++)
		check_key(b, keys->element[i], values->element[i]);
	if (values)
		freeReplyObject(values);
}

static redisReply *read_page(struct bucket *b, struct redis_text *t, uint64_t from)
{
	redis_begin(t, 4);
	redis_name(t, "ZRANGE");
	add_key(b, t, 'z');
	redis_number(t, from);
	redis_number(t, from + PAGE - 1);
	return ask(b, t);
}

static void check_listed(struct bucket *b, struct redis_text *t)
{
	size_t n = PAGE;

	b->met = 0;
	for (uint64_t from = 0; n == PAGE; from += PAGE) {
		redisReply *keys = read_page(b, t, from);

		n = keys && is_list(keys, 0) ? keys->elements : 0;
		if (n)
			check_page(b, t, keys);
		if (keys)
			freeReplyObject(keys);
	}
}

/* -- what a hash has and no sorted set lists -- */
static void check_scored(struct bucket *b, struct redis_text *t, const redisReply *key)
{
	char text[VIEW_SHOWN];
	redisReply *score;

	redis_begin(t, 3);
	redis_name(t, "ZSCORE");
	add_key(b, t, 'z');
	redis_word(t, key->str, key->len);
	score = ask(b, t);
	if (score && score->type == REDIS_REPLY_NIL)
		check_fault(b->c, "bucket %d: %s is not listed: no scan finds it", b->number, view_shown(b->space, (struct sk_slice){ key->str, key->len }, text));
	if (score)
		freeReplyObject(score);
}

static void check_unlisted(struct bucket *b, struct redis_text *t)
{
	char cursor[32] = "0";

	do {
		redisReply *r;

		redis_begin(t, 5);
		redis_name(t, "HSCAN");
		add_key(b, t, 'h');
		redis_name(t, cursor);
		redis_name(t, "COUNT");
		redis_number(t, PAGE);
		r = ask(b, t);
		strcpy(cursor, "0");
		if (r && r->type == REDIS_REPLY_ARRAY && r->elements == 2 && r->element[0]->type == REDIS_REPLY_STRING && is_list(r->element[1], 0)) {
			snprintf(cursor, sizeof cursor, "%s", r->element[0]->str);
			for (size_t i = 0; i + 1 < r->element[1]->elements; i += 2)
				check_scored(b, t, r->element[1]->element[i]);
		}
		if (r)
			freeReplyObject(r);
	} while (strcmp(cursor, "0"));
}

void check_buckets(struct check *c)
{
	struct redis_text t = { 0 };

	progress_begin(c->progress, "check: keys");
	for (int i = 0; i < c->p->look->buckets; i++) {
		struct bucket b = { .c = c, .number = i };

		snprintf(b.tag, sizeof b.tag, "%s{%03d}", c->p->look->url.prefix, i);
		b.newest = read_newest(&b, &t);
		for (int space = 0; space < SK_SPACES; space++) {
			b.space = (enum sk_space)space;
			check_listed(&b, &t);
			if (size_of(&b, &t, "HLEN", 'h') != b.met)
				check_unlisted(&b, &t);
		}
	}
	redis_text_free(&t);
}
