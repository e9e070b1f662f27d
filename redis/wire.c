/* wire.c -- see wire.h. */
#include "redis/wire.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static bool reserve(struct redis_text *t, size_t n)
{
	size_t room = t->room ? t->room : 4096;

	if (t->failed || t->room - t->size >= n)
		return !t->failed;
	while (room - t->size < n)
		room *= 2;
	char *larger = realloc(t->bytes, room);
	if (!larger) {
		t->failed = true;
		return false;
	}
	t->bytes = larger;
	t->room = room;
	return true;
}

static void put(struct redis_text *t, const void *bytes, size_t n)
{
	if (!n || !reserve(t, n))
		return;
	memcpy(t->bytes + t->size, bytes, n);
	t->size += n;
}

static void put_count(struct redis_text *t, char kind, size_t n)
{
	char line[32];

	put(t, line, (size_t)snprintf(line, sizeof line, "%c%zu\r\n", kind, n));
}

void redis_begin(struct redis_text *t, size_t n)
{
	put_count(t, '*', n);
}

void redis_word(struct redis_text *t, const void *bytes, size_t n)
{
	put_count(t, '$', n);
	put(t, bytes, n);
	put(t, "\r\n", 2);
}

void redis_name(struct redis_text *t, const char *word)
{
	redis_word(t, word, strlen(word));
}

void redis_number(struct redis_text *t, uint64_t n)
{
	char text[24];

	redis_word(t, text, (size_t)snprintf(text, sizeof text, "%" PRIu64, n));
}

void redis_words(struct redis_text *t, const char *const *word, size_t n)
{
	redis_begin(t, n);
	for (size_t i = 0; i < n; i++)
		redis_name(t, word[i]);
}

void redis_bytes(struct redis_text *t, const void *bytes, size_t n)
{
	put(t, bytes, n);
}

void redis_text_clear(struct redis_text *t)
{
	t->size = 0;
	t->failed = false;
}

void redis_text_free(struct redis_text *t)
{
	free(t->bytes);
	*t = (struct redis_text){ 0 };
}

/* CRC-16/XMODEM, a bit at a time: keys are short, and a slot is computed once. */
static unsigned crc16(const char *bytes, size_t n)
{
	unsigned crc = 0;

	for (size_t i = 0; i < n; i++) {
		crc ^= (unsigned)(unsigned char)bytes[i] << 8;
		for (int bit = 0; bit < 8; bit++)
			crc = crc & 0x8000 ? (crc << 1 ^ 0x1021) & 0xffff : crc << 1 & 0xffff;
	}
	return crc;
}

unsigned redis_slot(const char *key, size_t n)
{
	const char *open = memchr(key, '{', n);
	const char *shut = open ? memchr(open + 1, '}', n - (size_t)(open + 1 - key)) : NULL;

	if (shut && shut > open + 1)
		return crc16(open + 1, (size_t)(shut - open - 1)) % REDIS_SLOTS;
	return crc16(key, n) % REDIS_SLOTS;
}
