/* fn_encode.c -- encode and decode: base64 of values and of the payload as it came. */
#include <string.h>

#include "core/base64.h"
#include "sql/internal.h"

#define HIDDEN __attribute__((unused))

static bool is_base64(const struct expr_value *v)
{
	return v->kind == EXPR_STRING && strcmp(v->text, "base64") == 0;
}

static struct expr_value encoded(struct expr_run *r, const void *bytes, size_t n)
{
	char *text = sql_room(r, sk_base64_size(n));

	if (!text)
		return expr_undefined();
	sk_base64_encode(bytes, n, text);
	return expr_string(text, sk_base64_size(n));
}

struct expr_value sql_fn_encode(struct expr_run *r, int n HIDDEN, const struct expr_value *args)
{
	const struct sql_message *m = sql_state(r)->message;
	struct expr_value v;

	if (!is_base64(&args[1]))
		return expr_undefined();
	if (args[0].kind == EXPR_RAW)
		return encoded(r, m->payload, m->size);
	v = sql_text(r, &args[0]);
	return v.kind == EXPR_STRING ? encoded(r, v.text, v.size) : expr_undefined();
}

/* "If the decoded string is a JSON document, an addressable object is returned; otherwise a string; NULL if it cannot be
 * decoded": text that is not UTF-8, or holds a NUL, cannot. */
static struct expr_value decoded(struct expr_run *r, const char *text, size_t n)
{
	const struct expr_value null = { .kind = EXPR_NULL };
	char *bytes = sql_room(r, n);
	long size = bytes ? sk_base64_decode(text, n, (unsigned char *)bytes) : -1;
	const cJSON *document;

	if (size < 0 || memchr(bytes, 0, (size_t)size) || !sk_utf8_valid(bytes, (size_t)size))
		return null;
	bytes[size] = '\0';
	document = sk_json_parse(r->arena, bytes, (size_t)size, NULL, NULL);
	if (cJSON_IsObject(document) || cJSON_IsArray(document))
		return expr_of_node(r->program->mode, document);
	return expr_string(bytes, (size_t)size);
}

struct expr_value sql_fn_decode(struct expr_run *r, int n HIDDEN, const struct expr_value *args)
{
	const struct sql_message *m = sql_state(r)->message;
	struct expr_value v;

	if (!is_base64(&args[1]))
		return expr_undefined();
	if (args[0].kind == EXPR_RAW)
		return decoded(r, m->payload ? m->payload : "", m->size);
	if (args[0].kind == EXPR_UNDEFINED)
		return expr_undefined();
	v = sql_text(r, &args[0]);
	return v.kind == EXPR_STRING ? decoded(r, v.text, v.size) : (struct expr_value){ .kind = EXPR_NULL };
}
