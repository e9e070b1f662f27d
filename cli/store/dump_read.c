/* dump_read.c -- lines of a dump as records. Nothing is believed: each line has exactly the members it should have, in their ranges,
 * records ascend, and only the footer with the right count and checksum makes the dump whole. */
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "cli/store/dump.h"
#include "core/json.h"

enum { KEEP = 1 << 16 };

static enum dump_line wrong(struct dump_reader *r, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
static enum dump_line wrong(struct dump_reader *r, const char *fmt, ...)
{
	int n = snprintf(r->why, sizeof r->why, "line %" PRIu64 ": ", r->lines);
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(r->why + n, sizeof r->why - (size_t)n, fmt, ap);
	va_end(ap);
	return DUMP_WRONG;
}

/* An integer member from `least` on; -1 when it is something else. */
static int64_t number(const cJSON *line, const char *name, int64_t least)
{
	const cJSON *node = sk_json_get(line, name);
	int64_t v;

	return cJSON_IsNumber(node) && sk_json_to_int(node, &v) && v >= least ? v : -1;
}

static enum dump_line read_header(struct dump_reader *r, const cJSON *line)
{
	const char *format = sk_json_text(line, "format");
	int64_t version = number(line, "version", 1), schema = number(line, "schema", 0), sequence = number(line, "sequence", 0);

	if (!format || strcmp(format, "skeeter-dump"))
		return wrong(r, "this is not a dump of skeeter-store");
	if (version != DUMP_VERSION)
		return wrong(r, "the dump's format is version %" PRId64 ", this build knows %d", version, DUMP_VERSION);
	if (schema != SK_STORE_SCHEMA)
		return wrong(r, "the dump is of a store of version %" PRId64 ", this build knows %d", schema, SK_STORE_SCHEMA);
	if (sequence < 0 || sk_json_count(line) != 4)
		return wrong(r, "the header is not format, version, schema and sequence");
	r->sequence = (uint64_t)sequence;
	r->begun = true;
	return DUMP_HEADER;
}

/* Strict base64. NULL: it is not, or memory is out. */
static const char *decode(struct sk_arena *a, const char *text, size_t *size)
{
	size_t n = strlen(text), pad = n && text[n - 1] == '=' ? 1 + (n > 1 && text[n - 2] == '=') : 0;
	char *out;

	if (n % 4 || strspn(text, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/") != n - pad || n > INT32_MAX)
		return NULL;
	out = sk_alloc_text(a, n / 4 * 3 + 1);
	if (!out || EVP_DecodeBlock((unsigned char *)out, (const unsigned char *)text, (int)n) < 0)
		return NULL;
	*size = n / 4 * 3 - pad;
	return out;
}

static bool read_key(struct dump_reader *r, const cJSON *line)
{
	const char *key = sk_json_text(line, "key"), *bytes = sk_json_text(line, "keyBytes");
	struct sk_slice *out = &r->record.key;

	if (!key == !bytes)
		return false;
	*out = (struct sk_slice){ key, key ? strlen(key) : 0 };
	if (bytes)
		out->data = decode(&r->arena, bytes, &out->size);
	return out->data && out->size && out->size <= SK_KEY_MAX && !memchr(out->data, 0, out->size);
}

static bool read_document(struct dump_reader *r, const cJSON *line)
{
	const cJSON *document = sk_json_get(line, "document");
	const char *bytes = sk_json_text(line, "bytes");
	struct sk_slice *out = &r->record.data;

	if (!document == !bytes)
		return false;
	out->data = document ? sk_json_print(&r->arena, document, &out->size) : decode(&r->arena, bytes, &out->size);
	return out->data != NULL;
}

static int read_space(const cJSON *line)
{
	const char *text = sk_json_text(line, "space");

	for (int i = 0; text && i < SK_SPACES; i++)
		if (!strcmp(text, view_space[i]))
			return i;
	return -1;
}

/* Ascending, so that a line twice or out of place is noticed. */
static bool in_order(struct dump_reader *r)
{
	bool after = !r->records || r->record.space > r->space ||
		(r->record.space == r->space && sk_key_compare(r->record.key, (struct sk_slice){ r->key, r->key_size }) > 0);

	r->space = r->record.space;
	r->key_size = r->record.key.size;
	memcpy(r->key, r->record.key.data, r->key_size);
	return after;
}

static enum dump_line read_record(struct dump_reader *r, const cJSON *line)
{
	int64_t version = number(line, "version", 1);
	int space = read_space(line);

	r->record = (struct view_record){ .version = (uint64_t)version };
	if (space < 0)
		return wrong(r, "space must be record, effect or timer");
	r->record.space = (enum sk_space)space;
	if (!read_key(r, line))
		return wrong(r, "key must be 1 to %d bytes without NUL, or keyBytes the same in base64", SK_KEY_MAX);
	if (version < 0 || (uint64_t)version > r->sequence)
		return wrong(r, "version must be from 1 to the header's sequence, %" PRIu64, r->sequence);
	if (!read_document(r, line))
		return wrong(r, r->arena.failed ? "memory is out" : "there must be a document, or its bytes in base64");
	if (sk_json_count(line) != 4)
		return wrong(r, "a record is space, key, version and document");
	if (!in_order(r))
		return wrong(r, "the key does not come after the one before it");
	r->records++;
	return DUMP_RECORD;
}

static bool same_sum(struct dump_reader *r, const char *text)
{
	unsigned char sum[EVP_MAX_MD_SIZE];
	char expected[2 * EVP_MAX_MD_SIZE + 1] = "";
	unsigned int size;

	if (!EVP_DigestFinal_ex(r->digest, sum, &size))
		return false;
	for (unsigned int i = 0; i < size; i++)
		snprintf(expected + 2 * i, 3, "%02x", sum[i]);
	return !strcmp(text, expected);
}

static enum dump_line read_footer(struct dump_reader *r, const cJSON *line)
{
	int64_t records = number(line, "records", 0);
	const char *sum = sk_json_text(line, "sha256");

	if (records < 0 || !sum || sk_json_count(line) != 2)
		return wrong(r, "the footer is not records and sha256");
	if ((uint64_t)records != r->records)
		return wrong(r, "the footer counts %" PRId64 " records, there are %" PRIu64, records, r->records);
	if (!same_sum(r, sum))
		return wrong(r, "the checksum is another one: the dump was changed or damaged");
	r->whole = true;
	return DUMP_FOOTER;
}

static int digest(struct dump_reader *r, const char *line, size_t n)
{
	if (!r->digest) {
		r->digest = EVP_MD_CTX_new();
		if (!r->digest || !EVP_DigestInit_ex(r->digest, EVP_sha256(), NULL))
			return -1;
	}
	return EVP_DigestUpdate(r->digest, line, n) ? 0 : -1;
}

enum dump_line dump_read(struct dump_reader *r, const char *line, size_t n)
{
	/* a document may be as deep as a record may, one level below its line */
	static const struct sk_json_options strict = { .max_depth = SK_JSON_MAX_DEPTH + 1, .unique_keys = true };
	struct sk_json_error e = { 0 };
	const cJSON *tree;

	if (r->why[0])
		return DUMP_WRONG;
	r->lines++;
	if (r->whole)
		return wrong(r, "there is something behind the footer");
	if (!n || line[n - 1] != '\n')
		return wrong(r, "the line is cut short: the dump is not whole");
	sk_arena_reset(&r->arena, KEEP);
	tree = sk_json_parse(&r->arena, line, n - 1, &strict, &e);
	if (!tree)
		return e.why ? wrong(r, "%s at byte %zu", e.why, e.at) : wrong(r, "memory is out");
	if (r->begun && sk_json_get(tree, "sha256"))
		return read_footer(r, tree);
	if (digest(r, line, n))
		return wrong(r, "memory is out");
	return r->begun ? read_record(r, tree) : read_header(r, tree);
}

int dump_read_end(struct dump_reader *r)
{
	if (r->why[0])
		return -1;
	if (r->whole)
		return 0;
	if (r->lines)
		snprintf(r->why, sizeof r->why, "it ends after line %" PRIu64 " without its footer: the dump is not whole", r->lines);
	else
		snprintf(r->why, sizeof r->why, "it is empty");
	return -1;
}

void dump_reader_free(struct dump_reader *r)
{
	EVP_MD_CTX_free(r->digest);
	r->digest = NULL;
	sk_arena_free(&r->arena);
}
