/* auth_records_test.c -- what the broker's thread and the operations know of things, groups and certificates: the index of things against
 * plain arrays, the fields of a certificate, and questions to the records on a fake runtime with forced misses and little memory. */
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

#include "plugins/auth/auth.h"
#include "plugins/auth/certificate_facts.h"
#include "plugins/auth/index_blobs.h"
#include "plugins/auth/index_things.h"
#include "tests/unit/fake_call.h"

#define SHAPES_FILE "plugins/auth/auth.shapes"
#define SHAPES_NAME shapes
#include "core/shape_table.h"

#define ARN "arn:aws:iot:us-east-1:123456789012:"
#define COUNT(rows) (sizeof(rows) / sizeof((rows)[0]))

static char folder[] = "/tmp/auth-records-test-XXXXXX";
static char id[CERTIFICATE_HEX_SIZE + 1], pem[3000], ca_pem[3000];
static unsigned char *der;
static int der_size;

static int make_folder(void **state)
{
	(void)state;
	return mkdtemp(folder) ? 0 : -1;
}

static int remove_folder(void **state)
{
	(void)state;
	OPENSSL_free(der);
	return rmdir(folder); /* fails, and with it the test, if a file was left */
}

static unsigned next(unsigned *seed)
{
	*seed = *seed * 1103515245u + 12345u;
	return *seed >> 8;
}

/* -- blobs -- */

static void blobs_hold_what_was_put(void **state)
{
	enum { BLOBS = 200, ROUNDS = 20000, MOST = 3000 };
	static unsigned char held[BLOBS], text[MOST], wanted[MOST];
	struct blob blob[BLOBS] = { { 0 } };
	struct blobs *b = blobs_new(folder);
	unsigned seed = 5;
	size_t after_a_while = 0;

	(void)state;
	assert_non_null(b);
	for (int i = 0; i < ROUNDS; i++) {
		unsigned k = next(&seed) % BLOBS;
		size_t n = next(&seed) % 4 ? next(&seed) % MOST : 0;
		if (blob[k].at) {
			assert_int_equal(blobs_get(b, &blob[k], text), 0);
			memset(wanted, held[k], blob[k].size);
			assert_memory_equal(text, wanted, blob[k].size);
		}
		held[k] = (unsigned char)i;
		memset(text, held[k], n);
		assert_int_equal(blobs_put(b, &blob[k], text, n), 0);
		assert_int_equal(blob[k].size, n);
		if (i == ROUNDS / 2)
			after_a_while = blobs_bytes(b);
	}
	/* What is freed is used again. */
	assert_true(blobs_bytes(b) <= after_a_while + after_a_while / 4);
	assert_int_equal(blobs_put(b, &blob[0], text, BLOB_LARGEST + 1), -1);
	blobs_free(&b);
	assert_null(b);
}

/* -- things and groups -- */

static struct index_policy policies[3 * INDEX_POLICIES];

static bool reaches(const struct things *t, const char *thing, const char *policy, const char *group)
{
	static struct index_effective e;

	e.count = 0;
	assert_true(things_policies(t, thing, &e));
	for (size_t i = 0; i < e.count; i++)
		if (!strcmp(e.policy[i].policy->name, policy))
			return !strcmp(e.policy[i].group, group);
	return false;
}

static void groups_and_those_above_reach_a_thing_in_any_order_of_records(void **state)
{
	struct things *t = things_new(folder);

	(void)state;
	policies[0] = (struct index_policy){ .name = "of-hall" };
	policies[1] = (struct index_policy){ .name = "of-site" };
	assert_int_equal(things_set_attached(t, "site", &policies[1], true), 0);
	assert_int_equal(things_set_member(t, "lamp", "hall", true), 0);
	assert_int_equal(things_set_member(t, "lamp", "hall", true), 0);
	assert_int_equal(things_set_attached(t, "hall", &policies[0], true), 0);
	assert_true(reaches(t, "lamp", "of-hall", "hall"));
	assert_false(reaches(t, "lamp", "of-site", "site"));
	assert_int_equal(things_set_parent(t, "hall", "site"), 0);
	assert_true(reaches(t, "lamp", "of-site", "site"));
	assert_false(reaches(t, "fan", "of-hall", "hall"));
	assert_int_equal(things_set_parent(t, "site", "hall"), 0); /* a circle ends */
	assert_true(reaches(t, "lamp", "of-hall", "hall"));
	assert_int_equal(things_set_attached(t, "hall", &policies[0], false), 0);
	assert_false(reaches(t, "lamp", "of-hall", "hall"));
	assert_int_equal(things_set_member(t, "lamp", "hall", false), 0);
	assert_false(reaches(t, "lamp", "of-site", "site"));
	things_free(&t);
	assert_null(t);
}

static void more_than_fits_is_known_to_be_more(void **state)
{
	struct things *t = things_new(folder);
	static struct index_effective e;
	char names[30][20];

	(void)state;
	for (int i = 0; i < 11; i++) {
		snprintf(names[i], sizeof(names[i]), "g%d", i);
		assert_true(things_policies(t, "lamp", &e));
		assert_int_equal(things_set_member(t, "lamp", names[i], true), 0);
	}
	assert_false(things_policies(t, "lamp", &e));
	assert_int_equal(things_set_member(t, "fan", "full", true), 0);
	for (int i = 0; i < 11; i++) {
		e.count = 0;
		assert_true(things_policies(t, "fan", &e));
		policies[i] = (struct index_policy){ .name = names[i] };
		assert_int_equal(things_set_attached(t, "full", &policies[i], true), 0);
	}
	e.count = 0;
	assert_false(things_policies(t, "fan", &e));
	things_free(&t);
}

static void facts_and_exclusive_things_come_and_go(void **state)
{
	static const char facts[] = " \0light\0room\0hall\0";
	uint8_t key[CERTIFICATE_ID_SIZE] = { 1, 2, 3 };
	struct things *t = things_new(folder);
	char name[INDEX_THING], *text;
	bool failed;

	(void)state;
	assert_null(things_facts(t, "lamp", &failed));
	assert_int_equal(things_set_facts(t, "lamp", facts, sizeof(facts)), 0);
	text = things_facts(t, "lamp", &failed);
	assert_non_null(text);
	assert_string_equal(facts_value(text, " "), "light");
	assert_string_equal(facts_value(text, "room"), "hall");
	assert_null(facts_value(text, "Room"));
	free(text);
	assert_int_equal(things_set_facts(t, "lamp", NULL, 0), 0);
	assert_null(things_facts(t, "lamp", &failed));
	assert_false(failed);
	assert_false(things_exclusive(t, key, name));
	assert_int_equal(things_set_exclusive(t, key, "pump"), 0);
	assert_true(things_exclusive(t, key, name));
	assert_string_equal(name, "pump");
	assert_int_equal(things_set_exclusive(t, key, NULL), 0);
	assert_int_equal(things_set_exclusive(t, key, NULL), 0);
	assert_false(things_exclusive(t, key, name));
	things_free(&t);
}

/* -- a certificate's fields -- */

static void add(X509_NAME *name, const char *field, const char *value)
{
	assert_true(X509_NAME_add_entry_by_txt(name, field, MBSTRING_UTF8, (const unsigned char *)value, -1, -1, 0));
}

static void add_extension(X509 *x, int nid, const char *value)
{
	X509_EXTENSION *e = X509V3_EXT_conf_nid(NULL, NULL, nid, value);

	assert_true(X509_add_ext(x, e, -1));
	X509_EXTENSION_free(e);
}

static void as_json_text(X509 *x, char *out)
{
	BIO *b = BIO_new(BIO_s_mem());
	char *data;

	PEM_write_bio_X509(b, x);
	for (long n = BIO_get_mem_data(b, &data); n--; data++)
		out = *data == '\n' ? stpcpy(out, "\\n") : (*out = *data, out + 1);
	*out = 0;
	BIO_free(b);
}

static X509 *new_certificate(EVP_PKEY *key, const char *name, int serial)
{
	X509 *x = X509_new();

	X509_set_version(x, X509_VERSION_3);
	ASN1_INTEGER_set_uint64(X509_get_serialNumber(x), 0x921285cbb7a5e086u + (unsigned)serial);
	ASN1_TIME_set(X509_getm_notBefore(x), 1700000000);
	ASN1_TIME_set(X509_getm_notAfter(x), 1900000000);
	add(X509_get_subject_name(x), "CN", name);
	X509_set_pubkey(x, key);
	return x;
}

static void make_certificates(void)
{
	EVP_PKEY *key = EVP_EC_gen("P-256");
	X509 *ca = new_certificate(key, "plant", 1), *x = new_certificate(key, "lamp", 0);
	uint8_t digest[CERTIFICATE_ID_SIZE];

	X509_set_issuer_name(ca, X509_get_subject_name(ca));
	add_extension(ca, NID_basic_constraints, "critical,CA:TRUE");
	X509_sign(ca, key, EVP_sha256());
	X509_set_issuer_name(x, X509_get_subject_name(ca));
	for (const char *unit = "1234567"; *unit; unit++)
		add(X509_get_subject_name(x), "OU", (char[]){ *unit, 0 });
	add(X509_get_subject_name(x), "O", "K\xc3\xa4lte & Co");
	add(X509_get_subject_name(x), "L", "Aachen");
	add_extension(x, NID_subject_alt_name, "DNS:lamp.example,DNS:two.example,IP:10.0.0.7,IP:2001:db8::7,email:a@b.example,URI:urn:x:1");
	X509_sign(x, key, EVP_sha256());
	der_size = i2d_X509(x, &der);
	certificate_id_of(der, (size_t)der_size, digest);
	certificate_id_print(digest, id);
	as_json_text(x, pem);
	as_json_text(ca, ca_pem);
	X509_free(ca);
	X509_free(x);
	EVP_PKEY_free(key);
}

static void the_fields_of_a_certificate_have_their_names(void **state)
{
	static const struct {
		const char *name, *value;
	} rows[] = {
		{ "SerialNumber", "10525622389124227206" }, { "Subject.CommonName", "lamp" }, { "Subject.CommonName.List.0", "lamp" },
		{ "Subject.CommonName.List.1", NULL }, { "Issuer.CommonName", "plant" }, { "Subject.OrganizationalUnit", "1" },
		{ "Subject.OrganizationalUnit.List.4", "5" }, { "Subject.OrganizationalUnit.List.5", NULL }, { "Subject.Organization", "K\xc3\xa4lte & Co" },
		{ "Subject.Locality", "Aachen" }, { "Subject.State", NULL }, { "Subject.AlternativeName.DNSName", "lamp.example" },
		{ "Subject.AlternativeName.DNSName.List.1", "two.example" }, { "Subject.AlternativeName.IPAddress", "10.0.0.7" },
		{ "Subject.AlternativeName.IPAddress.List.1", "2001:db8::7" }, { "Subject.AlternativeName.RFC822Name", "a@b.example" },
		{ "Subject.AlternativeName.UniformResourceIdentifier", "urn:x:1" }, { "Issuer.AlternativeName.DNSName", NULL },
	};
	struct sk_arena arena = { 0 };
	size_t size;
	const char *facts = facts_of_der(&arena, der, (size_t)der_size, &size);

	(void)state;
	assert_non_null(facts);
	for (size_t i = 0; i < COUNT(rows); i++) {
		const char *value = facts_value(facts, rows[i].name);
		if (!rows[i].value != !value || (value && strcmp(value, rows[i].value)))
			fail_msg("%s is %s", rows[i].name, value ? value : "not there");
	}
	assert_null(facts_of_der(&arena, (const unsigned char *)"no", 2, &size));
	assert_null(facts_value(NULL, "Subject.CommonName"));
	sk_arena_free(&arena);
	for (long n = 1; n < 4; n++) {
		sk_arena_fail_after(n);
		const char *some = facts_of_der(&arena, der, (size_t)der_size, &size);
		assert_true(!some == arena.failed);
		sk_arena_fail_after(0);
		sk_arena_free(&arena);
	}
}

/* -- questions to the records -- */

static struct auth state = { .policy_size = 2048, .arn = ARN };

static bool is_input(const char *topic)
{
	return !strcmp(topic, "$aws/things/lamp/shadow/get");
}

static const struct auth_host host = { .is_input = is_input };

#define DOCUMENT(effect, action, resource) \
	"{\"Version\":\"2012-10-17\",\"Statement\":[{\"Effect\":\"" effect "\",\"Action\":\"iot:" action "\",\"Resource\":\"" ARN resource "\"}]}"

static void put_policy(struct fake *f, const char *name, const char *document)
{
	struct sk_arena arena = { 0 };
	cJSON *record = sk_json_object(&arena);
	char key[100];

	sk_json_set_string(&arena, record, "policyDocument", document);
	sk_json_set_string(&arena, record, "defaultVersionId", "1");
	sk_json_set_int(&arena, record, "creationDate", 1700000000000);
	snprintf(key, sizeof(key), "registry/policy/%s", name);
	fake_put(f, key, sk_json_print(&arena, record, NULL));
	sk_arena_free(&arena);
}

static void put_about(struct fake *f, const char *key, const char *json)
{
	char full[200];

	snprintf(full, sizeof(full), key, id);
	fake_put(f, full, json);
}

static int setup(void **at)
{
	struct fake *f = *at = fake_new();
	char record[4000];

	f->state = &state;
	state.host = &host;
	fake_add_shapes(f, shapes);
	if (!*id)
		make_certificates();
	snprintf(record, sizeof(record), "{\"status\":\"ACTIVE\",\"certificatePem\":\"%s\"}", pem);
	put_about(f, "registry/cert/%s", record);
	put_about(f, "registry/principal/%s/lamp", "{}");
	put_about(f, "registry/attached/%s/own", "{}");
	put_about(f, "registry/target/own/%s", "{}");
	fake_put(f, "registry/thing/lamp", "{'thingTypeName':'light','attributes':{'room':'hall'}}");
	fake_put(f, "registry/thing-group/lamp/hall", "{}");
	fake_put(f, "registry/group/hall", "{'parentGroupName':'site'}");
	fake_put(f, "registry/group/site", "{}");
	fake_put(f, "registry/attached-group/site/site", "{}");
	fake_put(f, "registry/target-group/site/site", "{}");
	put_policy(f, "own", DOCUMENT("Allow", "*", "topic/${iot:Certificate.Subject.CommonName}/${iot:Connection.Thing.Attributes[room]}"));
	put_policy(f, "site", DOCUMENT("Deny", "Publish", "topic/lamp/hall"));
	return 0;
}

static int teardown(void **at)
{
	fake_free((struct fake **)at);
	return 0;
}

static int explain(struct fake *f, const char *action, const char *topic)
{
	char input[500];

	snprintf(input, sizeof(input), "{'clientId':'lamp','certificateId':'%s','action':'%s','topic':'%s'}", id, action, topic);
	return fake_op(f, &explain_group, "ExplainAuthorization", input);
}

static void assert_explained(struct fake *f, const char *decision, const char *why)
{
	assert_string_equal(sk_json_text(f->out, "decision"), decision);
	assert_non_null(strstr(sk_json_text(f->out, "why"), why));
}

static void what_decides_is_explained(void **at)
{
	struct fake *f = *at;

	assert_int_equal(explain(f, "receive", "lamp/hall"), SK_OK);
	assert_explained(f, "ALLOWED", "statement 1 of own, attached to " ARN "cert/");
	assert_int_equal(explain(f, "publish", "lamp/hall"), SK_OK);
	assert_explained(f, "EXPLICIT_DENY", "statement 1 of site, attached to " ARN "thinggroup/site, denies iot:Publish");
	assert_int_equal(explain(f, "publish", "lamp/attic"), SK_OK);
	assert_explained(f, "IMPLICIT_DENY", "no statement of the effective policies allows iot:Publish");
	assert_int_equal(explain(f, "publish", "$aws/things/lamp/shadow/get"), SK_OK);
	assert_explained(f, "IMPLICIT_DENY", "");
	assert_int_equal(explain(f, "publish", "$aws/things/lamp/shadow"), SK_OK);
	assert_explained(f, "REFUSED", "no service takes this topic");
	fake_put(f, "registry/thing/lamp", "{}");
	assert_int_equal(explain(f, "receive", "lamp/hall"), SK_OK);
	assert_true(fake_is(f, sk_json_get(f->out, "missing"), "['iot:Connection.Thing.Attributes[room]']"));
	put_policy(f, "own", "{}");
	assert_int_equal(explain(f, "receive", "lamp/hall"), SK_OK);
	assert_explained(f, "EXPLICIT_DENY", "policy own is attached but cannot be read");
}

static void memory_that_runs_out_is_an_answer(void **at)
{
	struct fake *f = *at;
	char who[500], ask[800], new_ca[4000], under[8000];
	int refused = 0;

	snprintf(who, sizeof(who), "{'principal':'" ARN "cert/%s','thingName':'lamp','target':'" ARN "thinggroup/hall','policyName':'site','recursive':true}", id);
	snprintf(ask, sizeof(ask), "{'principal':'" ARN "cert/%s','clientId':'lamp','certificateId':'%s','action':'publish','topic':'a','authInfos':[{'actionType':'PUBLISH',"
	         "'resources':['" ARN "topic/lamp/hall']}]}", id, id);
	snprintf(new_ca, sizeof(new_ca), "{'caCertificate':'%s','certificateMode':'SNI_ONLY','setAsActive':true}", ca_pem);
	snprintf(under, sizeof(under), "{'certificatePem':'%s'}", pem);
	const struct {
		const struct sk_op_group *group;
		const char *name, *input;
	} rows[] = {
		{ &explain_group, "ExplainAuthorization", ask }, { &authorization_group, "TestAuthorization", ask },
		{ &authorization_group, "GetEffectivePolicies", who }, { &attachments_group, "ListAttachedPolicies", who },
		{ &attachments_group, "ListTargetsForPolicy", who }, { &attachments_group, "AttachPolicy", who },
		{ &policy_versions_group, "ListPolicyVersions", who }, { &ca_certificates_group, "GetRegistrationCode", "{}" },
		{ &ca_certificates_group, "RegisterCACertificate", new_ca }, { &ca_certificates_group, "ListCACertificates", "{'ascendingOrder':true}" },
		{ &certificates_group, "RegisterCertificate", under }, { &principals_group, "ListThingPrincipalsV2", who },
	};
	for (size_t i = 0; i < COUNT(rows); i++) {
		int rc = -1;
		if (!strcmp(rows[i].name, "RegisterCertificate")) {
			char key[100];
			snprintf(key, sizeof(key), "registry/cert/%s", id);
			fake_delete(f, key);
		}
		for (f->memory_limit = 4096; rc && f->memory_limit < 1 << 20; f->memory_limit += 4096) {
			rc = fake_op(f, rows[i].group, rows[i].name, rows[i].input);
			refused += rc == SK_E_UNAVAILABLE;
		}
		f->memory_limit = 0;
		if (rc)
			fail_msg("%s: %s", rows[i].name, f->message);
	}
	assert_in_range(refused, 3, 3000);
}

static void versions_move_between_the_policy_and_its_others(void **at)
{
	struct fake *f = *at;
	char input[800];

	snprintf(input, sizeof(input), "{\"policyName\":\"own\",\"setAsDefault\":true,\"policyDocument\":\"{\\\"Version\\\":\\\"2012-10-17\\\","
	         "\\\"Statement\\\":{\\\"Effect\\\":\\\"Allow\\\",\\\"Action\\\":\\\"*\\\",\\\"Resource\\\":\\\"*\\\"}}\"}");
	assert_int_equal(fake_op(f, &policy_versions_group, "CreatePolicyVersion", input), SK_OK);
	assert_non_null(fake_get(f, "registry/policy-version/own/1"));
	assert_null(fake_get(f, "registry/policy-version/own/2"));
	assert_int_equal(fake_op(f, &policy_versions_group, "SetDefaultPolicyVersion", "{'policyName':'own','policyVersionId':'0001'}"), SK_OK);
	assert_null(fake_get(f, "registry/policy-version/own/1"));
	assert_non_null(fake_get(f, "registry/policy-version/own/2"));
	assert_int_equal(fake_op(f, &policy_versions_group, "GetPolicyVersion", "{'policyName':'own','policyVersionId':'1'}"), SK_OK);
	assert_true(sk_json_true(f->out, "isDefaultVersion"));
	assert_int_equal((int)sk_json_int_of(f->out, "creationDate", 0), 1700000000);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(blobs_hold_what_was_put),
		cmocka_unit_test(groups_and_those_above_reach_a_thing_in_any_order_of_records),
		cmocka_unit_test(more_than_fits_is_known_to_be_more),
		cmocka_unit_test(facts_and_exclusive_things_come_and_go),
		TEST(the_fields_of_a_certificate_have_their_names),
		TEST(what_decides_is_explained),
		TEST(versions_move_between_the_policy_and_its_others),
		TEST(memory_that_runs_out_is_an_answer),
	};
	return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
