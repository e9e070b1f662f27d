/* settings.c -- see settings.h. Defaults: Lambda API, CreateFunction. */
#include <string.h>

#include "plugins/functions/functions.h"
#include "plugins/functions/settings.h"

enum { ENVIRONMENT_MOST = 4096 };

/* Members that are taken as they are; what stands behind a name is its default as JSON, NULL: none. */
static const struct { const char *name, *init; } members[] = {
	{ "Runtime", NULL }, { "Role", NULL }, { "Handler", NULL }, { "Description", "\"\"" }, { "Timeout", "3" }, { "MemorySize", "128" }, { "VpcConfig", NULL },
	{ "PackageType", "\"Zip\"" }, { "DeadLetterConfig", NULL }, { "Environment", NULL }, { "KMSKeyArn", NULL }, { "TracingConfig", "{\"Mode\":\"PassThrough\"}" },
	{ "FileSystemConfigs", NULL }, { "Architectures", "[\"x86_64\"]" }, { "EphemeralStorage", "{\"Size\":512}" }, { 0 }
};

/* What can be run, and by what its name begins. */
static const struct { const char *begin; bool exact; } runtimes[] = { { "lua5.4", true }, { 0 } };

static int check_runtime(struct sk_call *c, const char *runtime)
{
	size_t i = 0;
	while (runtimes[i].begin && (runtimes[i].exact ? strcmp(runtime, runtimes[i].begin) : strncmp(runtime, runtimes[i].begin, strlen(runtimes[i].begin))))
		i++;
	if (runtimes[i].begin)
		return SK_OK;
	return sk_fail(c, SK_E_INVALID_PARAMETER, "The runtime parameter of %.64s is not supported here. We recommend to use lua5.4.", runtime);
}

/* Lambda developer guide, "Using Lambda environment variables": reserved ones. */
static bool is_reserved(const char *name)
{
	static const char *const reserved[] = {
		"_HANDLER", "_X_AMZN_TRACE_ID", "AWS_DEFAULT_REGION", "AWS_REGION", "AWS_EXECUTION_ENV", "AWS_LAMBDA_FUNCTION_NAME", "AWS_LAMBDA_FUNCTION_MEMORY_SIZE",
		"AWS_LAMBDA_FUNCTION_VERSION", "AWS_LAMBDA_INITIALIZATION_TYPE", "AWS_LAMBDA_LOG_GROUP_NAME", "AWS_LAMBDA_LOG_STREAM_NAME", "AWS_ACCESS_KEY",
		"AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN", "AWS_LAMBDA_RUNTIME_API", "LAMBDA_TASK_ROOT", "LAMBDA_RUNTIME_DIR", NULL
	};
	for (size_t i = 0; reserved[i]; i++)
		if (!strcmp(reserved[i], name))
			return true;
	return false;
}

static int check_environment(struct sk_call *c, const cJSON *variables)
{
	static const char unable[] = "Lambda was unable to configure your environment variables because the environment variables you have provided";
	const char *found = NULL;
	size_t n = 0;
	const char *text = variables ? sk_json_print(c->arena, variables, &n) : NULL;
	SK_JSON_EACH(one, variables)
		if (is_reserved(one->string))
			found = found ? sk_printf(c->arena, "%s, %s", found, one->string) : one->string;
	if (found)
		return sk_fail(c, SK_E_INVALID_PARAMETER, "%s contains reserved keys that are currently not supported for modification. Reserved keys used in this request: %s", unable, found);
	if (n > ENVIRONMENT_MOST)
		return sk_fail(c, SK_E_INVALID_PARAMETER, "%s exceeded the 4KB limit. String measured: %.200s...", unable, text);
	return SK_OK;
}

static int check_package(struct sk_call *c)
{
	const char *type = sk_json_text(c->in, "PackageType");
	bool both = sk_json_text(c->in, "Runtime") && sk_json_text(c->in, "Handler");
	if (type && !strcmp(type, "Image"))
		return sk_fail(c, SK_E_INVALID_PARAMETER, "Functions are not run in containers here: PackageType is Zip.");
	if (!both)
		return sk_fail(c, SK_E_INVALID_PARAMETER, "Runtime and Handler are mandatory parameters for functions created with deployment packages.");
	return SK_OK;
}

int settings_check(struct sk_call *c, const cJSON *before)
{
	const char *runtime = sk_json_text(c->in, "Runtime");
	int rc = before ? SK_OK : check_package(c);
	if (!rc && runtime)
		rc = check_runtime(c, runtime);
	if (!rc)
		rc = check_environment(c, sk_json_get(sk_json_get(c->in, "Environment"), "Variables"));
	if (!rc && sk_json_count(sk_json_get(c->in, "Layers")) > 0)
		rc = sk_fail(c, SK_E_INVALID_PARAMETER, "There are no layers here: put their files into the package.");
	if (!rc && sk_json_get(c->in, "CodeSigningConfigArn"))
		rc = sk_fail(c, SK_E_CODE_SIGNING, "The code signing configuration cannot be found. There are none here.");
	return rc;
}

void settings_take(struct sk_call *c, cJSON *record, bool is_new)
{
	struct sk_arena *a = c->arena;
	for (size_t i = 0; members[i].name; i++) {
		const cJSON *given = sk_json_get(c->in, members[i].name);
		const char *init = is_new ? members[i].init : NULL;
		if (given)
			sk_json_set(a, record, members[i].name, sk_json_copy(a, given));
		else if (init)
			sk_json_set(a, record, members[i].name, sk_json_parse(a, init, strlen(init), NULL, NULL));
	}
	const cJSON *image = sk_json_get(c->in, "ImageConfig");
	if (image)
		sk_json_set(a, sk_json_set_object(a, record, "ImageConfigResponse"), "ImageConfig", sk_json_copy(a, image));
	const char *dead = sk_json_text(sk_json_get(c->in, "DeadLetterConfig"), "TargetArn");
	if (dead && !*dead)
		sk_json_remove(record, "DeadLetterConfig");
	sk_json_set_string(a, record, "LastModified", functions_time(a, c->now_ms));
	sk_json_set_string(a, record, "RevisionId", sk_uuid(c));
	sk_json_set_string(a, record, "State", "Active");
	sk_json_set_string(a, record, "LastUpdateStatus", "Successful");
}
