/* address.c -- redis://host:port/db, rediss://, unix:///path?db=n and /path. See address.h.
 *
 * What stands in a field of its own comes before what stands in the URL. */
#include "plugins/sink_redis/address.h"

#include <stdlib.h>
#include <string.h>

#include "core/url.h"

enum { PORT = 6379, MOST_DATABASES = 65535 };

static const char *database(const char *text, long *out)
{
	char *end;

	if (!text || !*text)
		return NULL;
	*out = strtol(text, &end, 10);
	return *end || *text == '-' || *text == '+' || *out < 0 || *out > MOST_DATABASES ? "the database of the URL is no number" : NULL;
}

static const char *unix_path(struct sk_arena *a, const char *path, const char *query, struct redis_address *out)
{
	out->to.path = out->shown = path;
	if (!path)
		return "out of memory";
	if (strlen(path) > 107) /* sun_path */
		return "the path of the socket is too long";
	if (query && strncmp(query, "db=", 3))
		return "only ?db=NUMBER may follow the path of a socket";
	return database(query ? sk_strdup(a, query + 3) : NULL, &out->database);
}

static const char *network(struct sk_arena *a, const struct sk_url *u, struct redis_address *out)
{
	if (strcmp(u->scheme, "redis") && strcmp(u->scheme, "rediss"))
		return "url must be redis://, rediss://, unix:// or the path of a socket";
	if (!*u->host)
		return "the URL has no host";
	out->tls = !strcmp(u->scheme, "rediss");
	out->to.host = u->host;
	out->to.port = u->port ? u->port : PORT;
	out->shown = sk_printf(a, strchr(u->host, ':') ? "[%s]:%d" : "%s:%d", u->host, out->to.port);
	return u->query ? "a URL of Redis takes no ?" : database(u->path, &out->database);
}

static const char *from_url(struct sk_arena *a, const char *url, struct redis_address *out)
{
	struct sk_url u;
	const char *fault;

	if (*url == '/')
		return unix_path(a, url, NULL, out);
	fault = sk_url_parse(a, url, &u);
	if (fault)
		return fault;
	out->user = u.user && *u.user ? u.user : NULL;
	out->password = u.password;
	if (!strcmp(u.scheme, "unix"))
		return *u.host || !u.path ? "unix:// wants three slashes and a path" : unix_path(a, sk_printf(a, "/%s", u.path), u.query, out);
	return network(a, &u, out);
}

const char *redis_address(const cJSON *fields, struct sk_arena *a, struct redis_address *out)
{
	const char *url = sk_json_text(fields, "url"), *user = sk_json_text(fields, "user"), *password = sk_json_text(fields, "password");
	const cJSON *tls = sk_json_get(fields, "tls");
	const char *fault;

	*out = (struct redis_address){ 0 };
	fault = url ? from_url(a, url, out) : "there is no url";
	if (fault)
		return fault;
	out->user = user ? user : out->user;
	out->password = password ? password : out->password;
	out->to.ca = sk_json_text(tls, "ca");
	out->to.certificate = sk_json_text(tls, "certificate");
	out->to.key = sk_json_text(tls, "key");
	if (tls && !cJSON_IsNull(tls) && !out->tls)
		return "tls is for rediss:// only";
	if (!out->to.certificate != !out->to.key)
		return "tls.certificate and tls.key go together";
	return out->user && !out->password ? "a user without a password" : NULL;
}
