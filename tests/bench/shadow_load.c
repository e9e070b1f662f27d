/* shadow_load.c -- durable shadow updates through a real broker, against plain QoS 1 messages of the same clients in the same run.
 *
 * Usage: shadow_load SOCKET CLIENTS WINDOW MESSAGES ROUNDS. Each client keeps WINDOW requests under way: an update of its own thing's
 * shadow until `accepted` comes back, or a message to a topic that it subscribes. The two take turns, round by round; printed are the
 * medians and their ratio. Closed loop: latencies are those of a broker as busy as it can be. */
#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#include "tests/bench/packets.h"

enum { MOST_WINDOW = 64, BUFFER = 65536, MOST_ROUNDS = 21, GIVE_UP_S = 60 };

struct client {
	int fd, number;
	bool subscribed;
	size_t filled;
	unsigned sent, answered;
	double sent_at[MOST_WINDOW];
	unsigned char in[BUFFER];
};
struct round {
	bool shadow;
	int clients, window;
	long messages, answered;
	double *latency;
	struct client *client;
};

static double now(void)
{
	struct timespec t;
	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static void die(const char *what)
{
	fprintf(stderr, "shadow_load: %s: %s\n", what, errno ? strerror(errno) : "the broker closed the connection");
	exit(1);
}

/* -- packets -- */

static void send_all(struct client *c, const unsigned char *p, size_t n)
{
	if (send(c->fd, p, n, MSG_NOSIGNAL) != (ssize_t)n)
		die("send");
}

static void say_connect(struct client *c)
{
	unsigned char p[128], body[100];
	char id[32];
	snprintf(id, sizeof id, "load-%d", c->number);
	size_t n = packet_text(body, "MQTT");
	memcpy(body + n, "\x04\x02\x00\x00", 4);
	n += 4 + packet_text(body + n + 4, id);
	size_t h = packet_header(p, 0x10, n);
	memcpy(p + h, body, n);
	send_all(c, p, h + n);
}

static void topic_of(const struct round *r, const struct client *c, bool answer, char out[96])
{
	if (r->shadow)
		snprintf(out, 96, "$aws/things/load-%d/shadow/update%s", c->number, answer ? "/accepted" : "");
	else
		snprintf(out, 96, "load/%d", c->number);
}

static void say_subscribe(const struct round *r, struct client *c)
{
	unsigned char p[160], body[140] = { 0, 1 };
	char topic[96];
	topic_of(r, c, true, topic);
	size_t n = 2 + packet_text(body + 2, topic);
	body[n++] = 1;
	size_t h = packet_header(p, 0x82, n);
	memcpy(p + h, body, n);
	send_all(c, p, h + n);
}

static void say_publish(const struct round *r, struct client *c)
{
	unsigned char p[512], body[500];
	char topic[96];
	topic_of(r, c, false, topic);
	size_t n = packet_text(body, topic);
	body[n++] = 0;
	body[n++] = (unsigned char)(1 + c->sent % 200);
	n += (size_t)snprintf((char *)body + n, 200, "{\"state\":{\"reported\":{\"temperature\":%u.5,\"on\":true,\"name\":\"device number %d\"}}}",
	                      c->sent % 100, c->number);
	size_t h = packet_header(p, 0x32, n);
	memcpy(p + h, body, n);
	c->sent_at[c->sent++ % MOST_WINDOW] = now();
	send_all(c, p, h + n);
}

static void answered(struct round *r, struct client *c, const unsigned char *p, size_t head)
{
	size_t topic = (size_t)p[head] << 8 | p[head + 1];
	if (p[0] >> 1 & 3)
		send_all(c, (unsigned char[]){ 0x40, 2, p[head + 2 + topic], p[head + 3 + topic] }, 4);
	if (r->answered < r->messages)
		r->latency[r->answered] = now() - c->sent_at[c->answered % MOST_WINDOW];
	c->answered++;
	if (++r->answered < r->messages)
		say_publish(r, c);
}

static void packet(struct round *r, struct client *c, const unsigned char *p, size_t head)
{
	switch (p[0] >> 4) {
	case 2:
		say_subscribe(r, c);
		break;
	case 9:
		for (int i = 0; i < r->window; i++)
			say_publish(r, c);
		break;
	case 3:
		answered(r, c, p, head);
		break;
	default:
		break;
	}
}

static void receive(struct round *r, struct client *c)
{
	ssize_t got = read(c->fd, c->in + c->filled, BUFFER - c->filled);
	size_t at = 0, head, n;
	if (got <= 0) {
		errno = got < 0 ? errno : 0;
		die("read");
	}
	c->filled += (size_t)got;
	for (; (n = packet_whole(c->in + at, c->filled - at, &head)); at += n)
		packet(r, c, c->in + at, head);
	memmove(c->in, c->in + at, c->filled - at);
	c->filled -= at;
}

/* -- rounds -- */

static void open_clients(struct round *r, const char *path, int epoll)
{
	struct sockaddr_un a = { .sun_family = AF_UNIX };
	snprintf(a.sun_path, sizeof a.sun_path, "%s", path);
	for (int i = 0; i < r->clients; i++) {
		struct client *c = &r->client[i];
		memset(c, 0, sizeof *c);
		c->number = i;
		c->fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
		if (c->fd < 0 || connect(c->fd, (const struct sockaddr *)&a, sizeof a))
			die(path);
		say_connect(c);
		epoll_ctl(epoll, EPOLL_CTL_ADD, c->fd, &(struct epoll_event){ .events = EPOLLIN, .data.ptr = c });
	}
}

static double run(struct round *r, const char *path)
{
	int epoll = epoll_create1(EPOLL_CLOEXEC);
	struct epoll_event ev[256];
	r->answered = 0;
	open_clients(r, path, epoll);
	double start = now();
	while (r->answered < r->messages) {
		int n = epoll_wait(epoll, ev, 256, 1000);
		for (int i = 0; i < n; i++)
			receive(r, ev[i].data.ptr);
		if (now() - start > GIVE_UP_S) {
			errno = ETIMEDOUT;
			die("messages are missing");
		}
	}
	double seconds = now() - start;
	for (int i = 0; i < r->clients; i++)
		close(r->client[i].fd);
	close(epoll);
	return (double)r->messages / seconds;
}

static int by_value(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;
	return x < y ? -1 : x > y;
}

static double quantile(double *v, size_t n, double q)
{
	qsort(v, n, sizeof *v, by_value);
	return v[(size_t)((double)(n - 1) * q)];
}

int main(int argc, char **argv)
{
	double rate[2][MOST_ROUNDS], p99[2][MOST_ROUNDS], ratio[MOST_ROUNDS];
	if (argc != 6) {
		fprintf(stderr, "usage: shadow_load SOCKET CLIENTS WINDOW MESSAGES ROUNDS\n");
		return 2;
	}
	struct round r = { .clients = atoi(argv[2]), .window = atoi(argv[3]), .messages = atol(argv[4]) };
	size_t rounds = (size_t)atoi(argv[5]);
	r.latency = calloc((size_t)r.messages, sizeof *r.latency);
	r.client = calloc((size_t)r.clients, sizeof *r.client);
	if (!r.latency || !r.client || r.window > MOST_WINDOW || !rounds || rounds > MOST_ROUNDS)
		return 2;
	for (size_t i = 0; i < rounds; i++) {
		for (int kind = 0; kind < 2; kind++) {
			r.shadow = kind;
			rate[kind][i] = run(&r, argv[1]);
			p99[kind][i] = quantile(r.latency, (size_t)r.messages, 0.99) * 1e3;
		}
		ratio[i] = rate[1][i] / rate[0][i];
	}
	printf("%d clients, %d under way each: bare QoS 1 %.0f/s (p99 %.2f ms), durable shadow updates %.0f/s (p99 %.2f ms), ratio %.2f (%.2f to %.2f)\n",
	       r.clients, r.window, quantile(rate[0], rounds, 0.5), quantile(p99[0], rounds, 0.5), quantile(rate[1], rounds, 0.5),
	       quantile(p99[1], rounds, 0.5), quantile(ratio, rounds, 0.5), quantile(ratio, rounds, 0), quantile(ratio, rounds, 1));
	return 0;
}
