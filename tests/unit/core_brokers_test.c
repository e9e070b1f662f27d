/* core_brokers_test.c -- random lives of brokers that share a store: crashes, stores that are silent, answers that are lost, logs that are cut.
 *
 * LIVES=n of them (120), from FIRST on; a seed that fails says its number. In the end: each counter is what was accepted, and at most what was not
 * answered more; each accepted timer has fired once, each accepted effect was done at least once; what each broker's watch was told last is what is stored. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "tests/unit/sim_host.h"

enum { WORLDS = 3, THINGS = 4, WATCHED = 6, CALLS = 400, STEPS = 2500 };
enum what { ADD, TIMER, EFFECT, WATCH, WHATS };

struct call {
	enum what what;
	int world, place, thing;
	unsigned life;
};
static struct life {
	struct sim *s[WORLDS];
	int worlds;
	struct call call[CALLS];
	int calls;
	unsigned lives[WORLDS];
	uint64_t seed;
} m;

static void must(bool so, const char *what)
{
	if (!so)
		fail_msg("seed %llu: not so: %s", (unsigned long long)m.seed, what);
}
#define MUST(condition) must(condition, #condition)

static unsigned chance(unsigned below)
{
	return (unsigned)sim_random(m.s[0], below);
}

static void call_new(int w)
{
	char thing[16], script[120];
	if (m.calls == CALLS)
		return;
	int n = m.calls;
	struct call *c = &m.call[m.calls++];
	*c = (struct call){ .what = (enum what)chance(WHATS), .world = w, .thing = (int)chance(THINGS), .life = m.lives[w] };
	snprintf(thing, sizeof thing, "t%d", c->thing);
	switch (c->what) {
	case ADD: snprintf(script, sizeof script, "add n 1"); break;
	case TIMER: snprintf(script, sizeof script, "timer x%d %u E add fired%d 1", n, chance(2) ? chance(9000) : 60000 + chance(30000), n); break;
	case EFFECT: snprintf(script, sizeof script, "emit E %s add done%d 1", thing, n); break;
	default: snprintf(script, sizeof script, chance(4) ? "put w/k%u %d" : "del w/k%u", chance(WATCHED), n); break;
	}
	c->place = c->what == WATCH ? sim_operation(m.s[w], "Register", "-", script) : sim_do(m.s[w], thing, script);
}

static void fault_new(int w)
{
	struct sim *s = m.s[w];
	switch (chance(9)) {
	case 0:
		m.lives[w]++;
		sim_crash(s);
		break;
	case 1: s->store->silent = true; break;
	case 2: s->store->silent = false; break;
	case 3: s->store->lose_answers = 1 + (int)chance(3); break;
	case 4: s->store->fail_commits = 1; break;
	case 5: s->store->fail_reads = 1 + (int)chance(2); break;
	case 6: s->store->fail_scans = 1; break;
	case 7: sim_store_cut(s->store); break;
	default: s->store->conflict_commits = 1; break;
	}
}

static void time_goes_on(int64_t us)
{
	static int64_t left;
	left += us;
	for (int i = 0; i < m.worlds; i++) {
		m.s[i]->mono_us += us;
		m.s[i]->wall_ms += left / 1000;
	}
	left %= 1000;
}

static void live(void)
{
	for (int step = 0; step < STEPS; step++) {
		int w = (int)chance((unsigned)m.worlds);
		if (chance(6) == 0)
			call_new(w);
		if (chance(40) == 0)
			fault_new(w);
		sim_step_woken(m.s[chance((unsigned)m.worlds)]);
		time_goes_on(chance(8) ? chance(3000) : chance(60000));
	}
}

static void heal(void)
{
	for (int i = 0; i < m.worlds; i++) {
		struct sim_store *s = m.s[i]->store;
		s->silent = false;
		s->lose_answers = s->fail_commits = s->fail_reads = s->fail_scans = s->conflict_commits = 0;
		sim_wake(m.s[i], -1);
	}
	for (int64_t ms = 0; ms < 240000; ms += 100) {
		time_goes_on(100000);
		for (int i = 0; i < m.worlds; i++)
			sim_settle(m.s[i]);
	}
}

/* -- what must hold -- */

static bool was_accepted(const struct call *c)
{
	const struct sim_answer *a = &m.s[c->world]->answer[c->place];
	return a->done && !a->error;
}

static int number(const char *key)
{
	const char *text = sim_record(m.s[0], key);
	return text ? atoi(text + strlen("{\"v\":")) : 0;
}

static void check_call(int n, int *accepted, int *unknown)
{
	const struct call *c = &m.call[n];
	char key[64];
	snprintf(key, sizeof key, "thing/t%d/%s%d", c->thing, c->what == TIMER ? "fired" : "done", n);
	if (c->what == ADD) {
		accepted[c->thing] += was_accepted(c);
		unknown[c->thing] += !was_accepted(c);
	} else if (c->what == TIMER) {
		MUST(number(key) <= 1);
		MUST(number(key) == 1 || !was_accepted(c));
	} else if (c->what == EFFECT) {
		MUST(number(key) >= 1 || !was_accepted(c));
	}
}

static void check_watches(void)
{
	char name[16], key[64];
	for (int k = 0; k < WATCHED; k++)
		for (int i = 0; i < m.worlds; i++) {
			snprintf(name, sizeof name, "k%d", k);
			snprintf(key, sizeof key, "registry/w/%s", name);
			const char *stored = sim_record(m.s[0], key), *told = sim_index(m.s[i], name);
			MUST(!stored == !told);
			MUST(!stored || !told || !strcmp(stored, told));
			MUST(!m.s[i]->aside);
		}
}

static void check_end(void)
{
	int accepted[THINGS] = { 0 }, unknown[THINGS] = { 0 };
	char key[64];
	for (int n = 0; n < m.calls; n++)
		check_call(n, accepted, unknown);
	for (int i = 0; i < THINGS; i++) {
		snprintf(key, sizeof key, "thing/t%d/n", i);
		MUST(number(key) >= accepted[i]);
		MUST(number(key) <= accepted[i] + unknown[i]);
	}
	MUST(!sim_count(m.s[0], SK_EFFECT));
	MUST(!sim_count(m.s[0], SK_TIMER));
	check_watches();
}

static void run_seed(uint64_t seed)
{
	m = (struct life){ .seed = seed, .worlds = 2 + (int)(seed % 2) };
	for (int i = 0; i < m.worlds; i++)
		m.s[i] = sim_new_beside(i ? m.s[0] : NULL, seed * 10 + (uint64_t)i, 1 + (int)(seed % 3));
	live();
	heal();
	check_end();
	while (m.worlds)
		sim_free(&m.s[--m.worlds]);
}

static uint64_t from_environment(const char *name, uint64_t otherwise)
{
	const char *text = getenv(name);
	return text && *text ? strtoull(text, NULL, 10) : otherwise;
}

static void brokers_that_share_a_store_agree_in_the_end(void **state)
{
	uint64_t first = from_environment("FIRST", 1), lives = from_environment("LIVES", 120);
	(void)state;
	for (uint64_t seed = first; seed < first + lives; seed++)
		run_seed(seed);
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(brokers_that_share_a_store_agree_in_the_end) };
	return cmocka_run_group_tests(tests, NULL, NULL);
}
