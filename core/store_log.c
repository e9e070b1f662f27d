/* store_log.c -- a log row: all writes of one batch of commits, in a form that proves itself whole.
 *
 *   "SKL1"  crc  commits  { writes { space|deleted  key size  key  [ data size  data ] } }
 *
 * crc (crc32c over the row's sequence number and all that follows the crc) and commits are 4 bytes, little-endian; the other
 * numbers are LEB128; space is one byte, its top bit says deleted. The k-th commit of row `seq` has version seq + k.
 * Invariant: a row is believed only after its checksum and its whole form have been checked. */
#include "core/store_internal.h"

#include <stdlib.h>
#include <string.h>

enum { HEADER = 12, CHECKED = 8, DELETED = 0x80, NUMBER_MAX = 10, FIRST_ROOM = 4096 };

static const char magic[4] = { 'S', 'K', 'L', '1' };
static uint32_t crc_table[8][256];
static pthread_once_t crc_once = PTHREAD_ONCE_INIT;

static void fill_crc_table(void)
{
	for (uint32_t i = 0; i < 256; i++) {
		uint32_t c = i;

		for (int bit = 0; bit < 8; bit++)
			c = c & 1 ? c >> 1 ^ 0x82f63b78u : c >> 1;
		crc_table[0][i] = c;
	}
	for (int k = 1; k < 8; k++)
		for (int i = 0; i < 256; i++)
			crc_table[k][i] = crc_table[k - 1][i] >> 8 ^ crc_table[0][crc_table[k - 1][i] & 255];
}

static void put_u32(char *p, uint32_t v)
{
	for (int i = 0; i < 4; i++)
		p[i] = (char)(v >> 8 * i);
}

static uint32_t get_u32(const unsigned char *p)
{
	return p[0] | (uint32_t)p[1] << 8 | (uint32_t)p[2] << 16 | (uint32_t)p[3] << 24;
}

uint32_t sk_crc32c(uint32_t crc, const void *data, size_t size)
{
	const unsigned char *p = data;

	pthread_once(&crc_once, fill_crc_table);
	crc = ~crc;
	for (; size >= 8; p += 8, size -= 8) {
		crc ^= get_u32(p);
		crc = crc_table[7][crc & 255] ^ crc_table[6][crc >> 8 & 255] ^ crc_table[5][crc >> 16 & 255] ^ crc_table[4][crc >> 24] ^
			crc_table[3][p[4]] ^ crc_table[2][p[5]] ^ crc_table[1][p[6]] ^ crc_table[0][p[7]];
	}
	while (size--)
		crc = crc >> 8 ^ crc_table[0][(crc ^ *p++) & 255];
	return ~crc;
}

static uint32_t row_crc(uint64_t seq, const char *checked, size_t size)
{
	char head[8];

	put_u32(head, (uint32_t)seq);
	put_u32(head + 4, (uint32_t)(seq >> 32));
	return sk_crc32c(sk_crc32c(0, head, sizeof head), checked, size);
}

/* -- writing -- */
static int make_room(struct sk_row *row, size_t more)
{
	size_t room = row->room ? row->room : FIRST_ROOM;
	char *data;

	while (room - row->size < more)
		room *= 2;
	if (room == row->room)
		return 0;
	data = realloc(row->data, room);
	if (!data)
		return -1;
	row->data = data;
	row->room = room;
	return 0;
}

int sk_row_start(struct sk_row *row)
{
	row->size = 0;
	row->commits = 0;
	if (make_room(row, HEADER))
		return -1;
	row->size = HEADER;
	return 0;
}

size_t sk_row_size_of(const struct sk_commit *c)
{
	size_t size = NUMBER_MAX;

	for (size_t i = 0; i < c->write_count; i++)
		size += 1 + 2 * NUMBER_MAX + strlen(c->writes[i].key) + (c->writes[i].bytes ? c->writes[i].bytes->size : 0);
	return size;
}

static void add_number(struct sk_row *row, uint64_t v)
{
	for (; v > 127; v >>= 7)
		row->data[row->size++] = (char)(v | 128);
	row->data[row->size++] = (char)v;
}

static void add_text(struct sk_row *row, const char *data, size_t size)
{
	add_number(row, size);
	memcpy(row->data + row->size, data, size);
	row->size += size;
}

int sk_row_add(struct sk_row *row, const struct sk_commit *c)
{
	if (make_room(row, sk_row_size_of(c)))
		return -1;
	add_number(row, c->write_count);
	for (size_t i = 0; i < c->write_count; i++) {
		const struct sk_store_write *w = &c->writes[i];

		row->data[row->size++] = (char)(w->space | (w->bytes ? 0 : DELETED));
		add_text(row, w->key, strlen(w->key));
		if (w->bytes)
			add_text(row, w->bytes->data, w->bytes->size);
	}
	row->commits++;
	return 0;
}

void sk_row_seal(struct sk_row *row, uint64_t seq)
{
	memcpy(row->data, magic, sizeof magic);
	put_u32(row->data + 8, row->commits);
	put_u32(row->data + 4, row_crc(seq, row->data + CHECKED, row->size - CHECKED));
}

/* -- reading -- */
static int take_number(struct sk_slice *in, uint64_t *out)
{
	*out = 0;
	for (int shift = 0; in->size && shift < 64; shift += 7) {
		unsigned char c = (unsigned char)*in->data++;

		in->size--;
		if (shift == 63 && c > 1)
			return -1;
		*out |= (uint64_t)(c & 127) << shift;
		if (!(c & 128))
			return 0;
	}
	return -1;
}

static int take_text(struct sk_slice *in, struct sk_slice *out)
{
	uint64_t size;

	if (take_number(in, &size) || size > in->size)
		return -1;
	*out = (struct sk_slice){ in->data, (size_t)size };
	in->data += size;
	in->size -= (size_t)size;
	return 0;
}

static int take_write(struct sk_slice *in, struct sk_log_write *w)
{
	struct sk_slice data = { NULL, 0 };
	unsigned char head;

	if (!in->size)
		return -1;
	head = (unsigned char)*in->data++;
	in->size--;
	if ((head & ~DELETED) >= SK_SPACES || take_text(in, &w->key))
		return -1;
	if (!w->key.size || w->key.size > SK_KEY_MAX || memchr(w->key.data, 0, w->key.size))
		return -1;
	if (!(head & DELETED) && (take_text(in, &data) || data.size > UINT32_MAX))
		return -1;
	w->space = head & ~DELETED;
	w->data = data.data;
	w->size = data.size;
	return 0;
}

static int walk_commit(struct sk_slice *in, uint64_t version, sk_log_fn *fn, void *ctx)
{
	struct sk_log_write w;
	uint64_t writes;

	if (take_number(in, &writes))
		return -1;
	while (writes--) {
		if (take_write(in, &w))
			return -1;
		if (fn && fn(ctx, version, &w))
			return -2;
	}
	return 0;
}

static int64_t walk(uint64_t seq, struct sk_slice row, sk_log_fn *fn, void *ctx)
{
	struct sk_slice in = { row.data + HEADER, row.size - HEADER };
	uint32_t commits = get_u32((const unsigned char *)row.data + 8);
	int rc;

	for (uint32_t i = 0; i < commits; i++)
		if ((rc = walk_commit(&in, seq + i, fn, ctx)))
			return rc;
	return in.size ? -1 : (int64_t)commits;
}

int64_t sk_log_decode(uint64_t seq, struct sk_slice row, sk_log_fn *fn, void *ctx)
{
	int64_t commits;

	if (row.size < HEADER || memcmp(row.data, magic, sizeof magic))
		return -1;
	if (get_u32((const unsigned char *)row.data + 4) != row_crc(seq, row.data + CHECKED, row.size - CHECKED))
		return -1;
	commits = walk(seq, row, NULL, NULL);
	return commits < 0 || !fn ? commits : walk(seq, row, fn, ctx);
}
