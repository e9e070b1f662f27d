/* acl.c -- may this client do this with this topic?
 *
 * A client with a certificate is held to its policies and nobody else is asked. Below $aws/ it may write only where an input row
 * is; all other topics that begin with $ are reserved. A client without one is kept away from $aws/ unless plain_policy
 * allows it, and is left to `others` everywhere else. */
#include <string.h>

#include "plugins/auth/session.h"

#define CONTROL "$CONTROL/skeeter/v1"

/* One question on its way to an answer. */
struct question {
	struct auth *a;
	struct sk_client *client;
	struct session *session; /* NULL: a plain client without a policy */
	int access;
	const char *topic;       /* as the client wrote it */
	const char *name;        /* the topic, or the filter behind $share/<group>/ */
	size_t size;             /* of name */
	bool retain, will;
};

static const struct {
	enum policy_action action;
	const char *verb, *arrow;
} kinds[] = {
	[SK_ACL_READ] = { POLICY_Receive, "receive", "<-" },
	[SK_ACL_WRITE] = { POLICY_Publish, "publish", "->" },
	[SK_ACL_SUBSCRIBE] = { POLICY_Subscribe, "subscribe", "->" },
};

static bool starts(const char *s, const char *with)
{
	return !strncmp(s, with, strlen(with));
}

/* "$aws" itself counts: the filter $aws/# matches it. */
static inline bool is_aws(const char *name)
{
	return name[0] == '$' && starts(name, "$aws") && (!name[4] || name[4] == '/');
}

const char *auth_inner_filter(const char *filter)
{
	const char *group;

	if (!starts(filter, "$share/"))
		return filter;
	group = strchr(filter + 7, '/');
	return group ? group + 1 : filter + strlen(filter);
}

/* -- denials -- */

static int deny(const struct question *q, const char *why)
{
	auth_deny(q->a, "deny %s %s %s %s: %s", kinds[q->access].verb, auth_shown(q->client->id), kinds[q->access].arrow, auth_shown(q->topic),
	          why);
	if (q->access == SK_ACL_READ || q->will || q->a->violations == VIOLATIONS_DENY || !q->session || !q->session->certificate)
		return SK_DENY;
	return SK_DISCONNECT;
}

static int deny_by_policy(const struct question *q, enum policy_action action)
{
	char why[1000];

	session_explain(q->a, q->session, action, q->name, why, sizeof(why));
	return deny(q, why);
}

/* -- the policy -- */

static int by_policy(const struct question *q)
{
	enum policy_action action = kinds[q->access].action;

	if (!session_allows(q->session, action, q->name, q->size))
		return deny_by_policy(q, action);
	if (q->will && !session_allows_will(q->session))
		return deny(q, "no statement allows iot:Connect with LastWill among iot:ConnectAttributes");
	if (q->retain && !session_allows(q->session, POLICY_RetainPublish, q->name, q->size))
		return deny_by_policy(q, POLICY_RetainPublish);
	return SK_ALLOW;
}

static const char NO_SERVICE[] = "no service takes this topic", RESERVED[] = "topics that begin with $ are reserved";

static int below_aws(const struct question *q)
{
	if (q->access == SK_ACL_WRITE && q->will)
		return deny(q, "a will below $aws/ is not sent");
	if (q->access == SK_ACL_WRITE && !q->a->host->is_input(q->name))
		return deny(q, NO_SERVICE);
	return by_policy(q);
}

/* -- the control topic -- */

static bool is_control(const struct question *q)
{
	return !strcmp(q->topic, q->access == SK_ACL_WRITE ? CONTROL : CONTROL "/response");
}

static int control(const struct question *q)
{
	if (q->will) /* Mosquitto 2.0.11 routes it like any message */
		return deny(q, "a will to the control topic is not sent");
	return q->client->is_operator ? SK_ALLOW : deny(q, "the client is not listed in plugin_opt_operators");
}

/* -- clients with a certificate -- */

static int reserved(const struct question *q)
{
	return is_control(q) ? control(q) : deny(q, RESERVED);
}

static bool is_reserved(const char *topic, const char *name)
{
	return topic[0] == '$' && (name == topic || name[0] == '$' || !name[0]);
}

static int decide(const struct question *q)
{
	if (is_aws(q->name))
		return below_aws(q);
	return is_reserved(q->topic, q->name) ? reserved(q) : by_policy(q);
}

const char *auth_topic_fault(const struct auth *a, int access, const char *topic)
{
	const char *name = access == SK_ACL_SUBSCRIBE ? auth_inner_filter(topic) : topic;

	if (is_aws(name))
		return access == SK_ACL_WRITE && !a->host->is_input(name) ? NO_SERVICE : NULL;
	return is_reserved(topic, name) ? RESERVED : NULL;
}

/* What a verdict is kept under: never 0. */
static inline uint8_t key_of(int access, bool retain)
{
	return (uint8_t)(access | retain << 4);
}

static int with_certificate(struct question *q)
{
	size_t n = strlen(q->topic);
	int verdict;

	session_refresh(q->a, q->session);
	q->name = q->access == SK_ACL_SUBSCRIBE ? auth_inner_filter(q->topic) : q->topic;
	q->size = n - (size_t)(q->name - q->topic);
	verdict = decide(q);
	/* Not kept: a will's verdict, what depends on the moment, and whether the client is an operator, which may change. */
	if (!q->will && !q->session->fleeting && (q->topic[0] != '$' || is_aws(q->topic)))
		session_keep(q->session, key_of(q->access, q->retain), q->topic, n, verdict);
	return verdict;
}

/* The common way, before anything else is made: the same topic as lately, whose verdict is kept; SK_PASS when it is not. A denial is
 * decided again, for its log line; of messages that cannot be received one line per topic is enough. */
static inline int recalled(const struct auth *a, struct session *s, int access, const char *topic, const struct sk_message_view *m)
{
	bool write = access == SK_ACL_WRITE && m;
	uint8_t key = key_of(access, write && m->retain);
	int verdict;

	if (!s->certificate || !session_is_fresh(a, s) || (write && m->will))
		return SK_PASS;
	verdict = session_recall(s, access, key, topic);
	return verdict == SK_ALLOW || access == SK_ACL_READ ? verdict : SK_PASS;
}

/* -- clients without one -- */

static int plain_aws(const struct question *q)
{
	if (!q->session)
		return deny(q, "the client has no certificate, and plugin_opt_plain_policy is not set");
	session_refresh(q->a, q->session);
	return below_aws(q);
}

static int plain(struct question *q)
{
	q->name = q->access == SK_ACL_SUBSCRIBE ? auth_inner_filter(q->topic) : q->topic;
	q->size = strlen(q->name);
	if (is_aws(q->name))
		return plain_aws(q);
	if (starts(q->name, "$CONTROL/")) /* another plugin's must still guard itself, also with others allow */
		return is_control(q) ? control(q) : SK_PASS;
	/* "$" is where swallowed messages go: nobody may listen there. */
	if (q->access == SK_ACL_SUBSCRIBE && (!strcmp(q->name, "$") || starts(q->name, "$/")))
		return deny(q, RESERVED);
	if (q->session) {
		session_refresh(q->a, q->session);
		if (q->session->bound && session_denies(q->session, kinds[q->access].action, q->name, q->size))
			return deny_by_policy(q, kinds[q->access].action);
	}
	return q->a->others == OTHERS_ALLOW ? SK_ALLOW : SK_PASS;
}

/* -- the hook -- */

/* A session that was restored from the broker's file is known by its user name. A client that another plugin let in with such a name has not
 * proved it, and gets nothing. */
static struct session *restored(struct auth *a, struct sk_client *client)
{
	uint8_t id[CERTIFICATE_ID_SIZE];

	if (certificate_id_read(client->username, id))
		return client->restored ? session_new(a, client, id) : NULL;
	return a->plain_policy ? session_new(a, client, NULL) : NULL;
}

static int ask(struct auth *a, struct sk_client *client, int access, const char *topic, const struct sk_message_view *m)
{
	struct question q = { .a = a, .client = client, .session = client->auth, .access = access, .topic = topic };

	if (!q.session) {
		q.session = restored(a, client);
		if (!q.session && (a->plain_policy || certificate_id_read(client->username, NULL)))
			return SK_DENY; /* memory is out, or a certificate's name without the certificate */
	}
	if (access == SK_ACL_WRITE && m) {
		q.retain = m->retain;
		q.will = m->will;
	}
	if (access == SK_ACL_UNSUBSCRIBE)
		return q.session && q.session->certificate ? SK_ALLOW : a->others == OTHERS_ALLOW ? SK_ALLOW : SK_PASS;
	return q.session && q.session->certificate ? with_certificate(&q) : plain(&q);
}

int auth_acl(struct auth *a, struct sk_client *client, int access, const char *topic, const struct sk_message_view *m)
{
	int verdict = client->auth ? recalled(a, client->auth, access, topic, m) : SK_PASS;

	return verdict != SK_PASS ? verdict : ask(a, client, access, topic, m);
}
