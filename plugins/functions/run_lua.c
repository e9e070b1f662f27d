/* run_lua.c -- functions that are Lua: some threads, each with the files that it has run lately, loaded and ready.
 *
 * A file is one thread's, so what a function leaves in its file's local variables is there in a later invocation on that thread only: as with Lambda's
 * warm environments. A run ends at the function's timeout; what takes long holds one of the threads. */
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "core/host.h"
#include "core/plugin.h"
#include "core/threads.h"
#include "lua-rules/effects.h"
#include "lua-rules/host.h"
#include "plugins/functions/code_read.h"
#include "plugins/functions/runners.h"
#include "rules/look.h"

enum { FILES = 32, ARENA_KEPT = 64 << 10, RUN_MEMORY = 256 << 20, LOG_MOST = 4096 };
#define INIT_US INT64_C(10000000) /* as Lambda's init phase */
#define INSTRUCTIONS_A_SECOND UINT64_C(1000000000) /* more than there are: the time ends it */

struct loaded {
	struct lua_file *file;      /* NULL: the place is free */
	const char *key;            /* "sha256/file/MiB" */
	char why[600];              /* it does not load */
	uint64_t used;              /* when, in turns of the thread */
};
struct worker {
	struct run_lua *lua;
	pthread_t thread;
	struct sk_arena arena;
	struct loaded loaded[FILES];
	uint64_t turn;
	char log[LOG_MOST];
	size_t log_size;
};
struct run_lua {
	pthread_mutex_t lock;
	pthread_cond_t bell;
	struct run *first, **last;
	bool stop;
	int workers;
	struct worker worker[];
};

/* -- files -- */

static int64_t clock_us(void *ctx)
{
	(void)ctx;
	return sk_mono_us();
}

/* What was not used for the longest time gives way. */
static struct loaded *place_for(struct worker *w, const char *key)
{
	struct loaded *oldest = w->loaded;
	for (struct loaded *l = w->loaded; l < w->loaded + FILES; l++) {
		if (l->key && !strcmp(l->key, key))
			return l;
		if (l->used < oldest->used)
			oldest = l;
	}
	return oldest;
}

static void unload(struct loaded *l)
{
	if (l->file)
		lua_file_free(&l->file);
	free((char *)l->key);
	memset(l, 0, sizeof *l);
}

static void load(struct worker *w, struct loaded *l, const cJSON *question, const char *name)
{
	struct lua_limits limits = { .now_us = clock_us, .memory = (size_t)sk_json_int_of(question, "memorySize", 128) << 20,
		.time_us = INIT_US, .instructions = INIT_US / 1000000 * INSTRUCTIONS_A_SECOND };
	const char *why = NULL;
	size_t size = 0;
	const char *text = code_read_file(&w->arena, sk_json_text(question, "codeSha256"), name, &size, &why);
	if (!text)
		snprintf(l->why, sizeof l->why, "%s", why);
	else
		l->file = lua_file_load(name, text, size, lua_shipped, &limits, l->why, sizeof l->why);
}

/* Loaded, or NULL with *why. What could not be loaded is tried again the next time. */
static struct lua_file *file_of(struct worker *w, const cJSON *question, const char *name, const char **why)
{
	const char *key = sk_printf(&w->arena, "%s/%s/%lld", sk_json_text(question, "codeSha256"), name, (long long)sk_json_int_of(question, "memorySize", 128));
	struct loaded *l = key ? place_for(w, key) : NULL;
	*why = "memory is out";
	if (!l)
		return NULL;
	if (!l->file || strcmp(l->key, key)) {
		unload(l);
		load(w, l, question, name);
		l->key = l->file ? strdup(key) : NULL;
	}
	if (l->file && !l->key)
		unload(l);
	l->used = ++w->turn;
	*why = l->why;
	return l->file;
}

/* -- what it asks -- */

static const cJSON *record(void *context, const char *key, bool *later)
{
	struct worker *w = context;
	struct sk_store *store = sk_process()->store;
	struct sk_store_read read = { .space = SK_RECORD, .key = key };
	*later = store->ops->read(store, &read, 1) != 0;
	const cJSON *document = read.bytes ? sk_json_parse(&w->arena, read.bytes->data, read.bytes->size, NULL, NULL) : NULL;
	sk_bytes_unref(read.bytes);
	return document;
}

static int ask(void *ctx, enum lua_ask what, const char *a, const char *b, struct sk_arena *arena, const cJSON **out, const char **why)
{
	struct worker *w = ctx;
	const cJSON *role = sk_json_string(arena, "");
	struct rules_world world = { .arena = arena, .arn = sk_printf(arena, "arn:aws:iot:%s:%s:", sk_region(), sk_account()), .now_ms = sk_wall_ms(), .context = w,
		.record = record };
	struct sql_lookup shadow = { .function = "get_thing_shadow", .count = b ? 3 : 2, .args = { sk_json_string(arena, a), b ? sk_json_string(arena, b) : role, role } };
	struct sql_lookup thing = { .function = "get_registry_data", .count = 3, .args = { sk_json_string(arena, "DescribeThing"), sk_json_string(arena, a), role } };
	int rc = rules_look(&world, what == LUA_SHADOW ? &shadow : &thing, out, why);
	if (rc != SQL_LATER)
		return rc;
	*why = "the store does not answer";
	return SK_E_UNAVAILABLE;
}

/* -- what it has logged -- */

/* The end of it is what an answer shows. */
static void log_line(struct worker *w, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
static void log_line(struct worker *w, const char *fmt, ...)
{
	va_list ap;
	va_start(ap, fmt);
	const char *line = sk_vprintf(&w->arena, fmt, ap);
	va_end(ap);
	size_t n = line ? strlen(line) : 0;
	n = n > LOG_MOST - 1 ? LOG_MOST - 1 : n;
	if (w->log_size + n + 1 > LOG_MOST) {
		size_t drop = w->log_size + n + 1 - LOG_MOST;
		memmove(w->log, w->log + drop, w->log_size - drop);
		w->log_size -= drop;
	}
	if (!n)
		return;
	memcpy(w->log + w->log_size, line, n);
	w->log[w->log_size + n] = '\n';
	w->log_size += n + 1;
}

static void log_end(struct worker *w, const struct run *r, const struct lua_file *f, int64_t began_us)
{
	const char *id = sk_json_text(r->question, "requestId");
	int64_t us = sk_mono_us() - began_us;
	log_line(w, "END RequestId: %s", id);
	log_line(w, "REPORT RequestId: %s\tDuration: %.2f ms\tBilled Duration: %lld ms\tMemory Size: %lld MB\tMax Memory Used: %zu MB", id, (double)us / 1000,
	         (long long)((us + 999) / 1000), (long long)sk_json_int_of(r->question, "memorySize", 128), f ? (lua_file_memory(f) >> 20) + 1 : 0);
}

/* -- a run -- */

/* What Lambda's runtimes tell a function of its invocation. */
static cJSON *context_of(struct worker *w, const struct run *r)
{
	static const char *const names[][2] = { { "functionName", "functionName" }, { "functionVersion", "version" }, { "invokedFunctionArn", "functionArn" },
		{ "awsRequestId", "requestId" } };
	struct sk_arena *a = &w->arena;
	cJSON *o = sk_json_object(a);
	for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
		sk_json_set_string(a, o, names[i][0], sk_json_text(r->question, names[i][1]));
	sk_json_set_string(a, o, "memoryLimitInMB", sk_printf(a, "%lld", (long long)sk_json_int_of(r->question, "memorySize", 128)));
	const cJSON *environment = sk_json_get(r->question, "environment");
	sk_json_set(a, o, "environment", environment ? sk_json_copy(a, environment) : sk_json_object(a));
	return o;
}

static void failed(struct worker *w, struct run_result *result, const char *type, const char *why)
{
	cJSON *o = sk_json_object(&w->arena);
	sk_json_set_string(&w->arena, o, "errorMessage", why);
	sk_json_set_string(&w->arena, o, "errorType", type);
	result->kind = RUN_FAILED;
	result->payload = sk_json_print(&w->arena, o, &result->size);
	log_line(w, "[ERROR] %s: %s", type, why);
}

/* Which limit it was, in Lambda's words. */
static void over_budget(struct worker *w, const struct run *r, struct run_result *result, const char *why)
{
	char when[32];
	time_t now = (time_t)(sk_wall_ms() / 1000);
	struct tm tm;
	if (strstr(why, "memory")) {
		failed(w, result, "Runtime.OutOfMemory", why);
		return;
	}
	gmtime_r(&now, &tm);
	strftime(when, sizeof when, "%Y-%m-%dT%H:%M:%SZ", &tm);
	failed(w, result, "Sandbox.Timedout", sk_printf(&w->arena, "%s %s Task timed out after %.2f seconds", when, sk_json_text(r->question, "requestId"),
	                                                 (double)sk_json_int_of(r->question, "timeout", 3)));
}

static void take_effects(struct worker *w, const struct lua_outcome *out, struct run_result *result)
{
	cJSON *list = NULL;
	for (const struct lua_effect *e = out->effects; e; e = e->next) {
		if (e->kind == LUA_LOG)
			log_line(w, "%s", e->name);
		if (e->kind != LUA_PUBLISH)
			continue;
		list = list ? list : sk_json_array(&w->arena);
		sk_json_append(list, lua_publish_write(&w->arena, e->name, &e->message));
	}
	result->publish = list;
}

static void call(struct worker *w, const struct run *r, struct lua_file *f, const char *function, struct run_result *result)
{
	struct sk_runtime *rt = sk_process();
	struct lua_world world = { .ctx = w, .ask = ask, .now_ms = sk_wall_ms() };
	const cJSON *answer, *const arguments[] = { sk_json_parse(&w->arena, r->payload, r->payload_size, NULL, NULL), context_of(w, r) };
	struct lua_outcome out;
	int64_t seconds = sk_json_int_of(r->question, "timeout", 3);
	rt->host->random(rt->host->ctx, world.seed, sizeof world.seed);
	lua_file_set_time(f, seconds * 1000000, (uint64_t)seconds * INSTRUCTIONS_A_SECOND);
	int rc = lua_function_run(f, function, arguments, &world, &w->arena, &out, &answer);
	if (rc && out.budget)
		over_budget(w, r, result, out.why);
	else if (rc)
		failed(w, result, "LuaError", out.why);
	else
		result->payload = sk_json_print(&w->arena, answer, &result->size);
	if (!rc)
		take_effects(w, &out, result);
	if (!rc && result->size > RUN_PAYLOAD_MOST)
		failed(w, result, "Function.ResponseSizeTooLarge",
		       sk_printf(&w->arena, "Response payload size exceeded maximum allowed payload size (%d bytes).", RUN_PAYLOAD_MOST));
}

/* "index.handler": function `handler` of index.lua. */
static void carry_out(struct worker *w, struct run *r)
{
	const char *handler = sk_json_text(r->question, "handler"), *dot = strrchr(handler, '.'), *why = NULL;
	const char *name = dot ? sk_printf(&w->arena, "%.*s.lua", (int)(dot - handler), handler) : NULL;
	struct run_result result = { .kind = RUN_OK };
	int64_t began_us = sk_mono_us();
	struct lua_file *f = NULL;
	w->log_size = 0;
	log_line(w, "START RequestId: %s Version: %s", sk_json_text(r->question, "requestId"), sk_json_text(r->question, "version"));
	if (!name)
		failed(w, &result, "Runtime.HandlerNotFound", sk_printf(&w->arena, "Bad handler '%s': FILE.FUNCTION is expected", handler));
	else if (!(f = file_of(w, r->question, name, &why)))
		failed(w, &result, "Runtime.ImportModuleError", why);
	else
		call(w, r, f, dot + 1, &result);
	log_end(w, r, f, began_us);
	if (w->arena.failed) {
		result = (struct run_result){ .kind = RUN_UNAVAILABLE, .why = "memory is out" };
	} else {
		result.log = w->log;
		result.log_size = w->log_size;
	}
	run_done(r, &result);
	sk_arena_reset(&w->arena, ARENA_KEPT);
}

/* -- threads -- */

static struct run *wait_for_run(struct run_lua *l)
{
	pthread_mutex_lock(&l->lock);
	while (!l->first && !l->stop)
		pthread_cond_wait(&l->bell, &l->lock);
	struct run *r = l->first;
	if (r && !(l->first = r->next))
		l->last = &l->first;
	pthread_mutex_unlock(&l->lock);
	return r;
}

static void *work(void *arg)
{
	struct worker *w = arg;
	struct run *r;
	sched_setscheduler(0, SCHED_BATCH, &(struct sched_param){ 0 });
	while ((r = wait_for_run(w->lua)))
		carry_out(w, r);
	for (struct loaded *l = w->loaded; l < w->loaded + FILES; l++)
		unload(l);
	sk_arena_free(&w->arena);
	return NULL;
}

/* Signals are the broker's. */
static int start_thread(struct worker *w)
{
	sigset_t all, before;
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	int rc = pthread_create(&w->thread, NULL, work, w);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	return rc;
}

void run_lua_start(struct run_lua *l, struct run *r)
{
	pthread_mutex_lock(&l->lock);
	r->next = NULL;
	*l->last = r;
	l->last = &r->next;
	pthread_mutex_unlock(&l->lock);
	pthread_cond_signal(&l->bell);
}

struct run_lua *run_lua_new(int threads)
{
	struct run_lua *l = calloc(1, sizeof *l + (size_t)threads * sizeof *l->worker);
	if (!l)
		return NULL;
	pthread_mutex_init(&l->lock, NULL);
	pthread_cond_init(&l->bell, NULL);
	l->last = &l->first;
	for (int i = 0; i < threads; i++) {
		struct worker *w = &l->worker[i];
		w->lua = l;
		sk_arena_init(&w->arena, RUN_MEMORY);
		if (start_thread(w))
			break;
		l->workers++;
	}
	if (!l->workers)
		run_lua_end(&l);
	return l;
}

/* What waits is run: each has its time limit. */
void run_lua_end(struct run_lua **at)
{
	struct run_lua *l = *at;
	*at = NULL;
	if (!l)
		return;
	pthread_mutex_lock(&l->lock);
	l->stop = true;
	pthread_mutex_unlock(&l->lock);
	pthread_cond_broadcast(&l->bell);
	for (int i = 0; i < l->workers; i++)
		pthread_join(l->worker[i].thread, NULL);
	pthread_cond_destroy(&l->bell);
	pthread_mutex_destroy(&l->lock);
	free(l);
}
