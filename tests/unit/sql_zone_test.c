/* sql_zone_test.c -- files of the zone database and the rules at their ends, RFC 8536. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

#include "sql/internal.h"

/* Two offsets: +1 h "CET", from 1000 s on +2 h "CEST", from 2000 s on the first again. */
static const char zone_v1[] = "TZif2\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0" "\0\0\0\0" "\0\0\0\0" "\0\0\0\0" "\0\0\0\2" "\0\0\0\2" "\0\0\0\x9"
                              "\0\0\x03\xe8" "\0\0\x07\xd0" "\1\0" "\0\0\x0e\x10\0\0" "\0\0\x1c\x20\1\4" "CET\0CEST";
static const char zone_v2[] = "TZif2\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0" "\0\0\0\0" "\0\0\0\0" "\0\0\0\0" "\0\0\0\2" "\0\0\0\2" "\0\0\0\x9"
                              "\0\0\0\0\0\0\x03\xe8" "\0\0\0\0\0\0\x07\xd0" "\1\0" "\0\0\x0e\x10\0\0" "\0\0\x1c\x20\1\4" "CET\0CEST";

static void a_zone_file_is_read(void **state)
{
	char file[sizeof zone_v1 + sizeof zone_v2];
	struct sql_zone z;

	(void)state;
	memcpy(file, zone_v1, sizeof zone_v1);
	memcpy(file + sizeof zone_v1, zone_v2, sizeof zone_v2);
	assert_true(sql_zone_file(file, sizeof file, 0, &z));
	assert_int_equal(z.offset, 3600);
	assert_string_equal(z.name, "CET");
	assert_true(sql_zone_file(file, sizeof file, 1000000, &z));
	assert_int_equal(z.offset, 7200);
	assert_string_equal(z.name, "CEST");
	assert_true(sql_zone_file(file, sizeof file, 999999, &z));
	assert_int_equal(z.offset, 3600);
	assert_true(sql_zone_file(file, sizeof file, 5000000, &z));
	assert_int_equal(z.offset, 3600);
	for (size_t n = 0; n < sizeof file; n++) {
		char *cut = malloc(n ? n : 1);
		memcpy(cut, file, n);
		assert_false(sql_zone_file(cut, n, 0, &z));
		free(cut);
	}
	for (size_t i = 0; i < sizeof file; i++) { /* no byte is trusted */
		file[i] = (char)~file[i];
		sql_zone_file(file, sizeof file, 1500000, &z);
		file[i] = (char)~file[i];
	}
}

/* Clocks change at the second that stands there. */
static void a_rule_holds_for_ever(void **state)
{
	static const struct {
		const char *rule;
		int64_t at;
		int offset;
		const char *name;
	} cases[] = {
		{ "CET-1CEST,M3.5.0,M10.5.0/3", 2216249999, 3600, "CET" }, /* 2040-03-25 00:59:59 */
		{ "CET-1CEST,M3.5.0,M10.5.0/3", 2216250000, 7200, "CEST" },
		{ "CET-1CEST,M3.5.0,M10.5.0/3", 2234998799, 7200, "CEST" },
		{ "CET-1CEST,M3.5.0,M10.5.0/3", 2234998800, 3600, "CET" },
		{ "EST5EDT,M3.2.0,M11.1.0", 2152162799, -18000, "EST" }, /* 2038-03-14 06:59:59 */
		{ "EST5EDT,M3.2.0,M11.1.0", 2152162800, -14400, "EDT" },
		{ "EST5EDT,M3.2.0,M11.1.0", 13596184799, -14400, "EDT" }, /* 2400-11-05 05:59:59 */
		{ "EST5EDT,M3.2.0,M11.1.0", 13596184800, -18000, "EST" },
		{ "AEST-10AEDT,M10.1.0,M4.1.0/3", 4070908800, 39600, "AEDT" }, /* 2099-01-01 */
		{ "AEST-10AEDT,M10.1.0,M4.1.0/3", 4079001599, 39600, "AEDT" },
		{ "AEST-10AEDT,M10.1.0,M4.1.0/3", 4079001600, 36000, "AEST" }, /* 2099-04-04 16:00:00 */
		{ "AEST-10AEDT,M10.1.0,M4.1.0/3", 4094726400, 39600, "AEDT" }, /* 2099-10-03 16:00:00 */
		{ "<-03>3", 2524608000, -10800, "-03" },
		{ "<+1030>-10:30<+11>-11,M10.1.0,M4.1.0", 2524608000, 39600, "+11" }, /* 2050-01-01 */
		{ "<+1030>-10:30<+11>-11,M10.1.0,M4.1.0", 2540246400, 37800, "+1030" },
		{ "IST-1GMT0,M10.5.0,M3.5.0/1", 2524608000, 0, "GMT" }, /* summer time that is earlier, in winter */
		{ "IST-1GMT0,M10.5.0,M3.5.0/1", 2540246400, 3600, "IST" },
		{ "<-02>2<-01>,M3.5.0/-1,M10.5.0/0", 2531955599, -7200, "-02" }, /* the evening before */
		{ "<-02>2<-01>,M3.5.0/-1,M10.5.0/0", 2531955600, -3600, "-01" },
		{ "IST-2IDT,M3.4.4/26,M10.5.0", 2531779199, 7200, "IST" }, /* the day after a Thursday */
		{ "IST-2IDT,M3.4.4/26,M10.5.0", 2531779200, 10800, "IDT" },
		{ "EST5EDT4,0/0,J365/25", 2524625999, -14400, "EDT" }, /* all year */
		{ "EST5EDT4,0/0,J365/25", 2524626000, -14400, "EDT" },
		{ "EST5EDT4,0/0,J365/25", INT64_MAX / 1000, -14400, "EDT" },
		{ "AAA3BBB,J60,J300", 3981416399, -10800, "AAA" }, /* J60 is 1 March in a leap year too */
		{ "AAA3BBB,J60,J300", 3981416400, -7200, "BBB" },
		{ "AAA3BBB,59,300", 3981329999, -10800, "AAA" }, /* 59 is 29 February in a leap year */
		{ "AAA3BBB,59,300", 3981330000, -7200, "BBB" },
		{ "AAA3BBB,59,300", 4012952399, -10800, "AAA" }, /* and 1 March in others */
		{ "AAA3BBB,59,300", 4012952400, -7200, "BBB" },
		{ "XYZ-5:30:15", INT64_MIN / 1000, 19815, "XYZ" },
	};
	struct sql_zone z;

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		assert_true(sql_zone_rule(cases[i].rule, strlen(cases[i].rule), cases[i].at, &z));
		assert_int_equal(z.offset, cases[i].offset);
		assert_string_equal(z.name, cases[i].name);
	}
}

static void what_is_no_rule_is_refused(void **state)
{
	static const char *const bad[] = { "",
		                           "CET",
		                           "CE-1",
		                           "<CET-1",
		                           "<C.T>-1",
		                           "ABCDEFGH-1",
		                           "CET-25",
		                           "CET-1:60",
		                           "CET-1CEST",
		                           "CET-1CEST,",
		                           "CET-1CEST,M3.5.0",
		                           "CET-1CEST,M13.5.0,M10.5.0",
		                           "CET-1CEST,M3.6.0,M10.5.0",
		                           "CET-1CEST,M3.5.7,M10.5.0",
		                           "CET-1CEST,M3.5,M10.5.0",
		                           "CET-1CEST,M3.5.0,M10.5.0/168",
		                           "CET-1CEST,J0,J300",
		                           "CET-1CEST,366,1",
		                           "CET-1CEST,M3.5.0,M10.5.0/3x",
		                           "CET-99999999999999999999" };
	struct sql_zone z;

	(void)state;
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
		assert_false(sql_zone_rule(bad[i], strlen(bad[i]), 0, &z));
}

static struct sql_zone behind_the_last(const char *footer)
{
	char file[sizeof zone_v1 + sizeof zone_v2 + 100];
	char *end = mempcpy(mempcpy(file, zone_v1, sizeof zone_v1), zone_v2, sizeof zone_v2);
	struct sql_zone z;

	end = mempcpy(end, footer, strlen(footer));
	assert_true(sql_zone_file(file, (size_t)(end - file), 2540246400000, &z)); /* 2050-07-01 */
	return z;
}

static void behind_the_last_transition_the_files_rule_holds(void **state)
{
	static const char *const none[] = { "", "\n", "\n\n", "\nCET-1CEST,M3.5.0,M10.5.0/3", "CET-1CEST,M3.5.0,M10.5.0/3\n", "\nCET-1CEST\n" };

	(void)state;
	assert_int_equal(behind_the_last("\nCET-1CEST,M3.5.0,M10.5.0/3\n").offset, 7200);
	assert_string_equal(behind_the_last("\nXET-3\n").name, "XET");
	for (size_t i = 0; i < sizeof none / sizeof *none; i++) {
		assert_int_equal(behind_the_last(none[i]).offset, 3600);
		assert_string_equal(behind_the_last(none[i]).name, "CET");
	}
}

/* Times that a file lists are answered by its list. */
static void a_rule_changes_nothing_before(void **state)
{
	static const char footer[] = "\nXET-3\n";
	char file[sizeof zone_v1 + sizeof zone_v2 + sizeof footer];
	struct sql_zone z;

	(void)state;
	memcpy(mempcpy(mempcpy(file, zone_v1, sizeof zone_v1), zone_v2, sizeof zone_v2), footer, sizeof footer);
	assert_true(sql_zone_file(file, sizeof file, 1500000, &z));
	assert_string_equal(z.name, "CEST");
	assert_true(sql_zone_file(file, sizeof file, 2000000, &z));
	assert_string_equal(z.name, "XET");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_zone_file_is_read),
		cmocka_unit_test(a_rule_holds_for_ever),
		cmocka_unit_test(what_is_no_rule_is_refused),
		cmocka_unit_test(behind_the_last_transition_the_files_rule_holds),
		cmocka_unit_test(a_rule_changes_nothing_before),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
