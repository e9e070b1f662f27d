/* watches.c -- committed records reach the index, and the connections that they concern.
 *
 * A certificate that is no longer ACTIVE loses its connections; whatever they still send before the next tick is denied, because their
 * sessions bind anew. Returns nonzero only when the index cannot be kept. */
#include <stdio.h>
#include <string.h>

#include "plugins/auth/index_things.h"
#include "plugins/auth/known.h"
#include "plugins/auth/session.h"

static const cJSON *document_of(struct auth *a, const struct sk_bytes *bytes)
{
	sk_arena_reset(&a->scratch, 64 * 1024);
	return bytes ? sk_json_parse(&a->scratch, bytes->data, bytes->size, NULL, NULL) : NULL;
}

/* A record that could not be read for want of memory, which is another matter than one that says nothing. */
static bool is_unread(const struct auth *a, const cJSON *record, const struct sk_bytes *bytes)
{
	return bytes && !record && a->scratch.failed;
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

static int watch_certificate(struct auth *a, const char *name, const struct sk_bytes *bytes)
{
	uint8_t id[CERTIFICATE_ID_SIZE];
	struct index_certificate x;
	char why[64];

	if (!certificate_id_read(name, id))
		return 0;
	const cJSON *record = document_of(a, bytes);
	const char *status = sk_json_text(record, "status");
	if (index_set_certificate(a->index, id, bytes && !status ? "unreadable" : status))
		return -1;
	index_find(a->index, id, &x);
	snprintf(why, sizeof(why), "certificate %s is %s", auth_short(id), index_status_name(x.status));
	session_changed(a, id, x.status == INDEX_ACTIVE ? NULL : why);
	return is_unread(a, record, bytes) ? -1 : 0;
}

static int watch_attached(struct auth *a, const char *name, const struct sk_bytes *bytes)
{
	uint8_t id[CERTIFICATE_ID_SIZE];
	const char *policy;

	if (!split(name, id, &policy))
		return 0;
	session_changed(a, id, NULL);
	return index_set_attached(a->index, id, policy, bytes != NULL);
}

static int note_exclusive(struct auth *a, const uint8_t id[CERTIFICATE_ID_SIZE], const char *thing, bool exclusive)
{
	struct things *things = index_things(a->index);
	char now[INDEX_THING];

	if (exclusive)
		return things_set_exclusive(things, id, thing);
	return things_exclusive(things, id, now) && !strcmp(now, thing) ? things_set_exclusive(things, id, NULL) : 0;
}

static int watch_principal(struct auth *a, const char *name, const struct sk_bytes *bytes)
{
	uint8_t id[CERTIFICATE_ID_SIZE];
	const cJSON *record = document_of(a, bytes);
	const char *thing, *type = sk_json_text(record, "thingPrincipalType");

	if (!split(name, id, &thing))
		return 0;
	session_changed(a, id, NULL);
	/* A thing that is not known brings neither its groups' policies nor its values: the certificate's denials would be too few. */
	if (is_unread(a, record, bytes) || note_exclusive(a, id, thing, type && !strcmp(type, "EXCLUSIVE_THING")) ||
	    index_set_thing(a->index, id, thing, bytes != NULL))
		return index_close_certificate(a->index, id);
	return 0;
}

/* -- things and groups -- */

static void add_fact(const char *name, const char *value, char **at)
{
	if (!value)
		return;
	*at = stpcpy(*at, name) + 1;
	*at = stpcpy(*at, value) + 1;
}

/* Of a thing its type and attributes are kept, and nothing of one that has neither. */
static int watch_thing(struct auth *a, const char *name, const struct sk_bytes *bytes)
{
	const cJSON *record = document_of(a, bytes), *attributes = sk_json_get(record, "attributes");
	char *text = sk_alloc_text(&a->scratch, (bytes ? bytes->size : 0) + 16), *at = text;

	session_thing_changed(a, name);
	if (!text || is_unread(a, record, bytes))
		return things_close(index_things(a->index), name);
	add_fact(KNOWN_TYPE, sk_json_text(record, "thingTypeName"), &at);
	SK_JSON_EACH(attribute, attributes)
		add_fact(attribute->string, attribute->valuestring, &at);
	if (at > text)
		*at++ = 0;
	return things_set_facts(index_things(a->index), name, text, (size_t)(at - text));
}

/* "<first>/<second>" of names that hold no slash. */
static bool halves(const char *name, char first[INDEX_THING], const char **second)
{
	const char *slash = strchr(name, '/');

	if (!slash || (size_t)(slash - name) >= INDEX_THING)
		return false;
	memcpy(first, name, (size_t)(slash - name));
	first[slash - name] = 0;
	*second = slash + 1;
	return true;
}

static int watch_member(struct auth *a, const char *name, const struct sk_bytes *bytes)
{
	char thing[INDEX_THING];
	const char *group;

	if (!halves(name, thing, &group))
		return 0;
	session_thing_changed(a, thing);
	return things_set_member(index_things(a->index), thing, group, bytes != NULL);
}

/* Groups and what is attached to them change seldom, and who is concerned takes a walk: every connection binds anew. */
static int watch_group(struct auth *a, const char *name, const struct sk_bytes *bytes)
{
	const cJSON *record = document_of(a, bytes);
	const char *parent = sk_json_text(record, "parentGroupName");

	if (parent || !bytes || !record)
		a->epoch++;
	if (is_unread(a, record, bytes))
		return things_lose(index_things(a->index));
	return parent || !bytes ? things_set_parent(index_things(a->index), name, parent) : 0;
}

static int watch_attached_group(struct auth *a, const char *name, const struct sk_bytes *bytes)
{
	char group[INDEX_THING];
	const char *policy;

	if (!halves(name, group, &policy))
		return 0;
	a->epoch++;
	return index_set_attached_group(a->index, group, policy, bytes != NULL);
}

/* -- policies -- */

static int watch_policy(struct auth *a, const char *name, const struct sk_bytes *bytes)
{
	const cJSON *record = document_of(a, bytes);
	const char *document = sk_json_text(record, "policyDocument");
	char why[300] = "", line[600];
	int rc;

	/* A name that nothing has named before concerns no connection; making many policies costs the others nothing. */
	if (index_policy(a->index, name) || (a->plain_policy && !strcmp(a->plain_policy, name)))
		a->epoch++;
	rc = index_set_policy(a->index, name, sk_json_text(record, "defaultVersionId"), bytes && !document ? "" : document, why, sizeof(why));
	if (*why && !a->aside) {
		snprintf(line, sizeof(line), "policy %s denies everything: %s", name, why);
		a->host->log('e', line);
	}
	const struct index_policy *p = rc ? NULL : index_policy(a->index, name);
	if (!rc && p && a->grants)
		rc = grants_set(a->grants, name, p->compiled);
	return is_unread(a, record, bytes) ? -1 : rc;
}

/* -- into the index that judges, and into the one that is built beside it -- */

static int tell(struct auth *a, int (*watch)(struct auth *, const char *, const struct sk_bytes *), const char *name, const struct sk_bytes *bytes)
{
	struct index *now = a->index;
	int rc = watch(a, name, bytes);

	if (!a->next)
		return rc;
	a->index = a->next;
	a->aside = true;
	rc |= watch(a, name, bytes);
	a->aside = false;
	a->index = now;
	return rc;
}

int auth_watch_certificate(void *state, const char *name, const struct sk_bytes *bytes)
{
	return tell(state, watch_certificate, name, bytes);
}

int auth_watch_attached(void *state, const char *name, const struct sk_bytes *bytes)
{
	return tell(state, watch_attached, name, bytes);
}

int auth_watch_principal(void *state, const char *name, const struct sk_bytes *bytes)
{
	return tell(state, watch_principal, name, bytes);
}

int auth_watch_thing(void *state, const char *name, const struct sk_bytes *bytes)
{
	return tell(state, watch_thing, name, bytes);
}

int auth_watch_member(void *state, const char *name, const struct sk_bytes *bytes)
{
	return tell(state, watch_member, name, bytes);
}

int auth_watch_group(void *state, const char *name, const struct sk_bytes *bytes)
{
	return tell(state, watch_group, name, bytes);
}

int auth_watch_attached_group(void *state, const char *name, const struct sk_bytes *bytes)
{
	return tell(state, watch_attached_group, name, bytes);
}

int auth_watch_policy(void *state, const char *name, const struct sk_bytes *bytes)
{
	return tell(state, watch_policy, name, bytes);
}
