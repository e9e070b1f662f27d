/* plugin.c -- skeeter_core.so: store, workers, timers, the $CONTROL/skeeter/v1 topic. Loaded first; the other plugins add to it. */
#include "core/core_options.h"
#include "core/secrets.h"
#include "plugins/core/core.h"

#define OPTION(type, field, init, values, prose) SK_OPTION(type, struct sk_core_options, field, init, values, prose)

static const struct sk_option options[] = {
	OPTION(SK_STR, data, "/var/lib/mosquitto/skeeter", NULL, "folder for everything that is kept; made with mode 0700"),
	OPTION(SK_STR, store, "skeeter.db", NULL, "the embedded store's file in that folder, or the URL of a Redis that several brokers may share: `redis://...`, docs/REDIS.md"),
	OPTION(SK_DURATION, store_wait, "30s", NULL, "how long the start waits for a Redis that does not answer yet"),
	OPTION(SK_CHOICE, durability, "full", "full relaxed", "`full`: what was accepted survives a power cut; `relaxed`: a power cut may cost the last moments, kill -9 nothing"),
	OPTION(SK_STR, account, "123456789012", NULL, "the AWS account id in ARNs"),
	OPTION(SK_STR, region, "us-east-1", NULL, "the AWS region in ARNs"),
	OPTION(SK_STR, operators, NULL, NULL, "who may use $CONTROL/skeeter/v1: certificate ids, user names that another plugin authenticated, paths of unix-socket listeners (these may do everything)"),
	OPTION(SK_INT, workers, "0", "0 16", "threads that run handlers; 0: by the number of cores"),
	OPTION(SK_SIZE, inbox, "8m", NULL, "most bytes that wait for one worker before device requests are refused"),
	OPTION(SK_SIZE, cache, "4m", NULL, "bytes of records kept in memory, over all workers"),
	OPTION(SK_INT, device_rate, "100", "0 1000000", "requests a second that one device may make of the services; 0: any"),
	OPTION(SK_INT, device_in_flight, "10", "0 100000", "unanswered requests that one device may have; 0: any"),
	OPTION(SK_DURATION, sys_interval, "10s", NULL, "how often the counters go to $SYS/skeeter/...; 0: never"),
	OPTION(SK_CHOICE, wake, "auto", "auto eventfd ping tick", "how workers wake the broker's thread"),
	OPTION(SK_STR, wake_socket, NULL, NULL, "a unix-socket listener of this broker, for the `ping` wake-up"),
	OPTION(SK_BOOL, presence, "true", NULL, "publish $aws/events/presence/... and $aws/events/subscriptions/..."),
	OPTION(SK_INT, remember, "10000", "0 10000000", "clients that are not connected of which is remembered when they were here and what was denied last"),
	OPTION(SK_SIZE, activity, "1m", NULL, "bytes for which topics each client used, for `skeeter policy suggest`; 0: nothing is noted"),
	OPTION(SK_STR, secrets, NULL, NULL, "JSON file, mode 0600, of what get_secret() answers: {\"NAME\": \"text\" or {\"KEY\": \"text\"}}; SKEETER_SECRET_NAME in the environment comes first"),
	{ 0 },
};

static const struct sk_op_group *const operations[] = { &core_group, NULL };

static void say(const char *line)
{
	sk_log('e', "core", "%s; the secrets stay what they were", line);
}

static int start(void *state, char *why, size_t why_size)
{
	const struct sk_core_options *o = state;

	sk_secrets_say(say);
	return sk_secrets_open(o->secrets, why, why_size) || sk_broker_open(o, why, why_size) ? -1 : 0;
}

static void reload(void *state)
{
	(void)state;
	sk_secrets_reload();
}

static void stop(void *state)
{
	(void)state;
	sk_secrets_close();
}

static const struct sk_hooks hooks = { .reload = reload };

/* Of the types that every plugin has. */
static const struct sk_resource resources[] = { { "ThingName", "thing/" }, { 0 } };

SKEETER_PLUGIN(.name = "core", .prose = "store, workers, timers, $CONTROL", .state_size = sizeof(struct sk_core_options),
               .options = options, .operations = operations, .resources = resources, .hooks = &hooks, .start = start,
               .stop = stop)
