/* http_request_test.c -- which operation a path is, what input a request makes, and what an answer looks like on the wire. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

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

#define ROW(op_name, op_verb, op_route, op_inputs) ROW_ABOUT(op_name, op_verb, op_route, op_inputs, NULL)
#define ROW_ABOUT(op_name, op_verb, op_route, op_inputs, op_about) \
	{ .about = op_about, .name = op_name, .verb = op_verb, .route = op_route, .partition = "any", .inputs = op_inputs, .handler = nothing, .file = "test" }

static const struct sk_op iot[] = {
	ROW("CreateThing", SK_POST, "/things/{thingName}", "thingTypeName attributePayload"),
	ROW("DescribeThing", SK_GET, "/things/{thingName}", ""),
	ROW("ListThings", SK_GET, "/things", "attributeName attributeValue &page"),
	ROW("AddThing", SK_PUT, "/groups/addThing", "thingName"),
	ROW("PutGroup", SK_PUT, "/groups/{thingGroupName}", "recursive"),
	ROW("Untag", SK_DELETE, "/tags/{resourceArn+}", "?tagKeys!:TagKeyList"),
	ROW("Attach", SK_PUT, "/principals/{thingName}", "^principal!:String=x-amzn-principal ^flags:TagKeyList"),
	ROW("Rule", SK_PATCH, "/rules/{thingName}", "*attributePayload! ^flags:TagKeyList"),
	ROW("Deep", SK_GET, "/a/{thingName}/c", ""),
	ROW("Deeper", SK_GET, "/a/b/{thingName}", ""),
	ROW("Jobs", SK_GET, "/things/{thingName}/jobs", ""),
	{ 0 }
};
static const struct sk_op data[] = {
	ROW("Publish", SK_POST, "/topics/{topic+:String}", "?qos:Integer @payload:String"),
	ROW("Shadow", SK_GET, "/things/{thingName}/shadow", "?name:String >payload"),
	{ 0 }
};
static const struct sk_op jobs[] = { ROW("Pending", SK_GET, "/things/{thingName}/jobs", ""), { 0 } };
static const struct sk_op tunnels[] = { ROW("OpenTunnel", SK_POST, "/", "thingName!"), ROW("CloseTunnel", SK_POST, "/", ""), { 0 } };
static const struct sk_op functions[] = {
	ROW_ABOUT("CreateFunction", SK_POST, "/2015-03-31/functions/", "thingName", "1 201"),
	ROW_ABOUT("DeleteFunction", SK_DELETE, "/2015-03-31/functions/{thingName}", "", "1 newer 204"),
	ROW("Mark", SK_POST, "/marks/{thingName}", ">status=:status"),
	ROW("Invoke", SK_POST, "/2015-03-31/functions/{thingName}/invocations", ">Payload >FunctionError=X-Amz-Function-Error >StatusCode=:status"),
	{ 0 }
};
static const struct sk_op_group groups[] = { { "iot", iot }, { "iotdata", data }, { "iot-jobs-data", jobs }, { "IoTSecuredTunneling", tunnels }, { "lambda", functions } };

static struct sk_arena memory;
static struct sk_shapes *shapes;
static struct sk_row rows[32];
static struct sk_loaded loaded = { .rows = rows };
static struct http_routes *routes;
static struct http_call x;
static struct http_state state;

static void add_rows(const struct sk_op_group *g)
{
	char why[256];
	for (const struct sk_op *op = g->op; op->name; op++) {
		struct sk_row *row = &rows[loaded.row_count++];
		row->kind = SK_ROW_OPERATION;
		row->name = op->name;
		row->op = op;
		row->service = g->service;
		row->inputs = sk_inputs_new(shapes, op->route, op->inputs, op->verb != SK_GET && op->verb != SK_DELETE, why, sizeof why);
		assert_non_null(row->inputs);
	}
}

static int begin(void **s)
{
	char why[256];
	(void)s;
	shapes = sk_shapes_new();
	if (!shapes || sk_shapes_add(shapes, shape_rows, why, sizeof why))
		return -1;
	for (size_t i = 0; i < sizeof groups / sizeof *groups; i++)
		add_rows(&groups[i]);
	routes = routes_new(&memory, &loaded, 1);
	return routes ? 0 : -1;
}

static int end(void **s)
{
	(void)s;
	for (size_t i = 0; i < loaded.row_count; i++)
		sk_inputs_free(&rows[i].inputs);
	sk_shapes_free(&shapes);
	sk_arena_free(&memory);
	sk_arena_free(&x.arena);
	return 0;
}

/* -- routes -- */

static const char *routed(const char *service, const char *verb, const char *path)
{
	static char text[512];
	struct http_match m;
	enum http_found found = routes_find(routes, service, verb, path, &m);
	if (found != ROUTE_FOUND)
		return found == ROUTE_OTHER_VERB ? "other verb" : "unknown";
	int n = snprintf(text, sizeof text, "%s", m.row->name);
	for (size_t i = 0; i < m.captures; i++)
		n += snprintf(text + n, sizeof text - (size_t)n, " %.*s", (int)m.capture[i].size, m.capture[i].at);
	return text;
}

static void a_path_and_a_verb_are_an_operation(void **s)
{
	(void)s;
	static const struct { const char *service, *verb, *path, *expected; } cases[] = {
		{ "iot", "GET", "/things/lamp", "DescribeThing lamp" },
		{ "iot", "POST", "/things/lamp", "CreateThing lamp" },
		{ "iot", "GET", "/things", "ListThings" },
		{ "iot", "GET", "/things/a%2Fb", "DescribeThing a%2Fb" },
		{ "iot", "PUT", "/groups/addThing", "AddThing" },
		{ "iot", "PUT", "/groups/other", "PutGroup other" },
		{ "iot", "GET", "/a/b/c", "Deeper c" },
		{ "iot", "GET", "/a/x/c", "Deep x" },
		{ "iot", "DELETE", "/tags/arn:aws:iot:x:1:thing/lamp/y", "Untag arn:aws:iot:x:1:thing/lamp/y" },
		{ "lambda", "POST", "/2015-03-31/functions/", "CreateFunction" },
		{ "lambda", "POST", "/2015-03-31/functions", "CreateFunction" },
		{ "lambda", "POST", "/2015-03-31/functions//", "unknown" },
		{ "lambda", "DELETE", "/2015-03-31/functions/f/", "unknown" },
		{ "iotdata", "POST", "/topics/a/b//c", "Publish a/b//c" },
		{ "iotdata", "POST", "/topics/a%2Fb", "Publish a%2Fb" },
		{ "iotdata", "POST", "/topics//a", "Publish /a" },
		{ "iotdata", "POST", "/topics/a/", "Publish a/" },
		{ "iot", "GET", "/things/lamp/jobs", "Jobs lamp" },
		{ "iot-jobs-data", "GET", "/things/lamp/jobs", "Pending lamp" },
		{ "", "GET", "/things/lamp/jobs", "Jobs lamp" },
		{ "", "GET", "/things/lamp/shadow", "Shadow lamp" },
		{ "iot", "DELETE", "/things/lamp", "other verb" },
		{ "iot", "get", "/things/lamp", "other verb" },
		{ "iot", "GET", "/things/", "unknown" },
		{ "iot", "GET", "/things/lamp/", "unknown" },
		{ "iot", "GET", "//things", "unknown" },
		{ "iot", "GET", "/", "unknown" },
		{ "iot", "GET", "", "unknown" },
		{ "iot", "GET", "things/lamp", "unknown" },
		{ "iot", "GET", "http://x/things/lamp", "unknown" },
		{ "iot", "GET", "/../things/lamp", "unknown" },
		{ "iot", "GET", "/things/../things/lamp", "unknown" },
		{ "iot", "DELETE", "/tags/", "unknown" },
		{ "iot", "DELETE", "/tags", "unknown" },
		{ "iot", "GET", "/things/lamp/shadow", "unknown" },
		{ "greengrass", "GET", "/things/lamp", "unknown" },
		{ "iot", "GET", "/a/b/c/d/e/f/g/h/i/j/k/l/m/n/o/p/q/r/s", "unknown" },
		{ "iotdata", "POST", "/topics/a/b/c/d/e/f/g/h/i/j/k/l/m/n/o/p/q/r/s", "Publish a/b/c/d/e/f/g/h/i/j/k/l/m/n/o/p/q/r/s" },
	};
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
		assert_string_equal(routed(cases[i].service, cases[i].verb, cases[i].path), cases[i].expected);
}

static void a_service_is_known_by_its_signing_name_or_its_host(void **s)
{
	(void)s;
	assert_string_equal(route_signed_service("execute-api"), "iot");
	assert_string_equal(route_signed_service("iotdevicegateway"), "iotdata");
	assert_string_equal(route_signed_service("iot-jobs-data"), "iot-jobs-data");
	assert_string_equal(route_host_service("iot.eu-west-1.amazonaws.com"), "iot");
	assert_string_equal(route_host_service("IOT.eu-west-1.amazonaws.com"), "iot");
	assert_string_equal(route_host_service("data-ats.iot.eu-west-1.amazonaws.com"), "iotdata");
	assert_string_equal(route_host_service("a1b2-ats.iot.eu-west-1.amazonaws.com"), "iotdata");
	assert_string_equal(route_host_service("data.jobs.iot.eu-west-1.amazonaws.com"), "iot-jobs-data");
	assert_string_equal(route_host_service("a1b2.jobs.iot.eu-west-1.amazonaws.com"), "iot-jobs-data");
	assert_string_equal(route_host_service("127.0.0.1:8080"), "");
	assert_string_equal(route_host_service("localhost"), "");
	assert_string_equal(route_host_service(""), "");
}

static void a_target_names_an_operation(void **s)
{
	(void)s;
	assert_string_equal(routes_target(routes, "IoTSecuredTunneling", "IoTSecuredTunneling.CloseTunnel")->name, "CloseTunnel");
	assert_string_equal(routes_target(routes, "", "X.OpenTunnel")->name, "OpenTunnel");
	assert_null(routes_target(routes, "iot", "X.OpenTunnel"));
	assert_null(routes_target(routes, "", "OpenTunnel"));
	assert_null(routes_target(routes, "", "X.CreateThing"));
	assert_null(routes_target(routes, "", ""));
}

/* -- inputs -- */

struct sent { const char *verb, *path, *query, *body; const struct sigv4_field *header; };

static void arrive(const struct sent *r)
{
	struct http_match m;
	sk_arena_free(&x.arena);
	x = (struct http_call){ .state = &state, .service = "" };
	x.wire = (struct sigv4_request){ .method = r->verb, .path = r->path, .query = r->query ? r->query : "", .header = r->header };
	while (r->header && r->header[x.wire.headers].name)
		x.wire.headers++;
	x.body = (struct sigv4_body){ r->body, r->body ? strlen(r->body) : 0 };
	assert_int_equal(routes_find(routes, "", r->verb, r->path, &m), ROUTE_FOUND);
	x.row = m.row;
	x.captures = m.captures;
	memcpy(x.capture, m.capture, sizeof x.capture);
}

/* The input as JSON, or the sentence that refuses it. */
static const char *input_of(struct sent r)
{
	const char *message;
	arrive(&r);
	if (request_bind(&x, &message))
		return message ? message : "memory";
	return sk_json_print(&x.arena, x.in, NULL);
}

#define PERCENT(what) "The " what " holds a percent sign that two hexadecimal digits of a byte do not follow"

static void inputs_come_from_where_the_row_says(void **s)
{
	(void)s;
	static const struct sigv4_field headers[] = { { "Host", "x" }, { "X-AMZN-Principal", "arn:1" }, { "flags", "a, b,c" }, { 0 } };
	static const struct { struct sent sent; const char *expected; } cases[] = {
		{ { "GET", "/things/lamp", "", NULL, NULL }, "{\"thingName\":\"lamp\"}" },
		{ { "GET", "/things/a%2fb%20c+d", "", NULL, NULL }, "{\"thingName\":\"a/b c+d\"}" },
		{ { "GET", "/things", "maxResults=5&nextToken=a%2Bb+c&other=1&&attributeName", NULL, NULL },
		  "{\"maxResults\":5,\"nextToken\":\"a+b c\",\"attributeName\":\"\"}" },
		{ { "GET", "/things", "maxResults=5&maxResults=6", NULL, NULL }, "{\"maxResults\":5}" },
		{ { "GET", "/things", "m%61xResults=x", NULL, NULL }, "{\"maxResults\":\"x\"}" },
		{ { "GET", "/things", "", "{\"maxResults\":5}", NULL }, "{}" },
		{ { "DELETE", "/tags/a/b", "tagKeys=a&tagKeys=b&tagKeys=c%26d", NULL, NULL }, "{\"resourceArn\":\"a/b\",\"tagKeys\":[\"a\",\"b\",\"c&d\"]}" },
		{ { "PUT", "/principals/lamp", "principal=no", "{\"principal\":\"no\",\"x\":1}", headers },
		  "{\"thingName\":\"lamp\",\"principal\":\"arn:1\",\"flags\":[\"a\",\"b\",\"c\"]}" },
		{ { "POST", "/things/lamp", "thingTypeName=no", "{\"thingTypeName\":\"bulb\",\"thingName\":\"other\",\"attributePayload\":{\"merge\":true}}", NULL },
		  "{\"thingName\":\"lamp\",\"thingTypeName\":\"bulb\",\"attributePayload\":{\"merge\":true}}" },
		{ { "POST", "/things/lamp", "", " {} ", NULL }, "{\"thingName\":\"lamp\"}" },
		{ { "POST", "/things/lamp", "", "[1]", NULL }, "The body is not a JSON object" },
		{ { "POST", "/things/lamp", "", "{", NULL }, "The body is not a JSON object" },
		{ { "POST", "/things/lamp", "", "{\"a\":\"\\u0000\"}", NULL }, "The body is not a JSON object" },
		{ { "PATCH", "/rules/lamp", "attributePayload=no", "{\"merge\":true,\"thingName\":\"no\",\"flags\":[\"no\"]}", headers },
		  "{\"thingName\":\"lamp\",\"attributePayload\":{\"merge\":true,\"thingName\":\"no\",\"flags\":[\"no\"]},\"flags\":[\"a\",\"b\",\"c\"]}" },
		{ { "PATCH", "/rules/lamp", "", "", NULL }, "{\"thingName\":\"lamp\"}" },
		{ { "PATCH", "/rules/lamp", "", "[{}]", NULL }, "The body is not a JSON object" },
		{ { "POST", "/topics/a/b", "qos=1", "{not json", NULL }, "{\"topic\":\"a/b\",\"qos\":1}" },
		{ { "GET", "/things/%", "", NULL, NULL }, PERCENT("path") },
		{ { "GET", "/things/%4", "", NULL, NULL }, PERCENT("path") },
		{ { "GET", "/things/%zz", "", NULL, NULL }, PERCENT("path") },
		{ { "GET", "/things/a%00b", "", NULL, NULL }, PERCENT("path") },
		{ { "GET", "/things", "maxResults=%0", NULL, NULL }, PERCENT("query") },
		{ { "GET", "/things", "%00=1", NULL, NULL }, PERCENT("query") },
		{ { "GET", "/things/%41%7a", "", NULL, NULL }, "{\"thingName\":\"Az\"}" },
		{ { "GET", "/things/%ff", "", NULL, NULL }, "{\"thingName\":\"\xef\xbf\xbd\"}" },
	};
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
		assert_string_equal(input_of(cases[i].sent), cases[i].expected);
}

static void binding_survives_every_failed_allocation(void **s)
{
	(void)s;
	const struct sent sent = { "POST", "/things/lamp", "a=b", "{\"thingTypeName\":\"bulb\"}", NULL };
	for (long n = 1; n < 8; n++) {
		const char *message;
		arrive(&sent);
		sk_arena_fail_after(n);
		int rc = request_bind(&x, &message);
		sk_arena_fail_after(0);
		assert_true(rc == 0 || (!message && x.arena.failed));
	}
}

/* -- answers -- */

static const char *answer(const char *verb, const char *path, int code, const char *out)
{
	const struct sent sent = { verb, path, "", NULL, NULL };
	static char text[512];
	arrive(&sent);
	const cJSON *document = sk_json_parse(&x.arena, out, strlen(out), NULL, NULL);
	if (code)
		reply_error(&x, code, code == SK_E_NOT_FOUND ? "gone" : NULL, document);
	else
		reply_output(&x, document);
	snprintf(text, sizeof text, "%d %s %s %.*s", x.reply.status, x.reply.error ? x.reply.error : "-", x.reply.type, (int)x.reply.size, x.reply.body);
	return text;
}

static void answers_are_awss(void **s)
{
	(void)s;
	assert_string_equal(answer("GET", "/things/lamp", 0, "{\"a\":1}"), "200 - application/json {\"a\":1}");
	assert_string_equal(answer("GET", "/things/lamp", SK_E_NOT_FOUND, "{}"), "404 ResourceNotFoundException application/json {\"message\":\"gone\"}");
	assert_string_equal(answer("GET", "/things/lamp", SK_E_ALREADY_EXISTS, "{\"resourceId\":\"1\",\"message\":\"no\"}"),
	                    "409 ResourceAlreadyExistsException application/json {\"message\":\"ResourceAlreadyExistsException\",\"resourceId\":\"1\"}");
	assert_string_equal(answer("GET", "/things/lamp", SK_E_THROTTLING, "{}"),
	                    "400 ThrottlingException application/json {\"message\":\"ThrottlingException\"}");
	assert_string_equal(answer("GET", "/things/lamp/shadow", SK_E_THROTTLING, "{}"),
	                    "429 ThrottlingException application/json {\"message\":\"ThrottlingException\"}");
	assert_string_equal(answer("GET", "/things/lamp/shadow", 0, "{\"payload\":{\"state\":{}}}"), "200 - application/json {\"state\":{}}");
	assert_string_equal(answer("GET", "/things/lamp/shadow", 0, "{\"payload\":\"text\"}"), "200 - application/octet-stream text");
	assert_string_equal(answer("GET", "/things/lamp/shadow", 0, "{}"), "200 - application/json ");
}

static void a_row_says_what_else_than_a_body_is_answered(void **s)
{
	static const char invoke[] = "/2015-03-31/functions/f/invocations";
	(void)s;
	assert_string_equal(answer("POST", "/2015-03-31/functions/", 0, "{\"a\":1}"), "201 - application/json {\"a\":1}");
	assert_string_equal(answer("DELETE", "/2015-03-31/functions/f", 0, "{}"), "204 - application/json ");
	assert_string_equal(answer("DELETE", "/2015-03-31/functions/f", SK_E_INVALID_REQUEST, "{}"),
	                    "400 ValidationException application/json {\"message\":\"ValidationException\"}");
	assert_string_equal(answer("POST", invoke, 0, "{\"Payload\":{\"b\":2},\"StatusCode\":202}"), "202 - application/json {\"b\":2}");
	assert_int_equal(x.reply.headers, 0);
	assert_string_equal(answer("POST", invoke, 0, "{\"Payload\":[],\"FunctionError\":\"Unhandled\"}"), "200 - application/json []");
	assert_int_equal(x.reply.headers, 1);
	assert_string_equal(x.reply.header[0].name, "X-Amz-Function-Error");
	assert_string_equal(x.reply.header[0].value, "Unhandled");
	assert_string_equal(answer("POST", "/marks/lamp", 0, "{\"a\":1,\"status\":202}"), "202 - application/json {\"a\":1}");
	assert_string_equal(answer("POST", "/marks/lamp", 0, "{\"a\":1,\"status\":204}"), "204 - application/json ");
}

static void awsjson_names_the_error_in_the_body(void **s)
{
	(void)s;
	sk_arena_free(&x.arena);
	x = (struct http_call){ .state = &state, .row = routes_target(routes, "", "X.OpenTunnel") };
	reply_error(&x, SK_E_LIMIT_EXCEEDED, "too many", NULL);
	assert_string_equal(x.reply.type, "application/x-amz-json-1.1");
	assert_string_equal(x.reply.body, "{\"__type\":\"LimitExceededException\",\"message\":\"too many\"}");
}

static void an_answer_without_memory_says_so(void **s)
{
	(void)s;
	const struct sent sent = { "GET", "/things/lamp", "", NULL, NULL };
	arrive(&sent);
	x.arena.failed = true;
	reply_output(&x, NULL);
	reply_error(&x, SK_E_NOT_FOUND, "gone", NULL);
	assert_int_equal(x.reply.status, 503);
	assert_string_equal(x.reply.error, "ServiceUnavailableException");
	assert_int_equal(x.reply.size, strlen(x.reply.body));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_path_and_a_verb_are_an_operation),
		cmocka_unit_test(a_service_is_known_by_its_signing_name_or_its_host),
		cmocka_unit_test(a_target_names_an_operation),
		cmocka_unit_test(inputs_come_from_where_the_row_says),
		cmocka_unit_test(binding_survives_every_failed_allocation),
		cmocka_unit_test(answers_are_awss),
		cmocka_unit_test(a_row_says_what_else_than_a_body_is_answered),
		cmocka_unit_test(awsjson_names_the_error_in_the_body),
		cmocka_unit_test(an_answer_without_memory_says_so),
	};
	return cmocka_run_group_tests(tests, begin, end);
}
