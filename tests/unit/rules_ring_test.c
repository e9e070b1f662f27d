/* rules_ring_test.c -- rules/ring.h: order, the end of the block, room that comes back out of order, and threads that all work at once. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <time.h>

#include "rules/ring.h"

static struct rules_ring *ring_new(size_t bytes)
{
	void *block = calloc(1, RULES_RING_HEAD + bytes);
	struct rules_ring *r = rules_ring_over(block, RULES_RING_HEAD + bytes);

	assert_non_null(r);
	assert_ptr_equal(r, block);
	return r;
}

static bool kept; /* are records published as such */

/* A record whose bytes follow from its number and size. */
static bool put(struct rules_ring *r, size_t size, unsigned char first)
{
	unsigned char *p = rules_ring_reserve(r, size);

	if (!p)
		return false;
	assert_int_equal((uintptr_t)p % _Alignof(max_align_t), 0);
	for (size_t i = 0; i < size; i++)
		p[i] = (unsigned char)(first + i);
	rules_ring_publish(r, kept);
	return true;
}

static void *take(struct rules_ring *r, size_t size, unsigned char first)
{
	size_t got = 12345;
	unsigned char *p = rules_ring_read(r, &got);

	assert_non_null(p);
	assert_int_equal(got, size);
	for (size_t i = 0; i < size; i++)
		assert_int_equal(p[i], (unsigned char)(first + i));
	return p;
}

static void records_come_in_order(void **state)
{
	struct rules_ring *r = ring_new(1024);
	size_t size;

	(void)state;
	assert_true(rules_ring_empty(r));
	assert_null(rules_ring_read(r, &size));
	for (size_t i = 0; i < 10; i++)
		assert_true(put(r, i * 3, (unsigned char)(i * 40)));
	assert_false(rules_ring_empty(r));
	assert_int_equal(rules_ring_pending(r), 0);
	for (size_t i = 0; i < 10; i++) {
		void *p = take(r, i * 3, (unsigned char)(i * 40));
		assert_int_equal(rules_ring_pending(r), 1);
		rules_ring_done(r, p);
		assert_int_equal(rules_ring_pending(r), 0);
	}
	assert_true(rules_ring_empty(r));
	assert_int_equal(rules_ring_used(r), 0);
	free(r);
}

static void a_reservation_is_not_there_before_it_is_published(void **state)
{
	struct rules_ring *r = ring_new(256);
	size_t size;

	(void)state;
	rules_ring_publish(r, kept);
	assert_true(rules_ring_empty(r));
	assert_non_null(rules_ring_reserve(r, 40));
	assert_null(rules_ring_read(r, &size));
	assert_int_equal(rules_ring_used(r), 0);
	assert_true(put(r, 8, 1)); /* the one before is given up */
	assert_null(rules_ring_reserve(r, 200));
	rules_ring_publish(r, kept);     /* of nothing */
	assert_int_equal(rules_ring_used(r), 32);
	rules_ring_done(r, take(r, 8, 1));
	assert_true(rules_ring_empty(r));
	free(r);
}

/* Each size at each place: the end of the block is met in every way. */
static void the_end_of_the_block_splits_no_record(void **state)
{
	struct rules_ring *r = ring_new(512);

	(void)state;
	for (unsigned i = 0; i < 20000; i++) {
		size_t size = i * 7919u % 241;
		assert_true(put(r, size, (unsigned char)i));
		rules_ring_done(r, take(r, size, (unsigned char)i));
		assert_int_equal(rules_ring_used(r), 0);
	}
	free(r);
}

static void sizes_at_the_limits(void **state)
{
	struct rules_ring *r = ring_new(1024);
	size_t size = 0;

	(void)state;
	assert_true(put(r, 0, 0));
	assert_true(put(r, 0, 0));
	rules_ring_done(r, take(r, 0, 0));
	rules_ring_done(r, take(r, 0, 0));
	for (int i = 0; i < 100; i++) { /* half of the ring, wherever the last one ended */
		assert_true(put(r, 496, 3));
		rules_ring_done(r, take(r, 496, 3));
		assert_true(put(r, 33, 3));
		rules_ring_done(r, take(r, 33, 3));
	}
	assert_null(rules_ring_reserve(r, 497));
	assert_null(rules_ring_reserve(r, 1024));
	assert_null(rules_ring_reserve(r, SIZE_MAX));
	assert_null(rules_ring_reserve(r, SIZE_MAX - 15));
	assert_null(rules_ring_read(r, &size));
	free(r);
	r = ring_new(RULES_RING_LEAST);
	assert_true(put(r, 1, 9));
	rules_ring_done(r, take(r, 1, 9));
	free(r);
	static const size_t none[] = { 0, RULES_RING_HEAD, RULES_RING_HEAD + 32, RULES_RING_HEAD + 100, RULES_RING_HEAD - 1, SIZE_MAX, (size_t)RULES_RING_MOST * 2 + RULES_RING_HEAD };
	for (size_t i = 0; i < sizeof none / sizeof *none; i++)
		assert_null(rules_ring_over(&size, none[i]));
}

static void a_full_ring_takes_nothing_until_something_is_done(void **state)
{
	struct rules_ring *r = ring_new(1024);
	void *first;
	int n = 0;

	(void)state;
	while (put(r, 16, (unsigned char)n))
		n++;
	assert_int_equal(n, 32);
	assert_int_equal(rules_ring_used(r), 1024);
	first = take(r, 16, 0);
	assert_false(put(r, 16, 0)); /* read is not done */
	rules_ring_done(r, first);
	assert_int_equal(rules_ring_used(r), 992);
	assert_false(put(r, 17, 0));
	assert_true(put(r, 16, (unsigned char)n));
	assert_false(put(r, 0, 0));
	for (int i = 1; i <= n; i++)
		rules_ring_done(r, take(r, 16, (unsigned char)i));
	assert_int_equal(rules_ring_used(r), 0);
	free(r);
}

static void room_comes_back_when_the_oldest_is_done(void **state)
{
	struct rules_ring *r = ring_new(1024);
	void *record[8];

	(void)state;
	for (int i = 0; i < 8; i++)
		assert_true(put(r, 112, (unsigned char)i));
	for (int i = 0; i < 8; i++)
		record[i] = take(r, 112, (unsigned char)i);
	assert_int_equal(rules_ring_pending(r), 8);
	for (int i = 7; i > 0; i--) {
		rules_ring_done(r, record[i]);
		assert_int_equal(rules_ring_used(r), 1024);
		assert_int_equal(rules_ring_pending(r), i);
	}
	assert_false(put(r, 0, 0));
	rules_ring_done(r, record[0]);
	assert_int_equal(rules_ring_used(r), 0);
	assert_int_equal(rules_ring_pending(r), 0);
	free(r);
}

/* What is read ends in an order of chance, against a list. */
static void any_order(void **state)
{
	struct rules_ring *r = ring_new(4096);
	struct { void *at; size_t size; unsigned char first; } open[64];
	unsigned chance = 1, wrote = 0, read = 0;
	size_t sizes[256], n = 0;

	(void)state;
	for (int step = 0; step < 200000; step++) {
		chance = chance * 1103515245 + 12345;
		size_t size = chance >> 16 & 255;
		if (chance >> 28 < 6 && wrote - read < 200 && put(r, size, (unsigned char)wrote)) {
			sizes[wrote++ % 256] = size;
		} else if (chance >> 28 < 11 && n < 64 && read < wrote) {
			open[n].size = sizes[read % 256];
			open[n].first = (unsigned char)read++;
			open[n].at = take(r, open[n].size, open[n].first);
			n++;
		} else if (n) {
			size_t i = size % n;
			for (size_t k = 0; k < open[i].size; k++)
				assert_int_equal(((unsigned char *)open[i].at)[k], (unsigned char)(open[i].first + k));
			rules_ring_done(r, open[i].at);
			open[i] = open[--n];
		}
		assert_int_equal(rules_ring_pending(r), n);
	}
	while (n)
		rules_ring_done(r, open[--n].at);
	while (read < wrote) {
		size_t size = sizes[read % 256];
		rules_ring_done(r, take(r, size, (unsigned char)read++));
	}
	assert_int_equal(rules_ring_used(r), 0);
	assert_true(wrote > 50000);
	free(r);
}

/* -- threads: one writes, one reads, and three end what was read -- */

enum { ENDERS = 3, HANDS = 16 };
struct record {
	uint64_t number, sum;
	size_t size;
	unsigned char byte[];
};
static struct world {
	struct rules_ring *ring;
	_Atomic(void *) hand[HANDS]; /* from the reader to the enders */
	atomic_bool written, all_read;
	_Atomic uint64_t wrote, ended, wrong;
} world;

static uint64_t sum_of(const struct record *m)
{
	uint64_t sum = m->number * 31 + m->size;

	for (size_t i = 0; i < m->size; i++)
		sum = sum * 131 + m->byte[i];
	return sum;
}

static void *write_all(void *arg)
{
	struct timespec from, now;
	uint64_t n = 0;
	unsigned chance = 7;

	(void)arg;
	clock_gettime(CLOCK_MONOTONIC, &from);
	do {
		chance = chance * 1103515245 + 12345;
		size_t size = chance >> 16 & (chance >> 31 ? 15 : 1023);
		struct record *m = rules_ring_reserve(world.ring, sizeof *m + size);
		if (m) {
			m->number = n++;
			m->size = size;
			memset(m->byte, (int)(n & 255), size);
			m->sum = sum_of(m);
			rules_ring_publish(world.ring, m->number & 1);
		} else {
			sched_yield();
		}
		clock_gettime(CLOCK_MONOTONIC, &now);
	} while (now.tv_sec - from.tv_sec < 2);
	atomic_store(&world.wrote, n);
	atomic_store(&world.written, true);
	return NULL;
}

static void *read_all(void *arg)
{
	uint64_t n = 0;
	size_t size;

	(void)arg;
	for (;;) {
		bool last = atomic_load(&world.written);
		struct record *m = rules_ring_read(world.ring, &size);
		if (!m && last)
			break;
		if (!m) {
			sched_yield();
			continue;
		}
		if (m->number != n++ || size != sizeof *m + m->size || m->sum != sum_of(m))
			atomic_fetch_add(&world.wrong, 1);
		void *none = NULL;
		for (uint64_t i = m->sum; !atomic_compare_exchange_strong(&world.hand[i % HANDS], &none, m); i++)
			none = NULL;
	}
	atomic_store(&world.all_read, true);
	return NULL;
}

static void *end_all(void *arg)
{
	unsigned at = *(unsigned *)arg;

	for (;;) {
		bool last = atomic_load(&world.all_read), any = false;
		for (unsigned i = 0; i < HANDS; i++) {
			struct record *m = atomic_exchange(&world.hand[(at + i * 5) % HANDS], NULL);
			if (!m)
				continue;
			if (m->sum != sum_of(m))
				atomic_fetch_add(&world.wrong, 1);
			rules_ring_done(world.ring, m);
			atomic_fetch_add(&world.ended, 1);
			any = true;
		}
		at++;
		if (!any && last)
			return NULL;
		if (!any)
			sched_yield();
	}
}

static void five_threads_lose_nothing(void **state)
{
	pthread_t thread[2 + ENDERS];
	unsigned seed[ENDERS] = { 1, 6, 11 };

	(void)state;
	memset(&world, 0, sizeof world);
	world.ring = ring_new(1 << 14);
	assert_int_equal(pthread_create(&thread[0], NULL, write_all, NULL), 0);
	assert_int_equal(pthread_create(&thread[1], NULL, read_all, NULL), 0);
	for (int i = 0; i < ENDERS; i++)
		assert_int_equal(pthread_create(&thread[2 + i], NULL, end_all, &seed[i]), 0);
	for (int i = 0; i < 2 + ENDERS; i++)
		pthread_join(thread[i], NULL);
	assert_int_equal(world.wrong, 0);
	assert_true(world.wrote > 100);
	assert_int_equal(world.wrote, world.ended);
	assert_int_equal(rules_ring_used(world.ring), 0);
	assert_int_equal(rules_ring_pending(world.ring), 0);
	assert_true(rules_ring_empty(world.ring));
	free(world.ring);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(records_come_in_order),
		cmocka_unit_test(a_reservation_is_not_there_before_it_is_published),
		cmocka_unit_test(the_end_of_the_block_splits_no_record),
		cmocka_unit_test(sizes_at_the_limits),
		cmocka_unit_test(a_full_ring_takes_nothing_until_something_is_done),
		cmocka_unit_test(room_comes_back_when_the_oldest_is_done),
		cmocka_unit_test(any_order),
		cmocka_unit_test(five_threads_lose_nothing),
	};
	int failed = cmocka_run_group_tests_name("not kept", tests, NULL, NULL);
	kept = true;
	return failed + cmocka_run_group_tests_name("kept", tests, NULL, NULL);
}
