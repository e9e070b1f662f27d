/* clicks.c -- see clicks.h. A source is a row; nothing here knows one by its name. */
#include "clicks/clicks.h"

#include <stdlib.h>
#include <string.h>

#include "core/json.h"
#include "core/utf8.h"

enum { PAYLOAD_MOST = 64 << 10, WORD_MOST = 64, EMPTY_MV = 900, FULL_MV = 1600 };

const char *const clicks_types[] = { [CLICKS_NONE] = "NONE", [CLICKS_SINGLE] = "SINGLE", [CLICKS_DOUBLE] = "DOUBLE", [CLICKS_LONG] = "LONG" };

const struct clicks_source clicks_sources[] = {
#define CLICKS_SOURCE(name_, filter_, level_, click_, words_, battery_, unit_, count_) \
	{ .name = #name_, .filter = filter_, .level = level_, .click = click_, .words = words_, .battery = battery_, .unit = CLICKS_##unit_, .count = count_ },
#include "clicks/sources.tbl"
#undef CLICKS_SOURCE
	{ 0 }
};

/* -- topics -- */

/* Filters here have levels and + only. */
static bool fits(const char *filter, const char *topic)
{
	for (;;) {
		size_t n = strcspn(filter, "/"), m = strcspn(topic, "/");
		bool any = n == 1 && *filter == '+';
		if (any ? m == 0 : n != m || memcmp(filter, topic, n))
			return false;
		if (filter[n] != topic[m])
			return false;
		if (!filter[n])
			return true;
		filter += n + 1;
		topic += m + 1;
	}
}

static const char *level_of(struct sk_arena *a, const char *topic, int level)
{
	while (--level)
		topic += strcspn(topic, "/") + 1;
	return sk_strndup(a, topic, strcspn(topic, "/"));
}

/* -- payloads -- */

/* "a.0.b": members and places of lists. NULL: it is not there. */
static const cJSON *at_path(const cJSON *document, const char *path)
{
	char part[WORD_MOST];
	while (document && *path) {
		size_t n = strcspn(path, ".");
		if (n >= sizeof part)
			return NULL;
		memcpy(part, path, n);
		part[n] = '\0';
		document = cJSON_IsArray(document) ? cJSON_GetArrayItem(document, atoi(part)) : sk_json_get(document, part);
		path += n + (path[n] == '.');
	}
	return document;
}

/* The kind of click that a word of the source means. */
static enum clicks_type type_of(const char *words, const char *word)
{
	size_t n = strlen(word);
	for (const char *at = words; *at; at += strcspn(at, " "), at += strspn(at, " ")) {
		size_t m = strcspn(at, "=");
		if (m != n || memcmp(at, word, n))
			continue;
		for (int type = CLICKS_SINGLE; type <= CLICKS_LONG; type++)
			if (!strncmp(at + m + 1, clicks_types[type], strlen(clicks_types[type])))
				return type;
	}
	return CLICKS_NONE;
}

static double bounded(double life)
{
	return life < 0 ? 0 : life > 100 ? 100 : life;
}

/* AWS's button reports the voltage of its cell; how much of it is left is a guess, on a line from 0.9 V to 1.6 V. */
static double life_of(const struct clicks_source *s, const cJSON *battery)
{
	if (s->unit == CLICKS_PERCENT)
		return cJSON_IsNumber(battery) ? bounded(battery->valuedouble) : -1;
	char *end;
	double mv = cJSON_IsString(battery) ? strtod(battery->valuestring, &end) : -1;
	if (mv < 0 || mv > 100000 || strcmp(end, "mV"))
		return -1;
	return bounded((mv - EMPTY_MV) * 100 / (FULL_MV - EMPTY_MV));
}

static const cJSON *document_of(struct sk_arena *a, const struct clicks_source *s, const void *payload, size_t size, const char **why)
{
	bool text = (s->click && !*s->click);
	struct sk_json_error wrong = { 0 };
	*why = "it is too large";
	if (size > (text ? WORD_MOST : PAYLOAD_MOST))
		return NULL;
	*why = "it is not UTF-8";
	if (text)
		return sk_utf8_valid(payload, size) && !memchr(payload, '\0', size) ? sk_json_stringn(a, payload, size) : NULL;
	const cJSON *document = sk_json_parse(a, payload, size, NULL, &wrong);
	*why = wrong.why ? wrong.why : "memory is out";
	return document;
}

static enum clicks_found read_with(const struct clicks_source *s, const cJSON *document, struct clicks_click *out)
{
	const cJSON *click = s->click ? at_path(document, s->click) : NULL, *count = s->count ? at_path(document, s->count) : NULL;
	if (cJSON_IsString(click))
		out->type = type_of(s->words, click->valuestring);
	if (s->battery)
		out->remaining_life = life_of(s, at_path(document, s->battery));
	if (cJSON_IsNumber(count) && count->valuedouble >= 0 && count->valuedouble < 9e15)
		out->count = (int64_t)count->valuedouble;
	return out->type != CLICKS_NONE || out->remaining_life >= 0 ? CLICKS_FOUND : CLICKS_NOTHING;
}

enum clicks_found clicks_read(struct sk_arena *a, const char *topic, const void *payload, size_t size, struct clicks_click *out, const char **why)
{
	const struct clicks_source *s = clicks_sources;
	while (s->name && !fits(s->filter, topic))
		s++;
	*out = (struct clicks_click){ .source = s, .remaining_life = -1, .count = -1 };
	*why = NULL;
	if (!s->name)
		return CLICKS_FOREIGN;
	const cJSON *document = document_of(a, s, payload, size, why);
	out->device = level_of(a, topic, s->level);
	if (!document || !out->device)
		return CLICKS_BROKEN;
	*why = NULL;
	return read_with(s, document, out);
}
