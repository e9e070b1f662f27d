/* effects.c -- see effects.h. */
#include "lua-rules/effects.h"

#include <string.h>

#include "core/base64.h"

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
