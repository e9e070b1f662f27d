/* lane_report.c -- what lanes are doing, for operators. Nothing of a lane waits for it. */
#include "core/call.h"
#include "core/threads.h"
#include "plugins/rules/lanes.h"

enum { MARK_MS = 5000 }; /* a rate is of so long at least, once there has been so much */

static const char *state_of(const struct lane *l, const struct lane_numbers *n)
{
	static const char *const names[] = { [LANE_IDLE] = "idle", [LANE_UP] = "up", [LANE_DOWN] = "down" };

	return atomic_load(&l->full) ? "full" : names[atomic_load(&n->state)];
}

static double rate_of(struct lane *l, uint64_t delivered, int64_t now_ms)
{
	int64_t ms = now_ms - l->mark_ms;

	if (ms < 1000)
		return l->rate;
	l->rate = (double)(delivered - l->mark) * 1000 / (double)ms;
	if (ms >= MARK_MS) {
		l->mark = delivered;
		l->mark_ms = now_ms;
	}
	return l->rate;
}

static void report(struct lane *l, struct sk_arena *a, cJSON *one)
{
	struct lane_numbers *n = lane_numbers(l->run);
	uint64_t delivered = atomic_load(&n->delivered), done = atomic_load(&n->done), all = atomic_load(&n->found) + atomic_load(&n->appended);
	int64_t oldest = atomic_load(&n->oldest_ms), at_ms, age = sk_wall_ms() - oldest;
	const char *why = lane_last_error(l->run, a, &at_ms);

	sk_json_set_string(a, one, "lane", l->name);
	sk_json_set_string(a, one, "kind", l->kind);
	sk_json_set_string(a, one, "state", state_of(l, n));
	sk_json_set_int(a, one, "backlogItems", all > done ? (int64_t)(all - done) : 0);
	sk_json_set_int(a, one, "backlogBytes", (int64_t)sk_segments_bytes(l->files));
	if (oldest)
		sk_json_set_int(a, one, "oldest", age > 0 ? age / 1000 : 0);
	sk_json_set_int(a, one, "delivered", (int64_t)delivered);
	sk_json_set_int(a, one, "retried", (int64_t)atomic_load(&n->retried));
	sk_json_set_int(a, one, "failed", (int64_t)atomic_load(&n->failed));
	sk_json_set_number(a, one, "perSecond", (double)(int64_t)(rate_of(l, delivered, sk_mono_us() / 1000) * 10 + 0.5) / 10);
	sk_json_set_string(a, one, "lastError", why);
	if (why)
		sk_json_set(a, one, "lastErrorAt", sk_json_time(a, at_ms));
}

cJSON *lanes_report(struct lanes *s, struct sk_arena *a)
{
	cJSON *list = sk_json_array(a);

	if (!s)
		return list;
	pthread_mutex_lock(&s->lock);
	for (struct lane *l = s->first; l; l = l->next)
		report(l, a, sk_json_append(list, sk_json_object(a)));
	pthread_mutex_unlock(&s->lock);
	return list;
}
