/* zip.c -- see zip.h. */
#include "plugins/functions/zip.h"

#include <string.h>
#include <zlib.h>

enum { END_SIZE = 22, ENTRY_SIZE = 46, LOCAL_SIZE = 30, STORED = 0, DEFLATED = 8, ENCRYPTED = 1 };

struct zip {
	const unsigned char *at;
	size_t size;
	size_t directory, end; /* of the central directory */
	size_t entries;
};
struct entry {
	const char *name;
	size_t name_size;
	unsigned flags, method;
	uint32_t crc;
	size_t packed, size, local;
};

static uint32_t u16(const unsigned char *p)
{
	return p[0] | (uint32_t)p[1] << 8;
}

static uint32_t u32(const unsigned char *p)
{
	return u16(p) | u16(p + 2) << 16;
}

/* The last thing in the file but a comment of at most 65,535 bytes. */
static bool find_end(struct zip *z)
{
	size_t least = z->size > END_SIZE + 65535 ? z->size - END_SIZE - 65535 : 0;
	for (size_t at = z->size < END_SIZE ? 0 : z->size - END_SIZE + 1; at-- > least;) {
		const unsigned char *p = z->at + at;
		if (u32(p) != 0x06054b50 || at + END_SIZE + u16(p + 20) != z->size)
			continue;
		z->entries = u16(p + 10);
		z->directory = u32(p + 16);
		z->end = at;
		return u16(p + 4) == 0 && u16(p + 6) == 0 && u16(p + 8) == z->entries && z->directory <= at && u32(p + 12) <= at - z->directory;
	}
	return false;
}

static bool zip_open(struct zip *z, const void *bytes, size_t size)
{
	*z = (struct zip){ .at = bytes, .size = size };
	return size >= END_SIZE && find_end(z);
}

/* The entry at *at, which moves on. */
static bool next(const struct zip *z, size_t *at, struct entry *e)
{
	const unsigned char *p = z->at + *at;
	if (*at > z->end || z->end - *at < ENTRY_SIZE || u32(p) != 0x02014b50)
		return false;
	size_t whole = ENTRY_SIZE + (size_t)u16(p + 28) + u16(p + 30) + u16(p + 32);
	if (whole > z->end - *at)
		return false;
	*e = (struct entry){ .name = (const char *)p + ENTRY_SIZE, .name_size = u16(p + 28), .flags = u16(p + 8), .method = u16(p + 10), .crc = u32(p + 16),
		.packed = u32(p + 20), .size = u32(p + 24), .local = u32(p + 42) };
	*at += whole;
	return true;
}

static const char *fault(const struct zip *z, const struct entry *e)
{
	if (e->flags & ENCRYPTED)
		return "a file in the zip is encrypted";
	if (e->method != STORED && e->method != DEFLATED)
		return "a file in the zip is packed in a way that is not known";
	if (e->local > z->size || z->size - e->local < LOCAL_SIZE || e->packed > z->size || (e->method == STORED && e->packed != e->size))
		return "the zip is damaged";
	return NULL;
}

int zip_look(const void *bytes, size_t size, struct zip_contents *out, const char **why)
{
	struct zip z;
	struct entry e;
	*out = (struct zip_contents){ 0 };
	*why = "it is no zip file";
	if (!zip_open(&z, bytes, size))
		return -1;
	*why = "the zip is damaged";
	size_t at = z.directory;
	for (size_t i = 0; i < z.entries; i++) {
		if (!next(&z, &at, &e))
			return -1;
		const char *wrong = fault(&z, &e);
		if (wrong) {
			*why = wrong;
			return -1;
		}
		out->files += e.name_size > 0 && e.name[e.name_size - 1] != '/';
		out->size += e.size;
	}
	*why = "the zip is empty";
	return out->files ? 0 : -1;
}

/* Where the packed bytes are: behind the local header, whose lengths are its own. */
static const unsigned char *packed_bytes(const struct zip *z, const struct entry *e)
{
	const unsigned char *p = z->at + e->local;
	if (u32(p) != 0x04034b50)
		return NULL;
	size_t begin = e->local + LOCAL_SIZE + u16(p + 26) + u16(p + 28);
	return begin <= z->size && e->packed <= z->size - begin ? z->at + begin : NULL;
}

static bool unpack(const struct entry *e, const unsigned char *from, char *to)
{
	z_stream s = { .next_in = (unsigned char *)from, .avail_in = (unsigned)e->packed, .next_out = (unsigned char *)to, .avail_out = (unsigned)e->size + 1 };
	if (e->method == STORED) {
		memcpy(to, from, e->size);
	} else {
		if (inflateInit2(&s, -MAX_WBITS) != Z_OK)
			return false;
		int rc = inflate(&s, Z_FINISH);
		inflateEnd(&s);
		if (rc != Z_STREAM_END || s.avail_out != 1)
			return false;
	}
	return crc32(0, (const unsigned char *)to, (unsigned)e->size) == e->crc;
}

static const char *read_entry(struct sk_arena *a, const struct zip *z, const struct entry *e, size_t most, const char **why)
{
	*why = fault(z, e);
	if (*why)
		return NULL;
	*why = "the file is too large";
	if (e->size > most)
		return NULL;
	const unsigned char *from = packed_bytes(z, e);
	char *to = from ? sk_alloc_text(a, e->size + 1) : NULL;
	*why = from && !to ? "memory is out" : "the zip is damaged";
	if (!to || !unpack(e, from, to))
		return NULL;
	to[e->size] = '\0';
	*why = NULL;
	return to;
}

const char *zip_read(struct sk_arena *a, const void *bytes, size_t size, const char *name, size_t most, size_t *file_size, const char **why)
{
	struct zip z;
	struct entry e, found = { 0 };
	size_t n = strlen(name);
	*why = "it is no zip file";
	if (!zip_open(&z, bytes, size))
		return NULL;
	*why = NULL;
	size_t at = z.directory;
	for (size_t i = 0; i < z.entries && next(&z, &at, &e); i++)
		if (e.name_size == n && !memcmp(e.name, name, n))
			found = e; /* of two of the same name the last one counts, as when they are unpacked */
	*file_size = found.size;
	return found.name ? read_entry(a, &z, &found, most, why) : NULL;
}
