/* grants.h -- policies by name for whoever is no MQTT client: the holders of access keys. Any thread.
 *
 * The broker's thread tells of changes (watches.c), other threads ask at the same time; a lock is held only while names are looked up. What is
 * compiled is shared with the index. */
#ifndef AUTH_GRANTS_H
#define AUTH_GRANTS_H

#include "core/judge.h"
#include "plugins/auth/policy.h"

struct grants;
struct grants *grants_new(void);
void grants_free(struct grants **g);
/* compiled NULL: there is no such policy any more, or it does not compile. 0, or -1: memory is out. */
int grants_set(struct grants *g, const char *name, struct policy *compiled);
/* SK_ALLOW or SK_DENY. A policy that is not there denies, and so does memory that is out. */
int grants_judge(struct grants *g, struct sk_judgement *j);

#endif
