/* filters_match.c -- which ids does a topic have?
 *
 * Down along the literal levels; a `+` child on the way waits in a list for its turn. A level is measured and hashed when the first node asks for it.
 * Invariant: a node has one path from the root and is given its turn by its parent alone, so a match reaches each node at most once: its work is
 * bounded by the nodes that filters have made, whatever a topic looks like, and those that wait are of different levels. */
#include "rules/filters_internal.h"

struct walk {
	const struct rules_filters *f;
	const char *next;          /* the level after those that are known; NULL: the topic ends with them */
	size_t known, found;
	bool sorted;
	struct level level[LEVELS + 1]; /* the last one for a topic that goes on where no filter does */
};

static void collect(struct walk *w, uint32_t from)
{
	uint32_t *found = w->f->found;

	for (; from; from = w->f->entry[from].next) {
		found[w->found] = w->f->entry[from].id;
		w->sorted = w->sorted && (!w->found || found[w->found - 1] < found[w->found]);
		w->found++;
	}
}

/* The topic's level of that number, looked at when a node asks for it; NULL: the topic ends before. */
static const struct level *level_of(struct walk *w, size_t depth)
{
	if (depth < w->known)
		return &w->level[depth];
	if (!w->next)
		return NULL;
	struct level *l = &w->level[w->known++];
	*l = level_at(w->next, w->f->longest);
	w->next = l->at[l->size] ? l->at + l->size + 1 : NULL;
	return l;
}

/* From one node down along the literal levels; what `+` leads to waits in `turn`, at most one for each level. */
static size_t descend(struct walk *w, uint32_t n, size_t depth, uint32_t *turn, size_t turns)
{
	bool hidden = depth == 0 && *w->next == '$';

	for (;; depth++, hidden = false) {
		const struct node *node = &w->f->node[n];
		if (node->rest && !hidden)
			collect(w, node->rest);
		if (!node->children && !node->plus && !node->ids)
			return turns;
		const struct level *l = level_of(w, depth);
		if (!l) {
			collect(w, node->ids);
			return turns;
		}
		if (node->plus && !hidden) {
			turn[2 * turns] = node->plus;
			turn[2 * turns++ + 1] = (uint32_t)depth + 1;
		}
		if (!(n = child_find(w->f, n, l)))
			return turns;
	}
}

/* In place: a heap with the greatest at its top. */
static void sift(uint32_t *v, size_t at, size_t n)
{
	uint32_t moving = v[at];

	for (size_t child; (child = 2 * at + 1) < n; at = child) {
		child += child + 1 < n && v[child + 1] > v[child];
		if (v[child] <= moving)
			break;
		v[at] = v[child];
	}
	v[at] = moving;
}

static size_t sort_once(uint32_t *v, size_t n)
{
	size_t kept = 1;

	for (size_t i = n / 2; i-- > 0;)
		sift(v, i, n);
	for (size_t end = n; end-- > 1;) {
		uint32_t greatest = v[0];
		v[0] = v[end];
		v[end] = greatest;
		sift(v, 0, end);
	}
	for (size_t i = 1; i < n; i++)
		if (v[i] != v[kept - 1])
			v[kept++] = v[i];
	return kept;
}

size_t rules_filters_match(const struct rules_filters *f, const char *topic, uint32_t *out, size_t room)
{
	struct walk w;
	uint32_t turn[2 * LEVELS];
	size_t turns;

	if (!*topic)
		return 0;
	w.f = f;
	w.next = topic;
	w.known = w.found = 0;
	w.sorted = true;
	turns = descend(&w, 0, 0, turn, 0);
	while (turns--)
		turns = descend(&w, turn[2 * turns], turn[2 * turns + 1], turn, turns);
	if (!w.sorted)
		w.found = sort_once(f->found, w.found);
	if (w.found && room)
		memcpy(out, f->found, (w.found < room ? w.found : room) * sizeof *out);
	return w.found;
}
