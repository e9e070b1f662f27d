/* http_load.c -- requests over keep-alive connections, each sent when the answer before it has come, for some seconds.
 *
 *   http_load PORT CONNECTIONS SECONDS VERB PATH [KEY-ID SECRET [BODY]]
 *
 * With a key each request is signed once, as SDKs do, and repeated as long as the second lasts. Prints "RATE P50-us P99-us ERRORS". */
#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "sigv4/sigv4.h"

enum { CONNECTIONS = 1024, SAMPLES = 1 << 22, ROOM = 8192 };

struct connection {
	int fd;
	size_t have;
	int64_t sent_us;
	char in[ROOM];
};

static struct connection all[CONNECTIONS];
static unsigned sample[SAMPLES];
static size_t samples, errors;
static char request[4096];
static size_t request_size;
static char **words;
static int word_count;

static int64_t now_us(clockid_t clock)
{
	struct timespec t;
	clock_gettime(clock, &t);
	return (int64_t)t.tv_sec * 1000000 + t.tv_nsec / 1000;
}

static void make_request(void)
{
	const char *verb = words[4], *path = words[5], *text = word_count > 8 ? words[8] : "";
	struct sk_arena a = { 0 };
	struct sigv4_field host = { "Host", "127.0.0.1" }, added[3];
	struct sigv4_request r = { .method = verb, .path = path, .query = "", .header = &host, .headers = 1 };
	struct sigv4_body body = { text, strlen(text) };
	struct sigv4_signer by = { .region = "us-east-1", .service = strstr(path, "/shadow") ? "iotdata" : "iot", .now_ms = now_us(CLOCK_REALTIME) / 1000 };
	size_t n = 0;
	if (word_count > 7) {
		by.key_id = words[6];
		by.secret = words[7];
		n = sigv4_sign(&a, &r, &body, &by, added);
	}
	int at = snprintf(request, sizeof request, "%s %s HTTP/1.1\r\nHost: 127.0.0.1\r\n", verb, path);
	for (size_t i = 0; i < n; i++)
		at += snprintf(request + at, sizeof request - (size_t)at, "%s: %s\r\n", added[i].name, added[i].value);
	if (body.size)
		at += snprintf(request + at, sizeof request - (size_t)at, "Content-Length: %zu\r\n", body.size);
	at += snprintf(request + at, sizeof request - (size_t)at, "\r\n%s", text);
	request_size = (size_t)at;
	sk_arena_free(&a);
}

static void ask(struct connection *c)
{
	c->have = 0;
	c->sent_us = now_us(CLOCK_MONOTONIC);
	if (write(c->fd, request, request_size) != (ssize_t)request_size)
		exit(2);
}

/* The answer is whole. */
static int whole(struct connection *c)
{
	c->in[c->have] = '\0';
	const char *head = strstr(c->in, "\r\n\r\n"), *length = strcasestr(c->in, "content-length:");
	return head && length && c->have >= (size_t)(head + 4 - c->in) + strtoul(length + 15, NULL, 10);
}

static void take(struct connection *c)
{
	ssize_t n = read(c->fd, c->in + c->have, ROOM - 1 - c->have);
	if (n <= 0)
		exit(3);
	c->have += (size_t)n;
	if (!whole(c))
		return;
	errors += strncmp(c->in, "HTTP/1.1 200", 12) != 0;
	if (samples < SAMPLES)
		sample[samples++] = (unsigned)(now_us(CLOCK_MONOTONIC) - c->sent_us);
	ask(c);
}

static int by_size(const void *a, const void *b)
{
	unsigned x = *(const unsigned *)a, y = *(const unsigned *)b;
	return (x > y) - (x < y);
}

static int open_all(int port, int n)
{
	struct sockaddr_in to = { .sin_family = AF_INET, .sin_port = htons((uint16_t)port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	int poll = epoll_create1(0);
	for (int i = 0; i < n; i++) {
		all[i].fd = socket(AF_INET, SOCK_STREAM, 0);
		struct epoll_event e = { .events = EPOLLIN, .data.ptr = &all[i] };
		if (connect(all[i].fd, (struct sockaddr *)&to, sizeof to) || epoll_ctl(poll, EPOLL_CTL_ADD, all[i].fd, &e))
			exit(4);
		ask(&all[i]);
	}
	return poll;
}

int main(int argc, char **argv)
{
	if (argc < 6 || atoi(argv[2]) > CONNECTIONS)
		return 1;
	words = argv;
	word_count = argc;
	make_request();
	int poll = open_all(atoi(argv[1]), atoi(argv[2]));
	int64_t began = now_us(CLOCK_MONOTONIC), signed_at = began, end = began + atoi(argv[3]) * 1000000ll, now;
	while ((now = now_us(CLOCK_MONOTONIC)) < end) {
		struct epoll_event events[128];
		int n = epoll_wait(poll, events, 128, 100);
		for (int i = 0; i < n; i++)
			take(events[i].data.ptr);
		if (now - signed_at > 1000000) {
			make_request();
			signed_at = now;
		}
	}
	qsort(sample, samples, sizeof *sample, by_size);
	printf("%.0f %u %u %zu\n", (double)samples * 1e6 / (double)(now - began), samples ? sample[samples / 2] : 0, samples ? sample[samples * 99 / 100] : 0, errors);
	return 0;
}
