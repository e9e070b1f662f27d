/* sql_zone_fuzz.c -- any bytes as a file of the zone database, and as a rule: refused, or an offset of about a day at most and a name. */
#include <string.h>

#include "sql/internal.h"
#include "tests/fuzz/expect.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(const struct sql_zone *z)
{
	expect(z->offset > -100000 && z->offset < 100000);
	expect(strnlen(z->name, sizeof z->name) < sizeof z->name);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const int64_t times[] = { INT64_MIN, -1, 0, 1000000000000, INT64_MAX };
	struct sql_zone z;

	for (size_t i = 0; i < sizeof times / sizeof *times; i++) {
		if (sql_zone_file(data, size, times[i], &z))
			check(&z);
		if (sql_zone_rule((const char *)data, size, times[i], &z))
			check(&z);
	}
	return 0;
}
