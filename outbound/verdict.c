/* verdict.c -- what an answer means for the items that were sent, and what may be said of it. Pure.
 *
 * No word of a request's headers, nor a password or the value of a parameter in its URL, gets into what is said, however the server quotes them: a key
 * that it was shown stays between the two. */
#include <ctype.h>
#include <string.h>
#include <strings.h>

#include "core/json.h"
#include "outbound/http_client.h"

enum { MOST_SAID = 300, MOST_ORIGIN = 300, LEAST_MASKED = 4, MOST_HEADER = 16 << 10 };

const char *outbound_line(struct sk_arena *a, const char *text, size_t size, size_t most)
{
	char *line = sk_alloc_text(a, most + 1);
	size_t n = 0;
	bool blank = true;

	for (size_t i = 0; line && i < size && n < most; i++) {
		unsigned char c = (unsigned char)text[i];
		if (c <= ' ' || c == 0x7f) {
			if (!blank)
				line[n++] = ' ';
			blank = true;
			continue;
		}
		line[n++] = (char)c;
		blank = false;
	}
	if (!line)
		return NULL;
	/* A character that was cut in two is left out; other bytes that are no UTF-8 are a question mark. */
	for (size_t i = n; i > 0 && n - i < 4 && n == most && (line[i - 1] & 0x80); i--)
		if ((line[i - 1] & 0xc0) == 0xc0) {
			n = sk_utf8_valid(line + i - 1, n - i + 1) ? n : i - 1;
			break;
		}
	if (!sk_utf8_valid(line, n))
		for (size_t i = 0; i < n; i++)
			line[i] = line[i] & 0x80 ? '?' : line[i];
	while (n && line[n - 1] == ' ')
		n--;
	line[n] = '\0';
	return line;
}

/* -- masks -- */

/* Headers that everybody may see: their values are words of their own. */
static bool is_plain(const char *name)
{
	static const char *const plain[] = { "accept", "content-type", "content-encoding", "host", "user-agent", "x-amz-date", "x-amz-target" };

	for (size_t i = 0; i < sizeof plain / sizeof *plain; i++)
		if (!strcasecmp(plain[i], name))
			return true;
	return false;
}

static void mask(char *text, const char *word)
{
	size_t n = strlen(word);

	if (n < LEAST_MASKED)
		return;
	for (char *at = text; (at = strstr(at, word)); at += n)
		memset(at, '*', n);
}

/* The value, and its words: "Bearer abc" is quoted as "abc" too. */
static void mask_words(struct sk_arena *a, char *text, const char *value)
{
	mask(text, value);
	for (const char *p = value; *p; p += strcspn(p, " ,;"), p += strspn(p, " ,;")) {
		const char *word = sk_strndup(a, p, strcspn(p, " ,;"));
		if (word && strcasecmp(word, "bearer") && strcasecmp(word, "basic") && strcasecmp(word, "token"))
			mask(text, word);
	}
}

static void mask_part(struct sk_arena *a, char *text, const char *from, size_t n)
{
	const char *part = sk_strndup(a, from, n);

	if (part)
		mask(text, part);
}

/* https://user:PASSWORD@host/path?key=VALUE&... */
static void mask_url(struct sk_arena *a, char *text, const char *url)
{
	const char *host = strstr(url, "://"), *query = strchr(url, '?'), *end, *at = NULL;

	host = host ? host + 3 : url;
	end = host + strcspn(host, "/?#");
	for (const char *p = host; p < end; p++)
		at = *p == '@' ? p : at;
	if (at && memchr(host, ':', (size_t)(at - host))) {
		const char *password = strchr(host, ':') + 1;
		mask_part(a, text, password, (size_t)(at - password));
	}
	for (const char *p = query; p && *p && *p != '#'; p += strcspn(p, "&#")) {
		p += 1 + strcspn(p + 1, "=&#");
		if (*p == '=')
			mask_part(a, text, p + 1, strcspn(p + 1, "&#"));
	}
}

static char *answer_masked(const struct outbound_request *r, struct sk_arena *a)
{
	char *text = sk_strndup(a, r->answer ? r->answer : "", r->answer ? r->answer_size : 0);

	for (size_t i = 0; text && i < r->answer_size; i++)
		text[i] = text[i] ? text[i] : ' ';
	for (size_t i = 0; text && i < r->headers; i++)
		if (!is_plain(r->header[i].name))
			mask_words(a, text, r->header[i].value);
	if (text && r->url)
		mask_url(a, text, r->url);
	return text;
}

/* -- verdicts -- */

static bool comes_again(int status)
{
	return status == 408 || status == 425 || status == 429 || status >= 500;
}

enum sk_sunk outbound_verdict(const struct outbound_request *r, struct sk_arena *a, const char **why)
{
	const char *said;

	*why = r->why;
	if (!r->status)
		return r->never ? SK_SUNK_FAIL : SK_SUNK_RETRY;
	*why = NULL;
	if (r->status >= 200 && r->status < 300)
		return SK_SUNK_OK;
	said = answer_masked(r, a);
	said = said ? outbound_line(a, said, r->answer_size, MOST_SAID) : "";
	if (r->status >= 300 && r->status < 400)
		*why = sk_printf(a, "%d: the server redirects, which is not followed", r->status);
	else
		*why = sk_printf(a, "%d%s%s", r->status, said && *said ? ": " : "", said ? said : "");
	return comes_again(r->status) ? SK_SUNK_RETRY : SK_SUNK_FAIL;
}

void outbound_say(const struct outbound_request *r, struct sk_sink_item *const *item, size_t n, struct sk_arena *a)
{
	const char *why;
	enum sk_sunk result = outbound_verdict(r, a, &why);

	sk_sink_all(item, n, result, why);
	for (size_t i = 0; result == SK_SUNK_RETRY && i < n; i++)
		item[i]->retry_ms = r->retry_ms;
}

/* -- what may be sent -- */

static bool is_token(const char *text)
{
	size_t n = strspn(text, "!#$%&'*+-.^_`|~0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz");

	return n && !text[n];
}

static bool is_one_line(const char *text)
{
	for (; *text; text++)
		if ((unsigned char)*text < ' ' ? *text != '\t' : *text == 0x7f)
			return false;
	return true;
}

const char *outbound_header_fault(const char *name, const char *value)
{
	static const char *const own[] = { "connection", "content-length", "expect", "keep-alive", "te", "trailer", "transfer-encoding", "upgrade" };

	if (!is_token(name))
		return "the name of a header is not a token";
	for (size_t i = 0; i < sizeof own / sizeof *own; i++)
		if (!strcasecmp(own[i], name))
			return "a header that belongs to the connection cannot be given";
	if (!is_one_line(value))
		return "a header's value holds a line end or another control character";
	return strlen(name) + strlen(value) > MOST_HEADER ? "a header is too long" : NULL;
}

/* -- where to -- */

static const char *fault(const char **why, const char *text)
{
	*why = text;
	return NULL;
}

static const char *origin_of(struct sk_arena *a, const char *scheme, const char *host, size_t size)
{
	char *origin = sk_printf(a, "%s%.*s", scheme, (int)size, host);

	for (char *p = origin; p && *p; p++)
		*p = (char)tolower((unsigned char)*p);
	return origin;
}

const char *outbound_origin(struct sk_arena *a, const char *url, const char **why)
{
	bool tls = !strncasecmp(url, "https://", 8);
	const char *host = url + (tls ? 8 : 7), *end;

	*why = NULL;
	if (!tls && strncasecmp(url, "http://", 7))
		return fault(why, "the URL must begin with https:// or http://");
	end = host + strcspn(host, "/?#");
	if (memmem(host, (size_t)(end - host), "${", 2))
		return fault(why, "the host cannot be a template");
	for (const char *p = host; p < end; p++)
		if (*p == '@')
			host = p + 1;
	if (host == end || *host == ':')
		return fault(why, "the URL has no host");
	if (end - host > MOST_ORIGIN)
		return fault(why, "the URL's host is too long");
	for (const char *p = host; p < end; p++)
		if (!isalnum((unsigned char)*p) && !strchr(".-_:[]%", *p))
			return fault(why, "the URL's host holds a character that no host has");
	host = origin_of(a, tls ? "https://" : "http://", host, (size_t)(end - host));
	return host ? host : fault(why, "memory is out");
}
