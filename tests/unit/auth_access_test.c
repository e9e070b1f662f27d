/* auth_access_test.c -- the broker's questions, without a broker: who may connect, what each kind of client may do with which topic,
 * the line that every denial writes, and what changes when records change. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "plugins/auth/session.h"

#define ARN "arn:aws:iot:eu-central-1:123456789012:"
#define STATEMENT(effect, action, resource) "{\"Effect\":\"" effect "\",\"Action\":\"iot:" action "\",\"Resource\":\"" ARN resource "\"}"
#define POLICY(statements) "{\"Version\":\"2012-10-17\",\"Statement\":[" statements "]}"

/* -- a broker's side that remembers -- */

static char logged[4000], kicked[400];
static int lines;
static const char *shown_certificate; /* "DER" of the client that asks */

static bool is_input(const char *topic)
{
	return !strncmp(topic, "$aws/things/", 12) && strlen(topic) > 4 && !strcmp(topic + strlen(topic) - 4, "/get");
}

static const unsigned char *certificate_der(struct sk_client *client, size_t *n)
{
	(void)client;
	if (shown_certificate)
		*n = strlen(shown_certificate);
	return (const unsigned char *)shown_certificate;
}

static int set_username(struct sk_client *client, const char *username)
{
	free((char *)client->username);
	client->username = strdup(username);
	return client->username ? 0 : -1;
}

static void kick(struct sk_client *client, const char *why)
{
	size_t n = strlen(kicked);

	snprintf(kicked + n, sizeof(kicked) - n, "%s: %s\n", client->id, why);
}

static void log_line(char level, const char *line)
{
	(void)level;
	lines++;
	snprintf(logged, sizeof(logged), "%s", line);
}

static const struct auth_host host = { .is_input = is_input, .certificate_der = certificate_der, .set_username = set_username, .kick = kick, .log = log_line };

/* -- records -- */

static char folder[] = "/tmp/auth-access-test-XXXXXX";
static struct auth *a;
static char hex[CERTIFICATE_HEX_SIZE + 1], brief[16];

static void put(int (*watch)(void *, const char *, const struct sk_bytes *), const char *name, const char *json)
{
	struct sk_bytes *bytes = json ? sk_bytes_new(json, strlen(json)) : NULL;

	assert_int_equal(watch(a, name, bytes), 0);
	sk_bytes_unref(bytes);
}

static void put_policy(const char *name, const char *document)
{
	struct sk_arena arena = { 0 };
	cJSON *record = sk_json_object(&arena);

	sk_json_set_string(&arena, record, "policyDocument", document);
	sk_json_set_string(&arena, record, "defaultVersionId", "1");
	put(auth_watch_policy, name, document ? sk_json_print(&arena, record, NULL) : NULL);
	sk_arena_free(&arena);
}

static void put_status(const char *status)
{
	char json[100];

	snprintf(json, sizeof(json), "{\"status\":\"%s\"}", status ? status : "");
	put(auth_watch_certificate, hex, status ? json : NULL);
}

static void attach(const char *policy, bool attached)
{
	char name[200];

	snprintf(name, sizeof(name), "%s/%s", hex, policy);
	put(auth_watch_attached, name, attached ? "{}" : NULL);
}

static void attach_thing(const char *thing, bool attached)
{
	char name[200];

	snprintf(name, sizeof(name), "%s/%s", hex, thing);
	put(auth_watch_principal, name, attached ? "{}" : NULL);
}

#define VALVE POLICY(STATEMENT("Allow", "Connect", "client/valve*") "," STATEMENT("Deny", "Publish", "topic/pumps/9/*") "," \
	STATEMENT("Allow", "*Publish", "topic/valves/*") "," STATEMENT("Allow", "*", "topic/$aws/things/${iot:ClientId}/*") "," \
	STATEMENT("Allow", "Subscribe", "topicfilter/*") "," STATEMENT("Allow", "Receive", "topic/wishes/${iot:Connection.Thing.ThingName}") "," \
	STATEMENT("Allow", "Publish", "topic/once") "," STATEMENT("Allow", "Publish", "topic/pumps/9/*"))

static int setup(void **state)
{
	uint8_t id[CERTIFICATE_ID_SIZE];
	char why[200];

	(void)state;
	a = calloc(1, sizeof(*a));
	a->host = &host;
	a->others = OTHERS_DEFER;
	a->log_tokens = 1 << 30;
	strcpy(a->arn, ARN);
	a->index = index_new(folder, why, sizeof(why));
	certificate_id_of((const unsigned char *)"valve's DER", 11, id);
	certificate_id_print(id, hex);
	snprintf(brief, sizeof(brief), "%.4s…", hex);
	shown_certificate = NULL;
	*logged = *kicked = 0;
	lines = 0;
	put_policy("valve-policy", VALVE);
	put_status("ACTIVE");
	attach("valve-policy", true);
	return a->index ? 0 : -1;
}

static int teardown(void **state)
{
	(void)state;
	for (int i = 0; i < AUTH_BUCKETS; i++)
		assert_null(a->sessions[i]);
	index_free(&a->index);
	index_free(&a->next);
	sk_arena_free(&a->scratch);
	free(a);
	return 0;
}

/* -- clients -- */

static struct sk_client client(const char *id, const char *username)
{
	return (struct sk_client){ .id = id, .username = username ? strdup(username) : NULL, .online = true };
}

static void leave(struct sk_client *c)
{
	auth_gone(a, c);
	assert_null(c->auth);
	free((char *)c->username);
}

static int connect_with(struct sk_client *c, const char *der)
{
	shown_certificate = der;
	int verdict = auth_connect(a, c, false);
	shown_certificate = NULL;
	return verdict;
}

static void connect_valve(struct sk_client *c)
{
	assert_int_equal(connect_with(c, "valve's DER"), SK_ALLOW);
	assert_string_equal(c->username, hex);
	assert_true(c->from_certificate);
}

static int ask(struct sk_client *c, int access, const char *topic)
{
	struct sk_message_view m = { 0 };

	return auth_acl(a, c, access, topic, &m);
}

static int ask_retained(struct sk_client *c, const char *topic)
{
	struct sk_message_view m = { .retain = true };

	return auth_acl(a, c, SK_ACL_WRITE, topic, &m);
}

static int ask_will(struct sk_client *c, const char *topic)
{
	struct sk_message_view m = { .will = true };

	return auth_acl(a, c, SK_ACL_WRITE, topic, &m);
}

/* The last line, where @ stands for "certificate 3f2a…". */
static void assert_logged(const char *wanted)
{
	char line[2000], *at = line;

	for (; *wanted; wanted++) {
		if (*wanted == '@')
			at += sprintf(at, "certificate %s", brief);
		else
			*at++ = *wanted;
	}
	*at = 0;
	assert_string_equal(logged, line);
}

/* -- connect -- */

static void a_certificate_that_is_not_registered_is_told_what_to_do(void **state)
{
	struct sk_client c = client("lamp", NULL);
	uint8_t id[CERTIFICATE_ID_SIZE];
	char wanted[300];

	(void)state;
	assert_int_equal(connect_with(&c, "nobody's DER"), SK_DENY);
	certificate_id_of((const unsigned char *)"nobody's DER", 12, id);
	snprintf(wanted, sizeof(wanted),
	         "certificate %02x%02x… is not registered: skeeter register-certificate-without-ca --certificate-pem file://… --status ACTIVE", id[0], id[1]);
	assert_string_equal(logged, wanted);
	leave(&c);
}

static void a_certificate_that_is_not_active_is_refused(void **state)
{
	static const char *const rows[] = { "INACTIVE", "REVOKED", "PENDING_TRANSFER" };
	char wanted[300];

	(void)state;
	for (int i = 0; i < 3; i++) {
		struct sk_client c = client("valve", NULL);
		put_status(rows[i]);
		assert_int_equal(connect_with(&c, "valve's DER"), SK_DENY);
		snprintf(wanted, sizeof(wanted), "@ is %s: skeeter update-certificate --certificate-id %s --new-status ACTIVE",
		         i < 2 ? rows[i] : "not ACTIVE", hex);
		assert_logged(wanted);
		leave(&c);
	}
}

static void connect_needs_a_statement(void **state)
{
	struct sk_client c = client("lamp", NULL), plus = client("valve+", NULL), valve = client("valve", NULL);

	(void)state;
	assert_int_equal(connect_with(&c, "valve's DER"), SK_DENY);
	assert_logged("deny connect lamp: no statement of valve-policy v1 (via @) allows iot:Connect");
	assert_int_equal(connect_with(&plus, "valve's DER"), SK_DENY);
	assert_logged("deny connect valve+: a client id must not hold + or #");
	attach("valve-policy", false);
	assert_int_equal(connect_with(&valve, "valve's DER"), SK_DENY);
	assert_logged("deny connect valve: no policy is attached to @");
	attach("ghost", true);
	assert_int_equal(connect_with(&valve, "valve's DER"), SK_DENY);
	assert_logged("deny connect valve: policy ghost is attached but cannot be read");
	leave(&c);
	leave(&plus);
	leave(&valve);
}

static void a_user_name_like_a_certificate_id_is_no_identity(void **state)
{
	struct sk_client c = client("valve", hex);

	(void)state;
	a->others = OTHERS_ALLOW;
	assert_int_equal(connect_with(&c, NULL), SK_DENY);
	assert_non_null(strstr(logged, "is a certificate's id, but no certificate was shown"));
	for (char *s = (char *)c.username; *s; s++)
		if (*s >= 'a')
			*s = (char)(*s - 32);
	assert_int_equal(connect_with(&c, NULL), SK_DENY); /* upper case too */
	leave(&c);
}

static void the_broker_asking_again_needs_no_certificate(void **state)
{
	struct sk_client c = client("valve", NULL), restored = client("valve2", hex);

	(void)state;
	connect_valve(&c);
	assert_int_equal(auth_connect(a, &c, true), SK_ALLOW);
	assert_int_equal(auth_connect(a, &restored, true), SK_ALLOW);
	put_status("INACTIVE");
	assert_int_equal(auth_connect(a, &c, true), SK_DENY);
	assert_int_equal(auth_connect(a, &restored, true), SK_DENY);
	leave(&c);
	leave(&restored);
}

static void plain_clients_are_left_to_others(void **state)
{
	struct sk_client c = client("browser", "alice");

	(void)state;
	assert_int_equal(connect_with(&c, NULL), SK_PASS);
	a->others = OTHERS_ALLOW;
	assert_int_equal(connect_with(&c, NULL), SK_ALLOW);
	assert_false(c.from_certificate);
	leave(&c);
}

/* -- topics of a client with a certificate -- */

static void a_valve_is_held_to_its_policy(void **state)
{
	static const struct {
		int access;
		const char *topic;
		int verdict;
		const char *line; /* NULL: none */
	} rows[] = {
		{ SK_ACL_WRITE, "valves/1", SK_ALLOW, NULL },
		{ SK_ACL_WRITE, "pumps/1/on", SK_DISCONNECT, "deny publish valve -> pumps/1/on: no statement of valve-policy v1 (via @) allows iot:Publish" },
		{ SK_ACL_WRITE, "pumps/9/on", SK_DISCONNECT, "deny publish valve -> pumps/9/on: statement 2 of valve-policy v1 (via @) denies iot:Publish" },
		{ SK_ACL_WRITE, "$aws/things/valve/shadow/get", SK_ALLOW, NULL },
		{ SK_ACL_WRITE, "$aws/things/lamp/shadow/get", SK_DISCONNECT,
		  "deny publish valve -> $aws/things/lamp/shadow/get: no statement of valve-policy v1 (via @) allows iot:Publish" },
		{ SK_ACL_WRITE, "$aws/things/valve/shadow/get/accepted", SK_DISCONNECT,
		  "deny publish valve -> $aws/things/valve/shadow/get/accepted: no service takes this topic" },
		{ SK_ACL_WRITE, "$aws", SK_DISCONNECT, "deny publish valve -> $aws: no service takes this topic" },
		{ SK_ACL_WRITE, "$SYS/x", SK_DISCONNECT, "deny publish valve -> $SYS/x: topics that begin with $ are reserved" },
		{ SK_ACL_WRITE, "$", SK_DISCONNECT, "deny publish valve -> $: topics that begin with $ are reserved" },
		{ SK_ACL_WRITE, "$CONTROL/skeeter/v1", SK_DISCONNECT,
		  "deny publish valve -> $CONTROL/skeeter/v1: the client is not listed in plugin_opt_operators" },
		{ SK_ACL_SUBSCRIBE, "anything/#", SK_ALLOW, NULL },
		{ SK_ACL_SUBSCRIBE, "$aws/things/valve/shadow/#", SK_ALLOW, NULL },
		{ SK_ACL_SUBSCRIBE, "$share/g/anything/#", SK_ALLOW, NULL },
		{ SK_ACL_SUBSCRIBE, "$", SK_DISCONNECT, "deny subscribe valve -> $: topics that begin with $ are reserved" },
		{ SK_ACL_SUBSCRIBE, "$/#", SK_DISCONNECT, "deny subscribe valve -> $/#: topics that begin with $ are reserved" },
		{ SK_ACL_SUBSCRIBE, "$share/g/$", SK_DISCONNECT, "deny subscribe valve -> $share/g/$: topics that begin with $ are reserved" },
		{ SK_ACL_SUBSCRIBE, "$share/g", SK_DISCONNECT, "deny subscribe valve -> $share/g: topics that begin with $ are reserved" },
		{ SK_ACL_SUBSCRIBE, "$SYS/#", SK_DISCONNECT, "deny subscribe valve -> $SYS/#: topics that begin with $ are reserved" },
		{ SK_ACL_SUBSCRIBE, "$CONTROL/skeeter/v1/response", SK_DISCONNECT,
		  "deny subscribe valve -> $CONTROL/skeeter/v1/response: the client is not listed in plugin_opt_operators" },
		{ SK_ACL_READ, "$aws/things/valve/shadow/get/accepted", SK_ALLOW, NULL },
		{ SK_ACL_READ, "wishes/valve", SK_ALLOW, NULL },
		{ SK_ACL_READ, "wishes/lamp", SK_DENY, "deny receive valve <- wishes/lamp: no statement of valve-policy v1 (via @) allows iot:Receive" },
		{ SK_ACL_READ, "$SYS/broker/uptime", SK_DENY, "deny receive valve <- $SYS/broker/uptime: topics that begin with $ are reserved" },
		{ SK_ACL_UNSUBSCRIBE, "whatever", SK_ALLOW, NULL },
	};
	struct sk_client c = client("valve", NULL);

	(void)state;
	connect_valve(&c);
	attach_thing("valve", true);
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		for (int again = 0; again < 2; again++) {
			*logged = 0;
			if (ask(&c, rows[i].access, rows[i].topic) != rows[i].verdict)
				fail_msg("%d %s", rows[i].access, rows[i].topic);
			/* Of what cannot be received the first message writes the line. */
			if (rows[i].line && !(again && rows[i].access == SK_ACL_READ && !strncmp(rows[i].topic, "wishes", 6)))
				assert_logged(rows[i].line);
			else
				assert_string_equal(logged, "");
		}
	}
	a->violations = VIOLATIONS_DENY;
	assert_int_equal(ask(&c, SK_ACL_WRITE, "pumps/1/on"), SK_DENY);
	leave(&c);
}

static void retaining_needs_its_own_permission(void **state)
{
	struct sk_client c = client("valve", NULL);

	(void)state;
	connect_valve(&c);
	assert_int_equal(ask(&c, SK_ACL_WRITE, "once"), SK_ALLOW);
	assert_int_equal(ask_retained(&c, "once"), SK_DISCONNECT);
	assert_non_null(strstr(logged, "allows iot:RetainPublish"));
	assert_int_equal(ask(&c, SK_ACL_WRITE, "once"), SK_ALLOW);
	assert_int_equal(ask_retained(&c, "valves/1"), SK_ALLOW);
	leave(&c);
}

static void wills_are_checked_as_publishes(void **state)
{
	struct sk_client c = client("valve", NULL);

	(void)state;
	connect_valve(&c);
	assert_int_equal(ask_will(&c, "valves/1"), SK_ALLOW);
	assert_int_equal(ask_will(&c, "pumps/1/on"), SK_DENY);
	assert_int_equal(ask(&c, SK_ACL_WRITE, "$aws/things/valve/shadow/get"), SK_ALLOW);
	assert_int_equal(ask_will(&c, "$aws/things/valve/shadow/get"), SK_DENY);
	c.is_operator = true;
	assert_int_equal(ask_will(&c, "$CONTROL/skeeter/v1"), SK_DENY);
	leave(&c);
}

static void operators_may_use_the_control_topic(void **state)
{
	struct sk_client c = client("valve", NULL), plain = client("cli", NULL);

	(void)state;
	connect_valve(&c);
	assert_int_equal(ask(&c, SK_ACL_WRITE, "$CONTROL/skeeter/v1"), SK_DISCONNECT);
	c.is_operator = true;
	assert_int_equal(ask(&c, SK_ACL_WRITE, "$CONTROL/skeeter/v1"), SK_ALLOW);
	assert_int_equal(ask(&c, SK_ACL_SUBSCRIBE, "$CONTROL/skeeter/v1/response"), SK_ALLOW);
	assert_int_equal(ask(&c, SK_ACL_WRITE, "$CONTROL/dynamic-security/v1"), SK_DISCONNECT);
	a->others = OTHERS_ALLOW;
	assert_int_equal(ask(&plain, SK_ACL_WRITE, "$CONTROL/skeeter/v1"), SK_DENY);
	assert_int_equal(ask(&plain, SK_ACL_WRITE, "$CONTROL/dynamic-security/v1"), SK_PASS);
	plain.is_operator = true;
	assert_int_equal(ask(&plain, SK_ACL_WRITE, "$CONTROL/skeeter/v1"), SK_ALLOW);
	leave(&c);
	leave(&plain);
}

/* -- changes -- */

static void a_change_of_policy_counts_for_the_next_message(void **state)
{
	struct sk_client c = client("valve", NULL);

	(void)state;
	connect_valve(&c);
	assert_int_equal(ask(&c, SK_ACL_WRITE, "valves/1"), SK_ALLOW);
	put_policy("valve-policy", POLICY(STATEMENT("Allow", "Publish", "topic/other")));
	assert_int_equal(ask(&c, SK_ACL_WRITE, "valves/1"), SK_DISCONNECT);
	assert_int_equal(ask(&c, SK_ACL_WRITE, "other"), SK_ALLOW);
	attach("valve-policy", false);
	assert_int_equal(ask(&c, SK_ACL_WRITE, "other"), SK_DISCONNECT);
	attach("valve-policy", true);
	assert_int_equal(ask(&c, SK_ACL_WRITE, "other"), SK_ALLOW);
	put_policy("valve-policy", NULL);
	assert_int_equal(ask(&c, SK_ACL_WRITE, "other"), SK_DISCONNECT);
	assert_string_equal(kicked, "");
	leave(&c);
}

static void a_new_policy_concerns_nobody(void **state)
{
	uint32_t epoch = a->epoch;

	(void)state;
	a->plain_policy = "web";
	put_policy("another", POLICY(STATEMENT("Allow", "Publish", "topic/other")));
	assert_int_equal(a->epoch, epoch);
	put_policy("another", POLICY(STATEMENT("Allow", "Publish", "topic/more")));
	assert_int_equal(a->epoch, epoch + 1);
	put_policy("web", POLICY(STATEMENT("Allow", "Publish", "topic/other")));
	assert_int_equal(a->epoch, epoch + 2);
}

static void a_policy_that_does_not_compile_denies(void **state)
{
	struct sk_client c = client("valve", NULL);

	(void)state;
	connect_valve(&c);
	put_policy("valve-policy", "{\"Version\":\"2012-10-17\",\"Statement\":[],\"x\":1}");
	assert_string_equal(logged, "policy valve-policy denies everything: x is not supported");
	assert_int_equal(ask(&c, SK_ACL_WRITE, "valves/1"), SK_DISCONNECT);
	put(auth_watch_policy, "valve-policy", "not JSON");
	assert_int_equal(ask(&c, SK_ACL_WRITE, "valves/1"), SK_DISCONNECT);
	leave(&c);
}

static void a_thing_that_is_attached_gives_its_name(void **state)
{
	struct sk_client c = client("valve", NULL);

	(void)state;
	connect_valve(&c);
	assert_int_equal(ask(&c, SK_ACL_READ, "wishes/valve"), SK_DENY);
	attach_thing("lamp", true);
	assert_int_equal(ask(&c, SK_ACL_READ, "wishes/lamp"), SK_DENY);
	attach_thing("valve", true);
	assert_int_equal(ask(&c, SK_ACL_READ, "wishes/valve"), SK_ALLOW);
	attach_thing("valve", false);
	assert_int_equal(ask(&c, SK_ACL_READ, "wishes/valve"), SK_DENY);
	leave(&c);
}

static void a_certificate_that_stops_being_active_is_kicked_at_once(void **state)
{
	struct sk_client c = client("valve", NULL), two = client("valve2", NULL), plain = client("browser", NULL);
	char wanted[200];

	(void)state;
	connect_valve(&c);
	a->plain_policy = "valve-policy";
	assert_int_equal(connect_with(&two, "valve's DER"), SK_ALLOW);
	assert_int_equal(connect_with(&plain, NULL), SK_PASS);
	put_status("ACTIVE");
	assert_string_equal(kicked, "");
	put_status("INACTIVE");
	snprintf(wanted, sizeof(wanted), "valve2: certificate %s is INACTIVE\nvalve: certificate %s is INACTIVE\n", brief, brief);
	assert_string_equal(kicked, wanted);
	assert_int_equal(ask(&c, SK_ACL_WRITE, "valves/1"), SK_DISCONNECT);
	assert_int_equal(ask(&c, SK_ACL_READ, "$aws/things/valve/x"), SK_DENY);
	assert_logged("deny receive valve <- $aws/things/valve/x: @ is INACTIVE");
	/* Mosquitto asks for the session's subscriptions while it closes the connection: they stay. */
	assert_int_equal(ask(&c, SK_ACL_SUBSCRIBE, "news/#"), SK_ALLOW);
	assert_int_equal(ask(&c, SK_ACL_SUBSCRIBE, "$SYS/#"), SK_DISCONNECT);
	*kicked = 0;
	put_status(NULL);
	snprintf(wanted, sizeof(wanted), "valve2: certificate %s is not registered\nvalve: certificate %s is not registered\n", brief, brief);
	assert_string_equal(kicked, wanted);
	leave(&c);
	leave(&two);
	leave(&plain);
}

static void records_of_nobody_are_passed_over(void **state)
{
	(void)state;
	put(auth_watch_certificate, "lamp", "{}");
	put(auth_watch_certificate, hex, "not JSON");
	put(auth_watch_attached, "lamp/policy", "{}");
	put(auth_watch_attached, hex, "{}");
	put(auth_watch_principal, "", "{}");
	struct sk_client c = client("valve", NULL);
	assert_int_equal(connect_with(&c, "valve's DER"), SK_DENY);
	leave(&c);
}

static void a_restored_session_is_known_by_its_name(void **state)
{
	struct sk_client c = client("valve", hex), plain = client("browser", "alice");

	(void)state;
	c.online = false;
	c.restored = true;
	assert_int_equal(ask(&c, SK_ACL_READ, "$aws/things/valve/x"), SK_ALLOW);
	assert_int_equal(ask(&c, SK_ACL_READ, "elsewhere"), SK_DENY);
	assert_int_equal(ask(&plain, SK_ACL_READ, "elsewhere"), SK_PASS);
	leave(&c);
	leave(&plain);
}

#define CONDITIONAL(action, resource, condition) "{\"Effect\":\"Allow\",\"Action\":\"iot:" action "\",\"Resource\":\"" ARN resource "\",\"Condition\":" condition "}"

static void what_depends_on_the_moment_is_not_kept(void **state)
{
	struct sk_client c = client("valve", NULL);

	(void)state;
	put_policy("valve-policy", POLICY(STATEMENT("Allow", "Connect", "*") "," CONDITIONAL("Publish", "topic/early", "{\"NumericLessThan\":{\"aws:EpochTime\":\"100\"}}") ","
	                                  STATEMENT("Allow", "Publish", "topic/always")));
	a->now_ms = 99999;
	connect_valve(&c);
	for (int i = 0; i < 3; i++)
		assert_int_equal(ask(&c, SK_ACL_WRITE, "early"), SK_ALLOW);
	a->now_ms = 100000;
	assert_int_equal(ask(&c, SK_ACL_WRITE, "early"), SK_DISCONNECT);
	assert_int_equal(ask(&c, SK_ACL_WRITE, "always"), SK_ALLOW);
	a->now_ms = 5000; /* a clock that was set back */
	assert_int_equal(ask(&c, SK_ACL_WRITE, "early"), SK_ALLOW);
	leave(&c);
}

static void a_session_from_the_file_shows_no_certificate_to_ask(void **state)
{
	struct sk_client c = client("valve", hex);

	(void)state;
	put_policy("valve-policy", POLICY(STATEMENT("Allow", "*", "*") "," STATEMENT("Deny", "Receive", "topic/${iot:Certificate.Subject.CommonName}")));
	c.online = false;
	c.restored = true;
	assert_int_equal(ask(&c, SK_ACL_READ, "anything"), SK_DENY);
	assert_logged("deny receive valve <- anything: a policy asks for fields of the certificate, which are known when the client connects next");
	put_policy("valve-policy", POLICY(STATEMENT("Allow", "*", "*")));
	assert_int_equal(ask(&c, SK_ACL_READ, "anything"), SK_ALLOW);
	leave(&c);
}

static void whoever_comes_back_is_asked_from_where(void **state)
{
	struct sk_client c = client("valve", NULL);

	(void)state;
	put_policy("valve-policy", POLICY(CONDITIONAL("*", "*", "{\"IpAddress\":{\"aws:SourceIp\":\"10.0.0.0/8\"}}")));
	c.address = "10.1.1.1";
	connect_valve(&c);
	c.address = "::ffff:10.2.2.2";
	connect_valve(&c);
	c.address = "192.0.2.1";
	assert_int_equal(connect_with(&c, "valve's DER"), SK_DENY);
	c.address = "/run/broker.sock";
	assert_int_equal(connect_with(&c, "valve's DER"), SK_DENY);
	assert_logged("deny connect valve: no statement of valve-policy v1 (via @) allows iot:Connect; ${aws:SourceIp} has no value");
	leave(&c);
}

static void a_client_that_another_plugin_let_in_as_a_certificate_gets_nothing(void **state)
{
	struct sk_client c = client("valve", hex);

	(void)state;
	assert_int_equal(ask(&c, SK_ACL_READ, "$aws/things/valve/x"), SK_DENY);
	assert_int_equal(ask(&c, SK_ACL_WRITE, "$aws/things/valve/shadow/get"), SK_DENY);
	assert_int_equal(ask(&c, SK_ACL_SUBSCRIBE, "$aws/things/valve/x"), SK_DENY);
	leave(&c);
}

/* -- plain clients -- */

static void plain_clients_are_kept_out_of_aws(void **state)
{
	static const struct {
		int access;
		const char *topic;
		bool closed;
	} rows[] = {
		{ SK_ACL_WRITE, "$aws/things/valve/shadow/get", true }, { SK_ACL_WRITE, "$aws/x", true }, { SK_ACL_WRITE, "$aws", true },
		{ SK_ACL_WRITE, "$awsome", false }, { SK_ACL_WRITE, "a/$aws/b", false },
		{ SK_ACL_SUBSCRIBE, "$aws/#", true }, { SK_ACL_SUBSCRIBE, "$aws/+/valve/#", true }, { SK_ACL_SUBSCRIBE, "$share/g/$aws/#", true },
		{ SK_ACL_SUBSCRIBE, "#", false }, { SK_ACL_SUBSCRIBE, "+/things/#", false }, { SK_ACL_SUBSCRIBE, "$share/g/#", false },
		{ SK_ACL_SUBSCRIBE, "$", true }, { SK_ACL_SUBSCRIBE, "$/#", true }, { SK_ACL_SUBSCRIBE, "$share/g/$/#", true },
		{ SK_ACL_SUBSCRIBE, "$SYS/#", false }, { SK_ACL_READ, "$aws/things/valve/shadow/get/accepted", true },
		{ SK_ACL_READ, "a", false }, { SK_ACL_UNSUBSCRIBE, "$aws/#", false },
	};
	struct sk_client c = client("browser", NULL);

	(void)state;
	for (int others = OTHERS_ALLOW; others <= OTHERS_DEFER; others++) {
		a->others = others;
		for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
			int wanted = rows[i].closed ? SK_DENY : others == OTHERS_ALLOW ? SK_ALLOW : SK_PASS;
			if (ask(&c, rows[i].access, rows[i].topic) != wanted)
				fail_msg("%d %s", rows[i].access, rows[i].topic);
		}
	}
	assert_int_equal(ask(&c, SK_ACL_WRITE, "$aws/x"), SK_DENY);
	assert_string_equal(logged, "deny publish browser -> $aws/x: the client has no certificate, and plugin_opt_plain_policy is not set");
	leave(&c);
}

static void plain_policy_opens_what_it_allows_below_aws(void **state)
{
	struct sk_client c = client("browser", "alice");

	(void)state;
	a->plain_policy = "web";
	assert_int_equal(connect_with(&c, NULL), SK_PASS);
	assert_int_equal(ask(&c, SK_ACL_WRITE, "$aws/things/browser/get"), SK_DENY);
	assert_string_equal(logged, "deny publish browser -> $aws/things/browser/get: policy web of plugin_opt_plain_policy does not exist");
	put_policy("web", POLICY(STATEMENT("Allow", "*", "topic/$aws/things/${iot:ClientId}/*") "," STATEMENT("Deny", "Publish", "topic/secret")));
	assert_int_equal(ask(&c, SK_ACL_WRITE, "$aws/things/browser/get"), SK_ALLOW);
	assert_int_equal(ask(&c, SK_ACL_WRITE, "$aws/things/browser/set"), SK_DENY);
	assert_int_equal(ask(&c, SK_ACL_WRITE, "$aws/things/valve/get"), SK_DENY);
	assert_string_equal(logged,
	                    "deny publish browser -> $aws/things/valve/get: no statement of web v1 (via plugin_opt_plain_policy) allows iot:Publish");
	assert_int_equal(ask(&c, SK_ACL_READ, "$aws/things/browser/get/accepted"), SK_ALLOW);
	assert_int_equal(ask(&c, SK_ACL_WRITE, "anything"), SK_PASS);
	assert_int_equal(ask(&c, SK_ACL_WRITE, "secret"), SK_DENY);
	assert_string_equal(logged, "deny publish browser -> secret: statement 2 of web v1 (via plugin_opt_plain_policy) denies iot:Publish");
	leave(&c);
}

/* -- the log -- */

static void denial_lines_are_limited_and_counted(void **state)
{
	struct sk_client c = client("browser", NULL);

	(void)state;
	a->log_tokens = AUTH_LOG_BURST;
	a->now_ms = a->log_ms = 1700000000000;
	for (int i = 0; i < 100; i++)
		ask(&c, SK_ACL_WRITE, "$aws/x");
	assert_int_equal(lines, AUTH_LOG_BURST);
	a->now_ms += 1000;
	ask(&c, SK_ACL_WRITE, "$aws/x");
	assert_int_equal(lines, AUTH_LOG_BURST + 1);
	assert_non_null(strstr(logged, " (80 more denials were not logged)"));
	for (int i = 0; i < 100; i++)
		ask(&c, SK_ACL_WRITE, "$aws/x");
	assert_int_equal(lines, AUTH_LOG_BURST + 5);
	a->now_ms -= 3600000; /* the clock is set back: nothing is stuck */
	ask(&c, SK_ACL_WRITE, "$aws/x");
	assert_int_equal(lines, AUTH_LOG_BURST + 6);
	leave(&c);
}

static void a_topic_cannot_break_a_log_line(void **state)
{
	struct sk_client c = client("bro\nwser", NULL);
	char topic[3000] = "$aws/\n\x1b[2J";

	(void)state;
	ask(&c, SK_ACL_WRITE, topic);
	assert_non_null(strstr(logged, "deny publish bro?wser -> $aws/??[2J: "));
	for (size_t i = 5; i + 2 < sizeof(topic); i += 2)
		memcpy(topic + i, "\xc3\xa4", 3);
	ask(&c, SK_ACL_WRITE, topic);
	assert_true(strlen(logged) < 350);
	assert_true(sk_utf8_valid(logged, strlen(logged)));
	leave(&c);
}

static void many_topics_and_long_ones_are_judged_alike(void **state)
{
	struct sk_client c = client("valve", NULL);
	char topic[400];

	(void)state;
	connect_valve(&c);
	for (int round = 0; round < 3; round++) {
		for (int i = 0; i < 300; i++) {
			snprintf(topic, sizeof(topic), "%s/%0*d", i % 3 ? "valves" : "pumps", i + 1, i);
			assert_int_equal(ask(&c, SK_ACL_WRITE, topic), i % 3 ? SK_ALLOW : SK_DISCONNECT);
		}
	}
	leave(&c);
}

/* -- elsewhere than over MQTT -- */

static int ask_https(const char *der, const char *action, const char *resource, struct sk_ask *q)
{
	*q = (struct sk_ask){ .der = (const unsigned char *)der, .der_size = strlen(der), .address = "192.0.2.7",
		              .permission = { { action, resource } }, .permissions = 1 };
	return auth_asked(a, q);
}

static void a_certificate_is_judged_over_https_as_over_mqtt(void **state)
{
	struct sk_ask q;

	(void)state;
	assert_int_equal(ask_https("valve's DER", "iot:Publish", "valves/1", &q), SK_ALLOW);
	assert_string_equal(q.principal, hex);
	assert_int_equal(ask_https("valve's DER", "iot:Publish", "pumps/9/1", &q), SK_DENY);
	assert_logged("deny https iot:Publish pumps/9/1: statement 2 of valve-policy v1 (via @) denies iot:Publish");
	assert_int_equal(ask_https("valve's DER", "iot:GetThingShadow", "lamp", &q), SK_DENY);
	assert_non_null(strstr(q.why, "no statement of valve-policy v1"));
	assert_int_equal(ask_https("valve's DER", "iot:Fly", "lamp", &q), SK_DENY);
	assert_int_equal(ask_https("nobody's DER", "iot:Publish", "valves/1", &q), SK_DENY);
	assert_non_null(strstr(q.why, "is not registered"));
	put_status("INACTIVE");
	assert_int_equal(ask_https("valve's DER", "iot:Publish", "valves/1", &q), SK_DENY);
	assert_non_null(strstr(q.why, "is INACTIVE"));
	assert_string_equal(kicked, "");
}

static void all_that_is_asked_over_https_must_be_allowed(void **state)
{
	struct sk_ask q = { .der = (const unsigned char *)"valve's DER", .der_size = 11, .permissions = 2,
		            .permission = { { "iot:Publish", "once" }, { "iot:RetainPublish", "once" } } };

	(void)state;
	assert_int_equal(auth_asked(a, &q), SK_DENY);
	assert_non_null(strstr(q.why, "allows iot:RetainPublish"));
	q.permission[0].resource = q.permission[1].resource = "valves/1";
	assert_int_equal(auth_asked(a, &q), SK_ALLOW);
}

/* "Only available when a device connects over MQTT": no client id, no thing, even when it is the certificate's only one. */
static void thing_variables_have_no_value_over_https(void **state)
{
	struct sk_ask q;

	(void)state;
	put_policy("valve-policy", POLICY(STATEMENT("Allow", "Publish", "topic/${iot:Connection.Thing.ThingName}/a") ","
	                                  STATEMENT("Allow", "Publish", "topic/${iot:ClientId}/a") ","
	                                  STATEMENT("Allow", "Publish", "topic/${iot:CertificateId}/a")));
	attach_thing("valve1", true);
	assert_int_equal(ask_https("valve's DER", "iot:Publish", "valve1/a", &q), SK_DENY);
	assert_int_equal(ask_https("valve's DER", "iot:Publish", "/a", &q), SK_DENY);
	char own[100];
	snprintf(own, sizeof(own), "%s/a", hex);
	assert_int_equal(ask_https("valve's DER", "iot:Publish", own, &q), SK_ALLOW);
}

/* -- after a gap -- */

static int64_t lost;

static int64_t lost_ms(void)
{
	return lost;
}

static int reset(enum sk_reset phase)
{
	int calls = 0, rc;

	while ((rc = auth_reset(a, phase)) > 0)
		assert_true(++calls < 1000);
	auth_reset(a, SK_RESET_OVER);
	assert_null(a->old);
	return rc;
}

static void while_all_is_told_anew_nobody_is_denied_more_than_before(void **state)
{
	struct sk_client c = client("valve1", NULL);

	(void)state;
	connect_valve(&c);
	assert_int_equal(ask(&c, SK_ACL_WRITE, "valves/1"), SK_ALLOW);
	assert_int_equal(reset(SK_RESET_BEGINS), 0);
	assert_int_equal(ask(&c, SK_ACL_WRITE, "valves/1"), SK_ALLOW);
	put_status("ACTIVE");
	assert_int_equal(ask(&c, SK_ACL_WRITE, "valves/1"), SK_ALLOW);
	put_policy("valve-policy", VALVE);
	attach("valve-policy", true);
	assert_int_equal(reset(SK_RESET_ENDS), 0);
	assert_string_equal(kicked, "");
	assert_int_equal(ask(&c, SK_ACL_WRITE, "valves/1"), SK_ALLOW);
	leave(&c);
	c = client("valve1", NULL);
	connect_valve(&c);
	leave(&c);
}

static void what_was_not_told_again_is_gone_and_its_connections_too(void **state)
{
	struct sk_client c = client("valve1", NULL), again = client("valve1", NULL);

	(void)state;
	connect_valve(&c);
	assert_int_equal(reset(SK_RESET_BEGINS), 0);
	put_policy("valve-policy", VALVE);
	assert_int_equal(reset(SK_RESET_BEGINS), 0); /* a gap within a gap */
	assert_int_equal(reset(SK_RESET_ENDS), 0);
	assert_non_null(strstr(kicked, "valve1: certificate"));
	assert_non_null(strstr(kicked, "is not registered"));
	assert_int_not_equal(ask(&c, SK_ACL_WRITE, "valves/1"), SK_ALLOW);
	assert_int_equal(connect_with(&again, "valve's DER"), SK_DENY);
	put_policy("valve-policy", VALVE); /* filled again */
	put_status("ACTIVE");
	attach("valve-policy", true);
	connect_valve(&again);
	assert_int_equal(ask(&again, SK_ACL_WRITE, "valves/1"), SK_ALLOW);
	leave(&again);
	leave(&c);
}

static void a_revocation_while_all_is_told_anew_counts_at_once_and_stays(void **state)
{
	struct sk_client c = client("valve1", NULL);

	(void)state;
	connect_valve(&c);
	assert_int_equal(reset(SK_RESET_BEGINS), 0);
	put_status("REVOKED");
	assert_non_null(strstr(kicked, "is REVOKED"));
	assert_int_not_equal(ask(&c, SK_ACL_WRITE, "valves/1"), SK_ALLOW);
	put_policy("valve-policy", VALVE);
	attach("valve-policy", true);
	assert_int_equal(reset(SK_RESET_ENDS), 0);
	assert_int_not_equal(ask(&c, SK_ACL_WRITE, "valves/1"), SK_ALLOW);
	leave(&c);
}

static void a_store_that_is_away_for_long_lets_nobody_new_in(void **state)
{
	struct auth_host with_loss = host;
	struct sk_client old = client("valve1", NULL), c = client("valve2", NULL);

	(void)state;
	with_loss.lost_ms = lost_ms;
	a->host = &with_loss;
	a->store_lost = 60000;
	lost = 0;
	connect_valve(&old);
	lost = 60000;
	connect_valve(&c);
	leave(&c);
	c = client("valve2", NULL);
	lost = 60001;
	assert_int_equal(connect_with(&c, "valve's DER"), SK_DENY);
	assert_non_null(strstr(logged, "the store does not answer"));
	assert_int_equal(ask(&old, SK_ACL_WRITE, "valves/1"), SK_ALLOW);
	shown_certificate = NULL;
	assert_int_equal(auth_connect(a, &old, true), SK_ALLOW); /* SIGHUP */
	struct sk_ask q;
	assert_int_equal(ask_https("valve's DER", "iot:Publish", "valves/1", &q), SK_DENY);
	a->store_lost = 0;
	connect_valve(&c);
	leave(&c);
	leave(&old);
	a->host = &host;
}

static int make_folder(void **state)
{
	(void)state;
	return mkdtemp(folder) ? 0 : -1;
}

static int remove_folder(void **state)
{
	(void)state;
	return rmdir(folder);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_certificate_that_is_not_registered_is_told_what_to_do),
		TEST(a_certificate_that_is_not_active_is_refused),
		TEST(connect_needs_a_statement),
		TEST(a_user_name_like_a_certificate_id_is_no_identity),
		TEST(the_broker_asking_again_needs_no_certificate),
		TEST(plain_clients_are_left_to_others),
		TEST(a_valve_is_held_to_its_policy),
		TEST(retaining_needs_its_own_permission),
		TEST(wills_are_checked_as_publishes),
		TEST(operators_may_use_the_control_topic),
		TEST(a_change_of_policy_counts_for_the_next_message),
		TEST(a_new_policy_concerns_nobody),
		TEST(a_policy_that_does_not_compile_denies),
		TEST(a_thing_that_is_attached_gives_its_name),
		TEST(a_certificate_that_stops_being_active_is_kicked_at_once),
		TEST(records_of_nobody_are_passed_over),
		TEST(a_restored_session_is_known_by_its_name),
		TEST(what_depends_on_the_moment_is_not_kept),
		TEST(a_session_from_the_file_shows_no_certificate_to_ask),
		TEST(whoever_comes_back_is_asked_from_where),
		TEST(a_client_that_another_plugin_let_in_as_a_certificate_gets_nothing),
		TEST(plain_clients_are_kept_out_of_aws),
		TEST(plain_policy_opens_what_it_allows_below_aws),
		TEST(denial_lines_are_limited_and_counted),
		TEST(a_topic_cannot_break_a_log_line),
		TEST(many_topics_and_long_ones_are_judged_alike),
		TEST(a_certificate_is_judged_over_https_as_over_mqtt),
		TEST(all_that_is_asked_over_https_must_be_allowed),
		TEST(thing_variables_have_no_value_over_https),
		TEST(while_all_is_told_anew_nobody_is_denied_more_than_before),
		TEST(what_was_not_told_again_is_gone_and_its_connections_too),
		TEST(a_revocation_while_all_is_told_anew_counts_at_once_and_stays),
		TEST(a_store_that_is_away_for_long_lets_nobody_new_in),
	};
	return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
