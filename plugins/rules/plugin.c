/* plugin.c -- skeeter_rules: messages that match a rule are shaped and sent on. Glue only. */
#include <stdio.h>

#include <string.h>

#include "core/why.h"
#include "plugins/rules/destinations.h"
#include "plugins/rules/engine.h"
#include "plugins/rules/engine_destinations.h"
#include "plugins/rules/engine_folder.h"
#include "plugins/rules/engine_sinks.h"
#include "plugins/rules/engine_recorder.h"
#include "plugins/rules/engine_recover.h"
#include "plugins/rules/dead_letters.h"
#include "plugins/rules/lane.h"
#include "plugins/rules/lua_effects.h"

#define SHAPES_FILE "plugins/rules/rules.shapes"
#define SHAPES_NAME shapes
#include "core/shape_table.h"

static const struct sk_option options[] = {
	SK_OPTION(SK_BOOL, struct rules_state, strict_aws, "false", NULL,
	          "AWS IoT SQL as AWS's guide has it even where it contradicts itself, and without extensions"),
	SK_OPTION(SK_INT, struct rules_state, most_rules, "1000", "1 1000000", "most rules that can be created; AWS's limit is 1000"),
	SK_OPTION(SK_STR, struct rules_state, folder, NULL, NULL, "folder of rules in Lua, *.lua; they are read again when one changes and at SIGHUP"),
	SK_OPTION(SK_INT, struct rules_state, threads, "0", "0 16", "threads that run rules; 0: one for each core but one, at most 4"),
	SK_OPTION(SK_SIZE, struct rules_state, ring, "4m", NULL,
	          "bytes of messages that may wait for all these threads, locked in memory, 64k to 1g, at least 64k for each; what comes then is refused, with QoS 0 dropped and counted"),
	SK_OPTION(SK_STR, struct rules_state, journal, NULL, NULL, "folder in which they survive kill -9; none: one in /dev/shm"),
	SK_OPTION(SK_SIZE, struct rules_state, spill, "256m", NULL, "bytes that may wait for one destination, 64k to 1t; then messages for it are refused"),
	SK_OPTION(SK_DURATION, struct rules_state, retry_for, "24h", NULL, "how long an action is tried before it has failed, 0 or 1s to 30d; 0: for ever"),
	SK_OPTION(SK_DURATION, struct rules_state, retry_least, "100ms", NULL, "before an action is tried again, 1ms to 1h; doubled each time"),
	SK_OPTION(SK_DURATION, struct rules_state, retry_most, "30s", NULL, "at most so long, retry_least to 1h"),
	SK_OPTION(SK_INT, struct rules_state, lanes, "64", "1 1024", "destinations that actions may have, each with a thread"),
	SK_OPTION(SK_INT, struct rules_state, dead_letters, "10000", "0 1000000", "dead letters that are kept of one rule, the newest, and 64 MiB of them at most"),
	SK_OPTION(SK_SIZE, struct rules_state, recorder, "0", NULL, "bytes of messages that are kept for `skeeter rules replay`, 64k to 1t; 0: none"),
	SK_OPTION(SK_DURATION, struct rules_state, recorder_age, "24h", NULL, "for so long, 1m to 365d; older ones go when others come"),
	SK_OPTION(SK_STR, struct rules_state, recorder_topics, NULL, NULL,
	          "topic filters, separated by blanks: their messages are kept, whether a rule matches or not; none: what matches a rule"),
	SK_OPTION(SK_INT, struct rules_state, lua_instructions, "1000000", "1000 1000000000", "instructions of Lua that one run may take"),
	SK_OPTION(SK_DURATION, struct rules_state, lua_time, "100ms", NULL, "how long one run of Lua may take, 1ms to 10s"),
	SK_OPTION(SK_SIZE, struct rules_state, lua_memory, "8m", NULL, "memory of one file of rules, 64k to 1g"),
	SK_OPTION(SK_CHOICE, struct rules_state, destinations, "confirmed", "confirmed any", "where http actions may send: `confirmed`: to destinations that have confirmed that they want it, as AWS; `any`: anywhere"),
	SK_OPTION(SK_STR, struct rules_state, confirm_url, NULL, NULL, "how those who are to confirm a destination reach the HTTP listener of skeeter_http, https://broker.example:8443; none: their message holds a token, and no link"),
	{ 0 }
};

static const struct sk_topic topics[] = {
	{ .pattern = "$aws/rules/{rule}" },
	{ .pattern = "$aws/rules/{rule}/{rest+}" },
	{ 0 }
};

static const struct sk_watch watches[] = {
	{ "registry/rule-filter/", engine_watch_filter },
	{ "registry/rule/", engine_watch_rule },
	{ "registry/destination/", engine_watch_destination },
	{ 0 }
};

static const struct sk_on on[] = {
	{ DESTINATION_EVENT_CONFIRM, destinations_on_confirm, "destination/{destinationId}" },
	{ DESTINATION_EVENT_UNSENT, destinations_on_unsent, "registry" },
	{ DESTINATION_EVENT_LATE, destinations_on_late, "registry" },
	{ LUA_EVENT_EFFECTS, lua_on_effects, "rule/{ruleName}" },
	{ LUA_EVENT_TIMER, lua_on_timer, "rule/{ruleName}" },
	{ RULES_EVENT_FAILED, rules_on_failed, "rule/{ruleName}" },
	{ 0 }
};

static int message(void *state, const struct sk_feed *f)
{
	return engine_message(((struct rules_state *)state)->engine, f);
}

static void turn(void *state)
{
	engine_turn(((struct rules_state *)state)->engine);
}

static void tick(void *state, int64_t now_ms)
{
	(void)now_ms;
	recover_go_on(((struct rules_state *)state)->engine);
}

static void reload(void *state)
{
	struct rules_engine *e = ((struct rules_state *)state)->engine;

	if (e->folder)
		folder_reload(e->folder);
}

static const struct sk_hooks hooks = { .message = message, .turn = turn, .tick = tick, .reload = reload };

static const struct sk_op_group *const operations[] = { &topic_rules_group, &dry_run_group, &observed_group, &destinations_group, &dead_letters_group, NULL };
static const struct sk_resource resources[] = { { "RuleName", "rule/" }, { "RuleDestinationArn", "" }, { 0 } };
static const struct sk_tagged tagged[] = { { "rule", "registry/rule/" }, { 0 } };

static int check(const struct rules_state *s, char *why, size_t why_size)
{
	if (s->ring < 64 << 10 || s->ring > 1 << 30)
		return sk_why(why, why_size, "plugin_opt_ring must be 64k to 1g");
	if (engine_ring_bytes(s) < 64 << 10)
		return sk_why(why, why_size, "plugin_opt_ring must be at least 64k for each thread (plugin_opt_threads)");
	if (s->lua_memory < 64 << 10 || s->lua_memory > 1 << 30)
		return sk_why(why, why_size, "plugin_opt_lua_memory must be 64k to 1g");
	if (s->lua_time < 1 || s->lua_time > 10000)
		return sk_why(why, why_size, "plugin_opt_lua_time must be 1ms to 10s");
	if (s->spill < 64 << 10 || s->spill > (int64_t)1 << 40)
		return sk_why(why, why_size, "plugin_opt_spill must be 64k to 1t");
	if (s->retry_for && (s->retry_for < 1000 || s->retry_for > 30 * 86400000LL))
		return sk_why(why, why_size, "plugin_opt_retry_for must be 0, or 1s to 30d");
	if (s->retry_least < 1 || s->retry_least > 3600000 || s->retry_most < s->retry_least || s->retry_most > 3600000)
		return sk_why(why, why_size, "plugin_opt_retry_least must be 1ms to 1h, and plugin_opt_retry_most no less, to 1h");
	if (s->recorder && (s->recorder < 64 << 10 || s->recorder > (int64_t)1 << 40))
		return sk_why(why, why_size, "plugin_opt_recorder must be 0, or 64k to 1t");
	if (s->recorder_age < 60000 || s->recorder_age > 365 * 86400000LL)
		return sk_why(why, why_size, "plugin_opt_recorder_age must be 1m to 365d");
	if (s->recorder_topics && !s->recorder)
		return sk_why(why, why_size, "plugin_opt_recorder_topics needs plugin_opt_recorder: how many bytes are kept");
	return 0;
}

/* What waits for destinations is opened again. */
static int open_lanes(struct rules_state *s, char *why, size_t why_size)
{
	char folder[4096];
	const struct lanes_settings settings = { .folder = folder, .spill = (uint64_t)s->spill, .retry_for_ms = s->retry_for,
		.retry_least_ms = s->retry_least, .retry_most_ms = s->retry_most, .most_lanes = (int)s->lanes };

	if (snprintf(folder, sizeof folder, "%s/rules/lanes", sk_data_dir()) >= (int)sizeof folder)
		return sk_why(why, why_size, "%s is too long", sk_data_dir());
	s->engine->lanes = lanes_open(s->engine, &settings, why, why_size);
	return s->engine->lanes ? 0 : -1;
}

static int open_recorder(struct rules_state *s, char *why, size_t why_size)
{
	char folder[4096];
	const struct recorder_settings settings = { .folder = folder, .most = (uint64_t)s->recorder, .age_ms = s->recorder_age, .topics = s->recorder_topics };

	if (!s->recorder)
		return 0;
	if (snprintf(folder, sizeof folder, "%s/rules/recorder", sk_data_dir()) >= (int)sizeof folder)
		return sk_why(why, why_size, "%s is too long", sk_data_dir());
	s->engine->recorder = recorder_open(&settings, why, why_size);
	return s->engine->recorder ? 0 : -1;
}

static void warn(const char *line)
{
	if (line)
		sk_log('w', "rules", "%s", line);
}

/* With a path, or without: what is there goes behind it. */
static int check_confirm_url(const struct rules_state *s, char *why, size_t why_size)
{
	const char *fault = s->confirm_url ? destination_url_fault(s->confirm_url) : NULL;
	size_t n = s->confirm_url ? strlen(s->confirm_url) : 0;

	if (!fault && n && (s->confirm_url[n - 1] == '/' || strchr(s->confirm_url, '?')))
		fault = "it ends in a slash, or has a query";
	return fault ? sk_why(why, why_size, "plugin_opt_confirm_url %s: %s", s->confirm_url, fault) : 0;
}

static int start(void *state, char *why, size_t why_size)
{
	struct rules_state *s = state;

	s->account = sk_account();
	s->sinks = sk_sink_find;
	s->warn = warn;
	if (check(s, why, why_size) || check_confirm_url(s, why, why_size) || !(s->engine = engine_new(s, why, why_size)))
		return -1;
	if (!open_lanes(s, why, why_size) && !open_recorder(s, why, why_size) && (!s->folder || (s->engine->folder = folder_open(s->engine, s->folder, why, why_size))))
		return 0;
	engine_free(&s->engine);
	return -1;
}

static void ready(void *state)
{
	engine_ready(((struct rules_state *)state)->engine);
}

static void quiesce(void *state)
{
	engine_quiesce(((struct rules_state *)state)->engine);
}

static void stop(void *state)
{
	engine_free(&((struct rules_state *)state)->engine);
}

SKEETER_PLUGIN(.name = "rules", .prose = "topic rules: AWS IoT SQL and Lua", .state_size = sizeof(struct rules_state), .options = options,
               .topics = topics, .operations = operations, .on = on, .watches = watches, .reset = engine_watch_reset, .hooks = &hooks, .shapes = shapes, .resources = resources,
               .tagged = tagged, .sinks = engine_sinks, .start = start, .ready = ready, .quiesce = quiesce, .stop = stop)
