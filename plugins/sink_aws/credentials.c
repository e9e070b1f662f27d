/* credentials.c -- whose key signs: the secret named like the action's role, else the secret "aws", else the environment, as AWS's own tools have it.
 *
 * No word of a key gets into what is said of it. */
#include <stdlib.h>
#include <string.h>

#include "core/secrets.h"
#include "plugins/sink_aws/aws.h"

static const char *from_secret(struct sk_arena *a, const char *name, const char *text, struct aws_credentials *out)
{
	const cJSON *secret = sk_json_parse(a, text, strlen(text), NULL, NULL);

	out->key_id = sk_json_text(secret, "accessKeyId");
	out->secret = sk_json_text(secret, "secretAccessKey");
	out->token = sk_json_text(secret, "sessionToken");
	if (out->key_id && *out->key_id && out->secret && *out->secret)
		return NULL;
	return sk_printf(a, "no credentials: the secret %s is not {\"accessKeyId\", \"secretAccessKey\"}", name);
}

static const char *from_environment(struct sk_arena *a, const char *role, struct aws_credentials *out)
{
	out->key_id = sk_strdup(a, getenv("AWS_ACCESS_KEY_ID"));
	out->secret = sk_strdup(a, getenv("AWS_SECRET_ACCESS_KEY"));
	out->token = sk_strdup(a, getenv("AWS_SESSION_TOKEN"));
	if (out->token && !*out->token)
		out->token = NULL;
	if (out->key_id && *out->key_id && out->secret && *out->secret)
		return NULL;
	return sk_printf(a, "no credentials: there is no secret %s%saws, nor AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY", role, *role ? " or " : "");
}

const char *aws_credentials_find(struct sk_arena *a, const char *role, struct aws_credentials *out)
{
	const char *text;

	*out = (struct aws_credentials){ 0 };
	if (role && *role && (text = sk_secret(a, role, NULL)))
		return from_secret(a, role, text, out);
	if ((text = sk_secret(a, "aws", NULL)))
		return from_secret(a, "aws", text, out);
	return from_environment(a, role ? role : "", out);
}
