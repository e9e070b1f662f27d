/* fake_call.h -- core/call.h without broker, store and threads: runs any plugin's handlers in a unit test.
 *
 *   #include "tests/unit/fake_call.h"          the Makefile links fake_call.o to a test that has this line
 *   struct fake *f = fake_new();
 *   fake_add_shapes(f, shapes);                (core/shape_table.h)
 *   fake_put(f, "registry/thing/lamp", "{'version':1}");
 *   fake_op(f, &things_group, "DescribeThing", "{'thingName':'lamp'}")   -> SK_OK or the error's code; see f->out, f->message
 *   fake_is(f, f->out, "{'version':1}")        fake_get(f, "registry/thing/lamp")   fake_effect(f, FAKE_PUBLISH, 0)->text
 *   fake_free(&f);
 *
 * JSON text that a test gives may be written with ' for " as long as it holds no ".
 *
 * Every key and prefix that a call has not read before is a forced miss, as on a cold cache: the run is void, the handler runs again. So each
 * handler that reads anything runs twice or more, and one that keeps something between its runs is found out. no_misses turns that off.
 * Beyond what it is asked for, the fake fails a call (SK_E_INTERNAL and a message that says why) whose handler
 *   writes outside of its home partition, or anything at all where the row's partition is "any" or the call is refused;
 *   changes a document that sk_get or sk_scan gave it, or its input;
 *   returns an error without sk_fail, or SK_OK after it;
 *   needs more than 8 reruns (SK_E_UNAVAILABLE, as in core).
 * Errors drop writes and effects; so does an arena that failed (SK_E_UNAVAILABLE). Writes are seen by sk_get and sk_scan of the same run. */
#ifndef FAKE_CALL_H
#define FAKE_CALL_H

#include "core/call.h"
#include "core/plugin.h"

enum fake_kind { FAKE_PUBLISH, FAKE_REPLY, FAKE_EMIT, FAKE_TIMER_SET, FAKE_TIMER_CLEAR, FAKE_KICK };

struct fake_effect {
	struct fake_effect *next; /* in the order in which the handler made them */
	enum fake_kind kind;
	const char *name;  /* topic; event; timer's name; user name of a kick ("" for NULL) */
	const char *text;  /* the document printed, or the payload, size bytes and a NUL; a kick's reason */
	size_t size;
	int flags;         /* publish: enum sk_publish_flags */
	int64_t due_ms;    /* timer */
	const void *properties; /* publish: what MQTT 5 says beside it (core/properties.h), or NULL */
	size_t properties_size;
	const char *also;  /* timer: the event; kick: the client id ("" for NULL) */
};

struct fake_private;
struct fake {
	/* for the test to set; they stay for the calls that follow */
	void *state;             /* what handlers see as c->state */
	int64_t now_ms;          /* 1700000000123 at first */
	struct sk_caller caller; /* an operator at first */
	bool no_misses;
	bool refuse;             /* messages: admission refuses, the row's refuse handler runs */
	size_t memory_limit;     /* of the call's arena; 0 is none */
	uint64_t event_version;  /* what events say that they came of; UINT64_MAX at first: nothing was written since */
	/* of the last call, valid until the next one */
	int rc;
	const char *message;     /* of the error, or NULL */
	const cJSON *out;        /* the answer; NULL after an error */
	const cJSON *error_fields;
	int runs;                /* how often the handler ran; 0: its input was refused */
	struct fake_effect *effects;
	struct fake_private *p;
};

/* Aborts the test program when memory is out; so do all other fake_ functions. */
struct fake *fake_new(void);
void fake_free(struct fake **f);

/* Input types for fake_op; more than one table may be added. A bad table aborts with the reason. */
void fake_add_shapes(struct fake *f, const struct sk_shape *table);

/* The operation `name` of the group: its input is checked against its row first, as the framework does. Aborts if there is none. */
int fake_op(struct fake *f, const struct sk_op_group *group, const char *name, const char *input);
/* A client's message: the first row whose pattern fits. SK_E_UNKNOWN_OPERATION when none does. f->out is a direct row's reply. */
int fake_message(struct fake *f, const struct sk_topic *rows, const char *topic, const void *payload, size_t n);
/* The same with a JSON or any other text. */
int fake_publish(struct fake *f, const struct sk_topic *rows, const char *topic, const char *text);
/* An event or a timer: every row of that name in order, until one fails; the effects are the last row's. Aborts if there is none. */
int fake_event(struct fake *f, const struct sk_on *rows, const char *event, const char *input);
/* Any handler: home is its partition, "any" for read-only. */
int fake_handler(struct fake *f, sk_handler *handler, const char *home, const char *input);

/* -- records, across calls -- */
void fake_put(struct fake *f, const char *key, const char *json);
void fake_delete(struct fake *f, const char *key);
const char *fake_get(struct fake *f, const char *key); /* compact JSON, valid until the record changes; NULL: absent */
size_t fake_count(struct fake *f, const char *prefix); /* records whose key begins with it */

/* -- looking -- */
/* The index-th effect of that kind of the last call; NULL if there are not so many. */
const struct fake_effect *fake_effect(const struct fake *f, enum fake_kind kind, size_t index);
size_t fake_effect_count(const struct fake *f);
/* Is the document equal to that JSON? Prints both when not. A member "..." (any value) at the top allows more members. */
bool fake_is(struct fake *f, const cJSON *document, const char *json);
bool fake_text_is(struct fake *f, const char *text, const char *json);

#endif
