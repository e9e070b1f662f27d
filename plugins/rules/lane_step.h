/* lane_step.h -- one lane, stepped: what lies in its files goes to its sink, a batch at a time, in the order of its keys.
 *
 * No clock, no chance, no thread of its own: one thread at a time calls lane_step(), others only what says so. It never sleeps but in the sink. An
 * item leaves the files when it was delivered, or when what its failure led to has ended; until then it comes again after a kill -9. */
#ifndef RULES_LANE_STEP_H
#define RULES_LANE_STEP_H

#include <stdatomic.h>

#include "plugins/rules/lane.h"

enum { LANE_WINDOW_ITEMS = 1024, LANE_WINDOW_BYTES = 2 << 20 }; /* what is read ahead */
enum { LANE_WHY = 512 };

struct lane_clock {
	int64_t now_ms;   /* monotonic */
	int64_t wall_ms;
};
struct lane_failure {
	const struct lane_item *item; /* valid during the call */
	const void *record;           /* as it lies in the file */
	size_t size;
	const char *why;
	const char *fields;           /* an action's of its lane, as its rule has them: JSON; NULL: they are not known */
	unsigned attempts;            /* deliver()s of it */
	void *token;                  /* for lane_settled() */
};
struct lane_host {
	/* The item has failed for good: begins what ends with lane_settled(). 0; -1: not now, it is called again later. */
	int (*failed)(void *ctx, const struct lane_failure *f);
	void (*random)(void *ctx, void *bytes, size_t n);
	void (*clock)(void *ctx, struct lane_clock *now);
	void (*say)(void *ctx, const char *line); /* it is down, it is up again: now and then */
	void *ctx;
};
struct lane_limits {
	int64_t retry_for_ms, retry_least_ms, retry_most_ms;
};

enum lane_state { LANE_IDLE, LANE_UP, LANE_DOWN };
struct lane_numbers { /* any thread reads them */
	_Atomic uint64_t delivered, retried, failed;
	_Atomic uint64_t appended, done;   /* of this life: items; backlog = found + appended - done */
	_Atomic uint64_t found;            /* what was there when it was opened */
	_Atomic int64_t oldest_ms;         /* when the message of the oldest item came; 0: there is none */
	atomic_int state;                  /* enum lane_state */
};

struct lane_run;
/* `files` stays the caller's. NULL: memory is out. */
struct lane_run *lane_run_new(struct sk_segments *files, const struct lane_limits *limits, const struct lane_host *host);
/* Not while anything that failed() began is under way. Notes in the files what has been settled. */
void lane_run_free(struct lane_run **r);
/* Any thread: from the next step on it goes to this sink with these fields, as the rule has them (copied); sink NULL: there is none, and everything
 * waits. 0 or -1: memory is out, it is as before. */
int lane_run_aim(struct lane_run *r, const struct sk_sink *sink, void *state, const cJSON *fields);
/* Does what can be done now, at most one deliver(). The now_ms of the next step: at once when it has passed, INT64_MAX when something is appended or settled. */
int64_t lane_step(struct lane_run *r);
void lane_run_rest(struct lane_run *r); /* the thread of lane_step(), when it ends: closes the sink */
/* Any thread: what failed() began has ended; false: it did not do what it should, and begins again later. */
void lane_settled(struct lane_run *r, void *token, bool done);
struct lane_numbers *lane_numbers(struct lane_run *r);
/* Any thread: why something was not delivered the last time, and when; NULL: nothing has failed. */
const char *lane_last_error(struct lane_run *r, struct sk_arena *a, int64_t *wall_ms);

/* lane_window.c: what has been read ahead. The thread of lane_step(). */
enum lane_entry_state { ENTRY_WAITS, ENTRY_FAILED, ENTRY_SETTLING, ENTRY_DONE };
struct lane_entry {
	struct lane_item item;
	const void *record;
	size_t size;
	struct sk_place behind;
	enum lane_entry_state state;
	uint32_t key;              /* of its order; 0: none */
	unsigned attempts;
	int64_t seen_ms, not_before_ms;
	const char *why;           /* of ENTRY_FAILED */
	struct lane_block *block;
	struct lane_entry *settled; /* in the list of those that another thread has settled */
	bool well;
};
struct lane_block {            /* what one read brought */
	struct lane_block *next;
	struct sk_arena arena;
	size_t bytes, count, left; /* entries; not done yet */
	struct sk_place behind;
	struct lane_entry *entry;
	char buffer[];
};
struct lane_window {
	struct sk_segments *files;
	struct lane_block *first, **last;
	size_t items, bytes;       /* not done; of all blocks */
	uint64_t damaged;
	struct sk_place at;        /* the next read */
	struct sk_place low, dropped; /* nothing before it is needed; as the files know that */
};
void lane_window_init(struct lane_window *w, struct sk_segments *files);
void lane_window_free(struct lane_window *w);
/* Reads on while there is room. `order`: the sink's. 0, or -1: memory is out or a file cannot be read, try again later. */
int lane_window_fill(struct lane_window *w, const char *order, int64_t now_ms);
void lane_window_done(struct lane_window *w, struct lane_entry *e);
/* Tells the files what is not needed any more, and frees it. 0 or -1: try again later. */
int lane_window_drop(struct lane_window *w);
void lane_window_order(struct lane_window *w, const char *order); /* the sink is another one: keys anew */
int lane_window_count(struct sk_segments *files, struct sk_place end, uint64_t *count); /* records up to `end`. 0; -1: memory, or a file cannot be read */
/* Entries in order: NULL first, NULL at the end. */
struct lane_entry *lane_window_next(const struct lane_window *w, const struct lane_entry *e);

#endif
