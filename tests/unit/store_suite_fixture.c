/* store_suite_fixture.c -- the committer's thread and the short words in which the cases of the store are written. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "tests/unit/store_suite.h"

static int64_t now_us(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (int64_t)t.tv_sec * 1000000 + t.tv_nsec / 1000;
}

static void sleep_until(struct store_fixture *f, int64_t when)
{
	struct timespec t = { .tv_sec = when / 1000000, .tv_nsec = when % 1000000 * 1000 };

	pthread_mutex_lock(&f->lock);
	while (!f->woken && !f->stop && now_us() < when) {
		if (when == INT64_MAX)
			pthread_cond_wait(&f->wake, &f->lock);
		else
			pthread_cond_timedwait(&f->wake, &f->lock, &t);
	}
	f->woken = false;
	pthread_mutex_unlock(&f->lock);
}

static bool stopping(struct store_fixture *f)
{
	bool stop;

	pthread_mutex_lock(&f->lock);
	stop = f->stop;
	pthread_mutex_unlock(&f->lock);
	return stop;
}

static void *loop(void *arg)
{
	struct store_fixture *f = arg;

	while (!stopping(f))
		sleep_until(f, f->store->ops->step(f->store, now_us()));
	return NULL;
}

static void wake(void *arg)
{
	struct store_fixture *f = arg;

	pthread_mutex_lock(&f->lock);
	f->woken = true;
	pthread_cond_signal(&f->wake);
	pthread_mutex_unlock(&f->lock);
}

static void open_store(struct store_fixture *f)
{
	f->store = f->backend->open();
	if (!f->store)
		fail_msg("the store does not open");
	f->store->wake = wake;
	f->store->wake_ctx = f;
	f->stop = f->woken = false;
	if (pthread_create(&f->thread, NULL, loop, f))
		fail_msg("no thread");
}

static void close_store(struct store_fixture *f)
{
	pthread_mutex_lock(&f->lock);
	f->stop = true;
	pthread_cond_signal(&f->wake);
	pthread_mutex_unlock(&f->lock);
	pthread_join(f->thread, NULL);
	f->store->ops->close(f->store);
}

void fixture_start(struct store_fixture *f, const struct store_backend *backend)
{
	pthread_condattr_t attr;

	memset(f, 0, sizeof *f);
	f->backend = backend;
	pthread_condattr_init(&attr);
	pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
	pthread_mutex_init(&f->lock, NULL);
	pthread_cond_init(&f->wake, &attr);
	pthread_cond_init(&f->answered, NULL);
	pthread_condattr_destroy(&attr);
	open_store(f);
}

void fixture_stop(struct store_fixture *f)
{
	close_store(f);
	f->backend->destroy();
	pthread_cond_destroy(&f->wake);
	pthread_cond_destroy(&f->answered);
	pthread_mutex_destroy(&f->lock);
}

void fixture_reopen(struct store_fixture *f)
{
	close_store(f);
	open_store(f);
}

void fixture_settle(struct store_fixture *f)
{
	struct sk_store_stats stats;

	for (int i = 0; i < 60000; i++) {
		f->store->ops->stats(f->store, &stats);
		if (!stats.dirty_records && !stats.log_rows)
			return;
		usleep(1000);
	}
	fail_msg("the store does not fold");
}

/* -- changes -- */
void change_start(struct change *c, struct store_fixture *f, const char *partition)
{
	memset(c, 0, sizeof *c);
	c->fixture = f;
	snprintf(c->partition, sizeof c->partition, "%s", partition);
}

void change_write(struct change *c, enum sk_space space, const char *key, const char *text)
{
	c->writes[c->commit.write_count++] = (struct sk_store_write){
		.space = space, .key = strdup(key), .bytes = text ? sk_bytes_new(text, strlen(text)) : NULL,
	};
}

void change_expect(struct change *c, const char *key, uint64_t version, uint64_t as_of)
{
	c->expects[c->commit.expect_count++] = (struct sk_store_expect){ .key = strdup(key), .version = version, .as_of = as_of };
}

void change_expect_structure(struct change *c, const char *prefix, uint64_t as_of)
{
	c->expects[c->commit.expect_count++] = (struct sk_store_expect){ .key = strdup(prefix), .as_of = as_of, .structure = true };
}

static void answered(struct sk_commit *commit)
{
	struct change *c = commit->owner;
	struct store_fixture *f = c->fixture;
	static unsigned order;

	pthread_mutex_lock(&f->lock);
	c->order = order++;
	c->answered = true;
	pthread_cond_broadcast(&f->answered);
	pthread_mutex_unlock(&f->lock);
}

void change_submit(struct change *c, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		struct sk_commit *commit = &c[i].commit;

		commit->next = i + 1 < n ? &c[i + 1].commit : NULL;
		commit->partition = c[i].partition;
		commit->writes = c[i].writes;
		commit->expects = c[i].expects;
		commit->done = answered;
		commit->owner = &c[i];
	}
	c->fixture->store->ops->submit(c->fixture->store, &c->commit);
}

void change_wait(struct change *c)
{
	struct store_fixture *f = c->fixture;

	pthread_mutex_lock(&f->lock);
	while (!c->answered)
		pthread_cond_wait(&f->answered, &f->lock);
	pthread_mutex_unlock(&f->lock);
}

void change_free(struct change *c)
{
	for (size_t i = 0; i < c->commit.write_count; i++) {
		free((char *)c->writes[i].key);
		sk_bytes_unref(c->writes[i].bytes);
	}
	for (size_t i = 0; i < c->commit.expect_count; i++)
		free((char *)c->expects[i].key);
}

enum sk_commit_status change_run(struct change *c)
{
	change_submit(c, 1);
	change_wait(c);
	change_free(c);
	return c->commit.status;
}

/* -- short words -- */
uint64_t put(struct store_fixture *f, const char *key, const char *text)
{
	struct change c;
	char partition[128];

	snprintf(partition, sizeof partition, "%.*s", (int)sk_key_partition(key), key);
	change_start(&c, f, partition);
	change_write(&c, SK_RECORD, key, text);
	return change_run(&c) == SK_COMMIT_OK ? c.commit.version : 0;
}

char *get(struct store_fixture *f, enum sk_space space, const char *key, uint64_t *version)
{
	struct sk_store_read r = { .space = space, .key = key };
	char *text;

	assert_int_equal(f->store->ops->read(f->store, &r, 1), 0);
	assert_int_equal(r.bytes != NULL, r.version != 0);
	if (version)
		*version = r.version;
	text = r.bytes ? strndup(r.bytes->data, r.bytes->size) : NULL;
	sk_bytes_unref(r.bytes);
	return text;
}

static int collect(void *ctx, const struct sk_scan_item *item)
{
	FILE *out = ctx;

	fprintf(out, "%s=%.*s ", item->key, (int)item->bytes->size, item->bytes->data);
	free(item->key);
	sk_bytes_unref(item->bytes);
	return 0;
}

char *scan(struct store_fixture *f, enum sk_space space, const char *prefix, const char *after, size_t limit)
{
	char *text = NULL;
	size_t size;
	FILE *out = open_memstream(&text, &size);

	assert_non_null(out);
	struct sk_store_scan wanted = { space, prefix, after, limit, collect, out, 0 };
	assert_int_equal(f->store->ops->scan(f->store, &wanted), 0);
	fclose(out);
	return text;
}

void assert_value(struct store_fixture *f, const char *key, const char *text)
{
	char *found = get(f, SK_RECORD, key, NULL);

	if (text && found)
		assert_string_equal(found, text);
	else
		assert_ptr_equal(found, text);
	free(found);
}

void assert_scan(struct store_fixture *f, const char *prefix, const char *expected)
{
	char *found = scan(f, SK_RECORD, prefix, NULL, 0);

	assert_string_equal(found, expected);
	free(found);
}
