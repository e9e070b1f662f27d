/* broker_events.c -- Mosquitto's callbacks, registered once and dispatched to the plugins' hooks in load order.
 *
 * Who decides: the first hook that does not pass. `$aws/` is closed by default: a client may write there only where a row takes
 * it, whatever a policy says. No payload is parsed here and nothing waits. */
#include "core/broker_internal.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define DRAIN_MOST 256
#define DRAIN_US 1000
#define DRAIN_US_MOST 8000

/* -- small questions -- */

static bool listed(const char *list, const char *word)
{
	size_t n = word ? strlen(word) : 0;
	for (const char *p = list; n && p && *p;) {
		size_t size = strcspn(p, " ,");
		if (size == n && !memcmp(p, word, n))
			return true;
		p += size;
		p += strspn(p, " ,");
	}
	return false;
}

static bool is_operators_socket(const struct sk_client *c)
{
	return c->address && strchr(c->address, '/') && listed(sk_broker.options->operators, c->address);
}

static bool starts(const char *s, const char *prefix)
{
	return !strncmp(s, prefix, strlen(prefix));
}

bool sk_topic_is_input(const char *topic)
{
	struct sk_topic_match m;
	return sk_trie_find(sk_broker.rt->trie, topic, &m);
}

/* -- connect -- */

static int ask_connect(struct sk_client *c, bool again)
{
	for (int i = 0; i < sk_broker.rt->loaded_count; i++) {
		const struct sk_loaded *l = &sk_broker.rt->loaded[i];
		int verdict = l->plugin->hooks && l->plugin->hooks->connect ? l->plugin->hooks->connect(l->state, c, again) : SK_PASS;
		if (verdict != SK_PASS)
			return verdict;
	}
	return SK_PASS;
}

/* -- sessions and what they subscribe to -- */

static void session_came(struct sk_client *c)
{
	for (int i = 0; i < sk_broker.rt->loaded_count; i++) {
		const struct sk_loaded *l = &sk_broker.rt->loaded[i];
		if (l->plugin->hooks && l->plugin->hooks->came)
			l->plugin->hooks->came(l->state, c);
	}
}

static void session_subscribed(struct sk_client *c, const char *filter, bool on)
{
	for (int i = 0; i < sk_broker.rt->loaded_count; i++) {
		const struct sk_loaded *l = &sk_broker.rt->loaded[i];
		if (l->plugin->hooks && l->plugin->hooks->subscribed)
			l->plugin->hooks->subscribed(l->state, c, filter, on);
	}
}

/* Where the broker does not tell what came of it, a subscription that nobody denied counts, and one ends when it was us who let it. */
static void subscription_asked(struct sk_client *c, int access, const char *filter, int verdict)
{
	if (sk_broker.version->tells_subscriptions || verdict >= SK_DENY)
		return;
	if (access == SK_ACL_SUBSCRIBE || verdict == SK_ALLOW)
		session_subscribed(c, filter, access == SK_ACL_SUBSCRIBE);
}

/* -- operators, and the verdict -- */

/* SIGHUP asks again about every session; a session without a name would be thrown out, so operators have one. */
static int connect_operator(struct sk_client *c)
{
	c->is_operator = true;
	c->online = true;
	return sk_client_set_username(c, "skeeter-operator") ? MOSQ_ERR_NOMEM : MOSQ_ERR_SUCCESS;
}

static void note_connecting(struct mosquitto *handle, const char *id)
{
	free(sk_broker.connecting_id);
	sk_broker.connecting_id = id ? strdup(id) : NULL;
	sk_broker.connecting = handle;
	atomic_store(&sk_broker.rt->outbox.filled, true); /* the next TICK forgets it */
}

static int verdict_of_connect(struct sk_client *c, int verdict)
{
	if (verdict == SK_DENY || verdict == SK_DISCONNECT) {
		SK_COUNT(sk_broker.rt->count.denials);
		sk_presence_refused(c);
		return MOSQ_ERR_AUTH;
	}
	/* A name counts as an operator's when somebody proved it: by a certificate, or to another plugin (which decides after us). */
	c->is_operator = (c->from_certificate || verdict == SK_PASS) && listed(sk_broker.options->operators, c->username);
	c->online = true;
	return verdict == SK_ALLOW ? MOSQ_ERR_SUCCESS : MOSQ_ERR_PLUGIN_DEFER;
}

static int on_basic_auth(int event, void *event_data, void *userdata)
{
	struct mosquitto_evt_basic_auth *ed = event_data;
	struct sk_client *c = sk_broker.reloading ? sk_clients_find(ed->client) : NULL;
	bool again = sk_broker.reloading && (c || !mosquitto_client_address(ed->client));
	(void)event, (void)userdata;
	sk_broker_start();
	if (!mosquitto_client_id(ed->client))
		return MOSQ_ERR_PLUGIN_DEFER;
	if (sk_ping_is(mosquitto_client_id(ed->client)))
		return MOSQ_ERR_SUCCESS;
	int ours;
	if (sk_retained_connects(ed->client, ed->password, &ours))
		return ours;
	if (c && c->is_operator && is_operators_socket(c))
		return MOSQ_ERR_SUCCESS;
	bool known = c;
	if (!c && !(c = sk_clients_add(ed->client)))
		return MOSQ_ERR_AUTH;
	if (!again)
		note_connecting(ed->client, c->id);
	if (is_operators_socket(c)) {
		session_came(c);
		return connect_operator(c);
	}
	bool was_online = c->online;
	c->password = ed->password;
	sk_broker.denial[0] = '\0';
	int verdict = ask_connect(c, again);
	c->password = NULL;
	int rc = verdict_of_connect(c, verdict);
	if (again)
		c->online = was_online;
	else if (rc != MOSQ_ERR_AUTH)
		sk_presence_connecting(c);
	if (!known && rc != MOSQ_ERR_AUTH)
		session_came(c);
	return rc;
}

/* A client that we were never asked about. Without a connection it is a session that the broker restored from its file, whose name it
 * had proved; with one, another plugin answered its CONNECT before us, and its name is only what it claims. */
static struct sk_client *restored(struct mosquitto *handle)
{
	bool offline = !mosquitto_client_address(handle);
	struct sk_client *c = mosquitto_client_id(handle) ? sk_clients_add(handle) : NULL;
	if (c && offline) {
		c->restored = true;
		ask_connect(c, true);
	}
	if (c)
		session_came(c);
	return c;
}

/* -- ACL -- */

static int ask_acl(struct sk_client *c, int access, const char *topic, const struct sk_message_view *m)
{
	for (const struct sk_loaded *const *l = sk_broker.acl; *l; l++) {
		int verdict = (*l)->plugin->hooks->acl((*l)->state, c, access, topic, m);
		if (verdict != SK_PASS)
			return verdict;
	}
	return SK_PASS;
}

static void note_closed(const struct sk_client *c, const char *topic, const char *why)
{
	static int64_t last;
	int64_t now = sk_mono_us();
	SK_COUNT(sk_broker.rt->count.aws_closed);
	snprintf(sk_broker.denial, sizeof sk_broker.denial, "deny publish %s -> %.200s: %s", c ? c->id : "a bridge", topic, why);
	if (now - last < 100000)
		return;
	last = now;
	mosquitto_log_printf(MOSQ_LOG_NOTICE, "skeeter: core: %s", sk_broker.denial);
}

void sk_client_denied(const char *text)
{
	snprintf(sk_broker.denial, sizeof sk_broker.denial, "%s", text);
}

struct sk_ledger *sk_clients_ledger(void)
{
	return sk_broker.ledger;
}

/* Ours whatever the plugins say, but a plugin may want more than a denial. 2.0.11 would route a will to it like any message. */
static int control_acl(struct sk_client *c, int access, const char *topic, const struct sk_message_view *m)
{
	if (c->is_operator && !m->will)
		return SK_ALLOW;
	int verdict = ask_acl(c, access, topic, m);
	if (access == SK_ACL_WRITE && verdict < SK_DENY)
		note_closed(c, topic, m->will ? "a will may not go to the control topic" : "not one of plugin_opt_operators");
	return verdict < SK_DENY ? SK_DENY : verdict;
}

static int acl_verdict(struct sk_client *c, int access, const char *topic, const struct sk_message_view *m)
{
	if (topic[0] == '$' && starts(topic, SK_CONTROL_TOPIC))
		return control_acl(c, access, topic, m);
	int verdict = c->is_operator && is_operators_socket(c) ? SK_ALLOW : ask_acl(c, access, topic, m);
	if (access != SK_ACL_WRITE || topic[0] != '$' || !starts(topic, "$aws/"))
		return verdict;
	if (m->will || !sk_topic_is_input(topic)) {
		if (verdict == SK_ALLOW || verdict == SK_PASS)
			note_closed(c, topic, m->will ? "a will may not go to $aws/" : "no input of any service");
		return verdict == SK_DISCONNECT ? verdict : SK_DENY;
	}
	return verdict;
}

/* A take-over sends the old connection's will after the new one's BASIC_AUTH and before the old one's DISCONNECT. */
static bool is_will(const struct sk_client *c)
{
	return !c->online || sk_reason_taken_over(c);
}

static int acl_code(int verdict, int access)
{
	switch (verdict) {
	case SK_ALLOW: return MOSQ_ERR_SUCCESS;
	case SK_DENY: return MOSQ_ERR_ACL_DENIED;
	/* From WRITE and SUBSCRIBE this closes the connection, as AWS does on a policy violation; from READ it would close the publisher's. */
	case SK_DISCONNECT: return access == SK_ACL_WRITE || access == SK_ACL_SUBSCRIBE ? MOSQ_ERR_NOMEM : MOSQ_ERR_ACL_DENIED;
	default: return MOSQ_ERR_PLUGIN_DEFER;
	}
}

static int on_acl_check(int event, void *event_data, void *userdata)
{
	struct mosquitto_evt_acl_check *ed = event_data;
	(void)event, (void)userdata;
	if (__builtin_expect(!sk_broker.started, 0))
		sk_broker_start();
	if (__builtin_expect(ed->client == sk_broker.reader, 0))
		return sk_retained_acl(ed);
	struct sk_client *c = sk_clients_find(ed->client);
	if (!c && sk_ping_is(mosquitto_client_id(ed->client)))
		return MOSQ_ERR_ACL_DENIED;
	if (!c && !(c = restored(ed->client)))
		return MOSQ_ERR_ACL_DENIED;
	struct sk_message_view m = { .payload = ed->payload, .size = ed->payloadlen, .qos = ed->qos, .retain = ed->retain };
	m.will = ed->access == SK_ACL_WRITE && is_will(c);
	sk_broker.denial[0] = '\0';
	int verdict = acl_verdict(c, ed->access, ed->topic, &m);
	if (__builtin_expect(verdict >= SK_DENY, 0))
		SK_COUNT(sk_broker.rt->count.denials);
	if (c->known && (ed->access != SK_ACL_READ || verdict >= SK_DENY))
		sk_presence_asked(c, ed->access, ed->topic, &m, verdict);
	if (ed->access == SK_ACL_SUBSCRIBE || ed->access == SK_ACL_UNSUBSCRIBE)
		subscription_asked(c, ed->access, ed->topic, verdict);
	if (ed->access == SK_ACL_WRITE)
		sk_broker.write_client = verdict == SK_ALLOW ? ed->client : NULL;
	if (__builtin_expect(m.will, 0) && verdict == SK_ALLOW && *sk_broker.listeners)
		sk_feed_will(ed);
	return acl_code(verdict, ed->access);
}

/* -- messages -- */

/* Acknowledged, kept nowhere, seen by nobody: the topic becomes "$" in place (replacing the pointer would leak on 2.0.11). */
static void swallow(struct mosquitto_evt_message *ed)
{
	ed->topic[0] = '$';
	ed->topic[1] = '\0';
	ed->retain = false;
}

/* Basic Ingest's way: no subscriber sees it. */
static int take_directly(struct mosquitto_evt_message *ed, const struct sk_topic_match *m)
{
	int rc = sk_feed_message(ed, m);
	if (rc == MOSQ_ERR_SUCCESS)
		swallow(ed);
	return rc;
}

static int on_message(int event, void *event_data, void *userdata)
{
	struct mosquitto_evt_message *ed = event_data;
	void *allowed = sk_broker.write_client;
	struct sk_topic_match m;
	(void)event, (void)userdata;
	sk_broker.write_client = NULL;
	bool input = sk_trie_find(sk_broker.rt->trie, ed->topic, &m), aws = ed->topic[0] == '$' && starts(ed->topic, "$aws/");
	if (!aws && !input)
		return *sk_broker.listeners ? sk_feed_message(ed, NULL) : MOSQ_ERR_SUCCESS;
	struct sk_client *c = sk_clients_find(ed->client);
	if (!aws) {
		if (c)
			sk_admit(c, &m, ed->topic, ed->payload, ed->payloadlen);
		return *sk_broker.listeners ? sk_feed_message(ed, NULL) : MOSQ_ERR_SUCCESS;
	}
	ed->retain = false;
	if (c && allowed != ed->client) {
		note_closed(c, ed->topic, "another plugin answered before skeeter: load skeeter_core first");
		return MOSQ_ERR_ACL_DENIED;
	}
	if (!c || !input) {
		note_closed(c, ed->topic, "bridges do not reach the services");
		swallow(ed);
		return MOSQ_ERR_SUCCESS;
	}
	const struct sk_row *row = m.row;
	if (!row->handler)
		return take_directly(ed, &m);
	int rc = *sk_broker.listeners ? sk_feed_message(ed, NULL) : MOSQ_ERR_SUCCESS;
	if (rc != MOSQ_ERR_SUCCESS)
		return rc;
	return sk_admit(c, &m, ed->topic, ed->payload, ed->payloadlen) ? MOSQ_ERR_SUCCESS : sk_broker.version->over_quota;
}

static int on_control(int event, void *event_data, void *userdata)
{
	struct mosquitto_evt_control *ed = event_data;
	struct sk_client *c = sk_clients_find(ed->client);
	(void)event, (void)userdata;
	bool too_large = ed->payloadlen > SK_CONTROL_MOST;
	if (c && c->is_operator)
		sk_admit_control(c, too_large ? NULL : ed->payloadlen ? ed->payload : "", too_large ? 0 : ed->payloadlen);
	return MOSQ_ERR_SUCCESS;
}

/* -- what a version tells -- */

void sk_event_connected(struct mosquitto *client)
{
	struct sk_client *c = sk_clients_find(client);
	if (c)
		sk_presence_connected(c);
}

void sk_event_subscription(struct mosquitto *client, const char *filter, bool begins)
{
	struct sk_client *c = sk_clients_find(client);
	if (!c)
		return;
	session_subscribed(c, filter, begins);
	sk_presence_subscription(c, filter, begins);
}

/* Without an id its CONNECT was refused. */
void sk_event_ended(struct mosquitto *client, int code, enum sk_session session)
{
	sk_retained_disconnects(client);
	if (client && mosquitto_client_id(client))
		sk_clients_ended(client, code, session);
	else if (client)
		sk_clients_refused(client);
}

/* -- reload, tick -- */

static int on_reload(int event, void *event_data, void *userdata)
{
	(void)event, (void)event_data, (void)userdata;
	sk_broker.reloading = true;
	atomic_store(&sk_broker.rt->outbox.filled, true);
	for (int i = 0; i < sk_broker.rt->loaded_count; i++) {
		const struct sk_loaded *l = &sk_broker.rt->loaded[i];
		if (l->plugin->hooks && l->plugin->hooks->reload)
			l->plugin->hooks->reload(l->state);
	}
	return sk_broker.version->reloaded;
}

/* A millisecond, but when the last turn left something over, half of what the turn since has taken: one of 100 ms, in which the broker read
 * what hundreds of clients sent, would else be answered by 256 publishes, and under overload fewer calls would end the more come. */
static int64_t drain_budget(int64_t left_over_at)
{
	int64_t half = left_over_at ? (sk_mono_us() - left_over_at) / 2 : 0;
	return half < DRAIN_US ? DRAIN_US : half > DRAIN_US_MOST ? DRAIN_US_MOST : half;
}

static void turn(void)
{
	static int64_t left_over_at;
	struct sk_runtime *rt = sk_broker.rt;
	struct sk_drain d = { .budget_us = drain_budget(left_over_at), .finished = sk_admitted_finished };
	d.max = (int)(DRAIN_MOST * d.budget_us / DRAIN_US);
	sk_broker.reloading = false;
	free(sk_broker.connecting_id);
	sk_broker.connecting_id = NULL;
	sk_wake_tick();
	sk_presence_tick();
	sk_kick_due();
	bool more = sk_outbox_drain(&rt->outbox, rt->host, &d);
	left_over_at = more ? sk_mono_us() : 0;
	bool kicks = sk_broker.kicks || sk_broker.doomed;
	if (more || kicks || (sk_broker.version->tick_first && d.published))
		sk_wake_again();
	if (kicks)
		atomic_store(&rt->outbox.filled, true);
}

static int on_tick(int event, void *event_data, void *userdata)
{
	(void)event, (void)event_data, (void)userdata;
	if (__builtin_expect(!sk_broker.started || sk_broker.wake_mode == SK_WAKE_UNTESTED, 0)) {
		sk_broker_start();
		sk_wake_start();
	}
	sk_broker_ring();
	if (atomic_load_explicit(&sk_broker.rt->outbox.filled, memory_order_relaxed)) {
		turn();
		sk_broker_ring();
	}
	sk_feed_turn();
	return MOSQ_ERR_SUCCESS;
}

/* -- registration -- */

static const struct { int event; MOSQ_FUNC_generic_callback fn; const char *data; } callbacks[] = {
	{ MOSQ_EVT_RELOAD, on_reload, NULL },
	{ MOSQ_EVT_BASIC_AUTH, on_basic_auth, NULL },
	{ MOSQ_EVT_ACL_CHECK, on_acl_check, NULL },
	{ MOSQ_EVT_MESSAGE, on_message, NULL },
	{ MOSQ_EVT_CONTROL, on_control, SK_CONTROL_TOPIC },
	{ MOSQ_EVT_TICK, on_tick, NULL },
};
enum { CALLBACKS = sizeof callbacks / sizeof *callbacks };

int sk_events_register(char *why, size_t why_size)
{
	int rc = MOSQ_ERR_SUCCESS, event = 0;
	sk_broker.version = sk_version_of(sk_broker.id);
	for (int i = 0; i < CALLBACKS && rc == MOSQ_ERR_SUCCESS; i++) {
		event = callbacks[i].event;
		rc = mosquitto_callback_register(sk_broker.id, event, callbacks[i].fn, callbacks[i].data, NULL);
	}
	if (rc == MOSQ_ERR_SUCCESS)
		rc = sk_version_register(sk_broker.version, sk_broker.id, &event);
	if (rc == MOSQ_ERR_SUCCESS)
		return 0;
	snprintf(why, why_size, "the broker does not take event %d: error %d", event, rc);
	return -1;
}

void sk_events_unregister(void)
{
	for (int i = 0; i < CALLBACKS; i++)
		mosquitto_callback_unregister(sk_broker.id, callbacks[i].event, callbacks[i].fn, callbacks[i].data);
	sk_version_unregister(sk_broker.version, sk_broker.id);
}
