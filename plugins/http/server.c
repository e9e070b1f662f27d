/* server.c -- see server.h. Several daemons of libmicrohttpd, one for each listener, none with a thread of its own: ours waits in an epoll
 * that holds their epolls and an eventfd, so whatever touches a connection runs here and needs no lock. */
#include "plugins/http/server.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "core/invoke.h"
#include "core/plugin.h"
#include "core/threads.h"
#include "core/why.h"
#include "plugins/http/server_internal.h"

enum { SECOND_MS = 1000, LAST_WORDS_MS = 2000, SPARE_CONNECTIONS = 64, EVENTS = SERVER_LISTENERS + 1 };

/* -- the thread -- */

void server_answered(struct http_call *x)
{
	struct http_server *v = x->connection->listener->server;
	static const uint64_t one = 1;
	struct http_call *first = atomic_load(&v->answered);
	do
		x->next = first;
	while (!atomic_compare_exchange_weak(&v->answered, &first, x));
	if (!first && write(v->event, &one, sizeof one) < 0)
		sk_log('e', "http", "the HTTP thread cannot be woken: %s", strerror(errno));
}

/* Whoever put the first one into the empty queue has rung. */
static void resume_answered(struct http_server *v)
{
	struct http_call *next;
	for (struct http_call *x = atomic_exchange(&v->answered, NULL); x; x = next) {
		next = x->next;
		x->connection->listener->due = true;
		MHD_resume_connection(x->connection->mhd);
	}
}

static void quiesce(struct http_server *v)
{
	v->quiesced = true;
	for (int i = 0; i < v->listeners; i++) {
		MHD_socket fd = v->listener[i].daemon ? MHD_quiesce_daemon(v->listener[i].daemon) : MHD_INVALID_SOCKET;
		if (fd != MHD_INVALID_SOCKET)
			close(fd);
	}
}

/* How long nothing is to be done, if nothing happens. */
static int patience(struct http_server *v)
{
	MHD_UNSIGNED_LONG_LONG ms;
	int least = SECOND_MS;
	for (int i = 0; i < v->listeners; i++) {
		struct http_listener *l = &v->listener[i];
		if (MHD_get_timeout(l->daemon, &ms) != MHD_YES || ms >= SECOND_MS)
			continue;
		l->due = l->due || ms == 0;
		least = (int)ms < least ? (int)ms : least;
	}
	return atomic_load(&v->stop) && least > 10 ? 10 : least;
}

static void turn(struct http_server *v)
{
	struct epoll_event events[EVENTS];
	int n = epoll_wait(v->epoll, events, EVENTS, patience(v));
	v->now_ms = sk_mono_us() / 1000;
	for (int i = 0; i < n; i++)
		if (events[i].data.ptr)
			((struct http_listener *)events[i].data.ptr)->due = true;
	resume_answered(v);
	if (atomic_load(&v->quiesce) && !v->quiesced)
		quiesce(v);
	bool second = v->now_ms - v->swept_ms >= SECOND_MS;
	sk_invoke_begin();
	for (int i = 0; i < v->listeners; i++) {
		struct http_listener *l = &v->listener[i];
		if (!l->due && !second)
			continue;
		l->due = false;
		MHD_run(l->daemon);
	}
	sk_invoke_end(sk_process());
	if (second) {
		v->swept_ms = v->now_ms;
		server_sweep(v);
	}
}

/* Answers that are given still go out; who does not take them is not waited for. */
static bool has_last_words(struct http_server *v)
{
	if (!v->stop_ms)
		v->stop_ms = v->now_ms + LAST_WORDS_MS;
	return v->list[CONNECTION_WAITING].oldest || (v->list[CONNECTION_SENDING].oldest && v->now_ms < v->stop_ms);
}

static void *loop(void *arg)
{
	struct http_server *v = arg;
	v->now_ms = v->swept_ms = sk_mono_us() / 1000;
	do
		turn(v);
	while (!atomic_load(&v->stop) || has_last_words(v));
	for (int i = 0; i < v->listeners; i++) {
		MHD_stop_daemon(v->listener[i].daemon);
		v->listener[i].daemon = NULL;
	}
	return NULL;
}

/* -- life -- */

static void no_log(void *cls, const char *fmt, va_list ap)
{
	(void)cls, (void)fmt, (void)ap;
}

/* Escapes are undone by request.c, which knows where they may stand. */
static size_t leave_escapes(void *cls, struct MHD_Connection *mhd, char *text)
{
	(void)cls, (void)mhd;
	return strlen(text);
}

static struct MHD_Daemon *make_daemon(struct http_listener *l)
{
	const struct http_server *v = l->server;
	unsigned flags = MHD_USE_EPOLL | MHD_ALLOW_SUSPEND_RESUME | MHD_USE_ERROR_LOG | (l->tls ? MHD_USE_TLS : 0);
	struct MHD_OptionItem tls[] = {
		{ MHD_OPTION_HTTPS_MEM_KEY, 0, v->key }, { MHD_OPTION_HTTPS_MEM_CERT, 0, v->certificate }, { MHD_OPTION_END, 0, NULL },
	};
	return MHD_start_daemon(flags, 0, NULL, NULL, server_on_request, l, MHD_OPTION_EXTERNAL_LOGGER, no_log, NULL,
	                        MHD_OPTION_LISTEN_SOCKET, l->fd, MHD_OPTION_CONNECTION_LIMIT, (unsigned)v->state->connections + SPARE_CONNECTIONS,
	                        MHD_OPTION_CONNECTION_MEMORY_LIMIT, (size_t)v->state->header * 2, MHD_OPTION_STRICT_FOR_CLIENT, 1,
	                        MHD_OPTION_SIGPIPE_HANDLED_BY_APP, 1, MHD_OPTION_URI_LOG_CALLBACK, server_on_uri, l,
	                        MHD_OPTION_UNESCAPE_CALLBACK, leave_escapes, NULL, MHD_OPTION_NOTIFY_COMPLETED, server_on_completed, l,
	                        MHD_OPTION_NOTIFY_CONNECTION, server_on_connection, l, MHD_OPTION_ARRAY, l->tls ? tls : tls + 2, MHD_OPTION_END);
}

static int watch(struct http_server *v, int fd, uint32_t events, void *ptr)
{
	struct epoll_event e = { .events = events, .data.ptr = ptr };
	return epoll_ctl(v->epoll, EPOLL_CTL_ADD, fd, &e);
}

static int start_listener(struct http_listener *l, char *why, size_t why_size)
{
	l->daemon = make_daemon(l);
	const union MHD_DaemonInfo *info = l->daemon ? MHD_get_daemon_info(l->daemon, MHD_DAEMON_INFO_EPOLL_FD) : NULL;
	if (l->daemon)
		l->fd = -1;
	if (!info || watch(l->server, info->epoll_fd, EPOLLIN, l))
		return sk_why(why, why_size, "the listener %s cannot be started%s", l->address, l->tls ? ": are certificate and key right?" : "");
	static const char *const modes[] = { [HTTP_SIGNED] = "signed requests", [HTTP_OPEN] = "anybody", [HTTP_DEVICE] = "devices" };
	sk_log('n', "http", "listening on %s%s for %s", l->tls ? "https://" : "http://", l->address, modes[l->access]);
	return 0;
}

int server_start(struct http_server *v, char *why, size_t why_size)
{
	sigset_t all, before;
	for (int i = 0; i < v->listeners; i++)
		if (start_listener(&v->listener[i], why, why_size))
			return -1;
	if (!v->listeners)
		return 0;
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	int error = pthread_create(&v->thread, NULL, loop, v);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	v->running = !error;
	return error ? sk_why(why, why_size, "a thread cannot be started: %s", strerror(error)) : 0;
}

struct http_server *server_new(struct http_state *s, char *why, size_t why_size)
{
	struct http_server *v = calloc(1, sizeof *v);
	if (!v) {
		sk_why(why, why_size, "memory is out");
		return NULL;
	}
	v->state = s;
	v->epoll = epoll_create1(EPOLL_CLOEXEC);
	v->event = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (v->epoll < 0 || v->event < 0 || watch(v, v->event, EPOLLIN | EPOLLET, NULL))
		sk_why(why, why_size, "no epoll: %s", strerror(errno));
	else if (!server_listen(v, why, why_size))
		return v;
	server_free(&v);
	return NULL;
}

static void wake(struct http_server *v)
{
	static const uint64_t one = 1;
	if (write(v->event, &one, sizeof one) < 0)
		return; /* it will turn within a second */
}

void server_quiesce(struct http_server *v)
{
	atomic_store(&v->quiesce, true);
	wake(v);
}

int64_t server_connections(const struct http_server *v)
{
	return atomic_load(&v->open);
}

void server_free(struct http_server **at)
{
	struct http_server *v = *at;
	*at = NULL;
	if (!v)
		return;
	atomic_store(&v->stop, true);
	wake(v);
	if (v->running)
		pthread_join(v->thread, NULL);
	for (int i = 0; i < v->listeners; i++) {
		if (v->listener[i].daemon)
			MHD_stop_daemon(v->listener[i].daemon);
		if (v->listener[i].fd >= 0)
			close(v->listener[i].fd);
	}
	server_free_calls(v);
	if (v->epoll >= 0)
		close(v->epoll);
	if (v->event >= 0)
		close(v->event);
	free(v->key);
	free(v->certificate);
	free(v);
}
