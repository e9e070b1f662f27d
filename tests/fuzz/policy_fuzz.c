/* policy_fuzz.c -- any bytes as a policy, the compiled engine against a naive one.
 *
 * Input: the client id up to the first newline, a topic up to the second one, the rest is the document. What compiles must give the
 * verdict that filling in the variables, matching the whole ARN, one character after the other, and asking each condition anew give. */
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <arpa/inet.h>

#include "core/json.h"
#include "plugins/auth/policy.h"
#include "tests/fuzz/expect.h"

#define ARN "arn:aws:iot:eu-central-1:123456789012:"
#define STAR '\xff' /* in naive patterns too: no UTF-8 text holds them */
#define ONE '\xfe'

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static size_t after_one(const char *s)
{
	size_t n = 1;

	while (((unsigned char)s[n] & 0xc0) == 0x80)
		n++;
	return n;
}

/* Row by row of the usual table: matches[k] says whether the pattern so far matches text + k. */
static bool naive_glob(const char *pattern, const char *text)
{
	size_t n = strlen(text);
	bool *now = calloc(n + 2, 1), *next = calloc(n + 2, 1), matched;

	expect(now && next);
	now[0] = true;
	for (; *pattern; pattern++) {
		memset(next, 0, n + 2);
		for (size_t k = 0; k <= n; k++) {
			if (*pattern == STAR)
				next[k] = now[k] || (k && next[k - 1]);
			else if (now[k] && k < n && *pattern == ONE)
				next[k + after_one(text + k)] = true;
			else if (now[k] && k < n && *pattern == text[k])
				next[k + 1] = true;
		}
		bool *swap = now;
		now = next;
		next = swap;
	}
	matched = now[n];
	free(now);
	free(next);
	return matched;
}

/* -- what is known: the client id is the input's, the rest is fixed -- */

static const char *client_id;

static const char *value_of(const char *name)
{
	static const struct {
		const char *name, *value;
	} known[] = {
		{ "iot:Connection.Thing.ThingName", "lamp" }, { "iot:Connection.Thing.IsAttached", "true" }, { "aws:SourceIp", "10.1.2.3" },
		{ "iot:CertificateId", "c0de" }, { "iot:Certificate.Subject.CommonName", "cn" }, { "iot:Certificate.SerialNumber", "17" },
		{ "aws:CurrentTime", "2026-06-15T12:00:00Z" }, { "aws:EpochTime", "1781524800" },
		{ "iot:Certificate.Subject.Organization", "a*b" },
	};
	size_t n = strlen(name);

	if (!strcasecmp(name, "iot:ClientId"))
		return client_id;
	if (n > 4 && !strcmp(name + n - 3, "[a]") && !strncasecmp(name, "iot:Connection.Thing.Attributes[a]", n))
		return "1";
	for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++)
		if (!strcasecmp(known[i].name, name))
			return known[i].value;
	return NULL;
}

static const char *named(const void *context, enum policy_variable kind, const char *name)
{
	(void)context;
	if (kind == POLICY_ATTRIBUTE)
		return strcmp(name, "a") ? NULL : "1";
	return !strcmp(name, "SerialNumber") ? "17" : !strcmp(name, "Subject.CommonName") ? "cn" : !strcmp(name, "Subject.Organization") ? "a*b" : NULL;
}

/* -- filling in -- */

/* NULL: a variable has no value, or one that may not stand in a pattern. */
static const char *fill_variable(const char *at, char **out)
{
	size_t n = strcspn(at, "}") + 1;
	char name[5000];
	const char *value;

	if (n == 4) {
		*(*out)++ = at[2];
		return at + n;
	}
	snprintf(name, sizeof(name), "%.*s", (int)n - 3, at + 2);
	value = value_of(name);
	if (!value || !strcmp(value, "a*b"))
		return NULL;
	*out = stpcpy(*out, value);
	return at + n;
}

static char *naive_fill(const char *source, bool wildcards)
{
	char *filled = malloc(strlen(source) * (strlen(client_id) + 30) + 1), *out = filled;

	expect(filled != NULL);
	while (source && *source) {
		if (source[0] == '$' && source[1] == '{') {
			source = fill_variable(source, &out);
			continue;
		}
		*out++ = *source == '*' && wildcards ? STAR : *source == '?' && wildcards ? ONE : *source;
		source++;
	}
	*out = 0;
	if (source)
		return filled;
	free(filled);
	return NULL;
}

/* -- actions and resources -- */

static void lower(char *s)
{
	for (; *s; s++)
		if (*s >= 'A' && *s <= 'Z')
			*s = (char)(*s | 32);
}

/* 1, 0; -1: a variable has no value. */
static int naive_text(const char *source, const char *text, bool is_action)
{
	char *pattern = naive_fill(source, true), *copy = strdup(text);
	int matched;

	expect(copy != NULL);
	if (pattern && is_action) {
		lower(pattern);
		lower(copy);
	}
	matched = !pattern ? -1 : naive_glob(pattern, copy);
	free(pattern);
	free(copy);
	return matched;
}

/* The same of a list: 1 when one matches, else -1 when one is not known. */
static int naive_any(const cJSON *node, const char *text, bool is_action)
{
	int best = 0;

	if (!cJSON_IsArray(node))
		return naive_text(node->valuestring, text, is_action);
	SK_JSON_EACH(item, node) {
		int one = naive_text(item->valuestring, text, is_action);
		best = best == 1 || one == 1 ? 1 : one ? one : best;
	}
	return best;
}

static bool any_unknown(const cJSON *node, const char *arn)
{
	if (!cJSON_IsArray(node))
		return naive_text(node->valuestring, arn, false) < 0;
	SK_JSON_EACH(item, node)
		if (naive_text(item->valuestring, arn, false) < 0)
			return true;
	return false;
}

/* -- conditions -- */

enum type { TEXT, FOLDED, LIKE, NUMBER, DATE, BOOL, BINARY, IP, ARNS, NONE };
static const struct {
	const char *name;
	enum type type;
	char relation;
	bool negated;
} operators[] = {
	{ "StringEquals", TEXT, '=', 0 }, { "StringNotEquals", TEXT, '=', 1 }, { "StringEqualsIgnoreCase", FOLDED, '=', 0 },
	{ "StringNotEqualsIgnoreCase", FOLDED, '=', 1 }, { "StringLike", LIKE, '=', 0 }, { "StringNotLike", LIKE, '=', 1 },
	{ "NumericEquals", NUMBER, '=', 0 }, { "NumericNotEquals", NUMBER, '=', 1 }, { "NumericLessThan", NUMBER, '<', 0 },
	{ "NumericLessThanEquals", NUMBER, 'l', 0 }, { "NumericGreaterThan", NUMBER, '>', 0 }, { "NumericGreaterThanEquals", NUMBER, 'g', 0 },
	{ "DateEquals", DATE, '=', 0 }, { "DateNotEquals", DATE, '=', 1 }, { "DateLessThan", DATE, '<', 0 }, { "DateLessThanEquals", DATE, 'l', 0 },
	{ "DateGreaterThan", DATE, '>', 0 }, { "DateGreaterThanEquals", DATE, 'g', 0 }, { "Bool", BOOL, '=', 0 }, { "BinaryEquals", BINARY, '=', 0 },
	{ "IpAddress", IP, '=', 0 }, { "NotIpAddress", IP, '=', 1 }, { "ArnEquals", ARNS, '=', 0 }, { "ArnLike", ARNS, '=', 0 },
	{ "ArnNotEquals", ARNS, '=', 1 }, { "ArnNotLike", ARNS, '=', 1 }, { "Null", NONE, '=', 0 },
};

static bool read_number(const char *s, double *out)
{
	char *end;

	*out = strtod(s, &end);
	return *s && !*end && strspn(s, "0123456789+-.eE") == strlen(s);
}

/* Days by counting years and months, since the compiled one uses timegm. */
static double days(int year, int month, int day)
{
	static const int before[] = { 0, 31, 59, 90, 120, 151, 181, 212, 243, 273, 304, 334 };
	bool leap = (year % 4 == 0 && year % 100) || year % 400 == 0;
	double n = 365.0 * (year - 1970) + (year - 1) / 4 - 1969 / 4 - ((year - 1) / 100 - 1969 / 100) + (year - 1) / 400 - 1969 / 400;

	if (!year) /* integer division above counts from year 1 */
		n = -719528;
	return n + before[month - 1] + (month > 2 && leap) + day - 1;
}

static bool all_digits(const char *s, const char *mask)
{
	for (; *mask; s++, mask++)
		if (*mask == '0' ? *s < '0' || *s > '9' : *s != *mask)
			return false;
	return true;
}

static int two(const char *s)
{
	return (s[0] - '0') * 10 + s[1] - '0';
}

static bool read_zone(const char *s, double *seconds)
{
	if (!strcmp(s, "Z"))
		return true;
	if (strlen(s) != 6 || (*s != '+' && *s != '-') || !all_digits(s + 1, "00:00") || two(s + 1) > 23 || two(s + 4) > 59)
		return false;
	*seconds -= (*s == '-' ? -1 : 1) * (two(s + 1) * 3600 + two(s + 4) * 60);
	return true;
}

static bool read_date(const char *s, double *seconds)
{
	double scale = 0.1, number, fraction = 0;
	int whole = 0;

	if (!all_digits(s, "0000-00-00")) {
		if (!read_number(s, &number) || number < -1e14 || number > 1e14)
			return false;
		*seconds = (double)(int64_t)(number * 1000) / 1000;
		return true;
	}
	if (two(s + 5) < 1 || two(s + 5) > 12 || two(s + 8) < 1 || two(s + 8) > 31)
		return false;
	*seconds = days(two(s) * 100 + two(s + 2), two(s + 5), two(s + 8)) * 86400;
	s += 10;
	if (!*s)
		return true;
	if (!all_digits(s, "T00:00") || two(s + 1) > 23 || two(s + 4) > 59)
		return false;
	*seconds += two(s + 1) * 3600 + two(s + 4) * 60;
	s += 6;
	if (*s == ':') {
		if (!all_digits(s, ":00") || two(s + 1) > 60)
			return false;
		*seconds += two(s + 1);
		s += 3;
	}
	if (*s == '.')
		for (s++; *s >= '0' && *s <= '9'; s++, scale /= 10, whole++)
			fraction += whole < 3 ? (*s - '0') * scale : 0;
	*seconds += fraction;
	return read_zone(s, seconds);
}

static bool compares(char relation, double a, double b)
{
	bool same = a - b < 1e-6 && b - a < 1e-6;

	return relation == '=' ? same : relation == '<' ? a < b && !same : relation == '>' ? a > b && !same : relation == 'l' ? a < b || same : a > b || same;
}

static bool read_bits(const char *s, char bits[129], bool *four)
{
	unsigned char bytes[16];

	*four = inet_pton(AF_INET, s, bytes) == 1;
	if (*four) {
		memmove(bytes + 12, bytes, 4);
		memset(bytes, 0, 12);
		bytes[10] = bytes[11] = 0xff;
	} else if (inet_pton(AF_INET6, s, bytes) != 1) {
		return false;
	}
	for (int i = 0; i < 128; i++)
		bits[i] = bytes[i / 8] >> (7 - i % 8) & 1 ? '1' : '0';
	bits[128] = 0;
	return true;
}

/* 1, 0; -1: the value is no net. */
static int in_net(const char *net, const char *key)
{
	char address[200], mine[129], theirs[129];
	const char *slash = strchr(net, '/');
	int length = -1;
	bool four, unused;

	snprintf(address, sizeof(address), "%.*s", slash ? (int)(slash - net) : (int)strlen(net), net);
	if (slash && (!slash[1] || strspn(slash + 1, "0123456789") != strlen(slash + 1) || strlen(slash + 1) > 3))
		return -1;
	if (slash)
		length = atoi(slash + 1);
	if (strlen(address) > 63 || !read_bits(address, mine, &four) || length > (four ? 32 : 128))
		return -1;
	length = length < 0 ? 128 : four ? 96 + length : length;
	return read_bits(key, theirs, &unused) && !strncmp(mine, theirs, (size_t)length);
}

static int arn_like(char *pattern, const char *key)
{
	char *copy = strdup(key), *rest = copy;
	int matched = 1;

	expect(copy != NULL);
	for (int part = 0; part < 6 && matched; part++) {
		char *p = part < 5 ? strchr(pattern, ':') : NULL, *k = part < 5 ? strchr(rest, ':') : NULL;
		if (part < 5 && (!p || !k)) {
			matched = 0;
			break;
		}
		if (p) {
			*p = 0;
			*k = 0;
		}
		matched = naive_glob(pattern, rest);
		pattern = p ? p + 1 : pattern;
		rest = k ? k + 1 : rest;
	}
	free(copy);
	return matched;
}

static int is_decoded(const char *base64, const char *key)
{
	static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
	size_t n = 0, size = strlen(key);
	unsigned buffer = 0;
	int bits = 0;

	for (; *base64 && *base64 != '='; base64++) {
		buffer = buffer << 6 | (unsigned)(strchr(digits, *base64) - digits);
		bits += 6;
		if (bits < 8)
			continue;
		bits -= 8;
		if (n >= size || (unsigned char)key[n++] != (buffer >> bits & 0xff))
			return 0;
	}
	return n == size;
}

/* 1, 0; -1: the value says nothing. */
static int one_matches(size_t op, const char *source, const char *key)
{
	enum type type = operators[op].type;
	char *value = naive_fill(source, type == LIKE || type == ARNS);
	double a, b;
	int m = -1;

	if (!value)
		return -1;
	if (type != TEXT && type != FOLDED && type != LIKE && type != BINARY && type != ARNS && strlen(value) > 127)
		m = -1;
	else if (type == TEXT)
		m = !strcmp(value, key);
	else if (type == FOLDED)
		m = !strcasecmp(value, key);
	else if (type == LIKE)
		m = naive_glob(value, key);
	else if (type == NUMBER)
		m = !read_number(value, &b) ? -1 : read_number(key, &a) && (operators[op].relation == '=' ? a == b : operators[op].relation == '<' ? a < b :
		    operators[op].relation == '>' ? a > b : operators[op].relation == 'l' ? a <= b : a >= b);
	else if (type == DATE)
		m = !read_date(value, &b) ? -1 : read_date(key, &a) && compares(operators[op].relation, a, b);
	else if (type == BOOL)
		m = strcasecmp(value, "true") && strcasecmp(value, "false") ? -1 :
		    (!strcasecmp(key, "true") || !strcasecmp(key, "false")) && !strcasecmp(value, key);
	else if (type == BINARY)
		m = is_decoded(value, key);
	else if (type == IP)
		m = in_net(value, key);
	else if (type == ARNS)
		m = strlen(value) < 3 ? -1 : arn_like(value, key);
	free(value);
	return m;
}

static const char *as_text(const cJSON *value, char *buffer, size_t size)
{
	if (cJSON_IsString(value))
		return value->valuestring;
	if (cJSON_IsBool(value))
		return cJSON_IsTrue(value) ? "true" : "false";
	struct sk_arena arena = { 0 };
	snprintf(buffer, size, "%s", sk_json_print(&arena, value, NULL));
	sk_arena_free(&arena);
	return buffer;
}

struct counted {
	int matching, unknown;
};

static struct counted count_matches(size_t op, const cJSON *values, const char *key)
{
	struct counted n = { 0, 0 };
	char buffer[5000];

	for (const cJSON *v = cJSON_IsArray(values) ? values->child : values; v; v = cJSON_IsArray(values) ? v->next : NULL) {
		int m = one_matches(op, as_text(v, buffer, sizeof(buffer)), key);
		n.matching += m == 1;
		n.unknown += m < 0;
	}
	return n;
}

static bool naive_key(size_t op, const cJSON *values, const char *key, bool deny)
{
	struct counted n = count_matches(op, values, key);

	return operators[op].negated ? !n.matching && (!n.unknown || deny) : n.matching > 0;
}

static bool naive_null(const cJSON *values, bool absent)
{
	char buffer[5000];

	for (const cJSON *v = cJSON_IsArray(values) ? values->child : values; v; v = cJSON_IsArray(values) ? v->next : NULL)
		if (!strcasecmp(as_text(v, buffer, sizeof(buffer)), absent ? "true" : "false"))
			return true;
	return false;
}

static bool naive_condition(const char *name, const cJSON *values, bool deny, bool connects)
{
	bool all = !strncasecmp(name, "ForAllValues:", 13), any = !strncasecmp(name, "ForAnyValue:", 12), exists = false;
	const char *base = strchr(name, ':') ? strchr(name, ':') + 1 : name, *key;
	size_t n = strlen(base), op = 0;

	if (n > 8 && !strcasecmp(base + n - 8, "IfExists")) {
		exists = true;
		n -= 8;
	}
	while (strlen(operators[op].name) != n || strncasecmp(operators[op].name, base, n))
		expect(++op < sizeof(operators) / sizeof(operators[0]));
	key = strcasecmp(values->string, "iot:ConnectAttributes") ? value_of(values->string) : connects ? "PersistentConnect" : NULL;
	if (operators[op].type == NONE)
		return naive_null(values, !key);
	if (key)
		return naive_key(op, values, key, deny);
	if (exists || all)
		return true;
	return !any && operators[op].negated && (deny || !count_matches(op, values, "").unknown);
}

static bool naive_conditions(const cJSON *s, bool deny, bool connects)
{
	SK_JSON_EACH(operator, sk_json_get(s, "Condition"))
		SK_JSON_EACH(values, operator)
			if (!naive_condition(operator->string, values, deny, connects))
				return false;
	return true;
}

/* -- statements -- */

/* -1 denied, 1 allowed, 0 nothing said */
static int naive_statement(const cJSON *s, enum policy_action action, const char *arn)
{
	const cJSON *actions = sk_json_get(s, "Action"), *names = sk_json_get(s, "Resource"), *others = sk_json_get(s, "NotResource");
	bool deny = !strcmp(sk_json_text(s, "Effect"), "Deny");

	if ((naive_any(actions ? actions : sk_json_get(s, "NotAction"), policy_actions[action].name, true) == 1) != (actions != NULL))
		return 0;
	if (names ? naive_any(names, arn, false) != 1 : naive_any(others, arn, false) == 1 || (!deny && any_unknown(others, arn)))
		return 0;
	return !naive_conditions(s, deny, action == POLICY_Connect) ? 0 : deny ? -1 : 1;
}

static bool naive_allows(const cJSON *root, enum policy_action action, const char *name)
{
	const cJSON *list = sk_json_get(root, "Statement");
	const cJSON *first = cJSON_IsArray(list) ? list->child : list;
	size_t n = strlen(name) + 100;
	char *arn = malloc(n);
	int best = 0;

	expect(arn != NULL);
	snprintf(arn, n, ARN "%s%s", policy_kinds[policy_actions[action].kind], name);
	for (const cJSON *s = first; s && best >= 0; s = cJSON_IsArray(list) ? s->next : NULL) {
		int said = naive_statement(s, action, arn);
		best = said < 0 ? -1 : best | said;
	}
	free(arn);
	return best > 0;
}

/* By the action's name and the whole ARN it is the same; of a connect's attributes only a connect knows. */
static void compare_named(const struct policy *p, const struct policy_facts *facts, enum policy_action action, const char *topic, bool allowed)
{
	const struct policy *list[] = { p };
	struct policy_bound *b = policy_bind_whole(list, 1, facts);
	char arn[1000];

	expect(b != NULL);
	b->moment = (struct policy_moment){ .now_ms = 1781524800000, .persistent = true };
	snprintf(arn, sizeof(arn), "%s%s%s", ARN, policy_kinds[policy_actions[action].kind], topic);
	expect(action == POLICY_Connect || policy_check_named(b, list, policy_actions[action].name, arn).allowed == allowed);
	free(b);
}

static void compare(const struct policy *p, const cJSON *root, const char *topic)
{
	static const enum policy_action asked[] = { POLICY_Connect, POLICY_Publish, POLICY_RetainPublish, POLICY_Subscribe, POLICY_Receive };
	const struct policy *list[] = { p };
	struct policy_facts facts = { .named = named, .variable = { [POLICY_CLIENT_ID] = client_id, [POLICY_THING_NAME] = "lamp",
		                                                    [POLICY_IS_ATTACHED] = "true", [POLICY_SOURCE_IP] = "10.1.2.3", [POLICY_CERTIFICATE_ID] = "c0de" } };
	struct policy_bound *b = policy_bind(list, 1, &facts, ARN);

	expect(b != NULL);
	b->moment = (struct policy_moment){ .now_ms = 1781524800000, .persistent = true };
	for (size_t i = 0; i < sizeof(asked) / sizeof(asked[0]); i++) {
		struct policy_verdict v = policy_check(b, asked[i], topic, strlen(topic));
		expect(v.allowed == naive_allows(root, asked[i], topic));
		compare_named(p, &facts, asked[i], topic, v.allowed);
		expect(!v.allowed || v.why);
		expect(!v.why || (v.why->statement >= 1 && v.why->statement <= p->statements));
	}
	free(b);
}

/* A copy of the next line, *at behind it; NULL at the end or when the broker would not take it as text. */
static char *line(const char **at, const char *end)
{
	const char *stop = memchr(*at, '\n', (size_t)(end - *at));
	char *copy;

	if (!stop || memchr(*at, 0, (size_t)(stop - *at)) || !sk_utf8_valid(*at, (size_t)(stop - *at)) || stop - *at > 200)
		return NULL;
	copy = strndup(*at, (size_t)(stop - *at));
	*at = stop + 1;
	return copy;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const char *at = (const char *)data, *end = at + size;
	char *id = line(&at, end), *topic = id ? line(&at, end) : NULL, why[300];
	struct sk_arena arena = { 0 };
	struct policy *p, *strict;

	if (!topic || end - at > 4096) {
		free(id);
		free(topic);
		return 0;
	}
	client_id = id;
	strict = policy_new(at, (size_t)(end - at), why, sizeof(why));
	p = policy_new_with(at, (size_t)(end - at), policy_any_action, why, sizeof(why));
	expect(p || !strict);
	policy_free(&strict);
	if (p)
		compare(p, sk_json_parse(&arena, at, (size_t)(end - at), NULL, NULL), topic);
	else
		expect(strlen(why) > 0 && strlen(why) < sizeof(why));
	policy_free(&p);
	sk_arena_free(&arena);
	free(id);
	free(topic);
	return 0;
}
