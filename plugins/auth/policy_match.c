/* policy_match.c -- policies meet one connection, and one question.
 *
 * Binding cuts from every resource pattern what all ARNs of one kind begin with, so that checking compares topics only.
 * A pattern may be able to swallow that beginning in several ways (arn:*:topic/a); each way becomes an entry of its own, and
 * together they match exactly what the whole pattern matches. */
#include "plugins/auth/policy.h"

#include <stdlib.h>
#include <string.h>

#include "core/arena.h"

/* -- the glob -- */

static size_t character_size(const char *at, const char *end)
{
	const char *next = at + 1;

	while (next < end && ((unsigned char)*next & 0xc0) == 0x80)
		next++;
	return (size_t)(next - at);
}

/* Matches a piece without stars at the beginning of the text: how many bytes it took, -1 if it does not match. */
static long piece_at(const char *piece, size_t n, const char *text, const char *end)
{
	const char *at = text;

	for (size_t i = 0; i < n; i++) {
		if (at == end)
			return -1;
		if (piece[i] == POLICY_ONE) {
			at += character_size(at, end);
			continue;
		}
		if (piece[i] != *at)
			return -1;
		at++;
	}
	return at - text;
}

/* The first place where the piece matches; NULL if there is none. *took is filled. */
static const char *piece_find(const char *piece, size_t n, const char *text, const char *end, long *took)
{
	if (!memchr(piece, POLICY_ONE, n)) {
		*took = (long)n;
		return memmem(text, (size_t)(end - text), piece, n);
	}
	for (;; text += character_size(text, end)) {
		*took = piece_at(piece, n, text, end);
		if (*took >= 0)
			return text;
		if (text == end)
			return NULL;
	}
}

/* The last piece must end where the text ends. */
static bool piece_ends(const char *piece, size_t n, const char *text, const char *end)
{
	long took;

	if (!memchr(piece, POLICY_ONE, n))
		return (size_t)(end - text) >= n && !memcmp(end - n, piece, n);
	for (;; text += character_size(text, end)) {
		took = piece_at(piece, n, text, end);
		if (took >= 0 && text + took == end)
			return true;
		if (text == end)
			return false;
	}
}

bool policy_glob(const char *pattern, size_t pattern_size, const char *text, size_t n)
{
	const char *end = text + n, *pattern_end = pattern + pattern_size;
	const char *star = memchr(pattern, POLICY_STAR, pattern_size);
	long took;

	took = piece_at(pattern, (size_t)((star ? star : pattern_end) - pattern), text, end);
	if (took < 0 || !star)
		return took >= 0 && text + took == end;
	text += took;
	for (;;) {
		pattern = star + 1;
		if (pattern == pattern_end)
			return true;
		star = memchr(pattern, POLICY_STAR, (size_t)(pattern_end - pattern));
		if (!star)
			return piece_ends(pattern, (size_t)(pattern_end - pattern), text, end);
		text = piece_find(pattern, (size_t)(star - pattern), text, end, &took);
		if (!text)
			return false;
		text += took;
	}
}

/* -- where one can stand in a pattern -- */

struct reach { /* a set of places, all between lo and hi; empty when lo > hi */
	bool *mark;
	size_t lo, hi;
};

static void clear(struct reach *r)
{
	for (size_t i = r->lo; i <= r->hi; i++)
		r->mark[i] = false;
	r->lo = 1;
	r->hi = 0;
}

static void copy(struct reach *to, const struct reach *from)
{
	clear(to);
	to->lo = from->lo;
	to->hi = from->hi;
	for (size_t i = from->lo; i <= from->hi; i++)
		to->mark[i] = from->mark[i];
}

/* A star may also match nothing: whoever stands before it stands behind it too. */
static void close_over(struct reach *r, const char *pattern, size_t n)
{
	for (size_t i = r->lo; i <= r->hi && i < n; i++) {
		if (!r->mark[i] || pattern[i] != POLICY_STAR)
			continue;
		r->mark[i + 1] = true;
		if (r->hi == i)
			r->hi = i + 1;
	}
}

static void step(struct reach *r, const char *pattern, size_t n, char c)
{
	close_over(r, pattern, n);
	if (r->hi < n)
		r->mark[++r->hi] = false;
	/* Downwards: place i takes from i - 1 what was there before this step. */
	for (size_t i = r->hi + 1; i-- > r->lo;) {
		bool stays = r->mark[i] && i < n && pattern[i] == POLICY_STAR;
		bool comes = i > r->lo && r->mark[i - 1] && (pattern[i - 1] == c || pattern[i - 1] == POLICY_ONE);
		r->mark[i] = stays || comes;
	}
	while (r->lo <= r->hi && !r->mark[r->lo])
		r->lo++;
	while (r->lo <= r->hi && !r->mark[r->hi])
		r->hi--;
}

static void consume(struct reach *r, const char *pattern, size_t n, const char *prefix)
{
	while (*prefix && r->lo <= r->hi)
		step(r, pattern, n, *prefix++);
}

/* -- binding -- */

struct bind {
	const struct policy_facts *facts;
	const char *arn;
	struct sk_arena memory; /* texts, before they move into the block */
	struct policy_entry *entry;
	uint32_t entries, room, denials;
	size_t texts;      /* bytes of all texts */
	uint32_t actions;  /* of the statement at hand */
	uint16_t policy, statement;
};

static bool is_variable(char c)
{
	return (unsigned char)c >= (unsigned char)POLICY_VARIABLE && (unsigned char)c < (unsigned char)POLICY_VARIABLE + POLICY_VARIABLES;
}

static const char *value_of(const struct bind *b, char c)
{
	return b->facts->variable[(unsigned char)c - (unsigned char)POLICY_VARIABLE];
}

/* Bytes of the pattern with its variables filled in; -1 when one has no value. */
static long substituted_size(const struct bind *b, const struct policy_pattern *p)
{
	long n = 0;

	for (uint32_t i = 0; i < p->size; i++) {
		if (!is_variable(p->text[i])) {
			n++;
			continue;
		}
		if (!value_of(b, p->text[i]))
			return -1;
		n += (long)strlen(value_of(b, p->text[i]));
	}
	return n;
}

static void substitute(const struct bind *b, const struct policy_pattern *p, char *out)
{
	for (uint32_t i = 0; i < p->size; i++) {
		if (is_variable(p->text[i]))
			out = stpcpy(out, value_of(b, p->text[i]));
		else
			*out++ = p->text[i];
	}
}

static enum policy_shape shape_of(const char *text, size_t n)
{
	const char *star = memchr(text, POLICY_STAR, n);

	if (memchr(text, POLICY_ONE, n) || (star && star + 1 < text + n))
		return POLICY_GLOB;
	return star ? POLICY_PREFIX : POLICY_EXACT;
}

static int add_entry(struct bind *b, const char *text, size_t n, uint32_t actions)
{
	if (b->entries == b->room) {
		uint32_t room = b->room ? 2 * b->room : 16;
		struct policy_entry *more = realloc(b->entry, room * sizeof(*more));
		if (!more)
			return -1;
		b->entry = more;
		b->room = room;
	}
	b->entry[b->entries++] = (struct policy_entry){ .actions = actions, .size = (uint32_t)n, .text = text, .policy = b->policy,
		                                        .statement = b->statement, .shape = (uint8_t)shape_of(text, n) };
	b->texts += n;
	return 0;
}

static uint32_t actions_of_kind(int kind)
{
	uint32_t bits = 0;

	for (int i = 0; i < POLICY_ACTION_COUNT; i++)
		if ((int)policy_actions[i].kind == kind)
			bits |= 1u << i;
	return bits;
}

/* What remains of the pattern once "arn:...:" and then "topic/" are cut off it, for each kind of resource. Kinds that leave the same
 * remainder ("*") share an entry: remains[i] are the actions for which the pattern from i on is left. */
static int add_remainders(struct bind *b, const char *text, size_t n, uint32_t *remains)
{
	bool *marks = sk_alloc(&b->memory, 2 * (n + 1));
	struct reach all = { marks, 0, 0 }, one = { marks + n + 1, 1, 0 };

	if (!marks)
		return -1;
	marks[0] = true;
	consume(&all, text, n, b->arn);
	for (int kind = 0; kind < POLICY_KINDS && all.lo <= all.hi; kind++) {
		uint32_t actions = b->actions & actions_of_kind(kind);
		if (!actions)
			continue;
		copy(&one, &all);
		consume(&one, text, n, policy_kinds[kind]);
		for (size_t i = one.lo; i <= one.hi; i++)
			remains[i] |= one.mark[i] ? actions : 0;
	}
	for (size_t i = 0; i <= n; i++)
		if (remains[i] && add_entry(b, text + i, n - i, remains[i]))
			return -1;
	return 0;
}

static int bind_pattern(struct bind *b, const struct policy_pattern *p)
{
	long n = substituted_size(b, p);
	uint32_t *remains;
	char *text;

	if (n < 0)
		return 0;
	text = sk_alloc_text(&b->memory, (size_t)n + 1);
	remains = sk_alloc(&b->memory, ((size_t)n + 1) * sizeof(*remains));
	if (!text || !remains)
		return -1;
	substitute(b, p, text);
	return add_remainders(b, text, (size_t)n, remains);
}

static int bind_statements(struct bind *b, const struct policy *p, bool deny)
{
	for (uint32_t i = 0; i < p->statements; i++) {
		const struct policy_statement *s = &p->statement[i];
		b->statement = (uint16_t)(i + 1);
		b->actions = s->actions;
		for (uint32_t k = 0; s->deny == deny && s->actions && k < s->resources; k++)
			if (bind_pattern(b, &s->resource[k]))
				return -1;
	}
	return 0;
}

static int bind_all(struct bind *b, const struct policy *const *list, size_t n)
{
	for (int deny = 1; deny >= 0; deny--) {
		for (size_t i = 0; i < n; i++) {
			b->policy = (uint16_t)i;
			if (bind_statements(b, list[i], deny))
				return -1;
		}
		if (deny)
			b->denials = b->entries;
	}
	return 0;
}

static uint64_t word_at(const char *s)
{
	uint64_t word;

	memcpy(&word, s, sizeof(word));
	return word;
}

static void note_literal(struct policy_entry *e)
{
	while (e->literal < e->size && e->text[e->literal] != POLICY_STAR && e->text[e->literal] != POLICY_ONE)
		e->literal++;
	if (e->literal >= sizeof(e->tail))
		e->tail = word_at(e->text + e->literal - sizeof(e->tail));
}

/* Entries and their texts move into one block. */
static struct policy_bound *pack(const struct bind *b)
{
	size_t head = sizeof(struct policy_bound) + b->entries * sizeof(struct policy_entry);
	struct policy_bound *bound = malloc(head + b->texts + 1);
	char *text = (char *)bound + head;

	if (!bound)
		return NULL;
	bound->denials = b->denials;
	bound->entries = b->entries;
	for (uint32_t i = 0; i < b->entries; i++) {
		bound->entry[i] = b->entry[i];
		bound->entry[i].text = memcpy(text, b->entry[i].text, b->entry[i].size);
		text += b->entry[i].size;
		note_literal(&bound->entry[i]);
	}
	return bound;
}

struct policy_bound *policy_bind(const struct policy *const *list, size_t n, const struct policy_facts *facts, const char *arn)
{
	struct bind b = { .facts = facts, .arn = arn };
	struct policy_bound *bound = NULL;

	sk_arena_init(&b.memory, 0);
	if (!bind_all(&b, list, n))
		bound = pack(&b);
	sk_arena_free(&b.memory);
	free(b.entry);
	return bound;
}

/* -- checking -- */

static bool entry_matches(const struct policy_entry *e, const char *name, size_t n)
{
	if (e->shape == POLICY_GLOB)
		return policy_glob(e->text, e->size, name, n);
	return (e->shape == POLICY_PREFIX || e->literal == n) && !memcmp(e->text, name, e->literal);
}

/* Patterns of one policy often begin alike, so the ends of their literal text are compared first: most entries are passed over without a
 * call. */
struct policy_verdict policy_check(const struct policy_bound *b, enum policy_action action, const char *name, size_t n)
{
	const struct policy_entry *end = b->entry + b->entries;
	uint32_t bit = 1u << action;

	for (const struct policy_entry *e = b->entry; e < end; e++) {
		if (!(e->actions & bit) || e->literal > n)
			continue;
		if (e->literal >= sizeof(e->tail) && word_at(name + e->literal - sizeof(e->tail)) != e->tail)
			continue;
		if (entry_matches(e, name, n))
			return (struct policy_verdict){ .allowed = e >= b->entry + b->denials, .why = e };
	}
	return (struct policy_verdict){ 0 };
}

/* Half the way, so that a few statements that take turns stay in front together. */
void policy_favour(struct policy_bound *b, const struct policy_entry *why)
{
	size_t at = (size_t)(why - b->entry), first = b->denials;
	struct policy_entry moved;

	if (at <= first)
		return;
	moved = b->entry[at];
	b->entry[at] = b->entry[first + (at - first) / 2];
	b->entry[first + (at - first) / 2] = moved;
}
