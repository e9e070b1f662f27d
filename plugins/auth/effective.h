/* effective.h -- which policies count for a device, by the records: for operations on a worker. The same engine as the live check then
 * answers what they allow. */
#ifndef AUTH_EFFECTIVE_H
#define AUTH_EFFECTIVE_H

#include "core/call.h"
#include "plugins/auth/index.h"
#include "plugins/auth/known.h"

struct effective_policy {
	const char *name;
	const char *group; /* NULL: by the certificate; "" : the question added it */
	const cJSON *record; /* NULL: it does not exist */
};
struct effective {
	size_t count;
	struct effective_policy policy[INDEX_EFFECTIVE];
	struct known known;
};

/* In the call's arena; NULL when it is out. Records that are not read yet make the call void, as always. */
struct effective *effective_new(struct sk_call *c);
void effective_add_policy(struct sk_call *c, struct effective *e, const char *policy, const char *group);
/* The policies of the certificate, of the group and those above it, of the thing's groups. */
void effective_add_certificate(struct sk_call *c, struct effective *e, const char *id);
void effective_add_group(struct sk_call *c, struct effective *e, const char *group);
void effective_add_thing(struct sk_call *c, struct effective *e, const char *thing);
void effective_skip(struct effective *e, const char *policy);

/* The thing of a connection with this client id: the one that the certificate is attached to exclusively, or the one of that name; NULL:
 * none. */
const char *effective_thing(struct sk_call *c, const char *id, const char *client_id);
/* Fills e->known for a client id (NULL: not said) with that certificate (NULL: none) on that thing. */
void effective_know(struct sk_call *c, struct effective *e, const char *client_id, const char *id, const char *thing);

#endif
