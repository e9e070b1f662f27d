/* canonical.c -- see canonical.h. What does not change the meaning of a request does not change its canonical form, and what
 * does, does: order and spelling of the query, blanks in headers and case of their names, needless slashes and dots in the path. */
#include "sigv4/canonical.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "core/digest.h"

/* -- text -- */

void sigv4_put(struct sigv4_text *t, const char *s, size_t n)
{
	if (t->n + n + 1 > t->room) {
		size_t room = 2 * (t->n + n + 1) + 256;
		char *more = sk_alloc_text(t->a, room);
		if (!more)
			return;
		if (t->n)
			memcpy(more, t->at, t->n);
		t->at = more;
		t->room = room;
	}
	if (n)
		memcpy(t->at + t->n, s, n);
	t->n += n;
}

void sigv4_puts(struct sigv4_text *t, const char *s)
{
	sigv4_put(t, s, strlen(s));
}

char *sigv4_text_end(struct sigv4_text *t)
{
	sigv4_put(t, "", 1);
	return t->a->failed ? NULL : t->at;
}

static bool is_unreserved(char c)
{
	return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '.' || c == '_' || c == '~';
}

static const char digits[] = "0123456789ABCDEF";

static void put_encoded(struct sigv4_text *t, char c, char keep)
{
	char escape[3] = { '%', digits[(unsigned char)c >> 4], digits[c & 15] };

	if (is_unreserved(c) || (keep && c == keep))
		sigv4_put(t, &c, 1);
	else
		sigv4_put(t, escape, 3);
}

void sigv4_encode(struct sigv4_text *t, const char *s, size_t n, char keep)
{
	for (size_t i = 0, plain; i < n; i += plain + 1) {
		for (plain = 0; i + plain < n && is_unreserved(s[i + plain]); plain++)
			;
		sigv4_put(t, s + i, plain);
		if (i + plain < n)
			put_encoded(t, s[i + plain], keep);
	}
}

static int digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	c |= 32;
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* The byte that stands at s and how many bytes it took: a percent sign without two digits stands for itself. */
static size_t decoded(const char *s, size_t n, char *out)
{
	*out = *s;
	if (*s != '%' || n < 3 || digit(s[1]) < 0 || digit(s[2]) < 0)
		return 1;
	*out = (char)(digit(s[1]) << 4 | digit(s[2]));
	return 3;
}

/* However the sender wrote it, it is encoded as AWS does. */
static void put_recoded(struct sigv4_text *t, const char *s, size_t n, char keep)
{
	char c;

	for (size_t i = 0; i < n;) {
		i += decoded(s + i, n - i, &c);
		put_encoded(t, c, keep);
	}
}

/* -- the path -- */

struct segment {
	const char *at;
	size_t n;
};

static bool is_dots(const struct segment *s, size_t dots)
{
	return s->n == dots && !memcmp(s->at, "..", dots);
}

/* Empty segments and single dots go, two dots take the segment before them along. Returns how many are left. */
static size_t normalise(const char *path, struct segment *kept)
{
	size_t count = 0;

	while (*path) {
		struct segment s = { path, strcspn(path, "/") };
		path += s.n + (path[s.n] == '/');
		if (is_dots(&s, 2))
			count -= count > 0;
		else if (s.n && !is_dots(&s, 1))
			kept[count++] = s;
	}
	return count;
}

static size_t slashes(const char *s)
{
	size_t n = 0;

	while ((s = strchr(s, '/')))
		n++, s++;
	return n;
}

/* What the sender has encoded once is encoded again. */
static void put_path(struct sigv4_text *t, const char *path)
{
	struct segment *kept = sk_alloc(t->a, (slashes(path) + 1) * sizeof(*kept));
	size_t count = kept ? normalise(path, kept) : 0, n = strlen(path);

	for (size_t i = 0; i < count; i++) {
		sigv4_puts(t, "/");
		sigv4_encode(t, kept[i].at, kept[i].n, 0);
	}
	if (!count || (n && path[n - 1] == '/'))
		sigv4_puts(t, "/");
}

static void put_s3_path(struct sigv4_text *t, const char *path)
{
	if (!*path)
		sigv4_puts(t, "/");
	put_recoded(t, path, strlen(path), '/');
}

/* -- the query -- */

struct parameter {
	const char *name, *value;
};

static int by_name_and_value(const void *one, const void *two)
{
	const struct parameter *a = one, *b = two;
	int order = strcmp(a->name, b->name);

	return order ? order : strcmp(a->value, b->value);
}

static const char *recoded(struct sk_arena *a, const char *s, size_t n)
{
	struct sigv4_text t = { .a = a };

	put_recoded(&t, s, n, 0);
	return sigv4_text_end(&t);
}

/* One piece between ampersands; without an equals sign its value is empty. */
static struct parameter parameter_of(struct sk_arena *a, const char *piece, size_t n)
{
	const char *equals = memchr(piece, '=', n);
	size_t name = equals ? (size_t)(equals - piece) : n;

	return (struct parameter){ recoded(a, piece, name), recoded(a, equals ? equals + 1 : "", equals ? n - name - 1 : 0) };
}

static size_t pieces(const char *query)
{
	size_t n = 1;

	while ((query = strchr(query, '&')))
		n++, query++;
	return n;
}

static size_t read_query(struct sk_arena *a, const struct sigv4_canonical *c, struct parameter *out)
{
	const char *at = c->request->query;
	size_t count = 0;

	while (*at) {
		size_t n = strcspn(at, "&");
		if (n)
			out[count++] = parameter_of(a, at, n);
		at += n + (at[n] == '&');
		if (a->failed)
			return 0;
		if (n && c->presigned && !strcmp(out[count - 1].name, SIGV4_SIGNATURE))
			count--;
	}
	return count;
}

static void put_query(struct sigv4_text *t, const struct sigv4_canonical *c)
{
	struct parameter *p = sk_alloc(t->a, pieces(c->request->query) * sizeof(*p));
	size_t count = p ? read_query(t->a, c, p) : 0;

	if (count)
		qsort(p, count, sizeof(*p), by_name_and_value);
	for (size_t i = 0; i < count; i++) {
		sigv4_puts(t, i ? "&" : "");
		sigv4_puts(t, p[i].name);
		sigv4_puts(t, "=");
		sigv4_puts(t, p[i].value);
	}
}

const char *sigv4_parameter(struct sk_arena *a, const char *query, const char *name)
{
	struct sigv4_text t = { .a = a };
	size_t name_size = strlen(name), n;
	char c;

	for (; *query; query += n + (query[n] == '&')) {
		n = strcspn(query, "&");
		if (n <= name_size || query[name_size] != '=' || memcmp(query, name, name_size))
			continue;
		for (size_t i = name_size + 1; i < n;) {
			i += decoded(query + i, n - i, &c);
			sigv4_put(&t, &c, 1);
		}
		return sigv4_text_end(&t);
	}
	return NULL;
}

/* -- headers -- */

const char *sigv4_header(const struct sigv4_request *r, const char *name)
{
	for (size_t i = 0; i < r->headers; i++)
		if (!strcasecmp(r->header[i].name, name))
			return r->header[i].value;
	return NULL;
}

static bool is_blank(char c)
{
	return c == ' ' || (c >= '\t' && c <= '\r');
}

/* Blanks at the ends go, those in between become one. */
static void put_value(struct sigv4_text *t, const char *value)
{
	const char *between = "";

	for (size_t n; *value; value += n) {
		for (n = 0; is_blank(value[n]); n++)
			;
		value += n;
		for (n = 0; value[n] && !is_blank(value[n]); n++)
			;
		sigv4_puts(t, n ? between : "");
		sigv4_put(t, value, n);
		between = " ";
	}
}

static void put_header(struct sigv4_text *t, const struct sigv4_request *r, const char *name)
{
	bool again = false;

	sigv4_puts(t, name);
	sigv4_puts(t, ":");
	for (size_t i = 0; i < r->headers; i++) {
		if (strcasecmp(r->header[i].name, name))
			continue;
		sigv4_puts(t, again ? "," : "");
		put_value(t, r->header[i].value);
		again = true;
	}
	sigv4_puts(t, "\n");
}

static int by_text(const void *one, const void *two)
{
	return strcmp(*(const char *const *)one, *(const char *const *)two);
}

static size_t sort_once(const char **name, size_t count)
{
	size_t kept = 0;

	qsort(name, count, sizeof(*name), by_text);
	for (size_t i = 0; i < count; i++)
		if (!kept || strcmp(name[kept - 1], name[i]))
			name[kept++] = name[i];
	return kept;
}

static const char *lower_case(struct sk_arena *a, const char *s, size_t n)
{
	char *out = sk_strndup(a, s, n);

	for (size_t i = 0; out && out[i]; i++)
		if (out[i] >= 'A' && out[i] <= 'Z')
			out[i] |= 32;
	return out;
}

/* More than the limit are left out: the caller has refused such a request. */
static size_t split_names(struct sk_arena *a, const char *list, const char **name)
{
	size_t count = 0;

	while (*list && count < SIGV4_MOST_HEADERS) {
		size_t n = strcspn(list, ";");
		if (n && !(name[count++] = lower_case(a, list, n)))
			return 0;
		list += n + (list[n] == ';');
	}
	return sort_once(name, count);
}

static void put_headers(struct sigv4_text *t, const struct sigv4_canonical *c)
{
	const char *name[SIGV4_MOST_HEADERS];
	size_t count = split_names(t->a, c->signed_headers, name);

	for (size_t i = 0; i < count; i++)
		put_header(t, c->request, name[i]);
	sigv4_puts(t, "\n");
	for (size_t i = 0; i < count; i++) {
		sigv4_puts(t, i ? ";" : "");
		sigv4_puts(t, name[i]);
	}
}

const char *sigv4_header_names(struct sk_arena *a, const struct sigv4_request *r)
{
	struct sigv4_text t = { .a = a };
	const char **name = sk_alloc(a, (r->headers + 1) * sizeof(*name));
	size_t count = 0;

	for (; name && count < r->headers; count++)
		if (!(name[count] = lower_case(a, r->header[count].name, strlen(r->header[count].name))))
			return NULL;
	count = name ? sort_once(name, count) : 0;
	for (size_t i = 0; i < count; i++) {
		sigv4_puts(&t, i ? ";" : "");
		sigv4_puts(&t, name[i]);
	}
	return sigv4_text_end(&t);
}

/* -- the whole -- */

const char *sigv4_canonical_request(struct sk_arena *a, const struct sigv4_canonical *c)
{
	struct sigv4_text t = { .a = a };

	sigv4_puts(&t, c->request->method);
	sigv4_puts(&t, "\n");
	(c->s3 ? put_s3_path : put_path)(&t, c->request->path);
	sigv4_puts(&t, "\n");
	put_query(&t, c);
	sigv4_puts(&t, "\n");
	put_headers(&t, c);
	sigv4_puts(&t, "\n");
	sigv4_puts(&t, c->payload);
	return sigv4_text_end(&t);
}

const char *sigv4_scope(struct sk_arena *a, const char *date, const char *region, const char *service)
{
	return sk_printf(a, "%s/%s/%s/aws4_request", date, region, service);
}

const char *sigv4_string_to_sign(struct sk_arena *a, const char *when, const char *scope, const char *canonical)
{
	uint8_t hash[SIGV4_HASH];
	char hex[2 * SIGV4_HASH + 1];

	sk_digest(canonical, strlen(canonical), hash);
	sk_hex(hash, SIGV4_HASH, hex);
	return sk_printf(a, "AWS4-HMAC-SHA256\n%s\n%s\n%s", when, scope, hex);
}
