/* mail.c -- an item to a mail: addresses, headers, and the payload as its body. Pure.
 *
 * What comes from a message stays in its header: a line end in an address, a subject or a type is refused, all that is not plain ASCII becomes an
 * encoded word. The Message-ID is made of the item's id, so a mail that comes twice can be known. */
#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <time.h>

#include "core/base64.h"
#include "plugins/sink_http/sink_http.h"

enum { MOST_TO = 100, MOST_ADDRESS = 254, MOST_SUBJECT = 4096, WORD_BYTES = 39, BASE64_LINE = 57, MOST_LINE = 998 };

struct address {
	const char *name, *addr; /* name "": none */
};

/* -- texts of headers -- */

static bool is_one_line(const char *text)
{
	for (; *text; text++)
		if ((unsigned char)*text < ' ' || *text == 0x7f)
			return false;
	return true;
}

static bool is_plain(const char *text)
{
	for (const char *p = text; *p; p++)
		if (*p & 0x80)
			return false;
	return strlen(text) <= 60 && !strstr(text, "=?");
}

/* How many of the n bytes go into one encoded word: whole characters only. */
static size_t word_size(const char *text, size_t n)
{
	if (n <= WORD_BYTES)
		return n;
	for (n = WORD_BYTES; n > 1 && ((unsigned char)text[n] & 0xc0) == 0x80;)
		n--;
	return n;
}

static void put_base64(struct outbound_text *t, const char *bytes, size_t n)
{
	char line[(BASE64_LINE + 2) / 3 * 4];

	sk_base64_encode(bytes, n, line);
	outbound_put(t, line, sk_base64_size(n));
}

/* RFC 2047 */
static void put_words(struct outbound_text *t, const char *text)
{
	size_t left = strlen(text);

	if (is_plain(text)) {
		outbound_puts(t, text);
		return;
	}
	for (bool first = true; left; first = false) {
		size_t n = word_size(text, left);
		outbound_puts(t, first ? "=?UTF-8?B?" : "\r\n =?UTF-8?B?");
		put_base64(t, text, n);
		outbound_puts(t, "?=");
		text += n;
		left -= n;
	}
}

/* -- addresses -- */

static const char *address_fault(const char *addr)
{
	const char *at = strrchr(addr, '@');

	if (!at || at == addr || !at[1] || strlen(addr) > MOST_ADDRESS)
		return "an address is none: user@host is expected";
	for (const char *p = addr; *p; p++)
		if (*p <= ' ' || *p >= 0x7f || strchr("<>()[]\\,;:\"", *p))
			return "an address holds a character that none has";
	return NULL;
}

static char *trimmed(struct sk_arena *a, const char *text, size_t n)
{
	while (n && *text == ' ')
		text++, n--;
	while (n && text[n - 1] == ' ')
		n--;
	return sk_strndup(a, text, n);
}

static char *unquoted(struct sk_arena *a, char *name)
{
	size_t n = name ? strlen(name) : 0;

	return n >= 2 && name[0] == '"' && name[n - 1] == '"' ? sk_strndup(a, name + 1, n - 2) : name;
}

/* "a@b" or "Name <a@b>". NULL, or what is wrong with it. */
static const char *address_read(struct sk_arena *a, const char *text, size_t n, struct address *out)
{
	char *whole = trimmed(a, text, n), *open = whole ? strchr(whole, '<') : NULL;
	size_t size = whole ? strlen(whole) : 0;

	if (!whole)
		return "memory is out";
	if (!is_one_line(whole))
		return "an address holds a line end or another control character";
	*out = (struct address){ "", whole };
	if (open) {
		if (whole[size - 1] != '>')
			return "an address is none: Name <user@host> is expected";
		out->name = unquoted(a, trimmed(a, whole, (size_t)(open - whole)));
		out->addr = sk_strndup(a, open + 1, size - (size_t)(open - whole) - 2);
	}
	return out->addr && out->name ? address_fault(out->addr) : "memory is out";
}

/* A name is quoted unless it needs encoding anyway. */
static void put_address(struct outbound_text *t, const struct address *a)
{
	bool quoted = *a->name && is_plain(a->name);

	if (quoted) {
		outbound_putc(t, '"');
		for (const char *p = a->name; *p; p++) {
			if (*p == '"' || *p == '\\')
				outbound_putc(t, '\\');
			outbound_putc(t, *p);
		}
		outbound_putc(t, '"');
	} else {
		put_words(t, a->name);
	}
	outbound_putf(t, *a->name ? " <%s>" : "%s", a->addr);
}

static const char *put_recipients(struct outbound_text *t, const char *list, struct outbound_mail *out)
{
	struct address one;

	outbound_puts(t, "To: ");
	for (const char *p = list ? list : "", *end; *p; p = *end ? end + 1 : end) {
		end = p + strcspn(p, ",");
		const char *why = out->tos == MOST_TO ? "there are more than 100 recipients" : address_read(t->a, p, (size_t)(end - p), &one);
		if (why)
			return why;
		if (out->tos)
			outbound_puts(t, ",\r\n ");
		put_address(t, &one);
		out->to[out->tos++] = one.addr;
	}
	outbound_puts(t, "\r\n");
	return out->tos ? NULL : "there is no recipient";
}

/* -- the other headers -- */

static void put_date(struct outbound_text *t, int64_t ms)
{
	static const char *const days[] = { "Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat" };
	static const char *const months[] = { "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec" };
	time_t s = (time_t)(ms / 1000);
	struct tm tm = { 0 };

	gmtime_r(&s, &tm);
	outbound_putf(t, "Date: %s, %d %s %d %02d:%02d:%02d +0000\r\n", days[tm.tm_wday], tm.tm_mday, months[tm.tm_mon], tm.tm_year + 1900, tm.tm_hour, tm.tm_min,
	              tm.tm_sec);
}

static const char *put_subject(struct outbound_text *t, const char *subject)
{
	subject = subject ? subject : "";
	if (!is_one_line(subject))
		return "the subject holds a line end or another control character";
	if (strlen(subject) > MOST_SUBJECT)
		return "the subject is too long";
	outbound_puts(t, "Subject: ");
	put_words(t, subject);
	outbound_puts(t, "\r\n");
	return NULL;
}

/* -- the body -- */

/* May it go as it is, line by line? What is not text by its type keeps its line ends only in base64. */
static bool is_sendable(const char *body, size_t n, bool text)
{
	size_t line = 0;

	for (size_t i = 0; i < n; i++) {
		unsigned char c = (unsigned char)body[i];
		line = c == '\n' ? 0 : line + 1;
		if (c >= 0x7f || (c < ' ' && c != '\t' && !(c == '\n' && text)) || line > MOST_LINE)
			return false;
	}
	return true;
}

static void put_lines(struct outbound_text *t, const char *body, size_t n)
{
	for (const char *end = body + n; body < end;) {
		const char *stop = memchr(body, '\n', (size_t)(end - body));
		outbound_put(t, body, (size_t)((stop ? stop : end) - body));
		outbound_puts(t, "\r\n");
		body = stop ? stop + 1 : end;
	}
}

static const char *put_body(struct outbound_text *t, const struct sk_sink_item *item)
{
	const char *type = sk_sink_text(item, "contentType"), *body = item->payload;
	bool plain;

	if (!type || !*type)
		type = sk_utf8_valid(body, item->size) ? "text/plain; charset=utf-8" : "application/octet-stream";
	if (!is_one_line(type) || strlen(type) > 200)
		return "the content type holds a line end, or is too long";
	plain = is_sendable(body, item->size, !strncasecmp(type, "text/", 5));
	outbound_putf(t, "Content-Type: %s\r\nContent-Transfer-Encoding: %s\r\n\r\n", type, plain ? "7bit" : "base64");
	if (plain)
		put_lines(t, body, item->size);
	for (size_t at = 0; !plain && at < item->size; at += BASE64_LINE) {
		put_base64(t, body + at, item->size - at < BASE64_LINE ? item->size - at : BASE64_LINE);
		outbound_puts(t, "\r\n");
	}
	return NULL;
}

const char *mail_build(struct sk_arena *a, const struct sk_sink_item *item, struct outbound_mail *out)
{
	struct outbound_text t = { .a = a };
	struct address from;
	const char *sender = sk_sink_text(item, "from"), *why = address_read(a, sender ? sender : "", sender ? strlen(sender) : 0, &from);

	*out = (struct outbound_mail){ .to = sk_alloc(a, MOST_TO * sizeof *out->to) };
	if (why || a->failed)
		return why ? why : "memory is out";
	out->from = from.addr;
	put_date(&t, item->time_ms);
	outbound_puts(&t, "From: ");
	put_address(&t, &from);
	outbound_puts(&t, "\r\n");
	why = put_recipients(&t, sk_sink_text(item, "to"), out);
	why = why ? why : put_subject(&t, sk_sink_text(item, "subject"));
	outbound_putf(&t, "Message-ID: <%s@%s>\r\nAuto-Submitted: auto-generated\r\nMIME-Version: 1.0\r\n", item->id, strrchr(from.addr, '@') + 1);
	why = why ? why : put_body(&t, item);
	out->text = t.at;
	out->size = t.n;
	return a->failed ? "memory is out" : why;
}
