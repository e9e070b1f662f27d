/* seeds.c -- runs seeds: SEEDS=n of them from FIRST (1) on, or SEED=x alone, with a line for everything that happens.
 *
 * What a seed does follows from its number alone; the first seeds are run twice to prove it. At the end every named point must have
 * been crashed at. The count is printed as "sim: N passed, M failed"; a seed that fails prints the command that replays it. */
#include "tests/sim/memory.h"
#include "tests/sim/model.h"

#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { STEPS = 1500, TWICE = 28, ON_FILE = 9 /* each so many-th seed has the embedded store */, ENOUGH = 500, HANGS_S = 60 };

const char *const points[] = {
#include "points.inc"
	NULL
};
static unsigned long passings[POINTS_MOST], crashes[POINTS_MOST];
static uint64_t running, done, totals[3]; /* calls, crashes, messages */

/* -- when something is wrong -- */

static void say_how_to_replay(const char *why)
{
	fflush(stdout);
	fprintf(stderr, "seed %llu: %s\nreplay it with: make sim SEED=%llu\n", (unsigned long long)running, why, (unsigned long long)running);
	printf("sim: %llu passed, 1 failed\n", (unsigned long long)done);
	fflush(stdout);
	sim_file_remove_now();
	_exit(1);
}

void sim_fails(const struct model *m, const char *fmt, ...)
{
	char why[300];
	va_list ap;
	va_start(ap, fmt);
	vsnprintf(why, sizeof why, fmt, ap);
	va_end(ap);
	(void)m;
	say_how_to_replay(why);
	abort();
}

/* Asked to end: after the seed that runs, with the sum. */
static volatile sig_atomic_t enough;

static void on_end(int number)
{
	(void)number;
	enough = 1;
}

static void on_signal(int number)
{
	say_how_to_replay(number == SIGALRM ? "it does not end" : strsignal(number));
}

void trace(struct model *m, const char *fmt, ...)
{
	va_list ap;
	if (!m->trace)
		return;
	va_start(ap, fmt);
	vprintf(fmt, ap);
	va_end(ap);
	printf("\n");
}

unsigned chance(struct model *m, unsigned below)
{
	return (unsigned)sim_random(m->s, below);
}

/* -- hooks -- */

static void passed(void *ctx, const char *point, bool crash)
{
	struct model *m = ctx;
	for (int i = 0; points[i]; i++)
		if (!strcmp(points[i], point)) {
			passings[i]++;
			crashes[i] += crash;
			if (crash)
				trace(m, "  crash at %s", point);
			return;
		}
	sim_fails(m, "the point %s is not in the list", point);
}

static void crashing(void *ctx)
{
	struct model *m = ctx;
	sim_memory_world(true);
	m->crashes++;
	trace(m, "  the runtime starts again");
}

/* -- one seed -- */

static void one_step(struct model *m, bool by_wake_ups)
{
	struct sim *s = m->s;
	unsigned starts = s->starts;
	sim_memory_world(false);
	if (by_wake_ups)
		sim_step_woken(s);
	else
		sim_step_actor(s, (int)chance(m, (unsigned)s->workers + SIM_OTHERS));
	sim_memory_world(true);
	if (s->starts == starts)
		return;
	m->epoch++;
	m->dropped = true;
	devices_start(m);
}

static void live(struct model *m)
{
	bool by_wake_ups = m->seed % 3 != 0;
	unsigned pace = m->crowded ? 3 : 25;
	for (int step = 0; step < STEPS; step++) {
		unsigned starts = m->s->starts;
		if (chance(m, 6) == 0)
			call_new(m);
		if (chance(m, 30) == 0)
			fault_new(m);
		if (chance(m, pace) == 0)
			message_new(m);
		if (chance(m, 60) == 0)
			envelope_new(m);
		if (!m->calm && !m->s->on_file && chance(m, 30) == 0) /* the embedded store is its broker's alone */
			foreign_write(m);
		if (!m->calm && chance(m, 200) == 0)
			device_reconnect(m);
		if (m->s->starts != starts) {
			m->epoch++;
			m->dropped = true;
			devices_start(m);
		}
		m->s->mono_us += chance(m, 3000);
		m->s->wall_ms += chance(m, 4);
		m->wall_most = m->s->wall_ms > m->wall_most ? m->s->wall_ms : m->wall_most;
		one_step(m, by_wake_ups);
		if (step % 50 == 0)
			check_now(m);
	}
}

static void rest(struct model *m, int64_t ms)
{
	const char *left = sim_pass(m->s, ms);
	m->wall_most = m->s->wall_ms > m->wall_most ? m->s->wall_ms : m->wall_most;
	if (left)
		sim_fails(m, "%s", left);
}

/* A call's time does not follow a clock that is put back, so timers may be due later than the clock says. */
static void heal(struct model *m)
{
	faults_end(m);
	rest(m, 2000);
	for (int i = 0; i < 20 && sim_count(m->s, SK_TIMER); i++)
		rest(m, 130000);
}

static struct model *born(uint64_t seed, bool tracing)
{
	struct model *m = calloc(1, sizeof *m);
	int workers = 1 + (int)(seed % 3);
	struct sim *s = m->s = seed % ON_FILE ? sim_new(seed, workers) : sim_new_on_file(seed, workers);
	*m = (struct model){ .s = s, .seed = seed, .trace = tracing, .calm = seed % 8 == 0, .crowded = seed % 5 == 0, .memory_failed = sim_memory_failed() };
	memset(m->newest_put, -1, sizeof m->newest_put);
	m->faults = chance(m, 0x10000) | chance(m, 0x10000);
	s->heard = heard;
	s->was_answered = was_answered;
	s->passed = passed;
	s->finished = devices_finished;
	s->crashing = crashing;
	s->ctx = m;
	if (seed % 4 == 0)
		sk_runtime_set_cache(s->rt, s->cache = 700);
	if (s->on_file && !m->calm)
		s->crash_at = "checkpoint.done"; /* there are few, and at a time when little else happens */
	if (m->crowded)
		s->rt->inbox_limit = s->inbox = 48000;
	devices_start(m);
	return m;
}

static uint64_t run_seed(uint64_t seed, bool tracing)
{
	long before = sim_memory_live();
	struct model *m = born(seed, tracing);
	alarm(HANGS_S);
	live(m);
	heal(m);
	check_end(m);
	totals[0] += (uint64_t)m->calls;
	totals[1] += (uint64_t)m->crashes;
	totals[2] += (uint64_t)m->messages;
	uint64_t fingerprint = m->s->rng * 31 + m->s->store->store.seq * 7 + m->s->answered;
	sim_free(&m->s);
	alarm(0);
	if (sim_memory_live() != before)
		sim_fails(m, "%ld blocks of memory were not given back", sim_memory_live() - before);
	free(m);
	return fingerprint;
}

/* -- all of them -- */

static int points_left_out(void)
{
	int n = 0;
	for (int i = 0; points[i]; i++) {
		printf("  %-16s passed %lu times, crashed at %lu times\n", points[i], passings[i], crashes[i]);
		if (!crashes[i])
			fprintf(stderr, "the named point %s was never crashed at\n", points[i]);
		n += !crashes[i];
	}
	return n;
}

static uint64_t number(const char *name, uint64_t otherwise)
{
	const char *text = getenv(name);
	return text && *text ? strtoull(text, NULL, 10) : otherwise;
}

int main(void)
{
	uint64_t one = number("SEED", 0), first = one ? one : number("FIRST", 1), last = one ? one : first + number("SEEDS", 1000) - 1;
	for (int signals[] = { SIGABRT, SIGSEGV, SIGBUS, SIGFPE, SIGALRM }, i = 0; i < 5; i++)
		signal(signals[i], on_signal);
	signal(SIGTERM, on_end);
	signal(SIGINT, on_end);
	sim_memory_of_sqlite();
	sim_memory_world(true);
	for (running = first; running <= last && !enough; running++, done++) {
		uint64_t print = run_seed(running, one != 0);
		if (running - first < TWICE && run_seed(running, false) != print)
			sim_fails(NULL, "a second run of the same seed was another one");
	}
	printf("  %llu seeds: %llu calls, %llu messages, %llu crashes\n", (unsigned long long)done, (unsigned long long)totals[0],
	       (unsigned long long)totals[2], (unsigned long long)totals[1]);
	int missed = done >= ENOUGH ? points_left_out() : 0;
	printf("sim: %llu passed, %d failed\n", (unsigned long long)done, missed);
	return missed != 0;
}
