/* split.c -- see split.h. A round is a list of ranges of items; the ranges that fail come again in halves in the next one. */
#include "outbound/split.h"

struct range {
	size_t from, n;
};
struct rounds {
	struct outbound *client;
	const struct outbound_split *split;
	struct sk_sink_item *const *item;
	struct sk_arena *arena;
	struct range *now, *next; /* each with room for one range per item */
	size_t nows, nexts;
	bool answered;
};

static enum sk_sunk verdict_of(const struct outbound_split *s, const struct outbound_request *r, size_t n, struct sk_arena *a, const char **why, bool *all)
{
	*all = false;
	return s->verdict ? s->verdict(r, n, a, why, all) : outbound_verdict(r, a, why);
}

static void judge(struct rounds *w, const struct outbound_request *r, struct range at)
{
	const char *why;
	bool all;
	enum sk_sunk result = verdict_of(w->split, r, at.n, w->arena, &why, &all);

	if (result == SK_SUNK_FAIL && at.n > 1 && !all && !w->arena->failed) {
		w->next[w->nexts++] = (struct range){ at.from, at.n / 2 };
		w->next[w->nexts++] = (struct range){ at.from + at.n / 2, at.n - at.n / 2 };
		return;
	}
	if (w->arena->failed && result == SK_SUNK_FAIL && !all) {
		result = SK_SUNK_RETRY; /* who is bad cannot be told now */
		why = "memory is out";
	}
	sk_sink_all(w->item + at.from, at.n, result, why);
	for (size_t i = 0; result == SK_SUNK_RETRY && i < at.n; i++)
		w->item[at.from + i]->retry_ms = r->retry_ms;
}

static bool round_send(struct rounds *w)
{
	struct outbound_request *r = sk_alloc(w->arena, w->nows * sizeof *r);

	for (size_t i = 0; r && i < w->nows; i++) {
		size_t first = w->now[i].from, begin = first ? w->split->end[first - 1] : 0;
		r[i] = w->split->request;
		r[i].body = w->split->body + begin;
		r[i].size = w->split->end[first + w->now[i].n - 1] - begin;
	}
	if (!r)
		return false;
	outbound_send(w->client, r, w->nows, w->arena);
	for (size_t i = 0; i < w->nows; i++) {
		judge(w, &r[i], w->now[i]);
		w->answered |= r[i].status != 0;
	}
	return true;
}

bool outbound_split_send(struct outbound *o, const struct outbound_split *s, struct sk_sink_item *const *item, size_t n, struct sk_arena *a)
{
	struct rounds w = { .client = o, .split = s, .item = item, .arena = a };

	w.now = sk_alloc(a, (n + 1) * sizeof *w.now);
	w.next = sk_alloc(a, (n + 1) * sizeof *w.next);
	if (!w.now || !w.next || !n) {
		sk_sink_all(item, n, SK_SUNK_RETRY, "memory is out");
		return false;
	}
	w.now[w.nows++] = (struct range){ 0, n };
	while (w.nows) {
		w.nexts = 0;
		if (!round_send(&w))
			break; /* the rest has not been tried: RETRY, as it came */
		struct range *was = w.now;
		w.now = w.next;
		w.nows = w.nexts;
		w.next = was;
	}
	return w.answered;
}
