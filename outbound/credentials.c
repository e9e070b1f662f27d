/* credentials.c -- see credentials.h. A secret that is half a key is no key: what it lacks is said, and nothing else is tried instead. */
#include "outbound/credentials.h"

#include <stdlib.h>
#include <string.h>

#include "core/json.h"
#include "core/secrets.h"

static bool is_key(struct outbound_credentials *c)
{
	if (c->token && !*c->token)
		c->token = NULL;
	return c->key_id && *c->key_id && c->secret && *c->secret;
}

static const char *read_secret(struct sk_arena *a, const char *name, const char *text, struct outbound_credentials *out)
{
	const cJSON *secret = sk_json_parse(a, text, strlen(text), NULL, NULL);

	out->key_id = sk_json_text(secret, "accessKeyId");
	out->secret = sk_json_text(secret, "secretAccessKey");
	out->token = sk_json_text(secret, "sessionToken");
	return is_key(out) ? NULL : sk_printf(a, "no credentials: the secret %s is not {\"accessKeyId\", \"secretAccessKey\"}", name);
}

const char *outbound_credentials(struct sk_arena *a, const char *role, struct outbound_credentials *out)
{
	const char *text;

	*out = (struct outbound_credentials){ 0 };
	if (role && *role && (text = sk_secret(a, role, NULL)))
		return read_secret(a, role, text, out);
	if ((text = sk_secret(a, "aws", NULL)))
		return read_secret(a, "aws", text, out);
	out->key_id = sk_strdup(a, getenv("AWS_ACCESS_KEY_ID"));
	out->secret = sk_strdup(a, getenv("AWS_SECRET_ACCESS_KEY"));
	out->token = sk_strdup(a, getenv("AWS_SESSION_TOKEN"));
	return is_key(out) ? NULL : "no credentials: there is neither a secret of the role's name, nor one named aws, nor AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY";
}
