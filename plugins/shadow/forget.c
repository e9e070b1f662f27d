/* forget.c -- how long a deleted shadow's version is remembered, and what goes with a deleted thing.
 *
 * "Delete does not reset the counter; AWS forgets after some time": a tombstone keeps the version, a durable timer takes
 * the tombstone away. Both handlers may run twice. */
#include "plugins/shadow/shadows.h"

#include <string.h>

/* Records of a thing that one commit removes; the rest goes by the next event. */
enum { REMOVED_AT_ONCE = 100 };

static const char gone[] = "-gone";

/* By the key's end: "" and "/config" of a shadow or its tombstone. */
static const char *timer_name(struct sk_call *c, const char *suffix)
{
	return *suffix ? sk_printf(c->arena, "forget-shadow:%s", suffix + 1) : "forget-shadow";
}

void shadows_remember_version(struct sk_call *c, const struct shadows_target *t, const cJSON *tombstone)
{
	const struct shadows_state *s = c->state;
	cJSON *input = sk_json_object(c->arena);

	if (!s->version_memory)
		return;
	sk_json_set_string(c->arena, input, "thingName", t->thing);
	sk_json_set_string(c->arena, input, "shadowName", t->shadow);
	sk_json_set_int(c->arena, input, "version", sk_json_int_of(tombstone, "version", 0));
	sk_put(c, tombstone, "thing/%s/shadow-gone%s", t->thing, t->suffix);
	sk_timer_set(c, timer_name(c, t->suffix), c->now_ms + s->version_memory, "ForgetShadow", input);
}

void shadows_drop_tombstone(struct sk_call *c, const struct shadows_target *t)
{
	sk_remove(c, "thing/%s/shadow-gone%s", t->thing, t->suffix);
	sk_timer_clear(c, timer_name(c, t->suffix));
}

/* The version tells this tombstone from that of a later delete. */
int shadows_on_tombstone_due(struct sk_call *c)
{
	const struct shadows_target t =
		shadows_target(c, sk_json_text(c->in, "thingName"), sk_json_text(c->in, "shadowName"));
	const cJSON *tombstone = sk_get(c, "thing/%s/shadow-gone%s", t.thing, t.suffix);

	if (tombstone && sk_json_equal(sk_json_get(tombstone, "version"), sk_json_get(c->in, "version")))
		sk_remove(c, "thing/%s/shadow-gone%s", t.thing, t.suffix);
	return SK_OK;
}

/* The event may come late, to a thing that was registered again: what has been written since is that one's. */
static bool is_newer(struct sk_call *c, const char *thing, const char *end, uint64_t deleted)
{
	return sk_get(c, "registry/thing/%s", thing) && sk_version(c, "thing/%s/shadow%s", thing, end) > deleted;
}

static void forget_rest(struct sk_call *c, const char *thing, const char *after, uint64_t deleted)
{
	cJSON *rest = sk_json_object(c->arena);

	sk_json_set_string(c->arena, rest, "thingName", thing);
	sk_json_set_string(c->arena, rest, "after", after);
	sk_json_set_int(c->arena, rest, "deleted", (int64_t)deleted);
	sk_emit(c, "ForgetShadows", rest);
}

/* All keys of a thing's shadows begin alike, so that one scan finds classic, named, and what is left of deleted ones. */
int shadows_on_thing_deleted(struct sk_call *c)
{
	const char *thing = sk_json_text(c->in, "thingName");
	uint64_t deleted = (uint64_t)sk_json_int_of(c->in, "deleted", (int64_t)sk_event_version(c));
	struct sk_scan found = sk_scan(c, REMOVED_AT_ONCE, sk_json_text(c->in, "after"), "thing/%s/shadow", thing);

	for (size_t i = 0; i < found.count; i++) {
		const char *end = found.row[i].name;
		if (is_newer(c, thing, end, deleted))
			continue;
		sk_remove(c, "thing/%s/shadow%s", thing, end);
		if (strncmp(end, gone, strlen(gone)) == 0)
			sk_timer_clear(c, timer_name(c, end + strlen(gone)));
	}
	if (found.next)
		forget_rest(c, thing, found.next, deleted);
	return SK_OK;
}
