/* filters.h -- which rules does a topic concern? An index from MQTT topic filters to small numbers.
 *
 * The broker's thread asks it for every PUBLISH: a topic that no filter matches costs some 50 to 200 ns however many filters there are, and a
 * look-up never allocates. One thread at a time. A filter may be added for any number of ids, an id under any number of filters.
 * Wildcards as in MQTT 3.1.1, 4.7: `+` one level (an empty one too), `#` the rest and the level above it; neither at the beginning matches
 * a topic that begins with `$`. */
#ifndef RULES_FILTERS_H
#define RULES_FILTERS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct rules_filters;
struct rules_filters *rules_filters_new(void); /* NULL: memory is out */
void rules_filters_free(struct rules_filters **f);
/* true: a filter as MQTT wants it (not empty, wildcards alone in their level, `#` last, at most 65,535 bytes) with at most 200 slashes, since
 * Mosquitto takes no topic with more. `$share/` is a level like any other. */
bool rules_filter_valid(const char *filter);
/* 0; -1: memory is out, or not a filter: nothing has changed. The same pair twice is once. */
int rules_filters_add(struct rules_filters *f, const char *filter, uint32_t id);
/* What is not there is no error. Gives its memory back. */
void rules_filters_remove(struct rules_filters *f, const char *filter, uint32_t id);
/* The ids of all filters that match, each once, ascending, at most `room`; the answer is how many there are (may be more than room). */
size_t rules_filters_match(const struct rules_filters *f, const char *topic, uint32_t *out, size_t room);
size_t rules_filters_bytes(const struct rules_filters *f); /* of memory */

#endif
