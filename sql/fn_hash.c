/* fn_hash.c -- digests of strings as small hexadecimal digits. MD2 is ours: OpenSSL 3 has none. */
#include <openssl/evp.h>
#include <string.h>

#include "sql/internal.h"

#define HIDDEN __attribute__((unused))

static struct expr_value hex(struct expr_run *r, const unsigned char *bytes, size_t n)
{
	static const char digits[] = "0123456789abcdef";
	char *text = sql_room(r, 2 * n);

	for (size_t i = 0; text && i < n; i++) {
		text[2 * i] = digits[bytes[i] >> 4];
		text[2 * i + 1] = digits[bytes[i] & 15];
	}
	return expr_string(text, 2 * n);
}

static struct expr_value digest(struct expr_run *r, const struct expr_value *args, const EVP_MD *kind)
{
	struct expr_value v = sql_text(r, args);
	unsigned char bytes[EVP_MAX_MD_SIZE];
	unsigned n;

	if (v.kind != EXPR_STRING || !expr_charge(r, v.size / 16))
		return expr_undefined();
	if (!EVP_Digest(v.text, v.size, bytes, &n, kind, NULL))
		return expr_fail_run(r, SK_E_INTERNAL, "the digest cannot be computed");
	return hex(r, bytes, n);
}

#define DIGEST(name) \
	struct expr_value sql_fn_##name(struct expr_run *r, int n HIDDEN, const struct expr_value *args) \
	{ \
		return digest(r, args, EVP_##name()); \
	}
DIGEST(md5)
DIGEST(sha1)
DIGEST(sha224)
DIGEST(sha256)
DIGEST(sha384)
DIGEST(sha512)

struct expr_value sql_fn_md2(struct expr_run *r, int n HIDDEN, const struct expr_value *args)
{
	struct expr_value v = sql_text(r, args);
	unsigned char bytes[16];

	if (v.kind != EXPR_STRING || !expr_charge(r, v.size))
		return expr_undefined();
	sql_md2_of(v.text, v.size, bytes);
	return hex(r, bytes, sizeof bytes);
}
