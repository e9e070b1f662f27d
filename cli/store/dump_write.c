/* dump_write.c -- records as lines of a dump. Invariant: what dump_read.c makes of a line is the record bit for bit. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "cli/store/dump.h"
#include "core/json.h"

enum { KEEP = 1 << 16 };

static int put_line(struct dump_writer *w, const cJSON *line, bool digested)
{
	size_t n;
	char *text = sk_json_print(&w->arena, line, &n);

	if (!text || w->arena.failed)
		return -1;
	text[n] = '\n'; /* in place of the NUL */
	if (digested && !EVP_DigestUpdate(w->digest, text, n + 1))
		return -1;
	return w->put(w->ctx, text, n + 1);
}

int dump_begin(struct dump_writer *w, uint64_t sequence)
{
	cJSON *line;

	sk_arena_init(&w->arena, 0);
	w->records = 0;
	w->digest = EVP_MD_CTX_new();
	if (!w->digest || !EVP_DigestInit_ex(w->digest, EVP_sha256(), NULL))
		return -1;
	line = sk_json_object(&w->arena);
	sk_json_set_string(&w->arena, line, "format", "skeeter-dump");
	sk_json_set_int(&w->arena, line, "version", DUMP_VERSION);
	sk_json_set_int(&w->arena, line, "schema", SK_STORE_SCHEMA);
	sk_json_set_int(&w->arena, line, "sequence", (int64_t)sequence);
	return put_line(w, line, true);
}

static void set_base64(struct sk_arena *a, cJSON *line, const char *name, struct sk_slice data)
{
	char *text = sk_alloc_text(a, (data.size + 2) / 3 * 4 + 1);

	if (!text)
		return;
	EVP_EncodeBlock((unsigned char *)text, (const unsigned char *)data.data, (int)data.size);
	sk_json_set_string(a, line, name, text);
}

static void set_key(struct sk_arena *a, cJSON *line, struct sk_slice key)
{
	if (sk_utf8_valid(key.data, key.size) && !memchr(key.data, 0, key.size))
		sk_json_set(a, line, "key", sk_json_stringn(a, key.data, key.size));
	else
		set_base64(a, line, "keyBytes", key);
}

static void set_document(struct sk_arena *a, cJSON *line, struct sk_slice data)
{
	cJSON *document = sk_json_parse(a, data.data, data.size, NULL, NULL);
	size_t n = 0;
	const char *again = document ? sk_json_print(a, document, &n) : NULL;

	if (again && n == data.size && !memcmp(again, data.data, n))
		sk_json_set(a, line, "document", document);
	else if (!a->failed)
		set_base64(a, line, "bytes", data);
}

int dump_record(struct dump_writer *w, const struct view_record *r)
{
	cJSON *line;

	sk_arena_reset(&w->arena, KEEP);
	line = sk_json_object(&w->arena);
	sk_json_set_string(&w->arena, line, "space", view_space[r->space]);
	set_key(&w->arena, line, r->key);
	sk_json_set_int(&w->arena, line, "version", (int64_t)r->version);
	set_document(&w->arena, line, r->data);
	w->records++;
	return put_line(w, line, true);
}

int dump_footer(struct dump_writer *w)
{
	unsigned char sum[EVP_MAX_MD_SIZE];
	char text[2 * EVP_MAX_MD_SIZE + 1] = "";
	unsigned int size;
	cJSON *line;

	if (!EVP_DigestFinal_ex(w->digest, sum, &size))
		return -1;
	for (unsigned int i = 0; i < size; i++)
		snprintf(text + 2 * i, 3, "%02x", sum[i]);
	sk_arena_reset(&w->arena, KEEP);
	line = sk_json_object(&w->arena);
	sk_json_set_int(&w->arena, line, "records", (int64_t)w->records);
	sk_json_set_string(&w->arena, line, "sha256", text);
	return put_line(w, line, false);
}

void dump_end(struct dump_writer *w)
{
	EVP_MD_CTX_free(w->digest);
	w->digest = NULL;
	sk_arena_free(&w->arena);
}
