/* device_judge.c -- the index of certificates and policies is the broker's thread's: the question goes there (core/ask.h), and the operation on from
 * there, one turn of its loop later. */
#include "core/plugin.h"
#include "plugins/http/device.h"
#include "plugins/http/serve.h"

static const struct sigv4_refusal forbidden = { 403, "ForbiddenException", "Forbidden" };
static const struct sigv4_refusal unavailable = { 503, "ServiceUnavailableException", "Service unavailable" };

/* Nobody to ask: skeeter_auth is not loaded, or the broker ends. */
static void answered(struct sk_ask *ask)
{
	struct http_call *x = ask->context;
	if (ask->verdict == SK_ALLOW)
		serve_admit(x);
	else
		serve_refuse(x, ask->verdict == SK_DENY ? &forbidden : &unavailable);
}

void device_authorize(struct http_call *x)
{
	struct sk_ask *ask = sk_alloc(&x->arena, sizeof *ask);
	if (!ask) {
		serve_refuse(x, &unavailable);
		return;
	}
	*ask = (struct sk_ask){ .der = x->peer.der, .der_size = x->peer.size, .address = x->address, .answered = answered, .context = x };
	ask->permissions = device_permissions(&x->arena, x->row->name, x->in, ask->permission);
	if (!ask->permissions)
		serve_refuse(x, &forbidden);
	else if (sk_ask(x->state->rt, ask))
		serve_refuse(x, &unavailable);
}
