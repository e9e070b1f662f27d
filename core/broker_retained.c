/* broker_retained.c -- our client among the broker's: what Mosquitto asks about it goes to core/retained.c. Known by its connection, which it got
 * with a name and a password that only this process has. */
#include "core/broker_internal.h"
#include "core/broker_retained.h"

#include <string.h>

static struct sk_retained *retained; /* NULL: nobody wants to know */

void sk_broker_set_retained(struct sk_retained *r)
{
	retained = r;
	sk_broker.reader = NULL;
}

/* The first path of a list that is separated by blanks. */
static const char *first_path(const char *list, char *out, size_t room)
{
	for (const char *p = list; p && *p;) {
		size_t n = strcspn(p, " ,");
		if (n && n < room && memchr(p, '/', n)) {
			memcpy(out, p, n);
			out[n] = '\0';
			return out;
		}
		p += n;
		p += strspn(p, " ,");
	}
	return NULL;
}

const char *sk_broker_own_listener(void)
{
	static char path[512];
	const char *wake = sk_broker.options->wake_socket;
	return wake && *wake ? wake : first_path(sk_broker.options->operators, path, sizeof path);
}

bool sk_retained_connects(struct mosquitto *client, const char *password, int *rc)
{
	if (!retained || !sk_retained_is_named(retained, mosquitto_client_id(client)))
		return false;
	bool proved = sk_retained_is_proved(retained, mosquitto_client_id(client), password);
	if (proved && sk_broker.reader != client) {
		sk_retained_left(retained);
		sk_broker.reader = client;
	}
	*rc = proved ? MOSQ_ERR_SUCCESS : MOSQ_ERR_AUTH;
	return true;
}

void sk_retained_disconnects(struct mosquitto *client)
{
	if (!client || client != sk_broker.reader)
		return;
	sk_retained_left(retained);
	sk_broker.reader = NULL;
}

int sk_retained_acl(const struct mosquitto_evt_acl_check *ed)
{
	const struct sk_retained_view m = { .topic = ed->topic, .payload = ed->payload, .size = ed->payloadlen, .qos = ed->qos, .retain = ed->retain };
	bool yes = false;
	if (ed->access == SK_ACL_READ)
		yes = sk_retained_reads(retained, &m);
	else if (ed->access == SK_ACL_SUBSCRIBE)
		yes = sk_retained_subscribes(retained, ed->topic);
	else if (ed->access == SK_ACL_UNSUBSCRIBE)
		yes = true;
	return yes ? MOSQ_ERR_SUCCESS : MOSQ_ERR_ACL_DENIED;
}
