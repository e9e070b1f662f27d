/* control.c -- an operator's session: connect, send an envelope, wait for the response that carries our correlationData.
 *
 * Invariant: a response is believed only when its correlationData is the one of the command that is being waited for, so
 * an answer that comes after its time-out is never taken for the next one's. */
#include "cli/control.h"

#include <errno.h>
#include <mosquitto.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#define REQUEST "$CONTROL/skeeter/v1"
#define RESPONSE REQUEST "/response"

struct control {
	struct mosquitto *mosq;
	const char *socket;
	int timeout_ms;
	int connack;           /* -1 until it came */
	bool lost;
	bool retained;         /* the message that is handled */
	int subscribed;        /* message id of the last SUBACK */
	int granted;           /* its first granted QoS */
	unsigned calls;
	char token[32];        /* correlationData of the command that is waited for */
	struct sk_arena *into; /* where its response goes */
	const cJSON *response;
	control_on_message *on_message;
	void *ctx;
	char why[512];
};

int64_t control_clock_ms(void)
{
	struct timespec t;
	clock_gettime(CLOCK_MONOTONIC, &t);
	return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

const char *control_why(const struct control *c)
{
	return c->why;
}

bool control_retained(const struct control *c)
{
	return c->retained;
}

static void on_connect(struct mosquitto *m, void *ctx, int rc)
{
	(void)m;
	((struct control *)ctx)->connack = rc;
}

static void on_disconnect(struct mosquitto *m, void *ctx, int rc)
{
	(void)m, (void)rc;
	((struct control *)ctx)->lost = true;
}

static void on_subscribe(struct mosquitto *m, void *ctx, int mid, int count, const int *granted)
{
	struct control *c = ctx;
	(void)m;
	c->subscribed = mid;
	c->granted = count > 0 ? granted[0] : 128;
}

static void take_response(struct control *c, const struct mosquitto_message *m)
{
	const cJSON *envelope = sk_json_parse(c->into, m->payload, (size_t)m->payloadlen, NULL, NULL);
	SK_JSON_EACH(response, sk_json_get(envelope, "responses")) {
		const char *token = sk_json_text(response, "correlationData");
		if (token && strcmp(token, c->token) == 0)
			c->response = response;
	}
}

static void on_message(struct mosquitto *m, void *ctx, const struct mosquitto_message *message)
{
	struct control *c = ctx;
	(void)m;
	c->retained = message->retain;
	if (strcmp(message->topic, RESPONSE) != 0) {
		if (c->on_message)
			c->on_message(c->ctx, message->topic, message->payload ? message->payload : "", (size_t)message->payloadlen);
	} else if (c->into && message->payload) {
		take_response(c, message);
	}
}

int control_wait(struct control *c, int ms)
{
	int rc = mosquitto_loop(c->mosq, ms, 1);
	if (rc != MOSQ_ERR_SUCCESS && rc != MOSQ_ERR_ERRNO)
		c->lost = true;
	if (rc == MOSQ_ERR_ERRNO && errno != EINTR)
		c->lost = true;
	if (c->lost)
		snprintf(c->why, sizeof(c->why), "the broker closed the connection to %s", c->socket);
	return c->lost ? -1 : 0;
}

/* Loops until *flag is something else than `while_value`; -1 when the time is over or the connection lost. */
static int wait_while(struct control *c, const int *flag, int while_value)
{
	int64_t end = control_clock_ms() + c->timeout_ms;
	while (*flag == while_value) {
		int64_t left = end - control_clock_ms();
		if (left <= 0) {
			snprintf(c->why, sizeof(c->why), "no answer from %s within %d s", c->socket, c->timeout_ms / 1000);
			return -1;
		}
		if (control_wait(c, left > 1000 ? 1000 : (int)left) != 0 && *flag == while_value)
			return -1;
	}
	return 0;
}

static int new_client(struct control *c)
{
	char id[48];
	unsigned nonce = 0;
	if (getrandom(&nonce, sizeof(nonce), 0) != sizeof(nonce))
		nonce = (unsigned)control_clock_ms();
	snprintf(id, sizeof(id), "skeeter-%d-%08x", (int)getpid(), nonce);
	signal(SIGPIPE, SIG_IGN); /* a broker that dies is an error, not our end */
	mosquitto_lib_init();
	c->mosq = mosquitto_new(id, true, c);
	if (!c->mosq)
		return -1;
	mosquitto_connect_callback_set(c->mosq, on_connect);
	mosquitto_disconnect_callback_set(c->mosq, on_disconnect);
	mosquitto_subscribe_callback_set(c->mosq, on_subscribe);
	mosquitto_message_callback_set(c->mosq, on_message);
	mosquitto_max_inflight_messages_set(c->mosq, 0);
	return 0;
}

static int explain(char *why, size_t size, const char *socket, int error)
{
	if (error == EACCES)
		snprintf(why, size, "cannot open %s: %s", socket, strerror(error));
	else
		snprintf(why, size, "cannot reach %s: is make run running?", socket);
	return -1;
}

static int open_session(struct control *c, char *why, size_t size)
{
	if (strlen(c->socket) >= sizeof(((struct sockaddr_un *)0)->sun_path)) {
		snprintf(why, size, "%s is too long for a socket's path: use a shorter or a relative one", c->socket);
		return -1;
	}
	if (new_client(c) != 0) {
		snprintf(why, size, "out of memory");
		return -1;
	}
	errno = 0;
	if (mosquitto_connect(c->mosq, c->socket, 0, 60) != MOSQ_ERR_SUCCESS)
		return explain(why, size, c->socket, errno);
	if (wait_while(c, &c->connack, -1) != 0) {
		snprintf(why, size, "%s", c->why);
		return -1;
	}
	if (c->connack != 0) {
		snprintf(why, size, "%s refuses us: is it listed in plugin_opt_operators? (%s)", c->socket,
		         mosquitto_connack_string(c->connack));
		return -1;
	}
	return 0;
}

struct control *control_open(const char *socket, int timeout_ms, char *why, size_t why_size)
{
	struct control *c = calloc(1, sizeof(*c));
	if (!c) {
		snprintf(why, why_size, "out of memory");
		return NULL;
	}
	c->socket = socket;
	c->timeout_ms = timeout_ms;
	c->connack = -1;
	if (open_session(c, why, why_size) != 0)
		control_close(&c);
	return c;
}

void control_close(struct control **c)
{
	if (!*c)
		return;
	if ((*c)->mosq) {
		mosquitto_disconnect((*c)->mosq);
		mosquitto_destroy((*c)->mosq);
		mosquitto_lib_cleanup();
	}
	free(*c);
	*c = NULL;
}

int control_publish(struct control *c, const char *topic, const char *payload, size_t size)
{
	int rc = mosquitto_publish(c->mosq, NULL, topic, (int)size, payload, 1, false);
	if (rc == MOSQ_ERR_SUCCESS)
		return 0;
	snprintf(c->why, sizeof(c->why), "cannot publish to %s: %s", topic, mosquitto_strerror(rc));
	return -1;
}

int control_subscribe(struct control *c, const char *filter, control_on_message *fn, void *ctx)
{
	int mid = 0, before = c->subscribed = 0;
	c->on_message = fn;
	c->ctx = ctx;
	int rc = mosquitto_subscribe(c->mosq, &mid, filter, 0);
	if (rc != MOSQ_ERR_SUCCESS) {
		snprintf(c->why, sizeof(c->why), "cannot subscribe to %s: %s", filter, mosquitto_strerror(rc));
		return -1;
	}
	if (wait_while(c, &c->subscribed, before) != 0)
		return -1;
	if (c->granted <= 2)
		return 0;
	snprintf(c->why, sizeof(c->why), "the broker refused the subscription to %s", filter);
	return -1;
}

static char *envelope(struct control *c, struct sk_arena *a, const char *command, const cJSON *in)
{
	cJSON *request = sk_json_object(a), *commands = sk_json_set_array(a, request, "commands"), *one = sk_json_object(a);
	sk_json_set_string(a, one, "command", command);
	sk_json_set_string(a, one, "correlationData", c->token);
	SK_JSON_EACH(input, in)
		sk_json_set(a, one, input->string, sk_json_copy(a, input));
	sk_json_append(commands, one);
	return sk_json_print(a, request, NULL);
}

const cJSON *control_call(struct control *c, struct sk_arena *a, const char *command, const cJSON *in)
{
	int waiting = 0;
	snprintf(c->token, sizeof(c->token), "%u", ++c->calls);
	char *text = envelope(c, a, command, in);
	c->into = a;
	c->response = NULL;
	if (!text || control_publish(c, REQUEST, text, strlen(text)) != 0) {
		if (!text)
			snprintf(c->why, sizeof(c->why), "out of memory");
		return NULL;
	}
	int64_t end = control_clock_ms() + c->timeout_ms;
	while (!c->response && control_clock_ms() < end)
		if ((waiting = control_wait(c, 100)) != 0)
			break;
	c->into = NULL;
	if (!c->response && waiting == 0)
		snprintf(c->why, sizeof(c->why), "no answer to %s from %s within %d s: is it listed in plugin_opt_operators?", command,
		         c->socket, c->timeout_ms / 1000);
	return c->response;
}
