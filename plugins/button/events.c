/* events.c -- see events.h. Keys of events are in the order of time, so a range of time is a range of keys. */
#include "plugins/button/events.h"

#include <inttypes.h>
#include <math.h>
#include <stdlib.h>

#include "core/plugin.h"
#include "plugins/button/button.h"
#include "plugins/button/pages.h"
#include "plugins/button/records.h"

#define OPS_FILE "plugins/button/events.ops"
#define OPS_GROUP button_events
#define OPS_SERVICE "iot1click"
#include "core/ops_table.h"

/* Of those that have grown too old as many are forgotten in one commit. */
enum { FORGOTTEN = 500 };
#define TIMER "events"
#define MS "%013" PRId64 /* until the year 2286 */

static int64_t time_of(const char *name)
{
	return strtoll(name, NULL, 10);
}

static void arm(struct sk_call *c, const char *id, int64_t oldest)
{
	const struct button_state *s = c->state;
	cJSON *input = sk_json_object(c->arena);

	sk_json_set_string(c->arena, input, "deviceId", id);
	sk_timer_set(c, TIMER, oldest + s->events_age, BUTTON_EVENTS_AGED, input);
}

/* Room for one more: the oldest eighth goes at once, so that not every click looks for the oldest. */
static int64_t make_room(struct sk_call *c, const char *id, int64_t kept)
{
	const struct button_state *s = c->state;
	struct sk_scan oldest;

	if (kept < s->events)
		return kept;
	oldest = sk_scan(c, (size_t)(kept - s->events + s->events / 8 + 1), NULL, "button/%s/event/", id);
	for (size_t i = 0; i < oldest.count; i++)
		sk_remove(c, "button/%s/event/%s", id, oldest.row[i].name);
	return kept - (int64_t)oldest.count;
}

void button_event_add(struct sk_call *c, cJSON *state, const char *id, const cJSON *device, const cJSON *std)
{
	int64_t kept = make_room(c, id, sk_json_int_of(state, "events", 0)), number = sk_json_int_of(state, "eventNumber", 0);
	cJSON *event = sk_json_object(c->arena);

	if (!kept)
		arm(c, id, c->now_ms);
	sk_json_set(c->arena, event, "attributes", button_device_attributes(c, device));
	sk_json_set_string(c->arena, event, "type", sk_json_text(device, "type"));
	sk_json_set(c->arena, event, "stdEvent", sk_json_copy(c->arena, std));
	sk_put(c, event, "button/%s/event/" MS "-%010" PRId64, id, c->now_ms, number);
	sk_json_set_int(c->arena, state, "events", kept + 1);
	sk_json_set_int(c->arena, state, "eventNumber", number + 1);
}

int button_on_events_aged(struct sk_call *c)
{
	const struct button_state *s = c->state;
	const char *id = sk_json_text(c->in, "deviceId");
	struct sk_scan oldest = sk_scan(c, FORGOTTEN + 1, NULL, "button/%s/event/", id);
	cJSON *state = sk_json_copy(c->arena, sk_get(c, "button/%s/state", id));
	size_t gone = 0;

	while (gone < oldest.count && gone < FORGOTTEN && time_of(oldest.row[gone].name) <= c->now_ms - s->events_age)
		sk_remove(c, "button/%s/event/%s", id, oldest.row[gone++].name);
	if (gone < oldest.count)
		arm(c, id, time_of(oldest.row[gone].name));
	if (!state || !gone)
		return SK_OK;
	sk_json_set_int(c->arena, state, "events", gone < oldest.count ? sk_json_int_of(state, "events", 0) - (int64_t)gone : 0);
	sk_put(c, state, "button/%s/state", id);
	return SK_OK;
}

/* -- ListDeviceEvents -- */

static int64_t ms_of(const cJSON *in, const char *name)
{
	const cJSON *node = sk_json_get(in, name);
	double ms = node ? node->valuedouble * 1000 : 0;

	return ms < 0 ? 0 : ms > 9999999999999.0 ? 9999999999999 : llround(ms);
}

static void show(struct sk_call *c, cJSON *list, const char *id, const cJSON *event)
{
	cJSON *one = sk_json_append(list, sk_json_object(c->arena)), *device = sk_json_set_object(c->arena, one, "device");

	sk_json_set(c->arena, device, "attributes", sk_json_copy(c->arena, sk_json_get(event, "attributes")));
	sk_json_set_string(c->arena, device, "deviceId", id);
	sk_json_set_string(c->arena, device, "type", sk_json_text(event, "type"));
	sk_json_set_string(c->arena, one, "stdEvent", sk_json_print(c->arena, sk_json_get(event, "stdEvent"), NULL));
}

/* Nothing of before the device was claimed is shown, and nothing that is too old, though it may still be there. */
static int64_t earliest(struct sk_call *c, const cJSON *device)
{
	const struct button_state *s = c->state;
	int64_t from = ms_of(c->in, "fromTimeStamp"), claimed = sk_json_int_of(device, "claimedAt", 0), young = c->now_ms - s->events_age;

	from = from < claimed ? claimed : from;
	return from < young ? young : from;
}

static int ListDeviceEvents(struct sk_call *c)
{
	const char *id = sk_json_text(c->in, "deviceId"), *after;
	int64_t to = ms_of(c->in, "toTimeStamp"), from;
	cJSON *list = sk_json_set_array(c->arena, c->out, "events");
	size_t size = page_size(c);
	int rc;
	const cJSON *device = device_wanted(c, &rc);

	if (!rc && to < ms_of(c->in, "fromTimeStamp"))
		rc = sk_fail(c, SK_E_RANGE_NOT_SATISFIABLE, "toTimeStamp is before fromTimeStamp");
	after = rc ? NULL : page_after(c, &rc);
	if (rc)
		return rc;
	from = earliest(c, device);
	if (!after || time_of(after) < from)
		after = sk_printf(c->arena, MS, from);
	struct sk_scan found = sk_scan(c, size + 1, after, "button/%s/event/", id);
	for (size_t i = 0; i < found.count && time_of(found.row[i].name) <= to; i++) {
		if (i == size) {
			page_next(c, found.row[i - 1].name);
			break;
		}
		show(c, list, id, found.row[i].document);
	}
	return SK_OK;
}
