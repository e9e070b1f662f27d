/* code_read.c -- see code_read.h. */
#include "plugins/functions/code_read.h"

#include <string.h>

#include "core/base64.h"
#include "core/json.h"
#include "core/runtime.h"
#include "plugins/functions/zip.h"

enum { FILE_MOST = 1 << 20, PIECE_MOST = 512 << 10 };

static const cJSON *record(struct sk_arena *a, const char *key, const char **why)
{
	struct sk_store *store = sk_process()->store;
	struct sk_store_read read = { .space = SK_RECORD, .key = key };
	const cJSON *document = NULL;
	if (!key || store->ops->read(store, &read, 1)) {
		*why = key ? "the store does not answer" : "memory is out";
		return NULL;
	}
	if (read.bytes)
		document = sk_json_parse(a, read.bytes->data, read.bytes->size, NULL, NULL);
	*why = read.bytes ? "memory is out" : "the function's code is not there any more";
	sk_bytes_unref(read.bytes);
	return document;
}

const void *code_read(struct sk_arena *a, const char *sha256, size_t *size, const char **why)
{
	const cJSON *code = record(a, sk_printf(a, "functions/account/code/%s", sha256), why);
	size_t most = (size_t)sk_json_int_of(code, "size", 0), used = 0;
	unsigned char *zip = code ? sk_alloc(a, most + PIECE_MOST) : NULL;
	for (int i = 0; zip && used < most; i++) {
		const cJSON *piece = record(a, sk_printf(a, "functions/account/piece/%s/%04d", sha256, i), why);
		const char *data = sk_json_text(piece, "data");
		size_t n = data ? strlen(data) : 0;
		if (!data || n > PIECE_MOST || n / 4 * 3 > most + 2 - used)
			return NULL;
		long decoded = sk_base64_decode(data, n, zip + used);
		if (decoded <= 0)
			return NULL;
		used += (size_t)decoded;
	}
	*size = used;
	return zip;
}

const char *code_read_file(struct sk_arena *a, const char *sha256, const char *name, size_t *size, const char **why)
{
	size_t n;
	const void *zip = sha256 ? code_read(a, sha256, &n, why) : NULL;
	const char *text = zip ? zip_read(a, zip, n, name, FILE_MOST, size, why) : NULL;
	if (zip && !text && !*why)
		*why = sk_printf(a, "Cannot find module '%s' in the package", name);
	return text;
}
