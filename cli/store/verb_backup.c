/* verb_backup.c -- skeeter-store backup: a copy of one moment, taken beside a running broker and checked before it gets its name. Also
 * migrate, which is nothing but opening. */
#include <string.h>

#include "cli/store/store.h"
#include "cli/store/view.h"
#include "core/store_copy.h"

struct backing {
	struct store_options *o;
	struct view *v; /* of the store; NULL when all of it is in the copy */
};

static void tell_pages(void *ctx, uint64_t done, uint64_t of)
{
	struct backing *b = ctx;

	progress_tell(&b->o->progress, done, of);
}

/* The copy's faults are the store's: the pages are the same. The store itself is let go first, so that its WAL can start over. */
static int verify(void *ctx, const char *file, char *why, size_t why_size)
{
	struct backing *b = ctx;
	struct view_why reason;
	struct view *v;
	uint64_t faults;

	view_close(&b->v);
	v = view_open(file, VIEW_MINE, &reason);

	if (!v) {
		snprintf(why, why_size, "the copy cannot be used: %s", reason.text);
		return -1;
	}
	faults = check_view(v, stdout, &b->o->progress);
	view_close(&v);
	if (!faults)
		return 0;
	snprintf(why, why_size, "cannot back up store %s: it has %llu fault%s", b->o->store, (unsigned long long)faults, faults > 1 ? "s" : "");
	return -1;
}

int store_backup(struct store_options *o)
{
	struct view_why why;
	struct backing b = { .o = o, .v = view_open(o->store, VIEW_BESIDE, &why) };
	struct sk_store_copy copy = { .to = o->other, .progress = tell_pages, .verify = verify, .ctx = &b };
	int rc;

	if (!b.v)
		return store_failed("%s", why.text);
	copy.from = b.v->table->db;
	progress_begin(&o->progress, "backup: pages");
	rc = sk_store_copy(&copy, why.text, sizeof why.text);
	view_close(&b.v);
	return rc ? store_failed("%s", why.text) : STORE_OK;
}

static bool migrated;

static void say(const char *line)
{
	migrated = true;
	printf("%s\n", line);
}

int store_migrate(struct store_options *o)
{
	struct sk_store_options opt = { .path = o->store, .say = say };
	struct sk_store *s;
	char why[5000];

	migrated = false;
	if (view_size(o->store, "") <= 0)
		return store_failed("cannot read store %s: there is nothing in it", o->store);
	s = sk_store_open_embedded(&opt, why, sizeof why);
	if (!s)
		return store_failed("%s", why);
	s->ops->close(s);
	if (!migrated)
		printf("store %s is version %d already\n", o->store, SK_STORE_SCHEMA);
	return STORE_OK;
}
