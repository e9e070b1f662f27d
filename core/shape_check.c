/* shape_check.c -- the check that every input passes, and AWS's sentences for what fails it.
 *
 * As AWS words it: a value's own faults stand at its path, one sentence for each constraint; the faults of plain elements of a list,
 * and of keys and values of a map, stand once at the container with all constraints of the element's type in brackets; members of
 * structures within are named as in 'tags.1.member.key'. A check that passes allocates nothing but what patterns need. At most
 * MAX_ERRORS are reported, a value is quoted up to QUOTE bytes, and nothing is followed deeper than MAX_DEPTH. */
#include <inttypes.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "core/shape_internal.h"

#define MAX_ERRORS 64
#define MAX_DEPTH  32
#define QUOTE      2048
#define PATH       1024
#define SLOW_SIZE  65536

enum fault {
	BAD_TYPE = 1, TOO_BIG = 2, TOO_SMALL = 4, NO_MATCH = 8, NOT_LISTED = 16, IS_NULL = 32, TOO_DEEP = 64, ALL_FAULTS = 127,
};

struct sentence {
	struct sentence *next;
	const char *text;
	size_t size;
};

struct checker {
	struct sk_arena *arena;
	struct sk_matcher matcher;
	struct sentence *first, **last;
	size_t count;
};

/* One step of the path to a value; steps live on the C stack. */
struct step {
	const struct step *up;
	const char *name;  /* of a member or a map key; NULL: a list's element */
	bool as_is;        /* a map key; members are printed with a small first letter */
	size_t index;      /* from 1 */
	int depth;
};

/* Text in a fixed room; what does not fit is dropped. */
struct text {
	char *at;
	size_t used, size;
};

static void say(struct text *t, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

static void say(struct text *t, const char *fmt, ...)
{
	va_list ap;
	va_start(ap, fmt);
	int n = vsnprintf(t->at + t->used, t->size - t->used, fmt, ap);
	va_end(ap);
	if (n > 0)
		t->used = t->used + (size_t)n < t->size ? t->used + (size_t)n : t->size - 1;
}

static void say_bytes(struct text *t, const char *s)
{
	size_t n = strnlen(s, t->size - t->used - 1);
	memcpy(t->at + t->used, s, n);
	t->used += n;
	t->at[t->used] = 0;
}

/* -- values as AWS prints them: strings bare, [a, b] for a list, {k=v} for a map or structure -- */

static void say_value(struct checker *c, struct text *t, const cJSON *v);

static void say_members(struct checker *c, struct text *t, const cJSON *v)
{
	bool list = cJSON_IsArray(v);
	say(t, list ? "[" : "{");
	for (const cJSON *e = v->child; e && t->used < t->size - 1; e = e->next) {
		if (!list) {
			say_bytes(t, e->string);
			say(t, "=");
		}
		say_value(c, t, e);
		if (e->next)
			say(t, ", ");
	}
	say(t, list ? "]" : "}");
}

static void say_value(struct checker *c, struct text *t, const cJSON *v)
{
	if (cJSON_IsString(v)) {
		say_bytes(t, v->valuestring);
	} else if (cJSON_IsArray(v) || cJSON_IsObject(v)) {
		say_members(c, t, v);
	} else {
		const char *literal = sk_json_print(c->arena, v, NULL);
		say_bytes(t, literal ? literal : "");
	}
}

/* Cuts back to a whole character, so that the sentence stays UTF-8. */
static void cut(struct text *t)
{
	if (t->used < t->size - 1)
		return;
	size_t n = t->used - 3;
	while (n > 0 && ((unsigned char)t->at[n] & 0xc0) == 0x80)
		n--;
	t->used = n;
	t->at[n] = 0;
	say(t, "...");
}

static const char *value_text(struct checker *c, const cJSON *v)
{
	struct text t = { sk_alloc_text(c->arena, QUOTE), 0, QUOTE };
	if (!t.at)
		return "";
	*t.at = 0;
	say_value(c, &t, v);
	cut(&t);
	return t.at;
}

/* -- paths -- */

static void say_path(struct text *t, const struct step *s)
{
	if (s->up) {
		say_path(t, s->up);
		say(t, ".");
	}
	if (!s->name) {
		say(t, "%zu.member", s->index);
		return;
	}
	size_t at = t->used;
	say_bytes(t, s->name);
	if (!s->as_is && at < t->used && t->at[at] >= 'A' && t->at[at] <= 'Z')
		t->at[at] |= 0x20;
	if (s->as_is)
		say(t, ".member");
}

static const char *path_text(struct checker *c, const struct step *s)
{
	struct text t = { sk_alloc_text(c->arena, PATH), 0, PATH };
	if (!t.at)
		return "";
	*t.at = 0;
	say_path(&t, s);
	cut(&t);
	return t.at;
}

/* -- constraints -- */

static bool is_counted(const struct sk_shape *s)
{
	return s->kind == SK_SHAPE_STRING || s->kind == SK_SHAPE_LIST || s->kind == SK_SHAPE_MAP;
}

static bool is_bounded(const struct sk_shape *s)
{
	return (is_counted(s) || s->kind == SK_SHAPE_INTEGER || s->kind == SK_SHAPE_LONG || s->kind == SK_SHAPE_NUMBER) &&
	       (s->min != 0 || s->max != 0);
}

/* Both bounds 0 is no bound; INT64_MAX is no upper and INT64_MIN, for lengths 0, no lower bound. */
static bool has_max(const struct sk_shape *s)
{
	return is_bounded(s) && s->max != INT64_MAX && !(s->kind == SK_SHAPE_INTEGER && s->max == INT32_MAX);
}

static bool has_min(const struct sk_shape *s)
{
	int64_t none = is_counted(s) ? 0 : s->kind == SK_SHAPE_INTEGER ? INT32_MIN : INT64_MIN;
	return is_bounded(s) && s->min > none;
}

static unsigned bounds(const struct sk_shape *s, int64_t v)
{
	return (has_max(s) && v > s->max ? TOO_BIG : 0) | (has_min(s) && v < s->min ? TOO_SMALL : 0);
}

static int64_t characters(const char *s)
{
	int64_t n = 0;
	for (; *s; s++)
		n += ((unsigned char)*s & 0xc0) != 0x80;
	return n;
}

static unsigned faults_string(struct checker *c, const struct sk_type *t, const cJSON *v)
{
	if (!cJSON_IsString(v))
		return BAD_TYPE;
	size_t n = strlen(v->valuestring);
	unsigned faults = is_bounded(&t->shape) ? bounds(&t->shape, characters(v->valuestring)) : 0;
	if (t->pattern && !(faults & TOO_BIG && n > SLOW_SIZE) &&
	    !sk_pattern_matches(t->pattern, &c->matcher, v->valuestring, n))
		faults |= NO_MATCH;
	return faults;
}

static unsigned faults_integer(struct checker *c, const struct sk_type *t, const cJSON *v)
{
	int64_t i;
	(void)c;
	if (!cJSON_IsNumber(v) || !sk_json_to_int(v, &i))
		return BAD_TYPE;
	if (t->shape.kind == SK_SHAPE_INTEGER && (i < INT32_MIN || i > INT32_MAX))
		return BAD_TYPE;
	return bounds(&t->shape, i);
}

static unsigned faults_number(struct checker *c, const struct sk_type *t, const cJSON *v)
{
	const struct sk_shape *s = &t->shape;
	(void)c;
	if (!cJSON_IsNumber(v) || !isfinite(v->valuedouble))
		return BAD_TYPE;
	return (has_max(s) && v->valuedouble > (double)s->max ? TOO_BIG : 0) |
	       (has_min(s) && v->valuedouble < (double)s->min ? TOO_SMALL : 0);
}

static unsigned faults_boolean(struct checker *c, const struct sk_type *t, const cJSON *v)
{
	(void)c, (void)t;
	return cJSON_IsBool(v) ? 0 : BAD_TYPE;
}

static unsigned faults_enum(struct checker *c, const struct sk_type *t, const cJSON *v)
{
	(void)c;
	if (!cJSON_IsString(v))
		return BAD_TYPE;
	size_t n = strlen(v->valuestring);
	for (const char *s = t->shape.text; *s; s += strspn(s, " ")) {
		size_t size = strcspn(s, " ");
		if (size == n && memcmp(s, v->valuestring, n) == 0)
			return 0;
		s += size;
	}
	return NOT_LISTED;
}

static unsigned faults_struct(struct checker *c, const struct sk_type *t, const cJSON *v)
{
	(void)c, (void)t;
	return cJSON_IsObject(v) ? 0 : BAD_TYPE;
}

static unsigned faults_map(struct checker *c, const struct sk_type *t, const cJSON *v)
{
	(void)c;
	return cJSON_IsObject(v) ? bounds(&t->shape, sk_json_count(v)) : BAD_TYPE;
}

static unsigned faults_list(struct checker *c, const struct sk_type *t, const cJSON *v)
{
	(void)c;
	return cJSON_IsArray(v) ? bounds(&t->shape, sk_json_count(v)) : BAD_TYPE;
}

static unsigned faults_any(struct checker *c, const struct sk_type *t, const cJSON *v)
{
	(void)c, (void)t, (void)v;
	return 0;
}

static void inside_struct(struct checker *c, const struct step *at, const struct sk_type *t, const cJSON *v);
static void inside_list(struct checker *c, const struct step *at, const struct sk_type *t, const cJSON *v);
static void inside_map(struct checker *c, const struct step *at, const struct sk_type *t, const cJSON *v);

static const struct {
	const char *name;
	unsigned (*faults)(struct checker *, const struct sk_type *, const cJSON *); /* of the value itself */
	void (*inside)(struct checker *, const struct step *, const struct sk_type *, const cJSON *);
} kinds[] = {
	[SK_SHAPE_STRING] = { "string", faults_string, NULL },
	[SK_SHAPE_INTEGER] = { "integer", faults_integer, NULL },
	[SK_SHAPE_LONG] = { "long", faults_integer, NULL },
	[SK_SHAPE_NUMBER] = { "number", faults_number, NULL },
	[SK_SHAPE_BOOLEAN] = { "boolean", faults_boolean, NULL },
	[SK_SHAPE_ENUM] = { "string", faults_enum, NULL },
	[SK_SHAPE_STRUCT] = { "structure", faults_struct, inside_struct },
	[SK_SHAPE_LIST] = { "list", faults_list, inside_list },
	[SK_SHAPE_MAP] = { "map", faults_map, inside_map },
	[SK_SHAPE_TIMESTAMP] = { "timestamp", faults_number, NULL },
	[SK_SHAPE_ANY] = { "document", faults_any, NULL },
};

static unsigned faults_of(struct checker *c, const struct sk_type *t, const cJSON *v)
{
	if (t->shape.kind == SK_SHAPE_ANY)
		return 0;
	return cJSON_IsNull(v) ? IS_NULL : kinds[t->shape.kind].faults(c, t, v);
}

/* -- words -- */

static const char *words_enum(struct checker *c, const struct sk_shape *s)
{
	size_t size = strlen(s->text) * 2 + 64;
	struct text t = { sk_alloc_text(c->arena, size), 0, size };
	if (!t.at)
		return "";
	say(&t, "Member must satisfy enum value set: [");
	for (const char *v = s->text + strspn(s->text, " "); *v;) {
		size_t n = strcspn(v, " ");
		say(&t, "%.*s", (int)n, v);
		v += n + strspn(v + n, " ");
		if (*v)
			say(&t, ", ");
	}
	say(&t, "]");
	return t.at;
}

static const char *words_of(struct checker *c, const struct sk_shape *s, enum fault fault)
{
	const char *what = is_counted(s) ? "length" : "value";
	switch (fault) {
	case BAD_TYPE:
		return sk_printf(c->arena, "Member must be of type %s", kinds[s->kind].name);
	case TOO_BIG:
		return sk_printf(c->arena, "Member must have %s less than or equal to %" PRId64, what, s->max);
	case TOO_SMALL:
		return sk_printf(c->arena, "Member must have %s greater than or equal to %" PRId64, what, s->min);
	case NO_MATCH:
		return sk_printf(c->arena, "Member must satisfy regular expression pattern: %s", s->text);
	case NOT_LISTED:
		return words_enum(c, s);
	case TOO_DEEP:
		return sk_printf(c->arena, "Member must not be nested deeper than %d levels", MAX_DEPTH);
	default:
		return "Member must not be null";
	}
}

/* "Value 'x' at 'path' failed to satisfy constraint: words"; v NULL or null prints without quotes. */
static void report(struct checker *c, const struct step *at, const cJSON *v, const char *words)
{
	struct sentence *s = sk_alloc(c->arena, sizeof *s);
	bool null = !v || cJSON_IsNull(v);
	const char *quote = null ? "" : "'", *value = null ? "null" : value_text(c, v);
	c->count++;
	if (!s)
		return;
	s->text = sk_printf(c->arena, "Value %s%s%s at '%s' failed to satisfy constraint: %s", quote, value, quote,
	                    path_text(c, at), words ? words : "");
	s->size = s->text ? strlen(s->text) : 0;
	*c->last = s;
	c->last = &s->next;
}

static void report_each(struct checker *c, const struct step *at, const struct sk_type *t, const cJSON *v, unsigned faults)
{
	for (unsigned f = 1; f < ALL_FAULTS && c->count < MAX_ERRORS; f <<= 1)
		if (faults & f)
			report(c, at, v, words_of(c, &t->shape, f));
}

/* The constraints that AWS lists in brackets: all that the type has, then what else was wrong. */
static unsigned constraints_of(const struct sk_type *t, unsigned faults)
{
	if (faults & BAD_TYPE)
		return faults & (BAD_TYPE | IS_NULL);
	return faults | (has_max(&t->shape) ? TOO_BIG : 0) | (has_min(&t->shape) ? TOO_SMALL : 0) | (t->pattern ? NO_MATCH : 0) |
	       (t->shape.kind == SK_SHAPE_ENUM ? NOT_LISTED : 0);
}

/* One sentence at the container for its elements' own faults. */
static void report_elements(struct checker *c, const struct step *at, const cJSON *v, const char *whose, const char *words)
{
	if (c->count < MAX_ERRORS)
		report(c, at, v, sk_printf(c->arena, "%s must satisfy constraint: [%s]", whose, words ? words : ""));
}

static const char *bracket(struct checker *c, const struct sk_type *t, unsigned faults)
{
	const char *words = NULL;
	unsigned constraints = constraints_of(t, faults);
	for (unsigned f = 1; f < ALL_FAULTS; f <<= 1) {
		if (!(constraints & f))
			continue;
		const char *one = words_of(c, &t->shape, f);
		words = words ? sk_printf(c->arena, "%s, %s", words, one ? one : "") : one;
	}
	return words;
}

/* -- descent -- */

static void go_inside(struct checker *c, const struct step *at, const struct sk_type *t, const cJSON *v)
{
	if (!kinds[t->shape.kind].inside || c->count >= MAX_ERRORS)
		return;
	if (at->depth >= MAX_DEPTH)
		report_each(c, at, t, v, TOO_DEEP);
	else
		kinds[t->shape.kind].inside(c, at, t, v);
}

static void check_fields(struct checker *c, const struct step *up, const struct sk_fields *fields, const cJSON *object)
{
	for (size_t i = 0; i < fields->count && c->count < MAX_ERRORS; i++) {
		const struct sk_field *f = &fields->field[i];
		const cJSON *v = sk_json_get(object, f->input.name);
		struct step at = { .up = up, .name = f->input.name, .depth = up ? up->depth + 1 : 1 };
		if (!v || cJSON_IsNull(v)) {
			report_each(c, &at, f->type, v, f->input.required && f->input.place != SK_IN_RAW ? IS_NULL : 0);
			continue;
		}
		unsigned faults = faults_of(c, f->type, v);
		report_each(c, &at, f->type, v, faults);
		if (!(faults & BAD_TYPE))
			go_inside(c, &at, f->type, v);
	}
}

static void inside_struct(struct checker *c, const struct step *at, const struct sk_type *t, const cJSON *v)
{
	check_fields(c, at, &t->members, v);
}

static void inside_list(struct checker *c, const struct step *at, const struct sk_type *t, const cJSON *v)
{
	unsigned faults = 0;
	for (const cJSON *e = v->child; e; e = e->next)
		faults |= faults_of(c, t->element, e);
	if (faults)
		report_elements(c, at, v, "Member", bracket(c, t->element, faults));
	if (!kinds[t->element->shape.kind].inside)
		return;
	struct step next = { .up = at, .depth = at->depth + 1 };
	for (const cJSON *e = v->child; e && c->count < MAX_ERRORS; e = e->next) {
		next.index++;
		if (!(faults_of(c, t->element, e) & (BAD_TYPE | IS_NULL)))
			go_inside(c, &next, t->element, e);
	}
}

static unsigned faults_of_key(struct checker *c, const struct sk_type *t, const char *key)
{
	const cJSON name = { .type = cJSON_String, .valuestring = (char *)key };
	return faults_of(c, t, &name);
}

static void inside_map(struct checker *c, const struct step *at, const struct sk_type *t, const cJSON *v)
{
	unsigned keys = 0, values = 0;
	for (const cJSON *e = v->child; e; e = e->next) {
		keys |= faults_of_key(c, t->key, e->string);
		values |= faults_of(c, t->element, e);
	}
	if (keys)
		report_elements(c, at, v, "Map keys", bracket(c, t->key, keys));
	if (values)
		report_elements(c, at, v, "Map value", bracket(c, t->element, values));
	if (!kinds[t->element->shape.kind].inside)
		return;
	for (const cJSON *e = v->child; e && c->count < MAX_ERRORS; e = e->next) {
		struct step next = { .up = at, .name = e->string, .as_is = true, .depth = at->depth + 1 };
		if (!(faults_of(c, t->element, e) & (BAD_TYPE | IS_NULL)))
			go_inside(c, &next, t->element, e);
	}
}

static const char *join(struct checker *c)
{
	size_t size = 64;
	for (const struct sentence *s = c->first; s; s = s->next)
		size += s->size + 2;
	struct text t = { sk_alloc_text(c->arena, size), 0, size };
	if (!t.at)
		return NULL;
	say(&t, "%zu validation error%s detected: ", c->count, c->count == 1 ? "" : "s");
	for (const struct sentence *s = c->first; s; s = s->next) {
		say_bytes(&t, s->text ? s->text : "");
		say_bytes(&t, s->next ? "; " : "");
	}
	return t.at;
}

int sk_inputs_check(const struct sk_inputs *in, struct sk_arena *a, const cJSON *object, const char **message)
{
	struct checker c = { .arena = a, .matcher = { .arena = a } };
	c.last = &c.first;
	check_fields(&c, NULL, &in->fields, object);
	*message = c.count ? join(&c) : NULL;
	return c.count ? -1 : 0;
}
