/* demo_register.c -- `skeeter demo register`: things, certificates and policies of the three devices, and a rule in SQL.
 *
 * May be run any number of times: what is there stays as it is, except that a device that `demo forbid` left forbidden is
 * allowed again. One policy serves all three, since it names the thing that connects instead of a device. */
#include <stdio.h>
#include <string.h>

#include "cli/demo.h"
#include "cli/value.h"

#define POLICY "demo-device"
#define THING "${iot:Connection.Thing.ThingName}"

/* %1$s is "arn:aws:iot:REGION:ACCOUNT". The least that the simulated devices need, and nothing of each other's. */
static const char policy_document[] =
	"{\"Version\":\"2012-10-17\",\"Statement\":["
	"{\"Effect\":\"Allow\",\"Action\":\"iot:Connect\",\"Resource\":\"%1$s:client/" THING "\"},"
	"{\"Effect\":\"Allow\",\"Action\":\"iot:Publish\",\"Resource\":[\"%1$s:topic/$aws/things/" THING "/shadow/get\","
	"\"%1$s:topic/$aws/things/" THING "/shadow/update\",\"%1$s:topic/devices/" THING "/*\"]},"
	"{\"Effect\":\"Allow\",\"Action\":\"iot:Subscribe\",\"Resource\":\"%1$s:topicfilter/$aws/things/" THING "/shadow/*\"},"
	"{\"Effect\":\"Allow\",\"Action\":\"iot:Receive\",\"Resource\":\"%1$s:topic/$aws/things/" THING "/shadow/*\"}]}";

static const char rule[] =
	"{\"ruleName\":\"too_hot\",\"topicRulePayload\":{\"description\":\"more than 30 degrees\",\"awsIotSqlVersion\":\"2016-03-23\","
	"\"sql\":\"SELECT state.reported.temperature AS degrees, timestamp() AS at FROM '$aws/things/+/shadow/update/accepted' "
	"WHERE state.reported.temperature > 30\",\"actions\":[{\"republish\":{\"roleArn\":\"arn:aws:iam::123456789012:role/demo\","
	"\"topic\":\"alarms/${topic(3)}\"}}]}}";

static cJSON *input(struct cli *cli, const char *key, const char *value)
{
	cJSON *in = sk_json_object(&cli->arena);
	sk_json_set_string(&cli->arena, in, key, value);
	return in;
}

static int register_certificate(struct cli *cli, const char *path, const char **arn)
{
	struct value_error e;
	const cJSON *data = NULL;
	const char *pem = value_text(&cli->arena, sk_printf(&cli->arena, "file://%s", path), &e);
	if (!pem)
		return cli_fail(CLI_FAILED, "%s", e.text);
	cJSON *in = input(cli, "certificatePem", pem);
	sk_json_set_string(&cli->arena, in, "status", "ACTIVE");
	int rc = cli_call(cli, "RegisterCertificateWithoutCA", in, &data);
	*arn = sk_json_text(data, "certificateArn");
	return rc;
}

static int find_certificate(struct cli *cli, const char *device, const char **arn)
{
	const char *path = sk_printf(&cli->arena, "%s/devices/%s.crt", cli_run_folder(cli), device);
	const char *id = cli_certificate_id(cli, path);
	if (!id)
		return cli_fail(CLI_FAILED, "%s is no certificate: make run makes it", path);
	const cJSON *response =
		control_call(cli->control, &cli->arena, "DescribeCertificate", input(cli, "certificateId", id));
	const char *code = sk_json_text(response, "code");
	if (code && strcmp(code, "ResourceNotFoundException") == 0)
		return register_certificate(cli, path, arn);
	*arn = sk_json_text(sk_json_get(sk_json_get(response, "data"), "certificateDescription"), "certificateArn");
	return cli_report(cli, "DescribeCertificate", response);
}

/* `thing_arn` tells the region and the account. */
static int create_policy(struct cli *cli, const char *thing_arn)
{
	const cJSON *data = NULL;
	const char *end = thing_arn ? strstr(thing_arn, ":thing/") : NULL;
	const char *arn = end ? sk_strndup(&cli->arena, thing_arn, (size_t)(end - thing_arn)) : "arn:aws:iot:*:*";
	cJSON *in = input(cli, "policyName", POLICY);
	sk_json_set_string(&cli->arena, in, "policyDocument", sk_printf(&cli->arena, policy_document, arn));
	return demo_create(cli, "CreatePolicy", in, &data);
}

static int attach(struct cli *cli, const char *device, const char *certificate)
{
	const cJSON *data = NULL;
	cJSON *policy = input(cli, "policyName", POLICY), *thing = input(cli, "thingName", device);
	sk_json_set_string(&cli->arena, policy, "target", certificate);
	sk_json_set_string(&cli->arena, thing, "principal", certificate);
	int rc = cli_call(cli, "AttachPolicy", policy, &data);
	if (rc == CLI_OK)
		rc = cli_call(cli, "AttachThingPrincipal", thing, &data);
	return rc;
}

/* It is fine when there is nothing to undo. */
static void undo_forbid(struct cli *cli, const char *certificate)
{
	cJSON *in = input(cli, "policyName", DEMO_FORBID);
	sk_json_set_string(&cli->arena, in, "target", certificate);
	control_call(cli->control, &cli->arena, "DetachPolicy", in);
}

static int register_device(struct cli *cli, const char *device)
{
	const cJSON *thing = NULL;
	const char *certificate = NULL;
	int rc = demo_create(cli, "CreateThing", input(cli, "thingName", device), &thing);
	if (rc == CLI_OK)
		rc = create_policy(cli, sk_json_text(thing, "thingArn"));
	if (rc == CLI_OK)
		rc = find_certificate(cli, device, &certificate);
	if (rc == CLI_OK)
		rc = attach(cli, device, certificate);
	if (rc == CLI_OK)
		undo_forbid(cli, certificate);
	return rc;
}

int demo_register(struct cli *cli, const char *device)
{
	int rc = CLI_OK;
	(void)device;
	for (size_t i = 0; rc == CLI_OK && demo_devices[i]; i++)
		rc = register_device(cli, demo_devices[i]);
	const cJSON *made = NULL;
	if (rc == CLI_OK)
		rc = demo_create(cli, "CreateTopicRule", sk_json_parse(&cli->arena, rule, strlen(rule), NULL, NULL), &made);
	return rc;
}
