/* recorded.h -- a message as the flight recorder keeps it, and `skeeter rules replay` reads it: one record of core/segments.h.
 *
 * Pure. The form is the machine's own (sizes, byte order); its first byte says which form it is, so another one is refused, not misread. */
#ifndef RULES_RECORDED_H
#define RULES_RECORDED_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct rules_recorded {
	int64_t time_ms;              /* when it came, since 1970 */
	uint64_t number;              /* its own; two records of one number are the same message */
	uint8_t qos, depth;           /* depth: how many rules it has come through */
	bool retain;
	const char *topic;            /* "$aws/rules/NAME/..." of one that went to that rule alone */
	const char *client_id, *principal, *source_ip; /* NULL: there is none */
	const void *payload;          /* a NUL follows that is not counted */
	size_t size;
	const void *properties;       /* as in core/properties.h */
	size_t properties_size;
};
size_t rules_recorded_size(const struct rules_recorded *m);
void rules_recorded_write(const struct rules_recorded *m, void *to); /* rules_recorded_size() bytes */
/* 0, and its parts lie in `record`; -1: it is not a record, or not of this form. */
int rules_recorded_read(const void *record, size_t size, struct rules_recorded *m);

#endif
