/* why.h -- one line that says why something was refused, for functions that take (char *why, size_t why_size). */
#ifndef SK_WHY_H
#define SK_WHY_H

#include <stddef.h>

/* Formats into why[], cut to its room (NULL with 0 is allowed), and returns -1: return sk_why(why, why_size, "no shape %s", name); */
int sk_why(char *why, size_t why_size, const char *fmt, ...) __attribute__((format(printf, 3, 4)));

#endif
