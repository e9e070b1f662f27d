/* engine_trace.h -- what the newest messages did under one rule, while somebody watches it. Any thread. */
#ifndef RULES_TRACE_LOG_H
#define RULES_TRACE_LOG_H

#include <stdbool.h>
#include <stdint.h>

#include "core/json.h"

enum { TRACE_KEPT = 64, TRACE_BYTES = 16384, TRACE_WATCH_MS = 5000 };

struct trace_log;
struct trace_log *trace_log_new(void);
void trace_log_free(struct trace_log *t);
void trace_log_watch(struct trace_log *t, int64_t until_ms);
bool trace_log_watched(struct trace_log *t, int64_t now_ms);
/* Keeps the entry {time, topic, clientId, trace} as text; what is longer than TRACE_BYTES is left out and says so. */
void trace_log_add(struct trace_log *t, struct sk_arena *a, cJSON *entry);
/* Appends the entries with a greater sequence than `after` to the array, each with its `sequence`. */
void trace_log_read(struct trace_log *t, uint64_t after, struct sk_arena *a, cJSON *array);

#endif
