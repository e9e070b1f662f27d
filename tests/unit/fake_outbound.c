/* fake_outbound.c -- see fake_outbound.h. */
#include "tests/unit/fake_outbound.h"

#include <string.h>

static fake_answer *answering;
static fake_mail_answer *mailing;
size_t fake_outbound_requests, fake_outbound_rounds;

void fake_outbound(fake_answer *answer)
{
	answering = answer;
	fake_outbound_requests = fake_outbound_rounds = 0;
}

struct outbound *outbound_open(const struct outbound_settings *s, char *why, size_t why_size)
{
	(void)s, (void)why, (void)why_size;
	return (struct outbound *)&answering;
}

void outbound_send(struct outbound *o, struct outbound_request *r, size_t n, struct sk_arena *a)
{
	(void)o;
	fake_outbound_rounds++;
	fake_outbound_requests += n;
	for (size_t i = 0; i < n; i++) {
		r[i].answer = "";
		answering(&r[i], a);
		r[i].answer_size = strlen(r[i].answer);
	}
}

void outbound_close(struct outbound **o)
{
	*o = NULL;
}

void fake_mails(fake_mail_answer *answer)
{
	mailing = answer;
}

struct outbound_mailer *outbound_mailer_open(const struct outbound_mail_settings *s, char *why, size_t why_size)
{
	(void)s, (void)why, (void)why_size;
	return (struct outbound_mailer *)&mailing;
}

void outbound_mail_send(struct outbound_mailer *m, struct outbound_mail *mail, struct sk_arena *a)
{
	(void)m, (void)a;
	mailing(mail);
}

void outbound_mailer_close(struct outbound_mailer **m)
{
	*m = NULL;
}

struct sk_sink_item *fake_item(struct sk_arena *a, const char *fields, const char *payload)
{
	struct sk_sink_item *i = sk_alloc(a, sizeof *i);

	*i = (struct sk_sink_item){ .payload = payload, .size = strlen(payload), .topic = "a/b", .rule = "r", .id = "000102030405060708090a0b0c0d0e0f", .time_ms = 1700000000123 };
	i->field = sk_sink_flatten(sk_json_parse(a, fields, strlen(fields), NULL, NULL), NULL, a, &i->fields);
	return i;
}
