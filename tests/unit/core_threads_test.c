/* core_threads_test.c -- the real threads over the real store: nothing answered OK is lost, stopping while busy is clean. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include "core/threads.h"

enum { WORKERS = 2, PRODUCERS = 2, THINGS = 50 };
/* What is waited for comes in milliseconds; a machine that has other things to do may take its time. */
#define PATIENCE_US INT64_C(60000000)

static struct world {
	struct sk_host host;
	struct sk_store *store;
	struct sk_runtime *rt;
	struct sk_threads *threads;
	char folder[64], path[96];
	pthread_t broker;
	atomic_bool stop_broker, stop_producers;
	atomic_int woken, published;
	int calls;                        /* of each producer */
	_Atomic int answered[PRODUCERS * THINGS]; /* the newest number answered OK */
	_Atomic int ok, failed, finished;
} world;

/* -- the host -- */

static int64_t mono(void *ctx) { (void)ctx; return sk_mono_us(); }
static int64_t wall(void *ctx) { (void)ctx; return sk_wall_ms(); }
static void wake_broker(void *ctx) { (void)ctx; atomic_store(&world.woken, 1); }
static void wake_thread(void *ctx, int index) { (void)ctx; sk_threads_wake(world.threads, index); }
static void publish(void *ctx, const struct sk_outgoing *item) { (void)ctx, (void)item; atomic_fetch_add(&world.published, 1); }
static void kick(void *ctx, const struct sk_outgoing *item) { (void)ctx, (void)item; }
static void say(void *ctx, char level, const char *line) { (void)ctx; fprintf(stderr, "%c %s\n", level, line); }
static void finished(void *ctx, const struct sk_outgoing *item) { (void)ctx, (void)item; }

static void chance(void *ctx, void *buf, size_t n)
{
	(void)ctx;
	if (getrandom(buf, n, 0) != (ssize_t)n)
		abort();
}

static void *be_broker(void *arg)
{
	(void)arg;
	while (!atomic_load(&world.stop_broker)) {
		if (!atomic_load(&world.rt->outbox.filled))
			nanosleep(&(struct timespec){ .tv_nsec = 200000 }, NULL);
		sk_outbox_drain(&world.rt->outbox, &world.host, &(struct sk_drain){ .max = 256, .budget_us = 1000, .finished = finished });
	}
	return NULL;
}

/* -- the plugin -- */

static cJSON *think(struct sk_arena *a, const cJSON *in, void *state)
{
	(void)state;
	return sk_json_copy(a, in);
}

static int set(struct sk_call *c)
{
	int64_t n = sk_json_int_of(c->in, "n", 0), had = sk_json_int_of(sk_get(c, "%s/state", c->home), "n", -1);
	if (!sk_void(c) && had >= n)
		return sk_fail(c, SK_E_CONFLICT, "older");
	if (n % 97 == 0 && !sk_await(c, think, c->in))
		return SK_OK;
	cJSON *state = sk_json_object(c->arena);
	sk_json_set_int(c->arena, state, "n", n);
	sk_put(c, state, "%s/state", c->home);
	sk_publish(c, SK_QOS0, state, "set");
	if (n % 50 == 0)
		sk_emit(c, "Followed", sk_json_copy(c->arena, c->in));
	if (n % 100 == 0)
		sk_timer_set(c, "later", c->now_ms + 20, "Later", NULL);
	return SK_OK;
}

static int follow(struct sk_call *c)
{
	cJSON *seen = sk_json_object(c->arena);
	sk_json_set_int(c->arena, seen, "n", sk_json_int_of(c->in, "n", 0));
	sk_put(c, seen, "registry/followed/%s", sk_json_text(c->in, "thingName"));
	return SK_OK;
}

static int later(struct sk_call *c)
{
	sk_put(c, sk_json_object(c->arena), "%s/later", c->home);
	return SK_OK;
}

static int watched;

static int apply(void *state, const char *name, const struct sk_bytes *bytes)
{
	(void)state, (void)name, (void)bytes;
	watched++;
	return 0;
}

static const struct sk_op ops[] = {
	{ .name = "Set", .verb = SK_POST, .route = "/set/{thingName}", .partition = "thing/{thingName}", .inputs = "n:Integer", .handler = set }, { 0 } };
static const struct sk_op_group group = { .service = "test", .op = ops };
static const struct sk_on on[] = { { "Followed", follow, "registry" }, { "Later", later, "thing/{thingName}" }, { 0 } };
static const struct sk_watch watches[] = { { "registry/followed/", apply }, { 0 } };
static const struct sk_plugin plugin = { .name = "test", .operations = (const struct sk_op_group *const[]){ &group, NULL }, .on = on, .watches = watches };

/* -- life -- */

static void open_world(void)
{
	char why[256] = "";
	world.host = (struct sk_host){ .mono_us = mono, .wall_ms = wall, .random = chance, .wake_broker = wake_broker, .wake_thread = wake_thread,
		.publish = publish, .kick = kick, .log = say };
	world.store = sk_store_open_embedded(&(struct sk_store_options){ .path = world.path }, why, sizeof why);
	if (!world.store)
		fail_msg("%s", why);
	world.rt = sk_runtime_new(&world.host, world.store, WORKERS);
	assert_non_null(world.rt);
	sk_process_set(world.rt);
	assert_int_equal(sk_runtime_load(world.rt, &plugin, NULL, why, sizeof why), 0);
	assert_int_equal(sk_threads_start(&world.threads, world.rt, why, sizeof why), 0);
	assert_int_equal(sk_runtime_start(world.rt), 0);
	atomic_store(&world.stop_broker, false);
	assert_int_equal(pthread_create(&world.broker, NULL, be_broker, NULL), 0);
}

static size_t close_world(int64_t limit_us)
{
	atomic_store(&world.stop_broker, true);
	pthread_join(world.broker, NULL);
	size_t left = sk_threads_stop(&world.threads, limit_us);
	sk_process_set(NULL);
	sk_runtime_free(&world.rt);
	world.store->ops->close(world.store);
	return left;
}

static int setup(void **state)
{
	(void)state;
	memset(&world, 0, sizeof world);
	strcpy(world.folder, "/tmp/skeeter-threads-XXXXXX");
	assert_non_null(mkdtemp(world.folder));
	snprintf(world.path, sizeof world.path, "%s/store.db", world.folder);
	for (int i = 0; i < PRODUCERS * THINGS; i++)
		atomic_store(&world.answered[i], -1);
	return 0;
}

static int teardown(void **state)
{
	char command[128];
	(void)state;
	snprintf(command, sizeof command, "rm -rf %s", world.folder);
	return system(command);
}

/* -- load -- */

struct ticket { int thing, n; };

static void answered(struct sk_request *r, const struct sk_answer *a)
{
	struct ticket *t = r->finish_ctx;
	if (a->error) {
		atomic_fetch_add(&world.failed, 1);
	} else {
		atomic_store(&world.answered[t->thing], t->n);
		atomic_fetch_add(&world.ok, 1);
	}
	atomic_fetch_add(&world.finished, 1);
	free(t);
}

static void submit(struct sk_row *row, int thing, int n)
{
	static const struct sk_caller operator = { .kind = SK_OPERATOR, .client_id = "", .principal = "" };
	char json[64];
	struct sk_arena a = { 0 };
	int size = snprintf(json, sizeof json, "{\"thingName\":\"t%d\",\"n\":%d}", thing, n);
	struct sk_request *r = sk_request_new(row, SK_LANE_OPERATOR, &operator, NULL, json, (size_t)size);
	struct ticket *t = malloc(sizeof *t);
	*t = (struct ticket){ thing, n };
	r->finish = answered;
	r->finish_ctx = t;
	r->arrived_us = sk_mono_us();
	if (sk_request_route(r, sk_json_parse(&a, json, (size_t)size, NULL, NULL)) || sk_runtime_submit(world.rt, r))
		abort();
	sk_arena_free(&a);
}

static void *produce(void *arg)
{
	int me = (int)(intptr_t)arg;
	struct sk_row *row = sk_runtime_operation(world.rt, "Set");
	for (int n = 1; n <= world.calls && (n == 1 || !atomic_load(&world.stop_producers)); n++) {
		submit(row, me * THINGS + n % THINGS, n);
		if (n % 64 == 0)
			while (atomic_load(&world.rt->worker[0]->inbox.calls) + atomic_load(&world.rt->worker[1]->inbox.calls) > 2000)
				nanosleep(&(struct timespec){ .tv_nsec = 100000 }, NULL);
	}
	return NULL;
}

static void run_producers(int calls, int64_t stop_after_us)
{
	pthread_t id[PRODUCERS];
	world.calls = calls;
	atomic_store(&world.stop_producers, false);
	for (int i = 0; i < PRODUCERS; i++)
		assert_int_equal(pthread_create(&id[i], NULL, produce, (void *)(intptr_t)i), 0);
	if (stop_after_us) {
		usleep((useconds_t)stop_after_us);
		atomic_store(&world.stop_producers, true);
	}
	for (int i = 0; i < PRODUCERS; i++)
		pthread_join(id[i], NULL);
}

static bool wait_until(const atomic_int *count, int n)
{
	for (int64_t end = sk_mono_us() + PATIENCE_US; atomic_load(count) < n && sk_mono_us() < end;)
		usleep(1000);
	return atomic_load(count) == n;
}

static int stored_number(int thing)
{
	char key[64];
	snprintf(key, sizeof key, "thing/t%d/state", thing);
	struct sk_store_read r = { .space = SK_RECORD, .key = key };
	assert_int_equal(world.store->ops->read(world.store, &r, 1), 0);
	int n = r.bytes ? atoi(r.bytes->data + strlen("{\"n\":")) : -1;
	sk_bytes_unref(r.bytes);
	return n;
}

static void nothing_answered_is_lost(void)
{
	for (int i = 0; i < PRODUCERS * THINGS; i++)
		assert_true(stored_number(i) >= atomic_load(&world.answered[i]));
}

static int count_one(void *ctx, const struct sk_scan_item *item)
{
	++*(int *)ctx;
	free(item->key);
	sk_bytes_unref(item->bytes);
	return 0;
}

static int count_space(enum sk_space space)
{
	int n = 0;
	struct sk_store_scan all = { .space = space, .prefix = "", .fn = count_one, .ctx = &n };
	assert_int_equal(world.store->ops->scan(world.store, &all), 0);
	return n;
}

/* Events and timers come to their end after the calls are answered. */
static void wait_until_none(enum sk_space space)
{
	for (int64_t end = sk_mono_us() + PATIENCE_US; count_space(space) && sk_mono_us() < end;)
		usleep(2000);
	assert_int_equal(count_space(space), 0);
}

/* -- tests -- */

static void twenty_thousand_calls_are_all_answered_and_stored(void **state)
{
	(void)state;
	open_world();
	run_producers(10000, 0);
	assert_true(wait_until(&world.finished, 20000));
	assert_int_equal(atomic_load(&world.ok), 20000);
	wait_until_none(SK_EFFECT);
	wait_until_none(SK_TIMER);
	nothing_answered_is_lost();
	assert_true(wait_until(&world.published, 20000)); /* what is answered is on its way to the broker's thread, which ends first */
	assert_int_equal(close_world(PATIENCE_US), 0);
	assert_true(watched > 0);
	assert_int_equal(atomic_load(&world.published), 20000);
	open_world();
	nothing_answered_is_lost();
	close_world(PATIENCE_US);
}

static void stopping_while_busy_loses_nothing_that_was_answered(void **state)
{
	(void)state;
	int numbers = 0;
	for (int round = 0; round < 12; round++) {
		open_world();
		for (int i = 0; i < PRODUCERS * THINGS; i++)
			numbers = stored_number(i) > numbers ? stored_number(i) : numbers;
		run_producers(1000000, 3000 + round * 5000);
		size_t left = close_world(round % 3 ? 0 : PATIENCE_US);
		if (!(round % 3))
			assert_int_equal(left, 0);
		open_world();
		nothing_answered_is_lost();
		close_world(PATIENCE_US);
	}
	assert_true(atomic_load(&world.ok) > 0);
	assert_true(numbers > 0);
}

static void starting_and_stopping_at_once_never_hangs(void **state)
{
	(void)state;
	for (int i = 0; i < 30; i++) {
		open_world();
		assert_int_equal(close_world(PATIENCE_US), 0);
	}
}

static void timers_overdue_at_the_start_find_workers_that_hear_them(void **state)
{
	(void)state;
	open_world();
	struct sk_row *row = sk_runtime_operation(world.rt, "Set");
	for (int i = 0; i < THINGS; i++)
		submit(row, i, 100);
	assert_true(wait_until(&world.finished, THINGS));
	close_world(0);
	usleep(30000);
	open_world();
	wait_until_none(SK_TIMER);
	close_world(PATIENCE_US);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(twenty_thousand_calls_are_all_answered_and_stored, setup, teardown),
		cmocka_unit_test_setup_teardown(stopping_while_busy_loses_nothing_that_was_answered, setup, teardown),
		cmocka_unit_test_setup_teardown(starting_and_stopping_at_once_never_hangs, setup, teardown),
		cmocka_unit_test_setup_teardown(timers_overdue_at_the_start_find_workers_that_hear_them, setup, teardown),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
