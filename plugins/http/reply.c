/* reply.c -- see reply.h. Texts are the call's arena's, so an answer lives until it has been sent. */
#include "plugins/http/reply.h"

#include <string.h>

/* "ThrottlingException" has another status in some services' models than in errors.tbl. */
static const struct { const char *service; int code, status; } statuses[] = {
	{ "iot", SK_E_THROTTLING, 400 },
	{ 0 }
};

static int status_of(const struct http_call *x, int code)
{
	const char *service = x->row ? x->row->service : x->service ? x->service : "";
	for (size_t i = 0; statuses[i].service; i++)
		if (statuses[i].code == code && !strcmp(statuses[i].service, service))
			return statuses[i].status;
	return sk_error_info(code)->http;
}

/* awsJson services stand at POST /, and name the error in the body. */
static bool is_aws_json(const struct http_call *x)
{
	return x->row && x->row->op && !strcmp(x->row->op->route, "/");
}

static void print(struct http_call *x, const cJSON *body)
{
	static const char sorry[] = "{\"message\":\"The answer needs more memory than there is\"}";
	struct http_reply *r = &x->reply;
	r->type = is_aws_json(x) ? "application/x-amz-json-1.1" : "application/json";
	r->body = sk_json_print(&x->arena, body, &r->size);
	if (r->body && !x->arena.failed)
		return;
	*r = (struct http_reply){ .status = 503, .type = "application/json", .error = "ServiceUnavailableException", .body = sorry,
		                  .size = sizeof sorry - 1 };
}

static void error_document(struct http_call *x, int status, const char *name, const char *message, const cJSON *fields)
{
	cJSON *body = sk_json_object(&x->arena);
	x->reply = (struct http_reply){ .status = status, .error = name };
	if (is_aws_json(x))
		sk_json_set_string(&x->arena, body, "__type", name);
	sk_json_set_string(&x->arena, body, "message", message);
	SK_JSON_EACH(field, fields)
		if (field->string && !sk_json_get(body, field->string))
			sk_json_set(&x->arena, body, field->string, sk_json_copy(&x->arena, field));
	print(x, body);
}

void reply_error(struct http_call *x, int code, const char *message, const cJSON *fields)
{
	const struct sk_error_info *info = sk_error_info(code);
	error_document(x, status_of(x, code), info->name, message && *message ? message : info->name, fields);
}

void reply_refusal(struct http_call *x, const struct sigv4_refusal *no)
{
	error_document(x, no->http, no->name, no->message, NULL);
}

void reply_text(struct http_call *x, int status, const char *type, const char *text)
{
	x->reply = (struct http_reply){ .status = status, .type = type, .body = text ? text : "", .size = text ? strlen(text) : 0 };
}

void reply_output(struct http_call *x, const cJSON *out)
{
	const char *raw = sk_inputs_raw_output(x->row->inputs);
	const cJSON *body = raw ? sk_json_get(out, raw) : out;
	x->reply = (struct http_reply){ .status = 200 };
	if (raw && cJSON_IsString(body))
		reply_text(x, 200, "application/octet-stream", sk_strdup(&x->arena, body->valuestring));
	else if (body)
		print(x, body);
	else
		reply_text(x, 200, "application/json", "");
}
