/* lua_effects.c -- see lua_effects.h. All that a run changes is in one commit, and what it publishes leaves after that. */
#include "plugins/rules/lua_effects.h"

#include <string.h>

#include "lua-rules/effects.h"

cJSON *lua_timer_write(struct sk_arena *a, const struct lua_effect *e)
{
	cJSON *o = sk_json_object(a);
	sk_json_set_string(a, o, "name", e->name);
	if (e->kind == LUA_SET_TIMER) {
		sk_json_set_int(a, o, "due", e->due_ms);
		sk_json_set(a, o, "document", e->document ? sk_json_copy(a, e->document) : NULL);
	}
	return o;
}

/* -- in a call -- */

static int check_state(struct sk_call *c, const cJSON *list)
{
	SK_JSON_EACH(one, list) {
		const cJSON *now = sk_get(c, "%s", sk_json_text(one, "key"));
		if (!sk_void(c) && sk_json_int_of(now, "n", 0) != sk_json_int_of(one, "was", 0))
			return sk_fail(c, SK_E_CONFLICT, "the state of rule %s has changed meanwhile", c->home + strlen("rule/"));
	}
	return SK_OK;
}

static void put_state(struct sk_call *c, const cJSON *one)
{
	const cJSON *value = sk_json_get(one, "value");
	cJSON *record;
	if (!value) {
		sk_remove(c, "%s", sk_json_text(one, "key"));
		return;
	}
	record = sk_json_object(c->arena);
	sk_json_set(c->arena, record, "v", sk_json_copy(c->arena, value));
	sk_json_set_int(c->arena, record, "n", sk_json_int_of(one, "n", 1));
	sk_put(c, record, "%s", sk_json_text(one, "key"));
}

static void set_timer(struct sk_call *c, const char *rule, const cJSON *one)
{
	const char *name = sk_json_text(one, "name");
	cJSON *input = sk_json_object(c->arena);
	const cJSON *document = sk_json_get(one, "document");
	if (!sk_json_get(one, "due")) {
		sk_timer_clear(c, name);
		return;
	}
	sk_json_set_string(c->arena, input, "ruleName", rule);
	sk_json_set_string(c->arena, input, "name", name);
	if (document)
		sk_json_set(c->arena, input, "document", sk_json_copy(c->arena, document));
	sk_timer_set(c, name, sk_json_int_of(one, "due", 0), LUA_EVENT_TIMER, input);
}

int lua_effects_apply(struct sk_call *c, const cJSON *effects)
{
	int rc = check_state(c, sk_json_get(effects, "state"));
	if (rc)
		return rc;
	SK_JSON_EACH(one, sk_json_get(effects, "state"))
		if (sk_json_get(one, "n"))
			put_state(c, one);
	SK_JSON_EACH(one, sk_json_get(effects, "timers"))
		set_timer(c, sk_json_text(effects, "ruleName"), one);
	SK_JSON_EACH(one, sk_json_get(effects, "publish")) {
		struct sk_message m;
		const char *topic = lua_publish_read(c->arena, one, &m);
		sk_publish_message(c, &m, "%s", topic);
	}
	return SK_OK;
}

int lua_on_effects(struct sk_call *c)
{
	return lua_effects_apply(c, c->in);
}
