/* chunks.c -- see chunks.h. Each chunk's signature covers the one before it, the first one's the request's: nothing can be left out,
 * added or moved. A body of which a byte is left over, or whose length is not the one that was signed, is refused. */
#include "sigv4/chunks.h"

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "core/digest.h"
#include "sigv4/canonical.h"
#include "sigv4/refusal.h"

#define EMPTY_HASH "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
enum { LONGEST_LINE = 1024, HEX = 2 * SIGV4_HASH };

struct chunks {
	struct sk_arena *a;
	const struct sigv4_claim *claim;
	const uint8_t *key;
	const char *scope;
	const char *at, *end;
	char before[HEX + 1]; /* the signature that the next one covers */
	char *out;
	size_t size;
	struct sigv4_text trailer; /* as it was signed */
	unsigned checksums;
	struct sigv4_refusal *no;
};

static int broken(struct chunks *k, const char *what)
{
	return sigv4_refuse(k->a, k->no, SIGV4_BAD_BODY, "The chunked body is not well-formed: %s", what);
}

/* A line without its end; NULL: there is none, or it is too long. */
static const char *take_line(struct chunks *k, size_t *n)
{
	size_t left = (size_t)(k->end - k->at);
	const char *line = k->at, *end = memchr(line, '\n', left < LONGEST_LINE ? left : LONGEST_LINE);

	if (!end)
		return NULL;
	k->at = end + 1;
	*n = (size_t)(end - line);
	if (*n && line[*n - 1] == '\r')
		--*n;
	return line;
}

/* -- signatures -- */

static int check_signature(struct chunks *k, const char *kind, const char *hashes, const char *given, size_t n)
{
	uint8_t hash[SIGV4_HASH];
	char hex[HEX + 1];
	const char *text = sk_printf(k->a, "%s\n%s\n%s\n%s\n%s", kind, k->claim->when, k->scope, k->before, hashes);

	if (!text)
		return sigv4_refuse(k->a, k->no, SIGV4_NO_MEMORY, "Memory is out");
	sk_hmac(k->key, SIGV4_HASH, text, strlen(text), hash);
	sk_hex(hash, SIGV4_HASH, hex);
	if (n != HEX || CRYPTO_memcmp(hex, given, HEX))
		return sigv4_refuse(k->a, k->no, SIGV4_INVALID, "%s", SIGV4_MISMATCH);
	memcpy(k->before, hex, sizeof(hex));
	return 0;
}

static const char *hex_of(struct chunks *k, const char *data, size_t n)
{
	uint8_t hash[SIGV4_HASH];
	char hex[HEX + 1];

	sk_digest(data, n, hash);
	sk_hex(hash, SIGV4_HASH, hex);
	return sk_strdup(k->a, hex);
}

static int check_chunk(struct chunks *k, const char *extension, size_t n, const char *data, size_t size)
{
	static const char name[] = "chunk-signature=";
	size_t skip = sizeof(name) - 1;
	const char *hashes;

	if (k->claim->payload == SIGV4_UNSIGNED_TRAILER)
		return n ? broken(k, "an unsigned chunk has an extension") : 0;
	if (n < skip + 1 || *extension != ';' || memcmp(extension + 1, name, skip))
		return broken(k, "a chunk without a signature");
	hashes = sk_printf(k->a, EMPTY_HASH "\n%s", hex_of(k, data, size));
	return check_signature(k, "AWS4-HMAC-SHA256-PAYLOAD", hashes, extension + 1 + skip, n - 1 - skip);
}

/* -- chunks -- */

static int read_size(struct chunks *k, const char *line, size_t n, size_t *digits, size_t *size)
{
	*size = 0;
	for (*digits = 0; *digits < n && *digits < 8; ++*digits) {
		char c = line[*digits], low = (char)(c | 32);
		if (c >= '0' && c <= '9')
			*size = *size << 4 | (size_t)(c - '0');
		else if (low >= 'a' && low <= 'f')
			*size = *size << 4 | (size_t)(low - 'a' + 10);
		else
			break;
	}
	return *digits ? 0 : broken(k, "a chunk without a size");
}

/* 1: there are more; 0: that was the last one; -1. */
static int read_chunk(struct chunks *k)
{
	size_t n, digits, size;
	const char *line = take_line(k, &n), *data = k->at;

	if (!line)
		return broken(k, "it ends before its last chunk");
	if (read_size(k, line, n, &digits, &size))
		return -1;
	if (size && ((size_t)(k->end - data) < size + 2 || memcmp(data + size, "\r\n", 2)))
		return broken(k, "a chunk is not as long as it says");
	if (check_chunk(k, line + digits, n - digits, data, size))
		return -1;
	memcpy(k->out + k->size, data, size);
	k->size += size;
	k->at += size ? size + 2 : 0;
	return size > 0;
}

/* -- checksums -- */

static void put_big_endian(uint64_t value, int bytes, uint8_t *out)
{
	for (int i = bytes; i--; value >>= 8)
		out[i] = (uint8_t)value;
}

/* Any CRC that goes from the lowest bit, begins with ones and ends inverted: by four bits at a time. */
static size_t crc(const char *data, size_t n, uint64_t polynomial, int bytes, uint8_t *out)
{
	uint64_t table[16], mask = bytes == 8 ? ~(uint64_t)0 : 0xffffffff, value = mask;

	for (uint64_t i = 0; i < 16; i++) {
		table[i] = i;
		for (int bit = 0; bit < 4; bit++)
			table[i] = table[i] & 1 ? table[i] >> 1 ^ polynomial : table[i] >> 1;
	}
	for (size_t i = 0; i < n; i++) {
		value ^= (uint8_t)data[i];
		value = value >> 4 ^ table[value & 15];
		value = value >> 4 ^ table[value & 15];
	}
	put_big_endian(value ^ mask, bytes, out);
	return (size_t)bytes;
}

static size_t crc32(const char *data, size_t n, uint8_t *out)
{
	return crc(data, n, 0xedb88320, 4, out);
}

static size_t crc32c(const char *data, size_t n, uint8_t *out)
{
	return crc(data, n, 0x82f63b78, 4, out);
}

static size_t crc64nvme(const char *data, size_t n, uint8_t *out)
{
	return crc(data, n, 0x9a6c9329ac4bc9b5, 8, out);
}

static size_t sha1(const char *data, size_t n, uint8_t *out)
{
	sk_sha1(data, n, out);
	return SK_SHA1_SIZE;
}

static size_t sha256(const char *data, size_t n, uint8_t *out)
{
	sk_digest(data, n, out);
	return SIGV4_HASH;
}

static const struct {
	const char *name;
	size_t (*make)(const char *data, size_t n, uint8_t *out);
} checksums[] = {
	{ "x-amz-checksum-crc32", crc32 }, { "x-amz-checksum-crc32c", crc32c }, { "x-amz-checksum-crc64nvme", crc64nvme },
	{ "x-amz-checksum-sha1", sha1 }, { "x-amz-checksum-sha256", sha256 },
};

static int check_checksum(struct chunks *k, const char *name, const char *value)
{
	uint8_t made[SIGV4_HASH];
	unsigned char text[64];

	for (size_t i = 0; i < sizeof(checksums) / sizeof(checksums[0]); i++) {
		if (strcmp(checksums[i].name, name))
			continue;
		EVP_EncodeBlock(text, made, (int)checksums[i].make(k->out, k->size, made));
		k->checksums++;
		return strcmp((char *)text, value) ? sigv4_refuse(k->a, k->no, SIGV4_BAD_BODY, "Value for %s header is invalid.", name) : 0;
	}
	return broken(k, "a trailer that is no checksum");
}

/* -- the trailer -- */

static char *trimmed(struct sk_arena *a, const char *s, size_t n)
{
	while (n && (*s == ' ' || *s == '\t'))
		s++, n--;
	while (n && (s[n - 1] == ' ' || s[n - 1] == '\t'))
		n--;
	return sk_strndup(a, s, n);
}

static int read_trailer_line(struct chunks *k, const char *line, size_t n)
{
	const char *colon = memchr(line, ':', n);
	char *name = colon ? trimmed(k->a, line, (size_t)(colon - line)) : NULL;
	char *value = colon ? trimmed(k->a, colon + 1, n - (size_t)(colon + 1 - line)) : NULL;

	if (!name || !value)
		return broken(k, "a trailer without a colon");
	for (char *c = name; *c; c++)
		*c |= *c >= 'A' && *c <= 'Z' ? 32 : 0;
	if (!strcmp(name, "x-amz-trailer-signature") && k->claim->payload == SIGV4_CHUNKED_TRAILER && k->trailer.n) {
		const char *hash = hex_of(k, k->trailer.at, k->trailer.n);
		k->trailer.n = 0;
		return hash ? check_signature(k, "AWS4-HMAC-SHA256-TRAILER", hash, value, strlen(value)) : broken(k, "memory is out");
	}
	sigv4_puts(&k->trailer, name);
	sigv4_puts(&k->trailer, ":");
	sigv4_puts(&k->trailer, value);
	sigv4_puts(&k->trailer, "\n");
	return check_checksum(k, name, value);
}

/* Checksums, and behind them their signature. What was not covered by one is left in k->trailer. */
static int read_trailer(struct chunks *k)
{
	const char *line;
	size_t n;

	while (k->at < k->end) {
		line = take_line(k, &n);
		if (!line || k->checksums > sizeof(checksums) / sizeof(checksums[0]))
			return broken(k, "its trailer does not end");
		if (n && read_trailer_line(k, line, n))
			return -1;
	}
	if (!k->checksums)
		return broken(k, "a checksum is missing");
	return k->claim->payload == SIGV4_CHUNKED_TRAILER && k->trailer.n ? broken(k, "its trailer is not signed") : 0;
}

static int read_end(struct chunks *k)
{
	size_t n = 1;

	if (k->claim->payload != SIGV4_CHUNKED)
		return read_trailer(k);
	return !take_line(k, &n) || n || k->at != k->end ? broken(k, "something follows its last chunk") : 0;
}

static int check_length(struct chunks *k, const struct sigv4_request *r)
{
	const char *said = sigv4_header(r, "x-amz-decoded-content-length");
	char *end;

	if (!said || *said < '0' || *said > '9')
		return broken(k, "x-amz-decoded-content-length is missing");
	return strtoull(said, &end, 10) != k->size || *end ? broken(k, "its length is not x-amz-decoded-content-length") : 0;
}

int sigv4_read_chunks(struct sk_arena *a, const struct sigv4_request *r, const struct sigv4_claim *claim, struct sigv4_body *body,
                      const uint8_t key[SIGV4_HASH], struct sigv4_refusal *no)
{
	struct chunks k = { .a = a, .claim = claim, .key = key, .at = body->size ? body->data : "", .no = no, .trailer = { .a = a } };
	int more = 1;

	memcpy(k.before, claim->signature, sizeof(k.before));
	k.end = k.at + body->size;
	k.scope = sigv4_scope(a, claim->date, claim->region, claim->service);
	k.out = sk_alloc_text(a, body->size + 1);
	if (!k.out || !k.scope)
		return sigv4_refuse(a, no, SIGV4_NO_MEMORY, "Memory is out");
	while (more > 0)
		more = read_chunk(&k);
	if (more || read_end(&k) || check_length(&k, r))
		return -1;
	k.out[k.size] = 0;
	*body = (struct sigv4_body){ k.out, k.size };
	return 0;
}
