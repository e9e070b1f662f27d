/* zip.h -- what is in a zip file: its central directory, and single files out of it. Pure. Foreign bytes: nothing in them is believed before it has been checked.
 * PKWARE APPNOTE 6.3: stored and deflated files, no encryption, no ZIP64, one disk. */
#ifndef FUNCTIONS_ZIP_H
#define FUNCTIONS_ZIP_H

#include <stdint.h>

#include "core/arena.h"

struct zip_contents {
	size_t files;
	uint64_t size; /* bytes of all files unpacked, as the directory says */
};
/* 0, or -1 with *why (static text). */
int zip_look(const void *zip, size_t size, struct zip_contents *out, const char **why);
/* The file of that name, unpacked, with a NUL behind it; the arena's. NULL with *why: it is not there (why is NULL), or broken, or longer than `most`. */
const char *zip_read(struct sk_arena *a, const void *zip, size_t size, const char *name, size_t most, size_t *file_size, const char **why);

#endif
