/* shape_fuzz.c -- any JSON, and any text, against inputs that reach every kind of type. The check's verdict is that of a second check that
 * is written out below for these very types; what is refused says why in UTF-8, and an input that was bound from text is never lost.
 *
 * The first byte picks the way: JSON for the check, "name=text" for binding, a row of inputs, or a pattern. */
#include <math.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/shape.h"
#include "core/shape_pattern.h"
#include "tests/fuzz/expect.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const struct sk_shape shapes[] = {
	{ .name = "Key", .kind = SK_SHAPE_STRING, .min = 1, .max = 4, .text = "[a-z]+" },
	{ .name = "Map", .kind = SK_SHAPE_MAP, .key = "Key", .element = "TagValue" },
	{ .name = "Status", .kind = SK_SHAPE_ENUM, .text = "ON OFF" },
	{ .name = "Ratio", .kind = SK_SHAPE_NUMBER, .max = 100 },
	{ .name = "Document", .kind = SK_SHAPE_ANY },
	{ .name = "Grid", .kind = SK_SHAPE_LIST, .element = "Keys" },
	{ .name = "Keys", .kind = SK_SHAPE_LIST, .element = "Key", .max = 3 },
	{ .name = "Node", .kind = SK_SHAPE_STRUCT, .text = "k!:Key n:Nodes m:NodeMap g:Grid" },
	{ .name = "Nodes", .kind = SK_SHAPE_LIST, .element = "Node", .min = 1, .max = 5 },
	{ .name = "NodeMap", .kind = SK_SHAPE_MAP, .key = "String", .element = "Node" },
	{ 0 }
};
static const char row[] = "n:Node m:Map s:Status r:Ratio d:Document i:Integer l:Long b:Boolean t:Timestamp g:TagList k!:Key ks:Keys";

static struct sk_shapes *all;
static struct sk_inputs *body, *query;

static void prepare(void)
{
	char why[100];
	all = sk_shapes_new();
	expect(all && sk_shapes_add(all, shapes, why, sizeof why) == 0);
	body = sk_inputs_new(all, "/{thingName}", row, true, why, sizeof why);
	query = sk_inputs_new(all, "/{thingName}", row, false, why, sizeof why);
	expect(body && query);
}

/* -- the second check: is v of that type? `unsure` when it cannot tell -- */

static bool unsure;
static bool fits(const char *type, const cJSON *v, int depth);

static bool fits_text(const cJSON *v, size_t least, size_t most, const char *letters)
{
	size_t n = 0;

	if (!cJSON_IsString(v))
		return false;
	for (const char *s = v->valuestring; *s; s++) {
		n += (*s & 0xc0) != 0x80;
		if (letters && (unsigned char)*s > 127)
			unsure = true; /* what \p{L} holds is not known here */
		else if (letters && !strchr(letters, *s))
			return false;
	}
	return n >= least && n <= most;
}

#define LOWER "abcdefghijklmnopqrstuvwxyz"
#define ALNUM LOWER "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"

static bool fits_key(const cJSON *v)
{
	for (const char *s = cJSON_IsString(v) ? v->valuestring : ""; *s; s++)
		if ((unsigned char)*s > 127)
			return false;
	return fits_text(v, 1, 4, LOWER);
}

static bool fits_thing(const cJSON *v)
{
	for (const char *s = cJSON_IsString(v) ? v->valuestring : ""; *s; s++)
		if ((unsigned char)*s > 127)
			return false;
	return fits_text(v, 1, 128, ALNUM ":_-");
}

static bool fits_whole(const cJSON *v, long double least, long double most)
{
	struct sk_arena a = { 0 };
	long double value = 0.5L;
	char *text;

	if (!cJSON_IsNumber(v))
		return false;
	text = sk_json_print(&a, v, NULL);
	value = strtold(text, NULL);
	unsure = unsure || strlen(text) > 18;
	sk_arena_free(&a);
	return value == rintl(value) && value >= least && value <= most;
}

static bool fits_range(const cJSON *v, double least, double most)
{
	return cJSON_IsNumber(v) && v->valuedouble >= least && v->valuedouble <= most;
}

static bool fits_list(const cJSON *v, const char *element, int most, int depth)
{
	bool ok = cJSON_IsArray(v) && sk_json_count(v) <= most && depth < 32;

	SK_JSON_EACH(e, ok ? v : NULL)
		ok = fits(element, e, depth + 1) && ok;
	return ok;
}

static bool fits_map(const cJSON *v, bool keys, const char *element, int depth)
{
	bool ok = cJSON_IsObject(v) && depth < 32;

	SK_JSON_EACH(e, ok ? v : NULL) {
		const cJSON name = { .type = cJSON_String, .valuestring = e->string };
		ok = (!keys || fits_key(&name)) && fits(element, e, depth + 1) && ok;
	}
	return ok;
}

/* "name!:Type ..." */
static bool fits_members(const cJSON *v, const char *members, int depth)
{
	char name[40], type[40];
	int n;

	for (; sscanf(members, " %39[^:]:%39s%n", name, type, &n) == 2; members += n) {
		bool required = name[strlen(name) - 1] == '!';
		if (required)
			name[strlen(name) - 1] = 0;
		const cJSON *member = sk_json_get(v, name);
		if (!member || cJSON_IsNull(member) ? required : !fits(type, member, depth + 1))
			return false;
	}
	return true;
}

static bool fits_struct(const cJSON *v, const char *members, int depth)
{
	return cJSON_IsObject(v) && depth < 32 && fits_members(v, members, depth);
}

enum { KEY, MAP, STATUS, RATIO, DOCUMENT, GRID, KEYS, NODE, NODES, NODE_MAP, INTEGER, LONG, BOOLEAN, TIMESTAMP, TAG_LIST, TAG, TAG_KEY,
       TAG_VALUE, THING_NAME, TYPES };

static bool fits(const char *type, const cJSON *v, int depth)
{
	static const char *const names[] = { "Key", "Map", "Status", "Ratio", "Document", "Grid", "Keys", "Node", "Nodes", "NodeMap", "Integer",
		"Long", "Boolean", "Timestamp", "TagList", "Tag", "TagKey", "TagValue", "ThingName" };
	int i = 0;

	while (i < TYPES && strcmp(names[i], type))
		i++;
	switch (i) {
	case KEY: return fits_key(v);
	case MAP: return fits_map(v, true, "TagValue", depth);
	case STATUS: return cJSON_IsString(v) && (!strcmp(v->valuestring, "ON") || !strcmp(v->valuestring, "OFF"));
	case RATIO: return fits_range(v, 0, 100);
	case DOCUMENT: return true;
	case GRID: return fits_list(v, "Keys", 1 << 30, depth);
	case KEYS: return fits_list(v, "Key", 3, depth);
	case NODE: return fits_struct(v, shapes[7].text, depth);
	case NODES: return sk_json_count(v) > 0 && fits_list(v, "Node", 5, depth);
	case NODE_MAP: return fits_map(v, false, "Node", depth);
	case INTEGER: return fits_whole(v, INT32_MIN, INT32_MAX);
	case LONG: return fits_whole(v, INT64_MIN, INT64_MAX);
	case BOOLEAN: return cJSON_IsBool(v);
	case TIMESTAMP: return cJSON_IsNumber(v);
	case TAG_LIST: return fits_list(v, "Tag", 1 << 30, depth);
	case TAG: return fits_struct(v, "Key!:TagKey Value:TagValue", depth);
	case TAG_KEY: return fits_text(v, 1, 128, ALNUM " _.:/=+-@");
	case TAG_VALUE: return fits_text(v, 0, 256, NULL);
	case THING_NAME: return fits_thing(v);
	default: abort();
	}
}

static void fuzz_check(struct sk_arena *a, const struct sk_inputs *in, const cJSON *object)
{
	const char *message = "";
	int rc = sk_inputs_check(in, a, object, &message);
	expect((rc == 0 && !message) || (rc == -1 && message && sk_utf8_valid(message, strlen(message))));
	unsure = false;
	bool ok = fits_members(object, row, 0) && fits_members(object, "thingName!:ThingName", 0);
	expect(unsure || ok == (rc == 0));
}

static void fuzz_bind(struct sk_arena *a, char *text)
{
	char *value = strchr(text, '=');
	if (!value)
		return;
	*value++ = 0;
	cJSON *object = sk_json_object(a);
	bool known = false;
	for (size_t i = 0; i < sk_inputs_count(query); i++)
		known = known || (sk_inputs_at(query, i)->place == SK_IN_QUERY && strcmp(sk_inputs_at(query, i)->name, text) == 0);
	cJSON *node = sk_inputs_bind(query, a, SK_IN_QUERY, text, value, NULL);
	expect(known == (node != NULL));
	sk_json_set(a, object, text, node);
	fuzz_check(a, query, object);
}

static void fuzz_row(char *text)
{
	char why[60] = "", *inputs = strchr(text, '\n');
	if (inputs)
		*inputs++ = 0;
	struct sk_inputs *in = sk_inputs_new(all, text, inputs ? inputs : "", true, why, sizeof why);
	expect(in ? !*why : *why);
	for (size_t i = 0; in && i < sk_inputs_count(in); i++)
		expect(*sk_inputs_at(in, i)->name && *sk_inputs_at(in, i)->type);
	sk_inputs_free(&in);
}

static void fuzz_pattern(struct sk_arena *a, char *text)
{
	char why[60] = "", *value = strchr(text, '\n');
	if (value)
		*value++ = 0;
	struct sk_pattern *p = sk_pattern_new(text, why, sizeof why);
	struct sk_matcher m = { .arena = a };
	expect(p ? !*why : *why);
	if (p)
		sk_pattern_matches(p, &m, value ? value : text, strlen(value ? value : text));
	sk_pattern_free(&p);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct sk_arena a = { 0 };
	if (size == 0)
		return 0;
	if (!all)
		prepare();
	char *text = calloc(1, size);
	memcpy(text, data + 1, size - 1);
	if (data[0] == 'b')
		fuzz_bind(&a, text);
	else if (data[0] == 'r')
		fuzz_row(text);
	else if (data[0] == 'p')
		fuzz_pattern(&a, text);
	else
		fuzz_check(&a, body, sk_json_parse(&a, text, size - 1, NULL, NULL));
	free(text);
	sk_arena_free(&a);
	return 0;
}
