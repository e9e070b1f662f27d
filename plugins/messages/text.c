/* text.c -- topics, and bytes that travel as text. */
#include "plugins/messages/messages.h"

#include <openssl/evp.h>
#include <string.h>

#include "core/utf8.h"

enum { LEVELS_MOST = 200 };

/* As Mosquitto has it, which takes 200 levels and tells nobody that it did not take more. */
static bool has_too_many_levels(const char *topic)
{
	int levels = 1;
	for (; *topic; topic++)
		levels += *topic == '/';
	return levels > LEVELS_MOST;
}

const char *messages_topic_fault(const char *topic)
{
	if (!*topic)
		return "The topic is empty";
	if (strpbrk(topic, "+#"))
		return "A topic to publish to holds no wildcard";
	if (!sk_utf8_is_text(topic))
		return "The topic holds a control character, or is longer than 65535 bytes";
	return has_too_many_levels(topic) ? "The topic has more than 200 levels" : NULL;
}

/* Decoded and encoded again it must be the same: OpenSSL's decoder lets white space and wrong ends pass. */
static bool is_exact(const unsigned char *data, int n, const char *base64, size_t size, unsigned char *again)
{
	return EVP_EncodeBlock(again, data, n) == (int)size && !memcmp(again, base64, size);
}

unsigned char *messages_decode(struct sk_arena *a, const char *base64, size_t *n)
{
	size_t size = strlen(base64);
	unsigned char *data = size % 4 || size > INT32_MAX / 2 ? NULL : sk_alloc(a, size + 1), *again = data ? sk_alloc(a, size + 1) : NULL;
	if (!again)
		return NULL;
	int got = EVP_DecodeBlock(data, (const unsigned char *)base64, (int)size);
	for (size_t i = size; i > 0 && base64[i - 1] == '=' && size - i < 2 && got > 0; i--)
		got--;
	if (got < 0 || !is_exact(data, got, base64, size, again))
		return NULL;
	data[got] = '\0';
	*n = (size_t)got;
	return data;
}

const char *messages_encode(struct sk_arena *a, const void *data, size_t n)
{
	char *text = n > INT32_MAX / 2 ? NULL : sk_alloc_text(a, (n + 2) / 3 * 4 + 1);
	if (text)
		EVP_EncodeBlock((unsigned char *)text, data, (int)n);
	return text;
}
