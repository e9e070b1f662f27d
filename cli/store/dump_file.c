/* dump_file.c -- lines to dump_read.c. */
#include "cli/store/dump_file.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "cli/store/store.h"

enum { TELL_EVERY = 1024 };

int dump_file_open(struct dump_file *f, const char *named)
{
	*f = (struct dump_file){ .name = named ? named : "on stdin" };
	f->in = named && strcmp(named, "-") ? fopen(named, "re") : stdin;
	return f->in ? 0 : store_failed("cannot read the dump %s: %s", f->name, strerror(errno));
}

int dump_file_each(struct dump_file *f, view_fn *fn, void *ctx, struct progress *progress)
{
	enum dump_line kind = DUMP_HEADER;
	ssize_t n;
	int rc = 0;

	while (!rc && kind != DUMP_WRONG && (n = getline(&f->line, &f->room, f->in)) > 0) {
		kind = dump_read(&f->reader, f->line, (size_t)n);
		if (kind == DUMP_RECORD)
			rc = fn(ctx, &f->reader.record);
		if (!(f->reader.lines % TELL_EVERY))
			progress_tell(progress, f->reader.records, 0);
	}
	if (rc)
		return rc;
	if (ferror(f->in))
		return store_failed("cannot read the dump %s: %s", f->name, strerror(errno));
	return dump_read_end(&f->reader) ? store_failed("cannot load the dump %s: %s", f->name, f->reader.why) : 0;
}

bool dump_file_again(struct dump_file *f)
{
	if (fseek(f->in, 0, SEEK_SET))
		return false;
	dump_reader_free(&f->reader);
	f->reader = (struct dump_reader){ 0 };
	return true;
}

void dump_file_close(struct dump_file *f)
{
	if (f->in && f->in != stdin)
		fclose(f->in);
	dump_reader_free(&f->reader);
	free(f->line);
}
