/* statistics.h -- what each rule that is in force has been doing since the broker started. */
#ifndef RULES_STATISTICS_H
#define RULES_STATISTICS_H

#include "core/json.h"

struct rules_statistics {
	const char *name, *file;   /* file: NULL unless a file made it */
	bool disabled;
	uint64_t matched, passed, failed, dropped; /* messages of its filter; of these WHERE was true; something failed; there was no room */
	uint64_t ns;               /* spent on it */
	const char *last_error;    /* NULL: there was none */
	int64_t last_error_ms;
};
/* Any thread. In any order; what is passed is valid during the call only. */
void rules_statistics_each(void *state, void (*fn)(void *ctx, const struct rules_statistics *s), void *ctx);
/* Any thread. Traces of the rule newer than the sequence number `after` go to `out` as traces: [{sequence, time, topic, clientId, trace}]. Asking
 * switches tracing on for the next 5 s. False: no such rule is in force, and `out` is as it was. */
bool rules_trace_read(void *state, const char *rule, uint64_t after, struct sk_arena *a, cJSON *out);

#endif
