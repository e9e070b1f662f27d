/* judge.h -- may the holder of these policies do that? For callers that are no MQTT clients: access keys.
 *
 * Who knows policies answers (struct sk_hooks), on the thread that asks and without a look at the store: by what the watches have been told, so
 * that a change counts as soon as its operation has been answered. */
#ifndef SK_JUDGE_H
#define SK_JUDGE_H

#include <stddef.h>
#include <stdint.h>

#include "core/arena.h"
#include "core/json.h"

struct sk_runtime;
struct sk_row;

struct sk_judgement {
	const char *const *policy; /* names; one that is not there denies everything */
	size_t policies;
	const char *action;        /* "iot:CreateThing" */
	const cJSON *resources;    /* strings: whole ARNs, or "*"; all of them must be allowed */
	const char *address;       /* the peer's IP; NULL: not known */
	int64_t now_ms;
	const char *denied;        /* the answer, of SK_DENY: the first resource that is not allowed; NULL: memory is out */
};
/* SK_ALLOW; SK_DENY; SK_PASS: no plugin judges policies. */
int sk_judge(const struct sk_runtime *rt, struct sk_judgement *j);

/* -- what an operation asks for -- */
/* "iot:CreateThing": the prefix that IAM has for the row's service. */
const char *sk_row_action(struct sk_arena *a, const struct sk_row *row);
/* The ARNs (strings) that this input is about, by the plugins' resources; one "*" when it is about none. `arn` is what all of them begin
 * with, "arn:aws:iot:REGION:ACCOUNT:", also where the input holds an ARN of another region: there is one store, and a Deny must hold.
 *
 * A required ARN says it all (AttachPolicy: its target). Else what the route and the other required inputs name (CreateThing), else, but for GET,
 * what the optional ones do (AddThingToThingGroup). NULL: memory is out. */
cJSON *sk_row_resources(const struct sk_runtime *rt, struct sk_arena *a, const struct sk_row *row, const cJSON *in, const char *arn);
/* Calls fn for the action of every operation that is loaded until it answers true; that. */
bool sk_some_action(bool (*fn)(void *context, const char *action), void *context);

#endif
