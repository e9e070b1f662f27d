/* load_histogram.h -- durations in microseconds, 64 buckets for each power of two: what is read back is at most 1.6 % off. */
#ifndef BENCH_LOAD_HISTOGRAM_H
#define BENCH_LOAD_HISTOGRAM_H

#include <stdint.h>

enum { HISTOGRAM_BUCKETS = 64 * 40 };
struct histogram {
	uint64_t count, max, bucket[HISTOGRAM_BUCKETS];
};

static inline void histogram_add(struct histogram *h, int64_t ns)
{
	uint64_t us = ns > 0 ? (uint64_t)ns / 1000 : 0;
	int shift = us < 128 ? 0 : 57 - __builtin_clzll(us);
	h->bucket[(uint64_t)shift * 64 + (us >> shift)]++;
	h->count++;
	h->max = us > h->max ? us : h->max;
}

/* In milliseconds; 0 when nothing was counted. */
static inline double histogram_at(const struct histogram *h, double quantile)
{
	uint64_t want = (uint64_t)((double)h->count * quantile), seen = 0;
	for (uint64_t i = 0; h->count && i < HISTOGRAM_BUCKETS; i++) {
		seen += h->bucket[i];
		if (seen > want || seen == h->count) {
			uint64_t shift = i < 128 ? 0 : i / 64 - 1;
			return (double)((i - shift * 64) << shift) / 1e3;
		}
	}
	return 0;
}

#endif
