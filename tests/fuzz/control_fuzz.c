/* control_fuzz.c -- $CONTROL envelopes against the plugins' real operations, over the simulated runtime and store.
 *
 * Input: an envelope as it is when it begins with '{'; else lines "Operation members", each one command. Every envelope has one answer,
 * with one response for each command in order: its name, its correlationData, and either data or an error of core/errors.tbl with
 * that error's status, never InternalFailure. At the end a list, read page by page, is the list read at once. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "plugins/auth/auth.h"
#include "plugins/registry/registry.h"
#include "plugins/rules/files.h"
#include "plugins/rules/rules.h"
#include "plugins/rules/statistics.h"
#include "plugins/shadow/shadows.h"
#include "tests/unit/sim_host.h"
#include "tests/fuzz/expect.h"

#define SHAPES_FILE "plugins/registry/registry.shapes"
#define SHAPES_NAME registry_shapes
#include "core/shape_table.h"
#undef SHAPES_FILE
#undef SHAPES_NAME
#define SHAPES_FILE "plugins/auth/auth.shapes"
#define SHAPES_NAME auth_shapes
#include "core/shape_table.h"
#undef SHAPES_FILE
#undef SHAPES_NAME
#define SHAPES_FILE "plugins/shadow/shadow.shapes"
#define SHAPES_NAME shadow_shapes
#include "core/shape_table.h"
#undef SHAPES_FILE
#undef SHAPES_NAME
#define SHAPES_FILE "plugins/rules/rules.shapes"
#define SHAPES_NAME rules_shapes
#include "core/shape_table.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const struct sk_op_group *const registry_groups[] = {
	&things_group, &thing_types_group, &thing_groups_group, &billing_groups_group, &group_members_group, &tags_group, &events_group,
	&logging_group, &endpoint_group, NULL,
};
static const struct sk_op_group *const auth_groups[] = {
	&certificates_group, &ca_certificates_group, &policies_group, &policy_versions_group, &attachments_group, &principals_group,
	&authorization_group, &explain_group, NULL,
};
static const struct sk_op_group *const shadow_groups[] = { &shadows_group, NULL };
static const struct sk_op_group *const rules_groups[] = { &topic_rules_group, &dry_run_group, &observed_group, NULL };

/* No rule is in force, and none is made by a file. */
bool rules_files_get(void *state, const char *name, struct sk_arena *a, cJSON **rule)
{
	(void)state, (void)name, (void)a, (void)rule;
	return false;
}
void rules_files_list(void *state, struct sk_arena *a, void (*fn)(void *ctx, const char *name, const cJSON *item), void *ctx)
{
	(void)state, (void)a, (void)fn, (void)ctx;
}
void rules_statistics_each(void *state, void (*fn)(void *ctx, const struct rules_statistics *s), void *ctx)
{
	(void)state, (void)fn, (void)ctx;
}
bool rules_trace_read(void *state, const char *rule, uint64_t after, struct sk_arena *a, cJSON *out)
{
	(void)state, (void)rule, (void)after, (void)a, (void)out;
	return false;
}

static const struct sk_plugin plugins[] = {
	{ .name = "registry", .operations = registry_groups, .shapes = registry_shapes },
	{ .name = "auth", .operations = auth_groups, .shapes = auth_shapes, .on = auth_on },
	{ .name = "shadow", .operations = shadow_groups, .shapes = shadow_shapes },
	{ .name = "rules", .operations = rules_groups, .shapes = rules_shapes },
};
static const struct sk_tagged *tagged_at(size_t i)
{
	static const struct sk_tagged tagged[] = { { "thinggroup", "registry/group/" }, { "policy", "registry/policy/" }, { "rule", "registry/rule/" } };

	return i < sizeof(tagged) / sizeof(*tagged) ? &tagged[i] : NULL;
}
static struct registry_state registry = { .host = "here", .account = "123456789012", .tagged = tagged_at };
static struct auth auth = { .arn = "arn:aws:iot:us-east-1:123456789012:", .policy_size = 2048 };
static struct rules_state rules = { .most_rules = 20, .account = "123456789012" };
static struct shadows_state shadows = { .version_memory = 1000, .in_force = { 8192, 6 } };

static char *answer;
static size_t answer_size;

static void keep_answer(void *ctx, const struct sk_outgoing *item)
{
	(void)ctx;
	if (item->kind != SK_OUT_REPLY)
		return;
	expect(!answer && !strcmp(item->topic, SK_CONTROL_TOPIC "/response") && item->qos == 1 && item->client == (void *)SIM_CLIENT);
	answer = malloc(item->payload_size + 1);
	memcpy(answer, item->payload, item->payload_size + 1);
	answer_size = item->payload_size;
}

/* The answer to an envelope, parsed. */
static const cJSON *ask(struct sim *s, struct sk_arena *a, const char *envelope, size_t n)
{
	const cJSON *tree;

	free(answer);
	answer = NULL;
	expect(!sim_control(s, envelope, n));
	sim_settle(s);
	expect(answer && answer_size);
	tree = sk_json_parse(a, answer, answer_size, NULL, NULL);
	expect(tree && sk_json_count(tree) == 1 && cJSON_IsArray(sk_json_get(tree, "responses")));
	return sk_json_get(tree, "responses");
}

static void check_error(const cJSON *response)
{
	const char *name = sk_json_text(response, "code"), *message = sk_json_text(response, "error");
	int error = name ? sk_error_by_name(name) : 0;

	expect(error && error != SK_E_INTERNAL && message && *message && !sk_json_get(response, "data"));
	expect(sk_json_int_of(response, "status", 0) == sk_error_info(error)->http);
}

static void check_response(const struct sim *s, const cJSON *command, const cJSON *response)
{
	const char *name = sk_json_text(command, "command"), *echo = sk_json_text(response, "command");
	const cJSON *mark = sk_json_get(command, "correlationData");

	expect(echo && !strcmp(echo, name ? name : "Unknown command"));
	expect(mark ? sk_json_equal(mark, sk_json_get(response, "correlationData")) : !sk_json_get(response, "correlationData"));
	if (!sk_json_get(response, "data"))
		check_error(response);
	else
		expect(name && sk_runtime_operation(s->rt, name) && cJSON_IsObject(sk_json_get(response, "data")) && !sk_json_get(response, "error"));
}

static void check(struct sim *s, struct sk_arena *a, const char *envelope, size_t n)
{
	const cJSON *tree = sk_json_parse(a, envelope, n, NULL, NULL), *commands = sk_json_get(tree, "commands");
	const cJSON *responses = ask(s, a, envelope, n), *response = responses->child;

	if (!commands || commands->type != cJSON_Array) {
		expect(sk_json_count(responses) == 1);
		check_response(s, NULL, response);
		return;
	}
	expect(sk_json_count(responses) == sk_json_count(commands));
	SK_JSON_EACH(command, commands) {
		check_response(s, command, response);
		response = response->next;
	}
}

/* -- lists: the pages of three together are the page of 250 -- */

static const struct list {
	const char *operation, *member;
	bool marks; /* pageSize and marker */
} lists[] = {
	{ "ListThings", "things", false }, { "ListThingTypes", "thingTypes", false }, { "ListThingGroups", "thingGroups", false },
	{ "ListBillingGroups", "billingGroups", false }, { "ListPolicies", "policies", true }, { "ListCertificates", "certificates", true },
	{ "ListCACertificates", "certificates", true }, { "ListV2LoggingLevels", "logTargetConfigurations", false },
	{ "ListTopicRules", "rules", false },
};

static const cJSON *page(struct sim *s, struct sk_arena *a, const struct list *l, const char *token, int size)
{
	cJSON *envelope = sk_json_object(a), *commands = sk_json_set_array(a, envelope, "commands"), *command = sk_json_object(a);
	const char *text;
	size_t n;

	sk_json_append(commands, command);
	sk_json_set_string(a, command, "command", l->operation);
	sk_json_set_int(a, command, l->marks ? "pageSize" : "maxResults", size);
	sk_json_set_string(a, command, l->marks ? "marker" : "nextToken", token);
	text = sk_json_print(a, envelope, &n);
	return sk_json_get(ask(s, a, text, n)->child, "data");
}

static void check_list(struct sim *s, struct sk_arena *a, const struct list *l)
{
	const cJSON *whole = page(s, a, l, NULL, 250), *all = sk_json_get(whole, l->member), *want = all ? all->child : NULL;
	const char *token = NULL;

	if (!whole) { /* logging was not set up */
		expect(strstr(answer, "NotConfiguredException"));
		return;
	}
	do {
		const cJSON *part = page(s, a, l, token, 3);
		int n = 0;
		expect(part);
		SK_JSON_EACH(one, sk_json_get(part, l->member)) {
			expect(want && sk_json_equal(one, want));
			want = want->next;
			n++;
		}
		token = sk_json_text(part, l->marks ? "nextMarker" : "nextToken");
		expect(n <= 3 && (!token || n));
	} while (token);
	expect(!want);
}

/* -- lines -- */

static void put(char **to, const char *text, size_t n)
{
	memcpy(*to, text, n);
	*to += n;
}

static char *commands_of(const char *text, size_t size, size_t *n)
{
	char *envelope = malloc(size * 24 + 64), *to = envelope;
	const char *end = text + size, *stop;

	put(&to, "{\"commands\":[", 13);
	for (const char *sep = ""; text < end; text = stop + 1, sep = ",") {
		stop = memchr(text, '\n', (size_t)(end - text));
		stop = stop ? stop : end;
		const char *blank = memchr(text, ' ', (size_t)(stop - text));
		put(&to, sep, strlen(sep));
		put(&to, "{\"command\":\"", 12);
		put(&to, text, (size_t)((blank ? blank : stop) - text));
		put(&to, "\"", 1);
		if (blank) {
			put(&to, ",", 1);
			put(&to, blank + 1, (size_t)(stop - blank) - 1);
		}
		put(&to, "}", 1);
	}
	put(&to, "]}", 2);
	*n = (size_t)(to - envelope);
	return envelope;
}

static struct sim *world(void)
{
	struct sim *s = sim_new(1, 1);
	char why[200];

	s->host.publish = keep_answer;
	expect(!sk_runtime_load(s->rt, &plugins[0], &registry, why, sizeof why) && !sk_runtime_load(s->rt, &plugins[1], &auth, why, sizeof why));
	expect(!sk_runtime_load(s->rt, &plugins[2], &shadows, why, sizeof why) && !sk_runtime_load(s->rt, &plugins[3], &rules, why, sizeof why));
	return s;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct sim *s;
	struct sk_arena a = { 0 };
	char *lines = NULL;
	size_t n = size;

	if (size > 4096)
		return 0;
	s = world();
	if (size && *data != '{')
		lines = commands_of((const char *)data, size, &n);
	check(s, &a, lines ? lines : (const char *)data, n);
	if (lines)
		check_list(s, &a, &lists[size % (sizeof lists / sizeof *lists)]);
	free(lines);
	sk_arena_free(&a);
	sim_free(&s);
	return 0;
}
