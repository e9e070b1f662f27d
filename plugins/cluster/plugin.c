/* plugin.c -- skeeter_cluster.so: publishes of this broker to the subscribers of others that share a Redis, and theirs to ours. Glue only. */
#include <stdio.h>
#include <sys/random.h>

#include "core/client.h"
#include "core/why.h"
#include "plugins/cluster/cluster.h"

static const struct sk_option options[] = {
	SK_OPTION(SK_STR, struct cluster, redis, NULL, NULL, "the Redis through which brokers talk, as skeeter_core's plugin_opt_store writes it; none: the one that the store is in"),
	SK_OPTION(SK_STR, struct cluster, topics, NULL, NULL, "topic filters with blanks between them: clients' messages that other brokers' subscribers get too; none: only what the services publish"),
	SK_OPTION(SK_STR, struct cluster, always, NULL, NULL, "topic filters that this broker takes whoever subscribes: for its bridges"),
	SK_OPTION(SK_SIZE, struct cluster, queue, "16m", NULL, "most bytes of messages that wait for the Redis; more are dropped"),
	SK_OPTION(SK_DURATION, struct cluster, remember, "1d", NULL, "after a start, how long subscriptions of sessions count that have not come back yet; 0: with Mosquitto's persistence off"),
	{ 0 }
};

static void name_all(struct cluster *c)
{
	while (!c->self)
		if (getrandom(&c->self, sizeof c->self, 0) != sizeof c->self)
			c->self = 0;
	snprintf(c->name, sizeof c->name, "%016llx", (unsigned long long)c->self);
	snprintf(c->index, sizeof c->index, "%s{skeeter}cluster", c->url.prefix);
	snprintf(c->filters, sizeof c->filters, "%s{skeeter}cluster:%s", c->url.prefix, c->name);
	snprintf(c->control, sizeof c->control, "%s{skeeter}cluster:control", c->url.prefix);
	snprintf(c->inbox, sizeof c->inbox, "%s{%s}in", c->url.prefix, c->name);
}

static int start(void *state, char *why, size_t why_size)
{
	struct cluster *c = state;
	const char *url = c->redis ? c->redis : sk_store_url();

	if (!url)
		return sk_why(why, why_size, "the store is a file: say in plugin_opt_redis through which Redis the brokers talk, or let skeeter_core's plugin_opt_store be one");
	if (c->queue < 1 << 20)
		return sk_why(why, why_size, "plugin_opt_queue must be at least 1m");
	if (redis_url_parse(&c->url, url, why, why_size) || redis_url_secrets(&c->url, sk_data_dir(), why, why_size))
		return -1;
	name_all(c);
	return carry_start(c, why, why_size);
}

static void ready(void *state)
{
	struct cluster *c = state;
	char shown[512];

	redis_url_show(&c->url, shown, sizeof shown);
	c->taking = !thread_start(c);
	if (c->taking)
		sk_log('n', "cluster", "messages go between brokers through %s; this one is %s", shown, c->name);
	else
		sk_log('e', "cluster", "memory or threads are out: no message goes to or comes from other brokers");
}

static const char *unready(void *state)
{
	return atomic_load(&((struct cluster *)state)->announced) ? NULL : "other brokers do not know yet what this one takes";
}

static void quiesce(void *state)
{
	struct cluster *c = state;

	c->taking = false;
	thread_stop(c);
}

static void stop(void *state)
{
	struct cluster *c = state;

	sk_out_home_empty(&c->home);
	carry_stop(c);
	redis_url_free(&c->url);
}

static void passed(void *state, const struct sk_feed *f)
{
	carry_message(state, f);
}

static void turn(void *state)
{
	queue_ring(&((struct cluster *)state)->q);
}

static void came(void *state, struct sk_client *client)
{
	carry_came(state, client);
}

static void subscribed(void *state, struct sk_client *client, const char *filter, bool on)
{
	carry_subscribed(state, client, filter, on);
}

static void gone(void *state, struct sk_client *client)
{
	struct cluster *c = state;

	if (c->taking)
		sessions_gone(&c->sessions, client->generation);
	queue_ring(&c->q);
}

static void tick(void *state, int64_t now_ms)
{
	(void)now_ms;
	carry_tick(state);
}

static const struct sk_hooks hooks = { .passed = passed, .turn = turn, .came = came, .subscribed = subscribed, .gone = gone, .tick = tick };

SKEETER_PLUGIN(.name = "cluster", .prose = "messages between brokers that share a Redis", .state_size = sizeof(struct cluster), .options = options,
               .hooks = &hooks, .start = start, .ready = ready, .unready = unready, .quiesce = quiesce, .stop = stop)
