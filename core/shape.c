/* shape.c -- compiles rows of types and rows of inputs. One reader serves both: the members of a STRUCT and the inputs of an operation
 * have the same grammar (ops_table.h), marks of place being for operations only. Everything here runs while plugins load. */
#include "core/shape.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/shape_internal.h"
#include "core/why.h"

#define SHAPES_FILE "core/common.shapes"
#define SHAPES_NAME common_shapes
#include "core/shape_table.h"
#undef SHAPES_FILE
#undef SHAPES_NAME

#define BUCKETS 512

struct sk_shapes {
	struct sk_type *bucket[BUCKETS];
	size_t count;
};

struct span {
	const char *at;
	size_t size;
};

/* One parsed word: "^principal!:Principal". */
struct word {
	char mark;           /* '?', '^' or 0 */
	bool bundle;         /* "&page": name is "page" */
	bool required;
	struct span name, type, wire; /* type.size 0: by the name; wire.size 0: the name */
};

/* Where a list of fields is read to, and how to complain. */
struct reader {
	const struct sk_shapes *shapes;
	struct sk_shapes *grow;   /* the same, where types may be named before they are defined; else NULL */
	struct sk_fields *to;
	struct sk_inputs *inputs; /* whose fields they are; else NULL */
	const char *subject;      /* for messages: the struct's name or the route */
	char *why;
	size_t why_size;
};

/* -- types by name -- */

static size_t bucket_of(const char *name, size_t n)
{
	size_t h = 5381;
	for (size_t i = 0; i < n; i++)
		h = h * 33 + (unsigned char)name[i];
	return h % BUCKETS;
}

static struct sk_type *type_find(const struct sk_shapes *s, struct span name)
{
	struct sk_type *t = s->bucket[bucket_of(name.at, name.size)];
	while (t && (strlen(t->shape.name) != name.size || memcmp(t->shape.name, name.at, name.size) != 0))
		t = t->next;
	return t;
}

/* Finds it, or names it for a later definition. NULL when memory is out. */
static struct sk_type *type_named(struct sk_shapes *s, struct span name)
{
	struct sk_type *t = type_find(s, name);
	if (t)
		return t;
	t = calloc(1, sizeof *t);
	if (!t)
		return NULL;
	t->shape.name = strndup(name.at, name.size);
	if (!t->shape.name) {
		free(t);
		return NULL;
	}
	struct sk_type **head = &s->bucket[bucket_of(name.at, name.size)];
	t->number = s->count++;
	t->next = *head;
	*head = t;
	return t;
}

static struct span span_of(const char *s)
{
	return (struct span){ s, strlen(s) };
}

static void fields_free(struct sk_fields *f)
{
	for (size_t i = 0; i < f->count; i++)
		free(f->field[i].text);
	free(f->field);
	*f = (struct sk_fields){ 0 };
}

/* Back to named but not defined. */
static void type_clear(struct sk_type *t)
{
	sk_pattern_free(&t->pattern);
	fields_free(&t->members);
}

static void type_free(struct sk_type *t)
{
	type_clear(t);
	free((void *)t->shape.name);
	free(t);
}

/* -- the grammar -- */

static bool is_name(struct span s)
{
	for (size_t i = 0; i < s.size; i++)
		if (!isalnum((unsigned char)s.at[i]) && !strchr("_-.", s.at[i]))
			return false;
	return s.size > 0;
}

static struct span name_at(const char *s, const char *end)
{
	struct span n = { s, 0 };
	while (s + n.size < end && s[n.size] != '!' && s[n.size] != ':' && s[n.size] != '+' && s[n.size] != '=')
		n.size++;
	return n;
}

/* What follows the name: '!', ":Type" and "=wire-name" in any order, and in a route '+'. */
static bool read_suffix(const char *s, const char *end, bool route, struct word *w)
{
	while (s < end) {
		if (*s == '!' && !w->required && !route) {
			w->required = true;
			s++;
		} else if (*s == '+' && route) {
			s++;
		} else if ((*s == ':' && !w->type.size) || (*s == '=' && !w->wire.size)) {
			struct span *to = *s == ':' ? &w->type : &w->wire;
			*to = name_at(s + 1, end);
			if (!is_name(*to))
				return false;
			s = to->at + to->size;
		} else {
			return false;
		}
	}
	return true;
}

static bool read_word(struct span text, bool route, struct word *w)
{
	const char *s = text.at, *end = s + text.size;
	*w = (struct word){ 0 };
	if (!route && s < end && strchr("?^@*", *s))
		w->mark = *s++;
	if (!route && s < end && *s == '&') {
		w->bundle = true;
		s++;
	}
	w->name = name_at(s, end);
	return is_name(w->name) && read_suffix(w->name.at + w->name.size, end, route, w) &&
	       !(w->bundle && (w->required || w->type.size || w->wire.size));
}

/* -- fields -- */

static bool field_exists(const struct sk_fields *f, struct span name)
{
	for (size_t i = 0; i < f->count; i++)
		if (strlen(f->field[i].input.name) == name.size && memcmp(f->field[i].input.name, name.at, name.size) == 0)
			return true;
	return false;
}

static int out_of_memory(const struct reader *r)
{
	return sk_why(r->why, r->why_size, "%s: out of memory", r->subject);
}

static int field_resolve(const struct reader *r, struct sk_field *f)
{
	struct span name = span_of(f->input.type);
	f->type = r->grow ? type_named(r->grow, name) : type_find(r->shapes, name);
	if (f->type)
		return 0;
	return r->grow ? out_of_memory(r) : sk_why(r->why, r->why_size, "%s: there is no shape %s", r->subject, f->input.type);
}

/* The texts of a field in one piece: the name, the type's name, which without a ":Type" is the name with a capital, and the wire's. */
static char *field_text(const struct word *w, struct sk_input *in)
{
	struct span type = w->type.size ? w->type : w->name, wire = w->wire.size ? w->wire : w->name;
	char *text = calloc(1, w->name.size + type.size + wire.size + 3);
	if (!text)
		return NULL;
	char *second = text + w->name.size + 1, *third = second + type.size + 1;
	memcpy(text, w->name.at, w->name.size);
	memcpy(second, type.at, type.size);
	memcpy(third, wire.at, wire.size);
	if (!w->type.size)
		*second = (char)toupper((unsigned char)*second);
	in->name = text;
	in->type = second;
	in->wire = third;
	return text;
}

static int field_add(const struct reader *r, const struct word *w, enum sk_input_place place)
{
	if (field_exists(r->to, w->name))
		return sk_why(r->why, r->why_size, "%s: %.*s is there twice", r->subject, (int)w->name.size, w->name.at);
	struct sk_field *more = realloc(r->to->field, (r->to->count + 1) * sizeof *more);
	if (!more)
		return out_of_memory(r);
	r->to->field = more;
	struct sk_field *f = &r->to->field[r->to->count];
	*f = (struct sk_field){ .input = { .required = w->required, .place = place } };
	f->text = field_text(w, &f->input);
	if (!f->text)
		return out_of_memory(r);
	r->to->count++;
	return field_resolve(r, f);
}

static enum sk_input_place place_of(char mark, enum sk_input_place otherwise)
{
	static const struct { char mark; enum sk_input_place place; } places[] = {
		{ '?', SK_IN_QUERY }, { '^', SK_IN_HEADER }, { '@', SK_IN_RAW }, { '*', SK_IN_WHOLE },
	};
	for (size_t i = 0; i < sizeof places / sizeof *places; i++)
		if (places[i].mark == mark)
			return places[i].place;
	return otherwise;
}

static const struct {
	const char *name, *fields;
} bundles[] = {
	{ "page", "nextToken maxResults" },
	{ "marks", "marker pageSize ascendingOrder=isAscendingOrder" },
};

static const char *bundle_fields(struct span name)
{
	for (size_t i = 0; i < sizeof bundles / sizeof *bundles; i++)
		if (strlen(bundles[i].name) == name.size && memcmp(bundles[i].name, name.at, name.size) == 0)
			return bundles[i].fields;
	return NULL;
}

static int add_output(const struct reader *r, struct span name, struct span wire)
{
	struct sk_output *o = r->inputs->output;
	while (o->name)
		o++;
	if (o == &r->inputs->output[SK_OUTPUTS - 1])
		return sk_why(r->why, r->why_size, "%s: more than %d members of the output are no body", r->subject, SK_OUTPUTS - 1);
	o->name = strndup(name.at, name.size);
	o->wire = strndup(wire.at, wire.size);
	return o->name && o->wire ? 0 : out_of_memory(r);
}

/* ">name": what of the output is the body; ">name=wire": what is a header, or the status. */
static int read_output(const struct reader *r, struct span all)
{
	const char *equals = memchr(all.at, '=', all.size);
	struct span name = { all.at, equals ? (size_t)(equals - all.at) : all.size };
	if (!r->inputs || !is_name(name) || (!equals && r->inputs->raw_output) || (equals && name.size + 1 == all.size))
		return sk_why(r->why, r->why_size, "%s: cannot read '>%.*s'", r->subject, (int)all.size, all.at);
	if (equals)
		return add_output(r, name, (struct span){ equals + 1, all.size - name.size - 1 });
	r->inputs->raw_output = strndup(name.at, name.size);
	return r->inputs->raw_output ? 0 : out_of_memory(r);
}

static int read_fields(const struct reader *r, const char *text, enum sk_input_place place, bool marks);

/* An input, or a bundle of them; marks and bundles are refused unless they are allowed. */
static int read_input(const struct reader *r, struct span at, enum sk_input_place place, bool marks)
{
	struct word w;
	if (!read_word(at, false, &w) || (!marks && (w.mark || w.bundle)))
		return sk_why(r->why, r->why_size, "%s: cannot read '%.*s'", r->subject, (int)at.size, at.at);
	const char *bundle = w.bundle ? bundle_fields(w.name) : NULL;
	if (w.bundle && !bundle)
		return sk_why(r->why, r->why_size, "%s: there is no &%.*s", r->subject, (int)w.name.size, w.name.at);
	return bundle ? read_fields(r, bundle, place_of(w.mark, place), false) : field_add(r, &w, place_of(w.mark, place));
}

static int read_fields(const struct reader *r, const char *text, enum sk_input_place place, bool marks)
{
	for (const char *s = text + strspn(text, " \t\n"); *s; s += strspn(s, " \t\n")) {
		struct span at = { s, strcspn(s, " \t\n") };
		int rc = marks && *s == '>' ? read_output(r, (struct span){ s + 1, at.size - 1 }) : read_input(r, at, place, marks);
		if (rc != 0)
			return rc;
		s += at.size;
	}
	return 0;
}

static int read_route(const struct reader *r, const char *route)
{
	for (const char *s = strchr(route, '{'); s; s = strchr(s, '{')) {
		const char *end = strchr(++s, '}');
		struct word w;
		if (!end || !read_word((struct span){ s, (size_t)(end - s) }, true, &w))
			return sk_why(r->why, r->why_size, "%s: malformed {input}", r->subject);
		w.required = true;
		if (field_add(r, &w, SK_IN_PATH) != 0)
			return -1;
		s = end;
	}
	return 0;
}

/* -- tables -- */

static bool same_text(const char *a, const char *b)
{
	return a == b || (a && b && strcmp(a, b) == 0);
}

static bool same_shape(const struct sk_shape *a, const struct sk_shape *b)
{
	return a->kind == b->kind && a->min == b->min && a->max == b->max && same_text(a->text, b->text) &&
	       same_text(a->element, b->element) && same_text(a->key, b->key);
}

static int add_pattern(struct sk_type *t, const struct sk_shape *row, char *why, size_t why_size)
{
	char reason[256];
	if (row->kind != SK_SHAPE_STRING || !row->text || !*row->text)
		return 0;
	t->pattern = sk_pattern_new(row->text, reason, sizeof reason);
	return t->pattern ? 0 : sk_why(why, why_size, "shape %s: %s", row->name, reason);
}

static int refer(struct sk_shapes *s, const char *name, struct sk_type **to)
{
	if (name)
		*to = type_named(s, span_of(name));
	return !name || *to ? 0 : -1;
}

static int define(struct sk_shapes *s, struct sk_type *t, const struct sk_shape *row, char *why, size_t why_size)
{
	char subject[128];
	snprintf(subject, sizeof subject, "shape %s", row->name);
	struct reader r = { .shapes = s, .grow = s, .to = &t->members, .subject = subject, .why = why, .why_size = why_size };
	if (add_pattern(t, row, why, why_size) != 0)
		return -1;
	if (refer(s, row->element, &t->element) != 0 || refer(s, row->key, &t->key) != 0)
		return out_of_memory(&r);
	if (row->kind == SK_SHAPE_STRUCT && read_fields(&r, row->text, SK_IN_BODY, false) != 0)
		return -1;
	const char *name = t->shape.name;
	t->shape = *row;
	t->shape.name = name;
	return 0;
}

/* Whichever comes first, the struct or what another plugin adds to it. */
static int add_members(struct sk_shapes *s, struct sk_type *t, const struct sk_shape *row, char *why, size_t why_size)
{
	struct reader r = { .shapes = s, .grow = s, .to = &t->members, .subject = row->name, .why = why, .why_size = why_size };
	if (t->shape.kind && t->shape.kind != SK_SHAPE_STRUCT)
		return sk_why(why, why_size, "shape %s is no struct: it takes no members", row->name);
	return read_fields(&r, row->text, SK_IN_BODY, false);
}

static int add_row(struct sk_shapes *s, const struct sk_shape *row, char *why, size_t why_size)
{
	struct sk_type *t = type_named(s, span_of(row->name));
	if (!t)
		return sk_why(why, why_size, "shape %s: out of memory", row->name);
	if (row->kind == SK_SHAPE_MEMBER)
		return add_members(s, t, row, why, why_size);
	if (t->shape.kind)
		return same_shape(&t->shape, row) ? 0 : sk_why(why, why_size, "shape %s is defined twice, differently", row->name);
	int rc = define(s, t, row, why, why_size);
	if (rc != 0)
		type_clear(t);
	return rc;
}

int sk_shapes_add(struct sk_shapes *s, const struct sk_shape *table, char *why, size_t why_size)
{
	int rc = 0;
	for (const struct sk_shape *row = table; row->name && rc == 0; row++)
		rc = add_row(s, row, why, why_size);
	return rc;
}

struct sk_shapes *sk_shapes_new(void)
{
	struct sk_shapes *s = calloc(1, sizeof *s);
	if (s && sk_shapes_add(s, common_shapes, NULL, 0) != 0)
		sk_shapes_free(&s);
	return s;
}

const struct sk_shape *sk_shapes_find(const struct sk_shapes *s, const char *name)
{
	const struct sk_type *t = type_find(s, (struct span){ name, strlen(name) });
	return t && t->shape.kind ? &t->shape : NULL;
}

void sk_shapes_free(struct sk_shapes **s)
{
	if (!*s)
		return;
	for (size_t i = 0; i < BUCKETS; i++) {
		for (struct sk_type *t = (*s)->bucket[i], *next; t; t = next) {
			next = t->next;
			type_free(t);
		}
	}
	free(*s);
	*s = NULL;
}

/* -- inputs -- */

/* The first type below t that is named and not defined; NULL: all are. `seen` has a place for every type. */
static const struct sk_type *undefined_below(const struct sk_type *t, bool *seen)
{
	const struct sk_type *bad = NULL;
	if (!t || seen[t->number])
		return NULL;
	seen[t->number] = true;
	if (!t->shape.kind)
		return t;
	for (size_t i = 0; i < t->members.count && !bad; i++)
		bad = undefined_below(t->members.field[i].type, seen);
	if (!bad)
		bad = undefined_below(t->element, seen);
	return bad ? bad : undefined_below(t->key, seen);
}

static int all_defined(const struct reader *r)
{
	bool *seen = calloc(r->shapes->count, sizeof *seen);
	const struct sk_type *bad = NULL;
	if (!seen)
		return out_of_memory(r);
	for (size_t i = 0; i < r->to->count && !bad; i++)
		bad = undefined_below(r->to->field[i].type, seen);
	free(seen);
	return bad ? sk_why(r->why, r->why_size, "%s: there is no shape %s", r->subject, bad->shape.name) : 0;
}

struct sk_inputs *sk_inputs_new(const struct sk_shapes *s, const char *route, const char *inputs, bool body_by_default,
                                char *why, size_t why_size)
{
	struct sk_inputs *in = calloc(1, sizeof *in);
	if (!in) {
		sk_why(why, why_size, "%s: out of memory", route);
		return NULL;
	}
	struct reader r = { .shapes = s, .to = &in->fields, .inputs = in, .subject = route, .why = why, .why_size = why_size };
	if (read_route(&r, route) != 0 || read_fields(&r, inputs, body_by_default ? SK_IN_BODY : SK_IN_QUERY, true) != 0 ||
	    all_defined(&r) != 0)
		sk_inputs_free(&in);
	return in;
}

void sk_inputs_free(struct sk_inputs **in)
{
	if (!*in)
		return;
	fields_free(&(*in)->fields);
	free((*in)->raw_output);
	for (struct sk_output *o = (*in)->output; o->name; o++) {
		free(o->name);
		free(o->wire);
	}
	free(*in);
	*in = NULL;
}

size_t sk_inputs_count(const struct sk_inputs *in)
{
	return in->fields.count;
}

const struct sk_input *sk_inputs_at(const struct sk_inputs *in, size_t i)
{
	return i < in->fields.count ? &in->fields.field[i].input : NULL;
}

const char *sk_inputs_raw(const struct sk_inputs *in)
{
	for (size_t i = 0; i < in->fields.count; i++)
		if (in->fields.field[i].input.place == SK_IN_RAW)
			return in->fields.field[i].input.name;
	return NULL;
}

const char *sk_inputs_raw_output(const struct sk_inputs *in)
{
	return in->raw_output;
}

const struct sk_output *sk_inputs_outputs(const struct sk_inputs *in)
{
	return in->output;
}
