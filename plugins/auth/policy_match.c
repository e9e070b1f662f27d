/* policy_match.c -- one question against what policy_bind.c made of the policies of a connection. Nothing here allocates. */
#include "plugins/auth/policy.h"

#include <string.h>

#include "plugins/auth/policy_condition.h"

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

/* -- checking -- */

static bool pattern_matches(const struct policy_entry *e, const char *name, size_t n)
{
	if (e->shape == POLICY_GLOB)
		return policy_glob(e->text, e->size, name, n);
	return (e->shape == POLICY_PREFIX || e->literal == n) && !memcmp(e->text, name, e->literal);
}

/* NotResource: not one of the patterns that are for this action may match. */
static bool none_matches(const struct policy_entry *e, uint32_t bit, const char *name, size_t n)
{
	for (uint32_t i = 0; i < e->size; i++)
		if (e->none_of[i].actions & bit && e->none_of[i].literal <= n && pattern_matches(&e->none_of[i], name, n))
			return false;
	return true;
}

static bool entry_matches(const struct policy_entry *e, uint32_t bit, const char *name, size_t n)
{
	return e->shape == POLICY_NONE_OF ? none_matches(e, bit, name, n) : pattern_matches(e, name, n);
}

static uint64_t word_at(const char *s)
{
	uint64_t word;

	memcpy(&word, s, sizeof(word));
	return word;
}

/* Patterns of one policy often begin alike, so the ends of their literal text are compared first: most entries are passed over without a
 * call. */
struct policy_verdict policy_check(const struct policy_bound *b, enum policy_action action, const char *name, size_t n)
{
	const struct policy_entry *end = b->entry + b->entries;
	uint32_t bit = 1u << action;
	bool fleeting = false;

	for (const struct policy_entry *e = b->entry; e < end; e++) {
		if (!(e->actions & bit) || e->literal > n)
			continue;
		if (e->literal >= sizeof(e->tail) && word_at(name + e->literal - sizeof(e->tail)) != e->tail)
			continue;
		if (!entry_matches(e, bit, name, n))
			continue;
		if (e->when) {
			fleeting = true;
			if (!policy_when_holds(&b->when[e->when - 1], action, &b->moment))
				continue;
		}
		return (struct policy_verdict){ .allowed = e >= b->entry + b->denials, .fleeting = fleeting, .why = e };
	}
	return (struct policy_verdict){ .fleeting = fleeting };
}

/* -- checking by name -- */

static size_t lower_case(char *out, size_t room, const char *s)
{
	size_t n = 0;

	for (; s[n] && n < room; n++)
		out[n] = s[n] >= 'A' && s[n] <= 'Z' ? (char)(s[n] | 32) : s[n];
	return s[n] ? 0 : n;
}

static bool is_for(const struct policy_statement *s, const char *action, size_t n)
{
	for (uint32_t i = 0; i < s->named; i++)
		if (policy_glob(s->name[i].text, s->name[i].size, action, n))
			return !s->not_action;
	return s->not_action;
}

struct policy_verdict policy_check_named(const struct policy_bound *b, const struct policy *const *list, const char *action, const char *arn)
{
	const struct policy_entry *end = b->entry + b->entries;
	char name[128];
	size_t size = lower_case(name, sizeof(name), action), n = strlen(arn);
	bool fleeting = false;

	for (const struct policy_entry *e = b->entry; size && e < end; e++) {
		if (e->literal > n || !entry_matches(e, POLICY_WHOLE, arn, n) || !is_for(&list[e->policy]->statement[e->statement - 1], name, size))
			continue;
		if (e->when) {
			fleeting = true;
			if (!policy_when_holds(&b->when[e->when - 1], POLICY_ACTION_COUNT, &b->moment))
				continue;
		}
		return (struct policy_verdict){ .allowed = e >= b->entry + b->denials, .fleeting = fleeting, .why = e };
	}
	return (struct policy_verdict){ .fleeting = fleeting };
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
