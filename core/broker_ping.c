/* broker_ping.c -- the fall-back wake-up: an MQTT client of our own on a unix-socket listener. Each ring of its bell is one PINGREQ,
 * which makes the broker turn its loop. Its client id is a secret of this process, so nobody else is taken for it. */
#include "core/broker_internal.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/random.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

struct sk_ping {
	pthread_t thread;
	int bell; /* eventfd */
	atomic_bool stop;
	struct sockaddr_un address;
};

static char our_id[40];

bool sk_ping_is(const char *client_id)
{
	return our_id[0] && client_id && !strcmp(client_id, our_id);
}

static int connect_socket(const struct sk_ping *p)
{
	unsigned char packet[64] = { 0x10, 0, 0, 4, 'M', 'Q', 'T', 'T', 4, 2, 0, 0, 0 };
	size_t id = strlen(our_id), n = 14;
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return -1;
	packet[13] = (unsigned char)id;
	memcpy(packet + n, our_id, id);
	n += id;
	packet[1] = (unsigned char)(n - 2);
	if (connect(fd, (const struct sockaddr *)&p->address, sizeof p->address) || send(fd, packet, n, MSG_NOSIGNAL) != (ssize_t)n) {
		close(fd);
		return -1;
	}
	return fd;
}

/* Reads whatever the broker answers; false when the connection is over. */
static bool swallow_answers(int fd)
{
	char buf[256];
	ssize_t n = recv(fd, buf, sizeof buf, MSG_DONTWAIT);
	return n > 0 || (n < 0 && (errno == EAGAIN || errno == EINTR));
}

static void serve(struct sk_ping *p, int fd)
{
	static const unsigned char pingreq[] = { 0xc0, 0x00 };
	while (!atomic_load(&p->stop)) {
		struct pollfd fds[] = { { .fd = p->bell, .events = POLLIN }, { .fd = fd, .events = POLLIN } };
		uint64_t rings;
		if (poll(fds, 2, -1) < 0 && errno != EINTR)
			return;
		if (fds[1].revents && !swallow_answers(fd))
			return;
		if ((fds[0].revents & POLLIN) && read(p->bell, &rings, sizeof rings) > 0 &&
		    send(fd, pingreq, sizeof pingreq, MSG_NOSIGNAL) != sizeof pingreq)
			return;
	}
}

static void *run(void *arg)
{
	struct sk_ping *p = arg;
	while (!atomic_load(&p->stop)) {
		int fd = connect_socket(p);
		if (fd >= 0) {
			serve(p, fd);
			close(fd);
		}
		struct pollfd pause = { .fd = -1 };
		if (!atomic_load(&p->stop))
			poll(&pause, 0, 200);
	}
	return NULL;
}

static int start_thread(struct sk_ping *p)
{
	sigset_t all, before;
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	int rc = pthread_create(&p->thread, NULL, run, p);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	return rc;
}

struct sk_ping *sk_ping_start(const char *socket_path)
{
	uint64_t secret[2];
	struct sk_ping *p = calloc(1, sizeof *p);
	if (!p || strlen(socket_path) >= sizeof p->address.sun_path || getrandom(secret, sizeof secret, 0) != sizeof secret) {
		free(p);
		return NULL;
	}
	snprintf(our_id, sizeof our_id, "sk-%016llx%016llx", (unsigned long long)secret[0], (unsigned long long)secret[1]);
	p->address.sun_family = AF_UNIX;
	strcpy(p->address.sun_path, socket_path);
	p->bell = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
	if (p->bell >= 0 && !start_thread(p))
		return p;
	if (p->bell >= 0)
		close(p->bell);
	free(p);
	return NULL;
}

void sk_ping(struct sk_ping *p)
{
	uint64_t one = 1;
	if (p && write(p->bell, &one, sizeof one) < 0 && errno != EAGAIN)
		SK_COUNT(sk_broker.rt->count.wakes_slow);
}

void sk_ping_stop(struct sk_ping **at)
{
	struct sk_ping *p = *at;
	*at = NULL;
	if (!p)
		return;
	atomic_store(&p->stop, true);
	sk_ping(p);
	pthread_join(p->thread, NULL);
	close(p->bell);
	free(p);
}
