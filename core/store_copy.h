/* store_copy.h -- a copy of a database file as it was at one moment: whole under its name, or not there at all. */
#ifndef SK_STORE_COPY_H
#define SK_STORE_COPY_H

#include <sqlite3.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct sk_store_copy {
	sqlite3 *from;      /* reads one moment for as long as the copy takes; others may write the file meanwhile */
	const char *to;
	bool replace;       /* false: it is an error when `to` is there */
	void (*progress)(void *ctx, uint64_t done, uint64_t of); /* in pages; NULL: nobody asks */
	/* Looks at the finished copy before it gets its name: 0, or -1 and why. NULL: nobody looks. `from` is not used any more: it may close it. */
	int (*verify)(void *ctx, const char *file, char *why, size_t why_size);
	void *ctx;
};

#define SK_COPY_NO_ROOM 1

/* 0, SK_COPY_NO_ROOM or -1, then with why[]; what was written until then is removed. The bytes are on disk when it answers 0. */
int sk_store_copy(const struct sk_store_copy *c, char *why, size_t why_size);

/* Gives the file `from` the name `to`, on disk when it answers 0; else -1 and errno. */
int sk_store_rename(const char *from, const char *to, bool replace);

#endif
