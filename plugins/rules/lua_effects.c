/* lua_effects.c -- see lua_effects.h. All that a run changes is in one commit, and what it publishes leaves after that. */
#include "plugins/rules/lua_effects.h"

#include <string.h>

#include "core/base64.h"

/* -- messages -- */

static void set_bytes(struct sk_arena *a, cJSON *o, const char *key, const void *bytes, size_t n)
{
	size_t size = sk_base64_size(n);
	char *text = bytes ? sk_alloc_text(a, size + 1) : NULL;
	if (!text)
		return;
	sk_base64_encode(bytes, n, text);
	text[size] = '\0';
	sk_json_set_string(a, o, key, text);
}

static const void *bytes_of(struct sk_arena *a, const cJSON *o, const char *key, size_t *n)
{
	const char *text = sk_json_text(o, key);
	size_t size = text ? strlen(text) : 0;
	unsigned char *out = text ? sk_alloc(a, size + 1) : NULL;
	long decoded = out ? sk_base64_decode(text, size, out) : -1;
	*n = decoded < 0 ? 0 : (size_t)decoded;
	return decoded < 0 ? NULL : out;
}

cJSON *lua_publish_write(struct sk_arena *a, const char *topic, const struct sk_message *m)
{
	cJSON *o = sk_json_object(a), *users;
	sk_json_set_string(a, o, "topic", topic);
	set_bytes(a, o, "payload", m->payload ? m->payload : "", m->size);
	sk_json_set_int(a, o, "flags", m->flags & (SK_QOS1 | SK_RETAIN));
	if (m->utf8)
		sk_json_set_bool(a, o, "utf8", true);
	if (m->expiry_s)
		sk_json_set_int(a, o, "expiry", m->expiry_s);
	sk_json_set_string(a, o, "contentType", m->content_type);
	sk_json_set_string(a, o, "responseTopic", m->response_topic);
	set_bytes(a, o, "correlation", m->correlation, m->correlation_size);
	users = m->users ? sk_json_set_array(a, o, "user") : NULL;
	for (size_t i = 0; i < m->users; i++) {
		sk_json_append(users, sk_json_string(a, m->user[i].name));
		sk_json_append(users, sk_json_string(a, m->user[i].value));
	}
	return o;
}

static void read_users(struct sk_arena *a, const cJSON *list, struct sk_message *m)
{
	struct sk_user_property *user = sk_alloc(a, (size_t)sk_json_count(list) / 2 * sizeof *user + 1);
	for (const cJSON *n = list ? list->child : NULL; user && n && n->next; n = n->next->next)
		user[m->users++] = (struct sk_user_property){ n->valuestring, n->next->valuestring };
	m->user = user;
}

const char *lua_publish_read(struct sk_arena *a, const cJSON *one, struct sk_message *m)
{
	*m = (struct sk_message){ .flags = (int)sk_json_int_of(one, "flags", 0), .utf8 = sk_json_true(one, "utf8"),
		.expiry_s = (uint32_t)sk_json_int_of(one, "expiry", 0), .content_type = sk_json_text(one, "contentType"),
		.response_topic = sk_json_text(one, "responseTopic") };
	m->payload = bytes_of(a, one, "payload", &m->size);
	m->correlation = bytes_of(a, one, "correlation", &m->correlation_size);
	if (sk_json_get(one, "user"))
		read_users(a, sk_json_get(one, "user"), m);
	return sk_json_text(one, "topic");
}

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
