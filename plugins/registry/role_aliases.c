/* role_aliases.c -- role aliases: kept and answered. Credentials for a role are IAM's, which is not here.
 *
 * registry/role-alias/<name> is {roleArn, credentialDurationSeconds, creationDate, lastModifiedDate (ms), tags?}. */
#include "core/plugin.h"
#include "plugins/registry/registry.h"
#include "plugins/registry/tags.h"

#define OPS_FILE "plugins/registry/role_aliases.ops"
#define OPS_GROUP role_aliases
#define OPS_SERVICE "iot"
#include "core/ops_table.h"

enum { DEFAULT_SECONDS = 3600 };

static const cJSON *find_or_fail(struct sk_call *c, const char *name, int *rc)
{
	const cJSON *record = sk_get(c, "registry/role-alias/%s", name);

	*rc = record ? SK_OK : sk_fail(c, SK_E_NOT_FOUND, "Role alias %s cannot be found.", name);
	return record;
}

static void answer_named(struct sk_call *c, cJSON *out, const char *name)
{
	sk_json_set_string(c->arena, out, "roleAlias", name);
	sk_json_set_string(c->arena, out, "roleAliasArn", sk_arn(c, "rolealias/%s", name));
}

static int fail_exists(struct sk_call *c, const char *name)
{
	int rc = sk_fail(c, SK_E_ALREADY_EXISTS, "Role alias %s already exists", name);

	c->error_fields = sk_json_object(c->arena);
	sk_json_set_string(c->arena, c->error_fields, "resourceId", name);
	sk_json_set_string(c->arena, c->error_fields, "resourceArn", sk_arn(c, "rolealias/%s", name));
	return rc;
}

static int CreateRoleAlias(struct sk_call *c)
{
	const char *name = sk_json_text(c->in, "roleAlias");
	int rc = tags_check(c);
	cJSON *record = sk_json_object(c->arena);

	if (rc)
		return rc;
	if (sk_get(c, "registry/role-alias/%s", name))
		return fail_exists(c, name);
	sk_json_set_string(c->arena, record, "roleArn", sk_json_text(c->in, "roleArn"));
	sk_json_set_int(c->arena, record, "credentialDurationSeconds", sk_json_int_of(c->in, "credentialDurationSeconds", DEFAULT_SECONDS));
	sk_json_set_int(c->arena, record, "creationDate", c->now_ms);
	sk_json_set_int(c->arena, record, "lastModifiedDate", c->now_ms);
	tags_store(c, record);
	sk_put(c, record, "registry/role-alias/%s", name);
	answer_named(c, c->out, name);
	return SK_OK;
}

static int DescribeRoleAlias(struct sk_call *c)
{
	const struct registry_state *s = c->state;
	const char *name = sk_json_text(c->in, "roleAlias");
	int rc;
	const cJSON *record = find_or_fail(c, name, &rc);
	cJSON *out;

	if (rc)
		return rc;
	out = sk_json_set_object(c->arena, c->out, "roleAliasDescription");
	answer_named(c, out, name);
	sk_json_set_string(c->arena, out, "roleArn", sk_json_text(record, "roleArn"));
	sk_json_set_string(c->arena, out, "owner", s->account);
	sk_json_set_int(c->arena, out, "credentialDurationSeconds", sk_json_int_of(record, "credentialDurationSeconds", DEFAULT_SECONDS));
	sk_json_set(c->arena, out, "creationDate", sk_json_time(c->arena, sk_json_int_of(record, "creationDate", 0)));
	sk_json_set(c->arena, out, "lastModifiedDate", sk_json_time(c->arena, sk_json_int_of(record, "lastModifiedDate", 0)));
	return SK_OK;
}

static int UpdateRoleAlias(struct sk_call *c)
{
	const char *name = sk_json_text(c->in, "roleAlias"), *role = sk_json_text(c->in, "roleArn");
	int rc;
	const cJSON *old = find_or_fail(c, name, &rc);
	cJSON *record;

	if (rc)
		return rc;
	record = sk_json_copy(c->arena, old);
	sk_json_set_string(c->arena, record, "roleArn", role);
	if (sk_json_get(c->in, "credentialDurationSeconds"))
		sk_json_set_int(c->arena, record, "credentialDurationSeconds", sk_json_int_of(c->in, "credentialDurationSeconds", DEFAULT_SECONDS));
	sk_json_set_int(c->arena, record, "lastModifiedDate", c->now_ms);
	sk_put(c, record, "registry/role-alias/%s", name);
	answer_named(c, c->out, name);
	return SK_OK;
}

static int DeleteRoleAlias(struct sk_call *c)
{
	const char *name = sk_json_text(c->in, "roleAlias");
	int rc;

	find_or_fail(c, name, &rc);
	if (!rc)
		sk_remove(c, "registry/role-alias/%s", name);
	return rc;
}

/* "ascendingOrder: Return the list of role aliases in ascending alphabetical order": they always are. */
static int ListRoleAliases(struct sk_call *c)
{
	int rc;
	struct sk_scan page = sk_scan_page(c, &rc, "registry/role-alias/");
	cJSON *list;

	if (rc)
		return rc;
	list = sk_json_set_array(c->arena, c->out, "roleAliases");
	for (size_t i = 0; i < page.count; i++)
		sk_json_append(list, sk_json_string(c->arena, page.row[i].name));
	return SK_OK;
}
