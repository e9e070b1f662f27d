/* device.c -- skeeter-device NAME [RUN-FOLDER [HOST]]: one of the demo's three simulated devices.
 *
 * It speaks MQTT over mutual TLS and nothing else: its certificate, its shadow, its heartbeat. Whenever it (re)connects it
 * asks for its shadow and obeys what was wished meanwhile; it reports what it has done. It reconnects by itself, for ever.
 * What it is lives in one number: 0 or 1 for a switch, degrees for the thermometer, which has a switch for the heater below it. */
#include <math.h>
#include <mosquitto.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "core/arena.h"
#include "core/json.h"

#define RETRY_LEAST_MS 200
#define RETRY_MOST_MS 3000
#define LASTING_MS 500
#define HEARTBEAT_MS 1500
#define WANDER_MS 3000
#define HEATED_MS 500  /* from one measurement to the next while it heats */
#define HEATED 36      /* degrees, at most */

struct model {
	const char *name, *measures, *obeys; /* measures: NULL: it is a switch and nothing else */
};

static const struct model models[] = {
	{ "lamp", NULL, "on" },
	{ "thermometer", "temperature", "heater" },
	{ "valve", NULL, "open" },
	{ 0 }
};

struct device {
	const struct model *model;
	struct mosquitto *mosq;
	struct sk_arena arena; /* of the message that is being handled */
	double degrees;
	bool on;
	bool remembers;        /* on was taken from the shadow, or set since */
	bool online;
	int64_t started, next_heartbeat, next_wander;
	int subscriptions;     /* SUBACKs still missing before the shadow is asked for */
};

static volatile sig_atomic_t stopping;

static void stop(int signal)
{
	(void)signal;
	stopping = 1;
}

static int64_t clock_ms(void)
{
	struct timespec t;
	clock_gettime(CLOCK_MONOTONIC, &t);
	return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

static void say(const struct device *d, const char *what)
{
	char now[16];
	time_t t = time(NULL);
	struct tm tm;
	strftime(now, sizeof(now), "%H:%M:%S", localtime_r(&t, &tm));
	printf("%s %s: %s\n", now, d->model->name, what);
}

static void publish(struct device *d, int qos, const char *topic, const char *payload)
{
	if (topic && payload)
		mosquitto_publish(d->mosq, NULL, topic, (int)strlen(payload), payload, qos, false);
}

static const char *shadow_topic(struct device *d, const char *verb)
{
	return sk_printf(&d->arena, "$aws/things/%s/shadow/%s", d->model->name, verb);
}

static void report(struct device *d)
{
	cJSON *update = sk_json_object(&d->arena);
	cJSON *reported = sk_json_set_object(&d->arena, sk_json_set_object(&d->arena, update, "state"), "reported");
	if (d->model->measures)
		sk_json_set_number(&d->arena, reported, d->model->measures, d->degrees);
	sk_json_set_bool(&d->arena, reported, d->model->obeys, d->on);
	char *text = sk_json_print(&d->arena, update, NULL);
	publish(d, 1, shadow_topic(d, "update"), text);
	d->remembers = true;
}

/* A wish is obeyed when it is for our property and of its type; anything else stays in the delta, as on a real device. */
static bool obey(struct device *d, const cJSON *state)
{
	const cJSON *wish = sk_json_get(state, d->model->obeys);
	if (!cJSON_IsBool(wish))
		return false;
	d->on = cJSON_IsTrue(wish);
	d->next_wander = 0;
	say(d, sk_printf(&d->arena, "%s is now %s", d->model->obeys, d->on ? "true" : "false"));
	return true;
}

/* After power-on a device stands where it was left: the shadow's reported value. */
static void remember(struct device *d, const cJSON *reported)
{
	const cJSON *was = sk_json_get(reported, d->model->obeys);
	if (d->remembers || !cJSON_IsBool(was))
		return;
	d->on = cJSON_IsTrue(was);
	d->remembers = true;
}

static void on_get_accepted(struct device *d, const cJSON *document)
{
	const cJSON *state = sk_json_get(document, "state");
	remember(d, sk_json_get(state, "reported"));
	obey(d, sk_json_get(state, "delta"));
	report(d);
}

static void on_get_rejected(struct device *d, const cJSON *document)
{
	(void)document;
	report(d);
}

static void on_delta(struct device *d, const cJSON *document)
{
	if (obey(d, sk_json_get(document, "state")))
		report(d);
}

static void on_update_rejected(struct device *d, const cJSON *document)
{
	const char *why = sk_json_text(document, "message");
	say(d, sk_printf(&d->arena, "an update was rejected: %s", why ? why : "no reason given"));
}

static const struct {
	const char *verb; /* after $aws/things/NAME/shadow/ */
	void (*handle)(struct device *d, const cJSON *document);
} topics[] = {
	{ "get/accepted", on_get_accepted },
	{ "get/rejected", on_get_rejected },
	{ "update/delta", on_delta },
	{ "update/rejected", on_update_rejected },
};
#define TOPICS (sizeof(topics) / sizeof(*topics))

static void on_message(struct mosquitto *m, void *ctx, const struct mosquitto_message *message)
{
	struct device *d = ctx;
	(void)m;
	const cJSON *document = sk_json_parse(&d->arena, message->payload, (size_t)message->payloadlen, NULL, NULL);
	for (size_t i = 0; i < TOPICS; i++) {
		const char *topic = shadow_topic(d, topics[i].verb);
		if (topic && strcmp(topic, message->topic) == 0)
			topics[i].handle(d, document);
	}
	sk_arena_reset(&d->arena, 65536);
}

static void on_connect(struct mosquitto *m, void *ctx, int rc)
{
	struct device *d = ctx;
	if (rc != 0) {
		say(d, mosquitto_connack_string(rc));
		return;
	}
	d->online = true;
	d->subscriptions = TOPICS;
	say(d, "online");
	for (size_t i = 0; i < TOPICS; i++)
		mosquitto_subscribe(m, NULL, shadow_topic(d, topics[i].verb), 1);
	sk_arena_reset(&d->arena, 65536);
}

static void on_subscribe(struct mosquitto *m, void *ctx, int mid, int count, const int *granted)
{
	struct device *d = ctx;
	(void)m, (void)mid, (void)count, (void)granted;
	if (d->subscriptions > 0 && --d->subscriptions == 0)
		publish(d, 1, shadow_topic(d, "get"), "");
	sk_arena_reset(&d->arena, 65536);
}

static void on_disconnect(struct mosquitto *m, void *ctx, int rc)
{
	struct device *d = ctx;
	(void)m, (void)rc;
	if (d->online)
		say(d, "offline");
	d->online = false;
}

static void heartbeat(struct device *d, int64_t now)
{
	if (now < d->next_heartbeat)
		return;
	d->next_heartbeat = now + HEARTBEAT_MS;
	publish(d, 0, sk_printf(&d->arena, "devices/%s/heartbeat", d->model->name),
	        sk_printf(&d->arena, "{\"uptime\":%lld}", (long long)(now - d->started) / 1000));
}

/* A room's day in ten minutes, with a faster draught on top; above the heater a few degrees more with each look. */
static void wander(struct device *d, int64_t now)
{
	if (!d->model->measures || now < d->next_wander)
		return;
	d->next_wander = now + (d->on ? HEATED_MS : WANDER_MS);
	double t = (double)(now / 1000), degrees = 21 + 2 * sin(t / 95) + 0.4 * sin(t / 11);
	if (d->on)
		degrees = d->degrees < degrees ? degrees + 3 : fmin(d->degrees + 3, HEATED);
	degrees = round(degrees * 10) / 10;
	if (degrees == d->degrees)
		return;
	d->degrees = degrees;
	report(d);
}

static void tick(struct device *d)
{
	int64_t now = clock_ms();
	if (!d->online || d->subscriptions > 0)
		return;
	heartbeat(d, now);
	wander(d, now);
	sk_arena_reset(&d->arena, 65536);
}

/* Waits longer after each connection that did not last, as AWS's SDKs do. */
static void reconnect(struct device *d, int *retry_ms)
{
	struct timespec pause = { *retry_ms / 1000, (long)(*retry_ms % 1000) * 1000000 };
	*retry_ms = *retry_ms * 2 > RETRY_MOST_MS ? RETRY_MOST_MS : *retry_ms * 2;
	nanosleep(&pause, NULL);
	if (!stopping)
		mosquitto_reconnect(d->mosq);
}

static void run(struct device *d)
{
	int retry_ms = RETRY_LEAST_MS;
	int64_t since = clock_ms();
	while (!stopping) {
		if (mosquitto_loop(d->mosq, 100, 1) == MOSQ_ERR_SUCCESS) {
			if (clock_ms() - since > LASTING_MS)
				retry_ms = RETRY_LEAST_MS;
			tick(d);
			continue;
		}
		reconnect(d, &retry_ms);
		since = clock_ms();
	}
	mosquitto_disconnect(d->mosq);
	say(d, "unplugged");
}

static int read_port(const char *folder)
{
	char path[1024];
	int port = 0;
	snprintf(path, sizeof(path), "%s/port", folder);
	FILE *f = fopen(path, "r");
	if (f && fscanf(f, "%d", &port) != 1)
		port = 0;
	if (f)
		fclose(f);
	return port > 0 && port < 65536 ? port : 8883;
}

static int connect_first(struct device *d, const char *folder, const char *host)
{
	char ca[1024], crt[1024], key[1024];
	snprintf(ca, sizeof(ca), "%s/ca.crt", folder);
	snprintf(crt, sizeof(crt), "%s/devices/%s.crt", folder, d->model->name);
	snprintf(key, sizeof(key), "%s/devices/%s.key", folder, d->model->name);
	int rc = mosquitto_tls_set(d->mosq, ca, NULL, crt, key, NULL);
	if (rc != MOSQ_ERR_SUCCESS) {
		fprintf(stderr, "skeeter-device: cannot use %s, %s and %s: %s\n", ca, crt, key, mosquitto_strerror(rc));
		return -1;
	}
	mosquitto_int_option(d->mosq, MOSQ_OPT_TCP_NODELAY, 1);
	mosquitto_connect_callback_set(d->mosq, on_connect);
	mosquitto_subscribe_callback_set(d->mosq, on_subscribe);
	mosquitto_message_callback_set(d->mosq, on_message);
	mosquitto_disconnect_callback_set(d->mosq, on_disconnect);
	mosquitto_connect(d->mosq, host, read_port(folder), 30);
	return 0;
}

static const struct model *find_model(const char *name)
{
	for (const struct model *m = models; m->name; m++)
		if (strcmp(m->name, name) == 0)
			return m;
	return NULL;
}

int main(int argc, char **argv)
{
	struct device d = { .model = argc > 1 ? find_model(argv[1]) : NULL, .started = clock_ms(), .degrees = 21 };
	if (!d.model || argc > 4) {
		fputs("usage: skeeter-device lamp|thermometer|valve [RUN-FOLDER [HOST]]\n", stderr);
		return 252;
	}
	signal(SIGTERM, stop);
	signal(SIGINT, stop);
	signal(SIGPIPE, SIG_IGN);
	setvbuf(stdout, NULL, _IOLBF, 0);
	mosquitto_lib_init();
	d.mosq = mosquitto_new(d.model->name, false, &d);
	int rc = !d.mosq || connect_first(&d, argc > 2 ? argv[2] : "run", argc > 3 ? argv[3] : "localhost") != 0 ? 255 : 0;
	if (rc == 0)
		run(&d);
	if (d.mosq)
		mosquitto_destroy(d.mosq);
	mosquitto_lib_cleanup();
	sk_arena_free(&d.arena);
	return rc;
}
