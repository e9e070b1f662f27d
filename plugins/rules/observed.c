/* observed.c -- what the rules that are in force have been doing: the busiest of them, and the newest messages under one. */
#include <stdlib.h>
#include <string.h>

#include "core/plugin.h"
#include "plugins/rules/files.h"
#include "plugins/rules/rules.h"
#include "plugins/rules/statistics.h"

#define OPS_FILE "plugins/rules/observed.ops"
#define OPS_GROUP observed
#define OPS_SERVICE "skeeter"
#include "core/ops_table.h"

/* Rules of an answer that nobody limited. */
enum { MOST = 100 };

/* The `room` rules that took the longest: a heap, the least of them on top. */
struct busiest {
	struct sk_arena *arena;
	const char *only; /* NULL: all */
	size_t room, count;
	struct rules_statistics *row;
	int64_t rules;    /* seen */
};

static bool less_busy(const struct rules_statistics *a, const struct rules_statistics *b)
{
	return a->ns != b->ns ? a->ns < b->ns : strcmp(a->name, b->name) > 0;
}

static void swap(struct rules_statistics *a, struct rules_statistics *b)
{
	struct rules_statistics other = *a;

	*a = *b;
	*b = other;
}

static void sift_up(struct busiest *b, size_t i)
{
	for (; i && less_busy(&b->row[i], &b->row[(i - 1) / 2]); i = (i - 1) / 2)
		swap(&b->row[i], &b->row[(i - 1) / 2]);
}

static void sift_down(struct busiest *b)
{
	for (size_t i = 0, least = 0;; i = least) {
		for (size_t child = 2 * i + 1; child <= 2 * i + 2 && child < b->count; child++)
			if (less_busy(&b->row[child], &b->row[least]))
				least = child;
		if (least == i)
			return;
		swap(&b->row[i], &b->row[least]);
	}
}

static struct rules_statistics kept(struct sk_arena *a, const struct rules_statistics *s)
{
	struct rules_statistics copy = *s;

	copy.name = sk_strdup(a, s->name);
	copy.file = sk_strdup(a, s->file);
	copy.last_error = sk_strdup(a, s->last_error);
	return copy;
}

static void look_at(void *ctx, const struct rules_statistics *s)
{
	struct busiest *b = ctx;

	if (b->only && strcmp(b->only, s->name))
		return;
	b->rules++;
	if (!b->row || (b->count == b->room && !less_busy(&b->row[0], s)))
		return;
	struct rules_statistics copy = kept(b->arena, s);
	if (!copy.name)
		return;
	if (b->count < b->room) {
		b->row[b->count] = copy;
		sift_up(b, b->count++);
	} else {
		b->row[0] = copy;
		sift_down(b);
	}
}

static int busier_first(const void *a, const void *b)
{
	return less_busy(a, b) ? 1 : -1;
}

static void answer_row(struct sk_call *c, cJSON *list, const struct rules_statistics *s)
{
	const struct { const char *name; uint64_t value; } numbers[] = {
		{ "matched", s->matched }, { "passed", s->passed }, { "failed", s->failed }, { "dropped", s->dropped }, { "microseconds", s->ns / 1000 },
	};
	cJSON *one = sk_json_append(list, sk_json_object(c->arena));

	sk_json_set_string(c->arena, one, "ruleName", s->name);
	sk_json_set_string(c->arena, one, "file", s->file);
	sk_json_set_bool(c->arena, one, "ruleDisabled", s->disabled);
	for (size_t i = 0; i < sizeof(numbers) / sizeof(*numbers); i++)
		sk_json_set_int(c->arena, one, numbers[i].name, (int64_t)numbers[i].value);
	if (!s->last_error)
		return;
	sk_json_set_string(c->arena, one, "lastError", s->last_error);
	sk_json_set(c->arena, one, "lastErrorAt", sk_json_time(c->arena, s->last_error_ms));
}

static int ListTopicRuleStatistics(struct sk_call *c)
{
	struct busiest b = { .arena = c->arena, .only = sk_json_text(c->in, "ruleName"), .room = (size_t)sk_json_int_of(c->in, "maxResults", MOST) };
	cJSON *list = sk_json_set_array(c->arena, c->out, "statistics");

	b.row = sk_alloc(c->arena, b.room * sizeof(*b.row));
	rules_statistics_each(c->state, look_at, &b);
	if (b.count)
		qsort(b.row, b.count, sizeof(*b.row), busier_first);
	for (size_t i = 0; i < b.count; i++)
		answer_row(c, list, &b.row[i]);
	sk_json_set_int(c->arena, c->out, "rules", b.rules);
	return SK_OK;
}

/* A rule that is not in force, being new or disabled, has no traces: nothing has met it. */
static int TraceTopicRule(struct sk_call *c)
{
	const char *name = sk_json_text(c->in, "ruleName");
	int64_t after = sk_json_int_of(c->in, "after", 0);
	bool stored = sk_get(c, "registry/rule-filter/%s", name) != NULL;
	cJSON *rule = NULL;

	if (!stored && !rules_files_get(c->state, name, c->arena, &rule))
		return sk_fail(c, SK_E_NOT_FOUND, "Rule %s does not exist", name);
	if (!rules_trace_read(c->state, name, after > 0 ? (uint64_t)after : 0, c->arena, c->out))
		sk_json_set_array(c->arena, c->out, "traces");
	return SK_OK;
}
