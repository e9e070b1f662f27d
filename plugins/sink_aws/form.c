/* form.c -- what the bodies of several services are made of. Nothing is checked for memory here: an arena remembers that it failed, and aws_call() looks. */
#include <string.h>

#include "core/base64.h"
#include "core/digest.h"
#include "plugins/sink_aws/aws.h"

enum { MOST_GROUP = 128 };

void aws_form_bytes(struct sigv4_text *t, const char *name, const void *value, size_t n)
{
	if (!name || !value)
		return;
	sigv4_puts(t, t->n ? "&" : "");
	sigv4_encode(t, name, strlen(name), 0);
	sigv4_puts(t, "=");
	sigv4_encode(t, value, n, 0);
}

void aws_form(struct sigv4_text *t, const char *name, const char *value)
{
	aws_form_bytes(t, name, value, value ? strlen(value) : 0);
}

void aws_form_begin(struct aws_request *r, const char *action, const char *version)
{
	r->target = action;
	aws_form(&r->body, "Action", action);
	aws_form(&r->body, "Version", version);
}

const char *aws_member(struct sk_arena *a, const char *list, size_t index, const char *member)
{
	return sk_printf(a, "%s.%zu.%s", list, index, member);
}

void aws_base64(struct sigv4_text *t, const void *bytes, size_t n)
{
	size_t size = sk_base64_size(n);
	char *text = sk_alloc_text(t->a, size + 1);

	if (!text)
		return;
	sk_base64_encode(bytes, n, text);
	sigv4_put(t, text, size);
}

void aws_json_text(struct sigv4_text *t, const char *s)
{
	size_t n;
	const char *text = sk_json_print(t->a, sk_json_string(t->a, s), &n);

	if (text)
		sigv4_put(t, text, n);
}

void aws_pieces(struct aws_request *r)
{
	for (size_t i = 0; i < r->n; i++) {
		sigv4_puts(&r->body, i ? "," : "");
		sigv4_puts(&r->body, r->entry[i]->piece);
	}
}

/* The characters of XML 1.0, which SQS and SNS keep to: #x9 | #xA | #xD | #x20 to #xD7FF | #xE000 to #xFFFD | #x10000 to #x10FFFF. */
const char *aws_text_check(const void *bytes, size_t n)
{
	const unsigned char *s = bytes;

	if (!n)
		return "the message is empty, which the service does not take";
	if (!sk_utf8_valid(bytes, n))
		return "the message is not UTF-8 text: encode(*, 'base64') makes it so, or useBase64 where there is one";
	for (size_t i = 0; i < n; i++)
		if ((s[i] < 0x20 && s[i] != '\t' && s[i] != '\n' && s[i] != '\r') || (s[i] == 0xef && s[i + 1] == 0xbf && s[i + 2] >= 0xbe))
			return "the message has a control character, which the service does not take";
	return NULL;
}

cJSON *aws_payload(const struct aws_entry *e, struct sk_arena *a)
{
	return sk_json_parse(a, e->item->payload, e->item->size, NULL, NULL);
}

/* A group is of 128 letters, digits and punctuation. */
static bool is_group(const char *topic)
{
	size_t n = 0;

	while (topic[n] > ' ' && topic[n] < 0x7f)
		n++;
	return n && !topic[n] && n <= MOST_GROUP;
}

const char *aws_fifo_group(const char *name, const char *topic, struct sk_arena *a)
{
	static const char end[] = ".fifo";
	uint8_t hash[SK_DIGEST_SIZE];
	char hex[2 * SK_DIGEST_SIZE + 1];
	size_t n = strlen(name);

	if (n < sizeof end || strcmp(name + n - (sizeof end - 1), end))
		return NULL;
	if (is_group(topic))
		return topic;
	sk_digest(topic, strlen(topic), hash);
	sk_hex(hash, sizeof hash, hex);
	return sk_strdup(a, hex);
}
