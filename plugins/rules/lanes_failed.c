/* lanes_failed.c -- from a lane to the partition of the rule whose action has failed, and back: the item is done when that call's commit is. */
#include <stdlib.h>
#include <string.h>

#include "core/base64.h"
#include "core/invoke.h"
#include "core/threads.h"
#include "plugins/rules/dead_letters.h"
#include "plugins/rules/lanes.h"

enum { SAY_US = 60000000 };

struct failing {
	struct lane *lane;   /* kept */
	void *token;
	char *why;           /* behind the rule's name */
	char rule[];
};

/* -- the end -- */

static void say_dropped(struct sk_runtime *rt, const char *rule, int64_t n)
{
	static _Atomic int64_t last;
	int64_t now = sk_mono_us(), before = atomic_load(&last);

	SK_COUNT_BY(rt->count.dead_letters_dropped, (uint64_t)n);
	if ((!before || now - before >= SAY_US) && atomic_compare_exchange_strong(&last, &before, now))
		sk_log('w', "rules", "rule %s has more dead letters than are kept (plugin_opt_dead_letters): the oldest go", rule);
}

static void count(struct failing *f, const cJSON *out)
{
	struct rules_engine *e = f->lane->set->engine;
	struct live_rule *r = live_get(&e->table, f->rule);
	int64_t dropped = sk_json_int_of(out, "dropped", 0);

	if (sk_json_true(out, "dead"))
		SK_COUNT(e->rt->count.dead_letters);
	if (dropped)
		say_dropped(e->rt, f->rule, dropped);
	if (r) {
		live_note(r, sk_wall_ms(), f->why);
		atomic_fetch_add_explicit(&r->count.failed, 1, memory_order_release);
	}
	live_unref(r);
}

/* On a worker, or wherever the runtime ends. */
static void finished(struct sk_request *request, const struct sk_answer *a)
{
	struct failing *f = request->finish_ctx;

	if (!a->error)
		count(f, a->out);
	lane_settled(f->lane->run, f->token, !a->error);
	lane_ring(f->lane);
	lane_put(f->lane);
	free(f);
}

/* -- the begin -- */

static struct failing *failing_new(struct lane *l, const struct lane_failure *f)
{
	const char *rule = f->item->sink.rule;
	size_t n = strlen(rule) + 1, m = strlen(l->kind) + 2 + strlen(f->why) + 1;
	struct failing *to = malloc(sizeof *to + n + m);

	if (!to)
		return NULL;
	memcpy(to->rule, rule, n);
	to->why = to->rule + n;
	stpcpy(stpcpy(stpcpy(to->why, l->kind), ": "), f->why);
	to->lane = l;
	to->token = f->token;
	return to;
}

static cJSON *input_of(struct sk_arena *a, const struct lane_failure *f)
{
	cJSON *in = sk_json_object(a);
	char *item = sk_alloc_text(a, sk_base64_size(f->size) + 1);

	if (!item)
		return NULL;
	sk_base64_encode(f->record, f->size, item);
	item[sk_base64_size(f->size)] = '\0';
	sk_json_set_string(a, in, "ruleName", f->item->sink.rule);
	sk_json_set_string(a, in, "why", f->why);
	sk_json_set_int(a, in, "attempts", f->attempts);
	sk_json_set(a, in, "fields", f->fields ? sk_json_parse(a, f->fields, strlen(f->fields), NULL, NULL) : NULL);
	sk_json_set_string(a, in, "item", item);
	return in;
}

int lane_failed(void *ctx, const struct lane_failure *f)
{
	static const struct sk_caller us = { .kind = SK_INTERNAL, .client_id = "", .principal = "" };
	struct lane *l = ctx;
	struct sk_runtime *rt = l->set->engine->rt;
	struct sk_arena a = { 0 };
	size_t n = 0;
	const cJSON *in = input_of(&a, f);
	const char *text = sk_json_print(&a, in, &n), *message = NULL;
	struct failing *to = text && !a.failed ? failing_new(l, f) : NULL;
	const struct sk_invocation v = { .row = sk_runtime_event(rt, RULES_EVENT_FAILED), .internal = true, .caller = &us, .in = in, .text = text, .size = n,
		.finish = finished, .ctx = to, .depth = f->item->depth };
	int rc = -1;

	if (to) {
		lane_keep(l);
		rc = sk_runtime_invoke(rt, &v, &a, &message);
		if (rc)
			lane_put(l);
	}
	if (rc)
		free(to);
	sk_arena_free(&a);
	return rc ? -1 : 0;
}
