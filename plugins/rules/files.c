/* files.c -- see files.h. */
#include "plugins/rules/files.h"

#include "plugins/rules/engine.h"
#include "plugins/rules/engine_unit.h"

static const char *sql_of(struct sk_arena *a, struct live_rule *r)
{
	const struct rules_rule *program = atomic_load(&r->compiled);
	return program ? program->sql : sk_printf(a, "SELECT * FROM '%s'", r->filter ? r->filter : "");
}

static void describe(struct sk_arena *a, struct live_rule *r, cJSON *out)
{
	sk_json_set_string(a, out, "ruleName", r->name);
	sk_json_set_bool(a, out, "ruleDisabled", r->disabled || atomic_load(&r->broken));
	sk_json_set_bool(a, out, "readOnly", true);
	sk_json_set_string(a, out, "file", r->unit->name);
}

static void describe_more(struct sk_arena *a, struct live_rule *r, cJSON *out)
{
	const struct rules_rule *program = atomic_load(&r->compiled);
	cJSON *actions = sk_json_set_array(a, out, "actions");
	sk_json_set_string(a, out, "sql", sql_of(a, r));
	sk_json_set_string(a, out, "description", lua_file_rule(r->unit->file, r->index)->description);
	for (int i = 0; program && i < program->actions; i++) {
		cJSON *one = sk_json_append(actions, sk_json_object(a));
		sk_json_set(a, one, program->action[i].kind->name, sk_json_copy(a, program->action[i].fields));
	}
}

bool rules_files_get(void *state, const char *name, struct sk_arena *a, cJSON **rule)
{
	struct live_rule *r = live_get(&((struct rules_state *)state)->engine->table, name);
	bool is_file = r && r->unit;
	if (is_file && rule) {
		*rule = sk_json_object(a);
		describe(a, r, *rule);
		describe_more(a, r, *rule);
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
	sk_json_set_string(l->a, item, "topicPattern", r->filter);
	l->fn(l->ctx, r->name, item);
}

void rules_files_list(void *state, struct sk_arena *a, void (*fn)(void *ctx, const char *name, const cJSON *item), void *ctx)
{
	struct listing l = { a, fn, ctx };
	live_each(&((struct rules_state *)state)->engine->table, list_one, &l);
}
