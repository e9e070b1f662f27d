/* sql_coverage_test.c -- the golden cases of tests/data/sql are complete: each row of the dialect's tables has its own.
 *
 * A function without a case, or an operator without one for some pair of types, fails here and is named. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <ctype.h>
#include <glob.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "sql/internal.h"

enum { MOST_CASES = 8000, LEAST_PAIRS = 600 };

/* What a literal is, by how it begins. */
enum kind { UNDEFINED, NULLS, BOOLEANS, INTEGERS, DECIMALS, STRINGS, ARRAYS, OBJECTS, KINDS };
static const char *const kinds[KINDS] = { "undefined", "null", "a boolean", "an integer", "a decimal", "a string", "an array", "an object" };

/* "? expression => result" */
static struct {
	const char *expression, *result;
} cases[MOST_CASES];
static size_t count;

static void read_lines(char *text)
{
	char *end = NULL;

	for (char *line = strtok_r(text, "\n", &end); line; line = strtok_r(NULL, "\n", &end)) {
		char *arrow = strstr(line, " => "), *space = strchr(line, ' ');
		if (*line != '?' || !arrow || !space || space == arrow)
			continue;
		*arrow = '\0';
		assert_true(count < MOST_CASES);
		cases[count].expression = space + 1;
		cases[count++].result = arrow + 4;
	}
}

static int read_cases(void **state)
{
	glob_t files;

	(void)state;
	assert_int_equal(glob("tests/data/sql/*.t", 0, NULL, &files), 0);
	for (size_t i = 0; i < files.gl_pathc; i++) {
		char *text = NULL; /* kept: the cases point into it */
		size_t room = 0;
		FILE *f = fopen(files.gl_pathv[i], "r");
		assert_non_null(f);
		assert_true(getdelim(&text, &room, '\0', f) > 0);
		fclose(f);
		read_lines(text);
	}
	globfree(&files);
	return 0;
}

/* The literal at *s, which is moved behind it. KINDS: it is something else. */
static enum kind literal(const char **s)
{
	static const struct {
		const char *word;
		enum kind kind;
	} words[] = { { "UNDEFINED", UNDEFINED }, { "NULL", NULLS }, { "true", BOOLEANS }, { "false", BOOLEANS } };
	static const char opening[] = "'[{", closing[] = "']}";
	static const enum kind bracketed[] = { STRINGS, ARRAYS, OBJECTS };
	const char *at = strchr(opening, **s), *end;

	if (**s && at) {
		end = strchr(*s + 1, closing[at - opening]);
		*s = end ? end + 1 : *s;
		return end ? bracketed[at - opening] : KINDS;
	}
	for (size_t i = 0; i < sizeof words / sizeof *words; i++) {
		if (strncmp(*s, words[i].word, strlen(words[i].word)) == 0) {
			*s += strlen(words[i].word);
			return words[i].kind;
		}
	}
	at = *s;
	*s += strspn(*s, "-0123456789.");
	return *s == at ? KINDS : memchr(at, '.', (size_t)(*s - at)) ? DECIMALS : INTEGERS;
}

static bool takes(const char **s, const char *text)
{
	size_t n = strlen(text);
	bool same = strncmp(*s, text, n) == 0;

	*s += same ? n : 0;
	return same;
}

/* "3 + 'abc'" is noted in seen, if the operator is that one. */
static void note_pair(const char *s, const char *operator, bool seen[KINDS][KINDS])
{
	enum kind x = literal(&s), y;

	if (x == KINDS || !takes(&s, " ") || !takes(&s, operator) || !takes(&s, " "))
		return;
	y = literal(&s);
	if (y != KINDS && !*s)
		seen[x][y] = true;
}

static size_t missing_pairs(const struct expr_operator *o)
{
	bool seen[KINDS][KINDS] = { { false } };
	size_t missing = 0;

	for (size_t i = 0; i < count; i++)
		note_pair(cases[i].expression, o->spelling, seen);
	for (int x = 0; x < KINDS; x++) {
		for (int y = 0; y < KINDS; y++) {
			if (seen[x][y])
				continue;
			print_error("no case of %s %s %s\n", kinds[x], o->spelling, kinds[y]);
			missing++;
		}
	}
	return missing;
}

static size_t missing_operands(const struct expr_operator *o)
{
	bool seen[KINDS + 1] = { false };
	size_t missing = 0;

	for (size_t i = 0; i < count; i++) {
		const char *s = cases[i].expression;
		if (takes(&s, o->spelling) && takes(&s, " "))
			seen[literal(&s)] |= !*s;
	}
	for (int x = 0; x < KINDS; x++) {
		if (seen[x])
			continue;
		print_error("no case of %s %s\n", o->spelling, kinds[x]);
		missing++;
	}
	return missing;
}

static void every_operator_meets_every_pair_of_types(void **state)
{
	size_t missing = 0, pairs = 0;

	(void)state;
	for (const struct expr_operator *o = sql_dialect.operators; o->spelling; o++) {
		missing += o->place == EXPR_PREFIX ? missing_operands(o) : missing_pairs(o);
		pairs += o->place == EXPR_PREFIX ? KINDS : KINDS * KINDS;
	}
	assert_int_equal(missing, 0);
	assert_true(pairs >= LEAST_PAIRS);
}

static bool begins_call(const char *s, const char *name)
{
	size_t n = strlen(name);

	return strncasecmp(s, name, n) == 0 && s[n] == '(';
}

static bool has_bad_argument(const char *s)
{
	return strstr(s, "UNDEFINED") || strstr(s, "NULL") || strstr(s, "nope");
}

/* Of a function: a case with a value, and, if it has arguments, one where an argument is none that it takes. */
static size_t missing_of(const struct expr_function *f)
{
	bool value = false, bad = f->most == 0;

	for (size_t i = 0; i < count; i++) {
		if (!begins_call(cases[i].expression, f->name))
			continue;
		if (strcmp(cases[i].result, "undefined") == 0)
			bad = true;
		else if (has_bad_argument(cases[i].expression))
			bad = true;
		else if (strncmp(cases[i].result, "refused", 7) != 0)
			value = true;
	}
	if (!value)
		print_error("%s: no case with a value\n", f->name);
	if (!bad)
		print_error("%s: no case with an argument that it does not take\n", f->name);
	return !value + !bad;
}

/* What cannot be written: its name is not one word. */
static bool can_be_called(const struct expr_function *f)
{
	return !strpbrk(f->name, " $@");
}

static void every_function_has_a_value_and_a_refusal(void **state)
{
	size_t missing = 0;

	(void)state;
	for (const struct expr_function *f = sql_dialect.functions; f->name; f++)
		missing += can_be_called(f) ? missing_of(f) : 0;
	assert_int_equal(missing, 0);
}

/* "cast(3 AS Int)" */
static void note_cast(const char *s, const char *type, bool seen[KINDS + 1])
{
	enum kind x;

	if (!takes(&s, "cast("))
		return;
	x = literal(&s);
	if (takes(&s, " AS ") && takes(&s, type) && takes(&s, ")") && !*s)
		seen[x] = true;
}

static void every_cast_has_every_type(void **state)
{
	static const char *const types[] = { "String", "Nvarchar", "Text", "Ntext", "varchar", "Int", "INTEGER", "Double", "Decimal", "Bool", "Boolean" };
	size_t missing = 0;

	(void)state;
	for (size_t i = 0; i < sizeof types / sizeof *types; i++) {
		bool seen[KINDS + 1] = { false };
		for (size_t k = 0; k < count; k++)
			note_cast(cases[k].expression, types[i], seen);
		for (int x = 0; x < KINDS; x++) {
			if (seen[x])
				continue;
			print_error("no case of cast(%s AS %s)\n", kinds[x], types[i]);
			missing++;
		}
	}
	assert_int_equal(missing, 0);
}

/* The standard conversions are those of whoever wants the type: how a case of each begins and ends. */
static void every_conversion_has_every_type(void **state)
{
	static const struct {
		const char *to, *before, *behind;
	} wants[] = {
		{ "a decimal", "", " * 1.0" },
		{ "a decimal", "", " >= 0" },
		{ "an integer", "get(['a','b','c','d'], ", ")" },
		{ "a boolean", "", " AND true" },
		{ "a string", "length(", ")" },
		{ "a string", "upper(", ")" },
	};
	size_t missing = 0;

	(void)state;
	for (size_t i = 0; i < sizeof wants / sizeof *wants; i++) {
		bool seen[KINDS + 1] = { false };
		for (size_t k = 0; k < count; k++) {
			const char *s = cases[k].expression;
			enum kind x = takes(&s, wants[i].before) ? literal(&s) : KINDS;
			seen[x] |= takes(&s, wants[i].behind) && !*s;
		}
		for (int x = 0; x < KINDS; x++) {
			if (seen[x])
				continue;
			print_error("no case of %s to %s: %s...%s\n", kinds[x], wants[i].to, wants[i].before, wants[i].behind);
			missing++;
		}
	}
	assert_int_equal(missing, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_operator_meets_every_pair_of_types),
		cmocka_unit_test(every_function_has_a_value_and_a_refusal),
		cmocka_unit_test(every_cast_has_every_type),
		cmocka_unit_test(every_conversion_has_every_type),
	};

	return cmocka_run_group_tests(tests, read_cases, NULL);
}
