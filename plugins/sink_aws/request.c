/* request.c -- a body on its way: where to, whose key, the signature. The URL and the Host that are signed are those that are sent. */
#include <string.h>

#include "core/digest.h"
#include "outbound/credentials.h"
#include "plugins/sink_aws/aws.h"

enum { MOST_HEADERS = 8 };

/* A region becomes part of a host's name. */
static bool is_region(const char *s)
{
	return s && *s && strspn(s, "abcdefghijklmnopqrstuvwxyz0123456789-") == strlen(s) && strlen(s) < 64;
}

const char *aws_endpoint_check(const char *endpoint, struct sk_arena *a)
{
	const char *why = NULL, *origin = outbound_origin(a, endpoint, &why);
	size_t n = origin ? strlen(origin) : 0;

	if (!origin)
		return why ? why : "memory is out";
	return strlen(endpoint) == n || !strcmp(endpoint + n, "/") ? NULL : "only scheme, host and port can be given";
}

/* "https://kinesis.eu-west-1.amazonaws.com"; NULL: memory is out. */
static const char *amazons(struct aws_request *r, const char *region)
{
	const struct aws_service *s = r->sink->service;
	bool apart = r->bucket && !strchr(r->bucket, '.'); /* a dot in it would not fit the certificate */

	return sk_printf(r->arena, "https://%s%s%s.%s.amazonaws.com%s", apart ? r->bucket : "", apart ? "." : "", s->host ? s->host : s->signing, region,
	                 strncmp(region, "cn-", 3) ? "" : ".cn");
}

/* The origin, and in *path what comes behind. S3's bucket is a part of the one or of the other. */
static const char *where(struct aws_request *r, const char *region, const char **path)
{
	const struct aws_settings *s = r->sink->settings;
	const char *own = s->endpoint_of[r->sink->service->name], *endpoint = own ? own : s->endpoint, *why;

	*path = r->path ? r->path : "/";
	if (r->bucket && (endpoint || strchr(r->bucket, '.')))
		*path = sk_printf(r->arena, "/%s%s", r->bucket, *path);
	return endpoint ? outbound_origin(r->arena, endpoint, &why) : amazons(r, region);
}

static void add(struct sigv4_field *header, size_t *n, const char *name, const char *value)
{
	if (name)
		header[(*n)++] = (struct sigv4_field){ name, value };
}

static size_t headers_of(struct aws_request *r, const char *origin, const struct sigv4_body *body, struct sigv4_field *header)
{
	const struct aws_service *s = r->sink->service;
	uint8_t hash[SIGV4_HASH];
	char hex[2 * SIGV4_HASH + 1];
	size_t n = 0;

	add(header, &n, "Host", strstr(origin, "://") + 3);
	add(header, &n, s->content_type ? "Content-Type" : NULL, s->content_type);
	add(header, &n, s->protocol == AWS_JSON ? "X-Amz-Target" : NULL, sk_printf(r->arena, "%s.%s", s->prefix, r->target));
	add(header, &n, r->header.name, r->header.value);
	if (s->protocol == AWS_REST) { /* S3 insists */
		sk_digest(body->data, body->size, hash);
		sk_hex(hash, sizeof hash, hex);
		add(header, &n, "X-Amz-Content-Sha256", sk_strdup(r->arena, hex));
	}
	return n;
}

static void send_with(struct aws_request *r, const char *url, const struct sigv4_field *header, size_t n)
{
	struct outbound_header *all = sk_alloc(r->arena, n * sizeof *all);

	for (size_t i = 0; all && i < n; i++)
		all[i] = (struct outbound_header){ header[i].name, header[i].value };
	r->http.url = url;
	r->http.header = all;
	r->http.headers = all ? n : 0;
}

const char *aws_request_sign(struct aws_request *r, const char *role, enum sk_sunk *result)
{
	struct sk_arena *a = r->arena;
	const char *region = r->region ? r->region : r->sink->region, *path = NULL, *origin, *why;
	struct sigv4_field header[MOST_HEADERS];
	struct sigv4_body body = { r->raw ? r->raw : r->body.n ? r->body.at : "", r->raw ? r->raw_size : r->body.n };
	struct outbound_credentials who;

	*result = SK_SUNK_FAIL;
	if (!is_region(region))
		return "there is no such region";
	*result = SK_SUNK_RETRY;
	if ((why = outbound_credentials(a, role, &who)))
		return why;
	origin = where(r, region, &path);
	if (a->failed || !origin)
		return "memory is out";
	size_t n = headers_of(r, origin, &body, header);
	struct sigv4_request request = { .method = r->method ? r->method : "POST", .path = path, .query = "", .header = header, .headers = n };
	struct sigv4_signer by = { .key_id = who.key_id, .secret = who.secret, .token = who.token, .region = region, .service = r->sink->service->signing,
		.now_ms = r->sink->world.now_ms(r->sink->world.ctx), .s3 = r->sink->service->protocol == AWS_REST };
	size_t added = a->failed ? 0 : sigv4_sign(a, &request, &body, &by, header + n);
	if (!added)
		return "memory is out";
	r->http = (struct outbound_request){ .method = request.method, .body = body.data, .size = body.size };
	send_with(r, sk_printf(a, "%s%s", origin, path), header, n + added);
	return a->failed ? "memory is out" : NULL;
}
