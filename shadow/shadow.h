/* shadow.h -- the shadow-document engine: a stored document and a request in, the next document and every reply out.
 *
 * Pure: no I/O, no clock, no broker; time and limits are arguments. The rules are those of AWS IoT's Device Shadow.
 *
 * A stored document is {"state":{"desired"?:{},"reported"?:{}},"metadata":{...},"version":n}. The invariant of this folder:
 * metadata has the shape and the key order of state with {"timestamp":secs} in place of each scalar, state holds no null,
 * and a section that is there is not empty. What a delete leaves is a tombstone {"version":n,"deletedAt":secs}, because
 * the count goes on; a tombstone is passed as `stored` like a document.
 *
 * Ownership: all is the arena's. Results share nodes with `stored` and `request`, so from then on all of them are
 * read-only. When memory runs out every builder goes on with NULL and the entry points answer SK_E_INTERNAL. */
#ifndef SHADOW_H
#define SHADOW_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/arena.h"
#include "core/error.h"
#include "core/json.h"

struct shadow_limits {
	size_t size; /* most bytes of desired and reported together, printed compactly; metadata is free */
	int depth;   /* most nested levels in a section: {"a":1} is one */
};
extern const struct shadow_limits shadow_limits_default; /* 64 KiB, 16 levels */
extern const struct shadow_limits shadow_limits_aws;     /* 8 KiB, 6 levels */

/* What all entry points need. */
struct shadow_call {
	struct sk_arena *arena;
	struct shadow_limits limits;
	int64_t now_ms;
	const char *name; /* of the shadow in messages: "lamp" or "lamp~config" */
};

/* Members that do not apply are NULL; after an error only token and message are set. */
struct shadow_result {
	const cJSON *next;      /* update: the document to store; delete: the tombstone */
	const cJSON *accepted;  /* the answer */
	const cJSON *delta;     /* update: for .../update/delta; NULL: desired and reported agree */
	const cJSON *documents; /* update: for .../update/documents */
	const char *token;      /* the request's clientToken, to be echoed in every reply */
	const char *message;    /* of an error, exactly as AWS words it */
};

/* -- requests: each answers SK_OK or a code of core/error.h; `stored` is a document, a tombstone or NULL -- */

/* Bytes to a request document. NULL bytes: the payload was too large to be taken. Sets out->token as soon as it can be read. */
int shadow_parse(const struct shadow_call *c, const char *payload, size_t size, const cJSON **request,
                 struct shadow_result *out);
int shadow_update(const struct shadow_call *c, const cJSON *stored, const cJSON *request, struct shadow_result *out);
/* The request of these two may be NULL. A delete ignores all of it but the clientToken. */
int shadow_get(const struct shadow_call *c, const cJSON *stored, const cJSON *request, struct shadow_result *out);
int shadow_delete(const struct shadow_call *c, const cJSON *stored, const cJSON *request, struct shadow_result *out);

/* The error document {"code","message","timestamp","clientToken"?} of a code that one of the above answered. */
cJSON *shadow_rejected(const struct shadow_call *c, int code, const struct shadow_result *out);

/* -- the parts, in reading order -- */

/* merge.c: a value and its timestamps, which always change together. */
struct shadow_tree {
	const cJSON *state, *metadata;
};
/* What `patch`, an object, makes of `old` (NULLs: nothing). Neither argument changes. */
struct shadow_tree shadow_merge(struct sk_arena *a, struct shadow_tree old, const cJSON *patch, int64_t seconds);

/* delta.c: the part of desired that reported lacks or holds differently; NULL when there is none. */
cJSON *shadow_delta(struct sk_arena *a, const cJSON *desired, const cJSON *reported);

/* metadata.c: a tree of the value's shape with {"timestamp":seconds} for every scalar, null included. */
cJSON *shadow_stamp(struct sk_arena *a, const cJSON *value, int64_t seconds);
/* The part of `metadata` that belongs to `part`, a part of the state that metadata mirrors. */
cJSON *shadow_stamps_of(struct sk_arena *a, const cJSON *part, const cJSON *metadata);

/* limits.c */
bool shadow_too_deep(const cJSON *state, int depth);
bool shadow_too_large(struct sk_arena *a, const cJSON *state, size_t size);

/* request.c: is this a well-formed update? SK_OK, or SK_E_INVALID_REQUEST with out->message. Sets out->token. */
int shadow_check_update(const struct shadow_call *c, const cJSON *request, struct shadow_result *out);
int shadow_check_get(const cJSON *request, struct shadow_result *out);
/* The clientToken if it is well-formed, else NULL. */
const char *shadow_token(const cJSON *request);

/* tree.c: a second node for the same value, to put it into a second document. */
cJSON *shadow_share(struct sk_arena *a, const cJSON *node);

/* tree.c: finding members of one object many times. A device chooses the keys, so big objects must not cost n x m. */
struct shadow_index {
	const cJSON *object;
	const cJSON **sorted; /* by key; NULL: the object is searched from its start */
	size_t count;
};
struct shadow_index shadow_index_of(struct sk_arena *a, const cJSON *object, int lookups);
const cJSON *shadow_index_find(const struct shadow_index *ix, const char *key);
/* The member `key`, looked for from *at onwards first; *at moves behind it. Free when two trees are walked in step. */
const cJSON *shadow_follow(const cJSON *object, const cJSON **at, const char *key);

#endif
