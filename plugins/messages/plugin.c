/* plugin.c -- skeeter_messages: publishing from outside of MQTT, and the messages that the broker retains. Glue only. */
#include "plugins/messages/messages.h"

#include <stdio.h>
#include <sys/random.h>
#include <time.h>

#include "core/broker_retained.h"
#include "core/client.h"
#include "core/why.h"

#define SHAPES_FILE "plugins/messages/messages.shapes"
#define SHAPES_NAME shapes
#include "core/shape_table.h"

enum { TIMES_PATH = 4096 };

static const struct sk_option options[] = {
	SK_OPTION(SK_BOOL, struct messages_state, retained, "true", NULL,
	          "watch what the broker retains, for GetRetainedMessage and ListRetainedMessages"),
	SK_OPTION(SK_STR, struct messages_state, retained_listener, NULL, NULL,
	          "the listener through which they are read: a unix socket's path, or 127.0.0.1:port of one without TLS; none: skeeter_core's wake_socket, else the first socket of its operators"),
	SK_OPTION(SK_INT, struct messages_state, retained_topics, "250000", "1 10000000", "most topics with a retained message that can be listed"),
	SK_OPTION(SK_SIZE, struct messages_state, publish_size, "128k", NULL, "most bytes of a message that Publish takes"),
	{ 0 }
};

static const struct sk_op_group *const operations[] = { &publish_group, &retained_group, NULL };

static const struct sk_resource resources[] = { { "MessageTopic", "topic/" }, { 0 } };

static int64_t clock_ms(clockid_t clock)
{
	struct timespec now;

	clock_gettime(clock, &now);
	return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

static int64_t wall_ms(void)
{
	return clock_ms(CLOCK_REALTIME);
}

static int64_t mono_ms(void)
{
	return clock_ms(CLOCK_MONOTONIC);
}

static int random_bytes(void *to, size_t n)
{
	return getrandom(to, n, 0) == (ssize_t)n ? 0 : -1;
}

static void say(char level, const char *line)
{
	sk_log(level, "messages", "%s", line);
}

static int start(void *state, char *why, size_t why_size)
{
	struct messages_state *s = state;
	const char *fault = s->retained_listener ? sk_retained_listener_fault(s->retained_listener) : NULL;

	s->is_input = sk_topic_is_input;
	return fault ? sk_why(why, why_size, "plugin_opt_retained_listener %s: %s", s->retained_listener, fault) : 0;
}

static void ready(void *state)
{
	static char times[TIMES_PATH];
	struct messages_state *s = state;
	const char *listener = s->retained_listener ? s->retained_listener : sk_broker_own_listener();

	if (!s->retained)
		return;
	if (!listener) {
		say('w', "no listener for reading retained messages: name one with plugin_opt_retained_listener");
		return;
	}
	snprintf(times, sizeof(times), "%s/retained.times", sk_data_dir());
	const struct sk_retained_options o = { .listener = listener, .times = times, .topics = (size_t)s->retained_topics, .wall_ms = wall_ms, .mono_ms = mono_ms,
	                                       .random = random_bytes, .say = say };
	struct sk_retained *watched = sk_retained_start(&o);
	if (!watched)
		say('e', "memory or threads are out: retained messages are not watched");
	sk_broker_set_retained(watched);
	atomic_store(&s->watched, watched);
}

static const char *unready(void *state)
{
	const struct sk_retained *watched = atomic_load(&((struct messages_state *)state)->watched);

	return watched && !sk_retained_ready(watched) ? "the retained messages are being read" : NULL;
}

static void quiesce(void *state)
{
	struct messages_state *s = state;
	struct sk_retained *watched = atomic_load(&s->watched);

	if (watched)
		sk_retained_quiesce(watched);
}

static void stop(void *state)
{
	struct messages_state *s = state;
	struct sk_retained *watched = atomic_exchange(&s->watched, NULL);

	sk_broker_set_retained(NULL);
	sk_retained_free(&watched);
}

SKEETER_PLUGIN(.name = "messages", .prose = "publishing and retained messages as operations", .state_size = sizeof(struct messages_state),
               .options = options, .operations = operations, .shapes = shapes, .resources = resources, .start = start, .ready = ready, .unready = unready,
               .quiesce = quiesce, .stop = stop)
