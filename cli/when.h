/* when.h -- times as people read them. Pure. */
#ifndef SKEETER_WHEN_H
#define SKEETER_WHEN_H

#include <stdbool.h>
#include <stdint.h>

#include "core/arena.h"

/* "just now", "12 s ago", "5 min ago", "3 h ago", "2 d ago"; "-" for 0. */
const char *when_ago(struct sk_arena *a, int64_t at_ms, int64_t now_ms);
/* "12 s", "5 min", "3 h", "2 d". */
const char *when_long(struct sk_arena *a, int64_t ms);
/* "90s", "15m", "1h", "7d", or seconds without a unit, as ms. false: it is none of these. */
bool when_read(const char *text, int64_t *ms);

#endif
