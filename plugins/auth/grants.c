/* grants.c -- see grants.h. A question holds its policies while it is judged, so nothing that changes meanwhile is waited for. */
#include "plugins/auth/grants.h"

#include <pthread.h>
#include <search.h>
#include <stdlib.h>
#include <string.h>

#include "core/plugin.h"
#include "plugins/auth/known.h"

enum { MOST = 16 }; /* policies of one key that are judged by */

struct named {
	struct policy *compiled;
	char name[];
};
struct grants {
	pthread_rwlock_t lock;
	void *names; /* tree of struct named */
};

static int by_name(const void *a, const void *b)
{
	return strcmp(((const struct named *)a)->name, ((const struct named *)b)->name);
}

static struct named *new_named(const char *name)
{
	struct named *n = malloc(sizeof(*n) + strlen(name) + 1);

	if (n) {
		n->compiled = NULL;
		strcpy(n->name, name);
	}
	return n;
}

static void free_named(void *at)
{
	struct named *n = at;

	policy_free(&n->compiled);
	free(n);
}

struct grants *grants_new(void)
{
	struct grants *g = calloc(1, sizeof(*g));

	if (g)
		pthread_rwlock_init(&g->lock, NULL);
	return g;
}

void grants_free(struct grants **g)
{
	if (!*g)
		return;
	tdestroy((*g)->names, free_named);
	pthread_rwlock_destroy(&(*g)->lock);
	free(*g);
	*g = NULL;
}

/* `fresh` finds its like, or takes a place. NULL: memory is out. */
static struct named *place(struct grants *g, struct named *fresh)
{
	struct named **at = tsearch(fresh, &g->names, by_name);

	return at ? *at : NULL;
}

int grants_set(struct grants *g, const char *name, struct policy *compiled)
{
	struct named *fresh = new_named(name), *n;

	if (!fresh)
		return -1;
	pthread_rwlock_wrlock(&g->lock);
	n = place(g, fresh);
	if (n) {
		policy_free(&n->compiled);
		n->compiled = policy_hold(compiled);
	}
	if (n && !compiled)
		tdelete(n, &g->names, by_name);
	pthread_rwlock_unlock(&g->lock);
	if (n != fresh)
		free(fresh);
	if (n && !compiled)
		free(n);
	return n ? 0 : -1;
}

/* -- judging -- */

static const struct named *find(struct grants *g, const char *name)
{
	struct named *wanted = new_named(name), **at = wanted ? tfind(wanted, &g->names, by_name) : NULL;

	free(wanted);
	return at ? *at : NULL;
}

/* false: one of them is missing. Those in list[] are the caller's to free in any case. */
static bool hold_all(struct grants *g, const struct sk_judgement *j, struct policy *list[MOST])
{
	bool all = j->policies <= MOST;

	pthread_rwlock_rdlock(&g->lock);
	for (size_t i = 0; all && i < j->policies; i++) {
		const struct named *n = find(g, j->policy[i]);
		list[i] = n ? policy_hold(n->compiled) : NULL;
		all = list[i] != NULL;
	}
	pthread_rwlock_unlock(&g->lock);
	return all;
}

static int verdict_of(struct policy *const list[], struct sk_judgement *j)
{
	const struct policy *const *policies = (const struct policy *const *)list;
	struct known known = { .address = j->address };
	struct policy_facts facts;
	struct policy_bound *b;

	known_facts(&known, &facts);
	facts.variable[POLICY_IS_ATTACHED] = NULL; /* there is no thing that it could be about */
	b = policy_bind_whole(policies, j->policies, &facts);
	if (!b)
		return SK_DENY;
	b->moment.now_ms = j->now_ms;
	j->denied = NULL;
	SK_JSON_EACH(one, j->resources)
		if (!j->denied && !policy_check_named(b, policies, j->action, one->valuestring).allowed)
			j->denied = one->valuestring;
	free(b);
	return j->denied ? SK_DENY : SK_ALLOW;
}

int grants_judge(struct grants *g, struct sk_judgement *j)
{
	struct policy *list[MOST] = { NULL };

	j->denied = j->resources && j->resources->child ? j->resources->child->valuestring : NULL;
	int verdict = hold_all(g, j, list) ? verdict_of(list, j) : SK_DENY;

	for (size_t i = 0; i < MOST; i++)
		policy_free(&list[i]);
	return verdict;
}
