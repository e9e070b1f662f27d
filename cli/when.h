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
/* A moment, in ms since 1970: "now", "15m" (so long before now_ms), "2026-11-23", "2026-11-23T16:05" or with seconds and parts of them, a blank for the T;
 * local time, or with a Z behind it UTC. false: it is none of these. */
bool when_moment(const char *text, int64_t now_ms, int64_t *ms);
/* "2026-11-23T16:05:01.234", local. */
const char *when_printed(struct sk_arena *a, int64_t ms);

#endif
