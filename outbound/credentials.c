/* credentials.c -- whose key signs: the secret named like the action's role, else the secret "aws", else the environment, as AWS's own tools have it.
 *
 * No word of a key gets into what is said of it. */
#include <stdlib.h>
#include <string.h>

#include "core/secrets.h"
#include "outbound/credentials.h"

/* A header takes no blanks or line ends, as a file that was pasted into a secret has at its end. */
static bool is_word(const char *s)
{
	for (; *s > ' ' && *s < 0x7f; s++)
		continue;
	return !*s;
}

enum found { WHOLE, HALF, BLANK };

static enum found check(struct outbound_credentials *c)
{
	if (!c->key_id || !*c->key_id || !c->secret || !*c->secret)
		return HALF;
	if (c->token && !*c->token)
		c->token = NULL;
	return is_word(c->key_id) && is_word(c->secret) && (!c->token || is_word(c->token)) ? WHOLE : BLANK;
}

static const char *from_secret(struct sk_arena *a, const char *name, const char *text, struct outbound_credentials *out)
{
	const cJSON *secret = sk_json_parse(a, text, strlen(text), NULL, NULL);

	out->key_id = sk_json_text(secret, "accessKeyId");
	out->secret = sk_json_text(secret, "secretAccessKey");
	out->token = sk_json_text(secret, "sessionToken");
	enum found found = check(out);
	if (found == WHOLE)
		return NULL;
	return sk_printf(a, found == HALF ? "no credentials: the secret %s is not {\"accessKeyId\", \"secretAccessKey\"}" :
	                                    "no credentials: in the secret %s is a blank, a line end or another character that no key has", name);
}

static const char *from_environment(struct sk_arena *a, const char *role, struct outbound_credentials *out)
{
	out->key_id = sk_strdup(a, getenv("AWS_ACCESS_KEY_ID"));
	out->secret = sk_strdup(a, getenv("AWS_SECRET_ACCESS_KEY"));
	out->token = sk_strdup(a, getenv("AWS_SESSION_TOKEN"));
	enum found found = check(out);
	if (found == WHOLE)
		return NULL;
	if (found == BLANK)
		return "no credentials: in AWS_ACCESS_KEY_ID and its like is a blank, a line end or another character that no key has";
	return sk_printf(a, "no credentials: there is no secret %s%saws, nor AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY", role, *role ? " or " : "");
}

const char *outbound_credentials(struct sk_arena *a, const char *role, struct outbound_credentials *out)
{
	const char *text;

	*out = (struct outbound_credentials){ 0 };
	if (role && *role && (text = sk_secret(a, role, NULL)))
		return from_secret(a, role, text, out);
	if ((text = sk_secret(a, "aws", NULL)))
		return from_secret(a, "aws", text, out);
	return from_environment(a, role ? role : "", out);
}
