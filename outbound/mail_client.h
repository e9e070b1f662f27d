/* mail_client.h -- mails to one server, one after the other over a connection that stays open. mail_client.c is glue (libcurl).
 *
 * A mail goes to all of its recipients or to none. */
#ifndef OUTBOUND_MAIL_CLIENT_H
#define OUTBOUND_MAIL_CLIENT_H

#include "outbound/http_client.h"

enum outbound_tls { OUTBOUND_TLS_OFFERED, OUTBOUND_TLS_REQUIRED, OUTBOUND_TLS_NEVER };
struct outbound_mail {
	const char *from;             /* addresses: printable ASCII without blanks and angle brackets */
	const char **to;
	size_t tos;
	const char *text;             /* headers and body, lines that end with CRLF */
	size_t size;
	/* what became of it */
	enum sk_sunk result;
	const char *why;              /* the server's last line, "550 no such user"; the arena's */
	bool lost;                    /* no answer: the server is away, or too slow */
};
struct outbound_mail_settings {   /* texts are only lent */
	const char *url;              /* "smtp://host:25", "smtps://host" */
	const char *user, *password;  /* NULL: none */
	enum outbound_tls tls;        /* STARTTLS of smtp:// */
	const char *ca;
	int64_t connect_ms, total_ms;
};
struct outbound_mailer;
struct outbound_mailer *outbound_mailer_open(const struct outbound_mail_settings *s, char *why, size_t why_size);
void outbound_mail_send(struct outbound_mailer *m, struct outbound_mail *mail, struct sk_arena *a);
void outbound_mailer_close(struct outbound_mailer **m);

#endif
