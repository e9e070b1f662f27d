/* access_keys.h -- operations on access keys, and the watch that tells the keyring of them. */
#ifndef HTTP_ACCESS_KEYS_H
#define HTTP_ACCESS_KEYS_H

#include "core/plugin.h"

extern const struct sk_op_group access_keys_group;

/* A watch of registry/access-key/ */
int access_keys_watch(void *state, const char *id, const struct sk_bytes *bytes);
int access_keys_reset(void *state, enum sk_reset phase);

#endif
