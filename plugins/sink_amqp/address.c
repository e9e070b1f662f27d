/* address.c -- amqp://user:password@host:port/vhost and amqps://. See address.h.
 *
 * What stands in a field of its own comes before what stands in the URL. */
#include "plugins/sink_amqp/address.h"

#include <string.h>

#include "core/url.h"

enum { PORT = 5672, TLS_PORT = 5671 };

static const char *from_url(struct sk_arena *a, const char *url, struct amqp_address *out)
{
	struct sk_url u;
	const char *fault = sk_url_parse(a, url, &u);

	if (fault)
		return fault;
	if (strcmp(u.scheme, "amqp") && strcmp(u.scheme, "amqps"))
		return "url must be amqp:// or amqps://";
	if (!*u.host)
		return "the URL has no host";
	if (u.query)
		return "a URL of AMQP takes no ?";
	out->tls = !strcmp(u.scheme, "amqps");
	out->to.host = u.host;
	out->to.port = u.port ? u.port : out->tls ? TLS_PORT : PORT;
	out->shown = sk_printf(a, strchr(u.host, ':') ? "[%s]:%d" : "%s:%d", u.host, out->to.port);
	out->user = u.user;
	out->password = u.password;
	out->vhost = u.path && *u.path ? u.path : "/";
	return strlen(out->vhost) > 255 ? "the virtual host is longer than 255 bytes" : NULL;
}

const char *amqp_address(const cJSON *fields, struct sk_arena *a, struct amqp_address *out)
{
	const char *url = sk_json_text(fields, "url"), *user = sk_json_text(fields, "user"), *password = sk_json_text(fields, "password"), *fault;
	const cJSON *tls = sk_json_get(fields, "tls");

	*out = (struct amqp_address){ 0 };
	fault = url ? from_url(a, url, out) : "there is no url";
	if (fault)
		return fault;
	out->user = user ? user : out->user;
	out->password = password ? password : out->password;
	if (!out->user != !out->password)
		return "user and password go together";
	if (!out->user)
		out->user = out->password = "guest"; /* what a RabbitMQ begins with, for its own machine only */
	out->to.ca = sk_json_text(tls, "ca");
	out->to.certificate = sk_json_text(tls, "certificate");
	out->to.key = sk_json_text(tls, "key");
	if (tls && !cJSON_IsNull(tls) && !out->tls)
		return "tls is for amqps:// only";
	return !out->to.certificate != !out->to.key ? "tls.certificate and tls.key go together" : NULL;
}
