/* retained_link.c -- see retained_link.h. The other end is this very process, so all waiting is bounded: its thread may be waiting for ours. */
#include "core/retained_link.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

enum { FIRST_ROOM = 4096, WRITE_MS = 5000 };

int sk_link_thread(pthread_t *thread, void *(*run)(void *), void *arg)
{
	sigset_t all, before;
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	int rc = pthread_create(thread, NULL, run, arg);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	return rc ? -1 : 0;
}

/* -- names of listeners -- */

/* "127.0.0.1:1883": only this host's own addresses, since what is asked is this process. */
static bool read_address(const char *listener, struct sockaddr_in *out)
{
	char host[16];
	const char *colon = strchr(listener, ':');
	char *end;
	if (!colon || (size_t)(colon - listener) >= sizeof host)
		return false;
	memcpy(host, listener, (size_t)(colon - listener));
	host[colon - listener] = '\0';
	long port = strtol(colon + 1, &end, 10);
	*out = (struct sockaddr_in){ .sin_family = AF_INET, .sin_port = htons((uint16_t)port) };
	return !*end && port > 0 && port < 65536 && inet_pton(AF_INET, host, &out->sin_addr) == 1 && ntohl(out->sin_addr.s_addr) >> 24 == 127;
}

const char *sk_link_fault(const char *listener)
{
	struct sockaddr_in in;
	struct sockaddr_un un;
	if (strchr(listener, '/'))
		return strlen(listener) < sizeof un.sun_path ? NULL : "the path is too long for a socket";
	return read_address(listener, &in) ? NULL : "neither the path of a unix socket nor 127.0.0.1 and a port";
}

/* -- the connection -- */

int sk_link_init(struct sk_link *l, int64_t (*now_ms)(void))
{
	*l = (struct sk_link){ .fd = -1, .now_ms = now_ms };
	l->bell = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
	return l->bell < 0 ? -1 : 0;
}

void sk_link_free(struct sk_link *l)
{
	sk_link_close(l);
	if (l->bell >= 0)
		close(l->bell);
	free(l->in);
	l->in = NULL;
	l->bell = -1;
}

void sk_link_close(struct sk_link *l)
{
	if (l->fd >= 0)
		close(l->fd);
	l->fd = -1;
	l->n = l->taken = 0;
}

int sk_link_open(struct sk_link *l, const char *listener)
{
	struct sockaddr_un un = { .sun_family = AF_UNIX };
	struct sockaddr_in in;
	bool path = strchr(listener, '/') != NULL;
	const struct sockaddr *to = path ? (const struct sockaddr *)&un : (const struct sockaddr *)&in;
	int one = 1;
	if (sk_link_fault(listener))
		return -1;
	if (path)
		strcpy(un.sun_path, listener);
	else
		read_address(listener, &in);
	l->fd = socket(to->sa_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (l->fd < 0)
		return -1;
	if (!path)
		setsockopt(l->fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
	if (!connect(l->fd, to, path ? sizeof un : sizeof in) || errno == EINPROGRESS)
		return 0;
	sk_link_close(l);
	return -1;
}

/* -- the bell -- */

void sk_link_ring(struct sk_link *l)
{
	uint64_t one = 1;
	while (write(l->bell, &one, sizeof one) < 0 && errno == EINTR)
		;
}

static void hush(struct sk_link *l)
{
	uint64_t rings;
	while (read(l->bell, &rings, sizeof rings) < 0 && errno == EINTR)
		;
}

/* What the connection is ready for; 0: the time is over or the bell has rung. */
static int wait_for(struct sk_link *l, short events, int64_t ms)
{
	struct pollfd fds[] = { { .fd = l->bell, .events = POLLIN }, { .fd = l->fd, .events = events } };
	int rc = poll(fds, 2, ms < 0 ? 0 : ms > 60000 ? 60000 : (int)ms);
	if (rc > 0 && fds[0].revents)
		hush(l);
	return rc > 0 ? fds[1].revents : 0;
}

void sk_link_pause(struct sk_link *l, int ms)
{
	struct pollfd bell = { .fd = l->bell, .events = POLLIN };
	if (poll(&bell, 1, ms) > 0)
		hush(l);
}

/* -- bytes -- */

int sk_link_write(struct sk_link *l, const struct sk_wire_out *out, atomic_bool *stop)
{
	int64_t until = l->now_ms() + WRITE_MS;
	for (size_t sent = 0; !out->failed && l->fd >= 0;) {
		ssize_t n = send(l->fd, out->at + sent, out->n - sent, MSG_NOSIGNAL);
		sent += n > 0 ? (size_t)n : 0;
		if (sent == out->n)
			return 0;
		if (n < 0 && errno != EAGAIN && errno != EINTR)
			return -1;
		wait_for(l, POLLOUT, until - l->now_ms());
		if (atomic_load(stop) || l->now_ms() >= until)
			return -1;
	}
	return -1;
}

/* Reads what is there. 0, or -1: the connection is over, or memory is out. */
static int fill(struct sk_link *l)
{
	if (l->n == l->room) {
		size_t room = l->room ? l->room * 2 : FIRST_ROOM;
		unsigned char *more = realloc(l->in, room);
		if (!more)
			return -1;
		l->in = more;
		l->room = room;
	}
	ssize_t n = recv(l->fd, l->in + l->n, l->room - l->n, 0);
	if (n > 0)
		l->n += (size_t)n;
	return n > 0 || (n < 0 && (errno == EAGAIN || errno == EINTR)) ? 0 : -1;
}

/* The packet that was read last is done with; a large one's room is given back. */
static void drop_taken(struct sk_link *l)
{
	memmove(l->in, l->in + l->taken, l->n - l->taken);
	l->n -= l->taken;
	l->taken = 0;
	if (l->room > 1 << 16 && l->n == 0) {
		free(l->in);
		l->in = NULL;
		l->room = 0;
	}
}

int sk_link_read(struct sk_link *l, struct sk_wire_packet *p, int64_t until_ms, atomic_bool *stop)
{
	if (l->taken)
		drop_taken(l);
	for (;;) {
		int rc = l->n ? sk_wire_packet(l->in, l->n, p) : 0;
		if (rc > 0)
			l->taken = p->whole;
		if (rc)
			return rc;
		int64_t left = until_ms - l->now_ms();
		if (atomic_load(stop))
			return -1;
		if (left <= 0)
			return 0;
		if (wait_for(l, POLLIN, left) && fill(l))
			return -1;
	}
}

int sk_link_wait(struct sk_link *l, int ms)
{
	struct sk_wire_packet p;
	if (l->taken)
		drop_taken(l);
	if (wait_for(l, POLLIN, ms) && fill(l))
		return -1;
	int rc = 0;
	while (l->n && (rc = sk_wire_packet(l->in, l->n, &p)) > 0) {
		l->taken = p.whole;
		drop_taken(l);
		if (p.type == SK_WIRE_DISCONNECT)
			return -1;
	}
	return rc < 0 ? -1 : 0;
}
