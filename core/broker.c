/* broker.c -- a plugin's life inside Mosquitto: load, first event, unload.
 *
 * skeeter_core opens the store and makes the runtime; the others add their tables to it. Threads start at the first event, when all
 * plugins are loaded. Mosquitto 2.0 closes each .so right after its cleanup, so the first cleanup of any of ours stops everything. */
#include "core/broker_internal.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/options.h"

#define STOP_US 5000000
#define FILES_MOST 65536
#define GATHER_US 500

struct sk_broker sk_broker = { .event_fd = -1 };
static struct { const struct sk_plugin *plugin; void *state; } loaded[SK_MAX_PLUGINS];
static int loaded_count;

/* -- the host -- */

static int64_t host_mono(void *ctx)
{
	(void)ctx;
	return sk_mono_us();
}

static int64_t host_wall(void *ctx)
{
	(void)ctx;
	return sk_wall_ms();
}

static void draw(void *buf, size_t n)
{
	for (char *at = buf; n;) {
		ssize_t got = getrandom(at, n, 0);
		if (got < 0)
			continue; /* interrupted: nothing else can happen here once the pool is ready */
		at += got;
		n -= (size_t)got;
	}
}

/* Each call wants 16 bytes: they are drawn in portions, one for each thread, and not kept once they are given away. */
static void host_random(void *ctx, void *buf, size_t n)
{
	static _Thread_local unsigned char portion[1024];
	static _Thread_local size_t left;
	(void)ctx;
	if (n > sizeof portion) {
		draw(buf, n);
		return;
	}
	if (left < n) {
		draw(portion, sizeof portion);
		left = sizeof portion;
	}
	left -= n;
	memcpy(buf, portion + left, n);
	memset(portion + left, 0, n);
}

static void host_wake_thread(void *ctx, int index)
{
	(void)ctx;
	sk_threads_wake(sk_broker.threads, index);
}

void sk_broker_ring(void)
{
	sk_broker.gathered = 0;
	if (sk_broker.to_wake)
		sk_threads_ring(sk_broker.threads, &sk_broker.to_wake);
}

static const struct sk_host host = {
	.mono_us = host_mono, .wall_ms = host_wall, .random = host_random, .wake_broker = sk_wake_broker,
	.wake_thread = host_wake_thread, .publish = sk_host_publish, .kick = sk_host_kick, .log = sk_host_log,
};

/* -- once a second, on the broker thread -- */

static void each_second(void *arg)
{
	(void)arg;
	sk_wake_retry();
	sk_clients_reap();
	for (int i = 0; i < sk_broker.rt->loaded_count; i++) {
		const struct sk_loaded *l = &sk_broker.rt->loaded[i];
		if (l->plugin->hooks && l->plugin->hooks->tick)
			l->plugin->hooks->tick(l->state, sk_wall_ms());
	}
}

static void list_acl_hooks(void)
{
	const struct sk_loaded **at = sk_broker.acl;
	for (int i = 0; i < sk_broker.rt->loaded_count; i++)
		if (sk_broker.rt->loaded[i].plugin->hooks && sk_broker.rt->loaded[i].plugin->hooks->acl)
			*at++ = &sk_broker.rt->loaded[i];
	*at = NULL;
	if (!*sk_broker.acl)
		mosquitto_log_printf(MOSQ_LOG_NOTICE, "skeeter: core: skeeter_auth is not loaded: with plugins Mosquitto denies what neither an acl_file nor a plugin allows");
}

static struct sk_blocks requests; /* the broker thread's */

/* AddressSanitizer sees who uses what was freed only in malloc's memory. */
static void take_requests_from_blocks(void)
{
#ifndef __SANITIZE_ADDRESS__
	sk_requests_from(&requests);
#endif
}

void sk_broker_start(void)
{
	char why[256];
	if (sk_broker.started)
		return;
	sk_broker.started = true;
	list_acl_hooks();
	sk_feed_start();
	if (sk_threads_start(&sk_broker.threads, sk_broker.rt, why, sizeof why))
		mosquitto_log_printf(MOSQ_LOG_ERR, "skeeter: core: %s: every call will be refused", why);
	else if (sk_runtime_start(sk_broker.rt))
		mosquitto_log_printf(MOSQ_LOG_ERR, "skeeter: core: the store does not answer: unfinished effects wait for the next start");
	sk_threads_gather(&sk_broker.to_wake);
	take_requests_from_blocks();
	sk_keeper_each_second(sk_broker.rt->keeper, each_second);
	sk_keeper_publish_counters(sk_broker.rt->keeper, sk_broker.options->sys_interval * 1000);
	for (int i = 0; i < loaded_count; i++)
		if (loaded[i].plugin->ready)
			loaded[i].plugin->ready(loaded[i].state);
}

/* -- core's own start -- */

static int make_folder(const char *path, char *real, char *why, size_t why_size)
{
	struct stat st;
	if (mkdir(path, 0700) && errno != EEXIST) {
		snprintf(why, why_size, "cannot make the data folder %s: %s", path, strerror(errno));
		return -1;
	}
	if (stat(path, &st) || !S_ISDIR(st.st_mode) || !realpath(path, real)) {
		snprintf(why, why_size, "the data folder %s is not a folder", path);
		return -1;
	}
	return 0;
}

static void store_says(const char *line)
{
	mosquitto_log_printf(MOSQ_LOG_NOTICE, "skeeter: core: %s", line);
}

/* The store has a thread of its own, which is there before the runtime and after it. */
static pthread_mutex_t saying = PTHREAD_MUTEX_INITIALIZER;
static pthread_t broker_thread;
static bool hushed; /* the way to the broker's log is closed */

static void redis_says(char level, const char *line)
{
	char text[1100];
	pthread_mutex_lock(&saying);
	if (sk_process() && !hushed) {
		sk_log(level, "core", "%s", line);
	} else if (pthread_equal(pthread_self(), broker_thread)) { /* at the start and at the end */
		snprintf(text, sizeof text, "skeeter: core: %s", line);
		sk_host_log(NULL, level, text);
	}
	pthread_mutex_unlock(&saying);
}

static void hush(bool yes)
{
	pthread_mutex_lock(&saying);
	hushed = yes;
	pthread_mutex_unlock(&saying);
}

static struct sk_store *open_store(const struct sk_core_options *o, const char *data_dir, char *why, size_t why_size)
{
	char path[PATH_MAX];
	broker_thread = pthread_self();
	hush(false);
	if (sk_store_is_url(o->store))
		return sk_store_open_redis(&(struct sk_redis_options){ .url = o->store, .data_dir = data_dir, .wait_ms = o->store_wait, .say = redis_says }, why, why_size);
	snprintf(path, sizeof path, "%s/%s", o->data, o->store);
	return sk_store_open_embedded(&(struct sk_store_options){ .path = path, .relaxed = o->durability == 1, .gather_us = GATHER_US, .say = store_says }, why, why_size);
}

static int worker_count(const struct sk_core_options *o)
{
	long cores = sysconf(_SC_NPROCESSORS_ONLN);
	return o->workers ? (int)o->workers : cores < 3 ? 2 : cores > 8 ? 8 : (int)cores - 1;
}

/* The kernel's table of a process's files grows by doubling, and waits 10 to 20 ms for all processors if there are threads: the broker's would wait, in the
 * middle of a storm of connects. So it gets its size while there is one thread. It costs eight bytes of kernel memory a file. */
static void widen_file_table(void)
{
	struct rlimit files;
	int fd = open("/dev/null", O_RDONLY | O_CLOEXEC), last = -1;
	if (fd >= 0 && !getrlimit(RLIMIT_NOFILE, &files))
		last = fcntl(fd, F_DUPFD_CLOEXEC, files.rlim_cur < FILES_MOST ? (int)files.rlim_cur - 1 : FILES_MOST - 1);
	if (last >= 0)
		close(last);
	if (fd >= 0)
		close(fd);
}

int sk_broker_open(const struct sk_core_options *o, char *why, size_t why_size)
{
	static char data_dir[PATH_MAX];
	if (make_folder(o->data, data_dir, why, why_size))
		return -1;
	widen_file_table();
	struct sk_store *store = open_store(o, data_dir, why, why_size);
	if (!store)
		return -1;
	if (sk_store_whole(store, why, why_size)) {
		store->ops->close(store);
		return -1;
	}
	sk_broker.options = o;
	sk_broker.started_ms = sk_wall_ms();
	int workers = worker_count(o);
	sk_broker.rt = sk_runtime_new(&host, store, workers);
	if (!sk_broker.rt) {
		store->ops->close(store);
		snprintf(why, why_size, "memory is out");
		return -1;
	}
	struct sk_runtime *rt = sk_broker.rt;
	rt->account = o->account;
	rt->region = o->region;
	rt->data_dir = data_dir;
	rt->store_url = strstr(o->store, "://") ? o->store : NULL;
	rt->inbox_limit = (size_t)o->inbox;
	sk_runtime_set_cache(rt, (size_t)o->cache / (size_t)workers);
	sk_process_set(rt);
	sk_broker.ledger = sk_ledger_new((size_t)o->remember, (size_t)o->activity);
	return sk_events_register(why, why_size);
}

struct sk_broker_facts sk_broker_facts(void)
{
	return (struct sk_broker_facts){ .started_ms = sk_broker.started_ms, .interface = sk_broker.version->interface,
		.wake_mode = (int)atomic_load(&sk_broker.wake_mode) };
}

/* -- loading -- */

static int read_options(const struct sk_plugin *p, void *state, struct mosquitto_opt *options, int n, char *why, size_t why_size)
{
	const char **keys = calloc((size_t)n + 1, sizeof *keys), **values = calloc((size_t)n + 1, sizeof *values);
	int rc = -1;
	for (int i = 0; keys && values && i < n; i++) {
		keys[i] = options[i].key;
		values[i] = options[i].value;
	}
	if (keys && values)
		rc = sk_options_read(p->options, state, keys, values, (size_t)n, why, why_size);
	else
		snprintf(why, why_size, "memory is out");
	free(keys);
	free(values);
	return rc;
}

static bool is_core(const struct sk_plugin *p)
{
	return !strcmp(p->name, "core");
}

static int check_order(const struct sk_plugin *p, char *why, size_t why_size)
{
	for (int i = 0; i < loaded_count; i++)
		if (!strcmp(loaded[i].plugin->name, p->name)) {
			snprintf(why, why_size, "loaded twice: one plugin line, and per_listener_settings false");
			return -1;
		}
	if (is_core(p) == (sk_broker.rt == NULL) && loaded_count < SK_MAX_PLUGINS)
		return 0;
	snprintf(why, why_size, loaded_count < SK_MAX_PLUGINS ? "skeeter_core must be the first plugin line" : "too many plugins");
	return -1;
}

static int load(const struct sk_plugin *p, void *state, struct mosquitto_opt *options, int n, char *why, size_t why_size)
{
	static const struct sk_option none[] = { { 0 } };
	struct sk_plugin with_table = *p;
	with_table.options = p->options ? p->options : none;
	if (check_order(p, why, why_size) || read_options(&with_table, state, options, n, why, why_size))
		return -1;
	if (p->start && p->start(state, why, why_size))
		return -1;
	return sk_runtime_load(sk_broker.rt, p, state, why, why_size);
}

int sk_plugin_load(const struct sk_plugin *p, void *identifier, void *options, int option_count)
{
	char why[512] = "";
	void *state = calloc(1, p->state_size ? p->state_size : 1);
	if (is_core(p) && !sk_broker.id)
		sk_broker.id = identifier;
	if (state && !load(p, state, options, option_count, why, sizeof why)) {
		loaded[loaded_count].plugin = p;
		loaded[loaded_count++].state = state;
		mosquitto_log_printf(MOSQ_LOG_INFO, "skeeter: %s: loaded", p->name);
		return MOSQ_ERR_SUCCESS;
	}
	mosquitto_log_printf(MOSQ_LOG_ERR, "skeeter: %s: %s", p->name, state ? why : "memory is out");
	return MOSQ_ERR_UNKNOWN;
}

/* -- the end -- */

static void close_all(void)
{
	struct sk_runtime *rt = sk_broker.rt;
	struct sk_store *store = rt->store;
	atomic_store(&rt->stopping, true);
	for (int i = 0; i < loaded_count; i++)
		if (loaded[i].plugin->quiesce)
			loaded[i].plugin->quiesce(loaded[i].state);
	sk_events_unregister();
	sk_broker_ring();
	sk_threads_gather(NULL);
	size_t left = sk_threads_stop(&sk_broker.threads, STOP_US);
	if (left)
		mosquitto_log_printf(MOSQ_LOG_WARNING, "skeeter: core: stopped with calls unanswered; durable effects run at the next start");
	hush(true);
	sk_wake_stop();
	sk_kick_free();
	sk_clients_free();
	sk_presence_free();
	sk_ledger_free(&sk_broker.ledger);
	sk_process_set(NULL);
	sk_runtime_free(&sk_broker.rt); /* who still waits for an answer gets one */
	sk_requests_from(NULL);
	sk_blocks_free(&requests);
	for (int i = loaded_count; i-- > 0;)
		if (loaded[i].plugin->stop)
			loaded[i].plugin->stop(loaded[i].state);
	store->ops->close(store);
	for (int i = 0; i < loaded_count; i++) {
		sk_options_free(loaded[i].plugin->options, loaded[i].state);
		free(loaded[i].state);
	}
	loaded_count = 0;
	sk_broker = (struct sk_broker){ .event_fd = -1 };
}

int sk_plugin_unload(const struct sk_plugin *p)
{
	(void)p;
	if (sk_broker.rt)
		close_all();
	return MOSQ_ERR_SUCCESS;
}
