/* url.c -- takes URLs apart, strictly: what is not understood is refused and never guessed. See url.h. */
#include "core/url.h"

#include <ctype.h>
#include <string.h>

static const char letters_of_schemes[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789+-.";

static int hex(char c)
{
	return c >= '0' && c <= '9' ? c - '0' : (c | 32) >= 'a' && (c | 32) <= 'f' ? (c | 32) - 'a' + 10 : -1;
}

/* NULL: a % without two digits, or %00, or memory. */
static const char *decoded(struct sk_arena *a, const char *text, size_t n)
{
	char *out = sk_strndup(a, text, n), *to = out;

	for (size_t i = 0; out && i < n; i++) {
		int c = (unsigned char)text[i];
		if (c == '%') {
			if (n - i < 3 || hex(text[i + 1]) < 0 || hex(text[i + 2]) < 0)
				return NULL;
			c = hex(text[i + 1]) * 16 + hex(text[i + 2]);
			if (!c)
				return NULL;
			i += 2;
		}
		*to++ = (char)c;
	}
	if (out)
		*to = '\0';
	return out;
}

static const char *user_of(struct sk_arena *a, const char *text, size_t n, struct sk_url *out)
{
	const char *colon = memchr(text, ':', n);

	out->user = decoded(a, text, colon ? (size_t)(colon - text) : n);
	if (colon)
		out->password = decoded(a, colon + 1, n - (size_t)(colon + 1 - text));
	return out->user && (!colon || out->password) ? NULL : "the user or the password of the URL has a bad % in it";
}

static const char *port_of(const char *text, size_t n, struct sk_url *out)
{
	int port = 0;

	for (size_t i = 0; i < n && port < 100000; i++) {
		if (!isdigit((unsigned char)text[i]))
			return "the port of the URL is no number";
		port = 10 * port + (text[i] - '0');
	}
	out->port = port;
	return port >= 1 && port <= 65535 ? NULL : "the port of the URL is not from 1 to 65535";
}

static const char *host_of(struct sk_arena *a, const char *text, size_t n, struct sk_url *out)
{
	bool bracket = n && *text == '[';
	const char *end = bracket ? memchr(text, ']', n) : memchr(text, ':', n);
	size_t size = !end ? n : (size_t)(end - text);

	if (bracket && !end)
		return "the host of the URL has no ]";
	out->host = decoded(a, text + bracket, size - bracket);
	size += bracket;
	if (!out->host)
		return "the host of the URL has a bad % in it";
	if (out->host[strcspn(out->host, " \t\r\n")])
		return "the host of the URL has a blank in it";
	if (size == n)
		return NULL;
	return text[size] == ':' ? port_of(text + size + 1, n - size - 1, out) : "the host of the URL is followed by something else than a port";
}

static const char *scheme_of(struct sk_arena *a, const char *text, size_t n, struct sk_url *out)
{
	char *scheme = n && strspn(text, letters_of_schemes) == n ? sk_strndup(a, text, n) : NULL;

	for (char *p = scheme; p && *p; p++)
		*p = (char)tolower((unsigned char)*p);
	out->scheme = scheme;
	return scheme ? NULL : "the URL has no scheme like https:// in front";
}

const char *sk_url_parse(struct sk_arena *a, const char *text, struct sk_url *out)
{
	const char *host = strstr(text, "://"), *end, *at = NULL, *fault, *query;

	*out = (struct sk_url){ 0 };
	if ((fault = scheme_of(a, text, host ? (size_t)(host - text) : 0, out)))
		return fault;
	host += 3;
	end = host + strcspn(host, "/?#");
	if (strchr(end, '#'))
		return "the URL has a # in it";
	for (const char *p = host; p < end; p++)
		if (*p == '@')
			at = p;
	if (at && (fault = user_of(a, host, (size_t)(at - host), out)))
		return fault;
	host = at ? at + 1 : host;
	if ((fault = host_of(a, host, (size_t)(end - host), out)))
		return fault;
	query = strchr(end, '?');
	out->query = query ? sk_strdup(a, query + 1) : NULL;
	if (*end == '/' && !(out->path = decoded(a, end + 1, query ? (size_t)(query - end - 1) : strlen(end + 1))))
		return "the path of the URL has a bad % in it";
	return NULL;
}
