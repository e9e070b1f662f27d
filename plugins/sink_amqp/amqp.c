/* amqp.c -- the sink `amqp`: a batch is published whole, then the server confirms each message, or returns it.
 *
 * A message that the server cannot take at all (no such exchange) closes the channel, and does not say which one it was: then what was not
 * confirmed goes again over a new channel, each alone, and the one that closes that is to blame. */
#include "plugins/sink_amqp/amqp.h"

#include <string.h>

#include "core/why.h"
#include "plugins/sink_amqp/connection.h"

struct amqp {
	struct sk_arena arena;     /* holds this too */
	struct amqp_settings settings;
	struct amqp_connection connection;
};

const char amqp_fields_of_connection[] = "url user password tls.ca tls.certificate tls.key";

const char *amqp_check(const cJSON *fields, struct sk_arena *a)
{
	struct amqp_address address;
	const char *url = sk_json_text(fields, "url");

	SK_JSON_EACH(one, sk_json_get(fields, "headers"))
		if (!cJSON_IsString(one) || !*one->string || strlen(one->string) > 255)
			return "each member of headers must have a name of at most 255 bytes and be a string";
	return url && !strstr(url, "${") ? amqp_address(fields, a, &address) : NULL;
}

/* -- messages under way -- */

enum end { ALL, CHANNEL_CLOSED, LOST };
struct run {
	struct amqp *amqp;
	struct sk_arena *a;
	struct sk_sink_item *item[AMQP_BATCH]; /* as they were published: the first has tag `first` */
	bool confirmed[AMQP_BATCH];
	size_t n, open;
	uint64_t first;
	const char *returned;      /* why the message is returned whose header comes next; NULL: none is */
	const char *why;           /* of CHANNEL_CLOSED and LOST */
};

static const char *keep(struct sk_arena *a, const char *text)
{
	const char *kept = sk_strdup(a, text);

	return kept ? kept : "out of memory";
}

static void confirm(struct run *r, size_t i, bool taken)
{
	if (r->confirmed[i])
		return;
	r->confirmed[i] = true;
	r->open--;
	if (r->item[i]->result == SK_SUNK_FAIL) /* it was returned before */
		return;
	r->item[i]->result = taken ? SK_SUNK_OK : SK_SUNK_RETRY;
	r->item[i]->why = taken ? NULL : "refused by a queue (basic.nack)";
}

/* basic.ack and basic.nack: a tag, and whether all before it are meant too. */
static void on_confirm(struct run *r, const struct amqp_frame *f, bool taken)
{
	struct amqp_in in = amqp_reading(f);
	uint64_t tag;
	bool multiple;

	amqp_get(&in, 4);
	tag = amqp_get(&in, 8);
	multiple = amqp_get(&in, 1) & 1;
	if (in.bad)
		return;
	for (size_t i = 0; i < r->n; i++)
		if (r->first + i == tag || (multiple && (!tag || r->first + i < tag)))
			confirm(r, i, taken);
}

static void on_return(struct run *r, const struct amqp_frame *f)
{
	char why[AMQP_REASON];

	amqp_reason(f, why, sizeof why);
	r->returned = sk_printf(r->a, "returned: %s", why);
	if (!r->returned)
		r->returned = "returned";
}

/* The header of what is returned: its confirmation is still to come. */
static void on_header(struct run *r, const struct amqp_frame *f)
{
	struct amqp_text id = amqp_message_id(f);

	for (size_t i = 0; r->returned && i < r->n; i++)
		if (strlen(r->item[i]->id) == id.size && !memcmp(r->item[i]->id, id.at, id.size)) {
			r->item[i]->result = SK_SUNK_FAIL;
			r->item[i]->why = r->returned;
		}
	r->returned = NULL;
}

static enum end lost(struct run *r)
{
	const struct amqp_connection *c = &r->amqp->connection;

	r->why = *c->blocked ? sk_printf(r->a, "the server takes nothing: %s", c->blocked) : sk_strdup(r->a, c->link.why);
	if (!r->why)
		r->why = "out of memory";
	return LOST;
}

/* Until each message has been confirmed. */
static enum end confirmations(struct run *r)
{
	struct amqp_frame f;
	uint32_t id;
	char why[AMQP_REASON];

	while (r->open) {
		if (amqp_event(&r->amqp->connection, &f, &id))
			return lost(r);
		if (f.type == AMQP_HEADER)
			on_header(r, &f);
		if (id == AMQP_RETURN)
			on_return(r, &f);
		if (id == AMQP_ACK || id == AMQP_NACK)
			on_confirm(r, &f, id == AMQP_ACK);
		if (id != AMQP_CHANNEL_CLOSE)
			continue;
		amqp_reason(&f, why, sizeof why);
		r->why = keep(r->a, why);
		return CHANNEL_CLOSED;
	}
	return ALL;
}

static char *frames(const struct run *r, size_t *size)
{
	const size_t most = r->amqp->connection.frame_most;
	struct amqp_out counted = { 0 }, out = { 0 };

	for (size_t i = 0; i < r->n; i++)
		amqp_publish(&counted, r->item[i], most);
	out.to = sk_alloc_text(r->a, counted.n + 1);
	for (size_t i = 0; out.to && i < r->n; i++)
		amqp_publish(&out, r->item[i], most);
	*size = out.n;
	return out.to;
}

/* Publishes what is in r->item, within the time that link.until leaves. */
static enum end publish(struct run *r)
{
	struct amqp_connection *c = &r->amqp->connection;
	size_t size;
	char *bytes;

	if (amqp_ready(c, r->a))
		return lost(r);
	bytes = frames(r, &size);
	if (!bytes) {
		r->why = "out of memory";
		return LOST;
	}
	r->first = c->tag + 1;
	r->open = r->n;
	c->tag += r->n;
	if (!dial_send(&c->link, bytes, size))
		return confirmations(r);
	enum end end = lost(r);
	amqp_hang_up(c);
	return end;
}

/* -- a batch -- */

static bool waits(const struct sk_sink_item *i)
{
	return i->result == SK_SUNK_RETRY && !i->why;
}

static void not_now(struct sk_sink_item *const *item, size_t n, const char *why)
{
	for (size_t i = 0; i < n; i++)
		if (waits(item[i]))
			item[i]->why = why;
}

static struct run run_of(struct amqp *s, struct sk_arena *a, struct sk_sink_item *const *item, size_t n)
{
	struct run r = { .amqp = s, .a = a };

	for (size_t i = 0; i < n; i++)
		if (waits(item[i]))
			r.item[r.n++] = item[i];
	return r;
}

/* An old connection may have ended, or be blocked. */
static bool blocked(struct amqp *s, struct sk_sink_item *const *item, size_t n, struct sk_arena *a)
{
	struct amqp_connection *c = &s->connection;
	struct amqp_frame f;
	uint32_t id;

	while (c->open && amqp_something(c))
		amqp_event(c, &f, &id);
	if (!c->open || !*c->blocked)
		return false;
	const char *why = sk_printf(a, "the server takes nothing: %s", c->blocked);
	not_now(item, n, why ? why : "out of memory");
	return true;
}

static void blame(struct sk_sink_item *i, const char *why)
{
	if (!waits(i))
		return;
	i->result = SK_SUNK_FAIL;
	i->why = why;
}

static void one_by_one(struct amqp *s, struct sk_sink_item *const *item, size_t n, struct sk_arena *a)
{
	for (size_t i = 0; i < n; i++) {
		struct run r = run_of(s, a, item + i, 1);
		enum end end = r.n ? publish(&r) : ALL;
		if (end == LOST) {
			not_now(item + i, n - i, r.why);
			return;
		}
		if (end == CHANNEL_CLOSED)
			blame(item[i], r.why);
	}
}

static void deliver(struct amqp *s, struct sk_sink_item *const *item, size_t n, struct sk_arena *a)
{
	struct amqp_connection *c = &s->connection;

	c->link.until = c->link.now() + s->settings.timeout;
	for (size_t i = 0; i < n; i++)
		item[i]->why = NULL;
	if (blocked(s, item, n, a))
		return;
	for (size_t i = 0; i < n; i++) {
		item[i]->why = amqp_item_fault(item[i]);
		if (item[i]->why)
			item[i]->result = SK_SUNK_FAIL;
	}
	struct run r = run_of(s, a, item, n);
	enum end end = r.n ? publish(&r) : ALL;
	if (end == LOST)
		not_now(item, n, r.why);
	if (end == CHANNEL_CLOSED && r.n > 1)
		one_by_one(s, item, n, a);
	else if (end == CHANNEL_CLOSED)
		blame(r.item[0], r.why);
}

void amqp_deliver(void *sink, struct sk_sink_item *const *item, size_t n, struct sk_arena *a)
{
	for (size_t i = 0; i < n; i += AMQP_BATCH)
		deliver(sink, item + i, n - i < AMQP_BATCH ? n - i : AMQP_BATCH, a);
}

/* -- a lane's life -- */

void *amqp_open(void *state, const cJSON *fields, char *why, size_t why_size)
{
	const struct amqp_settings *settings = state;
	struct sk_arena a = { 0 };
	struct amqp *s = sk_alloc(&a, sizeof *s);
	const char *fault = s ? amqp_address(sk_json_copy(&a, fields), &a, &s->connection.address) : "out of memory";

	if (s)
		s->connection.in = (struct dial_input){ .bytes = sk_alloc_text(&a, AMQP_FRAME_MOST), .room = AMQP_FRAME_MOST };
	if (fault || a.failed) {
		sk_why(why, why_size, "%s", fault ? fault : "out of memory");
		sk_arena_free(&a);
		return NULL;
	}
	s->settings = *settings;
	s->connection.link = (struct dial){ .now = settings->now, .fd = -1 };
	s->arena = a;
	return s;
}

void amqp_close(void *sink)
{
	struct amqp *s = sink;
	struct sk_arena a = s->arena;

	amqp_farewell(&s->connection);
	sk_arena_free(&a);
}
