/* credentials.h -- the key that a request is signed with: from the secrets, else from the environment. A key is never logged.
 *
 * The secret is {"accessKeyId", "secretAccessKey", "sessionToken"?}, under the name of the action's role, else under "aws"; else, as AWS's own tools
 * have it, AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY and AWS_SESSION_TOKEN. */
#ifndef OUTBOUND_CREDENTIALS_H
#define OUTBOUND_CREDENTIALS_H

#include "core/arena.h"

struct outbound_credentials {
	const char *key_id, *secret, *token; /* token NULL: there is none */
};
/* NULL, or why there is none, without a word of any key. `role` may be NULL. Texts are the arena's. */
const char *outbound_credentials(struct sk_arena *a, const char *role, struct outbound_credentials *out);

#endif
