/* strings.c -- see strings.h. Chains in a table of a power of two places, that grows and shrinks with what is in it. */
#include "plugins/cluster/strings.h"

#include <stdlib.h>
#include <string.h>

enum { FEW = 16 };

static uint32_t hash_of(const char *text)
{
	uint32_t h = 2166136261u;

	for (; *text; text++)
		h = (h ^ (unsigned char)*text) * 16777619u;
	return h;
}

static struct string **place_of(const struct strings *s, uint32_t hash)
{
	return &s->place[hash & (s->places - 1)];
}

/* Without memory the chains are longer. */
static void resize(struct strings *s, size_t places)
{
	struct strings now = { .place = calloc(places, sizeof *now.place), .places = places, .count = s->count };

	if (!now.place)
		return;
	for (size_t i = 0; i < s->places; i++)
		for (struct string *one = s->place[i], *next; one; one = next) {
			next = one->next;
			one->next = *place_of(&now, one->hash);
			*place_of(&now, one->hash) = one;
		}
	free(s->place);
	*s = now;
}

struct string *strings_find(const struct strings *s, const char *text)
{
	uint32_t hash = hash_of(text);
	struct string *one = s->places ? *place_of(s, hash) : NULL;

	while (one && (one->hash != hash || strcmp(one->text, text)))
		one = one->next;
	return one;
}

struct string *strings_add(struct strings *s, const char *text)
{
	struct string *one = strings_find(s, text);
	size_t n = strlen(text);

	if (one)
		return one;
	if (s->count >= s->places)
		resize(s, s->places ? s->places * 2 : FEW);
	one = s->places ? calloc(1, sizeof *one + n + 1) : NULL;
	if (!one)
		return NULL;
	memcpy(one->text, text, n);
	one->hash = hash_of(text);
	one->next = *place_of(s, one->hash);
	*place_of(s, one->hash) = one;
	s->count++;
	return one;
}

void strings_remove(struct strings *s, struct string *one)
{
	struct string **at = place_of(s, one->hash);

	while (*at != one)
		at = &(*at)->next;
	*at = one->next;
	s->count--;
	free(one);
	if (s->places > FEW && s->count * 8 < s->places)
		resize(s, s->places / 2);
}

struct string *strings_next(const struct strings *s, const struct string *one)
{
	size_t i = one ? (one->hash & (s->places - 1)) + 1 : 0;

	if (one && one->next)
		return one->next;
	while (i < s->places && !s->place[i])
		i++;
	return i < s->places ? s->place[i] : NULL;
}

void strings_free(struct strings *s)
{
	for (size_t i = 0; i < s->places; i++)
		for (struct string *one = s->place[i], *next; one; one = next) {
			next = one->next;
			free(one);
		}
	free(s->place);
	*s = (struct strings){ 0 };
}

void strings_sweep(struct strings *s, void (*drop)(void *ctx, const char *text), void *ctx)
{
	for (size_t i = 0; i < s->places; i++)
		for (struct string **at = &s->place[i], *one; (one = *at);) {
			if (one->mark) {
				one->mark = false;
				at = &one->next;
				continue;
			}
			drop(ctx, one->text);
			*at = one->next;
			s->count--;
			free(one);
		}
}
