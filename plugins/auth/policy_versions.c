/* policy_versions.c -- at most five versions of a policy.
 *
 * The default version is in the policy's own record (policies.c), so that who wants to know what counts reads one; each other one is
 * registry/policy-version/<policy>/<id>, {policyDocument, createDate}. Numbers are not given twice. */
#include <string.h>

#include "core/call.h"
#include "plugins/auth/auth.h"
#include "plugins/auth/policy_records.h"

#define OPS_FILE "plugins/auth/policy_versions.ops"
#define OPS_GROUP policy_versions
#define OPS_SERVICE "iot"
#include "core/ops_table.h"

enum { VERSIONS = 5 };

static const char *given_name(const struct sk_call *c)
{
	return sk_json_text(c->in, "policyName");
}

/* Without leading zeros, of which the model's pattern knows nothing. */
static const char *given_version(const struct sk_call *c)
{
	const char *id = sk_json_text(c->in, "policyVersionId");

	while (*id == '0' && id[1])
		id++;
	return id;
}

static bool is_default(const cJSON *policy, const char *id)
{
	const char *now = sk_json_text(policy, "defaultVersionId");

	return now && !strcmp(now, id);
}

static int64_t default_date(const cJSON *policy)
{
	return sk_json_int_of(policy, "versionDate", sk_json_int_of(policy, "creationDate", 0));
}

/* The record of another version than the default one. */
static const cJSON *version_or_fail(struct sk_call *c, const char *id, int *rc)
{
	const cJSON *record = sk_get(c, "registry/policy-version/%s/%s", given_name(c), id);

	*rc = record ? SK_OK : sk_fail(c, SK_E_NOT_FOUND, "Policy version %s of policy %s not found", id, given_name(c));
	return record;
}

static cJSON *version_record(struct sk_call *c, const char *document, int64_t date)
{
	cJSON *record = sk_json_object(c->arena);

	sk_json_set_string(c->arena, record, "policyDocument", document);
	sk_json_set_int(c->arena, record, "createDate", date);
	return record;
}

/* The document becomes the default; what was the default becomes one of the others. */
static void make_default(struct sk_call *c, const cJSON *policy, const char *id, const cJSON *version)
{
	cJSON *next = sk_json_copy(c->arena, policy);
	cJSON *old = version_record(c, sk_json_text(policy, "policyDocument"), default_date(policy));

	sk_put(c, old, "registry/policy-version/%s/%s", given_name(c), sk_json_text(policy, "defaultVersionId"));
	sk_json_set_string(c->arena, next, "policyDocument", sk_json_text(version, "policyDocument"));
	sk_json_set_string(c->arena, next, "defaultVersionId", id);
	sk_json_set_int(c->arena, next, "versionDate", sk_json_int_of(version, "createDate", 0));
	sk_json_set_int(c->arena, next, "lastModifiedDate", c->now_ms);
	sk_put(c, next, "registry/policy/%s", given_name(c));
}

static int64_t next_version(const cJSON *policy)
{
	return sk_json_int_of(policy, "lastVersionId", 1) + 1;
}

static int CreatePolicyVersion(struct sk_call *c)
{
	const char *document = sk_json_text(c->in, "policyDocument"), *id;
	int rc = check_document(c, document);
	const cJSON *policy = rc ? NULL : policy_or_fail(c, given_name(c), &rc);
	cJSON *version, *next;

	if (rc)
		return rc;
	if (sk_scan(c, VERSIONS, NULL, "registry/policy-version/%s/", given_name(c)).count >= VERSIONS - 1)
		return sk_fail(c, SK_E_VERSIONS_LIMIT, "The policy %s already has the maximum number of versions (%d)", given_name(c), VERSIONS);
	id = sk_printf(c->arena, "%lld", (long long)next_version(policy));
	version = version_record(c, document, c->now_ms);
	next = sk_json_copy(c->arena, policy);
	sk_json_set_int(c->arena, next, "lastVersionId", next_version(policy));
	if (sk_json_true(c->in, "setAsDefault"))
		make_default(c, next, id, version);
	else {
		sk_put(c, next, "registry/policy/%s", given_name(c));
		sk_put(c, version, "registry/policy-version/%s/%s", given_name(c), id);
	}
	sk_json_set_string(c->arena, c->out, "policyArn", sk_arn(c, "policy/%s", given_name(c)));
	sk_json_set_string(c->arena, c->out, "policyDocument", document);
	sk_json_set_string(c->arena, c->out, "policyVersionId", id);
	sk_json_set_bool(c->arena, c->out, "isDefaultVersion", sk_json_true(c->in, "setAsDefault"));
	return SK_OK;
}

static int GetPolicyVersion(struct sk_call *c)
{
	const char *id = given_version(c);
	int rc;
	const cJSON *policy = policy_or_fail(c, given_name(c), &rc), *version = policy;
	bool counts = is_default(policy, id);
	int64_t date;

	if (!rc && !counts)
		version = version_or_fail(c, id, &rc);
	if (rc)
		return rc;
	date = counts ? default_date(policy) : sk_json_int_of(version, "createDate", 0);
	answer_policy(c, c->out, given_name(c));
	sk_json_set_string(c->arena, c->out, "policyDocument", sk_json_text(version, "policyDocument"));
	sk_json_set_string(c->arena, c->out, "policyVersionId", id);
	sk_json_set_bool(c->arena, c->out, "isDefaultVersion", counts);
	sk_json_set(c->arena, c->out, "creationDate", sk_json_time(c->arena, date));
	sk_json_set(c->arena, c->out, "lastModifiedDate", sk_json_time(c->arena, date));
	sk_json_set_string(c->arena, c->out, "generationId", sk_json_text(policy, "generationId"));
	return SK_OK;
}

static void answer_version(struct sk_call *c, cJSON *list, const char *id, bool counts, int64_t date)
{
	cJSON *out = sk_json_append(list, sk_json_object(c->arena));

	sk_json_set_string(c->arena, out, "versionId", id);
	sk_json_set_bool(c->arena, out, "isDefaultVersion", counts);
	sk_json_set(c->arena, out, "createDate", sk_json_time(c->arena, date));
}

/* The default one first. */
static int ListPolicyVersions(struct sk_call *c)
{
	int rc;
	const cJSON *policy = policy_or_fail(c, given_name(c), &rc);
	struct sk_scan others = sk_scan(c, VERSIONS, NULL, "registry/policy-version/%s/", given_name(c));
	cJSON *list;

	if (rc)
		return rc;
	list = sk_json_set_array(c->arena, c->out, "policyVersions");
	answer_version(c, list, sk_json_text(policy, "defaultVersionId"), true, default_date(policy));
	for (size_t i = 0; i < others.count; i++)
		answer_version(c, list, others.row[i].name, false, sk_json_int_of(others.row[i].document, "createDate", 0));
	return SK_OK;
}

static int SetDefaultPolicyVersion(struct sk_call *c)
{
	const char *id = given_version(c);
	int rc;
	const cJSON *policy = policy_or_fail(c, given_name(c), &rc), *version;

	if (rc || is_default(policy, id))
		return rc;
	version = version_or_fail(c, id, &rc);
	if (rc)
		return rc;
	make_default(c, policy, id, version);
	sk_remove(c, "registry/policy-version/%s/%s", given_name(c), id);
	return SK_OK;
}

/* "You cannot delete the default version of a policy using this action." */
static int DeletePolicyVersion(struct sk_call *c)
{
	const char *id = given_version(c);
	int rc;
	const cJSON *policy = policy_or_fail(c, given_name(c), &rc);

	if (!rc && is_default(policy, id))
		return sk_fail(c, SK_E_DELETE_CONFLICT, "Cannot delete the default version of a policy: %s of %s", id, given_name(c));
	if (!rc)
		version_or_fail(c, id, &rc);
	if (!rc)
		sk_remove(c, "registry/policy-version/%s/%s", given_name(c), id);
	return rc;
}
