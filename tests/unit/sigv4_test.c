/* sigv4_test.c -- Signature Version 4 against AWS's own vectors (tests/data/sigv4), AWS's documented chunked upload, and every refusal. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
/* cmocka needs those first */
#include <cmocka.h>
#include <glob.h>

#include "core/digest.h"
#include "sigv4/canonical.h"

#define SECRET "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY"
#define NOW_S 1440938160 /* 2015-08-30T12:36:00Z */
enum { FIELDS = 16 };

static struct sk_arena arena;

static int fresh(void **at)
{
	(void)at;
	sk_arena_init(&arena, 0);
	return 0;
}

static int clean(void **at)
{
	(void)at;
	sk_arena_free(&arena);
	return 0;
}

/* -- vectors -- */

struct vector {
	char *text;
	const char *name;
	struct sigv4_field field[FIELDS + 3];
	struct sigv4_request request;
	struct sigv4_body body;
};

static char *read_file(const char *path)
{
	FILE *f = fopen(path, "r");
	char *text = calloc(1, 65536);

	assert_non_null(f);
	assert_true(fread(text, 1, 65535, f) > 0);
	fclose(f);
	return text;
}

/* The text behind "=== name"; NULL: there is none. */
static char *section(const struct vector *v, const char *name)
{
	char *mark = sk_printf(&arena, "=== %s\n", name), *at = strstr(v->text, mark), *end;

	if (!at)
		return NULL;
	at += strlen(mark);
	end = strstr(at, "\n=== ");
	return sk_strndup(&arena, at, (size_t)(end - at));
}

/* "POST /a b?c HTTP/1.1" and headers, of which a line that begins with a blank goes on. */
static void parse(struct vector *v, char *text)
{
	char *line = text, *end = strstr(text, " HTTP/1.1"), *query;

	v->request = (struct sigv4_request){ .method = line, .header = v->field, .query = "" };
	v->body = (struct sigv4_body){ "", 0 };
	*end = 0;
	line = strchr(line, ' ');
	*line++ = 0;
	v->request.path = line;
	if ((query = strchr(line, '?'))) {
		*query++ = 0;
		v->request.query = query;
	}
	for (line = strchr(end + 1, '\n'); line && line[1] && line[1] != '\n';) {
		char *next = line + 1, *colon = strchr(next, ':');
		while ((next = strchr(next, '\n')) && next[1] == ' ')
			next++;
		*colon = 0;
		assert_true(v->request.headers < FIELDS);
		v->field[v->request.headers++] = (struct sigv4_field){ line + 1, colon + 1 };
		if (next)
			*next = 0;
		line = next;
	}
	if (line && line[1] == '\n')
		v->body = (struct sigv4_body){ line + 2, strlen(line + 2) };
}

static bool has(const struct vector *v, const char *word)
{
	return strstr(section(v, "context"), word) != NULL;
}

static void check_text(const struct vector *v, const char *what, const char *made)
{
	const char *wanted = section(v, what);

	if (!made || strcmp(made, wanted))
		fail_msg("%s: %s\nwanted:\n%s\nmade:\n%s", v->name, what, wanted, made ? made : "nothing");
}

static void check_canonical(struct vector *v, const char *kind, const struct sigv4_request *r, const char *names, bool presigned)
{
	uint8_t hash[SIGV4_HASH];
	char hex[2 * SIGV4_HASH + 1];
	struct sigv4_canonical c = { .request = r, .signed_headers = names, .payload = hex, .presigned = presigned, .s3 = has(v, "unnormalized") };
	const char *text;

	sk_digest(v->body.data, v->body.size, hash);
	sk_hex(hash, SIGV4_HASH, hex);
	text = sigv4_canonical_request(&arena, &c);
	check_text(v, sk_printf(&arena, "%s-canonical-request", kind), text);
	text = sigv4_string_to_sign(&arena, "20150830T123600Z", sigv4_scope(&arena, "20150830", "us-east-1", "service"), text);
	check_text(v, sk_printf(&arena, "%s-string-to-sign", kind), text);
}

static struct sigv4_signer signer_of(const struct vector *v)
{
	return (struct sigv4_signer){ .key_id = "AKIDEXAMPLE", .secret = SECRET, .region = "us-east-1", .service = "service", .now_ms = NOW_S * 1000LL,
		.token = has(v, "omit_session_token=True") ? NULL : section(v, "token"), .s3 = has(v, "unnormalized") };
}

static void sign_header(struct vector *v)
{
	struct sigv4_signer by = signer_of(v);
	struct sigv4_field add[3];
	uint8_t hash[SIGV4_HASH];
	char hex[2 * SIGV4_HASH + 1];
	size_t n;

	parse(v, section(v, "request"));
	sk_digest(v->body.data, v->body.size, hash);
	sk_hex(hash, SIGV4_HASH, hex);
	if (has(v, "sign-body"))
		v->field[v->request.headers++] = (struct sigv4_field){ "x-amz-content-sha256", hex };
	n = sigv4_sign(&arena, &v->request, &v->body, &by, add);
	assert_int_equal(n, by.token ? 3 : 2);
	if (!strstr(section(v, "header-signed-request"), add[n - 1].value))
		fail_msg("%s: made %s, wanted %s", v->name, add[n - 1].value, section(v, "header-signature"));
	for (size_t i = 0; i < n - 1; i++)
		v->field[v->request.headers++] = add[i];
	check_canonical(v, "header", &v->request, sigv4_header_names(&arena, &v->request), false);
}

static void sign_query(struct vector *v)
{
	struct sigv4_signer by = signer_of(v);
	const char *query;

	parse(v, section(v, "request"));
	query = sigv4_presign(&arena, &v->request, &v->body, &by, 3600);
	assert_non_null(query);
	if (!strstr(query, section(v, "query-signature")))
		fail_msg("%s: made %s, wanted %s", v->name, query, section(v, "query-signature"));
	if (!by.token && !section(v, "token"))
		assert_non_null(strstr(section(v, "query-signed-request"), query));
	v->request.query = query;
	check_canonical(v, "query", &v->request, sigv4_header_names(&arena, &v->request), true);
}

static int judge(struct vector *v, int64_t now_s, struct sigv4_refusal *no)
{
	struct sigv4_claim claim;
	uint8_t key[SIGV4_HASH];

	if (sigv4_read(&arena, &v->request, &claim, no))
		return -1;
	sigv4_signing_key(SECRET, claim.date, claim.region, claim.service, key);
	return sigv4_judge(&arena, &v->request, &claim, &v->body, key, now_s * 1000, no);
}

static void expect_refused(struct vector *v, int64_t now_s, const char *sentence)
{
	struct sigv4_refusal no = { 0 };

	assert_int_equal(judge(v, now_s, &no), -1);
	if (!strstr(no.message, sentence))
		fail_msg("%s: %s, not: %s", v->name, no.message, sentence);
	assert_string_equal(no.name, "InvalidSignatureException");
	assert_int_equal(no.http, 403);
}

/* Some of the requests are believed as they are sent, and none with another body, method, path or too late. */
static void believe(struct vector *v, const char *what, int64_t good_for)
{
	struct sigv4_refusal no = { 0 };
	const char *was;

	parse(v, section(v, what));
	if (judge(v, NOW_S, &no))
		fail_msg("%s: %s: %s %s", v->name, what, no.name, no.message);
	assert_int_equal(judge(v, NOW_S + good_for, &no), 0);
	assert_int_equal(judge(v, NOW_S - 300, &no), 0);
	expect_refused(v, NOW_S + good_for + 1, "Signature expired: 20150830T123600Z is now earlier than 20150830T123601Z (");
	expect_refused(v, NOW_S - 301, "Signature not yet current: 20150830T123600Z is still later than 20150830T123559Z (20150830T123059Z + 5 min.)");
	v->body = (struct sigv4_body){ "forged", 6 };
	expect_refused(v, NOW_S, "does not match the signature you provided");
	parse(v, section(v, what));
	was = v->request.path;
	v->request.path = "/forged";
	expect_refused(v, NOW_S, "does not match the signature you provided");
	v->request.path = was;
	v->request.method = "PUT";
	expect_refused(v, NOW_S, "does not match the signature you provided");
}

static size_t vectors(void (*fn)(struct vector *v))
{
	glob_t found;
	size_t n;

	assert_int_equal(glob("tests/data/sigv4/*.t", 0, NULL, &found), 0);
	n = found.gl_pathc;
	for (size_t i = 0; i < n; i++) {
		struct vector v = { .name = found.gl_pathv[i], .text = read_file(found.gl_pathv[i]) };
		fn(&v);
		free(v.text);
		sk_arena_reset(&arena, 0);
	}
	globfree(&found);
	return n;
}

static void aws_vectors_signed_in_a_header_come_out_the_same(void **at)
{
	(void)at;
	assert_int_equal(vectors(sign_header), 38);
}

static void aws_vectors_signed_in_the_query_come_out_the_same(void **at)
{
	(void)at;
	assert_int_equal(vectors(sign_query), 38);
}

static void believe_both(struct vector *v)
{
	if (has(v, "unnormalized"))
		return; /* as only S3 takes them */
	believe(v, "header-signed-request", 300);
	if (!has(v, "omit_session_token=True"))
		believe(v, "query-signed-request", 3600);
}

static void aws_vectors_are_believed_and_forged_ones_are_not(void **at)
{
	(void)at;
	vectors(believe_both);
}

/* -- one request, changed in one place -- */

#define SCOPE "20150830/us-east-1/iot/aws4_request"
static struct sigv4_field sent[8];
static struct sigv4_request lamp = { "GET", "/things/a%20b", "maxResults=1", sent, 0 };

static void sign_lamp(const char *host)
{
	struct sigv4_signer by = { .key_id = "AKIDEXAMPLE", .secret = SECRET, .region = "us-east-1", .service = "iot", .now_ms = NOW_S * 1000LL };

	lamp = (struct sigv4_request){ "GET", "/things/a%20b", "maxResults=1", sent, 1 };
	sent[0] = (struct sigv4_field){ "Host", host };
	assert_int_equal(sigv4_sign(&arena, &lamp, NULL, &by, sent + 1), 2);
	lamp.headers = 3;
}

static int judge_lamp(struct sigv4_body *body, struct sigv4_refusal *no)
{
	struct sigv4_claim claim;
	uint8_t key[SIGV4_HASH];

	if (sigv4_read(&arena, &lamp, &claim, no))
		return -1;
	sigv4_signing_key(SECRET, claim.date, claim.region, claim.service, key);
	return sigv4_judge(&arena, &lamp, &claim, body, key, NOW_S * 1000LL, no);
}

#define C "Credential=AKIDEXAMPLE/" SCOPE
#define N "SignedHeaders=host;x-amz-date"
#define S "Signature=5da7c1a2acd57cee7505fc6676e4e544621c30862966e37dddb68e92efbe5d6b"
#define A "AWS4-HMAC-SHA256 "
#define CREDENTIAL(text) A "Credential=" text ", " N ", " S
static const struct {
	const char *header, *name, *message;
} headers[] = {
	{ NULL, "MissingAuthenticationTokenException", "Missing Authentication Token" },
	{ "", "IncompleteSignatureException", "Authorization header requires 'Credential' parameter. Authorization header requires 'Signature' parameter. "
	  "Authorization header requires 'SignedHeaders' parameter. Authorization=" },
	{ "Bearer abc", "IncompleteSignatureException", "requires 'SignedHeaders' parameter. Authorization=Bearer" },
	{ "AWS AKID:c2ln", "IncompleteSignatureException", "Authorization=AWS" },
	{ "AWS4-ECDSA-P256-SHA256 " C "," N "," S, "IncompleteSignatureException", "Unsupported AWS 'algorithm': 'AWS4-ECDSA-P256-SHA256'." },
	{ "AWS4-HMAC-SHA256", "IncompleteSignatureException", "requires 'Credential'" },
	{ A C ", " N, "IncompleteSignatureException", "Authorization header requires 'Signature' parameter. Authorization=AWS4-HMAC-SHA256" },
	{ A C ", " S, "IncompleteSignatureException", "Authorization header requires 'SignedHeaders' parameter. Authorization" },
	{ A N ", " S, "IncompleteSignatureException", "Authorization header requires 'Credential' parameter. Authorization" },
	{ A "Credential, " N, "IncompleteSignatureException", "'Credential' not a valid key=value pair (missing equal-sign) in Authorization header: 'AWS4-" },
	{ CREDENTIAL("AKID/20150830/us-east-1/iot"), "IncompleteSignatureException", "e.g. keyid/date/region/service/term, got 'AKID/20150830/us-east-1/iot'" },
	{ CREDENTIAL("AKID/20150830/us-east-1/iot/aws4_request/x"), "IncompleteSignatureException", "Credential must have exactly 5 slash-delimited" },
	{ CREDENTIAL("/20150830/us-east-1/iot/aws4_request"), "UnrecognizedClientException", "The security token included in the request is invalid." },
	{ CREDENTIAL("AKID/20150831/us-east-1/iot/aws4_request"), "InvalidSignatureException", "'20150831' != '20150830', from '20150830T123600Z'." },
	{ CREDENTIAL("AKID/20150830/us east/iot/aws4_request"), "InvalidSignatureException", "Credential should be scoped to a valid region. " },
	{ CREDENTIAL("AKID/20150830/us-east-1//aws4_request"), "InvalidSignatureException", "Credential should be scoped to correct service. " },
	{ CREDENTIAL("AKID/20150830//iot/aws5"), "InvalidSignatureException", "region. Credential should be scoped with a valid terminator: 'aws4_request', not 'aws5'. " },
	{ A C ", SignedHeaders=x-amz-date, " S, "InvalidSignatureException", "'Host' or ':authority' must be a 'SignedHeader' in the AWS Authorization." },
	{ A C ", SignedHeaders=host, " S, "InvalidSignatureException", "not signed: X-Amz-Date" },
	{ A C ", " N ", " S, "InvalidSignatureException", "does not match" },
	{ A C "," N "," S "  ", "InvalidSignatureException", "does not match" },
	{ A C "," N ",Signature=", "InvalidSignatureException", "does not match" },
	{ A C "," N ",Signature=5DA7", "InvalidSignatureException", "does not match" },
};

static void half_a_signature_is_refused_in_the_words_of_aws(void **at)
{
	(void)at;
	for (size_t i = 0; i < sizeof(headers) / sizeof(headers[0]); i++) {
		struct sigv4_body body = { "", 0 };
		struct sigv4_refusal no = { 0 };
		sign_lamp("localhost:8080");
		sent[2].value = headers[i].header;
		lamp.headers = headers[i].header ? 3 : 2;
		assert_int_equal(judge_lamp(&body, &no), -1);
		if (strcmp(no.name, headers[i].name) || !strstr(no.message, headers[i].message))
			fail_msg("%s: %s %s", headers[i].header, no.name, no.message);
		assert_int_equal(no.http, 403);
		assert_int_equal(sigv4_is_signed(&lamp), headers[i].header != NULL);
	}
}

static const struct {
	const char *query, *message;
} queries[] = {
	{ "X-Amz-Algorithm=AWS4-HMAC-SHA256", "AWS query-string parameters must include 'X-Amz-Credential'. AWS query-string parameters must include "
	  "'X-Amz-Signature'. AWS query-string parameters must include 'X-Amz-SignedHeaders'. AWS query-string parameters must include 'X-Amz-Date'. "
	  "Re-examine the query-string parameters." },
	{ "X-Amz-Algorithm=AWS4-HMAC-SHA1", "Unsupported AWS 'algorithm': 'AWS4-HMAC-SHA1'." },
	{ "X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Credential=a&X-Amz-Signature=b&X-Amz-SignedHeaders=host&X-Amz-Date=20150830T123600Z&X-Amz-Expires=0",
	  "X-Amz-Expires must be a number of seconds from 1 to 604800" },
	{ "X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Credential=a&X-Amz-Signature=b&X-Amz-SignedHeaders=host&X-Amz-Date=20150830T123600Z&X-Amz-Expires=604801",
	  "X-Amz-Expires must be" },
	{ "X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Credential=a&X-Amz-Signature=b&X-Amz-SignedHeaders=host&X-Amz-Date=20150231T000000Z",
	  "Date must be in ISO-8601 'basic format'. Got '20150231T000000Z'." },
	{ "X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Credential=a&X-Amz-Signature=b&X-Amz-SignedHeaders=host&X-Amz-Date=20150830T123600Z",
	  "Credential must have exactly 5 slash-delimited elements" },
};

static void half_a_presigned_url_is_refused_in_the_words_of_aws(void **at)
{
	(void)at;
	for (size_t i = 0; i < sizeof(queries) / sizeof(queries[0]); i++) {
		struct sigv4_body body = { "", 0 };
		struct sigv4_refusal no = { 0 };
		lamp = (struct sigv4_request){ "GET", "/", queries[i].query, sent, 1 };
		assert_int_equal(judge_lamp(&body, &no), -1);
		if (!strstr(no.message, queries[i].message))
			fail_msg("%s: %s", queries[i].query, no.message);
		assert_string_equal(no.name, "IncompleteSignatureException");
		assert_true(sigv4_is_signed(&lamp));
	}
}

static void what_means_the_same_is_believed(void **at)
{
	static const char *const paths[] = { "/things/a%20b", "/things//a%20b", "/./things/x/../a%20b", "//things/a%20b" };
	struct sigv4_body body = { NULL, 0 };
	struct sigv4_refusal no;

	(void)at;
	for (size_t i = 0; i < 4; i++) {
		sign_lamp(" localhost:8080\t");
		lamp.path = paths[i];
		assert_int_equal(judge_lamp(&body, &no), 0);
	}
	sign_lamp("localhost:8080");
	sent[0].name = "hOST";
	sent[1].name = "x-amz-date";
	lamp.query = "%6daxResults=%31&&";
	assert_int_equal(judge_lamp(&body, &no), 0);
}

static void what_means_something_else_is_not(void **at)
{
	struct sigv4_body body = { NULL, 0 };
	struct sigv4_refusal no;
	static const char *const paths[] = { "/things/a b", "/things/a%20b/", "/things/a%2520b", "/things/a+b", "/things/a%2020b" };
	static const char *const others[] = { "maxResults=2", "maxResults=1&x=", "maxresults=1", "", "maxResults=1&maxResults=1" };

	(void)at;
	for (size_t i = 0; i < 5; i++) {
		sign_lamp("localhost:8080");
		lamp.path = paths[i];
		assert_int_equal(judge_lamp(&body, &no), -1);
		sign_lamp("localhost:8080");
		lamp.query = others[i];
		assert_int_equal(judge_lamp(&body, &no), -1);
	}
	sign_lamp("localhost:8080");
	sent[3] = (struct sigv4_field){ "Host", "other" };
	lamp.headers = 4;
	assert_int_equal(judge_lamp(&body, &no), -1);
	sent[3] = (struct sigv4_field){ "X-Amzn-Principal", "arn:aws:iot:us-east-1:123456789012:cert/abc" };
	assert_int_equal(judge_lamp(&body, &no), -1);
	assert_non_null(strstr(no.message, "not signed: X-Amzn-Principal"));
	sent[3] = (struct sigv4_field){ "X-Amzn-Trace-Id", "Root=1" };
	assert_int_equal(judge_lamp(&body, &no), 0);
}

static void a_date_header_will_do(void **at)
{
	struct sigv4_claim claim;
	struct sigv4_refusal no;
	static struct sigv4_field field[] = { { "Host", "h" }, { "Date", "Sun, 30 Aug 2015 12:36:00 GMT" },
		{ "Authorization", A C ", SignedHeaders=date;host, " S } };
	struct sigv4_request r = { "GET", "/", "", field, 3 };

	(void)at;
	assert_int_equal(sigv4_read(&arena, &r, &claim, &no), 0);
	assert_string_equal(claim.when, "20150830T123600Z");
	assert_int_equal(claim.when_s, NOW_S);
	assert_string_equal(claim.key_id, "AKIDEXAMPLE");
	assert_string_equal(claim.region, "us-east-1");
	assert_string_equal(claim.service, "iot");
	field[1].value = "Sun, 30 Foo 2015 12:36:00 GMT";
	assert_int_equal(sigv4_read(&arena, &r, &claim, &no), -1);
	field[1].value = "Sun, 30 Aug 2015 12:36:00 PST";
	assert_int_equal(sigv4_read(&arena, &r, &claim, &no), -1);
	assert_non_null(strstr(no.message, "Date must be in ISO-8601"));
}

static void more_headers_than_anybody_signs_are_refused(void **at)
{
	struct sigv4_claim claim;
	struct sigv4_refusal no;
	char header[4096] = A C ", " S ", SignedHeaders=host";

	(void)at;
	for (int i = 0; i < SIGV4_MOST_HEADERS; i++)
		strcat(header, ";a");
	sign_lamp("localhost");
	sent[2].value = header;
	assert_int_equal(sigv4_read(&arena, &lamp, &claim, &no), -1);
	assert_string_equal(no.message, "SignedHeaders names more than 100 headers.");
}

static void an_unsigned_payload_is_believed_whatever_it_is(void **at)
{
	struct sigv4_signer by = { .key_id = "AKIDEXAMPLE", .secret = SECRET, .region = "us-east-1", .service = "iot", .now_ms = NOW_S * 1000LL,
		.unsigned_payload = true };
	struct sigv4_body body = { "anything", 8 };
	struct sigv4_refusal no;

	(void)at;
	lamp = (struct sigv4_request){ "POST", "/things/lamp", "", sent, 2 };
	sent[0] = (struct sigv4_field){ "Host", "localhost" };
	sent[1] = (struct sigv4_field){ "x-amz-content-sha256", "UNSIGNED-PAYLOAD" };
	assert_int_equal(sigv4_sign(&arena, &lamp, NULL, &by, sent + 2), 2);
	lamp.headers = 4;
	assert_int_equal(judge_lamp(&body, &no), 0);
	sent[1].value = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";
	assert_int_equal(judge_lamp(&body, &no), -1);
}

/* -- chunks: the example of "Signature Calculations for the Authorization Header: Transferring Payload in Multiple Chunks", and the one with a
 * trailer: 66560 times the letter a -- */

struct upload {
	const char *seed, *first, *second, *last, *trailer, *word;
};
static const struct upload plain = { "4f232c4386841ef735655705268965c44a0e4690baa4adea153f7db9fa80a0a9",
	"ad80c730a21e5b8d04586a2213dd63b9a0e99e0e2307b0ade35a65485a288648", "0055627c9e194cb4542bae2aa5492e3c1575bbb81b612b7d234b86a503ef5497",
	"b6c6ea8a5354eaf15b3cb7646744f4275b71ea724fed81ceb9323e279d449df9", NULL, "STREAMING-AWS4-HMAC-SHA256-PAYLOAD" };
static struct sigv4_field upload_fields[10];
static struct sigv4_request upload = { "PUT", "/examplebucket/chunkObject.txt", "", upload_fields, 0 };

static void add_field(const char *name, const char *value)
{
	upload_fields[upload.headers++] = (struct sigv4_field){ name, value };
}

static void begin_upload(const struct upload *u)
{
	upload.headers = 0;
	add_field("Host", "s3.amazonaws.com");
	add_field("x-amz-date", "20130524T000000Z");
	add_field("x-amz-storage-class", "REDUCED_REDUNDANCY");
	add_field("x-amz-content-sha256", u->word);
	add_field("Content-Encoding", "aws-chunked");
	add_field("x-amz-decoded-content-length", "66560");
	add_field("Content-Length", "66824");
	add_field("Authorization", sk_printf(&arena, "AWS4-HMAC-SHA256 Credential=AKIAIOSFODNN7EXAMPLE/20130524/us-east-1/s3/aws4_request,SignedHeaders="
	          "content-encoding;content-length;host;x-amz-content-sha256;x-amz-date;x-amz-decoded-content-length;x-amz-storage-class,Signature=%s", u->seed));
}

static struct sigv4_body upload_body(const struct upload *u)
{
	static char letters[65537];
	char *text;

	memset(letters, 'a', 65536);
	text = sk_printf(&arena, "10000;chunk-signature=%s\r\n%s\r\n400;chunk-signature=%s\r\n%.1024s\r\n0;chunk-signature=%s\r\n%s\r\n", u->first, letters,
	                 u->second, letters, u->last, u->trailer ? u->trailer : "");
	return (struct sigv4_body){ text, strlen(text) };
}

static int judge_upload(struct sigv4_body *body, struct sigv4_refusal *no)
{
	struct sigv4_claim claim;
	uint8_t key[SIGV4_HASH];

	assert_int_equal(sigv4_read(&arena, &upload, &claim, no), 0);
	sigv4_signing_key("wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY", claim.date, claim.region, claim.service, key);
	return sigv4_judge(&arena, &upload, &claim, body, key, 1369353600000, no);
}

static void signed_chunks_are_put_together(void **at)
{
	struct sigv4_body body;
	struct sigv4_refusal no;

	(void)at;
	begin_upload(&plain);
	body = upload_body(&plain);
	if (judge_upload(&body, &no))
		fail_msg("%s", no.message);
	assert_int_equal(body.size, 66560);
	assert_int_equal(strspn(body.data, "a"), 66560);
}

/* Each change of one place in a good upload. */
static const struct {
	const char *find, *put, *message;
} damages[] = {
	{ "\r\naaaa", "\r\nbaaa", "does not match" },
	{ "chunk-signature=ad", "chunk-signature=ae", "does not match" },
	{ "0;chunk-signature=b6c", "0;chunk-signature=b7c", "does not match" },
	{ "10000;", "10001;", "a chunk is not as long as it says" },
	{ "10000;", "ffffffff;", "a chunk is not as long as it says" },
	{ "10000;", "123456789;", "a chunk is not as long as it says" },
	{ "10000;", ";", "a chunk without a size" },
	{ "10000;chunk-signature", "10000;chunk-stamp", "a chunk without a signature" },
	{ "0;chunk-signature=b6c6ea8a5354eaf15b3cb7646744f4275b71ea724fed81ceb9323e279d449df9\r\n\r\n", "", "it ends before its last chunk" },
	{ "279d449df9\r\n\r\n", "279d449df9\r\n", "something follows its last chunk" },
	{ "279d449df9\r\n\r\n", "279d449df9\r\n\r\nx", "something follows its last chunk" },
};

static struct sigv4_body replaced(struct sigv4_body body, const char *find, const char *put)
{
	char *place = strstr(body.data, find);

	assert_non_null(place);
	const char *text = sk_printf(&arena, "%.*s%s%s", (int)(place - body.data), body.data, put, place + strlen(find));
	return (struct sigv4_body){ text, strlen(text) };
}

static void damaged_chunks_are_refused(void **at)
{
	(void)at;
	for (size_t i = 0; i < sizeof(damages) / sizeof(damages[0]); i++) {
		struct sigv4_refusal no = { 0 };
		begin_upload(&plain);
		struct sigv4_body body = replaced(upload_body(&plain), damages[i].find, damages[i].put);
		assert_int_equal(judge_upload(&body, &no), -1);
		if (!strstr(no.message, damages[i].message))
			fail_msg("%zu: %s", i, no.message);
		sk_arena_reset(&arena, 0);
	}
}

/* A trailer's checksums over "123456789", from the catalogue of CRCs and from sha1sum and sha256sum. */
static const struct {
	const char *trailer, *message;
} trailers[] = {
	{ "x-amz-checksum-crc32:y/Q5Jg==\r\n\r\n", NULL },
	{ "x-amz-checksum-crc32c:4waSgw==\r\n\r\n", NULL },
	{ "X-Amz-Checksum-Crc64nvme: rosUhgp5mIg=\n\r\n", NULL },
	{ "x-amz-checksum-sha1:98O8HYCOBHMq32eZZcbojRH7AT8=\r\n\r\n", "Value for x-amz-checksum-sha1 header is invalid." },
	{ "x-amz-checksum-sha1:98O8HYCOBHMq32eZZczDTKeuNEE=\r\n\r\n", NULL },
	{ "x-amz-checksum-sha256:FeKw09MhzS1vtSQ8/ZWpHBdNVUIz0aZPEvqUCbb2xzU=\r\n\r\n", "is invalid" },
	{ "x-amz-checksum-crc32:AAAAAA==\r\n\r\n", "Value for x-amz-checksum-crc32 header is invalid." },
	{ "x-amz-checksum-md5:AAAAAA==\r\n\r\n", "a trailer that is no checksum" },
	{ "x-amz-checksum-crc32\r\n", "a trailer without a colon" },
	{ "\r\n", "a checksum is missing" },
	{ "x-amz-checksum-crc32:y/Q5Jg==", "its trailer does not end" },
};

static void a_trailer_must_hold_the_right_checksum(void **at)
{
	struct sigv4_signer by = { .key_id = "AKIDEXAMPLE", .secret = SECRET, .region = "us-east-1", .service = "iot", .now_ms = NOW_S * 1000LL };

	(void)at;
	for (size_t i = 0; i < sizeof(trailers) / sizeof(trailers[0]); i++) {
		const char *text = sk_printf(&arena, "4\r\n1234\r\n5\r\n56789\r\n0\r\n%s", trailers[i].trailer);
		struct sigv4_body body = { text, strlen(text) };
		struct sigv4_refusal no = { 0 };
		struct sigv4_claim claim = { .date = "20150830", .when = "20150830T123600Z", .when_s = NOW_S, .expires_s = 300, .region = "us-east-1",
			.service = "iot", .signed_headers = "host;x-amz-content-sha256;x-amz-decoded-content-length", .payload = SIGV4_UNSIGNED_TRAILER };
		struct sigv4_canonical c = { .request = &lamp, .signed_headers = claim.signed_headers, .payload = "STREAMING-UNSIGNED-PAYLOAD-TRAILER" };
		uint8_t key[SIGV4_HASH], hash[SIGV4_HASH];
		lamp = (struct sigv4_request){ "POST", "/topics/a", "", sent, 3 };
		sent[0] = (struct sigv4_field){ "Host", "localhost" };
		sent[1] = (struct sigv4_field){ "x-amz-content-sha256", c.payload };
		sent[2] = (struct sigv4_field){ "x-amz-decoded-content-length", "9" };
		sigv4_signing_key(by.secret, claim.date, claim.region, claim.service, key);
		const char *sts = sigv4_string_to_sign(&arena, claim.when, "20150830/us-east-1/iot/aws4_request", sigv4_canonical_request(&arena, &c));
		sk_hmac(key, SIGV4_HASH, sts, strlen(sts), hash);
		sk_hex(hash, SIGV4_HASH, claim.signature);
		int rc = sigv4_judge(&arena, &lamp, &claim, &body, key, NOW_S * 1000LL, &no);
		if (!trailers[i].message) {
			if (rc)
				fail_msg("%s: %s", trailers[i].trailer, no.message);
			assert_string_equal(body.data, "123456789");
			continue;
		}
		assert_int_equal(rc, -1);
		if (!strstr(no.message, trailers[i].message))
			fail_msg("%s: %s", trailers[i].trailer, no.message);
		assert_int_equal(no.http, 400);
	}
}

static void a_signed_trailer_is_checked(void **at)
{
	static const struct upload with = { "106e2a8a18243abcf37539882f36619c00e2dfc72633413f02d3b74544bfeb8e",
		"b474d8862b1487a5145d686f57f013e54db672cee1c953b3010fb58501ef5aa2", "1c1344b170168f8e65b41376b44b20fe354e373826ccbbe2c1d40a8cae51e5c7",
		"2ca2aba2005185cf7159c6277faf83795951dd77a3a99e6e65d5c9f85863f992",
		"x-amz-checksum-crc32c:sOO8/Q==\r\nx-amz-trailer-signature:d81f82fc3505edab99d459891051a732e8730629a2e4a59689829ca17fe2e435\r\n",
		"STREAMING-AWS4-HMAC-SHA256-PAYLOAD-TRAILER" };
	struct sigv4_body body;
	struct sigv4_refusal no;

	(void)at;
	begin_upload(&with);
	upload.headers--;
	upload_fields[6].name = "x-amz-trailer";
	upload_fields[6].value = "x-amz-checksum-crc32c";
	add_field("Authorization", sk_printf(&arena, "AWS4-HMAC-SHA256 Credential=AKIAIOSFODNN7EXAMPLE/20130524/us-east-1/s3/aws4_request,SignedHeaders="
	          "content-encoding;host;x-amz-content-sha256;x-amz-date;x-amz-decoded-content-length;x-amz-storage-class;x-amz-trailer,Signature=%s", with.seed));
	body = upload_body(&with);
	if (judge_upload(&body, &no))
		fail_msg("%s", no.message);
	assert_int_equal(body.size, 66560);
	body = replaced(upload_body(&with), "signature:d8", "signature:d9");
	assert_int_equal(judge_upload(&body, &no), -1);
	assert_string_equal(no.name, "InvalidSignatureException");
	body = replaced(upload_body(&with), "x-amz-trailer-signature:d81f82fc3505edab99d459891051a732e8730629a2e4a59689829ca17fe2e435\r\n", "");
	assert_int_equal(judge_upload(&body, &no), -1);
	assert_non_null(strstr(no.message, "its trailer is not signed"));
}

/* -- memory -- */

/* With the n-th allocation failing the answer is 503 or right, and never a signature that is believed for another reason. */
static void memory_that_is_out_is_a_503(void **at)
{
	struct sigv4_body body = { NULL, 0 };
	struct sigv4_refusal no;
	int failed = 0;

	(void)at;
	for (long n = 1; n < 20; n++) {
		struct sk_arena kept = arena;
		sign_lamp("localhost:8080");
		kept = arena;
		arena = (struct sk_arena){ 0 };
		sk_arena_fail_after(n);
		if (judge_lamp(&body, &no)) {
			assert_int_equal(no.http, 503);
			assert_string_equal(no.name, "ServiceUnavailableException");
			failed++;
		}
		sk_arena_fail_after(0);
		sk_arena_free(&arena);
		arena = kept;
	}
	assert_true(failed > 0 && failed < 19);
}

/* AWS's documented PUT of an object: S3 encodes a path once, and its date is not the one that is signed. */
static void an_object_of_s3_is_signed_as_in_its_guide(void **at)
{
	static const struct sigv4_field header[] = { { "Date", "Fri, 24 May 2013 00:00:00 GMT" }, { "Host", "examplebucket.s3.amazonaws.com" },
		{ "x-amz-content-sha256", "44ce7dd67c959e0d3524ffac1771dfbba87d2b6b4b4e99e42034a8b803f8b072" }, { "x-amz-storage-class", "REDUCED_REDUNDANCY" } };
	static const struct sigv4_request put = { .method = "PUT", .path = "/test%24file.text", .query = "", .header = header, .headers = 4 };
	static const struct sigv4_signer by = { .key_id = "AKIAIOSFODNN7EXAMPLE", .secret = "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY", .region = "us-east-1",
		.service = "s3", .now_ms = 1369353600000, .s3 = true };
	struct sigv4_field add[3];

	(void)at;
	assert_int_equal(sigv4_sign(&arena, &put, &(struct sigv4_body){ "Welcome to Amazon S3.", 21 }, &by, add), 2);
	assert_string_equal(add[1].value, "AWS4-HMAC-SHA256 Credential=AKIAIOSFODNN7EXAMPLE/20130524/us-east-1/s3/aws4_request, "
	                                  "SignedHeaders=date;host;x-amz-content-sha256;x-amz-date;x-amz-storage-class, "
	                                  "Signature=98ad721746da40c64f1a55b78f14c238d841ea1380cd77a1b5971af0ece108bd");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(aws_vectors_signed_in_a_header_come_out_the_same, fresh, clean),
		cmocka_unit_test_setup_teardown(aws_vectors_signed_in_the_query_come_out_the_same, fresh, clean),
		cmocka_unit_test_setup_teardown(an_object_of_s3_is_signed_as_in_its_guide, fresh, clean),
		cmocka_unit_test_setup_teardown(aws_vectors_are_believed_and_forged_ones_are_not, fresh, clean),
		cmocka_unit_test_setup_teardown(half_a_signature_is_refused_in_the_words_of_aws, fresh, clean),
		cmocka_unit_test_setup_teardown(half_a_presigned_url_is_refused_in_the_words_of_aws, fresh, clean),
		cmocka_unit_test_setup_teardown(what_means_the_same_is_believed, fresh, clean),
		cmocka_unit_test_setup_teardown(what_means_something_else_is_not, fresh, clean),
		cmocka_unit_test_setup_teardown(a_date_header_will_do, fresh, clean),
		cmocka_unit_test_setup_teardown(more_headers_than_anybody_signs_are_refused, fresh, clean),
		cmocka_unit_test_setup_teardown(an_unsigned_payload_is_believed_whatever_it_is, fresh, clean),
		cmocka_unit_test_setup_teardown(signed_chunks_are_put_together, fresh, clean),
		cmocka_unit_test_setup_teardown(damaged_chunks_are_refused, fresh, clean),
		cmocka_unit_test_setup_teardown(a_trailer_must_hold_the_right_checksum, fresh, clean),
		cmocka_unit_test_setup_teardown(a_signed_trailer_is_checked, fresh, clean),
		cmocka_unit_test_setup_teardown(memory_that_is_out_is_a_503, fresh, clean),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
