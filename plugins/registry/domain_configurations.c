/* domain_configurations.c -- domain configurations: kept and answered. What a listener really does stands in mosquitto.conf.
 *
 * registry/domain-configuration/<name> is {suffix, domainName?, serverCertificateArns?, serviceType, domainConfigurationStatus,
 * lastStatusChangeDate (ms), tags?} and the settings as they came. AWS's own three are there without a record. */
#include <string.h>

#include "core/plugin.h"
#include "plugins/registry/registry.h"
#include "plugins/registry/tags.h"

#define OPS_FILE "plugins/registry/domain_configurations.ops"
#define OPS_GROUP domain_configurations
#define OPS_SERVICE "iot"
#include "core/ops_table.h"

enum { CONFIGURATIONS_MAX = 10, SUFFIX_SIZE = 5 };

static const struct { const char *name, *service; } reserved[] = {
	{ "iot:Data-ATS", "DATA" }, { "iot:Jobs", "JOBS" }, { "iot:CredentialProvider", "CREDENTIAL_PROVIDER" }, { 0 }
};

/* What is answered as it was given. */
static const char *const settings[] = { "authorizerConfig", "tlsConfig", "serverCertificateConfig", "authenticationType", "applicationProtocol",
	                                "clientCertificateConfig", NULL };

static const char *reserved_service(const char *name)
{
	for (size_t i = 0; reserved[i].name; i++)
		if (!strcmp(reserved[i].name, name))
			return reserved[i].service;
	return NULL;
}

static void take_settings(struct sk_call *c, cJSON *to, const cJSON *from)
{
	for (size_t i = 0; settings[i]; i++)
		if (sk_json_get(from, settings[i]))
			sk_json_set(c->arena, to, settings[i], sk_json_copy(c->arena, sk_json_get(from, settings[i])));
}

/* An ARN of one that is not AWS's own ends with five characters that no other one of that name had. */
static const char *arn_of(struct sk_call *c, const char *name, const cJSON *record)
{
	const char *suffix = sk_json_text(record, "suffix");

	return suffix ? sk_arn(c, "domainconfiguration/%s/%s", name, suffix) : sk_arn(c, "domainconfiguration/%s", name);
}

static void answer_named(struct sk_call *c, cJSON *out, const char *name, const cJSON *record)
{
	sk_json_set_string(c->arena, out, "domainConfigurationName", name);
	sk_json_set_string(c->arena, out, "domainConfigurationArn", arn_of(c, name, record));
}

static int fail_absent(struct sk_call *c, const char *name)
{
	return sk_fail(c, SK_E_NOT_FOUND, "Domain configuration %s cannot be found.", name);
}

static int fail_exists(struct sk_call *c, const char *name, const cJSON *record)
{
	int rc = sk_fail(c, SK_E_ALREADY_EXISTS, "Domain configuration %s already exists", name);

	c->error_fields = sk_json_object(c->arena);
	sk_json_set_string(c->arena, c->error_fields, "resourceId", name);
	sk_json_set_string(c->arena, c->error_fields, "resourceArn", arn_of(c, name, record));
	return rc;
}

static int check_new(struct sk_call *c, const char *name)
{
	const cJSON *there = sk_get(c, "registry/domain-configuration/%s", name);
	size_t count = sk_scan(c, CONFIGURATIONS_MAX, NULL, "registry/domain-configuration/").count;
	bool own = sk_json_text(c->in, "domainName") != NULL;
	int rc = tags_check(c);

	if (rc)
		return rc;
	if (there)
		return fail_exists(c, name, there);
	if (own && !sk_json_count(sk_json_get(c->in, "serverCertificateArns")))
		return sk_fail(c, SK_E_INVALID_REQUEST, "A domainName needs the ARN of its server certificate");
	if (count >= CONFIGURATIONS_MAX)
		return sk_fail(c, SK_E_LIMIT_EXCEEDED, "An account has at most %d domain configurations", CONFIGURATIONS_MAX);
	return SK_OK;
}

static int CreateDomainConfiguration(struct sk_call *c)
{
	const char *name = sk_json_text(c->in, "domainConfigurationName"), *service = sk_json_text(c->in, "serviceType");
	const cJSON *certificates = sk_json_get(c->in, "serverCertificateArns");
	int rc = check_new(c, name);
	cJSON *record = sk_json_object(c->arena);

	if (rc)
		return rc;
	sk_json_set_string(c->arena, record, "suffix", sk_strndup(c->arena, sk_uuid(c), SUFFIX_SIZE));
	sk_json_set_string(c->arena, record, "domainName", sk_json_text(c->in, "domainName"));
	if (certificates)
		sk_json_set(c->arena, record, "serverCertificateArns", sk_json_copy(c->arena, certificates));
	sk_json_set_string(c->arena, record, "serviceType", service ? service : "DATA");
	sk_json_set_string(c->arena, record, "domainConfigurationStatus", "ENABLED");
	sk_json_set_int(c->arena, record, "lastStatusChangeDate", c->now_ms);
	take_settings(c, record, c->in);
	tags_store(c, record);
	sk_put(c, record, "registry/domain-configuration/%s", name);
	answer_named(c, c->out, name, record);
	return SK_OK;
}

static void answer_certificates(struct sk_call *c, const cJSON *arns)
{
	cJSON *list = sk_json_set_array(c->arena, c->out, "serverCertificates");

	SK_JSON_EACH(arn, arns) {
		cJSON *one = sk_json_append(list, sk_json_object(c->arena));
		sk_json_set_string(c->arena, one, "serverCertificateArn", arn->valuestring);
		sk_json_set_string(c->arena, one, "serverCertificateStatus", "VALID");
	}
}

/* AWS's own: the endpoint that DescribeEndpoint answers. */
static int describe_reserved(struct sk_call *c, const char *name, const char *service, const cJSON *record)
{
	const struct registry_state *s = c->state;
	const char *status = sk_json_text(record, "domainConfigurationStatus");

	answer_named(c, c->out, name, NULL);
	sk_json_set_string(c->arena, c->out, "domainName", s->endpoint && *s->endpoint ? s->endpoint : s->host);
	sk_json_set_array(c->arena, c->out, "serverCertificates");
	sk_json_set_string(c->arena, c->out, "domainConfigurationStatus", status ? status : "ENABLED");
	sk_json_set_string(c->arena, c->out, "serviceType", service);
	sk_json_set_string(c->arena, c->out, "domainType", "ENDPOINT");
	take_settings(c, c->out, record);
	return SK_OK;
}

static int DescribeDomainConfiguration(struct sk_call *c)
{
	static const char *const copied[] = { "domainName", "domainConfigurationStatus", "serviceType" };
	const char *name = sk_json_text(c->in, "domainConfigurationName"), *service = reserved_service(name);
	const cJSON *record = sk_get(c, "registry/domain-configuration/%s", name);

	if (service)
		return describe_reserved(c, name, service, record);
	if (!record)
		return fail_absent(c, name);
	answer_named(c, c->out, name, record);
	for (size_t i = 0; i < sizeof(copied) / sizeof(*copied); i++)
		sk_json_set_string(c->arena, c->out, copied[i], sk_json_text(record, copied[i]));
	answer_certificates(c, sk_json_get(record, "serverCertificateArns"));
	sk_json_set_string(c->arena, c->out, "domainType", sk_json_text(record, "domainName") ? "CUSTOMER_MANAGED" : "AWS_MANAGED");
	sk_json_set(c->arena, c->out, "lastStatusChangeDate", sk_json_time(c->arena, sk_json_int_of(record, "lastStatusChangeDate", 0)));
	take_settings(c, c->out, record);
	return SK_OK;
}

static int UpdateDomainConfiguration(struct sk_call *c)
{
	const char *name = sk_json_text(c->in, "domainConfigurationName"), *status = sk_json_text(c->in, "domainConfigurationStatus");
	const cJSON *old = sk_get(c, "registry/domain-configuration/%s", name);
	const char *was = sk_json_text(old, "domainConfigurationStatus");
	cJSON *record = old ? sk_json_copy(c->arena, old) : sk_json_object(c->arena);

	if (!old && !reserved_service(name))
		return fail_absent(c, name);
	if (sk_json_true(c->in, "removeAuthorizerConfig") && sk_json_get(c->in, "authorizerConfig"))
		return sk_fail(c, SK_E_INVALID_REQUEST, "removeAuthorizerConfig and authorizerConfig exclude each other");
	if (sk_json_true(c->in, "removeAuthorizerConfig"))
		sk_json_remove(record, "authorizerConfig");
	if (status && (!was || strcmp(status, was))) {
		sk_json_set_string(c->arena, record, "domainConfigurationStatus", status);
		sk_json_set_int(c->arena, record, "lastStatusChangeDate", c->now_ms);
	}
	take_settings(c, record, c->in);
	sk_put(c, record, "registry/domain-configuration/%s", name);
	answer_named(c, c->out, name, record);
	return SK_OK;
}

/* "Deletes the specified domain configuration": AWS wants it disabled before. */
static int DeleteDomainConfiguration(struct sk_call *c)
{
	const char *name = sk_json_text(c->in, "domainConfigurationName");
	const cJSON *record = sk_get(c, "registry/domain-configuration/%s", name);
	const char *status = sk_json_text(record, "domainConfigurationStatus");

	if (!record)
		return fail_absent(c, name);
	if (!status || strcmp(status, "DISABLED"))
		return sk_fail(c, SK_E_INVALID_REQUEST, "Domain configuration %s must be disabled before it can be deleted", name);
	sk_remove(c, "registry/domain-configuration/%s", name);
	return SK_OK;
}

/* A page is what the scan gives, thinned out by the service type. */
static int ListDomainConfigurations(struct sk_call *c)
{
	const char *wanted = sk_json_text(c->in, "serviceType");
	int rc;
	struct sk_scan page = sk_scan_page(c, &rc, "registry/domain-configuration/");
	cJSON *list;

	if (rc)
		return rc;
	list = sk_json_set_array(c->arena, c->out, "domainConfigurations");
	for (size_t i = 0; i < page.count; i++) {
		const char *service = reserved_service(page.row[i].name);
		service = service ? service : sk_json_text(page.row[i].document, "serviceType");
		if (wanted && (!service || strcmp(wanted, service)))
			continue;
		cJSON *one = sk_json_append(list, sk_json_object(c->arena));
		answer_named(c, one, page.row[i].name, page.row[i].document);
		sk_json_set_string(c->arena, one, "serviceType", service);
	}
	return SK_OK;
}
