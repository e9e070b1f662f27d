/* dead_letters_failed.c -- an action has failed for good: a call of its rule's partition runs the error action of the rule as it is now, or keeps a dead letter.
 *
 * It may run again after a kill -9: a letter has its item's id, so it is the same one; what an error action sends may come twice. */
#include "plugins/rules/dead_letters.h"

#include <stdlib.h>
#include <string.h>

#include "core/base64.h"
#include "core/sink.h"
#include "plugins/rules/call_world.h"
#include "plugins/rules/dead_letters_keep.h"
#include "plugins/rules/destinations.h"
#include "plugins/rules/engine_destinations.h"
#include "plugins/rules/engine_thread.h"
#include "plugins/rules/lane.h"
#include "plugins/rules/topic_rules.h"
#include "rules/headers.h"

struct failed {
	struct sk_call *call;
	const struct lane_item *item;
	const char *why;
	struct sql_message message;
	struct rules_world world;
};

/* -- the message, as it was -- */

static void open_message(struct failed *f)
{
	struct sk_call *c = f->call;
	const struct lane_item *i = f->item;
	const struct rules_state *s = c->state;

	f->world = call_world(c);
	f->world.now_ms = i->sink.time_ms;
	f->message = (struct sql_message){ .topic = i->sink.topic, .payload = i->message ? i->message : "", .size = i->message_size,
		.client_id = i->sink.client_id, .principal = i->principal, .source_ip = i->source_ip, .account = s->account, .format = -1,
		.now_ms = i->sink.time_ms, .world = &f->world, .look = rules_look, .zone = call_world_zone };
	sk_random(c, f->message.seed, sizeof f->message.seed);
	if (i->properties_size)
		rules_headers(c->arena, i->properties, i->properties_size, &f->message);
	f->message.document = sk_json_parse(c->arena, f->message.payload, f->message.size, NULL, NULL);
}

/* -- what has failed: its action, if the rule still has it, and the field that the error document names -- */

static cJSON *resource_fields(struct sk_call *c, const struct rules_kind *kind, const char *value)
{
	cJSON *fields = sk_json_object(c->arena), *in = fields;
	const char *path = kind->resource, *dot = strchr(path, '.');

	if (dot)
		in = sk_json_set_object(c->arena, fields, sk_strndup(c->arena, path, (size_t)(dot - path)));
	sk_json_set_string(c->arena, in, dot ? dot + 1 : path, value);
	return fields;
}

static const struct rules_delivery *delivery_of(struct failed *f, const struct rules_rule *rule)
{
	struct sk_call *c = f->call;
	const struct rules_kind *kind = rules_kind(f->item->kind);
	struct rules_delivery *d = sk_alloc(c->arena, sizeof *d);
	struct rules_action *action = sk_alloc(c->arena, sizeof *action);
	const char *value = kind && kind->resource ? sk_sink_text(&f->item->sink, kind->resource) : NULL;

	if (!kind || !d || !action)
		return NULL;
	*action = (struct rules_action){ .kind = kind, .fields = sk_json_get(c->in, "fields"), .secret = f->item->secret };
	if (f->item->action >= 0 && f->item->action < rule->actions && rule->action[f->item->action].kind == kind)
		action->fields = rule->action[f->item->action].fields;
	*d = (struct rules_delivery){ .action = action, .fields = value ? resource_fields(c, kind, value) : action->fields, .error = f->why };
	return d;
}

/* -- the error action; NULL, or why it cannot be done -- */

static const char *republish(struct failed *f, const struct rules_delivery *d, const struct rules_outcome *o)
{
	struct rules_republish p = { 0 };
	const char *why = rules_republish(d, f->call->arena, &p);

	if (why)
		return why;
	p.message.payload = o->payload;
	p.message.size = o->size;
	p.message.flags = p.qos ? SK_QOS1 : SK_QOS0;
	sk_publish_message(f->call, &p.message, "%s", p.topic);
	return NULL;
}

/* Its id is the item's with the last digit changed: the same each time. */
static cJSON *letter_for(struct failed *f, const struct rules_delivery *d, const struct rules_outcome *o, const struct sk_sink *sink)
{
	struct sk_arena *a = f->call->arena;
	struct lane_item i = *f->item;
	char *id = sk_strdup(a, i.sink.id);
	size_t n = 0;
	cJSON *in = sk_json_object(a), *one = sk_json_append(sk_json_set_array(a, in, "letters"), sk_json_object(a));

	if (!id)
		return NULL;
	id[31] = id[31] == '0' ? '1' : '0';
	i.action = LANE_ERROR_ACTION;
	i.kind = d->action->kind->name;
	i.secret |= d->action->secret;
	i.sink.id = id;
	i.sink.payload = o->payload;
	i.sink.size = o->size;
	i.sink.field = sk_sink_flatten(d->fields, sink->connection, a, &i.sink.fields);
	const void *record = a->failed ? NULL : lane_item_write(a, &i, &n);
	sk_json_set_string(a, one, "kind", i.kind);
	sk_json_set(a, one, "fields", sk_json_copy(a, d->action->fields));
	sk_json_set_string(a, one, "item", record ? sk_base64_text(a, record, n) : NULL);
	return in;
}

static const char *send(struct failed *f, const struct rules_delivery *d, const struct rules_outcome *o)
{
	struct sk_call *c = f->call;
	void *state = NULL;
	const struct sk_sink *sink = sk_sink_find(d->action->kind->name, &state);
	const struct rules_state *s = c->state;
	const cJSON *out;
	const char *why = destinations_refuse(s->engine, d->action->kind->name, d->fields, c->arena);

	if (why)
		return why;
	if (!sink)
		return lane_missing(c->arena, d->action->kind->name);
	out = sk_await(c, dead_letters_send, letter_for(f, d, o, sink));
	return sk_void(c) ? NULL : sk_json_int_of(out, "sent", 0) ? NULL : sk_json_text(out, "why") ? sk_json_text(out, "why") : "memory is out";
}

static const char *error_action(struct failed *f, const struct rules_rule *rule)
{
	struct rules_outcome o = { 0 };
	const struct rules_delivery *failed = delivery_of(f, rule);
	int rc;

	open_message(f);
	rc = rules_evaluate_error(rule, &f->message, failed, failed ? 1 : 0, f->why, f->call->arena, &o);
	if (rc || !o.deliveries)
		return rc == SQL_LATER ? NULL : o.why ? o.why : "it cannot be evaluated";
	if (o.delivery->error)
		return o.delivery->error;
	return strcmp(o.delivery->action->kind->name, "republish") ? send(f, o.delivery, &o) : republish(f, o.delivery, &o);
}

/* NULL: done, or the run is void. Else why it is a dead letter. */
static const char *handle(struct failed *f)
{
	struct sk_call *c = f->call;
	const struct rules_state *s = c->state;
	const struct rules_settings settings = { .strict_aws = s->strict_aws };
	const cJSON *payload = topic_rule_payload(c, f->item->sink.rule);
	struct rules_error e = { 0 };
	const struct rules_rule *rule = NULL;
	const char *again;

	if (f->item->action == LANE_ERROR_ACTION)
		return sk_printf(c->arena, "the error action: %s", f->why);
	if (sk_json_get(payload, "errorAction") && sk_json_text(payload, "sql"))
		rule = rules_compile(c->arena, f->item->sink.rule, payload, &settings, &e);
	if (!rule || !rule->error_action)
		return f->why;
	again = error_action(f, rule);
	return again ? sk_printf(c->arena, "%s; the error action too: %s", f->why, again) : NULL;
}

int rules_on_failed(struct sk_call *c)
{
	const char *text = sk_json_text(c->in, "item"), *why = sk_json_text(c->in, "why");
	size_t n = text ? strlen(text) : 0;
	void *record = text ? sk_alloc(c->arena, n + 1) : NULL;
	long size = record ? sk_base64_decode(text, n, record) : -1;
	struct lane_item item;
	struct failed f = { .call = c, .item = &item, .why = why ? why : "" };

	if (size < 0 || lane_item_read(c->arena, record, (size_t)size, &item) || strcmp(item.sink.rule, c->home + strlen("rule/")))
		return sk_fail(c, SK_E_INVALID_REQUEST, "it is no item of that rule");
	if (!strcmp(item.sink.rule, DESTINATION_RULE))
		return destinations_failed(c, &item.sink, f.why);
	why = handle(&f);
	sk_json_set_bool(c->arena, c->out, "dead", why != NULL);
	if (why && !sk_void(c))
		sk_json_set_int(c->arena, c->out, "dropped", dead_letters_add(c, &item, text, why));
	return SK_OK;
}
