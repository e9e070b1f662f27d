/* http_request_fuzz.c -- any request line, headers and body: routing, binding, checking, answering never trip, what was decoded is text, and
 * what is bound stands where the row allows it.
 *
 * Input: a byte for the verb, then lines: the target, headers "name:value", an empty line, the body. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "plugins/http/reply.h"
#include "plugins/http/request.h"
#include "plugins/http/route.h"

#define SHAPES_FILE "plugins/registry/registry.shapes"
#define SHAPES_NAME shape_rows
#include "core/shape_table.h"

static int nothing(struct sk_call *c)
{
	(void)c;
	return SK_OK;
}

#define OP(op_name, op_verb, op_route, op_partition, op_inputs, op_about) \
	{ .name = #op_name, .verb = SK_##op_verb, .route = op_route, .partition = #op_partition, .inputs = op_inputs, .handler = nothing, .about = op_about },
static const struct sk_op iot[] = {
#include "plugins/registry/things.ops"
#include "plugins/registry/billing_groups.ops"
#include "plugins/registry/tags.ops"
	{ 0 }
};
#undef OP
static const struct sk_op more[] = {
	{ .name = "Publish", .verb = SK_POST, .route = "/topics/{topic+:String}", .inputs = "?qos:Integer ^list:TagKeyList @payload:String >payload", .handler = nothing },
	{ .name = "AttachThingPrincipal", .verb = SK_PUT, .route = "/things/{thingName}/principals",
	  .inputs = "^principal!:String=x-amzn-principal ?kind:String", .handler = nothing },
	{ .name = "OpenTunnel", .verb = SK_POST, .route = "/", .inputs = "thingName! tagKeys!:TagKeyList", .handler = nothing },
	{ 0 }
};

static struct sk_row rows[64];
static struct sk_loaded loaded = { .rows = rows };
static struct sk_shapes *shapes;
static struct sk_arena memory;
static struct http_routes *routes;

static void add(const char *service, const struct sk_op *op)
{
	char why[256];
	for (; op->name; op++) {
		struct sk_row *row = &rows[loaded.row_count++];
		row->kind = SK_ROW_OPERATION;
		row->name = op->name;
		row->op = op;
		row->service = service;
		row->inputs = sk_inputs_new(shapes, op->route, op->inputs, op->verb != SK_GET && op->verb != SK_DELETE, why, sizeof why);
		if (!row->inputs)
			abort();
	}
}

static void prepare(void)
{
	char why[256];
	shapes = sk_shapes_new();
	if (!shapes || sk_shapes_add(shapes, shape_rows, why, sizeof why))
		abort();
	add("iot", iot);
	add("iotdata", more);
	routes = routes_new(&memory, &loaded, 1);
	if (!routes)
		abort();
}

static char *take_line(char **at)
{
	char *line = *at, *end = strchr(line, '\n');
	*at = end ? end + 1 : line + strlen(line);
	if (end)
		*end = '\0';
	return line;
}

static void read_call(struct http_call *x, char *text)
{
	static const char *const verbs[] = { "GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "" };
	static struct sigv4_field field[16];
	unsigned char first = (unsigned char)*text;
	char *at = first ? text + 1 : text, *path = take_line(&at), *query = strchr(path, '?');
	if (query)
		*query++ = '\0';
	x->wire = (struct sigv4_request){ .method = verbs[first % 7], .path = path, .query = query ? query : "", .header = field };
	for (char *line = take_line(&at); *line && x->wire.headers < 16; line = take_line(&at)) {
		char *colon = strchr(line, ':');
		if (!colon)
			continue;
		*colon = '\0';
		field[x->wire.headers++] = (struct sigv4_field){ line, colon + 1 };
	}
	x->body = (struct sigv4_body){ at, strlen(at) };
}

static void check_bound(const struct http_call *x)
{
	SK_JSON_EACH(member, x->in) {
		bool known = false;
		for (size_t i = 0; i < sk_inputs_count(x->row->inputs); i++)
			known = known || !strcmp(sk_inputs_at(x->row->inputs, i)->name, member->string);
		if (!known || (cJSON_IsString(member) && !sk_utf8_valid(member->valuestring, strlen(member->valuestring))))
			abort();
	}
}

static void serve(struct http_call *x)
{
	struct http_match m;
	const char *message, *target = request_header(&x->wire, "x-amz-target");
	x->row = target ? routes_target(routes, "", target) : NULL;
	if (!x->row) {
		if (routes_find(routes, "", x->wire.method, x->wire.path, &m) != ROUTE_FOUND)
			return;
		x->row = m.row;
		x->captures = m.captures;
		memcpy(x->capture, m.capture, sizeof x->capture);
	}
	if (request_bind(x, &message)) {
		reply_error(x, SK_E_INVALID_REQUEST, message, NULL);
		return;
	}
	check_bound(x);
	if (sk_inputs_check(x->row->inputs, &x->arena, x->in, &message))
		reply_error(x, SK_E_INVALID_REQUEST, message, x->in);
	else
		reply_output(x, x->in);
	if (!x->reply.status || !x->reply.body)
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct http_state state;
	struct http_call x = { .state = &state, .service = "" };
	if (!routes)
		prepare();
	sk_arena_init(&x.arena, 8 << 20);
	char *text = sk_strndup(&x.arena, (const char *)data, size);
	if (text) {
		read_call(&x, text);
		route_host_service(x.wire.path);
		serve(&x);
	}
	sk_arena_free(&x.arena);
	return 0;
}
