/* policy_parse.c -- a policy document becomes statements with compiled patterns.
 *
 * Tables say which members a statement may have and which actions exist; everything else is refused with the statement's
 * number, because skipping it could turn a deny into nothing. */
#include "plugins/auth/policy.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/json.h"

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

static const char *const variables[POLICY_VARIABLES] = {
	[POLICY_CLIENT_ID] = "iot:ClientId",
	[POLICY_THING_NAME] = "iot:Connection.Thing.ThingName",
};

struct parse {
	struct sk_arena memory; /* of the document and the draft */
	struct policy policy;   /* the draft */
	unsigned statement; /* the one being read, from 1 */
	char *why;
	size_t why_size;
};

__attribute__((format(printf, 2, 3))) static int refuse(struct parse *p, const char *fmt, ...)
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

/* -- patterns -- */

/* What stands between ${ and }: an escaped character or a variable; its byte, or 0 when there is no such thing. */
static char variable_byte(const char *name, size_t n)
{
	if (n == 1 && strchr("*?$", name[0]))
		return name[0];
	for (int i = 0; i < POLICY_VARIABLES; i++)
		if (strlen(variables[i]) == n && !memcmp(variables[i], name, n))
			return (char)(POLICY_VARIABLE + i);
	return 0;
}

static char wildcard_byte(char c)
{
	return c == '*' ? POLICY_STAR : c == '?' ? POLICY_ONE : c;
}

/* Appends one element of the source to the pattern; how many source bytes it took, 0 on a refusal. */
static size_t compile_one(struct parse *p, const char *s, struct policy_pattern *out, char *text)
{
	const char *end;

	if (s[0] != '$' || s[1] != '{') {
		char byte = wildcard_byte(s[0]);
		bool again = byte == POLICY_STAR && out->size && text[out->size - 1] == POLICY_STAR;
		if (!again)
			text[out->size++] = byte;
		return 1;
	}
	end = strchr(s, '}');
	if (!end) {
		refuse(p, "a variable without its closing brace in %.100s", s);
		return 0;
	}
	text[out->size] = variable_byte(s + 2, (size_t)(end - s - 2));
	if (!text[out->size]) {
		refuse(p, "the variable %.*s is not supported", (int)(end - s + 1 > 100 ? 100 : end - s + 1), s);
		return 0;
	}
	if ((unsigned char)text[out->size] >= (unsigned char)POLICY_VARIABLE)
		p->policy.variables |= 1u << ((unsigned char)text[out->size] - (unsigned char)POLICY_VARIABLE);
	out->size++;
	return (size_t)(end - s) + 1;
}

static int compile(struct parse *p, const char *source, struct policy_pattern *out)
{
	char *text = sk_alloc_text(&p->memory, strlen(source) + 1);

	*out = (struct policy_pattern){ .text = text };
	if (!text)
		return refuse(p, "memory is out");
	while (*source) {
		size_t took = compile_one(p, source, out, text);
		if (!took)
			return -1;
		source += took;
	}
	return 0;
}

/* -- actions -- */

static size_t lower_case(char *out, size_t room, const char *s)
{
	size_t n = 0;

	for (; s[n] && n < room; n++)
		out[n] = s[n] >= 'A' && s[n] <= 'Z' ? (char)(s[n] | 32) : s[n];
	return s[n] ? 0 : n;
}

/* Which actions a pattern names. Without regard to case, as in AWS. */
static uint32_t actions_named(const char *source)
{
	char pattern[64], name[64];
	size_t n = lower_case(pattern, sizeof(pattern), source);
	uint32_t bits = 0;

	for (size_t i = 0; i < n; i++)
		pattern[i] = wildcard_byte(pattern[i]);
	for (int i = 0; i < POLICY_ACTION_COUNT; i++)
		if (policy_glob(pattern, n, name, lower_case(name, sizeof(name), policy_actions[i].name)))
			bits |= 1u << i;
	return bits;
}

static int read_action(struct parse *p, struct policy_statement *s, const char *text)
{
	uint32_t bits = actions_named(text);
	const char *colon = strchr(text, ':');

	if (strcmp(text, "*") && (!colon || colon == text || !colon[1]))
		return refuse(p, "Action %.100s is not of the form service:Action", text);
	if (strchr(text, '$'))
		return refuse(p, "Action %.100s: variables belong in Resource", text);
	/* Allowing another service's actions grants nothing and does no harm; a Deny that denies nothing is a mistake worth an answer. */
	if (!bits && !strncmp(text, "iot:", 4) && !strpbrk(text, "*?"))
		return refuse(p, "there is no action %.100s", text);
	if (!bits && s->deny)
		return refuse(p, "it denies %.100s, which is no action that is checked here", text);
	s->actions |= bits;
	return 0;
}

static int read_actions(struct parse *p, struct policy_statement *s, const cJSON *node)
{
	if (cJSON_IsString(node))
		return read_action(p, s, node->valuestring);
	if (!cJSON_IsArray(node) || !node->child)
		return refuse(p, "Action must be a string or a list of strings");
	SK_JSON_EACH(item, node) {
		if (!cJSON_IsString(item))
			return refuse(p, "Action must be a string or a list of strings");
		if (read_action(p, s, item->valuestring))
			return -1;
	}
	return 0;
}

/* -- resources -- */

static int read_resource(struct parse *p, struct policy_pattern *out, const cJSON *node)
{
	if (!cJSON_IsString(node))
		return refuse(p, "Resource must be a string or a list of strings");
	if (strncmp(node->valuestring, "arn:", 4) && node->valuestring[0] != '*')
		return refuse(p, "Resource %.100s is neither an ARN nor *", node->valuestring);
	return compile(p, node->valuestring, out);
}

static int read_resources(struct parse *p, struct policy_statement *s, const cJSON *node)
{
	bool list = cJSON_IsArray(node);
	size_t n = list ? (size_t)sk_json_count(node) : 1;
	const cJSON *item = list ? node->child : node;

	if (!n)
		return refuse(p, "Resource must be a string or a list of strings");
	s->resource = sk_alloc(&p->memory, n * sizeof(*s->resource));
	if (!s->resource)
		return refuse(p, "memory is out");
	for (; s->resources < n; s->resources++, item = item->next)
		if (read_resource(p, &s->resource[s->resources], item))
			return -1;
	return 0;
}

/* -- statements -- */

static int read_effect(struct parse *p, struct policy_statement *s, const cJSON *node)
{
	if (!cJSON_IsString(node) || (strcmp(node->valuestring, "Allow") && strcmp(node->valuestring, "Deny")))
		return refuse(p, "Effect must be Allow or Deny");
	s->deny = node->valuestring[0] == 'D';
	return 0;
}

static int read_sid(struct parse *p, struct policy_statement *s, const cJSON *node)
{
	(void)s;
	return cJSON_IsString(node) ? 0 : refuse(p, "Sid must be a string");
}

/* The order is the order of reading: actions ask for the effect. */
static const struct member {
	const char *name;
	int (*read)(struct parse *p, struct policy_statement *s, const cJSON *node);
	bool required;
} members[] = {
	{ "Effect", read_effect, true },
	{ "Action", read_actions, true },
	{ "Resource", read_resources, true },
	{ "Sid", read_sid, false },
};
#define MEMBERS (sizeof(members) / sizeof(members[0]))

static bool is_member(const char *name)
{
	for (size_t i = 0; i < MEMBERS; i++)
		if (!strcmp(members[i].name, name))
			return true;
	return false;
}

static int read_statement(struct parse *p, struct policy_statement *s, const cJSON *node)
{
	if (!cJSON_IsObject(node))
		return refuse(p, "it is not an object");
	SK_JSON_EACH(member, node)
		if (!is_member(member->string))
			return refuse(p, "%.100s is not supported", member->string);
	for (size_t i = 0; i < MEMBERS; i++) {
		const cJSON *value = sk_json_get(node, members[i].name);
		if (!value && members[i].required)
			return refuse(p, "%s is missing", members[i].name);
		if (value && members[i].read(p, s, value))
			return -1;
	}
	return 0;
}

static int read_statements(struct parse *p, const cJSON *node)
{
	bool list = cJSON_IsArray(node);
	size_t n = list ? (size_t)sk_json_count(node) : 1;
	const cJSON *item = list ? node->child : node;

	if (!node || !n || n > UINT16_MAX || (!list && !cJSON_IsObject(node)))
		return refuse(p, "Statement must be an object or a list of objects");
	p->policy.statement = sk_alloc(&p->memory, n * sizeof(*p->policy.statement));
	if (!p->policy.statement)
		return refuse(p, "memory is out");
	for (size_t i = 0; i < n; i++, item = item->next) {
		p->statement = (unsigned)i + 1;
		if (read_statement(p, &p->policy.statement[i], item))
			return -1;
		p->policy.statements++;
	}
	return 0;
}

static int read_document(struct parse *p, const cJSON *root)
{
	const char *version = sk_json_text(root, "Version");

	if (!cJSON_IsObject(root))
		return refuse(p, "the document is not a JSON object");
	SK_JSON_EACH(member, root)
		if (strcmp(member->string, "Version") && strcmp(member->string, "Statement") && strcmp(member->string, "Id"))
			return refuse(p, "%.100s is not supported", member->string);
	/* With 2008-10-17 AWS takes ${...} literally: nobody who writes a variable wants that. */
	if (!version || strcmp(version, "2012-10-17"))
		return refuse(p, "Version must be 2012-10-17");
	return read_statements(p, sk_json_get(root, "Statement"));
}

static int parse(struct parse *p, const char *json, size_t n)
{
	struct sk_json_options options = { .max_depth = 8, .unique_keys = true };
	struct sk_json_error error = { 0 };
	const cJSON *root = sk_json_parse(&p->memory, json, n, &options, &error);

	if (!root)
		return refuse(p, "the document is not JSON at byte %zu: %s", error.at, error.why ? error.why : "memory is out");
	return read_document(p, root);
}

/* -- from the draft to one block -- */

static size_t packed_size(const struct policy *p)
{
	size_t n = sizeof(*p) + p->statements * sizeof(*p->statement);

	for (uint32_t i = 0; i < p->statements; i++) {
		n += p->statement[i].resources * sizeof(struct policy_pattern);
		for (uint32_t k = 0; k < p->statement[i].resources; k++)
			n += p->statement[i].resource[k].size;
	}
	return n;
}

static struct policy *pack(const struct policy *draft)
{
	struct policy *p = malloc(packed_size(draft));
	struct policy_pattern *first, *end;
	char *text;

	if (!p)
		return NULL;
	*p = *draft;
	p->statement = memcpy(p + 1, draft->statement, p->statements * sizeof(*p->statement));
	first = end = (struct policy_pattern *)(p->statement + p->statements);
	for (uint32_t i = 0; i < p->statements; i++) {
		size_t n = p->statement[i].resources;
		p->statement[i].resource = memcpy(end, draft->statement[i].resource, n * sizeof(*end));
		end += n;
	}
	text = (char *)end;
	for (; first < end; first++) {
		first->text = memcpy(text, first->text, first->size);
		text += first->size;
	}
	return p;
}

struct policy *policy_new(const char *json, size_t n, char *why, size_t why_size)
{
	struct parse p = { .why = why, .why_size = why_size };
	struct policy *policy = NULL;

	sk_arena_init(&p.memory, 0);
	if (!parse(&p, json, n)) {
		policy = pack(&p.policy);
		p.statement = 0;
		if (!policy)
			refuse(&p, "memory is out");
	}
	sk_arena_free(&p.memory);
	return policy;
}

void policy_free(struct policy **p)
{
	free(*p);
	*p = NULL;
}
