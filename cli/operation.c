/* operation.c -- `skeeter create-thing --thing-name kitchen`: any operation of any loaded plugin.
 *
 * Names, flags, help and "did you mean" all come from the broker's own tables (ListOperations), so this file knows no
 * operation; flags become inputs through value.c and the service validates them. */
#include <stdio.h>
#include <string.h>

#include "cli/cli.h"
#include "cli/value.h"
#include "cli/words.h"
#include "core/closest.h"

struct command {
	struct cli *cli;
	const cJSON *operation; /* row of ListOperations */
	cJSON *in;
	int rc;
};

static const char *flag_of(struct cli *cli, const cJSON *input)
{
	return sk_printf(&cli->arena, "--%s", words_kebab(&cli->arena, sk_json_text(input, "name")));
}

static bool has_kind(const cJSON *input, const char *kind)
{
	const char *of = sk_json_text(input, "kind");
	return of && strcmp(of, kind) == 0;
}

/* `flag` is without its dashes; *negated is set when it is --no- of a boolean. */
static const cJSON *find_input(const cJSON *operation, const char *flag, bool *negated)
{
	*negated = false;
	SK_JSON_EACH(input, sk_json_get(operation, "inputs"))
		if (words_same(flag, sk_json_text(input, "name")))
			return input;
	SK_JSON_EACH(input, sk_json_get(operation, "inputs"))
		if (strncmp(flag, "no-", 3) == 0 && has_kind(input, "boolean") && words_same(flag + 3, sk_json_text(input, "name"))) {
			*negated = true;
			return input;
		}
	return NULL;
}

static int unknown_flag(struct command *c, const char *flag)
{
	struct sk_arena *a = &c->cli->arena;
	const cJSON *inputs = sk_json_get(c->operation, "inputs");
	const char **names = sk_alloc(a, sizeof(*names) * ((size_t)sk_json_count(inputs) + 2));
	size_t n = 0;
	SK_JSON_EACH(input, inputs)
		if (names)
			names[n++] = words_kebab(a, sk_json_text(input, "name"));
	if (names)
		names[n++] = "cli-input-json";
	const char *near = sk_closest(flag, names, n, sizeof(*names));
	if (near)
		return cli_fail(CLI_USAGE, "Unknown options: --%s, did you mean --%s?", flag, near);
	return cli_fail(CLI_USAGE, "Unknown options: --%s", flag);
}

/* All inputs at once; flags given as well win. */
static int take_input_json(struct command *c, char **argv, int n)
{
	struct value_error e;
	if (n != 1)
		return cli_fail(CLI_USAGE, "--cli-input-json expects one argument: JSON or file://PATH");
	cJSON *all = value_json(&c->cli->arena, argv[0], &e);
	if (!all)
		return cli_fail(CLI_USAGE, "--cli-input-json: %s", e.text);
	if (!cJSON_IsObject(all))
		return cli_fail(CLI_USAGE, "--cli-input-json: expected an object");
	SK_JSON_EACH(member, all)
		if (!sk_json_get(c->in, member->string))
			sk_json_set(&c->cli->arena, c->in, member->string, sk_json_copy(&c->cli->arena, member));
	return CLI_OK;
}

/* A flag seen twice adds to its list. */
static int put_value(struct command *c, const cJSON *input, cJSON *value)
{
	const char *name = sk_json_text(input, "name");
	cJSON *before = sk_json_get(c->in, name);
	if (!before || !cJSON_IsArray(before) || !has_kind(input, "list")) {
		sk_json_set(&c->cli->arena, c->in, name, value);
		return CLI_OK;
	}
	for (cJSON *one; (one = value->child);) {
		sk_json_detach(value, one);
		sk_json_append(before, one);
	}
	return CLI_OK;
}

static int take_flag(struct command *c, const char *flag, char **argv, int n)
{
	struct sk_arena *a = &c->cli->arena;
	struct value_error e;
	bool negated;
	const cJSON *input = find_input(c->operation, flag, &negated);
	if (!input)
		return unknown_flag(c, flag);
	if (has_kind(input, "boolean") && n == 0)
		return put_value(c, input, sk_json_bool(a, !negated));
	if (negated || n == 0)
		return cli_fail(CLI_USAGE, "--%s: expected %s", flag, negated ? "no argument" : "one argument");
	cJSON *value = value_of(a, input, argv, n, &e);
	if (!value)
		return cli_fail(CLI_USAGE, "--%s: %s", flag, e.text);
	return put_value(c, input, value);
}

/* Splits "--flag=value" in place; a flag's values are the arguments up to the next flag. */
static int take_arguments(struct command *c, int argc, char **argv, bool input_json)
{
	for (int i = 0; i < argc;) {
		char *flag = argv[i], *equals, **values = &argv[++i];
		int n = 0;
		if (strncmp(flag, "--", 2) != 0 || !flag[2])
			return cli_fail(CLI_USAGE, "Unknown options: %s", flag);
		flag = sk_strdup(&c->cli->arena, flag + 2);
		equals = flag ? strchr(flag, '=') : NULL;
		if (!flag)
			return cli_fail(CLI_FAILED, "out of memory");
		if (equals) {
			*equals = 0;
			values = &equals;
			equals++;
			n = 1;
		}
		while (!equals && i < argc && strncmp(argv[i], "--", 2) != 0)
			i++, n++;
		bool is_json = words_same(flag, "cli-input-json");
		if (is_json != input_json)
			continue;
		int rc = is_json ? take_input_json(c, values, n) : take_flag(c, flag, values, n);
		if (rc != CLI_OK)
			return rc;
	}
	return CLI_OK;
}

static int check_required(struct command *c)
{
	const char *missing = NULL;
	SK_JSON_EACH(input, sk_json_get(c->operation, "inputs")) {
		if (!sk_json_true(input, "required") || sk_json_get(c->in, sk_json_text(input, "name")))
			continue;
		const char *flag = flag_of(c->cli, input);
		missing = missing ? sk_printf(&c->cli->arena, "%s, %s", missing, flag) : flag;
	}
	if (!missing)
		return CLI_OK;
	return cli_fail(CLI_USAGE, "the following arguments are required: %s", missing);
}

/* Prints what the user may have meant; CLI_USAGE. */
static int unknown_verb(struct cli *cli, const cJSON *operations, const char *verb)
{
	size_t n = 0, most = (size_t)sk_json_count(operations) + 64;
	const char **names = sk_alloc(&cli->arena, sizeof(*names) * most);
	for (const struct cli_verb *v = cli_verbs; names && v->name; v++)
		names[n++] = v->name;
	SK_JSON_EACH(operation, operations)
		if (names && n < most)
			names[n++] = words_kebab(&cli->arena, sk_json_text(operation, "name"));
	const char *near = sk_closest(verb, names, n, sizeof(*names));
	if (near)
		return cli_fail(CLI_USAGE, "'%s' is no command: did you mean %s? (%s help lists all)", verb, near, cli->program);
	return cli_fail(CLI_USAGE, "'%s' is no command: %s help lists all", verb, cli->program);
}

/* "create-thing", or "iot:create-thing" where several services have it. */
static bool is_named(const cJSON *operation, const char *verb)
{
	const char *service = sk_json_text(operation, "service");
	size_t n = service ? strlen(service) : 0;
	if (n && !strncmp(verb, service, n) && verb[n] == ':')
		verb += n + 1;
	return words_same(verb, sk_json_text(operation, "name"));
}

static int find_operation(struct cli *cli, const char *verb, const cJSON **found)
{
	const cJSON *operations = NULL;
	int rc = cli_table(cli, &operations);
	if (rc != CLI_OK)
		return rc;
	SK_JSON_EACH(operation, operations)
		if (is_named(operation, verb)) {
			*found = operation;
			return CLI_OK;
		}
	return unknown_verb(cli, operations, verb);
}

int cli_operation(struct cli *cli, const char *verb, int argc, char **argv)
{
	struct command c = { .cli = cli, .in = sk_json_object(&cli->arena) };
	const cJSON *data = NULL;
	int rc = find_operation(cli, verb, &c.operation);
	if (rc == CLI_OK)
		rc = take_arguments(&c, argc, argv, false);
	if (rc == CLI_OK)
		rc = take_arguments(&c, argc, argv, true);
	if (rc == CLI_OK)
		rc = check_required(&c);
	if (rc == CLI_OK)
		rc = cli_call(cli, sk_printf(&cli->arena, "%s:%s", sk_json_text(c.operation, "service"), sk_json_text(c.operation, "name")), c.in, &data);
	if (rc == CLI_OK && sk_json_count(data) > 0)
		rc = cli_print(cli, data);
	return rc;
}

static void print_flag(struct cli *cli, const cJSON *input)
{
	const char *flag = flag_of(cli, input), *kind = sk_json_text(input, "kind");
	const char *left = flag;
	if (has_kind(input, "boolean"))
		left = sk_printf(&cli->arena, "%s | --no-%s", flag, flag + 2);
	else if (kind)
		left = sk_printf(&cli->arena, "%s <%s>", flag, kind);
	printf("  %-46s%s%s%s\n", left, sk_json_true(input, "required") ? "required, " : "", sk_json_text(input, "type"),
	       cli_choices(cli, input));
}

int cli_operation_help(struct cli *cli, const char *verb)
{
	const cJSON *operation = NULL;
	int rc = find_operation(cli, verb, &operation);
	if (rc != CLI_OK)
		return rc;
	const char *name = sk_json_text(operation, "name"), *prose = sk_json_text(operation, "prose");
	printf("usage: %s %s [flags]\n\n%s of %s, served by skeeter_%s%s%s\n\n", cli->program, words_kebab(&cli->arena, name), name,
	       sk_json_text(operation, "service"), sk_json_text(operation, "plugin"), prose && *prose ? "\n" : "", prose ? prose : "");
	SK_JSON_EACH(input, sk_json_get(operation, "inputs"))
		print_flag(cli, input);
	printf("  %-46s%s\n", "--cli-input-json <JSON>", "all inputs as one object; flags win over it");
	printf("\nA value is text, JSON, AWS's shorthand (key=value,list=[a,b],map={k=v}) or file://PATH. A list takes several\n"
	       "values after its flag. The answer is JSON on standard output, nothing when it is empty.\n");
	return CLI_OK;
}
