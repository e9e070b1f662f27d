/* mail_client.c -- SMTP over libcurl's easy interface. Glue: see mail_client.h.
 *
 * Whether a mail comes again is the server's word: its last line's 4yz or 5yz. No word at all means that it is away. */
#include "outbound/mail_client.h"

#include <curl/curl.h>
#include <stdlib.h>
#include <string.h>

#include "core/why.h"

enum { MOST_LINE = 300, MOST_TALK = 1 << 20 };

struct outbound_mailer {
	struct sk_arena arena; /* of all this */
	CURL *easy;
	const struct outbound_mail *mail;
	size_t sent, talk;
	char line[MOST_LINE + 1]; /* the server's last one that refuses something, "550 ..." */
	char error[CURL_ERROR_SIZE];
};

static size_t on_read(char *to, size_t one, size_t room, void *ctx)
{
	struct outbound_mailer *m = ctx;
	size_t left = m->mail->size - m->sent, n = left < one * room ? left : one * room;

	memcpy(to, m->mail->text + m->sent, n);
	m->sent += n;
	return n;
}

/* A lost connection may have to be begun anew behind the back of what was read. */
static int on_seek(void *ctx, curl_off_t at, int origin)
{
	struct outbound_mailer *m = ctx;

	if (origin != SEEK_SET || at < 0 || (size_t)at > m->mail->size)
		return CURL_SEEKFUNC_FAIL;
	m->sent = (size_t)at;
	return CURL_SEEKFUNC_OK;
}

/* What was refused is forgotten when the talk goes on (HELO after EHLO), but for the goodbye. */
static size_t on_line(char *line, size_t one, size_t size, void *ctx)
{
	struct outbound_mailer *m = ctx;
	size_t n = size < MOST_LINE ? size : MOST_LINE;

	(void)one;
	if (n && (*line == '4' || *line == '5')) {
		memcpy(m->line, line, n);
		m->line[n] = '\0';
	} else if (n < 3 || memcmp(line, "221", 3) != 0) {
		*m->line = '\0';
	}
	m->talk += size;
	return m->talk > MOST_TALK ? 0 : size;
}

static size_t on_nothing(char *bytes, size_t one, size_t size, void *ctx)
{
	(void)bytes, (void)ctx;
	return one * size;
}

static bool setup(struct outbound_mailer *m, const struct outbound_mail_settings *s)
{
	static const long tls[] = { [OUTBOUND_TLS_OFFERED] = CURLUSESSL_TRY, [OUTBOUND_TLS_REQUIRED] = CURLUSESSL_ALL, [OUTBOUND_TLS_NEVER] = CURLUSESSL_NONE };
	CURL *e = m->easy;
	bool good = curl_easy_setopt(e, CURLOPT_PROTOCOLS_STR, "smtp,smtps") == CURLE_OK && curl_easy_setopt(e, CURLOPT_URL, s->url) == CURLE_OK;

	good = good && curl_easy_setopt(e, CURLOPT_PROXY, "") == CURLE_OK;
	good = good && (!s->ca || (curl_easy_setopt(e, CURLOPT_CAINFO, s->ca) == CURLE_OK && curl_easy_setopt(e, CURLOPT_CAPATH, NULL) == CURLE_OK));
	good = good && (!s->user || curl_easy_setopt(e, CURLOPT_USERNAME, s->user) == CURLE_OK);
	good = good && (!s->password || curl_easy_setopt(e, CURLOPT_PASSWORD, s->password) == CURLE_OK);
	curl_easy_setopt(e, CURLOPT_USE_SSL, tls[s->tls]);
	curl_easy_setopt(e, CURLOPT_NOSIGNAL, 1L);
	curl_easy_setopt(e, CURLOPT_UPLOAD, 1L);
	curl_easy_setopt(e, CURLOPT_CONNECTTIMEOUT_MS, (long)(s->connect_ms ? s->connect_ms : 5000));
	curl_easy_setopt(e, CURLOPT_TIMEOUT_MS, (long)(s->total_ms ? s->total_ms : 5000));
	curl_easy_setopt(e, CURLOPT_ERRORBUFFER, m->error);
	curl_easy_setopt(e, CURLOPT_READFUNCTION, on_read);
	curl_easy_setopt(e, CURLOPT_READDATA, m);
	curl_easy_setopt(e, CURLOPT_SEEKFUNCTION, on_seek);
	curl_easy_setopt(e, CURLOPT_SEEKDATA, m);
	curl_easy_setopt(e, CURLOPT_HEADERFUNCTION, on_line);
	curl_easy_setopt(e, CURLOPT_HEADERDATA, m);
	curl_easy_setopt(e, CURLOPT_WRITEFUNCTION, on_nothing);
	return good;
}

struct outbound_mailer *outbound_mailer_open(const struct outbound_mail_settings *s, char *why, size_t why_size)
{
	struct sk_arena a = { 0 };
	struct outbound_mailer *m = sk_alloc(&a, sizeof *m);

	if (!m) {
		sk_why(why, why_size, "memory is out");
		return NULL;
	}
	m->arena = a;
	m->easy = curl_easy_init();
	if (!m->easy || !setup(m, s)) {
		sk_why(why, why_size, "libcurl could not be set up");
		outbound_mailer_close(&m);
	}
	return m;
}

/* -- a mail -- */

/* Who may not log in, or may not send without, waits for an operator. */
static bool of_login(CURLcode code, long status)
{
	return code == CURLE_LOGIN_DENIED || status == 530 || status == 534 || status == 535 || status == 538;
}

static void judge(struct outbound_mailer *m, struct outbound_mail *mail, CURLcode code, struct sk_arena *a)
{
	long status = strtol(m->line, NULL, 10);
	const char *said = *m->error ? m->error : curl_easy_strerror(code);

	if (of_login(code, status)) {
		mail->lost = true;
		mail->why = status == 530 ? "the server wants a user and a password" : "the server does not take the user and the password";
	} else if (code == CURLE_OPERATION_TIMEDOUT || code == CURLE_USE_SSL_FAILED || status < 400 || status > 599) {
		mail->lost = true;
		mail->why = outbound_line(a, said, strlen(said), MOST_LINE);
	} else {
		mail->result = status >= 500 ? SK_SUNK_FAIL : SK_SUNK_RETRY;
		mail->why = outbound_line(a, m->line, strlen(m->line), MOST_LINE);
	}
}

void outbound_mail_send(struct outbound_mailer *m, struct outbound_mail *mail, struct sk_arena *a)
{
	struct curl_slist *to = NULL;
	CURLcode code = CURLE_OUT_OF_MEMORY;

	mail->result = SK_SUNK_RETRY;
	mail->lost = false;
	mail->why = "memory is out";
	for (size_t i = 0; i < mail->tos; i++) {
		struct curl_slist *longer = curl_slist_append(to, mail->to[i]);
		if (!longer) {
			curl_slist_free_all(to);
			return;
		}
		to = longer;
	}
	m->mail = mail;
	m->sent = m->talk = 0;
	*m->line = *m->error = '\0';
	if (curl_easy_setopt(m->easy, CURLOPT_MAIL_FROM, mail->from) == CURLE_OK && curl_easy_setopt(m->easy, CURLOPT_MAIL_RCPT, to) == CURLE_OK)
		code = curl_easy_perform(m->easy);
	if (code == CURLE_OK) {
		mail->result = SK_SUNK_OK;
		mail->why = NULL;
	} else {
		judge(m, mail, code, a);
	}
	curl_easy_setopt(m->easy, CURLOPT_MAIL_RCPT, NULL);
	curl_slist_free_all(to);
}

void outbound_mailer_close(struct outbound_mailer **m)
{
	struct sk_arena a;

	if (!*m)
		return;
	curl_easy_cleanup((*m)->easy);
	a = (*m)->arena;
	sk_arena_free(&a);
	*m = NULL;
}
