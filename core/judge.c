/* judge.c -- see judge.h. Rows and tables only: nothing here knows an operation. */
#include "core/judge.h"

#include <stdio.h>
#include <string.h>

#include "core/runtime.h"

int sk_judge(const struct sk_runtime *rt, struct sk_judgement *j)
{
	int verdict = SK_PASS;

	for (int i = 0; i < rt->loaded_count && verdict == SK_PASS; i++) {
		const struct sk_loaded *l = &rt->loaded[i];
		if (l->plugin->hooks && l->plugin->hooks->judge)
			verdict = l->plugin->hooks->judge(l->state, j);
	}
	return verdict;
}

/* -- actions -- */

/* Services whose actions have another prefix than the name that they are signed with. */
static const struct {
	const char *service, *prefix;
} prefixes[] = {
	{ "iotdata", "iot" }, { "iot-jobs-data", "iot" }, { "IoTSecuredTunneling", "iot" }, { "ioteventsdata", "iotevents" },
};

static const char *prefix_of(const char *service)
{
	for (size_t i = 0; i < sizeof prefixes / sizeof prefixes[0]; i++)
		if (!strcmp(prefixes[i].service, service))
			return prefixes[i].prefix;
	return service;
}

const char *sk_row_action(struct sk_arena *a, const struct sk_row *row)
{
	return sk_printf(a, "%s:%s", prefix_of(row->service), row->name);
}

bool sk_some_action(bool (*fn)(void *context, const char *action), void *context)
{
	const struct sk_runtime *rt = sk_process();
	char action[128];

	for (int i = 0; rt && i < rt->loaded_count; i++)
		for (size_t k = 0; k < rt->loaded[i].row_count; k++) {
			const struct sk_row *row = &rt->loaded[i].rows[k];
			if (row->kind != SK_ROW_OPERATION)
				continue;
			snprintf(action, sizeof action, "%s:%s", prefix_of(row->service), row->name);
			if (fn(context, action))
				return true;
		}
	return false;
}

/* -- resources -- */

/* What may say which resources are meant, the strongest first. */
enum strength { BY_ARN, BY_NAME, BY_CHANCE, STRENGTHS };

struct gathering {
	const struct sk_runtime *rt;
	struct sk_arena *a;
	const char *arn;
	cJSON *found[STRENGTHS];
	cJSON *parts; /* of all of them: a named shadow of its thing */
};

static const struct sk_resource *resource_of(const struct sk_runtime *rt, const char *type)
{
	for (int i = 0; i < rt->loaded_count; i++)
		for (const struct sk_resource *r = rt->loaded[i].plugin->resources; r && r->type; r++)
			if (!strcmp(r->type, type))
				return r;
	return NULL;
}

/* Is what an ARN names of a kind whose names are folded? */
static bool is_folded(const struct sk_runtime *rt, const char *name)
{
	for (int i = 0; i < rt->loaded_count; i++)
		for (const struct sk_resource *r = rt->loaded[i].plugin->resources; r && r->type; r++)
			if (*r->prefix == '^' && !strncmp(name, r->prefix + 1, strlen(r->prefix) - 1))
				return true;
	return false;
}

static void add(struct gathering *g, enum strength s, const char *prefix, const char *value)
{
	char *name = sk_printf(g->a, "%s%s", prefix, value);
	bool fold = name && is_folded(g->rt, name);

	for (char *c = name; fold && *c; c++)
		if (*c >= 'A' && *c <= 'Z')
			*c |= 32;
	sk_json_append(g->found[s], sk_json_string(g->a, sk_printf(g->a, "%s%s", g->arn, name)));
}

/* What an ARN names, without its region and account: they are ours whatever they say. NULL: it is none. */
static const char *named_by(const char *arn)
{
	if (strncmp(arn, "arn:", 4))
		return NULL;
	for (int colons = 0; arn && colons < 5; colons++) {
		arn = strchr(arn, ':');
		arn += arn != NULL;
	}
	return arn;
}

static void add_value(struct gathering *g, const struct sk_input *input, const struct sk_resource *r, const cJSON *value)
{
	if (!cJSON_IsString(value))
		return;
	if (*r->prefix == '/')
		sk_json_append(g->parts, sk_json_string(g->a, value->valuestring));
	else if (*r->prefix)
		add(g, input->required ? BY_NAME : BY_CHANCE, r->prefix + (*r->prefix == '^'), value->valuestring);
	else if (named_by(value->valuestring))
		add(g, input->required ? BY_ARN : BY_CHANCE, "", named_by(value->valuestring));
}

static void gather(struct gathering *g, const struct sk_input *input, const cJSON *value)
{
	const struct sk_shape *shape = value ? sk_shapes_find(g->rt->shapes, input->type) : NULL;
	bool list = shape && shape->kind == SK_SHAPE_LIST;
	const struct sk_resource *r = shape ? resource_of(g->rt, list ? shape->element : input->type) : NULL;

	if (r && list) {
		SK_JSON_EACH(one, value)
			add_value(g, input, r, one);
	} else if (r) {
		add_value(g, input, r, value);
	}
}

/* Each part belongs to each of them: whichever of two names the handler takes, it has been asked about. */
static cJSON *with_parts(struct gathering *g, cJSON *found)
{
	cJSON *whole = sk_json_array(g->a);

	if (!sk_json_count(g->parts))
		return found;
	SK_JSON_EACH(one, found)
		SK_JSON_EACH(part, g->parts)
			sk_json_append(whole, sk_json_string(g->a, sk_printf(g->a, "%s/%s", one->valuestring, part->valuestring)));
	return g->a->failed ? NULL : whole;
}

cJSON *sk_row_resources(const struct sk_runtime *rt, struct sk_arena *a, const struct sk_row *row, const cJSON *in, const char *arn)
{
	struct gathering g = { .rt = rt, .a = a, .arn = arn, .parts = sk_json_array(a),
		.found = { sk_json_array(a), sk_json_array(a), sk_json_array(a) } };
	cJSON *all = sk_json_array(a);

	for (size_t i = 0; i < sk_inputs_count(row->inputs); i++) {
		const struct sk_input *input = sk_inputs_at(row->inputs, i);
		gather(&g, input, sk_json_get(in, input->name));
	}
	for (int s = BY_ARN; s < STRENGTHS && !a->failed; s++)
		if (sk_json_count(g.found[s]) && (s != BY_CHANCE || row->op->verb != SK_GET))
			return with_parts(&g, g.found[s]);
	sk_json_append(all, sk_json_string(a, "*"));
	return a->failed ? NULL : all;
}
