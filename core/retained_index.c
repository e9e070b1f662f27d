/* retained_index.c -- see retained_index.h. A skip list: in order, no rebalancing, so that a change holds the lock only while its place is
 * looked for. */
#include "core/retained_index.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

enum { HEIGHT = 12, SWEEP = 256 };

struct node {
	struct sk_retained_fact fact;
	uint32_t round;
	uint8_t height;
	struct node *next[]; /* then the topic */
};
struct sk_retained_index {
	pthread_mutex_t lock;
	struct node *head[HEIGHT];
	size_t most;
	uint64_t count, missed, changes, random;
	uint32_t round;
};

static const char *topic_of(const struct node *n)
{
	return (const char *)(n->next + n->height);
}

struct sk_retained_index *sk_retained_index_new(size_t most)
{
	struct sk_retained_index *ix = calloc(1, sizeof *ix);
	if (!ix)
		return NULL;
	pthread_mutex_init(&ix->lock, NULL);
	ix->random = 0x9e3779b97f4a7c15u;
	ix->most = most;
	return ix;
}

void sk_retained_index_free(struct sk_retained_index **at)
{
	struct sk_retained_index *ix = *at;
	*at = NULL;
	if (!ix)
		return;
	while (ix->head[0]) {
		struct node *n = ix->head[0];
		ix->head[0] = n->next[0];
		free(n);
	}
	pthread_mutex_destroy(&ix->lock);
	free(ix);
}

uint64_t sk_retained_digest(const void *payload, size_t n, int qos)
{
	const unsigned char *p = payload;
	uint64_t h = 0x9e3779b97f4a7c15u ^ n ^ (uint64_t)qos << 56, word;
	for (; n >= sizeof word; p += sizeof word, n -= sizeof word) {
		memcpy(&word, p, sizeof word);
		h = (h ^ word) * 0xff51afd7ed558ccdu;
		h ^= h >> 32;
	}
	word = 0;
	if (n)
		memcpy(&word, p, n);
	h = (h ^ word) * 0xc4ceb9fe1a85ec53u;
	return h ^ h >> 29;
}

/* -- under the lock -- */

/* The first node not before `topic`; before[i] is where its place in level i is pointed from. */
static struct node *find(struct sk_retained_index *ix, const char *topic, struct node **before[HEIGHT])
{
	struct node **next = ix->head;
	for (int i = HEIGHT - 1; i >= 0; i--) {
		while (next[i] && strcmp(topic_of(next[i]), topic) < 0)
			next = next[i]->next;
		before[i] = &next[i];
	}
	return *before[0];
}

static unsigned random_height(struct sk_retained_index *ix)
{
	unsigned height = 1;
	ix->random ^= ix->random << 13;
	ix->random ^= ix->random >> 7;
	ix->random ^= ix->random << 17;
	for (uint64_t x = ix->random >> 8; height < HEIGHT && !(x & 3); x >>= 2)
		height++;
	return height;
}

static struct node *insert(struct sk_retained_index *ix, const char *topic, struct node **before[HEIGHT])
{
	unsigned height = random_height(ix);
	size_t n = strlen(topic) + 1;
	struct node *node = ix->count < ix->most ? malloc(sizeof *node + height * sizeof node->next[0] + n) : NULL;
	if (!node) {
		ix->missed++;
		return NULL;
	}
	node->height = (uint8_t)height;
	memcpy(node->next + height, topic, n);
	for (unsigned i = 0; i < height; i++) {
		node->next[i] = *before[i];
		*before[i] = node;
	}
	ix->count++;
	return node;
}

static void unlink_node(struct sk_retained_index *ix, struct node *n, struct node **before[HEIGHT])
{
	for (int i = 0; i < n->height; i++)
		*before[i] = n->next[i];
	ix->count--;
	ix->changes++;
	free(n);
}

static bool is(const struct node *n, const char *topic)
{
	return n && !strcmp(topic_of(n), topic);
}

static void put(struct sk_retained_index *ix, const char *topic, const struct sk_retained_fact *f, bool keep)
{
	struct node **before[HEIGHT];
	pthread_mutex_lock(&ix->lock);
	struct node *n = find(ix, topic, before);
	bool known = is(n, topic);
	if (!known)
		n = insert(ix, topic, before);
	if (n)
		n->round = ix->round;
	if (n && !(known && keep && n->fact.digest == f->digest)) {
		n->fact = *f;
		ix->changes++;
	}
	pthread_mutex_unlock(&ix->lock);
}

/* -- for all -- */

void sk_retained_index_set(struct sk_retained_index *ix, const char *topic, const struct sk_retained_fact *f)
{
	put(ix, topic, f, false);
}

void sk_retained_index_see(struct sk_retained_index *ix, const char *topic, const struct sk_retained_fact *f)
{
	put(ix, topic, f, true);
}

void sk_retained_index_remove(struct sk_retained_index *ix, const char *topic)
{
	struct node **before[HEIGHT];
	pthread_mutex_lock(&ix->lock);
	struct node *n = find(ix, topic, before);
	if (is(n, topic))
		unlink_node(ix, n, before);
	pthread_mutex_unlock(&ix->lock);
}

bool sk_retained_index_find(struct sk_retained_index *ix, const char *topic, struct sk_retained_fact *out)
{
	struct node **before[HEIGHT];
	pthread_mutex_lock(&ix->lock);
	const struct node *n = find(ix, topic, before);
	bool found = is(n, topic);
	if (found)
		*out = n->fact;
	pthread_mutex_unlock(&ix->lock);
	return found;
}

int sk_retained_index_page(struct sk_retained_index *ix, const char *after, struct sk_retained_entry *out, int n)
{
	struct node **before[HEIGHT];
	int count = 0;
	pthread_mutex_lock(&ix->lock);
	const struct node *at = after ? find(ix, after, before) : ix->head[0];
	if (after && is(at, after))
		at = at->next[0];
	for (; at && count < n; at = at->next[0], count++) {
		out[count].fact = at->fact;
		out[count].topic = strdup(topic_of(at));
		if (!out[count].topic)
			break;
	}
	pthread_mutex_unlock(&ix->lock);
	if (count == n || !at)
		return count;
	while (count > 0)
		free(out[--count].topic);
	return -1;
}

void sk_retained_index_begin(struct sk_retained_index *ix)
{
	pthread_mutex_lock(&ix->lock);
	ix->round++;
	ix->missed = 0;
	pthread_mutex_unlock(&ix->lock);
}

/* Behind *after, which becomes the last topic that was looked at. */
bool sk_retained_index_sweep(struct sk_retained_index *ix, char **after)
{
	struct node **before[HEIGHT];
	struct node *n;
	char *last = NULL;
	pthread_mutex_lock(&ix->lock);
	n = find(ix, *after ? *after : "", before);
	for (int i = 0; n && i < SWEEP; i++) {
		if (i == SWEEP - 1)
			last = strdup(topic_of(n));
		if (n->round != ix->round) {
			unlink_node(ix, n, before);
		} else {
			for (int k = 0; k < n->height; k++)
				before[k] = &n->next[k];
		}
		n = *before[0];
	}
	pthread_mutex_unlock(&ix->lock);
	free(*after);
	*after = last;
	return last != NULL;
}

static uint64_t read_under_lock(struct sk_retained_index *ix, const uint64_t *value)
{
	pthread_mutex_lock(&ix->lock);
	uint64_t v = *value;
	pthread_mutex_unlock(&ix->lock);
	return v;
}

size_t sk_retained_index_count(struct sk_retained_index *ix)
{
	return read_under_lock(ix, &ix->count);
}

size_t sk_retained_index_missed(struct sk_retained_index *ix)
{
	return read_under_lock(ix, &ix->missed);
}

uint64_t sk_retained_index_changes(struct sk_retained_index *ix)
{
	return read_under_lock(ix, &ix->changes);
}
