/* judgement.c -- see judgement.h. Documents were checked when they were stored; one that does not compile denies everything, as on the
 * broker's thread. */
#include "plugins/auth/judgement.h"

#include <stdlib.h>
#include <string.h>

#include "plugins/auth/auth.h"

static struct policy *compiled(const struct effective_policy *p)
{
	const char *document = sk_json_text(p->record, "policyDocument");
	char why[300];

	return document ? policy_new_with(document, strlen(document), policy_any_action, why, sizeof(why)) : NULL;
}

static struct judgement verdict_of(const struct policy_bound *b, enum policy_action action, const char *name)
{
	struct policy_verdict v = policy_check(b, action, name, strlen(name));

	if (!v.why)
		return (struct judgement){ JUDGED_NOTHING, 0 };
	return (struct judgement){ v.allowed ? JUDGED_ALLOWS : JUDGED_DENIES, v.why->statement };
}

struct judgement judge(struct sk_call *c, const struct effective *e, const struct effective_policy *p, enum policy_action action,
                       const char *name)
{
	const struct auth *s = c->state;
	struct known known = e->known;
	struct policy_facts facts;
	struct policy *policy = sk_void(c) ? NULL : compiled(p);
	const struct policy *list[] = { policy };
	struct judgement j = { JUDGED_UNREADABLE, 0 };
	struct policy_bound *b;

	known_facts(&known, &facts);
	b = policy ? policy_bind(list, 1, &facts, s->arn) : NULL;
	if (b) {
		b->moment.now_ms = c->now_ms;
		j = verdict_of(b, action, name);
	}
	free(b);
	policy_free(&policy);
	return j;
}

struct missing {
	struct sk_call *c;
	cJSON *list;
};

static void note_missing(void *context, const struct policy_statement *s, const char *variable)
{
	const struct missing *m = context;

	(void)s;
	SK_JSON_EACH(known, m->list)
		if (!strcmp(known->valuestring, variable))
			return;
	sk_json_append(m->list, sk_json_string(m->c->arena, variable));
}

void judge_missing(struct sk_call *c, struct effective *e, enum policy_action action, cJSON *list)
{
	struct missing m = { c, list };
	struct policy_facts facts;

	known_facts(&e->known, &facts);
	for (size_t i = 0; i < e->count && !sk_void(c); i++) {
		struct policy *p = compiled(&e->policy[i]);
		if (p)
			policy_missing(p, &facts, action, note_missing, &m);
		policy_free(&p);
	}
}
