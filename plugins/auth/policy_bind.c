/* policy_bind.c -- policies meet one connection.
 *
 * Binding cuts from every resource pattern what all ARNs of one kind begin with, so that checking compares topics only.
 * A pattern may be able to swallow that beginning in several ways (arn:*:topic/a); each way becomes an entry of its own, and
 * together they match exactly what the whole pattern matches. A condition that does not hold leaves no entry of its statement. */
#include "plugins/auth/policy.h"

#include <stdlib.h>
#include <string.h>

#include "plugins/auth/policy_condition.h"

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

/* Most patterns begin with the letters of the prefix: one place, which moves on. */
static const char *consume_letters(struct reach *r, const char *pattern, size_t n, const char *prefix)
{
	size_t from = r->lo, at = from;

	while (at < n && *prefix && pattern[at] == *prefix) {
		at++;
		prefix++;
	}
	r->mark[from] = false;
	r->mark[at] = true;
	r->lo = r->hi = at;
	return prefix;
}

static void consume(struct reach *r, const char *pattern, size_t n, const char *prefix)
{
	if (r->lo == r->hi)
		prefix = consume_letters(r, pattern, n, prefix);
	while (*prefix && r->lo <= r->hi)
		step(r, pattern, n, *prefix++);
}

/* -- binding -- */

/* Entries as they are found. */
struct entries {
	struct policy_entry *entry;
	uint32_t count, room;
};

struct bind {
	const struct policy_facts *facts;
	const char *arn; /* NULL: nothing is cut off, and which actions an entry is for is asked of its statement */
	struct sk_arena memory;  /* texts and conditions, before they move into the block */
	struct entries all, none; /* what is asked; the patterns of those that are POLICY_NONE_OF */
	struct entries *into;
	uint32_t denials;
	size_t size;       /* bytes of texts, conditions and operands, each rounded up to eight */
	const struct policy *of;
	const struct policy_statement *at;
	uint16_t policy, statement;
	struct policy_when *when;
	uint32_t whens, when_room;
	uint16_t now; /* of the statement at hand */
};

const char *policy_value(const struct policy_facts *facts, const struct policy_use *use)
{
	if (use->kind < POLICY_ATTRIBUTE)
		return facts->variable[use->kind];
	return facts->named ? facts->named(facts->context, use->kind, use->name) : NULL;
}

/* "If wildcard characters are present in certificate attributes, the policy variable is not replaced": what somebody else wrote, a CA or an
 * operator of things, must not widen a filter. */
static const char *value_at(const struct bind *b, const char *variable)
{
	const struct policy_use *use = &b->of->use[(unsigned char)variable[1]];
	const char *value = policy_value(b->facts, use);

	return value && use->kind >= POLICY_ATTRIBUTE && strpbrk(value, "*?$+#") ? NULL : value;
}

/* Bytes of the pattern with its variables filled in; -1 when one has no value. */
static long substituted_size(const struct bind *b, const struct policy_pattern *p)
{
	long n = 0;

	for (uint32_t i = 0; i < p->size; i++) {
		if (p->text[i] != POLICY_VARIABLE) {
			n++;
			continue;
		}
		const char *value = value_at(b, p->text + i++);
		if (!value)
			return -1;
		n += (long)strlen(value);
	}
	return n;
}

static void substitute(const struct bind *b, const struct policy_pattern *p, char *out)
{
	for (uint32_t i = 0; i < p->size; i++) {
		if (p->text[i] == POLICY_VARIABLE)
			out = stpcpy(out, value_at(b, p->text + i++));
		else
			*out++ = p->text[i];
	}
}

/* 1: filled; 0: a variable has no value; -1: memory is out. */
static int fill(struct bind *b, const struct policy_pattern *p, struct policy_pattern *out)
{
	long n = substituted_size(b, p);
	char *text;

	if (n < 0)
		return 0;
	text = sk_alloc_text(&b->memory, (size_t)n + 1);
	if (!text)
		return -1;
	substitute(b, p, text);
	*out = (struct policy_pattern){ text, (uint32_t)n };
	return 1;
}

static size_t rounded(size_t n)
{
	return (n + 7) & ~(size_t)7;
}

static enum policy_shape shape_of(const char *text, size_t n)
{
	const char *star = memchr(text, POLICY_STAR, n);

	if (memchr(text, POLICY_ONE, n) || (star && star + 1 < text + n))
		return POLICY_GLOB;
	return star ? POLICY_PREFIX : POLICY_EXACT;
}

static int add_entry(struct bind *b, struct entries *to, const struct policy_entry *e)
{
	if (to->count == to->room) {
		uint32_t room = to->room ? 2 * to->room : 16;
		struct policy_entry *more = realloc(to->entry, room * sizeof(*more));
		if (!more)
			return -1;
		to->entry = more;
		to->room = room;
	}
	to->entry[to->count] = *e;
	to->entry[to->count].policy = b->policy;
	to->entry[to->count].statement = b->statement;
	to->entry[to->count++].when = b->now;
	return 0;
}

static int add_text(struct bind *b, const char *text, size_t n, uint32_t actions)
{
	struct policy_entry e = { .actions = actions, .size = (uint32_t)n, .text = text, .shape = (uint8_t)shape_of(text, n) };

	b->size += rounded(n);
	return add_entry(b, b->into, &e);
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
		uint32_t actions = b->at->actions & actions_of_kind(kind);
		if (!actions)
			continue;
		copy(&one, &all);
		consume(&one, text, n, policy_kinds[kind]);
		for (size_t i = one.lo; i <= one.hi; i++)
			remains[i] |= one.mark[i] ? actions : 0;
	}
	for (size_t i = 0; i <= n; i++)
		if (remains[i] && add_text(b, text + i, n - i, remains[i]))
			return -1;
	return 0;
}

static int bind_pattern(struct bind *b, const struct policy_pattern *p)
{
	struct policy_pattern filled;
	uint32_t *remains;
	int known = fill(b, p, &filled);

	if (known <= 0)
		return known;
	if (!b->arn)
		return add_text(b, filled.text, filled.size, POLICY_WHOLE);
	remains = sk_alloc(&b->memory, ((size_t)filled.size + 1) * sizeof(*remains));
	return remains ? add_remainders(b, filled.text, filled.size, remains) : -1;
}

/* -- conditions -- */

static int fill_operand(struct bind *b, const struct policy_condition *c, struct policy_operand *o)
{
	int known;

	if (o->known)
		return 0;
	known = fill(b, &o->pattern, &o->pattern);
	if (known > 0)
		policy_operand_read(c->operator, o);
	return known < 0 ? -1 : 0;
}

/* A copy whose operands hold no variables. */
static int fill_condition(struct bind *b, const struct policy_condition *from, struct policy_condition *to)
{
	*to = *from;
	to->operand = sk_alloc(&b->memory, from->operands * sizeof(*to->operand));
	if (!to->operand)
		return -1;
	memcpy(to->operand, from->operand, from->operands * sizeof(*to->operand));
	for (uint32_t i = 0; i < to->operands; i++)
		if (fill_operand(b, from, &to->operand[i]))
			return -1;
	return 0;
}

/* 1: it holds for this connection; 0: it does not; -1: memory is out. */
static int ask_now(struct bind *b, const struct policy_condition *c)
{
	struct policy_condition filled;
	const char *key = policy_value(b->facts, &b->of->use[c->use]);

	if (fill_condition(b, c, &filled))
		return -1;
	return policy_condition_holds(&filled, &key, key != NULL);
}

static size_t size_of_condition(const struct policy_condition *c)
{
	size_t n = sizeof(*c) + c->operands * sizeof(*c->operand);

	for (uint32_t i = 0; i < c->operands; i++)
		n += rounded(c->operand[i].pattern.size);
	return n;
}

static int add_when(struct bind *b, const struct policy_when *when)
{
	struct policy_when *more = b->when;

	if (b->whens == UINT16_MAX - 1)
		return -1;
	if (b->whens == b->when_room) {
		b->when_room = b->when_room ? 2 * b->when_room : 4;
		more = realloc(b->when, b->when_room * sizeof(*more));
		if (!more)
			return -1;
	}
	b->when = more;
	b->when[b->whens++] = *when;
	b->now = (uint16_t)b->whens;
	for (uint32_t i = 0; i < when->conditions; i++)
		b->size += size_of_condition(&when->condition[i]);
	return 0;
}

/* Those that only the moment answers are kept; 1: all others hold; 0: one does not; -1: memory is out. */
static int bind_conditions(struct bind *b)
{
	const struct policy_statement *s = b->at;
	struct policy_condition *kept = NULL;
	int holds = 1;

	b->now = 0;
	if (!s->conditions)
		return 1;
	kept = sk_alloc(&b->memory, s->conditions * sizeof(*kept));
	if (!kept)
		return -1;
	struct policy_when when = { .condition = kept };
	for (uint32_t i = 0; holds > 0 && i < s->conditions; i++) {
		if (policy_is_fleeting(&s->condition[i]))
			holds = fill_condition(b, &s->condition[i], &kept[when.conditions++]) ? -1 : 1;
		else
			holds = ask_now(b, &s->condition[i]);
	}
	if (holds > 0 && when.conditions && add_when(b, &when))
		return -1;
	return holds;
}

/* -- statements -- */

static bool is_known(const struct bind *b, const struct policy_pattern *p)
{
	return substituted_size(b, p) >= 0;
}

/* The patterns go where they can be told apart; one entry stands for them. An Allow with a pattern that is not known might allow
 * what that would have left out. */
static int bind_not_resource(struct bind *b)
{
	struct policy_entry e = { .actions = b->arn ? b->at->actions : POLICY_WHOLE, .shape = POLICY_NONE_OF };
	uint32_t first = b->none.count;

	for (uint32_t i = 0; i < b->at->resources; i++)
		if (!b->at->deny && !is_known(b, &b->at->resource[i]))
			return 0;
	b->into = &b->none;
	for (uint32_t i = 0; i < b->at->resources; i++)
		if (bind_pattern(b, &b->at->resource[i]))
			return -1;
	b->into = &b->all;
	e.size = b->none.count - first;
	e.tail = first; /* until there is a block to point into */
	return add_entry(b, &b->all, &e);
}

static int bind_statement(struct bind *b)
{
	int holds = bind_conditions(b);

	if (holds <= 0)
		return holds;
	if (b->at->not_resource)
		return bind_not_resource(b);
	for (uint32_t k = 0; k < b->at->resources; k++)
		if (bind_pattern(b, &b->at->resource[k]))
			return -1;
	return 0;
}

static int bind_statements(struct bind *b, const struct policy *p, bool deny)
{
	b->of = p;
	for (uint32_t i = 0; i < p->statements; i++) {
		b->at = &p->statement[i];
		b->statement = (uint16_t)(i + 1);
		if (b->at->deny == deny && (b->at->actions || !b->arn) && bind_statement(b))
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
			b->denials = b->all.count;
	}
	return 0;
}

/* -- into one block -- */

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

static void *move(char **at, const void *from, size_t n)
{
	void *to = *at;

	if (n)
		memcpy(to, from, n);
	*at += rounded(n);
	return to;
}

static void move_entries(const struct entries *from, struct policy_entry *to, const struct policy_entry *none, char **at)
{
	for (uint32_t i = 0; i < from->count; i++) {
		to[i] = from->entry[i];
		if (to[i].shape == POLICY_NONE_OF) {
			to[i].none_of = none + to[i].tail;
			to[i].tail = 0;
			continue;
		}
		to[i].text = move(at, to[i].text, to[i].size);
		note_literal(&to[i]);
	}
}

static void move_whens(const struct bind *b, struct policy_when *to, char **at)
{
	for (uint32_t i = 0; i < b->whens; i++) {
		uint32_t n = b->when[i].conditions;
		struct policy_condition *c = move(at, b->when[i].condition, n * sizeof(*c));
		to[i] = (struct policy_when){ c, n };
		for (uint32_t k = 0; k < n; k++) {
			c[k].operand = move(at, c[k].operand, c[k].operands * sizeof(*c[k].operand));
			for (uint32_t o = 0; o < c[k].operands; o++)
				c[k].operand[o].pattern.text = move(at, c[k].operand[o].pattern.text, c[k].operand[o].pattern.size);
		}
	}
}

/* Entries, the patterns that some stand for, what asks the moment, and all texts. */
static struct policy_bound *pack(const struct bind *b)
{
	size_t entries = ((size_t)b->all.count + b->none.count) * sizeof(struct policy_entry), whens = b->whens * sizeof(*b->when);
	struct policy_bound *bound = malloc(sizeof(*bound) + entries + whens + b->size);
	char *at = (char *)(bound + 1) + entries + whens;
	struct policy_entry *none;
	struct policy_when *when;

	if (!bound)
		return NULL;
	*bound = (struct policy_bound){ .denials = b->denials, .entries = b->all.count };
	none = bound->entry + b->all.count;
	when = (struct policy_when *)(none + b->none.count);
	bound->when = b->whens ? when : NULL;
	move_entries(&b->none, none, none, &at);
	move_entries(&b->all, bound->entry, none, &at);
	move_whens(b, when, &at);
	return bound;
}

struct policy_bound *policy_bind_whole(const struct policy *const *list, size_t n, const struct policy_facts *facts)
{
	return policy_bind(list, n, facts, NULL);
}

struct policy_bound *policy_bind(const struct policy *const *list, size_t n, const struct policy_facts *facts, const char *arn)
{
	struct bind b = { .facts = facts, .arn = arn };
	struct policy_bound *bound = NULL;

	sk_arena_init(&b.memory, 0);
	b.into = &b.all;
	if (!bind_all(&b, list, n))
		bound = pack(&b);
	sk_arena_free(&b.memory);
	free(b.all.entry);
	free(b.none.entry);
	free(b.when);
	return bound;
}

void policy_missing(const struct policy *p, const struct policy_facts *facts, enum policy_action action,
                    void (*fn)(void *context, const struct policy_statement *s, const char *variable), void *context)
{
	for (uint32_t i = 0; i < p->statements; i++)
		for (uint32_t u = 0; u < p->uses; u++) {
			const struct policy_use *use = &p->use[u];
			bool fleeting = use->kind == POLICY_CURRENT_TIME || use->kind == POLICY_EPOCH_TIME || use->kind == POLICY_CONNECT_ATTRIBUTES;
			if (p->statement[i].actions >> action & 1 && p->statement[i].uses[u / 64] >> u % 64 & 1 && !fleeting && !policy_value(facts, use))
				fn(context, &p->statement[i], use->text);
		}
}
