/* engine_deliver.c -- what actions do. Republish is here; every other action becomes an item of the lane (lane.h) that leads to where it goes. */
#include "plugins/rules/engine_thread.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "core/check.h"
#include "core/properties.h"
#include "plugins/rules/engine_destinations.h"
#include "plugins/rules/engine_lua.h"
#include "plugins/rules/lane.h"

const char *deliver_publish(struct rules_thread *t, const char *topic, const struct sk_message *m, int depth)
{
	size_t n = 0;
	const void *properties = sk_properties_write(&t->arena, m, &n);
	if (depth >= SK_MAX_DEPTH_OF_PUBLISHES)
		return "eight publishes of ours have led to this one: it ends here";
	struct sk_outgoing *item = t->arena.failed ? NULL : sk_out_add(&t->out, SK_OUT_PUBLISH, topic, NULL, m->payload ? m->payload : "", m->size);
	if (!item)
		return "memory is out";
	item->qos = m->flags & SK_QOS1 ? 1 : 0;
	item->retain = (m->flags & SK_RETAIN) != 0;
	item->depth = depth + 1;
	item->properties = n ? malloc(n) : NULL;
	if (item->properties)
		memcpy(item->properties, properties, n);
	item->properties_size = item->properties ? n : 0;
	return n && !item->properties ? "memory is out" : NULL;
}

static const char *republish(struct rules_thread *t, const struct rules_delivery *d, const struct rules_outcome *o, int depth)
{
	struct rules_republish p = { 0 };
	const char *why = rules_republish(d, &t->arena, &p);
	if (why)
		return why;
	p.message.payload = o->payload;
	p.message.size = o->size;
	p.message.flags = p.qos ? SK_QOS1 : SK_QOS0;
	return deliver_publish(t, p.topic, &p.message, depth);
}

/* -- to a lane -- */

static uint64_t mix(uint64_t h, uint64_t v)
{
	h = (h ^ v) * UINT64_C(0x9e3779b97f4a7c15);
	return h ^ h >> 29;
}

/* The time, the message, and what of it: the same when it is evaluated again after a kill -9. Ids sort as messages came. */
static const char *id_of(struct sk_arena *a, int64_t time_ms, uint64_t number, const char *rule, int action)
{
	uint64_t name = mix(sk_check(rule, strlen(rule)), sk_hash(rule, strlen(rule))), what = mix(mix(name, (uint64_t)action + 2), number);

	return sk_printf(a, "%012" PRIx64 "%010" PRIx64 "%010" PRIx64, (uint64_t)time_ms & 0xffffffffffff, number & 0xffffffffff, what & 0xffffffffff);
}

static void add_message(struct lane_item *i, const struct work *w)
{
	const struct rules_message *m = w->m;

	i->sink.topic = w->sql.topic ? w->sql.topic : "";
	i->sink.client_id = w->sql.client_id;
	i->principal = w->sql.principal;
	i->source_ip = w->sql.source_ip;
	i->message = w->sql.payload;
	i->message_size = w->sql.size;
	i->qos = m->qos;
	i->depth = m->depth;
	i->retain = m->retain;
	i->basic = m->basic;
	i->properties = message_text(m, m->properties);
	i->properties_size = m->properties_size;
}

static const char *send(struct rules_thread *t, const struct work *w, struct live_rule *r, const struct rules_delivery *d, const struct rules_outcome *o)
{
	const struct rules_rule *program = atomic_load_explicit(&r->compiled, memory_order_relaxed);
	int action = d->action == program->error_action ? LANE_ERROR_ACTION : (int)(d->action - program->action);
	const char *why = NULL;
	struct lane *l = lanes_of(t->engine->lanes, r, program, action, &t->arena, &why);
	struct lane_item i = { .action = action, .kind = d->action->kind->name, .secret = program->secret || d->action->secret, .sink = { .rule = r->name, .time_ms = w->m->now_ms } };

	if (!l || (why = destinations_refuse(t->engine, d->action->kind->name, d->fields, &t->arena)))
		return why;
	add_message(&i, w);
	i.sink.payload = o->payload;
	i.sink.size = o->size;
	i.sink.id = id_of(&t->arena, w->m->now_ms, w->m->number, r->name, action);
	i.sink.field = sk_sink_flatten(d->fields, lane_sink(l)->connection, &t->arena, &i.sink.fields);
	return t->arena.failed ? "memory is out" : lane_add(l, t, w->m, &i);
}

const char *deliver_lua(struct lua_run *run, const struct lua_effect *e, int serial)
{
	const struct work *w = run->work;
	struct rules_thread *t = run->thread;
	const char *why = NULL;
	const struct rules_kind *kind = rules_kind(e->name);
	struct lane *l = kind ? lane_get(t->engine->lanes, e->name, e->document, &t->arena, &why) : NULL;
	struct lane_item i = { .action = serial, .kind = e->name, .secret = rules_holds_secret(e->document), .sink = { .rule = run->rule->name, .time_ms = run->now_ms, .topic = "",
		.payload = e->message.payload ? e->message.payload : "", .size = e->message.size } };

	if (!l)
		return kind ? why : sk_printf(&t->arena, "there is no action %s", e->name);
	if ((why = destinations_refuse(t->engine, e->name, e->document, &t->arena))) {
		lane_put(l);
		return why;
	}
	if (w)
		add_message(&i, w);
	i.sink.id = id_of(&t->arena, run->now_ms, w ? w->m->number : (uint64_t)run->number, run->rule->name, serial);
	i.sink.field = sk_sink_flatten(e->document, lane_sink(l)->connection, &t->arena, &i.sink.fields);
	if (t->arena.failed)
		why = "memory is out";
	else
		why = w ? lane_add(l, t, w->m, &i) : lane_append(l, &i) ? "its lane has no room" : NULL;
	lane_put(l);
	return why;
}

/* -- an action -- */

const char *deliver(struct rules_thread *t, const struct work *w, struct live_rule *r, const struct rules_delivery *d, const struct rules_outcome *o)
{
	return strcmp(d->action->kind->name, "republish") ? send(t, w, r, d, o) : republish(t, d, o, w->m->depth);
}
