/* connect.c -- who is it? A certificate that is registered and ACTIVE, and whose policies allow iot:Connect.
 *
 * The identity of a connection is its certificate and nothing that the client may type: a user name that looks like a certificate id is
 * refused unless a certificate was shown, or the broker itself asks again about a session (SIGHUP), where it shows none. */
#include <string.h>

#include "plugins/auth/session.h"

enum { MAX_CLIENT_ID = 128 }; /* bytes, as in AWS */

bool auth_is_lost(const struct auth *a)
{
	return a->store_lost && a->host->lost_ms && a->host->lost_ms() > a->store_lost;
}

static bool check_registered(struct auth *a, const uint8_t id[CERTIFICATE_ID_SIZE])
{
	struct index_certificate x;
	char hex[CERTIFICATE_HEX_SIZE + 1];

	index_find(a->index, id, &x);
	if (x.status == INDEX_ACTIVE)
		return true;
	certificate_id_print(id, hex);
	if (x.status == INDEX_UNKNOWN)
		auth_deny(a, "certificate %s is not registered: skeeter register-certificate-without-ca --certificate-pem file://… --status ACTIVE",
		          auth_short(id));
	else
		auth_deny(a, "certificate %s is %s: skeeter update-certificate --certificate-id %s --new-status ACTIVE", auth_short(id),
		          index_status_name(x.status), hex);
	return false;
}

/* With + or # in a client id, topicfilter/${iot:ClientId}/x would be a wider filter than whoever wrote the policy meant. */
const char *auth_client_id_fault(const char *client_id)
{
	if (strpbrk(client_id, "+#"))
		return "a client id must not hold + or #";
	return strlen(client_id) > MAX_CLIENT_ID ? "a client id has at most 128 bytes" : NULL;
}

static bool check_client_id(struct auth *a, const struct sk_client *client)
{
	const char *why = auth_client_id_fault(client->id);

	if (why)
		auth_deny(a, "deny connect %s: %s", auth_shown(client->id), why);
	return !why;
}

static bool check_policy(struct auth *a, struct session *s)
{
	char why[1000];

	session_refresh(a, s);
	if (session_allows(s, POLICY_Connect, s->client->id, strlen(s->client->id)))
		return true;
	session_explain(a, s, POLICY_Connect, s->client->id, why, sizeof(why));
	auth_deny(a, "deny connect %s: %s", auth_shown(s->client->id), why);
	return false;
}

/* The session of this client and certificate: the one that is there, or a new one. */
static struct session *session_of(struct auth *a, struct sk_client *client, const uint8_t id[CERTIFICATE_ID_SIZE])
{
	struct session *s = client->auth;

	if (s && s->certificate && !memcmp(s->id, id, sizeof(s->id)))
		return s;
	session_free(&s);
	return session_new(a, client, id);
}

static int connect_certificate(struct auth *a, struct sk_client *client, const uint8_t id[CERTIFICATE_ID_SIZE])
{
	char hex[CERTIFICATE_HEX_SIZE + 1];
	struct session *s;

	if (!check_registered(a, id) || !check_client_id(a, client))
		return SK_DENY;
	s = session_of(a, client, id);
	if (!s || !check_policy(a, s))
		return SK_DENY;
	certificate_id_print(id, hex);
	if ((!client->username || strcmp(client->username, hex)) && a->host->set_username(client, hex))
		return SK_DENY;
	client->from_certificate = true;
	return SK_ALLOW;
}

/* Under plain_policy an explicit Deny of iot:Connect counts; who may connect is otherwise not ours to say. */
static int connect_plain(struct auth *a, struct sk_client *client)
{
	struct session *s = client->auth;
	char why[1000];

	session_free(&s);
	if (a->plain_policy) {
		s = session_new(a, client, NULL);
		if (!s)
			return SK_DENY;
		session_refresh(a, s);
		if (s->bound && session_denies(s, POLICY_Connect, client->id, strlen(client->id))) {
			session_explain(a, s, POLICY_Connect, client->id, why, sizeof(why));
			auth_deny(a, "deny connect %s: %s", auth_shown(client->id), why);
			return SK_DENY;
		}
	}
	return a->others == OTHERS_ALLOW ? SK_ALLOW : SK_PASS;
}

static int judge(struct auth *a, struct sk_client *client, bool again)
{
	uint8_t id[CERTIFICATE_ID_SIZE];
	size_t n = 0;
	const unsigned char *der = a->host->certificate_der(client, &n);

	if (der) {
		certificate_id_of(der, n, id);
		if (again || !auth_is_lost(a))
			return connect_certificate(a, client, id);
		auth_deny(a, "deny connect %s: the store does not answer, so whether certificate %s is still ACTIVE is not known (plugin_opt_store_lost)",
		          auth_shown(client->id), auth_short(id));
		return SK_DENY;
	}
	if (!certificate_id_read(client->username, id))
		return connect_plain(a, client);
	if (again)
		return connect_certificate(a, client, id);
	auth_deny(a, "deny connect %s: user name %s is a certificate's id, but no certificate was shown", auth_shown(client->id),
	          auth_short(id));
	return SK_DENY;
}

int auth_connect(struct auth *a, struct sk_client *client, bool again)
{
	struct session *s = client->auth;
	int verdict;

	/* Whoever comes back may come from another address. */
	if (s && !again)
		s->stale = true;
	verdict = judge(a, client, again);

	if (verdict == SK_DENY)
		auth_gone(a, client);
	return verdict;
}

void auth_gone(struct auth *a, struct sk_client *client)
{
	struct session *s = client->auth;

	(void)a;
	session_free(&s);
}
