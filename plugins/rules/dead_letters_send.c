/* dead_letters_send.c -- items into lanes from the slow pool: what an operator sends again, and what an error action sends. In order; it ends at the first
 * that finds no room. */
#include "plugins/rules/dead_letters.h"

#include <errno.h>
#include <string.h>

#include "core/base64.h"
#include "plugins/rules/engine.h"
#include "plugins/rules/lane.h"

/* NULL, or why not. */
static const char *send_one(struct sk_arena *a, struct lanes *lanes, const cJSON *letter)
{
	const char *text = sk_json_text(letter, "item"), *kind = sk_json_text(letter, "kind"), *why = NULL;
	size_t n = text ? strlen(text) : 0;
	void *record = text ? sk_alloc(a, n + 1) : NULL;
	long size = record ? sk_base64_decode(text, n, record) : -1;
	struct lane_item item;
	struct lane *l;

	if (size < 0 || !kind || lane_item_read(a, record, (size_t)size, &item))
		return a->failed ? "memory is out" : "it is no item any more";
	l = lane_get(lanes, kind, sk_json_get(letter, "fields"), a, &why);
	if (!l)
		return why;
	if (lane_append(l, &item))
		why = errno == ENOSPC ? "its lane has no room" : strerror(errno);
	lane_put(l);
	return why;
}

cJSON *dead_letters_send(struct sk_arena *a, const cJSON *in, void *state)
{
	struct rules_engine *e = ((struct rules_state *)state)->engine;
	cJSON *out = sk_json_object(a);
	const char *why = NULL;
	int sent = 0;

	SK_JSON_EACH(letter, sk_json_get(in, "letters")) {
		why = send_one(a, e->lanes, letter);
		if (why)
			break;
		sent++;
	}
	sk_json_set_int(a, out, "sent", sent);
	sk_json_set_string(a, out, "why", why);
	return out;
}
