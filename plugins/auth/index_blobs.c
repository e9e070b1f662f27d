/* index_blobs.c -- see index_blobs.h. A free place holds the offset of the next free one of its power. */
#include "plugins/auth/index_blobs.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

enum { SMALLEST = 5, LARGEST = 20, POWERS = LARGEST - SMALLEST + 1, STEP = 1 << 16 };
#define IN_MEMORY (UINT64_C(1) << 63) /* of an offset: it is one of the file in memory */

struct file {
	int fd;                /* -1: not made yet */
	uint64_t end, reserved;
	uint64_t free[POWERS]; /* 0: none */
};
struct blobs {
	struct file disk, memory; /* memory is for a disk that is full */
};

struct blobs *blobs_new(const char *folder)
{
	struct blobs *b = calloc(1, sizeof(*b));
	char path[PATH_MAX];

	if (!b)
		return NULL;
	errno = ENAMETOOLONG;
	b->memory.fd = -1;
	b->disk.fd = snprintf(path, sizeof(path), "%s/auth-index-XXXXXX", folder) < (int)sizeof(path) ? mkostemp(path, O_CLOEXEC) : -1;
	if (b->disk.fd < 0) {
		free(b);
		return NULL;
	}
	unlink(path);
	b->disk.end = b->memory.end = 1u << SMALLEST; /* so that no blob is at 0 */
	return b;
}

void blobs_free(struct blobs **b)
{
	if (!*b)
		return;
	close((*b)->disk.fd);
	if ((*b)->memory.fd >= 0)
		close((*b)->memory.fd);
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

static off_t place_of(uint64_t at)
{
	return (off_t)(at & ~IN_MEMORY);
}

static struct file *file_of(struct blobs *b, uint64_t at)
{
	return at & IN_MEMORY ? &b->memory : &b->disk;
}

/* Room for n more, in steps: few puts ask the file system. */
static int reserve(struct file *f, uint64_t n)
{
	uint64_t more = n < STEP ? STEP : n;

	if (f->end + n <= f->reserved)
		return 0;
	if (posix_fallocate(f->fd, (off_t)f->end, (off_t)more))
		return -1;
	f->reserved = f->end + more;
	return 0;
}

/* 0: none could be had. */
static uint64_t take_from(struct file *f, int power)
{
	uint64_t at = f->free[power], n = UINT64_C(1) << (power + SMALLEST), next;

	if (at) {
		if (transfer(pread(f->fd, &next, sizeof(next), place_of(at)), sizeof(next)))
			return 0;
		f->free[power] = next;
		return at;
	}
	if (reserve(f, n))
		return 0;
	at = f->end;
	f->end += n;
	return at;
}

/* What is stored already must be known here too: when the disk is full, memory takes its place. */
static uint64_t take(struct blobs *b, int power)
{
	uint64_t at = take_from(&b->disk, power);

	if (at)
		return at;
	if (b->memory.fd < 0)
		b->memory.fd = memfd_create("auth-index", MFD_CLOEXEC);
	at = b->memory.fd < 0 ? 0 : take_from(&b->memory, power);
	return at ? at | IN_MEMORY : 0;
}

static void give(struct blobs *b, const struct blob *blob)
{
	struct file *f = file_of(b, blob->at);
	int power = power_of(blob->size);

	/* A place whose note cannot be written is lost until the next start. */
	if (!transfer(pwrite(f->fd, &f->free[power], sizeof(f->free[power]), place_of(blob->at)), sizeof(f->free[power])))
		f->free[power] = blob->at;
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
		if (transfer(pwrite(file_of(b, next.at)->fd, data, n, place_of(next.at)), n)) {
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
	const struct file *f = blob->at & IN_MEMORY ? &b->memory : &b->disk;

	return transfer(pread(f->fd, out, blob->size, place_of(blob->at)), blob->size);
}

size_t blobs_bytes(const struct blobs *b)
{
	return b->disk.end + b->memory.end;
}
