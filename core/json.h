/* json.h -- documents: strict RFC 8259 in, cJSON trees in an arena, exact bytes out.
 *
 * The nodes are struct cJSON, so libcjson's read-only functions work on them, but every node and string is the arena's:
 * never pass one to cJSON_Delete or any cJSON function that writes. Key comparison is case-sensitive. Every function
 * accepts NULL nodes: getters answer "absent", builders do nothing, so a failed allocation or a missing member runs through.
 *
 * Numbers: `valuedouble` always holds the nearest double. A parsed literal that is not a plain integer within 2^53 keeps
 * its text in `valuestring` and is printed as it came: 1.0, 1e3, 9223372036854775808 and 0.10 leave as they entered.
 * Strings never hold NUL: "\u0000" is refused, so a C string is the whole string. */
#ifndef SK_JSON_H
#define SK_JSON_H

#include <cjson/cJSON.h>
#include <stdint.h>

#include "core/arena.h"

enum sk_json_status {
	SK_JSON_OK = 0,
	SK_JSON_SYNTAX,    /* not RFC 8259 */
	SK_JSON_ENCODING,  /* not UTF-8, or a lone surrogate escape */
	SK_JSON_NUL,       /* "\u0000" */
	SK_JSON_DEPTH,     /* deeper than max_depth */
	SK_JSON_DUPLICATE, /* a key twice in one object, with unique_keys */
	SK_JSON_RANGE,     /* a number outside the range of a double (1e400) */
	SK_JSON_MEMORY,
};

struct sk_json_options {
	int max_depth;    /* nested arrays and objects; 0 is SK_JSON_MAX_DEPTH */
	bool unique_keys; /* false: of duplicate keys the last value wins, at the first one's place */
};
#define SK_JSON_MAX_DEPTH 128

struct sk_json_error {
	enum sk_json_status status;
	size_t at; /* byte offset of the offence */
	const char *why; /* static, lower case, no full stop: "expected ':' after a key" */
};

/* Parses exactly n bytes, which must be one value with optional white space around it. NULL on failure, with *e filled
 * (e may be NULL). `opt` may be NULL. Time and memory are linear in n, also for a million keys in one object. */
cJSON *sk_json_parse(struct sk_arena *a, const char *text, size_t n, const struct sk_json_options *opt,
                     struct sk_json_error *e);

/* Compact text without white space, NUL-terminated; *n (may be NULL) is its length without the NUL. NULL when memory is
 * out or the node is NULL. Members keep their order. Doubles print in the shortest form that reads back the same. */
char *sk_json_print(struct sk_arena *a, const cJSON *node, size_t *n);
/* Indented by two spaces, for people. */
char *sk_json_print_pretty(struct sk_arena *a, const cJSON *node, size_t *n);

/* -- making -- */
cJSON *sk_json_object(struct sk_arena *a);
cJSON *sk_json_array(struct sk_arena *a);
cJSON *sk_json_null(struct sk_arena *a);
cJSON *sk_json_bool(struct sk_arena *a, bool v);
cJSON *sk_json_int(struct sk_arena *a, int64_t v); /* exact, also beyond 2^53 */
cJSON *sk_json_number(struct sk_arena *a, double v); /* a NaN or infinity becomes null */
cJSON *sk_json_string(struct sk_arena *a, const char *s); /* copied, bytes that are not UTF-8 as U+FFFD; NULL makes NULL */
cJSON *sk_json_stringn(struct sk_arena *a, const char *s, size_t n);
cJSON *sk_json_copy(struct sk_arena *a, const cJSON *node); /* deep; of the value only, without its key */

/* -- members. A node has one parent. One that still stands in a tree is set or added as a deep copy (the answer is the
 * node that was put there); append takes no such node and answers NULL: detach or copy it first. Keys are copied. -- */
cJSON *sk_json_set(struct sk_arena *a, cJSON *object, const char *key, cJSON *value); /* replaces in place or appends; returns value */
cJSON *sk_json_add(struct sk_arena *a, cJSON *object, const char *key, cJSON *value); /* appends: the caller knows the key is new */
cJSON *sk_json_append(cJSON *array, cJSON *value);
void sk_json_remove(cJSON *object, const char *key);
void sk_json_detach(cJSON *parent, cJSON *child); /* takes child out of parent */
cJSON *sk_json_set_string(struct sk_arena *a, cJSON *object, const char *key, const char *s); /* NULL s: nothing is set */
cJSON *sk_json_set_int(struct sk_arena *a, cJSON *object, const char *key, int64_t v);
cJSON *sk_json_set_number(struct sk_arena *a, cJSON *object, const char *key, double v);
cJSON *sk_json_set_bool(struct sk_arena *a, cJSON *object, const char *key, bool v);
cJSON *sk_json_set_object(struct sk_arena *a, cJSON *object, const char *key); /* a new empty object, returned */
cJSON *sk_json_set_array(struct sk_arena *a, cJSON *object, const char *key);

/* -- reading -- */
cJSON *sk_json_get(const cJSON *object, const char *key); /* NULL if absent or not an object */
const char *sk_json_text(const cJSON *object, const char *key); /* a string member's text, else NULL */
int64_t sk_json_int_of(const cJSON *object, const char *key, int64_t otherwise); /* an integer member's value */
bool sk_json_true(const cJSON *object, const char *key); /* the member is there and is true */
int sk_json_count(const cJSON *node); /* members or elements; 0 for NULL */
/* The exact integer of a number node (1, -0, 1.0, 1e3 are integers; 1.5 is not; beyond int64 is not). */
bool sk_json_to_int(const cJSON *number, int64_t *out);
/* Deep equality; numbers by value (1 == 1.0 == 1e0, and 2^53+1 != 2^53), object members in any order. */
bool sk_json_equal(const cJSON *a, const cJSON *b);
/* Containers nested below and including this node: a scalar is 0, {} is 1, {"a":{}} is 2. Not recursive in C; INT_MAX
 * if it is too deep for memory. */
int sk_json_depth(const cJSON *node);

#define SK_JSON_EACH(sk_var, node) \
	for (const cJSON *sk_var = (node) ? (node)->child : NULL; sk_var; sk_var = sk_var->next)

/* true when the n bytes are valid UTF-8 (RFC 3629: no surrogates, no overlong forms). */
bool sk_utf8_valid(const char *s, size_t n);

#endif
