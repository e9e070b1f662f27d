/* known.h -- what is known of one connection, as facts for its policies: the same for the live check and for operations that ask what
 * a device may do. */
#ifndef AUTH_KNOWN_H
#define AUTH_KNOWN_H

#include "plugins/auth/policy.h"

struct known {
	const char *client_id;   /* NULL: not known */
	const char *thing;       /* the connection's; NULL: none */
	const char *certificate; /* its id; NULL: a plain client */
	const char *address;     /* as the broker has it; NULL: not known */
	const char *thing_facts, *certificate_facts; /* certificate_facts.h; a thing's type is under KNOWN_TYPE */
	char ip[64];
};
#define KNOWN_TYPE " "

/* *out points into *k, which stays where it is. */
void known_facts(struct known *k, struct policy_facts *out);

#endif
