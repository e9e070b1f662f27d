/* replay_rules.c -- a set of rules from a folder, or from the broker at hand: read, compiled, and found by topic.
 *
 * All or nothing: one rule that does not compile ends it, with its file and line. */
#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "cli/replay.h"
#include "cli/rules.h"
#include "cli/value.h"
#include "core/cache.h"

static bool make_room(void **list, size_t *room, size_t n, size_t size)
{
	size_t more = *room ? *room * 2 : 16;
	void *grown = n < *room ? *list : reallocarray(*list, more, size);
	if (!grown)
		return false;
	*room = n < *room ? *room : more;
	*list = grown;
	return true;
}

static int no_memory(void)
{
	return cli_fail(CLI_FAILED, "memory is out");
}

static void mix(struct replay_set *s, const char *text, size_t n)
{
	s->print = (s->print ^ sk_hash(text, n)) * 2654435761u;
}

/* -- one rule -- */

static const struct replay_rule *find_rule(const struct replay_set *s, const char *name)
{
	for (size_t i = 0; i < s->rules; i++)
		if (!strcmp(s->rule[i].name, name))
			return &s->rule[i];
	return NULL;
}

static int add_rule(struct replay_set *s, const char *file, struct replay_rule r)
{
	if (find_rule(s, r.name))
		return cli_fail(CLI_USAGE, "%s: there is another rule %s in %s", file, r.name, s->from);
	if (!make_room((void **)&s->rule, &s->room, s->rules, sizeof(*s->rule)))
		return no_memory();
	if (r.filter && rules_filters_add(s->filters, r.filter, (uint32_t)s->rules))
		return cli_fail(CLI_USAGE, "%s: rule %s: '%s' is no topic filter", file, r.name, r.filter);
	s->rule[s->rules++] = r;
	return CLI_OK;
}

/* `file` goes before what is wrong. A rule that is switched off is none. With `made` it is not added. */
static int add_payload(struct replay_set *s, const char *file, const char *name, const cJSON *payload, const struct rules_rule **made)
{
	struct rules_error e;
	const struct rules_rule *program = rules_compile(&s->arena, name, payload, &s->settings, &e);
	if (made)
		*made = program;
	if (!program)
		return cli_fail(CLI_USAGE, "%s: rule %s: %s", file, name, e.message);
	if (program->disabled || made)
		return CLI_OK;
	return add_rule(s, file, (struct replay_rule){ .name = program->name, .filter = program->filter, .program = program });
}

/* -- files -- */

static int64_t clock_us(void *ctx)
{
	struct timespec t;
	(void)ctx;
	clock_gettime(CLOCK_MONOTONIC, &t);
	return (int64_t)t.tv_sec * 1000000 + t.tv_nsec / 1000;
}

static cJSON *payload_of(struct cli *cli, const struct lua_rule *l)
{
	struct sk_arena *a = &cli->arena;
	cJSON *payload = sk_json_object(a);
	sk_json_set_string(a, payload, "sql", l->sql);
	sk_json_set_string(a, payload, "awsIotSqlVersion", l->sql_version);
	sk_json_set(a, payload, "actions", l->actions ? sk_json_parse(a, l->actions, strlen(l->actions), NULL, NULL) : sk_json_array(a));
	if (l->error_action)
		sk_json_set(a, payload, "errorAction", sk_json_parse(a, l->error_action, strlen(l->error_action), NULL, NULL));
	return payload;
}

static int add_lua_rule(struct cli *cli, struct replay_set *s, const char *path, struct lua_file *file, int i)
{
	const struct lua_rule *l = lua_file_rule(file, i);
	struct replay_rule r = { .name = l->name, .filter = l->filter, .lua = l->has_run ? file : NULL, .index = i };
	const char *where = sk_printf(&cli->arena, "%s:%d", path, l->line);
	int rc = where ? CLI_OK : no_memory();
	if (rc != CLI_OK || l->disabled)
		return rc;
	if (l->sql) {
		rc = add_payload(s, where, l->name, payload_of(cli, l), &r.program);
		r.filter = rc == CLI_OK ? r.program->filter : NULL;
	}
	return rc == CLI_OK ? add_rule(s, where, r) : rc;
}

static int add_lua(struct cli *cli, struct replay_set *s, const char *path)
{
	const struct lua_limits limits = { .time_us = 10000000, .now_us = clock_us };
	const char *slash = strrchr(path, '/');
	struct value_error e;
	char why[1024];
	size_t n = 0;
	const char *text = value_file(&cli->arena, path, &n, &e);
	if (!text)
		return cli_fail(CLI_USAGE, "%s", e.text);
	if (!make_room((void **)&s->file, &s->file_room, s->files, sizeof(*s->file)))
		return no_memory();
	struct lua_file *file = lua_file_load(slash ? slash + 1 : path, text, n, lua_shipped, &limits, why, sizeof(why));
	if (!file)
		return cli_fail(CLI_USAGE, "%.*s%s", slash ? (int)(slash - path + 1) : 0, path, why);
	s->file[s->files++] = file;
	mix(s, text, n);
	int rc = CLI_OK;
	for (int i = 0; rc == CLI_OK && i < lua_file_rules(file); i++)
		rc = add_lua_rule(cli, s, path, file, i);
	return rc;
}

static int add_json(struct cli *cli, struct replay_set *s, const char *path)
{
	struct rule_target t;
	int rc = rule_find(cli, path, false, &t);
	const char *text = rc == CLI_OK ? sk_json_print(&cli->arena, t.payload, NULL) : NULL;
	if (rc == CLI_OK && !text)
		return no_memory();
	if (rc == CLI_OK)
		mix(s, text, strlen(text));
	return rc == CLI_OK ? add_payload(s, path, t.name, t.payload, NULL) : rc;
}

static const struct {
	const char *end;
	int (*add)(struct cli *cli, struct replay_set *s, const char *path);
} kinds[] = { { ".lua", add_lua }, { ".json", add_json } };
enum { KINDS = sizeof(kinds) / sizeof(*kinds) };

static size_t kind_of(const char *name)
{
	size_t n = strlen(name), i = 0;
	while (i < KINDS && (n <= strlen(kinds[i].end) || strcmp(name + n - strlen(kinds[i].end), kinds[i].end)))
		i++;
	return *name == '.' ? KINDS : i;
}

static int is_rules(const struct dirent *d)
{
	return kind_of(d->d_name) < KINDS;
}

/* -- sets -- */

static int begin(struct replay_set *s, const char *from)
{
	s->from = from;
	s->filters = rules_filters_new();
	s->kept = replay_kept_new();
	return s->filters && s->kept ? CLI_OK : no_memory();
}

static int end(struct cli *cli, struct replay_set *s)
{
	s->ids = sk_alloc(&cli->arena, (s->rules + 1) * sizeof(*s->ids));
	return s->ids && !s->arena.failed ? CLI_OK : no_memory();
}

int replay_read_folder(struct cli *cli, struct replay_set *s, const char *folder)
{
	struct dirent **list = NULL;
	int rc = begin(s, folder);
	int n = rc == CLI_OK ? scandir(folder, &list, is_rules, alphasort) : 0;
	if (n < 0)
		return cli_fail(CLI_USAGE, "%s: %s", folder, strerror(errno));
	if (rc == CLI_OK && !n)
		rc = cli_fail(CLI_USAGE, "%s: no .lua and no .json file in this folder", folder);
	for (int i = 0; i < n; i++) {
		const char *path = sk_printf(&cli->arena, "%s%s%s", folder, folder[strlen(folder) - 1] == '/' ? "" : "/", list[i]->d_name);
		if (rc == CLI_OK)
			rc = path ? kinds[kind_of(list[i]->d_name)].add(cli, s, path) : no_memory();
		free(list[i]);
	}
	free(list);
	return rc == CLI_OK ? end(cli, s) : rc;
}

/* A rule of a file with `run` cannot be told from its answer alone: one with actions is SQL. */
static int add_stored(struct cli *cli, struct replay_set *s, const cJSON *item)
{
	const char *name = sk_json_text(item, "ruleName");
	const cJSON *data = NULL;
	cJSON *in = sk_json_object(&cli->arena);
	sk_json_set_string(&cli->arena, in, "ruleName", name);
	int rc = cli_call(cli, "GetTopicRule", in, &data);
	const cJSON *rule = sk_json_get(data, "rule");
	const char *text = rc == CLI_OK ? sk_json_print(&cli->arena, rule, NULL) : NULL;
	if (rc != CLI_OK || !text)
		return rc != CLI_OK ? rc : no_memory();
	if (sk_json_true(rule, "readOnly") && (!sk_json_text(rule, "sql") || !sk_json_count(sk_json_get(rule, "actions")))) {
		s->left_out++;
		return CLI_OK;
	}
	mix(s, text, strlen(text));
	return add_payload(s, "the broker", name, rule, NULL);
}

int replay_read_broker(struct cli *cli, struct replay_set *s)
{
	const char *token = NULL;
	int rc = begin(s, "the broker");
	do {
		const cJSON *data = NULL;
		cJSON *in = sk_json_object(&cli->arena);
		sk_json_set_string(&cli->arena, in, "nextToken", token);
		if (rc == CLI_OK)
			rc = cli_call(cli, "ListTopicRules", in, &data);
		SK_JSON_EACH(item, sk_json_get(data, "rules"))
			if (rc == CLI_OK && !sk_json_true(item, "ruleDisabled"))
				rc = add_stored(cli, s, item);
		token = sk_json_text(data, "nextToken");
	} while (rc == CLI_OK && token);
	return rc == CLI_OK ? end(cli, s) : rc;
}

void replay_set_free(struct replay_set *s)
{
	for (size_t i = 0; i < s->files; i++)
		lua_file_free(&s->file[i]);
	free(s->file);
	free(s->rule);
	rules_filters_free(&s->filters);
	replay_kept_free(&s->kept);
	sk_arena_free(&s->arena);
	*s = (struct replay_set){ 0 };
}
