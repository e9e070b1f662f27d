/* retained_times.c -- see retained_times.h. Written beside and renamed; not synced: after a power cut the header tells whether it is whole. */
#include "core/retained_times.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { PAGE = 256, MOST = 1 << 26 };
static const char magic[8] = "SKTIME1\n";

struct record {
	uint64_t topic, digest;
	int64_t modified_ms;
};
struct sk_times {
	size_t count;
	struct record record[]; /* by topic */
};

static uint64_t hash_of(const char *topic)
{
	return sk_retained_digest(topic, strlen(topic), 0);
}

static int compare(const void *a, const void *b)
{
	uint64_t x = ((const struct record *)a)->topic, y = ((const struct record *)b)->topic;
	return x < y ? -1 : x > y;
}

/* Header: the magic and the number of records. */
static struct sk_times *read_all(FILE *f)
{
	char head[sizeof magic];
	uint64_t count;
	if (fread(head, sizeof head, 1, f) != 1 || memcmp(head, magic, sizeof magic) || fread(&count, sizeof count, 1, f) != 1 || count > MOST)
		return NULL;
	struct sk_times *t = malloc(sizeof *t + count * sizeof t->record[0]);
	if (!t)
		return NULL;
	t->count = count;
	if (count && fread(t->record, sizeof t->record[0], count, f) != count) {
		free(t);
		return NULL;
	}
	qsort(t->record, count, sizeof t->record[0], compare);
	return t;
}

struct sk_times *sk_times_load(const char *path)
{
	FILE *f = path ? fopen(path, "re") : NULL;
	struct sk_times *t = f ? read_all(f) : NULL;
	if (f)
		fclose(f);
	return t;
}

void sk_times_free(struct sk_times **t)
{
	free(*t);
	*t = NULL;
}

int64_t sk_times_find(const struct sk_times *t, const char *topic, uint64_t digest, int64_t otherwise)
{
	struct record key = { .topic = t ? hash_of(topic) : 0 };
	const struct record *found = t ? bsearch(&key, t->record, t->count, sizeof key, compare) : NULL;
	return found && found->digest == digest ? found->modified_ms : otherwise;
}

static int write_page(FILE *f, struct sk_retained_entry *entry, int n, char **after)
{
	int rc = 0;
	for (int i = 0; i < n; i++) {
		struct record r = { hash_of(entry[i].topic), entry[i].fact.digest, entry[i].fact.modified_ms };
		rc |= fwrite(&r, sizeof r, 1, f) != 1;
		if (i < n - 1) {
			free(entry[i].topic);
			continue;
		}
		free(*after);
		*after = entry[i].topic;
	}
	return rc;
}

static int write_all(FILE *f, struct sk_retained_index *ix)
{
	struct sk_retained_entry entry[PAGE];
	uint64_t count = 0;
	char *after = NULL;
	int n = PAGE, rc = fwrite(magic, sizeof magic, 1, f) != 1 || fwrite(&count, sizeof count, 1, f) != 1;
	while (!rc && n == PAGE) {
		n = sk_retained_index_page(ix, after, entry, PAGE);
		rc = n < 0 || write_page(f, entry, n, &after);
		count += n > 0 ? (uint64_t)n : 0;
	}
	free(after);
	return rc || fseek(f, sizeof magic, SEEK_SET) || fwrite(&count, sizeof count, 1, f) != 1 ? -1 : 0;
}

int sk_times_save(const char *path, struct sk_retained_index *ix)
{
	char beside[4096];
	if ((size_t)snprintf(beside, sizeof beside, "%s.new", path) >= sizeof beside)
		return -1;
	FILE *f = fopen(beside, "we");
	if (!f)
		return -1;
	int rc = write_all(f, ix);
	rc |= fclose(f) != 0;
	if (!rc)
		rc = rename(beside, path);
	if (rc)
		unlink(beside);
	return rc ? -1 : 0;
}
