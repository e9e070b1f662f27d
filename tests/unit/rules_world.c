/* rules_world.c -- rules of short texts. */
#include "tests/unit/rules_world.h"

#include <string.h>

#include "tests/unit/sql_world.h"

cJSON *world_json(struct sk_arena *a, const char *text)
{
	char *copy = sk_strdup(a, text);

	for (char *s = copy; s && (s = strchr(s, '`')); s++)
		*s = '"';
	return copy ? sk_json_parse(a, copy, strlen(copy), NULL, NULL) : NULL;
}

const struct rules_rule *world_rule(struct sk_arena *kept, const char *payload, struct rules_error *e)
{
	const struct rules_settings settings = { 0 };
	struct sk_arena a = { 0 };
	cJSON *document = world_json(&a, payload);
	const struct rules_rule *r;

	if (!sk_json_get(document, "awsIotSqlVersion"))
		sk_json_set_string(&a, document, "awsIotSqlVersion", "2016-03-23");
	r = rules_compile(kept, "alarm", document, &settings, e);
	sk_arena_free(&a);
	return r;
}

struct sql_message world_parsed(struct sk_arena *a, const char *payload, const char *topic)
{
	struct sql_message m = world_message(payload, topic);

	m.document = payload ? sk_json_parse(a, payload, m.size, NULL, NULL) : NULL;
	return m;
}
