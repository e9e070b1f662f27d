/* sigv4_fuzz.c -- Signature Version 4 against a naive canonicaliser, and against itself: what it signs it believes, what differs it does not.
 *
 * Input: "METHOD path?query" and lines "name:value", an empty line, the body. The naive side writes whole strings again and again and sorts by
 * looking for the smallest; it shares no code with the engine but the hash. */
#include <ctype.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "core/digest.h"
#include "sigv4/canonical.h"

#define SECRET "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY"
#define NOW_S 1440938160
enum { MOST = 24, TEXT = 1 << 15, LONGEST_INPUT = 4000 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct sigv4_field field[MOST + 4];

static void expect(bool ok)
{
	if (!ok)
		abort();
}

/* -- the naive side -- */

static void append(char *to, const char *text)
{
	expect(strlen(to) + strlen(text) < TEXT);
	strcat(to, text);
}

static void append_byte_encoded(char *to, unsigned char c)
{
	char text[4];

	if (isascii(c) && (isalnum(c) || strchr("-._~", c)) && c)
		snprintf(text, sizeof(text), "%c", c);
	else
		snprintf(text, sizeof(text), "%%%02X", c);
	append(to, text);
}

static int naive_digit(char c)
{
	const char *digits = "0123456789abcdef", *at = c ? strchr(digits, tolower((unsigned char)c)) : NULL;

	return at ? (int)(at - digits) : -1;
}

/* Decodes, then encodes. */
static char *naive_recode(const char *s, size_t n)
{
	char *out = calloc(1, 3 * n + 1);

	for (size_t i = 0; i < n; i++) {
		if (s[i] == '%' && i + 2 < n && naive_digit(s[i + 1]) >= 0 && naive_digit(s[i + 2]) >= 0) {
			append_byte_encoded(out, (unsigned char)(16 * naive_digit(s[i + 1]) + naive_digit(s[i + 2])));
			i += 2;
		} else {
			append_byte_encoded(out, (unsigned char)s[i]);
		}
	}
	return out;
}

/* Once more and once more, until nothing is left to take away. */
static void naive_path(char *out, const char *path)
{
	char *text = calloc(1, strlen(path) + 3), *at;
	bool ends = *path && path[strlen(path) - 1] == '/';

	sprintf(text, "/%s/", path);
	while ((at = strstr(text, "//")) || (at = strstr(text, "/./")))
		memmove(at, at + (at[1] == '/' ? 1 : 2), strlen(at + (at[1] == '/' ? 1 : 2)) + 1);
	while ((at = strstr(text, "/../"))) {
		char *from = at;
		while (from > text && from[-1] != '/')
			from--;
		from = from > text ? from - 1 : text;
		memmove(from, at + 3, strlen(at + 3) + 1);
	}
	if (!ends && strlen(text) > 1)
		text[strlen(text) - 1] = 0;
	for (at = text; *at; at++)
		*at == '/' ? append(out, "/") : append_byte_encoded(out, (unsigned char)*at);
	free(text);
}

static void naive_query(char *out, const char *query)
{
	char *name[LONGEST_INPUT], *value[LONGEST_INPUT];
	size_t count = 0, left;

	for (const char *at = query; *at;) {
		size_t n = strcspn(at, "&"), k = strcspn(at, "=");
		if (n) {
			k = k < n ? k : n;
			name[count] = naive_recode(at, k);
			value[count++] = naive_recode(at + k + (k < n), n - k - (k < n));
		}
		at += n + (at[n] == '&');
	}
	for (left = count; left; left--) {
		size_t least = count;
		for (size_t i = 0; i < count; i++) {
			int order = !name[i] ? 1 : least == count ? -1 : strcmp(name[i], name[least]);
			if (order < 0 || (!order && strcmp(value[i], value[least]) < 0))
				least = i;
		}
		append(out, left < count ? "&" : "");
		append(out, name[least]);
		append(out, "=");
		append(out, value[least]);
		free(name[least]);
		free(value[least]);
		name[least] = NULL;
	}
}

static void append_value(char *out, const char *value)
{
	char *copy = strdup(value), *rest = copy;
	const char *between = "";

	for (char *word; (word = strtok_r(rest, " \t\n\v\f\r", &rest)); between = " ") {
		append(out, between);
		append(out, word);
	}
	free(copy);
}

static void lower(char *out, const char *name)
{
	size_t i = 0;

	for (; name[i]; i++)
		out[i] = name[i] >= 'A' && name[i] <= 'Z' ? (char)(name[i] + 32) : name[i];
	out[i] = 0;
}

static void naive_headers(char *out, char *names, const struct sigv4_request *r)
{
	char least[LONGEST_INPUT + 1], before[LONGEST_INPUT + 1] = "", one[LONGEST_INPUT + 1];

	for (bool first = true;; first = false) {
		bool found = false;
		for (size_t i = 0; i < r->headers; i++) {
			lower(one, r->header[i].name);
			if ((!first && strcmp(one, before) <= 0) || (found && strcmp(one, least) >= 0))
				continue;
			strcpy(least, one);
			found = true;
		}
		if (!found)
			break;
		append(names, first ? "" : ";");
		append(names, least);
		append(out, least);
		append(out, ":");
		bool again = false;
		for (size_t i = 0; i < r->headers; i++) {
			lower(one, r->header[i].name);
			if (strcmp(one, least))
				continue;
			append(out, again ? "," : "");
			append_value(out, r->header[i].value);
			again = true;
		}
		append(out, "\n");
		strcpy(before, least);
	}
}

static char *naive_canonical(const struct sigv4_request *r)
{
	char *out = calloc(1, TEXT), *names = calloc(1, TEXT);

	append(out, r->method);
	append(out, "\n");
	naive_path(out, r->path);
	append(out, "\n");
	naive_query(out, r->query);
	append(out, "\n");
	naive_headers(out, names, r);
	append(out, "\n");
	append(out, names);
	append(out, "\nhash");
	free(names);
	return out;
}

/* -- the input -- */

/* A header's name is a token, as a server has seen to. */
static bool is_token(const char *s)
{
	for (const char *c = s; *c; c++)
		if (!isascii((unsigned char)*c) || (!isalnum((unsigned char)*c) && !strchr("!#$%&'*+-.^_`|~", *c)))
			return false;
	return *s;
}

static bool read_request(char *text, struct sigv4_request *r, struct sigv4_body *body)
{
	char *line = strsep(&text, "\n"), *query;

	*r = (struct sigv4_request){ .method = strsep(&line, " "), .header = field, .query = "" };
	r->path = line ? strsep(&line, "?") : "/";
	query = line;
	if (query)
		r->query = query;
	while (text && (line = strsep(&text, "\n")) && *line) {
		char *name = strsep(&line, ":");
		if (!line || !is_token(name) || r->headers == MOST)
			return false;
		field[r->headers++] = (struct sigv4_field){ name, line };
	}
	*body = (struct sigv4_body){ text ? text : "", text ? strlen(text) : 0 };
	return true;
}

/* -- what must hold -- */

static void same_as_naive(struct sk_arena *a, const struct sigv4_request *r)
{
	struct sigv4_canonical c = { .request = r, .payload = "hash", .signed_headers = sigv4_header_names(a, r) };
	char *naive = naive_canonical(r);

	expect(!strcmp(sigv4_canonical_request(a, &c), naive));
	free(naive);
}

static int judged(struct sk_arena *a, const struct sigv4_request *r, struct sigv4_body body)
{
	struct sigv4_claim claim;
	struct sigv4_refusal no = { 0 };
	uint8_t key[SIGV4_HASH];
	int rc = sigv4_read(a, r, &claim, &no);

	if (!rc) {
		sigv4_signing_key(SECRET, claim.date, claim.region, claim.service, key);
		rc = sigv4_judge(a, r, &claim, &body, key, NOW_S * 1000LL, &no);
	}
	expect(rc == 0 || (rc == -1 && no.http >= 400 && no.name && no.message));
	return rc;
}

/* It is believed as it is signed, and not with another method, body, path, query or header. */
static void signed_and_believed(struct sk_arena *a, struct sigv4_request r, const struct sigv4_body *body)
{
	struct sigv4_signer by = { .key_id = "AKIDEXAMPLE", .secret = SECRET, .region = "us-east-1", .service = "iot", .now_ms = NOW_S * 1000LL };
	struct sigv4_body other = { "other", 5 };
	struct sigv4_field add[3];

	if (sigv4_is_signed(&r) || !sigv4_header(&r, "host") || sigv4_header(&r, "x-amz-date") || sigv4_header(&r, "x-amz-content-sha256") ||
	    sigv4_header(&r, "x-amz-security-token"))
		return;
	size_t n = sigv4_sign(a, &r, body, &by, add);
	expect(n == 2);
	field[r.headers++] = add[0];
	field[r.headers++] = add[1];
	expect(!judged(a, &r, *body));
	if (body->size != 5 || memcmp(body->data, "other", 5))
		expect(judged(a, &r, other));
	r.method = sk_printf(a, "%sX", r.method);
	expect(judged(a, &r, *body));
}

static void presigned_and_believed(struct sk_arena *a, struct sigv4_request r, const struct sigv4_body *body)
{
	struct sigv4_signer by = { .key_id = "AKIDEXAMPLE", .secret = SECRET, .region = "us-east-1", .service = "iot", .now_ms = NOW_S * 1000LL };

	if (sigv4_is_signed(&r) || !sigv4_header(&r, "host") || sigv4_header(&r, "x-amz-content-sha256") || strstr(r.query, "X-Amz-"))
		return;
	r.query = sigv4_presign(a, &r, body, &by, 60);
	expect(!judged(a, &r, *body));
	r.query = sk_printf(a, "%s&more=1", r.query);
	expect(judged(a, &r, *body));
}

/* A chunked body, whatever its chunks: the request's own signature is right. */
static void chunks_are_read(struct sk_arena *a, const struct sigv4_body *body)
{
	static const char *const words[] = { "STREAMING-AWS4-HMAC-SHA256-PAYLOAD", "STREAMING-UNSIGNED-PAYLOAD-TRAILER" };
	struct sigv4_refusal no;

	for (int i = 0; i < 2; i++) {
		struct sigv4_field sent[] = { { "Host", "h" }, { "x-amz-content-sha256", words[i] }, { "x-amz-decoded-content-length", "5" } };
		struct sigv4_request r = { "POST", "/", "", sent, 3 };
		struct sigv4_claim claim = { .date = "20150830", .region = "r", .service = "s", .when = "20150830T123600Z", .when_s = NOW_S, .expires_s = 300,
			.signed_headers = "host;x-amz-content-sha256;x-amz-decoded-content-length", .payload = sigv4_payload_named(words[i]) };
		struct sigv4_canonical c = { .request = &r, .signed_headers = claim.signed_headers, .payload = words[i] };
		struct sigv4_body copy = *body;
		uint8_t key[SIGV4_HASH], hash[SIGV4_HASH];
		const char *sts = sigv4_string_to_sign(a, claim.when, "20150830/r/s/aws4_request", sigv4_canonical_request(a, &c));
		sigv4_signing_key(SECRET, claim.date, claim.region, claim.service, key);
		sk_hmac(key, SIGV4_HASH, sts, strlen(sts), hash);
		sk_hex(hash, SIGV4_HASH, claim.signature);
		if (!sigv4_judge(a, &r, &claim, &copy, key, NOW_S * 1000LL, &no))
			expect(copy.size == 5);
		else
			expect(strcmp(no.message, "Memory is out"));
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct sk_arena a;
	struct sigv4_request r;
	struct sigv4_body body;
	char *text;

	if (size > LONGEST_INPUT)
		return 0;
	sk_arena_init(&a, 0);
	text = sk_strndup(&a, (const char *)data, size);
	if (read_request(text, &r, &body)) {
		same_as_naive(&a, &r);
		judged(&a, &r, body);
		chunks_are_read(&a, &body);
		signed_and_believed(&a, r, &body);
		presigned_and_believed(&a, r, &body);
	}
	sk_arena_free(&a);
	return 0;
}
