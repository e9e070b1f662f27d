/* core_arena_test.c -- the arena: alignment, growth, limits, reset, refused allocations. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "core/arena.h"
#include "core/error.h"

static void objects_are_zeroed_and_aligned(void **state)
{
	struct sk_arena a = { 0 };

	(void)state;
	for (size_t size = 1; size < 300; size++) {
		unsigned char *text = (unsigned char *)sk_alloc_text(&a, size), *p;

		assert_non_null(text);
		memset(text, 0xee, size);
		p = sk_alloc(&a, size);
		assert_int_equal((uintptr_t)p % _Alignof(max_align_t), 0);
		for (size_t i = 0; i < size; i++)
			assert_int_equal(p[i], 0);
		memset(p, 0xdd, size);
		assert_int_equal(text[0], 0xee);
		assert_int_equal(text[size - 1], 0xee);
	}
	sk_arena_free(&a);
	assert_int_equal(a.total, 0);
}

static void chunks_grow_from_4_to_64_kib(void **state)
{
	struct sk_arena a = { 0 };
	size_t before, biggest = 0;

	(void)state;
	sk_alloc(&a, 1);
	assert_int_equal(a.total, 4096);
	for (int i = 0; i < 100000; i++) {
		before = a.total;
		assert_non_null(sk_alloc(&a, 32));
		if (a.total - before > biggest)
			biggest = a.total - before;
	}
	assert_int_equal(biggest, 65536);
	sk_arena_free(&a);
}

static void a_big_piece_does_not_end_the_current_chunk(void **state)
{
	struct sk_arena a = { 0 };
	char *first = sk_alloc_text(&a, 10), *big = sk_alloc_text(&a, 1000000);
	size_t total = a.total;
	char *third = sk_alloc_text(&a, 10);

	(void)state;
	assert_non_null(big);
	memset(big, 1, 1000000);
	assert_true(third > first && third < first + 4096);
	assert_int_equal(a.total, total);
	sk_arena_free(&a);
}

static void reset_keeps_one_small_chunk_and_clears_the_failure(void **state)
{
	struct sk_arena a;
	char *first;

	(void)state;
	sk_arena_init(&a, 100000);
	first = sk_alloc_text(&a, 10);
	assert_null(sk_alloc_text(&a, 200000));
	assert_true(a.failed);
	sk_arena_reset(&a, 4096);
	assert_false(a.failed);
	assert_int_equal(a.total, 4096);
	assert_int_equal(a.limit, 100000);
	assert_ptr_equal(sk_alloc_text(&a, 10), first);
	sk_arena_reset(&a, 4095);
	assert_int_equal(a.total, 0);
	assert_null(a.chunk);
	sk_arena_free(&a);
}

static void the_limit_is_never_passed(void **state)
{
	struct sk_arena a;
	size_t got = 0;

	(void)state;
	sk_arena_init(&a, 50000);
	while (sk_alloc_text(&a, 100))
		got += 100;
	assert_true(a.failed);
	assert_true(a.total <= 50000);
	assert_true(got > 20000);
	sk_arena_reset(&a, 0);
	assert_non_null(sk_alloc_text(&a, 49000));
	sk_arena_free(&a);
}

static void absurd_sizes_are_refused(void **state)
{
	static const size_t sizes[] = { SIZE_MAX, SIZE_MAX - 1, SIZE_MAX - 64, SIZE_MAX / 2, SIZE_MAX / 2 + 1 };
	struct sk_arena a = { 0 };

	(void)state;
	sk_alloc(&a, 8);
	for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
		a.failed = false;
		assert_null(sk_alloc(&a, sizes[i]));
		assert_true(a.failed);
		assert_null(sk_strndup(&a, "x", SIZE_MAX));
	}
	assert_non_null(sk_alloc(&a, 8));
	sk_arena_free(&a);
}

static void texts_are_copied_and_formatted(void **state)
{
	struct sk_arena a = { 0 };
	char long_text[2000];

	(void)state;
	memset(long_text, 'x', sizeof long_text - 1);
	long_text[sizeof long_text - 1] = '\0';
	assert_string_equal(sk_strdup(&a, "thing"), "thing");
	assert_null(sk_strdup(&a, NULL));
	assert_false(a.failed);
	assert_string_equal(sk_strndup(&a, "thing", 2), "th");
	assert_memory_equal(sk_strndup(&a, "a\0b", 3), "a\0b", 4);
	assert_string_equal(sk_printf(&a, "%s/%d", "jobs", 7), "jobs/7");
	assert_int_equal(strlen(sk_printf(&a, "%s!", long_text)), sizeof long_text);
	assert_int_equal(strlen(sk_printf(&a, "%.255s", long_text)), 255);
	assert_int_equal(strlen(sk_printf(&a, "%.256s", long_text)), 256);
	sk_arena_free(&a);
}

static void trim_gives_back_only_the_newest_text(void **state)
{
	struct sk_arena a = { 0 };
	char *first = sk_alloc_text(&a, 100), *second = sk_alloc_text(&a, 100);
	size_t used = a.used;

	(void)state;
	sk_arena_trim(&a, first, 100, 10);
	assert_int_equal(a.used, used);
	sk_arena_trim(&a, second, 100, 10);
	assert_true(a.used == used - 90 || a.used == used); /* fenced under AddressSanitizer */
	sk_arena_trim(&a, NULL, 0, 0);
	memset(sk_alloc_text(&a, 100), 1, 100);
	sk_arena_free(&a);
}

static void an_empty_arena_is_made_to_measure(void **state)
{
	struct sk_arena first = { 0 }, a = { 0 };

	(void)state;
	assert_true(sk_arena_reserve(&first, 8000));
	assert_non_null(sk_alloc(&first, 100));
	assert_non_null(sk_strdup(&first, "text"));
	assert_true(sk_arena_reserve(&a, first.used));
	size_t total = a.total;
	assert_true(total - first.used <= 32);
	assert_non_null(sk_alloc(&a, 100));
	assert_non_null(sk_strdup(&a, "text"));
	assert_int_equal(a.total, total);
	assert_true(sk_arena_reserve(&a, 100000)); /* not empty: as it is */
	assert_int_equal(a.total, total);
	assert_non_null(sk_alloc(&a, 1)); /* more than was reserved is had as ever */
	assert_true(a.total > total);
	sk_arena_free(&a);
	assert_false(sk_arena_reserve(&a, SIZE_MAX));
	assert_true(a.failed);
	sk_arena_free(&a);
	sk_arena_free(&first);
}

static void the_nth_chunk_fails_once(void **state)
{
	struct sk_arena a = { 0 };

	(void)state;
	sk_arena_fail_after(2);
	assert_non_null(sk_alloc(&a, 1));
	assert_null(sk_alloc(&a, 100000));
	assert_true(a.failed);
	assert_non_null(sk_alloc(&a, 100000));
	assert_true(a.failed);
	sk_arena_fail_after(1);
	sk_arena_fail_after(0);
	assert_non_null(sk_alloc(&a, 200000));
	sk_arena_free(&a);
}

static void errors_have_names_and_statuses(void **state)
{
	(void)state;
	assert_string_equal(sk_error_info(SK_E_NOT_FOUND)->name, "ResourceNotFoundException");
	assert_int_equal(sk_error_info(SK_E_NOT_FOUND)->http, 404);
	assert_int_equal(sk_error_info(SK_E_THROTTLING)->mqtt, 0x97);
	assert_int_equal(sk_error_by_name("VersionConflictException"), SK_E_VERSION_CONFLICT);
	assert_string_equal(sk_error_of("lambda", SK_E_INVALID_REQUEST)->name, "ValidationException");
	assert_int_equal(sk_error_of("iot", SK_E_THROTTLING)->http, 400);
	assert_ptr_equal(sk_error_of("iotdata", SK_E_THROTTLING), sk_error_info(SK_E_THROTTLING));
	assert_ptr_equal(sk_error_of(NULL, SK_E_THROTTLING), sk_error_info(SK_E_THROTTLING));
	assert_int_equal(sk_error_by_name("Nonsense"), 0);
	assert_int_equal(sk_error_by_name(NULL), 0);
}

static void every_error_finds_itself(void **state)
{
	int n = 0;

	(void)state;
#define SK_ERROR(code, name_, http_, mqtt_)                          \
	assert_string_equal(sk_error_info(SK_E_##code)->name, name_); \
	assert_int_equal(sk_error_by_name(name_), SK_E_##code);       \
	n++;
#include "core/errors.tbl"
#undef SK_ERROR
	assert_string_equal(sk_error_info(-n - 1)->name, "InternalFailureException");
	assert_string_equal(sk_error_info(-2147483647 - 1)->name, "InternalFailureException");
	assert_string_equal(sk_error_info(1)->name, "InternalFailureException");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(objects_are_zeroed_and_aligned),
		cmocka_unit_test(chunks_grow_from_4_to_64_kib),
		cmocka_unit_test(a_big_piece_does_not_end_the_current_chunk),
		cmocka_unit_test(reset_keeps_one_small_chunk_and_clears_the_failure),
		cmocka_unit_test(the_limit_is_never_passed),
		cmocka_unit_test(absurd_sizes_are_refused),
		cmocka_unit_test(texts_are_copied_and_formatted),
		cmocka_unit_test(trim_gives_back_only_the_newest_text),
		cmocka_unit_test(an_empty_arena_is_made_to_measure),
		cmocka_unit_test(the_nth_chunk_fails_once),
		cmocka_unit_test(errors_have_names_and_statuses),
		cmocka_unit_test(every_error_finds_itself),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
