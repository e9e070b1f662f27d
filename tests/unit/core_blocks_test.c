/* core_blocks_test.c -- pieces of blocks: whole, aligned, given back in any order and by any thread; a block that is empty is used again or goes. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <string.h>
#include <sched.h>
#include <sys/mman.h>

#include <cmocka.h>

#include "core/blocks.h"

enum { MANY = 20000 };
static void *piece[MANY];
static _Atomic(void *) queue[MANY];

static unsigned char mark(int i) { return (unsigned char)(i * 31 + 7); }
static size_t size_of(int i) { return (size_t)(i * 37 % 1500); }

static void fill(int i)
{
	memset(piece[i], mark(i), size_of(i));
}

static void check(int i)
{
	const unsigned char *at = piece[i];
	for (size_t k = 0; k < size_of(i); k++)
		assert_int_equal(at[k], mark(i));
}

static void pieces_do_not_overlap_and_go_in_any_order(void **state)
{
	struct sk_blocks b = { NULL };
	(void)state;
	for (int i = 0; i < MANY; i++) {
		piece[i] = sk_blocks_take(&b, size_of(i));
		assert_non_null(piece[i]);
		assert_int_equal((uintptr_t)piece[i] % 16, 0);
		fill(i);
	}
	for (int i = 0; i < MANY; i++)
		check(i);
	for (int i = 0; i < MANY; i += 2)
		sk_blocks_give(piece[i]);
	for (int i = MANY - 1; i > 0; i -= 2) {
		check(i);
		sk_blocks_give(piece[i]);
	}
	sk_blocks_free(&b);
}

static void what_is_too_large_is_not_taken(void **state)
{
	struct sk_blocks b = { NULL };
	(void)state;
	assert_null(sk_blocks_take(&b, SK_BLOCKS_MOST + 1));
	void *p = sk_blocks_take(&b, SK_BLOCKS_MOST), *nothing = sk_blocks_take(&b, 0);
	assert_non_null(p);
	assert_non_null(nothing);
	memset(p, 1, SK_BLOCKS_MOST);
	sk_blocks_give(nothing);
	sk_blocks_give(p);
	sk_blocks_free(&b);
}

static bool is_mapped(const void *p)
{
	unsigned char in[1];
	return !mincore((void *)((uintptr_t)p & ~(uintptr_t)4095), 1, in);
}

static void a_steady_load_stays_in_the_same_blocks_and_a_peak_goes_back(void **state)
{
	struct sk_blocks b = { NULL };
	uintptr_t low = UINTPTR_MAX, high = 0;
	size_t kept = 0;
	(void)state;
	for (int i = 0; i < 100000; i++) {
		void *p = sk_blocks_take(&b, 1000);
		low = (uintptr_t)p < low ? (uintptr_t)p : low;
		high = (uintptr_t)p > high ? (uintptr_t)p : high;
		sk_blocks_give(p);
	}
	assert_true(high - low < 256 * 1024);
	for (int i = 0; i < MANY; i++)
		assert_non_null(piece[i] = sk_blocks_take(&b, 1400));
	for (int i = 0; i < MANY; i++)
		sk_blocks_give(piece[i]);
	for (int i = 0; i < MANY; i++)
		kept += is_mapped(piece[i]);
	assert_true(kept < 2 * 256 * 1024 / 1400); /* the one that is taken from and the spare one */
	sk_blocks_free(&b);
	assert_false(is_mapped(piece[MANY - 1]));
}

static void what_is_out_outlives_its_blocks(void **state)
{
	struct sk_blocks b = { NULL };
	(void)state;
	for (int i = 0; i < 500; i++) {
		piece[i] = sk_blocks_take(&b, size_of(i));
		fill(i);
	}
	sk_blocks_free(&b);
	for (int i = 0; i < 500; i++) {
		check(i);
		sk_blocks_give(piece[i]);
	}
}

static void *give_all(void *arg)
{
	(void)arg;
	for (int i = 0; i < MANY; i++) {
		void *p;
		while (!(p = atomic_exchange(&queue[i], NULL)))
			sched_yield();
		sk_blocks_give(p);
	}
	return NULL;
}

static void another_thread_gives_back_while_this_one_takes(void **state)
{
	struct sk_blocks b = { NULL };
	pthread_t other;
	(void)state;
	assert_int_equal(pthread_create(&other, NULL, give_all, NULL), 0);
	for (int i = 0; i < MANY; i++) {
		void *p = sk_blocks_take(&b, size_of(i));
		memset(p, mark(i), size_of(i));
		atomic_store(&queue[i], p);
	}
	pthread_join(other, NULL);
	sk_blocks_free(&b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(pieces_do_not_overlap_and_go_in_any_order),
		cmocka_unit_test(what_is_too_large_is_not_taken),
		cmocka_unit_test(a_steady_load_stays_in_the_same_blocks_and_a_peak_goes_back),
		cmocka_unit_test(what_is_out_outlives_its_blocks),
		cmocka_unit_test(another_thread_gives_back_while_this_one_takes),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
