/* value_fuzz.c -- what people type: AWS's shorthand, values of any kind, spans of time, mosquitto.conf.
 *
 * The first byte picks the way. 's': JSON, which is written as shorthand here and must come back as it was; 'v': a digit for the kind of
 * row, then the text of a value; 'w': a span of time; 'c': lines of a configuration, compared with a second reader. What is
 * refused says why in one line. */
#include <stdint.h>
#include <string.h>

#include "cli/config.h"
#include "cli/value.h"
#include "cli/when.h"
#include "tests/fuzz/expect.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const char *const rows[] = {
	"{\"kind\":\"string\"}", "{\"kind\":\"integer\"}", "{\"kind\":\"number\"}", "{\"kind\":\"boolean\"}", "{\"kind\":\"any\"}",
	"{\"kind\":\"list\",\"element\":{\"kind\":\"struct\",\"members\":[{\"name\":\"a\",\"kind\":\"long\"},{\"name\":\"b\",\"kind\":\"string\"}]}}",
	"{\"kind\":\"map\",\"element\":{\"kind\":\"list\",\"element\":{\"kind\":\"string\"}}}", "{\"kind\":\"timestamp\"}", "{}",
	"{\"kind\":\"struct\",\"members\":[{\"name\":\"m\",\"kind\":\"map\",\"element\":{\"kind\":\"number\"}},{\"name\":\"l\",\"kind\":\"list\"}]}",
};

/* -- shorthand, written -- */

static bool is_word(const char *key)
{
	return *key && !key[strspn(key, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_.#/:-$")];
}

/* Has it a spelling? Strings, and containers of them whose keys are words; an object not empty, since {} has none. */
static bool has_spelling(const cJSON *node, int depth)
{
	if (cJSON_IsString(node))
		return true;
	if (depth > 20 || !(cJSON_IsObject(node) || cJSON_IsArray(node)))
		return false;
	SK_JSON_EACH(child, node)
		if ((child->string && !is_word(child->string)) || !has_spelling(child, depth + 1))
			return false;
	return true;
}

static char *write_text(char *to, const char *s)
{
	*to++ = '"';
	for (; *s; *to++ = *s++)
		if (*s == '"' || *s == '\\')
			*to++ = '\\';
	*to++ = '"';
	return to;
}

static char *write_shorthand(char *to, const cJSON *node)
{
	if (cJSON_IsString(node))
		return write_text(to, node->valuestring);
	*to++ = cJSON_IsArray(node) ? '[' : '{';
	SK_JSON_EACH(child, node) {
		if (child->string)
			to += sprintf(to, "%s=", child->string);
		to = write_shorthand(to, child);
		if (child->next)
			*to++ = ',';
	}
	*to++ = cJSON_IsArray(node) ? ']' : '}';
	return to;
}

static void check_why(const struct value_error *e)
{
	expect(*e->text && strlen(e->text) < sizeof e->text);
}

static void fuzz_shorthand(struct sk_arena *a, const char *text)
{
	const cJSON *object = sk_json_parse(a, text, strlen(text), NULL, NULL), *again;
	struct value_error e = { "" };
	size_t n = 0;

	if (!cJSON_IsObject(object) || !has_spelling(object, 0))
		return;
	sk_json_print(a, object, &n);
	char *out = sk_alloc(a, 2 * n + 3), *end = write_shorthand(out, object);
	end[-1] = 0; /* the outermost pairs stand without braces */
	again = value_shorthand(a, NULL, out + 1, &e);
	expect(again && !*e.text && sk_json_equal(object, again));
}

static void fuzz_value(struct sk_arena *a, const char *text)
{
	size_t kind = *text >= '0' && *text <= '9' ? (size_t)(*text - '0') : 0;
	const cJSON *row = sk_json_parse(a, rows[kind], strlen(rows[kind]), NULL, NULL);
	struct value_error e = { "" };
	const cJSON *value = value_scalar(a, row, *text ? text + 1 : "", &e);
	size_t n;

	expect(!value == !!*e.text);
	if (!value) {
		check_why(&e);
		return;
	}
	const char *printed = sk_json_print(a, value, &n);
	expect(sk_json_equal(sk_json_parse(a, printed, n, NULL, NULL), value));
	expect(kind != 1 || sk_json_to_int(value, &(int64_t){ 0 }));
	expect(kind != 0 || (cJSON_IsString(value) && !strcmp(value->valuestring, *text ? text + 1 : "")));
	expect(kind != 5 || cJSON_IsArray(value));
	const cJSON *word = value_word(a, text);
	expect(word && (cJSON_IsString(word) || sk_json_parse(a, text, strlen(text), NULL, NULL)));
}

static void fuzz_when(struct sk_arena *a, const char *text)
{
	static const char letters[] = "smhd";
	static const int64_t units[] = { 1000, 60000, 3600000, 86400000 };
	size_t digits = strspn(text, "0123456789");
	const char *letter = text[digits] ? strchr(letters, text[digits]) : letters;
	double n = strtod(text, NULL);
	int64_t ms = -1;
	bool is = digits && letter && !(text[digits] && text[digits + 1]) && n <= 36500.0 * 86400;

	if (digits && (digits == 1 || *text != '0' || digits < 12))
		expect(when_read(text, &ms) == is);
	else
		is = when_read(text, &ms);
	expect(!is || ms == (int64_t)n * units[letter - letters]);
	expect(*when_long(a, ms) && *when_ago(a, ms, 5));
}

static void fuzz_config(struct sk_arena *a, const char *text)
{
	struct config c = { .arena = a };
	const struct config_line *l;
	size_t lines = 0;
	int number = 1;

	config_parse(&c, "file", text);
	l = c.first;
	for (const char *at = text; *at; number++) {
		size_t n = strcspn(at, "\n"), blanks = strspn(at, " \t\r"), word;
		const char *start = at + (blanks < n ? blanks : n), *stop = at + n;
		while (stop > start && strchr(" \t\r", stop[-1]))
			stop--;
		word = strcspn(start, " \t\n");
		if (start < stop && *start != '#') {
			word = word < (size_t)(stop - start) ? word : (size_t)(stop - start);
			expect(l && l->number == number && strlen(l->key) == word && !memcmp(l->key, start, word));
			start += word + strspn(start + word, " \t");
			expect(start >= stop ? !*l->value : strlen(l->value) == (size_t)(stop - start) && !memcmp(l->value, start, (size_t)(stop - start)));
			expect(config_find(&c, l->key));
			l = l->next;
			lines++;
		}
		at += n + (at[n] == '\n');
	}
	expect(!l && lines == c.lines);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct sk_arena a = { 0 };
	char *text = calloc(1, size + 1);

	memcpy(text, data, size);
	if (*text == 's')
		fuzz_shorthand(&a, text + 1);
	else if (*text == 'v')
		fuzz_value(&a, text + 1);
	else if (*text == 'w')
		fuzz_when(&a, text + 1);
	else if (*text == 'c')
		fuzz_config(&a, text + 1);
	sk_arena_free(&a);
	free(text);
	return 0;
}
