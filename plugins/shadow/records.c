/* records.c -- one request on one shadow: the engine between the records and the topics.
 *
 * Invariant: what is written and what is published come from the same result of the engine, or nothing does. */
#include "plugins/shadow/shadows.h"

struct shadows_target shadows_target(struct sk_call *c, const char *thing, const char *shadow)
{
	struct sk_arena *a = c->arena;

	if (!shadow)
		return (struct shadows_target){ thing, NULL, thing, "", sk_printf(a, "$aws/things/%s/shadow", thing) };
	return (struct shadows_target){
		.thing = thing,
		.shadow = shadow,
		.name = sk_printf(a, "%s~%s", thing, shadow),
		.suffix = sk_printf(a, "/%s", shadow),
		.topic = sk_printf(a, "$aws/things/%s/shadow/name/%s", thing, shadow),
	};
}

struct shadow_call shadows_engine(const struct sk_call *c, const struct shadows_target *t)
{
	const struct shadows_state *s = c->state;

	return (struct shadow_call){ .arena = c->arena, .limits = s->in_force, .now_ms = c->now_ms, .name = t->name };
}

/* The document, else the tombstone. */
static const cJSON *stored(struct sk_call *c, const struct shadows_target *t)
{
	const cJSON *document = sk_get(c, "thing/%s/shadow%s", t->thing, t->suffix);

	return document ? document : sk_get(c, "thing/%s/shadow-gone%s", t->thing, t->suffix);
}

static void tell(struct sk_call *c, const struct shadows_target *t, const char *what, const cJSON *document)
{
	if (document)
		sk_publish(c, SK_QOS1, document, "%s/%s", t->topic, what);
}

int shadows_update(struct sk_call *c, const struct shadows_target *t, const cJSON *request, struct shadow_result *out)
{
	const struct shadow_call engine = shadows_engine(c, t);
	const cJSON *before = stored(c, t);
	int rc = shadow_update(&engine, before, request, out);

	if (rc)
		return rc;
	sk_put(c, out->next, "thing/%s/shadow%s", t->thing, t->suffix);
	if (before && !sk_json_get(before, "state"))
		shadows_drop_tombstone(c, t);
	tell(c, t, "update/accepted", out->accepted);
	tell(c, t, "update/delta", out->delta);
	tell(c, t, "update/documents", out->documents);
	return SK_OK;
}

int shadows_get(struct sk_call *c, const struct shadows_target *t, const cJSON *request, struct shadow_result *out)
{
	const struct shadow_call engine = shadows_engine(c, t);

	return shadow_get(&engine, stored(c, t), request, out);
}

int shadows_delete(struct sk_call *c, const struct shadows_target *t, const cJSON *request, struct shadow_result *out)
{
	const struct shadow_call engine = shadows_engine(c, t);
	int rc = shadow_delete(&engine, stored(c, t), request, out);

	if (rc)
		return rc;
	sk_remove(c, "thing/%s/shadow%s", t->thing, t->suffix);
	shadows_remember_version(c, t, out->next);
	tell(c, t, "delete/accepted", out->accepted);
	return SK_OK;
}
