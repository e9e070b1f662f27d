/* options.h -- reads plugin_opt_* lines into a plugin's state by its table of struct sk_option (core/plugin.h).
 *
 * Values as text: SK_BOOL true|false (also yes|no, on|off, 1|0); SK_INT a decimal number within `values`; SK_STR anything; SK_SIZE a
 * number of bytes, with k, m, g (KiB, MiB, GiB) 1024-fold; SK_DURATION a number with ms, s, m, h or d, or 0; SK_CHOICE one of `values`. */
#ifndef SK_OPTIONS_H
#define SK_OPTIONS_H

#include <stddef.h>

struct sk_option;

/* Fills `state`, which must be zeroed: defaults first, then the n pairs. `table` ends with a zero row; keys come without
 * plugin_opt_, as Mosquitto passes them. 0, or -1 with one line in why[]:
 *   unknown option plugin_opt_prot: did you mean plugin_opt_port?
 *   plugin_opt_port must be a number from 1 to 65535, not 'x'
 *   plugin_opt_port is set twice
 * Strings are copied and belong to the state, in success and in failure: give it to sk_options_free. */
int sk_options_read(const struct sk_option *table, void *state, const char *const *keys, const char *const *values, size_t n,
                    char *why, size_t why_size);
/* Frees the strings and sets them to NULL. table NULL: a plugin without options. */
void sk_options_free(const struct sk_option *table, void *state);

#endif
