/* find.c -- from whatever names a function to the record that says what runs. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "core/plugin.h"
#include "plugins/functions/functions.h"

static int not_found(struct sk_call *c, const struct functions_name *n, const char *qualifier)
{
	const char *arn = sk_arn_of(c, "lambda", "function:%s", n->name);
	return sk_fail(c, SK_E_NOT_FOUND, "Function not found: %s%s%s", arn, qualifier ? ":" : "", qualifier ? qualifier : "");
}

/* The other version of an alias takes its share of the calls: Lambda developer guide, "Configuring Lambda function aliases". */
static const char *version_of_alias(struct sk_call *c, const cJSON *alias)
{
	const cJSON *weights = sk_json_get(sk_json_get(alias, "RoutingConfig"), "AdditionalVersionWeights");
	uint32_t chance;
	sk_random(c, &chance, sizeof chance);
	SK_JSON_EACH(weight, weights)
		if ((double)chance / 4294967296.0 < weight->valuedouble)
			return weight->string;
	return sk_json_text(alias, "FunctionVersion");
}

static const cJSON *version_record(struct sk_call *c, const char *name, const char *version)
{
	bool number = version && strspn(version, "0123456789") == strlen(version) && strlen(version) <= 10;
	return number ? sk_get(c, "functions/account/version/%s/%010lld", name, strtoll(version, NULL, 10)) : NULL;
}

int functions_find(struct sk_call *c, const char *text, const char *qualifier, struct functions_found *out)
{
	struct functions_name n;
	*out = (struct functions_found){ 0 };
	if (!text || functions_name_parse(c->arena, text, &n))
		return sk_fail(c, SK_E_INVALID_PARAMETER, "%.200s is not a function's name or ARN", text ? text : "");
	if (qualifier && n.qualifier && strcmp(qualifier, n.qualifier))
		return sk_fail(c, SK_E_INVALID_PARAMETER, "The derived qualifier from the function name does not match the specified qualifier.");
	qualifier = qualifier && *qualifier ? qualifier : n.qualifier;
	bool latest = !qualifier || !strcmp(qualifier, "$LATEST");
	const cJSON *alias = latest || strspn(qualifier, "0123456789") == strlen(qualifier) ? NULL : sk_get(c, "functions/account/alias/%s/%s", n.name, qualifier);
	out->name = n.name;
	out->about = sk_get(c, "functions/account/about/%s", n.name);
	out->version = latest ? "$LATEST" : alias ? version_of_alias(c, alias) : qualifier;
	latest = !strcmp(out->version ? out->version : "", "$LATEST");
	out->configuration = latest ? sk_get(c, "functions/account/latest/%s", n.name) : version_record(c, n.name, out->version);
	out->arn = qualifier ? sk_arn_of(c, "lambda", "function:%s:%s", n.name, qualifier) : sk_arn_of(c, "lambda", "function:%s", n.name);
	if (!out->configuration || (n.account && strcmp(n.account, sk_account())))
		return not_found(c, &n, qualifier);
	return SK_OK;
}

int64_t functions_reserved(const struct functions_found *f)
{
	return sk_json_int_of(f->about, "reserved", -1);
}

const cJSON *functions_event_invoke(const struct functions_found *f)
{
	const char *last = f->arn ? strrchr(f->arn, ':') : NULL;
	const cJSON *events = sk_json_get(f->about, "events"), *own = last ? sk_json_get(events, last + 1) : NULL;
	return own ? own : sk_json_get(events, "$LATEST");
}

bool functions_is_destination(const char *arn)
{
	return !strncmp(arn, "arn:aws:lambda:", 15) || (!strncmp(arn, "arn:aws:iot:", 12) && strstr(arn, ":topic/"));
}

const char *functions_time(struct sk_arena *a, int64_t ms)
{
	time_t s = (time_t)(ms / 1000);
	struct tm tm;
	char text[32];
	gmtime_r(&s, &tm);
	strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%S", &tm);
	return sk_printf(a, "%s.%03d+0000", text, (int)(ms % 1000));
}

void functions_describe(struct sk_call *c, cJSON *out, const cJSON *record, const char *arn)
{
	SK_JSON_EACH(member, record)
		if (member->string[0] >= 'A' && member->string[0] <= 'Z')
			sk_json_set(c->arena, out, member->string, sk_json_copy(c->arena, member));
	sk_json_set_string(c->arena, out, "FunctionArn", arn);
}
