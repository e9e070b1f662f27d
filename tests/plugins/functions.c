/* functions.c -- a plugin for tests that answers the event InvokeFunction as a runner of functions would: `double` doubles a number, `slow` takes half
 * a second for it, `tell` publishes what it was asked to `told`, `fails` fails, anything else does not exist. Rules ask it through aws_lambda() and actions. */
#include <string.h>
#include <unistd.h>

#include "core/plugin.h"

static cJSON *take_time(struct sk_arena *a, const cJSON *in, void *state)
{
	(void)in, (void)state;
	usleep(500000);
	return sk_json_bool(a, true);
}

static int invoke(struct sk_call *c)
{
	const char *name = sk_json_text(c->in, "functionName");
	const cJSON *payload = sk_json_get(c->in, "payload");

	if (name && !strcmp(name, "fails"))
		return sk_fail(c, SK_E_INTERNAL, "it failed");
	if (name && !strcmp(name, "tell")) {
		sk_publish(c, SK_QOS1, c->in, "told");
		return SK_OK;
	}
	if (!name || (strcmp(name, "double") && strcmp(name, "slow")))
		return sk_fail(c, SK_E_NOT_FOUND, "there is no function %s", name ? name : "");
	if (!strcmp(name, "slow"))
		sk_await(c, take_time, c->in);
	if (cJSON_IsNumber(payload))
		sk_json_set_number(c->arena, c->out, "payload", 2 * payload->valuedouble);
	return SK_OK;
}

static const struct sk_on on[] = { { "InvokeFunction", invoke, "function/{functionName}" }, { 0 } };

SKEETER_PLUGIN(.name = "functions", .prose = "two functions, for tests", .on = on)
