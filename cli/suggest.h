/* suggest.h -- a least-privilege policy from what clients did and were refused (the operation ListActivity). Pure.
 *
 * Nothing is allowed that was not seen, but for two generalisations: a topic level that is the client's id becomes the variable, and four or
 * more topics that differ in one level only become one with *. What may be received follows from what was subscribed. */
#ifndef SKEETER_SUGGEST_H
#define SKEETER_SUGGEST_H

#include "core/json.h"

struct suggest {
	struct sk_arena *arena;
	const char *arn;          /* "arn:aws:iot:REGION:ACCOUNT" */
	bool without_refused;
	cJSON *resources;         /* {"iot:Publish":["topic/..."],...}, made by suggest_add */
	cJSON *remarks;           /* lines for people */
};

/* `variable` stands for client_id in topics: "${iot:Connection.Thing.ThingName}" or "${iot:ClientId}". */
void suggest_add(struct suggest *s, const cJSON *activity, const char *client_id, const char *variable);
/* The policy document; NULL when nothing was added, or memory is out (the arena's `failed`): half of one would lack rights. */
cJSON *suggest_document(struct suggest *s);

#endif
