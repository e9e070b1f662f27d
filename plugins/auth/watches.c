/* watches.c -- committed records reach the index, and the connections that they concern.
 *
 * A certificate that is no longer ACTIVE loses its connections; whatever they still send before the next tick is denied, because their
 * sessions bind anew. Returns nonzero only when the index cannot be kept. */
#include <stdio.h>
#include <string.h>

#include "plugins/auth/session.h"

static const cJSON *document_of(struct auth *a, const struct sk_bytes *bytes)
{
	sk_arena_reset(&a->scratch, 64 * 1024);
	return bytes ? sk_json_parse(&a->scratch, bytes->data, bytes->size, NULL, NULL) : NULL;
}

/* Names are ours ("<id>/<rest>"); anything else is nobody's and is passed over. *rest is what follows the id. */
static bool split(const char *name, uint8_t id[CERTIFICATE_ID_SIZE], const char **rest)
{
	char hex[CERTIFICATE_HEX_SIZE + 1];

	if (strlen(name) <= CERTIFICATE_HEX_SIZE || name[CERTIFICATE_HEX_SIZE] != '/')
		return false;
	memcpy(hex, name, CERTIFICATE_HEX_SIZE);
	hex[CERTIFICATE_HEX_SIZE] = 0;
	*rest = name + CERTIFICATE_HEX_SIZE + 1;
	return certificate_id_read(hex, id);
}

int auth_watch_certificate(void *state, const char *name, const struct sk_bytes *bytes)
{
	struct auth *a = state;
	uint8_t id[CERTIFICATE_ID_SIZE];
	struct index_certificate x;
	char why[64];

	if (!certificate_id_read(name, id))
		return 0;
	const char *status = sk_json_text(document_of(a, bytes), "status");
	if (index_set_certificate(a->index, id, bytes && !status ? "unreadable" : status))
		return -1;
	index_find(a->index, id, &x);
	snprintf(why, sizeof(why), "certificate %s is %s", auth_short(id), index_status_name(x.status));
	session_changed(a, id, x.status == INDEX_ACTIVE ? NULL : why);
	return 0;
}

int auth_watch_attached(void *state, const char *name, const struct sk_bytes *bytes)
{
	struct auth *a = state;
	uint8_t id[CERTIFICATE_ID_SIZE];
	const char *policy;

	if (!split(name, id, &policy))
		return 0;
	session_changed(a, id, NULL);
	return index_set_attached(a->index, id, policy, bytes != NULL);
}

int auth_watch_principal(void *state, const char *name, const struct sk_bytes *bytes)
{
	struct auth *a = state;
	uint8_t id[CERTIFICATE_ID_SIZE];
	const char *thing;

	if (!split(name, id, &thing))
		return 0;
	session_changed(a, id, NULL);
	return index_set_thing(a->index, id, thing, bytes != NULL);
}

int auth_watch_policy(void *state, const char *name, const struct sk_bytes *bytes)
{
	struct auth *a = state;
	const cJSON *record = document_of(a, bytes);
	const char *document = sk_json_text(record, "policyDocument");
	char why[300] = "", line[600];
	int rc;

	/* A name that nothing has named before concerns no connection; making many policies costs the others nothing. */
	if (index_policy(a->index, name) || (a->plain_policy && !strcmp(a->plain_policy, name)))
		a->epoch++;
	rc = index_set_policy(a->index, name, sk_json_text(record, "defaultVersionId"), bytes && !document ? "" : document, why, sizeof(why));
	if (*why) {
		snprintf(line, sizeof(line), "policy %s denies everything: %s", name, why);
		a->host->log('e', line);
	}
	return rc;
}
