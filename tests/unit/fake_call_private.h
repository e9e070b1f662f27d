/* fake_call_private.h -- what the three files of the fake runtime share. Tests include fake_call.h only.
 *
 * Invariant: what a run does is kept in fake_private and reaches the records only when the call ends well; between runs
 * only what was awaited and which keys are known survives. The fake's own memory is malloc's, so that a test may fail the arena's. */
#ifndef FAKE_CALL_PRIVATE_H
#define FAKE_CALL_PRIVATE_H

#include "tests/unit/fake_call.h"

struct node {
	struct node *next;
	char *key;
	char *text;       /* NULL: a delete, or nothing known yet */
	uint64_t version;
	const cJSON *doc; /* as given to the handler in this run */
	void *awaited; /* of a call: who was asked */
};

struct fake_private {
	struct sk_call c; /* first: a handler's struct sk_call * is our struct fake_private * */
	struct fake *f;
	struct node *records; /* sorted by key */
	struct node *known;   /* of a call: keys and prefixes read by an earlier run */
	struct node *awaited; /* of a call: answers of slow functions */
	struct node *writes;  /* of a run */
	struct node *docs;    /* of a run: documents handed out */
	struct sk_arena arena, scratch;
	struct sk_shapes *shapes;
	uint64_t seq;         /* of the newest commit */
	unsigned calls, drawn, awaits;
	bool is_void, read_only;
	char *misuse;
};

/* fake_call_list.c: lists sorted by key */
void *fake_must(void *p); /* aborts on NULL */
void fake_die(const char *what, const char *why);
struct node *fake_list_find(struct node *list, const char *key);
/* Puts a node in its place; one of the same key is replaced. */
struct node *fake_list_set(struct node **list, const char *key, const char *text, uint64_t version);
void fake_list_remove(struct node **list, const char *key);
void fake_list_apply(struct node **records, const struct node *writes, uint64_t version);
void fake_list_free(struct node **list);
void fake_effects_free(struct fake *f);
/* Notes that the call's handler broke the contract; the first note counts. */
void fake_misuse(struct sk_call *c, const char *what, const char *key);

#endif
