/* load_redis.c -- a dump into a Redis, through its store; the versions are new ones.
 *
 * Invariant: from the first change on our marker stands in it, so no broker starts with what is not whole. A dump that turns out not to be whole
 * leaves the store empty; one that would take the place of something is therefore read to its end first. */
#include <stdlib.h>
#include <string.h>

#include "cli/store/dump_file.h"
#include "cli/store/fill.h"
#include "cli/store/marker.h"
#include "cli/store/store.h"

static const char from_dump[] = "a dump";

struct loading {
	struct store_options *o;
	struct place to;
	struct fill *fill;
	struct dump_file in;
};

static int cannot(const struct loading *l)
{
	return store_failed("%s", fill_why(l->fill));
}

static int pass_over(void *ctx, const struct view_record *r)
{
	(void)ctx;
	return place_is_marker(r->space, r->key.data, r->key.size) ? store_failed("the dump is of a store that was not whole: what filled it had not ended") : 0;
}

/* Nothing was touched until here. */
static int may_it_be(struct loading *l)
{
	struct marker m;
	bool ours = l->to.marker && !marker_read(&m, l->to.marker) && !strcmp(m.from, from_dump);
	int rc;

	if (!l->to.empty && !ours && !l->o->replace)
		return store_failed("store %s is not empty: --replace puts the dump in place of all that it holds", l->to.name);
	if (fseek(l->in.in, 0, SEEK_CUR))
		return l->o->replace ? store_failed("--replace wants the dump in a file: it is read to its end before anything goes") : 0;
	progress_begin(&l->o->progress, "load: read");
	rc = dump_file_each(&l->in, pass_over, NULL, &l->o->progress);
	return rc || dump_file_again(&l->in) ? rc : store_failed("cannot read the dump %s twice", l->in.name);
}

static int put_record(void *ctx, const struct view_record *seen)
{
	struct loading *l = ctx;
	struct flow_record r = { .space = seen->space, .key = strndup(seen->key.data, seen->key.size), .bytes = sk_bytes_new(seen->data.data, seen->data.size) };

	int rc = !r.key || !r.bytes ? store_failed("out of memory") : pass_over(NULL, seen);

	if (!rc)
		return fill_add(l->fill, &r) ? cannot(l) : 0;
	flow_drop(&r);
	return rc;
}

static int put_marker(struct loading *l)
{
	struct marker m = { .begun = false };
	char *text;
	int rc;

	strcpy(m.from, from_dump);
	text = marker_write(&m);
	rc = !text ? store_failed("out of memory") : fill_flush(l->fill, text) ? cannot(l) : 0;
	free(text);
	return rc;
}

static int fill_it(struct loading *l)
{
	int rc = put_marker(l);

	if (!rc && fill_empty(l->fill, &l->o->progress))
		return cannot(l);
	if (rc)
		return rc;
	progress_begin(&l->o->progress, "load: records");
	rc = dump_file_each(&l->in, put_record, l, &l->o->progress);
	if (rc && l->in.reader.why[0] && !fill_empty(l->fill, &l->o->progress))
		fill_flush(l->fill, NULL);
	return !rc && fill_flush(l->fill, NULL) ? cannot(l) : rc;
}

int load_redis(struct store_options *o)
{
	struct loading *l = calloc(1, sizeof *l);
	struct view_why why;
	int rc;

	if (!l)
		return store_failed("out of memory");
	l->o = o;
	rc = dump_file_open(&l->in, o->other);
	if (!rc && place_open(&l->to, o->store, PLACE_FILL, &why))
		rc = store_failed("%s", why.text);
	if (!rc)
		rc = may_it_be(l);
	if (!rc && place_fill(&l->to, &why))
		rc = store_failed("%s", why.text);
	if (!rc && !(l->fill = fill_new(&l->to, NULL)))
		rc = store_failed("out of memory");
	if (!rc)
		rc = fill_it(l);
	fill_free(&l->fill);
	place_close(&l->to);
	dump_file_close(&l->in);
	free(l);
	return rc;
}
