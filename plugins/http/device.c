/* device.c -- see device.h. "All that is asked must be allowed": a retained publish needs two permissions, as over MQTT.
 * What is refused is not told why: the log says it. */
#include "plugins/http/device.h"

#include <string.h>

#include "core/digest.h"
#include "sigv4/canonical.h"

enum resource { TOPIC, THING, SHADOW, ALL };

/* Resources as "AWS IoT Core action resources" has them: a named shadow is thing/<thing>/<shadow>. */
static const struct {
	const char *operation, *action;
	enum resource resource;
} table[] = {
	{ "Publish", "iot:Publish", TOPIC },
	{ "GetThingShadow", "iot:GetThingShadow", SHADOW },
	{ "UpdateThingShadow", "iot:UpdateThingShadow", SHADOW },
	{ "DeleteThingShadow", "iot:DeleteThingShadow", SHADOW },
	{ "ListNamedShadowsForThing", "iot:ListNamedShadowsForThing", THING },
	{ "GetRetainedMessage", "iot:GetRetainedMessage", TOPIC },
	{ "ListRetainedMessages", "iot:ListRetainedMessages", ALL },
};

static const char *text(const cJSON *in, const char *name)
{
	const char *value = sk_json_text(in, name);
	return value ? value : "";
}

static const char *shadow_resource(struct sk_arena *a, const cJSON *in)
{
	const char *shadow = sk_json_text(in, "shadowName");
	return shadow ? sk_printf(a, "%s/%s", text(in, "thingName"), shadow) : text(in, "thingName");
}

static const char *resource_of(struct sk_arena *a, enum resource kind, const cJSON *in)
{
	switch (kind) {
	case TOPIC: return text(in, "topic");
	case THING: return text(in, "thingName");
	case SHADOW: return shadow_resource(a, in);
	default: return "*";
	}
}

int device_permissions(struct sk_arena *a, const char *operation, const cJSON *in, struct sk_permission out[SK_PERMISSIONS])
{
	size_t i = 0;
	while (i < sizeof table / sizeof *table && strcmp(table[i].operation, operation))
		i++;
	if (i == sizeof table / sizeof *table)
		return 0;
	out[0] = (struct sk_permission){ table[i].action, resource_of(a, table[i].resource, in) };
	out[1] = (struct sk_permission){ "iot:RetainPublish", out[0].resource };
	if (!out[0].resource)
		return 0;
	return !strcmp(operation, "Publish") && cJSON_IsTrue(sk_json_get(in, "retain")) ? 2 : 1;
}

/* -- who -- */

int device_identify(struct http_call *x, struct sigv4_refusal *no)
{
	uint8_t hash[SIGV4_HASH];
	char *id = sk_alloc_text(&x->arena, 2 * SIGV4_HASH + 1);
	if (!x->peer.size || !id) {
		*no = (struct sigv4_refusal){ 403, "ForbiddenException", "Missing Authentication Token" };
		return -1;
	}
	if (x->now_ms / 1000 < x->peer.valid_from_s || x->now_ms / 1000 > x->peer.valid_until_s) {
		*no = (struct sigv4_refusal){ 403, "ForbiddenException", "Forbidden" };
		return -1;
	}
	sk_digest(x->peer.der, x->peer.size, hash);
	sk_hex(hash, SIGV4_HASH, id);
	x->caller.principal = x->certificate = id;
	x->service = "iotdata";
	return 0;
}
