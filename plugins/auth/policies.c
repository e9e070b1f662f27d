/* policies.c -- policies: a name and a document, of which the default version counts.
 *
 * registry/policy/<name> is {policyDocument, defaultVersionId, creationDate, lastModifiedDate (ms), generationId, tags?, versionDate?,
 * lastVersionId?}: its document is the default version's. The others are policy_versions.c's. */
#include <string.h>

#include "core/tags.h"
#include "plugins/auth/auth.h"
#include "plugins/auth/paging.h"
#include "plugins/auth/policy_records.h"

#define OPS_FILE "plugins/auth/policies.ops"
#define OPS_GROUP policies
#define OPS_SERVICE "iot"
#include "core/ops_table.h"

const cJSON *policy_or_fail(struct sk_call *c, const char *name, int *rc)
{
	const cJSON *record = sk_get(c, "registry/policy/%s", name);

	*rc = record ? SK_OK : sk_fail(c, SK_E_NOT_FOUND, "Policy %s not found", name);
	return record;
}

void answer_policy(struct sk_call *c, cJSON *out, const char *name)
{
	sk_json_set_string(c->arena, out, "policyName", name);
	sk_json_set_string(c->arena, out, "policyArn", sk_arn(c, "policy/%s", name));
}

/* "The maximum size of a policy document is 2,048 characters, excluding white space." */
static int64_t characters(const char *s)
{
	int64_t n = 0;

	for (; *s; s++)
		n += !strchr(" \t\r\n", *s) && ((unsigned char)*s & 0xc0) != 0x80;
	return n;
}

struct wanted {
	const char *pattern;
	size_t size;
};

static bool matches(void *context, const char *action)
{
	const struct wanted *w = context;
	char name[128];
	size_t n = 0;

	for (; action[n] && n < sizeof(name); n++)
		name[n] = action[n] >= 'A' && action[n] <= 'Z' ? (char)(action[n] | 32) : action[n];
	return policy_glob(w->pattern, w->size, name, n);
}

/* Actions of access keys: the operations of the plugins that are loaded. */
static bool names_operation(const char *pattern, size_t n)
{
	struct wanted w = { pattern, n };

	return sk_some_action(matches, &w);
}

int check_document(struct sk_call *c, const char *document)
{
	const struct auth *s = c->state;
	int64_t n = characters(document);
	struct policy *p;
	char why[300];

	if (n > s->policy_size)
		return sk_fail(c, SK_E_MALFORMED_POLICY, "Policy document has %lld characters without white space, the limit is %lld",
		               (long long)n, (long long)s->policy_size);
	p = policy_new_with(document, strlen(document), names_operation, why, sizeof(why));
	if (!p)
		return sk_fail(c, SK_E_MALFORMED_POLICY, "Policy document is malformed: %s", why);
	policy_free(&p);
	return SK_OK;
}

static int fail_exists(struct sk_call *c, const char *name)
{
	int rc = sk_fail(c, SK_E_ALREADY_EXISTS, "Policy cannot be created - name already exists (name=%s)", name);

	c->error_fields = sk_json_object(c->arena);
	sk_json_set_string(c->arena, c->error_fields, "resourceId", name);
	sk_json_set_string(c->arena, c->error_fields, "resourceArn", sk_arn(c, "policy/%s", name));
	return rc;
}

static int CreatePolicy(struct sk_call *c)
{
	const char *name = sk_json_text(c->in, "policyName"), *document = sk_json_text(c->in, "policyDocument");
	int rc = check_document(c, document);
	cJSON *record;

	if (!rc)
		rc = sk_tags_check(c, sk_json_get(c->in, "tags"), SK_E_INVALID_REQUEST);
	if (rc)
		return rc;
	if (sk_get(c, "registry/policy/%s", name))
		return fail_exists(c, name);
	record = sk_json_object(c->arena);
	sk_json_set_string(c->arena, record, "policyDocument", document);
	sk_json_set_string(c->arena, record, "defaultVersionId", "1");
	sk_json_set_int(c->arena, record, "creationDate", c->now_ms);
	sk_json_set_int(c->arena, record, "lastModifiedDate", c->now_ms);
	sk_json_set_string(c->arena, record, "generationId", sk_uuid(c));
	sk_tags_store(c->arena, record, sk_json_get(c->in, "tags"));
	sk_put(c, record, "registry/policy/%s", name);
	answer_policy(c, c->out, name);
	sk_json_set_string(c->arena, c->out, "policyDocument", document);
	sk_json_set_string(c->arena, c->out, "policyVersionId", "1");
	return SK_OK;
}

static int GetPolicy(struct sk_call *c)
{
	const char *name = sk_json_text(c->in, "policyName");
	int rc;
	const cJSON *record = policy_or_fail(c, name, &rc);

	if (rc)
		return rc;
	answer_policy(c, c->out, name);
	sk_json_set_string(c->arena, c->out, "policyDocument", sk_json_text(record, "policyDocument"));
	sk_json_set_string(c->arena, c->out, "defaultVersionId", sk_json_text(record, "defaultVersionId"));
	sk_json_set(c->arena, c->out, "creationDate", sk_json_time(c->arena, sk_json_int_of(record, "creationDate", 0)));
	sk_json_set(c->arena, c->out, "lastModifiedDate", sk_json_time(c->arena, sk_json_int_of(record, "lastModifiedDate", 0)));
	sk_json_set_string(c->arena, c->out, "generationId", sk_json_text(record, "generationId"));
	return SK_OK;
}

static int ListPolicies(struct sk_call *c)
{
	int rc;
	struct sk_scan page = paging_by_date(c, &rc, "registry/policy/");

	cJSON *list;

	if (rc)
		return rc;
	list = sk_json_set_array(c->arena, c->out, "policies");
	for (size_t i = 0; i < page.count; i++)
		answer_policy(c, sk_json_append(list, sk_json_object(c->arena)), page.row[i].name);
	return SK_OK;
}

static int DeletePolicy(struct sk_call *c)
{
	const char *name = sk_json_text(c->in, "policyName");
	int rc;

	policy_or_fail(c, name, &rc);
	if (rc)
		return rc;
	if (sk_scan(c, 1, NULL, "registry/target/%s/", name).count)
		return sk_fail(c, SK_E_DELETE_CONFLICT, "The policy cannot be deleted as the policy is attached to one or more principals (name=%s)",
		               name);
	if (sk_scan(c, 1, NULL, "registry/target-group/%s/", name).count)
		return sk_fail(c, SK_E_DELETE_CONFLICT, "The policy cannot be deleted as it is attached to one or more thing groups (name=%s)", name);
	if (sk_scan(c, 1, NULL, "registry/policy-version/%s/", name).count)
		return sk_fail(c, SK_E_DELETE_CONFLICT, "The policy cannot be deleted as it has non-default versions (name=%s)", name);
	sk_remove(c, "registry/policy/%s", name);
	return SK_OK;
}
