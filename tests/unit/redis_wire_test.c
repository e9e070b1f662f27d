/* redis_wire_test.c -- commands as bytes, and slots as a Redis Cluster counts them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

#include "redis/route.h"
#include "redis/wire.h"

static void commands_are_resp(void **state)
{
	static const char *const words[] = { "GET", "" };
	struct redis_text t = { 0 };
	char expected[] = "*3\r\n$3\r\nSET\r\n$3\r\na\0b\r\n$20\r\n18446744073709551615\r\n*2\r\n$3\r\nGET\r\n$0\r\n\r\nraw";

	(void)state;
	redis_begin(&t, 3);
	redis_name(&t, "SET");
	redis_word(&t, "a\0b", 3);
	redis_number(&t, UINT64_MAX);
	redis_words(&t, words, 2);
	redis_bytes(&t, "raw", 3);
	assert_false(t.failed);
	assert_int_equal(t.size, sizeof expected - 1);
	assert_memory_equal(t.bytes, expected, t.size);
	redis_text_clear(&t);
	assert_int_equal(t.size, 0);
	redis_text_free(&t);
	assert_null(t.bytes);
}

static void a_word_may_be_large(void **state)
{
	struct redis_text t = { 0 };
	char *large = test_malloc(3 << 20);

	(void)state;
	memset(large, 'x', 3 << 20);
	redis_begin(&t, 1);
	redis_word(&t, large, 3 << 20);
	assert_int_equal(t.size, strlen("*1\r\n$3145728\r\n\r\n") + (3 << 20));
	assert_memory_equal(t.bytes + t.size - 3, "x\r\n", 3);
	redis_text_free(&t);
	test_free(large);
}

/* The first is the specification's own (CRC16 of "123456789" is 0x31C3), so are those with braces:
 * https://redis.io/docs/latest/operate/oss_and_stack/reference/cluster-spec/ ; the other numbers are what redis-server 7.0.15 answers to CLUSTER KEYSLOT. */
static void slots_are_those_of_the_specification(void **state)
{
	static const struct { const char *key; unsigned slot; } cases[] = {
		{ "123456789", 0x31c3 % 16384 }, { "foo", 12182 }, { "", 0 }, { "{}", 15257 }, { "{user1000}.following", 3443 }, { "user1000", 3443 },
		{ "foo{}{bar}", 8363 }, { "foo{{bar}}zap", 4015 }, { "{bar", 4015 }, { "foo{bar}{zap}", 5061 }, { "bar", 5061 },
	};

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
		assert_int_equal(redis_slot(cases[i].key, strlen(cases[i].key)), cases[i].slot);
	assert_int_equal(redis_slot("{user1000}.following", 20), redis_slot("{user1000}.followers", 20));
	assert_int_equal(redis_slot("a}b{x}", 6), redis_slot("x", 1));
	assert_int_equal(redis_slot("{\0}y", 4), redis_slot("\0", 1));
}

static void a_script_has_the_name_that_redis_gives_it(void **state)
{
	struct redis_script s = { .body = "return 1" };

	(void)state;
	redis_script_name(&s);
	assert_string_equal(s.sha, "e0e1f9fabfc9d4800c877a703b823ac0578ff8db"); /* SCRIPT LOAD "return 1" */
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(commands_are_resp),
		cmocka_unit_test(a_word_may_be_large),
		cmocka_unit_test(slots_are_those_of_the_specification),
		cmocka_unit_test(a_script_has_the_name_that_redis_gives_it),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
