/* strings.h -- a set of texts, each with a count and a mark that its user gives a meaning to. Pure; one thread. */
#ifndef CLUSTER_STRINGS_H
#define CLUSTER_STRINGS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct string {
	struct string *next; /* in its place of the table */
	uint32_t hash;
	uint32_t refs, lasting; /* its user's */
	bool mark;              /* its user's */
	char text[];
};
struct strings {
	struct string **place;
	size_t places, count;
};
/* NULL: it is not there. */
struct string *strings_find(const struct strings *s, const char *text);
/* Finds it or makes it, with zeros. NULL: memory is out. */
struct string *strings_add(struct strings *s, const char *text);
void strings_remove(struct strings *s, struct string *one);
/* The first, or the one after `one`; NULL: there is none. Nothing may be added or removed meanwhile. */
struct string *strings_next(const struct strings *s, const struct string *one);
void strings_free(struct strings *s); /* all of them; it is empty then */
/* Calls drop for each that is not marked and removes it; the others' marks are cleared. */
void strings_sweep(struct strings *s, void (*drop)(void *ctx, const char *text), void *ctx);

#endif
