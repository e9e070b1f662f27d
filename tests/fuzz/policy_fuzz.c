/* policy_fuzz.c -- any bytes as a policy, the compiled engine against a naive one.
 *
 * Input: the client id up to the first newline, a topic up to the second one, the rest is the document. What compiles must give the
 * verdict that filling in the variables and matching the whole ARN, one character after the other, gives. */
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/json.h"
#include "plugins/auth/policy.h"

#define ARN "arn:aws:iot:eu-central-1:123456789012:"
#define STAR '\xff' /* in naive patterns too: no UTF-8 text holds them */
#define ONE '\xfe'

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void expect(bool ok)
{
	if (!ok)
		abort();
}

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

static const char *fill_variable(const char *at, const char *client_id, char **out)
{
	size_t n = strcspn(at, "}") + 1;

	if (!strncmp(at, "${iot:ClientId}", n))
		*out = stpcpy(*out, client_id);
	else if (n == 4)
		*(*out)++ = at[2];
	else
		return NULL; /* the thing's name, which has no value here */
	return at + n;
}

/* NULL: a variable has no value. */
static char *naive_fill(const char *source, const char *client_id)
{
	char *filled = malloc(strlen(source) * (strlen(client_id) + 1) + 1), *out = filled;

	expect(filled != NULL);
	while (source && *source) {
		if (source[0] == '$' && source[1] == '{') {
			source = fill_variable(source, client_id, &out);
			continue;
		}
		*out++ = *source == '*' ? STAR : *source == '?' ? ONE : *source;
		source++;
	}
	*out = 0;
	if (source)
		return filled;
	free(filled);
	return NULL;
}

static void lower(char *s)
{
	for (; *s; s++)
		if (*s >= 'A' && *s <= 'Z')
			*s = (char)(*s | 32);
}

static bool naive_text(const char *source, const char *text, const char *client_id, bool is_action)
{
	char *pattern = naive_fill(source, client_id), *copy = strdup(text);
	bool matched;

	expect(copy != NULL);
	if (pattern && is_action) {
		lower(pattern);
		lower(copy);
	}
	/* Longer action patterns than any action are refused or grant nothing. */
	matched = pattern && !(is_action && strlen(source) > 64) && naive_glob(pattern, copy);
	free(pattern);
	free(copy);
	return matched;
}

static bool naive_any(const cJSON *node, const char *text, const char *client_id, bool is_action)
{
	if (!cJSON_IsArray(node))
		return naive_text(node->valuestring, text, client_id, is_action);
	SK_JSON_EACH(item, node)
		if (naive_text(item->valuestring, text, client_id, is_action))
			return true;
	return false;
}

/* -1 denied, 1 allowed, 0 nothing said */
static int naive_statement(const cJSON *s, enum policy_action action, const char *arn, const char *client_id)
{
	if (!naive_any(sk_json_get(s, "Action"), policy_actions[action].name, client_id, true) ||
	    !naive_any(sk_json_get(s, "Resource"), arn, client_id, false))
		return 0;
	return strcmp(sk_json_text(s, "Effect"), "Deny") ? 1 : -1;
}

static bool naive_allows(const cJSON *root, enum policy_action action, const char *name, const char *client_id)
{
	const cJSON *list = sk_json_get(root, "Statement");
	const cJSON *first = cJSON_IsArray(list) ? list->child : list;
	size_t n = strlen(name) + 100;
	char *arn = malloc(n);
	int best = 0;

	expect(arn != NULL);
	snprintf(arn, n, ARN "%s%s", policy_kinds[policy_actions[action].kind], name);
	for (const cJSON *s = first; s && best >= 0; s = cJSON_IsArray(list) ? s->next : NULL) {
		int said = naive_statement(s, action, arn, client_id);
		best = said < 0 ? -1 : best | said;
	}
	free(arn);
	return best > 0;
}

static void compare(const struct policy *p, const cJSON *root, const char *client_id, const char *topic)
{
	static const enum policy_action asked[] = { POLICY_Connect, POLICY_Publish, POLICY_RetainPublish, POLICY_Subscribe, POLICY_Receive };
	const struct policy *list[] = { p };
	struct policy_facts facts = { .variable = { [POLICY_CLIENT_ID] = client_id } };
	struct policy_bound *b = policy_bind(list, 1, &facts, ARN);

	expect(b != NULL);
	for (size_t i = 0; i < sizeof(asked) / sizeof(asked[0]); i++) {
		struct policy_verdict v = policy_check(b, asked[i], topic, strlen(topic));
		expect(v.allowed == naive_allows(root, asked[i], topic, client_id));
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
	char *client_id = line(&at, end), *topic = client_id ? line(&at, end) : NULL, why[200];
	struct sk_arena arena = { 0 };
	struct policy *p;

	if (!topic || end - at > 4096) {
		free(client_id);
		free(topic);
		return 0;
	}
	p = policy_new(at, (size_t)(end - at), why, sizeof(why));
	if (p)
		compare(p, sk_json_parse(&arena, at, (size_t)(end - at), NULL, NULL), client_id, topic);
	else
		expect(strlen(why) > 0 && strlen(why) < sizeof(why));
	policy_free(&p);
	sk_arena_free(&arena);
	free(client_id);
	free(topic);
	return 0;
}
