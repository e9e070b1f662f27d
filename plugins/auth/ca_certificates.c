/* ca_certificates.c -- the CAs that devices' certificates are registered under.
 *
 * registry/cacert/<id> is a record as of certificates.c with autoRegistrationStatus, registrationConfig? and tags?. A registered CA is a file in
 * the managed capath folder: devices with certificates of it pass TLS. It stays there while one is registered under it, since those
 * go on being good without the CA's record, as in AWS. registry/registration-code is {code}. */
#include <string.h>

#include "core/tags.h"
#include "plugins/auth/auth.h"
#include "plugins/auth/certificate_facts.h"
#include "plugins/auth/certificate_records.h"
#include "plugins/auth/paging.h"
#include "plugins/auth/target.h"

#define OPS_FILE "plugins/auth/ca_certificates.ops"
#define OPS_GROUP ca_certificates
#define OPS_SERVICE "iot"
#include "core/ops_table.h"

#define CODE "registry/registration-code"

static const char *ca_arn(struct sk_call *c, const char *id)
{
	return sk_arn(c, "cacert/%s", id);
}

static const cJSON *ca_or_fail(struct sk_call *c, const char *id, int *rc)
{
	const cJSON *record = sk_get(c, "registry/cacert/%s", id);

	*rc = record ? SK_OK : sk_fail(c, SK_E_NOT_FOUND, "The CA certificate does not exist: %s", id);
	return record;
}

/* -- the registration code: 32 random bytes in hex -- */

static int GetRegistrationCode(struct sk_call *c)
{
	const cJSON *record = sk_get(c, CODE);
	uint8_t code[CERTIFICATE_ID_SIZE];
	char hex[CERTIFICATE_HEX_SIZE + 1];
	cJSON *next;

	if (!record) {
		sk_random(c, code, sizeof(code));
		certificate_id_print(code, hex);
		next = sk_json_object(c->arena);
		sk_json_set_string(c->arena, next, "code", hex);
		sk_put(c, next, CODE);
		record = next;
	}
	sk_json_set_string(c->arena, c->out, "registrationCode", sk_json_text(record, "code"));
	return SK_OK;
}

static int DeleteRegistrationCode(struct sk_call *c)
{
	if (!sk_get(c, CODE))
		return sk_fail(c, SK_E_NOT_FOUND, "There is no registration code");
	sk_remove(c, CODE);
	return SK_OK;
}

/* -- registering -- */

/* "The verification certificate's Common Name is the registration code", and the CA signed it: whoever registers it has its key. */
static int check_verification(struct sk_call *c, const struct certificate *ca)
{
	const char *pem = sk_json_text(c->in, "verificationCertificate"), *name;
	const cJSON *code = sk_get(c, CODE);
	struct certificate x;
	char why[300];

	if (!pem)
		return sk_fail(c, SK_E_INVALID_REQUEST, "verificationCertificate is required unless certificateMode is SNI_ONLY");
	if (certificate_read(c->arena, pem, &x, why, sizeof(why)))
		return sk_fail(c, SK_E_CERTIFICATE_VALIDATION, "verificationCertificate: %s", why);
	if (!certificate_signed_by(x.pem, ca->pem))
		return sk_fail(c, SK_E_CERTIFICATE_VALIDATION, "The verification certificate is not signed by the CA certificate");
	name = facts_value(facts_of_pem(c->arena, x.pem), "Subject.CommonName");
	if (!code || !name || strcmp(name, sk_json_text(code, "code")))
		return sk_fail(c, SK_E_REGISTRATION_CODE, "The common name of the verification certificate is not the registration code");
	return SK_OK;
}

static int read_new(struct sk_call *c, struct certificate *x)
{
	char why[300];

	if (certificate_read(c->arena, sk_json_text(c->in, "caCertificate"), x, why, sizeof(why)))
		return sk_fail(c, SK_E_CERTIFICATE_VALIDATION, "%s", why);
	if (!certificate_is_ca(x->pem))
		return sk_fail(c, SK_E_CERTIFICATE_VALIDATION, "The certificate is not a CA's: its basic constraints do not say CA");
	return sk_get(c, "registry/cacert/%s", x->id) ? fail_registered(c, ca_arn(c, x->id), x->id) : SK_OK;
}

static void set_if_given(struct sk_call *c, cJSON *record, const char *member)
{
	const cJSON *value = sk_json_get(c->in, member);

	if (value)
		sk_json_set(c->arena, record, member, sk_json_copy(c->arena, value));
}

static void store(struct sk_call *c, const struct certificate *x, const char *mode)
{
	cJSON *record = certificate_record(c, x, sk_json_true(c->in, "setAsActive") ? "ACTIVE" : "INACTIVE", mode);

	sk_json_set_string(c->arena, record, "autoRegistrationStatus", sk_json_true(c->in, "allowAutoRegistration") ? "ENABLE" : "DISABLE");
	set_if_given(c, record, "registrationConfig");
	sk_tags_store(c->arena, record, sk_json_get(c->in, "tags"));
	sk_put(c, record, "registry/cacert/%s", x->id);
	sk_json_set_string(c->arena, c->out, "certificateArn", ca_arn(c, x->id));
	sk_json_set_string(c->arena, c->out, "certificateId", x->id);
}

static int RegisterCACertificate(struct sk_call *c)
{
	const char *mode = sk_json_text(c->in, "certificateMode");
	bool by_name = mode && !strcmp(mode, "SNI_ONLY");
	struct certificate x;
	int rc = read_new(c, &x);

	if (!rc)
		rc = sk_tags_check(c, sk_json_get(c->in, "tags"), SK_E_INVALID_REQUEST);
	if (!rc && !by_name)
		rc = check_verification(c, &x);
	if (!rc)
		rc = trust_pem(c, x.pem);
	if (!rc)
		store(c, &x, by_name ? "SNI_ONLY" : "DEFAULT");
	return rc;
}

/* -- looking -- */

static int DescribeCACertificate(struct sk_call *c)
{
	const char *id = given_id(c, "certificateId");
	int rc;
	const cJSON *record = ca_or_fail(c, id, &rc), *config = sk_json_get(record, "registrationConfig");
	cJSON *out;

	if (rc)
		return rc;
	out = sk_json_set_object(c->arena, c->out, "certificateDescription");
	answer_certificate(c, out, ca_arn(c, id), id, record);
	answer_description(c, out, record);
	sk_json_set_string(c->arena, out, "autoRegistrationStatus", sk_json_text(record, "autoRegistrationStatus"));
	if (config)
		sk_json_set(c->arena, c->out, "registrationConfig", sk_json_copy(c->arena, config));
	return SK_OK;
}

static bool has_template(const cJSON *record, const char *name)
{
	const char *own = sk_json_text(sk_json_get(record, "registrationConfig"), "templateName");

	return !name || (own && !strcmp(own, name));
}

static int ListCACertificates(struct sk_call *c)
{
	int rc;
	struct sk_scan page = paging_by_date(c, &rc, "registry/cacert/");
	cJSON *list;

	if (rc)
		return rc;
	list = sk_json_set_array(c->arena, c->out, "certificates");
	for (size_t i = 0; i < page.count; i++)
		if (has_template(page.row[i].document, sk_json_text(c->in, "templateName")))
			answer_certificate(c, sk_json_append(list, sk_json_object(c->arena)), ca_arn(c, page.row[i].name), page.row[i].name,
			                   page.row[i].document);
	return SK_OK;
}

static int ListCertificatesByCA(struct sk_call *c)
{
	const char *id = given_id(c, "caCertificateId");
	int rc;
	struct sk_scan page = paging_by_date(c, &rc, sk_printf(c->arena, "registry/ca-cert/%s/", id));
	cJSON *list;

	if (rc)
		return rc;
	list = sk_json_set_array(c->arena, c->out, "certificates");
	for (size_t i = 0; i < page.count; i++) {
		const cJSON *record = sk_get(c, "registry/cert/%s", page.row[i].name);
		cJSON *out = sk_json_append(list, sk_json_object(c->arena));
		answer_certificate(c, out, target_arn(c, page.row[i].name), page.row[i].name, record);
		sk_json_set_string(c->arena, out, "certificateMode", sk_json_text(record, "certificateMode"));
	}
	return SK_OK;
}

/* -- changing -- */

static int UpdateCACertificate(struct sk_call *c)
{
	const char *id = given_id(c, "certificateId"), *status = sk_json_text(c->in, "newStatus");
	const char *automatic = sk_json_text(c->in, "newAutoRegistrationStatus");
	int rc;
	const cJSON *record = ca_or_fail(c, id, &rc);
	cJSON *next;

	if (!rc)
		rc = trust_pem(c, sk_json_text(record, "certificatePem"));
	if (rc)
		return rc;
	next = certificate_changed(c, record);
	sk_json_set_string(c->arena, next, "status", status);
	sk_json_set_string(c->arena, next, "autoRegistrationStatus", automatic);
	set_if_given(c, next, "registrationConfig");
	/* "If true, removes auto registration." */
	if (sk_json_true(c->in, "removeAutoRegistration")) {
		sk_json_remove(next, "registrationConfig");
		sk_json_set_string(c->arena, next, "autoRegistrationStatus", "DISABLE");
	}
	sk_put(c, next, "registry/cacert/%s", id);
	return SK_OK;
}

static int DeleteCACertificate(struct sk_call *c)
{
	const char *id = given_id(c, "certificateId"), *status;
	int rc;
	const cJSON *record = ca_or_fail(c, id, &rc);
	cJSON *in;

	if (rc)
		return rc;
	status = sk_json_text(record, "status");
	if (status && !strcmp(status, "ACTIVE"))
		return sk_fail(c, SK_E_CERTIFICATE_STATE, "CA certificate must be deactivated (not ACTIVE) before deletion. id = %s", id);
	sk_remove(c, "registry/cacert/%s", id);
	in = sk_json_object(c->arena);
	sk_json_set_string(c->arena, in, "certificateId", id);
	sk_json_set_string(c->arena, in, "certificatePem", sk_json_text(record, "certificatePem"));
	sk_emit(c, CA_DELETED, in);
	return SK_OK;
}

/* May come late: one that was registered again by then keeps its file, and so does one that devices need. */
int ca_deleted(struct sk_call *c)
{
	const char *id = sk_json_text(c->in, "certificateId");

	if (sk_get(c, "registry/cacert/%s", id) || sk_scan(c, 1, NULL, "registry/ca-cert/%s/", id).count || sk_void(c))
		return SK_OK;
	return distrust_pem(c, sk_json_text(c->in, "certificatePem"));
}
