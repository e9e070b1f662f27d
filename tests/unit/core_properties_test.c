/* core_properties_test.c -- what is written beside a message is what is read; bad bytes end the reading and are never passed. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "core/properties.h"

static struct sk_arena arena;

static int teardown(void **state)
{
	(void)state;
	sk_arena_free(&arena);
	return 0;
}

static const struct sk_user_property user[] = { { "a", "1" }, { "a", "" } };
static const struct sk_message full = {
	.utf8 = true, .expiry_s = 70000, .content_type = "text/plain", .response_topic = "r/1", .correlation = "\0\1\2", .correlation_size = 3,
	.user = user, .users = 2,
};

static void is_text(const struct sk_property *p, enum sk_property_id id, const char *text, size_t n)
{
	assert_int_equal(p->id, id);
	assert_int_equal(p->size, n);
	assert_memory_equal(p->text, text, n);
}

static void what_is_written_is_read(void **state)
{
	size_t n;
	const unsigned char *at = sk_properties_write(&arena, &full, &n);
	struct sk_properties all = { .at = at, .end = at + n };
	struct sk_property p;

	(void)state;
	assert_true(sk_properties_next(&all, &p));
	assert_int_equal(p.id, SK_PROPERTY_PAYLOAD_FORMAT);
	assert_int_equal(p.number, 1);
	assert_true(sk_properties_next(&all, &p));
	assert_int_equal(p.id, SK_PROPERTY_MESSAGE_EXPIRY);
	assert_int_equal(p.number, 70000);
	assert_true(sk_properties_next(&all, &p));
	is_text(&p, SK_PROPERTY_CONTENT_TYPE, "text/plain", 10);
	assert_true(sk_properties_next(&all, &p));
	is_text(&p, SK_PROPERTY_RESPONSE_TOPIC, "r/1", 3);
	assert_true(sk_properties_next(&all, &p));
	is_text(&p, SK_PROPERTY_CORRELATION_DATA, "\0\1\2", 3);
	assert_true(sk_properties_next(&all, &p));
	is_text(&p, SK_PROPERTY_USER_PROPERTY, "a", 1);
	assert_int_equal(p.value_size, 1);
	assert_true(sk_properties_next(&all, &p));
	assert_int_equal(p.value_size, 0);
	assert_false(sk_properties_next(&all, &p));
	assert_false(all.bad);
}

static void nothing_beside_a_message_is_no_bytes(void **state)
{
	const struct sk_message plain = { .payload = "x", .size = 1 };
	size_t n = 7;

	(void)state;
	assert_null(sk_properties_write(&arena, &plain, &n));
	assert_int_equal(n, 0);
}

static void a_cut_is_bad_wherever_it_is(void **state)
{
	size_t n, whole = 0;
	const unsigned char *at = sk_properties_write(&arena, &full, &n);
	struct sk_property p;

	(void)state;
	for (size_t cut = 0; cut < n; cut++) {
		struct sk_properties all = { .at = at, .end = at + cut };
		while (sk_properties_next(&all, &p))
			assert_true(all.at <= all.end);
		whole += !all.bad;
	}
	assert_int_equal(whole, 7); /* between two of the seven, and none at all */
}

static void what_is_unknown_ends_the_reading(void **state)
{
	const unsigned char bytes[] = { 1, 1, 99, 1, 1 };
	struct sk_properties all = { .at = bytes, .end = bytes + sizeof(bytes) };
	struct sk_property p;

	(void)state;
	assert_true(sk_properties_next(&all, &p));
	assert_false(sk_properties_next(&all, &p));
	assert_true(all.bad);
	assert_false(sk_properties_next(&all, &p));
}

static void a_length_has_at_most_four_bytes(void **state)
{
	const unsigned char most[] = { 0xff, 0xff, 0xff, 0x7f }, over[] = { 0xff, 0xff, 0xff, 0xff, 1 };
	const unsigned char *at = most;
	uint32_t v;

	(void)state;
	assert_true(sk_varint_read(&at, most + 4, &v));
	assert_int_equal(v, 268435455);
	assert_ptr_equal(at, most + 4);
	at = over;
	assert_false(sk_varint_read(&at, over + 5, &v));
	at = most;
	assert_false(sk_varint_read(&at, most + 3, &v));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_teardown(what_is_written_is_read, teardown),
		cmocka_unit_test_teardown(nothing_beside_a_message_is_no_bytes, teardown),
		cmocka_unit_test_teardown(a_cut_is_bad_wherever_it_is, teardown),
		cmocka_unit_test(what_is_unknown_ends_the_reading),
		cmocka_unit_test(a_length_has_at_most_four_bytes),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
