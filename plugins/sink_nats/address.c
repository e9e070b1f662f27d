/* address.c -- nats://host:port[,nats://host:port...], tls://, and who one is there. See address.h.
 *
 * What stands in a field of its own comes before what stands in the URL. */
#include "plugins/sink_nats/address.h"

#include <string.h>

#include "core/url.h"

static const char *one(struct sk_arena *a, const char *text, struct nats_address *out)
{
	struct sk_url u;
	const char *fault = sk_url_parse(a, text, &u);

	if (fault)
		return fault;
	if (strcmp(u.scheme, "nats") && strcmp(u.scheme, "tls"))
		return "url must be nats:// or tls://, or some of them with commas between";
	if (!*u.host)
		return "the URL has no host";
	if ((u.path && *u.path) || u.query)
		return "nothing may follow the host of the URL";
	out->tls |= !strcmp(u.scheme, "tls");
	if (u.user && !u.password)
		return "the URL has a user without a password; a token stands in `token`";
	if (u.user) {
		out->user = u.user;
		out->password = u.password;
	}
	out->server[out->servers] = (struct dial_to){ .host = u.host, .port = u.port ? u.port : NATS_PORT };
	out->shown[out->servers] = sk_printf(a, strchr(u.host, ':') ? "[%s]:%d" : "%s:%d", u.host, out->server[out->servers].port);
	out->servers++;
	return NULL;
}

static const char *servers(struct sk_arena *a, const char *url, struct nats_address *out)
{
	const char *fault = NULL;

	while (!fault) {
		size_t n = strcspn(url, ",");
		if (out->servers == NATS_SERVERS)
			return "more than 16 servers";
		const char *text = sk_strndup(a, url, n);
		fault = text ? one(a, text, out) : "out of memory";
		if (!url[n])
			break;
		url += n + 1;
	}
	return fault;
}

static const char *who(const cJSON *fields, struct nats_address *out)
{
	const char *user = sk_json_text(fields, "user"), *password = sk_json_text(fields, "password"), *token = sk_json_text(fields, "token");

	out->user = user ? user : out->user;
	out->password = password ? password : out->password;
	out->token = token ? token : out->token;
	out->credentials = sk_json_text(fields, "credentials");
	if (!out->user != !out->password)
		return "user and password go together";
	return !!out->user + !!out->token + !!out->credentials > 1 ? "more than one of user, token and credentials" : NULL;
}

const char *nats_address(const cJSON *fields, struct sk_arena *a, struct nats_address *out)
{
	const char *url = sk_json_text(fields, "url"), *fault;
	const cJSON *tls = sk_json_get(fields, "tls");

	*out = (struct nats_address){ 0 };
	fault = url ? servers(a, url, out) : "there is no url";
	if (!fault)
		fault = who(fields, out);
	if (fault)
		return fault;
	if (tls && !cJSON_IsNull(tls))
		out->tls = true;
	for (size_t i = 0; i < out->servers; i++) {
		out->server[i].ca = sk_json_text(tls, "ca");
		out->server[i].certificate = sk_json_text(tls, "certificate");
		out->server[i].key = sk_json_text(tls, "key");
	}
	return !out->server[0].certificate != !out->server[0].key ? "tls.certificate and tls.key go together" : NULL;
}

const char *nats_connect_line(struct sk_arena *a, const struct nats_address *to, const struct nats_credentials *c, const cJSON *info)
{
	const char *nonce = sk_json_text(info, "nonce"), *text;
	cJSON *o = sk_json_object(a);

	sk_json_set_bool(a, o, "verbose", false);
	sk_json_set_bool(a, o, "pedantic", false);
	sk_json_set_bool(a, o, "tls_required", to->tls);
	sk_json_set_bool(a, o, "echo", false);
	sk_json_set_bool(a, o, "headers", true);
	sk_json_set_bool(a, o, "no_responders", true);
	sk_json_set_int(a, o, "protocol", 1);
	sk_json_set_string(a, o, "lang", "c");
	sk_json_set_string(a, o, "version", "1.0.0");
	sk_json_set_string(a, o, "name", "skeeter");
	sk_json_set_string(a, o, "user", to->user);
	sk_json_set_string(a, o, "pass", to->password);
	sk_json_set_string(a, o, "auth_token", to->token);
	if (c && nonce) {
		const char *signature = nats_sign(a, c->seed, nonce);
		if (!signature)
			return NULL;
		sk_json_set_string(a, o, "jwt", c->jwt);
		sk_json_set_string(a, o, "sig", signature);
	}
	text = sk_json_print(a, o, NULL);
	return text && !a->failed ? sk_printf(a, "CONNECT %s\r\n", text) : NULL;
}
