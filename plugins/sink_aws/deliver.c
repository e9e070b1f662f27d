/* deliver.c -- a lane's items become requests, in rounds: what may go at the same time goes at the same time.
 *
 * Of entries with the same key none overtakes another: while one is under way, or has to come again, those behind it are not sent. A request
 * that is refused as a whole is cut in two until the entry that is to blame stands alone. Every entry leaves with a result, and nothing is tried twice. */
#include <string.h>

#include "core/cache.h"
#include "plugins/sink_aws/aws.h"
#include "plugins/sink_aws/xml.h"

enum { SEVERAL = 6 }; /* time limits of a request that one delivery may take before no more is begun */

struct delivery {
	const struct aws_sink *sink;
	struct sk_arena *arena;
	struct aws_entry *entry;
	size_t n;
	struct aws_request *request; /* of this round */
	size_t requests;
	/* by a key's number: what it does in this round */
	size_t *in;                  /* the request (from 1) that holds an entry of it; HELD: wait */
	bool *again;                 /* one of it comes again: all behind it do */
	size_t keys;
	const char *trouble;         /* no more is begun, and why */
	int64_t began_ms;
};
enum { NOWHERE = 0 };
#define HELD SIZE_MAX

/* -- what becomes of an entry -- */

static void say(struct aws_entry *e, enum sk_sunk result, const char *why)
{
	e->state = AWS_DONE;
	e->item->result = result;
	e->item->why = result == SK_SUNK_OK ? NULL : why ? why : "memory is out";
}

void aws_entry_ok(struct aws_entry *e)
{
	say(e, SK_SUNK_OK, NULL);
}

void aws_entry_fail(struct aws_entry *e, const char *why)
{
	say(e, SK_SUNK_FAIL, why);
}

void aws_entry_fault(struct aws_request *r, struct aws_entry *e, const char *code, const char *message, bool sender)
{
	struct aws_fault f = { .code = code ? code : "", .message = message ? message : "" };

	aws_fault_judge(&f, sender);
	say(e, f.result, aws_fault_line(r, &f));
}

/* -- entries -- */

static void prepare(struct delivery *d, struct aws_entry *e)
{
	const struct aws_service *s = d->sink->service;
	const char *why = s->prepare(d->sink, e, d->arena), *role = sk_sink_text(e->item, "roleArn");

	e->role = role ? role : "";
	e->units = e->units ? e->units : 1;
	e->share = s->most_items;
	e->group = sk_printf(d->arena, "%s %s", e->role, e->group ? e->group : "");
	if (!why && e->units > s->most_items)
		why = sk_printf(d->arena, "more than %zu records in one message", s->most_items);
	if (why && !d->arena->failed)
		aws_entry_fail(e, why);
}

/* Keys get numbers, by a table that is never more than half full. */
static bool number_keys(struct delivery *d)
{
	size_t room = 16;

	while (room < 2 * d->n)
		room *= 2;
	size_t *slot = sk_alloc(d->arena, room * sizeof *slot);
	for (size_t i = 0; slot && i < d->n; i++) {
		const char *key = d->entry[i].key;
		size_t at = key ? sk_hash(key, strlen(key)) & (room - 1) : 0;
		while (key && slot[at] && strcmp(d->entry[slot[at] - 1].key, key))
			at = (at + 1) & (room - 1);
		if (key && !slot[at]) {
			slot[at] = i + 1;
			d->entry[i].number = ++d->keys;
		} else if (key) {
			d->entry[i].number = d->entry[slot[at] - 1].number;
		}
	}
	d->in = sk_alloc(d->arena, (d->keys + 1) * sizeof *d->in);
	d->again = sk_alloc(d->arena, (d->keys + 1) * sizeof *d->again);
	return !d->arena->failed;
}

/* -- a round -- */

static bool has_room(const struct aws_service *s, const struct aws_request *r, const struct aws_entry *e)
{
	size_t most = r->most < e->share ? r->most : e->share;

	return !strcmp(r->entry[0]->group, e->group) && r->n < most && r->units + e->units <= s->most_items && r->bytes + e->size <= s->most_bytes;
}

/* The request that the entry joins: one that has room, from the last on, or a new one. NULL: memory is out. */
static struct aws_request *room_for(struct delivery *d, const struct aws_entry *e)
{
	const struct aws_service *s = d->sink->service;
	struct aws_request *r;

	for (size_t i = d->requests; i--;)
		if (has_room(s, &d->request[i], e))
			return &d->request[i];
	r = &d->request[d->requests++];
	*r = (struct aws_request){ .sink = d->sink, .arena = d->arena, .most = e->share, .region = e->region, .body = { .a = d->arena } };
	r->entry = sk_alloc(d->arena, (s->most_items < d->n ? s->most_items : d->n) * sizeof(*r->entry));
	return r->entry ? r : NULL;
}

static bool pack(struct delivery *d, struct aws_entry *e)
{
	const struct aws_service *s = d->sink->service;
	size_t *in = e->number ? &d->in[e->number] : NULL;
	struct aws_request *r;

	if (in && (*in == HELD || d->again[e->number] || (*in && s->order == AWS_ONCE))) {
		*in = HELD;
		return true;
	}
	if (in && *in) {
		r = &d->request[*in - 1];
		if (!has_room(s, r, e)) {
			*in = HELD;
			return true;
		}
	} else if (!(r = room_for(d, e))) {
		return false;
	}
	r->entry[r->n++] = e;
	r->units += e->units;
	r->bytes += e->size;
	r->most = r->most < e->share ? r->most : e->share;
	e->state = AWS_PACKED;
	if (in)
		*in = (size_t)(r - d->request) + 1;
	return true;
}

/* false: there is nothing left, or memory is out. */
static bool pack_round(struct delivery *d)
{
	d->requests = 0;
	memset(d->in, NOWHERE, (d->keys + 1) * sizeof *d->in);
	for (size_t i = 0; i < d->n; i++)
		if (d->entry[i].state == AWS_WAITING && !pack(d, &d->entry[i]))
			return false;
	return d->requests > 0;
}

/* -- answers -- */

static void say_all(struct aws_request *r, enum sk_sunk result, const char *why, int64_t retry_ms)
{
	for (size_t i = 0; i < r->n; i++) {
		if (r->entry[i]->state == AWS_DONE)
			continue;
		say(r->entry[i], result, why);
		r->entry[i]->item->retry_ms = result == SK_SUNK_RETRY ? retry_ms : 0;
	}
}

/* A part of the request may be let in where all of it is not. */
static bool halve(struct aws_request *r, const struct aws_fault *f)
{
	if (f->result != SK_SUNK_FAIL || f->everybody || r->n < 2)
		return false;
	for (size_t i = 0; i < r->n; i++) {
		r->entry[i]->share = (r->n + 1) / 2;
		r->entry[i]->state = AWS_WAITING;
	}
	return true;
}

static bool mend(struct aws_request *r, const struct aws_fault *f)
{
	const struct aws_service *s = r->sink->service;

	if (!s->mend || r->entry[0]->mended || !s->mend(r, f))
		return false;
	for (size_t i = 0; i < r->n; i++) {
		r->entry[i]->mended = true;
		r->entry[i]->state = AWS_WAITING;
	}
	return true;
}

/* It is the service that has answered, not a web server which says yes to everything. S3's answer is empty. */
static bool understood(struct aws_request *r)
{
	const struct aws_service *s = r->sink->service;
	struct aws_xml answer = { r->http.answer, r->http.answer + r->http.answer_size }, inner;
	const char *root = s->protocol == AWS_QUERY ? sk_printf(r->arena, "%sResponse", r->target) : NULL;

	if (s->protocol == AWS_JSON) {
		r->json = sk_json_parse(r->arena, r->http.answer, r->http.answer_size, NULL, NULL);
		return cJSON_IsObject(r->json) && !r->http.cut;
	}
	return !r->http.cut && (s->protocol == AWS_REST || (root && aws_xml_next(&answer, root, &inner)));
}

static void read_answer(struct aws_request *r)
{
	const struct aws_service *s = r->sink->service;
	bool clear = understood(r);

	if (clear && s->read)
		s->read(r);
	else if (clear)
		say_all(r, SK_SUNK_OK, NULL, 0);
	say_all(r, SK_SUNK_RETRY, "the service's answer does not say what became of it", 0);
}

/* What comes again comes before all behind it. */
static void hold_back(struct delivery *d, const struct aws_request *r)
{
	for (size_t i = 0; i < r->n; i++)
		if (r->entry[i]->state == AWS_DONE && r->entry[i]->item->result == SK_SUNK_RETRY)
			d->again[r->entry[i]->number] = r->entry[i]->number > 0;
}

static void settle(struct delivery *d, struct aws_request *r)
{
	struct aws_fault f;

	if (r->http.status >= 200 && r->http.status < 300) {
		read_answer(r);
	} else {
		aws_fault_of(r, &f);
		if (!mend(r, &f) && !halve(r, &f))
			say_all(r, f.result, aws_fault_line(r, &f), r->http.retry_ms);
		if (!f.status && f.result == SK_SUNK_RETRY)
			d->trouble = aws_fault_line(r, &f);
	}
	hold_back(d, r);
}

/* -- sending -- */

/* Those that can be sent, next to each other; the others have been told why not. */
static size_t sign_all(struct delivery *d)
{
	size_t n = 0;

	for (size_t i = 0; i < d->requests; i++) {
		struct aws_request *r = &d->request[i];
		enum sk_sunk result;
		d->sink->service->write(r);
		const char *why = aws_request_sign(r, r->entry[0]->role, &result);
		if (!why) {
			d->request[n++] = *r;
			continue;
		}
		say_all(r, result, why, 0);
		hold_back(d, r);
	}
	return n;
}

static void round_trip(struct delivery *d)
{
	const struct aws_world *w = &d->sink->world;
	size_t n = sign_all(d);
	struct outbound_request *http = sk_alloc(d->arena, (n + 1) * sizeof *http);

	for (size_t i = 0; http && i < n; i++)
		http[i] = d->request[i].http;
	if (http && n)
		w->send(w->ctx, http, n, d->arena);
	for (size_t i = 0; i < n; i++) {
		if (http)
			d->request[i].http = http[i];
		settle(d, &d->request[i]);
	}
	if (w->now_ms(w->ctx) - d->began_ms > SEVERAL * d->sink->settings->timeout)
		d->trouble = "the service is slow: the rest waits";
}

bool aws_call(struct aws_request *r, const char *role, struct aws_fault *f)
{
	const struct aws_world *w = &r->sink->world;
	enum sk_sunk result;
	const char *why = aws_request_sign(r, role, &result);

	if (!why)
		w->send(w->ctx, &r->http, 1, r->arena);
	if (!why && r->http.status >= 200 && r->http.status < 300)
		return true;
	if (!why)
		aws_fault_of(r, f);
	else
		*f = (struct aws_fault){ .code = "", .message = why, .result = result, .everybody = true };
	return false;
}

void aws_deliver(const struct aws_sink *s, struct sk_sink_item *const *item, size_t n, struct sk_arena *a)
{
	struct delivery d = { .sink = s, .arena = a, .n = n, .began_ms = s->world.now_ms(s->world.ctx) };

	sk_sink_all(item, n, SK_SUNK_RETRY, "memory is out");
	d.entry = sk_alloc(a, n * sizeof *d.entry);
	d.request = sk_alloc(a, n * sizeof *d.request);
	if (a->failed)
		return;
	for (size_t i = 0; i < n; i++) {
		d.entry[i].item = item[i];
		prepare(&d, &d.entry[i]);
	}
	if (a->failed || !number_keys(&d))
		return;
	while (!d.trouble && pack_round(&d))
		round_trip(&d);
	for (size_t i = 0; i < n; i++)
		if (d.entry[i].state != AWS_DONE)
			say(&d.entry[i], SK_SUNK_RETRY, d.trouble ? d.trouble : a->failed ? "memory is out" : "it waits for one before it");
}

const char *aws_lane(const struct aws_service *s, const char *kind, const cJSON *fields, struct sk_arena *a)
{
	const cJSON *inner = sk_json_get(fields, "putItem");
	const char *name = s->resource ? sk_json_text(inner ? inner : fields, s->resource) : NULL, *template = name ? strstr(name, "${") : NULL;
	size_t n = template ? (size_t)(template - name) : name ? strlen(name) : 0;

	return n ? sk_printf(a, "%s %.*s", kind, (int)n, name) : kind;
}
