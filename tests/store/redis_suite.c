/* redis_suite.c -- the suite of all stores against a Redis that somebody else started: its URL is STORE_URL. Each case has a prefix of
 * its own below STORE_PREFIX, so the server need not be emptied. STORE_ADMIN is the URL of a user that may do to it what a store does not.
 *
 *   STORE_URL=redis://127.0.0.1:7000/ redis_suite suite|shared|lost|held...
 *   STORE_URL=... redis_suite open                 says what opening it says, and why it does not open */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "tests/store/redis_suite.h"

static unsigned number;

static const char *with_prefix(const char *base, char *url, size_t size)
{
	const char *prefix = getenv("STORE_PREFIX");

	snprintf(url, size, "%s%cprefix=%s%d.%u:", base, strchr(base, '?') ? '&' : '?', prefix ? prefix : "suite", (int)getpid(), number);
	return url;
}

const char *redis_suite_url(void)
{
	static char url[1024];

	return with_prefix(getenv("STORE_URL"), url, sizeof url);
}

const char *redis_suite_admin_url(void)
{
	static char url[1024];

	return with_prefix(getenv(getenv("STORE_ADMIN") ? "STORE_ADMIN" : "STORE_URL"), url, sizeof url);
}

static void say(char level, const char *line)
{
	fprintf(stderr, "%c %s\n", level, line);
}

struct sk_store *redis_suite_open_at(const char *url)
{
	char why[512] = "";
	struct sk_store *s = sk_store_open_redis(&(struct sk_redis_options){ .url = url, .wait_ms = getenv("STORE_WAIT") ? atoi(getenv("STORE_WAIT")) : 20000, .say = say }, why, sizeof why);

	if (!s)
		fprintf(stderr, "%s\n", why);
	return s;
}

struct sk_store *redis_suite_open(void)
{
	return redis_suite_open_at(redis_suite_url());
}

void redis_suite_destroy(void)
{
	number++;
}

static int open_only(void)
{
	struct sk_store *s = redis_suite_open_at(getenv("STORE_URL"));

	if (!s)
		return 1;
	fprintf(stderr, "open\n");
	s->ops->close(s);
	return 0;
}

int main(int n, char **word)
{
	static const struct { const char *name; int (*run)(void); } parts[] = {
		{ "suite", redis_suite_run }, { "shared", redis_shared_run }, { "lost", redis_lost_run }, { "held", redis_held_run },
	};
	int failed = 0;

	if (!getenv("STORE_URL")) {
		fprintf(stderr, "STORE_URL says where the Redis is\n");
		return 2;
	}
	if (n == 2 && !strcmp(word[1], "open"))
		return open_only();
	for (int k = 1; k < n; k++)
		for (size_t i = 0; i < sizeof parts / sizeof *parts; i++)
			if (!strcmp(word[k], parts[i].name))
				failed += parts[i].run();
	return failed ? 1 : 0;
}

int redis_suite_run(void)
{
	static const struct store_backend backend = { "redis", redis_suite_open, redis_suite_destroy };

	return store_suite_run(&backend);
}
