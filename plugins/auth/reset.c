/* reset.c -- after a gap in what the store tells (core/plugin.h): a second index is filled beside the one that judges, then takes its place.
 *
 * Until then nobody is denied who was not before; changes go into both (watches.c). At the end each session binds anew before its next
 * question, and those whose certificate is not ACTIVE, or not there, lose their connection. */
#include <stdio.h>
#include <string.h>

#include "plugins/auth/session.h"

enum { BUCKETS_AT_ONCE = 16, POLICIES_AT_ONCE = 200 };

static int begin(struct auth *a)
{
	char why[300];

	a->swept = false;
	a->old = a->next; /* an earlier one was not ended; SK_RESET_OVER frees it */
	a->next = index_new(sk_data_dir(), why, sizeof(why));
	if (a->next)
		return 0;
	a->host->log('e', why);
	return -1;
}

static void exchange(struct auth *a)
{
	a->old = a->index;
	a->index = a->next;
	a->next = NULL;
	a->epoch++;
	a->sweep_sessions = 0;
	a->sweep_policies = 0;
	a->swept = true;
}

/* Names that are in the old index alone. */
static bool forget_policies(struct auth *a)
{
	for (int i = 0; i < POLICIES_AT_ONCE; i++) {
		const struct index_policy *old = index_policy_at(a->old, a->sweep_policies++), *now;
		if (!old)
			return false;
		now = index_policy(a->index, old->name);
		if (a->grants && (!now || !now->compiled))
			grants_set(a->grants, old->name, NULL);
	}
	return true;
}

static int end(struct auth *a)
{
	if (a->next)
		exchange(a);
	if (!a->swept)
		return 0;
	for (int i = 0; i < BUCKETS_AT_ONCE && a->sweep_sessions < AUTH_BUCKETS; i++)
		session_sweep(a, a->sweep_sessions++);
	if (a->sweep_sessions < AUTH_BUCKETS || forget_policies(a))
		return 1;
	a->swept = false;
	return 0;
}

int auth_reset(void *state, enum sk_reset phase)
{
	struct auth *a = state;

	switch (phase) {
	case SK_RESET_BEGINS: return begin(a);
	case SK_RESET_ENDS: return end(a);
	default:
		index_free(&a->old);
		return 0;
	}
}
