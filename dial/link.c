/* link.c -- a socket that never blocks without an end, and TLS over it through buffers in memory, so that the socket's calls are ours. See link.h.
 *
 * Nothing here raises SIGPIPE, and fd -1 means that there is neither a socket nor TLS. */
#include "dial/link.h"

#include <errno.h>
#include <netdb.h>
#include <netinet/tcp.h>
#include <openssl/err.h>
#include <openssl/x509v3.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "core/why.h"

enum { CHUNK = 16384 };

#define failed(l, ...) sk_why((l)->why, sizeof (l)->why, __VA_ARGS__)

/* -- the socket -- */

/* What of it has come about, or -1. */
static int wait_for(struct dial *l, short what)
{
	struct pollfd p = { .fd = l->fd, .events = what };

	for (;;) {
		int64_t left = l->until - l->now();
		int n = left > 0 ? poll(&p, 1, (int)(left < 60000 ? left : 60000)) : 0;
		if (n > 0)
			return p.revents;
		if (n < 0 && errno != EINTR)
			return failed(l, "%s", strerror(errno));
		if (left <= 0)
			return failed(l, "timed out");
	}
}

static bool early_room(struct dial *l)
{
	size_t room = l->early.room ? 2 * l->early.room : CHUNK;
	char *larger = l->early.room - l->early.have < CHUNK ? realloc(l->early.bytes, room) : NULL;

	if (larger) {
		l->early.bytes = larger;
		l->early.room = room;
	}
	return l->early.room > l->early.have;
}

/* What has come while we would send. An end of it is found again by who receives. */
static void take_early(struct dial *l)
{
	while (early_room(l)) {
		ssize_t n = recv(l->fd, l->early.bytes + l->early.have, l->early.room - l->early.have, MSG_DONTWAIT);
		if (n <= 0) {
			l->early.end = !n || (errno != EAGAIN && errno != EINTR);
			return;
		}
		l->early.have += (size_t)n;
	}
	l->early.end = true;
}

static int wait_to_send(struct dial *l)
{
	int what = wait_for(l, l->greedy && !l->early.end ? POLLOUT | POLLIN : POLLOUT);

	if (what > 0 && what & POLLIN)
		take_early(l);
	return what < 0 ? -1 : 0;
}

static int send_all(struct dial *l, const char *bytes, size_t n)
{
	while (n) {
		ssize_t sent = send(l->fd, bytes, n, MSG_NOSIGNAL | MSG_DONTWAIT);
		if (sent < 0 && (errno == EAGAIN || errno == EINTR)) {
			if (wait_to_send(l))
				return -1;
			continue;
		}
		if (sent < 0)
			return failed(l, "%s", strerror(errno));
		bytes += sent;
		n -= (size_t)sent;
	}
	return 0;
}

static long given_early(struct dial *l, char *to, size_t room)
{
	size_t n = l->early.have - l->early.taken;

	if (n > room)
		n = room;
	memcpy(to, l->early.bytes + l->early.taken, n);
	l->early.taken += n;
	if (l->early.taken == l->early.have) {
		free(l->early.bytes);
		memset(&l->early, 0, sizeof l->early);
	}
	return (long)n;
}

static long receive_some(struct dial *l, char *to, size_t room)
{
	if (l->early.have)
		return given_early(l, to, room);
	for (;;) {
		ssize_t n = recv(l->fd, to, room, MSG_DONTWAIT);
		if (n > 0)
			return n;
		if (!n)
			return failed(l, "the server closed the connection");
		if (errno != EAGAIN && errno != EINTR)
			return failed(l, "%s", strerror(errno));
		if (wait_for(l, POLLIN) < 0)
			return -1;
	}
}

static int connected(struct dial *l, const struct sockaddr *to, socklen_t size)
{
	int fault = 0;
	socklen_t n = sizeof fault;

	l->fd = socket(to->sa_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (l->fd < 0)
		return failed(l, "%s", strerror(errno));
	if (!connect(l->fd, to, size))
		return 0;
	if (errno != EINPROGRESS)
		return failed(l, "%s", strerror(errno));
	if (wait_for(l, POLLOUT) < 0)
		return -1;
	if (getsockopt(l->fd, SOL_SOCKET, SO_ERROR, &fault, &n) || fault)
		return failed(l, "%s", strerror(fault ? fault : errno));
	return 0;
}

static int connect_path(struct dial *l, const char *path)
{
	struct sockaddr_un to = { .sun_family = AF_UNIX };

	memcpy(to.sun_path, path, strnlen(path, sizeof to.sun_path - 1));
	return connected(l, (const struct sockaddr *)&to, sizeof to);
}

static void close_socket(struct dial *l)
{
	if (l->fd >= 0)
		close(l->fd);
	l->fd = -1;
}

/* Each address of the name in turn. */
static int connect_host(struct dial *l, const struct dial_to *to)
{
	const struct addrinfo hints = { .ai_socktype = SOCK_STREAM, .ai_flags = AI_ADDRCONFIG | AI_NUMERICSERV };
	struct addrinfo *list = NULL;
	char port[12];
	int yes = 1, rc;

	snprintf(port, sizeof port, "%d", to->port);
	rc = getaddrinfo(to->host, port, &hints, &list);
	if (rc)
		return failed(l, "%s", rc == EAI_SYSTEM ? strerror(errno) : gai_strerror(rc));
	rc = failed(l, "the name has no address");
	for (const struct addrinfo *i = list; i && rc; i = i->ai_next) {
		close_socket(l);
		rc = connected(l, i->ai_addr, i->ai_addrlen);
	}
	freeaddrinfo(list);
	if (rc)
		return -1;
	setsockopt(l->fd, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof yes);
	setsockopt(l->fd, SOL_SOCKET, SO_KEEPALIVE, &yes, sizeof yes);
	return 0;
}

/* -- TLS -- */

static int tls_failed(struct dial *l, const char *what)
{
	long verdict = l->tls ? SSL_get_verify_result(l->tls) : X509_V_OK;
	const char *reason = verdict != X509_V_OK ? X509_verify_cert_error_string(verdict) : ERR_reason_error_string(ERR_peek_error());

	failed(l, "%s: %s", what, reason ? reason : "no reason given");
	ERR_clear_error();
	return -1;
}

/* What TLS has written so far goes out. */
static int tls_flush(struct dial *l)
{
	char bytes[CHUNK];
	int n;

	while ((n = BIO_read(SSL_get_wbio(l->tls), bytes, sizeof bytes)) > 0)
		if (send_all(l, bytes, (size_t)n))
			return -1;
	return 0;
}

/* What an operation of TLS that answered `rc` asks for: 1: once more, -1: it has failed. */
static int tls_more(struct dial *l, int rc, const char *what)
{
	char bytes[CHUNK];
	int want = SSL_get_error(l->tls, rc);
	long n;

	if (want == SSL_ERROR_ZERO_RETURN)
		return failed(l, "the server closed the connection");
	if (want != SSL_ERROR_WANT_READ)
		return tls_failed(l, what);
	if (tls_flush(l))
		return -1;
	n = receive_some(l, bytes, sizeof bytes);
	if (n < 0)
		return -1;
	return BIO_write(SSL_get_rbio(l->tls), bytes, (int)n) == (int)n ? 1 : tls_failed(l, what);
}

int dial_prepare(struct dial *l, const struct dial_to *to)
{
	ERR_clear_error();
	l->context = SSL_CTX_new(TLS_client_method());
	if (!l->context || !SSL_CTX_set_min_proto_version(l->context, TLS1_2_VERSION))
		return tls_failed(l, "TLS");
	SSL_CTX_set_verify(l->context, SSL_VERIFY_PEER, NULL);
	if (to->ca ? !SSL_CTX_load_verify_locations(l->context, to->ca, NULL) : !SSL_CTX_set_default_verify_paths(l->context))
		return tls_failed(l, "tls.ca");
	if (to->certificate && SSL_CTX_use_certificate_chain_file(l->context, to->certificate) != 1)
		return tls_failed(l, "tls.certificate");
	if (to->key && SSL_CTX_use_PrivateKey_file(l->context, to->key, SSL_FILETYPE_PEM) != 1)
		return tls_failed(l, "tls.key");
	return 0;
}

/* The certificate must be of the host that is asked for, by its name or its address. */
static int tls_expect(struct dial *l, const char *host)
{
	X509_VERIFY_PARAM *p = SSL_get0_param(l->tls);

	if (X509_VERIFY_PARAM_set1_ip_asc(p, host) == 1)
		return 0;
	ERR_clear_error();
	return SSL_set1_host(l->tls, host) == 1 && SSL_set_tlsext_host_name(l->tls, host) == 1 ? 0 : tls_failed(l, "TLS");
}

int dial_secure(struct dial *l, const struct dial_to *to)
{
	BIO *in = BIO_new(BIO_s_mem()), *out = BIO_new(BIO_s_mem());
	int rc = l->context ? 0 : dial_prepare(l, to);

	ERR_clear_error();
	l->tls = rc || !in || !out ? NULL : SSL_new(l->context);
	if (!l->tls) {
		BIO_free(in);
		BIO_free(out);
		return rc ? -1 : tls_failed(l, "TLS");
	}
	SSL_set_bio(l->tls, in, out);
	if (tls_expect(l, to->host))
		return -1;
	while ((rc = SSL_connect(l->tls)) != 1)
		if (tls_more(l, rc, "TLS") < 0)
			return -1;
	return tls_flush(l);
}

/* -- either -- */

int dial_open(struct dial *l, const struct dial_to *to)
{
	l->fd = -1;
	return to->path ? connect_path(l, to->path) : connect_host(l, to);
}

int dial_send(struct dial *l, const char *bytes, size_t n)
{
	if (!l->tls)
		return send_all(l, bytes, n);
	ERR_clear_error();
	while (n) {
		int some = n < CHUNK ? (int)n : CHUNK, rc = SSL_write(l->tls, bytes, some);
		if (rc <= 0 && tls_more(l, rc, "TLS") < 0)
			return -1;
		if (rc > 0 && tls_flush(l))
			return -1;
		bytes += rc > 0 ? rc : 0;
		n -= rc > 0 ? (size_t)rc : 0;
	}
	return 0;
}

long dial_receive(struct dial *l, char *to, size_t room)
{
	if (!l->tls)
		return receive_some(l, to, room);
	ERR_clear_error();
	for (;;) {
		int rc = SSL_read(l->tls, to, (int)(room < CHUNK ? room : CHUNK));
		if (rc > 0)
			return rc;
		if (tls_more(l, rc, "TLS") < 0)
			return -1;
	}
}

long dial_take(struct dial *l, char *to, size_t room)
{
	ERR_clear_error();
	while (dial_pending(l)) {
		int rc = l->tls ? SSL_read(l->tls, to, (int)(room < CHUNK ? room : CHUNK)) : 0;
		if (!l->tls)
			return receive_some(l, to, room);
		if (rc > 0)
			return rc;
		if (tls_more(l, rc, "TLS") < 0)
			return -1;
	}
	return 0;
}

int dial_more(struct dial *l, struct dial_input *in)
{
	long n;

	memmove(in->bytes, in->bytes + in->taken, in->have - in->taken);
	in->have -= in->taken;
	in->taken = 0;
	if (in->have == in->room)
		return failed(l, "the server sends more than it may");
	n = dial_receive(l, in->bytes + in->have, in->room - in->have);
	in->have += n > 0 ? (size_t)n : 0;
	return n > 0 ? 0 : -1;
}

bool dial_pending(const struct dial *l)
{
	struct pollfd p = { .fd = l->fd, .events = POLLIN };

	return l->early.have || (l->tls && (SSL_pending(l->tls) || BIO_pending(SSL_get_rbio(l->tls)))) || (l->fd >= 0 && poll(&p, 1, 0) > 0);
}

bool dial_stale(const struct dial *l)
{
	struct pollfd p = { .fd = l->fd, .events = POLLIN };
	char byte;

	/* Between records TLS may have something to say that is no data: tickets. An end is seen by recv(). */
	return l->fd < 0 || (!l->tls && l->early.have) || (poll(&p, 1, 0) > 0 && (!l->tls || recv(l->fd, &byte, 1, MSG_PEEK | MSG_DONTWAIT) <= 0));
}

void dial_close(struct dial *l)
{
	SSL_free(l->tls);
	SSL_CTX_free(l->context);
	l->tls = NULL;
	l->context = NULL;
	free(l->early.bytes);
	memset(&l->early, 0, sizeof l->early);
	close_socket(l);
}
