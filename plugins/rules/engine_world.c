/* engine_world.c -- what rules ask of the store: records as they are stored at that moment, read by the rule's own thread. Documents are the message's
 * arena's. */
#include "plugins/rules/engine_thread.h"

#include <stdlib.h>
#include <string.h>

#include "core/secrets.h"

const cJSON *world_record(struct rules_thread *t, const char *key, bool *failed)
{
	struct sk_store *store = t->engine->rt->store;
	struct sk_store_read read = { .space = SK_RECORD, .key = key };
	if (store->ops->read(store, &read, 1))
		*failed = true;
	if (!read.bytes)
		return NULL;
	const cJSON *document = sk_json_parse(&t->arena, read.bytes->data, read.bytes->size, NULL, NULL);
	sk_bytes_unref(read.bytes);
	return document;
}

/* A store that does not answer: "later" is all that a look-up knows of it, and nobody waits for that here (WORLD_SILENT). */
static const cJSON *record(void *context, const char *key, bool *later)
{
	return world_record(context, key, later);
}

struct names {
	struct sk_arena *a;
	cJSON *list;
	size_t prefix;
};

static int add_name(void *ctx, const struct sk_scan_item *item)
{
	struct names *n = ctx;
	sk_json_append(n->list, sk_json_string(n->a, item->key + n->prefix));
	free(item->key);
	sk_bytes_unref(item->bytes);
	return 0;
}

static const cJSON *names(void *context, const char *prefix, int most, bool *later)
{
	struct rules_thread *t = context;
	struct sk_store *store = t->engine->rt->store;
	struct names n = { .a = &t->arena, .list = sk_json_array(&t->arena), .prefix = strlen(prefix) };
	struct sk_store_scan scan = { .space = SK_RECORD, .prefix = prefix, .limit = (size_t)most, .fn = add_name, .ctx = &n };
	if (!store->ops->scan(store, &scan))
		return n.list;
	*later = true;
	return NULL;
}

static const char *secret(void *context, const char *name, const char *key)
{
	return sk_secret(&((struct rules_thread *)context)->arena, name, key);
}

void world_open(struct rules_thread *t, struct rules_world *w, int64_t now_ms)
{
	*w = (struct rules_world){ .arena = &t->arena, .arn = t->engine->arn, .now_ms = now_ms, .context = t,
		.record = record, .names = names, .secret = secret };
}
