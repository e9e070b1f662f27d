/* sql_world.c -- a message with everything in it, and look-ups that answer from constants. */
#include "tests/unit/sql_world.h"

#include <string.h>

static const cJSON *shadow(const char *name)
{
	static cJSON alarm = { .type = cJSON_String, .string = (char *)"alarm", .valuestring = (char *)"ON" };
	static cJSON reported = { .type = cJSON_Object, .string = (char *)"reported", .child = &alarm };
	static cJSON state = { .type = cJSON_Object, .string = (char *)"state", .child = &reported };
	static const cJSON document = { .type = cJSON_Object, .child = &state };

	alarm.prev = &alarm;
	reported.prev = &reported;
	state.prev = &state;
	return strcmp(name, "lamp") == 0 ? &document : NULL;
}

static int look(void *world, const struct sql_lookup *what, const cJSON **answer, const char **why)
{
	const cJSON *first = what->args[0];
	const char *name = first && first->valuestring ? first->valuestring : "";

	(void)world;
	*answer = NULL;
	if (strcmp(name, "later") == 0)
		return SQL_LATER;
	if (strcmp(name, "broken") == 0) {
		*why = "it is broken";
		return SK_E_UNAVAILABLE;
	}
	if (strcmp(what->function, "get_dynamodb") == 0)
		return SK_E_UNKNOWN_OPERATION;
	if (strcmp(what->function, "get_thing_shadow") == 0)
		*answer = shadow(name);
	else
		*answer = what->args[1];
	return SQL_ANSWERED;
}

static bool zone(void *world, const char *name, int64_t utc_ms, struct sql_zone *out)
{
	const int64_t year = 31556952000, of_year = utc_ms % year;
	bool summer = of_year > year * 69 / 365 && of_year < year * 306 / 365;

	(void)world;
	if (strcmp(name, "America/Belize") == 0)
		*out = (struct sql_zone){ .offset = -6 * 3600, .name = "CST" };
	else if (strcmp(name, "America/Los_Angeles") == 0)
		*out = summer ? (struct sql_zone){ .offset = -7 * 3600, .name = "PDT" } : (struct sql_zone){ .offset = -8 * 3600, .name = "PST" };
	else
		return false;
	return true;
}

struct sql_message world_message(const char *payload, const char *topic)
{
	static const struct sql_property user[] = { { "k1", "v1" }, { "k2", "v2" }, { "k1", "v3" }, { 0 } };

	return (struct sql_message){
		.topic = topic ? topic : "a/b/c",
		.payload = payload,
		.size = payload ? strlen(payload) : 0,
		.client_id = "client-1",
		.principal = "ba67293af50bf2506f5f93469686da660c7c844e7b3950bfb16813e0d31e9373",
		.account = "123456789012",
		.source_ip = "192.0.2.7",
		.trace_id = "12345678-1234-1234-1234-123456789012",
		.user = user,
		.content_type = "application/json",
		.response_topic = "answers/1",
		.correlation = "\x01\x02\xff",
		.correlation_size = 3,
		.format = 1,
		.now_ms = 1481825251155,
		.look = look,
		.zone = zone,
	};
}
