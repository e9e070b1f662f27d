/* dump_fuzz.c -- the reader of dumps on any bytes.
 *
 * Input: lines. They are read as they are, and again behind a right header and before a right footer, so that the fuzzer gets past both.
 * What the reader accepts fits a store and ascends; written anew and read again it is the same, bit for bit; and of a whole dump no
 * line may be missing, and no bit of the checksum be another. */
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "cli/store/dump.h"
#include "tests/fuzz/expect.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define HEADER "{\"format\":\"skeeter-dump\",\"version\":1,\"schema\":1,\"sequence\":1000000}\n"

struct text {
	char *data;
	size_t size, room;
};

static int put(void *ctx, const char *data, size_t n)
{
	struct text *t = ctx;

	if (t->room - t->size < n) {
		t->room = 2 * (t->room + n);
		t->data = realloc(t->data, t->room);
		expect(t->data != NULL);
	}
	memcpy(t->data + t->size, data, n);
	t->size += n;
	return 0;
}

static void check_record(const struct dump_reader *r)
{
	const struct view_record *one = &r->record;

	expect(one->space < SK_SPACES && one->key.size && one->key.size <= SK_KEY_MAX && !memchr(one->key.data, 0, one->key.size));
	expect(one->version >= 1 && one->version <= r->sequence && one->data.data);
}

static size_t line_at(const char *data, size_t size)
{
	const char *end = memchr(data, '\n', size);

	return end ? (size_t)(end - data) + 1 : size;
}

/* Reads all; records go to w when it is not NULL. Answers whether the dump was whole. */
static bool read_all(const char *data, size_t size, struct dump_writer *w)
{
	struct dump_reader r = { 0 };
	enum dump_line kind = DUMP_HEADER;
	bool whole;

	for (size_t n; size && kind != DUMP_WRONG; data += n, size -= n) {
		n = line_at(data, size);
		kind = dump_read(&r, data, n);
		expect((kind == DUMP_WRONG) == (r.why[0] != '\0'));
		if (kind != DUMP_RECORD)
			continue;
		check_record(&r);
		if (w)
			expect(!dump_record(w, &r.record));
	}
	whole = !dump_read_end(&r);
	expect(whole == !r.why[0]);
	dump_reader_free(&r);
	return whole;
}

/* A dump of the records in data, as our writer makes it. */
static struct text written(const char *data, size_t size)
{
	struct text t = { 0 };
	struct dump_writer w = { .put = put, .ctx = &t };

	expect(!dump_begin(&w, 1000000));
	read_all(data, size, &w);
	expect(!dump_footer(&w));
	dump_end(&w);
	return t;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct text in = { 0 }, once, twice;

	read_all((const char *)data, size, NULL);
	put(&in, HEADER, strlen(HEADER));
	put(&in, (const char *)data, size);
	once = written(in.data, in.size);
	expect(read_all(once.data, once.size, NULL));
	twice = written(once.data, once.size);
	expect(once.size == twice.size && !memcmp(once.data, twice.data, once.size));
	expect(!read_all(once.data, once.size - 1, NULL));
	once.data[once.size - 4 - size % 64] ^= 1; /* a digit of the checksum */
	expect(!read_all(once.data, once.size, NULL));
	free(in.data);
	free(once.data);
	free(twice.data);
	return 0;
}
