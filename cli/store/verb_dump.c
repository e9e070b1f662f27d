/* verb_dump.c -- skeeter-store dump: a place's records through the writer of dump.h to stdout. */
#include <errno.h>
#include <string.h>

#include "cli/store/dump.h"
#include "cli/store/place.h"
#include "cli/store/store.h"

enum { TELL_EVERY = 1024 };

enum { UNWRITTEN = -2, UNFIT = -3 }; /* besides -1, a place's */

struct dumping {
	struct dump_writer w;
	uint64_t sequence;
	struct progress *progress;
};

static int put(void *ctx, const char *data, size_t n)
{
	(void)ctx;
	return fwrite(data, 1, n, stdout) == n ? 0 : -1;
}

static int put_record(void *ctx, const struct view_record *r)
{
	struct dumping *d = ctx;

	if (!(d->w.records % TELL_EVERY))
		progress_tell(d->progress, d->w.records, 0);
	if (!r->key.size || r->key.size > SK_KEY_MAX || memchr(r->key.data, 0, r->key.size) || r->version < 1 || r->version > d->sequence)
		return UNFIT;
	return dump_record(&d->w, r) ? UNWRITTEN : 0;
}

/* A dump that leaves rows out, or has them where no load takes them, is worse than none. */
static int check_rows(struct view *v, struct view_why *why)
{
	sqlite3_stmt *stmt = NULL;
	int rc;

	if (!v)
		return 0;
	rc = sqlite3_prepare_v2(v->table->db, "SELECT 1 FROM record WHERE space NOT IN (0, 1, 2) OR typeof(key) <> 'blob' LIMIT 1", -1, &stmt, NULL);

	if (rc == SQLITE_OK)
		rc = sqlite3_step(stmt);
	sqlite3_finalize(stmt);
	if (rc == SQLITE_DONE)
		return 0;
	return rc == SQLITE_ROW ? UNFIT : view_explain(v, rc, why);
}

static int dump_all(struct place *p, struct store_options *o)
{
	struct dumping d = { .w = { .put = put }, .sequence = p->sequence, .progress = &o->progress };
	struct view_why why;
	int rc = check_rows(p->view, &why);

	progress_begin(&o->progress, "dump: records");
	errno = 0;
	if (!rc && dump_begin(&d.w, p->sequence))
		rc = UNWRITTEN;
	if (!rc)
		rc = place_all(p, put_record, &d, &why);
	if (!rc)
		rc = place_still(p, &why);
	if (!rc && (dump_footer(&d.w) || fflush(stdout)))
		rc = UNWRITTEN;
	dump_end(&d.w);
	if (rc == UNWRITTEN)
		return store_failed("cannot write the dump: %s", errno ? strerror(errno) : "out of memory");
	if (rc == UNFIT)
		snprintf(why.text, sizeof why.text, "store %s is damaged (a row is not fit for a dump: check says which): nothing was touched", p->name);
	return rc ? store_failed("%s", why.text) : STORE_OK;
}

int store_dump(struct store_options *o)
{
	struct view_why why;
	struct place p;
	int rc = place_open(&p, o->store, PLACE_READ, &why) ? store_failed("%s", why.text) : dump_all(&p, o);

	place_close(&p);
	return rc;
}
