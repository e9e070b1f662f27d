/* aws_world.h -- AWS for units: what a sink sends is kept, verified, and answered from a script.
 *
 * Every request's signature is checked by the engine that serves our own HTTP API, with the key that aws_world_fresh() sets. What no line of the
 * script answers is taken, all of it. One at a time. */
#ifndef AWS_WORLD_H
#define AWS_WORLD_H

#include "plugins/sink_aws/aws.h"

#define AWS_KEY_ID "AKIDEXAMPLE"
#define AWS_SECRET "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY"
#define AWS_NOW_MS 1700000000000

struct aws_seen {
	const char *method, *url, *target, *body, *token, *acl;
	size_t size;
	size_t round;                  /* from 1: what was sent at the same time */
};
extern struct sk_arena aws_arena;
extern struct aws_settings aws_set;
extern struct aws_seen aws_seen[];
extern size_t aws_sent;
extern int64_t aws_now_ms;

/* Forgets all; keys are in the environment. For cmocka's setup and teardown. */
int aws_world_fresh(void **state);
int aws_world_clean(void **state);

struct aws_sink aws_world_sink(const struct aws_service *s);
/* The next `times` requests whose target or body holds `word` ("": any) get this answer. Status 0: none, `body` says why. */
void aws_world_says(const char *word, int times, int status, const char *body);
/* All answers from now on are cut off. */
void aws_world_cut(void);

/* An item with fields like {"queueUrl": "..."}, as a lane would make it; on top of those of aws_world_base(). */
void aws_world_base(const char *fields);
struct sk_sink_item *aws_item(const char *fields, const char *payload);
struct sk_sink_item *aws_item_of(const char *fields, const void *payload, size_t size);
/* Delivers n items: results as "ok ok retry". */
const char *aws_send(const struct aws_service *s, struct sk_sink_item **item, size_t n);
/* One item made of both texts: "ok", or "fail: why". */
const char *aws_one(const struct aws_service *s, const char *fields, const char *payload);
/* n items with payloads that printf() makes of their number. */
struct sk_sink_item **aws_items(size_t n, const char *fields, const char *payload);

#endif
