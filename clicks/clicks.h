/* clicks.h -- from a message of a button to a click: buttons of AWS's and those that people own (sources.tbl).
 *
 * Pure: a topic and bytes that somebody has sent go in. Whatever they are, the answer is a click, a battery, nothing, or what is wrong with them. */
#ifndef CLICKS_CLICKS_H
#define CLICKS_CLICKS_H

#include <stdint.h>

#include "core/arena.h"

enum clicks_type { CLICKS_NONE, CLICKS_SINGLE, CLICKS_DOUBLE, CLICKS_LONG };
extern const char *const clicks_types[]; /* "SINGLE": as AWS spells them */

struct clicks_source {
	const char *name, *filter;
	int level;
	const char *click, *words, *battery;
	enum clicks_unit { CLICKS_PERCENT, CLICKS_MILLIVOLTS } unit;
	const char *count;
};
extern const struct clicks_source clicks_sources[]; /* ends with a row of zeros */

struct clicks_click {
	const struct clicks_source *source;
	const char *device;        /* its name, a level of the topic; the arena's */
	enum clicks_type type;     /* CLICKS_NONE: the message says nothing of a click */
	double remaining_life;     /* 0 to 100; -1: the message says nothing of a battery */
	int64_t count;             /* the source's own number of the event; -1: it has none */
};
enum clicks_found {
	CLICKS_FOREIGN = -2,       /* no source has that topic */
	CLICKS_BROKEN = -1,        /* *why says what is wrong */
	CLICKS_NOTHING,            /* it is of a source, but no button was pressed: another kind of device, another action */
	CLICKS_FOUND,              /* a click, a battery or both */
};
enum clicks_found clicks_read(struct sk_arena *a, const char *topic, const void *payload, size_t size, struct clicks_click *out, const char **why);

#endif
