/* message.c -- the message as a rule sees it: members of its document, and six names of its own.
 *
 * The six win over members of the same name: a device must not be able to say what its own topic or client is. m.payload is the
 * document alone, where no name is taken. */
#include <string.h>

#include "core/properties.h"
#include "lua-rules/internal.h"

static const char kind[] = "message";

static struct host_now *now_of(lua_State *L, int index)
{
	const uint64_t *serial = luaL_checkudata(L, index, kind);

	if (*serial != host_file(L)->serial)
		host_fail(L, "this message is over: keep what you need of it in state");
	return host_file(L)->now;
}

/* -- its own names -- */

static void push_topic(lua_State *L, const struct lua_message *m)
{
	lua_pushstring(L, m->topic);
}

/* A list of the topic's levels, from 1. Made once. */
static void push_levels(lua_State *L, const struct lua_message *m)
{
	const char *s = m->topic ? m->topic : "", *slash;

	if (lua_getiuservalue(L, 1, 1) != LUA_TNIL)
		return;
	lua_newtable(L);
	for (lua_Integer i = 1;; i++, s = slash + 1) {
		slash = strchrnul(s, '/');
		lua_pushlstring(L, s, (size_t)(slash - s));
		lua_seti(L, -2, i);
		if (!*slash)
			break;
	}
	lua_pushvalue(L, -1);
	lua_setiuservalue(L, 1, 1);
}

static void push_client(lua_State *L, const struct lua_message *m)
{
	lua_pushstring(L, m->client_id);
}

static void push_payload(lua_State *L, const struct lua_message *m)
{
	host_push_node(L, m->document);
}

static void push_raw(lua_State *L, const struct lua_message *m)
{
	lua_pushlstring(L, m->payload ? m->payload : "", m->payload ? m->size : 0);
}

/* -- m.mqtt: what MQTT says beside it -- */

static void set_text(lua_State *L, const char *key, const char *text, size_t n)
{
	lua_pushlstring(L, text, n);
	lua_setfield(L, -2, key);
}

static void set_string(lua_State *L, const char *key, const char *text)
{
	if (text)
		set_text(L, key, text, strlen(text));
}

/* user is a table of names; of the same name the last one counts. */
static void set_user(lua_State *L, const struct sk_property *p)
{
	lua_getfield(L, -1, "user");
	lua_pushlstring(L, p->text, p->size);
	lua_pushlstring(L, p->value, p->value_size);
	lua_rawset(L, -3);
	lua_pop(L, 1);
}

static void set_property(lua_State *L, const struct sk_property *p)
{
	switch (p->id) {
	case SK_PROPERTY_CONTENT_TYPE:
		set_text(L, "content_type", p->text, p->size);
		break;
	case SK_PROPERTY_RESPONSE_TOPIC:
		set_text(L, "response_topic", p->text, p->size);
		break;
	case SK_PROPERTY_CORRELATION_DATA:
		set_text(L, "correlation", p->text, p->size);
		break;
	case SK_PROPERTY_MESSAGE_EXPIRY:
		lua_pushinteger(L, p->number);
		lua_setfield(L, -2, "expiry");
		break;
	case SK_PROPERTY_USER_PROPERTY:
		set_user(L, p);
		break;
	default:
		break;
	}
}

static void push_mqtt(lua_State *L, const struct lua_message *m)
{
	const unsigned char *at = m->properties;
	struct sk_properties list = { .at = at, .end = at ? at + m->properties_size : at };
	struct sk_property p;

	lua_createtable(L, 0, 5);
	lua_pushinteger(L, m->qos);
	lua_setfield(L, -2, "qos");
	lua_pushboolean(L, m->retain);
	lua_setfield(L, -2, "retain");
	set_string(L, "principal", m->principal);
	set_string(L, "source_ip", m->source_ip);
	lua_newtable(L);
	lua_setfield(L, -2, "user");
	while (at && sk_properties_next(&list, &p))
		set_property(L, &p);
}

/* -- the table of names, and the rest -- */

static const struct {
	const char *name;
	void (*push)(lua_State *L, const struct lua_message *m);
} names[] = {
	{ "topic", push_topic },
	{ "levels", push_levels },
	{ "client", push_client },
	{ "payload", push_payload },
	{ "raw", push_raw },
	{ "mqtt", push_mqtt },
};

static int message_index(lua_State *L)
{
	const struct lua_message *m = now_of(L, 1)->message;
	const char *key = lua_type(L, 2) == LUA_TSTRING ? lua_tostring(L, 2) : "";

	for (size_t i = 0; i < sizeof names / sizeof *names; i++)
		if (strcmp(names[i].name, key) == 0) {
			names[i].push(L, m);
			return 1;
		}
	if (cJSON_IsObject(m->document)) {
		host_push_member(L, m->document, key);
		return 1;
	}
	if (!cJSON_IsArray(m->document))
		return 0;
	host_push_node(L, m->document);
	lua_pushvalue(L, 2);
	lua_gettable(L, -2);
	return 1;
}

static int message_newindex(lua_State *L)
{
	host_fail(L, "a message is read-only: json.copy(m) makes a table of it");
}

static int message_len(lua_State *L)
{
	host_push_node(L, now_of(L, 1)->message->document);
	lua_len(L, -1);
	return 1;
}

static int message_tostring(lua_State *L)
{
	const struct lua_message *m = now_of(L, 1)->message;

	if (m->document)
		host_push_node(L, m->document);
	else
		push_raw(L, m);
	luaL_tolstring(L, -1, NULL);
	return 1;
}

static int message_pairs(lua_State *L)
{
	host_push_node(L, now_of(L, 1)->message->document);
	if (!luaL_getmetafield(L, -1, "__pairs"))
		host_fail(L, "pairs: this message is no object and no list");
	lua_insert(L, -2);
	lua_call(L, 1, 3);
	return 3;
}

void host_push_message(lua_State *L)
{
	uint64_t *serial = lua_newuserdatauv(L, sizeof *serial, 1);

	*serial = host_file(L)->serial;
	luaL_setmetatable(L, kind);
}

bool host_is_message(lua_State *L, int index)
{
	if (!luaL_testudata(L, index, kind))
		return false;
	now_of(L, index);
	return true;
}

void host_open_messages(lua_State *L)
{
	static const luaL_Reg methods[] = { { "__index", message_index }, { "__newindex", message_newindex }, { "__len", message_len },
		{ "__tostring", message_tostring }, { "__pairs", message_pairs }, { NULL, NULL } };

	luaL_newmetatable(L, kind);
	luaL_setfuncs(L, methods, 0);
	lua_pushboolean(L, false);
	lua_setfield(L, -2, "__metatable");
	lua_pop(L, 1);
}
