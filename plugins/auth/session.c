/* session.c -- see session.h. */
#include "plugins/auth/session.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

const char *auth_short(const uint8_t id[CERTIFICATE_ID_SIZE])
{
	static __thread char buffers[4][8];
	static __thread unsigned turn;
	char *out = buffers[turn++ % 4];

	snprintf(out, sizeof(buffers[0]), "%02x%02x…", id[0], id[1]);
	return out;
}

static size_t bucket_of(const uint8_t id[CERTIFICATE_ID_SIZE])
{
	return ((size_t)id[0] << 8 | id[1]) % AUTH_BUCKETS;
}

struct session *session_new(struct auth *a, struct sk_client *client, const uint8_t id[CERTIFICATE_ID_SIZE])
{
	struct session *s = calloc(1, sizeof(*s));
	struct session **bucket;

	if (!s)
		return NULL;
	s->client = client;
	s->stale = true;
	s->certificate = id != NULL;
	if (id)
		memcpy(s->id, id, sizeof(s->id));
	bucket = &a->sessions[bucket_of(s->id)];
	s->next = *bucket;
	s->back = bucket;
	if (s->next)
		s->next->back = &s->next;
	*bucket = s;
	client->auth = s;
	return s;
}

void session_free(struct session **at)
{
	struct session *s = *at;

	if (!s)
		return;
	*s->back = s->next;
	if (s->next)
		s->next->back = s->back;
	s->client->auth = NULL;
	free(s->bound);
	free(s->slot);
	free(s);
	*at = NULL;
}

void session_changed(struct auth *a, const uint8_t id[CERTIFICATE_ID_SIZE], const char *why)
{
	for (struct session *s = a->sessions[bucket_of(id)]; s; s = s->next) {
		if (!s->certificate || memcmp(s->id, id, sizeof(s->id)))
			continue;
		s->stale = true;
		s->kicked = why != NULL;
		if (why)
			a->host->kick(s->client, why);
	}
}

/* -- binding -- */

__attribute__((format(printf, 2, 3))) static int nothing(struct session *s, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(s->why, sizeof(s->why), fmt, ap);
	va_end(ap);
	return -1;
}

static int find_policies(struct auth *a, struct session *s)
{
	struct index_certificate x;

	s->policies = 0;
	s->active = true;
	if (!s->certificate) {
		s->policy[0] = a->plain_policy ? index_policy(a->index, a->plain_policy) : NULL;
		s->policies = s->policy[0] != NULL;
		return s->policies ? 0 : nothing(s, "policy %s of plugin_opt_plain_policy does not exist", a->plain_policy ? a->plain_policy : "");
	}
	index_find(a->index, s->id, &x);
	s->active = x.status == INDEX_ACTIVE;
	if (x.overflow)
		return nothing(s, "certificate %s had more than %d policies attached", auth_short(s->id), INDEX_POLICIES);
	if (!x.policies)
		return nothing(s, "no policy is attached to certificate %s", auth_short(s->id));
	s->policies = x.policies;
	memcpy(s->policy, x.policy, x.policies * sizeof(s->policy[0]));
	return 0;
}

static int bind_policies(struct auth *a, struct session *s)
{
	const struct policy *list[INDEX_POLICIES];
	struct policy_facts facts = { { [POLICY_CLIENT_ID] = s->client->id } };

	if (find_policies(a, s))
		return -1;
	for (size_t i = 0; i < s->policies; i++) {
		list[i] = s->policy[i]->compiled;
		if (!list[i])
			return nothing(s, "policy %s is attached but cannot be read", s->policy[i]->name);
	}
	/* "Thing variables resolve only when client id and thing name are the same and the certificate is attached to the thing." */
	s->has_thing = s->certificate && index_is_attached(a->index, s->id, s->client->id);
	if (s->has_thing)
		facts.variable[POLICY_THING_NAME] = s->client->id;
	s->bound = policy_bind(list, s->policies, &facts, a->arn);
	return s->bound ? 0 : nothing(s, "memory is out");
}

static void note_inactive(struct auth *a, struct session *s)
{
	struct index_certificate x;

	index_find(a->index, s->id, &x);
	nothing(s, "certificate %s is %s", auth_short(s->id), index_status_name(x.status));
}

static void rebind(struct auth *a, struct session *s)
{
	free(s->bound);
	s->bound = NULL;
	if (s->slot)
		memset(s->slot, 0, SESSION_SLOTS * sizeof(*s->slot));
	s->epoch = a->epoch;
	s->stale = bind_policies(a, s) && !strcmp(s->why, "memory is out");
	if (!s->active)
		note_inactive(a, s);
}

void session_refresh(struct auth *a, struct session *s)
{
	if (!session_is_fresh(a, s))
		rebind(a, s);
}

/* -- questions -- */

/* While it closes a connection, Mosquitto asks about each subscription of the session and drops those that are denied. They stay if
 * the policy allows them: the session is there again when the certificate is. Nothing is delivered to it before. */
static bool may_ask(const struct session *s, enum policy_action action)
{
	return s->bound && (s->active || (s->kicked && action == POLICY_Subscribe));
}

static struct policy_verdict ask(const struct session *s, enum policy_action action, const char *name, size_t n)
{
	return may_ask(s, action) ? policy_check(s->bound, action, name, n) : (struct policy_verdict){ 0 };
}

bool session_allows(const struct session *s, enum policy_action action, const char *name, size_t n)
{
	struct policy_verdict v = ask(s, action, name, n);

	if (v.allowed)
		policy_favour(s->bound, v.why);
	return v.allowed;
}

bool session_denies(const struct session *s, enum policy_action action, const char *name, size_t n)
{
	struct policy_verdict v = ask(s, action, name, n);

	return !s->bound || (!v.allowed && v.why);
}

static void via(const struct session *s, char *out, size_t size)
{
	if (s->certificate)
		snprintf(out, size, "via certificate %s", auth_short(s->id));
	else
		snprintf(out, size, "via plugin_opt_plain_policy");
}

static void list_policies(const struct session *s, char *out, size_t size)
{
	size_t n = 0;

	*out = 0;
	for (size_t i = 0; i < s->policies && n < size; i++)
		n += (size_t)snprintf(out + n, size - n, "%s%s v%s", i ? ", " : "", s->policy[i]->name, s->policy[i]->version);
}

static bool misses_thing(const struct session *s)
{
	bool used = false;

	for (size_t i = 0; i < s->policies; i++)
		used |= (s->policy[i]->compiled->variables & 1u << POLICY_THING_NAME) != 0;
	return used && !s->has_thing;
}

void session_explain(const struct session *s, enum policy_action action, const char *name, char *out, size_t size)
{
	struct policy_verdict v = ask(s, action, name, strlen(name));
	char names[600], by[64];

	if (!may_ask(s, action)) {
		snprintf(out, size, "%s", s->why);
		return;
	}
	via(s, by, sizeof(by));
	if (v.why) {
		const struct index_policy *p = s->policy[v.why->policy];
		snprintf(out, size, "statement %u of %s v%s (%s) denies %s", v.why->statement, p->name, p->version, by,
		         policy_actions[action].name);
		return;
	}
	list_policies(s, names, sizeof(names));
	snprintf(out, size, "no statement of %s (%s) allows %s%s", names, by, policy_actions[action].name,
	         misses_thing(s) ? "; ${iot:Connection.Thing.ThingName} has no value, as no thing with this client id is attached" : "");
}

/* -- verdicts -- */

void session_keep(struct session *s, uint8_t key, const char *topic, size_t n, int verdict)
{
	struct session_slot *slot;

	if (!s->slot) {
		s->slot = calloc(SESSION_SLOTS, sizeof(*s->slot));
		for (int i = 0; i < 4; i++)
			s->latest[i] = s->slot;
	}
	slot = session_slot(s, key, topic, n);
	if (!slot)
		return;
	slot->size = (uint16_t)n;
	slot->key = key;
	slot->verdict = (uint8_t)verdict;
	memcpy(slot->topic, topic, n);
	slot->topic[n] = 0;
}
