/* shadows.c -- the shadow operations: the same requests as over MQTT, answered to the caller.
 *
 * Two things differ from the topics: the thing must be registered, and a failure is answered but not published. What
 * succeeds is published as if a device had asked, except for a get. */
#include "plugins/shadow/shadows.h"

#include <string.h>

#define OPS_FILE "plugins/shadow/shadows.ops"
#define OPS_GROUP shadows
#define OPS_SERVICE "iotdata"
#include "core/ops_table.h"

/* A void run goes on, so that it names the shadow's keys as well. */
static int fail_unless_registered(struct sk_call *c, const char *thing)
{
	if (sk_get(c, "registry/thing/%s", thing) || sk_void(c))
		return SK_OK;
	return sk_fail(c, SK_E_NOT_FOUND, "Thing not found");
}

static struct shadows_target target(struct sk_call *c)
{
	return shadows_target(c, sk_json_text(c->in, "thingName"), sk_json_text(c->in, "shadowName"));
}

static int serve(struct sk_call *c, shadows_request *request, const struct shadows_target *t, const cJSON *document)
{
	struct shadow_result out;
	int rc = fail_unless_registered(c, t->thing);

	if (rc)
		return rc;
	rc = request(c, t, document, &out);
	if (rc)
		return sk_fail(c, rc, "%s", out.message);
	sk_json_set(c->arena, c->out, "payload", shadow_share(c->arena, out.accepted));
	return SK_OK;
}

static int GetThingShadow(struct sk_call *c)
{
	const struct shadows_target t = target(c);

	return serve(c, shadows_get, &t, NULL);
}

/* The document: the body, or a member that is the document itself or its text as an SDK's blob holds it. */
static int read_document(struct sk_call *c, const struct shadows_target *t, const cJSON **document)
{
	const struct shadow_call engine = shadows_engine(c, t);
	const cJSON *member = sk_json_get(c->in, "payload");
	const char *text = c->payload ? c->payload : cJSON_IsString(member) ? member->valuestring : NULL;
	struct shadow_result out;
	int rc;

	*document = member;
	if (!text && !member)
		return sk_fail(c, SK_E_INVALID_REQUEST, "1 validation error detected: Value null at 'payload' failed to satisfy constraint: "
		               "Member must not be null");
	rc = text ? shadow_parse(&engine, text, c->payload ? c->payload_size : strlen(text), document, &out) : SK_OK;
	return rc ? sk_fail(c, rc, "%s", out.message) : SK_OK;
}

static int UpdateThingShadow(struct sk_call *c)
{
	const struct shadows_target t = target(c);
	const cJSON *document;
	int rc = read_document(c, &t, &document);

	return rc ? rc : serve(c, shadows_update, &t, document);
}

static int DeleteThingShadow(struct sk_call *c)
{
	const struct shadows_target t = target(c);

	return serve(c, shadows_delete, &t, NULL);
}

static int ListNamedShadowsForThing(struct sk_call *c)
{
	const char *thing = sk_json_text(c->in, "thingName");
	int rc = fail_unless_registered(c, thing);
	struct sk_scan page;
	cJSON *results;

	if (rc)
		return rc;
	page = sk_scan_page(c, &rc, "thing/%s/shadow/", thing);
	if (rc)
		return rc;
	results = sk_json_set_array(c->arena, c->out, "results");
	for (size_t i = 0; i < page.count; i++)
		sk_json_append(results, sk_json_string(c->arena, page.row[i].name));
	sk_json_set_int(c->arena, c->out, "timestamp", c->now_ms / 1000);
	return SK_OK;
}
