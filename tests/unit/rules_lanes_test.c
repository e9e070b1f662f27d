/* rules_lanes_test.c -- plugins/rules/lane.h: from rules to the files of their lanes with a full disk and a lane that is full, who shares one, what an earlier life has
 * left, and many threads at once. The threads of lanes run where a test says so; else it steps them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <dirent.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "plugins/rules/lanes.h"
#include "tests/unit/rules_fake.h"

enum { THREADS = 4, SPILL = 64 << 10 };

/* -- a sink -- */

static struct {
	pthread_mutex_t lock;
	bool down;
	int n, opens;
	char url[64], password[64], got[8192][40];
} to = { .lock = PTHREAD_MUTEX_INITIALIZER };

static void *fake_open(void *state, const cJSON *fields, char *why, size_t why_size)
{
	(void)state, (void)why, (void)why_size;
	pthread_mutex_lock(&to.lock);
	to.opens++;
	snprintf(to.url, sizeof to.url, "%s", sk_json_text(fields, "url"));
	snprintf(to.password, sizeof to.password, "%s", sk_json_text(fields, "password") ? sk_json_text(fields, "password") : "");
	pthread_mutex_unlock(&to.lock);
	return &to;
}

static void fake_deliver(void *sink, struct sk_sink_item *const *item, size_t n, struct sk_arena *a)
{
	(void)sink, (void)a;
	pthread_mutex_lock(&to.lock);
	for (size_t i = 0; i < n; i++) {
		item[i]->result = to.down ? SK_SUNK_RETRY : SK_SUNK_OK;
		if (!to.down)
			snprintf(to.got[to.n++], sizeof to.got[0], "%.*s", (int)item[i]->size, (const char *)item[i]->payload);
	}
	pthread_mutex_unlock(&to.lock);
}

static void fake_close(void *sink)
{
	(void)sink;
}

static const struct sk_sink sinks[] = {
	{ .kind = "redis", .connection = "url password", .open = fake_open, .deliver = fake_deliver, .close = fake_close },
	{ 0 }
};
static const struct sk_plugin plugin = { .name = "fake", .sinks = sinks };

/* -- an engine with lanes -- */

static struct rules_fake f;
static char folder[80];

static struct lanes *open_lanes(int most)
{
	char why[300] = "", path[120];
	const struct lanes_settings s = { .folder = path, .spill = SPILL, .retry_least_ms = 1, .retry_most_ms = 10, .most_lanes = most };

	snprintf(path, sizeof path, "%s/rules/lanes", folder);
	struct lanes *l = lanes_open(f.engine, &s, why, sizeof why);
	assert_string_equal(why, "");
	return f.engine->lanes = l;
}

static void load(bool there)
{
	f.rt.loaded[0].plugin = &plugin;
	f.rt.loaded_count = there ? 1 : 0;
}

static int make(void **state)
{
	(void)state;
	to.down = false;
	to.n = to.opens = 0;
	snprintf(folder, sizeof folder, "/tmp/lanes-XXXXXX");
	if (!mkdtemp(folder) || !rules_fake_open(&f, THREADS, 1 << 18))
		return -1;
	load(true);
	open_lanes(8);
	return 0;
}

static void remove_all(const char *path)
{
	char below[512];
	DIR *d = opendir(path);

	for (const struct dirent *e; d && (e = readdir(d));) {
		snprintf(below, sizeof below, "%s/%s", path, e->d_name);
		if (*e->d_name != '.' && unlink(below))
			remove_all(below);
	}
	if (d)
		closedir(d);
	rmdir(path);
}

static int clear(void **state)
{
	(void)state;
	rules_fake_close(&f);
	remove_all(folder);
	return 0;
}

/* A rule with actions that send to these URLs. */
static struct live_rule *rule(const char *name, const char *filter, const char *url, const char *password)
{
	char text[600];
	int n = snprintf(text, sizeof text, "{\"payload\":{\"sql\":\"SELECT * FROM '%s'\",\"actions\":[{\"redis\":{\"url\":\"%s\",\"password\":\"%s\",\"key\":\"k\"}}]}}",
	                 filter, url, password);
	struct sk_bytes *record = sk_bytes_new(text, (size_t)n);
	struct live_rule *r = live_new(name, filter, record);

	sk_bytes_unref(record);
	assert_int_equal(engine_put(f.engine, r), 0);
	assert_non_null(live_program(r, &f.engine->settings));
	return r;
}

static struct lane *lane_of(struct live_rule *r, const char **why)
{
	struct sk_arena a = { 0 };
	static char text[200];
	struct lane *l = lanes_of(f.engine->lanes, r, live_program(r, NULL), 0, &a, why);

	snprintf(text, sizeof text, "%s", *why ? *why : "");
	*why = text;
	sk_arena_free(&a);
	return l;
}

/* What thread k does with a message for the rule. */
static void evaluate(struct live_rule *r, int k, struct rules_message *m)
{
	const struct sk_sink_field field = { "key", "k" };
	const char *why;
	struct lane_item i = { .kind = "redis", .message = (const char *)m + m->payload, .message_size = m->size,
		.sink = { .rule = r->name, .topic = (const char *)m + m->topic, .id = "0123456789abcdef0123456789abcdef", .time_ms = 1, .field = &field, .fields = 1 } };
	struct lane *l = lane_of(r, &why);

	i.sink.payload = i.message;
	i.sink.size = i.message_size;
	m->open = 1;
	assert_non_null(l);
	assert_null(lane_add(l, f.engine->thread[k], m, &i));
	work_done(f.engine->thread[k], m);
}

static int thread_with_messages(void)
{
	for (int k = 0; k < THREADS; k++)
		if (!rules_ring_empty(f.engine->thread[k]->ring))
			return k;
	return -1;
}

/* Messages of a topic: fed, evaluated and flushed; the thread that had them. */
static int send(struct live_rule *r, const char *topic, int from, int n, size_t size)
{
	char payload[4096];
	int k = -1;

	for (int i = from; i < from + n; i++) {
		snprintf(payload, sizeof payload, "%d %0*d", i, (int)size, 0);
		assert_int_equal(rules_fake_feed(&f, topic, payload), SK_PASS);
		k = thread_with_messages();
		assert_int_not_equal(k, -1);
		evaluate(r, k, rules_fake_read(&f, k));
	}
	return k;
}

static void step(struct lane *l)
{
	for (int i = 0; i < 100; i++)
		lane_step(l->run);
	lane_look_at_room(l);
}

static void limit_files(rlim_t most)
{
	struct rlimit now;

	signal(SIGXFSZ, SIG_IGN);
	getrlimit(RLIMIT_FSIZE, &now);
	now.rlim_cur = most;
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &now), 0);
}

/* -- the way -- */

static void a_message_leaves_its_ring_when_what_it_caused_is_in_the_files(void **state)
{
	const char *why;
	struct live_rule *r = rule("r", "in", "redis://a", "");
	int k = send(r, "in", 0, 3, 1);

	(void)state;
	assert_int_equal(rules_ring_pending(f.engine->thread[k]->ring), 3);
	assert_false(lanes_flush(f.engine->thread[k]));
	assert_int_equal(rules_ring_pending(f.engine->thread[k]->ring), 0);
	assert_int_equal(to.n, 0);
	step(lane_of(r, &why));
	assert_int_equal(to.n, 3);
	assert_string_equal(to.got[2], "2 0");
	assert_string_equal(to.url, "redis://a");
}

static void a_full_lane_marks_its_rules_and_no_others_until_there_is_room(void **state)
{
	const char *why;
	struct live_rule *r = rule("r", "in", "redis://a", ""), *same = rule("same", "same", "redis://a", ""), *other = rule("other", "other", "redis://b", ""), *late;
	struct lane *l = lane_of(r, &why);

	(void)state;
	assert_ptr_equal(lane_of(same, &why), l);
	assert_ptr_not_equal(lane_of(other, &why), l);
	to.down = true;
	for (int i = 0; !live_full(r); i++) {
		assert_in_range(i, 0, 200);
		assert_false(lanes_flush(f.engine->thread[send(r, "in", i, 1, 1000)]));
	}
	assert_in_range(sk_segments_bytes(l->files), SPILL, SPILL + 4096);
	assert_true(live_full(same));
	assert_false(live_full(other));
	late = rule("late", "late", "redis://a", "");
	assert_false(live_full(late));
	assert_ptr_equal(lane_of(late, &why), l);
	assert_true(live_full(late));
	assert_int_equal(rules_fake_feed(&f, "in", "{}"), SK_DENY);
	assert_int_equal(rules_fake_feed(&f, "other", "{}"), SK_PASS);
	engine_drop(f.engine, "late");
	for (int k = 0; k < THREADS; k++)
		rules_fake_drain(&f, k);
	to.down = false;
	for (int i = 0; live_full(r); i++) {
		assert_in_range(i, 0, 1000);
		usleep(1000);
		lane_step(l->run);
		lane_look_at_room(l);
	}
	assert_in_range(sk_segments_bytes(l->files), 0, SPILL - SPILL / 8);
	assert_false(live_full(same));
	assert_int_equal(rules_fake_feed(&f, "in", "{}"), SK_PASS);
}

static void on_a_full_disk_messages_stay_in_their_ring_and_nothing_is_lost_or_twice(void **state)
{
	const char *why;
	struct live_rule *r = rule("r", "in", "redis://a", "");
	struct lane *l = lane_of(r, &why);
	struct rules_thread *t = f.engine->thread[send(r, "in", 0, 200, 1)];
	char number[16];

	(void)state;
	limit_files(1);
	assert_true(lanes_flush(t));
	assert_true(live_full(r));
	assert_int_equal(rules_ring_pending(t->ring), 200);
	assert_true(t->held > 0);
	assert_int_equal(atomic_load(&l->held), t->held);
	assert_true(lanes_flush(t));
	limit_files(RLIM_INFINITY);
	assert_false(lanes_flush(t));
	assert_int_equal(t->held, 0);
	assert_int_equal(atomic_load(&l->held), 0);
	assert_false(live_full(r));
	assert_int_equal(rules_ring_pending(t->ring), 0);
	step(l);
	assert_int_equal(to.n, 200);
	for (int i = 0; i < 200; i++) {
		snprintf(number, sizeof number, "%d 0", i);
		assert_string_equal(to.got[i], number);
	}
}

/* -- who shares one -- */

static void the_same_place_is_one_lane_and_the_newest_password_counts(void **state)
{
	const char *why;
	struct live_rule *r = rule("r", "in", "redis://a", "old"), *newer;
	struct lane *l = lane_of(r, &why);
	struct stat st;
	char path[200], text[400] = "";

	(void)state;
	lanes_flush(f.engine->thread[send(r, "in", 0, 1, 1)]);
	step(l);
	assert_string_equal(to.password, "old");
	newer = rule("newer", "in2", "redis://a", "${get_secret('none', 'SecretString')}");
	assert_ptr_equal(lane_of(newer, &why), l);
	lanes_flush(f.engine->thread[send(r, "in", 1, 1, 1)]);
	step(l);
	assert_int_equal(to.n, 1);
	assert_int_equal(to.opens, 1);
	snprintf(path, sizeof path, "%s/lane.json", l->folder);
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_mode & 0777, 0600);
	FILE *file = fopen(path, "r");
	assert_true(fread(text, 1, sizeof text - 1, file) > 0);
	fclose(file);
	assert_non_null(strstr(text, "\"fields\":\"")); /* sealed */
	assert_null(strstr(text, "get_secret"));
	assert_ptr_equal(lane_of(rule("newest", "in3", "redis://a", "new"), &why), l);
	for (int i = 0; to.n < 2 && i < 1000; i++) {
		usleep(1000);
		lane_step(l->run);
	}
	assert_int_equal(to.n, 2);
	assert_string_equal(to.password, "new");
}

static void there_are_so_many_lanes_and_one_that_nobody_uses_makes_room(void **state)
{
	char name[16], url[32];
	const char *why;
	struct live_rule *first = NULL, *more;

	(void)state;
	for (int i = 0; i < 8; i++) {
		snprintf(name, sizeof name, "r%d", i);
		snprintf(url, sizeof url, "redis://%d", i);
		struct live_rule *r = rule(name, name, url, "");
		assert_non_null(lane_of(r, &why));
		first = first ? first : r;
	}
	more = rule("more", "more", "redis://more", "");
	assert_null(lane_of(more, &why));
	assert_string_equal(why, "there are 8 destinations already (plugin_opt_lanes)");
	send(first, "r0", 0, 1, 1);
	engine_drop(f.engine, "r0");
	for (int k = 0; k < THREADS; k++)
		rules_fake_drain(&f, k);
	assert_null(lane_of(more, &why)); /* something waits in a buffer */
	for (int k = 0; k < THREADS; k++)
		lanes_flush(f.engine->thread[k]);
	assert_null(lane_of(more, &why)); /* and in the files */
	for (struct lane *l = f.engine->lanes->first; l; l = l->next)
		step(l);
	assert_non_null(lane_of(more, &why));
	assert_int_equal(f.engine->lanes->count, 8);
	assert_int_equal(to.n, 1);
}

static void an_action_that_nothing_carries_out_says_so(void **state)
{
	const char *why;

	(void)state;
	load(false);
	assert_null(lane_of(rule("r", "in", "redis://a", ""), &why));
	assert_string_equal(why, "nothing here carries out redis actions: load skeeter_sink_redis.so");
}

/* -- lives -- */

static size_t folders(void)
{
	char path[200];
	size_t n = 0;

	snprintf(path, sizeof path, "%s/rules/lanes", folder);
	DIR *d = opendir(path);
	for (const struct dirent *e; d && (e = readdir(d));)
		n += *e->d_name != '.';
	if (d)
		closedir(d);
	return n;
}

static void live_again(void)
{
	rules_fake_stop(&f);
	assert_true(rules_fake_start(&f, THREADS, 1 << 18));
}

/* Until the threads of lanes have delivered so much; then they end. */
static void wait_for(int n)
{
	for (int i = 0, all = 0; i < 60000 && all < n; i++) {
		struct sk_arena a = { 0 };
		lanes_report(f.engine->lanes, &a);
		sk_arena_free(&a);
		usleep(1000);
		pthread_mutex_lock(&to.lock);
		all = to.n;
		pthread_mutex_unlock(&to.lock);
	}
	lanes_quiesce(f.engine->lanes);
}

static void what_waits_is_found_again_without_its_rule_and_what_is_empty_is_removed(void **state)
{
	const char *why;
	struct live_rule *full = rule("r", "in", "redis://a", "secret"), *empty = rule("e", "e", "redis://b", "");

	(void)state;
	assert_non_null(lane_of(empty, &why));
	lanes_flush(f.engine->thread[send(full, "in", 0, 5, 1)]);
	assert_int_equal(folders(), 2);
	live_again();
	load(false);
	open_lanes(8);
	assert_int_equal(folders(), 1);
	load(true); /* its plugin is loaded behind ours */
	lanes_ready(f.engine->lanes);
	wait_for(5);
	assert_int_equal(to.n, 5);
	assert_string_equal(to.url, "redis://a");
	assert_string_equal(to.password, "secret");
}

static void a_folder_that_does_not_say_whose_it_is_stays_as_it_is(void **state)
{
	char path[300];
	struct live_rule *r = rule("r", "in", "redis://a", "");
	const char *why;

	(void)state;
	lanes_flush(f.engine->thread[send(r, "in", 0, 5, 1)]);
	snprintf(path, sizeof path, "%s/lane.json", lane_of(r, &why)->folder);
	assert_int_equal(truncate(path, 10), 0);
	live_again();
	load(true);
	open_lanes(8);
	assert_true(rules_fake_said(&f, "does not say whose it is: what waits there stays there"));
	assert_int_equal(f.engine->lanes->count, 0);
	assert_int_equal(folders(), 1);
	snprintf(path, sizeof path, "%s/rules/lanes/redis-0000", folder); /* what was only begun holds nothing */
	assert_int_equal(mkdir(path, 0700), 0);
	live_again();
	load(true);
	open_lanes(8);
	assert_int_equal(folders(), 1);
	assert_non_null(lane_of(rule("r", "in", "redis://a", ""), &why)); /* its rule brings the label back */
	step(lane_of(live_find(&f.engine->table, "r"), &why));
	assert_int_equal(to.n, 5);
}

/* -- threads -- */

static void *evaluate_many(void *arg)
{
	struct rules_thread *t = arg;
	struct live_rule *r = live_find(&f.engine->table, t->index % 2 ? "a" : "b");
	const struct sk_sink_field field = { "key", "k" };
	struct sk_arena a = { 0 };
	char text[32];

	for (int i = 0; i < 500; i++) {
		const char *why = NULL;
		struct lane *l = lanes_of(f.engine->lanes, r, live_program(r, NULL), 0, &a, &why);
		snprintf(text, sizeof text, "%d-%d", t->index, i);
		struct lane_item item = { .kind = "redis", .message = text, .message_size = strlen(text), .sink = { .rule = "r", .topic = text, .payload = text, .size = strlen(text),
			.id = "0123456789abcdef0123456789abcdef", .time_ms = 1, .field = &field, .fields = 1 } };
		if (!l || lane_add(l, t, NULL, &item))
			break;
		if (i % 7 == 0)
			while (lanes_flush(t))
				usleep(1000);
	}
	while (lanes_flush(t))
		usleep(1000);
	sk_arena_free(&a);
	return NULL;
}

static void many_threads_and_their_lanes_at_once(void **state)
{
	pthread_t id[THREADS];
	int next[THREADS] = { 0 }, k, n;

	(void)state;
	rule("a", "a", "redis://a", "");
	rule("b", "b", "redis://b", "");
	lanes_ready(f.engine->lanes);
	for (int i = 0; i < THREADS; i++)
		assert_int_equal(pthread_create(&id[i], NULL, evaluate_many, f.engine->thread[i]), 0);
	for (int i = 0; i < THREADS; i++)
		pthread_join(id[i], NULL);
	wait_for(500 * THREADS);
	assert_int_equal(to.n, 500 * THREADS);
	for (int i = 0; i < to.n; i++) {
		assert_int_equal(sscanf(to.got[i], "%d-%d", &k, &n), 2);
		assert_int_equal(n, next[k]++);
	}
}

int main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, make, clear)
	const struct CMUnitTest tests[] = {
		T(a_message_leaves_its_ring_when_what_it_caused_is_in_the_files),
		T(a_full_lane_marks_its_rules_and_no_others_until_there_is_room),
		T(on_a_full_disk_messages_stay_in_their_ring_and_nothing_is_lost_or_twice),
		T(the_same_place_is_one_lane_and_the_newest_password_counts),
		T(there_are_so_many_lanes_and_one_that_nobody_uses_makes_room),
		T(an_action_that_nothing_carries_out_says_so),
		T(what_waits_is_found_again_without_its_rule_and_what_is_empty_is_removed),
		T(a_folder_that_does_not_say_whose_it_is_stays_as_it_is),
		T(many_threads_and_their_lanes_at_once),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
