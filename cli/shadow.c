/* shadow.c -- see shadow.h. */
#include "cli/shadow.h"

#include <string.h>

/* The operation's payload is a document, or its text as AWS sends it. */
static const cJSON *document_of(struct cli *cli, const cJSON *data)
{
	const cJSON *payload = sk_json_get(data, "payload");
	if (cJSON_IsString(payload))
		return sk_json_parse(&cli->arena, payload->valuestring, strlen(payload->valuestring), NULL, NULL);
	return payload ? payload : data;
}

int cli_shadow_get(struct cli *cli, const char *thing, const char *shadow, const cJSON **document)
{
	struct sk_arena *a = &cli->arena;
	cJSON *in = sk_json_object(a);
	int rc = cli_connect(cli);
	*document = NULL;
	if (rc != CLI_OK)
		return rc;
	sk_json_set_string(a, in, "thingName", thing);
	sk_json_set_string(a, in, "shadowName", shadow);
	const cJSON *response = control_call(cli->control, a, "GetThingShadow", in);
	const char *code = sk_json_text(response, "code");
	if (code && strcmp(code, "ResourceNotFoundException") == 0)
		return CLI_OK;
	rc = cli_report(cli, "GetThingShadow", response);
	if (rc == CLI_OK)
		*document = document_of(cli, sk_json_get(response, "data"));
	return rc;
}

int cli_shadow_update(struct cli *cli, const char *thing, cJSON *state, const cJSON **document)
{
	struct sk_arena *a = &cli->arena;
	cJSON *in = sk_json_object(a);
	const cJSON *data = NULL;
	sk_json_set_string(a, in, "thingName", thing);
	sk_json_set(a, sk_json_set_object(a, in, "payload"), "state", state);
	int rc = cli_call(cli, "UpdateThingShadow", in, &data);
	*document = document_of(cli, data);
	return rc;
}

static const char *join(struct sk_arena *a, const char *line, const char *next)
{
	return line && *line ? sk_printf(a, "%s, %s", line, next) : next;
}

const char *cli_shadow_line(struct sk_arena *a, const cJSON *reported, const cJSON *desired)
{
	const char *line = "";
	SK_JSON_EACH(is, reported) {
		const cJSON *wish = sk_json_get(desired, is->string);
		const char *value = sk_json_print(a, is, NULL);
		if (wish && !sk_json_equal(wish, is))
			line = join(a, line, sk_printf(a, "%s=%s -> %s", is->string, value, sk_json_print(a, wish, NULL)));
		else
			line = join(a, line, sk_printf(a, "%s=%s", is->string, value));
	}
	SK_JSON_EACH(wish, desired)
		if (!sk_json_get(reported, wish->string))
			line = join(a, line, sk_printf(a, "%s -> %s", wish->string, sk_json_print(a, wish, NULL)));
	return line;
}
