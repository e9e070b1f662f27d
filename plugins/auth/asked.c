/* asked.c -- a device that shows its certificate elsewhere than to Mosquitto (HTTPS) is judged as a connection would be: registered,
 * ACTIVE, and its policies as they are now.
 *
 * It has no client id and is no connection: "thing policy variables are only available when a device connects over MQTT", and
 * iot:ClientId has no value. The policies of the groups of a thing count where the certificate is attached to it exclusively. */
#include <stdio.h>
#include <string.h>

#include "core/ask.h"
#include "plugins/auth/session.h"

static int action_of(const char *name)
{
	int action = 0;

	while (action < POLICY_ACTION_COUNT && strcmp(policy_actions[action].name, name))
		action++;
	return action;
}

static int deny(struct auth *a, struct sk_ask *ask, const char *action, const char *resource)
{
	auth_deny(a, "deny https %s %s: %s", action, auth_shown(resource), ask->why);
	return SK_DENY;
}

static int by_policies(struct auth *a, struct sk_ask *ask, struct session *s)
{
	session_refresh(a, s);
	for (int i = 0; i < ask->permissions; i++) {
		const struct sk_permission *p = &ask->permission[i];
		int action = action_of(p->action);
		if (action < POLICY_ACTION_COUNT && session_allows(s, (enum policy_action)action, p->resource, strlen(p->resource)))
			continue;
		if (action < POLICY_ACTION_COUNT)
			session_explain(a, s, (enum policy_action)action, p->resource, ask->why, sizeof(ask->why));
		else
			snprintf(ask->why, sizeof(ask->why), "there is no such action");
		return deny(a, ask, p->action, p->resource);
	}
	return SK_ALLOW;
}

int auth_asked(struct auth *a, struct sk_ask *ask)
{
	struct sk_client nobody = { .address = ask->address };
	uint8_t id[CERTIFICATE_ID_SIZE];
	struct index_certificate x;
	struct session *s;
	int verdict;

	certificate_id_of(ask->der, ask->der_size, id);
	certificate_id_print(id, ask->principal);
	index_find(a->index, id, &x);
	if (x.status != INDEX_ACTIVE) {
		snprintf(ask->why, sizeof(ask->why), "certificate %s is %s", ask->principal, index_status_name(x.status));
		return deny(a, ask, "request of", auth_short(id));
	}
	if (auth_is_lost(a)) {
		snprintf(ask->why, sizeof(ask->why), "the store does not answer, so whether certificate %s is still ACTIVE is not known", ask->principal);
		return deny(a, ask, "request of", auth_short(id));
	}
	s = session_new(a, &nobody, id);
	if (!s)
		return SK_DENY;
	a->shown = ask->der;
	a->shown_size = ask->der_size;
	verdict = by_policies(a, ask, s);
	a->shown = NULL;
	session_free(&s);
	return verdict;
}
