/* rules_ring_test.c -- rules/ring.h: order, the end of the block, room that comes back out of order, and threads that all work at once; rules/left.h: what of it
 * is found in the block by whoever comes later. */
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

#include "rules/left.h"
#include "rules/ring_block.h"

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
	} while (now.tv_sec - from.tv_sec < 2 || n <= 100);
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

/* -- what is left -- */

static void put_as(struct rules_ring *r, size_t size, unsigned char first, bool as)
{
	kept = as;
	assert_true(put(r, size, first));
}

/* That these records are what is left, by their first bytes, and that nothing else is. */
static void left_is(struct rules_ring *r, const char *firsts)
{
	struct rules_left l;
	size_t size, n = strlen(firsts);

	assert_int_equal(rules_left_open(&l, r, RULES_RING_HEAD + r->size), 0);
	for (size_t i = 0; i < n; i++) {
		unsigned char *p = rules_left_next(&l, &size);
		assert_non_null(p);
		for (size_t k = RULES_RING_OPEN; k < size; k++)
			assert_int_equal(p[k], (unsigned char)(firsts[i] + k));
	}
	assert_null(rules_left_next(&l, &size));
	assert_false(l.damaged);
}

static void what_is_kept_and_not_done_is_left(void **state)
{
	struct rules_ring *r = ring_new(1024);
	void *a, *b;

	(void)state;
	left_is(r, "");
	put_as(r, 60, 'a', true);
	put_as(r, 60, 'b', false);
	put_as(r, 60, 'c', true);
	put_as(r, 0, 'z', true);
	assert_non_null(rules_ring_reserve(r, 40));
	left_is(r, "acz");
	a = take(r, 60, 'a');
	b = take(r, 60, 'b');
	rules_ring_done(r, take(r, 60, 'c')); /* behind one that is not */
	memset(a, 0xee, RULES_RING_OPEN);     /* what may change */
	left_is(r, "az");
	rules_ring_done(r, a);
	left_is(r, "z");
	rules_ring_done(r, b);
	rules_ring_done(r, take(r, 0, 'z'));
	left_is(r, "");
	free(r);
}

/* A shadow of what is on its way, in an order of chance, through many laps. */
static void it_is_left_wherever_it_lies(void **state)
{
	struct rules_ring *r = ring_new(2048);
	char shadow[256] = "";
	void *record[256];
	unsigned chance = 3, laps = 0;
	size_t n = 0, size;

	(void)state;
	for (int step = 0; step < 30000; step++) {
		chance = chance * 1103515245 + 12345;
		size = 1 + (chance >> 16 & 127);
		char first = (char)('!' + chance % 90);
		kept = true;
		if (chance >> 31 && put(r, size, (unsigned char)first)) {
			shadow[n] = first;
			record[n++] = rules_ring_read(r, &size);
			shadow[n] = '\0';
			laps += size > 100;
		} else if (n) {
			size_t i = size % n;
			rules_ring_done(r, record[i]);
			memmove(shadow + i, shadow + i + 1, n - i);
			memmove(record + i, record + i + 1, (n - i - 1) * sizeof *record);
			n--;
		}
		if (step % 7 == 0)
			left_is(r, shadow);
	}
	assert_true(laps > 500);
	free(r);
}

static void what_is_said_to_be_done_never_comes_again(void **state)
{
	struct rules_ring *r = ring_new(1024);
	struct rules_left l;
	size_t size;
	unsigned char *p;

	(void)state;
	for (char c = 'a'; c < 'f'; c++)
		put_as(r, 30, (unsigned char)c, true);
	assert_int_equal(rules_left_open(&l, r, RULES_RING_HEAD + 1024), 0);
	for (int i = 0; (p = rules_left_next(&l, &size)); i++)
		if (i % 2 == 0)
			rules_left_done(p);
	left_is(r, "bd");
	rules_left_rewind(&l);
	p = rules_left_next(&l, &size);
	assert_int_equal(*p, 'b');
	rules_left_done(p);
	rules_left_rewind(&l);
	assert_int_equal(*(unsigned char *)rules_left_next(&l, &size), 'd');
	free(r);
}

/* Any bit of what counts: the record and what comes behind it is not given out, what comes before is. */
static void a_bit_that_is_wrong_is_noticed(void **state)
{
	struct rules_ring *r = ring_new(1024);
	unsigned char *block = (unsigned char *)r;
	struct rules_left l;
	size_t size;

	(void)state;
	put_as(r, 50, 'a', true);
	put_as(r, 50, 'b', true);
	put_as(r, 50, 'c', true);
	for (size_t at = 80; at < 160; at++)
		for (int bit = 0; bit < 8; bit++) {
			if (at < 84 || (at >= 96 && at < 96 + RULES_RING_OPEN))
				continue; /* its state, and what may change */
			block[RULES_RING_HEAD + at] ^= (unsigned char)(1 << bit);
			assert_int_equal(rules_left_open(&l, r, RULES_RING_HEAD + 1024), 0);
			assert_int_equal(*(unsigned char *)rules_left_next(&l, &size), 'a');
			assert_null(rules_left_next(&l, &size));
			assert_true(l.damaged);
			block[RULES_RING_HEAD + at] ^= (unsigned char)(1 << bit);
		}
	left_is(r, "abc");
	free(r);
}

/* A header that stands where one may stand, and is none of this lap or none of this block: what follows it is not read. */
static void write_at(struct rules_ring *r, uint64_t at, uint32_t state, uint32_t size)
{
	struct ring_header *h = ring_header_at(r, at);

	*h = (struct ring_header){ .size = size, .place = (uint32_t)(at / RING_UNIT) };
	atomic_store(&h->state, state);
	h->check = ring_whole(size) <= 512 ? ring_check(h) : 0;
}

static void headers_that_lead_astray(void **state)
{
	struct rules_ring *r = ring_new(1024);
	struct rules_left l;
	size_t size;

	(void)state;
	write_at(r, 768, RING_TAKEN, 500);        /* beyond the end of the block */
	write_at(r, 768 + 512 + 16, RING_KEPT, 16);
	write_at(r, 768 + 512 + 16 + 32, RING_DONE, 1024 - 512 - 16 - 32 - 16);
	r->tail = 768;
	r->head = 768 + 1024;
	assert_int_equal(rules_left_open(&l, r, RULES_RING_HEAD + 1024), 0);
	assert_null(rules_left_next(&l, &size));
	assert_true(l.damaged);
	memset((char *)r + RULES_RING_HEAD, 0, 1024);
	write_at(r, 0, RING_DONE, 16);            /* of the lap before */
	write_at(r, 1024 + 32, RING_KEPT, 16);
	r->tail = 1024;
	r->head = 1024 + 64;
	assert_int_equal(rules_left_open(&l, r, RULES_RING_HEAD + 1024), 0);
	assert_null(rules_left_next(&l, &size));
	assert_true(l.damaged);
	write_at(r, 1024, RING_DONE, 16);
	assert_int_equal(rules_left_open(&l, r, RULES_RING_HEAD + 1024), 0);
	assert_non_null(rules_left_next(&l, &size));
	r->head = 1024 + 16;                      /* beyond what was written */
	assert_int_equal(rules_left_open(&l, r, RULES_RING_HEAD + 1024), 0);
	assert_null(rules_left_next(&l, &size));
	assert_true(l.damaged);
	r->head = 1024 + 64;
	write_at(r, 1024, RING_FILLER + 1, 16);
	assert_int_equal(rules_left_open(&l, r, RULES_RING_HEAD + 1024), 0);
	assert_null(rules_left_next(&l, &size));
	free(r);
}

static void what_is_no_ring_is_told_from_one(void **state)
{
	enum { BYTES = RULES_RING_HEAD + 1024 };
	static const struct { size_t bytes; int rc; } sizes[] = {
		{ BYTES, 0 }, { BYTES - 1, -1 }, { BYTES + 1024, -1 }, { RULES_RING_HEAD + 512, -1 }, { RULES_RING_HEAD, -1 }, { 100, -1 }, { 8, -1 }, { 0, 1 },
	};
	static const struct { size_t at; uint64_t is; } numbers[] = {
		{ offsetof(struct rules_ring, size), 512 }, { offsetof(struct rules_ring, size), 0 }, { offsetof(struct rules_ring, head), 1024 + 16 + 112 },
		{ offsetof(struct rules_ring, head), 100 }, { offsetof(struct rules_ring, tail), 128 }, { offsetof(struct rules_ring, tail), UINT64_MAX - 2047 },
		{ offsetof(struct rules_ring, tail), 1 }, { 0, 7 },
	};
	struct rules_ring *r = ring_new(2048);
	unsigned char *copy = malloc(BYTES + 1024);
	struct rules_left l;

	(void)state;
	assert_int_equal(rules_left_open(&l, memset(copy, 0, BYTES), BYTES), 1);
	r->size = 1024;
	put_as(r, 90, 'a', true);
	for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++)
		assert_int_equal(rules_left_open(&l, memcpy(copy, r, BYTES + 1024), sizes[i].bytes), sizes[i].rc);
	for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++) {
		memcpy(copy, r, BYTES);
		memcpy(copy + numbers[i].at, &numbers[i].is, sizeof numbers[i].is);
		assert_int_equal(rules_left_open(&l, copy, BYTES), -1);
	}
	free(copy);
	free(r);
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
	failed += cmocka_run_group_tests_name("kept", tests, NULL, NULL);
	const struct CMUnitTest left[] = {
		cmocka_unit_test(what_is_kept_and_not_done_is_left),
		cmocka_unit_test(it_is_left_wherever_it_lies),
		cmocka_unit_test(what_is_said_to_be_done_never_comes_again),
		cmocka_unit_test(a_bit_that_is_wrong_is_noticed),
		cmocka_unit_test(headers_that_lead_astray),
		cmocka_unit_test(what_is_no_ring_is_told_from_one),
	};
	return failed + cmocka_run_group_tests(left, NULL, NULL);
}
