/* trace.c -- one message through a statement with every clause's value: what is asked when a rule does not do what it should. */
#include "sql/internal.h"

enum { MOST_LINES = 1000, MOST_BYTES = 4 << 20 };

struct watch {
	struct sk_arena *arena;
	const char *text;
	const struct expr_marks *marks;
	cJSON *lines;
	int count;
	size_t before; /* bytes of the arena */
};

/* Marks stand in the order of their addresses within a block, but blocks do not: a walk finds it. */
static const struct expr_mark *mark_at(const struct expr_marks *marks, uint32_t at)
{
	for (uint32_t i = 0; i < marks->count; i++)
		if (marks->list[i].at == at)
			return &marks->list[i];
	return NULL;
}

static void on_value(void *watcher, uint32_t at, const struct expr_value *v)
{
	struct watch *w = watcher;
	const struct expr_mark *mark = w->count < MOST_LINES ? mark_at(w->marks, at) : NULL;
	cJSON *line;

	if (!mark)
		return;
	w->count++;
	line = sk_json_object(w->arena);
	sk_json_add(w->arena, line, "clause", sk_json_stringn(w->arena, w->text + mark->from, mark->to - mark->from));
	/* A copy: what is on the stack may still grow. A great value may be on it a thousand times. */
	if (w->arena->total - w->before < MOST_BYTES)
		sk_json_add(w->arena, line, "value", sk_json_copy(w->arena, expr_to_node(w->arena, v)));
	else
		sk_json_set_bool(w->arena, line, "cut", true);
	sk_json_append(w->lines, line);
}

cJSON *sql_trace(struct sk_arena *a, const char *text, size_t n, const struct sql_options *opt, const struct sql_message *m,
                 struct sql_result *out)
{
	struct expr_marks marks = { 0 };
	struct watch w = { .arena = a, .text = text, .marks = &marks, .lines = sk_json_array(a), .before = a->total };
	struct sql_options options = *opt;
	struct sql_message watched = *m;
	const struct expr_program *p;
	struct expr_error error;

	options.marks = &marks;
	watched.trace = on_value;
	watched.watcher = &w;
	*out = (struct sql_result){ 0 };
	p = sql_compile(a, text, n, &options, &error);
	if (!p || !w.lines) {
		out->why = p ? "out of memory" : sk_strdup(a, error.message);
		return NULL;
	}
	sql_run(p, &watched, a, NULL, out);
	return w.lines;
}
