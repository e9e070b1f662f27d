/* lua_world.c -- see lua_world.h. */
#include "tests/unit/lua_world.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

#include "core/properties.h"

static const char payload_of_bodies[] =
	"{\"temp\":21.5,\"n\":7,\"big\":9007199254740993,\"huge\":18446744073709551616,\"name\":\"Ada\",\"none\":null,\"yes\":true,"
	"\"site\":{\"hall\":\"B\",\"rows\":[1,2,3]},\"list\":[10,\"x\",null,{\"a\":1}],\"empty\":[],\"topic\":\"forged\",\"client\":\"forged\"}";

static int64_t clock_us(void *ctx)
{
	struct timespec t;

	(void)ctx;
	clock_gettime(CLOCK_MONOTONIC, &t);
	return (int64_t)t.tv_sec * 1000000 + t.tv_nsec / 1000;
}

struct lua_limits try_limits(void)
{
	return (struct lua_limits){ .time_us = INT64_C(600000000), .now_us = clock_us };
}

struct lua_try *try_file(const char *text, const struct lua_limits *limits)
{
	struct lua_limits usual = try_limits();
	struct lua_try *t = calloc(1, sizeof *t);
	char why[600];

	assert_non_null(t);
	t->file = lua_file_load("a.lua", text, strlen(text), lua_shipped, limits ? limits : &usual, why, sizeof why);
	if (!t->file)
		fail_msg("%s", why);
	t->now_ms = 1700000000000;
	return t;
}

const char *try_bad_file(const char *text)
{
	static char why[600];
	struct lua_limits usual = try_limits();
	struct lua_file *f = lua_file_load("a.lua", text, strlen(text), lua_shipped, &usual, why, sizeof why);

	if (f)
		fail_msg("it loads: %s", text);
	return why;
}

void try_free(struct lua_try **t)
{
	lua_file_free(&(*t)->file);
	sk_arena_free(&(*t)->arena);
	free(*t);
	*t = NULL;
}

const cJSON *try_json(struct lua_try *t, const char *text)
{
	cJSON *node = sk_json_parse(&t->arena, text, strlen(text), NULL, NULL);

	assert_non_null(node);
	return node;
}

static int ask(void *ctx, enum lua_ask what, const char *a, const char *b, struct sk_arena *arena, const cJSON **out, const char **why)
{
	const struct lua_try *t = ctx;
	const cJSON *from = what == LUA_STATE ? t->state : what == LUA_SHADOW ? t->shadow : t->thing;

	if (t->fail) {
		*why = "the store is away";
		return t->fail;
	}
	*out = sk_json_get(from, b ? sk_printf(arena, "%s/%s", a, b) : a);
	return 0;
}

static const char *line_of(struct sk_arena *a, const struct lua_effect *e)
{
	const char *document = e->document ? sk_json_print(a, e->document, NULL) : "nil";

	switch (e->kind) {
	case LUA_PUBLISH:
		return sk_printf(a, "%s %.*s%s%s", e->name, (int)e->message.size, (const char *)e->message.payload,
		                 e->message.flags & SK_QOS1 ? " qos1" : "", e->message.flags & SK_RETAIN ? " retain" : "");
	case LUA_SET_STATE:
		return sk_printf(a, "state %s %s", e->name, document);
	case LUA_SET_TIMER:
		return sk_printf(a, "timer %s %lld %s", e->name, (long long)e->due_ms, document);
	case LUA_CLEAR_TIMER:
		return sk_printf(a, "clear %s", e->name);
	case LUA_ACTION:
		return sk_printf(a, "%s %s %.*s", e->name, document, (int)e->message.size, (const char *)e->message.payload);
	default:
		return sk_printf(a, "log %s", e->name);
	}
}

static const char *said(struct lua_try *t)
{
	struct sk_arena *a = &t->arena;
	const char *text = "";

	if (t->rc != SK_OK) {
		assert_null(t->out.effects);
		assert_non_null(t->out.why);
		return sk_printf(a, "error: %s", t->out.why);
	}
	if (!t->out.matched)
		return "no";
	for (const struct lua_effect *e = t->out.effects; e; e = e->next)
		text = sk_printf(a, "%s%s%s", text, *text ? "\n" : "", line_of(a, e));
	return text;
}

static struct lua_world world(struct lua_try *t)
{
	return (struct lua_world){ .ctx = t, .ask = ask, .now_ms = t->now_ms, .seed = "0123456789abcde" };
}

const char *try_run(struct lua_try *t, const char *topic, const char *payload)
{
	static const struct sk_user_property user[] = { { "line", "7" }, { "unit", "C" } };
	static const struct sk_message properties = { .content_type = "application/json", .response_topic = "answers", .user = user, .users = 2, .expiry_s = 60 };
	struct lua_world w = world(t);
	struct lua_message m = { .topic = topic, .payload = payload, .size = strlen(payload), .client_id = "client-1", .principal = "p", .source_ip = "192.0.2.7",
		.qos = 1, .document = sk_json_parse(&t->arena, payload, strlen(payload), NULL, NULL) };

	m.properties = sk_properties_write(&t->arena, &properties, &m.properties_size);
	t->rc = lua_rule_run(t->file, 0, &m, &w, &t->arena, &t->out);
	return said(t);
}

const char *try_function(struct lua_try *t, const char *name, const char *event)
{
	struct lua_world w = world(t);
	const cJSON *answer, *const arguments[] = { event ? try_json(t, event) : NULL, try_json(t, "{\"awsRequestId\":\"1\"}") };

	t->rc = lua_function_run(t->file, name, arguments, &w, &t->arena, &t->out, &answer);
	const char *text = said(t);
	return t->rc ? text : sk_printf(&t->arena, "%s%s= %s", text, *text ? "\n" : "", sk_json_print(&t->arena, answer, NULL));
}

const char *try_timer(struct lua_try *t, const char *name, const char *data)
{
	struct lua_world w = world(t);

	t->rc = lua_rule_timer(t->file, 0, name, data ? try_json(t, data) : NULL, &w, &t->arena, &t->out);
	return said(t);
}

const char *try_body(const char *body)
{
	static char said_before[20000];
	char *text = malloc(strlen(body) + 200);
	struct lua_try *t;

	assert_non_null(text);
	sprintf(text, "rule \"r\" { topic = \"#\", run = function(m) %s\nend, timer = function() end }", body);
	t = try_file(text, NULL);
	free(text);
	snprintf(said_before, sizeof said_before, "%s", try_run(t, "factory/hall-3/temperature", payload_of_bodies));
	try_free(&t);
	return said_before;
}
