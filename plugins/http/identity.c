/* identity.c -- see identity.h. Everything here happens on the HTTP thread and waits for nothing but short locks. */
#include "plugins/http/identity.h"

#include <openssl/crypto.h>
#include <string.h>

#include "core/judge.h"
#include "core/runtime.h"
#include "plugins/http/keyring.h"
#include "plugins/http/route.h"
#include "plugins/http/serve.h"
#include "sigv4/refusal.h"

/* -- who -- */

/* There are no temporary credentials here: whoever sends a token means another account. AWS says the same of a token that it does not know. */
static int check_key(struct http_call *x, const struct sigv4_claim *claim, struct sigv4_refusal *no)
{
	struct keyring_grant *grant = sk_alloc(&x->arena, sizeof(*grant));
	uint8_t key[SIGV4_HASH];
	int rc;

	if (claim->token || !grant || keyring_find(x->state->keys, &x->arena, claim, key, grant))
		return sigv4_refuse(&x->arena, no, SIGV4_UNKNOWN_KEY, "%s", SIGV4_NO_SUCH_KEY);
	rc = sigv4_judge(&x->arena, &x->wire, claim, &x->body, key, x->now_ms, no);
	OPENSSL_cleanse(key, sizeof(key));
	x->grant = grant;
	return rc;
}

int identity_of(struct http_call *x, struct sigv4_refusal *no)
{
	struct sigv4_claim claim;

	if (sigv4_read(&x->arena, &x->wire, &claim, no) || check_key(x, &claim, no))
		return -1;
	x->caller.principal = claim.key_id;
	x->caller.region = claim.region;
	x->service = route_signed_service(claim.service);
	return 0;
}

/* -- may he -- */

/* The error that the service's model has for it. */
static const char *denial_of(const char *service)
{
	static const char *const forbidding[] = { "iotdata", "iot1click" };

	for (size_t i = 0; i < sizeof(forbidding) / sizeof(forbidding[0]); i++)
		if (!strcmp(forbidding[i], service))
			return "ForbiddenException";
	return "AccessDeniedException";
}

/* A second has at most one line of it, whoever asks how often. */
static void log_denial(struct http_call *x, const char *action, const char *resource)
{
	char line[300];
	size_t n = 0;
	int64_t now_s = x->now_ms / 1000;

	if (atomic_exchange(&x->state->denied_logged_s, now_s) == now_s)
		return;
	for (; resource[n] && n + 1 < sizeof(line); n++)
		line[n] = resource[n] > ' ' && resource[n] < 0x7f ? resource[n] : '?';
	line[n] = 0;
	sk_log('n', "http", "deny access key %s %s on %s", x->caller.principal, action, line);
}

static void refuse(struct http_call *x, const char *action, const char *resource)
{
	struct sigv4_refusal no;

	if (*action)
		log_denial(x, action, resource);

	sigv4_refuse(&x->arena, &no, SIGV4_DENIED, "User: arn:aws:iam::%s:user/%s is not authorized to perform: %s on resource: %s", sk_account(),
	             x->caller.principal, action, resource);
	if (!x->arena.failed)
		no.name = denial_of(x->row->service);
	serve_refuse(x, &no);
}

static bool allowed(struct http_call *x, const char *action, const cJSON *resources)
{
	const struct keyring_grant *grant = x->grant;
	struct sk_judgement j = { .policy = grant->policy, .policies = grant->policies, .action = action, .resources = resources, .now_ms = x->now_ms,
		.address = *x->address ? x->address : NULL, .denied = resources->child->valuestring };

	if (sk_judge(x->state->rt, &j) == SK_ALLOW)
		return true;
	refuse(x, action, j.denied ? j.denied : "*");
	return false;
}

/* What more than its own action an input asks for. */
static const struct {
	const char *operation, *input, *action;
} extras[] = {
	{ "Publish", "retain", "iot:RetainPublish" },
};

static const char *extra_of(const struct http_call *x)
{
	for (size_t i = 0; i < sizeof(extras) / sizeof(extras[0]); i++)
		if (!strcmp(extras[i].operation, x->row->name) && sk_json_true(x->in, extras[i].input))
			return extras[i].action;
	return NULL;
}

/* ARNs have the service that actions have; what our own operations are about is IoT's. */
static const char *arn_of(struct http_call *x, const char *action)
{
	int n = action ? (int)strcspn(action, ":") : 0;
	const char *service = n && strncmp(action, "skeeter:", 8) ? action : "iot";

	return sk_printf(&x->arena, "arn:aws:%.*s:%s:%s:", service == action ? n : 3, service, sk_region(), sk_account());
}

void identity_judge(struct http_call *x)
{
	const struct keyring_grant *grant = x->grant;
	const char *action = sk_row_action(&x->arena, x->row), *arn = arn_of(x, action), *extra = extra_of(x);
	const cJSON *resources = grant->all ? NULL : sk_row_resources(x->state->rt, &x->arena, x->row, x->in, arn);

	if (grant->all)
		serve_admit(x);
	else if (!arn || !action || !resources)
		refuse(x, "", ""); /* a 503: the arena has failed */
	else if (allowed(x, action, resources) && (!extra || allowed(x, extra, resources)))
		serve_admit(x);
}
