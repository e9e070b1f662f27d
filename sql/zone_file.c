/* zone_file.c -- RFC 8536: the offset of a zone at a time, from the bytes of its file in the zone database.
 *
 * Reads version 1 to 4 without trusting a byte. Behind the last transition the rule at the file's end holds; without one that can
 * be read, the last offset. */
#include <string.h>

#include "sql/internal.h"

enum { HEADER = 44, TYPE = 6 };

struct zone_data {
	const uint8_t *times, *kinds, *types, *names;
	uint32_t time_count, type_count, name_bytes;
	int time_size; /* 4 or 8 bytes */
};

static uint32_t big32(const uint8_t *p)
{
	return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3];
}

static int64_t time_at(const struct zone_data *z, uint32_t i)
{
	const uint8_t *p = z->times + (size_t)i * (size_t)z->time_size;

	if (z->time_size == 4)
		return (int32_t)big32(p);
	return (int64_t)((uint64_t)big32(p) << 32 | big32(p + 4));
}

/* One block of data at p; answers its size, 0 if it does not fit into n bytes. */
static size_t block(const uint8_t *p, size_t n, int time_size, struct zone_data *z)
{
	uint32_t counts[6]; /* isut, isstd, leap, time, type, name */
	uint64_t size;

	if (n < HEADER || memcmp(p, "TZif", 4) != 0)
		return 0;
	for (int i = 0; i < 6; i++)
		counts[i] = big32(p + 20 + 4 * i);
	size = HEADER + (uint64_t)counts[3] * (unsigned)(time_size + 1) + (uint64_t)counts[4] * TYPE + counts[5] +
	       (uint64_t)counts[2] * (unsigned)(time_size + 4) + counts[1] + counts[0];
	if (size > n || counts[4] == 0)
		return 0;
	z->time_size = time_size;
	z->time_count = counts[3];
	z->type_count = counts[4];
	z->name_bytes = counts[5];
	z->times = p + HEADER;
	z->kinds = z->times + (size_t)counts[3] * (size_t)time_size;
	z->types = z->kinds + counts[3];
	z->names = z->types + (size_t)counts[4] * TYPE;
	return (size_t)size;
}

static bool fill(const struct zone_data *z, uint32_t kind, struct sql_zone *out)
{
	const uint8_t *type = z->types + (size_t)kind * TYPE;
	size_t n;

	if (kind >= z->type_count || type[5] >= z->name_bytes)
		return false;
	n = strnlen((const char *)z->names + type[5], z->name_bytes - type[5]);
	if (n >= sizeof out->name)
		n = sizeof out->name - 1;
	*out = (struct sql_zone){ .offset = (int32_t)big32(type) };
	memcpy(out->name, z->names + type[5], n);
	return out->offset > -90000 && out->offset < 90000;
}

/* Transitions before or at s, by halving. */
static uint32_t transitions(const struct zone_data *z, int64_t s)
{
	uint32_t low = 0, high = z->time_count;

	while (low < high) {
		uint32_t middle = low + (high - low) / 2;
		if (time_at(z, middle) <= s)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

/* The text between two line ends behind the second block. */
static bool by_rule(const uint8_t *p, size_t n, int64_t s, struct sql_zone *out)
{
	const uint8_t *end = n && *p == '\n' ? memchr(p + 1, '\n', n - 1) : NULL;

	return end && sql_zone_rule((const char *)p + 1, (size_t)(end - p - 1), s, out);
}

bool sql_zone_file(const void *file, size_t n, int64_t utc_ms, struct sql_zone *out)
{
	const uint8_t *p = file;
	struct zone_data z;
	size_t first = block(p, n, 4, &z), second = 0;
	int64_t s = utc_ms / 1000 - (utc_ms % 1000 < 0);
	uint32_t before;

	if (first && p[4] >= '2')
		second = block(p + first, n - first, 8, &z);
	if (first == 0 || (p[4] >= '2' && second == 0))
		return false;
	before = transitions(&z, s);
	if (second && before == z.time_count && by_rule(p + first + second, n - first - second, s, out))
		return true;
	return fill(&z, before ? z.kinds[before - 1] : 0, out);
}
