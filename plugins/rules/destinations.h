/* destinations.h -- destinations of the http action: asked whether they want messages, and used once they have said so.
 *
 * registry/destination/ID is {url, status, reason, createdAt, updatedAt (ms), digest} or {vpc, ...} in place of url and digest. By
 * registry/destination-url/HASH and registry/destination-token/HASH, {id}, it is found; the digest is the token's SHA-256: the token itself is in no
 * record, but on its way to the URL. registry/destination-count is {count}. */
#ifndef RULES_DESTINATIONS_H
#define RULES_DESTINATIONS_H

#include "core/call.h"
#include "rules/rule.h"

enum { DESTINATION_ID = 36 };

/* The plugin's events, and its timer. A confirmation is {destinationId, url, token}; one that cannot be sent {destinationId, digest, why}. */
#define DESTINATION_EVENT_CONFIRM "ConfirmDestination"
#define DESTINATION_EVENT_UNSENT "DestinationUnsent"
#define DESTINATION_EVENT_LATE "DestinationLate"
sk_handler destinations_on_confirm, destinations_on_unsent, destinations_on_late;

/* "IoT creates a topic rule destination": for each http action whose confirmationUrl, or url if it has none, is no template and is not there yet. In the
 * call that makes the rule. SK_OK, or what is wrong with such an action. */
int destinations_of_rule(struct sk_call *c, const struct rules_rule *rule);

/* -- destinations_send.c -- */
/* Items of this name are nobody's rule's: what becomes of them is the destination's. */
#define DESTINATION_RULE "$destination"
/* A sk_slow: {destinationId, url, arn, token, now, base?} into the lane of the URL. {why?, never: true when it will not be better} */
cJSON *destination_send(struct sk_arena *a, const cJSON *in, void *state);
struct sk_sink_item;
/* In the call that is told of an item of DESTINATION_RULE that failed for good. */
int destinations_failed(struct sk_call *c, const struct sk_sink_item *item, const char *why);

/* -- destination_url.c: pure -- */
/* NULL, or why nobody can be asked under that URL: not http or https, without a host, with a user, a fragment, or what is no letter of a URL. */
const char *destination_url_fault(const char *url);
/* The URL is the other one, or below it: it goes on at the path's end, and nothing in it climbs up again. */
bool destination_is_below(const char *url, const char *base);

#endif
