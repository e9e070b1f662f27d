/* replay.h -- what the files of `skeeter rules replay` share: sets of rules that run here, and what they would do with a message.
 *
 * Nothing is done and nothing is asked of anybody: shadows, the registry and functions cannot be known here, and a rule that asks for them is said to. What
 * Lua rules keep they keep here, from nothing at the beginning of the replay; timers do not run. */
#ifndef SKEETER_REPLAY_H
#define SKEETER_REPLAY_H

#include "cli/cli.h"
#include "lua-rules/host.h"
#include "plugins/rules/engine_zones.h"
#include "rules/filters.h"
#include "rules/look.h"
#include "rules/recorded.h"
#include "rules/rule.h"

struct replay_kept;            /* replay_state.c */
struct replay_rule {
	const char *name, *filter; /* filter NULL: Basic Ingest only */
	const struct rules_rule *program; /* NULL: Lua has no statement */
	struct lua_file *lua;      /* NULL: it is SQL alone */
	int index;                 /* in that file */
};
struct replay_set {
	const char *from;          /* "--with new/": for messages */
	struct sk_arena arena;     /* of the rules */
	struct replay_rule *rule;
	size_t rules, room;
	struct lua_file **file;
	size_t files, file_room;
	struct rules_filters *filters;
	uint32_t *ids;
	struct replay_kept *kept;  /* state of Lua rules */
	struct rules_settings settings;
	uint32_t print;            /* of all that was read: another one is another set */
	int left_out;              /* rules of the broker's files: their Lua is not known here */
};

/* -- replay_rules.c. CLI_OK, or the error is printed -- */
int replay_read_folder(struct cli *cli, struct replay_set *s, const char *folder); /* *.lua and *.json */
int replay_read_broker(struct cli *cli, struct replay_set *s);
void replay_set_free(struct replay_set *s);

/* -- replay_run.c -- */
struct replay_action {
	const char *rule;
	const char *text;          /* "republish hot/7 {...}", "fails: ...", in one line */
	enum { REPLAY_DOES, REPLAY_FAILS, REPLAY_UNKNOWN } kind;
};
struct replay_actions {
	struct replay_action *action;
	size_t n, room;
};
struct replay_run {
	struct sk_arena *arena;    /* of one message */
	struct zones zones;
	struct sql_patterns patterns;
};
/* What the set does with a message, in the order of its rules; the arena's. */
void replay_message(struct replay_run *r, struct replay_set *s, const struct rules_recorded *m, struct replay_actions *out);

/* -- replay_state.c: the state that Lua rules keep -- */
struct replay_kept *replay_kept_new(void);
void replay_kept_free(struct replay_kept **k);
/* NULL: there is none; the arena's. */
const cJSON *replay_kept_get(const struct replay_kept *k, const char *rule, const char *key, struct sk_arena *a);
int replay_kept_set(struct replay_kept *k, const char *rule, const char *key, const cJSON *value, struct sk_arena *a); /* value NULL: it goes. 0 or -1 */
cJSON *replay_kept_write(const struct replay_kept *k, struct sk_arena *a); /* [{rule, key, value}] */
int replay_kept_read(struct replay_kept *k, const cJSON *list, struct sk_arena *a);

#endif
