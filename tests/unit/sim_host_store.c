/* sim_host_store.c -- the store of the simulated world: sorted arrays, the whole contract of store.h, and faults on demand.
 *
 * Invariant: a commit is judged and applied in one go by sim_store_step; after a crash no further one is. */
#include "tests/unit/sim_host.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void broken(const char *what, const char *key)
{
	fprintf(stderr, "the runtime broke the store's contract: %s: %s\n", what, key);
	abort();
}

/* -- tables -- */

static size_t place(const struct sim_table *t, const char *key)
{
	size_t low = 0, high = t->count;
	while (low < high) {
		size_t mid = (low + high) / 2;
		if (strcmp(t->at[mid].key, key) < 0)
			low = mid + 1;
		else
			high = mid;
	}
	return low;
}

struct sim_record *sim_table_find(struct sim_table *t, const char *key)
{
	size_t i = place(t, key);
	return i < t->count && !strcmp(t->at[i].key, key) ? &t->at[i] : NULL;
}

static void insert(struct sim_table *t, const char *key, struct sk_bytes *bytes, uint64_t version)
{
	size_t i = place(t, key);
	if (t->count == t->room) {
		t->room = t->room ? t->room * 2 : 64;
		t->at = realloc(t->at, t->room * sizeof *t->at);
	}
	memmove(&t->at[i + 1], &t->at[i], (t->count - i) * sizeof *t->at);
	t->at[i] = (struct sim_record){ strdup(key), sk_bytes_ref(bytes), version };
	t->count++;
}

static void erase(struct sim_table *t, struct sim_record *r)
{
	free(r->key);
	sk_bytes_unref(r->bytes);
	t->count--;
	memmove(r, r + 1, (size_t)(t->at + t->count - r) * sizeof *r);
}

/* true: a key was added or removed */
static bool put(struct sim_table *t, const char *key, struct sk_bytes *bytes, uint64_t version)
{
	struct sim_record *r = sim_table_find(t, key);
	if (!bytes) {
		if (r)
			erase(t, r);
		return r != NULL;
	}
	if (!r) {
		insert(t, key, bytes, version);
		return true;
	}
	sk_bytes_unref(r->bytes);
	r->bytes = sk_bytes_ref(bytes);
	r->version = version;
	return false;
}

static struct sim_structure *structure_of(struct sim_store *of, const char *key)
{
	struct sim_store *s = of->base;
	size_t n = sk_key_partition(key);
	for (size_t i = 0; i < s->structures; i++)
		if (strlen(s->structure[i].partition) == n && !memcmp(s->structure[i].partition, key, n))
			return &s->structure[i];
	s->structure = realloc(s->structure, (s->structures + 1) * sizeof *s->structure);
	s->structure[s->structures] = (struct sim_structure){ strndup(key, n), 0 };
	return &s->structure[s->structures++];
}

/* -- reading -- */

static int store_read(struct sk_store *store, struct sk_store_read *reads, size_t n)
{
	struct sim_store *s = (struct sim_store *)store;
	bool fails = s->fail_reads > 0 || s->silent;
	s->fail_reads -= s->fail_reads > 0;
	s->reads += (unsigned)n;
	if (s->file && !fails)
		return s->file->ops->read(s->file, reads, n);
	for (size_t i = 0; i < n; i++) {
		struct sim_record *r = sim_table_find(&s->base->table[reads[i].space], reads[i].key);
		reads[i].bytes = r && !fails ? sk_bytes_ref(r->bytes) : NULL;
		reads[i].version = r && !fails ? r->version : 0;
	}
	return fails ? -1 : 0;
}

static int store_scan(struct sk_store *store, struct sk_store_scan *wanted)
{
	struct sim_store *s = (struct sim_store *)store;
	struct sim_table *t = &s->base->table[wanted->space];
	const char *prefix = wanted->prefix;
	size_t n = strlen(prefix), found = 0;
	s->scans++;
	if (s->fail_scans > 0 || s->silent) {
		s->fail_scans -= s->fail_scans > 0;
		return -1;
	}
	if (s->file)
		return s->file->ops->scan(s->file, wanted);
	wanted->as_of = s->base->store.seq;
	for (size_t i = place(t, prefix); i < t->count && !strncmp(t->at[i].key, prefix, n) && (!wanted->limit || found < wanted->limit); i++) {
		if (wanted->after && strcmp(t->at[i].key, wanted->after) <= 0)
			continue;
		found++;
		if (wanted->fn(wanted->ctx, &(struct sk_scan_item){ strdup(t->at[i].key), sk_bytes_ref(t->at[i].bytes), t->at[i].version }))
			break;
	}
	return 0;
}

/* -- committing -- */

static void check(struct sim_store *s, const struct sk_commit *c)
{
	size_t n = strlen(c->partition);
	for (struct sk_commit *other = s->queue; other; other = other->next)
		if (other != c && !strcmp(other->partition, c->partition))
			broken("two commits of a partition are under way", c->partition);
	for (size_t i = 0; i < c->write_count; i++) {
		const struct sk_store_write *w = &c->writes[i];
		if (strlen(w->key) > SK_KEY_MAX || !*w->key)
			broken("a key's length", w->key);
		if (w->space != SK_TIMER && (sk_key_partition(w->key) != n || memcmp(w->key, c->partition, n)))
			broken("a record outside of the partition", w->key);
		for (size_t k = 0; k < i; k++)
			if (c->writes[k].space == w->space && !strcmp(c->writes[k].key, w->key))
				broken("a key is written twice", w->key);
	}
	for (size_t i = 0; i < c->expect_count; i++)
		if (c->expects[i].as_of > s->base->store.seq)
			broken("as_of is in the future", c->expects[i].key);
}

static void store_submit(struct sk_store *store, struct sk_commit *list)
{
	struct sim_store *s = (struct sim_store *)store;
	while (list) {
		struct sk_commit *next = list->next;
		list->next = NULL;
		check(s, list);
		*s->queue_end = list;
		s->queue_end = &list->next;
		list = next;
	}
	store->wake(store->wake_ctx);
}

static bool holds(struct sim_store *s, const struct sk_commit *c)
{
	for (size_t i = 0; i < c->expect_count; i++) {
		const struct sk_store_expect *x = &c->expects[i];
		struct sim_record *r = x->structure ? NULL : sim_table_find(&s->base->table[SK_RECORD], x->key);
		if (x->structure ? structure_of(s, x->key)->version > x->as_of : (r ? r->version : 0) != x->version)
			return false;
	}
	return true;
}

static bool is_poisoned(const struct sim_store *s, const struct sk_commit *c)
{
	for (size_t i = 0; s->poison && i < c->write_count; i++)
		if (!strcmp(c->writes[i].key, s->poison))
			return true;
	return false;
}

static void log_change(struct sim_store *s, const char *key, uint64_t version)
{
	struct sim_store *b = s->base;
	if (!s->shares || !s->store.watched || !s->store.watched(s->store.watched_ctx, key))
		return;
	if (b->changes == b->log_room) {
		b->log_room = b->log_room ? b->log_room * 2 : 64;
		b->log = realloc(b->log, b->log_room * sizeof *b->log);
	}
	b->log[b->changes++] = (struct sim_change){ strdup(key), version };
}

static void apply(struct sim_store *s, struct sk_commit *c)
{
	c->version = s->base->store.seq + 1;
	for (size_t i = 0; i < c->write_count; i++) {
		const struct sk_store_write *w = &c->writes[i];
		if (w->space == SK_RECORD)
			log_change(s, w->key, c->version);
		if (put(&s->base->table[w->space], w->key, w->bytes, c->version) && w->space == SK_RECORD)
			structure_of(s, w->key)->version = c->version;
	}
	s->largest = c->write_count > s->largest ? (unsigned)c->write_count : s->largest;
	s->commits++;
	c->status = SK_COMMIT_OK;
	s->store.seq = s->base->store.seq = c->version;
}

/* true: it is the embedded store's to judge. */
static bool judge(struct sim_store *s, struct sk_commit *c)
{
	if (s->fail_commits > 0 || s->silent || is_poisoned(s, c)) {
		s->fail_commits -= s->fail_commits > 0;
		c->status = SK_COMMIT_FAILED;
		c->why = "The disk is full";
	} else if (s->conflict_commits > 0 || (!s->file && !holds(s, c))) {
		s->conflict_commits -= s->conflict_commits > 0;
		c->status = SK_COMMIT_CONFLICT;
	} else if (s->file) {
		return true;
	} else {
		apply(s, c);
		if (s->lose_answers > 0) {
			s->lose_answers--;
			c->status = SK_COMMIT_FAILED;
			c->unknown = true;
			c->why = "The answer never came";
		}
	}
	return false;
}

bool sim_store_busy(const struct sim_store *s)
{
	return s->queue && !s->held;
}

void sim_store_step(struct sim_store *s, int most)
{
	struct sk_commit *batch = NULL, **batch_end = &batch;
	while (!s->held && s->queue && most-- > 0 && !s->sim->crashed) {
		struct sk_commit *c = s->queue;
		SK_POINT(&s->sim->host, "store.before");
		if (s->sim->crashed)
			break;
		s->queue = c->next;
		if (!s->queue)
			s->queue_end = &s->queue;
		if (judge(s, c)) {
			c->next = NULL;
			*batch_end = c;
			batch_end = &c->next;
			continue;
		}
		SK_POINT(&s->sim->host, "store.durable");
		c->done(c);
	}
	if (batch)
		sim_file_commit(s, batch);
}

void sim_store_lose(struct sim_store *s)
{
	while (s->queue) {
		struct sk_commit *c = s->queue;
		s->queue = c->next;
		c->status = SK_COMMIT_FAILED;
		c->done(c);
	}
	s->queue_end = &s->queue;
}

static int64_t store_step(struct sk_store *store, int64_t now_us)
{
	struct sim_store *s = (struct sim_store *)store;
	sim_store_step(s, 1 + (int)sim_random(s->sim, 4));
	if (s->file && !s->queue && !s->sim->crashed)
		return sim_file_step(s);
	return s->queue ? now_us : INT64_MAX;
}

static bool store_pressed(struct sk_store *store)
{
	struct sim_store *s = (struct sim_store *)store;
	return s->pressed || (s->file && s->file->ops->pressed(s->file));
}

static void store_stats(struct sk_store *store, struct sk_store_stats *out)
{
	struct sim_store *s = (struct sim_store *)store;
	*out = (struct sk_store_stats){ .commits = s->commits, .reads = s->reads, .scans = s->scans };
}

static void store_close(struct sk_store *store)
{
	(void)store;
}

static void wake(void *ctx)
{
	struct sim *s = ctx;
	sim_wake(s, s->workers + SIM_COMMITTER);
}

/* -- what brokers that share it tell each other -- */

struct sk_changes {
	size_t next;
	unsigned life;
};

static int store_changes(struct sk_store *store, struct sk_changes **at, bool *gap, sk_change_fn *fn, void *ctx)
{
	struct sim_store *s = (struct sim_store *)store, *b = s->base;
	*gap = false;
	if (s->silent)
		return -1;
	if (!*at) {
		*at = calloc(1, sizeof **at);
		**at = (struct sk_changes){ b->changes, b->life };
		return 0;
	}
	*gap = (*at)->life != b->life || (*at)->next < b->cut;
	if (*gap)
		**at = (struct sk_changes){ b->changes, b->life };
	while ((*at)->next < b->changes) {
		const struct sim_change *c = &b->log[(*at)->next++];
		fn(ctx, c->key, c->version);
	}
	return 0;
}

static void store_changes_end(struct sk_changes *at)
{
	free(at);
}

static int store_beat(struct sk_store *store, void (*fn)(void *ctx, const char *self), void *ctx)
{
	struct sim_store *s = (struct sim_store *)store, *b = s->base;
	int i = 0;
	if (s->silent)
		return -1;
	while (i < b->peers && strcmp(b->peer[i].self, store->self))
		i++;
	if (i == b->peers && b->peers < SIM_PEERS)
		strcpy(b->peer[b->peers++].self, store->self);
	if (i < b->peers)
		b->peer[i].at_ms = s->sim->wall_ms;
	for (i = 0; i < b->peers; i++)
		if (b->peer[i].at_ms > s->sim->wall_ms - 10000)
			fn(ctx, b->peer[i].self);
	return 0;
}

void sim_store_name(struct sim_store *s)
{
	if (s->shares)
		snprintf(s->store.self, sizeof s->store.self, "%016llx", (unsigned long long)(++s->base->names * 0x9E3779B97F4A7C15u));
}

void sim_store_empty(struct sim_store *of)
{
	struct sim_store *s = of->base;
	for (int space = 0; space < SK_SPACES; space++)
		while (s->table[space].count)
			erase(&s->table[space], &s->table[space].at[s->table[space].count - 1]);
	for (size_t i = 0; i < s->structures; i++)
		s->structure[i].version = s->store.seq + 1;
	s->store.seq++;
	s->life++;
}

void sim_store_cut(struct sim_store *of)
{
	of->base->cut = of->base->changes;
}

struct sim_store *sim_store_new(struct sim *sim)
{
	static const struct sk_store_ops ops = { .name = "simulated", .read = store_read, .scan = store_scan, .submit = store_submit,
		.step = store_step, .pressed = store_pressed, .stats = store_stats, .changes = store_changes, .changes_end = store_changes_end,
		.beat = store_beat, .close = store_close };
	struct sim_store *s = calloc(1, sizeof *s);
	s->sim = sim;
	s->base = s;
	s->store.ops = &ops;
	s->store.exclusive = true;
	s->queue_end = &s->queue;
	s->store.wake = wake;
	s->store.wake_ctx = sim;
	return s;
}

void sim_store_free(struct sim_store **at)
{
	struct sim_store *s = *at;
	if (s->file)
		sim_file_free(s);
	for (int space = 0; space < SK_SPACES; space++) {
		while (s->table[space].count)
			erase(&s->table[space], &s->table[space].at[s->table[space].count - 1]);
		free(s->table[space].at);
	}
	for (size_t i = 0; i < s->structures; i++)
		free(s->structure[i].partition);
	free(s->structure);
	for (size_t i = 0; i < s->changes; i++)
		free(s->log[i].key);
	free(s->log);
	free(s);
	*at = NULL;
}

void sim_put_in(struct sim *s, enum sk_space space, const char *key, const char *text)
{
	struct sk_bytes *bytes = sk_bytes_new(text, strlen(text));
	if (s->on_file)
		sim_file_put(s->store, &(struct sk_store_write){ space, key, bytes });
	else
		put(&s->store->base->table[space], key, bytes, ++s->store->base->store.seq);
	if (space == SK_RECORD)
		log_change(s->store, key, s->store->base->store.seq);
	sk_bytes_unref(bytes);
}

void sim_put(struct sim *s, const char *key, const char *text)
{
	sim_put_in(s, SK_RECORD, key, text);
}

const char *sim_record(struct sim *s, const char *key)
{
	struct sim_record *r = sim_table_find(&s->store->base->table[SK_RECORD], key);
	const struct sk_bytes *bytes = s->on_file ? sim_file_read(s->store, key).bytes : r ? r->bytes : NULL;
	return bytes ? bytes->data : NULL;
}

uint64_t sim_version(struct sim *s, const char *key)
{
	struct sim_record *r = sim_table_find(&s->store->base->table[SK_RECORD], key);
	return s->on_file ? sim_file_read(s->store, key).version : r ? r->version : 0;
}

static int count_one(void *ctx, const struct sk_scan_item *item)
{
	++*(size_t *)ctx;
	free(item->key);
	sk_bytes_unref(item->bytes);
	return 0;
}

size_t sim_count(struct sim *s, enum sk_space space)
{
	size_t n = 0;
	if (!s->on_file)
		return s->store->base->table[space].count;
	if (s->store->file->ops->scan(s->store->file, &(struct sk_store_scan){ .space = space, .prefix = "", .fn = count_one, .ctx = &n }))
		broken("it cannot be read", "");
	return n;
}
