/* xml.c -- see xml.h. Tokens are read one after the other; an element ends with the closing tag of its own name at its own depth. */
#include "plugins/sink_aws/xml.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

enum token { END, TEXT, OPEN, CLOSE, EMPTY, OTHER };
struct reader {
	const char *at, *end;
	const char *begin;   /* of the token */
	const char *name;    /* of a tag, without its prefix; of text: its beginning */
	size_t size;         /* of name, or of the text */
	bool literal;        /* of TEXT: CDATA */
};

static const char *find(const char *at, const char *end, const char *what)
{
	return at < end ? memmem(at, (size_t)(end - at), what, strlen(what)) : NULL;
}

static bool begins(const struct reader *r, const char *what)
{
	size_t n = strlen(what);

	return (size_t)(r->end - r->at) >= n && !memcmp(r->at, what, n);
}

/* <!-- -->, <?xml ?>, <!DOCTYPE >: passed over. */
static enum token read_other(struct reader *r, const char *until)
{
	const char *stop = find(r->at, r->end, until);

	r->at = stop ? stop + strlen(until) : r->end;
	return stop ? OTHER : END;
}

static enum token read_cdata(struct reader *r)
{
	static const char open[] = "<![CDATA[";
	const char *stop = find(r->at, r->end, "]]>");

	if (!stop || stop < r->at + sizeof open - 1)
		return END;
	r->name = r->at + sizeof open - 1;
	r->size = (size_t)(stop - r->name);
	r->literal = true;
	r->at = stop + 3;
	return TEXT;
}

/* Behind the tag's end; quoted values may hold a >. NULL: it has none. */
static const char *tag_end(const char *at, const char *end)
{
	char quote = 0;

	for (; at < end; at++) {
		if (quote)
			quote = *at == quote ? 0 : quote;
		else if (*at == '"' || *at == '\'')
			quote = *at;
		else if (*at == '>')
			return at + 1;
	}
	return NULL;
}

static enum token read_tag(struct reader *r)
{
	bool closes = r->at + 1 < r->end && r->at[1] == '/';
	const char *name = r->at + 1 + closes, *stop = tag_end(name, r->end), *prefix;

	if (!stop)
		return END;
	r->size = 0;
	while (name + r->size < stop - 1 && !strchr(" \t\r\n/", name[r->size]))
		r->size++;
	prefix = memchr(name, ':', r->size);
	r->name = prefix ? prefix + 1 : name;
	r->size -= (size_t)(r->name - name);
	r->at = stop;
	return closes ? CLOSE : stop[-2] == '/' ? EMPTY : OPEN;
}

static enum token next(struct reader *r)
{
	r->begin = r->at;
	r->literal = false;
	if (r->at >= r->end)
		return END;
	if (*r->at != '<') {
		const char *stop = memchr(r->at, '<', (size_t)(r->end - r->at));
		r->name = r->at;
		r->at = stop ? stop : r->end;
		r->size = (size_t)(r->at - r->name);
		return TEXT;
	}
	if (begins(r, "<![CDATA["))
		return read_cdata(r);
	if (begins(r, "<!--"))
		return read_other(r, "-->");
	if (begins(r, "<?"))
		return read_other(r, "?>");
	return begins(r, "<!") ? read_other(r, ">") : read_tag(r);
}

static bool is_named(const struct reader *r, const char *name)
{
	return strlen(name) == r->size && !memcmp(r->name, name, r->size);
}

bool aws_xml_next(struct aws_xml *x, const char *name, struct aws_xml *content)
{
	struct reader r = { .at = x->at, .end = x->end };
	size_t depth = 0;

	for (enum token t; (t = next(&r)) != END;) {
		if (t == TEXT || t == OTHER || !is_named(&r, name))
			continue;
		bool whole = t == EMPTY ? !depth : t == CLOSE && depth == 1;
		if (t != CLOSE && !depth)
			content->at = r.at;
		depth += t == OPEN;
		depth -= t == CLOSE && depth;
		if (!whole)
			continue;
		content->end = t == EMPTY ? r.at : r.begin;
		x->at = r.at;
		return true;
	}
	return false;
}

/* -- text -- */

static const struct {
	const char *name, *text;
} entities[] = { { "amp;", "&" }, { "lt;", "<" }, { "gt;", ">" }, { "quot;", "\"" }, { "apos;", "'" } };

static size_t put_utf8(char *out, unsigned long c)
{
	if (c == 0 || c > 0x10ffff || (c >= 0xd800 && c < 0xe000))
		c = 0xfffd;
	if (c < 0x80)
		return out[0] = (char)c, 1;
	if (c < 0x800)
		return out[0] = (char)(0xc0 | c >> 6), out[1] = (char)(0x80 | (c & 63)), 2;
	if (c < 0x10000)
		return out[0] = (char)(0xe0 | c >> 12), out[1] = (char)(0x80 | (c >> 6 & 63)), out[2] = (char)(0x80 | (c & 63)), 3;
	return out[0] = (char)(0xf0 | c >> 18), out[1] = (char)(0x80 | (c >> 12 & 63)), out[2] = (char)(0x80 | (c >> 6 & 63)), out[3] = (char)(0x80 | (c & 63)), 4;
}

/* "&#x41;", at most ten digits: how long it is; 0: it is none. A character never takes more room than its reference. */
static size_t read_number(const char *s, size_t n, char *out, size_t *written)
{
	bool hex = n > 3 && (s[2] | 32) == 'x';
	const char *digits = hex ? "0123456789abcdefABCDEF" : "0123456789";
	unsigned long c = 0;
	size_t i = hex ? 3 : 2;

	for (; i < n && i < 13 && s[i] && strchr(digits, s[i]); i++)
		c = c > 0x10ffff ? c : c * (hex ? 16 : 10) + (unsigned long)(s[i] <= '9' ? s[i] - '0' : (s[i] | 32) - 'a' + 10);
	if (i == (hex ? 3u : 2u) || i >= n || s[i] != ';')
		return 0;
	*written = put_utf8(out, c);
	return i + 1;
}

static size_t read_entity(const char *s, size_t n, char *out, size_t *written)
{
	if (n > 3 && s[1] == '#')
		return read_number(s, n, out, written);
	for (size_t i = 0; i < sizeof entities / sizeof *entities; i++) {
		size_t size = strlen(entities[i].name);
		if (n > size && !memcmp(s + 1, entities[i].name, size)) {
			*out = *entities[i].text;
			*written = 1;
			return size + 1;
		}
	}
	return 0;
}

static size_t decode(const char *s, size_t n, bool literal, char *out)
{
	size_t used, written, size = 0;

	for (size_t i = 0; i < n;) {
		used = !literal && s[i] == '&' ? read_entity(s + i, n - i, out + size, &written) : 0;
		if (!used) {
			out[size] = s[i] ? s[i] : ' ';
			used = written = 1;
		}
		size += written;
		i += used;
	}
	return size;
}

const char *aws_xml_text(struct aws_xml x, const char *name, struct sk_arena *a)
{
	struct aws_xml content;
	size_t n = 0;

	if (!aws_xml_next(&x, name, &content))
		return NULL;
	struct reader r = { .at = content.at, .end = content.end };
	char *out = sk_alloc_text(a, (size_t)(content.end - content.at) + 1);
	for (enum token t; out && (t = next(&r)) != END;)
		if (t == TEXT)
			n += decode(r.name, r.size, r.literal, out + n);
	if (out)
		out[n] = '\0';
	return out;
}
