/* statistics.c -- see statistics.h. No rule is in force here. */
#include "plugins/rules/statistics.h"

void rules_statistics_each(void *state, void (*fn)(void *ctx, const struct rules_statistics *s), void *ctx)
{
	(void)state, (void)fn, (void)ctx;
}

bool rules_trace_read(void *state, const char *rule, uint64_t after, struct sk_arena *a, cJSON *out)
{
	(void)state, (void)rule, (void)after, (void)a, (void)out;
	return false;
}
