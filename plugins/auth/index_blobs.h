/* index_blobs.h -- small texts in a file without a name, not on the heap. One thread.
 *
 * A blob takes the next power of two of its size; a freed one is used again for the same power. Reading and writing go through the page
 * cache; when the disk is full, memory takes what does not fit. */
#ifndef AUTH_INDEX_BLOBS_H
#define AUTH_INDEX_BLOBS_H

#include <stddef.h>
#include <stdint.h>

enum { BLOB_LARGEST = 1 << 20 };

struct blobs;
struct blob {
	uint64_t at; /* 0: there is none */
	uint32_t size;
};
/* NULL when memory or disk is out; errno says why. */
struct blobs *blobs_new(const char *folder);
void blobs_free(struct blobs **b);
/* In place of what *blob is now, which is given back; n 0: only that. -1: nothing was changed, or what was read is not there. */
int blobs_put(struct blobs *b, struct blob *blob, const void *data, size_t n);
/* Fills blob.size bytes. */
int blobs_get(const struct blobs *b, const struct blob *blob, void *out);
size_t blobs_bytes(const struct blobs *b); /* of the file */

#endif
