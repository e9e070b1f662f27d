/* certificates.c -- certificates: registered or made here, switched on and off, deleted.
 *
 * registry/cert/<id> is the certificate: {status, certificatePem, certificateMode, creationDate, lastModifiedDate (ms), notBefore, notAfter
 * (ms), customerVersion, generationId, selfSigned?, caCertificateId?}; registry/ca-cert/<CA>/<id> is {creationDate} for one registered
 * under a CA. A self-signed one is also a file in the managed capath folder: written before the record, so that the first connect
 * after the answer finds it, and removed by a follow-up of the delete. */
#include <string.h>

#include "core/call.h"
#include "plugins/auth/auth.h"
#include "plugins/auth/certificate_records.h"
#include "plugins/auth/paging.h"
#include "plugins/auth/target.h"

#define OPS_FILE "plugins/auth/certificates.ops"
#define OPS_GROUP certificates
#define OPS_SERVICE "iot"
#include "core/ops_table.h"

#define DELETED "skeeter:certificate-deleted"
enum { CAS_SEARCHED = 1000 };

/* -- slow work -- */

static cJSON *make_pair(struct sk_arena *a, const cJSON *in, void *state)
{
	const struct auth *s = state;
	struct certificate_pair pair;
	char why[200];
	cJSON *out;

	if (certificate_make(a, s->ca, sk_json_int_of(in, "now", 0), &pair, why, sizeof(why)))
		return slow_error(a, why);
	out = sk_json_object(a);
	sk_json_set_string(a, out, "certificatePem", pair.pem);
	sk_json_set_string(a, out, "publicKey", pair.public_key);
	sk_json_set_string(a, out, "privateKey", pair.private_key);
	return out;
}

static cJSON *sign_request(struct sk_arena *a, const cJSON *in, void *state)
{
	const struct auth *s = state;
	const char *pem = certificate_from_csr(a, s->ca, sk_json_int_of(in, "now", 0), sk_json_text(in, "csr"), sk_json_text(in, "salt"));
	cJSON *out = sk_json_object(a);

	if (!pem)
		return slow_error(a, "The certificate could not be made");
	sk_json_set_string(a, out, "certificatePem", pem);
	return out;
}

/* -- records -- */

static const cJSON *record_or_fail(struct sk_call *c, const char *id, int *rc)
{
	const cJSON *record = sk_get(c, "registry/cert/%s", id);

	*rc = record ? SK_OK : sk_fail(c, SK_E_NOT_FOUND, "The certificate ID provided does not exist: %s", id);
	return record;
}

static void store(struct sk_call *c, const struct certificate *x, const char *status, const char *mode)
{
	sk_put(c, certificate_record(c, x, status, mode), "registry/cert/%s", x->id);
}

static void answer_id(struct sk_call *c, const char *id)
{
	sk_json_set_string(c->arena, c->out, "certificateArn", target_arn(c, id));
	sk_json_set_string(c->arena, c->out, "certificateId", id);
}

/* The statuses that a caller may set: "PENDING_TRANSFER and PENDING_ACTIVATION are used internally, REGISTER_INACTIVE is deprecated". */
static int check_status(struct sk_call *c, const char *status)
{
	if (!strcmp(status, "ACTIVE") || !strcmp(status, "INACTIVE") || !strcmp(status, "REVOKED"))
		return SK_OK;
	return sk_fail(c, SK_E_INVALID_REQUEST, "Status %s cannot be set: use ACTIVE, INACTIVE or REVOKED", status);
}

/* -- registering and making -- */

/* Reads the certificate that is to be registered; it must be new. A run that is void for want of its record needs no more than its id: OpenSSL
 * takes half a millisecond for the rest. */
static int read_new(struct sk_call *c, struct certificate *x)
{
	const char *pem = sk_json_text(c->in, "certificatePem");
	char why[300];

	*x = (struct certificate){ .pem = pem };
	if (!certificate_id_of_pem(pem, x->id)) {
		sk_get(c, "registry/cert/%s", x->id);
		if (sk_void(c))
			return SK_OK;
	}
	if (certificate_read(c->arena, pem, x, why, sizeof(why)))
		return sk_fail(c, SK_E_CERTIFICATE_VALIDATION, "%s", why);
	return sk_get(c, "registry/cert/%s", x->id) ? fail_registered(c, target_arn(c, x->id), x->id) : SK_OK;
}

/* A self-signed certificate is its own CA: the TLS listener must know it. */
static int trust_self_signed(struct sk_call *c, const struct certificate *x)
{
	return x->self_signed ? trust_pem(c, x->pem) : SK_OK;
}

static int RegisterCertificateWithoutCA(struct sk_call *c)
{
	const char *status = sk_json_text(c->in, "status");
	struct certificate x;
	int rc = check_status(c, status ? status : "INACTIVE");

	if (!rc)
		rc = read_new(c, &x);
	if (!rc)
		rc = trust_self_signed(c, &x);
	if (rc)
		return rc;
	store(c, &x, status ? status : "INACTIVE", "SNI_ONLY");
	answer_id(c, x.id);
	return SK_OK;
}

/* -- under a registered CA -- */

static int check_active(struct sk_call *c, const char *id, const cJSON *ca)
{
	const char *status = sk_json_text(ca, "status");

	return status && !strcmp(status, "ACTIVE") ? SK_OK :
	       sk_fail(c, SK_E_CERTIFICATE_STATE, "The CA certificate is not active: %s", id);
}

static int find_given_ca(struct sk_call *c, const struct certificate *x, const char *pem, const char **id)
{
	struct certificate ca;
	char why[300];
	const cJSON *record;

	if (certificate_read(c->arena, pem, &ca, why, sizeof(why)))
		return sk_fail(c, SK_E_CERTIFICATE_VALIDATION, "%s", why);
	*id = sk_strdup(c->arena, ca.id);
	record = sk_get(c, "registry/cacert/%s", ca.id);
	if (!record)
		return sk_fail(c, SK_E_CERTIFICATE_VALIDATION, "The CA certificate is not registered: %s", ca.id);
	if (!certificate_signed_by(x->pem, ca.pem))
		return sk_fail(c, SK_E_CERTIFICATE_VALIDATION, "The certificate is not signed by CA certificate %s", ca.id);
	return check_active(c, ca.id, record);
}

/* "CertificateConflictException: unable to verify the CA certificate used to sign it. This happens when more than one registered CA
 * certificate has the same subject field and public key." */
static int find_any_ca(struct sk_call *c, const struct certificate *x, const char **id)
{
	struct sk_scan cas = sk_scan(c, CAS_SEARCHED, NULL, "registry/cacert/");
	const cJSON *found = NULL;

	if (sk_void(c))
		return SK_OK;
	for (size_t i = 0; i < cas.count; i++) {
		if (!certificate_signed_by(x->pem, sk_json_text(cas.row[i].document, "certificatePem")))
			continue;
		if (found)
			return sk_fail(c, SK_E_CERTIFICATE_CONFLICT, "More than one registered CA certificate signed it: give caCertificatePem");
		found = cas.row[i].document;
		*id = cas.row[i].name;
	}
	return found ? check_active(c, *id, found) :
	               sk_fail(c, SK_E_CERTIFICATE_VALIDATION, "No registered CA certificate signed it: register its CA, or use RegisterCertificateWithoutCA");
}

static const char *given_status(struct sk_call *c)
{
	const char *status = sk_json_text(c->in, "status");

	return status ? status : sk_json_true(c->in, "setAsActive") ? "ACTIVE" : "INACTIVE";
}

static int RegisterCertificate(struct sk_call *c)
{
	const char *ca_pem = sk_json_text(c->in, "caCertificatePem"), *ca = "", *status = given_status(c);
	struct certificate x;
	int rc = check_status(c, status);
	cJSON *record;

	if (!rc)
		rc = read_new(c, &x);
	if (!rc)
		rc = ca_pem ? find_given_ca(c, &x, ca_pem, &ca) : find_any_ca(c, &x, &ca);
	if (rc)
		return rc;
	record = certificate_record(c, &x, status, "DEFAULT");
	sk_json_set_string(c->arena, record, "caCertificateId", ca);
	sk_put(c, record, "registry/cert/%s", x.id);
	record = sk_json_object(c->arena);
	sk_json_set_int(c->arena, record, "creationDate", c->now_ms);
	sk_put(c, record, "registry/ca-cert/%s/%s", ca, x.id);
	answer_id(c, x.id);
	return SK_OK;
}

/* -- signed by the local CA -- */

static int read_made(struct sk_call *c, const cJSON *made, struct certificate *x)
{
	char why[300];

	if (certificate_read(c->arena, sk_json_text(made, "certificatePem"), x, why, sizeof(why)))
		return sk_fail(c, SK_E_INTERNAL, "%s", why);
	store(c, x, sk_json_true(c->in, "setAsActive") ? "ACTIVE" : "INACTIVE", "DEFAULT");
	answer_id(c, x->id);
	sk_json_set_string(c->arena, c->out, "certificatePem", x->pem);
	return SK_OK;
}

static int store_pair(struct sk_call *c, const cJSON *pair)
{
	struct certificate x;
	int rc = read_made(c, pair, &x);
	cJSON *keys;

	if (rc)
		return rc;
	keys = sk_json_set_object(c->arena, c->out, "keyPair");
	sk_json_set_string(c->arena, keys, "PublicKey", sk_json_text(pair, "publicKey"));
	sk_json_set_string(c->arena, keys, "PrivateKey", sk_json_text(pair, "privateKey"));
	return SK_OK;
}

static int check_local_ca(struct sk_call *c)
{
	const struct auth *s = c->state;

	return s->ca ? SK_OK :
	       sk_fail(c, SK_E_INVALID_REQUEST, "There is no CA to sign with: set plugin_opt_ca_cert and plugin_opt_ca_key");
}

static int CreateKeysAndCertificate(struct sk_call *c)
{
	cJSON *in = sk_json_object(c->arena);
	const cJSON *pair;
	int rc = check_local_ca(c);

	if (rc)
		return rc;
	sk_json_set_int(c->arena, in, "now", c->now_ms);
	pair = sk_await(c, make_pair, in);
	rc = slow_result(c, pair);
	return rc || !pair ? rc : store_pair(c, pair);
}

/* "Reusing the same certificate signing request results in a distinct certificate." */
static int CreateCertificateFromCsr(struct sk_call *c)
{
	const char *csr = sk_json_text(c->in, "certificateSigningRequest");
	cJSON *in = sk_json_object(c->arena);
	const cJSON *made;
	struct certificate x;
	char why[300];
	int rc = check_local_ca(c);

	if (!rc && certificate_request_check(csr, why, sizeof(why)))
		rc = sk_fail(c, SK_E_INVALID_REQUEST, "%s", why);
	if (rc)
		return rc;
	sk_json_set_int(c->arena, in, "now", c->now_ms);
	sk_json_set_string(c->arena, in, "csr", csr);
	sk_json_set_string(c->arena, in, "salt", sk_uuid(c));
	made = sk_await(c, sign_request, in);
	rc = slow_result(c, made);
	return rc || !made ? rc : read_made(c, made, &x);
}

/* -- looking -- */

static int DescribeCertificate(struct sk_call *c)
{
	const char *id = given_id(c, "certificateId");
	int rc;
	const cJSON *record = record_or_fail(c, id, &rc);
	cJSON *out;

	if (rc)
		return rc;
	out = sk_json_set_object(c->arena, c->out, "certificateDescription");
	answer_certificate(c, out, target_arn(c, id), id, record);
	answer_description(c, out, record);
	sk_json_set_string(c->arena, out, "caCertificateId", sk_json_text(record, "caCertificateId"));
	sk_json_set_object(c->arena, out, "transferData");
	return SK_OK;
}

static int ListCertificates(struct sk_call *c)
{
	int rc;
	struct sk_scan page = paging_by_date(c, &rc, "registry/cert/");
	cJSON *list;

	if (rc)
		return rc;
	list = sk_json_set_array(c->arena, c->out, "certificates");
	for (size_t i = 0; i < page.count; i++) {
		cJSON *out = sk_json_append(list, sk_json_object(c->arena));
		answer_certificate(c, out, target_arn(c, page.row[i].name), page.row[i].name, page.row[i].document);
		sk_json_set_string(c->arena, out, "certificateMode", sk_json_text(page.row[i].document, "certificateMode"));
	}
	return SK_OK;
}

/* -- changing -- */

/* A self-signed certificate that becomes ACTIVE gets its file again, should the folder be new or the file be lost. */
static int trust_again(struct sk_call *c, const cJSON *record, const char *status)
{
	struct certificate x;
	char why[300];

	if (strcmp(status, "ACTIVE") || !sk_json_true(record, "selfSigned"))
		return SK_OK;
	if (certificate_read(c->arena, sk_json_text(record, "certificatePem"), &x, why, sizeof(why)))
		return sk_fail(c, SK_E_INTERNAL, "%s", why);
	return trust_self_signed(c, &x);
}

/* "This operation is idempotent": what is so already is not written. */
static int UpdateCertificate(struct sk_call *c)
{
	const char *id = given_id(c, "certificateId"), *status = sk_json_text(c->in, "newStatus"), *now;
	int rc = check_status(c, status);
	const cJSON *record = rc ? NULL : record_or_fail(c, id, &rc);
	cJSON *next;

	if (!rc)
		rc = trust_again(c, record, status);
	if (rc)
		return rc;
	now = sk_json_text(record, "status");
	if (now && !strcmp(now, status))
		return SK_OK;
	next = certificate_changed(c, record);
	sk_json_set_string(c->arena, next, "status", status);
	sk_put(c, next, "registry/cert/%s", id);
	return SK_OK;
}

/* "You cannot delete a certificate if it has a policy attached to it, if it is attached to a thing, or if its status is ACTIVE."
 * forceDelete passes over the policies only. */
static int check_deletable(struct sk_call *c, const char *id, const cJSON *record, const struct sk_scan *policies)
{
	const char *status = sk_json_text(record, "status");

	if (status && !strcmp(status, "ACTIVE"))
		return sk_fail(c, SK_E_CERTIFICATE_STATE, "Certificate must be deactivated (not ACTIVE) before deletion. id = %s", id);
	if (sk_scan(c, 1, NULL, "registry/principal/%s/", id).count)
		return sk_fail(c, SK_E_DELETE_CONFLICT, "Things must be detached before deletion (arn: %s)", target_arn(c, id));
	if (policies->count && !sk_json_true(c->in, "forceDelete"))
		return sk_fail(c, SK_E_DELETE_CONFLICT, "Certificate policies must be detached before deletion (arn: %s)", target_arn(c, id));
	return SK_OK;
}

static void emit_deleted(struct sk_call *c, const char *id, const cJSON *record)
{
	const struct auth *s = c->state;
	cJSON *in;

	if (!s->capath || !sk_json_true(record, "selfSigned"))
		return;
	in = sk_json_object(c->arena);
	sk_json_set_string(c->arena, in, "certificateId", id);
	sk_json_set_string(c->arena, in, "certificatePem", sk_json_text(record, "certificatePem"));
	sk_emit(c, DELETED, in);
}

static int DeleteCertificate(struct sk_call *c)
{
	const char *id = given_id(c, "certificateId");
	int rc;
	const cJSON *record = record_or_fail(c, id, &rc);
	struct sk_scan policies;

	if (rc)
		return rc;
	policies = sk_scan(c, 2 * INDEX_POLICIES, NULL, "registry/attached/%s/", id);
	rc = check_deletable(c, id, record, &policies);
	if (rc)
		return rc;
	for (size_t i = 0; i < policies.count; i++) {
		sk_remove(c, "registry/attached/%s/%s", id, policies.row[i].name);
		sk_remove(c, "registry/target/%s/%s", policies.row[i].name, id);
	}
	if (sk_json_text(record, "caCertificateId"))
		sk_remove(c, "registry/ca-cert/%s/%s", sk_json_text(record, "caCertificateId"), id);
	sk_remove(c, "registry/cert/%s", id);
	emit_deleted(c, id, record);
	return SK_OK;
}

/* The follow-up. It may come late: a certificate that was registered again by then keeps its file. A void run only seems to
 * know that there is none, and slow work cannot be taken back. */
static int certificate_deleted(struct sk_call *c)
{
	if (sk_get(c, "registry/cert/%s", sk_json_text(c->in, "certificateId")) || sk_void(c))
		return SK_OK;
	return distrust_pem(c, sk_json_text(c->in, "certificatePem"));
}

const struct sk_on auth_on[] = {
	{ .event = DELETED, .handler = certificate_deleted, .partition = "registry" },
	{ .event = CA_DELETED, .handler = ca_deleted, .partition = "registry" },
	{ 0 }
};
