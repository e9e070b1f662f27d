/* closest.h -- "did you mean": the name that a mistyped word is nearest to. */
#ifndef SK_CLOSEST_H
#define SK_CLOSEST_H

#include <stddef.h>

/* The candidate with the fewest edits (insert, delete, replace, swap neighbours) from word, the first of equals; NULL when
 * none is near: more than one edit for every three characters, or a word above 63 bytes. `candidates` points to the first
 * of n names, which stand `stride` bytes apart, so a table's name column serves as well as an array of names:
 * sk_closest(word, &table[0].name, n, sizeof *table). Names that are NULL are passed over. */
const char *sk_closest(const char *word, const char *const *candidates, size_t n, size_t stride);

#endif
