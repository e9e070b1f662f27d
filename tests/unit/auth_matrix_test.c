/* auth_matrix_test.c -- every action, effect, resource and condition with every other, and each of them with every way of attaching, asked
 * through the hooks that the broker calls. What is expected is not asked of the code: each row of a table says what AWS's documentation says about it, and a cell
 * applies when its rows all do. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>
#include <openssl/x509v3.h>

#include "plugins/auth/session.h"

#define ARN "arn:aws:iot:eu-central-1:123456789012:"
#define COUNT(rows) (sizeof(rows) / sizeof((rows)[0]))

/* The device: client id lamp, a certificate with CN lamp, OU one and two, attached to thing lamp of type light with attribute
 * room=lamp, from 10.1.2.3, with a clean session; the time is 2026-06-15T12:00:00Z. Everything is asked about a resource named lamp. */
static const int64_t NOW = 1781524800000;

/* -- the rows -- */

/* Actions and the kind of their resource: "AWS IoT policy actions". */
static const struct {
	const char *action, *kind;
	int access; /* 0: a connect */
	bool retain;
} actions[] = {
	{ "iot:Connect", "client", 0, false },
	{ "iot:Publish", "topic", SK_ACL_WRITE, false },
	{ "iot:RetainPublish", "topic", SK_ACL_WRITE, true },
	{ "iot:Subscribe", "topicfilter", SK_ACL_SUBSCRIBE, false },
	{ "iot:Receive", "topic", SK_ACL_READ, false },
};

/* member, text behind "arn:...:kind/", does it name lamp? */
static const struct {
	const char *member, *name;
	bool matches;
	const char *rule;
} resources[] = {
	{ "Resource", "lamp", true, "a name matches itself" },
	{ "Resource", "lam", false, "a name does not match what it begins" },
	{ "Resource", "lamps", false, "a name does not match what begins it" },
	{ "Resource", "LAMP", false, "resources are case-sensitive" },
	{ "Resource", "*", true, "* is any run of characters" },
	{ "Resource", "lamp*", true, "* is also no character" },
	{ "Resource", "*p", true, "* may be anywhere" },
	{ "Resource", "l?mp", true, "? is one character" },
	{ "Resource", "lamp?", false, "? is exactly one character" },
	{ "Resource", "+", false, "+ is a literal character" },
	{ "Resource", "#", false, "# is a literal character" },
	{ "Resource", "${iot:ClientId}", true, "the client id" },
	{ "Resource", "${iot:Connection.Thing.ThingName}", true, "the thing whose name is the client id and to which the certificate is attached" },
	{ "Resource", "${iot:Connection.Thing.Attributes[room]}", true, "an attribute of the thing" },
	{ "Resource", "${iot:Connection.Thing.Attributes[Room]}", false, "an attribute that the thing does not have has no value" },
	{ "Resource", "${iot:Connection.Thing.ThingTypeName}", false, "the thing's type, which is light" },
	{ "Resource", "${iot:Certificate.Subject.CommonName}", true, "the first common name of the subject" },
	{ "Resource", "${iot:Certificate.Subject.Organization}", false, "a field that the certificate does not have has no value" },
	{ "Resource", "*${iot:Certificate.Subject.Organization}", false, "nor does a wildcard beside it give it one" },
	{ "Resource", "${*}", false, "${*} is a star" },
	{ "NotResource", "lamp", false, "NotResource is every resource but this" },
	{ "NotResource", "la*", false, "NotResource takes wildcards" },
	{ "NotResource", "fan", true, "NotResource is every resource but this" },
	{ "NotResource", "${iot:ClientId}s", true, "NotResource takes variables" },
};

static const struct {
	const char *condition; /* with ' for ", "" for none */
	bool holds;
	const char *rule;
} conditions[] = {
	{ "", true, "a statement without a condition applies" },
	{ "'StringEquals':{'iot:ClientId':'lamp'}", true, "exact matching" },
	{ "'StringEquals':{'iot:ClientId':'LAMP'}", false, "case-sensitive" },
	{ "'StringEquals':{'iot:ClientId':['fan','lamp']}", true, "several values: one must match" },
	{ "'StringEquals':{'iot:clientid':'lamp'}", true, "names of keys are not case-sensitive" },
	{ "'StringEquals':{'iot:ClientId':'l*'}", false, "StringEquals takes no wildcards" },
	{ "'StringEquals':{'iot:ClientId':'${iot:Certificate.Subject.CommonName}'}", true, "variables in values" },
	{ "'StringEquals':{'iot:ClientId':'${iot:Certificate.Subject.Organization}'}", false, "a value without a value matches nothing" },
	{ "'StringEqualsIgnoreCase':{'iot:ClientId':'LAMP'}", true, "ignoring case" },
	{ "'StringNotEqualsIgnoreCase':{'iot:ClientId':'LAMP'}", false, "negated, ignoring case" },
	{ "'StringNotEquals':{'iot:ClientId':'fan'}", true, "negated matching" },
	{ "'StringNotEquals':{'iot:ClientId':['fan','lamp']}", false, "negated: none of the values may match" },
	{ "'StringNotEquals':{'iot:DomainName':'a'}", true, "negated: true when the key is not there" },
	{ "'StringEquals':{'iot:DomainName':'a'}", false, "false when the key is not there" },
	{ "'StringEqualsIfExists':{'iot:DomainName':'a'}", true, "IfExists: true when the key is not there" },
	{ "'StringEqualsIfExists':{'iot:ClientId':'fan'}", false, "IfExists: as ever when it is" },
	{ "'StringLike':{'iot:ClientId':'l?m*'}", true, "StringLike takes wildcards" },
	{ "'StringNotLike':{'iot:ClientId':'l*'}", false, "negated" },
	{ "'StringEquals':{'iot:Certificate.Subject.OrganizationalUnit.List.1':'two'}", true, ".List.N is the N-th of several values" },
	{ "'StringEquals':{'iot:Certificate.Subject.OrganizationalUnit':'two'}", false, "without it the first one" },
	{ "'StringEquals':{'iot:Certificate.Issuer.CommonName':'lamp'}", true, "the issuer's fields" },
	{ "'StringEquals':{'iot:Connection.Thing.ThingTypeName':'light'}", true, "the thing's type" },
	{ "'StringEquals':{'iot:Connection.Thing.Attributes[room]':'lamp'}", true, "the thing's attributes" },
	{ "'Bool':{'iot:Connection.Thing.IsAttached':'true'}", true, "attached" },
	{ "'Bool':{'iot:Connection.Thing.IsAttached':'false'}", false, "attached" },
	{ "'IpAddress':{'aws:SourceIp':'10.1.0.0/16'}", true, "in the range" },
	{ "'IpAddress':{'aws:SourceIp':['10.2.0.0/16','2001:db8::/32']}", false, "in none of the ranges" },
	{ "'NotIpAddress':{'aws:SourceIp':'10.1.2.3'}", false, "an address alone is a range of one" },
	{ "'DateGreaterThan':{'aws:CurrentTime':'2026-06-15T11:59:59Z'}", true, "after" },
	{ "'DateLessThan':{'aws:CurrentTime':'2026-06-15T12:00:00Z'}", false, "before: not at the same time" },
	{ "'DateLessThanEquals':{'aws:CurrentTime':'2026-06-15T14:00:00+02:00'}", true, "at or before, in any zone" },
	{ "'DateEquals':{'aws:EpochTime':'2026-06-15T12:00:00Z'}", true, "dates of either form" },
	{ "'NumericLessThan':{'aws:EpochTime':'1781524801'}", true, "less" },
	{ "'NumericGreaterThanEquals':{'aws:EpochTime':1781524801}", false, "numbers may be JSON's" },
	{ "'NumericNotEquals':{'aws:EpochTime':'1781524800'}", false, "negated" },
	{ "'DateGreaterThan':{'aws:CurrentTime':'2026-01-01'},'DateLessThan':{'aws:CurrentTime':'2027-01-01'}", true, "several operators: all must hold" },
	{ "'DateGreaterThan':{'aws:CurrentTime':'2026-01-01'},'StringEquals':{'iot:ClientId':'fan'}", false, "several operators: all must hold" },
	{ "'StringEquals':{'iot:ClientId':'lamp','iot:CertificateId':'x'}", false, "several keys: all must hold" },
	{ "'Null':{'iot:DomainName':'true'}", true, "Null true: the key must not be there" },
	{ "'Null':{'iot:ClientId':'true'}", false, "Null true: the key must not be there" },
	{ "'Null':{'iot:ClientId':'false'}", true, "Null false: it must be there" },
	{ "'ForAllValues:StringEquals':{'iot:ConnectAttributes':['LastWill']}", true, "ForAllValues: true when there are no values" },
	{ "'ForAnyValue:StringEquals':{'iot:ConnectAttributes':['PersistentConnect']}", false, "ForAnyValue: false when there are none" },
	{ "'ForAllValues:StringLike':{'iot:ClientId':['x','la*']}", true, "ForAllValues: each value matches one" },
	{ "'ForAnyValue:StringNotEquals':{'iot:ClientId':['lamp']}", false, "ForAnyValue: a value that matches none" },
	{ "'ArnLike':{'iot:ClientId':'arn:aws:iot:*:*:client/*'}", false, "an ARN has six parts" },
	{ "'ArnNotEquals':{'iot:ClientId':'arn:aws:iot:*:*:client/*'}", true, "negated" },
	{ "'BinaryEquals':{'iot:ClientId':'bGFtcA=='}", true, "the bytes behind base64" },
};

/* Where the policy is attached. "The policies attached to a thing group apply to any thing within that group." */
static const struct {
	const char *certificate, *group; /* of hall < site, where lamp is in hall; and yard */
	bool reaches;
} attachments[] = {
	{ "yes", NULL, true }, { NULL, "hall", true }, { NULL, "site", true }, { NULL, "yard", false }, { NULL, NULL, false },
};

/* -- the broker's side -- */

static char folder[] = "/tmp/auth-matrix-test-XXXXXX";
static struct auth *a;
static char hex[CERTIFICATE_HEX_SIZE + 1];
static unsigned char *der;
static int der_size;

static bool is_input(const char *topic)
{
	(void)topic;
	return false;
}

static const unsigned char *certificate_der(struct sk_client *client, size_t *n)
{
	(void)client;
	*n = (size_t)der_size;
	return der;
}

static int set_username(struct sk_client *client, const char *username)
{
	(void)client, (void)username;
	return 0;
}

static void kick(struct sk_client *client, const char *why)
{
	(void)client, (void)why;
}

static void log_line(char level, const char *line)
{
	(void)level, (void)line;
}

static const struct auth_host host = {
	.is_input = is_input, .certificate_der = certificate_der, .set_username = set_username, .kick = kick, .log = log_line
};

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
	put(auth_watch_policy, name, sk_json_print(&arena, record, NULL));
	sk_arena_free(&arena);
}

static void attach(const char *policy, bool attached)
{
	char name[200];

	snprintf(name, sizeof(name), "%s/%s", hex, policy);
	put(auth_watch_attached, name, attached ? "{}" : NULL);
}

static void add_name(X509_NAME *name, const char *field, const char *value)
{
	X509_NAME_add_entry_by_txt(name, field, MBSTRING_ASC, (const unsigned char *)value, -1, -1, 0);
}

static void make_certificate(void)
{
	EVP_PKEY *key = EVP_EC_gen("P-256");
	X509 *x = X509_new();
	uint8_t id[CERTIFICATE_ID_SIZE];

	X509_set_version(x, X509_VERSION_3);
	ASN1_INTEGER_set(X509_get_serialNumber(x), 7);
	ASN1_TIME_set(X509_getm_notBefore(x), 1700000000);
	ASN1_TIME_set(X509_getm_notAfter(x), 1900000000);
	add_name(X509_get_subject_name(x), "CN", "lamp");
	add_name(X509_get_subject_name(x), "OU", "one");
	add_name(X509_get_subject_name(x), "OU", "two");
	X509_set_issuer_name(x, X509_get_subject_name(x));
	X509_set_pubkey(x, key);
	assert_true(X509_sign(x, key, EVP_sha256()));
	der_size = i2d_X509(x, &der);
	certificate_id_of(der, (size_t)der_size, id);
	certificate_id_print(id, hex);
	X509_free(x);
	EVP_PKEY_free(key);
}

static void put_records(void)
{
	char name[200];

	put(auth_watch_certificate, hex, "{\"status\":\"ACTIVE\"}");
	snprintf(name, sizeof(name), "%s/lamp", hex);
	put(auth_watch_principal, name, "{}");
	put(auth_watch_thing, "lamp", "{\"thingTypeName\":\"light\",\"attributes\":{\"room\":\"lamp\"}}");
	put(auth_watch_group, "hall", "{\"parentGroupName\":\"site\"}");
	put(auth_watch_member, "lamp/hall", "{}");
	attach("base", true);
}

static int setup(void **state)
{
	char why[200];

	(void)state;
	a = calloc(1, sizeof(*a));
	if (!mkdtemp(folder))
		return -1;
	a->host = &host;
	a->violations = VIOLATIONS_DENY;
	a->now_ms = NOW;
	strcpy(a->arn, ARN);
	a->index = index_new(folder, why, sizeof(why));
	make_certificate();
	put_records();
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	index_free(&a->index);
	sk_arena_free(&a->scratch);
	free(a);
	OPENSSL_free(der);
	return rmdir(folder);
}

/* -- a cell -- */

struct cell {
	size_t action, resource, condition, attachment;
	bool deny;
};

static void quote(char *text)
{
	for (; *text; text++)
		*text = *text == '\'' ? '"' : *text;
}

/* Under a Deny all is allowed besides; under an Allow all but the action in question, so that the device is there to ask. */
static void put_policies(const struct cell *c)
{
	char text[2000];

	snprintf(text, sizeof(text), "{'Version':'2012-10-17','Statement':{'Effect':'Allow','%s':'%s','Resource':'*'}}", c->deny ? "Action" : "NotAction",
	         c->deny ? "iot:*" : actions[c->action].action);
	quote(text);
	put_policy("base", text);
	snprintf(text, sizeof(text), "{'Version':'2012-10-17','Statement':[{'Effect':'%s','Action':'%s','%s':'" ARN "%s/%s'%s%s%s}]}",
	         c->deny ? "Deny" : "Allow", actions[c->action].action, resources[c->resource].member, actions[c->action].kind,
	         resources[c->resource].name, *conditions[c->condition].condition ? ",'Condition':{" : "", conditions[c->condition].condition,
	         *conditions[c->condition].condition ? "}" : "");
	quote(text);
	put_policy("asked", text);
}

static void attach_all(const struct cell *c, bool attached)
{
	char name[100];

	if (attachments[c->attachment].certificate)
		attach("asked", attached);
	if (!attachments[c->attachment].group)
		return;
	snprintf(name, sizeof(name), "%s/asked", attachments[c->attachment].group);
	put(auth_watch_attached_group, name, attached ? "{}" : NULL);
}

static bool ask(struct sk_client *client, const struct cell *c)
{
	struct sk_message_view m = { .retain = actions[c->action].retain };
	bool connected = auth_connect(a, client, false) == SK_ALLOW;

	if (!actions[c->action].access)
		return connected;
	assert_true(connected);
	return auth_acl(a, client, actions[c->action].access, "lamp", &m) == SK_ALLOW;
}

static bool expected(const struct cell *c)
{
	bool applies = attachments[c->attachment].reaches && resources[c->resource].matches && conditions[c->condition].holds;

	return c->deny ? !applies : applies;
}

static void check(const struct cell *c)
{
	struct sk_client client = { .id = "lamp", .address = "10.1.2.3", .online = true, .clean_session = true };
	bool first, second;

	put_policies(c);
	attach_all(c, true);
	first = ask(&client, c);
	second = ask(&client, c); /* from what was kept, if it was */
	if (first != expected(c) || second != first)
		fail_msg("%s %s %s %s/%s (%s), condition %s (%s), attached to %s: %s, then %s", c->deny ? "Deny" : "Allow", actions[c->action].action,
		         resources[c->resource].member, actions[c->action].kind, resources[c->resource].name, resources[c->resource].rule,
		         conditions[c->condition].condition, conditions[c->condition].rule,
		         attachments[c->attachment].certificate ? "the certificate" : attachments[c->attachment].group ? attachments[c->attachment].group : "nothing",
		         first ? "allowed" : "denied", second ? "allowed" : "denied");
	auth_gone(a, &client);
	attach_all(c, false);
}

static void every_cell_is_as_aws_writes(void **state)
{
	size_t total = 2 * COUNT(actions) * COUNT(resources) * COUNT(conditions) * COUNT(attachments);

	size_t cells = 0;

	(void)state;
	for (size_t i = 0; i < total; i++) {
		size_t rest = i / 2;
		struct cell c = { .deny = i % 2 };
		c.attachment = rest % COUNT(attachments);
		rest /= COUNT(attachments);
		c.condition = rest % COUNT(conditions);
		rest /= COUNT(conditions);
		c.resource = rest % COUNT(resources);
		c.action = rest / COUNT(resources);
		if (c.attachment && c.resource && c.condition)
			continue;
		check(&c);
		cells++;
	}
	assert_true(cells > 300);
	print_message("%zu cells\n", cells);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_cell_is_as_aws_writes),
	};
	return cmocka_run_group_tests(tests, setup, teardown);
}
