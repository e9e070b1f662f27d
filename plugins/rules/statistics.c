/* statistics.c -- see statistics.h: the counters and traces of the rules in force. */
#include "plugins/rules/statistics.h"

#include "plugins/rules/engine.h"
#include "plugins/rules/engine_unit.h"
#include "plugins/rules/engine_trace.h"

struct each {
	void (*fn)(void *ctx, const struct rules_statistics *s);
	void *ctx;
};

static void tell(void *ctx, struct live_rule *r)
{
	const struct each *to = ctx;
	struct sk_arena a = { 0 };
	struct rules_statistics s = { .name = r->name, .file = r->unit ? r->unit->name : NULL, .disabled = r->disabled || atomic_load(&r->broken),
		.matched = atomic_load(&r->count.matched), .passed = atomic_load(&r->count.passed), .failed = atomic_load(&r->count.failed),
		.dropped = atomic_load(&r->count.dropped), .ns = atomic_load(&r->count.ns) };
	s.last_error = live_last_error(r, &a, &s.last_error_ms);
	to->fn(to->ctx, &s);
	sk_arena_free(&a);
}

void rules_statistics_each(void *state, void (*fn)(void *ctx, const struct rules_statistics *s), void *ctx)
{
	struct each to = { fn, ctx };
	live_each(&((struct rules_state *)state)->engine->table, tell, &to);
}

/* Two that ask at once make two: one of them wins. */
static struct trace_log *log_of(struct live_rule *r)
{
	struct trace_log *log = atomic_load(&r->trace), *none = NULL;
	if (log)
		return log;
	log = trace_log_new();
	if (log && !atomic_compare_exchange_strong(&r->trace, &none, log)) {
		trace_log_free(log);
		log = none;
	}
	return log;
}

bool rules_trace_read(void *state, const char *rule, uint64_t after, struct sk_arena *a, cJSON *out)
{
	struct rules_engine *e = ((struct rules_state *)state)->engine;
	struct live_rule *r = live_get(&e->table, rule);
	struct trace_log *log = r ? log_of(r) : NULL;
	if (log) {
		trace_log_watch(log, e->rt->host->wall_ms(e->rt->host->ctx) + TRACE_WATCH_MS);
		trace_log_read(log, after, a, sk_json_set_array(a, out, "traces"));
	}
	live_unref(r);
	return r != NULL;
}
