/* certificate.h -- X.509, pure: from PEM to what a record holds, and new keys signed by a local CA.
 *
 * A certificate's id is the SHA-256 of its DER in lower-case hex, as in AWS; its DER decides, so the same certificate in other
 * line breaks is the same certificate. Results are in the given arena. A struct certificate_ca is read only after it was opened and
 * may be used by any thread. */
#ifndef AUTH_CERTIFICATE_H
#define AUTH_CERTIFICATE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/arena.h"

#define CERTIFICATE_ID_SIZE 32
#define CERTIFICATE_HEX_SIZE (2 * CERTIFICATE_ID_SIZE)

void certificate_id_of(const unsigned char *der, size_t n, uint8_t id[CERTIFICATE_ID_SIZE]);
void certificate_id_print(const uint8_t id[CERTIFICATE_ID_SIZE], char hex[CERTIFICATE_HEX_SIZE + 1]);
/* Exactly 64 hex digits of either case? NULL text is not. `id` may be NULL. */
bool certificate_id_read(const char *hex, uint8_t id[CERTIFICATE_ID_SIZE]);

/* The id of what stands first in the text, if that is a certificate, which is not looked into: a twentieth of the work of
 * certificate_read(). 0 or -1. */
int certificate_id_of_pem(const char *pem, char hex[CERTIFICATE_HEX_SIZE + 1]);

struct certificate {
	char id[CERTIFICATE_HEX_SIZE + 1];
	const char *pem; /* our own encoding of it */
	int64_t not_before_ms, not_after_ms;
	bool self_signed;
	unsigned long subject_hash; /* names its file in a capath folder */
};
/* Text that holds exactly one certificate. -1 with a sentence in why[]. */
int certificate_read(struct sk_arena *a, const char *pem, struct certificate *out, char *why, size_t why_size);

struct certificate_ca;
struct certificate_ca *certificate_ca_open(const char *certificate_file, const char *key_file, char *why, size_t why_size);
void certificate_ca_free(struct certificate_ca **ca);

struct certificate_pair {
	const char *pem, *public_key, *private_key;
};
/* An RSA key of 2048 bits and its certificate, valid from now to the end of 2049, as AWS makes them. Takes a tenth of a second or
 * more: not for the broker's thread. -1 with a sentence in why[]. */
int certificate_make(struct sk_arena *a, const struct certificate_ca *ca, int64_t now_ms, struct certificate_pair *out,
                     char *why, size_t why_size);

/* Is it a request that can be signed? 0, or -1 with a sentence in why[]. */
int certificate_request_check(const char *csr, char *why, size_t why_size);
/* The certificate of a request, NULL when it is not usable or memory is out. Another salt makes another certificate of the same
 * request. Signs: not for the broker's thread. */
const char *certificate_from_csr(struct sk_arena *a, const struct certificate_ca *ca, int64_t now_ms, const char *csr, const char *salt);

/* Did an OpenSSL call of this thread fail for want of memory? Empties its queue of errors: what it did not find may be there. */
bool certificate_starved(void);

/* Both of PEM; false for what is not one certificate. */
bool certificate_is_ca(const char *pem);
bool certificate_signed_by(const char *pem, const char *ca_pem);

#endif
