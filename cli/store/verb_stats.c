/* verb_stats.c -- skeeter-store stats: what a store holds, by the prefix of its keys, and what its file and log weigh, or who uses its Redis. */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "cli/store/place.h"
#include "cli/store/store.h"
#include "core/store_redis.h"

enum { GROUPS = 512, NAME = 64 }; /* one more group takes what has no place */

struct group {
	char name[NAME];
	uint64_t records, bytes, largest;
};
struct counting {
	struct group group[GROUPS + 1];
	size_t groups;
	struct group space[SK_SPACES];
	struct progress *progress;
	uint64_t told;
};

static size_t until_slash(struct sk_slice s)
{
	const char *slash = memchr(s.data, '/', s.size);

	return slash ? (size_t)(slash - s.data) : s.size;
}

static struct sk_slice behind(struct sk_slice s, size_t n)
{
	n = n < s.size ? n + 1 : s.size;
	return (struct sk_slice){ s.data + n, s.size - n };
}

/* "registry/thing" of registry/thing/lamp, "thing/+/shadow" of thing/lamp/shadow/name. */
static void name_of(struct sk_slice key, char *name)
{
	size_t first = until_slash(key), third;
	struct sk_slice rest = behind(key, first);

	if (first == strlen("registry") && !memcmp(key.data, "registry", first)) {
		snprintf(name, NAME, "registry/%.*s", (int)until_slash(rest), rest.data);
		return;
	}
	rest = behind(rest, until_slash(rest));
	third = until_slash(rest);
	snprintf(name, NAME, "%.*s/+/%.*s", (int)(first < 20 ? first : 20), key.data, (int)third, rest.data);
}

static struct group *group_of(struct counting *c, const char *name)
{
	for (size_t i = 0; i < c->groups; i++)
		if (!strcmp(c->group[i].name, name))
			return &c->group[i];
	if (c->groups == GROUPS) {
		snprintf(c->group[GROUPS].name, NAME, "others");
		return &c->group[GROUPS];
	}
	snprintf(c->group[c->groups].name, NAME, "%s", name);
	return &c->group[c->groups++];
}

static void add(struct group *g, const struct view_record *r)
{
	g->records++;
	g->bytes += r->data.size;
	if (r->data.size > g->largest)
		g->largest = r->data.size;
}

static int count(void *ctx, const struct view_record *r)
{
	struct counting *c = ctx;
	char name[NAME];

	add(&c->space[r->space], r);
	if (r->space == SK_RECORD) {
		name_of(r->key, name);
		add(group_of(c, name), r);
	}
	if (!(++c->told % 1024))
		progress_tell(c->progress, c->told, 0);
	return 0;
}

static int64_t pragma(struct view *v, const char *sql)
{
	sqlite3_stmt *stmt = NULL;
	int64_t n = 0;

	if (sqlite3_prepare_v2(v->table->db, sql, -1, &stmt, NULL) == SQLITE_OK && sqlite3_step(stmt) == SQLITE_ROW)
		n = sqlite3_column_int64(stmt, 0);
	sqlite3_finalize(stmt);
	return n;
}

static int by_name(const void *a, const void *b)
{
	return strcmp(((const struct group *)a)->name, ((const struct group *)b)->name);
}

static void print_file(struct view *v)
{
	int64_t wal = view_size(v->path, "-wal");

	printf("version    %d\n", SK_STORE_SCHEMA);
	printf("sequence   %" PRIu64 "\n", v->sequence);
	printf("file       %" PRId64 " bytes, %" PRId64 " pages, %" PRId64 " of them free\n", view_size(v->path, ""),
		pragma(v, "PRAGMA page_count"), pragma(v, "PRAGMA freelist_count"));
	printf("wal        %" PRId64 " bytes\n", wal < 0 ? 0 : wal);
	printf("log        %zu rows, %zu bytes\n", v->log_rows, v->log_bytes);
	printf("dirty      %zu records, %zu bytes in a broker's memory\n", (size_t)v->map.count, (size_t)v->map.bytes);
}

static void print_redis(const struct look *l, int brokers)
{
	printf("version    %d\n", SK_REDIS_FORMAT);
	printf("sequence   %" PRIu64 "\n", l->newest);
	printf("id         %s\n", l->id);
	printf("buckets    %d\n", l->buckets);
	printf("brokers    %d\n", brokers);
}

static void print_groups(struct counting *c)
{
	for (int i = 0; i < SK_SPACES; i++)
		printf("%-10s %" PRIu64 ", %" PRIu64 " bytes\n", (const char *[]){ "records", "effects", "timers" }[i], c->space[i].records, c->space[i].bytes);
	printf("\n%10s %12s %10s  prefix\n", "records", "bytes", "largest");
	qsort(c->group, c->groups, sizeof c->group[0], by_name);
	for (size_t i = 0; i <= GROUPS; i++)
		if (c->group[i].records)
			printf("%10" PRIu64 " %12" PRIu64 " %10" PRIu64 "  %s\n", c->group[i].records, c->group[i].bytes, c->group[i].largest, c->group[i].name);
}

static int print(struct place *p, struct counting *c)
{
	char why[1024];
	int brokers = p->look ? look_brokers(p->look, why, sizeof why) : 0;

	if (brokers < 0)
		return store_failed("%s", why);
	printf("store      %s\n", p->name);
	if (p->view)
		print_file(p->view);
	else
		print_redis(p->look, brokers);
	if (p->marker)
		printf("not whole  what fills it has not ended\n");
	print_groups(c);
	return STORE_OK;
}

int store_stats(struct store_options *o)
{
	struct counting *c = calloc(1, sizeof *c);
	struct view_why why;
	struct place p;
	int rc;

	if (!c)
		return store_failed("cannot read store %s: out of memory", o->store);
	c->progress = &o->progress;
	progress_begin(&o->progress, "stats: records");
	if (place_open(&p, o->store, PLACE_GLANCE, &why) || place_all(&p, count, c, &why))
		rc = store_failed("%s", why.text);
	else
		rc = print(&p, c);
	place_close(&p);
	free(c);
	return rc;
}
