/* dump_file.h -- a dump as a file or on stdin, record by record. */
#ifndef STORE_DUMP_FILE_H
#define STORE_DUMP_FILE_H

#include "cli/store/dump.h"
#include "cli/store/progress.h"

struct dump_file {
	FILE *in;
	const char *name; /* for messages */
	struct dump_reader reader;
	char *line;
	size_t room;
};

/* named NULL or "-": stdin. 0, or STORE_FAILED and said. dump_file_close() in both cases. */
int dump_file_open(struct dump_file *f, const char *named);
/* Calls fn for each record until it answers nonzero, which is the answer then; 0 when the footer was right; else STORE_FAILED and said. */
int dump_file_each(struct dump_file *f, view_fn *fn, void *ctx, struct progress *progress);
/* Can it be read twice? Then it stands at its beginning again. */
bool dump_file_again(struct dump_file *f);
void dump_file_close(struct dump_file *f);

#endif
