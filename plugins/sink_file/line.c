/* line.c -- what a message is as a line of a file, and which paths there may be. Pure.
 *
 * Invariant: a line is one JSON value without line breaks, and an end of line. */
#include "plugins/sink_file/file.h"

#include <string.h>

#include "core/base64.h"

const char *file_path_fault(const char *path)
{
	if (!*path)
		return "the path is empty";
	if (*path == '/')
		return "the path is absolute: it must lie below plugin_opt_folder";
	for (const char *level = path;; level++) {
		size_t n = strcspn(level, "/");
		if (!n)
			return "the path has an empty level";
		if (strspn(level, ".") >= n && n <= 2)
			return "the path has a level that is . or ..";
		if (n > 255)
			return "the path has a level of more than 255 bytes";
		level += n;
		if (!*level)
			return NULL;
	}
}

/* What is not text is payloadBase64. */
static void set_payload(struct sk_arena *a, cJSON *o, const struct sk_sink_item *item, cJSON *document)
{
	size_t n = sk_base64_size(item->size);
	char *base64;

	if (document) {
		sk_json_set(a, o, "payload", document);
		return;
	}
	if (sk_utf8_valid(item->payload, item->size) && !memchr(item->payload, 0, item->size)) {
		sk_json_set(a, o, "payload", sk_json_stringn(a, item->payload, item->size));
		return;
	}
	base64 = sk_alloc_text(a, n);
	if (base64)
		sk_base64_encode(item->payload, item->size, base64);
	sk_json_set(a, o, "payloadBase64", sk_json_stringn(a, base64, n));
}

static const char *with_end(struct sk_arena *a, const char *text, size_t n, size_t *size)
{
	char *line = text ? sk_alloc_text(a, n + 1) : NULL;

	if (!line)
		return NULL;
	for (size_t i = 0; i < n; i++)
		line[i] = text[i] == '\n' || text[i] == '\r' ? ' ' : text[i]; /* in JSON they are blanks */
	line[n] = '\n';
	*size = n + 1;
	return line;
}

const char *file_line(const struct sk_sink_item *item, bool document, struct sk_arena *a, size_t *size)
{
	cJSON *parsed = sk_json_parse(a, item->payload, item->size, NULL, NULL), *o;
	const char *text;

	if (parsed && !document)
		return with_end(a, item->payload, item->size, size);
	o = sk_json_object(a);
	sk_json_set_string(a, o, "id", item->id);
	sk_json_set_int(a, o, "time", item->time_ms);
	sk_json_set_string(a, o, "topic", item->topic);
	if (item->client_id)
		sk_json_set_string(a, o, "clientId", item->client_id);
	sk_json_set_string(a, o, "rule", item->rule);
	set_payload(a, o, item, parsed);
	text = sk_json_print(a, o, size);
	return a->failed ? NULL : with_end(a, text, *size, size);
}
