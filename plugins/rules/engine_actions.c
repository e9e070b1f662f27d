/* engine_actions.c -- see engine_actions.h. The type Action is compiled once. */
#include "plugins/rules/engine_actions.h"

#include <string.h>

#include "plugins/rules/action_check.h"

void engine_actions_ready(struct rules_engine *e)
{
	char why[256];
	struct sk_inputs *in = e->rt->shapes ? sk_inputs_new(e->rt->shapes, "", "action!:Action", true, why, sizeof why) : NULL;

	if (e->rt->shapes && !in)
		sk_log('e', "rules", "memory is out: actions of files and of Lua are carried out unseen");
	atomic_store(&e->action_shape, in);
}

void engine_actions_free(struct rules_engine *e)
{
	struct sk_inputs *in = atomic_exchange(&e->action_shape, NULL);

	sk_inputs_free(&in);
}

/* The last of the errors that AWS's sentence names, without the value, which may be a password. */
static const char *without_value(const char *sentence)
{
	const char *path = sentence;

	for (const char *at = sentence; (at = strstr(at, " at '")); at++)
		path = at + 4;
	return path;
}

const char *engine_action_fault(struct rules_engine *e, const struct rules_action *action, struct sk_arena *a, const char **absent)
{
	const struct sk_inputs *in = atomic_load(&e->action_shape);
	cJSON *all = sk_json_object(a);
	const char *message = NULL;

	*absent = NULL;
	if (in) {
		sk_json_set(a, sk_json_set_object(a, all, "action"), action->kind->name, sk_json_copy(a, action->fields));
		if (a->failed || (sk_inputs_check(in, a, all, &message) && !message))
			return "memory is out";
	}
	return message ? without_value(message) : action_check_one(action, NULL, sk_sink_find, a, absent);
}
