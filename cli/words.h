/* words.h -- names as people type them on a command line: CreateThing is create-thing, thingName is --thing-name. Pure. */
#ifndef SKEETER_WORDS_H
#define SKEETER_WORDS_H

#include <stdbool.h>

#include "core/arena.h"

/* "RegisterCertificateWithoutCA" -> "register-certificate-without-ca". */
char *words_kebab(struct sk_arena *a, const char *camel);
/* Is `typed` that name? Dashes and case do not count, so CreateThing may be typed as well. */
bool words_same(const char *typed, const char *camel);

#endif
