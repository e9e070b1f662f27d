/* topic_rules.c -- topic rules: made, changed, listed. What they do is the engine's, which hears of their records.
 *
 * registry/rule/<name> is {payload, ruleDisabled, createdAt (ms), filter?, tags?}. In the same commit goes registry/rule-filter/<name>, {filter?,
 * disabled, createdAt}: the little that lists and the broker's thread need. registry/rule-count is {count}. */
#include "plugins/rules/topic_rules.h"

#include <stdlib.h>
#include <string.h>

#include "core/plugin.h"
#include "core/tags.h"
#include "core/token.h"
#include "core/topic.h"
#include "plugins/rules/destinations.h"
#include "plugins/rules/files.h"
#include "plugins/rules/rules.h"

#define OPS_FILE "plugins/rules/topic_rules.ops"
#define OPS_GROUP topic_rules
#define OPS_SERVICE "iot"
#include "core/ops_table.h"

/* Bytes of a filter: AWS's limit of topics. */
enum { FILTER_MOST = 256 };
/* Of a list: names on a page that nobody asked for, and names that are looked at for a page when not all are wanted. */
enum { PAGE = 1000, LOOKED_AT = 10000 };
#define DEFAULT_VERSION "2015-10-08"

int topic_rule_fail_absent(struct sk_call *c, const char *name)
{
	return sk_fail(c, SK_E_UNAUTHORIZED, "Access to topic rule '%s' was denied", name);
}

/* -- records -- */

static const cJSON *rule_get(struct sk_call *c, const char *name)
{
	return sk_get(c, "registry/rule/%s", name);
}

/* Both records or none: whoever lists or routes by the small one finds the other. */
static void rule_store(struct sk_call *c, const char *name, const cJSON *rule)
{
	cJSON *filter = sk_json_object(c->arena);

	sk_json_set_string(c->arena, filter, "filter", sk_json_text(rule, "filter"));
	sk_json_set_bool(c->arena, filter, "disabled", sk_json_true(rule, "ruleDisabled"));
	sk_json_set_int(c->arena, filter, "createdAt", sk_json_int_of(rule, "createdAt", 0));
	sk_put(c, filter, "registry/rule-filter/%s", name); /* first: engine_watch.c puts the rule in force when its own record comes */
	sk_put(c, rule, "registry/rule/%s", name);
}

static int64_t rules_counted(struct sk_call *c)
{
	return sk_json_int_of(sk_get(c, "registry/rule-count"), "count", 0);
}

static void count_rules(struct sk_call *c, int64_t count)
{
	cJSON *record = sk_json_object(c->arena);

	sk_json_set_int(c->arena, record, "count", count > 0 ? count : 0);
	sk_put(c, record, "registry/rule-count");
}

/* -- checks -- */

/* What a file makes is changed there. */
static int check_no_file(struct sk_call *c, const char *name)
{
	cJSON *rule = NULL;

	if (!rules_files_get(c->state, name, c->arena, &rule))
		return SK_OK;
	const char *file = sk_json_text(rule, "file");
	return sk_fail(c, SK_E_INVALID_REQUEST, "Rule %s is made by the file %s: change it there", name, file ? file : "of that name");
}

const struct rules_rule *topic_rule_compile(struct sk_call *c, const char *name, const cJSON *payload, int *rc)
{
	const struct rules_state *s = c->state;
	const struct rules_settings settings = { .strict_aws = s->strict_aws };
	struct rules_error error = { 0 };
	const struct rules_rule *rule = rules_compile(c->arena, name, payload, &settings, &error);

	*rc = rule ? SK_OK : sk_fail(c, error.error ? error.error : SK_E_UNAVAILABLE, "%s", *error.message ? error.message : "memory is out");
	return rule;
}

/* What is loaded carries the actions out. */
static int check_actions(struct sk_call *c, const char *name, const struct rules_rule *rule)
{
	const struct rules_state *s = c->state;
	const char *absent, *fault = action_check(rule, s->sinks, c->arena, &absent);

	if (fault)
		return sk_fail(c, SK_E_INVALID_REQUEST, "%s", fault);
	if (absent && s->warn && !sk_void(c))
		s->warn(sk_printf(c->arena, "rule %s: %s", name, absent));
	return SK_OK;
}

/* The rule's record as the input has it, without tags and times. NULL: *rc says why not. */
static cJSON *rule_of_input(struct sk_call *c, const char *name, int *rc)
{
	static const char *const kept[] = { "sql", "description", "actions", "awsIotSqlVersion", "errorAction" };
	const cJSON *given = sk_json_get(c->in, "topicRulePayload");
	const struct rules_rule *compiled = topic_rule_compile(c, name, given, rc);
	cJSON *record = sk_json_object(c->arena), *payload = sk_json_set_object(c->arena, record, "payload");

	if (!*rc)
		*rc = check_actions(c, name, compiled);
	if (!*rc)
		*rc = destinations_of_rule(c, compiled);
	if (*rc)
		return NULL;
	if (compiled->filter && strlen(compiled->filter) > FILTER_MOST) {
		*rc = sk_fail(c, SK_E_INVALID_REQUEST, "The topic filter has %zu bytes, more than %d", strlen(compiled->filter), FILTER_MOST);
		return NULL;
	}
	for (size_t i = 0; i < sizeof(kept) / sizeof(*kept); i++) {
		const cJSON *member = sk_json_get(given, kept[i]);
		if (member && !cJSON_IsNull(member))
			sk_json_set(c->arena, payload, kept[i], sk_json_copy(c->arena, member));
	}
	sk_json_set_bool(c->arena, record, "ruleDisabled", sk_json_true(given, "ruleDisabled"));
	sk_json_set_string(c->arena, record, "filter", compiled->filter);
	return record;
}

static int fail_exists(struct sk_call *c, const char *name)
{
	int rc = sk_fail(c, SK_E_ALREADY_EXISTS, "Rule %s already exists", name);

	c->error_fields = sk_json_object(c->arena);
	sk_json_set_string(c->arena, c->error_fields, "resourceId", name);
	sk_json_set_string(c->arena, c->error_fields, "resourceArn", sk_arn(c, "rule/%s", name));
	return rc;
}

/* -- making and changing -- */

static int CreateTopicRule(struct sk_call *c)
{
	const struct rules_state *s = c->state;
	const char *name = sk_json_text(c->in, "ruleName");
	const cJSON *there = rule_get(c, name);
	int64_t count = rules_counted(c);
	cJSON *tags, *rule = NULL;
	int rc = sk_tags_read(c, sk_json_text(c->in, "tags"), &tags);

	if (!rc)
		rc = check_no_file(c, name);
	if (!rc)
		rule = rule_of_input(c, name, &rc);
	if (rc)
		return rc;
	if (there)
		return fail_exists(c, name);
	if (count >= s->most_rules)
		return sk_fail(c, SK_E_INVALID_REQUEST, "There can be at most %lld rules (plugin_opt_most_rules)", (long long)s->most_rules);
	sk_json_set_int(c->arena, rule, "createdAt", c->now_ms);
	sk_tags_store(c->arena, rule, tags);
	rule_store(c, name, rule);
	count_rules(c, count + 1);
	return SK_OK;
}

/* "Replaces the rule. You must specify all parameters for the new rule": its tags are none of them. */
static int ReplaceTopicRule(struct sk_call *c)
{
	const char *name = sk_json_text(c->in, "ruleName");
	const cJSON *old = rule_get(c, name);
	int rc = check_no_file(c, name);
	cJSON *rule;

	if (rc)
		return rc;
	if (!old)
		return topic_rule_fail_absent(c, name);
	rule = rule_of_input(c, name, &rc);
	if (rc)
		return rc;
	sk_json_set_int(c->arena, rule, "createdAt", sk_json_int_of(old, "createdAt", 0));
	sk_tags_store(c->arena, rule, sk_json_get(old, "tags"));
	rule_store(c, name, rule);
	return SK_OK;
}

/* AWS deletes what is not there without a word. */
static int DeleteTopicRule(struct sk_call *c)
{
	const char *name = sk_json_text(c->in, "ruleName");
	const cJSON *old = rule_get(c, name);
	int64_t count = rules_counted(c);
	int rc = check_no_file(c, name);

	if (rc || !old)
		return rc;
	sk_remove(c, "registry/rule/%s", name);
	sk_remove(c, "registry/rule-filter/%s", name);
	count_rules(c, count - 1);
	return SK_OK;
}

static int set_disabled(struct sk_call *c, bool disabled)
{
	const char *name = sk_json_text(c->in, "ruleName");
	const cJSON *old = rule_get(c, name);
	int rc = check_no_file(c, name);

	if (rc)
		return rc;
	if (!old)
		return topic_rule_fail_absent(c, name);
	cJSON *rule = sk_json_copy(c->arena, old);
	sk_json_set_bool(c->arena, rule, "ruleDisabled", disabled);
	rule_store(c, name, rule);
	return SK_OK;
}

static int EnableTopicRule(struct sk_call *c)
{
	return set_disabled(c, false);
}

static int DisableTopicRule(struct sk_call *c)
{
	return set_disabled(c, true);
}

/* -- looking -- */

const cJSON *topic_rule_payload(struct sk_call *c, const char *name)
{
	cJSON *rule = NULL;

	return rules_files_get(c->state, name, c->arena, &rule) ? rule : sk_json_get(rule_get(c, name), "payload");
}

/* GetTopicRule's rule of a record. */
static cJSON *rule_answer(struct sk_call *c, const char *name, const cJSON *record)
{
	const cJSON *payload = sk_json_get(record, "payload");
	cJSON *rule = sk_json_object(c->arena);

	sk_json_set_string(c->arena, rule, "ruleName", name);
	SK_JSON_EACH(member, payload)
		sk_json_set(c->arena, rule, member->string, sk_json_copy(c->arena, member));
	sk_json_set(c->arena, rule, "createdAt", sk_json_time(c->arena, sk_json_int_of(record, "createdAt", 0)));
	sk_json_set_bool(c->arena, rule, "ruleDisabled", sk_json_true(record, "ruleDisabled"));
	if (!sk_json_get(payload, "awsIotSqlVersion"))
		sk_json_set_string(c->arena, rule, "awsIotSqlVersion", DEFAULT_VERSION);
	return rule;
}

static int GetTopicRule(struct sk_call *c)
{
	const char *name = sk_json_text(c->in, "ruleName");
	const cJSON *record = rule_get(c, name);
	cJSON *rule = NULL;

	if (!rules_files_get(c->state, name, c->arena, &rule) && !record)
		return topic_rule_fail_absent(c, name);
	sk_json_set_string(c->arena, c->out, "ruleArn", sk_arn(c, "rule/%s", name));
	sk_json_set(c->arena, c->out, "rule", rule ? rule : rule_answer(c, name, record));
	return SK_OK;
}

/* -- lists -- */

struct listed {
	const char *name;
	const cJSON *item; /* as of the small record, or of a file */
	bool by_file;
};
struct listing {
	struct sk_call *c;
	const char *after, *last; /* names from `after` on; to `last` if it is not NULL */
	size_t count, room;
	struct listed *row;
};

static void listing_add(struct listing *l, const char *name, const cJSON *item, bool by_file)
{
	struct listed *more = l->count < l->room ? l->row : sk_alloc(l->c->arena, (l->room + 1) * 2 * sizeof(*more));

	if (!more || !name)
		return;
	if (more != l->row) {
		if (l->count)
			memcpy(more, l->row, l->count * sizeof(*more));
		l->row = more;
		l->room = (l->room + 1) * 2;
	}
	l->row[l->count++] = (struct listed){ name, item, by_file };
}

static void add_file(void *ctx, const char *name, const cJSON *item)
{
	struct listing *l = ctx;

	if ((!l->after || strcmp(name, l->after) > 0) && (!l->last || strcmp(name, l->last) <= 0))
		listing_add(l, sk_strdup(l->c->arena, name), sk_json_copy(l->c->arena, item), true);
}

/* By name; what a file makes comes before a record of the same name, which is not in force. */
static int by_name(const void *a, const void *b)
{
	const struct listed *x = a, *y = b;
	int order = strcmp(x->name, y->name);

	return order ? order : (int)y->by_file - (int)x->by_file;
}

static const char *filter_of(const struct listed *r)
{
	return sk_json_text(r->item, r->by_file ? "topicPattern" : "filter");
}

static bool disabled(const struct listed *r)
{
	return sk_json_true(r->item, r->by_file ? "ruleDisabled" : "disabled");
}

/* `topic`: rules that a message on it would reach, or that have this very filter. */
static bool is_wanted(const struct sk_call *c, const struct listed *r)
{
	const cJSON *only = sk_json_get(c->in, "ruleDisabled");
	const char *topic = sk_json_text(c->in, "topic"), *filter = filter_of(r);

	if (cJSON_IsBool(only) && cJSON_IsTrue(only) != disabled(r))
		return false;
	return !topic || (filter && (!strcmp(filter, topic) || sk_topic_filter_matches(filter, topic)));
}

static cJSON *list_item(struct sk_call *c, const struct listed *r)
{
	cJSON *item = r->by_file ? sk_json_copy(c->arena, r->item) : sk_json_object(c->arena);

	sk_json_set_string(c->arena, item, "ruleArn", sk_arn(c, "rule/%s", r->name));
	sk_json_set_string(c->arena, item, "ruleName", r->name);
	if (r->by_file)
		return item;
	sk_json_set_string(c->arena, item, "topicPattern", filter_of(r));
	sk_json_set(c->arena, item, "createdAt", sk_json_time(c->arena, sk_json_int_of(r->item, "createdAt", 0)));
	sk_json_set_bool(c->arena, item, "ruleDisabled", disabled(r));
	return item;
}

/* Up to `limit` items; the name to go on after, NULL: there are no more. */
static const char *answer_page(struct sk_call *c, const struct listing *l, size_t limit)
{
	cJSON *list = sk_json_set_array(c->arena, c->out, "rules");
	size_t n = 0;

	for (size_t i = 0; i < l->count; i++) {
		if ((i && !strcmp(l->row[i].name, l->row[i - 1].name)) || !is_wanted(c, &l->row[i]))
			continue;
		if (n == limit)
			return l->row[i - 1].name;
		sk_json_append(list, list_item(c, &l->row[i]));
		n++;
	}
	return l->last;
}

static int ListTopicRules(struct sk_call *c)
{
	const char *token = sk_json_text(c->in, "nextToken"), *after = token ? sk_token_read(c->arena, token) : NULL;
	size_t limit = (size_t)sk_json_int_of(c->in, "maxResults", PAGE);
	bool all = !sk_json_get(c->in, "topic") && !sk_json_get(c->in, "ruleDisabled");
	const char *next;

	if (token && !after)
		return sk_fail(c, SK_E_INVALID_REQUEST, "Invalid nextToken");
	struct sk_scan page = sk_scan(c, all ? limit : LOOKED_AT, after, "registry/rule-filter/");
	struct listing l = { .c = c, .after = after, .last = page.next };
	for (size_t i = 0; i < page.count; i++)
		listing_add(&l, page.row[i].name, page.row[i].document, false);
	rules_files_list(c->state, c->arena, add_file, &l);
	if (l.count)
		qsort(l.row, l.count, sizeof(*l.row), by_name);
	next = answer_page(c, &l, limit);
	if (next)
		sk_json_set_string(c->arena, c->out, "nextToken", sk_token_of(c->arena, next));
	return SK_OK;
}
