/* identity.h -- who signed a request, and what his access key is good for. */
#ifndef HTTP_IDENTITY_H
#define HTTP_IDENTITY_H

#include "plugins/http/http.h"

http_identify identity_of;    /* by the signature; x->grant is a struct keyring_grant */
http_authorize identity_judge; /* by the key's policies */

#endif
