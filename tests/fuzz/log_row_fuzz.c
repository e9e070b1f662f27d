/* log_row_fuzz.c -- the decoder of the store's log rows on any bytes.
 *
 * Input: a row without its checksum, which is put in so that the fuzzer gets past it. The decoder must stay inside the row, hand out
 * only what fits a store, refuse the row when any bit of the checksum is wrong or the sequence number is another one; and what it
 * accepts, written anew, must decode to the same writes. */
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "core/store_internal.h"
#include "tests/fuzz/expect.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { HEADER = 12, SEQ = 77, MAX_COMMITS = 64, MAX_WRITES = 256 };

struct seen {
	struct sk_commit commit[MAX_COMMITS];
	struct sk_store_write write[MAX_WRITES];
	size_t writes, at;
	uint64_t version;
	struct sk_slice row;
	bool full;
};

static void seal(char *row, size_t size)
{
	char seq[8] = { SEQ };
	uint32_t crc = sk_crc32c(sk_crc32c(0, seq, sizeof seq), row + 8, size - 8);

	memcpy(row, "SKL1", 4);
	for (int i = 0; i < 4; i++)
		row[4 + i] = (char)(crc >> 8 * i);
}

static bool inside(struct sk_slice row, const char *at, size_t size)
{
	return at >= row.data && size <= row.size && at + size <= row.data + row.size;
}

static int take(void *ctx, uint64_t version, const struct sk_log_write *w)
{
	struct seen *seen = ctx;

	expect(version >= seen->version && w->space < SK_SPACES && w->key.size && w->key.size <= SK_KEY_MAX);
	expect(inside(seen->row, w->key.data, w->key.size) && !memchr(w->key.data, 0, w->key.size));
	expect(!w->data || inside(seen->row, w->data, w->size));
	seen->version = version;
	seen->full = seen->full || seen->writes == MAX_WRITES || version - SEQ >= MAX_COMMITS;
	if (seen->full)
		return 0;
	seen->write[seen->writes++] = (struct sk_store_write){
		.space = w->space, .key = strndup(w->key.data, w->key.size), .bytes = w->data ? sk_bytes_new(w->data, w->size) : NULL,
	};
	seen->commit[version - SEQ].write_count++;
	return 0;
}

static int compare(void *ctx, uint64_t version, const struct sk_log_write *w)
{
	struct seen *seen = ctx;
	const struct sk_store_write *was = &seen->write[seen->at++];

	(void)version;
	expect(seen->at <= seen->writes && was->space == w->space && strlen(was->key) == w->key.size);
	expect(!memcmp(was->key, w->key.data, w->key.size) && !was->bytes == !w->data);
	expect(!w->data || (was->bytes->size == w->size && !memcmp(was->bytes->data, w->data, w->size)));
	return 0;
}

static void write_anew(struct seen *seen, size_t commits)
{
	struct sk_row row = { 0 };
	size_t at = 0;

	expect(!sk_row_start(&row));
	for (size_t i = 0; i < commits; i++) {
		seen->commit[i].writes = seen->write + at;
		at += seen->commit[i].write_count;
		expect(!sk_row_add(&row, &seen->commit[i]));
	}
	sk_row_seal(&row, SEQ);
	expect(sk_log_decode(SEQ, (struct sk_slice){ row.data, row.size }, compare, seen) == (int64_t)commits);
	expect(seen->at == seen->writes);
	free(row.data);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct seen seen;
	char *row;
	int64_t commits;

	if (size < HEADER) {
		expect(sk_log_decode(SEQ, (struct sk_slice){ (const char *)data, size }, NULL, NULL) == -1);
		return 0;
	}
	row = malloc(size);
	if (!row)
		return 0;
	memcpy(row, data, size);
	seal(row, size);
	memset(&seen, 0, sizeof seen);
	seen.row = (struct sk_slice){ row, size };
	commits = sk_log_decode(SEQ, seen.row, take, &seen);
	expect(commits >= -1);
	if (commits > 0 && commits <= MAX_COMMITS && !seen.full)
		write_anew(&seen, (size_t)commits);
	expect(sk_log_decode(SEQ + 1, seen.row, NULL, NULL) == -1);
	row[4 + size % 4] ^= (char)(1 << size % 8);
	expect(sk_log_decode(SEQ, seen.row, NULL, NULL) == -1);
	for (size_t i = 0; i < seen.writes; i++) {
		free((char *)seen.write[i].key);
		sk_bytes_unref(seen.write[i].bytes);
	}
	free(row);
	return 0;
}
