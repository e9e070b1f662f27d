/* aliases.c -- names that stand for a version, or for two of them with a weight: Lambda developer guide, "Configuring Lambda function aliases". */
#include <stdlib.h>
#include <string.h>

#include "plugins/functions/functions.h"

#define OPS_FILE "plugins/functions/aliases.ops"
#define OPS_GROUP aliases
#define OPS_SERVICE "lambda"
#include "core/ops_table.h"

/* The function's name; NULL with *rc: there is no such function. */
static const char *function_of(struct sk_call *c, int *rc)
{
	struct functions_found f;
	*rc = functions_find(c, sk_json_text(c->in, "FunctionName"), NULL, &f);
	return *rc ? NULL : f.name;
}

static const char *alias_arn(struct sk_call *c, const char *function, const char *alias)
{
	return sk_arn_of(c, "lambda", "function:%s:%s", function, alias);
}

static void describe(struct sk_call *c, cJSON *out, const char *function, const cJSON *record)
{
	sk_json_set_string(c->arena, out, "AliasArn", alias_arn(c, function, sk_json_text(record, "Name")));
	SK_JSON_EACH(member, record)
		sk_json_set(c->arena, out, member->string, sk_json_copy(c->arena, member));
}

static const cJSON *alias_of(struct sk_call *c, const char *function, int *rc)
{
	const char *name = sk_json_text(c->in, "Name");
	const cJSON *record = sk_get(c, "functions/account/alias/%s/%s", function, name);
	*rc = record ? SK_OK : sk_fail(c, SK_E_NOT_FOUND, "Alias not found: %s", alias_arn(c, function, name));
	return record;
}

/* -- where it points -- */

static bool is_there(struct sk_call *c, const char *function, const char *version)
{
	if (!strcmp(version, "$LATEST"))
		return true;
	return strlen(version) <= 10 && sk_get(c, "functions/account/version/%s/%010lld", function, strtoll(version, NULL, 10));
}

static int check_version(struct sk_call *c, const char *function, const char *version)
{
	if (is_there(c, function, version))
		return SK_OK;
	return sk_fail(c, SK_E_NOT_FOUND, "Function not found: %s", alias_arn(c, function, version));
}

/* "You can point an alias at a maximum of two Lambda function versions": published ones. */
static int check_routing(struct sk_call *c, const char *function, const cJSON *record)
{
	const cJSON *weights = sk_json_get(sk_json_get(record, "RoutingConfig"), "AdditionalVersionWeights");
	const char *version = sk_json_text(record, "FunctionVersion");
	int rc = SK_OK;
	if (sk_json_count(weights) > 1)
		return sk_fail(c, SK_E_INVALID_PARAMETER, "Number of items in AdditionalVersionWeights cannot be greater than 1");
	SK_JSON_EACH(weight, weights) {
		if (!strcmp(version, "$LATEST"))
			rc = sk_fail(c, SK_E_INVALID_PARAMETER, "$LATEST is not supported for an alias pointing to more than 1 version");
		else if (!strcmp(version, weight->string))
			rc = sk_fail(c, SK_E_INVALID_PARAMETER, "Invalid function version %s. Function version %s is already included in routing configuration.", version, version);
		else
			rc = check_version(c, function, weight->string);
	}
	return rc;
}

/* What is given into the record, checked as a whole. */
static int take(struct sk_call *c, const char *function, cJSON *record)
{
	static const char *const members[] = { "FunctionVersion", "Description", "RoutingConfig" };
	for (size_t i = 0; i < sizeof members / sizeof members[0]; i++) {
		const cJSON *given = sk_json_get(c->in, members[i]);
		if (given)
			sk_json_set(c->arena, record, members[i], sk_json_copy(c->arena, given));
	}
	if (!sk_json_count(sk_json_get(sk_json_get(record, "RoutingConfig"), "AdditionalVersionWeights")))
		sk_json_remove(record, "RoutingConfig");
	sk_json_set_string(c->arena, record, "RevisionId", sk_uuid(c));
	int rc = check_version(c, function, sk_json_text(record, "FunctionVersion"));
	return rc ? rc : check_routing(c, function, record);
}

/* -- operations -- */

static int CreateAlias(struct sk_call *c)
{
	int rc;
	const char *function = function_of(c, &rc), *name = sk_json_text(c->in, "Name");
	cJSON *record = sk_json_object(c->arena);
	if (rc)
		return rc;
	if (sk_get(c, "functions/account/alias/%s/%s", function, name))
		return sk_fail(c, SK_E_RESOURCE_CONFLICT, "Alias already exists: %s", alias_arn(c, function, name));
	sk_json_set_string(c->arena, record, "Name", name);
	sk_json_set_string(c->arena, record, "Description", "");
	rc = take(c, function, record);
	if (rc)
		return rc;
	sk_put(c, record, "functions/account/alias/%s/%s", function, name);
	describe(c, c->out, function, record);
	return SK_OK;
}

static int GetAlias(struct sk_call *c)
{
	int rc;
	const char *function = function_of(c, &rc);
	const cJSON *record = rc ? NULL : alias_of(c, function, &rc);
	if (record)
		describe(c, c->out, function, record);
	return rc;
}

static int UpdateAlias(struct sk_call *c)
{
	int rc;
	const char *function = function_of(c, &rc), *revision = sk_json_text(c->in, "RevisionId");
	const cJSON *before = rc ? NULL : alias_of(c, function, &rc);
	if (!before)
		return rc;
	if (revision && strcmp(revision, sk_json_text(before, "RevisionId")))
		return sk_fail(c, SK_E_PRECONDITION_FAILED, "The RevisionId provided does not match the latest RevisionId. Call the GetFunction/GetAlias API to retrieve the latest RevisionId");
	cJSON *record = sk_json_copy(c->arena, before);
	rc = take(c, function, record);
	if (rc)
		return rc;
	sk_put(c, record, "functions/account/alias/%s/%s", function, sk_json_text(record, "Name"));
	describe(c, c->out, function, record);
	return SK_OK;
}

/* What is not there is deleted too, as Lambda has it. */
static int DeleteAlias(struct sk_call *c)
{
	int rc;
	const char *function = function_of(c, &rc);
	if (!rc)
		sk_remove(c, "functions/account/alias/%s/%s", function, sk_json_text(c->in, "Name"));
	return rc;
}

static bool points_to(const cJSON *record, const char *version)
{
	return !strcmp(sk_json_text(record, "FunctionVersion"), version) || sk_json_get(sk_json_get(sk_json_get(record, "RoutingConfig"), "AdditionalVersionWeights"), version);
}

static int ListAliases(struct sk_call *c)
{
	int rc;
	const char *function = function_of(c, &rc), *version = sk_json_text(c->in, "FunctionVersion");
	if (rc)
		return rc;
	struct sk_scan page = functions_page(c, sk_printf(c->arena, "functions/account/alias/%s/", function));
	cJSON *list = sk_json_set_array(c->arena, c->out, "Aliases");
	for (size_t i = 0; i < page.count; i++)
		if (!version || points_to(page.row[i].document, version))
			describe(c, sk_json_append(list, sk_json_object(c->arena)), function, page.row[i].document);
	return SK_OK;
}
