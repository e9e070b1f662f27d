/* serve.c -- see serve.h. The gate is held for reading as long as a row or the runtime is looked at, so that the end of the broker waits for it. */
#include "plugins/http/serve.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "core/invoke.h"
#include "core/plugin.h"
#include "core/runtime.h"
#include "plugins/http/device.h"
#include "plugins/http/identity.h"
#include "plugins/http/metrics.h"
#include "plugins/http/reply.h"
#include "plugins/http/request.h"
#include "plugins/http/route.h"
#include "plugins/http/server.h"

#define ENDING "The broker is shutting down"

/* -- who asks -- */

static const char *host_service(const struct http_call *x)
{
	const char *host = request_header(&x->wire, "host");
	return host ? route_host_service(host) : "";
}

/* Whoever looks at a page with a browser on this machine lets that page send requests to its loopback addresses: across origins, which the
 * browser says, or under a name of the page's own that now means 127.0.0.1. */
static bool is_from_page(const struct http_call *x)
{
	static const char aws[] = ".amazonaws.com";
	const char *host = request_header(&x->wire, "host");
	if (request_header(&x->wire, "origin"))
		return true;
	if (!host || *host == '[')
		return false;
	size_t n = strcspn(host, ":"), tail = sizeof aws - 1;
	bool ours = strspn(host, "0123456789.") == n || (n == 9 && !strncasecmp(host, "localhost", n)) ||
	            (n > tail && !strncasecmp(host + n - tail, aws, tail));
	return !ours;
}

/* Without a key the scope of a signature still says which service and region are meant. */
static int identify_open(struct http_call *x, struct sigv4_refusal *no)
{
	struct sigv4_claim claim;
	if (is_from_page(x)) {
		*no = (struct sigv4_refusal){ 403, "ForbiddenException", "A server that asks nobody is not there for pages in a browser" };
		return -1;
	}
	if (sigv4_is_signed(&x->wire) && !sigv4_read(&x->arena, &x->wire, &claim, no)) {
		x->service = route_signed_service(claim.service);
		x->caller.region = claim.region;
	}
	return 0;
}

static void authorize_open(struct http_call *x)
{
	serve_admit(x);
}

static const struct { http_identify *identify; http_authorize *authorize; } access[HTTP_ACCESSES] = {
	[HTTP_SIGNED] = { identity_of, identity_judge },
	[HTTP_OPEN] = { identify_open, authorize_open },
	[HTTP_DEVICE] = { device_identify, device_authorize },
};

/* -- what is asked -- */

/* A second has at most one line of it, whoever asks how often. */
static void log_unknown(struct http_call *x, const char *what)
{
	char line[320];
	int64_t now_s = x->now_ms / 1000;
	SK_COUNT(x->state->count.unknown);
	if (atomic_exchange(&x->state->unknown_logged_s, now_s) == now_s)
		return;
	snprintf(line, sizeof line, "%.16s %.200s%s%.40s", x->wire.method, what, *x->service ? " of service " : "", x->service);
	for (char *at = line; *at; at++)
		*at = *at >= ' ' && *at < 0x7f ? *at : '?';
	sk_log('w', "http", "no loaded plugin has the operation %s", line);
}

static bool find_target(struct http_call *x)
{
	const char *target = strcmp(x->wire.path, "/") ? NULL : request_header(&x->wire, "x-amz-target");
	x->row = target ? routes_target(x->state->routes, x->service, target) : NULL;
	if (target && !x->row)
		log_unknown(x, target);
	return target != NULL;
}

static bool find(struct http_call *x)
{
	struct http_match m;
	enum http_found found = ROUTE_UNKNOWN;
	if (!find_target(x)) {
		found = routes_find(x->state->routes, x->service, x->wire.method, x->wire.path, &m);
		if (found != ROUTE_FOUND)
			log_unknown(x, x->wire.path);
	}
	if (found == ROUTE_FOUND) {
		x->row = m.row;
		x->captures = m.captures;
		memcpy(x->capture, m.capture, sizeof x->capture);
	}
	if (!x->row && found == ROUTE_OTHER_VERB && !strcmp(x->service, "iotdata"))
		reply_error(x, SK_E_METHOD_NOT_ALLOWED, "The method is not allowed for this resource", NULL);
	else if (!x->row)
		reply_error(x, SK_E_UNKNOWN_OPERATION, "The operation is not known here", NULL);
	return x->row != NULL;
}

/* -- the runtime -- */

static void answered(void *arg)
{
	server_answered(arg);
}

/* A worker or the broker's thread. What others must see before the answer is ahead of it in the outbox. */
static void finished(struct sk_request *r, const struct sk_answer *a)
{
	struct http_call *x = r->finish_ctx;
	struct sk_outgoing *item = NULL;
	if (a->error)
		reply_error(x, a->error, a->message, a->out);
	else
		reply_output(x, a->out);
	if (a->outgoing && !a->quiet)
		item = sk_out_add(a->outgoing, SK_OUT_CALL, NULL, NULL, NULL, 0);
	if (!item) {
		server_answered(x);
		return;
	}
	item->call = item->drop = answered;
	item->state = x;
}

static int invoke(struct http_call *x, struct sk_runtime *rt, const char **message)
{
	size_t n = 0;
	const char *text = sk_json_print(&x->arena, x->in, &n);
	if (!text)
		return SK_E_UNAVAILABLE;
	bool raw = sk_inputs_raw(x->row->inputs) != NULL;
	struct sk_invocation v = { .row = x->row, .caller = &x->caller, .in = x->in, .text = text, .size = n, .finish = finished, .ctx = x,
		                   .body = raw ? x->body.data ? x->body.data : "" : NULL, .body_size = raw ? x->body.size : 0 };
	return sk_runtime_invoke(rt, &v, &x->arena, message);
}

void serve_admit(struct http_call *x)
{
	struct http_state *s = x->state;
	const char *message = ENDING;
	pthread_rwlock_rdlock(&s->gate);
	int rc = s->rt ? invoke(x, s->rt, &message) : SK_E_UNAVAILABLE;
	if (rc) {
		if (rc == SK_E_THROTTLING)
			SK_COUNT(s->count.throttled);
		reply_error(x, rc, message, NULL);
		server_answered(x);
	}
	pthread_rwlock_unlock(&s->gate);
}

void serve_refuse(struct http_call *x, const struct sigv4_refusal *no)
{
	SK_COUNT(x->state->count.unauthorized);
	reply_refusal(x, no);
	server_answered(x);
}

/* -- what needs no operation -- */

static void healthz(struct http_call *x, struct sk_runtime *rt)
{
	(void)rt;
	reply_text(x, 200, "text/plain", "ok\n");
}

/* What a plugin waits for, or NULL. */
static const char *unready(const struct sk_runtime *rt)
{
	const char *why = NULL;
	for (int i = 0; i < rt->loaded_count && !why; i++)
		if (rt->loaded[i].plugin->unready)
			why = rt->loaded[i].plugin->unready(rt->loaded[i].state);
	return why;
}

static void readyz(struct http_call *x, struct sk_runtime *rt)
{
	const char *why = rt ? unready(rt) : NULL;
	if (!rt)
		reply_text(x, 503, "text/plain", "the broker is shutting down\n");
	else if (rt->store->ops->pressed(rt->store))
		reply_text(x, 503, "text/plain", "the store has more to write than it takes\n");
	else if (why)
		reply_text(x, 503, "text/plain", sk_printf(&x->arena, "%s\n", why));
	else
		reply_text(x, 200, "text/plain", "ok\n");
}

static void metrics(struct http_call *x, struct sk_runtime *rt)
{
	const char *text = rt ? metrics_text(&x->arena, x->state, rt, server_connections(x->state->server)) : NULL;
	if (text)
		reply_text(x, 200, "text/plain; version=0.0.4; charset=utf-8", text);
	else
		reply_text(x, 503, "text/plain", "no figures: the broker is shutting down or memory is out\n");
}

static const struct { const char *path; void (*answer)(struct http_call *, struct sk_runtime *); bool figures; } pages[] = {
	{ "/healthz", healthz, false },
	{ "/readyz", readyz, false },
	{ "/metrics", metrics, true },
	{ 0 }
};

static bool serve_page(struct http_call *x)
{
	if (x->access == HTTP_DEVICE || (strcmp(x->wire.method, "GET") && strcmp(x->wire.method, "HEAD")))
		return false;
	for (size_t i = 0; pages[i].path; i++) {
		if (strcmp(pages[i].path, x->wire.path) || (pages[i].figures && !x->state->metrics))
			continue;
		pages[i].answer(x, x->state->rt);
		return true;
	}
	return false;
}

/* -- all of it -- */

/* A region becomes part of ARNs. */
static const char *region_of(const struct sk_caller *c)
{
	size_t n = c->region ? strspn(c->region, "abcdefghijklmnopqrstuvwxyz0123456789-") : 0;
	return n && n <= 32 && !c->region[n] ? c->region : "";
}

static void identify_nobody(struct http_call *x)
{
	x->caller = (struct sk_caller){ .kind = SK_HTTP, .client_id = "", .principal = "", .region = "" };
	x->service = "iot";
}

static bool identified(struct http_call *x)
{
	struct sigv4_refusal no = { 0 };
	x->caller = (struct sk_caller){ .kind = SK_HTTP, .client_id = "", .principal = "", .region = "" };
	x->service = host_service(x);
	int rc = access[x->access].identify(x, &no);
	x->caller.region = region_of(&x->caller);
	if (!rc)
		return true;
	SK_COUNT(x->state->count.unidentified);
	reply_refusal(x, &no);
	return false;
}

/* Whoever has what the route of such a row asks for may call it without a signature: a link in a browser. */
static bool is_open(struct http_call *x)
{
	struct http_match m;

	return x->access == HTTP_SIGNED && !sigv4_is_signed(&x->wire) && routes_find(x->state->routes, "iot", x->wire.method, x->wire.path, &m) == ROUTE_FOUND &&
	       m.row->op->about && strstr(m.row->op->about, " open");
}

static bool understood(struct http_call *x)
{
	const char *message;
	if (!find(x))
		return false;
	int rc = request_bind(x, &message);
	if (!rc && server_has_room(x))
		return true;
	reply_error(x, message ? SK_E_INVALID_REQUEST : SK_E_UNAVAILABLE, message, NULL);
	return false;
}

/* true: the answer is there. */
static bool serve(struct http_call *x)
{
	if (serve_page(x))
		return true;
	if (!x->state->rt) {
		reply_error(x, SK_E_UNAVAILABLE, ENDING, NULL);
		return true;
	}
	bool open = is_open(x);
	if (open)
		identify_nobody(x);
	if ((!open && !identified(x)) || !understood(x))
		return true;
	if (open)
		serve_admit(x);
	else
		access[x->access].authorize(x);
	return false;
}

bool serve_call(struct http_call *x)
{
	SK_COUNT(x->state->count.requests);
	pthread_rwlock_rdlock(&x->state->gate);
	bool there = serve(x);
	pthread_rwlock_unlock(&x->state->gate);
	return there;
}

int serve_open(struct http_state *s, struct sk_runtime *rt, char *why, size_t why_size)
{
	s->routes = routes_new(&s->memory, rt->loaded, rt->loaded_count);
	if (!s->routes) {
		snprintf(why, why_size, "memory is out");
		return -1;
	}
	pthread_rwlock_wrlock(&s->gate);
	s->rt = rt;
	pthread_rwlock_unlock(&s->gate);
	return 0;
}

void serve_close(struct http_state *s)
{
	pthread_rwlock_wrlock(&s->gate);
	s->rt = NULL;
	pthread_rwlock_unlock(&s->gate);
}
