/* certificate_facts.h -- the fields of a certificate as policy variables.
 *
 * Facts are text: names and values one after the other, each ended by a NUL, and an empty name at the end. The same form holds a thing's
 * type and attributes. */
#ifndef AUTH_CERTIFICATE_FACTS_H
#define AUTH_CERTIFICATE_FACTS_H

#include "plugins/auth/certificate.h"

/* The value of that name; NULL when there is none, or no facts. */
const char *facts_value(const char *facts, const char *name);

/* "SerialNumber" (decimal), "Subject.CommonName", "Issuer.Country.List.1" and so on, as the variables behind iot:Certificate. are called.
 * "Limited to five items"; values of more than 1,024 characters, empty ones and those with a control character are left out. In
 * the arena; NULL when the bytes are no certificate or memory is out. */
const char *facts_of_der(struct sk_arena *a, const unsigned char *der, size_t n, size_t *size);
const char *facts_of_pem(struct sk_arena *a, const char *pem);

#endif
