/* logging.c -- logging options and levels, kept for those who ask: what is logged, and where, Mosquitto's own log_type and log_dest say.
 *
 * registry/logging-options is the answer of GetV2LoggingOptions, registry/logging-level/<type>/<name> one element of the list of levels; the
 * default level is registry/logging-level/DEFAULT, always in the same commit as the options. */
#include <string.h>

#include "core/call.h"
#include "core/plugin.h"
#include "plugins/registry/registry.h"

#define OPS_FILE "plugins/registry/logging.ops"
#define OPS_GROUP logging
#define OPS_SERVICE "iot"
#include "core/ops_table.h"

#define OPTIONS "registry/logging-options"
#define LEVELS "registry/logging-level/"
#define DEFAULT_TARGET "DEFAULT"

/* "Resource-specific logging configurations: 1,000". */
enum { LEVELS_MAX = 1000, TARGET_NAME_MAX = 256, EVENT_TYPES_MAX = 100 };

static int fail_not_configured(struct sk_call *c)
{
	return sk_fail(c, SK_E_NOT_CONFIGURED, "Logging is not configured: call SetV2LoggingOptions first");
}

static void put_level(struct sk_call *c, const char *type, const char *name, const char *level)
{
	cJSON *record = sk_json_object(c->arena), *target = sk_json_set_object(c->arena, record, "logTarget");

	sk_json_set_string(c->arena, target, "targetType", type);
	sk_json_set_string(c->arena, target, "targetName", name);
	sk_json_set_string(c->arena, record, "logLevel", level);
	if (name)
		sk_put(c, record, LEVELS "%s/%s", type, name);
	else
		sk_put(c, record, LEVELS DEFAULT_TARGET);
}

static void store_options(struct sk_call *c, const cJSON *options)
{
	sk_put(c, options, OPTIONS);
	put_level(c, DEFAULT_TARGET, NULL, sk_json_text(options, "defaultLogLevel"));
}

/* What is not given stays; at first errors are logged. */
static int SetV2LoggingOptions(struct sk_call *c)
{
	static const char *const known[] = { "roleArn", "defaultLogLevel", "disableAllLogs", "eventConfigurations" };
	const cJSON *old = sk_get(c, OPTIONS);
	cJSON *options = old ? sk_json_copy(c->arena, old) : sk_json_object(c->arena);

	if (sk_json_count(sk_json_get(c->in, "eventConfigurations")) > EVENT_TYPES_MAX)
		return sk_fail(c, SK_E_INVALID_REQUEST, "At most %d event types can be configured", EVENT_TYPES_MAX);
	if (!old) {
		sk_json_set_string(c->arena, options, "defaultLogLevel", "ERROR");
		sk_json_set_bool(c->arena, options, "disableAllLogs", false);
	}
	for (size_t i = 0; i < sizeof(known) / sizeof(*known); i++) {
		const cJSON *given = sk_json_get(c->in, known[i]);
		if (given && !cJSON_IsNull(given))
			sk_json_set(c->arena, options, known[i], sk_json_copy(c->arena, given));
	}
	store_options(c, options);
	return SK_OK;
}

/* "verbose: if true, the response also includes eventConfigurations." */
static int GetV2LoggingOptions(struct sk_call *c)
{
	const cJSON *options = sk_get(c, OPTIONS);
	bool verbose = sk_json_true(c->in, "verbose");

	if (!options)
		return fail_not_configured(c);
	SK_JSON_EACH(member, options)
		if (verbose || strcmp(member->string, "eventConfigurations"))
			sk_json_set(c->arena, c->out, member->string, sk_json_copy(c->arena, member));
	return SK_OK;
}

static int set_default(struct sk_call *c, const cJSON *old, const char *level)
{
	cJSON *options = sk_json_copy(c->arena, old);

	sk_json_set_string(c->arena, options, "defaultLogLevel", level);
	store_options(c, options);
	return SK_OK;
}

static bool is_default(const char *type)
{
	return type && !strcmp(type, DEFAULT_TARGET);
}

static int check_target(struct sk_call *c, const char *type, const char *name)
{
	if (is_default(type) == (name && *name))
		return sk_fail(c, SK_E_INVALID_REQUEST, is_default(type) ? "The target %s has no name" : "A target of type %s needs a name", type);
	if (name && strlen(name) > TARGET_NAME_MAX)
		return sk_fail(c, SK_E_INVALID_REQUEST, "A target's name can have at most %d bytes", TARGET_NAME_MAX);
	return SK_OK;
}

static int SetV2LoggingLevel(struct sk_call *c)
{
	const cJSON *target = sk_json_get(c->in, "logTarget"), *options = sk_get(c, OPTIONS);
	const char *type = sk_json_text(target, "targetType"), *name = sk_json_text(target, "targetName");
	const char *level = sk_json_text(c->in, "logLevel");
	struct sk_scan all = sk_scan(c, LEVELS_MAX + 1, NULL, LEVELS);
	int rc = options ? check_target(c, type, name) : fail_not_configured(c);

	if (rc)
		return rc;
	if (is_default(type))
		return set_default(c, options, level);
	if (all.count > LEVELS_MAX && !sk_get(c, LEVELS "%s/%s", type, name))
		return sk_fail(c, SK_E_LIMIT_EXCEEDED, "At most %d targets can have a level of their own", LEVELS_MAX);
	put_level(c, type, name, level);
	return SK_OK;
}

/* What is not there is deleted. */
static int DeleteV2LoggingLevel(struct sk_call *c)
{
	const char *type = sk_json_text(c->in, "targetType"), *name = sk_json_text(c->in, "targetName");

	if (is_default(type))
		return sk_fail(c, SK_E_INVALID_REQUEST, "The default level cannot be deleted: SetV2LoggingOptions changes it");
	int rc = check_target(c, type, name);
	if (!rc && sk_get(c, LEVELS "%s/%s", type, name))
		sk_remove(c, LEVELS "%s/%s", type, name);
	return rc;
}

static int ListV2LoggingLevels(struct sk_call *c)
{
	const char *type = sk_json_text(c->in, "targetType");
	const cJSON *options = sk_get(c, OPTIONS);
	int rc = SK_OK;
	struct sk_scan page = sk_scan_page(c, &rc, LEVELS "%s", type ? type : "");

	if (rc || !options)
		return rc ? rc : fail_not_configured(c);
	cJSON *list = sk_json_set_array(c->arena, c->out, "logTargetConfigurations");
	for (size_t i = 0; i < page.count; i++)
		sk_json_append(list, sk_json_copy(c->arena, page.row[i].document));
	return SK_OK;
}
