/* connection.c -- one connection to a NATS server. See connection.h.
 *
 * The protocol is spoken here and not by NATS's C library: that one shakes TLS's hands without an end in time, brings threads, ignores a signal for
 * the whole process, and tells of a refused message in another thread, after the batch that it was in. */
#include "plugins/sink_nats/connection.h"

#include <stdio.h>
#include <string.h>

#include "core/why.h"

enum { CREDENTIALS = 65536 };

#define failed(c, ...) sk_why((c)->link.why, sizeof (c)->link.why, __VA_ARGS__)

void nats_hang_up(struct nats_connection *c)
{
	dial_close(&c->link);
	c->open = false;
	c->in.have = c->in.taken = 0;
}

bool nats_something(const struct nats_connection *c)
{
	return c->in.taken < c->in.have || dial_pending(&c->link);
}

static int event(struct nats_connection *c, struct nats_event *e)
{
	for (;;) {
		long n = nats_next(c->in.bytes + c->in.taken, c->in.have - c->in.taken, e);
		if (n < 0)
			return failed(c, "the server speaks no NATS");
		if (!n && dial_more(&c->link, &c->in))
			return -1;
		c->in.taken += (size_t)n;
		if (!n)
			continue;
		if (e->kind == NATS_PING && dial_send(&c->link, "PONG\r\n", 6))
			return -1;
		return 0;
	}
}

int nats_event(struct nats_connection *c, struct nats_event *e)
{
	int rc = event(c, e);

	if (rc)
		nats_hang_up(c);
	return rc;
}

/* -- the greeting -- */

static const char *file_text(struct sk_arena *a, const char *path)
{
	char *text = sk_alloc_text(a, CREDENTIALS);
	FILE *f = text ? fopen(path, "re") : NULL;
	size_t n;

	if (!f)
		return NULL;
	n = fread(text, 1, CREDENTIALS - 1, f);
	text[n] = '\0';
	fclose(f);
	return text;
}

static int credentials(struct nats_connection *c, struct sk_arena *a, struct nats_credentials *out)
{
	const char *text = file_text(a, c->address.credentials), *fault;

	if (!text)
		return failed(c, "the credentials file cannot be read");
	fault = nats_credentials(a, text, out);
	return fault ? failed(c, "%s", fault) : 0;
}

static int info(struct nats_connection *c, struct sk_arena *a, const cJSON **out)
{
	struct nats_event e;

	if (event(c, &e))
		return -1;
	if (e.kind == NATS_ERROR)
		return failed(c, "%.*s", (int)(e.text.size < 200 ? e.text.size : 200), e.text.at);
	*out = e.kind == NATS_INFO ? sk_json_parse(a, e.text.at, e.text.size, NULL, NULL) : NULL;
	if (!cJSON_IsObject(*out))
		return failed(c, "the server speaks no NATS");
	c->headers = sk_json_true(*out, "headers");
	c->max_payload = sk_json_int_of(*out, "max_payload", 1 << 20);
	return 0;
}

/* A password never goes out in the clear when the rule says TLS. */
static int secure(struct nats_connection *c, const struct dial_to *to, const cJSON *in)
{
	if (!c->address.tls && !sk_json_true(in, "tls_required"))
		return 0;
	if (!sk_json_true(in, "tls_required") && !sk_json_true(in, "tls_available"))
		return failed(c, "the server offers no TLS");
	if (c->in.have != c->in.taken)
		return failed(c, "the server speaks no NATS");
	return dial_secure(&c->link, to);
}

/* CONNECT, the subscription for answers, and PING: the PONG says that all of it was taken. */
static int connected(struct nats_connection *c, struct sk_arena *a, const cJSON *in)
{
	struct nats_credentials known;
	struct nats_event e = { .kind = NATS_FINE };
	const char *line;

	if (c->address.credentials && credentials(c, a, &known))
		return -1;
	line = nats_connect_line(a, &c->address, c->address.credentials ? &known : NULL, in);
	if (line)
		line = sk_printf(a, "%sSUB %s.* 1\r\nPING\r\n", line, c->inbox);
	if (!line)
		return failed(c, "the seed of the credentials file is none, or memory is out");
	if (dial_send(&c->link, line, strlen(line)))
		return -1;
	while (e.kind != NATS_PONG) {
		if (event(c, &e))
			return -1;
		if (e.kind == NATS_ERROR)
			return failed(c, "%.*s", (int)(e.text.size < 200 ? e.text.size : 200), e.text.at);
	}
	return 0;
}

static int greet(struct nats_connection *c, const struct dial_to *to, struct sk_arena *a)
{
	const cJSON *in = NULL;

	c->in.have = c->in.taken = 0;
	if (c->address.tls && dial_prepare(&c->link, to))
		return -1;
	return dial_open(&c->link, to) || info(c, a, &in) || secure(c, to, in) || connected(c, a, in) ? -1 : 0;
}

/* Each server gets its part of the time that is left. */
int nats_dial(struct nats_connection *c, int64_t timeout, struct sk_arena *a)
{
	int64_t end = c->link.now() + timeout;
	size_t n = c->address.servers;

	for (size_t tried = 0; tried < n; tried++) {
		int64_t now = c->link.now();
		c->link.until = now + (end - now) / (int64_t)(n - tried);
		if (!greet(c, &c->address.server[c->server], a)) {
			c->open = true;
			return 0;
		}
		nats_hang_up(c);
		char why[DIAL_WHY];
		snprintf(why, sizeof why, "%s", c->link.why);
		failed(c, "%s: %.200s", c->address.shown[c->server], why);
		c->server = (c->server + 1) % n;
	}
	return -1;
}
