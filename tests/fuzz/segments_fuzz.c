/* segments_fuzz.c -- a folder of core/segments.h with one file of these bytes.
 *
 * Input: what is to be mended, then the file. Where a frame's magic stands its mark (1) and its check (2) are made right, so that the fuzzer gets past
 * them. Opened for reading and for appending the folder must give whole records only; reopened, the same ones and what was appended. */
#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "core/check.h"
#include "core/segments_internal.h"
#include "tests/fuzz/expect.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { ROOM = 1 << 17, LARGE = 70000 };
static char folder[] = "/tmp/segments_fuzz-XXXXXX";

static void empty(void)
{
	char path[400];
	DIR *d = opendir(folder);
	for (struct dirent *one; d && (one = readdir(d));) {
		snprintf(path, sizeof path, "%s/%s", folder, one->d_name);
		unlink(path);
	}
	closedir(d);
}

static void end(void)
{
	empty();
	rmdir(folder);
}

static void put_file(const uint8_t *bytes, size_t size)
{
	char path[100];
	snprintf(path, sizeof path, "%s/0000000000000001.seg", folder);
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	expect(fd >= 0 && write(fd, bytes, size) == (ssize_t)size);
	close(fd);
}

static void mend(uint8_t *bytes, size_t size, unsigned what)
{
	struct sk_frame h;
	for (size_t i = 0; i + sizeof h <= size; i++) {
		memcpy(&h, bytes + i, sizeof h);
		if (h.magic != SK_FRAME_MAGIC)
			continue;
		h.size %= LARGE;
		if (what & 2 && h.size <= size - i - sizeof h)
			h.check = sk_check(bytes + i + sizeof h, h.size);
		if (what & 1)
			h.mark = sk_frame_mark(&h, (struct sk_place){ 1, i });
		memcpy(bytes + i, &h, sizeof h);
	}
}

/* How many records, and a number that stands for all of them. */
static size_t read_all(struct sk_segments *s, uint32_t *sum)
{
	static char buffer[ROOM];
	struct sk_place at = sk_segments_first(s), from = at;
	size_t need, n = 0, one;
	*sum = 0;
	for (long got; (got = sk_segments_read(s, &at, buffer, sizeof buffer, &need)) > 0; from = at) {
		size_t i = 0;
		for (const char *r; (r = sk_segments_next(buffer, (size_t)got, &i, &one)); n++)
			*sum = *sum * 31 + sk_check(r, one);
		struct sk_place after = sk_segments_after(s, from, (size_t)got);
		expect(i == (size_t)got && after.segment == at.segment && after.offset == at.offset);
	}
	expect(!need);
	return n;
}

static size_t open_and_read(struct sk_segments *s, uint32_t *sum)
{
	expect(s != NULL);
	size_t n = read_all(s, sum);
	uint32_t again;
	expect(read_all(s, &again) == n && again == *sum);
	return n;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static bool begun;
	char why[200];
	uint32_t sum[3];
	uint8_t *bytes = size ? malloc(size) : NULL;
	if (!begun)
		expect(mkdtemp(folder) && !atexit(end));
	begun = true;
	if (!bytes)
		return 0;
	memcpy(bytes, data, size);
	mend(bytes + 1, size - 1, bytes[0]);
	put_file(bytes + 1, size - 1);
	free(bytes);

	struct sk_segments *s = sk_segments_open_read(folder, why, sizeof why);
	size_t n = open_and_read(s, &sum[0]);
	sk_segments_close(&s);
	s = sk_segments_open(folder, 100, why, sizeof why);
	expect(open_and_read(s, &sum[1]) == n && sum[0] == sum[1]);
	expect(!sk_segments_append(s, &(struct sk_span){ "one more", 8 }, 1));
	expect(open_and_read(s, &sum[1]) == n + 1 && sum[1] == sum[0] * 31 + sk_check("one more", 8));
	sk_segments_close(&s);
	s = sk_segments_open(folder, 100, why, sizeof why);
	expect(open_and_read(s, &sum[2]) == n + 1 && sum[2] == sum[1]);
	expect(!sk_segments_drop(s, sk_segments_end(s)) && !read_all(s, &sum[2]));
	sk_segments_close(&s);
	empty();
	return 0;
}
