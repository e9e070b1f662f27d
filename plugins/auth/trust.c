/* trust.c -- see trust.h. One lock for all folders: changes are rare and take microseconds. */
#include "plugins/auth/trust.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/why.h"

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;

struct entry {
	const char *folder;
	const struct certificate *certificate;
	char path[PATH_MAX];
};

static const char *path_of(struct entry *e, unsigned number)
{
	int n = snprintf(e->path, sizeof(e->path), "%s/%08lx.%u", e->folder, e->certificate->subject_hash, number);

	return n < (int)sizeof(e->path) ? e->path : "";
}

/* 1: the file holds our certificate, 0: it holds another one, -1: there is no such file. */
static int holds(const char *path, const char *pem)
{
	FILE *f = fopen(path, "re");
	int c = 0;

	if (!f)
		return -1;
	while (*pem && (c = getc(f)) == (unsigned char)*pem)
		pem++;
	c = *pem ? 0 : getc(f);
	fclose(f);
	return c == EOF;
}

/* The number of our file, or -1; *count is how many files the hash has. */
static int find(struct entry *e, unsigned *count)
{
	int at = -1, here;

	for (*count = 0; (here = holds(path_of(e, *count), e->certificate->pem)) >= 0; (*count)++)
		if (here == 1)
			at = (int)*count;
	return at;
}

static int write_whole(const char *path, const char *text)
{
	size_t n = strlen(text);
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0644);
	int rc;

	if (fd < 0)
		return -1;
	rc = write(fd, text, n) == (ssize_t)n && !fsync(fd) ? 0 : -1;
	return close(fd) || rc ? -1 : 0;
}

static int add(struct entry *e, char *why, size_t why_size)
{
	char temporary[PATH_MAX];
	unsigned count;

	if (find(e, &count) >= 0)
		return 0;
	snprintf(temporary, sizeof(temporary), "%s/.skeeter-new", e->folder);
	if (!write_whole(temporary, e->certificate->pem) && !rename(temporary, path_of(e, count)))
		return 0;
	sk_why(why, why_size, "capath %s: %s", e->folder, strerror(errno));
	unlink(temporary);
	return -1;
}

/* The last file of the hash takes the place of the one that goes. */
static int take_out(struct entry *e, char *why, size_t why_size)
{
	char gone[PATH_MAX];
	unsigned count;
	int at = find(e, &count);

	if (at < 0)
		return 0;
	strcpy(gone, path_of(e, (unsigned)at));
	path_of(e, count - 1);
	if (!strcmp(gone, e->path) ? !unlink(gone) : !rename(e->path, gone))
		return 0;
	return sk_why(why, why_size, "capath %s: %s", e->folder, strerror(errno));
}

int trust_add(const char *folder, const struct certificate *x, char *why, size_t why_size)
{
	struct entry e = { .folder = folder, .certificate = x };

	pthread_mutex_lock(&lock);
	int rc = add(&e, why, why_size);
	pthread_mutex_unlock(&lock);
	return rc;
}

int trust_remove(const char *folder, const struct certificate *x, char *why, size_t why_size)
{
	struct entry e = { .folder = folder, .certificate = x };

	pthread_mutex_lock(&lock);
	int rc = take_out(&e, why, why_size);
	pthread_mutex_unlock(&lock);
	return rc;
}
