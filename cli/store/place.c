/* place.c -- a file through view.c while it is read and through the embedded store when it is filled; a Redis always through its store. */
#include "cli/store/place.h"

#include <errno.h>
#include <libgen.h>
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { DIRTY = 16 << 20, LOG = 64 << 20, WAIT_MS = 2000 };

static int failed(struct view_why *why, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
static int failed(struct view_why *why, const char *fmt, ...)
{
	va_list ap;

	why->damaged = false;
	va_start(ap, fmt);
	vsnprintf(why->text, sizeof why->text, fmt, ap);
	va_end(ap);
	return -1;
}

bool place_is_marker(enum sk_space space, const char *key, size_t size)
{
	return space == SK_RECORD && size == strlen(SK_STORE_FILLING) && !memcmp(key, SK_STORE_FILLING, size);
}

/* -- reading -- */
struct scanning {
	enum sk_space space;
	view_fn *fn;
	void *ctx;
	int stopped;
};

static int scanned(void *ctx, const struct sk_scan_item *item)
{
	struct scanning *s = ctx;
	struct view_record r = { .space = s->space, .key = { item->key, strlen(item->key) }, .data = { item->bytes->data, item->bytes->size },
		.version = item->version };

	s->stopped = s->fn(s->ctx, &r);
	free(item->key);
	sk_bytes_unref(item->bytes);
	return s->stopped;
}

int place_each(struct place *p, enum sk_space space, const char *after, view_fn *fn, void *ctx, struct view_why *why)
{
	struct scanning s = { .space = space, .fn = fn, .ctx = ctx };
	struct sk_store_scan scan = { .space = space, .prefix = "", .after = after, .fn = scanned, .ctx = &s };

	if (p->view)
		return view_each_of(p->view, space, after, fn, ctx, why);
	if (p->store && p->store->ops->scan(p->store, &scan))
		return failed(why, "cannot read store %s: it does not answer", p->name);
	return s.stopped;
}

int place_all(struct place *p, view_fn *fn, void *ctx, struct view_why *why)
{
	int rc = 0;

	for (int space = 0; !rc && space < SK_SPACES; space++)
		rc = place_each(p, (enum sk_space)space, NULL, fn, ctx, why);
	return rc;
}

int place_get(struct place *p, struct sk_store_read *r, struct view_why *why)
{
	if (p->view)
		return view_get(p->view, r, why);
	if (p->store->ops->read(p->store, r, 1))
		return failed(why, "cannot read store %s: it does not answer", p->name);
	return 0;
}

static int more_than_the_marker(void *ctx, const struct view_record *r)
{
	(void)ctx;
	return !place_is_marker(r->space, r->key.data, r->key.size);
}

static int see_what_is_there(struct place *p, struct view_why *why)
{
	struct sk_store_read marker = { .space = SK_RECORD, .key = SK_STORE_FILLING };
	int rc = place_get(p, &marker, why) ? -1 : place_all(p, more_than_the_marker, NULL, why);

	p->marker = marker.bytes;
	p->empty = !rc;
	return rc < 0 ? -1 : 0;
}

/* -- a file -- */
static int open_file(struct place *p, const char *named, enum place_use use, struct view_why *why)
{
	snprintf(p->name, sizeof p->name, "%s", named);
	if (use == PLACE_FILL && view_size(named, "") <= 0 && view_size(named, "-wal") <= 0) {
		p->empty = true;
		return 0;
	}
	p->view = view_open(named, VIEW_ALONE, why);
	if (!p->view)
		return -1;
	snprintf(p->name, sizeof p->name, "%s", p->view->path);
	snprintf(p->id, sizeof p->id, "%s", p->view->path);
	if (use != PLACE_GLANCE && p->view->mark < 0)
		return view_damaged(p->view, "its version mark is missing", why);
	if (view_read_log(p->view, NULL, NULL, why))
		return -1;
	p->sequence = p->view->sequence;
	snprintf(p->state, sizeof p->state, "%llu", (unsigned long long)p->sequence);
	return see_what_is_there(p, why);
}

/* What root makes belongs to whom the folder belongs: a broker that is not root is to open it. */
static int give_away(const char *path, struct view_why *why)
{
	static const char *const suffix[] = { "", "-wal", "-shm" };
	char copy[PATH_MAX], name[PATH_MAX + 8];
	struct stat st;

	snprintf(copy, sizeof copy, "%s", path);
	if (geteuid() || stat(dirname(copy), &st))
		return 0;
	for (int i = 0; i < 3; i++) {
		snprintf(name, sizeof name, "%s%s", path, suffix[i]);
		if (chown(name, st.st_uid, st.st_gid) && errno != ENOENT)
			return failed(why, "cannot write store %s: %s", path, strerror(errno));
	}
	return 0;
}

static int fill_file(struct place *p, struct view_why *why)
{
	struct sk_store_options opt = { .path = p->name, .dirty_limit = DIRTY, .log_limit = LOG };
	bool made = view_size(p->name, "") < 0;
	char real[PATH_MAX];

	view_close(&p->view);
	p->store = sk_store_open_embedded(&opt, why->text, sizeof why->text);
	if (!p->store || (made && give_away(p->name, why)))
		return -1;
	if (realpath(p->name, real))
		snprintf(p->name, sizeof p->name, "%s", real);
	return 0;
}

/* -- a Redis -- */
static int open_store(struct place *p, const char *url, struct view_why *why)
{
	struct sk_redis_options opt = { .url = url, .wait_ms = WAIT_MS };

	p->store = sk_store_open_redis(&opt, why->text, sizeof why->text);
	return p->store ? 0 : -1;
}

static int open_redis(struct place *p, const char *url, enum place_use use, struct view_why *why)
{
	why->damaged = false;
	p->look = look_open(url, why->text, sizeof why->text);
	if (!p->look)
		return -1;
	look_name(p->look, p->name, sizeof p->name);
	if (look_again(p->look, why->text, sizeof why->text))
		return -1;
	p->empty = !p->look->there;
	if (p->empty)
		return use == PLACE_FILL ? 0 : failed(why, "there is no store at %s", p->name);
	snprintf(p->id, sizeof p->id, "redis %s", p->look->id);
	snprintf(p->state, sizeof p->state, "%llu", (unsigned long long)p->look->versions);
	p->sequence = p->look->newest;
	if (use != PLACE_GLANCE && look_unused(p->look, why->text, sizeof why->text))
		return -1;
	return open_store(p, url, why) ? -1 : see_what_is_there(p, why);
}

static int fill_redis(struct place *p, struct view_why *why)
{
	if (p->store)
		return 0;
	return open_store(p, p->look->text, why);
}

int place_open(struct place *p, const char *named, enum place_use use, struct view_why *why)
{
	*p = (struct place){ 0 };
	return sk_store_is_url(named) ? open_redis(p, named, use, why) : open_file(p, named, use, why);
}

int place_fill(struct place *p, struct view_why *why)
{
	return p->look ? fill_redis(p, why) : fill_file(p, why);
}

int place_still(struct place *p, struct view_why *why)
{
	uint64_t versions;

	if (!p->look)
		return 0;
	versions = p->look->versions;
	if (look_again(p->look, why->text, sizeof why->text) || look_unused(p->look, why->text, sizeof why->text))
		return -1;
	return versions == p->look->versions ? 0 : failed(why, "store %s was written to meanwhile", p->name);
}

void place_close(struct place *p)
{
	view_close(&p->view);
	if (p->store)
		p->store->ops->close(p->store);
	look_close(&p->look);
	sk_bytes_unref(p->marker);
	*p = (struct place){ 0 };
}
