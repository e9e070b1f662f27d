/* lane.h -- what actions send, on its way to where it goes: a queue in files for each destination, with a thread of its own.
 *
 *   thread that evaluates   lane_add() ──► a buffer of that thread ── lanes_flush(), once a batch ──► segments (core/segments.h)
 *   thread of the lane      reads ahead into a window ──► sink->deliver() ──► ok: dropped  retry: later, order kept  fail: RuleActionFailed
 *
 * A message stays in its ring (rules/ring.h) until what it caused has been appended: so what a client has a PUBACK for is in the one or in the other
 * when the broker is killed. A lane that has reached its bound, or cannot append (a full disk), is full: then the broker's thread refuses new
 * messages of the rules that use it (live_full()), which costs no other rule anything. What the rings hold by then is still taken: so a lane
 * can grow past its bound by what the messages in the rings make, and while the disk is full that waits in memory, LANE_HELD_MOST bytes of a thread;
 * a thread that has more evaluates no more until it can append.
 *
 * What fails for good becomes a call of partition rule/NAME (dead_letters.c): the rule's error action, or a dead letter, in one commit; only then is
 * the item dropped here. */
#ifndef RULES_LANE_H
#define RULES_LANE_H

#include <stdatomic.h>

#include "core/segments.h"
#include "core/sink.h"
#include "rules/rule.h"

enum { LANE_HELD_MOST = 16 << 20 };
enum { LANE_ERROR_ACTION = -1 }; /* lane_item.action */

/* -- an item as it lies in a segment (lane_item.c): pure. All texts end with NUL. The message comes along whole, for the error action's templates. -- */
struct lane_item {
	struct sk_sink_item sink;      /* as the sink sees it; `payload` may be the message's own. Its id begins with the time: later ones sort behind */
	uint8_t qos, depth;
	bool retain, basic;
	bool secret;                   /* its fields or its payload hold one: it lies there sealed (lane_seal.h) */
	int action;                    /* of the rule's; its number in `actions`, or LANE_ERROR_ACTION: what fails of that is a dead letter */
	const char *kind;
	const char *principal, *source_ip; /* NULL: there is none */
	const void *message;           /* as it came */
	size_t message_size;
	const void *properties;        /* MQTT 5, as in rules/ring.h's records */
	size_t properties_size;
};
/* Bytes of the record; it is put at `at`. 0, or -1: memory is out, which only sealing needs. */
size_t lane_item_size(const struct lane_item *i);
int lane_item_put(const struct lane_item *i, void *at);
/* The record; NULL: memory is out. */
void *lane_item_write(struct sk_arena *a, const struct lane_item *i, size_t *size);
/* 0; -1: it is none (bytes of somebody else's), or a->failed. Texts lie in `record`. */
int lane_item_read(struct sk_arena *a, const void *record, size_t size, struct lane_item *out);

/* -- lanes (lanes.c, lane.c) -- */
struct rules_engine;
struct rules_thread;
struct rules_message;
struct live_rule;
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
void lanes_close(struct lanes **l);  /* the runtime is gone */

/* Any thread: the lane of an action with those fields, as the rule has them; made when there is none. It stays until lane_put(). NULL with *why
 * (nothing carries out redis actions; too many). */
struct lane *lane_get(struct lanes *l, const char *kind, const cJSON *fields, struct sk_arena *a, const char **why);
void lane_put(struct lane *l);
const char *lane_missing(struct sk_arena *a, const char *kind); /* that nothing carries it out, and what to load */
const struct sk_sink *lane_sink(const struct lane *l); /* its row; NULL: nothing carries it out */
/* The same for the n-th action of a rule's program, or LANE_ERROR_ACTION; found once, and kept until the rule is freed. Threads that evaluate. */
struct lane *lanes_of(struct lanes *l, struct live_rule *r, const struct rules_rule *program, int action, struct sk_arena *a, const char **why);
void lanes_leave(struct live_rule *r); /* it is freed */

/* A thread that evaluates. Notes the item (copied) for the next flush; m (may be NULL) gets one more that is open. NULL, or why not. */
const char *lane_add(struct lane *l, struct rules_thread *t, struct rules_message *m, const struct lane_item *i);
/* After each batch: appends, and then work_done() for the messages. true: something could not be appended; flush again in a while. */
bool lanes_flush(struct rules_thread *t);
/* Any thread, blocks for one write: the item is in the file when it returns. 0 or -1 with errno. */
int lane_append(struct lane *l, const struct lane_item *i);

/* For operators (lane_report.c): [{lane, kind, state: "idle"|"up"|"down"|"full", backlogItems, backlogBytes, oldest (s), delivered, retried, failed,
 * perSecond, lastError, lastErrorAt}]. Any thread. */
cJSON *lanes_report(struct lanes *l, struct sk_arena *a);

#endif
