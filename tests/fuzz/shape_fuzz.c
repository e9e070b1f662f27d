/* shape_fuzz.c -- any JSON, and any text, against inputs that reach every kind of type. Nothing may crash; what is refused says why in
 * UTF-8, and an input that was bound from text is never lost.
 *
 * The first byte picks the way: JSON for the check, "name=text" for binding, a row of inputs, or a pattern. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "core/shape.h"
#include "core/shape_pattern.h"

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

static void expect(bool ok)
{
	if (!ok)
		abort();
}

static void prepare(void)
{
	char why[100];
	all = sk_shapes_new();
	expect(all && sk_shapes_add(all, shapes, why, sizeof why) == 0);
	body = sk_inputs_new(all, "/{thingName}", row, true, why, sizeof why);
	query = sk_inputs_new(all, "/{thingName}", row, false, why, sizeof why);
	expect(body && query);
}

static void fuzz_check(struct sk_arena *a, const struct sk_inputs *in, const cJSON *object)
{
	const char *message = "";
	int rc = sk_inputs_check(in, a, object, &message);
	expect((rc == 0 && !message) || (rc == -1 && message && sk_utf8_valid(message, strlen(message))));
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
