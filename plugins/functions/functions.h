/* functions.h -- what the files of skeeter_functions share: its options, where records are, how a function is found.
 *
 * `functions/account` is one partition and holds all that operations change:
 *   functions/account/latest/<name>             $LATEST: the members of AWS's FunctionConfiguration, and codeSha256Hex, of ours
 *   functions/account/version/<name>/<%010d>    the same of a published version, which never changes
 *   functions/account/about/<name>              {lastVersion, Tags?, reserved?, events?}: what belongs to all versions
 *   functions/account/alias/<name>/<alias>      {Name, FunctionVersion, Description, RoutingConfig?, RevisionId}
 *   functions/account/code/<sha256, hex>        {size, pieces, users}: users are the records above that have this code
 *   functions/account/piece/<sha256>/<%04d>     {data}: a piece of the zip, base64
 *   functions/account/total                     {bytes} of all codes
 * `function/<name>` is a partition for each function's dead letters (dead_letters.c), `invoke/<id>` one for each asynchronous event (invoke_event.c). */
#ifndef FUNCTIONS_FUNCTIONS_H
#define FUNCTIONS_FUNCTIONS_H

#include "core/call.h"
#include "core/plugin.h"

extern const struct sk_op_group functions_group, aliases_group, about_group, invoke_group, dead_letters_group;

struct run_engine;
struct run_lua;

struct functions_state {
	int64_t code_size, code_total; /* bytes */
	int64_t concurrency;
	int64_t threads;               /* that run Lua */
	int64_t retry;                 /* ms */
	int64_t dead_letters;
	struct run_engine *engine;
	struct run_lua *lua;
};

/* -- names: name.c -- */

struct functions_name {
	const char *name;      /* 1 to 64 of letters, digits, - and _ */
	const char *qualifier; /* NULL: none; "$LATEST", a number, an alias */
	const char *account;   /* NULL: none was given */
};
/* NAME, function:NAME, ACCOUNT:function:NAME, arn:aws:lambda:REGION:ACCOUNT:function:NAME, each with :QUALIFIER or without. -1: none of these. */
int functions_name_parse(struct sk_arena *a, const char *text, struct functions_name *out);

/* -- functions -- */

struct functions_found {
	const cJSON *configuration; /* its record */
	const cJSON *about;         /* or NULL */
	const char *name, *version; /* "$LATEST" or a number */
	const char *arn;            /* as it was asked for: with the qualifier, if there was one */
};
/* By its name and a qualifier, which may stand in the name instead. An alias with two versions decides by the call's chance. SK_OK, or what sk_fail() returned; on a
 * miss NOT_FOUND. */
int functions_find(struct sk_call *c, const char *name, const char *qualifier, struct functions_found *out);
/* How many may run at once, of its own; -1: there is no such number. */
int64_t functions_reserved(const struct functions_found *f);
/* {MaximumRetryAttempts?, MaximumEventAgeInSeconds?, DestinationConfig?}, or NULL. */
const cJSON *functions_event_invoke(const struct functions_found *f);
/* The name in whatever names a function, or the text itself. */
const char *functions_bare_name(struct sk_call *c, const char *text);
/* Can an event go there: a function, or a topic arn:aws:iot:REGION:ACCOUNT:topic/TOPIC. */
bool functions_is_destination(const char *arn);
/* "2026-11-24T13:00:00.123+0000", as LastModified. */
const char *functions_time(struct sk_arena *a, int64_t ms);
/* The answer of GetFunctionConfiguration: what is AWS's of the record, into `out`. */
void functions_describe(struct sk_call *c, cJSON *out, const cJSON *record, const char *arn);

/* A page of records as Lambda's lists have them: by MaxItems (50 at most) and Marker of the input; NextMarker into the output. */
struct sk_scan functions_page(struct sk_call *c, const char *prefix);

/* -- code: code.c -- */

struct functions_code {
	const char *sha;       /* hex */
	const char *sha_base64;
	int64_t size;
};
#define FUNCTIONS_UNZIPPED_MOST (INT64_C(250) << 20) /* bytes of all files in a package: Lambda quotas */
/* Takes {ZipFile}: stores it if it is not there yet and counts a user, unless `dry`. SK_OK, or what sk_fail() returned. */
int functions_code_take(struct sk_call *c, const cJSON *code, bool dry, struct functions_code *out);
void functions_code_use(struct sk_call *c, const char *sha, int users); /* one more or less; the last one takes it with it */

#endif
