/* internal.h -- what the files of lua-rules share: a file's state, its budget, the run that is going on.
 *
 * Every function here that takes a lua_State may raise a Lua error (a longjmp) and is called below lua_pcall only, unless it says otherwise. What
 * a raise would lose belongs to the run's arena or to Lua. The base table (library.c) is what lib/ gets as `...`; rules never see it. */
#ifndef LUA_RULES_INTERNAL_H
#define LUA_RULES_INTERNAL_H

#include <lua5.4/lauxlib.h>
#include <lua5.4/lua.h>

#include "lua-rules/host.h"

/* -- what a file is -- */

struct host_declared {               /* a rule, and where its functions are */
	struct lua_rule rule;
	int where, run, timer;           /* references into the registry; LUA_NOREF */
	int condition;                   /* `where` as SQL: a compiled program, likewise */
};
struct host_test {
	const char *name;
	const char *text;                /* JSON of its table */
	int line;
};
struct host_now {                    /* a run, or loading, which has no world */
	int rule;                        /* -1: a function, or loading */
	const struct lua_message *message; /* NULL: a timer, a function, or loading */
	const struct lua_world *world;
	struct sk_arena *arena;
	struct lua_effect *first, **end;
	int effects;
	uint64_t random[2];
};
enum { HOST_MOST_RULES = 256, HOST_MOST_TESTS = 1024, HOST_MOST_EFFECTS = 1000, HOST_MOST_DEPTH = 64 };
struct lua_file {
	lua_State *state;
	const char *name;
	struct sk_arena kept;            /* lives as long as the file */
	struct lua_limits limits;
	const struct lua_library *libraries;
	struct host_declared *rule;
	int rules;
	struct host_test *test;
	int tests;
	/* the budget of this run: budget.c */
	size_t used;                     /* bytes of the state */
	size_t volume;                   /* bytes allocated that have not been charged */
	uint64_t spent, asked;           /* instructions; when the clock was asked last */
	int64_t began_us;
	bool hurried;
	const char *over;                /* which limit was reached: the run is over, whatever it does */
	/* the run */
	bool loading;
	const char *begun;               /* a rule or test whose table has not come yet */
	int begun_line;
	uint64_t serial;                 /* of the run: what it gave to Lua is void in the next one */
	struct host_now *now;            /* NULL between runs */
};

static inline struct lua_file *host_file(lua_State *L)
{
	return *(struct lua_file **)lua_getextraspace(L);
}

/* -- budget.c -- */
/* An empty state under the file's limits; NULL: memory is out. Raises nothing. */
lua_State *host_state_new(struct lua_file *f);
/* A run, with all of its budget: calls run(with). False: its error is on top of the stack. Raises nothing. */
bool host_protected(struct lua_file *f, lua_CFunction run, void *with);
/* n instructions' worth of work in C; ends the run when a limit is reached. Some nanoseconds a piece. */
void host_charge(lua_State *L, uint64_t n);
/* Ends the run for good: no pcall catches it. `limit` is static text. */
_Noreturn void host_stop(lua_State *L, const char *limit);
/* Has the run taken more time than it may? Raises nothing. */
bool host_late(const struct lua_file *f);
/* Ends the run when its arena has failed, which has the memory limit for what a run adds to it. */
void host_check_arena(lua_State *L);

/* -- where.c -- */
/* An error with the line of the rule's file that led to it. */
_Noreturn void host_fail(lua_State *L, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
/* The line of the file that is running, 0: none is. */
int host_line(lua_State *L);
/* A message handler: an error that came up in C gets the line that led there. */
int host_with_line(lua_State *L);
/* ": did you mean 'x'?" for the closest of the NULL-terminated names, or "". Lua's string on the stack. */
const char *host_did_you_mean(lua_State *L, const char *word, const char *const *names);

/* -- sandbox.c -- */
/* Makes the environment of rules; leaves nothing on the stack. */
void host_open(lua_State *L);
/* Loads text as a chunk of the environment and leaves it on the stack; raises what is wrong with it. */
void host_load(lua_State *L, const char *name, const char *text, size_t size);

/* -- document.c, message.c -- */
void host_open_documents(lua_State *L);
void host_open_messages(lua_State *L);
void host_push_null(lua_State *L);
/* A node as a rule sees it: nil, null, a boolean, a number, a string, or a read-only document. It must live as long as the run. */
void host_push_node(lua_State *L, const cJSON *node);
void host_push_member(lua_State *L, const cJSON *object, const char *key);
/* A node as tables that the rule may change. */
void host_push_copy(lua_State *L, const cJSON *node);
/* The message of this run. */
void host_push_message(lua_State *L);
bool host_is_message(lua_State *L, int index);
/* The node behind a document or message (NULL: a payload that is not JSON); *is false when the value is neither. */
const cJSON *host_node_at(lua_State *L, int index, bool *is);

/* -- convert.c -- */
void host_open_arrays(lua_State *L);
/* The value as JSON of the run's arena; `what` begins the error ("publish"). Never NULL. Read-only: parts of documents are shared. */
const cJSON *host_to_json(lua_State *L, int index, const char *what);
/* Marks the table on top as an array. */
void host_mark_array(lua_State *L);

/* -- run.c -- */
/* One run of all or nothing with what is in *now but for its effects: function gets `with` as light userdata. SK_OK, or SK_E_INTERNAL with out->why. Raises nothing. */
int host_run(struct lua_file *f, lua_CFunction function, void *with, struct host_now *now, struct lua_outcome *out);

/* -- file.c -- */
/* The error on top of the stack, in one line that begins with the file's name. Raises nothing. */
void host_error_text(struct lua_file *f, char *why, size_t why_size);

/* -- the families of functions -- */
void host_open_text(lua_State *L, int into);  /* text.c: find, match, gmatch, gsub, rep */
void host_open_lists(lua_State *L, int into); /* list.c: insert, remove, move, concat, pack, unpack */
void host_open_json(lua_State *L, int into);  /* convert.c: encode, decode, copy */
void host_push_base(lua_State *L);            /* library.c: what lib/ is made on */
int host_random(lua_State *L);                /* chance.c: math.random */
int host_uuid(lua_State *L);
void host_seed(struct host_now *now, const uint8_t seed[16]);

/* -- declare.c: functions of the base table -- */
int host_begin(lua_State *L);
int host_declare_rule(lua_State *L);
int host_declare_test(lua_State *L);

/* -- query.c: AWS IoT SQL -- */
/* Leaves the program of before + expression + after on the stack; an error is begun with `what` and counts columns of the expression. */
void host_sql_compile(lua_State *L, const char *what, const char *before, const char *expression, const char *after);
/* Is the condition (the program at `index`) true for this run's message? */
bool host_sql_matches(lua_State *L, int index);
struct sql_message;
void host_sql_message(struct host_now *now, const struct lua_message *m, struct sql_message *to); /* raises nothing */
int host_sql_function(lua_State *L); /* sql.value */

#endif
