/* reply.c -- see reply.h. Texts are the call's arena's, so an answer lives until it has been sent. */
#include "plugins/http/reply.h"

#include <stdlib.h>
#include <string.h>

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
	const struct sk_error_info *info = sk_error_of(x->row ? x->row->service : x->service, code);
	error_document(x, info->http, info->name, message && *message ? message : info->name, fields);
}

void reply_refusal(struct http_call *x, const struct sigv4_refusal *no)
{
	error_document(x, no->http, no->name, no->message, NULL);
}

void reply_text(struct http_call *x, int status, const char *type, const char *text)
{
	x->reply = (struct http_reply){ .status = status, .type = type, .body = text ? text : "", .size = text ? strlen(text) : 0 };
}

/* "1 201": what stands in the row instead of 200. */
static int status_of(const struct http_call *x)
{
	const char *about = x->row->op->about ? strpbrk(x->row->op->about, " ") : NULL;
	for (; about; about = strchr(about + 1, ' '))
		if (about[1] == '2')
			return atoi(about + 1);
	return 200;
}

/* What does not travel in the body. */
static void outputs(struct http_call *x, const cJSON *out)
{
	struct http_reply *r = &x->reply;
	for (const struct sk_output *o = sk_inputs_outputs(x->row->inputs); o->name; o++) {
		const cJSON *value = sk_json_get(out, o->name);
		if (value && !strcmp(o->wire, ":status"))
			r->status = (int)sk_json_int_of(out, o->name, 200);
		else if (cJSON_IsString(value) && r->headers < HTTP_HEADERS)
			r->header[r->headers++] = (struct sigv4_field){ o->wire, sk_strdup(&x->arena, value->valuestring) };
	}
}

/* The output without what travels elsewhere. */
static const cJSON *body_of(struct http_call *x, const cJSON *out)
{
	const struct sk_output *o = sk_inputs_outputs(x->row->inputs);
	cJSON *body = o->name ? sk_json_copy(&x->arena, out) : NULL;
	for (; o->name; o++)
		sk_json_remove(body, o->name);
	return body ? body : out;
}

static void output_body(struct http_call *x, const cJSON *out)
{
	const char *raw = sk_inputs_raw_output(x->row->inputs);
	const cJSON *body = raw ? sk_json_get(out, raw) : body_of(x, out);
	struct http_reply *r = &x->reply;
	bool text = raw && cJSON_IsString(body);
	if (body && !text && r->status != 204) {
		print(x, body);
		return;
	}
	r->type = text ? "application/octet-stream" : "application/json";
	r->body = text ? sk_strdup(&x->arena, body->valuestring) : "";
	r->body = r->body ? r->body : "";
	r->size = strlen(r->body);
}

void reply_output(struct http_call *x, const cJSON *out)
{
	x->reply = (struct http_reply){ .status = status_of(x) };
	outputs(x, out);
	output_body(x, out);
}
