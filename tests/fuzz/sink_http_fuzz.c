/* sink_http_fuzz.c -- whatever a message brings: a line for InfluxDB reads back as what it was made of, a mail has the headers that it should and no other, a row is an
 * object, and what is said of an answer is one line without what it was shown. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "plugins/sink_http/sink_http.h"
#include "tests/fuzz/expect.h"

enum { TEXTS = 6 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

void outbound_send(struct outbound *o, struct outbound_request *r, size_t n, struct sk_arena *a) { (void)o, (void)r, (void)n, (void)a; }
struct outbound *outbound_open(const struct outbound_settings *s, char *why, size_t why_size) { (void)s, (void)why, (void)why_size; return NULL; }
void outbound_close(struct outbound **o) { (void)o; }

/* Texts with a NUL between them; those that are missing are empty. */
static void texts(struct sk_arena *a, const uint8_t *data, size_t size, const char *text[TEXTS])
{
	char *copy = sk_strndup(a, (const char *)data, size);
	const char *end = copy + size;

	for (size_t i = 0; i < size; i++)
		copy[i] = (char)data[i];
	for (int i = 0; i < TEXTS; i++) {
		text[i] = copy;
		copy += copy < end ? strlen(copy) + 1 : 0;
		copy = copy > end ? (char *)end : copy;
	}
}

/* -- line protocol, as InfluxDB reads it -- */

/* The name up to one of `ends` that is not escaped; the rest. */
static const char *name(struct outbound_text *to, const char *p, const char *ends, const char *escapes)
{
	outbound_puts(to, "");
	for (; *p && !strchr(ends, *p); p++) {
		if (*p == '\\' && p[1] && strchr(escapes, p[1]))
			p++;
		outbound_putc(to, *p);
	}
	return p;
}

static void same(struct sk_arena *a, const char **p, const char *ends, const char *escapes, const char *expected)
{
	struct outbound_text t = { .a = a };

	*p = name(&t, *p, ends, escapes);
	expect(!strcmp(t.at, expected));
}

static void line(struct sk_arena *a, const char *const t[TEXTS])
{
	const struct sk_sink_field fields[] = { { "measurement", t[0] }, { sk_printf(a, "tags.%s", t[1]), t[2] }, { sk_printf(a, "fields.%s", t[3]), sk_printf(a, "\"%s\"", t[4]) }, { "timestamp", "7" } };
	const struct sk_sink_item item = { .field = fields, .fields = 4, .payload = "", .id = "" };
	struct outbound_text out = { .a = a };
	const char *p;

	if (influx_line(&out, &item))
		return;
	p = out.at;
	expect(*p != '#');
	same(a, &p, ", ", ", ", t[0]);
	if (*t[2]) {
		expect(*p++ == ',');
		same(a, &p, "=", ",= ", t[1]);
		p++;
		same(a, &p, ", ", ",= ", t[2]);
	}
	expect(*p++ == ' ');
	same(a, &p, "=", ",= ", t[3]);
	expect(*p == '=' && p[1] == '"');
	p += 2;
	same(a, &p, "\"", "\"\\", t[4]);
	expect(!strcmp(p, "\" 7000000"));
}

/* Members of any payload are as many fields as there are separators outside of quotes. */
static void payload_line(struct sk_arena *a, const uint8_t *data, size_t size)
{
	const struct sk_sink_field fields[] = { { "measurement", "m" }, { "timestamp", "7" } };
	const struct sk_sink_item item = { .field = fields, .fields = 2, .payload = sk_strndup(a, (const char *)data, size), .size = size, .id = "" };
	struct outbound_text out = { .a = a };
	bool quoted = false;

	if (influx_line(&out, &item))
		return;
	for (const char *p = out.at; *p; p++) {
		if (*p == '\\' && p[1] && (quoted ? strchr("\"\\", p[1]) : strchr(",= ", p[1])))
			p++;
		else if (*p == '"' && (quoted || p[-1] == '='))
			quoted = !quoted;
		else
			expect(quoted || (unsigned char)*p >= ' ');
	}
	expect(!quoted);
}

/* -- mails -- */

static void mail(struct sk_arena *a, const char *const t[TEXTS], size_t size)
{
	static const char *const known[] = { "Date", "From", "To", "Subject", "Message-ID", "Auto-Submitted", "MIME-Version", "Content-Type", "Content-Transfer-Encoding" };
	const struct sk_sink_field fields[] = { { "from", t[0] }, { "to", t[1] }, { "subject", t[2] }, { "contentType", t[3] } };
	const struct sk_sink_item item = { .field = fields, .fields = 4, .payload = t[4], .size = strlen(t[4]), .id = "0", .time_ms = (int64_t)size };
	struct outbound_mail m;
	size_t next = 0;

	if (mail_build(a, &item, &m))
		return;
	for (size_t i = 0; i < m.size; i++)
		expect(m.text[i] == '\r' ? m.text[i + 1] == '\n' : m.text[i] != '\n' || (i && m.text[i - 1] == '\r'));
	for (const char *p = m.text; strncmp(p, "\r\n", 2); p = strstr(p, "\r\n") + 2) {
		if (*p == ' ')
			continue;
		expect(next < sizeof known / sizeof *known && !strncmp(p, known[next], strlen(known[next])) && p[strlen(known[next])] == ':');
		next++;
	}
	expect(next == sizeof known / sizeof *known);
	for (size_t i = 0; i < m.tos; i++)
		for (const char *p = m.to[i]; *p; p++)
			expect(*p > ' ' && *p < 0x7f && *p != '<' && *p != '>');
}

/* -- what is said -- */

static void verdict(struct sk_arena *a, const char *const t[TEXTS], size_t size)
{
	const struct outbound_header sent[] = { { "X-Key", t[0] } };
	const struct outbound_request r = { .status = 400, .header = sent, .headers = 1, .answer = t[1], .answer_size = strlen(t[1]) };
	const char *why, *origin;

	expect(outbound_verdict(&r, a, &why) == SK_SUNK_FAIL);
	expect(sk_utf8_valid(why, strlen(why)));
	for (const char *p = why; *p; p++)
		expect((unsigned char)*p >= ' ' && *p != 0x7f);
	/* Words that a number or stars hold anyway are nobody's secret. */
	if (strlen(t[0]) >= 4 && sk_utf8_valid(t[0], strlen(t[0])) && sk_utf8_valid(t[1], strlen(t[1])) && !strspn(t[0], "*:40 "))
		expect(!strstr(why, t[0]));
	origin = outbound_origin(a, t[2], &why);
	expect(origin ? !strpbrk(origin + 8, "/@?# \r\n") : why != NULL);
	clickhouse_code(t[1]);
	(void)size;
}

static void row(struct sk_arena *a, const char *const t[TEXTS])
{
	const struct sk_sink_field fields[] = { { sk_printf(a, "columns.%s", t[0]), t[1] }, { "columns.b", t[2] } };
	const struct sk_sink_item of_fields = { .field = fields, .fields = 2, .payload = "" }, of_payload = { .payload = t[0], .size = strlen(t[0]) };
	struct outbound_text one = { .a = a }, two = { .a = a };

	expect(!clickhouse_row(&one, &of_fields));
	expect(cJSON_IsObject(sk_json_parse(a, one.at, one.n, NULL, NULL)) && !memchr(one.at, '\n', one.n - 1));
	if (!clickhouse_row(&two, &of_payload))
		expect(two.n == of_payload.size + 1 && !memcmp(two.at, t[0], of_payload.size));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct sk_arena a = { 0 };
	const char *t[TEXTS];

	if (size > 65536)
		return 0;
	texts(&a, data, size, t);
	line(&a, t);
	payload_line(&a, data, size);
	mail(&a, t, size);
	verdict(&a, t, size);
	row(&a, t);
	sk_arena_free(&a);
	return 0;
}
