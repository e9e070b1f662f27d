/* counters.h -- counters that any thread may bump and any thread may read; relaxed atomics, never reset. */
#ifndef SK_COUNTERS_H
#define SK_COUNTERS_H

#include <stdatomic.h>
#include <stdint.h>

#define SK_LATENCY_BUCKETS 24 /* bucket i: below 2^i microseconds; the last one holds the rest */

struct sk_row_counters {
	_Atomic uint64_t calls, errors, refused, reruns, latency_us;
	_Atomic uint64_t latency[SK_LATENCY_BUCKETS]; /* from arrival to release */
};
struct sk_counters {
#define SK_COUNTER(name, prose) _Atomic uint64_t name;
#include "core/counters.tbl"
#undef SK_COUNTER
};

#define SK_COUNT(counter) atomic_fetch_add_explicit(&(counter), 1, memory_order_relaxed)
#define SK_COUNT_BY(counter, n) atomic_fetch_add_explicit(&(counter), (n), memory_order_relaxed)

void sk_count_latency(struct sk_row_counters *c, int64_t us);

#endif
