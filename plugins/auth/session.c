/* session.c -- see session.h. */
#include "plugins/auth/session.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "plugins/auth/certificate_facts.h"
#include "plugins/auth/index_things.h"
#include "plugins/auth/known.h"

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

/* -- by thing -- */

static struct session **bucket_of_thing(struct auth *a, const char *thing)
{
	uint32_t hash = 2166136261u;

	for (; *thing; thing++)
		hash = (hash ^ (unsigned char)*thing) * 16777619u;
	return &a->of_thing[hash % AUTH_BUCKETS];
}

static void forget_thing(struct session *s)
{
	if (s->thing_back) {
		*s->thing_back = s->thing_next;
		if (s->thing_next)
			s->thing_next->thing_back = s->thing_back;
	}
	s->thing_back = NULL;
	free(s->thing);
	s->thing = NULL;
}

/* "Thing variables resolve only when client id and thing name are the same and the certificate is attached to the thing"; a thing that
 * the certificate is attached to exclusively needs no such client id. */
static int find_thing(struct auth *a, struct session *s)
{
	char name[INDEX_THING];
	const char *thing = name;
	struct session **bucket;

	forget_thing(s);
	if (!s->certificate)
		return 0;
	if (!things_exclusive(index_things(a->index), s->id, name)) {
		if (!s->client->id || !index_is_attached(a->index, s->id, s->client->id))
			return 0;
		thing = s->client->id;
	}
	s->thing = strdup(thing);
	if (!s->thing)
		return -1;
	bucket = bucket_of_thing(a, thing);
	s->thing_next = *bucket;
	s->thing_back = bucket;
	if (s->thing_next)
		s->thing_next->thing_back = &s->thing_next;
	*bucket = s;
	return 0;
}

void session_thing_changed(struct auth *a, const char *thing)
{
	for (struct session *s = a->aside ? NULL : *bucket_of_thing(a, thing); s; s = s->thing_next)
		s->stale |= !strcmp(s->thing, thing);
}

void session_free(struct session **at)
{
	struct session *s = *at;

	if (!s)
		return;
	forget_thing(s);
	*s->back = s->next;
	if (s->next)
		s->next->back = s->back;
	s->client->auth = NULL;
	free(s->bound);
	free(s->slot);
	free(s->policy);
	free(s->facts);
	free(s);
	*at = NULL;
}

void session_changed(struct auth *a, const uint8_t id[CERTIFICATE_ID_SIZE], const char *why)
{
	for (struct session *s = a->aside ? NULL : a->sessions[bucket_of(id)]; s; s = s->next) {
		if (!s->certificate || memcmp(s->id, id, sizeof(s->id)))
			continue;
		s->stale = true;
		s->kicked = why != NULL;
		if (why)
			a->host->kick(s->client, why);
	}
}

void session_sweep(struct auth *a, size_t bucket)
{
	struct index_certificate x;
	char why[64];

	for (struct session *s = a->sessions[bucket]; s; s = s->next) {
		if (s->epoch != a->epoch)
			s->policies = 0;
		if (!s->certificate || (index_find(a->index, s->id, &x) && x.status == INDEX_ACTIVE))
			continue;
		s->stale = s->kicked = true;
		snprintf(why, sizeof(why), "certificate %s is %s", auth_short(s->id), index_status_name(x.status));
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

static const char OUT_OF_MEMORY[] = "memory is out";

static int find_plain_policy(struct auth *a, struct session *s, struct index_effective *found)
{
	const struct index_policy *p = a->plain_policy ? index_policy(a->index, a->plain_policy) : NULL;

	if (!p)
		return nothing(s, "policy %s of plugin_opt_plain_policy does not exist", a->plain_policy ? a->plain_policy : "");
	found->policy[found->count++] = (struct index_attached){ .policy = p };
	return 0;
}

static int find_policies(struct auth *a, struct session *s, struct index_effective *found)
{
	struct index_certificate x;

	s->active = true;
	if (!s->certificate)
		return find_plain_policy(a, s, found);
	index_find(a->index, s->id, &x);
	s->active = x.status == INDEX_ACTIVE;
	if (x.overflow)
		return nothing(s, "certificate %s had more than %d policies attached", auth_short(s->id), INDEX_POLICIES);
	for (size_t i = 0; i < x.policies; i++)
		found->policy[found->count++] = (struct index_attached){ .policy = x.policy[i] };
	if (s->thing && !things_policies(index_things(a->index), s->thing, found))
		return nothing(s, "thing %s is in more groups, or under more policies, than fit", s->thing);
	if (!found->count)
		return nothing(s, "no policy is attached to certificate %s", auth_short(s->id));
	return 0;
}

/* -- what is known of it -- */

struct knowledge {
	struct known known;
	struct policy_facts facts;
	char hex[CERTIFICATE_HEX_SIZE + 1];
	char *thing_facts;
};

/* A certificate is shown while the client is connected: what it says is kept for the time after. */
static int learn_certificate(struct auth *a, struct session *s)
{
	uint8_t id[CERTIFICATE_ID_SIZE];
	size_t n = 0, size = 0;
	const unsigned char *der = a->shown ? a->shown : a->host->certificate_der(s->client, &n);
	const char *facts;

	if (!der)
		return nothing(s, "a policy asks for fields of the certificate, which are known when the client connects next");
	n = a->shown ? a->shown_size : n;
	certificate_id_of(der, n, id);
	if (memcmp(id, s->id, sizeof(id)))
		return nothing(s, "the client shows another certificate");
	sk_arena_reset(&a->scratch, 64 * 1024);
	facts = facts_of_der(&a->scratch, der, n, &size);
	if (!facts && !a->scratch.failed)
		return nothing(s, "the certificate cannot be read");
	s->facts = facts ? malloc(size) : NULL;
	if (!s->facts)
		return nothing(s, OUT_OF_MEMORY);
	memcpy(s->facts, facts, size);
	return 0;
}

static uint32_t variables_of(const struct session *s)
{
	uint32_t bits = 0;

	for (size_t i = 0; i < s->policies; i++)
		bits |= s->policy[i].policy->compiled->variables;
	return bits;
}

/* Only what the policies ask for is looked up. k->thing_facts is the caller's to free. */
static int know(const struct auth *a, const struct session *s, struct knowledge *k)
{
	/* "Only available when a device connects over MQTT": what has no client id (asked.c) has no thing variables. */
	const char *thing = s->client->id ? s->thing : NULL;
	bool failed = false;

	*k = (struct knowledge){ .known = { .client_id = s->client->id, .thing = thing, .address = s->client->address,
		                            .certificate_facts = s->facts } };
	if (s->certificate) {
		certificate_id_print(s->id, k->hex);
		k->known.certificate = k->hex;
	}
	if (thing && variables_of(s) & (1u << POLICY_THING_TYPE | 1u << POLICY_ATTRIBUTE))
		k->thing_facts = things_facts(index_things(a->index), s->thing, &failed);
	k->known.thing_facts = k->thing_facts;
	known_facts(&k->known, &k->facts);
	return failed ? -1 : 0;
}

static int bind_known(struct auth *a, struct session *s, const struct policy *const *list)
{
	struct knowledge k;

	if (s->certificate && !s->facts && variables_of(s) & 1u << POLICY_CERTIFICATE && learn_certificate(a, s))
		return -1;
	if (!know(a, s, &k))
		s->bound = policy_bind(list, s->policies, &k.facts, a->arn);
	free(k.thing_facts);
	return s->bound ? 0 : nothing(s, OUT_OF_MEMORY);
}

static int keep_policies(struct session *s, const struct index_effective *found)
{
	size_t n = found->count * sizeof(*s->policy);

	free(s->policy);
	s->policy = malloc(n);
	if (!s->policy)
		return nothing(s, OUT_OF_MEMORY);
	memcpy(s->policy, found->policy, n);
	s->policies = found->count;
	return 0;
}

static int bind_policies(struct auth *a, struct session *s)
{
	const struct policy *list[INDEX_EFFECTIVE];
	struct index_effective found;

	s->policies = found.count = 0;
	if (find_thing(a, s))
		return nothing(s, OUT_OF_MEMORY);
	if (find_policies(a, s, &found))
		return -1;
	for (size_t i = 0; i < found.count; i++) {
		list[i] = found.policy[i].policy->compiled;
		if (!list[i])
			return nothing(s, "policy %s is attached but cannot be read", found.policy[i].policy->name);
	}
	return keep_policies(s, &found) ? -1 : bind_known(a, s, list);
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
	s->stale = bind_policies(a, s) && !strcmp(s->why, OUT_OF_MEMORY);
	if (!s->active)
		note_inactive(a, s);
}

void session_refresh(struct auth *a, struct session *s)
{
	if (!session_is_fresh(a, s))
		rebind(a, s);
	s->fleeting = false;
	if (s->bound && s->bound->when)
		s->bound->moment = (struct policy_moment){ .now_ms = a->now_ms, .persistent = !s->client->clean_session };
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

bool session_allows(struct session *s, enum policy_action action, const char *name, size_t n)
{
	struct policy_verdict v = ask(s, action, name, n);

	s->fleeting |= v.fleeting;
	if (v.allowed)
		policy_favour(s->bound, v.why);
	return v.allowed;
}

bool session_denies(struct session *s, enum policy_action action, const char *name, size_t n)
{
	struct policy_verdict v = ask(s, action, name, n);

	s->fleeting |= v.fleeting;
	return !s->bound || (!v.allowed && v.why);
}

/* Mosquitto tells of a will when it is sent, not when the client connects. */
bool session_allows_will(const struct session *s)
{
	bool allowed;

	if (!may_ask(s, POLICY_Connect) || !s->bound->when)
		return true;
	s->bound->moment.last_will = true;
	allowed = policy_check(s->bound, POLICY_Connect, s->client->id, strlen(s->client->id)).allowed;
	s->bound->moment.last_will = false;
	return allowed;
}

/* -- why -- */

struct line {
	char *out;
	size_t size, used;
	char *seen; /* where the names of variables begin */
};

__attribute__((format(printf, 2, 3))) static void say(struct line *l, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	int n = l->used < l->size ? vsnprintf(l->out + l->used, l->size - l->used, fmt, ap) : 0;
	va_end(ap);
	l->used += n > 0 ? (size_t)n : 0;
}

static void say_policy(struct line *l, const struct index_attached *p)
{
	say(l, "%s v%s", p->policy->name, p->policy->version);
	if (p->group)
		say(l, " of group %s", p->group);
}

static void say_via(struct line *l, const struct session *s)
{
	if (s->certificate)
		say(l, " (via certificate %s)", auth_short(s->id));
	else
		say(l, " (via plugin_opt_plain_policy)");
}

static void say_missing(void *context, const struct policy_statement *statement, const char *variable)
{
	struct line *l = context;
	char text[200];

	(void)statement;
	snprintf(text, sizeof(text), "${%.150s} has no value", variable);
	if (l->used >= l->size || strstr(l->seen, text))
		return;
	say(l, "; %s", text);
	if (!strcasecmp(variable, "iot:Connection.Thing.ThingName"))
		say(l, ", as no thing with this client id is attached");
}

static void say_all_missing(struct line *l, const struct auth *a, const struct session *s, enum policy_action action)
{
	struct knowledge k;

	l->seen = l->out + (l->used < l->size ? l->used : l->size - 1);
	if (!know(a, s, &k))
		for (size_t i = 0; i < s->policies; i++)
			policy_missing(s->policy[i].policy->compiled, &k.facts, action, say_missing, l);
	free(k.thing_facts);
}

void session_explain(const struct auth *a, const struct session *s, enum policy_action action, const char *name, char *out, size_t size)
{
	struct policy_verdict v = ask(s, action, name, strlen(name));
	struct line l = { .out = out, .size = size };

	if (!may_ask(s, action)) {
		say(&l, "%s", s->why);
		return;
	}
	if (v.why) {
		say(&l, "statement %u of ", v.why->statement);
		say_policy(&l, &s->policy[v.why->policy]);
		say_via(&l, s);
		say(&l, " denies %s", policy_actions[action].name);
		return;
	}
	say(&l, "no statement of ");
	for (size_t i = 0; i < s->policies; i++) {
		say(&l, "%s", i ? ", " : "");
		say_policy(&l, &s->policy[i]);
	}
	say_via(&l, s);
	say(&l, " allows %s", policy_actions[action].name);
	say_all_missing(&l, a, s, action);
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
