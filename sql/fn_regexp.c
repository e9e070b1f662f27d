/* fn_regexp.c -- regular expressions as Java writes them, through PCRE2, interpreted and with limits.
 *
 * What is no regular expression, and what would take too long, is undefined. Compiled patterns live as long as the run, or in the
 * message's sql_patterns: there the memory is an arena's that is emptied when it has grown, never within a run. */
#define PCRE2_CODE_UNIT_WIDTH 8
#include <pcre2.h>
#include <stdlib.h>
#include <string.h>

#include "core/shape_pattern.h"
#include "sql/internal.h"

enum { LONGEST_PATTERN = 4096, STEP_LIMIT = 100000, MEMORY_LIMIT = 1024 /* KiB */, DEPTH_LIMIT = 1000, COMPILE_STEPS = 200, MOST_GROUPS = 100 };
#define KEPT_BYTES ((size_t)1 << 20)

struct matching {
	pcre2_general_context *memory;
	pcre2_compile_context *compiling;
	pcre2_match_context *limits;
	pcre2_match_data *data;
};

static void *arena_malloc(size_t size, void *arena)
{
	return sk_alloc(arena, size);
}

static void arena_free(void *p, void *arena)
{
	(void)p, (void)arena;
}

void sql_patterns_free(struct sql_patterns *p)
{
	sk_arena_free(&p->arena);
	*p = (struct sql_patterns){ 0 };
}

/* Those of the message, or new ones in the run's arena. */
static struct sql_patterns *patterns_of(struct expr_run *r)
{
	struct sql_run *state = sql_state(r);
	struct sql_patterns *kept = state->message->patterns;

	if (state->patterns)
		return state->patterns;
	if (kept && (kept->arena.total > KEPT_BYTES || kept->arena.failed))
		sql_patterns_free(kept);
	state->patterns = kept ? kept : sk_alloc(r->arena, sizeof *state->patterns);
	return state->patterns;
}

static struct sk_arena *arena_of(struct expr_run *r, struct sql_patterns *p)
{
	return p == sql_state(r)->message->patterns ? &p->arena : r->arena;
}

static struct matching *matching_of(struct sql_patterns *p, struct sk_arena *a)
{
	struct matching *m = p->matching;

	if (m)
		return m;
	m = sk_alloc(a, sizeof *m);
	if (!m)
		return NULL;
	m->memory = pcre2_general_context_create(arena_malloc, arena_free, a);
	m->compiling = m->memory ? pcre2_compile_context_create(m->memory) : NULL;
	m->limits = m->compiling ? pcre2_match_context_create(m->memory) : NULL;
	m->data = m->limits ? pcre2_match_data_create(MOST_GROUPS, m->memory) : NULL;
	if (!m->data)
		return NULL;
	pcre2_set_parens_nest_limit(m->compiling, 50);
	pcre2_set_match_limit(m->limits, STEP_LIMIT);
	pcre2_set_heap_limit(m->limits, MEMORY_LIMIT);
	pcre2_set_depth_limit(m->limits, DEPTH_LIMIT);
	p->matching = m;
	return m;
}

static pcre2_code *compile(struct sk_arena *a, const struct matching *m, const struct expr_value *pattern)
{
	char *text = sk_alloc_text(a, SK_PATTERN_ROOM(pattern->size));
	int error;
	size_t at;

	if (!text)
		return NULL;
	sk_pattern_translate(pattern->text, text);
	return pcre2_compile((PCRE2_SPTR)text, PCRE2_ZERO_TERMINATED, PCRE2_UTF | PCRE2_DOLLAR_ENDONLY | PCRE2_NEVER_BACKSLASH_C, &error, &at,
	                     m->compiling);
}

/* NULL: not a regular expression, or no memory. */
static pcre2_code *code_of(struct expr_run *r, struct sql_patterns *p, const struct expr_value *pattern)
{
	unsigned slot = p->next % SQL_KEPT_PATTERNS;
	struct sk_arena *a = arena_of(r, p);

	for (int i = 0; i < SQL_KEPT_PATTERNS; i++)
		if (p->kept[i].text && p->kept[i].n == pattern->size && memcmp(p->kept[i].text, pattern->text, pattern->size) == 0)
			return p->kept[i].code;
	if (pattern->size > LONGEST_PATTERN || !expr_charge(r, COMPILE_STEPS + pattern->size))
		return NULL;
	p->next++;
	p->kept[slot].code = compile(a, p->matching, pattern);
	p->kept[slot].n = pattern->size;
	p->kept[slot].text = a->failed ? NULL : sk_strndup(a, pattern->text, pattern->size);
	if (a->failed && a != r->arena)
		expr_fail_run(r, SK_E_INTERNAL, "out of memory");
	return p->kept[slot].code;
}

/* Where a pattern is looked for. */
struct search {
	struct expr_run *run;
	struct sk_arena *arena; /* of what is compiled */
	struct matching *matching;
	pcre2_code *code;
	struct expr_value text;
	size_t *found; /* pairs of offsets, of the match and its groups */
};

static bool start(struct expr_run *r, const struct expr_value *args, struct search *s)
{
	struct expr_value pattern = sql_text(r, &args[1]);
	struct sql_patterns *patterns;

	s->run = r;
	s->text = sql_text(r, &args[0]);
	if (s->text.kind != EXPR_STRING || pattern.kind != EXPR_STRING)
		return false;
	patterns = patterns_of(r);
	s->arena = patterns ? arena_of(r, patterns) : NULL;
	s->matching = patterns ? matching_of(patterns, s->arena) : NULL;
	if (!s->matching)
		expr_fail_run(r, SK_E_INTERNAL, "out of memory");
	s->code = s->matching ? code_of(r, patterns, &pattern) : NULL;
	return s->code != NULL;
}

/* The number of groups set, 0 for no match, -1 when it takes too long. A match costs as many steps as it could take. */
static int find(struct search *s, size_t from, uint32_t options)
{
	int n;

	if (!expr_charge(s->run, 16 + (s->text.size - from) / 16))
		return -1;
	n = pcre2_match(s->code, (PCRE2_SPTR)s->text.text, s->text.size, from, options | PCRE2_NO_UTF_CHECK, s->matching->data,
	                s->matching->limits);
	s->found = pcre2_get_ovector_pointer(s->matching->data);
	if (s->arena->failed)
		expr_fail_run(s->run, SK_E_INTERNAL, "out of memory");
	else if (n < 0 && n != PCRE2_ERROR_NOMATCH)
		expr_charge(s->run, STEP_LIMIT / 16);
	return n == PCRE2_ERROR_NOMATCH ? 0 : n < 0 ? -1 : n == 0 ? MOST_GROUPS : n;
}

struct expr_value sql_fn_regexp_matches(struct expr_run *r, int n, const struct expr_value *args)
{
	struct search s;
	int found = start(r, args, &s) ? find(&s, 0, 0) : -1;

	(void)n;
	return found < 0 ? expr_undefined() : expr_bool(found > 0);
}

static struct expr_value piece(struct expr_run *r, const char *from, size_t n)
{
	char *text = sql_room(r, n);

	if (text)
		memcpy(text, from, n);
	return expr_string(text, n);
}

/* No match is undefined. */
struct expr_value sql_fn_regexp_substr(struct expr_run *r, int n, const struct expr_value *args)
{
	struct search s;

	(void)n;
	if (!start(r, args, &s) || find(&s, 0, 0) <= 0 || s.found[1] < s.found[0])
		return expr_undefined();
	return piece(r, s.text.text + s.found[0], s.found[1] - s.found[0]);
}

/* -- replacing -- */

struct output {
	struct expr_run *run;
	char *text;
	size_t n, room;
};

static bool put(struct output *o, const char *s, size_t n)
{
	if (o->room - o->n < n) {
		size_t room = 2 * (o->n + n) + 64;
		char *text = sql_room(o->run, room);
		if (!text)
			return false;
		if (o->n)
			memcpy(text, o->text, o->n);
		o->text = text;
		o->room = room;
	}
	if (n)
		memcpy(o->text + o->n, s, n);
	o->n += n;
	return true;
}

static bool put_group(struct output *o, const struct search *s, int group, int set)
{
	if (group >= set || s->found[2 * group] == PCRE2_UNSET)
		return true;
	return put(o, s->text.text + s->found[2 * group], s->found[2 * group + 1] - s->found[2 * group]);
}

/* The group behind '$': as many digits as there are groups for, or {name}. -1: neither. */
static int group_at(const struct search *s, const char **at)
{
	uint32_t groups = 0;
	int group;
	const char *close;
	char name[64];

	pcre2_pattern_info(s->code, PCRE2_INFO_CAPTURECOUNT, &groups);
	if (**at == '{') {
		close = strchr(*at, '}');
		if (!close || (size_t)(close - *at) > sizeof name)
			return -1;
		*(char *)mempcpy(name, *at + 1, (size_t)(close - *at) - 1) = '\0';
		*at = close + 1;
		group = pcre2_substring_number_from_name(s->code, (PCRE2_SPTR)name);
		return group > 0 && group < MOST_GROUPS ? group : -1;
	}
	if (**at < '0' || **at > '9')
		return -1;
	group = *(*at)++ - '0';
	while (**at >= '0' && **at <= '9' && group * 10 + (**at - '0') <= (int)groups && group < MOST_GROUPS)
		group = group * 10 + (*(*at)++ - '0');
	return group <= (int)groups ? group : -1;
}

static bool put_replacement(struct output *o, const struct search *s, const char *with, int set)
{
	while (*with) {
		size_t plain = strcspn(with, "$\\");
		if (!put(o, with, plain))
			return false;
		with += plain;
		if (*with == '\\') {
			if (!with[1] || !put(o, with + 1, 1))
				return false;
			with += 2;
		} else if (*with == '$') {
			int group = (with++, group_at(s, &with));
			if (group < 0 || !put_group(o, s, group, set))
				return false;
		}
	}
	return true;
}

static size_t next_character(const struct search *s, size_t at)
{
	for (at++; at < s->text.size && (s->text.text[at] & 0xc0) == 0x80;)
		at++;
	return at;
}

/* After an empty match one that is not empty is tried at the same place, then the next character is kept. */
static bool replace_all(struct search *s, const char *with, struct output *o)
{
	size_t at = 0, kept = 0;
	uint32_t options = 0;

	while (at <= s->text.size) {
		int set = find(s, at, options);
		if (set < 0 || (set > 0 && s->found[1] < s->found[0]))
			return false;
		if (set == 0 && !options)
			break;
		if (set == 0) {
			at = next_character(s, at);
			options = 0;
			continue;
		}
		if (!put(o, s->text.text + kept, s->found[0] - kept) || !put_replacement(o, s, with, set))
			return false;
		at = kept = s->found[1];
		options = s->found[0] == s->found[1] ? PCRE2_NOTEMPTY_ATSTART | PCRE2_ANCHORED : 0;
	}
	return put(o, s->text.text + kept, s->text.size - kept) && put(o, "", 1);
}

struct expr_value sql_fn_regexp_replace(struct expr_run *r, int n, const struct expr_value *args)
{
	struct expr_value with = sql_text(r, &args[2]);
	struct output o = { .run = r };
	struct search s;

	(void)n;
	if (with.kind != EXPR_STRING || !start(r, args, &s) || !replace_all(&s, with.text, &o))
		return expr_undefined();
	return expr_string(o.text, o.n - 1);
}
