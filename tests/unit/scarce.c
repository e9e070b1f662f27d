/* scarce.c -- see scarce.h. */
#include "tests/unit/scarce.h"

#include <openssl/crypto.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static struct {
	bool trying, rest; /* rest: all that follow fail too */
	long fail, asked, failed, live;
	int plenty;
} s;

static bool refused(void)
{
	if (!s.trying || s.plenty)
		return false;
	s.asked++;
	bool no = s.rest ? s.asked >= s.fail : s.asked == s.fail;
	s.failed += no;
	return no;
}

static void *made(void *p)
{
	s.live += p != NULL;
	return p;
}

/* -- our own files -- */

void *__real_malloc(size_t n);
void *__real_calloc(size_t n, size_t size);
void *__real_realloc(void *p, size_t n);
void *__real_reallocarray(void *p, size_t n, size_t size);
char *__real_strdup(const char *text);
char *__real_strndup(const char *text, size_t n);
void __real_free(void *p);
void *__wrap_malloc(size_t n);
void *__wrap_calloc(size_t n, size_t size);
void *__wrap_realloc(void *p, size_t n);
void *__wrap_reallocarray(void *p, size_t n, size_t size);
char *__wrap_strdup(const char *text);
char *__wrap_strndup(const char *text, size_t n);
void __wrap_free(void *p);

void *__wrap_malloc(size_t n)
{
	return refused() ? NULL : made(__real_malloc(n));
}

void *__wrap_calloc(size_t n, size_t size)
{
	return refused() ? NULL : made(__real_calloc(n, size));
}

void *__wrap_realloc(void *p, size_t n)
{
	void *q = refused() ? NULL : __real_realloc(p, n);

	s.live += q && !p;
	return q;
}

void *__wrap_reallocarray(void *p, size_t n, size_t size)
{
	void *q = refused() ? NULL : __real_reallocarray(p, n, size);

	s.live += q && !p;
	return q;
}

char *__wrap_strdup(const char *text)
{
	return refused() ? NULL : made(__real_strdup(text));
}

char *__wrap_strndup(const char *text, size_t n)
{
	return refused() ? NULL : made(__real_strndup(text, n));
}

void __wrap_free(void *p)
{
	s.live -= p != NULL;
	__real_free(p);
}

/* -- the libraries -- */

static sqlite3_mem_methods sqlites;

static void *sqlite_malloc(int n)
{
	return refused() ? NULL : sqlites.xMalloc(n);
}

static void *sqlite_realloc(void *p, int n)
{
	return refused() ? NULL : sqlites.xRealloc(p, n);
}

static void *openssl_malloc(size_t n, const char *file, int line)
{
	(void)file, (void)line;
	return n == 0 || refused() ? NULL : __real_malloc(n);
}

static void *openssl_realloc(void *p, size_t n, const char *file, int line)
{
	(void)file, (void)line;
	if (n == 0) {
		__real_free(p);
		return NULL;
	}
	return refused() ? NULL : __real_realloc(p, n);
}

static void openssl_free(void *p, const char *file, int line)
{
	(void)file, (void)line;
	__real_free(p);
}

/* A test that has failed jumps out of its run. */
static void tell_where(void)
{
	if (s.trying)
		fprintf(stderr, "the run that failed had no memory at allocation %ld%s\n", s.fail, s.rest ? " and all after it" : "");
	s.trying = false;
}

void scarce_libraries(void)
{
	sqlite3_mem_methods ours;

	atexit(tell_where);

	sqlite3_config(SQLITE_CONFIG_GETMALLOC, &sqlites);
	ours = sqlites;
	ours.xMalloc = sqlite_malloc;
	ours.xRealloc = sqlite_realloc;
	if (sqlite3_config(SQLITE_CONFIG_MALLOC, &ours) || !CRYPTO_set_mem_functions(openssl_malloc, openssl_realloc, openssl_free)) {
		fprintf(stderr, "SQLite or OpenSSL has allocated before\n");
		exit(2);
	}
}

/* -- runs -- */

void scarce_plenty(void)
{
	s.plenty++;
}

void scarce_again(void)
{
	s.plenty--;
}

bool scarce_failed(void)
{
	return s.failed > 0;
}

/* One run; n 0: with all its memory. Answers whether it was good. */
static bool run(bool (*once)(void *), void *ctx, long n, bool rest)
{
	long live = s.live;

	s.trying = true;
	s.rest = rest && n;
	s.fail = n;
	s.asked = s.failed = 0;
	s.plenty = 0;
	bool good = once(ctx);
	s.trying = false;
	if (s.live == live && (good || s.failed))
		return good;
	fprintf(stderr, "allocation %ld%s fails: %ld blocks were left behind, the run was %sgood, %ld failed\n", n, rest ? " and all after it" : "",
	        s.live - live, good ? "" : "not ", s.failed);
	abort();
}

long scarce_often(long most, bool (*once)(void *ctx), void *ctx)
{
	const char *step = getenv("SCARCE_STEP");
	long points;

	tell_where();
	run(once, ctx, 0, false); /* what is made once and stays is made now */
	run(once, ctx, 0, false);
	points = s.asked;
	long by = (step ? atol(step) : 1) * (1 + points / most);
	for (long n = 1; n <= points; n += by) {
		run(once, ctx, n, false);
		run(once, ctx, n, true);
		run(once, ctx, 0, false); /* and afterwards all is well */
	}
	return points;
}

long scarce_everywhere(bool (*once)(void *ctx), void *ctx)
{
	return scarce_often(1 << 20, once, ctx);
}
