/* later.c -- a plugin for tests with timers and durable effects: SayLater {thingName, ms} publishes `later/THING` when that time has come and counts it in the
 * shadow-like record thing/THING/said; SayWhen {thingName} does so as soon as somebody has called LetThemSpeak; HowOften {thingName} tells the count. */
#include "core/plugin.h"

static int say(struct sk_call *c)
{
	int64_t n = sk_json_int_of(sk_get(c, "%s/said", c->home), "n", 0) + 1;
	cJSON *record = sk_json_object(c->arena);
	const char *thing = c->home + sizeof "thing/" - 1;

	sk_json_set_int(c->arena, record, "n", n);
	sk_put(c, record, "%s/said", c->home);
	sk_publish(c, SK_QOS1, record, "later/%s", thing);
	return SK_OK;
}

static int say_when(struct sk_call *c)
{
	return sk_get(c, "registry/test/speak") || sk_void(c) ? say(c) : sk_fail(c, SK_E_UNAVAILABLE, "not yet");
}

static cJSON *input(struct sk_call *c)
{
	cJSON *in = sk_json_object(c->arena);

	sk_json_set_string(c->arena, in, "thingName", sk_json_text(c->in, "thingName"));
	return in;
}

static int SayLater(struct sk_call *c)
{
	sk_timer_set(c, "later", c->now_ms + sk_json_int_of(c->in, "ms", 0), "test:say", input(c));
	return SK_OK;
}

static int SayWhen(struct sk_call *c)
{
	sk_emit(c, "test:say-when", input(c));
	return SK_OK;
}

static int LetThemSpeak(struct sk_call *c)
{
	sk_put(c, sk_json_object(c->arena), "registry/test/speak");
	return SK_OK;
}

static int HowOften(struct sk_call *c)
{
	sk_json_set_int(c->arena, c->out, "n", sk_json_int_of(sk_get(c, "%s/said", c->home), "n", 0));
	return SK_OK;
}

static const struct sk_op ops[] = {
	{ .name = "SayLater", .verb = SK_POST, .route = "/test/later/{thingName}", .partition = "thing/{thingName}", .inputs = "ms:Integer", .handler = SayLater },
	{ .name = "SayWhen", .verb = SK_POST, .route = "/test/when/{thingName}", .partition = "thing/{thingName}", .inputs = "", .handler = SayWhen },
	{ .name = "LetThemSpeak", .verb = SK_POST, .route = "/test/speak", .partition = "registry", .inputs = "", .handler = LetThemSpeak },
	{ .name = "HowOften", .verb = SK_GET, .route = "/test/often/{thingName}", .partition = "thing/{thingName}", .inputs = "", .handler = HowOften },
	{ 0 }
};
static const struct sk_op_group group = { .service = "test", .op = ops };
static const struct sk_op_group *const operations[] = { &group, NULL };
static const struct sk_on on[] = { { "test:say", say, "thing/{thingName}" }, { "test:say-when", say_when, "thing/{thingName}" }, { 0 } };

SKEETER_PLUGIN(.name = "later", .prose = "timers and effects, for tests", .operations = operations, .on = on)
