/* shadows.h -- what the plugin's handlers share: its state, where a shadow lives, and the three requests on it.
 *
 * Records, all in the thing's own partition, so that each request is one atomic commit:
 *   thing/T/shadow               the classic shadow            thing/T/shadow/NAME        a named one
 *   thing/T/shadow-gone          its tombstone after a delete  thing/T/shadow-gone/NAME
 * A shadow and its tombstone never exist together. Each tombstone has a timer that removes it. */
#ifndef SHADOWS_H
#define SHADOWS_H

#include "core/call.h"
#include "core/plugin.h"
#include "shadow/shadow.h"

struct shadows_state {
	int limits; /* of enum shadows_limits */
	int64_t max_document_size, max_depth, version_memory;
	struct shadow_limits in_force; /* made of the above when the plugin starts */
};
enum shadows_limits { SHADOWS_LIMITS_DEFAULT, SHADOWS_LIMITS_AWS };

struct shadows_target {
	const char *thing;
	const char *shadow; /* NULL: the classic one */
	const char *name;   /* in messages: "lamp", "lamp~config" */
	const char *suffix; /* of keys: "", "/config" */
	const char *topic;  /* "$aws/things/lamp/shadow", "$aws/things/lamp/shadow/name/config" */
};

/* The names must be well-formed; `shadow` may be NULL. */
struct shadows_target shadows_target(struct sk_call *c, const char *thing, const char *shadow);
/* What the engine needs to serve this call. */
struct shadow_call shadows_engine(const struct sk_call *c, const struct shadows_target *t);

/* A request on one shadow: read, decide, write, and publish what everybody may see of it; get publishes nothing. SK_OK or
 * an error's code with out->message; then nothing was written or published. */
typedef int shadows_request(struct sk_call *c, const struct shadows_target *t, const cJSON *request, struct shadow_result *out);
shadows_request shadows_update, shadows_get, shadows_delete;

/* requests.c: the topics' handlers. */
sk_handler shadows_on_update, shadows_on_get, shadows_on_delete, shadows_on_refusal;
/* forget.c: a tombstone's time is over; a thing was deleted. */
sk_handler shadows_on_tombstone_due, shadows_on_thing_deleted;
void shadows_remember_version(struct sk_call *c, const struct shadows_target *t, const cJSON *tombstone);
void shadows_drop_tombstone(struct sk_call *c, const struct shadows_target *t);

extern const struct sk_op_group shadows_group;

#endif
