/* plugin.c -- skeeter_http: AWS's HTTP API for every operation of every loaded plugin. Glue only: server*.c speak HTTP, serve.c is a call's way. */
#include <stdio.h>
#include <sys/random.h>
#include <sys/resource.h>

#include "core/plugin.h"
#include "core/runtime.h"
#include "core/why.h"
#include "plugins/http/access_keys.h"
#include "plugins/http/keyring.h"
#include "plugins/http/serve.h"
#include "plugins/http/server.h"

#define SHAPES_FILE "plugins/http/http.shapes"
#define SHAPES_NAME shapes
#include "core/shape_table.h"

static const struct sk_op_group *const operations[] = { &access_keys_group, NULL };

static const struct sk_watch watches[] = { { "registry/access-key/", access_keys_watch }, { 0 } };

#define OPTION(type, field, init, values, prose) SK_OPTION(type, struct http_state, field, init, values, prose)

enum { HEADER_LEAST = 1024, HEADER_MOST = 1 << 20, BODY_MOST = 64 << 20 };

static const struct sk_option options[] = {
	OPTION(SK_STR, listen, NULL, NULL, "addresses for HTTP, separated by blanks: 127.0.0.1:8080, [::1]:8080"),
	OPTION(SK_STR, listen_tls, NULL, NULL, "addresses for HTTPS"),
	OPTION(SK_STR, listen_devices, NULL, NULL, "addresses for devices: HTTPS that asks for a certificate, the data plane under its policy"),
	OPTION(SK_STR, tls_cert, NULL, NULL, "PEM file of the certificate for HTTPS, with its chain"),
	OPTION(SK_STR, tls_key, NULL, NULL, "PEM file of its key"),
	OPTION(SK_CHOICE, auth, "signed", "signed open", "`signed`: requests are signed with an access key; `open`: anybody may do everything, on loopback addresses only"),
	OPTION(SK_STR, key_file, NULL, NULL, "file of the key that access keys' secrets are sealed with, made with mode 0600 when it is not there; none: "
	                                     "access-keys.key in the data folder"),
	OPTION(SK_BOOL, metrics, "true", NULL, "answer GET /metrics, without a signature"),
	OPTION(SK_INT, connections, "512", "1 100000", "connections at a time; one more ends the one that has been idle for longest"),
	OPTION(SK_SIZE, header, "16k", NULL, "most bytes of a request line and its headers, 1k to 1m"),
	OPTION(SK_SIZE, body, "1m", NULL, "most bytes of a request's body, at most 64m"),
	OPTION(SK_DURATION, idle, "60s", NULL, "how long a connection may do nothing between two requests"),
	OPTION(SK_DURATION, request_time, "30s", NULL, "how long a request may take to come in, and an answer to be taken"),
	{ 0 }
};

/* Mosquitto needs descriptors too: half of them are ours at most. */
static void limit_connections(struct http_state *s)
{
	struct rlimit files;
	if (getrlimit(RLIMIT_NOFILE, &files) || files.rlim_cur == RLIM_INFINITY || (rlim_t)s->connections <= files.rlim_cur / 2)
		return;
	int64_t most = (int64_t)(files.rlim_cur / 2);
	sk_log('w', "http", "plugin_opt_connections %lld is more than half of the descriptors that this process may have: %lld are used",
	       (long long)s->connections, (long long)most);
	s->connections = most > 0 ? most : 1;
}

static int open_keys(struct http_state *s, char *why, size_t why_size)
{
	uint8_t fresh[SK_SEAL_KEY];
	if (getrandom(fresh, sizeof fresh, 0) != (ssize_t)sizeof fresh)
		return sk_why(why, why_size, "the system has no random numbers");
	if (s->key_file)
		snprintf(s->key_path, sizeof s->key_path, "%s", s->key_file);
	else
		snprintf(s->key_path, sizeof s->key_path, "%s/access-keys.key", sk_data_dir());
	if (sk_seal_open("plugin_opt_key_file", s->key_path, fresh, s->seal, why, why_size))
		return -1;
	s->keys = keyring_new();
	return s->keys ? 0 : sk_why(why, why_size, "memory is out");
}

static int start(void *state, char *why, size_t why_size)
{
	struct http_state *s = state;
	if (s->header < HEADER_LEAST || s->header > HEADER_MOST)
		return sk_why(why, why_size, "plugin_opt_header must be 1k to 1m");
	if (s->body < 0 || s->body > BODY_MOST)
		return sk_why(why, why_size, "plugin_opt_body must be at most 64m");
	if (!s->idle || !s->request_time)
		return sk_why(why, why_size, "plugin_opt_idle and plugin_opt_request_time may not be 0");
	if (open_keys(s, why, why_size))
		return -1;
	limit_connections(s);
	pthread_rwlock_init(&s->gate, NULL);
	s->server = server_new(s, why, why_size);
	return s->server ? 0 : -1;
}

static void ready(void *state)
{
	struct http_state *s = state;
	char why[256];
	if (serve_open(s, sk_process(), why, sizeof why) || server_start(s->server, why, sizeof why))
		sk_log('e', "http", "%s", why);
}

static void quiesce(void *state)
{
	struct http_state *s = state;
	server_quiesce(s->server);
	serve_close(s);
}

static void stop(void *state)
{
	struct http_state *s = state;
	server_free(&s->server);
	keyring_free(&s->keys);
	sk_arena_free(&s->memory);
	pthread_rwlock_destroy(&s->gate);
}

SKEETER_PLUGIN(.name = "http", .prose = "AWS's HTTP API, metrics and health", .state_size = sizeof(struct http_state), .options = options,
               .operations = operations, .watches = watches, .reset = access_keys_reset, .shapes = shapes, .start = start, .ready = ready, .quiesce = quiesce, .stop = stop)
