/* functions.c -- functions and their versions. */
#include "plugins/functions/functions.h"

#include <stdlib.h>
#include <string.h>

#include "plugins/functions/settings.h"

#define OPS_FILE "plugins/functions/functions.ops"
#define OPS_GROUP functions
#define OPS_SERVICE "lambda"
#include "core/ops_table.h"

enum { PAGE = 50, IDS_SEEN = 10000 }; /* of a list: Lambda API, ListFunctions */

/* -- what every operation begins with -- */

/* The record that is to be changed: only $LATEST can be. On a miss NULL and NOT_FOUND. */
static const cJSON *latest_of(struct sk_call *c, struct functions_found *f, int *rc)
{
	*rc = functions_find(c, sk_json_text(c->in, "FunctionName"), NULL, f);
	if (!*rc && strcmp(f->version, "$LATEST"))
		*rc = sk_fail(c, SK_E_INVALID_PARAMETER, "This operation is permitted on Lambda functions only. Aliases and versions do not support this operation. "
		              "Please specify either a function name or an unqualified function ARN.");
	return *rc ? NULL : f->configuration;
}

static const char *arn_of(struct sk_call *c, const char *name, const char *version)
{
	return version ? sk_arn_of(c, "lambda", "function:%s:%s", name, version) : sk_arn_of(c, "lambda", "function:%s", name);
}

/* RevisionId: "Update the function only if the revision ID matches the ID that's specified." */
static int check_revision(struct sk_call *c, const cJSON *record)
{
	const char *given = sk_json_text(c->in, "RevisionId"), *is = sk_json_text(record, "RevisionId");
	if (!given || (is && !strcmp(given, is)))
		return SK_OK;
	return sk_fail(c, SK_E_PRECONDITION_FAILED, "The RevisionId provided does not match the latest RevisionId. Call the GetFunction/GetAlias API to retrieve the latest RevisionId");
}

/* -- versions -- */

static const char *version_key(struct sk_call *c, const char *name, int64_t number)
{
	return sk_printf(c->arena, "functions/account/version/%s/%010lld", name, (long long)number);
}

/* What of two records makes them the same version. */
static bool same(const cJSON *a, const cJSON *b)
{
	static const char *const besides[] = { "Version", "LastModified", "RevisionId", "Description", NULL };
	int n = 0, m = 0;
	SK_JSON_EACH(member, a) {
		size_t i = 0;
		while (besides[i] && strcmp(besides[i], member->string))
			i++;
		n += !besides[i];
		if (!besides[i] && !sk_json_equal(member, sk_json_get(b, member->string)))
			return false;
	}
	SK_JSON_EACH(member, b) {
		size_t i = 0;
		while (besides[i] && strcmp(besides[i], member->string))
			i++;
		m += !besides[i];
	}
	return n == m;
}

/* The next version of `record`, or the last one when nothing has changed since. */
static const cJSON *publish(struct sk_call *c, const char *name, const cJSON *about, const cJSON *record, const char *description)
{
	struct sk_arena *a = c->arena;
	int64_t last = sk_json_int_of(about, "lastVersion", 0);
	const cJSON *before = last ? sk_get(c, "%s", version_key(c, name, last)) : NULL;
	if (before && same(before, record))
		return before;
	cJSON *version = sk_json_copy(a, record), *after = about ? sk_json_copy(a, about) : sk_json_object(a);
	sk_json_set_string(a, version, "Version", sk_printf(a, "%lld", (long long)last + 1));
	sk_json_set_string(a, version, "LastModified", functions_time(a, c->now_ms));
	sk_json_set_string(a, version, "RevisionId", sk_uuid(c));
	if (description)
		sk_json_set_string(a, version, "Description", description);
	sk_put(c, version, "%s", version_key(c, name, last + 1));
	functions_code_use(c, sk_json_text(record, "codeSha256Hex"), 1);
	sk_json_set_int(a, after, "lastVersion", last + 1);
	sk_put(c, after, "functions/account/about/%s", name);
	return version;
}

static int PublishVersion(struct sk_call *c)
{
	struct functions_found f;
	int rc;
	const cJSON *record = latest_of(c, &f, &rc);
	const char *sha = sk_json_text(c->in, "CodeSha256"), *is = sk_json_text(record, "CodeSha256");
	rc = rc ? rc : check_revision(c, record);
	if (!rc && sha && (!is || strcmp(sha, is)))
		rc = sk_fail(c, SK_E_INVALID_PARAMETER, "CodeSHA256 (%.100s) is different from current CodeSHA256 in $LATEST (%s). Please try again with the CodeSHA256 in $LATEST.", sha, is ? is : "");
	if (rc)
		return rc;
	const cJSON *version = publish(c, f.name, f.about, record, sk_json_text(c->in, "Description"));
	functions_describe(c, c->out, version, arn_of(c, f.name, sk_json_text(version, "Version")));
	return SK_OK;
}

/* -- creating, changing -- */

static void set_code(struct sk_call *c, cJSON *record, const struct functions_code *code)
{
	struct sk_arena *a = c->arena;
	sk_json_set_string(a, record, "CodeSha256", code->sha_base64);
	sk_json_set_int(a, record, "CodeSize", code->size);
	sk_json_set_string(a, record, "codeSha256Hex", code->sha);
}

static int CreateFunction(struct sk_call *c)
{
	struct functions_name n;
	struct functions_code code;
	const char *given = sk_json_text(c->in, "FunctionName");
	const cJSON *tags = sk_json_get(c->in, "Tags");
	cJSON *record = sk_json_object(c->arena), *about = sk_json_object(c->arena);
	if (functions_name_parse(c->arena, given, &n) || n.qualifier)
		return sk_fail(c, SK_E_INVALID_PARAMETER, "%.140s is not a name that a function may have", given);
	if (sk_get(c, "functions/account/latest/%s", n.name))
		return sk_fail(c, SK_E_RESOURCE_CONFLICT, "Function already exist: %s", n.name);
	int rc = settings_check(c, NULL);
	sk_json_set_string(c->arena, record, "FunctionName", n.name);
	settings_take(c, record, true);
	rc = rc ? rc : functions_code_take(c, sk_json_get(c->in, "Code"), false, &code);
	if (rc)
		return rc;
	set_code(c, record, &code);
	sk_json_set_string(c->arena, record, "Version", "$LATEST");
	if (tags)
		sk_json_set(c->arena, about, "Tags", sk_json_copy(c->arena, tags));
	sk_put(c, record, "functions/account/latest/%s", n.name);
	sk_put(c, about, "functions/account/about/%s", n.name);
	const cJSON *version = sk_json_true(c->in, "Publish") ? publish(c, n.name, about, record, NULL) : NULL;
	functions_describe(c, c->out, version ? version : record, arn_of(c, n.name, version ? sk_json_text(version, "Version") : NULL));
	return SK_OK;
}

static int UpdateFunctionConfiguration(struct sk_call *c)
{
	struct functions_found f;
	int rc;
	const cJSON *before = latest_of(c, &f, &rc);
	rc = rc ? rc : check_revision(c, before);
	rc = rc ? rc : settings_check(c, before);
	if (rc)
		return rc;
	cJSON *record = sk_json_copy(c->arena, before);
	settings_take(c, record, false);
	sk_put(c, record, "functions/account/latest/%s", f.name);
	functions_describe(c, c->out, record, f.arn);
	return SK_OK;
}

static int UpdateFunctionCode(struct sk_call *c)
{
	struct functions_found f;
	struct functions_code code;
	int rc;
	const cJSON *before = latest_of(c, &f, &rc), *architectures = sk_json_get(c->in, "Architectures");
	bool dry = sk_json_true(c->in, "DryRun");
	rc = rc ? rc : check_revision(c, before);
	rc = rc ? rc : functions_code_take(c, c->in, dry, &code);
	if (rc)
		return rc;
	cJSON *record = sk_json_copy(c->arena, before);
	set_code(c, record, &code);
	if (architectures)
		sk_json_set(c->arena, record, "Architectures", sk_json_copy(c->arena, architectures));
	sk_json_set_string(c->arena, record, "LastModified", functions_time(c->arena, c->now_ms));
	sk_json_set_string(c->arena, record, "RevisionId", sk_uuid(c));
	functions_describe(c, c->out, record, f.arn);
	if (dry)
		return SK_OK;
	functions_code_use(c, sk_json_text(before, "codeSha256Hex"), -1);
	sk_put(c, record, "functions/account/latest/%s", f.name);
	const cJSON *version = sk_json_true(c->in, "Publish") ? publish(c, f.name, f.about, record, NULL) : NULL;
	if (version)
		functions_describe(c, c->out, version, arn_of(c, f.name, sk_json_text(version, "Version")));
	return SK_OK;
}

/* -- deleting -- */

static bool alias_uses(struct sk_call *c, const char *name, const char *version)
{
	struct sk_scan aliases = sk_scan(c, IDS_SEEN, NULL, "functions/account/alias/%s/", name);
	for (size_t i = 0; i < aliases.count; i++) {
		const cJSON *alias = aliases.row[i].document;
		const char *is = sk_json_text(alias, "FunctionVersion");
		if ((is && !strcmp(is, version)) || sk_json_get(sk_json_get(sk_json_get(alias, "RoutingConfig"), "AdditionalVersionWeights"), version))
			return true;
	}
	return false;
}

static int delete_version(struct sk_call *c, const struct functions_found *f)
{
	if (alias_uses(c, f->name, f->version))
		return sk_fail(c, SK_E_RESOURCE_CONFLICT, "Version %s is in use by an alias of function %s", f->version, f->name);
	functions_code_use(c, sk_json_text(f->configuration, "codeSha256Hex"), -1);
	sk_remove(c, "%s", version_key(c, f->name, strtoll(f->version, NULL, 10)));
	return SK_OK;
}

static void remove_all(struct sk_call *c, const char *what, const char *name, bool code)
{
	struct sk_scan all = sk_scan(c, IDS_SEEN, NULL, "functions/account/%s/%s/", what, name);
	for (size_t i = 0; i < all.count; i++) {
		if (code)
			functions_code_use(c, sk_json_text(all.row[i].document, "codeSha256Hex"), -1);
		sk_remove(c, "functions/account/%s/%s/%s", what, name, all.row[i].name);
	}
}

/* Of a version when a qualifier names one; else of the function with all it has. */
static int DeleteFunction(struct sk_call *c)
{
	struct functions_found f;
	int rc = functions_find(c, sk_json_text(c->in, "FunctionName"), sk_json_text(c->in, "Qualifier"), &f);
	if (rc)
		return rc;
	const char *last = strrchr(f.arn, ':') + 1;
	if (strcmp(f.version, "$LATEST") && !strcmp(last, f.version))
		return delete_version(c, &f);
	if (strcmp(last, f.name))
		return sk_fail(c, SK_E_INVALID_PARAMETER, "%s version cannot be deleted without deleting the function.", last);
	functions_code_use(c, sk_json_text(f.configuration, "codeSha256Hex"), -1);
	remove_all(c, "version", f.name, true);
	remove_all(c, "alias", f.name, false);
	sk_remove(c, "functions/account/latest/%s", f.name);
	sk_remove(c, "functions/account/about/%s", f.name);
	return SK_OK;
}

/* -- looking -- */

static int GetFunctionConfiguration(struct sk_call *c)
{
	struct functions_found f;
	int rc = functions_find(c, sk_json_text(c->in, "FunctionName"), sk_json_text(c->in, "Qualifier"), &f);
	if (!rc)
		functions_describe(c, c->out, f.configuration, f.arn);
	return rc;
}

/* Code.Location is a presigned URL of S3 at AWS, from where the package comes; here GetFunctionCode gives it. */
static int GetFunction(struct sk_call *c)
{
	struct sk_arena *a = c->arena;
	struct functions_found f;
	int rc = functions_find(c, sk_json_text(c->in, "FunctionName"), sk_json_text(c->in, "Qualifier"), &f);
	if (rc)
		return rc;
	const cJSON *tags = sk_json_get(f.about, "Tags");
	functions_describe(c, sk_json_set_object(a, c->out, "Configuration"), f.configuration, f.arn);
	sk_json_set_string(a, sk_json_set_object(a, c->out, "Code"), "RepositoryType", "S3");
	if (tags)
		sk_json_set(a, c->out, "Tags", sk_json_copy(a, tags));
	if (functions_reserved(&f) >= 0)
		sk_json_set_int(a, sk_json_set_object(a, c->out, "Concurrency"), "ReservedConcurrentExecutions", functions_reserved(&f));
	return SK_OK;
}

struct sk_scan functions_page(struct sk_call *c, const char *prefix)
{
	int64_t most = sk_json_int_of(c->in, "MaxItems", PAGE);
	struct sk_scan scan = sk_scan(c, (size_t)(most < PAGE ? most : PAGE), sk_json_text(c->in, "Marker"), "%s", prefix);
	if (scan.next)
		sk_json_set_string(c->arena, c->out, "NextMarker", scan.next);
	return scan;
}

static void list(struct sk_call *c, cJSON *to, const cJSON *record, bool qualified)
{
	const char *name = sk_json_text(record, "FunctionName"), *version = sk_json_text(record, "Version");
	functions_describe(c, sk_json_append(to, sk_json_object(c->arena)), record, arn_of(c, name, qualified ? version : NULL));
}

/* FunctionVersion ALL: every version of every function, pages count functions. */
static int ListFunctions(struct sk_call *c)
{
	struct sk_scan scan = functions_page(c, "functions/account/latest/");
	cJSON *to = sk_json_set_array(c->arena, c->out, "Functions");
	bool all = sk_json_text(c->in, "FunctionVersion") != NULL;
	for (size_t i = 0; i < scan.count; i++) {
		list(c, to, scan.row[i].document, all);
		struct sk_scan versions = { 0 };
		if (all)
			versions = sk_scan(c, IDS_SEEN, NULL, "functions/account/version/%s/", scan.row[i].name);
		for (size_t k = 0; k < versions.count; k++)
			list(c, to, versions.row[k].document, true);
	}
	return SK_OK;
}

static int ListVersionsByFunction(struct sk_call *c)
{
	struct functions_found f;
	int rc = functions_find(c, sk_json_text(c->in, "FunctionName"), NULL, &f);
	if (rc)
		return rc;
	cJSON *to = sk_json_set_array(c->arena, c->out, "Versions");
	if (!sk_json_get(c->in, "Marker"))
		list(c, to, f.configuration, true);
	struct sk_scan scan = functions_page(c, sk_printf(c->arena, "functions/account/version/%s/", f.name));
	for (size_t i = 0; i < scan.count; i++)
		list(c, to, scan.row[i].document, true);
	return SK_OK;
}
