/* policy_condition.h -- conditions of statements: compiled once, filled in when a connection binds, asked again only when they are about
 * the moment. For policy_*.c.
 *
 * A condition holds one operator, one key and its values. All conditions of a statement must hold, and one of the values must match; of
 * a negated operator none may. */
#ifndef AUTH_POLICY_CONDITION_H
#define AUTH_POLICY_CONDITION_H

#include "core/arena.h"
#include "core/json.h"
#include "plugins/auth/policy.h"

enum policy_type {
	POLICY_TEXT, POLICY_FOLDED, POLICY_LIKE, POLICY_NUMBER, POLICY_DATE, POLICY_BOOL, POLICY_BINARY, POLICY_IP, POLICY_ARN, POLICY_NULL
};
enum policy_relation { POLICY_EQUAL, POLICY_LESS, POLICY_LESS_EQUAL, POLICY_GREATER, POLICY_GREATER_EQUAL };
enum policy_set { POLICY_ONE_VALUE, POLICY_ALL_VALUES, POLICY_ANY_VALUE };

struct policy_operator {
	const char *name;
	enum policy_type type;
	enum policy_relation relation;
	bool negated;
};
struct policy_operand {
	struct policy_pattern pattern;
	bool known; /* what follows was made of it; false: it waits for a variable, or equals nothing */
	union {
		double number;
		int64_t ms;
		struct {
			uint8_t address[16];
			int bits;
		} net;
	};
};
struct policy_condition {
	const struct policy_operator *operator;
	enum policy_set set;
	bool if_exists, deny;
	uint8_t use; /* the key: place in policy.use */
	enum policy_variable kind; /* of the key */
	uint32_t operands;
	struct policy_operand *operand;
};
struct policy_when {
	const struct policy_condition *condition;
	uint32_t conditions;
};

/* The operator of that name with its ForAllValues: and IfExists taken off into *c; false: there is none. */
bool policy_operator_named(const char *name, struct policy_condition *c);
/* Makes the typed value of a pattern without variables. NULL, or what it should have been: "a number". */
const char *policy_operand_read(const struct policy_operator *op, struct policy_operand *o);
/* Only the moment answers it. */
static inline bool policy_is_fleeting(const struct policy_condition *c)
{
	return c->kind == POLICY_CURRENT_TIME || c->kind == POLICY_EPOCH_TIME || c->kind == POLICY_CONNECT_ATTRIBUTES;
}
/* Operands hold no variables any more. keys: the key's n values in this connection. */
bool policy_condition_holds(const struct policy_condition *c, const char *const *keys, size_t n);
bool policy_when_holds(const struct policy_when *w, enum policy_action action, const struct policy_moment *m);

#endif
