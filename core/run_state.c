/* run_state.c -- the tables of a run: what it has read, written and scanned. Keys live in the run's arena.
 *
 * The tables are short (a few entries per call), so they are arrays searched by hash, newest first. */
#include "core/runtime.h"

#include <stdlib.h>
#include <string.h>

/* Room for one more element; the old block stays in the arena until the run ends. */
static void *grown(struct sk_arena *a, void *table, size_t count, size_t *capacity, size_t size)
{
	if (count < *capacity)
		return table;
	size_t n = *capacity ? *capacity * 2 : 8;
	void *larger = sk_alloc(a, n * size);
	if (!larger)
		return NULL;
	if (count)
		memcpy(larger, table, count * size);
	*capacity = n;
	return larger;
}

struct sk_run_read *sk_run_find_read(struct sk_run *run, const char *key, uint32_t hash)
{
	for (size_t i = run->reads; i-- > 0;)
		if (run->read[i].hash == hash && !strcmp(run->read[i].key, key))
			return &run->read[i];
	return NULL;
}

struct sk_run_read *sk_run_add_read(struct sk_run *run, const char *key, uint32_t hash)
{
	struct sk_run_read *table = grown(&run->arena, run->read, run->reads, &run->read_capacity, sizeof *table);
	const char *copy = sk_strdup(&run->arena, key);
	if (!table || !copy)
		return NULL;
	run->read = table;
	struct sk_run_read *r = &table[run->reads++];
	*r = (struct sk_run_read){ .hash = hash, .key = copy, .state = SK_READ_WANTED };
	size_t home = strlen(run->partition->name);
	r->home = sk_key_partition(key) == home && !memcmp(key, run->partition->name, home);
	return r;
}

const struct sk_run_write *sk_run_find_write(const struct sk_run *run, const char *key, uint32_t hash)
{
	for (size_t i = run->writes; i-- > 0;) {
		const struct sk_run_write *w = &run->write[i];
		if (w->hash == hash && w->space == SK_RECORD && !strcmp(w->key, key))
			return w;
	}
	return NULL;
}

int sk_run_add_write(struct sk_run *run, enum sk_space space, const char *key, struct sk_bytes *bytes)
{
	struct sk_run_write *table = grown(&run->arena, run->write, run->writes, &run->write_capacity, sizeof *table);
	const char *copy = sk_strdup(&run->arena, key);
	if (!table || !copy) {
		sk_bytes_unref(bytes);
		return -1;
	}
	run->write = table;
	table[run->writes++] = (struct sk_run_write){ .hash = sk_hash(key, strlen(key)), .space = space, .key = copy, .bytes = bytes };
	return 0;
}

void sk_run_cut_writes(struct sk_run *run, size_t mark)
{
	while (run->writes > mark)
		sk_bytes_unref(run->write[--run->writes].bytes);
}

static bool same(const char *a, const char *b)
{
	return a == b || (a && b && !strcmp(a, b));
}

struct sk_run_scan *sk_run_find_scan(struct sk_run *run, const char *prefix, const char *after)
{
	for (size_t i = run->scans; i-- > 0;)
		if (same(run->scan[i].prefix, prefix) && same(run->scan[i].after, after))
			return &run->scan[i];
	return NULL;
}

struct sk_run_scan *sk_run_add_scan(struct sk_run *run, const char *prefix, const char *after, size_t limit)
{
	struct sk_run_scan *table = grown(&run->arena, run->scan, run->scans, &run->scan_capacity, sizeof *table);
	const char *prefix_copy = sk_strdup(&run->arena, prefix), *after_copy = sk_strdup(&run->arena, after);
	if (!table || !prefix_copy || (after && !after_copy))
		return NULL;
	run->scan = table;
	struct sk_run_scan *s = &table[run->scans++];
	*s = (struct sk_run_scan){ .prefix = prefix_copy, .after = after_copy, .limit = limit, .state = SK_READ_WANTED };
	return s;
}

void sk_run_forget(struct sk_run *run)
{
	sk_run_cut_writes(run, 0);
	for (size_t i = 0; i < run->reads; i++)
		sk_bytes_unref(run->read[i].bytes);
	for (size_t i = 0; i < run->scans; i++) {
		struct sk_run_scan *s = &run->scan[i];
		for (size_t k = 0; k < s->count; k++) {
			free(s->item[k].key);
			sk_bytes_unref(s->item[k].bytes);
		}
		free(s->item);
	}
	run->reads = run->scans = 0;
	run->read_capacity = run->write_capacity = run->scan_capacity = 0;
	run->read = NULL;
	run->write = NULL;
	run->scan = NULL;
}
