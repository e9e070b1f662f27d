/* connection.c -- one connection to an AMQP 0-9-1 server. See connection.h.
 *
 * The protocol is spoken here and not by librabbitmq: its writes to a server that takes nothing (an alarm of memory) have no end in time, and what it
 * does not expect ends the process. There are no heartbeats: an idle lane has nobody who would send them, and each batch has its time limit. */
#include "plugins/sink_amqp/connection.h"

#include <stdio.h>
#include <string.h>

#include "core/why.h"

enum { FAREWELL_MS = 200 };

#define failed(c, ...) sk_why((c)->link.why, sizeof (c)->link.why, __VA_ARGS__)

void amqp_hang_up(struct amqp_connection *c)
{
	dial_close(&c->link);
	c->open = c->channel = false;
	c->in.have = c->in.taken = 0;
}

bool amqp_something(const struct amqp_connection *c)
{
	return c->in.taken < c->in.have || dial_pending(&c->link);
}

static void copy(struct amqp_text t, char *to, size_t n)
{
	size_t size = t.size < n ? t.size : n - 1;

	memcpy(to, t.at, size);
	to[size] = '\0';
	for (char *p = to; *p; p++)
		if ((unsigned char)*p < ' ')
			*p = ' ';
}

void amqp_reason(const struct amqp_frame *f, char *to, size_t n)
{
	struct amqp_in in = amqp_reading(f);
	char text[AMQP_REASON];
	unsigned code;

	amqp_get(&in, 4);
	code = (unsigned)amqp_get(&in, 2);
	copy(amqp_get_short(&in), text, sizeof text);
	snprintf(to, n, "%u: %s", code, text);
}

/* -- sending -- */

static int send_method(struct amqp_connection *c, unsigned channel, uint32_t id, const struct amqp_out *arguments)
{
	char bytes[2048];
	struct amqp_out o = { .to = bytes };
	size_t begun = amqp_begin_method(&o, channel, id);

	if (arguments->n > sizeof bytes - 32)
		return failed(c, "the user or the password is too long");
	amqp_put(&o, arguments->to, arguments->n);
	amqp_end(&o, begun);
	int rc = dial_send(&c->link, bytes, o.n);
	OPENSSL_cleanse(bytes, sizeof bytes);
	return rc;
}

static int send_empty(struct amqp_connection *c, unsigned channel, uint32_t id)
{
	return send_method(c, channel, id, &(struct amqp_out){ 0 });
}

/* -- receiving -- */

/* What the connection itself is told: 0: nothing that matters, -1: its end. */
static int of_connection(struct amqp_connection *c, const struct amqp_frame *f, uint32_t id)
{
	struct amqp_in in = amqp_reading(f);

	amqp_get(&in, 4);
	if (id == AMQP_BLOCKED) {
		copy(amqp_get_short(&in), c->blocked, sizeof c->blocked);
		if (!*c->blocked)
			memcpy(c->blocked, "blocked", sizeof "blocked");
	}
	if (id == AMQP_UNBLOCKED)
		*c->blocked = '\0';
	if (id != AMQP_CLOSE)
		return 0;
	amqp_reason(f, c->link.why, sizeof c->link.why);
	send_empty(c, 0, AMQP_CLOSE_OK);
	return -1;
}

/* Any frame; *id 0: it is no method. */
static int frame(struct amqp_connection *c, struct amqp_frame *f, uint32_t *id)
{
	long n;

	while (!(n = amqp_next(c->in.bytes + c->in.taken, c->in.have - c->in.taken, AMQP_FRAME_MOST, f)))
		if (dial_more(&c->link, &c->in))
			return -1;
	if (n < 0)
		return failed(c, "the server speaks no AMQP 0-9-1");
	c->in.taken += (size_t)n;
	struct amqp_in in = amqp_reading(f);
	*id = f->type == AMQP_METHOD ? (uint32_t)amqp_get(&in, 4) : 0;
	return f->channel ? 0 : of_connection(c, f, *id);
}

int amqp_event(struct amqp_connection *c, struct amqp_frame *f, uint32_t *id)
{
	do {
		if (frame(c, f, id)) {
			amqp_hang_up(c);
			return -1;
		}
	} while (!f->channel);
	if (*id != AMQP_CHANNEL_CLOSE)
		return 0;
	c->channel = false;
	if (!send_empty(c, AMQP_CHANNEL, AMQP_CHANNEL_CLOSE_OK))
		return 0;
	amqp_hang_up(c);
	return -1;
}

/* Waits for one method; another one ends it. */
static int expect(struct amqp_connection *c, uint32_t wanted, struct amqp_frame *f)
{
	uint32_t id;

	do {
		if (frame(c, f, &id))
			return -1;
	} while (f->type == AMQP_HEARTBEAT || id == AMQP_BLOCKED || id == AMQP_UNBLOCKED);
	if (id == wanted)
		return 0;
	if (id == AMQP_CHANNEL_CLOSE)
		amqp_reason(f, c->link.why, sizeof c->link.why);
	else
		failed(c, "the server answers something else than AMQP 0-9-1 wants");
	return -1;
}

/* -- the greeting -- */

static int start_ok(struct amqp_connection *c)
{
	static const char *const abilities[] = { "publisher_confirms", "connection.blocked", "authentication_failure_close" };
	char bytes[2048], able[128];
	struct amqp_out o = { 0 }, table = { .to = able };
	const struct amqp_address *to = &c->address;
	size_t user = strlen(to->user), password = strlen(to->password);

	if (user + password > 1500)
		return failed(c, "the user or the password is too long");
	for (size_t i = 0; i < sizeof abilities / sizeof *abilities; i++) {
		amqp_put_short(&table, abilities[i]);
		amqp_put(&table, "t\1", 2);
	}
	o.to = bytes;
	amqp_put32(&o, (uint32_t)(13 + 5 + table.n + 8 + 5 + 7));
	amqp_put_short(&o, "capabilities");
	amqp_put8(&o, 'F');
	amqp_put_long(&o, able, table.n);
	amqp_put_short(&o, "product");
	amqp_put8(&o, 'S');
	amqp_put_long(&o, "skeeter", 7);
	amqp_put_short(&o, "PLAIN");
	amqp_put32(&o, (uint32_t)(2 + user + password));
	amqp_put8(&o, 0);
	amqp_put(&o, to->user, user);
	amqp_put8(&o, 0);
	amqp_put(&o, to->password, password);
	amqp_put_short(&o, "en_US");
	int rc = send_method(c, 0, AMQP_START_OK, &o);
	OPENSSL_cleanse(bytes, sizeof bytes);
	return rc;
}

static int tune(struct amqp_connection *c, const struct amqp_frame *f)
{
	struct amqp_in in = amqp_reading(f);
	char bytes[16];
	struct amqp_out o = { .to = bytes };
	uint64_t most;

	amqp_get(&in, 4);
	amqp_get(&in, 2);
	most = amqp_get(&in, 4);
	c->frame_most = most >= 4096 && most < AMQP_FRAME_MOST ? (size_t)most : AMQP_FRAME_MOST;
	amqp_put16(&o, AMQP_CHANNEL);
	amqp_put32(&o, (uint32_t)c->frame_most);
	amqp_put16(&o, 0);
	return send_method(c, 0, AMQP_TUNE_OK, &o);
}

static int open_vhost(struct amqp_connection *c)
{
	char bytes[300];
	struct amqp_out o = { .to = bytes };

	amqp_put_short(&o, c->address.vhost);
	amqp_put16(&o, 0);
	return send_method(c, 0, AMQP_OPEN, &o);
}

static int greet(struct amqp_connection *c)
{
	const struct dial_to *to = &c->address.to;
	bool tls = c->address.tls;
	struct amqp_frame f;

	*c->blocked = '\0';
	if ((tls && dial_prepare(&c->link, to)) || dial_open(&c->link, to) || (tls && dial_secure(&c->link, to)))
		return -1;
	if (dial_send(&c->link, "AMQP\0\0\11\1", 8) || expect(c, AMQP_START, &f) || start_ok(c))
		return -1;
	return expect(c, AMQP_TUNE, &f) || tune(c, &f) || open_vhost(c) || expect(c, AMQP_OPEN_OK, &f) ? -1 : 0;
}

static int open_channel(struct amqp_connection *c)
{
	struct amqp_frame f;

	c->tag = 0;
	if (send_method(c, AMQP_CHANNEL, AMQP_CHANNEL_OPEN, &(struct amqp_out){ .to = "", .n = 1 }) || expect(c, AMQP_CHANNEL_OPEN_OK, &f))
		return -1;
	return send_method(c, AMQP_CHANNEL, AMQP_CONFIRM, &(struct amqp_out){ .to = "", .n = 1 }) || expect(c, AMQP_CONFIRM_OK, &f) ? -1 : 0;
}

int amqp_ready(struct amqp_connection *c, struct sk_arena *a)
{
	if (c->open && c->channel)
		return 0;
	if ((c->open || !greet(c)) && !open_channel(c)) {
		c->open = c->channel = true;
		return 0;
	}
	amqp_hang_up(c);
	const char *why = sk_strdup(a, c->link.why);
	return failed(c, "%s: %s", c->address.shown, why ? why : "out of memory");
}

void amqp_farewell(struct amqp_connection *c)
{
	char bytes[16];
	struct amqp_out o = { .to = bytes };
	struct amqp_frame f;

	if (!c->open)
		return;
	amqp_put16(&o, 200);
	amqp_put_short(&o, "");
	amqp_put32(&o, 0);
	c->link.until = c->link.now() + FAREWELL_MS;
	if (!send_method(c, 0, AMQP_CLOSE, &o))
		expect(c, AMQP_CLOSE_OK, &f);
	amqp_hang_up(c);
}
