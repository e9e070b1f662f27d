/* split.h -- a request for many items of which one may be bad: when the server refuses the whole, it is halved until only the bad one fails.
 *
 * Halves of one round are sent at once. What the items become in the body is made once: a part of the items is a part of the body. Pure but for
 * outbound_send(). */
#ifndef OUTBOUND_SPLIT_H
#define OUTBOUND_SPLIT_H

#include "outbound/http_client.h"

struct outbound_split {
	struct outbound_request request;  /* but for the body */
	const char *body;
	const size_t *end;                /* where item i ends in it; they are one behind the other */
	/* What an answer means; NULL: outbound_verdict(). FAIL of more than one item: they are sent in halves, unless *all. */
	enum sk_sunk (*verdict)(const struct outbound_request *r, size_t n, struct sk_arena *a, const char **why, bool *all);
};
/* Sends the items and says what became of each. false: the server did not answer at all. */
bool outbound_split_send(struct outbound *o, const struct outbound_split *s, struct sk_sink_item *const *item, size_t n, struct sk_arena *a);

#endif
