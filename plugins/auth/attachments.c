/* attachments.c -- what policies are attached to: certificates and thing groups.
 *
 * An attachment is {} under registry/attached/<certificate>/<policy> and under registry/target/<policy>/<certificate>, always both; of a group
 * under registry/attached-group/<group>/<policy> and registry/target-group/<policy>/<group>. The group itself is skeeter_registry's. */
#include <string.h>

#include "core/call.h"
#include "plugins/auth/auth.h"
#include "plugins/auth/effective.h"
#include "plugins/auth/paging.h"
#include "plugins/auth/policy_records.h"
#include "plugins/auth/target.h"

#define OPS_FILE "plugins/auth/attachments.ops"
#define OPS_GROUP attachments
#define OPS_SERVICE "iot"
#include "core/ops_table.h"

/* Where an attachment to this kind of target stands, both ways. */
static const char *const attached_at[] = { [TARGET_CERTIFICATE] = "registry/attached", [TARGET_GROUP] = "registry/attached-group" };
static const char *const targets_at[] = { [TARGET_CERTIFICATE] = "registry/target", [TARGET_GROUP] = "registry/target-group" };

static int attach(struct sk_call *c, const struct target *t)
{
	const char *name = sk_json_text(c->in, "policyName");
	int rc;

	policy_or_fail(c, name, &rc);
	if (rc || sk_get(c, "%s/%s/%s", attached_at[t->kind], t->name, name))
		return rc;
	if (sk_scan(c, INDEX_POLICIES, NULL, "%s/%s/", attached_at[t->kind], t->name).count >= INDEX_POLICIES)
		return sk_fail(c, SK_E_LIMIT_EXCEEDED, "A target has at most %d policies attached", INDEX_POLICIES);
	sk_put(c, sk_json_object(c->arena), "%s/%s/%s", attached_at[t->kind], t->name, name);
	sk_put(c, sk_json_object(c->arena), "%s/%s/%s", targets_at[t->kind], name, t->name);
	return SK_OK;
}

/* Detaching what is not attached is done already. */
static int detach(struct sk_call *c, const struct target *t)
{
	const char *name = sk_json_text(c->in, "policyName");

	if (!sk_get(c, "%s/%s/%s", attached_at[t->kind], t->name, name))
		return SK_OK;
	sk_remove(c, "%s/%s/%s", attached_at[t->kind], t->name, name);
	sk_remove(c, "%s/%s/%s", targets_at[t->kind], name, t->name);
	return SK_OK;
}

static int AttachPolicy(struct sk_call *c)
{
	struct target t;
	int rc = target_any(c, sk_json_text(c->in, "target"), true, &t);

	return rc ? rc : attach(c, &t);
}

static int DetachPolicy(struct sk_call *c)
{
	struct target t;
	int rc = target_any(c, sk_json_text(c->in, "target"), false, &t);

	return rc ? rc : detach(c, &t);
}

/* -- the policies of a target -- */

static void answer_page(struct sk_call *c, const char *const *names, size_t n)
{
	cJSON *list = sk_json_set_array(c->arena, c->out, "policies");

	for (size_t i = 0; i < n; i++)
		answer_policy(c, sk_json_append(list, sk_json_object(c->arena)), names[i]);
}

static int list_attached(struct sk_call *c, const struct target *t)
{
	int rc;
	struct sk_scan page = sk_scan_page(c, &rc, "%s/%s/", attached_at[t->kind], t->name);
	const char **names = sk_alloc(c->arena, (page.count + 1) * sizeof(*names));

	for (size_t i = 0; names && i < page.count; i++)
		names[i] = page.row[i].name;
	if (!rc)
		answer_page(c, names, names ? page.count : 0);
	return rc;
}

/* "When true, recursively list attached policies": those of the groups above too. */
static int list_inherited(struct sk_call *c, const struct target *t)
{
	struct effective *e = effective_new(c);
	const char **names = sk_alloc(c->arena, INDEX_EFFECTIVE * sizeof(*names));
	size_t first, n;
	int rc;

	if (!e || !names)
		return SK_OK;
	if (t->kind == TARGET_GROUP)
		effective_add_group(c, e, t->name);
	else
		effective_add_certificate(c, e, t->name);
	for (size_t i = 0; i < e->count; i++)
		names[i] = e->policy[i].name;
	n = paging_slice(c, names, e->count, &first, &rc);
	if (!rc)
		answer_page(c, names + first, n);
	return rc;
}

static int ListAttachedPolicies(struct sk_call *c)
{
	struct target t;
	int rc = target_any(c, sk_json_text(c->in, "target"), true, &t);

	if (rc)
		return rc;
	return sk_json_true(c->in, "recursive") ? list_inherited(c, &t) : list_attached(c, &t);
}

/* -- the targets of a policy -- */

static void append_text(struct sk_call *c, cJSON *list, const char *text)
{
	sk_json_append(list, sk_json_string(c->arena, text));
}

/* Behind all certificates, of which the last page has room left. A marker for a group begins with a tilde: no certificate's name is
 * behind it. */
static int append_groups(struct sk_call *c, cJSON *list, const char *policy, size_t room)
{
	int rc;
	const char *after = paging_after(c, &rc);
	struct sk_scan groups = { 0 };

	if (!rc)
		groups = sk_scan(c, room ? room : 1, after && *after == '~' ? after + 1 : NULL, "registry/target-group/%s/", policy);
	if (rc || !groups.count)
		return rc;
	for (size_t i = 0; i < groups.count && room; i++)
		append_text(c, list, target_group_arn(c, groups.row[i].name));
	if (!room || groups.next)
		paging_next(c, sk_printf(c->arena, "~%s", room ? groups.row[groups.count - 1].name : ""));
	return SK_OK;
}

static int list_certificates(struct sk_call *c, const char *member, cJSON **list, size_t *count)
{
	const char *name = sk_json_text(c->in, "policyName");
	struct sk_scan page = { 0 };
	int rc;

	policy_or_fail(c, name, &rc);
	if (!rc)
		page = sk_scan_page(c, &rc, "registry/target/%s/", name);
	if (rc)
		return rc;
	*count = page.count;
	*list = sk_json_set_array(c->arena, c->out, member);
	for (size_t i = 0; i < page.count; i++)
		append_text(c, *list, target_arn(c, page.row[i].name));
	return SK_OK;
}

static int ListTargetsForPolicy(struct sk_call *c)
{
	cJSON *list;
	size_t count;
	int rc = list_certificates(c, "targets", &list, &count);

	if (rc || sk_json_get(c->out, "nextMarker"))
		return rc;
	return append_groups(c, list, sk_json_text(c->in, "policyName"), paging_size(c) - count);
}

/* -- AWS's older names, of certificates only -- */

static int AttachPrincipalPolicy(struct sk_call *c)
{
	struct target t;
	int rc = target_certificate(c, sk_json_text(c->in, "principal"), true, &t);

	return rc ? rc : attach(c, &t);
}

static int DetachPrincipalPolicy(struct sk_call *c)
{
	struct target t;
	int rc = target_certificate(c, sk_json_text(c->in, "principal"), false, &t);

	if (!rc)
		policy_or_fail(c, sk_json_text(c->in, "policyName"), &rc);
	return rc ? rc : detach(c, &t);
}

static int ListPolicyPrincipals(struct sk_call *c)
{
	cJSON *list;
	size_t count;

	return list_certificates(c, "principals", &list, &count);
}

static int ListPrincipalPolicies(struct sk_call *c)
{
	struct target t;
	int rc = target_certificate(c, sk_json_text(c->in, "principal"), true, &t);

	return rc ? rc : list_attached(c, &t);
}
