/* engine_zones.h -- files of the system's zone database, as far as rules have asked for them. One thread. */
#ifndef RULES_ZONES_H
#define RULES_ZONES_H

#include "sql/sql.h"

enum { ZONES_KEPT = 8, ZONE_NAME = 64, ZONE_FILE = 32768 };
struct zones {
	struct {
		char name[ZONE_NAME];
		void *file;      /* NULL: there is no such zone */
		size_t size;
	} kept[ZONES_KEPT];
	unsigned next;
};
bool zones_at(struct zones *z, const char *zone, int64_t utc_ms, struct sql_zone *out);
void zones_free(struct zones *z);

#endif
