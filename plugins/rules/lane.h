/* lane.h -- what actions send, on its way to where it goes: a queue in files for each destination, with a thread of its own.
 *
 *   thread that evaluates   lane_add() ──► a buffer of that thread ── lanes_flush(), once a batch ──► segments (core/segments.h)
 *   thread of the lane      reads ahead into a window ──► sink->deliver() ──► ok: dropped  retry: later, order kept  fail: RuleActionFailed
 *
 * A message stays in its ring (rules/ring.h) until what it caused has been appended: so what a client has a PUBACK for is in the one or in the other
 * when the broker is killed. A lane that cannot append (its bound, a full disk) is `full`: then its buffers keep what they have, the ring keeps the
 * messages, and the broker's thread refuses new ones of the rules that use it (live_full()), which costs no other rule anything.
 *
 * What fails for good becomes a call of partition rule/NAME (dead_letters.c): the rule's error action, or a dead letter, in one commit; only then is
 * the item dropped here. */
#ifndef RULES_LANE_H
#define RULES_LANE_H

#include "core/segments.h"
#include "core/sink.h"
#include "rules/rule.h"

/* -- an item as it lies in a segment (lane_item.c): pure. All texts end with NUL. The message comes along whole, for the error action's templates. -- */
struct lane_item {
	struct sk_sink_item sink;      /* as the sink sees it; `payload` may be the message's own */
	uint8_t qos, depth;
	bool retain, basic;
	int action;                    /* of the rule's; its number in `actions` */
	const char *kind;
	const char *principal, *source_ip; /* NULL: there is none */
	const void *message;           /* as it came */
	size_t message_size;
	const void *properties;        /* MQTT 5, as in rules/ring.h's records */
	size_t properties_size;
};
/* The record; NULL: memory is out. */
void *lane_item_write(struct sk_arena *a, const struct lane_item *i, size_t *size);
/* 0; -1: it is none (bytes of somebody else's), or memory is out. Texts lie in `record`. */
int lane_item_read(struct sk_arena *a, const void *record, size_t size, struct lane_item *out);

/* -- lanes (lanes.c, lane.c) -- */
struct rules_engine;
struct rules_thread;
struct rules_message;
struct lane;
struct lanes;

struct lanes_settings {
	const char *folder;            /* DATA/rules/lanes */
	uint64_t spill;                /* bytes that may wait for one destination (plugin_opt_spill) */
	int64_t retry_for_ms;          /* how long an item is tried (plugin_opt_retry_for); 0: for ever */
	int64_t retry_least_ms, retry_most_ms; /* between tries: doubled each time, and by chance up to half of it less */
	int most_lanes;
};
/* Opens the lanes that still hold something, from their folders. NULL with why[]. */
struct lanes *lanes_open(struct rules_engine *e, const struct lanes_settings *s, char *why, size_t why_size);
void lanes_ready(struct lanes *l);   /* the runtime runs, all plugins are loaded: threads start */
void lanes_quiesce(struct lanes *l); /* threads end, when their deliver() does; what waits is in files */
void lanes_close(struct lanes **l);

/* Any thread: the lane of an action, made when there is none; fields as the rule has them. NULL with *why (nothing carries out redis actions; too many). */
struct lane *lanes_of(struct lanes *l, const struct rules_action *action, struct sk_arena *a, const char **why);
bool lane_full(const struct lane *l); /* any thread; cheap */

/* A thread that evaluates. Notes the item (copied) for the next flush; m (may be NULL) gets one more that is open. NULL, or why not. */
const char *lane_add(struct lane *l, struct rules_thread *t, struct rules_message *m, const struct lane_item *i);
/* After each batch: appends, and then work_done() for the messages. true: something could not be appended; flush again in a while. */
bool lanes_flush(struct rules_thread *t);
/* Any thread, blocks for one write: the item is in the file when it returns. 0 or -1 with errno. For dead letters that are sent again. */
int lane_append(struct lane *l, const struct lane_item *i);

/* For operators (lane_report.c): [{lane, kind, state: "idle"|"up"|"down"|"full", backlogItems, backlogBytes, oldest (s), delivered, retried, failed,
 * lastError, lastErrorAt}]. Any thread. */
cJSON *lanes_report(struct lanes *l, struct sk_arena *a);

#endif
