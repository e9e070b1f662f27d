/* new_device.c -- `skeeter new-device NAME`: a thing, its certificate and policy, the files that it needs, and how to use them.
 *
 * The key exists in its file only. The files are made before anything is asked of the broker, and are removed when nothing came of it:
 * what is there already is never overwritten. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cli/cli.h"
#include "cli/demo.h"
#include "cli/flags.h"
#include "cli/value.h"

#define POLICY "skeeter-device"
#define THING "${iot:Connection.Thing.ThingName}"

/* %1$s is "arn:aws:iot:REGION:ACCOUNT". Its own topics of the services, and devices/NAME/... for all else. */
static const char policy_document[] =
	"{\"Version\":\"2012-10-17\",\"Statement\":["
	"{\"Effect\":\"Allow\",\"Action\":\"iot:Connect\",\"Resource\":\"%1$s:client/" THING "\"},"
	"{\"Effect\":\"Allow\",\"Action\":[\"iot:Publish\",\"iot:Receive\"],\"Resource\":"
	"[\"%1$s:topic/$aws/things/" THING "/*\",\"%1$s:topic/devices/" THING "/*\"]},"
	"{\"Effect\":\"Allow\",\"Action\":\"iot:Subscribe\",\"Resource\":"
	"[\"%1$s:topicfilter/$aws/things/" THING "/*\",\"%1$s:topicfilter/devices/" THING "/*\"]}]}";

struct device {
	struct cli *cli;
	const char *name, *csr, *out, *policy, *ca, *endpoint, *port;
	const char *crt_path, *key_path, *ca_path;
	int crt, key;              /* open files; -1: none */
	const char *arn, *id;      /* of the certificate */
	const char *thing_arn;
};

static cJSON *input(struct device *d, const char *key, const char *value)
{
	cJSON *in = sk_json_object(&d->cli->arena);
	sk_json_set_string(&d->cli->arena, in, key, value);
	return in;
}

/* -- where -- */

static const char *first_line(struct cli *cli, const char *path)
{
	struct value_error e;
	const char *text = value_text(&cli->arena, sk_printf(&cli->arena, "file://%s", path), &e);
	return text ? sk_strndup(&cli->arena, text, strcspn(text, "\n")) : NULL;
}

/* The demo has a folder for its devices, its port in a file, and a certificate for localhost. */
static void fill_in(struct device *d)
{
	struct sk_arena *a = &d->cli->arena;
	const char *run = cli_run_folder(d->cli), *devices = sk_printf(a, "%s/devices", run);
	const char *port = first_line(d->cli, sk_printf(a, "%s/port", run));
	struct stat st;
	if (!d->out)
		d->out = stat(devices, &st) == 0 && S_ISDIR(st.st_mode) ? devices : ".";
	if (!d->ca)
		d->ca = sk_printf(a, "%s/ca.crt", run);
	if (!d->endpoint && port)
		d->endpoint = "localhost";
	if (!d->port)
		d->port = port ? port : "8883";
	const char *folder = strcmp(d->out, ".") == 0 ? "" : sk_printf(a, "%s/", d->out);
	d->crt_path = sk_printf(a, "%s%s.crt", folder, d->name);
	d->key_path = sk_printf(a, "%s%s.key", folder, d->name);
	d->ca_path = sk_printf(a, "%sca.crt", folder);
}

/* -- files -- */

static int make_file(int *fd, const char *path, mode_t mode)
{
	*fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, mode);
	if (*fd >= 0)
		return CLI_OK;
	if (errno == EEXIST)
		return cli_fail(CLI_FAILED, "%s is there already: remove it, or choose another folder with --out", path);
	return cli_fail(CLI_FAILED, "cannot make %s: %s", path, strerror(errno));
}

static int fill_file(int *fd, const char *path, const char *text)
{
	size_t n = text ? strlen(text) : 0;
	bool done = n && write(*fd, text, n) == (ssize_t)n && fsync(*fd) == 0;
	int error = errno;
	done = close(*fd) == 0 && done;
	*fd = -1;
	return done ? CLI_OK : cli_fail(CLI_FAILED, "cannot write %s: %s", path, strerror(error));
}

static int make_files(struct device *d)
{
	if (mkdir(d->out, 0777) != 0 && errno != EEXIST)
		return cli_fail(CLI_FAILED, "cannot make %s: %s", d->out, strerror(errno));
	int rc = make_file(&d->crt, d->crt_path, 0644);
	return rc == CLI_OK && !d->csr ? make_file(&d->key, d->key_path, 0600) : rc;
}

static void drop_file(int *fd, const char *path)
{
	if (*fd < 0)
		return;
	close(*fd);
	*fd = -1;
	unlink(path);
}

/* By the device's side, unless it is that very file or was put there before. */
static int copy_ca(struct device *d)
{
	struct value_error e;
	struct stat from, to;
	if (stat(d->ca, &from) != 0)
		return cli_fail(CLI_FAILED, "%s: %s: name the CA of the broker's listener with --ca FILE", d->ca, strerror(errno));
	if (stat(d->ca_path, &to) == 0 && from.st_ino == to.st_ino && from.st_dev == to.st_dev)
		return CLI_OK;
	const char *pem = value_text(&d->cli->arena, sk_printf(&d->cli->arena, "file://%s", d->ca), &e), *there = NULL;
	if (!pem || !strstr(pem, "-----BEGIN CERTIFICATE-----"))
		return cli_fail(CLI_FAILED, "%s is no certificate in PEM", d->ca);
	if (access(d->ca_path, F_OK) == 0)
		there = value_text(&d->cli->arena, sk_printf(&d->cli->arena, "file://%s", d->ca_path), &e);
	if (there && strcmp(there, pem) == 0)
		return CLI_OK;
	int fd = -1, rc = make_file(&fd, d->ca_path, 0644);
	return rc == CLI_OK ? fill_file(&fd, d->ca_path, pem) : rc;
}

/* -- records -- */

static int create_thing(struct device *d)
{
	const cJSON *thing = NULL;
	int rc = demo_create(d->cli, "CreateThing", input(d, "thingName", d->name), &thing);
	d->thing_arn = sk_json_text(thing, "thingArn");
	return rc;
}

static int create_certificate(struct device *d)
{
	struct value_error e;
	const cJSON *data = NULL;
	cJSON *in = sk_json_object(&d->cli->arena);
	sk_json_set_bool(&d->cli->arena, in, "setAsActive", true);
	const char *csr = d->csr ? value_text(&d->cli->arena, sk_printf(&d->cli->arena, "file://%s", d->csr), &e) : NULL;
	if (d->csr && !csr)
		return cli_fail(CLI_FAILED, "%s", e.text);
	sk_json_set_string(&d->cli->arena, in, "certificateSigningRequest", csr);
	int rc = cli_call(d->cli, csr ? "CreateCertificateFromCsr" : "CreateKeysAndCertificate", in, &data);
	if (rc != CLI_OK)
		return rc;
	d->arn = sk_json_text(data, "certificateArn");
	d->id = sk_json_text(data, "certificateId");
	rc = fill_file(&d->crt, d->crt_path, sk_json_text(data, "certificatePem"));
	if (rc == CLI_OK && !csr)
		rc = fill_file(&d->key, d->key_path, sk_json_text(sk_json_get(data, "keyPair"), "PrivateKey"));
	return rc;
}

static int create_policy(struct device *d)
{
	const cJSON *data = NULL;
	if (d->policy)
		return CLI_OK;
	d->policy = POLICY;
	const char *end = d->thing_arn ? strstr(d->thing_arn, ":thing/") : NULL;
	const char *arn = end ? sk_strndup(&d->cli->arena, d->thing_arn, (size_t)(end - d->thing_arn)) : "arn:aws:iot:*:*";
	cJSON *in = input(d, "policyName", POLICY);
	sk_json_set_string(&d->cli->arena, in, "policyDocument", sk_printf(&d->cli->arena, policy_document, arn));
	return demo_create(d->cli, "CreatePolicy", in, &data);
}

static int attach(struct device *d)
{
	const cJSON *data = NULL;
	cJSON *policy = input(d, "policyName", d->policy), *thing = input(d, "thingName", d->name);
	sk_json_set_string(&d->cli->arena, policy, "target", d->arn);
	sk_json_set_string(&d->cli->arena, thing, "principal", d->arn);
	int rc = cli_call(d->cli, "AttachPolicy", policy, &data);
	return rc == CLI_OK ? cli_call(d->cli, "AttachThingPrincipal", thing, &data) : rc;
}

static int find_endpoint(struct device *d)
{
	const cJSON *data = NULL;
	int rc = CLI_OK;
	if (!d->endpoint)
		rc = cli_call(d->cli, "DescribeEndpoint", NULL, &data);
	if (!d->endpoint)
		d->endpoint = sk_json_text(data, "endpointAddress");
	return rc;
}

static int make_records(struct device *d)
{
	int rc = cli_connect(d->cli);
	if (rc == CLI_OK)
		rc = find_endpoint(d);
	if (rc == CLI_OK)
		rc = create_thing(d);
	if (rc == CLI_OK)
		rc = create_policy(d);
	if (rc == CLI_OK)
		rc = create_certificate(d);
	return rc == CLI_OK ? attach(d) : rc;
}

/* -- what it says -- */

static void print_uses(const struct device *d)
{
	const char *key = d->csr ? "YOUR.key" : d->key_path;
	printf("%s: thing, certificate %.8s..., policy %s; %s%s%s and %s\n\nTry it:\n", d->name, d->id, d->policy, d->crt_path,
	       d->csr ? "" : ", ", d->csr ? "" : d->key_path, d->ca_path);
	printf("mosquitto_pub -h %s -p %s --cafile %s --cert %s --key %s -i %s -q 1 -t '$aws/things/%s/shadow/update' "
	       "-m '{\"state\":{\"reported\":{\"hello\":1}}}'\n", d->endpoint, d->port, d->ca_path, d->crt_path, key, d->name, d->name);
	printf("\nIn JavaScript (npm install aws-iot-device-sdk-v2):\n"
	       "const { iot, mqtt } = require('aws-iot-device-sdk-v2');\n"
	       "const config = iot.AwsIotMqttConnectionConfigBuilder.new_mtls_builder_from_path('%s', '%s')\n"
	       "  .with_certificate_authority_from_path(undefined, '%s')\n"
	       "  .with_client_id('%s').with_endpoint('%s').with_port(%s).build();\n", d->crt_path, key, d->ca_path, d->name, d->endpoint, d->port);
	printf("const connection = new mqtt.MqttClient().new_connection(config);\n"
	       "connection.connect()\n"
	       "  .then(() => connection.publish('$aws/things/%s/shadow/update',\n"
	       "    JSON.stringify({ state: { reported: { hello: 2 } } }), mqtt.QoS.AtLeastOnce))\n"
	       "  .then(() => connection.disconnect());\n", d->name);
}

static int make_device(struct device *d)
{
	fill_in(d);
	int rc = make_files(d);
	if (rc == CLI_OK)
		rc = copy_ca(d);
	if (rc == CLI_OK)
		rc = make_records(d);
	drop_file(&d->crt, d->crt_path);
	drop_file(&d->key, d->key_path);
	if (rc != CLI_OK)
		return d->id ? cli_fail(rc, "certificate %s was made: delete it, or go on by hand", d->id) : rc;
	print_uses(d);
	return CLI_OK;
}

int cli_new_device(struct cli *cli, int argc, char **argv)
{
	struct device d = { .cli = cli, .crt = -1, .key = -1 };
	const struct flag flags[] = {
		{ "csr", &d.csr, NULL, false }, { "out", &d.out, NULL, false }, { "policy", &d.policy, NULL, false }, { "ca", &d.ca, NULL, false },
		{ "endpoint", &d.endpoint, NULL, false }, { "port", &d.port, NULL, false }, { 0 }
	};
	char why[256];
	int left = 0;
	if (flags_take(flags, argc, argv, &left, why, sizeof(why)) != 0)
		return cli_fail(CLI_USAGE, "%s", why);
	if (left != 1)
		return cli_fail(CLI_USAGE, "usage: %s new-device NAME", cli->program);
	d.name = argv[0];
	if (!*d.name || d.name[strspn(d.name, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789:_-")] || strlen(d.name) > 128)
		return cli_fail(CLI_USAGE, "'%s' is no name for a thing: letters, digits, : _ -, at most 128", d.name);
	if (d.port && (strspn(d.port, "0123456789") != strlen(d.port) || atoi(d.port) < 1 || atoi(d.port) > 65535))
		return cli_fail(CLI_USAGE, "--port: expected 1 to 65535, got '%s'", d.port);
	return make_device(&d);
}
