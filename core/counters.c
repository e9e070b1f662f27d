/* counters.c -- where a latency falls. */
#include "core/counters.h"

void sk_count_latency(struct sk_row_counters *c, int64_t us)
{
	int i = us <= 0 ? 0 : 64 - __builtin_clzll((unsigned long long)us);
	SK_COUNT(c->latency[i < SK_LATENCY_BUCKETS ? i : SK_LATENCY_BUCKETS - 1]);
	SK_COUNT_BY(c->latency_us, (uint64_t)(us > 0 ? us : 0));
}
