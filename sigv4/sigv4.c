/* sigv4.c -- does a claim hold, and making one: the two uses of the canonical request. The signature is compared in constant time, and before
 * anything of the body is looked at. */
#include <openssl/crypto.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "core/digest.h"
#include "sigv4/canonical.h"
#include "sigv4/chunks.h"
#include "sigv4/refusal.h"

void sigv4_signing_key(const char *secret, const char *date, const char *region, const char *service, uint8_t key[SIGV4_HASH])
{
	static const char terminator[] = "aws4_request";
	const char *step[] = { region, service, terminator };
	char first[4 + 256];
	int n = snprintf(first, sizeof(first), "AWS4%s", secret);

	sk_hmac(first, n < (int)sizeof(first) ? (size_t)n : sizeof(first) - 1, date, strlen(date), key);
	for (size_t i = 0; i < sizeof(step) / sizeof(step[0]); i++)
		sk_hmac(key, SIGV4_HASH, step[i], strlen(step[i]), key);
	OPENSSL_cleanse(first, sizeof(first));
}

static void stamp(int64_t s, char out[32])
{
	time_t t = (time_t)s;
	struct tm tm;

	gmtime_r(&t, &tm);
	strftime(out, 32, "%Y%m%dT%H%M%SZ", &tm);
}

/* -- judging -- */

static const char *const words[] = {
	[SIGV4_UNSIGNED] = "UNSIGNED-PAYLOAD",
	[SIGV4_CHUNKED] = "STREAMING-AWS4-HMAC-SHA256-PAYLOAD",
	[SIGV4_CHUNKED_TRAILER] = "STREAMING-AWS4-HMAC-SHA256-PAYLOAD-TRAILER",
	[SIGV4_UNSIGNED_TRAILER] = "STREAMING-UNSIGNED-PAYLOAD-TRAILER",
};

enum sigv4_payload sigv4_payload_named(const char *word)
{
	for (int i = SIGV4_UNSIGNED; word && i <= SIGV4_UNSIGNED_TRAILER; i++)
		if (!strcmp(word, words[i]))
			return (enum sigv4_payload)i;
	return SIGV4_HASHED;
}

static int check_time(struct sk_arena *a, const struct sigv4_claim *c, int64_t now_s, struct sigv4_refusal *no)
{
	char now[32], limit[32];

	if (c->when_s >= now_s - c->expires_s && c->when_s <= now_s + SIGV4_SKEW_S)
		return 0;
	stamp(now_s, now);
	if (c->when_s > now_s) {
		stamp(now_s + SIGV4_SKEW_S, limit);
		return sigv4_refuse(a, no, SIGV4_INVALID, "Signature not yet current: %s is still later than %s (%s + 5 min.)", c->when, limit, now);
	}
	stamp(now_s - c->expires_s, limit);
	if (c->presigned)
		return sigv4_refuse(a, no, SIGV4_INVALID, "Signature expired: %s is now earlier than %s (%s - %lld sec.)", c->when, limit, now,
		                    (long long)c->expires_s);
	return sigv4_refuse(a, no, SIGV4_INVALID, "Signature expired: %s is now earlier than %s (%s - 5 min.)", c->when, limit, now);
}

static void sign_text(const uint8_t key[SIGV4_HASH], const char *text, char hex[2 * SIGV4_HASH + 1])
{
	uint8_t hash[SIGV4_HASH];

	sk_hmac(key, SIGV4_HASH, text, strlen(text), hash);
	sk_hex(hash, SIGV4_HASH, hex);
}

/* false: memory is out. */
static bool expected(struct sk_arena *a, const struct sigv4_request *r, const struct sigv4_claim *c, const struct sigv4_body *body,
                     const uint8_t key[SIGV4_HASH], char hex[2 * SIGV4_HASH + 1])
{
	struct sigv4_canonical canonical = { .request = r, .signed_headers = c->signed_headers, .presigned = c->presigned, .payload = words[c->payload] };
	uint8_t hash[SIGV4_HASH];
	const char *text, *scope = sigv4_scope(a, c->date, c->region, c->service);

	if (c->payload == SIGV4_HASHED) {
		sk_digest(body->data, body->size, hash);
		sk_hex(hash, SIGV4_HASH, hex);
		canonical.payload = sk_strdup(a, hex);
	}
	text = a->failed ? NULL : sigv4_canonical_request(a, &canonical);
	text = text ? sigv4_string_to_sign(a, c->when, scope, text) : NULL;
	if (text)
		sign_text(key, text, hex);
	return text != NULL;
}

int sigv4_judge(struct sk_arena *a, const struct sigv4_request *r, const struct sigv4_claim *claim, struct sigv4_body *body,
                const uint8_t key[SIGV4_HASH], int64_t now_ms, struct sigv4_refusal *no)
{
	char hex[2 * SIGV4_HASH + 1];

	if (check_time(a, claim, now_ms / 1000, no))
		return -1;
	if (!expected(a, r, claim, body, key, hex))
		return sigv4_refuse(a, no, SIGV4_NO_MEMORY, "Memory is out");
	if (CRYPTO_memcmp(hex, claim->signature, 2 * SIGV4_HASH))
		return sigv4_refuse(a, no, SIGV4_INVALID, "%s", SIGV4_MISMATCH);
	return claim->payload >= SIGV4_CHUNKED ? sigv4_read_chunks(a, r, claim, body, key, no) : 0;
}

/* -- signing -- */

/* What all signers make of themselves. */
struct signing {
	char when[32], date[9];
	const char *scope;
	uint8_t key[SIGV4_HASH];
};

static void begin(struct sk_arena *a, const struct sigv4_signer *by, struct signing *s)
{
	stamp(by->now_ms / 1000, s->when);
	snprintf(s->date, sizeof(s->date), "%.8s", s->when);
	s->scope = sigv4_scope(a, s->date, by->region, by->service);
	sigv4_signing_key(by->secret, s->date, by->region, by->service, s->key);
}

static const char *payload_for(struct sk_arena *a, const struct sigv4_body *body, const struct sigv4_signer *by)
{
	uint8_t hash[SIGV4_HASH];
	char hex[2 * SIGV4_HASH + 1];

	if (by->unsigned_payload)
		return words[SIGV4_UNSIGNED];
	sk_digest(body ? body->data : "", body ? body->size : 0, hash);
	sk_hex(hash, SIGV4_HASH, hex);
	return sk_strdup(a, hex);
}

/* false: memory is out. */
static bool sign_canonical(struct sk_arena *a, const struct sigv4_canonical *c, const struct signing *s, char hex[2 * SIGV4_HASH + 1])
{
	const char *text = a->failed ? NULL : sigv4_canonical_request(a, c);

	text = text ? sigv4_string_to_sign(a, s->when, s->scope, text) : NULL;
	if (text)
		sign_text(s->key, text, hex);
	return text != NULL;
}

/* r with the headers that signing adds. */
static struct sigv4_request with_headers(struct sk_arena *a, const struct sigv4_request *r, const struct sigv4_field *add, size_t n)
{
	struct sigv4_field *all = sk_alloc(a, (r->headers + n) * sizeof(*all));
	struct sigv4_request out = *r;

	for (size_t i = 0; all && i < r->headers; i++)
		all[i] = r->header[i];
	for (size_t i = 0; all && i < n; i++)
		all[r->headers + i] = add[i];
	out.header = all;
	out.headers = all ? r->headers + n : 0;
	return out;
}

size_t sigv4_sign(struct sk_arena *a, const struct sigv4_request *r, const struct sigv4_body *body, const struct sigv4_signer *by,
                  struct sigv4_field add[3])
{
	struct signing s;
	char hex[2 * SIGV4_HASH + 1];
	size_t n = 0;

	begin(a, by, &s);
	add[n++] = (struct sigv4_field){ "X-Amz-Date", sk_strdup(a, s.when) };
	if (by->token)
		add[n++] = (struct sigv4_field){ "X-Amz-Security-Token", by->token };
	struct sigv4_request all = a->failed ? *r : with_headers(a, r, add, n);
	struct sigv4_canonical c = { .request = &all, .s3 = by->s3, .payload = payload_for(a, body, by), .signed_headers = sigv4_header_names(a, &all) };
	bool signed_ = sign_canonical(a, &c, &s, hex);
	OPENSSL_cleanse(s.key, sizeof(s.key));
	if (!signed_)
		return 0;
	add[n++] = (struct sigv4_field){ "Authorization", sk_printf(a, "AWS4-HMAC-SHA256 Credential=%s/%s, SignedHeaders=%s, Signature=%s", by->key_id,
	                                                            s.scope, c.signed_headers, hex) };
	return a->failed ? 0 : n;
}

static void put_parameter(struct sigv4_text *t, const char *name, const char *value)
{
	sigv4_puts(t, t->n ? "&" : "");
	sigv4_puts(t, name);
	sigv4_puts(t, "=");
	sigv4_encode(t, value, strlen(value), 0);
}

const char *sigv4_presign(struct sk_arena *a, const struct sigv4_request *r, const struct sigv4_body *body, const struct sigv4_signer *by,
                          int64_t seconds)
{
	struct signing s;
	struct sigv4_text t = { .a = a };
	char hex[2 * SIGV4_HASH + 1], expires[24];
	struct sigv4_request query = *r;
	struct sigv4_canonical c = { .request = &query, .s3 = by->s3, .presigned = true, .payload = payload_for(a, body, by),
		.signed_headers = sigv4_header_names(a, r) };

	begin(a, by, &s);
	if (a->failed)
		return NULL;
	snprintf(expires, sizeof(expires), "%lld", (long long)seconds);
	sigv4_puts(&t, r->query);
	put_parameter(&t, "X-Amz-Algorithm", "AWS4-HMAC-SHA256");
	put_parameter(&t, "X-Amz-Credential", sk_printf(a, "%s/%s", by->key_id, s.scope));
	put_parameter(&t, "X-Amz-Date", s.when);
	put_parameter(&t, "X-Amz-SignedHeaders", c.signed_headers);
	put_parameter(&t, "X-Amz-Expires", expires);
	if (by->token)
		put_parameter(&t, "X-Amz-Security-Token", by->token);
	query.query = sigv4_text_end(&t);
	bool signed_ = sign_canonical(a, &c, &s, hex);
	OPENSSL_cleanse(s.key, sizeof(s.key));
	if (!signed_)
		return NULL;
	t.n--; /* go on where the text ended */
	put_parameter(&t, SIGV4_SIGNATURE, hex);
	return sigv4_text_end(&t);
}
