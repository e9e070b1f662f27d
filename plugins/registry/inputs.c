/* inputs.c -- see inputs.h. A name that leaves here holds no slash: it may stand in a key. */
#include "plugins/registry/inputs.h"

#include <string.h>

enum { NAME_MAX_SIZE = 128 };

const char *input_arn_name(struct sk_call *c, const char *kind, const char *arn)
{
	const char *head = sk_arn(c, "%s/", kind);
	size_t n = head ? strlen(head) : 0;

	if (!arn || !head || strncmp(arn, head, n) || !arn[n] || strlen(arn + n) > NAME_MAX_SIZE || strchr(arn + n, '/'))
		return NULL;
	return arn + n;
}

int input_name(struct sk_call *c, const char *kind, const char *name_input, const char *arn_input, const char **name)
{
	const char *given = sk_json_text(c->in, name_input), *arn = sk_json_text(c->in, arn_input);
	const char *from_arn = arn ? input_arn_name(c, kind, arn) : NULL;

	*name = given ? given : from_arn;
	if (arn && !from_arn)
		return sk_fail(c, SK_E_INVALID_REQUEST, "Invalid %s %.300s: expected %sNAME", arn_input, arn, sk_arn(c, "%s/", kind));
	if (!*name)
		return sk_fail(c, SK_E_INVALID_REQUEST, "Either %s or %s must be given", name_input, arn_input);
	if (from_arn && strcmp(*name, from_arn))
		return sk_fail(c, SK_E_INVALID_REQUEST, "%s and %s name different resources", name_input, arn_input);
	return SK_OK;
}

int input_expected_version(struct sk_call *c, const cJSON *record, const char *what, const char *name)
{
	int64_t expected;

	if (!sk_json_to_int(sk_json_get(c->in, "expectedVersion"), &expected) ||
	    expected == sk_json_int_of(record, "version", 0))
		return SK_OK;
	return sk_fail(c, SK_E_VERSION_CONFLICT, "The version for %s %s does not match the expected version.", what, name);
}
