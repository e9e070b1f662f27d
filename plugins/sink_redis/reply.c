/* reply.c -- hiredis's reader with objects of our own: a reply becomes a text in a struct, and nothing is allocated for it. See reply.h. */
#include "plugins/sink_redis/reply.h"

#include <string.h>

enum { MOST_BYTES = 1 << 20 }; /* of one reply; ours are some ten bytes */

static void *note(const redisReadTask *t, bool error, const char *text, size_t n)
{
	struct redis_reply *r = t->privdata;

	if (t->parent) /* within an array, which none of our commands answers */
		return r;
	n = n < sizeof r->text ? n : sizeof r->text - 1;
	memcpy(r->text, text, n);
	r->text[n] = '\0';
	for (char *p = r->text; *p; p++)
		if ((unsigned char)*p < ' ')
			*p = ' ';
	r->error = error;
	return r;
}

static void *on_string(const redisReadTask *t, char *text, size_t n)
{
	return note(t, t->type == REDIS_REPLY_ERROR, text, t->type == REDIS_REPLY_STRING ? 0 : n);
}

static void *on_array(const redisReadTask *t, int n)
{
	(void)n;
	return note(t, false, "", 0);
}

static void *on_integer(const redisReadTask *t, long long value)
{
	(void)value;
	return note(t, false, "", 0);
}

static void *on_nil(const redisReadTask *t)
{
	return note(t, false, "", 0);
}

static void on_free(void *object)
{
	(void)object;
}

redisReader *redis_reader(struct redis_reply *reply)
{
	static redisReplyObjectFunctions functions = { on_string, on_array, on_integer, on_nil, on_free };
	redisReader *r = redisReaderCreateWithFunctions(&functions);

	if (r)
		r->privdata = reply;
	return r;
}

int redis_reader_next(redisReader *r)
{
	void *whole = NULL;

	if (redisReaderGetReply(r, &whole) != REDIS_OK)
		return -1;
	if (whole)
		return 1;
	return r->len - r->pos > MOST_BYTES ? -1 : 0;
}
