/* judge.c -- errors of Redis by their first word: those that pass are tried again, all others are the item's. See judge.h. */
#include "plugins/sink_redis/judge.h"

#include <string.h>

static const char *const passing[] = {
	"LOADING",            /* it reads its data */
	"BUSY",               /* a script holds it */
	"TRYAGAIN",
	"OOM",                /* above maxmemory */
	"MISCONF",            /* it cannot save, and so takes no writes */
	"NOREPLICAS",         /* min-replicas-to-write */
	"CLUSTERDOWN",
	NULL
};
/* And the connection is given up: a replica, or one that does not know us, will not become another server by itself. */
static const char *const leaving[] = { "MASTERDOWN", "READONLY", "NOAUTH", "WRONGPASS", NULL };

static bool is_one_of(const char *const *words, const char *error)
{
	size_t n = strcspn(error, " ");

	for (; *words; words++)
		if (strlen(*words) == n && !memcmp(error, *words, n))
			return true;
	return false;
}

struct redis_verdict redis_judge(const char *error)
{
	static const char full[] = "ERR max number of clients";

	if (is_one_of(leaving, error) || !strncmp(error, full, sizeof full - 1))
		return (struct redis_verdict){ SK_SUNK_RETRY, true };
	return (struct redis_verdict){ is_one_of(passing, error) ? SK_SUNK_RETRY : SK_SUNK_FAIL, false };
}
