/* core_sim_test.c -- random calls, faults and crashes in the simulated world, then a check against a model.
 *
 * SEEDS=n runs that many seeds (300), SEED=x one of them and prints what happened. The model: what was answered OK is stored and not
 * older; answers of a partition keep their order; a failed call leaves nothing; volatile effects happen at most once, durable ones at
 * least once, timers exactly once. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "tests/unit/sim_host.h"

enum { CALLS = 150, THINGS = 5, KEYS = 3 };

enum what { PUT, ADD, VOLATILE, DURABLE, EMIT, TIMER, AWAIT, ECHO, SCAN, FAILING, SHARED, WHATS };
struct call {
	enum what what;
	int thing, key, target;
	int place;      /* of its answer */
	int epoch;      /* crashes before it */
};
struct model {
	struct sim *s;
	struct call call[CALLS];
	int calls, crashes;
	bool trace;
	long memory;    /* allocations until one fails, in the next step */
	int messages[THINGS], envelopes;
	uint64_t newest[THINGS][KEYS];
};

static void trace(struct model *m, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
static void trace(struct model *m, const char *fmt, ...)
{
	va_list ap;
	if (!m->trace)
		return;
	va_start(ap, fmt);
	vprintf(fmt, ap);
	va_end(ap);
	printf("\n");
}

static unsigned chance(struct model *m, unsigned below)
{
	return (unsigned)sim_random(m->s, below);
}

/* -- what happens -- */

static void script_of(struct model *m, const struct call *c, int n, char *out, size_t room)
{
	static const char *const before[] = { "", "get z;", "scan 4 k;", "get @registry/far; version k1;", "uuid; now;" };
	const char *first = before[chance(m, 5)];
	switch (c->what) {
	case PUT: snprintf(out, room, "%sput k%d %d; add c 1", first, c->key, n); break;
	case ADD: snprintf(out, room, "%sadd c 1", first); break;
	case VOLATILE: snprintf(out, room, "%sadd c 1; say v %d", first, n); break;
	case DURABLE: snprintf(out, room, "%sadd c 1; say! d %d", first, n); break;
	case EMIT: snprintf(out, room, "%sadd c 1; emit Both d%d add e%d 1", first, c->target, n); break;
	case TIMER: snprintf(out, room, "%sadd c 1; timer t%d %u E add f%d 1,say f %d", first, n, chance(m, 100000), n, n); break;
	case AWAIT: snprintf(out, room, "%sadd c 1; await x%d; put k%d %d", first, n, c->key, n); break;
	case ECHO: snprintf(out, room, "%sadd c 1; echounless w; echo w; get w; say v %d", first, n); break;
	case SCAN: snprintf(out, room, "%sscan 3 k; scan 100 e; get c", first); break;
	case FAILING: snprintf(out, room, "%sadd c 1000; put k%d -1; say v %d; say! d %d; emit Both d%d add e%d 1; timer t%d 10 E add f%d 1; fail ConflictException no",
		first, c->key, n, n, c->target, n, n, n); break;
	default: snprintf(out, room, "%sadd c 1; timer shared %u E add g 1", first, chance(m, 3000)); break;
	}
}

static void new_call(struct model *m)
{
	char script[400], thing[16];
	int n = m->calls;
	if (n == CALLS)
		return;
	struct call *c = &m->call[m->calls++];
	*c = (struct call){ (enum what)chance(m, WHATS), (int)chance(m, THINGS), (int)chance(m, KEYS), (int)chance(m, THINGS), 0, m->crashes };
	script_of(m, c, n, script, sizeof script);
	snprintf(thing, sizeof thing, "d%d", c->thing);
	trace(m, "call %d %s: %s", n, thing, script);
	c->place = sim_do(m->s, thing, script);
	assert_int_equal(c->place, n);
}

static void new_message(struct model *m)
{
	char topic[32], script[64];
	int thing = (int)chance(m, THINGS);
	snprintf(topic, sizeof topic, "sim/d%d/do", thing);
	snprintf(script, sizeof script, "get z; add m 1; say m%d %d", thing, m->messages[thing]++);
	trace(m, "message %s: %s", topic, script);
	assert_int_equal(sim_message(m->s, topic, script), 0);
}

static void new_envelope(struct model *m)
{
	char text[300];
	int n = snprintf(text, sizeof text, "{\"commands\":[{\"command\":\"Register\",\"script\":\"add first 1; put w/x 1\"},{\"command\":\"Oops\"},"
		"{\"command\":\"Register\",\"script\":\"add second 1; scan 5 w/\",\"correlationData\":%d}]}", m->envelopes++);
	trace(m, "envelope %d", m->envelopes - 1);
	assert_int_equal(sim_control(m->s, text, (size_t)n), 0);
}

/* Somebody else writes what the question of an await is made of: the one that is under way meets a conflict. */
static void foreign_write(struct model *m)
{
	char key[32], value[32];
	snprintf(key, sizeof key, "thing/d%u/w", chance(m, THINGS));
	snprintf(value, sizeof value, "{\"v\":%u}", chance(m, 100));
	trace(m, "foreign write %s=%s", key, value);
	sim_put(m->s, key, value);
}

static void crash_soon(struct model *m)
{
	static const char *const points[] = { "commit.before", "store.before", "store.durable", "commit.after", "release.before", "release.after", "broker.item" };
	m->s->crash_at = points[chance(m, sizeof points / sizeof *points)];
	m->s->crash_after = (int)chance(m, 6);
	trace(m, "will crash at %s after %d", m->s->crash_at, m->s->crash_after);
}

static void poison(struct model *m)
{
	static const char *const keys[] = { "thing/d0/k0", "thing/d1/c", "thing/d2/k1", "registry/e7", "thing/d3/e3" };
	m->s->store->poison = keys[chance(m, 5)];
	trace(m, "poison %s", m->s->store->poison);
}

static void fault(struct model *m)
{
	struct sim *s = m->s;
	unsigned n = chance(m, 14);
	trace(m, "fault %u", n);
	switch (n) {
	case 0: s->store->fail_reads = 1; break;
	case 1: s->store->fail_scans = 1; break;
	case 2: s->store->fail_commits = 1 + (int)chance(m, 3); break;
	case 3: s->store->conflict_commits = 1 + (int)chance(m, 3); break;
	case 4: s->store->held = true; break;
	case 5: case 6: s->store->held = false; break;
	case 7: poison(m); break;
	case 8: s->store->poison = NULL; break;
	case 9: s->wall_ms += (int64_t)chance(m, 100000) - 50000; break;
	case 10: m->memory = 1 + chance(m, 60); break;
	default: crash_soon(m); break;
	}
}

/* -- what must hold -- */

static int stored(struct model *m, int thing, const char *name, int n)
{
	char key[64];
	snprintf(key, sizeof key, name, thing, n);
	const char *text = sim_record(m->s, key);
	return text ? atoi(text + 5) : 0;
}

static void versions_grow(struct model *m)
{
	for (int t = 0; t < THINGS; t++)
		for (int k = 0; k < KEYS; k++) {
			char key[64];
			snprintf(key, sizeof key, "thing/d%d/k%d", t, k);
			uint64_t v = sim_version(m->s, key);
			assert_true(v >= m->newest[t][k]);
			assert_true(v <= m->s->store->store.seq);
			m->newest[t][k] = v;
		}
}

static int sent(struct model *m, const char *topic, int n)
{
	char line[64];
	snprintf(line, sizeof line, "publish %s=%d; ", topic, n);
	return sim_times_sent(m->s, line);
}

static bool accepted(struct model *m, int n)
{
	return m->s->answer[n].done && !m->s->answer[n].error;
}

static bool failed(struct model *m, int n)
{
	return m->s->answer[n].done && m->s->answer[n].error;
}

static void check_answers(struct model *m)
{
	int newest[THINGS];
	memset(newest, -1, sizeof newest);
	for (int n = 0; n < m->calls; n++) {
		const struct call *c = &m->call[n];
		const struct sim_answer *a = &m->s->answer[n];
		assert_true(a->count == 1 || (!a->count && c->epoch < m->crashes)); /* lost only in a crash */
		if (!a->done)
			continue;
		assert_true((int)a->order > newest[c->thing]);
		newest[c->thing] = (int)a->order;
		if (c->what == FAILING)
			assert_true(a->error == SK_E_CONFLICT || a->error == SK_E_UNAVAILABLE);
		else
			assert_true(!a->error || a->error == SK_E_UNAVAILABLE);
	}
}

static void check_values(struct model *m)
{
	for (int t = 0; t < THINGS; t++) {
		int least = 0, most = 0, last[KEYS];
		memset(last, 0, sizeof last);
		for (int n = 0; n < m->calls; n++) {
			const struct call *c = &m->call[n];
			if (c->thing != t || c->what == SCAN || c->what == FAILING)
				continue;
			least += accepted(m, n);
			most += !failed(m, n);
			if (accepted(m, n) && (c->what == PUT || c->what == AWAIT))
				last[c->key] = n;
		}
		assert_in_range(stored(m, t, "thing/d%d/c", 0), least, most);
		for (int k = 0; k < KEYS; k++)
			assert_true(stored(m, t, "thing/d%d/k%d", k) >= last[k]);
	}
}

/* echo told what was asked and what stood there when the call was stored: "N5","5". */
static void check_echo(struct model *m, int n)
{
	int first, asked, had;
	const char *text = m->s->answer[n].text, *at = strstr(text, "\"N");
	assert_non_null(at);
	if (sscanf(at, "\"N%d\",\"N%d\",\"%d\"", &first, &asked, &had) == 3)
		assert_int_equal(first, asked);
	else
		assert_true(sscanf(at, "\"N%d\",\"%d\"", &asked, &had) == 2 || !strncmp(at, "\"N0\",\"-\"", 8));
	if (strncmp(at, "\"N0\",\"-\"", 8))
		assert_int_equal(asked, had);
}

static void check_noise(struct model *m)
{
	char topic[16];
	for (int t = 0; t < THINGS; t++) {
		int said = 0;
		snprintf(topic, sizeof topic, "m%d", t);
		for (int n = 0; n < m->messages[t]; n++) {
			assert_true(sent(m, topic, n) <= 1);
			said += sent(m, topic, n);
		}
		assert_in_range(stored(m, t, "thing/d%d/m", 0), said, m->messages[t]);
	}
	int first = stored(m, 0, "registry/first", 0), second = stored(m, 0, "registry/second", 0);
	assert_in_range(first, 0, m->envelopes);
	assert_in_range(second, 0, m->envelopes);
	assert_true(sim_times_sent(m->s, "reply $CONTROL/skeeter/v1/response=") <= m->envelopes);
	if (!m->crashes)
		assert_int_equal(sim_times_sent(m->s, "reply $CONTROL/skeeter/v1/response="), m->envelopes);
}

static void check_effects_of(struct model *m, int n)
{
	const struct call *c = &m->call[n];
	bool ok = accepted(m, n), bad = failed(m, n);
	int made = 0;
	assert_true(sent(m, "v", n) <= 1);
	assert_true(sent(m, "f", n) <= 1);
	switch (c->what) {
	case DURABLE:
		made = sent(m, "d", n);
		break;
	case EMIT:
		made = stored(m, c->target, "thing/d%d/e%d", n);
		assert_int_equal(made > 0, stored(m, n, "registry/e%d", 0) > 0);
		break;
	case TIMER:
		made = stored(m, c->thing, "thing/d%d/f%d", n);
		assert_true(made <= 1);
		break;
	default:
		assert_int_equal(stored(m, c->target, "thing/d%d/e%d", n) + stored(m, c->thing, "thing/d%d/f%d", n) + sent(m, "d", n), 0);
		ok = false;
	}
	assert_true(!ok || made);
	assert_true(!bad || !made);
	if (bad)
		assert_int_equal(sent(m, "v", n) + sent(m, "f", n), 0);
}

static void check(struct model *m)
{
	struct sim *s = m->s;
	check_answers(m);
	check_values(m);
	versions_grow(m);
	for (int n = 0; n < m->calls; n++) {
		check_effects_of(m, n);
		if (m->call[n].what == ECHO && accepted(m, n))
			check_echo(m, n);
	}
	check_noise(m);
	for (int t = 0; t < THINGS; t++) {
		int shared = 0;
		for (int n = 0; n < m->calls; n++)
			shared += m->call[n].what == SHARED && m->call[n].thing == t;
		assert_in_range(stored(m, t, "thing/d%d/g", 0), 0, shared);
	}
	assert_int_equal(sim_count(s, SK_EFFECT), 0);
	assert_int_equal(sim_count(s, SK_TIMER), 0);
	for (size_t i = 0; i < s->store->table[SK_RECORD].count; i++)
		assert_null(strstr(s->store->table[SK_RECORD].at[i].key, "~timer"));
	for (int w = 0; w < s->workers; w++) {
		assert_int_equal(s->rt->worker[w]->partition_count, 0);
		for (int lane = 0; lane < SK_LANES; lane++)
			assert_int_equal(s->rt->worker[w]->inbox.bytes[lane], 0);
	}
}

/* -- one seed -- */

static void heal(struct model *m)
{
	struct sim *s = m->s;
	s->store->fail_reads = s->store->fail_scans = s->store->fail_commits = s->store->conflict_commits = 0;
	s->store->held = false;
	s->store->poison = NULL;
	s->crash_at = NULL;
	sim_settle(s);
	/* a call's time does not follow a clock that is put back, so timers may be due later than the clock says */
	for (int i = 0; i < 20 && (!i || sim_count(s, SK_TIMER)); i++)
		sim_advance(s, 130000);
	if (sim_count(s, SK_EFFECT)) { /* memory was out when one was to be done: it waits for the next start */
		sim_crash(s);
		m->crashes++;
		sim_advance(s, 1000);
	}
}

static void run_seed(uint64_t seed, bool tracing)
{
	struct model *m = calloc(1, sizeof *m);
	m->s = sim_new(seed, 1 + (int)(seed % 3));
	m->trace = tracing;
	if (seed % 4 == 0) {
		m->s->cache = 700;
		sk_runtime_set_cache(m->s->rt, 700);
	}
	for (int step = 0; step < 1500; step++) {
		unsigned starts = m->s->starts;
		if (chance(m, 6) == 0)
			new_call(m);
		if (chance(m, 40) == 0)
			fault(m);
		if (chance(m, 25) == 0)
			new_message(m);
		if (chance(m, 50) == 0)
			new_envelope(m);
		if (chance(m, 30) == 0)
			foreign_write(m);
		m->s->mono_us += chance(m, 3000);
		m->s->wall_ms += chance(m, 4);
		sk_arena_fail_after(m->memory);
		sim_step_any(m->s);
		sk_arena_fail_after(m->memory = 0);
		if (m->s->starts != starts) {
			m->crashes++;
			trace(m, "crash");
		}
		if (step % 50 == 0)
			versions_grow(m);
	}
	heal(m);
	check(m);
	sim_free(&m->s);
	free(m);
}

static uint64_t running;

static void accepted_writes_survive_any_order_of_faults(void **state)
{
	const char *one = getenv("SEED"), *many = getenv("SEEDS");
	uint64_t first = one ? strtoull(one, NULL, 10) : 1, last = one ? first : many ? strtoull(many, NULL, 10) : 300;
	(void)state;
	for (running = first; running <= last; running++)
		run_seed(running, one != NULL);
	running = 0;
}

static void say_which(void)
{
	if (running)
		fprintf(stderr, "it was seed %llu: SEED=%llu replays it\n", (unsigned long long)running, (unsigned long long)running);
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(accepted_writes_survive_any_order_of_faults) };
	atexit(say_which);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
