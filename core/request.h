/* request.h -- what waits for a worker: a row of some plugin's table, and one request for it.
 *
 * A request is one block of memory with copies of all that its call will look at. Whoever holds it frees it: the lane that it is
 * submitted to, then the partition, then the run. */
#ifndef SK_REQUEST_H
#define SK_REQUEST_H

#include <stdatomic.h>

#include "core/blocks.h"
#include "core/call.h"
#include "core/counters.h"
#include "core/outbox.h"
#include "core/plugin.h"
#include "core/store.h"
#include "core/topic.h"

struct sk_runtime;

/* -- rows: topics, operations, events and core's own, in one form -- */
enum sk_row_kind { SK_ROW_TOPIC, SK_ROW_OPERATION, SK_ROW_EVENT };
struct sk_row {
	enum sk_row_kind kind;
	const char *name;       /* pattern, operation or event */
	const char *partition;
	sk_handler *handler, *refuse;
	size_t (*limit)(void *state);
	struct sk_inputs *inputs;     /* operations */
	const struct sk_op *op;
	const char *service;
	const struct sk_loaded *owner;
	_Atomic unsigned turn;        /* "any": the partition that the next request gets */
	struct sk_row_counters count;
};
struct sk_loaded { /* a plugin in this process */
	const struct sk_plugin *plugin;
	void *state;
	struct sk_row *rows;
	size_t row_count;
};

/* -- requests -- */
enum sk_lane { SK_LANE_INTERNAL, SK_LANE_OPERATOR, SK_LANE_DEVICE, SK_LANE_REJECT, SK_LANES };
struct sk_effect;
struct sk_slow_result {
	struct sk_slow_result *next;
	sk_slow *fn;             /* or */
	sk_asker *ask;
	struct sk_bytes *answer; /* JSON text; NULL when it failed */
	size_t size;
	char in[];               /* the question as JSON text: an answer is for this one only */
};
struct sk_answer { /* what an operation came to; valid during finish() */
	int error;               /* 0 or SK_E_* */
	const char *message;
	const cJSON *out;        /* output, or the error's further fields (NULL for none) */
	bool quiet;              /* nothing of this call or its commit is on its way to the broker's thread: an answer need not go that way */
	struct sk_arena *arena;      /* NULL when memory was out before there was a call */
	struct sk_out_list *outgoing; /* what is added here leaves after the watches of this commit; NULL: the runtime ends,
	                                 the request was not carried out, and nothing more can be sent */
};
struct sk_request {
	struct sk_request *next;
	struct sk_row *row;
	enum sk_lane lane;
	bool refused;
	bool in_block;               /* it lies in a struct sk_blocks, not in malloc's memory */
	int depth;
	struct sk_caller caller;
	void *client;                /* device: for direct replies and the in-flight count */
	uint64_t generation;
	char *partition;             /* in `rest` or owned */
	char *rest;                  /* the end of this block: rest_size bytes for the partition's name */
	size_t rest_size;
	const char *topic;           /* topic rows */
	struct sk_topic_match match; /* into topic */
	const char *payload;         /* JSON text of the input for others; NULL when over the row's limit */
	size_t payload_size;
	char *body;                  /* operations over HTTP whose input is the body: body_size bytes and a NUL, owned; NULL: none */
	size_t body_size;
	size_t bytes;                /* what it counts for in the inbox */
	int64_t arrived_us;
	int64_t now_ms;              /* fixed by the first run */
	unsigned char seed[16];
	int tries;                   /* reruns of this call */
	int attempts;                /* of the durable effect or timer, over all its requests */
	int64_t again_us;            /* not 0: the keeper submits it again then, it has not ended */
	const char *timer;           /* not NULL: this timer of the partition is due; owned */
	uint64_t timer_generation;
	bool superseded;             /* in this run: the timer has been cleared or replaced */
	struct sk_effect *effect;    /* the durable effect that this request is part of, or NULL */
	struct sk_slow_result *slow; /* sk_await's answers in order */
	/* Operations: called once on the worker's thread when the outcome is final; NULL: nobody waits. */
	void (*finish)(struct sk_request *, const struct sk_answer *);
	void *finish_ctx;
};

/* A durable effect in memory: `left` requests of its event are still to be done, then its record goes. The request of the part that
 * ends last becomes the one that removes the record, so that nothing which may fail stands between. */
struct sk_effect {
	struct sk_runtime *rt;
	atomic_int left;
	atomic_bool lost;  /* a part of it was not done: its record stays */
	uint64_t version;  /* of the commit that made it; set before its requests leave */
	char *partition;   /* of the commit that made it, for that request */
	char key[];        /* in the EFFECT space */
};

/* A request with copies of all that is given; partition is worked out by sk_request_route. NULL: memory is out. */
struct sk_request *sk_request_new(struct sk_row *row, enum sk_lane lane, const struct sk_caller *caller, const char *topic,
                                  const void *payload, size_t payload_size);
void sk_request_free(struct sk_request *r);
/* What this thread makes from now on lies in b, as far as it fits; NULL: in malloc's memory, as for any other thread. */
void sk_requests_from(struct sk_blocks *b);
/* As if it had never run: for another attempt. */
void sk_request_renew(struct sk_request *r);
/* The runtime ends: tells whoever waits for r that it was not carried out, and frees it. */
void sk_request_abandon(struct sk_request *r);
/* Sets the partition from captures or from the members of `in`. 0, SK_ROUTE_NAME: a name that cannot be one (empty, a slash, too
 * long), or SK_ROUTE_MEMORY. */
enum { SK_ROUTE_NAME = -1, SK_ROUTE_MEMORY = -2 };
int sk_request_route(struct sk_request *r, const cJSON *in);

#endif
