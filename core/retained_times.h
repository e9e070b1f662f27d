/* retained_times.h -- since when each message is retained, over a restart: Mosquitto does not keep it.
 *
 * A file of (topic, message, time) in hashes, written now and then: no truth, only what is known. A message that is not the one in the file has no time
 * here, so a file that is older than what the broker kept never gives a changed message an old time. */
#ifndef SK_RETAINED_TIMES_H
#define SK_RETAINED_TIMES_H

#include "core/retained_index.h"

struct sk_times;
/* NULL: there is no file, or none of ours. */
struct sk_times *sk_times_load(const char *path);
void sk_times_free(struct sk_times **t);
/* When the message with that digest was retained on that topic, else `otherwise`. t may be NULL. */
int64_t sk_times_find(const struct sk_times *t, const char *topic, uint64_t digest, int64_t otherwise);
/* 0, or -1: the file before is still there. */
int sk_times_save(const char *path, struct sk_retained_index *ix);

#endif
