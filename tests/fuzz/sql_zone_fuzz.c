/* sql_zone_fuzz.c -- any bytes as a file of the zone database: refused, or an offset of less than a day and a name. */
#include <string.h>

#include "sql/sql.h"
#include "tests/fuzz/expect.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const int64_t times[] = { INT64_MIN, -1, 0, 1000000000000, INT64_MAX };
	struct sql_zone z;

	for (size_t i = 0; i < sizeof times / sizeof *times; i++) {
		if (!sql_zone_file(data, size, times[i], &z))
			continue;
		expect(z.offset > -90000 && z.offset < 90000);
		expect(strnlen(z.name, sizeof z.name) < sizeof z.name);
	}
	return 0;
}
