/* aws.h -- what the files of skeeter_sink_aws share: AWS's own wire protocols, signed, to AWS or to whatever speaks them.
 *
 * A service is a row (struct aws_service) and a file. It makes of each item an entry, of several entries the body of a request, and of the
 * answer what became of each. deliver.c does the rest: which entries go together and when, endpoint, credentials, signature, errors.
 * All but plugin.c is pure: clock and network come through struct aws_world. */
#ifndef SINK_AWS_AWS_H
#define SINK_AWS_AWS_H

#include "core/sink.h"
#include "outbound/http_client.h"
#include "sigv4/canonical.h"

/* -- what operators set -- */
enum aws_name { AWS_SQS, AWS_SNS, AWS_KINESIS, AWS_FIREHOSE, AWS_DYNAMODB, AWS_S3, AWS_CLOUDWATCH, AWS_LOGS, AWS_STEPFUNCTIONS, AWS_NAMES };
struct aws_settings {
	const char *endpoint;               /* of all services; NULL: AWS's own */
	const char *endpoint_of[AWS_NAMES]; /* of one, before that */
	int64_t timeout;                    /* ms, of a request */
	int64_t connections;
	const char *cafile, *proxy;
	bool kinesis_order;
};
struct aws_world {
	void (*send)(void *ctx, struct outbound_request *r, size_t n, struct sk_arena *a); /* as outbound_send() */
	int64_t (*now_ms)(void *ctx);       /* since 1970 */
	void *ctx;
};
struct aws_service;
struct aws_sink {                       /* of one lane */
	const struct aws_service *service;
	const struct aws_settings *settings;
	const char *region, *account;       /* where nothing says another */
	struct aws_world world;
};

/* -- an item on its way -- */
enum aws_state { AWS_WAITING, AWS_PACKED, AWS_DONE };
struct aws_entry {
	struct sk_sink_item *item;
	/* by the service's prepare(); zero if it leaves them */
	const char *group;                  /* entries of the same group may share a request; NULL: "" */
	const char *key;                    /* entries of the same key keep their order; NULL: any */
	const char *region;                 /* NULL: the sink's */
	const char *piece;                  /* what it adds to a body, as the service likes */
	size_t size;                        /* what it counts against the service's most_bytes */
	size_t units;                       /* and against most_items; 0: 1 */
	const void *own;
	/* deliver.c's */
	enum aws_state state;
	size_t share;                       /* most entries of a request that it is in; halved when a request was refused as a whole */
	size_t number;                      /* of its key; 0: it has none */
	const char *role;
	bool mended;
};
struct aws_request {
	const struct aws_sink *sink;
	struct sk_arena *arena;
	struct aws_entry **entry;
	size_t n, units, bytes, most;
	/* by write(); what it leaves is the service's row's */
	const char *method;                 /* NULL: POST */
	const char *path;                   /* as it is sent, encoded; NULL: "/" */
	const char *bucket;                 /* S3's: goes into the host's name at AWS, before the path elsewhere */
	const char *target;                 /* "PutRecords"; S3: NULL */
	struct sigv4_field header;          /* one more; name NULL: none */
	struct sigv4_text body;             /* or, without a copy: */
	const void *raw;
	size_t raw_size;
	/* the answer */
	struct outbound_request http;
	cJSON *json;                        /* of JSON services with 2xx: an object */
	const char *region;
};

/* What a service says of a request or of one item. */
struct aws_fault {
	int status;                         /* 0: of one item in a request that was let in */
	const char *code, *message;         /* never NULL */
	enum sk_sunk result;                /* RETRY or FAIL */
	bool everybody;                     /* the same would be said of each item alone */
};

/* -- a service -- */
enum aws_protocol { AWS_JSON, AWS_QUERY, AWS_REST };
enum aws_order {
	AWS_TOGETHER,                       /* entries of one key may share a request */
	AWS_ONCE,                           /* they may not */
};
struct aws_service {
	enum aws_name name;
	enum aws_protocol protocol;
	const char *signing;                /* "kinesis": in signatures */
	const char *host;                   /* in AWS's host names; NULL: the same */
	const char *content_type, *prefix;  /* of JSON: "application/x-amz-json-1.1", "Kinesis_20131202" */
	const char *resource;               /* the field that a lane is named after; NULL: none */
	enum aws_order order;
	size_t most_items, most_bytes;      /* of a request */
	/* NULL, or why a rule cannot have these fields. May be NULL. */
	const char *(*check)(const cJSON *fields, struct sk_arena *a);
	/* Fills in the entry. NULL, or why the item fails. */
	const char *(*prepare)(const struct aws_sink *s, struct aws_entry *e, struct sk_arena *a);
	void (*write)(struct aws_request *r);
	/* Says of each entry what became of it, by aws_entry_ok() and aws_entry_fault(); those of which nothing is said come again. NULL: all is well. */
	void (*read)(struct aws_request *r);
	/* A request was refused as a whole: true, and its entries are sent once more. May be NULL. */
	bool (*mend)(struct aws_request *r, const struct aws_fault *f);
};
extern const struct aws_service aws_sqs, aws_sns, aws_kinesis, aws_firehose, aws_dynamodb, aws_dynamodb_v2, aws_s3, aws_cloudwatch_metric, aws_cloudwatch_alarm,
	aws_cloudwatch_logs, aws_step_functions;

/* -- deliver.c -- */
void aws_deliver(const struct aws_sink *s, struct sk_sink_item *const *item, size_t n, struct sk_arena *a);
void aws_entry_ok(struct aws_entry *e);
/* Of one item of a request that was let in; service's words, which may be NULL. `sender`: the service says that it is the sender's fault. */
void aws_entry_fault(struct aws_request *r, struct aws_entry *e, const char *code, const char *message, bool sender);
void aws_entry_fail(struct aws_entry *e, const char *why);
/* Endpoint, credentials, signature, sending, of a request whose body is written. false with *f: it did not get a 2xx. `role` as in the action. */
bool aws_call(struct aws_request *r, const char *role, struct aws_fault *f);
/* The name of a lane: the kind, and what stands in the service's field before the first template. */
const char *aws_lane(const struct aws_service *s, const char *kind, const cJSON *fields, struct sk_arena *a);

/* -- request.c: endpoint, credentials, signature -- */
/* Makes r->http of what was written. NULL, or why it cannot be sent; *result says whether it may be later. */
const char *aws_request_sign(struct aws_request *r, const char *role, enum sk_sunk *result);
/* An operator's endpoint: NULL, or what is wrong with it. */
const char *aws_endpoint_check(const char *endpoint, struct sk_arena *a);

/* -- fault.c -- */
/* What an answer that is not 2xx, or none, means. */
void aws_fault_of(const struct aws_request *r, struct aws_fault *f);
/* The same of a code that is known: fills in result and everybody. */
void aws_fault_judge(struct aws_fault *f, bool sender);
/* "CODE: message", in one line, without the session's token that the request has shown. */
const char *aws_fault_line(const struct aws_request *r, const struct aws_fault *f);

/* -- form.c: bodies -- */
/* "&NAME=VALUE" of the query protocol, encoded; the first without `&`. `value` NULL: nothing. */
void aws_form(struct sigv4_text *t, const char *name, const char *value);
void aws_form_begin(struct aws_request *r, const char *action, const char *version);
void aws_form_bytes(struct sigv4_text *t, const char *name, const void *value, size_t n);
/* "NAME.INDEX.MEMBER", the arena's. */
const char *aws_member(struct sk_arena *a, const char *list, size_t index, const char *member);
void aws_base64(struct sigv4_text *t, const void *bytes, size_t n);
void aws_json_text(struct sigv4_text *t, const char *s); /* with its quotes */
/* The pieces of r's entries with commas between. */
void aws_pieces(struct aws_request *r);
/* NULL, or why bytes are no text for a service that takes XML's characters only. */
const char *aws_text_check(const void *bytes, size_t n);
/* The group of a message for a queue or topic whose name ends with .fifo: its MQTT topic, hashed where AWS would not take it. NULL: it is none. */
const char *aws_fifo_group(const char *name, const char *topic, struct sk_arena *a);
#define AWS_FORM "application/x-www-form-urlencoded; charset=utf-8"
/* The item's payload as JSON; NULL: it is none. */
cJSON *aws_payload(const struct aws_entry *e, struct sk_arena *a);

/* -- batch.c: answers that say something of each entry -- */
/* XML, by Id, which is "1" for the first entry: elements `good` hold an Id, elements `bad` Id, Code, Message, SenderFault. */
struct aws_member_names {
	const char *good_list, *good; /* the list's element, NULL: there is none around them */
	const char *bad_list, *bad;
};
void aws_read_members(struct aws_request *r, const struct aws_member_names *names);
/* JSON, a list in the order of the records (an entry has `units` of them): ErrorCode and ErrorMessage of those that were not taken. */
void aws_read_records(struct aws_request *r, const char *list);

/* -- attribute.c: DynamoDB's types -- */
/* {"S": "x"}, {"N": "1"}, {"BOOL": true}, {"NULL": true}, {"L": [...]}, {"M": {...}} */
cJSON *aws_attribute(struct sk_arena *a, const cJSON *value);
/* Each member as an attribute. */
cJSON *aws_attributes(struct sk_arena *a, const cJSON *object);

#endif
