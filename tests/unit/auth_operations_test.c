/* auth_operations_test.c -- the operations on certificates, policies and their attachments through their own rows, on a fake runtime
 * with forced misses. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
/* cmocka needs those first */
#include <cmocka.h>
#include <dirent.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>

#include "plugins/auth/auth.h"
#include "tests/unit/fake_call.h"

#define SHAPES_FILE "plugins/auth/auth.shapes"
#define SHAPES_NAME shapes
#include "core/shape_table.h"

#define ARN "arn:aws:iot:us-east-1:123456789012:"
#define DOCUMENT "{\\\"Version\\\":\\\"2012-10-17\\\",\\\"Statement\\\":{\\\"Effect\\\":\\\"Allow\\\",\\\"Action\\\":\\\"iot:*\\\",\\\"Resource\\\":\\\"*\\\"}}"

static char folder[] = "/tmp/auth-operations-test-XXXXXX";
static char capath[80], ca_file[80], key_file[80];
static struct auth state = { .policy_size = 2048 };
static char pems[3][1500]; /* self-signed, as JSON text */

/* -- certificates to work with -- */

static X509 *new_certificate(EVP_PKEY *key, int serial, bool ca)
{
	X509 *x = X509_new();
	X509_EXTENSION *e = X509V3_EXT_conf_nid(NULL, NULL, NID_basic_constraints, ca ? "critical,CA:TRUE" : "critical,CA:FALSE");

	X509_set_version(x, X509_VERSION_3);
	ASN1_INTEGER_set(X509_get_serialNumber(x), serial);
	ASN1_TIME_set(X509_getm_notBefore(x), 1700000000);
	ASN1_TIME_set(X509_getm_notAfter(x), 1900000000);
	X509_NAME_add_entry_by_txt(X509_get_subject_name(x), "CN", MBSTRING_ASC, (const unsigned char *)"device", -1, -1, 0);
	X509_set_issuer_name(x, X509_get_subject_name(x));
	X509_set_pubkey(x, key);
	X509_add_ext(x, e, -1);
	X509_EXTENSION_free(e);
	assert_true(X509_sign(x, key, EVP_sha256()));
	return x;
}

static void escape(char *out, const char *text, size_t n)
{
	for (; n--; text++) {
		if (*text == '\n')
			*out++ = '\\', *out++ = 'n';
		else
			*out++ = *text;
	}
	*out = 0;
}

static void make_pem(int i)
{
	EVP_PKEY *key = EVP_EC_gen("P-256");
	X509 *x = new_certificate(key, i, false);
	BIO *b = BIO_new(BIO_s_mem());
	char *data;

	PEM_write_bio_X509(b, x);
	long n = BIO_get_mem_data(b, &data);
	escape(pems[i], data, (size_t)n);
	BIO_free(b);
	X509_free(x);
	EVP_PKEY_free(key);
}

static void make_ca(void)
{
	EVP_PKEY *key = EVP_EC_gen("P-256");
	X509 *x = new_certificate(key, 99, true);
	FILE *f = fopen(ca_file, "w");
	char why[200];

	PEM_write_X509(f, x);
	fclose(f);
	f = fopen(key_file, "w");
	PEM_write_PrivateKey(f, key, NULL, NULL, 0, NULL, NULL);
	fclose(f);
	X509_free(x);
	EVP_PKEY_free(key);
	state.ca = certificate_ca_open(ca_file, key_file, why, sizeof(why));
	assert_non_null(state.ca);
}

static int group_setup(void **at)
{
	(void)at;
	if (!mkdtemp(folder))
		return -1;
	snprintf(ca_file, sizeof(ca_file), "%s/ca.crt", folder);
	snprintf(key_file, sizeof(key_file), "%s/ca.key", folder);
	snprintf(capath, sizeof(capath), "%s", folder);
	make_ca();
	for (int i = 0; i < 3; i++)
		make_pem(i);
	return 0;
}

static int group_teardown(void **at)
{
	(void)at;
	certificate_ca_free(&state.ca);
	unlink(ca_file);
	unlink(key_file);
	return rmdir(folder);
}

static int setup(void **at)
{
	struct fake *f = *at = fake_new();

	f->state = &state;
	state.capath = NULL;
	fake_add_shapes(f, shapes);
	return 0;
}

static int teardown(void **at)
{
	fake_free((struct fake **)at);
	return 0;
}

/* -- short forms -- */

__attribute__((format(printf, 4, 5))) static int op(struct fake *f, const struct sk_op_group *group, const char *name, const char *fmt, ...)
{
	char input[6000];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(input, sizeof(input), fmt, ap);
	va_end(ap);
	if (!strchr(fmt, '"'))
		for (char *s = input; *s; s++)
			if (*s == '\'')
				*s = '"';
	return fake_op(f, group, name, input);
}
/* Operations on policies stand in three tables. */
static const struct sk_op_group *group_of(const char *name)
{
	static const struct sk_op_group *const groups[] = { &policies_group, &policy_versions_group, &attachments_group };

	for (size_t i = 0; i < 3; i++)
		for (const struct sk_op *row = groups[i]->op; row->name; row++)
			if (!strcmp(row->name, name))
				return groups[i];
	return &policies_group;
}

#define cert(f, name, ...) op(f, &certificates_group, name, __VA_ARGS__)
#define policy(f, name, ...) op(f, group_of(name), name, __VA_ARGS__)
#define principal(f, name, ...) op(f, &principals_group, name, __VA_ARGS__)

static const char *registered(struct fake *f, int i, const char *status)
{
	static char id[3][65];

	assert_int_equal(cert(f, "RegisterCertificateWithoutCA", "{'certificatePem':'%s','status':'%s'}", pems[i], status), SK_OK);
	strcpy(id[i], sk_json_text(f->out, "certificateId"));
	return id[i];
}

static void create_policy(struct fake *f, const char *name)
{
	assert_int_equal(policy(f, "CreatePolicy", "{\"policyName\":\"%s\",\"policyDocument\":\"" DOCUMENT "\"}", name), SK_OK);
}

static void assert_error(struct fake *f, int rc, int wanted, const char *message)
{
	assert_int_equal(rc, wanted);
	if (strncmp(f->message, message, strlen(message)))
		fail_msg("%s\nwanted %s", f->message, message);
}

/* -- certificates -- */

static void a_certificate_is_registered_and_described(void **at)
{
	struct fake *f = *at;
	const char *id = registered(f, 0, "ACTIVE");
	char wanted[900];
	const cJSON *d;

	snprintf(wanted, sizeof(wanted), "{'certificateId':'%s','certificateArn':'" ARN "cert/%s'}", id, id);
	assert_true(fake_is(f, f->out, wanted));
	assert_int_equal(cert(f, "DescribeCertificate", "{'certificateId':'%s'}", id), SK_OK);
	d = sk_json_get(f->out, "certificateDescription");
	snprintf(wanted, sizeof(wanted),
	         "{'certificateId':'%s','certificateArn':'" ARN "cert/%s','status':'ACTIVE','certificateMode':'SNI_ONLY','ownedBy':'123456789012',"
	         "'creationDate':1700000000.123,'lastModifiedDate':1700000000.123,'customerVersion':1,'transferData':{},"
	         "'validity':{'notBefore':1700000000,'notAfter':1900000000},'...':0}", id, id);
	assert_true(fake_is(f, d, wanted));
	assert_int_equal(strncmp(sk_json_text(d, "certificatePem"), "-----BEGIN CERTIFICATE-----\n", 28), 0);
}

static void registering_twice_names_the_resource(void **at)
{
	struct fake *f = *at;
	const char *id = registered(f, 0, "INACTIVE");
	char wanted[400];

	assert_error(f, cert(f, "RegisterCertificateWithoutCA", "{'certificatePem':'%s'}", pems[0]), SK_E_ALREADY_EXISTS,
	             "The certificate is already registered: ");
	snprintf(wanted, sizeof(wanted), "{'resourceId':'%s','resourceArn':'" ARN "cert/%s'}", id, id);
	assert_true(fake_is(f, f->error_fields, wanted));
}

static void what_cannot_be_registered(void **at)
{
	struct fake *f = *at;

	assert_error(f, cert(f, "RegisterCertificateWithoutCA", "{'certificatePem':'lamp'}"), SK_E_CERTIFICATE_VALIDATION,
	             "The certificate could not be parsed");
	assert_error(f, cert(f, "RegisterCertificateWithoutCA", "{'certificatePem':'%s','status':'PENDING_TRANSFER'}", pems[0]),
	             SK_E_INVALID_REQUEST, "Status PENDING_TRANSFER cannot be set: use ACTIVE, INACTIVE or REVOKED");
	assert_error(f, cert(f, "RegisterCertificateWithoutCA", "{'certificatePem':'%s','status':'LOST'}", pems[0]), SK_E_INVALID_REQUEST,
	             "1 validation error detected: Value 'LOST' at 'status'");
	assert_error(f, cert(f, "RegisterCertificateWithoutCA", "{}"), SK_E_INVALID_REQUEST, "1 validation error detected");
	assert_int_equal(fake_count(f, "registry/"), 0);
}

static void the_status_is_inactive_unless_it_is_given(void **at)
{
	struct fake *f = *at;
	char upper[65];

	assert_int_equal(cert(f, "RegisterCertificateWithoutCA", "{'certificatePem':'%s'}", pems[0]), SK_OK);
	strcpy(upper, sk_json_text(f->out, "certificateId"));
	for (char *s = upper; *s; s++)
		if (*s >= 'a')
			*s = (char)(*s - 32);
	assert_int_equal(cert(f, "DescribeCertificate", "{'certificateId':'%s'}", upper), SK_OK);
	assert_string_equal(sk_json_text(sk_json_get(f->out, "certificateDescription"), "status"), "INACTIVE");
	f->now_ms += 60000;
	assert_int_equal(cert(f, "UpdateCertificate", "{'certificateId':'%s','newStatus':'REVOKED'}", upper), SK_OK);
	assert_true(fake_is(f, f->out, "{}"));
	assert_int_equal(cert(f, "DescribeCertificate", "{'certificateId':'%s'}", upper), SK_OK);
	assert_true(fake_is(f, sk_json_get(f->out, "certificateDescription"),
	                    "{'status':'REVOKED','creationDate':1700000000.123,'lastModifiedDate':1700000060.123,'customerVersion':2,'...':0}"));
	assert_error(f, cert(f, "UpdateCertificate", "{'certificateId':'%s','newStatus':'PENDING_ACTIVATION'}", upper), SK_E_INVALID_REQUEST,
	             "Status PENDING_ACTIVATION cannot be set");
}

static void an_unknown_certificate_is_not_found(void **at)
{
	static const char *const names[] = { "DescribeCertificate", "DeleteCertificate", "UpdateCertificate" };
	struct fake *f = *at;

	for (int i = 0; i < 3; i++)
		assert_error(f, cert(f, names[i], "{'certificateId':'%064d','newStatus':'ACTIVE'}", 7), SK_E_NOT_FOUND,
		             "The certificate ID provided does not exist: 000");
	assert_error(f, cert(f, "DescribeCertificate", "{'certificateId':'lamp'}"), SK_E_INVALID_REQUEST, "");
}

static void certificates_are_listed_in_pages(void **at)
{
	struct fake *f = *at;
	char marker[300];

	for (int i = 0; i < 3; i++)
		registered(f, i, "ACTIVE");
	assert_int_equal(cert(f, "ListCertificates", "{'pageSize':2}"), SK_OK);
	assert_int_equal(sk_json_count(sk_json_get(f->out, "certificates")), 2);
	assert_true(fake_is(f, sk_json_get(f->out, "certificates")->child,
	                    "{'status':'ACTIVE','certificateMode':'SNI_ONLY','creationDate':1700000000.123,'...':0}"));
	snprintf(marker, sizeof(marker), "%s", sk_json_text(f->out, "nextMarker"));
	assert_int_equal(cert(f, "ListCertificates", "{'pageSize':2,'marker':'%s'}", marker), SK_OK);
	assert_int_equal(sk_json_count(sk_json_get(f->out, "certificates")), 1);
	assert_null(sk_json_get(f->out, "nextMarker"));
}

static void a_certificate_in_use_is_not_deleted(void **at)
{
	struct fake *f = *at;
	const char *id = registered(f, 0, "ACTIVE");

	create_policy(f, "p");
	fake_put(f, "registry/thing/lamp", "{}");
	assert_int_equal(policy(f, "AttachPolicy", "{'policyName':'p','target':'" ARN "cert/%s'}", id), SK_OK);
	assert_int_equal(principal(f, "AttachThingPrincipal", "{'thingName':'lamp','principal':'" ARN "cert/%s'}", id), SK_OK);
	assert_error(f, cert(f, "DeleteCertificate", "{'certificateId':'%s','forceDelete':true}", id), SK_E_CERTIFICATE_STATE,
	             "Certificate must be deactivated (not ACTIVE) before deletion. id = ");
	assert_int_equal(cert(f, "UpdateCertificate", "{'certificateId':'%s','newStatus':'INACTIVE'}", id), SK_OK);
	assert_error(f, cert(f, "DeleteCertificate", "{'certificateId':'%s','forceDelete':true}", id), SK_E_DELETE_CONFLICT,
	             "Things must be detached before deletion (arn: " ARN "cert/");
	assert_int_equal(principal(f, "DetachThingPrincipal", "{'thingName':'lamp','principal':'" ARN "cert/%s'}", id), SK_OK);
	assert_error(f, cert(f, "DeleteCertificate", "{'certificateId':'%s'}", id), SK_E_DELETE_CONFLICT,
	             "Certificate policies must be detached before deletion (arn: " ARN "cert/");
	assert_error(f, policy(f, "DeletePolicy", "{'policyName':'p'}"), SK_E_DELETE_CONFLICT, "The policy cannot be deleted");
	assert_int_equal(cert(f, "DeleteCertificate", "{'certificateId':'%s','forceDelete':true}", id), SK_OK);
	assert_int_equal(fake_count(f, "registry/cert/"), 0);
	assert_int_equal(fake_count(f, "registry/attached/"), 0);
	assert_int_equal(fake_count(f, "registry/target/"), 0);
	assert_int_equal(policy(f, "DeletePolicy", "{'policyName':'p'}"), SK_OK);
	assert_int_equal(fake_count(f, "registry/"), 1); /* the thing */
}

static void a_new_pair_is_signed_registered_and_answered_once(void **at)
{
	struct fake *f = *at;
	const cJSON *keys;

	assert_int_equal(cert(f, "CreateKeysAndCertificate", "{'setAsActive':true}"), SK_OK);
	keys = sk_json_get(f->out, "keyPair");
	assert_non_null(strstr(sk_json_text(keys, "PrivateKey"), "BEGIN RSA PRIVATE KEY"));
	assert_non_null(strstr(sk_json_text(keys, "PublicKey"), "BEGIN PUBLIC KEY"));
	assert_non_null(strstr(sk_json_text(f->out, "certificatePem"), "BEGIN CERTIFICATE"));
	assert_int_equal(fake_count(f, "registry/cert/"), 1);
	char key[100];
	snprintf(key, sizeof(key), "registry/cert/%s", sk_json_text(f->out, "certificateId"));
	assert_non_null(strstr(fake_get(f, key), "\"status\":\"ACTIVE\""));
	assert_null(strstr(fake_get(f, key), "PRIVATE"));
	struct certificate_ca *ca = state.ca;
	state.ca = NULL;
	assert_error(f, cert(f, "CreateKeysAndCertificate", "{}"), SK_E_INVALID_REQUEST, "There is no CA to sign with: set plugin_opt_ca_cert");
	state.ca = ca;
}

static int files(void)
{
	DIR *d = opendir(capath);
	int n = 0;

	for (struct dirent *e; (e = readdir(d));)
		n += strstr(e->d_name, ".0") || strstr(e->d_name, ".1");
	closedir(d);
	return n;
}

static void a_self_signed_certificate_has_a_file_as_long_as_it_is_registered(void **at)
{
	struct fake *f = *at;
	const char *one, *two;
	char *input;

	state.capath = capath;
	one = registered(f, 0, "INACTIVE");
	assert_int_equal(files(), 1);
	two = registered(f, 1, "INACTIVE");
	assert_int_equal(files(), 2);
	assert_int_equal(cert(f, "DeleteCertificate", "{'certificateId':'%s'}", one), SK_OK);
	assert_int_equal(files(), 2); /* only the follow-up removes it */
	input = strdup(fake_effect(f, FAKE_EMIT, 0)->text);
	assert_int_equal(fake_event(f, auth_on, fake_effect(f, FAKE_EMIT, 0)->name, input), SK_OK);
	assert_int_equal(files(), 1);
	/* Late: it was registered again, and deleted by nobody since. */
	registered(f, 0, "INACTIVE");
	assert_int_equal(fake_event(f, auth_on, "skeeter:certificate-deleted", input), SK_OK);
	assert_int_equal(files(), 2);
	free(input);
	const char *ids[] = { one, two };
	for (int i = 0; i < 2; i++) {
		assert_int_equal(cert(f, "DeleteCertificate", "{'certificateId':'%s'}", ids[i]), SK_OK);
		input = strdup(fake_effect(f, FAKE_EMIT, 0)->text);
		assert_int_equal(fake_event(f, auth_on, "skeeter:certificate-deleted", input), SK_OK);
		free(input);
	}
	assert_int_equal(files(), 0);
	state.capath = NULL;
	two = registered(f, 1, "ACTIVE");
	state.capath = capath;
	assert_int_equal(cert(f, "UpdateCertificate", "{'certificateId':'%s','newStatus':'INACTIVE'}", two), SK_OK);
	assert_int_equal(files(), 0);
	assert_int_equal(cert(f, "UpdateCertificate", "{'certificateId':'%s','newStatus':'ACTIVE'}", two), SK_OK);
	assert_int_equal(files(), 1);
	assert_int_equal(cert(f, "UpdateCertificate", "{'certificateId':'%s','newStatus':'INACTIVE'}", two), SK_OK);
	assert_int_equal(cert(f, "DeleteCertificate", "{'certificateId':'%s'}", two), SK_OK);
	input = strdup(fake_effect(f, FAKE_EMIT, 0)->text);
	assert_int_equal(fake_event(f, auth_on, "skeeter:certificate-deleted", input), SK_OK);
	free(input);
	assert_int_equal(files(), 0);
	state.capath = "/nowhere";
	assert_error(f, cert(f, "RegisterCertificateWithoutCA", "{'certificatePem':'%s'}", pems[0]), SK_E_INTERNAL,
	             "capath /nowhere: No such file or directory");
	assert_int_equal(fake_count(f, "registry/cert/"), 0);
}

/* -- policies -- */

static void a_policy_is_created_and_read(void **at)
{
	struct fake *f = *at;

	create_policy(f, "p");
	assert_true(fake_is(f, f->out, "{\"policyName\":\"p\",\"policyArn\":\"" ARN "policy/p\",\"policyVersionId\":\"1\",\"policyDocument\":\"" DOCUMENT "\"}"));
	assert_int_equal(policy(f, "GetPolicy", "{'policyName':'p'}"), SK_OK);
	assert_true(fake_is(f, f->out, "{\"policyName\":\"p\",\"policyArn\":\"" ARN "policy/p\",\"defaultVersionId\":\"1\",\"policyDocument\":\"" DOCUMENT
	                    "\",\"creationDate\":1700000000.123,\"lastModifiedDate\":1700000000.123,\"...\":0}"));
	assert_error(f, policy(f, "CreatePolicy", "{\"policyName\":\"p\",\"policyDocument\":\"" DOCUMENT "\"}"), SK_E_ALREADY_EXISTS,
	             "Policy cannot be created - name already exists (name=p)");
	assert_true(fake_is(f, f->error_fields, "{'resourceId':'p','resourceArn':'" ARN "policy/p'}"));
	assert_int_equal(policy(f, "DeletePolicy", "{'policyName':'p'}"), SK_OK);
	assert_error(f, policy(f, "GetPolicy", "{'policyName':'p'}"), SK_E_NOT_FOUND, "Policy p not found");
	assert_error(f, policy(f, "DeletePolicy", "{'policyName':'p'}"), SK_E_NOT_FOUND, "Policy p not found");
}

static void a_policy_that_is_not_understood_is_not_stored(void **at)
{
	struct fake *f = *at;

	assert_error(f, policy(f, "CreatePolicy", "{\"policyName\":\"p\",\"policyDocument\":\"{}\"}"), SK_E_MALFORMED_POLICY,
	             "Policy document is malformed: Version must be 2012-10-17");
	assert_error(f, policy(f, "CreatePolicy", "{\"policyName\":\"p\",\"policyDocument\":\"%s\"}", "no JSON"), SK_E_MALFORMED_POLICY,
	             "Policy document is malformed: the document is not JSON at byte 0");
	state.policy_size = 50;
	assert_error(f, policy(f, "CreatePolicy", "{\"policyName\":\"p\",\"policyDocument\":\"" DOCUMENT "\"}"), SK_E_MALFORMED_POLICY,
	             "Policy document has 87 characters without white space, the limit is 50");
	state.policy_size = 2048;
	assert_error(f, policy(f, "CreatePolicy", "{\"policyName\":\"q\",\"policyDocument\":\"" DOCUMENT "\",\"tags\":[{\"Key\":\"aws:x\"}]}"),
	             SK_E_INVALID_REQUEST, "Tag key aws:x");
	assert_error(f, policy(f, "CreatePolicy", "{\"policyName\":\"a/b\",\"policyDocument\":\"{}\"}"), SK_E_INVALID_REQUEST, "1 validation error");
	assert_int_equal(fake_count(f, "registry/"), 0);
}

static void policies_are_attached_listed_and_detached(void **at)
{
	struct fake *f = *at;
	const char *id = registered(f, 0, "ACTIVE");
	char wanted[400];

	create_policy(f, "p");
	create_policy(f, "q");
	for (int again = 0; again < 2; again++)
		assert_int_equal(policy(f, "AttachPolicy", "{'policyName':'q','target':'" ARN "cert/%s'}", id), SK_OK);
	assert_int_equal(policy(f, "AttachPolicy", "{'policyName':'p','target':'" ARN "cert/%s'}", id), SK_OK);
	assert_int_equal(policy(f, "ListAttachedPolicies", "{'target':'" ARN "cert/%s'}", id), SK_OK);
	assert_true(fake_is(f, f->out, "{'policies':[{'policyName':'p','policyArn':'" ARN "policy/p'},{'policyName':'q','policyArn':'" ARN "policy/q'}]}"));
	assert_int_equal(policy(f, "ListTargetsForPolicy", "{'policyName':'p'}"), SK_OK);
	snprintf(wanted, sizeof(wanted), "{'targets':['" ARN "cert/%s']}", id);
	assert_true(fake_is(f, f->out, wanted));
	for (int again = 0; again < 2; again++)
		assert_int_equal(policy(f, "DetachPolicy", "{'policyName':'p','target':'" ARN "cert/%s'}", id), SK_OK);
	assert_int_equal(policy(f, "ListTargetsForPolicy", "{'policyName':'p'}"), SK_OK);
	assert_true(fake_is(f, f->out, "{'targets':[]}"));
	assert_int_equal(policy(f, "ListPolicies", "{'pageSize':1}"), SK_OK);
	assert_int_equal(sk_json_count(sk_json_get(f->out, "policies")), 1);
	assert_non_null(sk_json_text(f->out, "nextMarker"));
}

static void an_eleventh_policy_is_refused(void **at)
{
	struct fake *f = *at;
	const char *id = registered(f, 0, "ACTIVE");

	for (int i = 0; i <= 10; i++) {
		char name[8];
		snprintf(name, sizeof(name), "p%d", i);
		create_policy(f, name);
		int rc = policy(f, "AttachPolicy", "{'policyName':'%s','target':'" ARN "cert/%s'}", name, id);
		assert_int_equal(rc, i < 10 ? SK_OK : SK_E_LIMIT_EXCEEDED);
	}
	assert_int_equal(policy(f, "AttachPolicy", "{'policyName':'p3','target':'" ARN "cert/%s'}", id), SK_OK);
	assert_int_equal(fake_count(f, "registry/attached/"), 10);
}

static void targets_that_cannot_be(void **at)
{
	struct fake *f = *at;
	const char *id = registered(f, 0, "ACTIVE");

	create_policy(f, "p");
	static const char *const bad[] = { "", "lamp", "arn:aws:iot:us-east-1:123456789012:cert/", "arn:aws:iot:us-east-1:123456789012:thing/g",
		                           "arn:aws:iot:us-east-1:123456789012:cert/zz" };
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_error(f, policy(f, "AttachPolicy", "{'policyName':'p','target':'%s'}", bad[i]), SK_E_INVALID_REQUEST, "Invalid certificate ARN ");
	assert_error(f, policy(f, "AttachPolicy", "{'policyName':'p','target':'arn:aws:iot:eu-west-1:123456789012:cert/%s'}", id),
	             SK_E_INVALID_REQUEST, "Invalid certificate ARN ");
	assert_error(f, policy(f, "AttachPolicy", "{'policyName':'p','target':'" ARN "cert/%064d'}", 1), SK_E_NOT_FOUND,
	             "The certificate given in the principal does not exist");
	assert_error(f, policy(f, "AttachPolicy", "{'policyName':'x','target':'" ARN "cert/%s'}", id), SK_E_NOT_FOUND, "Policy x not found");
	assert_error(f, policy(f, "ListAttachedPolicies", "{'target':'" ARN "cert/%064d'}", 1), SK_E_NOT_FOUND, "");
	assert_error(f, policy(f, "ListTargetsForPolicy", "{'policyName':'x'}"), SK_E_NOT_FOUND, "Policy x not found");
}

/* -- principals -- */

static void certificates_belong_to_things(void **at)
{
	struct fake *f = *at;
	const char *id = registered(f, 0, "ACTIVE");
	char wanted[300];

	fake_put(f, "registry/thing/lamp", "{}");
	fake_put(f, "registry/thing/valve", "{}");
	for (int again = 0; again < 2; again++)
		assert_int_equal(principal(f, "AttachThingPrincipal", "{'thingName':'lamp','principal':'" ARN "cert/%s'}", id), SK_OK);
	assert_int_equal(principal(f, "AttachThingPrincipal", "{'thingName':'valve','principal':'" ARN "cert/%s'}", id), SK_OK);
	assert_int_equal(principal(f, "ListThingPrincipals", "{'thingName':'lamp'}"), SK_OK);
	snprintf(wanted, sizeof(wanted), "{'principals':['" ARN "cert/%s']}", id);
	assert_true(fake_is(f, f->out, wanted));
	assert_int_equal(principal(f, "ListPrincipalThings", "{'principal':'" ARN "cert/%s'}", id), SK_OK);
	assert_true(fake_is(f, f->out, "{'things':['lamp','valve']}"));
	assert_int_equal(principal(f, "DetachThingPrincipal", "{'thingName':'lamp','principal':'" ARN "cert/%s'}", id), SK_OK);
	assert_error(f, principal(f, "DetachThingPrincipal", "{'thingName':'lamp','principal':'" ARN "cert/%s'}", id), SK_E_NOT_FOUND, "Certificate ");
	assert_int_equal(principal(f, "ListThingPrincipals", "{'thingName':'lamp'}"), SK_OK);
	assert_true(fake_is(f, f->out, "{'principals':[]}"));
	assert_int_equal(fake_count(f, "registry/thing-principal/"), 1);
	assert_error(f, principal(f, "AttachThingPrincipal", "{'thingName':'pump','principal':'" ARN "cert/%s'}", id), SK_E_NOT_FOUND,
	             "Thing pump cannot be found.");
	assert_error(f, principal(f, "ListThingPrincipals", "{'thingName':'pump'}"), SK_E_NOT_FOUND, "Thing pump cannot be found.");
	assert_error(f, principal(f, "AttachThingPrincipal", "{'thingName':'lamp','principal':'alice'}"), SK_E_INVALID_REQUEST, "Invalid certificate ARN");
}

static void an_exclusive_attachment_is_the_only_one(void **at)
{
	struct fake *f = *at;
	const char *id = registered(f, 0, "ACTIVE");
	const char *exclusive = "{'thingName':'%s','principal':'" ARN "cert/%s','thingPrincipalType':'EXCLUSIVE_THING'}";
	char input[400];

	fake_put(f, "registry/thing/lamp", "{}");
	fake_put(f, "registry/thing/valve", "{}");
	snprintf(input, sizeof(input), exclusive, "lamp", id);
	assert_int_equal(fake_op(f, &principals_group, "AttachThingPrincipal", input), SK_OK);
	assert_int_equal(fake_op(f, &principals_group, "AttachThingPrincipal", input), SK_OK);
	assert_error(f, principal(f, "AttachThingPrincipal", "{'thingName':'valve','principal':'" ARN "cert/%s'}", id), SK_E_INVALID_REQUEST, "Certificate ");
	assert_int_equal(principal(f, "AttachThingPrincipal", "{'thingName':'lamp','principal':'" ARN "cert/%s'}", id), SK_OK);
	assert_int_equal(principal(f, "AttachThingPrincipal", "{'thingName':'valve','principal':'" ARN "cert/%s'}", id), SK_OK);
	snprintf(input, sizeof(input), exclusive, "valve", id);
	assert_int_equal(fake_op(f, &principals_group, "AttachThingPrincipal", input), SK_E_INVALID_REQUEST);
}

/* Each with a little more memory than the one before, until it is enough: nothing is stored and nothing falls over. */
static void memory_that_runs_out_is_an_answer(void **at)
{
	struct fake *f = *at;
	const char *id = registered(f, 0, "INACTIVE");
	char create[600], describe[200], attach[300], again[2000];
	int refused = 0;

	create_policy(f, "p");
	fake_put(f, "registry/thing/lamp", "{}");
	snprintf(create, sizeof(create), "{\"policyName\":\"new\",\"policyDocument\":\"" DOCUMENT "\"}");
	snprintf(describe, sizeof(describe), "{'certificateId':'%s'}", id);
	snprintf(attach, sizeof(attach), "{'policyName':'p','thingName':'lamp','target':'" ARN "cert/%s','principal':'" ARN "cert/%s'}", id, id);
	snprintf(again, sizeof(again), "{'certificatePem':'%s'}", pems[1]);
	struct {
		const struct sk_op_group *group;
		const char *name, *input;
	} rows[] = {
		{ &policies_group, "CreatePolicy", create }, { &policies_group, "GetPolicy", attach }, { &attachments_group, "AttachPolicy", attach },
		{ &attachments_group, "ListAttachedPolicies", attach }, { &certificates_group, "DescribeCertificate", describe },
		{ &certificates_group, "RegisterCertificateWithoutCA", again }, { &certificates_group, "CreateKeysAndCertificate", "{}" },
		{ &principals_group, "AttachThingPrincipal", attach }, { &principals_group, "ListThingPrincipals", attach },
	};
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		int rc = -1;
		for (f->memory_limit = 4096; rc && f->memory_limit < 1 << 20; f->memory_limit += 4096) {
			rc = fake_op(f, rows[i].group, rows[i].name, rows[i].input);
			refused += rc == SK_E_UNAVAILABLE;
		}
		f->memory_limit = 0;
		if (rc)
			fail_msg("%s: %s", rows[i].name, f->message);
	}
	assert_in_range(refused, 3, 1000);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_certificate_is_registered_and_described),
		TEST(registering_twice_names_the_resource),
		TEST(what_cannot_be_registered),
		TEST(the_status_is_inactive_unless_it_is_given),
		TEST(an_unknown_certificate_is_not_found),
		TEST(certificates_are_listed_in_pages),
		TEST(a_certificate_in_use_is_not_deleted),
		TEST(a_new_pair_is_signed_registered_and_answered_once),
		TEST(a_self_signed_certificate_has_a_file_as_long_as_it_is_registered),
		TEST(a_policy_is_created_and_read),
		TEST(a_policy_that_is_not_understood_is_not_stored),
		TEST(policies_are_attached_listed_and_detached),
		TEST(an_eleventh_policy_is_refused),
		TEST(targets_that_cannot_be),
		TEST(certificates_belong_to_things),
		TEST(an_exclusive_attachment_is_the_only_one),
		TEST(memory_that_runs_out_is_an_answer),
	};
	return cmocka_run_group_tests(tests, group_setup, group_teardown);
}
