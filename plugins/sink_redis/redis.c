/* redis.c -- a connection to a Redis: a batch is written whole, then its replies are read, one for each item, in their order.
 *
 * A reply that does not come leaves its item and all behind it to be tried again, over a new connection: what replies are still under way on
 * the old one would be taken for those of others. */
#include "plugins/sink_redis/redis.h"

#include <string.h>

#include "core/why.h"
#include "dial/link.h"
#include "plugins/sink_redis/address.h"
#include "plugins/sink_redis/command.h"
#include "plugins/sink_redis/judge.h"
#include "plugins/sink_redis/reply.h"

enum { RECEIVE = 16384 };

struct redis {
	struct sk_arena arena;       /* holds this too */
	struct redis_settings settings;
	struct redis_address address;
	struct dial link;
	redisReader *reader;         /* of the connection that is open */
	struct redis_reply reply;
};

const char redis_connection[] = "url user password tls.ca tls.certificate tls.key";

const char *redis_check(const cJSON *fields, struct sk_arena *a)
{
	struct redis_address address;
	const char *url = sk_json_text(fields, "url"), *fault = NULL;

	if (url && !strstr(url, "${"))
		fault = redis_address(fields, a, &address);
	return fault ? fault : redis_command_fault(fields, a);
}

/* -- one connection -- */

static void leave(struct redis *r)
{
	dial_close(&r->link);
	if (r->reader)
		redisReaderFree(r->reader);
	r->reader = NULL;
}

static int lost(struct redis *r)
{
	leave(r);
	return -1;
}

static void begin(struct redis *r)
{
	r->link.until = r->settings.now() + r->settings.timeout;
}

/* The next reply, into r->reply. -1: the connection is gone, link.why says why. */
static int receive(struct redis *r)
{
	char bytes[RECEIVE];
	int rc;

	while (!(rc = redis_reader_next(r->reader))) {
		long n = dial_receive(&r->link, bytes, sizeof bytes);
		if (n < 0)
			return lost(r);
		if (redisReaderFeed(r->reader, bytes, (size_t)n) != REDIS_OK)
			break;
	}
	if (rc == 1)
		return 0;
	sk_why(r->link.why, sizeof r->link.why, "the server speaks no RESP");
	return lost(r);
}

/* A command of the greeting; its error ends the connection. */
static int ask(struct redis *r, const char *const *word, size_t n)
{
	struct redis_out size = { 0 }, out = { 0 };
	char bytes[2048];

	redis_words(&size, word, n);
	if (size.n > sizeof bytes) {
		sk_why(r->link.why, sizeof r->link.why, "the user or the password is too long");
		return lost(r);
	}
	out.to = bytes;
	redis_words(&out, word, n);
	int rc = dial_send(&r->link, bytes, out.n);
	OPENSSL_cleanse(bytes, sizeof bytes);
	if (rc)
		return lost(r);
	if (receive(r))
		return -1;
	if (!r->reply.error)
		return 0;
	sk_why(r->link.why, sizeof r->link.why, "%s: %s", word[0], r->reply.text);
	return lost(r);
}

static int greet(struct redis *r)
{
	const struct redis_address *to = &r->address;
	char database[24];
	const char *const named[] = { "AUTH", to->user, to->password }, *const plain[] = { "AUTH", to->password }, *const chosen[] = { "SELECT", database };

	if (to->user && ask(r, named, 3))
		return -1;
	if (!to->user && to->password && ask(r, plain, 2))
		return -1;
	snprintf(database, sizeof database, "%ld", to->database);
	return to->database ? ask(r, chosen, 2) : 0;
}

static int ready(struct redis *r)
{
	const struct dial_to *to = &r->address.to;
	bool tls = r->address.tls;

	if (r->reader && !dial_stale(&r->link))
		return 0;
	leave(r);
	begin(r);
	if ((tls && dial_prepare(&r->link, to)) || dial_open(&r->link, to) || (tls && dial_secure(&r->link, to)))
		return lost(r);
	r->reader = redis_reader(&r->reply);
	if (!r->reader) {
		sk_why(r->link.why, sizeof r->link.why, "out of memory");
		return lost(r);
	}
	return greet(r);
}

/* -- a batch -- */

static const char *told(const struct redis *r, struct sk_arena *a)
{
	const char *why = sk_printf(a, "%s: %s", r->address.shown, r->link.why);

	return why ? why : "out of memory";
}

/* Those without a result come again. */
static void not_now(struct sk_sink_item *const *item, size_t n, const char *why)
{
	for (size_t i = 0; i < n; i++)
		if (item[i]->result == SK_SUNK_RETRY)
			item[i]->why = why;
}

/* The commands of all items that have one, in `a`. NULL: memory is out. Items without one have failed. */
static char *commands(struct sk_sink_item *const *item, size_t n, struct sk_arena *a, size_t *size)
{
	struct redis_out measured = { 0 }, out = { 0 };

	for (size_t i = 0; i < n; i++) {
		item[i]->why = redis_command(&measured, item[i]);
		if (item[i]->why)
			item[i]->result = SK_SUNK_FAIL;
	}
	out.to = sk_alloc_text(a, measured.n + 1);
	for (size_t i = 0; out.to && i < n; i++)
		if (item[i]->result != SK_SUNK_FAIL)
			redis_command(&out, item[i]);
	*size = out.n;
	return out.to;
}

/* What the reply says of the item. True: the connection is of no more use after this batch. */
static bool settle(const struct redis_reply *reply, struct sk_sink_item *item, struct sk_arena *a)
{
	struct redis_verdict verdict = { SK_SUNK_OK, false };

	if (reply->error) {
		verdict = redis_judge(reply->text);
		item->why = sk_strdup(a, reply->text);
		if (!item->why)
			item->why = "out of memory";
	}
	item->result = verdict.result;
	return verdict.leave;
}

static void settle_all(struct redis *r, struct sk_sink_item *const *item, size_t n, struct sk_arena *a)
{
	bool useless = false;

	for (size_t i = 0; i < n; i++) {
		if (item[i]->result == SK_SUNK_FAIL)
			continue;
		if (receive(r)) {
			not_now(item + i, n - i, told(r, a));
			return;
		}
		useless |= settle(&r->reply, item[i], a);
	}
	if (useless)
		leave(r);
}

void redis_deliver(void *sink, struct sk_sink_item *const *item, size_t n, struct sk_arena *a)
{
	struct redis *r = sink;
	size_t size;
	char *bytes;

	if (ready(r)) {
		not_now(item, n, told(r, a));
		return;
	}
	bytes = commands(item, n, a, &size);
	if (!bytes) {
		not_now(item, n, "out of memory");
		return;
	}
	begin(r);
	if (dial_send(&r->link, bytes, size)) {
		not_now(item, n, told(r, a));
		leave(r);
		return;
	}
	settle_all(r, item, n, a);
}

/* -- a lane's life -- */

void *redis_open(void *state, const cJSON *fields, char *why, size_t why_size)
{
	const struct redis_settings *settings = state;
	struct sk_arena a = { 0 };
	struct redis *r = sk_alloc(&a, sizeof *r);
	const char *fault = r ? redis_address(sk_json_copy(&a, fields), &a, &r->address) : "out of memory";

	if (!fault && a.failed)
		fault = "out of memory";
	if (fault) {
		sk_why(why, why_size, "%s", fault);
		sk_arena_free(&a);
		return NULL;
	}
	r->settings = *settings;
	r->link = (struct dial){ .now = settings->now, .fd = -1 };
	r->arena = a;
	return r;
}

void redis_close(void *sink)
{
	struct redis *r = sink;
	struct sk_arena a = r->arena;

	leave(r);
	sk_arena_free(&a);
}
