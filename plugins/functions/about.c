/* about.c -- what belongs to all versions of a function, members of its record `about`: reserved, events {QUALIFIER: config}, Tags. */
#include <string.h>

#include "plugins/functions/functions.h"

#define OPS_FILE "plugins/functions/about.ops"
#define OPS_GROUP about
#define OPS_SERVICE "lambda"
#include "core/ops_table.h"

enum { TAGS_MOST = 50, UNRESERVED_LEAST = 100, COUNTED_MOST = 100000 };

/* A copy of the record that may be changed; NULL with *rc. */
static cJSON *about_of(struct sk_call *c, const char *given, struct functions_found *f, int *rc)
{
	*rc = functions_find(c, given, NULL, f);
	if (*rc)
		return NULL;
	return f->about ? sk_json_copy(c->arena, f->about) : sk_json_object(c->arena);
}

static void put_about(struct sk_call *c, const struct functions_found *f, const cJSON *about)
{
	sk_put(c, about, "functions/account/about/%s", f->name);
}

/* -- concurrency -- */

static int64_t all_reserved(struct sk_call *c, const char *but)
{
	struct sk_scan all = sk_scan(c, COUNTED_MOST, NULL, "functions/account/about/");
	int64_t sum = 0;
	for (size_t i = 0; i < all.count; i++)
		if (strcmp(all.row[i].name, but))
			sum += sk_json_int_of(all.row[i].document, "reserved", 0);
	return sum;
}

static int PutFunctionConcurrency(struct sk_call *c)
{
	const struct functions_state *s = c->state;
	struct functions_found f;
	int rc;
	cJSON *about = about_of(c, sk_json_text(c->in, "FunctionName"), &f, &rc);
	int64_t n = sk_json_int_of(c->in, "ReservedConcurrentExecutions", 0), least = s->concurrency < UNRESERVED_LEAST ? 0 : UNRESERVED_LEAST;
	if (rc)
		return rc;
	if (n + all_reserved(c, f.name) > s->concurrency - least)
		return sk_fail(c, SK_E_INVALID_PARAMETER, "Specified ReservedConcurrentExecutions for function decreases account's UnreservedConcurrentExecution below its minimum value of [%lld].",
		               (long long)least);
	sk_json_set_int(c->arena, about, "reserved", n);
	put_about(c, &f, about);
	sk_json_set_int(c->arena, c->out, "ReservedConcurrentExecutions", n);
	return SK_OK;
}

static int GetFunctionConcurrency(struct sk_call *c)
{
	struct functions_found f;
	int rc = functions_find(c, sk_json_text(c->in, "FunctionName"), NULL, &f);
	if (!rc && functions_reserved(&f) >= 0)
		sk_json_set_int(c->arena, c->out, "ReservedConcurrentExecutions", functions_reserved(&f));
	return rc;
}

static int DeleteFunctionConcurrency(struct sk_call *c)
{
	struct functions_found f;
	int rc;
	cJSON *about = about_of(c, sk_json_text(c->in, "FunctionName"), &f, &rc);
	if (rc)
		return rc;
	sk_json_remove(about, "reserved");
	put_about(c, &f, about);
	return SK_OK;
}

static int GetAccountSettings(struct sk_call *c)
{
	const struct functions_state *s = c->state;
	struct sk_arena *a = c->arena;
	cJSON *limit = sk_json_set_object(a, c->out, "AccountLimit"), *usage = sk_json_set_object(a, c->out, "AccountUsage");
	sk_json_set_int(a, limit, "TotalCodeSize", s->code_total);
	sk_json_set_int(a, limit, "CodeSizeUnzipped", FUNCTIONS_UNZIPPED_MOST);
	sk_json_set_int(a, limit, "CodeSizeZipped", s->code_size);
	sk_json_set_int(a, limit, "ConcurrentExecutions", s->concurrency);
	sk_json_set_int(a, limit, "UnreservedConcurrentExecutions", s->concurrency - all_reserved(c, ""));
	sk_json_set_int(a, usage, "TotalCodeSize", sk_json_int_of(sk_get(c, "functions/account/total"), "bytes", 0));
	sk_json_set_int(a, usage, "FunctionCount", (int64_t)sk_scan(c, COUNTED_MOST, NULL, "functions/account/latest/").count);
	return SK_OK;
}

/* -- what becomes of events -- */

static const char *qualifier_of(struct sk_call *c)
{
	const char *given = sk_json_text(c->in, "Qualifier");
	return given && *given ? given : "$LATEST";
}

static const char *config_arn(struct sk_call *c, const char *name, const char *qualifier)
{
	return sk_arn_of(c, "lambda", "function:%s:%s", name, qualifier);
}

static void describe_config(struct sk_call *c, cJSON *out, const char *name, const cJSON *config)
{
	sk_json_set_string(c->arena, out, "FunctionArn", config_arn(c, name, config->string));
	SK_JSON_EACH(member, config)
		sk_json_set(c->arena, out, member->string, strcmp(member->string, "LastModified") ? sk_json_copy(c->arena, member)
		            : sk_json_time(c->arena, sk_json_int_of(config, "LastModified", 0)));
}

/* A destination that events can go to here: a function, or a topic. */
static int check_destinations(struct sk_call *c)
{
	SK_JSON_EACH(when, sk_json_get(c->in, "DestinationConfig")) {
		const char *arn = sk_json_text(when, "Destination");
		if (arn && *arn && !functions_is_destination(arn))
			return sk_fail(c, SK_E_INVALID_PARAMETER, "The destination ARN %.200s is not supported here: a function's, or arn:aws:iot:REGION:ACCOUNT:topic/TOPIC.", arn);
	}
	return SK_OK;
}

static int no_config(struct sk_call *c, const struct functions_found *f)
{
	return sk_fail(c, SK_E_NOT_FOUND, "The function %s doesn't have an EventInvokeConfig", config_arn(c, f->name, qualifier_of(c)));
}

/* replace: what is not given is not kept. */
static int put_config(struct sk_call *c, bool replace)
{
	static const char *const members[] = { "MaximumRetryAttempts", "MaximumEventAgeInSeconds", "DestinationConfig" };
	struct sk_arena *a = c->arena;
	struct functions_found f;
	int rc = functions_find(c, sk_json_text(c->in, "FunctionName"), qualifier_of(c), &f);
	cJSON *about = rc ? NULL : about_of(c, f.name, &f, &rc);
	rc = rc ? rc : check_destinations(c);
	if (rc)
		return rc;
	cJSON *all = sk_json_get(about, "events");
	all = all ? all : sk_json_set_object(a, about, "events");
	const cJSON *before = sk_json_get(all, qualifier_of(c));
	if (!before && !replace)
		return no_config(c, &f);
	cJSON *config = replace || !before ? sk_json_object(a) : sk_json_copy(a, before);
	for (size_t i = 0; i < sizeof members / sizeof members[0]; i++)
		if (sk_json_get(c->in, members[i]))
			sk_json_set(a, config, members[i], sk_json_copy(a, sk_json_get(c->in, members[i])));
	sk_json_set_int(a, config, "LastModified", c->now_ms);
	sk_json_set(a, all, qualifier_of(c), config);
	put_about(c, &f, about);
	describe_config(c, c->out, f.name, sk_json_get(all, qualifier_of(c)));
	return SK_OK;
}

static int PutFunctionEventInvokeConfig(struct sk_call *c)
{
	return put_config(c, true);
}

static int UpdateFunctionEventInvokeConfig(struct sk_call *c)
{
	return put_config(c, false);
}

static int GetFunctionEventInvokeConfig(struct sk_call *c)
{
	struct functions_found f;
	int rc = functions_find(c, sk_json_text(c->in, "FunctionName"), NULL, &f);
	const cJSON *config = rc ? NULL : sk_json_get(sk_json_get(f.about, "events"), qualifier_of(c));
	if (config)
		describe_config(c, c->out, f.name, config);
	return rc || config ? rc : no_config(c, &f);
}

static int DeleteFunctionEventInvokeConfig(struct sk_call *c)
{
	struct functions_found f;
	int rc;
	cJSON *about = about_of(c, sk_json_text(c->in, "FunctionName"), &f, &rc), *all = sk_json_get(about, "events");
	if (rc)
		return rc;
	if (!sk_json_get(all, qualifier_of(c)))
		return no_config(c, &f);
	sk_json_remove(all, qualifier_of(c));
	put_about(c, &f, about);
	return SK_OK;
}

/* There are as many as qualifiers that have one: no page is ever full. */
static int ListFunctionEventInvokeConfigs(struct sk_call *c)
{
	struct functions_found f;
	int rc = functions_find(c, sk_json_text(c->in, "FunctionName"), NULL, &f);
	if (rc)
		return rc;
	cJSON *list = sk_json_set_array(c->arena, c->out, "FunctionEventInvokeConfigs");
	SK_JSON_EACH(config, sk_json_get(f.about, "events"))
		describe_config(c, sk_json_append(list, sk_json_object(c->arena)), f.name, config);
	return SK_OK;
}

/* -- tags -- */

/* Tags are the function's: a qualifier is refused. */
static cJSON *tagged(struct sk_call *c, struct functions_found *f, int *rc)
{
	struct functions_name n;
	const char *arn = sk_json_text(c->in, "Resource");
	if (functions_name_parse(c->arena, arn, &n) || n.qualifier)
		*rc = sk_fail(c, SK_E_INVALID_PARAMETER, "Tags on function aliases and versions are not supported. Please specify a function ARN.");
	else
		return about_of(c, arn, f, rc);
	return NULL;
}

static int TagResource(struct sk_call *c)
{
	struct functions_found f;
	int rc;
	cJSON *about = tagged(c, &f, &rc), *tags = sk_json_get(about, "Tags");
	if (rc)
		return rc;
	tags = tags ? tags : sk_json_set_object(c->arena, about, "Tags");
	SK_JSON_EACH(tag, sk_json_get(c->in, "Tags"))
		sk_json_set(c->arena, tags, tag->string, sk_json_copy(c->arena, tag));
	if (sk_json_count(tags) > TAGS_MOST)
		return sk_fail(c, SK_E_INVALID_PARAMETER, "The maximum number of tags per resource is %d.", TAGS_MOST);
	put_about(c, &f, about);
	return SK_OK;
}

static int UntagResource(struct sk_call *c)
{
	struct functions_found f;
	int rc;
	cJSON *about = tagged(c, &f, &rc), *tags = sk_json_get(about, "Tags");
	if (rc)
		return rc;
	SK_JSON_EACH(key, sk_json_get(c->in, "TagKeys"))
		sk_json_remove(tags, key->valuestring);
	put_about(c, &f, about);
	return SK_OK;
}

static int ListTags(struct sk_call *c)
{
	struct functions_found f;
	int rc;
	cJSON *about = tagged(c, &f, &rc), *tags = sk_json_get(about, "Tags");
	if (!rc)
		sk_json_set(c->arena, c->out, "Tags", tags ? sk_json_copy(c->arena, tags) : sk_json_object(c->arena));
	return rc;
}
