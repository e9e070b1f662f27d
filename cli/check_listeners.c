/* check_listeners.c -- each listener: is it encrypted, must a client show a certificate, may anybody come in; and the operators' sockets. */
#include "cli/check.h"

#include <string.h>

struct listener {
	const struct config_line *line; /* its first; NULL: the default listener that no line names */
	const char *port, *address;
	bool certfile, require, trust, psk;
	const struct config_line *max_qos;
};

static bool is(const struct config_line *l, const char *key)
{
	return strcmp(l->key, key) == 0;
}

static bool is_true(const struct config_line *l)
{
	return l && (strcmp(l->value, "true") == 0 || strcmp(l->value, "1") == 0);
}

static void begin(struct check *c, struct listener *x, const struct config_line *l)
{
	size_t n = strcspn(l->value, " \t");
	*x = (struct listener){ .line = l, .port = sk_strndup(c->arena, l->value, n) };
	x->address = l->value + n + strspn(l->value + n, " \t");
}

static void take(struct listener *x, const struct config_line *l)
{
	x->certfile |= is(l, "certfile");
	x->trust |= is(l, "cafile") || is(l, "capath");
	x->psk |= is(l, "psk_hint");
	if (is(l, "require_certificate"))
		x->require = is_true(l);
	if (is(l, "max_qos"))
		x->max_qos = l;
	if (is(l, "bind_address"))
		x->address = l->value;
}

static bool is_local(const struct listener *x)
{
	return strcmp(x->address, "localhost") == 0 || strncmp(x->address, "127.", 4) == 0 || strcmp(x->address, "::1") == 0;
}

static bool is_unix(const struct listener *x)
{
	return strcmp(x->port, "0") == 0;
}

static void judge_tls(struct check *c, const struct listener *x, const char *what, bool anonymous)
{
	if (x->require && !x->trust)
		check_add(c, CHECK_ERROR, x->line, what, "require_certificate needs to know whose certificates are good, and the broker would not start", "cafile or capath below it");
	if (!x->require)
		check_add(c, CHECK_WARNING, x->line, sk_printf(c->arena, "%s without require_certificate", what),
		          anonymous ? "allow_anonymous lets everybody in who reaches it" : "clients without a certificate may come in by a password", "require_certificate true");
	if (!x->max_qos || strcmp(x->max_qos->value, "2") == 0)
		check_add(c, CHECK_NOTE, x->max_qos ? x->max_qos : x->line, sk_printf(c->arena, "%s takes QoS 2", what), "AWS has none", "max_qos 1");
}

static void judge(struct check *c, const struct listener *x, bool anonymous)
{
	const char *what = sk_printf(c->arena, "listener %s%s%s", x->port, *x->address ? " " : "", x->address);
	if (is_unix(x))
		return;
	if (x->certfile || x->psk)
		judge_tls(c, x, what, anonymous);
	else if (is_local(x))
		check_add(c, CHECK_NOTE, x->line, sk_printf(c->arena, "%s is not encrypted", what), "every user of this machine reaches it", "a unix socket, which has an owner: listener 0 PATH");
	else if (anonymous)
		check_add(c, CHECK_ERROR, x->line, sk_printf(c->arena, "%s is open", what), "with allow_anonymous, whoever reaches it may publish and subscribe", "allow_anonymous false, and certfile, keyfile, cafile, require_certificate true below the listener");
	else
		check_add(c, CHECK_WARNING, x->line, sk_printf(c->arena, "%s is not encrypted", what), "passwords and messages can be read on the way", "certfile, keyfile, cafile, require_certificate true below it");
}

/* -- operators -- */

static bool is_listener_path(const struct check *c, const char *path, size_t n)
{
	for (const struct config_line *l = c->config->first; l; l = l->next) {
		const char *at = l->value + 1 + strspn(*l->value ? l->value + 1 : "", " \t");
		if (is(l, "listener") && *l->value == '0' && strlen(at) == n && strncmp(at, path, n) == 0)
			return true;
	}
	return false;
}

static void judge_operators(struct check *c)
{
	const struct config_line *l = config_find(c->config, "plugin_opt_operators");
	for (const char *p = l ? l->value : ""; *p;) {
		size_t n = strcspn(p, " ,");
		if (memchr(p, '/', n) && !is_listener_path(c, p, n))
			check_add(c, CHECK_ERROR, l, sk_printf(c->arena, "operators' socket %.*s", (int)n, p), "no listener of this broker is there",
			          sk_printf(c->arena, "listener 0 %.*s", (int)n, p));
		p += n;
		p += strspn(p, " ,");
	}
	if (!l && config_find(c->config, "plugin"))
		check_add(c, CHECK_NOTE, NULL, "no plugin_opt_operators", "nobody could use the skeeter command", "plugin_opt_operators PATH of a unix-socket listener, below skeeter_core.so");
}

void check_listeners(struct check *c)
{
	struct listener x = { .port = "" };
	bool anonymous = is_true(config_find(c->config, "allow_anonymous")), any = false;
	for (const struct config_line *l = c->config->first; l; l = l->next) {
		if (is(l, "listener") || is(l, "port")) {
			if (*x.port)
				judge(c, &x, anonymous);
			begin(c, &x, l);
			any = true;
		} else {
			take(&x, l);
		}
	}
	if (*x.port)
		judge(c, &x, anonymous);
	if (!any)
		check_add(c, CHECK_NOTE, NULL, "no listener", "only this machine would reach the broker, at localhost:1883", "listener 8883 with certfile, keyfile, cafile, require_certificate true");
	judge_operators(c);
}
