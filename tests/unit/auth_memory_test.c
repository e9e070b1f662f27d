/* auth_memory_test.c -- policies, certificates and the index with memory that fails at every point in turn. What could not be kept or read
 * never allows what the whole would deny. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>

#include "core/json.h"
#include "plugins/auth/auth.h"
#include "plugins/auth/certificate_facts.h"
#include "plugins/auth/index_things.h"
#include "plugins/auth/session.h"
#include "tests/unit/scarce.h"

#define ARN "arn:aws:iot:us-east-1:123456789012:"
static char folder[] = "/tmp/auth-memory-test-XXXXXX";

/* -- policies -- */

static const char document[] =
	"{\"Version\":\"2012-10-17\",\"Statement\":[{\"Effect\":\"Allow\",\"Action\":[\"iot:Publish\",\"iot:Connect\"],\"Resource\":\"*\"},"
	"{\"Effect\":\"Deny\",\"Action\":\"iot:*\",\"Resource\":[\"" ARN "topic/${iot:ClientId}/*\",\"" ARN "topic/b?\"],"
	"\"Condition\":{\"StringLike\":{\"iot:ClientId\":[\"la*\",\"x\"]},\"DateGreaterThan\":{\"aws:CurrentTime\":\"2001-01-01T00:00:00Z\"}}},"
	"{\"Effect\":\"Deny\",\"Action\":\"iot:Publish\",\"NotResource\":\"" ARN "topic/a*\"}]}";

static bool allows(struct policy_bound *b, const char *topic)
{
	b->moment.now_ms = 1700000000000;
	return policy_check(b, POLICY_Publish, topic, strlen(topic)).allowed;
}

static bool policy_is_compiled_and_bound(void *ctx)
{
	struct policy_facts facts = { .variable = { [POLICY_CLIENT_ID] = "lamp" } };
	char why[200] = "";
	struct policy *p = policy_new(document, strlen(document), why, sizeof why);
	const struct policy *list[] = { p, p };
	struct policy_bound *b = p ? policy_bind(list, 2, &facts, ARN) : NULL;

	(void)ctx;
	assert_true(p || strstr(why, "memory"));
	if (b) {
		assert_true(allows(b, "a"));
		assert_false(allows(b, "lamp/x") || allows(b, "b1") || allows(b, "c"));
	}
	bool good = b;
	free(b);
	policy_free(&p);
	return good;
}

static void policies(void **state)
{
	(void)state;
	assert_true(scarce_everywhere(policy_is_compiled_and_bound, NULL) > 5);
}

/* -- certificates -- */

static char *pem, *csr, ca_file[100];
static unsigned char *der;
static int der_size;
static char *all_facts;
static size_t facts_size;

static void add_name(X509_NAME *name, const char *field, const char *value)
{
	assert_true(X509_NAME_add_entry_by_txt(name, field, MBSTRING_UTF8, (const unsigned char *)value, -1, -1, 0));
}

static char *text_of(BIO *b)
{
	char *data;
	long n = BIO_get_mem_data(b, &data);
	char *copy = strndup(data, (size_t)n);

	BIO_free(b);
	return copy;
}

static void add_extension(X509 *x, int nid, const char *value)
{
	X509_EXTENSION *e = X509V3_EXT_conf_nid(NULL, NULL, nid, value);

	assert_true(e && X509_add_ext(x, e, -1));
	X509_EXTENSION_free(e);
}

static void make_request(EVP_PKEY *key)
{
	X509_REQ *r = X509_REQ_new();
	BIO *b = BIO_new(BIO_s_mem());

	assert_true(X509_REQ_set_pubkey(r, key));
	add_name(X509_REQ_get_subject_name(r), "CN", "request");
	assert_true(X509_REQ_sign(r, key, EVP_sha256()) && PEM_write_bio_X509_REQ(b, r));
	csr = text_of(b);
	X509_REQ_free(r);
}

static int make_certificate(void **state)
{
	EVP_PKEY *key = EVP_EC_gen("P-256");
	X509 *x = X509_new();
	BIO *b = BIO_new(BIO_s_mem());
	struct sk_arena a = { 0 };
	const char *facts;

	(void)state;
	assert_non_null(mkdtemp(folder));
	X509_set_version(x, X509_VERSION_3);
	ASN1_INTEGER_set(X509_get_serialNumber(x), 77);
	ASN1_TIME_set(X509_getm_notBefore(x), 1700000000);
	ASN1_TIME_set(X509_getm_notAfter(x), 1900000000);
	add_name(X509_get_subject_name(x), "CN", "l\xc3\xa4mp");
	add_name(X509_get_subject_name(x), "OU", "one");
	add_name(X509_get_subject_name(x), "OU", "two");
	X509_set_issuer_name(x, X509_get_subject_name(x));
	X509_set_pubkey(x, key);
	add_extension(x, NID_basic_constraints, "critical,CA:TRUE");
	add_extension(x, NID_subject_alt_name, "email:a@b.c,DNS:x.y,IP:192.0.2.1,URI:http://z/");
	assert_true(X509_sign(x, key, EVP_sha256()) && PEM_write_bio_X509(b, x));
	pem = text_of(b);
	der_size = i2d_X509(x, &der);
	make_request(key);
	snprintf(ca_file, sizeof ca_file, "%s/ca.pem", folder);
	FILE *f = fopen(ca_file, "w");
	assert_true(PEM_write_X509(f, x) && PEM_write_PrivateKey(f, key, NULL, NULL, 0, NULL, NULL) && !fclose(f));
	facts = facts_of_der(&a, der, (size_t)der_size, &facts_size);
	assert_non_null(facts);
	all_facts = malloc(facts_size);
	memcpy(all_facts, facts, facts_size);
	sk_arena_free(&a);
	X509_free(x);
	EVP_PKEY_free(key);
	return 0;
}

static int end(void **state)
{
	(void)state;
	free(pem);
	free(csr);
	free(all_facts);
	OPENSSL_free(der);
	unlink(ca_file);
	return rmdir(folder);
}

static bool certificate_is_read(void *ctx)
{
	struct sk_arena a = { 0 };
	struct certificate c;
	char why[200] = "";
	int rc = certificate_read(&a, pem, &c, why, sizeof why);

	(void)ctx;
	assert_true(rc ? *why != 0 : c.pem && !strcmp(c.pem, pem) && strlen(c.id) == 64 && c.not_before_ms == 1700000000000);
	sk_arena_free(&a);
	return !rc && c.self_signed; /* OpenSSL says "no" when it had no memory to verify */
}

/* Facts are whole or none: a denial may ask for any of them. */
static bool facts_are_read(void *ctx)
{
	struct sk_arena a = { 0 };
	size_t n = 0;
	const char *facts = facts_of_der(&a, der, (size_t)der_size, &n);

	(void)ctx;
	assert_true(!facts || (n == facts_size && !memcmp(facts, all_facts, n)));
	bool good = facts;
	sk_arena_free(&a);
	return good;
}

static bool ca_signs(void *ctx)
{
	struct sk_arena a = { 0 };
	char why[300] = "";
	struct certificate_ca *ca = certificate_ca_open(ca_file, ca_file, why, sizeof why);
	const char *made = ca ? certificate_from_csr(&a, ca, 1700000000000, csr, "salt") : NULL;

	(void)ctx;
	assert_true(ca || *why);
	if (made) {
		scarce_plenty();
		assert_true(certificate_signed_by(made, pem) && !certificate_is_ca(made));
		scarce_again();
	}
	certificate_ca_free(&ca);
	bool good = made;
	sk_arena_free(&a);
	return good;
}

/* Of a question that memory cannot answer the answer is no. */
static bool signer_is_asked(void *ctx)
{
	(void)ctx;
	return certificate_signed_by(pem, pem) && certificate_is_ca(pem);
}

static void certificates(void **state)
{
	(void)state;
	assert_true(scarce_often(400, certificate_is_read, NULL) > 50);
	assert_true(scarce_everywhere(facts_are_read, NULL) > 50);
	assert_true(scarce_often(400, ca_signs, NULL) > 50);
	assert_true(scarce_often(400, signer_is_asked, NULL) > 50);
}

/* -- the index: through the watches, up to the session's verdict -- */

static bool is_input(const char *topic)
{
	return !strncmp(topic, "$aws/", 5);
}

static const unsigned char *shown(struct sk_client *client, size_t *n)
{
	(void)client;
	*n = (size_t)der_size;
	return der;
}

static int set_username(struct sk_client *client, const char *username)
{
	(void)client, (void)username;
	return 0;
}

static void kick(struct sk_client *client, const char *why)
{
	(void)client, (void)why;
}

static void no_log(char level, const char *line)
{
	(void)level, (void)line;
}

static const struct auth_host host = { .is_input = is_input, .certificate_der = shown, .set_username = set_username, .kick = kick, .log = no_log };

#define ALLOW_ALL "{\"Version\":\"2012-10-17\",\"Statement\":[{\"Effect\":\"Allow\",\"Action\":\"iot:*\",\"Resource\":\"*\"}]}"
#define DENY(topic, condition) "{\"Version\":\"2012-10-17\",\"Statement\":[{\"Effect\":\"Deny\",\"Action\":\"iot:Publish\",\"Resource\":\"" ARN "topic/" topic "\"" condition "}]}"

/* The changes in order; each denial comes by another way. */
static const struct {
	int (*watch)(void *, const char *, const struct sk_bytes *);
	const char *name, *document; /* name: %s is the certificate; document: a policy's text, or a record as it is */
	bool policy;
} changes[] = {
	{ auth_watch_policy, "allow", ALLOW_ALL, true },
	{ auth_watch_policy, "own", DENY("own", ""), true },
	{ auth_watch_policy, "group", DENY("group", ""), true },
	{ auth_watch_policy, "parent", DENY("parent", ""), true },
	{ auth_watch_policy, "attribute", DENY("attribute", ",\"Condition\":{\"StringEquals\":{\"iot:Connection.Thing.Attributes[color]\":\"red\"}}"), true },
	{ auth_watch_policy, "field", DENY("field", ",\"Condition\":{\"StringEquals\":{\"iot:Certificate.Subject.OrganizationalUnit.List.1\":\"two\"}}"), true },
	{ auth_watch_certificate, "%s", "{\"status\":\"ACTIVE\"}", false },
	{ auth_watch_attached, "%s/allow", "{}", false },
	{ auth_watch_attached, "%s/own", "{}", false },
	{ auth_watch_attached, "%s/attribute", "{}", false },
	{ auth_watch_attached, "%s/field", "{}", false },
	{ auth_watch_principal, "%s/lamp", "{\"thingPrincipalType\":\"EXCLUSIVE_THING\"}", false },
	{ auth_watch_thing, "lamp", "{\"thingTypeName\":\"kind\",\"attributes\":{\"color\":\"red\"}}", false },
	{ auth_watch_group, "child", "{\"parentGroupName\":\"above\"}", false },
	{ auth_watch_member, "lamp/child", "{}", false },
	{ auth_watch_attached_group, "child/group", "{}", false },
	{ auth_watch_attached_group, "above/parent", "{}", false },
	{ auth_watch_policy, "own", DENY("own", ""), true }, /* a new version */
};
enum { CHANGES = sizeof changes / sizeof *changes };

static struct sk_bytes *record_of(size_t i)
{
	struct sk_arena a = { 0 };
	cJSON *record = sk_json_object(&a);
	const char *text = changes[i].document;

	if (changes[i].policy) {
		sk_json_set_string(&a, record, "policyDocument", text);
		sk_json_set_string(&a, record, "defaultVersionId", "1");
		text = sk_json_print(&a, record, NULL);
	}
	struct sk_bytes *b = sk_bytes_new(text, strlen(text));
	sk_arena_free(&a);
	return b;
}

/* All are applied; from the change `from` on memory is scarce. */
static bool apply(struct auth *a, const char *hex)
{
	bool all = true;

	for (size_t i = 0; i < CHANGES; i++) {
		char name[200];
		scarce_plenty();
		struct sk_bytes *b = record_of(i);
		snprintf(name, sizeof name, changes[i].name, hex);
		sk_arena_free(&a->scratch); /* so that each needs memory of its own */
		scarce_again();
		all = !changes[i].watch(a, name, b) && all;
		sk_bytes_unref(b);
	}
	return all;
}

static bool session_decides(void *ctx)
{
	static const char *const denied[] = { "own", "group", "parent", "attribute", "field" };
	char why[200] = "", hex[CERTIFICATE_HEX_SIZE + 1];
	uint8_t id[CERTIFICATE_ID_SIZE];
	struct auth a = { .host = &host, .arn = ARN, .now_ms = 1700000000000, .log_tokens = AUTH_LOG_BURST };
	struct sk_client client = { .id = "lamp", .from_certificate = true, .address = "192.0.2.1" };
	struct session *s;
	bool good;

	(void)ctx;
	certificate_id_of(der, (size_t)der_size, id);
	certificate_id_print(id, hex);
	client.username = hex;
	a.index = index_new(folder, why, sizeof why);
	if (!a.index) {
		assert_true(*why);
		return false;
	}
	good = apply(&a, hex);
	s = session_new(&a, &client, id);
	if (s)
		session_refresh(&a, s);
	for (size_t i = 0; s && i < sizeof denied / sizeof *denied; i++)
		if (session_allows(s, POLICY_Publish, denied[i], strlen(denied[i])))
			fail_msg("%s is allowed when memory was out", denied[i]);
	good = good && s && session_allows(s, POLICY_Publish, "free", 4);
	if (s && !session_allows(s, POLICY_Publish, "free", 4)) { /* what only this session lacked is found when it is asked again */
		scarce_plenty();
		session_refresh(&a, s);
		for (size_t i = 0; i < sizeof denied / sizeof *denied; i++)
			assert_false(session_allows(s, POLICY_Publish, denied[i], strlen(denied[i])));
		scarce_again();
	}
	session_free(&s);
	index_free(&a.index);
	sk_arena_free(&a.scratch);
	return good;
}

static void the_index(void **state)
{
	(void)state;
	assert_true(scarce_everywhere(session_decides, NULL) > 50);
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(policies), cmocka_unit_test(certificates), cmocka_unit_test(the_index) };

	scarce_libraries();
	return cmocka_run_group_tests(tests, make_certificate, end);
}
