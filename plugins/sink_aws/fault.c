/* fault.c -- what services say when they do not do what they were asked: code and message, whichever protocol, and what follows from them.
 *
 * An item fails for good only when it, or the rule, is the reason. What passes by itself (load, an outage) or by an operator's hand (keys, clocks)
 * is tried again. */
#include <string.h>

#include "plugins/sink_aws/aws.h"
#include "plugins/sink_aws/xml.h"

enum { MOST_SAID = 300 };

/* Words in codes, the first that is met counts. */
static const struct {
	const char *word;
	enum sk_sunk result;
	bool everybody;
} codes[] = {
	/* too much at a time */
	{ "Throttl", SK_SUNK_RETRY, true },           /* ThrottlingException, RequestThrottled, KMSThrottlingException, KMS.ThrottlingException */
	{ "ThroughputExceeded", SK_SUNK_RETRY, true },/* ProvisionedThroughputExceededException */
	{ "RequestLimitExceeded", SK_SUNK_RETRY, true },
	{ "LimitExceededException", SK_SUNK_RETRY, true },
	{ "BandwidthLimitExceeded", SK_SUNK_RETRY, true },
	{ "TooManyRequests", SK_SUNK_RETRY, true },
	{ "SlowDown", SK_SUNK_RETRY, true },
	{ "OverLimit", SK_SUNK_RETRY, true },
	{ "PriorRequestNotComplete", SK_SUNK_RETRY, true },
	{ "TransactionInProgress", SK_SUNK_RETRY, true },
	{ "OperationAborted", SK_SUNK_RETRY, true },  /* S3: another writes the same just now */
	/* the service's own trouble */
	{ "ServiceUnavailable", SK_SUNK_RETRY, true },
	{ "InternalFailure", SK_SUNK_RETRY, true },
	{ "InternalError", SK_SUNK_RETRY, true },
	{ "InternalServer", SK_SUNK_RETRY, true },
	{ "InternalServiceFault", SK_SUNK_RETRY, true },
	{ "RequestTimeTooSkewed", SK_SUNK_RETRY, true },
	{ "RequestTimeout", SK_SUNK_RETRY, true },
	{ "TemporaryRedirect", SK_SUNK_RETRY, true },
	/* keys, which an operator changes */
	{ "ExpiredToken", SK_SUNK_RETRY, true },
	{ "RequestExpired", SK_SUNK_RETRY, true },
	{ "InvalidClientTokenId", SK_SUNK_RETRY, true },
	{ "InvalidAccessKeyId", SK_SUNK_RETRY, true },
	{ "UnrecognizedClient", SK_SUNK_RETRY, true },
	{ "InvalidToken", SK_SUNK_RETRY, true },
	{ "TokenRefreshRequired", SK_SUNK_RETRY, true },
	/* the rule's */
	{ "AccessDenied", SK_SUNK_FAIL, true },
	{ "AuthorizationError", SK_SUNK_FAIL, true },
	{ "NotAuthorized", SK_SUNK_FAIL, true },
	{ "SignatureDoesNotMatch", SK_SUNK_FAIL, true },
	{ "InvalidSignature", SK_SUNK_FAIL, true },
	{ "IncompleteSignature", SK_SUNK_FAIL, true },
	{ "MissingAuthenticationToken", SK_SUNK_FAIL, true },
	{ "OptInRequired", SK_SUNK_FAIL, true },
	{ "ResourceNotFound", SK_SUNK_FAIL, true },
	{ "NonExistentQueue", SK_SUNK_FAIL, true },
	{ "QueueDoesNotExist", SK_SUNK_FAIL, true },
	{ "NoSuchBucket", SK_SUNK_FAIL, true },
	{ "UnknownOperation", SK_SUNK_FAIL, true },
	{ "InvalidAction", SK_SUNK_FAIL, true },
	{ "StateMachineDoesNotExist", SK_SUNK_FAIL, true },
	{ "KMS", SK_SUNK_FAIL, true },
};

/* InvalidSignatureException and SignatureDoesNotMatch are also what a clock that is wrong leads to. */
static bool is_skew(const struct aws_fault *f)
{
	return strstr(f->code, "TooSkewed") || (strstr(f->code, "Signature") && (strstr(f->message, "not yet current") || strstr(f->message, "Signature expired")));
}

void aws_fault_judge(struct aws_fault *f, bool sender)
{
	f->everybody = !f->status || f->status >= 500;
	f->result = f->status >= 500 || f->status == 429 || f->status == 408 ? SK_SUNK_RETRY : SK_SUNK_FAIL;
	if (f->result == SK_SUNK_FAIL && !sender)
		f->result = SK_SUNK_RETRY;
	for (size_t i = 0; i < sizeof codes / sizeof *codes; i++) {
		if (!strstr(f->code, codes[i].word))
			continue;
		f->result = f->result == SK_SUNK_RETRY && f->status ? SK_SUNK_RETRY : codes[i].result;
		f->everybody = codes[i].everybody;
		break;
	}
	if (is_skew(f))
		f->result = SK_SUNK_RETRY;
}

/* "com.amazonaws.kinesis#Code" and "Code:http://internal..." are Code. */
static const char *bare(struct sk_arena *a, const char *code)
{
	size_t n = code ? strcspn(code, ":") : 0;
	const char *hash = n ? memchr(code, '#', n) : NULL;

	if (hash)
		n -= (size_t)(hash + 1 - code);
	return n ? sk_strndup(a, hash ? hash + 1 : code, n) : NULL;
}

static const char *either(const char *one, const char *other)
{
	return one && *one ? one : other;
}

static void read_json(const struct aws_request *r, struct aws_fault *f)
{
	struct sk_arena *a = r->arena;
	const cJSON *body = sk_json_parse(a, r->http.answer, r->http.answer_size, NULL, NULL);

	f->code = either(bare(a, r->http.got[0]), bare(a, sk_json_text(body, "__type")));
	f->message = either(sk_json_text(body, "message"), sk_json_text(body, "Message"));
}

static void read_xml(const struct aws_request *r, struct aws_fault *f)
{
	struct aws_xml body = { r->http.answer, r->http.answer + r->http.answer_size };

	f->code = aws_xml_text(body, "Code", r->arena);
	f->message = aws_xml_text(body, "Message", r->arena);
}

void aws_fault_of(const struct aws_request *r, struct aws_fault *f)
{
	*f = (struct aws_fault){ .status = r->http.status };
	if (!f->status) {
		f->code = "";
		f->message = either(r->http.why, "no answer");
		f->result = r->http.never ? SK_SUNK_FAIL : SK_SUNK_RETRY;
		f->everybody = !r->http.never;
		return;
	}
	if (r->sink->service->protocol == AWS_JSON)
		read_json(r, f);
	else
		read_xml(r, f);
	bool told = f->code && *f->code;
	f->code = told ? f->code : sk_printf(r->arena, "HTTP %d", f->status);
	f->message = either(f->message, "");
	if (f->code)
		aws_fault_judge(f, true);
	f->everybody |= !told && f->status != 400 && f->status != 413; /* something else than the service has answered */
}

/* A server that quotes a request's headers must not bring a session's token into a log. */
static void mask(const struct aws_request *r, char *text)
{
	for (size_t i = 0; text && i < r->http.headers; i++) {
		const char *word = r->http.header[i].value;
		size_t n = strlen(word);
		if (strcmp(r->http.header[i].name, "X-Amz-Security-Token") || !n)
			continue;
		for (char *at = text; (at = strstr(at, word)); at += n)
			memset(at, '*', n);
	}
}

const char *aws_fault_line(const struct aws_request *r, const struct aws_fault *f)
{
	struct sk_arena *a = r->arena;
	const char *line, *skew;
	char *text;

	if (!f->code || !f->message)
		return "memory is out";
	skew = is_skew(f) ? "the clock here and the service's differ: " : "";
	text = sk_printf(a, "%s%s%s%s", skew, f->code, *f->code && *f->message ? ": " : "", f->message);
	mask(r, text);
	line = text ? outbound_line(a, text, strlen(text), MOST_SAID) : NULL;
	return !line ? "memory is out" : *line ? line : "the service gives no reason";
}
