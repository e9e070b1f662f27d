/* json_fuzz.c -- libFuzzer target: the parser's verdict is RFC 8259's, and what it took leaves unchanged.
 *
 * The oracle is a validator written apart from the parser: one state per byte, nothing shared with core. Build:
 *   clang -g -O1 -fsanitize=fuzzer,address,undefined -I. -D_GNU_SOURCE tests/fuzz/json_fuzz.c core/arena.c core/json_*.c
 *   core/utf8.c -lcjson -lm -o json_fuzz
 * With -DSK_FUZZ_MAIN and without libFuzzer it runs the files named on its command line. */
#include <math.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/json.h"

/* -- the oracle: plain grammar, recursive, bounded by the depth it is told -- */

struct oracle {
	const uint8_t *s;
	size_t n, i;
	int depth;
};

static bool valid_value(struct oracle *o);

static int peek(const struct oracle *o)
{
	return o->i < o->n ? o->s[o->i] : -1;
}

static bool accept(struct oracle *o, int c)
{
	if (peek(o) != c)
		return false;
	o->i++;
	return true;
}

static void blanks(struct oracle *o)
{
	while (peek(o) >= 0 && strchr(" \t\r\n", peek(o)) && peek(o))
		o->i++;
}

static bool digits(struct oracle *o)
{
	size_t from = o->i;

	while (peek(o) >= '0' && peek(o) <= '9')
		o->i++;
	return o->i > from;
}

static bool valid_number(struct oracle *o)
{
	size_t from = o->i;
	char *text;
	double v;

	accept(o, '-');
	if (!accept(o, '0') && !digits(o))
		return false;
	if (accept(o, '.') && !digits(o))
		return false;
	if (accept(o, 'e') || accept(o, 'E')) {
		if (!accept(o, '+'))
			accept(o, '-');
		if (!digits(o))
			return false;
	}
	text = strndup((const char *)o->s + from, o->i - from);
	v = text ? strtod(text, NULL) : 0;
	free(text);
	return isfinite(v);
}

static int code_unit(struct oracle *o)
{
	int v = 0;

	for (int i = 0; i < 4; i++, o->i++) {
		int c = peek(o);
		const char *hex = c > 0 ? strchr("0123456789abcdefABCDEF", c) : NULL;

		if (!hex)
			return -1;
		v = v * 16 + (int)strtol((char[]){ (char)c, '\0' }, NULL, 16);
	}
	return v;
}

static bool valid_escape(struct oracle *o)
{
	int c = peek(o), unit;

	o->i++;
	if (c != 'u')
		return c > 0 && strchr("\"\\/bfnrt", c);
	unit = code_unit(o);
	if (unit <= 0 || (unit >= 0xdc00 && unit < 0xe000))
		return false;
	if (unit < 0xd800 || unit >= 0xe000)
		return true;
	if (!accept(o, '\\') || !accept(o, 'u'))
		return false;
	unit = code_unit(o);
	return unit >= 0xdc00 && unit < 0xe000;
}

/* Decodes and looks at the code point instead of the bytes. */
static bool valid_sequence(struct oracle *o)
{
	static const uint32_t least[] = { 0, 0, 0x80, 0x800, 0x10000 };
	int c = peek(o), length = c >= 0xf0 ? 4 : c >= 0xe0 ? 3 : 2;
	uint32_t point = (uint32_t)c & (0xffu >> (length + 1));

	if (c < 0xc0 || c >= 0xf8)
		return false;
	o->i++;
	for (int i = 1; i < length; i++, o->i++) {
		if ((peek(o) & 0xc0) != 0x80 || peek(o) < 0)
			return false;
		point = point << 6 | ((uint32_t)peek(o) & 0x3f);
	}
	return point >= least[length] && point <= 0x10ffff && !(point >= 0xd800 && point < 0xe000);
}

static bool valid_string(struct oracle *o)
{
	if (!accept(o, '"'))
		return false;
	while (!accept(o, '"')) {
		int c = peek(o);

		if (c < 0x20)
			return false;
		if (c == '\\') {
			o->i++;
			if (!valid_escape(o))
				return false;
		} else if (c >= 0x80) {
			if (!valid_sequence(o))
				return false;
		} else {
			o->i++;
		}
	}
	return true;
}

static bool valid_list(struct oracle *o, int closer)
{
	o->i++;
	if (--o->depth < 0)
		return false;
	blanks(o);
	if (!accept(o, closer)) {
		do {
			blanks(o);
			if (closer == '}' && !valid_string(o))
				return false;
			blanks(o);
			if ((closer == '}' && !accept(o, ':')) || !valid_value(o))
				return false;
			blanks(o);
		} while (accept(o, ','));
		if (!accept(o, closer))
			return false;
	}
	o->depth++;
	return true;
}

static bool valid_word(struct oracle *o, const char *word)
{
	while (*word)
		if (!accept(o, *word++))
			return false;
	return true;
}

static bool valid_value(struct oracle *o)
{
	blanks(o);
	switch (peek(o)) {
	case '{': return valid_list(o, '}');
	case '[': return valid_list(o, ']');
	case '"': return valid_string(o);
	case 't': return valid_word(o, "true");
	case 'f': return valid_word(o, "false");
	case 'n': return valid_word(o, "null");
	default: return valid_number(o);
	}
}

static bool valid(const uint8_t *s, size_t n, int depth)
{
	struct oracle o = { s, n, 0, depth };

	if (!valid_value(&o))
		return false;
	blanks(&o);
	return o.i == n;
}

/* -- the properties -- */

static void must(bool holds, const char *what)
{
	if (holds)
		return;
	fprintf(stderr, "json_fuzz: broken: %s\n", what);
	abort();
}

static void check_links(const cJSON *node)
{
	const cJSON *last = NULL;

	SK_JSON_EACH(child, node) {
		must(last ? child->prev == last : true, "prev is the one before");
		last = child;
		check_links(child);
	}
	must(!last || node->child->prev == last, "the first one's prev is the last one");
}

/* Printing, reparsing and copying change nothing. */
static void check_round_trip(struct sk_arena *a, const cJSON *node, char *(*print)(struct sk_arena *, const cJSON *, size_t *))
{
	size_t n, m;
	char *text = print(a, node, &n), *again;
	struct sk_json_error e;
	cJSON *back = sk_json_parse(a, text, n, &(struct sk_json_options){ .unique_keys = true }, &e);

	must(back != NULL && e.status == SK_JSON_OK, "what was printed can be parsed, and has no duplicate keys");
	must(n == strlen(text) && sk_utf8_valid(text, n), "text is UTF-8 without NUL");
	must(sk_json_equal(node, back) && sk_json_equal(back, node), "equal after a round trip");
	again = print(a, back, &m);
	must(m == n && memcmp(again, text, n) == 0, "printed twice the same");
	back = sk_json_copy(a, node);
	again = print(a, back, &m);
	must(m == n && memcmp(again, text, n) == 0 && sk_json_equal(node, back), "a copy is equal");
	must(sk_json_depth(node) == sk_json_depth(back), "a copy is as deep");
}

/* With the literals' texts gone, doubles print by themselves: they must read back as the same double. */
static void check_canonical_numbers(struct sk_arena *a, cJSON *node)
{
	for (cJSON *child = node->child; child; child = child->next)
		check_canonical_numbers(a, child);
	if (node->type == cJSON_Number) {
		cJSON *plain = sk_json_number(a, node->valuedouble);
		size_t n;
		char *text = sk_json_print(a, plain, &n);
		cJSON *back = sk_json_parse(a, text, n, NULL, NULL);

		must(back && memcmp(&back->valuedouble, &plain->valuedouble, sizeof(double)) == 0, "a double survives");
		must(sk_json_equal(back, plain), "a double is equal to its text");
	}
}

static void check_failures(const uint8_t *data, size_t n, bool good)
{
	for (long i = 1; i < 50; i++) {
		struct sk_arena a = { 0 };
		struct sk_json_error e;
		cJSON *node;

		sk_arena_fail_after(i);
		node = sk_json_parse(&a, (const char *)data, n, NULL, &e);
		if (node)
			sk_json_print(&a, sk_json_copy(&a, node), NULL);
		sk_arena_fail_after(0);
		must(good || !node, "no memory does not make bad text good");
		must(node || e.status != SK_JSON_OK, "a failure has a status");
		must(e.status != SK_JSON_MEMORY || a.failed, "out of memory is remembered");
		n = a.failed ? n : 0;
		sk_arena_free(&a);
		if (n == 0)
			return;
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	struct sk_arena a = { 0 };
	struct sk_json_options opt = { .max_depth = n % 3 ? 0 : 5 };
	bool good = valid(data, n, opt.max_depth ? opt.max_depth : SK_JSON_MAX_DEPTH);
	struct sk_json_error e;
	char *exact = malloc(n ? n : 1);
	cJSON *node;

	if (!exact)
		return 0;
	memcpy(exact, data, n);
	node = sk_json_parse(&a, exact, n, &opt, &e);
	must(good == (node != NULL), "the verdict is RFC 8259's");
	must((e.status == SK_JSON_OK) == (node != NULL) && e.at <= n, "the error says so");
	if (node) {
		check_links(node);
		check_round_trip(&a, node, sk_json_print);
		check_round_trip(&a, node, sk_json_print_pretty);
		check_canonical_numbers(&a, node);
	}
	check_failures((const uint8_t *)exact, n, valid((const uint8_t *)exact, n, SK_JSON_MAX_DEPTH));
	free(exact);
	sk_arena_free(&a);
	return 0;
}

#ifdef SK_FUZZ_MAIN
int main(int argc, char **argv)
{
	static uint8_t data[1 << 20];

	for (int i = 1; i < argc; i++) {
		FILE *f = fopen(argv[i], "rb");
		size_t n = f ? fread(data, 1, sizeof data, f) : 0;

		if (!f)
			return 1;
		fclose(f);
		LLVMFuzzerTestOneInput(data, n);
	}
	return 0;
}
#endif
