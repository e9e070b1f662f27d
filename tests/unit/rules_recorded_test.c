/* rules_recorded_test.c -- rules/recorded.h: what is written is read again; any other bytes are refused. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "rules/recorded.h"

static const struct rules_recorded all = { .time_ms = 1763900000123, .number = 77, .qos = 2, .depth = 3, .retain = true, .topic = "hall/7/press",
	.client_id = "press-7", .principal = "abc", .source_ip = "10.0.0.7", .payload = "a\0b", .size = 3, .properties = "\x26\0\1k\0\1v", .properties_size = 7 };

static char *write_one(const struct rules_recorded *m, size_t *size)
{
	*size = rules_recorded_size(m);
	char *bytes = malloc(*size);
	rules_recorded_write(m, bytes);
	return bytes;
}

static void all_parts_come_back(void **state)
{
	struct rules_recorded m;
	size_t size;
	char *bytes = write_one(&all, &size);
	(void)state;
	assert_int_equal(rules_recorded_read(bytes, size, &m), 0);
	assert_true(m.time_ms == all.time_ms && m.number == 77 && m.qos == 2 && m.depth == 3 && m.retain);
	assert_string_equal(m.topic, "hall/7/press");
	assert_string_equal(m.client_id, "press-7");
	assert_string_equal(m.principal, "abc");
	assert_string_equal(m.source_ip, "10.0.0.7");
	assert_int_equal(m.size, 3);
	assert_memory_equal(m.payload, "a\0b\0", 4);
	assert_int_equal(m.properties_size, 7);
	assert_memory_equal(m.properties, all.properties, 7);
	free(bytes);
}

static void what_there_is_not_is_null(void **state)
{
	const struct rules_recorded few = { .topic = "", .payload = NULL, .size = 0 };
	struct rules_recorded m;
	size_t size;
	char *bytes = write_one(&few, &size);
	(void)state;
	assert_int_equal(rules_recorded_read(bytes, size, &m), 0);
	assert_string_equal(m.topic, "");
	assert_string_equal(m.payload, "");
	assert_true(!m.client_id && !m.principal && !m.source_ip && !m.properties && !m.size && !m.properties_size);
	free(bytes);
}

/* Each cut and each other size is refused; a changed byte is refused or read without leaving the record. */
static void other_bytes_are_refused(void **state)
{
	struct rules_recorded m;
	size_t size;
	char *bytes = write_one(&all, &size);
	(void)state;
	for (size_t cut = 0; cut < size; cut++) {
		char *shorter = malloc(cut + 1);
		memcpy(shorter, bytes, cut);
		assert_int_equal(rules_recorded_read(shorter, cut, &m), -1);
		free(shorter);
	}
	for (size_t i = 0; i < size; i++)
		for (int bit = 0; bit < 8; bit++) {
			bytes[i] ^= (char)(1 << bit);
			if (!rules_recorded_read(bytes, size, &m))
				assert_true(strlen(m.topic) + m.size + m.properties_size < size && m.qos < 3);
			bytes[i] ^= (char)(1 << bit);
		}
	bytes[0]++;
	assert_int_equal(rules_recorded_read(bytes, size, &m), -1);
	free(bytes);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(all_parts_come_back),
		cmocka_unit_test(what_there_is_not_is_null),
		cmocka_unit_test(other_bytes_are_refused),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
