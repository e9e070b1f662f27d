/* rules_fake.c -- see rules_fake.h. */
#include "tests/unit/rules_fake.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static int64_t mono_us(void *ctx)
{
	(void)ctx;
	return 0;
}

static int64_t wall_ms(void *ctx)
{
	(void)ctx;
	return 1700000000123;
}

static void chance(void *ctx, void *out, size_t n)
{
	(void)ctx;
	memset(out, 7, n);
}

static void no_wake(void *ctx)
{
	(void)ctx;
}

static void no_thread(void *ctx, int index)
{
	(void)ctx, (void)index;
}

bool rules_fake_open(struct rules_fake *f, int threads, size_t ring)
{
	const char *tmp = getenv("TMPDIR");
	memset(f, 0, sizeof *f);
	snprintf(f->journal, sizeof f->journal, "%.80s/skeeter-rules-XXXXXX", tmp ? tmp : "/tmp");
	return mkdtemp(f->journal) && rules_fake_start(f, threads, ring);
}

bool rules_fake_start(struct rules_fake *f, int threads, size_t ring)
{
	char why[160];
	f->host = (struct sk_host){ .mono_us = mono_us, .wall_ms = wall_ms, .random = chance, .wake_broker = no_wake, .wake_thread = no_thread };
	f->rt.host = &f->host;
	f->rt.account = "123456789012";
	f->rt.region = "us-east-1";
	f->options = (struct rules_state){ .threads = threads, .ring = (int64_t)ring * threads, .journal = f->journal, .lua_instructions = 100000, .lua_time = 1000, .lua_memory = 1 << 20 };
	sk_outbox_init(&f->rt.outbox);
	sk_process_set(&f->rt);
	f->engine = f->options.engine = engine_new(&f->options, why, sizeof why);
	if (f->engine)
		f->engine->taking = true;
	return f->engine;
}

void rules_fake_stop(struct rules_fake *f)
{
	engine_free(&f->engine);
	sk_process_set(NULL);
	sk_outbox_free(&f->rt.outbox);
}

size_t rules_fake_files(const struct rules_fake *f, bool removed)
{
	char path[512];
	size_t n = 0;
	DIR *d = opendir(f->journal);
	for (const struct dirent *e; d && (e = readdir(d));) {
		if (e->d_name[0] == '.')
			continue;
		snprintf(path, sizeof path, "%s/%s", f->journal, e->d_name);
		if (removed)
			unlink(path);
		n++;
	}
	if (d)
		closedir(d);
	return n;
}

void rules_fake_close(struct rules_fake *f)
{
	rules_fake_stop(f);
	rules_fake_files(f, true);
	rmdir(f->journal);
}

struct live_rule *rules_fake_rule(const char *name, const char *filter)
{
	char text[1024];
	int n = snprintf(text, sizeof text, "{\"payload\":{\"sql\":\"SELECT * FROM '%.900s'\",\"actions\":[]}}", filter ? filter : "none");
	struct sk_bytes *record = sk_bytes_new(text, (size_t)n);
	struct live_rule *r = record ? live_new(name, filter, record) : NULL;
	sk_bytes_unref(record);
	return r;
}

int rules_fake_feed(struct rules_fake *f, const char *topic, const char *payload)
{
	const struct sk_feed feed = { .topic = topic, .payload = payload, .size = strlen(payload) };
	return engine_message(f->engine, &feed);
}

struct rules_message *rules_fake_read(struct rules_fake *f, int thread)
{
	size_t size;
	return rules_ring_read(f->engine->thread[thread]->ring, &size);
}

void rules_fake_done(struct rules_fake *f, int thread, struct rules_message *m)
{
	if (!m->rules)
		live_unref(((struct rules_retired *)m)->retired);
	rules_ring_done(f->engine->thread[thread]->ring, m);
}

size_t rules_fake_drain(struct rules_fake *f, int thread)
{
	size_t n = 0;
	for (struct rules_message *m; (m = rules_fake_read(f, thread)); n++)
		rules_fake_done(f, thread, m);
	return n;
}

bool rules_fake_said(struct rules_fake *f, const char *part)
{
	bool said = false;
	for (const struct sk_outgoing *o = f->rt.outbox.head; o; o = o->next)
		said |= o->kind == SK_OUT_LOG && strstr(o->topic, part);
	sk_outbox_free(&f->rt.outbox);
	sk_outbox_init(&f->rt.outbox);
	return said;
}

const struct sk_client *sk_feed_client(const struct sk_feed *f)
{
	return f->handle;
}

size_t sk_feed_properties(const struct sk_feed *f, void *out, size_t room)
{
	if (room)
		memcpy(out, f->properties, f->properties_size < room ? f->properties_size : room);
	return f->properties_size;
}
