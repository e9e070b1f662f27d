/* engine_deliver.c -- what actions do. Republish is here; every other action goes to somewhere outside. */
#include "plugins/rules/engine_thread.h"

#include <stdlib.h>
#include <string.h>

#include "core/properties.h"

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

static const struct { const char *kind; const char *(*deliver)(struct rules_thread *, const struct rules_delivery *, const struct rules_outcome *, int); } sinks[] = {
	{ "republish", republish },
};

const char *deliver(struct rules_thread *t, const struct rules_delivery *d, const struct rules_outcome *o, int depth)
{
	for (size_t i = 0; i < sizeof sinks / sizeof *sinks; i++)
		if (!strcmp(sinks[i].kind, d->action->kind->name))
			return sinks[i].deliver(t, d, o, depth);
	return sk_printf(&t->arena, "nothing here carries out %s actions", d->action->kind->name);
}
