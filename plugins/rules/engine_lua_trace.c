/* engine_lua_trace.c -- what a run of a Lua rule did, for whoever watches the rule: as a trace of SQL, with effects for actions. */
#include <string.h>

#include "core/utf8.h"
#include "plugins/rules/engine_lua.h"
#include "plugins/rules/engine_trace.h"

static cJSON *action(struct sk_arena *a, cJSON *list, const char *name)
{
	cJSON *one = sk_json_append(list, sk_json_object(a));
	sk_json_set_string(a, one, "action", name);
	return sk_json_set_object(a, one, "fields");
}

static void show_publish(struct sk_arena *a, cJSON *fields, const struct lua_effect *e)
{
	const char *payload = e->message.payload ? e->message.payload : "";
	cJSON *document = sk_json_parse(a, payload, e->message.size, NULL, NULL);
	sk_json_set_string(a, fields, "topic", e->name);
	if (document || (sk_utf8_valid(payload, e->message.size) && !memchr(payload, 0, e->message.size)))
		sk_json_set(a, fields, "payload", document ? document : sk_json_stringn(a, payload, e->message.size));
	else
		sk_json_set_int(a, fields, "payloadBytes", (int64_t)e->message.size);
	sk_json_set_int(a, fields, "qos", e->message.flags & SK_QOS1);
	if (e->message.flags & SK_RETAIN)
		sk_json_set_bool(a, fields, "retain", true);
}

static void show_document(struct sk_arena *a, cJSON *fields, const struct lua_effect *e)
{
	sk_json_set_string(a, fields, e->kind == LUA_SET_STATE ? "key" : "name", e->name);
	if (e->document)
		sk_json_set(a, fields, e->kind == LUA_SET_STATE ? "value" : "document", e->kind == LUA_ACTION ? rules_without_secrets(a, e->document) : sk_json_copy(a, e->document));
	if (e->kind == LUA_SET_TIMER)
		sk_json_set(a, fields, "due", sk_json_time(a, e->due_ms));
}

static void show_effect(struct sk_arena *a, cJSON *list, const struct lua_effect *e)
{
	switch (e->kind) {
	case LUA_PUBLISH: show_publish(a, action(a, list, "publish"), e); break;
	case LUA_SET_STATE: show_document(a, action(a, list, "state.set"), e); break;
	case LUA_SET_TIMER: show_document(a, action(a, list, "timer.set"), e); break;
	case LUA_CLEAR_TIMER: show_document(a, action(a, list, "timer.clear"), e); break;
	case LUA_ACTION: show_document(a, action(a, list, e->name), e); break;
	case LUA_LOG: sk_json_set_string(a, action(a, list, "log"), "line", e->name); break;
	}
}

void lua_trace(const struct lua_run *run, const struct work *w, const cJSON *document, int rc, const struct lua_outcome *o)
{
	struct trace_log *log = atomic_load_explicit(&run->rule->trace, memory_order_acquire);
	struct sk_arena *a = &run->thread->arena;
	if (!log || !trace_log_watched(log, w->m->now_ms))
		return;
	cJSON *entry = sk_json_object(a), *told, *list;
	sk_json_set(a, entry, "time", sk_json_time(a, w->m->now_ms));
	sk_json_set_string(a, entry, "topic", w->sql.topic);
	sk_json_set_string(a, entry, "clientId", w->sql.client_id);
	told = sk_json_set_object(a, entry, "trace");
	sk_json_set_bool(a, told, "matched", o->matched);
	if (document)
		sk_json_set(a, told, "message", sk_json_copy(a, document));
	list = sk_json_set_array(a, told, "actions");
	for (const struct lua_effect *e = rc ? NULL : o->effects; e; e = e->next)
		show_effect(a, list, e);
	if (rc)
		sk_json_set_string(a, told, "error", o->why);
	trace_log_add(log, a, entry);
}
