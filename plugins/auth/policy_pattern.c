/* policy_pattern.c -- patterns with their variables, and conditions, from the text of a policy document.
 *
 * A variable in a pattern is POLICY_VARIABLE and the place of its name in policy.use. Names are checked here, once: whoever asks for a
 * value can rely on them. */
#include "plugins/auth/policy_parse.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "plugins/auth/policy_condition.h"

static const char *const spellings[POLICY_VARIABLES] = {
#define VARIABLE(name, spelling) spelling,
	POLICY_VARIABLE_NAMES(VARIABLE)
#undef VARIABLE
};

/* -- names of variables -- */

/* "iot:Certificate.Subject.CommonName.List.0": which name, which attribute of it, and perhaps which of several. AWS's, and Locality. */
static const char *const sides[] = { "Subject.", "Issuer." };
static const char *const fields[] = {
	"DistinguishedNameQualifier", "Country", "Organization", "OrganizationalUnit", "State", "Locality", "CommonName", "SerialNumber", "Title",
	"Surname", "GivenName", "Initials", "Pseudonym", "GenerationQualifier", "AlternativeName.RFC822Name", "AlternativeName.DNSName",
	"AlternativeName.DirectoryName", "AlternativeName.UniformResourceIdentifier", "AlternativeName.IPAddress",
};

/* What the text begins with, of those; how long the name is, 0 when it is none. *which is filled. */
static size_t begins_with(const char *text, const char *const *names, size_t n, size_t *which)
{
	size_t best = 0;

	for (size_t i = 0; i < n; i++) {
		size_t size = strlen(names[i]);
		if (size <= best || strncasecmp(text, names[i], size))
			continue;
		best = size;
		*which = i;
	}
	return best;
}

/* The certificate's variable in the spelling of the tables, NULL: there is none. */
static const char *certificate_name(struct policy_parse *p, const char *text)
{
	size_t side, field, n;

	if (!strcasecmp(text, "SerialNumber"))
		return "SerialNumber";
	n = begins_with(text, sides, sizeof(sides) / sizeof(sides[0]), &side);
	if (!n)
		return NULL;
	text += n;
	n = begins_with(text, fields, sizeof(fields) / sizeof(fields[0]), &field);
	if (!n)
		return NULL;
	text += n;
	if (!*text)
		return sk_printf(&p->memory, "%s%s", sides[side], fields[field]);
	/* "Certificate attributes that contain arrays are limited to five items." */
	if (strncasecmp(text, ".List.", 6) || text[6] < '0' || text[6] > '4' || text[7])
		return NULL;
	return sk_printf(&p->memory, "%s%s.List.%c", sides[side], fields[field], text[6]);
}

static const char *attribute_name(struct policy_parse *p, const char *text)
{
	size_t n = strlen(text);

	return n > 1 && text[n - 1] == ']' && !strpbrk(text, "[$*?") ? sk_strndup(&p->memory, text, n - 1) : NULL;
}

/* false: there is no such variable. */
static bool variable_of(struct policy_parse *p, const char *text, struct policy_use *use)
{
	for (int i = 0; i < POLICY_ATTRIBUTE; i++) {
		if (strcasecmp(spellings[i], text))
			continue;
		*use = (struct policy_use){ text, "", (enum policy_variable)i };
		return true;
	}
	for (int i = POLICY_ATTRIBUTE; i < POLICY_VARIABLES; i++) {
		size_t n = strlen(spellings[i]);
		if (strncasecmp(spellings[i], text, n))
			continue;
		*use = (struct policy_use){ text, i == POLICY_ATTRIBUTE ? attribute_name(p, text + n) : certificate_name(p, text + n),
			                    (enum policy_variable)i };
		return use->name != NULL;
	}
	return false;
}

/* The place of that variable in policy.use, made when it is new; -1 after a refusal. */
static int place_of(struct policy_parse *p, const char *text)
{
	struct policy_use use;
	uint32_t i = 0;

	if (!variable_of(p, text, &use))
		return policy_refuse(p, "the variable ${%.100s} is not supported", text);
	while (i < p->policy.uses && (p->use[i].kind != use.kind || strcmp(p->use[i].name, use.name)))
		i++;
	if (i == POLICY_MOST_USES)
		return policy_refuse(p, "a policy uses at most %d variables", POLICY_MOST_USES);
	if (i == p->policy.uses)
		p->use[p->policy.uses++] = use;
	p->policy.variables |= 1u << use.kind;
	p->at->uses[i / 64] |= UINT64_C(1) << i % 64;
	return (int)i;
}

/* -- patterns -- */

char policy_wildcard(char c)
{
	return c == '*' ? POLICY_STAR : c == '?' ? POLICY_ONE : c;
}

static bool is_fleeting(enum policy_variable kind)
{
	return kind == POLICY_CURRENT_TIME || kind == POLICY_EPOCH_TIME || kind == POLICY_CONNECT_ATTRIBUTES;
}

/* What stands between ${ and }: an escaped character or a variable. */
static int compile_variable(struct policy_parse *p, const char *name, struct policy_pattern *out)
{
	char *text = (char *)out->text;
	int place;

	if (name[0] && !name[1] && strchr("*?$", name[0])) {
		text[out->size++] = name[0];
		return 0;
	}
	place = place_of(p, name);
	if (place < 0)
		return -1;
	if (is_fleeting(p->use[place].kind))
		return policy_refuse(p, "${%.100s} changes while a client is connected: use it as a key of Condition", name);
	text[out->size++] = POLICY_VARIABLE;
	text[out->size++] = (char)place;
	return 0;
}

/* Appends one element of the source to the pattern; how many source bytes it took, 0 on a refusal. */
static size_t compile_one(struct policy_parse *p, const char *s, bool wildcards, struct policy_pattern *out)
{
	char *text = (char *)out->text, byte = wildcards ? policy_wildcard(*s) : *s;
	const char *end;

	if (s[0] != '$' || s[1] != '{') {
		if (byte != POLICY_STAR || !out->size || text[out->size - 1] != POLICY_STAR)
			text[out->size++] = byte;
		return 1;
	}
	end = strchr(s, '}');
	if (!end) {
		policy_refuse(p, "a variable without its closing brace in %.100s", s);
		return 0;
	}
	const char *name = sk_strndup(&p->memory, s + 2, (size_t)(end - s - 2));
	if (!name || compile_variable(p, name, out))
		return 0;
	return (size_t)(end - s) + 1;
}

int policy_compile(struct policy_parse *p, const char *source, bool wildcards, struct policy_pattern *out)
{
	*out = (struct policy_pattern){ .text = sk_alloc_text(&p->memory, strlen(source) + 1) };
	if (!out->text)
		return policy_refuse(p, "memory is out");
	while (*source) {
		size_t took = compile_one(p, source, wildcards, out);
		if (!took)
			return p->memory.failed ? policy_refuse(p, "memory is out") : -1;
		source += took;
	}
	return 0;
}

/* -- conditions -- */

static const char *scalar_text(struct policy_parse *p, const cJSON *node)
{
	if (cJSON_IsString(node))
		return node->valuestring;
	return cJSON_IsBool(node) || cJSON_IsNumber(node) ? sk_json_print(&p->memory, node, NULL) : NULL;
}

static bool has_wildcards(const struct policy_operator *op)
{
	return op->type == POLICY_LIKE || op->type == POLICY_ARN;
}

static int read_operand(struct policy_parse *p, const struct policy_condition *c, struct policy_operand *o, const cJSON *node)
{
	const char *text = scalar_text(p, node), *wanted;

	if (!text)
		return p->memory.failed ? policy_refuse(p, "memory is out") :
		                          policy_refuse(p, "%s must have a string or a list of strings", c->operator->name);
	if (policy_compile(p, text, has_wildcards(c->operator), &o->pattern))
		return -1;
	if (memchr(o->pattern.text, POLICY_VARIABLE, o->pattern.size))
		return c->operator->type != POLICY_NULL && c->operator->type != POLICY_BINARY ? 0 :
		       policy_refuse(p, "%s takes no variables", c->operator->name);
	wanted = policy_operand_read(c->operator, o);
	return wanted ? policy_refuse(p, "%s: %.100s is not %s", c->operator->name, text, wanted) : 0;
}

static int read_operands(struct policy_parse *p, struct policy_condition *c, const cJSON *node)
{
	bool list = cJSON_IsArray(node);
	size_t n = list ? (size_t)sk_json_count(node) : 1;
	const cJSON *item = list ? node->child : node;

	if (!n)
		return policy_refuse(p, "%s has no value for %.100s", c->operator->name, p->use[c->use].text);
	c->operand = sk_alloc(&p->memory, n * sizeof(*c->operand));
	if (!c->operand)
		return policy_refuse(p, "memory is out");
	for (; c->operands < n; c->operands++, item = item->next)
		if (read_operand(p, c, &c->operand[c->operands], item))
			return -1;
	return 0;
}

static int read_keys(struct policy_parse *p, struct policy_statement *s, const char *name, const cJSON *node)
{
	struct policy_condition c = { .deny = s->deny };
	int place;

	if (!policy_operator_named(name, &c))
		return policy_refuse(p, "there is no condition operator %.100s", name);
	if (!cJSON_IsObject(node) || !node->child)
		return policy_refuse(p, "%.100s must be an object of keys and values", name);
	SK_JSON_EACH(key, node) {
		place = place_of(p, key->string);
		if (place < 0)
			return -1;
		c.use = (uint8_t)place;
		c.kind = p->use[place].kind;
		c.operands = 0;
		if (read_operands(p, &c, key))
			return -1;
		s->condition[s->conditions++] = c;
	}
	return 0;
}

int policy_read_conditions(struct policy_parse *p, struct policy_statement *s, const cJSON *node)
{
	size_t n = 0;

	if (!cJSON_IsObject(node))
		return policy_refuse(p, "Condition must be an object of operators");
	SK_JSON_EACH(operator, node)
		n += (size_t)sk_json_count(operator);
	s->condition = sk_alloc(&p->memory, n * sizeof(*s->condition) + 1);
	if (!s->condition)
		return policy_refuse(p, "memory is out");
	SK_JSON_EACH(operator, node)
		if (read_keys(p, s, operator->string, operator))
			return -1;
	return 0;
}
