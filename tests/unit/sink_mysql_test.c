/* sink_mysql_test.c -- what errors of MySQL and MariaDB mean, which statements take arrays, and addresses. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

#include "plugins/sink_mysql/sink_mysql.h"

static void errors_are_told_apart(void **state)
{
	(void)state;
	static const unsigned again[] = { 1040, 1205, 1213, 1290, 1836, 1053, 1021, 1114, 1927, 1969, 2002, 2003, 2006, 2008, 2013, 2026, 5000 };
	static const unsigned never[] = { 1062, 1048, 1064, 1146, 1366, 1406, 4025, 1142, 1153, 2020, 2031, 2034, 1, 0 };
	for (size_t i = 0; i < sizeof again / sizeof *again; i++)
		assert_int_equal(sink_mysql_verdict(again[i]), SK_SUNK_RETRY);
	for (size_t i = 0; i < sizeof never / sizeof *never; i++)
		assert_int_equal(sink_mysql_verdict(never[i]), SK_SUNK_FAIL);
	assert_true(sink_mysql_stays(1205) && sink_mysql_stays(1213));
	assert_false(sink_mysql_stays(2013) || sink_mysql_stays(1290) || sink_mysql_stays(1062) || sink_mysql_stays(0));
}

static void only_statements_that_change_rows_take_arrays(void **state)
{
	(void)state;
	static const char *const yes[] = { "INSERT INTO r VALUES (?)", "  insert\tinto r", "\nREPLACE r", "Update r SET", "delete from r" };
	static const char *const no[] = { "SELECT 1", "CALL p(?)", "INSERTS", "INSERT", "", " ", "/* x */ INSERT INTO r", "WITH x", "INSERT(" };
	for (size_t i = 0; i < sizeof yes / sizeof *yes; i++)
		assert_true(sink_mysql_is_change(yes[i]));
	for (size_t i = 0; i < sizeof no / sizeof *no; i++)
		assert_false(sink_mysql_is_change(no[i]));
}

static void addresses_are_hosts_or_sockets(void **state)
{
	(void)state;
	static const struct { const char *url, *host, *socket, *database; int port; bool fine; } cases[] = {
		{ "mysql://h", "h", NULL, NULL, 0, true },
		{ "mysql://u:p@h:3307/plant", "h", NULL, "plant", 3307, true },
		{ "mysqls://[::1]/", "::1", NULL, NULL, 0, true },
		{ "unix:///run/x.sock", "", "/run/x.sock", NULL, 0, true },
		{ "unix:///run/x.sock?a=b&db=plant&c", "", "/run/x.sock", "plant", 0, true },
		{ "unix:///x?nothing", "", "/x", NULL, 0, true }, { "unix:///x?&", "", "/x", NULL, 0, true },
		{ "mysql:///plant", .fine = false }, { "postgresql://h/x", .fine = false }, { "unix:///", .fine = false }, { "", .fine = false }, { NULL, .fine = false },
	};
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct sk_arena a = { 0 };
		struct sk_url url;
		const char *socket, *database, *fault = sink_mysql_address(&a, cases[i].url, &url, &socket, &database);
		assert_int_equal(fault == NULL, cases[i].fine);
		if (!fault) {
			assert_string_equal(url.host, cases[i].host);
			assert_int_equal(url.port, cases[i].port);
			assert_true(!socket == !cases[i].socket && !database == !cases[i].database);
			assert_true(!socket || !strcmp(socket, cases[i].socket));
			assert_true(!database || !strcmp(database, cases[i].database));
		}
		sk_arena_free(&a);
	}
}

static void a_rule_is_looked_at_before_it_is_made(void **state)
{
	(void)state;
	static const struct { const char *url; bool fine; } cases[] = {
		{ "mysql://h/db", true }, { "mysql://${get_secret('a', 'SecretString')}/db", true }, { "${get_secret('a', 'SecretString')}", true }, { "h:3306", false },
	};
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct sk_arena a = { 0 };
		cJSON *fields = sk_json_object(&a);
		sk_json_set_string(&a, fields, "url", cases[i].url);
		sk_json_set_string(&a, fields, "sql", "S");
		assert_int_equal(sink_mysql_check(fields, &a) == NULL, cases[i].fine);
		sk_arena_free(&a);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(errors_are_told_apart),
		cmocka_unit_test(only_statements_that_change_rows_take_arrays),
		cmocka_unit_test(addresses_are_hosts_or_sockets),
		cmocka_unit_test(a_rule_is_looked_at_before_it_is_made),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
