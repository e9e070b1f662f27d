/* verb_dump.c -- skeeter-store dump: a view's records through the writer of dump.h to stdout. */
#include <errno.h>
#include <string.h>

#include "cli/store/dump.h"
#include "cli/store/store.h"

enum { TELL_EVERY = 1024 };

struct dumping {
	struct dump_writer w;
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
	return dump_record(&d->w, r) ? -2 : 0;
}

static int dump_all(struct view *v, struct store_options *o)
{
	struct dumping d = { .w = { .put = put }, .progress = &o->progress };
	struct view_why why;
	int rc;

	progress_begin(&o->progress, "dump: records");
	errno = 0;
	rc = dump_begin(&d.w, v->sequence) ? -2 : view_each(v, put_record, &d, &why);
	if (!rc)
		rc = dump_footer(&d.w) || fflush(stdout) ? -2 : 0;
	dump_end(&d.w);
	if (rc == -2)
		return store_failed("cannot write the dump: %s", errno ? strerror(errno) : "out of memory");
	return rc ? store_failed("%s", why.text) : STORE_OK;
}

int store_dump(struct store_options *o)
{
	struct view_why why;
	struct view *v = view_open(o->store, VIEW_ALONE, &why);
	int rc;

	if (!v || (v->mark < 0 && view_damaged(v, "its version mark is missing", &why)) || view_read_log(v, NULL, NULL, &why))
		rc = store_failed("%s", why.text);
	else
		rc = dump_all(v, o);
	view_close(&v);
	return rc;
}
