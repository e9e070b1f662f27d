/* certificate_records.c -- see certificate_records.h. */
#include "plugins/auth/certificate_records.h"

#include <string.h>

#include "plugins/auth/auth.h"
#include "plugins/auth/target.h"
#include "plugins/auth/trust.h"

/* -- slow work: on the slow pool, answers {"error": text} when it failed -- */

cJSON *slow_error(struct sk_arena *a, const char *why)
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

/* The error of finished slow work as the call's; SK_OK also while it has not finished. */
int slow_result(struct sk_call *c, const cJSON *result)
{
	const char *why = sk_json_text(result, "error");

	return why ? sk_fail(c, SK_E_INTERNAL, "%s", why) : SK_OK;
}

int trust_pem(struct sk_call *c, const char *pem)
{
	const struct auth *s = c->state;
	cJSON *in;

	if (!s->capath || sk_void(c))
		return SK_OK;
	in = sk_json_object(c->arena);
	sk_json_set_string(c->arena, in, "certificatePem", pem);
	return slow_result(c, sk_await(c, add_trust, in));
}

int distrust_pem(struct sk_call *c, const char *pem)
{
	const struct auth *s = c->state;
	cJSON *in;

	if (!s->capath || sk_void(c))
		return SK_OK;
	in = sk_json_object(c->arena);
	sk_json_set_string(c->arena, in, "certificatePem", pem);
	return slow_result(c, sk_await(c, remove_trust, in));
}

/* -- records -- */

const char *given_id(struct sk_call *c, const char *member)
{
	char *id = sk_strdup(c->arena, sk_json_text(c->in, member));

	for (char *s = id; s && *s; s++)
		if (*s >= 'A' && *s <= 'F')
			*s |= 32;
	return id ? id : "";
}

cJSON *certificate_record(struct sk_call *c, const struct certificate *x, const char *status, const char *mode)
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
	return record;
}

cJSON *certificate_changed(struct sk_call *c, const cJSON *record)
{
	cJSON *next = sk_json_copy(c->arena, record);

	sk_json_set_int(c->arena, next, "lastModifiedDate", c->now_ms);
	sk_json_set_int(c->arena, next, "customerVersion", sk_json_int_of(record, "customerVersion", 1) + 1);
	return next;
}

void answer_certificate(struct sk_call *c, cJSON *out, const char *arn, const char *id, const cJSON *record)
{
	sk_json_set_string(c->arena, out, "certificateArn", arn);
	sk_json_set_string(c->arena, out, "certificateId", id);
	sk_json_set_string(c->arena, out, "status", sk_json_text(record, "status"));
	sk_json_set(c->arena, out, "creationDate", sk_json_time(c->arena, sk_json_int_of(record, "creationDate", 0)));
}

static void answer_validity(struct sk_call *c, cJSON *out, const cJSON *record)
{
	cJSON *validity = sk_json_set_object(c->arena, out, "validity");

	sk_json_set(c->arena, validity, "notBefore", sk_json_time(c->arena, sk_json_int_of(record, "notBefore", 0)));
	sk_json_set(c->arena, validity, "notAfter", sk_json_time(c->arena, sk_json_int_of(record, "notAfter", 0)));
}

void answer_description(struct sk_call *c, cJSON *out, const cJSON *record)
{
	sk_json_set_string(c->arena, out, "certificateMode", sk_json_text(record, "certificateMode"));
	sk_json_set_string(c->arena, out, "certificatePem", sk_json_text(record, "certificatePem"));
	sk_json_set_string(c->arena, out, "ownedBy", sk_account());
	sk_json_set(c->arena, out, "lastModifiedDate", sk_json_time(c->arena, sk_json_int_of(record, "lastModifiedDate", 0)));
	sk_json_set_int(c->arena, out, "customerVersion", sk_json_int_of(record, "customerVersion", 1));
	sk_json_set_string(c->arena, out, "generationId", sk_json_text(record, "generationId"));
	answer_validity(c, out, record);
}

int fail_registered(struct sk_call *c, const char *arn, const char *id)
{
	int rc = sk_fail(c, SK_E_ALREADY_EXISTS, "The certificate is already registered: %s", id);

	c->error_fields = sk_json_object(c->arena);
	sk_json_set_string(c->arena, c->error_fields, "resourceId", id);
	sk_json_set_string(c->arena, c->error_fields, "resourceArn", arn);
	return rc;
}
