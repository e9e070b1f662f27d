/* clicks_golden_test.c -- every case of tests/data/clicks/, then again short of memory; and what nobody writes into a file. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "clicks/clicks.h"

enum { LEAST_CASES = 25 };

static const char *told(struct sk_arena *a, const char *topic, const char *payload, size_t size)
{
	static const char *const words[] = { "nothing", NULL, "foreign" };
	struct clicks_click c;
	const char *why;
	char life[16] = "-", count[24] = "-";

	enum clicks_found found = clicks_read(a, topic, payload, size, &c, &why);
	if (found == CLICKS_BROKEN)
		return sk_printf(a, "broken: %s", why);
	if (found != CLICKS_FOUND)
		return words[found == CLICKS_FOREIGN ? 2 : 0];
	if (c.remaining_life >= 0)
		snprintf(life, sizeof life, "%.2f", c.remaining_life);
	if (c.count >= 0)
		snprintf(count, sizeof count, "%lld", (long long)c.count);
	return sk_printf(a, "%s %s %s %s", c.device, clicks_types[c.type], life, count);
}

/* The next line without its end; NULL: there is none. */
static char *line(FILE *f, char *to, size_t size)
{
	if (!fgets(to, (int)size, f))
		return NULL;
	to[strcspn(to, "\n")] = '\0';
	return to;
}

static void each_case_is_read_as_it_says(void **state)
{
	static char topic[1000], payload[1000], want[1000];
	FILE *f = fopen("tests/data/clicks/sources.t", "r");
	int cases = 0;

	(void)state;
	assert_non_null(f);
	while (line(f, topic, sizeof topic)) {
		struct sk_arena a = { 0 };
		if (!*topic || *topic == '#')
			continue;
		assert_non_null(line(f, payload, sizeof payload));
		assert_non_null(line(f, want, sizeof want));
		assert_string_equal(told(&a, topic, payload, strlen(payload)), want);
		for (int chunk = 1; chunk < 4; chunk++) { /* an answer, or none: never another one */
			struct sk_arena scarce = { 0 };
			sk_arena_fail_after(chunk);
			const char *text = told(&scarce, topic, payload, strlen(payload));
			sk_arena_fail_after(0);
			assert_true(!text || !strcmp(text, want) || !strncmp(text, "broken: ", 8));
			sk_arena_free(&scarce);
		}
		sk_arena_free(&a);
		cases++;
	}
	fclose(f);
	assert_true(cases >= LEAST_CASES);
}

static void what_is_foreign_huge_or_deep_is_no_click(void **state)
{
	struct sk_arena a = { 0 };
	size_t huge = 100000;
	char *big = malloc(huge);

	(void)state;
	assert_non_null(big);
	memset(big, '[', huge);
	assert_string_equal(told(&a, "iotbutton/x", big, huge), "broken: it is too large");
	assert_string_not_equal(told(&a, "iotbutton/x", big, 60000), "nothing");
	assert_string_equal(told(&a, "gpio/x/click", big, 65), "broken: it is too large");
	assert_string_equal(told(&a, "gpio/x/click", "\xff", 1), "broken: it is not UTF-8");
	assert_string_equal(told(&a, "gpio/x/click", "LONG\0", 5), "broken: it is not UTF-8");
	assert_string_equal(told(&a, "", "", 0), "foreign");
	assert_string_equal(told(&a, "////", "", 0), "foreign");
	free(big);
	sk_arena_free(&a);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_case_is_read_as_it_says),
		cmocka_unit_test(what_is_foreign_huge_or_deep_is_no_click),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
