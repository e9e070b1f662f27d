/* index_things.h -- what the broker's thread knows about things and groups: which groups a thing is in, which policies those and the groups
 * above them have, and a thing's type and attributes. That thread only; a part of the index (index.h).
 *
 * A thing that is in a group or has a type or attributes takes an entry of 64 bytes in a file's pages and its texts in another file; all
 * others take nothing. Groups are few and on the heap. Records may arrive in any order. */
#ifndef AUTH_INDEX_THINGS_H
#define AUTH_INDEX_THINGS_H

#include "plugins/auth/index.h"

struct things;
struct things *things_new(const char *folder);
void things_free(struct things **t);

/* -- changes; 0, or -1 when memory or disk is out: then what the change was about has no answer any more, and denies -- */
int things_set_facts(struct things *t, const char *thing, const char *facts, size_t n);
int things_set_member(struct things *t, const char *thing, const char *group, bool member);
int things_set_parent(struct things *t, const char *group, const char *parent);
int things_set_attached(struct things *t, const char *group, const struct index_policy *policy, bool attached);
/* NULL thing: the certificate has none that it is attached to exclusively. */
int things_set_exclusive(struct things *t, const uint8_t id[CERTIFICATE_ID_SIZE], const char *thing);

/* The thing's record could not be read; a change of groups could not. Both answer -1. */
int things_close(struct things *t, const char *thing);
int things_lose(struct things *t);

/* -- questions -- */
/* Adds the policies of the thing's groups and of those above them; false: more than fit, or groups that are not known. */
bool things_policies(const struct things *t, const char *thing, struct index_effective *out);
/* In a block that the caller frees; NULL: it has none, or memory is out (then *failed). */
char *things_facts(const struct things *t, const char *thing, bool *failed);
bool things_exclusive(const struct things *t, const uint8_t id[CERTIFICATE_ID_SIZE], char thing[INDEX_THING]);
size_t things_bytes(const struct things *t);

#endif
