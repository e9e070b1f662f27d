/* certificates.c -- certificates: registered or made here, switched on and off, deleted.
 *
 * registry/cert/<id> is the certificate: {status, certificatePem, certificateMode, creationDate, lastModifiedDate (ms), notBefore, notAfter
 * (ms), customerVersion, generationId, selfSigned?}. A self-signed one is also a file in the managed capath folder: written before
 * the record, so that the first connect after the answer finds it, and removed by a follow-up of the delete. */
#include <string.h>

#include "core/call.h"
#include "plugins/auth/auth.h"
#include "plugins/auth/target.h"
#include "plugins/auth/trust.h"

#define OPS_FILE "plugins/auth/certificates.ops"
#define OPS_GROUP certificates
#define OPS_SERVICE "iot"
#include "core/ops_table.h"

#define DELETED "skeeter:certificate-deleted"

/* -- slow work: on the slow pool, answers {"error": text} when it failed -- */

static cJSON *slow_error(struct sk_arena *a, const char *why)
{
	cJSON *out = sk_json_object(a);

	sk_json_set_string(a, out, "error", why);
	return out;
}

static cJSON *change_trust(struct sk_arena *a, const cJSON *in, void *state, bool add)
{
	const struct auth *s = state;
	struct certificate x;
	char why[300];
	int rc = certificate_read(a, sk_json_text(in, "certificatePem"), &x, why, sizeof(why));

	if (!rc && x.pem)
		rc = (add ? trust_add : trust_remove)(s->capath, &x, why, sizeof(why));
	return rc ? slow_error(a, why) : sk_json_object(a);
}

static cJSON *add_trust(struct sk_arena *a, const cJSON *in, void *state)
{
	return change_trust(a, in, state, true);
}

static cJSON *remove_trust(struct sk_arena *a, const cJSON *in, void *state)
{
	return change_trust(a, in, state, false);
}

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

/* The error of finished slow work as the call's; SK_OK also while it has not finished. */
static int slow_result(struct sk_call *c, const cJSON *result)
{
	const char *why = sk_json_text(result, "error");

	return why ? sk_fail(c, SK_E_INTERNAL, "%s", why) : SK_OK;
}

/* -- records -- */

static const char *given_id(struct sk_call *c)
{
	char *id = sk_strdup(c->arena, sk_json_text(c->in, "certificateId"));

	for (char *s = id; s && *s; s++)
		if (*s >= 'A' && *s <= 'F')
			*s |= 32;
	return id ? id : "";
}

static const cJSON *record_or_fail(struct sk_call *c, const char *id, int *rc)
{
	const cJSON *record = sk_get(c, "registry/cert/%s", id);

	*rc = record ? SK_OK : sk_fail(c, SK_E_NOT_FOUND, "The certificate ID provided does not exist: %s", id);
	return record;
}

static void store(struct sk_call *c, const struct certificate *x, const char *status, const char *mode)
{
	cJSON *record = sk_json_object(c->arena);

	sk_json_set_string(c->arena, record, "status", status);
	sk_json_set_string(c->arena, record, "certificateMode", mode);
	sk_json_set_int(c->arena, record, "creationDate", c->now_ms);
	sk_json_set_int(c->arena, record, "lastModifiedDate", c->now_ms);
	sk_json_set_int(c->arena, record, "notBefore", x->not_before_ms);
	sk_json_set_int(c->arena, record, "notAfter", x->not_after_ms);
	sk_json_set_int(c->arena, record, "customerVersion", 1);
	sk_json_set_string(c->arena, record, "generationId", sk_uuid(c));
	if (x->self_signed)
		sk_json_set_bool(c->arena, record, "selfSigned", true);
	sk_json_set_string(c->arena, record, "certificatePem", x->pem);
	sk_put(c, record, "registry/cert/%s", x->id);
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

static int fail_registered(struct sk_call *c, const char *id)
{
	int rc = sk_fail(c, SK_E_ALREADY_EXISTS, "The certificate is already registered: %s", id);

	c->error_fields = sk_json_object(c->arena);
	sk_json_set_string(c->arena, c->error_fields, "resourceId", id);
	sk_json_set_string(c->arena, c->error_fields, "resourceArn", target_arn(c, id));
	return rc;
}

/* A self-signed certificate is its own CA: the TLS listener must know it. */
static int trust_self_signed(struct sk_call *c, const struct certificate *x)
{
	const struct auth *s = c->state;
	cJSON *in;

	if (!x->self_signed || !s->capath || sk_void(c))
		return SK_OK;
	in = sk_json_object(c->arena);
	sk_json_set_string(c->arena, in, "certificatePem", x->pem);
	return slow_result(c, sk_await(c, add_trust, in));
}

static int RegisterCertificateWithoutCA(struct sk_call *c)
{
	const char *status = sk_json_text(c->in, "status");
	struct certificate x;
	char why[300];
	int rc = check_status(c, status ? status : "INACTIVE");

	if (rc)
		return rc;
	if (certificate_read(c->arena, sk_json_text(c->in, "certificatePem"), &x, why, sizeof(why)))
		return sk_fail(c, SK_E_CERTIFICATE_VALIDATION, "%s", why);
	if (sk_get(c, "registry/cert/%s", x.id))
		return fail_registered(c, x.id);
	rc = trust_self_signed(c, &x);
	if (rc)
		return rc;
	store(c, &x, status ? status : "INACTIVE", "SNI_ONLY");
	answer_id(c, x.id);
	return SK_OK;
}

static int store_pair(struct sk_call *c, const cJSON *pair)
{
	struct certificate x;
	char why[300];
	cJSON *keys;

	if (certificate_read(c->arena, sk_json_text(pair, "certificatePem"), &x, why, sizeof(why)))
		return sk_fail(c, SK_E_INTERNAL, "%s", why);
	store(c, &x, sk_json_true(c->in, "setAsActive") ? "ACTIVE" : "INACTIVE", "DEFAULT");
	answer_id(c, x.id);
	sk_json_set_string(c->arena, c->out, "certificatePem", x.pem);
	keys = sk_json_set_object(c->arena, c->out, "keyPair");
	sk_json_set_string(c->arena, keys, "PublicKey", sk_json_text(pair, "publicKey"));
	sk_json_set_string(c->arena, keys, "PrivateKey", sk_json_text(pair, "privateKey"));
	return SK_OK;
}

static int CreateKeysAndCertificate(struct sk_call *c)
{
	const struct auth *s = c->state;
	cJSON *in = sk_json_object(c->arena);
	const cJSON *pair;
	int rc;

	if (!s->ca)
		return sk_fail(c, SK_E_INVALID_REQUEST, "There is no CA to sign with: set plugin_opt_ca_cert and plugin_opt_ca_key");
	sk_json_set_int(c->arena, in, "now", c->now_ms);
	pair = sk_await(c, make_pair, in);
	rc = slow_result(c, pair);
	return rc || !pair ? rc : store_pair(c, pair);
}

/* -- looking -- */

static void answer_validity(struct sk_call *c, cJSON *out, const cJSON *record)
{
	cJSON *validity = sk_json_set_object(c->arena, out, "validity");

	sk_json_set(c->arena, validity, "notBefore", sk_json_time(c->arena, sk_json_int_of(record, "notBefore", 0)));
	sk_json_set(c->arena, validity, "notAfter", sk_json_time(c->arena, sk_json_int_of(record, "notAfter", 0)));
}

/* What a list and a description have in common. */
static void answer_summary(struct sk_call *c, cJSON *out, const char *id, const cJSON *record)
{
	sk_json_set_string(c->arena, out, "certificateArn", target_arn(c, id));
	sk_json_set_string(c->arena, out, "certificateId", id);
	sk_json_set_string(c->arena, out, "status", sk_json_text(record, "status"));
	sk_json_set_string(c->arena, out, "certificateMode", sk_json_text(record, "certificateMode"));
	sk_json_set(c->arena, out, "creationDate", sk_json_time(c->arena, sk_json_int_of(record, "creationDate", 0)));
}

static int DescribeCertificate(struct sk_call *c)
{
	const char *id = given_id(c);
	int rc;
	const cJSON *record = record_or_fail(c, id, &rc);
	cJSON *out;

	if (rc)
		return rc;
	out = sk_json_set_object(c->arena, c->out, "certificateDescription");
	answer_summary(c, out, id, record);
	sk_json_set_string(c->arena, out, "certificatePem", sk_json_text(record, "certificatePem"));
	sk_json_set_string(c->arena, out, "ownedBy", sk_account());
	sk_json_set(c->arena, out, "lastModifiedDate", sk_json_time(c->arena, sk_json_int_of(record, "lastModifiedDate", 0)));
	sk_json_set_int(c->arena, out, "customerVersion", sk_json_int_of(record, "customerVersion", 1));
	sk_json_set_object(c->arena, out, "transferData");
	sk_json_set_string(c->arena, out, "generationId", sk_json_text(record, "generationId"));
	answer_validity(c, out, record);
	return SK_OK;
}

static int ListCertificates(struct sk_call *c)
{
	int rc;
	struct sk_scan page = sk_scan_page(c, &rc, "registry/cert/");
	cJSON *list;

	if (rc)
		return rc;
	list = sk_json_set_array(c->arena, c->out, "certificates");
	for (size_t i = 0; i < page.count; i++)
		answer_summary(c, sk_json_append(list, sk_json_object(c->arena)), page.row[i].name, page.row[i].document);
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

static int UpdateCertificate(struct sk_call *c)
{
	const char *id = given_id(c), *status = sk_json_text(c->in, "newStatus");
	int rc = check_status(c, status);
	const cJSON *record = rc ? NULL : record_or_fail(c, id, &rc);
	cJSON *next;

	if (!rc)
		rc = trust_again(c, record, status);
	if (rc)
		return rc;
	next = sk_json_copy(c->arena, record);
	sk_json_set_string(c->arena, next, "status", status);
	sk_json_set_int(c->arena, next, "lastModifiedDate", c->now_ms);
	sk_json_set_int(c->arena, next, "customerVersion", sk_json_int_of(record, "customerVersion", 1) + 1);
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
	const char *id = given_id(c);
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
	return slow_result(c, sk_await(c, remove_trust, c->in));
}

const struct sk_on auth_on[] = {
	{ .event = DELETED, .handler = certificate_deleted, .partition = "registry" },
	{ 0 }
};
