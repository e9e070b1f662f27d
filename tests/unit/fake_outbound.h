/* fake_outbound.h -- clients that send nothing: a test answers each request and each mail itself (outbound/http_client.h, mail_client.h). */
#ifndef FAKE_OUTBOUND_H
#define FAKE_OUTBOUND_H

#include "outbound/http_client.h"
#include "outbound/mail_client.h"

/* Fills the answer of one request. */
typedef void fake_answer(struct outbound_request *r, struct sk_arena *a);
void fake_outbound(fake_answer *answer);
typedef void fake_mail_answer(struct outbound_mail *m);
void fake_mails(fake_mail_answer *answer);
extern size_t fake_outbound_requests, fake_outbound_rounds;

/* An item whose fields are a document's, as drive.c and lanes make them. */
struct sk_sink_item *fake_item(struct sk_arena *a, const char *fields, const char *payload);

#endif
