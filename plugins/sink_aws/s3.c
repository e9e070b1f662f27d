/* s3.c -- an object for each message: PUT, the bucket in the path of a server of one's own and in the host's name at AWS. */
#include <string.h>

#include "plugins/sink_aws/aws.h"

enum { MOST_BUCKET = 255 };

/* It becomes part of a host's name or of a path. */
static bool is_bucket(const char *s)
{
	static const char letters[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_.";
	size_t n = s ? strspn(s, letters) : 0;

	return n >= 3 && n <= MOST_BUCKET && !s[n] && s[0] != '.' && s[0] != '-';
}

static const char *check(const cJSON *fields, struct sk_arena *a)
{
	const char *bucket = sk_json_text(fields, "bucketName"), *key = sk_json_text(fields, "key");

	(void)a;
	if (bucket && !strstr(bucket, "${") && !is_bucket(bucket))
		return "bucketName must be of 3 or more letters, digits, - and .";
	return key && !*key ? "key must not be empty" : NULL;
}

static const char *prepare(const struct aws_sink *s, struct aws_entry *e, struct sk_arena *a)
{
	const char *bucket = sk_sink_text(e->item, "bucketName"), *key = sk_sink_text(e->item, "key");
	struct sigv4_text path = { .a = a };

	(void)s;
	if (!is_bucket(bucket))
		return "bucketName is no name of a bucket";
	if (!key || !*key) /* a PUT without a key would make a bucket */
		return "key is empty";
	sigv4_puts(&path, "/");
	sigv4_encode(&path, key, strlen(key), '/');
	e->own = sigv4_text_end(&path);
	e->key = sk_printf(a, "%s/%s", bucket, key);
	return NULL;
}

static void write(struct aws_request *r)
{
	const struct aws_entry *e = r->entry[0];
	const char *acl = sk_sink_text(e->item, "cannedAcl");

	r->method = "PUT";
	r->bucket = sk_sink_text(e->item, "bucketName");
	r->path = e->own;
	r->raw = e->item->payload;
	r->raw_size = e->item->size;
	if (acl)
		r->header = (struct sigv4_field){ "X-Amz-Acl", acl };
}

const struct aws_service aws_s3 = {
	.name = AWS_S3, .protocol = AWS_REST, .signing = "s3", .resource = "bucketName", .order = AWS_ONCE, .most_items = 1, .most_bytes = 1 << 20,
	.check = check, .prepare = prepare, .write = write,
};
