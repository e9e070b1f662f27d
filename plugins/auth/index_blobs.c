/* index_blobs.c -- see index_blobs.h. A free place holds the offset of the next free one of its power. */
#include "plugins/auth/index_blobs.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { SMALLEST = 5, LARGEST = 20, POWERS = LARGEST - SMALLEST + 1 };

struct blobs {
	int fd;
	uint64_t end;
	uint64_t free[POWERS]; /* 0: none */
};

struct blobs *blobs_new(const char *folder)
{
	struct blobs *b = calloc(1, sizeof(*b));
	char path[PATH_MAX];

	if (!b)
		return NULL;
	errno = ENAMETOOLONG;
	b->fd = snprintf(path, sizeof(path), "%s/auth-index-XXXXXX", folder) < (int)sizeof(path) ? mkostemp(path, O_CLOEXEC) : -1;
	if (b->fd < 0) {
		free(b);
		return NULL;
	}
	unlink(path);
	b->end = 1u << SMALLEST; /* so that no blob is at 0 */
	return b;
}

void blobs_free(struct blobs **b)
{
	if (!*b)
		return;
	close((*b)->fd);
	free(*b);
	*b = NULL;
}

static int power_of(size_t n)
{
	int power = 0;

	while ((size_t)1 << (power + SMALLEST) < n)
		power++;
	return power;
}

static int transfer(ssize_t done, size_t n)
{
	return done == (ssize_t)n ? 0 : -1;
}

/* 0: none could be had. */
static uint64_t take(struct blobs *b, int power)
{
	uint64_t at = b->free[power], next;

	if (at) {
		if (transfer(pread(b->fd, &next, sizeof(next), (off_t)at), sizeof(next)))
			return 0;
		b->free[power] = next;
		return at;
	}
	at = b->end;
	if (posix_fallocate(b->fd, (off_t)at, (off_t)1 << (power + SMALLEST)))
		return 0;
	b->end += (uint64_t)1 << (power + SMALLEST);
	return at;
}

static void give(struct blobs *b, const struct blob *blob)
{
	int power = power_of(blob->size);

	/* A place whose note cannot be written is lost until the next start. */
	if (!transfer(pwrite(b->fd, &b->free[power], sizeof(b->free[power]), (off_t)blob->at), sizeof(b->free[power])))
		b->free[power] = blob->at;
}

int blobs_put(struct blobs *b, struct blob *blob, const void *data, size_t n)
{
	struct blob old = *blob, next = { .size = (uint32_t)n };

	if (n > BLOB_LARGEST)
		return -1;
	if (n) {
		next.at = take(b, power_of(n));
		if (!next.at)
			return -1;
		if (transfer(pwrite(b->fd, data, n, (off_t)next.at), n)) {
			give(b, &next);
			return -1;
		}
	}
	if (old.at)
		give(b, &old);
	*blob = next;
	return 0;
}

int blobs_get(const struct blobs *b, const struct blob *blob, void *out)
{
	return transfer(pread(b->fd, out, blob->size, (off_t)blob->at), blob->size);
}

size_t blobs_bytes(const struct blobs *b)
{
	return b->end;
}
