/* smtp.c -- the sink of the smtp action: a mail for each item, one after the other over one connection. */
#include <string.h>

#include "core/why.h"
#include "plugins/sink_http/sink_http.h"

struct postman {
	struct sk_arena arena;
	struct outbound_mailer *mailer;
};

static const char *url_fault(const char *url)
{
	size_t scheme = url && !strncmp(url, "smtps://", 8) ? 8 : 7;

	if (!url || strncmp(url, scheme == 8 ? "smtps://" : "smtp://", scheme))
		return "the URL must begin with smtp:// or smtps://";
	for (const char *p = url + scheme; *p; p++)
		if (*p <= ' ' || *p >= 0x7f || *p == '@')
			return "the URL is none: smtp://host:port is expected, user and password are fields of their own";
	return url[scheme] && !strchr("/:?#", url[scheme]) ? NULL : "the URL has no host";
}

const char *smtp_check(const cJSON *fields, struct sk_arena *a)
{
	(void)a;
	if (sk_json_get(fields, "password") && !sk_json_get(fields, "user"))
		return "a password needs a user";
	return url_fault(sk_json_text(fields, "url"));
}

/* A password is not sent in clear text unless the action says so. */
static enum outbound_tls tls_of(const cJSON *fields)
{
	static const struct {
		const char *word;
		enum outbound_tls tls;
	} words[] = { { "whenOffered", OUTBOUND_TLS_OFFERED }, { "required", OUTBOUND_TLS_REQUIRED }, { "never", OUTBOUND_TLS_NEVER } };
	const char *word = sk_json_text(fields, "startTls");

	for (size_t i = 0; word && i < sizeof words / sizeof *words; i++)
		if (!strcmp(words[i].word, word))
			return words[i].tls;
	return sk_json_get(fields, "password") ? OUTBOUND_TLS_REQUIRED : OUTBOUND_TLS_OFFERED;
}

void smtp_close(void *sink)
{
	struct postman *p = sink;
	struct sk_arena a;

	outbound_mailer_close(&p->mailer);
	a = p->arena;
	sk_arena_free(&a);
}

void *smtp_open(void *state, const cJSON *fields, char *why, size_t why_size)
{
	const struct sink_http_state *s = state;
	struct sk_arena a = { 0 };
	struct postman *p = sk_alloc(&a, sizeof *p);
	struct outbound_mail_settings set = { .tls = tls_of(fields), .ca = s->cafile, .connect_ms = s->connect_timeout, .total_ms = s->timeout };

	if (!p) {
		sk_why(why, why_size, "memory is out");
		return NULL;
	}
	p->arena = a;
	set.url = sk_strdup(&p->arena, sk_json_text(fields, "url"));
	set.user = sk_strdup(&p->arena, sk_json_text(fields, "user"));
	set.password = sk_strdup(&p->arena, sk_json_text(fields, "password"));
	p->mailer = p->arena.failed ? NULL : outbound_mailer_open(&set, why, why_size);
	if (p->mailer)
		return p;
	smtp_close(p);
	return NULL;
}

void smtp_deliver(void *sink, struct sk_sink_item *const *item, size_t n, struct sk_arena *a)
{
	struct postman *p = sink;
	struct outbound_mail mail;

	for (size_t i = 0; i < n; i++) {
		const char *why = mail_build(a, item[i], &mail);
		if (why) {
			sk_sink_all(&item[i], 1, a->failed ? SK_SUNK_RETRY : SK_SUNK_FAIL, why);
			continue;
		}
		outbound_mail_send(p->mailer, &mail, a);
		sk_sink_all(&item[i], 1, mail.result, mail.why);
		if (mail.lost) {
			sk_sink_all(item + i, n - i, SK_SUNK_RETRY, mail.why);
			return;
		}
	}
}
