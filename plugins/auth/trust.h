/* trust.h -- the capath folder of the TLS listener: which self-signed device certificates its handshake accepts.
 *
 * OpenSSL looks up <subject hash>.0, .1, ... and stops at the first number that is not there, so the numbers of a hash have no gap.
 * Files appear whole. Both functions are idempotent, may run on any thread and do file I/O: never on the broker's thread. */
#ifndef AUTH_TRUST_H
#define AUTH_TRUST_H

#include <stddef.h>

#include "plugins/auth/certificate.h"

/* 0, or -1 with a sentence in why[]. The folder must exist. */
int trust_add(const char *folder, const struct certificate *x, char *why, size_t why_size);
int trust_remove(const char *folder, const struct certificate *x, char *why, size_t why_size);

#endif
