/* shape.h -- input types as rows, and the check that every operation's input passes before its handler runs.
 *
 * A .shapes file holds rows like
 *   STRING(ThingName, 1, 128, "[a-zA-Z0-9:_-]+")      length in characters, pattern over the whole string ("" for none)
 *   INTEGER(MaxResults, 1, 250)   LONG(OptionalVersion, 0, INT64_MAX)   NUMBER(Percent, 0, 100)   BOOLEAN(SetAsActive)
 *   ENUM(CertificateStatus, "ACTIVE INACTIVE REVOKED")
 *   STRUCT(AttributePayload, "attributes:Attributes merge:Boolean")
 *   MEMBER(Action, "redis:RedisAction")               one more member, or some, of a STRUCT of another plugin's
 *   LIST(TagList, Tag, 0, 50)     MAP(Attributes, AttributeName, AttributeValue)    TIMESTAMP(DateType)   ANY(JsonDocument)
 * where 0, 0 is no bound, INT64_MAX no upper and INT64_MIN (for lengths 0) no lower one; core/common.shapes is always there;
 * and becomes a table by  #define SHAPES_FILE "plugins/registry/registry.shapes"  #include "core/shape_table.h". */
#ifndef SK_SHAPE_H
#define SK_SHAPE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/arena.h"
#include "core/json.h"

enum sk_shape_kind {
	SK_SHAPE_STRING = 1, SK_SHAPE_INTEGER, SK_SHAPE_LONG, SK_SHAPE_NUMBER, SK_SHAPE_BOOLEAN, SK_SHAPE_ENUM,
	SK_SHAPE_STRUCT, SK_SHAPE_LIST, SK_SHAPE_MAP, SK_SHAPE_TIMESTAMP, SK_SHAPE_ANY, SK_SHAPE_MEMBER,
};

struct sk_shape {
	const char *name;
	enum sk_shape_kind kind;
	int64_t min, max;    /* string: characters; numbers: value; list: elements */
	const char *text;    /* pattern, enum values, struct members */
	const char *element; /* list element, map value */
	const char *key;     /* map key */
};

/* SK_IN_RAW: over HTTP the body as it is; it reaches the handler as c->payload, and elsewhere as a member like any other.
 * SK_IN_WHOLE: over HTTP the JSON object that is the body is this input; elsewhere it is a member like any other. */
enum sk_input_place { SK_IN_PATH, SK_IN_QUERY, SK_IN_HEADER, SK_IN_BODY, SK_IN_RAW, SK_IN_WHOLE };
struct sk_shapes; /* all shapes of all plugins, compiled; immutable once built */
struct sk_inputs; /* one operation's inputs, compiled */
struct sk_input {
	const char *name;
	const char *type; /* shape's name */
	bool required;
	enum sk_input_place place;
	const char *wire; /* its name in the path, the query or a header; `name` unless the row says otherwise */
};

struct sk_output { /* a member of the output that over HTTP does not travel in the body */
	char *name;
	char *wire; /* a header's name; ":status": it is the answer's status */
};

struct sk_shapes *sk_shapes_new(void);
/* Adds a table (ends with a zero row), which must outlive the shapes. A name that is there already with the same definition is fine. -1 with
 * why[]: a pattern that does not compile, a name defined twice differently. Types may be named before they are defined;
 * sk_inputs_new refuses what is still unknown. */
int sk_shapes_add(struct sk_shapes *s, const struct sk_shape *table, char *why, size_t why_size);
void sk_shapes_free(struct sk_shapes **s);
/* The definition of that name; NULL: there is none. */
const struct sk_shape *sk_shapes_find(const struct sk_shapes *s, const char *name);

/* Compiles a row's inputs (grammar in ops_table.h): route gives the path inputs. NULL with why[] on a bad row. */
struct sk_inputs *sk_inputs_new(const struct sk_shapes *s, const char *route, const char *inputs, bool body_by_default,
                                char *why, size_t why_size);
void sk_inputs_free(struct sk_inputs **in);
size_t sk_inputs_count(const struct sk_inputs *in);
const struct sk_input *sk_inputs_at(const struct sk_inputs *in, size_t i);
/* The input that over HTTP is the body as it is (SK_IN_RAW), and the member of the output that is; NULL: there is none. */
const char *sk_inputs_raw(const struct sk_inputs *in);
const char *sk_inputs_raw_output(const struct sk_inputs *in);
/* Members of the output that are headers or the status, up to a row of zeros. */
const struct sk_output *sk_inputs_outputs(const struct sk_inputs *in);

/* Checks an input object. 0, or -1 with AWS's sentence in *message (arena), e.g.
 *   1 validation error detected: Value 'a b' at 'thingName' failed to satisfy constraint: Member must satisfy regular expression pattern: [a-zA-Z0-9:_-]+
 *   2 validation errors detected: Value null at 'policyName' failed to satisfy constraint: Member must not be null; Value ...
 * Unknown members are ignored, as AWS does; a null member counts as absent. A wrong JSON type is a validation error too.
 * Of an SK_IN_RAW input only a member is checked: whether there is a body the handler sees.
 * At most 64 errors are reported, long values are cut. *message is NULL when all is well, and when the arena failed. */
int sk_inputs_check(const struct sk_inputs *in, struct sk_arena *a, const cJSON *object, const char **message);

/* The node for an input that came as text (percent-decoded) in the path, the query or a header: a number for INTEGER, LONG, NUMBER
 * and TIMESTAMP (epoch seconds or ISO 8601), true or false for BOOLEAN, an array for LIST (of one element in the query,
 * where each further occurrence is one more call; split at commas in a header), else a string. Text that is not of its type becomes a
 * string, so that the check refuses it in AWS's words; bytes that are not UTF-8 become U+FFFD. `wire` is the name there; header names
 * compare without case. *input (may be NULL) says which one it is. NULL: the operation has no input of that name in that place. */
cJSON *sk_inputs_bind(const struct sk_inputs *in, struct sk_arena *a, enum sk_input_place place, const char *wire, const char *text,
                      const struct sk_input **input);

#endif
