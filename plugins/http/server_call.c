/* server_call.c -- a request comes in piece by piece, its answer goes out: libmicrohttpd's callbacks around serve_call().
 *
 * Texts of libmicrohttpd (method, headers) stay where they are until the request is completed, and so does the answer's body. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/random.h>

#include "core/threads.h"
#include "plugins/http/reply.h"
#include "plugins/http/request.h"
#include "plugins/http/serve.h"
#include "plugins/http/server_internal.h"

enum { CALL_MEMORY = 64 << 20, ALL_MEMORY = 256 << 20, FIRST_BODY = 1024, SPARE_CALLS = 32, SPARE_MEMORY = 8192 };

/* -- ids -- */

/* Version 4. Chance comes in portions: a system call for each id would be felt. */
static void make_id(struct http_server *v, char id[HTTP_ID_SIZE])
{
	unsigned char b[16] = { 0 };
	if (v->chance_left < sizeof b && getrandom(v->chance, sizeof v->chance, 0) == (ssize_t)sizeof v->chance)
		v->chance_left = sizeof v->chance;
	if (v->chance_left >= sizeof b)
		memcpy(b, v->chance + (v->chance_left -= sizeof b), sizeof b);
	b[6] = (unsigned char)((b[6] & 0x0f) | 0x40);
	b[8] = (unsigned char)((b[8] & 0x3f) | 0x80);
	static const char digits[] = "0123456789abcdef";
	for (size_t i = 0; i < sizeof b; i++) {
		*id++ = digits[b[i] >> 4];
		*id++ = digits[b[i] & 15];
		if (i == 3 || i == 5 || i == 7 || i == 9)
			*id++ = '-';
	}
	*id = '\0';
}

/* -- memory: each call has a limit, and all together have one -- */

bool server_has_room(struct http_call *x)
{
	struct http_server *v = x->connection->listener->server;
	size_t more = x->arena.total - x->counted;
	x->counted = x->arena.total;
	return atomic_fetch_add(&v->memory, more) + more <= ALL_MEMORY;
}

/* A few that are done are kept with a little memory for those to come. NULL: memory is out. */
static struct http_call *call_new(struct http_server *v)
{
	struct http_call *x = v->spare;
	if (!x) {
		x = calloc(1, sizeof *x);
		if (x)
			sk_arena_init(&x->arena, CALL_MEMORY);
		return x;
	}
	struct sk_arena arena = x->arena;
	v->spare = x->next;
	v->spares--;
	memset(x, 0, sizeof *x);
	x->arena = arena;
	return x;
}

static void call_free(struct http_server *v, struct http_call *x)
{
	atomic_fetch_sub(&v->memory, x->counted);
	if (v->spares == SPARE_CALLS) {
		sk_arena_free(&x->arena);
		free(x);
		return;
	}
	sk_arena_reset(&x->arena, SPARE_MEMORY);
	x->next = v->spare;
	v->spare = x;
	v->spares++;
}

void server_free_calls(struct http_server *v)
{
	while (v->spare) {
		struct http_call *x = v->spare;
		v->spare = x->next;
		sk_arena_free(&x->arena);
		free(x);
	}
	v->spares = 0;
}

/* -- the way in -- */

static struct http_connection *connection_of(struct MHD_Connection *mhd)
{
	const union MHD_ConnectionInfo *info = MHD_get_connection_info(mhd, MHD_CONNECTION_INFO_SOCKET_CONTEXT);
	return info ? info->socket_context : NULL;
}

/* The request line is there: the target as it came, which libmicrohttpd itself would only give decoded. */
void *server_on_uri(void *cls, const char *uri, struct MHD_Connection *mhd)
{
	struct http_listener *l = cls;
	struct http_connection *c = connection_of(mhd);
	struct http_call *x = c ? call_new(l->server) : NULL;
	if (!x)
		return NULL;
	x->state = l->server->state;
	x->connection = c;
	x->access = l->access;
	x->address = c->address;
	x->certificate = "";
	if (l->access == HTTP_DEVICE && !c->peer_read) {
		server_read_peer(c);
		c->peer_read = true;
	}
	x->peer = c->peer;
	char *path = sk_strdup(&x->arena, uri), *query = path ? strchr(path, '?') : NULL;
	if (query)
		*query++ = '\0';
	x->wire.path = path ? path : "";
	x->wire.query = query ? query : "";
	make_id(l->server, x->id);
	server_move(c, CONNECTION_READING);
	return x;
}

struct headers { struct http_call *x; size_t room, lengths, encodings; };

static enum MHD_Result take_header(void *cls, enum MHD_ValueKind kind, const char *name, const char *value)
{
	struct headers *h = cls;
	(void)kind;
	if (h->x->wire.headers < h->room)
		((struct sigv4_field *)h->x->wire.header)[h->x->wire.headers++] = (struct sigv4_field){ name, value ? value : "" };
	h->lengths += !strcasecmp(name, "content-length");
	h->encodings += !strcasecmp(name, "transfer-encoding");
	return MHD_YES;
}

/* Two readings of where a body ends are an attack on whatever stands before us. */
static const char *read_headers(struct http_call *x, struct MHD_Connection *mhd)
{
	int n = MHD_get_connection_values(mhd, MHD_HEADER_KIND, NULL, NULL);
	struct headers h = { .x = x, .room = n > 0 ? (size_t)n : 0 };
	x->wire.header = sk_alloc(&x->arena, (h.room + 1) * sizeof *x->wire.header);
	if (!x->wire.header)
		return NULL;
	MHD_get_connection_values(mhd, MHD_HEADER_KIND, take_header, &h);
	if (h.lengths > 1 || h.encodings > 1 || (h.lengths && h.encodings))
		return "The length of the body is said more than once";
	return NULL;
}

static void refuse_size(struct http_call *x)
{
	reply_error(x, SK_E_TOO_LARGE, "The body is larger than this server takes", NULL);
	x->reply.close = true;
}

/* The headers are there, the body is not. true: it is not wanted either. */
static bool begin(struct http_call *x, struct MHD_Connection *mhd, const char *method)
{
	x->wire.method = method;
	x->now_ms = sk_wall_ms();
	const char *fault = read_headers(x, mhd), *length = request_header(&x->wire, "content-length");
	if (fault) {
		reply_error(x, SK_E_INVALID_REQUEST, fault, NULL);
		x->reply.close = true;
	} else if (length && strtoull(length, NULL, 10) > (unsigned long long)x->state->body) {
		refuse_size(x);
	}
	return x->reply.status != 0;
}

/* false: the connection ends, there is nobody to answer who goes on sending without end. */
static bool take_body(struct http_call *x, const char *data, size_t n)
{
	size_t limit = (size_t)x->state->body;
	x->came += n;
	x->too_large = x->too_large || x->came > limit;
	if (x->too_large || x->arena.failed)
		return x->came <= 2 * limit;
	if (x->body.size + n >= x->body_room) {
		size_t room = x->body_room ? x->body_room : FIRST_BODY;
		while (room <= x->body.size + n)
			room *= 2;
		char *more = sk_alloc_text(&x->arena, room);
		if (!more || !server_has_room(x)) {
			x->arena.failed = true;
			return true;
		}
		memcpy(more, x->body.data ? x->body.data : "", x->body.size);
		x->body.data = more;
		x->body_room = room;
	}
	memcpy((char *)x->body.data + x->body.size, data, n);
	x->body.size += n;
	return true;
}

/* -- the way out -- */

static void count_answer(struct http_counters *count, int status)
{
	if (status >= 500)
		SK_COUNT(count->answers_5xx);
	else if (status >= 400)
		SK_COUNT(count->answers_4xx);
	else
		SK_COUNT(count->answers_2xx);
}

static void add_headers(struct MHD_Response *out, const struct http_call *x)
{
	const struct http_reply *r = &x->reply;
	MHD_add_response_header(out, "x-amzn-RequestId", x->id);
	if (r->type && *r->type)
		MHD_add_response_header(out, "Content-Type", r->type);
	if (r->error)
		MHD_add_response_header(out, "x-amzn-ErrorType", r->error);
	for (size_t i = 0; i < r->headers; i++)
		MHD_add_response_header(out, r->header[i].name, r->header[i].value);
	if (r->close || x->connection->listener->server->quiesced)
		MHD_add_response_header(out, "Connection", "close");
}

static enum MHD_Result send_reply(struct http_call *x)
{
	const struct http_reply *r = &x->reply;
	struct MHD_Response *out = MHD_create_response_from_buffer(r->size, (void *)r->body, MHD_RESPMEM_PERSISTENT);
	if (!out)
		return MHD_NO;
	add_headers(out, x);
	count_answer(&x->state->count, r->status);
	server_move(x->connection, CONNECTION_SENDING);
	enum MHD_Result rc = MHD_queue_response(x->connection->mhd, (unsigned)r->status, out);
	MHD_destroy_response(out);
	return rc;
}

/* All of it is there. */
static enum MHD_Result work(struct http_call *x)
{
	bool there = true;
	if (x->body.data)
		((char *)x->body.data)[x->body.size] = '\0';
	server_move(x->connection, CONNECTION_WAITING);
	if (x->too_large)
		refuse_size(x);
	else if (x->arena.failed || !server_has_room(x))
		reply_error(x, SK_E_UNAVAILABLE, "There are more and larger requests than there is memory for", NULL);
	else
		there = serve_call(x);
	if (there)
		return send_reply(x);
	MHD_suspend_connection(x->connection->mhd);
	return MHD_YES;
}

enum MHD_Result server_on_request(void *cls, struct MHD_Connection *mhd, const char *url, const char *method, const char *version,
                                  const char *data, size_t *size, void **call)
{
	struct http_call *x = *call;
	(void)cls, (void)url, (void)version;
	if (!x)
		return MHD_NO;
	if (!x->wire.method)
		return begin(x, mhd, method) ? send_reply(x) : MHD_YES;
	if (*size) {
		bool goes_on = take_body(x, data, *size);
		*size = 0;
		return goes_on ? MHD_YES : MHD_NO;
	}
	return x->reply.status ? send_reply(x) : work(x);
}

void server_on_completed(void *cls, struct MHD_Connection *mhd, void **call, enum MHD_RequestTerminationCode why)
{
	struct http_listener *l = cls;
	struct http_call *x = *call;
	(void)mhd, (void)why;
	*call = NULL;
	if (!x)
		return;
	server_move(x->connection, CONNECTION_IDLE);
	call_free(l->server, x);
}
