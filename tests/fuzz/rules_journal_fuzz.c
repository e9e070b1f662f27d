/* rules_journal_fuzz.c -- what a journal's file may hold when a broker starts: any bytes.
 *
 * Input: a byte that says how large the ring is and whether checks are made right, so that the fuzzer gets past them; tail and head, two bytes each;
 * then the records. What is given out lies inside of the block and is aligned, what is a message lies inside of its record with all its parts, and what is
 * done does not come again. */
#include <stdlib.h>
#include <string.h>

#include "core/properties.h"
#include "plugins/rules/engine_recover.h"
#include "plugins/rules/engine_thread.h"
#include "rules/ring_block.h"
#include "tests/fuzz/expect.h"
#include "tests/unit/rules_fake.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { HEAD = 5, SEAL = 0x80, RAW = 0x40 };

static void expect_text(const struct rules_message *m, uint32_t offset, size_t size)
{
	expect(!offset || offset + strlen(message_text(m, offset)) < size);
}

static void expect_properties(const struct rules_message *m)
{
	const unsigned char *at = (const unsigned char *)m + m->properties;
	struct sk_properties all = { .at = at, .end = at + m->properties_size };
	struct sk_property p;

	while (m->properties_size && sk_properties_next(&all, &p))
		expect(all.at <= all.end);
}

static void expect_message(const struct rules_message *m, size_t size)
{
	uint32_t sum = 0;

	if (!recover_is_message(m, size))
		return;
	for (int i = 0; i < m->rules; i++)
		sum += message_hashes(m)[i];
	for (uint32_t i = 0; i <= m->size; i++)
		sum += ((const unsigned char *)m)[m->payload + i];
	expect(m->topic && m->qos && (sum || !sum));
	expect_text(m, m->topic, size);
	expect_text(m, m->client_id, size);
	expect_text(m, m->principal, size);
	expect_text(m, m->source_ip, size);
	expect_properties(m);
}

/* Makes the checks of what might be kept right, as far as headers follow each other. */
static void seal(struct rules_ring *r)
{
	uint64_t at = r->tail, whole;

	for (int i = 0; i < 64 && at < r->head; i++, at += whole) {
		struct ring_header *h = ring_header_at(r, at);
		uint64_t end = r->size - (at & (r->size - 1));
		whole = ring_whole(h->size %= (uint32_t)(r->size / 2));
		h->state %= RING_FILLER + 1;
		h->place = (uint32_t)(at / RING_UNIT);
		if (whole > end || whole > r->head - at)
			return;
		h->check = ring_check(h);
	}
}

static void read_all(unsigned char *block, size_t bytes)
{
	struct rules_left l;
	size_t size, n = 0;

	if (rules_left_open(&l, block, bytes))
		return;
	for (unsigned char *p; (p = rules_left_next(&l, &size)); n++) {
		expect(p >= block + RULES_RING_HEAD + RING_UNIT && p + size <= block + bytes && !((uintptr_t)p % RING_UNIT));
		expect_message((const void *)p, size);
		if (n % 2)
			rules_left_done(p);
	}
	expect(n <= (bytes - RULES_RING_HEAD) / RING_UNIT);
	size_t again = 0;
	for (rules_left_rewind(&l); rules_left_next(&l, &size); again++)
		continue;
	expect(again == n - n / 2);
}

static unsigned two(const uint8_t *at)
{
	return at[0] | (unsigned)at[1] << 8;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	size_t ring = RULES_RING_LEAST << (size ? data[0] % 8 : 0), bytes = RULES_RING_HEAD + ring;
	bool raw = size && data[0] & RAW;

	if (size < HEAD)
		return 0;
	if (raw)
		bytes = size - HEAD;
	unsigned char *block = aligned_alloc(64, (bytes + 64) / 64 * 64);
	if (!block)
		return 0;
	if (raw) {
		memcpy(block, data + HEAD, bytes);
	} else {
		memset(block, 0, bytes);
		struct rules_ring *r = rules_ring_over(block, bytes);
		r->tail = two(data + 1) * (uint64_t)RING_UNIT;
		r->head = two(data + 3) * (uint64_t)(data[0] & SEAL ? RING_UNIT : 1);
		memcpy(block + RULES_RING_HEAD, data + HEAD, size - HEAD < ring ? size - HEAD : ring);
		if (data[0] & SEAL && r->head > r->tail && r->head - r->tail <= ring)
			seal(r);
	}
	read_all(block, bytes);
	free(block);
	return 0;
}
