/* request.c -- from bytes to a request that the engine can trust.
 *
 * The checks of an update stand in one table. Their order is the order in which AWS lists the errors, and it matters: the
 * first one that fails is answered, and none looks at what an earlier one has not yet vouched for. */
#include "shadow/shadow.h"

#include <string.h>

enum { TOKEN_MAX = 64 };

static const char invalid_token[] = "Invalid clientToken";
static const char too_deep[] = "JSON contains too many levels of nesting; maximum is %d";

static int refuse(struct shadow_result *out, int code, const char *message)
{
	out->message = message;
	return code;
}

const char *shadow_token(const cJSON *request)
{
	const char *token = sk_json_text(request, "clientToken");

	return token && strlen(token) <= TOKEN_MAX ? token : NULL;
}

static bool token_is_bad(const cJSON *request)
{
	return sk_json_get(request, "clientToken") && !shadow_token(request);
}

/* Valid UTF-8 with a lone surrogate escape is a matter of JSON, not of the encoding. */
static int refuse_unparsed(const struct shadow_call *c, const struct sk_json_error *e, bool utf8, struct shadow_result *out)
{
	if (e->status == SK_JSON_MEMORY)
		return refuse(out, SK_E_INTERNAL, "Internal service failure");
	if (e->status == SK_JSON_DEPTH)
		return refuse(out, SK_E_INVALID_REQUEST, sk_printf(c->arena, too_deep, c->limits.depth));
	if (!utf8)
		return refuse(out, SK_E_UNSUPPORTED_ENCODING, "Unsupported documented encoding; supported encoding is UTF-8");
	return refuse(out, SK_E_INVALID_REQUEST, "Invalid JSON");
}

int shadow_parse(const struct shadow_call *c, const char *payload, size_t size, const cJSON **request,
                 struct shadow_result *out)
{
	struct sk_json_error e;

	*out = (struct shadow_result){ 0 };
	*request = NULL;
	if (!payload)
		return refuse(out, SK_E_TOO_LARGE, "The payload exceeds the maximum size allowed");
	*request = sk_json_parse(c->arena, payload, size, NULL, &e);
	if (!*request)
		return refuse_unparsed(c, &e, sk_utf8_valid(payload, size), out);
	out->token = shadow_token(*request);
	return SK_OK;
}

int shadow_check_get(const cJSON *request, struct shadow_result *out)
{
	return token_is_bad(request) ? refuse(out, SK_E_INVALID_REQUEST, invalid_token) : SK_OK;
}

/* -- the checks of an update -- */

struct subject {
	const cJSON *request;
	const cJSON *state; /* of the request */
	int depth;          /* in force */
};

static bool has_no_state(const struct subject *s)
{
	return !s->state;
}

static bool may_be_merged(const cJSON *node)
{
	return !node || cJSON_IsObject(node) || cJSON_IsNull(node);
}

static bool has_bad_state(const struct subject *s)
{
	return !may_be_merged(s->state);
}

static bool has_bad_desired(const struct subject *s)
{
	return !may_be_merged(sk_json_get(s->state, "desired"));
}

static bool has_bad_reported(const struct subject *s)
{
	return !may_be_merged(sk_json_get(s->state, "reported"));
}

static bool has_bad_version(const struct subject *s)
{
	const cJSON *version = sk_json_get(s->request, "version");
	int64_t n;

	return version && (!sk_json_to_int(version, &n) || n < 0);
}

static bool has_bad_token(const struct subject *s)
{
	return token_is_bad(s->request);
}

static bool is_too_deep(const struct subject *s)
{
	return shadow_too_deep(s->state, s->depth);
}

static bool has_null_in_array(const cJSON *node)
{
	SK_JSON_EACH(child, node)
		if ((cJSON_IsArray(node) && cJSON_IsNull(child)) || has_null_in_array(child))
			return true;
	return false;
}

/* A section that is neither desired nor reported, or a null in an array, where it would have nothing to delete. */
static bool has_bad_node(const struct subject *s)
{
	SK_JSON_EACH(section, s->state)
		if (strcmp(section->string, "desired") != 0 && strcmp(section->string, "reported") != 0)
			return true;
	return has_null_in_array(s->state);
}

/* What fails; what is answered then, with the depth in force for %d. */
static const struct check {
	bool (*fails)(const struct subject *s);
	const char *message;
} checks[] = {
	{ has_no_state, "Missing required node: state" },
	{ has_bad_state, "State node must be an object" },
	{ has_bad_desired, "Desired node must be an object" },
	{ has_bad_reported, "Reported node must be an object" },
	{ has_bad_version, "Invalid version" },
	{ has_bad_token, invalid_token },
	{ is_too_deep, too_deep },
	{ has_bad_node, "State contains an invalid node" },
};

int shadow_check_update(const struct shadow_call *c, const cJSON *request, struct shadow_result *out)
{
	const struct subject s = { request, sk_json_get(request, "state"), c->limits.depth };

	out->token = shadow_token(request);
	for (size_t i = 0; i < sizeof(checks) / sizeof(*checks); i++)
		if (checks[i].fails(&s))
			return refuse(out, SK_E_INVALID_REQUEST, sk_printf(c->arena, checks[i].message, s.depth));
	return SK_OK;
}
