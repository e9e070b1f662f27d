/* plugin.c -- skeeter_auth: who a client is and what it may do. Glue only: connect.c, acl.c and watches.c decide on the broker's thread,
 * *.ops and their handlers change the records. */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

#include "core/why.h"
#include "plugins/auth/session.h"

#define SHAPES_FILE "plugins/auth/auth.shapes"
#define SHAPES_NAME shapes
#include "core/shape_table.h"

static const struct sk_op_group *const operations[] = { &certificates_group, &ca_certificates_group, &policies_group, &policy_versions_group,
	&attachments_group, &principals_group, &authorization_group, &explain_group, NULL };

static const struct sk_option options[] = {
	SK_OPTION(SK_CHOICE, struct auth, others, "defer", "allow defer",
	          "clients without a certificate, outside $aws/: allow them here, or defer to other plugins and the broker's own files"),
	SK_OPTION(SK_CHOICE, struct auth, violations, "disconnect", "disconnect deny",
	          "a publish or subscribe against the policy disconnects, as AWS does, or is only denied"),
	SK_OPTION(SK_STR, struct auth, plain_policy, NULL, NULL, "a policy for clients without a certificate; none: $aws/ is closed to them"),
	SK_OPTION(SK_STR, struct auth, ca_cert, NULL, NULL, "PEM file of the CA that CreateKeysAndCertificate signs with"),
	SK_OPTION(SK_STR, struct auth, ca_key, NULL, NULL, "PEM file of that CA's key"),
	SK_OPTION(SK_STR, struct auth, capath, NULL, NULL, "the listener's capath folder: self-signed certificates are put there when registered"),
	SK_OPTION(SK_INT, struct auth, policy_size, "2048", "1 404600", "most characters of a policy document, white space apart"),
	SK_OPTION(SK_DURATION, struct auth, store_lost, "60s", NULL,
	          "how long certificates are believed as they were while the store that brokers share does not answer; then new connections are refused; 0: for ever"),
	{ 0 }
};

static void log_line(char level, const char *line)
{
	sk_log(level, "auth", "%s", line);
}

static const struct auth_host host = {
	.is_input = sk_topic_is_input,
	.certificate_der = sk_client_certificate_der,
	.set_username = sk_client_set_username,
	.kick = sk_client_kick,
	.log = log_line,
	.denied = sk_client_denied,
	.lost_ms = sk_store_lost_ms,
};

static int connect(void *state, struct sk_client *client, bool again)
{
	return auth_connect(state, client, again);
}

static int acl(void *state, struct sk_client *client, int access, const char *topic, const struct sk_message_view *m)
{
	return auth_acl(state, client, access, topic, m);
}

static int asked(void *state, struct sk_ask *ask)
{
	return auth_asked(state, ask);
}

static int judge(void *state, struct sk_judgement *j)
{
	return grants_judge(((struct auth *)state)->grants, j);
}

static void gone(void *state, struct sk_client *client)
{
	auth_gone(state, client);
}

static void tick(void *state, int64_t now_ms)
{
	((struct auth *)state)->now_ms = now_ms;
}

static const char *thing(void *state, struct sk_client *client)
{
	struct session *s = client->auth;

	if (!s || !s->certificate)
		return NULL;
	session_refresh(state, s);
	return s->thing;
}

static const struct sk_hooks hooks = { .connect = connect, .acl = acl, .asked = asked, .judge = judge, .gone = gone, .tick = tick, .thing = thing };

static const struct sk_resource resources[] = {
	{ "PolicyName", "policy/" }, { "CertificateId", "^cert/" }, { "CACertificateId", "^cacert/" }, { "PolicyTarget", "" }, { "Principal", "" }, { 0 }
};

/* Certificates have no tags at AWS. */
static const struct sk_tagged tagged[] = { { "policy", "registry/policy/" }, { "cacert", "registry/cacert/" }, { 0 } };

static const struct sk_watch watches[] = {
	{ "registry/policy/", auth_watch_policy },
	{ "registry/cert/", auth_watch_certificate },
	{ "registry/attached/", auth_watch_attached },
	{ "registry/principal/", auth_watch_principal },
	{ "registry/thing/", auth_watch_thing },
	{ "registry/thing-group/", auth_watch_member },
	{ "registry/group/", auth_watch_group },
	{ "registry/attached-group/", auth_watch_attached_group },
	{ 0 }
};

static int check_options(struct auth *a, char *why, size_t why_size)
{
	struct stat st;

	if (!a->ca_cert != !a->ca_key)
		return sk_why(why, why_size, "plugin_opt_ca_cert and plugin_opt_ca_key need each other");
	if (!a->capath || (!stat(a->capath, &st) && S_ISDIR(st.st_mode)))
		return 0;
	if (mkdir(a->capath, 0755))
		return sk_why(why, why_size, "plugin_opt_capath %s: %s", a->capath, strerror(errno));
	return 0;
}

static int start(void *state, char *why, size_t why_size)
{
	struct auth *a = state;
	struct timespec now;

	if (check_options(a, why, why_size))
		return -1;
	a->host = &host;
	a->log_tokens = AUTH_LOG_BURST;
	clock_gettime(CLOCK_REALTIME, &now);
	a->now_ms = (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
	snprintf(a->arn, sizeof(a->arn), "arn:aws:iot:%s:%s:", sk_region(), sk_account());
	if (a->ca_cert && !(a->ca = certificate_ca_open(a->ca_cert, a->ca_key, why, why_size)))
		return -1;
	a->index = index_new(sk_data_dir(), why, why_size);
	a->grants = a->index ? grants_new() : NULL;
	return !a->index ? -1 : a->grants ? 0 : sk_why(why, why_size, "memory is out");
}

static void stop(void *state)
{
	struct auth *a = state;

	index_free(&a->index);
	index_free(&a->next);
	index_free(&a->old);
	grants_free(&a->grants);
	certificate_ca_free(&a->ca);
	sk_arena_free(&a->scratch);
}

SKEETER_PLUGIN(.name = "auth", .prose = "X.509 identity and policies", .state_size = sizeof(struct auth), .options = options,
               .operations = operations, .on = auth_on, .watches = watches, .reset = auth_reset, .hooks = &hooks, .shapes = shapes, .resources = resources, .tagged = tagged,
               .start = start, .stop = stop)
