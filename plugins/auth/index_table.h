/* index_table.h -- a hash table of small fixed entries in a file's pages, not on the heap. One thread.
 *
 * An entry begins with its key, which must look random (a digest) in its first eight bytes; keys that begin with eight zero
 * or eight 0xff bytes are refused: they mark free and removed places. The file is removed from its folder at once and reserved in full,
 * so a full disk is never a signal: the new pages are memory's then, until the table grows again. The table grows by moving a few entries with each put: no put is slow.
 * It takes at most three times the bytes of its entries, also while it grows. */
#ifndef AUTH_INDEX_TABLE_H
#define AUTH_INDEX_TABLE_H

#include <stddef.h>

struct table;
/* Folder is where the pages live. NULL when memory or disk is out; errno says why. */
struct table *table_new(const char *folder, size_t entry_size, size_t key_size);
void table_free(struct table **t);

/* Pointers stay valid until the next table_put or table_remove. */
void *table_find(const struct table *t, const void *key);
/* The entry of that key; a new one is zero behind its key. NULL: no memory, no disk, or a refused key. */
void *table_put(struct table *t, const void *key);
void table_remove(struct table *t, const void *key);

size_t table_count(const struct table *t);
size_t table_bytes(const struct table *t); /* of all pages */

#endif
