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
