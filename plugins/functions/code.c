/* code.c -- packages: zip files in pieces under their SHA-256, shared by all versions that have the same one. */
#include <string.h>

#include "core/base64.h"
#include "core/digest.h"
#include "plugins/functions/functions.h"
#include "plugins/functions/zip.h"

enum { PIECE = 256 << 10 }; /* bytes of base64 in a record; a multiple of 4 */

static int refuse_zip(struct sk_call *c)
{
	return sk_fail(c, SK_E_INVALID_PARAMETER, "Could not unzip uploaded file. Please check your file, then try to upload again.");
}

/* -- users -- */

static void put_pieces(struct sk_call *c, const char *sha, const char *base64, size_t size)
{
	int n = 0;
	for (size_t at = 0; at < size; at += PIECE, n++) {
		cJSON *piece = sk_json_object(c->arena);
		sk_json_set(c->arena, piece, "data", sk_json_stringn(c->arena, base64 + at, size - at < PIECE ? size - at : PIECE));
		sk_put(c, piece, "functions/account/piece/%s/%04d", sha, n);
	}
}

static int64_t total_bytes(struct sk_call *c)
{
	return sk_json_int_of(sk_get(c, "functions/account/total"), "bytes", 0);
}

static void add_to_total(struct sk_call *c, int64_t more)
{
	cJSON *total = sk_json_object(c->arena);
	sk_json_set_int(c->arena, total, "bytes", total_bytes(c) + more);
	sk_put(c, total, "functions/account/total");
}

static void put_code(struct sk_call *c, const char *sha, int64_t size, int64_t pieces, int64_t users)
{
	cJSON *record = sk_json_object(c->arena);
	sk_json_set_int(c->arena, record, "size", size);
	sk_json_set_int(c->arena, record, "pieces", pieces);
	sk_json_set_int(c->arena, record, "users", users);
	sk_put(c, record, "functions/account/code/%s", sha);
}

void functions_code_use(struct sk_call *c, const char *sha, int users)
{
	const cJSON *record = sha ? sk_get(c, "functions/account/code/%s", sha) : NULL;
	int64_t left = sk_json_int_of(record, "users", 0) + users, pieces = sk_json_int_of(record, "pieces", 0), size = sk_json_int_of(record, "size", 0);
	if (!record)
		return;
	if (left > 0) {
		put_code(c, sha, size, pieces, left);
		return;
	}
	for (int64_t i = 0; i < pieces; i++)
		sk_remove(c, "functions/account/piece/%s/%04d", sha, (int)i);
	sk_remove(c, "functions/account/code/%s", sha);
	add_to_total(c, -size);
}

/* -- taking -- */

static int check_zip(struct sk_call *c, const void *zip, size_t size)
{
	struct zip_contents contents;
	const char *why;
	if (zip_look(zip, size, &contents, &why))
		return refuse_zip(c);
	if (contents.size > (uint64_t)FUNCTIONS_UNZIPPED_MOST)
		return sk_fail(c, SK_E_INVALID_PARAMETER, "Unzipped size must be smaller than %lld bytes", (long long)FUNCTIONS_UNZIPPED_MOST);
	return SK_OK;
}

static void set_digests(struct sk_call *c, const void *zip, size_t size, struct functions_code *out)
{
	uint8_t digest[SK_DIGEST_SIZE];
	char *hex = sk_alloc_text(c->arena, 2 * sizeof digest + 1);
	if (!hex)
		return;
	sk_digest(zip, size, digest);
	sk_hex(digest, sizeof digest, hex);
	*out = (struct functions_code){ .sha = hex, .sha_base64 = sk_base64_text(c->arena, digest, sizeof digest), .size = (int64_t)size };
}

static int store(struct sk_call *c, const char *base64, const struct functions_code *code)
{
	const struct functions_state *s = c->state;
	size_t n = strlen(base64);
	if (sk_get(c, "functions/account/code/%s", code->sha)) {
		functions_code_use(c, code->sha, 1);
		return SK_OK;
	}
	if (total_bytes(c) + code->size > s->code_total)
		return sk_fail(c, SK_E_CODE_STORAGE, "Code storage limit exceeded.");
	put_pieces(c, code->sha, base64, n);
	put_code(c, code->sha, code->size, (int64_t)((n + PIECE - 1) / PIECE), 1);
	add_to_total(c, code->size);
	return SK_OK;
}

static int take_zip(struct sk_call *c, const char *base64, bool dry, struct functions_code *out)
{
	const struct functions_state *s = c->state;
	size_t n = strlen(base64);
	if (n / 4 * 3 > (size_t)s->code_size + 2)
		return sk_fail(c, SK_E_REQUEST_TOO_LARGE, "The package is larger than the %lld bytes of plugin_opt_code_size", (long long)s->code_size);
	unsigned char *zip = sk_alloc(c->arena, n + 1);
	long size = zip ? sk_base64_decode(base64, n, zip) : -1;
	if (!zip)
		return SK_OK; /* the arena has failed, and so does the call */
	int rc = size <= 0 ? refuse_zip(c) : check_zip(c, zip, (size_t)size);
	if (rc)
		return rc;
	set_digests(c, zip, (size_t)size, out);
	return dry || !out->sha ? SK_OK : store(c, base64, out);
}

int functions_code_take(struct sk_call *c, const cJSON *code, bool dry, struct functions_code *out)
{
	const char *zip = sk_json_text(code, "ZipFile");
	*out = (struct functions_code){ 0 };
	if (sk_json_get(code, "S3Bucket") || sk_json_get(code, "S3Key"))
		return sk_fail(c, SK_E_INVALID_PARAMETER, "There is no S3 here to take a package from: give it as ZipFile.");
	if (!zip || sk_json_get(code, "ImageUri"))
		return sk_fail(c, SK_E_INVALID_PARAMETER, "Please provide a source for function code.");
	return take_zip(c, zip, dry, out);
}
