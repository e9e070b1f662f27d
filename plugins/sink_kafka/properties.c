/* properties.c -- AWS's clientProperties: which there are, what they may be, and what librdkafka calls them. Pure.
 *
 * Properties that are not in the table are refused: among librdkafka's are some that run commands or load libraries. */
#include <stdio.h>
#include <string.h>

#include "core/why.h"
#include "plugins/sink_kafka/kafka.h"

enum { SECRET = 1, PEM = 2 };

/* name: AWS's or Java's; to: librdkafka's, two for one that has both, NULL: only looked at; values: those that there are, NULL: any. */
static const struct property {
	const char *name, *to, *values;
	int what;
} properties[] = {
	{ "bootstrap.servers", "bootstrap.servers", NULL, 0 },
	{ "security.protocol", "security.protocol", "PLAINTEXT SSL SASL_PLAINTEXT SASL_SSL", 0 },
	{ "acks", "acks", "0 1 -1 all", 0 },
	{ "compression.type", "compression.type", "none gzip snappy lz4 zstd", 0 },
	{ "key.serializer", NULL, "StringSerializer ByteArraySerializer ByteBufferSerializer", 0 },
	{ "value.serializer", NULL, "StringSerializer ByteArraySerializer ByteBufferSerializer", 0 },
	{ "client.id", "client.id", NULL, 0 },
	{ "linger.ms", "linger.ms", NULL, 0 },
	{ "max.request.size", "message.max.bytes", NULL, 0 },
	{ "sasl.mechanism", "sasl.mechanism", "PLAIN SCRAM-SHA-256 SCRAM-SHA-512", 0 },
	{ "sasl.plain.username", "sasl.username", NULL, 0 },
	{ "sasl.plain.password", "sasl.password", NULL, SECRET },
	{ "sasl.scram.username", "sasl.username", NULL, 0 },
	{ "sasl.scram.password", "sasl.password", NULL, SECRET },
	{ "ssl.truststore", "ssl.ca.pem", NULL, SECRET | PEM },
	{ "ssl.truststore.password", NULL, NULL, SECRET },
	{ "ssl.truststore.location", "ssl.ca.location", NULL, 0 },
	{ "ssl.ca.location", "ssl.ca.location", NULL, 0 },
	{ "ssl.keystore", "ssl.certificate.pem ssl.key.pem", NULL, SECRET | PEM },
	{ "ssl.keystore.location", "ssl.keystore.location", NULL, 0 },
	{ "ssl.keystore.password", "ssl.keystore.password", NULL, SECRET },
	{ "ssl.certificate.location", "ssl.certificate.location", NULL, 0 },
	{ "ssl.key.location", "ssl.key.location", NULL, 0 },
	{ "ssl.key.password", "ssl.key.password", NULL, SECRET },
	{ "ssl.endpoint.identification.algorithm", "ssl.endpoint.identification.algorithm", "https none", 0 },
};

static const struct property *property_of(const char *name)
{
	for (size_t i = 0; i < sizeof properties / sizeof *properties; i++)
		if (!strcmp(properties[i].name, name))
			return &properties[i];
	return NULL;
}

static bool is_among(const char *values, const char *value)
{
	size_t n = strlen(value);

	for (const char *v = values; n && *v; v += strcspn(v, " "), v += *v == ' ')
		if (strcspn(v, " ") == n && !memcmp(v, value, n))
			return true;
	return false;
}

/* Java's name of a class; only its own serializers. */
static const char *short_name(const char *value)
{
	static const char package[] = "org.apache.kafka.common.serialization.";

	return strncmp(value, package, sizeof package - 1) ? value : value + sizeof package - 1;
}

/* get_secret() is filled in when the lane is opened; nothing else may stand there. */
static bool has_other_template(const char *value)
{
	for (const char *at = value; (at = strstr(at, "${")); at += 2)
		if (strncmp(at + 2 + strspn(at + 2, " "), "get_secret", 10))
			return true;
	return false;
}

/* What is wrong with one of them; 0: nothing, or it cannot be known yet. */
static int property_fault(const cJSON *one, char *why, size_t why_size)
{
	const struct property *p = property_of(one->string);
	const char *value = cJSON_IsString(one) ? one->valuestring : "";

	if (!p)
		return sk_why(why, why_size, "clientProperties: there is no %.80s", one->string);
	if (has_other_template(value))
		return sk_why(why, why_size, "clientProperties: %s may only have the template get_secret()", p->name);
	if (strstr(value, "${"))
		return 0;
	if (p->values && !is_among(p->values, short_name(value)))
		return sk_why(why, why_size, "clientProperties: %s must be one of %s", p->name, p->values);
	if (p->what & PEM && !strstr(value, "-----BEGIN "))
		return sk_why(why, why_size, "clientProperties: %s must be PEM; a store in a file goes to %s.location", p->name, p->name);
	return 0;
}

/* What AWS asks for. */
static int required_fault(const cJSON *p, char *why, size_t why_size)
{
	const char *protocol = sk_json_text(p, "security.protocol"), *mechanism = sk_json_text(p, "sasl.mechanism");
	bool sasl = protocol && !strncmp(protocol, "SASL_", 5);
	const char *kind = mechanism && !strncmp(mechanism, "SCRAM", 5) ? "scram" : "plain";
	char name[2][24];

	if (!sk_json_text(p, "bootstrap.servers") || !*sk_json_text(p, "bootstrap.servers"))
		return sk_why(why, why_size, "clientProperties: bootstrap.servers must be there");
	if (sasl && !mechanism)
		return sk_why(why, why_size, "clientProperties: %s needs sasl.mechanism", protocol);
	if (mechanism && protocol && !sasl)
		return sk_why(why, why_size, "clientProperties: sasl.mechanism needs SASL_SSL as security.protocol");
	snprintf(name[0], sizeof name[0], "sasl.%s.username", kind);
	snprintf(name[1], sizeof name[1], "sasl.%s.password", kind);
	if (mechanism && (!sk_json_text(p, name[0]) || !sk_json_text(p, name[1])))
		return sk_why(why, why_size, "clientProperties: %s needs %s and %s", mechanism, name[0], name[1]);
	return 0;
}

static int fault_of(const cJSON *p, char *why, size_t why_size)
{
	SK_JSON_EACH(one, p)
		if (property_fault(one, why, why_size))
			return -1;
	return required_fault(p, why, why_size);
}

/* -- to librdkafka -- */

static int set_all(const struct property *p, const char *value, kafka_set *set, void *to)
{
	char name[64], said[256];

	for (const char *at = p->to; at && *at; at += strcspn(at, " "), at += *at == ' ') {
		snprintf(name, sizeof name, "%.*s", (int)strcspn(at, " "), at);
		if (set(to, name, value, said, sizeof said))
			return -1;
	}
	return 0;
}

/* AWS's actions are encrypted, always; and nothing is written twice while a producer lives unless `acks` says that it does not matter. */
static int set_implied(const cJSON *p, kafka_set *set, void *to)
{
	const char *acks = sk_json_text(p, "acks");
	bool weak = acks && (!strcmp(acks, "0") || !strcmp(acks, "1"));
	char said[256];

	if (!sk_json_text(p, "security.protocol") &&
	    set(to, "security.protocol", sk_json_text(p, "sasl.mechanism") ? "SASL_SSL" : "SSL", said, sizeof said))
		return -1;
	if (weak)
		return set(to, "max.in.flight.requests.per.connection", "1", said, sizeof said);
	return set(to, "enable.idempotence", "true", said, sizeof said);
}

int kafka_properties(const cJSON *p, kafka_set *set, void *to, char *why, size_t why_size)
{
	if (fault_of(p, why, why_size))
		return -1;
	SK_JSON_EACH(one, p)
		if (set_all(property_of(one->string), cJSON_IsString(one) ? one->valuestring : "", set, to))
			return sk_why(why, why_size, "clientProperties: %s is not as it must be", one->string);
	return set_implied(p, set, to) ? sk_why(why, why_size, "clientProperties do not go together") : 0;
}

/* -- when a rule is made -- */

const char *kafka_check(const cJSON *fields, struct sk_arena *a)
{
	const cJSON *p = sk_json_get(fields, "clientProperties");
	const char *topic = sk_json_text(fields, "topic"), *partition = sk_json_text(fields, "partition");
	char why[256];
	int32_t number;

	if (!topic || !*topic)
		return "topic must be the name of a topic of Kafka";
	if (partition && !strstr(partition, "${") && !kafka_partition(partition, &number))
		return "partition must be a number";
	return fault_of(p, why, sizeof why) ? sk_strdup(a, why) : NULL;
}

/* "kafka://one:9092,two:9092 security.protocol=SSL": all but secrets, in their order. What has the same name must be the same properties: a lane is opened anew
 * when they change. */
const char *kafka_lane(const cJSON *fields, struct sk_arena *a, const char **why)
{
	const cJSON *p = sk_json_get(fields, "clientProperties");
	const char *servers = sk_json_text(p, "bootstrap.servers"), *name = sk_printf(a, "kafka://%s", servers ? servers : "");

	SK_JSON_EACH(one, p) {
		const struct property *known = property_of(one->string);
		if (known && known != properties && !(known->what & SECRET) && cJSON_IsString(one))
			name = sk_printf(a, "%s %s=%s", name, one->string, one->valuestring);
	}
	if (a->failed)
		*why = "memory is out";
	return a->failed ? NULL : name;
}
