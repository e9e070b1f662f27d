/* requests.c -- what devices and applications publish to $aws/things/T/shadow/... and .../shadow/name/S/...
 *
 * Each request gets exactly one of accepted and rejected, on its own topic with that word appended. A refusal is an answer,
 * not a failed call, so the handlers return SK_OK. A thing need not be registered: whoever may publish here was judged by
 * its policy. */
#include "plugins/shadow/shadows.h"

#include <string.h>

enum { THING_NAME_MAX = 128, SHADOW_NAME_MAX = 64 };

static const char name_characters[] = "$ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789:_-";

static bool is_name(const char *name, size_t max, const char *characters)
{
	size_t n = strlen(name);

	return n > 0 && n <= max && strspn(name, characters) == n;
}

/* Names are captured from a topic, which no shape has checked; only a shadow's may hold a dollar sign. */
static int check_names(const struct sk_call *c, struct shadow_result *out)
{
	*out = (struct shadow_result){ 0 };
	if (!is_name(c->arg[0], THING_NAME_MAX, name_characters + 1))
		out->message = "Invalid thing name";
	else if (c->arg[1] && !is_name(c->arg[1], SHADOW_NAME_MAX, name_characters))
		out->message = "Invalid shadow name";
	return out->message ? SK_E_INVALID_REQUEST : SK_OK;
}

static int reject(struct sk_call *c, int code, const struct shadow_result *out)
{
	const struct shadow_call engine = { .arena = c->arena, .now_ms = c->now_ms };

	sk_publish(c, SK_QOS1, shadow_rejected(&engine, code, out), "%s/rejected", c->topic);
	return SK_OK;
}

static int parse(struct sk_call *c, const struct shadows_target *t, const cJSON **request, struct shadow_result *out)
{
	const struct shadow_call engine = shadows_engine(c, t);

	return shadow_parse(&engine, c->payload, c->payload_size, request, out);
}

enum body {
	BODY_NEEDED,
	BODY_OPTIONAL,
	BODY_IGNORED, /* but for a clientToken: what does not parse is no request */
};

static int serve(struct sk_call *c, shadows_request *request, enum body body)
{
	struct shadow_result out;
	struct shadows_target t;
	const cJSON *document = NULL;
	int rc = check_names(c, &out);

	if (rc)
		return reject(c, rc, &out);
	t = shadows_target(c, c->arg[0], c->arg[1]);
	if (c->payload_size || body == BODY_NEEDED)
		rc = parse(c, &t, &document, &out);
	if (!rc || body == BODY_IGNORED)
		rc = request(c, &t, document, &out);
	return rc ? reject(c, rc, &out) : SK_OK;
}

static int get_aloud(struct sk_call *c, const struct shadows_target *t, const cJSON *request, struct shadow_result *out)
{
	int rc = shadows_get(c, t, request, out);

	if (!rc)
		sk_publish(c, SK_QOS1, out->accepted, "%s/get/accepted", t->topic);
	return rc;
}

int shadows_on_update(struct sk_call *c)
{
	return serve(c, shadows_update, BODY_NEEDED);
}

int shadows_on_get(struct sk_call *c)
{
	return serve(c, get_aloud, BODY_OPTIONAL);
}

int shadows_on_delete(struct sk_call *c)
{
	return serve(c, shadows_delete, BODY_IGNORED);
}

/* The call could not be served, c->error says why; only the clientToken is read. */
int shadows_on_refusal(struct sk_call *c)
{
	static const struct {
		int code;
		const char *message;
	} reasons[] = {
		{ SK_E_UNAVAILABLE, "Service unavailable" },
		{ SK_E_INTERNAL, "Internal service failure" },
		{ SK_E_THROTTLING, "Too many requests" },
	};
	const struct shadows_target nobody = { 0 };
	struct shadow_result out;
	const cJSON *request;
	size_t i = 0;

	parse(c, &nobody, &request, &out);
	while (reasons[i].code != c->error && reasons[i].code != SK_E_THROTTLING)
		i++;
	out.message = reasons[i].message;
	return reject(c, reasons[i].code, &out);
}
