/* action_check.c -- see action_check.h. Of a field that says where to and who as only its path and a secret's name are told. */
#include "plugins/rules/action_check.h"

#include <string.h>

#include "core/secrets.h"

struct checking {
	struct sk_arena *arena;
	const struct sk_sink *sink;
	const char *where;   /* "actions[0].redis" */
	const char *fault, **absent;
};

/* A path of `connection` names a field with all that is below it; one that ends in .* too. */
static bool is_connection(const char *paths, const char *path)
{
	for (const char *p = paths; p && *p; p += strcspn(p, " "), p += strspn(p, " ")) {
		size_t n = strcspn(p, " ");
		n -= n > 2 && !memcmp(p + n - 2, ".*", 2) ? 2 : 0;
		if (!strncmp(p, path, n) && (!path[n] || path[n] == '.' || path[n] == '['))
			return true;
	}
	return false;
}

static void check_text(struct checking *c, const cJSON *node, const char *path)
{
	const char *absent = NULL;

	if (!is_connection(c->sink->connection, path))
		return;
	const char *fault = sk_secrets_fault(c->arena, node->valuestring, &absent);
	if (fault)
		c->fault = sk_printf(c->arena, "%s.%s: %s", c->where, path, fault);
	else if (absent && !*c->absent)
		*c->absent = sk_printf(c->arena, "%s.%s: there is no secret %.128s", c->where, path, absent);
}

static void check_fields(struct checking *c, const cJSON *node, const char *path)
{
	int i = 0;

	if (c->fault || !path)
		return;
	if (cJSON_IsString(node))
		check_text(c, node, path);
	SK_JSON_EACH(one, node)
		check_fields(c, one, cJSON_IsArray(node) ? sk_printf(c->arena, "%s[%d]", path, i++) :
		                     *path ? sk_printf(c->arena, "%s.%s", path, one->string) : one->string);
}

const char *action_unserved(const struct rules_action *action, action_sinks *find, struct sk_arena *a)
{
	const char *kind = action->kind->name, *plugin = action->kind->plugin;
	void *state;

	if (!strcmp(kind, "republish") || (find && find(kind, &state)))
		return NULL;
	return sk_printf(a, "nothing here carries out %s actions%s%s%s", kind, plugin ? ": load skeeter_" : "", plugin ? plugin : "", plugin ? ".so" : "");
}

const char *action_check_one(const struct rules_action *action, const char *where, action_sinks *find, struct sk_arena *a, const char **absent)
{
	void *state;
	struct checking c = { .arena = a, .where = where ? sk_printf(a, "%s.%s", where, action->kind->name) : action->kind->name, .absent = absent };
	const char *unserved = action->kind->plugin ? action_unserved(action, find, a) : NULL;

	if (unserved)
		return where ? sk_printf(a, "%s: %s", where, unserved) : unserved;
	c.sink = find ? find(action->kind->name, &state) : NULL;
	if (!c.sink)
		return NULL;
	check_fields(&c, action->fields, "");
	const char *fault = !c.fault && c.sink->check ? c.sink->check(action->fields, a) : NULL;
	return fault ? sk_printf(a, "%s: %s", c.where, fault) : c.fault;
}

const char *action_check(const struct rules_rule *r, action_sinks *find, struct sk_arena *a, const char **absent)
{
	const char *fault = NULL;

	*absent = NULL;
	for (int i = 0; i < r->actions && !fault; i++)
		fault = action_check_one(&r->action[i], sk_printf(a, "actions[%d]", i), find, a, absent);
	if (!fault && r->error_action)
		fault = action_check_one(r->error_action, "errorAction", find, a, absent);
	return fault;
}
