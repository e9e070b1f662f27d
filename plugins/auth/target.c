/* target.c -- see target.h. */
#include "plugins/auth/target.h"

#include <string.h>

const char *target_arn(struct sk_call *c, const char *hex)
{
	return sk_arn(c, "cert/%s", hex);
}

int target_of_arn(struct sk_call *c, const char *arn, char hex[CERTIFICATE_HEX_SIZE + 1])
{
	const char *head = sk_arn(c, "cert/");
	uint8_t id[CERTIFICATE_ID_SIZE];

	*hex = 0;
	if (!arn || !head || strncmp(arn, head, strlen(head)) || !certificate_id_read(arn + strlen(head), id))
		return sk_fail(c, SK_E_INVALID_REQUEST, "Invalid certificate ARN %.200s: expected %s and a certificate id", arn ? arn : "",
		               head ? head : "");
	certificate_id_print(id, hex);
	return SK_OK;
}

int target_record(struct sk_call *c, const char *arn, char hex[CERTIFICATE_HEX_SIZE + 1], const cJSON **record)
{
	int rc = target_of_arn(c, arn, hex);

	*record = NULL;
	if (rc)
		return rc;
	*record = sk_get(c, "registry/cert/%s", hex);
	return *record ? SK_OK : sk_fail(c, SK_E_NOT_FOUND, "The certificate given in the principal does not exist: %s", hex);
}

const char *target_group_arn(struct sk_call *c, const char *group)
{
	return sk_arn(c, "thinggroup/%s", group);
}

int target_certificate(struct sk_call *c, const char *arn, bool there, struct target *t)
{
	const cJSON *record;

	t->kind = TARGET_CERTIFICATE;
	t->name = t->hex;
	return there ? target_record(c, arn, t->hex, &record) : target_of_arn(c, arn, t->hex);
}

int target_any(struct sk_call *c, const char *arn, bool there, struct target *t)
{
	static const char allowed[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789:_-";
	const char *head = sk_arn(c, "thinggroup/");

	if (!arn || !head || strncmp(arn, head, strlen(head)))
		return target_certificate(c, arn, there, t);
	t->kind = TARGET_GROUP;
	t->name = arn + strlen(head);
	if (!*t->name || t->name[strspn(t->name, allowed)] || strlen(t->name) > 128)
		return sk_fail(c, SK_E_INVALID_REQUEST, "Invalid thing group ARN %.200s", arn);
	if (there && !sk_get(c, "registry/group/%s", t->name))
		return sk_fail(c, SK_E_NOT_FOUND, "Thing group %s cannot be found.", t->name);
	return SK_OK;
}
