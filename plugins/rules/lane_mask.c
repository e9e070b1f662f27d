/* lane_mask.c -- see lane_mask.h. A word of fewer than four letters hides nothing that could be told from chance. */
#include "plugins/rules/lane_mask.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/sink.h"
#include "rules/rule.h"

enum { LEAST = 4 };

/* -- words -- */

static void add(struct lane_mask *m, const char *text, size_t n)
{
	if (n < LEAST || m->arena.failed)
		return;
	if (m->n == m->room) {
		const char **more = sk_alloc(&m->arena, (2 * m->room + 8) * sizeof *more);
		if (!more)
			return;
		if (m->n)
			memcpy(more, m->word, m->n * sizeof *more);
		m->word = more;
		m->room = 2 * m->room + 8;
	}
	m->word[m->n] = sk_strndup(&m->arena, text, n);
	m->n += m->word[m->n] != NULL;
}

/* As it stands in a URL, and as it is sent. */
static void add_coded(struct lane_mask *m, const char *text, size_t n)
{
	char *plain = sk_strndup(&m->arena, text, n), *to = plain;

	add(m, text, n);
	for (const char *s = plain; s && *s; s++) {
		unsigned code;
		if (*s == '%' && isxdigit((unsigned char)s[1]) && isxdigit((unsigned char)s[2]) && sscanf(s + 1, "%2x", &code) == 1) {
			*to++ = (char)code;
			s += 2;
		} else {
			*to++ = *s;
		}
	}
	if (plain && (size_t)(to - plain) < n)
		add(m, plain, (size_t)(to - plain));
}

/* What stands where the raw text has its templates. */
static void add_filled(struct lane_mask *m, const char *raw, const char *text)
{
	const char *begin = strstr(raw, "${"), *end = strrchr(raw, '}');
	size_t n = strlen(text), before = begin ? (size_t)(begin - raw) : 0, behind = end ? strlen(end + 1) : 0;

	if (begin && end && before + behind < n)
		add(m, text + before, n - before - behind);
}

static void add_text(struct lane_mask *m, const char *name, const cJSON *raw, const char *text)
{
	const char *secret;
	size_t n;

	for (int i = 0; (secret = sk_sink_url_secret(text, i, &n)); i++)
		add_coded(m, secret, n);
	if (name && rules_is_secret_name(name))
		add(m, text, strlen(text));
	if (cJSON_IsString(raw) && strcmp(raw->valuestring, text))
		add_filled(m, raw->valuestring, text);
}

static void walk(struct lane_mask *m, const cJSON *raw, const cJSON *filled)
{
	const cJSON *before = raw ? raw->child : NULL;
	const char *key = sk_json_text(filled, "key"), *value = sk_json_text(filled, "value");

	if (key && value)
		add_text(m, key, sk_json_get(raw, "value"), value);
	SK_JSON_EACH(one, filled) {
		const cJSON *was = cJSON_IsArray(filled) ? before : sk_json_get(raw, one->string);
		if (cJSON_IsString(one))
			add_text(m, one->string, was, one->valuestring);
		else
			walk(m, was, one);
		before = before ? before->next : NULL;
	}
}

static int longest_first(const void *a, const void *b)
{
	size_t x = strlen(*(const char *const *)a), y = strlen(*(const char *const *)b);

	return x < y ? 1 : x > y ? -1 : 0;
}

int lane_mask_set(struct lane_mask *m, const char *raw, const cJSON *filled)
{
	lane_mask_free(m);
	walk(m, sk_json_parse(&m->arena, raw, strlen(raw), NULL, NULL), filled);
	if (m->n)
		qsort(m->word, m->n, sizeof *m->word, longest_first);
	return m->arena.failed ? -1 : 0;
}

void lane_mask_free(struct lane_mask *m)
{
	sk_arena_free(&m->arena);
	*m = (struct lane_mask){ .n = 0 };
}

/* -- masking -- */

const char *lane_masked(const struct lane_mask *m, struct sk_arena *a, const char *text)
{
	for (size_t i = 0; text && i < m->n; i++)
		for (const char *at; text && (at = strstr(text, m->word[i]));)
			text = sk_printf(a, "%.*s***%s", (int)(at - text), text, at + strlen(m->word[i]));
	return text;
}
