/* request.c -- see request.h. What is of the wrong type is taken as text: the check in front of the handler then refuses it in AWS's words. */
#include "plugins/http/request.h"

#include <string.h>
#include <strings.h>

const char *request_header(const struct sigv4_request *r, const char *name)
{
	for (size_t i = 0; i < r->headers; i++)
		if (!strcasecmp(r->header[i].name, name))
			return r->header[i].value;
	return NULL;
}

static int digit(char c)
{
	static const char digits[] = "0123456789abcdef";
	const char *at = c ? strchr(digits, c >= 'A' && c <= 'F' ? c | 0x20 : c) : NULL;
	return at ? (int)(at - digits) : -1;
}

/* The byte of two hexadecimal digits, -1 if they are not two. */
static int byte_of(const char *two)
{
	int high = digit(two[0]), low = high < 0 ? -1 : digit(two[1]);
	return low < 0 ? -1 : high << 4 | low;
}

char *request_decode(struct sk_arena *a, const char *text, size_t n, bool plus)
{
	char *out = sk_alloc_text(a, n + 1), *to = out;
	for (size_t i = 0; out && i < n; i++) {
		if (text[i] != '%') {
			*to++ = plus && text[i] == '+' ? ' ' : text[i];
			continue;
		}
		int byte = n - i > 2 ? byte_of(text + i + 1) : -1;
		if (byte <= 0)
			return NULL;
		*to++ = (char)byte;
		i += 2;
	}
	if (out)
		*to = '\0';
	return out;
}

/* -- the input -- */

/* An input that may be said more than once is a list; of any other the first one counts. */
static void put(struct http_call *x, const struct sk_input *input, cJSON *node)
{
	cJSON *there = sk_json_get(x->in, input->name);
	if (!there) {
		sk_json_set(&x->arena, x->in, input->name, node);
		return;
	}
	while (cJSON_IsArray(there) && cJSON_IsArray(node) && node->child) {
		cJSON *one = node->child;
		sk_json_detach(node, one);
		sk_json_append(there, one);
	}
}

/* false: it is no proper escape. */
static bool bind(struct http_call *x, enum sk_input_place place, const char *wire, const char *text)
{
	const struct sk_input *input;
	cJSON *node = text ? sk_inputs_bind(x->row->inputs, &x->arena, place, wire, text, &input) : NULL;
	if (node)
		put(x, input, node);
	return text != NULL;
}

/* The first inputs of a row are those of its route, in order. */
static bool bind_path(struct http_call *x)
{
	for (size_t i = 0; i < x->captures; i++) {
		const struct sk_input *input = sk_inputs_at(x->row->inputs, i);
		if (!input || !bind(x, SK_IN_PATH, input->wire, request_decode(&x->arena, x->capture[i].at, x->capture[i].size, false)))
			return false;
	}
	return true;
}

static bool bind_query(struct http_call *x)
{
	for (const char *at = x->wire.query; *at;) {
		size_t n = strcspn(at, "&"), name = strcspn(at, "=&");
		const char *value = name < n ? at + name + 1 : at + n;
		const char *wire = request_decode(&x->arena, at, name, true);
		if (!wire || !bind(x, SK_IN_QUERY, wire, request_decode(&x->arena, value, (size_t)(at + n - value), true)))
			return false;
		at += n + (at[n] == '&');
	}
	return true;
}

static void bind_headers(struct http_call *x)
{
	for (size_t i = 0; i < x->wire.headers; i++)
		bind(x, SK_IN_HEADER, x->wire.header[i].name, x->wire.header[i].value);
}

static const struct sk_input *input_in(const struct sk_inputs *in, enum sk_input_place place)
{
	for (size_t i = 0; i < sk_inputs_count(in); i++)
		if (sk_inputs_at(in, i)->place == place)
			return sk_inputs_at(in, i);
	return NULL;
}

static bool bind_body(struct http_call *x)
{
	const struct sk_inputs *in = x->row->inputs;
	const struct sk_input *whole = input_in(in, SK_IN_WHOLE);
	if (!x->body.size || (!whole && !input_in(in, SK_IN_BODY)))
		return true;
	cJSON *body = sk_json_parse(&x->arena, x->body.data, x->body.size, NULL, NULL);
	if (!cJSON_IsObject(body))
		return false;
	if (whole)
		sk_json_set(&x->arena, x->in, whole->name, body);
	for (size_t i = 0; !whole && i < sk_inputs_count(in); i++) {
		const struct sk_input *input = sk_inputs_at(in, i);
		cJSON *node = input->place == SK_IN_BODY ? sk_json_get(body, input->name) : NULL;
		if (!node)
			continue;
		sk_json_detach(body, node);
		sk_json_set(&x->arena, x->in, input->name, node);
	}
	return true;
}

int request_bind(struct http_call *x, const char **message)
{
	*message = NULL;
	x->in = sk_json_object(&x->arena);
	if (!bind_path(x))
		*message = "The path holds a percent sign that two hexadecimal digits of a byte do not follow";
	else if (!bind_query(x))
		*message = "The query holds a percent sign that two hexadecimal digits of a byte do not follow";
	else if (!bind_body(x))
		*message = "The body is not a JSON object";
	else
		bind_headers(x);
	if (x->arena.failed)
		*message = NULL;
	return *message || x->arena.failed ? -1 : 0;
}
