/* broker_wake.c -- making the broker turn its loop when a worker has something for it.
 *
 * TICK alone comes every 100 ms when the broker is idle. So an eventfd of ours is put into the broker's own epoll set; the event
 * carries a pointer to something that starts with an `ident` which the broker's dispatcher does not know, so it does nothing and
 * TICK follows (true of 2.0.0 to 2.1; tested at start and while running: three wake-ups over 50 ms switch to the fall-back, and since a
 * machine that is merely busy does that too, the eventfd is tried again, after a second, then after twice as long each time). The
 * fall-back is a client of our own that sends PINGREQ; without a socket for it, plain TICK. */
#include "core/broker_internal.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#define SLOW_US 50000
#define SLOW_MOST 3
#define RETRY_US 1000000
#define RETRY_MOST_US 60000000

/* What the broker takes for a client structure: `ident` comes first there; 1, 2 and 3 are its own. */
static struct { int ident; char rest[4096]; } not_a_client = { .ident = 0x534b };

/* -- finding the broker's epoll -- */

static bool is_listening(int fd)
{
	int yes = 0;
	socklen_t n = sizeof yes;
	return getsockopt(fd, SOL_SOCKET, SO_ACCEPTCONN, &yes, &n) == 0 && yes;
}

static bool watches_a_listener(int fd)
{
	char path[64], line[256];
	int target;
	bool found = false;
	snprintf(path, sizeof path, "/proc/self/fdinfo/%d", fd);
	FILE *f = fopen(path, "re");
	while (f && !found && fgets(line, sizeof line, f))
		found = sscanf(line, "tfd: %d", &target) == 1 && is_listening(target);
	if (f)
		fclose(f);
	return found;
}

static bool is_epoll(int fd)
{
	char path[64], link[64];
	snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
	ssize_t n = readlink(path, link, sizeof link - 1);
	if (n < 0)
		return false;
	link[n] = '\0';
	return !strcmp(link, "anon_inode:[eventpoll]");
}

static int find_epoll(void)
{
	DIR *d = opendir("/proc/self/fd");
	int found = -1;
	for (struct dirent *e; d && found < 0 && (e = readdir(d));) {
		int fd = atoi(e->d_name);
		if (e->d_name[0] != '.' && is_epoll(fd) && watches_a_listener(fd))
			found = fd;
	}
	if (d)
		closedir(d);
	return found;
}

static bool join_the_loop(void)
{
	int epoll = find_epoll();
	struct epoll_event ev = { .events = EPOLLIN | EPOLLET, .data.ptr = &not_a_client };
	if (epoll < 0)
		return false;
	sk_broker.event_fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
	if (sk_broker.event_fd < 0)
		return false;
	if (!epoll_ctl(epoll, EPOLL_CTL_ADD, sk_broker.event_fd, &ev))
		return true;
	close(sk_broker.event_fd);
	sk_broker.event_fd = -1;
	return false;
}

/* -- modes -- */

static void plan_retry(void)
{
	int64_t now = sk_mono_us();
	bool lately = sk_broker.retry_at && now - sk_broker.retry_at < 2 * RETRY_MOST_US;
	sk_broker.retry_us = !lately ? RETRY_US : sk_broker.retry_us < RETRY_MOST_US / 2 ? sk_broker.retry_us * 2 : RETRY_MOST_US;
	sk_broker.retry_at = now + sk_broker.retry_us;
}

static void fall_back(const char *why)
{
	const char *socket = sk_broker.options->wake_socket;
	if (sk_broker.wake_mode != SK_WAKE_PING && socket && *socket && (sk_broker.ping || (sk_broker.ping = sk_ping_start(socket)))) {
		sk_broker.wake_mode = SK_WAKE_PING;
		mosquitto_log_printf(MOSQ_LOG_WARNING, "skeeter: core: %s: waking the broker through a client on %s", why, socket);
	} else {
		sk_broker.wake_mode = SK_WAKE_TICK;
		mosquitto_log_printf(MOSQ_LOG_WARNING, "skeeter: core: %s: answers wait for the broker's tick, up to 100 ms%s", why,
		                     socket && *socket ? "" : " (plugin_opt_wake_socket names a unix-socket listener that would do better)");
	}
	sk_broker.slow_wakes = 0;
	plan_retry();
}

/* One slow wake-up is enough then to fall back again. */
void sk_wake_retry(void)
{
	if (sk_broker.wake_mode == SK_WAKE_EVENTFD || sk_broker.event_fd < 0 || sk_mono_us() < sk_broker.retry_at)
		return;
	mosquitto_log_printf(MOSQ_LOG_NOTICE, "skeeter: core: waking the broker through its own loop is tried again");
	sk_broker.wake_mode = SK_WAKE_EVENTFD;
	sk_broker.slow_wakes = SLOW_MOST - 1;
	sk_wake_again();
	atomic_store(&sk_broker.rt->outbox.filled, true);
}

void sk_wake_start(void)
{
	static const enum sk_wake_mode forced[] = { SK_WAKE_EVENTFD, SK_WAKE_EVENTFD, SK_WAKE_PING, SK_WAKE_TICK };
	enum sk_wake_mode mode = forced[sk_broker.options->wake];
	if (mode == SK_WAKE_EVENTFD && join_the_loop()) {
		sk_broker.wake_mode = SK_WAKE_EVENTFD;
		sk_wake_again(); /* the self-test: the next TICK must come well before an idle one */
		atomic_store(&sk_broker.rt->outbox.filled, true);
		return;
	}
	if (mode == SK_WAKE_TICK)
		sk_broker.wake_mode = SK_WAKE_TICK;
	else
		fall_back(mode == SK_WAKE_PING ? "plugin_opt_wake ping" : "the broker's epoll was not found");
}

static void wake_now(void)
{
	uint64_t one = 1;
	switch (sk_broker.wake_mode) {
	case SK_WAKE_EVENTFD:
		if (write(sk_broker.event_fd, &one, sizeof one) < 0 && errno != EAGAIN)
			SK_COUNT(sk_broker.rt->count.wakes_slow);
		break;
	case SK_WAKE_PING:
		sk_ping(sk_broker.ping);
		break;
	default:
		break;
	}
}

void sk_wake_broker(void *ctx)
{
	int64_t none = 0;
	(void)ctx;
	atomic_compare_exchange_strong(&sk_broker.woken_at, &none, sk_mono_us());
	SK_COUNT(sk_broker.rt->count.wakes);
	wake_now();
}

void sk_wake_again(void)
{
	sk_wake_broker(NULL);
}

void sk_wake_tick(void)
{
	int64_t since = atomic_exchange(&sk_broker.woken_at, 0);
	if (!since || sk_broker.wake_mode == SK_WAKE_TICK)
		return;
	if (sk_mono_us() - since < SLOW_US) {
		sk_broker.slow_wakes = 0;
		return;
	}
	SK_COUNT(sk_broker.rt->count.wakes_slow);
	if (++sk_broker.slow_wakes >= SLOW_MOST)
		fall_back("wake-ups take over 50 ms");
}

void sk_wake_stop(void)
{
	sk_ping_stop(&sk_broker.ping);
	if (sk_broker.event_fd >= 0)
		close(sk_broker.event_fd);
	sk_broker.event_fd = -1;
	sk_broker.wake_mode = SK_WAKE_TICK;
}
