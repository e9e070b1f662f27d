/* read.c -- what a request claims about who signed it: the Authorization header or the query of a presigned URL, in their exact forms.
 * Nothing here looks at a clock or at keys, and nothing that is read here is believed before sigv4_judge() says so. */
#include <ctype.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <time.h>

#include "sigv4/canonical.h"
#include "sigv4/refusal.h"

#define ALGORITHM "AWS4-HMAC-SHA256"
enum { SHOWN = 200 };

static const struct {
	int http;
	const char *name;
} refusals[] = {
#define REFUSAL(code, status, aws) [SIGV4_##code] = { status, aws },
	SIGV4_REFUSALS(REFUSAL)
#undef REFUSAL
};

int sigv4_refuse(struct sk_arena *a, struct sigv4_refusal *no, enum sigv4_why why, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	*no = (struct sigv4_refusal){ refusals[why].http, refusals[why].name, sk_vprintf(a, fmt, ap) };
	va_end(ap);
	if (a->failed)
		*no = (struct sigv4_refusal){ refusals[SIGV4_NO_MEMORY].http, refusals[SIGV4_NO_MEMORY].name, "Memory is out" };
	return -1;
}

/* One reading of one request. */
struct reading {
	struct sk_arena *a;
	const struct sigv4_request *r;
	struct sigv4_claim *out;
	struct sigv4_refusal *no;
	const char *credential, *names, *signature, *date, *expires; /* as they came */
};

#define REFUSE(g, why, ...) sigv4_refuse((g)->a, (g)->no, why, __VA_ARGS__)

/* -- when -- */

static bool all_digits(const char *s, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (s[i] < '0' || s[i] > '9')
			return false;
	return true;
}

static int number(const char *s, size_t n)
{
	int value = 0;

	for (size_t i = 0; i < n; i++)
		value = 10 * value + (s[i] - '0');
	return value;
}

/* The calendar has the last word: timegm() would take a 31st of February for a day in March. */
static bool is_date(const struct tm *tm)
{
	struct tm copy = *tm;

	return timegm(&copy) != -1 && copy.tm_mday == tm->tm_mday && copy.tm_mon == tm->tm_mon && copy.tm_hour == tm->tm_hour &&
	       copy.tm_min == tm->tm_min && copy.tm_sec == tm->tm_sec;
}

/* 20150830T123600Z */
static bool read_iso(const char *s, struct tm *tm)
{
	if (strlen(s) != 16 || s[8] != 'T' || s[15] != 'Z' || !all_digits(s, 8) || !all_digits(s + 9, 6))
		return false;
	*tm = (struct tm){ .tm_year = number(s, 4) - 1900, .tm_mon = number(s + 4, 2) - 1, .tm_mday = number(s + 6, 2),
		.tm_hour = number(s + 9, 2), .tm_min = number(s + 11, 2), .tm_sec = number(s + 13, 2) };
	return is_date(tm);
}

/* Sun, 30 Aug 2015 12:36:00 GMT */
static bool read_http_date(const char *s, struct tm *tm)
{
	static const char months[] = "JanFebMarAprMayJunJulAugSepOctNovDec";
	char month[4] = "";
	const char *at;

	if (strlen(s) != 29 || strcmp(s + 25, " GMT") || s[3] != ',' || s[19] != ':' || s[22] != ':')
		return false;
	if (!all_digits(s + 5, 2) || !all_digits(s + 12, 4) || !all_digits(s + 17, 2) || !all_digits(s + 20, 2) || !all_digits(s + 23, 2))
		return false;
	memcpy(month, s + 8, 3);
	at = strstr(months, month);
	if (!at || (at - months) % 3)
		return false;
	*tm = (struct tm){ .tm_year = number(s + 12, 4) - 1900, .tm_mon = (int)(at - months) / 3, .tm_mday = number(s + 5, 2),
		.tm_hour = number(s + 17, 2), .tm_min = number(s + 20, 2), .tm_sec = number(s + 23, 2) };
	return is_date(tm);
}

static int read_date(struct reading *g)
{
	struct tm tm;
	char text[32];

	if (!read_iso(g->date, &tm) && !read_http_date(g->date, &tm))
		return REFUSE(g, SIGV4_INCOMPLETE, "Date must be in ISO-8601 'basic format'. Got '%.*s'. See http://en.wikipedia.org/wiki/ISO_8601",
		              SHOWN, g->date);
	strftime(text, sizeof(text), "%Y%m%dT%H%M%SZ", &tm);
	g->out->when = sk_strdup(g->a, text);
	g->out->when_s = timegm(&tm);
	return 0;
}

/* -- the credential -- */

static bool is_word(const char *s, size_t most)
{
	size_t n = strlen(s);

	for (size_t i = 0; i < n; i++)
		if (!isascii((unsigned char)s[i]) || (!isalnum((unsigned char)s[i]) && !strchr("-_", s[i])))
			return false;
	return n && n <= most;
}

static size_t split(struct sk_arena *a, const char *s, char separator, char *part[], size_t most)
{
	size_t count = 0;
	char *at = sk_strdup(a, s);

	while (at) {
		char *end = strchr(at, separator);
		if (end)
			*end++ = 0;
		if (count < most)
			part[count] = at;
		count++;
		at = end;
	}
	return count;
}

/* All that is wrong with the scope, as AWS says it: one sentence after the other. */
static int check_scope(struct reading *g, const char *terminator)
{
	const struct sigv4_claim *c = g->out;
	struct sigv4_text t = { .a = g->a };

	if (!is_word(c->region, 64))
		sigv4_puts(&t, "Credential should be scoped to a valid region. ");
	if (!is_word(c->service, 64))
		sigv4_puts(&t, "Credential should be scoped to correct service. ");
	if (strcmp(terminator, "aws4_request"))
		sigv4_puts(&t, sk_printf(g->a, "Credential should be scoped with a valid terminator: 'aws4_request', not '%.*s'. ", SHOWN, terminator));
	if (strlen(c->date) != 8 || (c->when && strncmp(c->date, c->when, 8)))
		sigv4_puts(&t, sk_printf(g->a, "Date in Credential scope does not match YYYYMMDD from ISO-8601 version of date from HTTP: '%.*s' != '%.8s', "
		                               "from '%s'.", SHOWN, c->date, c->when, c->when));
	if (!t.n && !g->a->failed)
		return 0;
	sigv4_text_end(&t);
	return REFUSE(g, SIGV4_INVALID, "%s", g->a->failed ? "" : t.at);
}

static int read_credential(struct reading *g)
{
	char *part[5] = { NULL };

	if (split(g->a, g->credential, '/', part, 5) != 5)
		return REFUSE(g, SIGV4_INCOMPLETE, "Credential must have exactly 5 slash-delimited elements, e.g. keyid/date/region/service/term, got '%.*s'",
		              SHOWN, g->credential);
	g->out->key_id = part[0];
	g->out->date = part[1];
	g->out->region = part[2];
	g->out->service = part[3];
	if (!is_word(part[0], 128))
		return REFUSE(g, SIGV4_UNKNOWN_KEY, "%s", SIGV4_NO_SUCH_KEY);
	return check_scope(g, part[4]);
}

/* -- the rest of it -- */

static bool names(const char *list, const char *name)
{
	size_t n = strlen(name);

	for (; *list; list += strcspn(list, ";"), list += *list == ';')
		if (strcspn(list, ";") == n && !strncasecmp(list, name, n))
			return true;
	return false;
}

/* What those between us and the sender may add; and the token, which some services want left out. */
static bool may_be_unsigned(const char *name)
{
	static const char *const free[] = { "x-amzn-trace-id", "x-amz-cf-id", "x-amz-security-token" };

	for (size_t i = 0; i < sizeof(free) / sizeof(free[0]); i++)
		if (!strcasecmp(name, free[i]))
			return true;
	return strncasecmp(name, "x-amz-", 6) && strncasecmp(name, "x-amzn-", 7);
}

/* "Host and all x-amz- headers must be signed": they are inputs. */
static int check_names(struct reading *g)
{
	size_t count = 1;

	for (const char *s = g->names; *s; s++)
		count += *s == ';';
	if (count > SIGV4_MOST_HEADERS)
		return REFUSE(g, SIGV4_INCOMPLETE, "SignedHeaders names more than %d headers.", SIGV4_MOST_HEADERS);
	if (!names(g->names, "host"))
		return REFUSE(g, SIGV4_INVALID, "'Host' or ':authority' must be a 'SignedHeader' in the AWS Authorization.");
	for (size_t i = 0; i < g->r->headers; i++)
		if (!may_be_unsigned(g->r->header[i].name) && !names(g->names, g->r->header[i].name))
			return REFUSE(g, SIGV4_INVALID, "There were headers present in the request which were not signed: %.*s", SHOWN, g->r->header[i].name);
	return 0;
}

static void read_signature(struct reading *g)
{
	size_t n = strlen(g->signature);

	if (n != 2 * SIGV4_HASH || strspn(g->signature, "0123456789abcdef") != n)
		g->out->signature[0] = 0; /* equals none */
	else
		memcpy(g->out->signature, g->signature, n + 1);
}

static int read_claim(struct reading *g)
{
	if (read_date(g) || read_credential(g) || check_names(g))
		return -1;
	g->out->signed_headers = g->names;
	g->out->payload = sigv4_payload_named(sigv4_header(g->r, "x-amz-content-sha256"));
	read_signature(g);
	return g->a->failed ? REFUSE(g, SIGV4_NO_MEMORY, "%s", "") : 0;
}

/* -- the header -- */

/* "Credential=..., SignedHeaders=..., Signature=...": of each name the first counts. */
static int read_pairs(struct reading *g, const char *header)
{
	const struct {
		const char *name;
		const char **to;
	} known[] = { { "Credential", &g->credential }, { "SignedHeaders", &g->names }, { "Signature", &g->signature } };
	const char *at = header + sizeof(ALGORITHM) - 1;

	while (*at) {
		at += strspn(at, " \t,");
		size_t n = strcspn(at, ","), name = strcspn(at, "=");
		if (n && name >= n)
			return REFUSE(g, SIGV4_INCOMPLETE, "'%.*s' not a valid key=value pair (missing equal-sign) in Authorization header: '%.*s'.",
			              (int)(n < SHOWN ? n : SHOWN), at, SHOWN, header);
		for (size_t i = 0; i < 3; i++)
			if (strlen(known[i].name) == name && !memcmp(at, known[i].name, name) && !*known[i].to) {
				size_t end = n;
				while (end > name + 1 && (at[end - 1] == ' ' || at[end - 1] == '\t'))
					end--;
				*known[i].to = sk_strndup(g->a, at + name + 1, end - name - 1);
			}
		at += n;
	}
	return 0;
}

static void find_date(struct reading *g)
{
	g->date = sigv4_header(g->r, "x-amz-date");
	if (!g->date)
		g->date = sigv4_header(g->r, "date");
}

static int check_pairs(struct reading *g, const char *header)
{
	if (g->credential && g->signature && g->names && g->date)
		return 0;
	return REFUSE(g, SIGV4_INCOMPLETE, "%s%s%s%sAuthorization=%.*s",
	              g->credential ? "" : "Authorization header requires 'Credential' parameter. ",
	              g->signature ? "" : "Authorization header requires 'Signature' parameter. ",
	              g->names ? "" : "Authorization header requires 'SignedHeaders' parameter. ",
	              g->date ? "" : "Authorization header requires existence of either a 'X-Amz-Date' or a 'Date' header. ",
	              (int)strcspn(header, " \t"), header);
}

static int read_header(struct reading *g, const char *header)
{
	size_t n = strcspn(header, " \t,");

	find_date(g);
	if (!strncmp(header, "AWS4-", 5) && (n != sizeof(ALGORITHM) - 1 || memcmp(header, ALGORITHM, n)))
		return REFUSE(g, SIGV4_INCOMPLETE, "Unsupported AWS 'algorithm': '%.*s'.", (int)(n < SHOWN ? n : SHOWN), header);
	if (!strncmp(header, ALGORITHM, sizeof(ALGORITHM) - 1) && read_pairs(g, header))
		return -1;
	if (check_pairs(g, header))
		return -1;
	g->out->expires_s = SIGV4_SKEW_S;
	g->out->token = sigv4_header(g->r, "x-amz-security-token");
	return read_claim(g);
}

/* -- the query -- */

static int read_expires(struct reading *g)
{
	size_t n = g->expires ? strlen(g->expires) : 0;

	g->out->expires_s = SIGV4_SKEW_S;
	if (!g->expires)
		return 0;
	if (!n || n > 6 || !all_digits(g->expires, n) || number(g->expires, n) < 1 || number(g->expires, n) > SIGV4_LONGEST_S)
		return REFUSE(g, SIGV4_INCOMPLETE, "X-Amz-Expires must be a number of seconds from 1 to %d", SIGV4_LONGEST_S);
	g->out->expires_s = number(g->expires, n);
	return 0;
}

static int check_parameters(struct reading *g)
{
	if (g->credential && g->signature && g->names && g->date)
		return 0;
	return REFUSE(g, SIGV4_INCOMPLETE, "%s%s%s%sRe-examine the query-string parameters.",
	              g->credential ? "" : "AWS query-string parameters must include 'X-Amz-Credential'. ",
	              g->signature ? "" : "AWS query-string parameters must include 'X-Amz-Signature'. ",
	              g->names ? "" : "AWS query-string parameters must include 'X-Amz-SignedHeaders'. ",
	              g->date ? "" : "AWS query-string parameters must include 'X-Amz-Date'. ");
}

static int read_query(struct reading *g, const char *algorithm)
{
	g->out->presigned = true;
	g->credential = sigv4_parameter(g->a, g->r->query, "X-Amz-Credential");
	g->signature = sigv4_parameter(g->a, g->r->query, SIGV4_SIGNATURE);
	g->names = sigv4_parameter(g->a, g->r->query, "X-Amz-SignedHeaders");
	g->date = sigv4_parameter(g->a, g->r->query, "X-Amz-Date");
	g->expires = sigv4_parameter(g->a, g->r->query, "X-Amz-Expires");
	g->out->token = sigv4_parameter(g->a, g->r->query, "X-Amz-Security-Token");
	if (strcmp(algorithm, ALGORITHM))
		return REFUSE(g, SIGV4_INCOMPLETE, "Unsupported AWS 'algorithm': '%.*s'.", SHOWN, algorithm);
	return check_parameters(g) || read_expires(g) ? -1 : read_claim(g);
}

static bool has_parameter(const char *query, const char *name)
{
	size_t n = strlen(name);

	for (; *query; query += strcspn(query, "&"), query += *query == '&')
		if (!strncmp(query, name, n) && query[n] == '=')
			return true;
	return false;
}

bool sigv4_is_signed(const struct sigv4_request *r)
{
	return sigv4_header(r, "authorization") || has_parameter(r->query, "X-Amz-Algorithm");
}

int sigv4_read(struct sk_arena *a, const struct sigv4_request *r, struct sigv4_claim *out, struct sigv4_refusal *no)
{
	struct reading g = { .a = a, .r = r, .out = out, .no = no };
	const char *header = sigv4_header(r, "authorization");
	bool in_query = has_parameter(r->query, "X-Amz-Algorithm");
	const char *algorithm = in_query ? sigv4_parameter(a, r->query, "X-Amz-Algorithm") : NULL;

	*out = (struct sigv4_claim){ 0 };
	if (header && in_query)
		return REFUSE(&g, SIGV4_INCOMPLETE, "Only one auth mechanism allowed; only the X-Amz-Algorithm query parameter or the Authorization header "
		                                    "should be specified");
	if (header)
		return read_header(&g, header);
	if (algorithm)
		return read_query(&g, algorithm);
	return REFUSE(&g, SIGV4_NOT_SIGNED, "Missing Authentication Token");
}
