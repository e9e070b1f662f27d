/* policy_parse.c -- a policy document becomes statements with compiled patterns.
 *
 * Tables say which members a statement may have and which actions exist; everything else is refused with the statement's
 * number, because skipping it could turn a deny into nothing. */
#include "plugins/auth/policy.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/json.h"
#include "plugins/auth/policy_condition.h"
#include "plugins/auth/policy_parse.h"

const struct policy_action_info policy_actions[POLICY_ACTION_COUNT] = {
#define ACTION(name, kind) { "iot:" #name, POLICY_##kind },
	POLICY_ACTIONS(ACTION)
#undef ACTION
};

const char *const policy_kinds[POLICY_KINDS] = {
	[POLICY_ANY] = "",
	[POLICY_CLIENT] = "client/",
	[POLICY_TOPIC] = "topic/",
	[POLICY_TOPICFILTER] = "topicfilter/",
	[POLICY_THING] = "thing/",
	[POLICY_ROLEALIAS] = "rolealias/",
};

int policy_refuse(struct policy_parse *p, const char *fmt, ...)
{
	va_list ap;
	size_t used = 0;

	if (p->statement)
		used = (size_t)snprintf(p->why, p->why_size, "statement %u: ", p->statement);
	va_start(ap, fmt);
	if (used < p->why_size)
		vsnprintf(p->why + used, p->why_size - used, fmt, ap);
	va_end(ap);
	return -1;
}

/* -- actions -- */

static size_t lower_case(char *out, size_t room, const char *s)
{
	size_t n = 0;

	for (; s[n] && n < room; n++)
		out[n] = s[n] >= 'A' && s[n] <= 'Z' ? (char)(s[n] | 32) : s[n];
	return s[n] ? 0 : n;
}

/* Without regard to case, as in AWS. */
static int compile_action(struct policy_parse *p, const char *source, struct policy_pattern *out)
{
	size_t n = strlen(source);
	char *text = sk_alloc_text(&p->memory, n + 1);

	if (!text)
		return policy_refuse(p, "memory is out");
	lower_case(text, n + 1, source);
	for (size_t i = 0; i < n; i++)
		text[i] = policy_wildcard(text[i]);
	*out = (struct policy_pattern){ text, (uint32_t)n };
	return 0;
}

/* Which of the actions of devices a pattern names. */
static uint32_t actions_named(const struct policy_pattern *pattern)
{
	char name[64];
	uint32_t bits = 0;

	for (int i = 0; i < POLICY_ACTION_COUNT; i++)
		if (policy_glob(pattern->text, pattern->size, name, lower_case(name, sizeof(name), policy_actions[i].name)))
			bits |= 1u << i;
	return bits;
}

bool policy_any_action(const char *pattern, size_t n)
{
	(void)pattern, (void)n;
	return true;
}

static int read_action(struct policy_parse *p, struct policy_statement *s, const char *text)
{
	struct policy_pattern *name = &s->name[s->named];
	const char *colon = strchr(text, ':');
	uint32_t bits;

	if (compile_action(p, text, name))
		return -1;
	bits = actions_named(name);
	if (strcmp(text, "*") && (!colon || colon == text || !colon[1]))
		return policy_refuse(p, "Action %.100s is not of the form service:Action", text);
	if (strchr(text, '$'))
		return policy_refuse(p, "Action %.100s: variables belong in Resource", text);
	bool known = bits || (p->others && p->others(name->text, name->size));
	/* Allowing another service's actions grants nothing and does no harm; a Deny that denies nothing is a mistake worth an answer. */
	if (!known && !strncmp(text, "iot:", 4) && !strpbrk(text, "*?"))
		return policy_refuse(p, "there is no action %.100s", text);
	if (!known && s->deny)
		return policy_refuse(p, "it denies %.100s, which is no action that is checked here", text);
	s->actions |= bits;
	s->named++;
	return 0;
}

static int read_actions(struct policy_parse *p, struct policy_statement *s, const cJSON *node)
{
	s->name = sk_alloc(&p->memory, (cJSON_IsArray(node) ? (size_t)sk_json_count(node) : 1) * sizeof(*s->name) + 1);
	if (!s->name)
		return policy_refuse(p, "memory is out");
	if (cJSON_IsString(node))
		return read_action(p, s, node->valuestring);
	if (!cJSON_IsArray(node) || !node->child)
		return policy_refuse(p, "Action must be a string or a list of strings");
	SK_JSON_EACH(item, node) {
		if (!cJSON_IsString(item))
			return policy_refuse(p, "Action must be a string or a list of strings");
		if (read_action(p, s, item->valuestring))
			return -1;
	}
	return 0;
}

/* -- resources -- */

static int read_resource(struct policy_parse *p, struct policy_pattern *out, const cJSON *node)
{
	if (!cJSON_IsString(node))
		return policy_refuse(p, "Resource must be a string or a list of strings");
	if (strncmp(node->valuestring, "arn:", 4) && node->valuestring[0] != '*')
		return policy_refuse(p, "Resource %.100s is neither an ARN nor *", node->valuestring);
	return policy_compile(p, node->valuestring, true, out);
}

static int read_resources(struct policy_parse *p, struct policy_statement *s, const cJSON *node)
{
	bool list = cJSON_IsArray(node);
	size_t n = list ? (size_t)sk_json_count(node) : 1;
	const cJSON *item = list ? node->child : node;

	if (!n)
		return policy_refuse(p, "Resource must be a string or a list of strings");
	s->resource = sk_alloc(&p->memory, n * sizeof(*s->resource));
	if (!s->resource)
		return policy_refuse(p, "memory is out");
	for (; s->resources < n; s->resources++, item = item->next)
		if (read_resource(p, &s->resource[s->resources], item))
			return -1;
	return 0;
}

/* -- what is meant by leaving out -- */

static int read_not_actions(struct policy_parse *p, struct policy_statement *s, const cJSON *node)
{
	bool deny = s->deny;
	int rc;

	/* Naming another service's actions here leaves nothing out: no mistake, also in a Deny. */
	s->deny = false;
	rc = read_actions(p, s, node);
	s->deny = deny;
	s->not_action = true;
	s->actions = ~s->actions & ((1u << POLICY_ACTION_COUNT) - 1);
	return rc;
}

static int read_not_resources(struct policy_parse *p, struct policy_statement *s, const cJSON *node)
{
	s->not_resource = true;
	return read_resources(p, s, node);
}

/* -- statements -- */

static int read_effect(struct policy_parse *p, struct policy_statement *s, const cJSON *node)
{
	if (!cJSON_IsString(node) || (strcmp(node->valuestring, "Allow") && strcmp(node->valuestring, "Deny")))
		return policy_refuse(p, "Effect must be Allow or Deny");
	s->deny = node->valuestring[0] == 'D';
	return 0;
}

static int read_sid(struct policy_parse *p, struct policy_statement *s, const cJSON *node)
{
	(void)s;
	return cJSON_IsString(node) ? 0 : policy_refuse(p, "Sid must be a string");
}

/* The order is the order of reading: actions and conditions ask for the effect. One of those with a number must be there. */
static const struct member {
	const char *name;
	int (*read)(struct policy_parse *p, struct policy_statement *s, const cJSON *node);
	int one_of;
} members[] = {
	{ "Effect", read_effect, 1 },
	{ "Action", read_actions, 2 },
	{ "NotAction", read_not_actions, 2 },
	{ "Resource", read_resources, 3 },
	{ "NotResource", read_not_resources, 3 },
	{ "Condition", policy_read_conditions, 0 },
	{ "Sid", read_sid, 0 },
};
#define MEMBERS (sizeof(members) / sizeof(members[0]))

static bool is_member(const char *name)
{
	for (size_t i = 0; i < MEMBERS; i++)
		if (!strcmp(members[i].name, name))
			return true;
	return false;
}

/* One of Action and NotAction, one of Resource and NotResource. */
static int check_members(struct policy_parse *p, const cJSON *node)
{
	const char *found[4] = { NULL };

	SK_JSON_EACH(member, node)
		if (!is_member(member->string))
			return policy_refuse(p, "%.100s is not supported", member->string);
	for (size_t i = 0; i < MEMBERS; i++) {
		if (!members[i].one_of || !sk_json_get(node, members[i].name))
			continue;
		if (found[members[i].one_of])
			return policy_refuse(p, "%s and %s exclude each other", found[members[i].one_of], members[i].name);
		found[members[i].one_of] = members[i].name;
	}
	for (size_t i = 0; i < MEMBERS; i++)
		if (members[i].one_of && !found[members[i].one_of])
			return policy_refuse(p, "%s is missing", members[i].name);
	return 0;
}

static int read_statement(struct policy_parse *p, struct policy_statement *s, const cJSON *node)
{
	if (!cJSON_IsObject(node))
		return policy_refuse(p, "it is not an object");
	if (check_members(p, node))
		return -1;
	p->at = s;
	for (size_t i = 0; i < MEMBERS; i++) {
		const cJSON *value = sk_json_get(node, members[i].name);
		if (value && members[i].read(p, s, value))
			return -1;
	}
	return 0;
}

static int read_statements(struct policy_parse *p, const cJSON *node)
{
	bool list = cJSON_IsArray(node);
	size_t n = list ? (size_t)sk_json_count(node) : 1;
	const cJSON *item = list ? node->child : node;

	if (!node || !n || n > UINT16_MAX || (!list && !cJSON_IsObject(node)))
		return policy_refuse(p, "Statement must be an object or a list of objects");
	p->policy.statement = sk_alloc(&p->memory, n * sizeof(*p->policy.statement));
	if (!p->policy.statement)
		return policy_refuse(p, "memory is out");
	for (size_t i = 0; i < n; i++, item = item->next) {
		p->statement = (unsigned)i + 1;
		if (read_statement(p, &p->policy.statement[i], item))
			return -1;
		p->policy.statements++;
	}
	return 0;
}

static int read_document(struct policy_parse *p, const cJSON *root)
{
	const char *version = sk_json_text(root, "Version");

	if (!cJSON_IsObject(root))
		return policy_refuse(p, "the document is not a JSON object");
	SK_JSON_EACH(member, root)
		if (strcmp(member->string, "Version") && strcmp(member->string, "Statement") && strcmp(member->string, "Id"))
			return policy_refuse(p, "%.100s is not supported", member->string);
	/* With 2008-10-17 AWS takes ${...} literally: nobody who writes a variable wants that. */
	if (!version || strcmp(version, "2012-10-17"))
		return policy_refuse(p, "Version must be 2012-10-17");
	return read_statements(p, sk_json_get(root, "Statement"));
}

static int parse(struct policy_parse *p, const char *json, size_t n)
{
	struct sk_json_options options = { .max_depth = 8, .unique_keys = true };
	struct sk_json_error error = { 0 };
	const cJSON *root = sk_json_parse(&p->memory, json, n, &options, &error);

	if (!root)
		return policy_refuse(p, "the document is not JSON at byte %zu: %s", error.at, error.why ? error.why : "memory is out");
	return read_document(p, root);
}

/* -- from the draft to one block -- */

/* Hands out the block from its beginning; without a block it only counts. What is aligned comes before texts. */
struct packer {
	char *block;
	size_t used;
};

static void *take(struct packer *k, const void *from, size_t n)
{
	char *to = k->block ? k->block + k->used : NULL;

	k->used += n;
	if (to && n)
		memcpy(to, from, n);
	return to;
}

static void take_text(struct packer *k, struct policy_pattern *p)
{
	const char *text = take(k, p->text, p->size);

	if (text)
		p->text = text;
}

/* The draft's tables are changed in place only when there is a block, by way of their copies there. */
static void take_tables(struct packer *k, struct policy *p)
{
	void *copy = take(k, p->statement, p->statements * sizeof(*p->statement));

	p->statement = copy ? copy : p->statement;
	copy = take(k, p->use, p->uses * sizeof(*p->use));
	p->use = copy ? copy : p->use;
	for (uint32_t i = 0; i < p->statements; i++) {
		struct policy_statement *s = &p->statement[i];
		copy = take(k, s->name, s->named * sizeof(*s->name));
		s->name = copy ? copy : s->name;
		copy = take(k, s->resource, s->resources * sizeof(*s->resource));
		s->resource = copy ? copy : s->resource;
		copy = take(k, s->condition, s->conditions * sizeof(*s->condition));
		s->condition = copy ? copy : s->condition;
		for (uint32_t c = 0; c < s->conditions; c++) {
			copy = take(k, s->condition[c].operand, s->condition[c].operands * sizeof(struct policy_operand));
			s->condition[c].operand = copy ? copy : s->condition[c].operand;
		}
	}
}

static void take_texts(struct packer *k, struct policy *p)
{
	for (uint32_t i = 0; i < p->uses; i++) {
		const char *text = take(k, p->use[i].text, strlen(p->use[i].text) + 1);
		const char *name = take(k, p->use[i].name, strlen(p->use[i].name) + 1);
		if (text)
			p->use[i] = (struct policy_use){ text, name, p->use[i].kind };
	}
	for (uint32_t i = 0; i < p->statements; i++) {
		for (uint32_t a = 0; a < p->statement[i].named; a++)
			take_text(k, &p->statement[i].name[a]);
		for (uint32_t r = 0; r < p->statement[i].resources; r++)
			take_text(k, &p->statement[i].resource[r]);
		for (uint32_t c = 0; c < p->statement[i].conditions; c++)
			for (uint32_t o = 0; o < p->statement[i].condition[c].operands; o++)
				take_text(k, &p->statement[i].condition[c].operand[o].pattern);
	}
}

static struct policy *pack(const struct policy *draft)
{
	struct packer k = { 0 };
	struct policy copy = *draft, *p;

	take(&k, draft, sizeof(*draft));
	take_tables(&k, &copy);
	take_texts(&k, &copy);
	p = malloc(k.used);
	if (!p)
		return NULL;
	k = (struct packer){ .block = (char *)p };
	take(&k, draft, sizeof(*draft));
	take_tables(&k, p);
	take_texts(&k, p);
	atomic_init(&p->holders, 1);
	return p;
}

struct policy *policy_new_with(const char *json, size_t n, policy_is_action *others, char *why, size_t why_size)
{
	struct policy_parse p = { .why = why, .why_size = why_size, .others = others };
	struct policy *policy = NULL;

	sk_arena_init(&p.memory, 0);
	p.policy.use = p.use;
	if (!parse(&p, json, n)) {
		policy = pack(&p.policy);
		p.statement = 0;
		if (!policy)
			policy_refuse(&p, "memory is out");
	}
	sk_arena_free(&p.memory);
	return policy;
}

struct policy *policy_new(const char *json, size_t n, char *why, size_t why_size)
{
	return policy_new_with(json, n, NULL, why, why_size);
}

struct policy *policy_hold(struct policy *p)
{
	if (p)
		atomic_fetch_add(&p->holders, 1);
	return p;
}

void policy_free(struct policy **p)
{
	if (*p && atomic_fetch_sub(&(*p)->holders, 1) == 1)
		free(*p);
	*p = NULL;
}
