/* authorization.c -- TestAuthorization and GetEffectivePolicies: what a device may do, asked of the records. */
#include <string.h>

#include "core/call.h"
#include "plugins/auth/auth.h"
#include "plugins/auth/judgement.h"
#include "plugins/auth/policy_records.h"
#include "plugins/auth/target.h"

#define OPS_FILE "plugins/auth/authorization.ops"
#define OPS_GROUP authorization
#define OPS_SERVICE "iot"
#include "core/ops_table.h"

/* The principal, for which the policies of a certificate or a group count. NULL name: none was named. */
static int find_principal(struct sk_call *c, struct target *t)
{
	const char *principal = sk_json_text(c->in, "principal");

	*t = (struct target){ .kind = TARGET_CERTIFICATE };
	if (sk_json_text(c->in, "cognitoIdentityPoolId"))
		return sk_fail(c, SK_E_INVALID_REQUEST, "Cognito identities do not connect to this broker: leave cognitoIdentityPoolId out");
	return principal ? target_any(c, principal, true, t) : SK_OK;
}

static void add_principal(struct sk_call *c, struct effective *e, const struct target *t)
{
	if (t->name && t->kind == TARGET_CERTIFICATE)
		effective_add_certificate(c, e, t->name);
	else if (t->name)
		effective_add_group(c, e, t->name);
}

/* -- GetEffectivePolicies -- */

static int find_policies(struct sk_call *c, struct effective *e)
{
	const char *thing = sk_json_text(c->in, "thingName");
	struct target t;
	int rc = find_principal(c, &t);

	if (rc)
		return rc;
	if (!t.name && !thing)
		return sk_fail(c, SK_E_INVALID_REQUEST, "principal or thingName is required");
	if (thing && !sk_get(c, "registry/thing/%s", thing))
		return sk_fail(c, SK_E_NOT_FOUND, "Thing %s cannot be found.", thing);
	add_principal(c, e, &t);
	if (thing)
		effective_add_thing(c, e, thing);
	return SK_OK;
}

static int GetEffectivePolicies(struct sk_call *c)
{
	struct effective *e = effective_new(c);
	int rc = e ? find_policies(c, e) : SK_OK;
	cJSON *list;

	if (rc || !e)
		return rc;
	list = sk_json_set_array(c->arena, c->out, "effectivePolicies");
	for (size_t i = 0; i < e->count; i++) {
		cJSON *out = sk_json_append(list, sk_json_object(c->arena));
		answer_policy(c, out, e->policy[i].name);
		sk_json_set_string(c->arena, out, "policyDocument", sk_json_text(e->policy[i].record, "policyDocument"));
	}
	return SK_OK;
}

/* -- TestAuthorization -- */

static const struct {
	const char *type;
	enum policy_action action;
} types[] = {
	{ "CONNECT", POLICY_Connect }, { "PUBLISH", POLICY_Publish }, { "SUBSCRIBE", POLICY_Subscribe }, { "RECEIVE", POLICY_Receive },
};
enum { TYPES = sizeof(types) / sizeof(types[0]) };

struct result {
	struct effective *e;
	cJSON *allowed, *explicitly, *implicitly, *missing;
	bool denied, lacking;
};

static const char *name_in(struct sk_call *c, const char *arn, enum policy_action action)
{
	const char *head = sk_arn(c, "%s", policy_kinds[policy_actions[action].kind]);

	return head && !strncmp(arn, head, strlen(head)) ? arn + strlen(head) : NULL;
}

/* Without an action the kind of the resource tells it. */
static enum policy_action action_of(struct sk_call *c, const cJSON *info, const char *resource)
{
	const char *type = sk_json_text(info, "actionType");

	for (int i = 0; i < TYPES; i++)
		if (type ? !strcmp(type, types[i].type) : name_in(c, resource, types[i].action) != NULL)
			return types[i].action;
	return POLICY_Publish;
}

static void append_policy(struct sk_call *c, cJSON *list, const char *name)
{
	SK_JSON_EACH(policy, list) {
		const char *known = sk_json_text(policy, "policyName");
		if (known && !strcmp(known, name))
			return;
	}
	answer_policy(c, sk_json_append(list, sk_json_object(c->arena)), name);
}

static void test_resource(struct sk_call *c, struct result *r, enum policy_action action, const char *name)
{
	bool allowed = false;

	for (size_t i = 0; i < r->e->count; i++) {
		const struct effective_policy *p = &r->e->policy[i];
		enum judged says = judge(c, r->e, p, action, name).says;
		append_policy(c, says == JUDGED_ALLOWS ? r->allowed : says == JUDGED_NOTHING ? r->implicitly : r->explicitly, p->name);
		r->denied |= says == JUDGED_DENIES || says == JUDGED_UNREADABLE;
		allowed |= says == JUDGED_ALLOWS;
	}
	r->lacking |= !allowed;
	judge_missing(c, r->e, action, r->missing);
}

static int test_resources(struct sk_call *c, struct result *r, const cJSON *info)
{
	SK_JSON_EACH(resource, sk_json_get(info, "resources")) {
		const char *arn = resource->valuestring;
		enum policy_action action = action_of(c, info, arn);
		const char *name = name_in(c, arn, action);
		if (!name)
			return sk_fail(c, SK_E_INVALID_REQUEST, "Resource %.200s is no ARN of this account that %s may be asked for", arn,
			               policy_actions[action].name);
		test_resource(c, r, action, name);
	}
	return SK_OK;
}

static cJSON *new_list(struct sk_call *c, cJSON *in, const char *name)
{
	return sk_json_set_array(c->arena, sk_json_set_object(c->arena, in, name), "policies");
}

static int test_info(struct sk_call *c, struct effective *e, const cJSON *info, cJSON *results)
{
	cJSON *out = sk_json_append(results, sk_json_object(c->arena)), *denied;
	struct result r = { .e = e };
	int rc;

	sk_json_set(c->arena, out, "authInfo", sk_json_copy(c->arena, info));
	r.allowed = new_list(c, out, "allowed");
	denied = sk_json_set_object(c->arena, out, "denied");
	r.implicitly = new_list(c, denied, "implicitDeny");
	r.explicitly = new_list(c, denied, "explicitDeny");
	r.missing = sk_json_array(c->arena);
	rc = test_resources(c, &r, info);
	sk_json_set_string(c->arena, out, "authDecision", r.denied ? "EXPLICIT_DENY" : r.lacking ? "IMPLICIT_DENY" : "ALLOWED");
	sk_json_set(c->arena, out, "missingContextValues", r.missing);
	return rc;
}

static int change_policies(struct sk_call *c, struct effective *e)
{
	SK_JSON_EACH(name, sk_json_get(c->in, "policyNamesToAdd")) {
		int rc;
		policy_or_fail(c, name->valuestring, &rc);
		if (rc)
			return rc;
		effective_add_policy(c, e, name->valuestring, "");
	}
	SK_JSON_EACH(name, sk_json_get(c->in, "policyNamesToSkip"))
		effective_skip(e, name->valuestring);
	return SK_OK;
}

static int TestAuthorization(struct sk_call *c)
{
	struct effective *e = effective_new(c);
	const char *client_id = sk_json_text(c->in, "clientId"), *id, *thing;
	struct target t;
	int rc = find_principal(c, &t);
	cJSON *results;

	if (rc || !e)
		return rc;
	add_principal(c, e, &t);
	id = t.name && t.kind == TARGET_CERTIFICATE ? t.name : NULL;
	thing = id ? effective_thing(c, id, client_id) : NULL;
	if (thing)
		effective_add_thing(c, e, thing);
	rc = change_policies(c, e);
	effective_know(c, e, client_id, id, thing);
	results = sk_json_set_array(c->arena, c->out, "authResults");
	SK_JSON_EACH(info, sk_json_get(c->in, "authInfos"))
		rc = rc ? rc : test_info(c, e, info, results);
	return rc;
}
