/* explain.c -- ExplainAuthorization: what the broker would answer this device, by which statement of which policy, and what is missing.
 *
 * The rules about topics are acl.c's and the policies are judged by the engine of the live check; only who is connected is read from the
 * records and the question instead of the connection. */
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "core/call.h"
#include "plugins/auth/auth.h"
#include "plugins/auth/judgement.h"
#include "plugins/auth/policy_records.h"
#include "plugins/auth/target.h"

#define OPS_FILE "plugins/auth/explain.ops"
#define OPS_GROUP explain
#define OPS_SERVICE "skeeter"
#include "core/ops_table.h"

struct matter {
	enum policy_action action;
	const char *topic; /* as asked: a topic, a filter, or the client id */
	const char *name;  /* what policies see of it */
	const char *client_id, *id;
	struct effective *e;
	const struct effective_policy *decided; /* NULL: nothing did */
	struct judgement judgement;
};

/* "publish", "Publish" and "iot:Publish". */
static int read_action(struct sk_call *c, struct matter *m)
{
	const char *text = sk_json_text(c->in, "action");
	const char *name = strncasecmp(text, "iot:", 4) ? text : text + 4;

	for (int i = 0; i < POLICY_ACTION_COUNT; i++)
		if (!strcasecmp(policy_actions[i].name + 4, name)) {
			m->action = (enum policy_action)i;
			return SK_OK;
		}
	return sk_fail(c, SK_E_INVALID_REQUEST, "There is no action %.100s: use connect, publish, subscribe or receive", text);
}

static int read_certificate(struct sk_call *c, struct matter *m)
{
	const char *id = sk_json_text(c->in, "certificateId"), *principal = sk_json_text(c->in, "principal");
	struct target t;
	int rc;

	if (!id && !principal)
		return sk_fail(c, SK_E_INVALID_REQUEST, "certificateId or principal is required");
	rc = target_certificate(c, principal ? principal : sk_arn(c, "cert/%s", id), false, &t);
	m->id = sk_strdup(c->arena, t.hex);
	return rc;
}

static int read_matter(struct sk_call *c, struct matter *m)
{
	int rc = read_action(c, m);

	m->client_id = sk_json_text(c->in, "clientId");
	m->topic = sk_json_text(c->in, "topic");
	if (m->action == POLICY_Connect && !m->topic)
		m->topic = m->client_id;
	if (!rc && !m->topic)
		rc = sk_fail(c, SK_E_INVALID_REQUEST, "topic is required for %s", policy_actions[m->action].name);
	if (!rc)
		m->name = m->action == POLICY_Subscribe ? auth_inner_filter(m->topic) : m->topic;
	return rc ? rc : read_certificate(c, m);
}

static void find_policies(struct sk_call *c, struct matter *m)
{
	const char *thing = effective_thing(c, m->id, m->client_id);

	effective_add_certificate(c, m->e, m->id);
	if (thing)
		effective_add_thing(c, m->e, thing);
	effective_know(c, m->e, m->client_id, m->id, thing);
	m->e->known.address = sk_json_text(c->in, "sourceIp");
}

/* A Deny decides, else the first Allow. */
static void judge_all(struct sk_call *c, struct matter *m)
{
	for (size_t i = 0; i < m->e->count; i++) {
		struct judgement j = judge(c, m->e, &m->e->policy[i], m->action, m->name);
		if (j.says <= m->judgement.says)
			continue;
		m->judgement = j;
		m->decided = &m->e->policy[i];
	}
}

/* -- what is said whatever the policies are -- */

static const char *refusal_of_certificate(struct sk_call *c, const struct matter *m)
{
	const cJSON *record = sk_get(c, "registry/cert/%s", m->id);
	const char *status = sk_json_text(record, "status");

	if (!record)
		return "the certificate is not registered";
	return status && !strcmp(status, "ACTIVE") ? NULL : sk_printf(c->arena, "the certificate is %s", status ? status : "not ACTIVE");
}

static const char *refusal_of_topic(struct sk_call *c, const struct matter *m)
{
	switch (m->action) {
	case POLICY_Connect:
		return auth_client_id_fault(m->topic);
	case POLICY_Publish:
	case POLICY_RetainPublish:
		return auth_topic_fault(c->state, SK_ACL_WRITE, m->topic);
	case POLICY_Subscribe:
		return auth_topic_fault(c->state, SK_ACL_SUBSCRIBE, m->topic);
	case POLICY_Receive:
		return auth_topic_fault(c->state, SK_ACL_READ, m->topic);
	default:
		return NULL;
	}
}

/* -- the answer -- */

static const char *attached_by(struct sk_call *c, const struct matter *m, const struct effective_policy *p)
{
	return p->group ? target_group_arn(c, p->group) : target_arn(c, m->id);
}

static void answer_effective(struct sk_call *c, const struct matter *m)
{
	cJSON *list = sk_json_set_array(c->arena, c->out, "policies");

	for (size_t i = 0; i < m->e->count; i++) {
		cJSON *out = sk_json_append(list, sk_json_object(c->arena));
		answer_policy(c, out, m->e->policy[i].name);
		sk_json_set_string(c->arena, out, "policyVersionId", sk_json_text(m->e->policy[i].record, "defaultVersionId"));
		sk_json_set_string(c->arena, out, "attachedTo", attached_by(c, m, &m->e->policy[i]));
	}
}

static void answer_statement(struct sk_call *c, const struct matter *m)
{
	const char *document = sk_json_text(m->decided->record, "policyDocument");
	const cJSON *list = document ? sk_json_get(sk_json_parse(c->arena, document, strlen(document), NULL, NULL), "Statement") : NULL;
	const cJSON *statement = cJSON_IsArray(list) ? list->child : list;
	cJSON *out = sk_json_set_object(c->arena, c->out, "statement");

	for (unsigned i = 1; cJSON_IsArray(list) && statement && i < m->judgement.statement; i++)
		statement = statement->next;
	answer_policy(c, out, m->decided->name);
	sk_json_set_string(c->arena, out, "policyVersionId", sk_json_text(m->decided->record, "defaultVersionId"));
	sk_json_set_string(c->arena, out, "attachedTo", attached_by(c, m, m->decided));
	sk_json_set_int(c->arena, out, "number", m->judgement.statement);
	if (statement)
		sk_json_set(c->arena, out, "document", sk_json_copy(c->arena, statement));
}

static const char *verdict_sentence(struct sk_call *c, const struct matter *m)
{
	const char *action = policy_actions[m->action].name;

	switch (m->judgement.says) {
	case JUDGED_ALLOWS:
		return sk_printf(c->arena, "statement %u of %s, attached to %s, allows %s", m->judgement.statement, m->decided->name,
		                 attached_by(c, m, m->decided), action);
	case JUDGED_DENIES:
		return sk_printf(c->arena, "statement %u of %s, attached to %s, denies %s", m->judgement.statement, m->decided->name,
		                 attached_by(c, m, m->decided), action);
	case JUDGED_UNREADABLE:
		return sk_printf(c->arena, "policy %s is attached but cannot be read", m->decided->name);
	default:
		return m->e->count ? sk_printf(c->arena, "no statement of the effective policies allows %s", action) :
		                     "no policy is attached to the certificate";
	}
}

static void answer(struct sk_call *c, struct matter *m)
{
	static const char *const decisions[] = {
		[JUDGED_NOTHING] = "IMPLICIT_DENY", [JUDGED_ALLOWS] = "ALLOWED", [JUDGED_DENIES] = "EXPLICIT_DENY", [JUDGED_UNREADABLE] = "EXPLICIT_DENY",
	};
	const char *refusal = refusal_of_certificate(c, m);

	if (!refusal)
		refusal = refusal_of_topic(c, m);
	sk_json_set_string(c->arena, c->out, "decision", refusal ? "REFUSED" : decisions[m->judgement.says]);
	sk_json_set_string(c->arena, c->out, "why", refusal ? refusal : verdict_sentence(c, m));
	sk_json_set_string(c->arena, c->out, "action", policy_actions[m->action].name);
	sk_json_set_string(c->arena, c->out, "resource", sk_arn(c, "%s%s", policy_kinds[policy_actions[m->action].kind], m->name));
	sk_json_set_string(c->arena, c->out, "clientId", m->client_id);
	sk_json_set_string(c->arena, c->out, "certificateArn", target_arn(c, m->id));
	sk_json_set_string(c->arena, c->out, "thingName", m->e->known.thing);
	if (m->judgement.statement)
		answer_statement(c, m);
	answer_effective(c, m);
	judge_missing(c, m->e, m->action, sk_json_set_array(c->arena, c->out, "missing"));
}

/* A publish that is to be retained takes two permissions: the one that is lacking is told. */
static void judge_retained(struct sk_call *c, struct matter *m)
{
	if (m->action != POLICY_Publish || !sk_json_true(c->in, "retain") || m->judgement.says != JUDGED_ALLOWS)
		return;
	m->action = POLICY_RetainPublish;
	m->judgement = (struct judgement){ 0 };
	m->decided = NULL;
	judge_all(c, m);
}

static int ExplainAuthorization(struct sk_call *c)
{
	struct matter m = { .e = effective_new(c) };
	int rc = read_matter(c, &m);

	if (rc || !m.e || !m.id)
		return rc;
	find_policies(c, &m);
	judge_all(c, &m);
	judge_retained(c, &m);
	answer(c, &m);
	return SK_OK;
}
