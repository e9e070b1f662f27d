/* files.c -- see files.h. */
#include "plugins/rules/files.h"

#include "plugins/rules/engine.h"
#include "plugins/rules/engine_unit.h"

static void describe(struct sk_arena *a, struct live_rule *r, cJSON *out)
{
	sk_json_set_string(a, out, "ruleName", r->name);
	sk_json_set_bool(a, out, "ruleDisabled", r->disabled || atomic_load(&r->broken));
	sk_json_set_bool(a, out, "readOnly", true);
	sk_json_set_string(a, out, "file", r->unit->name);
	sk_json_set_string(a, out, "topicPattern", r->filter);
}

static cJSON *action_of(struct sk_arena *a, const struct rules_action *action)
{
	cJSON *o = sk_json_object(a);
	sk_json_set(a, o, action->kind->name, sk_json_copy(a, action->fields));
	return o;
}

static void describe_more(struct sk_arena *a, struct live_rule *r, const struct rules_settings *settings, cJSON *out)
{
	const struct lua_rule *declared = lua_file_rule(r->unit->file, r->index);
	const struct rules_rule *program = live_program(r, settings);
	cJSON *actions = sk_json_set_array(a, out, "actions");
	sk_json_set_string(a, out, "sql", declared->sql);
	sk_json_set_string(a, out, "awsIotSqlVersion", declared->sql ? declared->sql_version : NULL);
	sk_json_set_string(a, out, "description", declared->description);
	for (int i = 0; program && i < program->actions; i++)
		sk_json_append(actions, action_of(a, &program->action[i]));
	if (program && program->error_action)
		sk_json_set(a, out, "errorAction", action_of(a, program->error_action));
}

bool rules_files_get(void *state, const char *name, struct sk_arena *a, cJSON **rule)
{
	struct rules_engine *e = ((struct rules_state *)state)->engine;
	struct live_rule *r = live_get(&e->table, name);
	bool is_file = r && r->unit;
	if (is_file && rule) {
		*rule = sk_json_object(a);
		describe(a, r, *rule);
		describe_more(a, r, &e->settings, *rule);
	}
	live_unref(r);
	return is_file;
}

struct listing {
	struct sk_arena *a;
	void (*fn)(void *ctx, const char *name, const cJSON *item);
	void *ctx;
};

static void list_one(void *ctx, struct live_rule *r)
{
	const struct listing *l = ctx;
	cJSON *item;
	if (!r->unit)
		return;
	item = sk_json_object(l->a);
	describe(l->a, r, item);
	l->fn(l->ctx, r->name, item);
}

void rules_files_list(void *state, struct sk_arena *a, void (*fn)(void *ctx, const char *name, const cJSON *item), void *ctx)
{
	struct listing l = { a, fn, ctx };
	live_each(&((struct rules_state *)state)->engine->table, list_one, &l);
}
