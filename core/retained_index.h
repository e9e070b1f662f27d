/* retained_index.h -- the topics that the broker retains a message on, in order, with what is told of each: size, QoS, since when.
 *
 * Payloads are not here: the broker has them. About 100 bytes and the topic for each; no more topics than `most`, and what did not fit is
 * known. The broker's thread writes, any thread reads: a lock is held for one change, or for one page. */
#ifndef SK_RETAINED_INDEX_H
#define SK_RETAINED_INDEX_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct sk_retained_index;

struct sk_retained_fact {
	uint32_t size;       /* bytes of payload */
	int qos;
	int64_t modified_ms; /* wall clock */
	uint64_t digest;     /* of payload and QoS: the same message, or another */
};

struct sk_retained_index *sk_retained_index_new(size_t most);
void sk_retained_index_free(struct sk_retained_index **ix);

uint64_t sk_retained_digest(const void *payload, size_t n, int qos);

/* A message was retained now. */
void sk_retained_index_set(struct sk_retained_index *ix, const char *topic, const struct sk_retained_fact *f);
/* A message is there: what is known of the same one stays, also since when. `f` otherwise. */
void sk_retained_index_see(struct sk_retained_index *ix, const char *topic, const struct sk_retained_fact *f);
void sk_retained_index_remove(struct sk_retained_index *ix, const char *topic);
/* false: it is not there. */
bool sk_retained_index_find(struct sk_retained_index *ix, const char *topic, struct sk_retained_fact *out);

/* The next topics in order behind `after` (NULL: from the first), at most n; how many there are. out[i].topic are copies, to be freed; -1:
 * memory is out. */
struct sk_retained_entry {
	char *topic;
	struct sk_retained_fact fact;
};
int sk_retained_index_page(struct sk_retained_index *ix, const char *after, struct sk_retained_entry *out, int n);

/* All topics are about to be seen; those that were not are removed by the sweep, some at a time: false when it is done. */
void sk_retained_index_begin(struct sk_retained_index *ix);
bool sk_retained_index_sweep(struct sk_retained_index *ix, char **after);

size_t sk_retained_index_count(struct sk_retained_index *ix);
/* Topics that were not taken in since begin(): the index is not whole. */
size_t sk_retained_index_missed(struct sk_retained_index *ix);
uint64_t sk_retained_index_changes(struct sk_retained_index *ix);

#endif
