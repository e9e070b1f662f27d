/* load_connection.c -- see load_connection.h. Buffers grow to what a connection needs, since there may be thousands of them. */
#include "tests/bench/load_connection.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "tests/bench/packets.h"

enum { ROOM = 1024 };

void load_die(const char *what, const char *detail)
{
	fprintf(stderr, "load: %s: %s\n", what, detail);
	exit(1);
}

SSL_CTX *target_tls(const char *cafile, const char *cert, const char *key)
{
	SSL_CTX *ctx = SSL_CTX_new(TLS_client_method());
	if (!ctx || SSL_CTX_load_verify_locations(ctx, cafile, NULL) != 1)
		load_die(cafile, "is no CA");
	if (cert && (SSL_CTX_use_certificate_chain_file(ctx, cert) != 1 || SSL_CTX_use_PrivateKey_file(ctx, key, SSL_FILETYPE_PEM) != 1))
		load_die(cert, "is no certificate with its key");
	SSL_CTX_set_verify(ctx, SSL_VERIFY_PEER, NULL);
	SSL_CTX_set_mode(ctx, SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER | SSL_MODE_RELEASE_BUFFERS);
	return ctx;
}

static void reserve(unsigned char **buffer, size_t *room, size_t n)
{
	if (n <= *room)
		return;
	*room = n < ROOM ? ROOM : n * 2;
	*buffer = realloc(*buffer, *room);
	if (!*buffer)
		load_die("memory", "is out");
}

/* -- bytes -- */

/* What went, 0 when the socket is full for now. */
static size_t write_some(struct connection *c, const unsigned char *p, size_t n)
{
	if (c->ssl) {
		int sent = SSL_write(c->ssl, p, (int)n), why = sent > 0 ? 0 : SSL_get_error(c->ssl, sent);
		if (why && why != SSL_ERROR_WANT_WRITE && why != SSL_ERROR_WANT_READ)
			load_die("send", "the broker closed a TLS connection");
		return sent > 0 ? (size_t)sent : 0;
	}
	ssize_t sent = send(c->fd, p, n, MSG_NOSIGNAL);
	if (sent < 0 && errno != EAGAIN)
		load_die("send", strerror(errno));
	return sent > 0 ? (size_t)sent : 0;
}

static size_t read_some(struct connection *c)
{
	reserve(&c->in, &c->in_room, c->filled + ROOM);
	size_t room = c->in_room - c->filled;
	if (c->ssl) {
		int got = SSL_read(c->ssl, c->in + c->filled, (int)room), why = got > 0 ? 0 : SSL_get_error(c->ssl, got);
		if (why && why != SSL_ERROR_WANT_READ && why != SSL_ERROR_WANT_WRITE)
			load_die("read", "the broker closed a TLS connection");
		return got > 0 ? (size_t)got : 0;
	}
	ssize_t got = read(c->fd, c->in + c->filled, room);
	if (!got || (got < 0 && errno != EAGAIN))
		load_die("read", got ? strerror(errno) : "the broker closed a connection");
	return got > 0 ? (size_t)got : 0;
}

bool connection_flush(struct connection *c)
{
	size_t sent = 0, n;
	while (sent < c->waiting && (n = write_some(c, c->out + sent, c->waiting - sent)))
		sent += n;
	memmove(c->out, c->out + sent, c->waiting - sent);
	c->waiting -= sent;
	return !c->waiting;
}

void connection_keep(struct connection *c, const unsigned char *packet, size_t n)
{
	reserve(&c->out, &c->out_room, c->waiting + n);
	memcpy(c->out + c->waiting, packet, n);
	c->waiting += n;
}

void connection_say(struct connection *c, const unsigned char *packet, size_t n)
{
	size_t sent = 0, some;
	while (!c->waiting && sent < n && (some = write_some(c, packet + sent, n - sent)))
		sent += some;
	if (sent < n)
		connection_keep(c, packet + sent, n - sent);
}

static void take_packets(struct connection *c, packet_seen *seen, void *context)
{
	size_t at = 0, head, n;
	for (; (n = packet_whole(c->in + at, c->filled - at, &head)); at += n)
		seen(context, c, c->in + at, head);
	memmove(c->in, c->in + at, c->filled - at);
	c->filled -= at;
}

void connection_hear(struct connection *c, packet_seen *seen, void *context)
{
	for (size_t n; (n = read_some(c));) {
		c->filled += n;
		bool all = !c->ssl && c->filled < c->in_room;
		take_packets(c, seen, context);
		if (all)
			return;
	}
}

/* -- the beginning -- */

void connection_await(struct connection *c, int type)
{
	for (;;) {
		size_t head, n = packet_whole(c->in, c->filled, &head);
		if (!n) {
			c->filled += read_some(c);
			continue;
		}
		int first = c->in[0] >> 4, code = n > 3 ? c->in[3] : 0;
		memmove(c->in, c->in + n, c->filled - n);
		c->filled -= n;
		if (first == type && type == 2 && code)
			load_die("connect", "the broker refused a CONNECT");
		if (first == type)
			return;
	}
}

static int open_socket(const char *address)
{
	struct sockaddr_un un = { .sun_family = AF_UNIX };
	struct sockaddr_in in = { .sin_family = AF_INET, .sin_port = htons((uint16_t)atoi(address)), .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	bool path = strchr(address, '/') != NULL;
	int fd = socket(path ? AF_UNIX : AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), one = 1;
	snprintf(un.sun_path, sizeof un.sun_path, "%s", address);
	if (fd < 0 || connect(fd, path ? (const struct sockaddr *)&un : (const struct sockaddr *)&in, path ? sizeof un : sizeof in))
		load_die(address, strerror(errno));
	if (!path)
		setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
	return fd;
}

static void start_tls(struct connection *c, SSL_CTX *tls)
{
	c->ssl = SSL_new(tls);
	if (!c->ssl || SSL_set_fd(c->ssl, c->fd) != 1 || SSL_connect(c->ssl) != 1)
		load_die("TLS", "the handshake failed");
}

static void say_connect(struct connection *c, const struct target *t)
{
	unsigned char p[600], body[580];
	char id[64];
	snprintf(id, sizeof id, "%s-%d", t->prefix, c->number);
	size_t n = packet_text(body, "MQTT");
	memcpy(body + n, "\x04\x02\x00\x00", 4);
	if (t->user)
		body[n + 1] |= 0xc0;
	n += 4 + packet_text(body + n + 4, id);
	if (t->user) {
		n += packet_text(body + n, t->user);
		n += packet_text(body + n, t->password);
	}
	size_t h = packet_header(p, 0x10, n);
	memcpy(p + h, body, n);
	connection_say(c, p, h + n);
}

void connection_begin(struct connection *c, const struct target *t, int number)
{
	*c = (struct connection){ .fd = open_socket(t->address), .number = number };
	if (t->tls)
		start_tls(c, t->tls);
	say_connect(c, t);
}

void connection_open(struct connection *c, const struct target *t, int number)
{
	connection_begin(c, t, number);
	connection_await(c, 2);
}

void connection_subscribe(struct connection *c, const char *filter, int qos)
{
	unsigned char p[300], body[280] = { 0, 1 };
	size_t n = 2 + packet_text(body + 2, filter);
	body[n++] = (unsigned char)qos;
	size_t h = packet_header(p, 0x82, n);
	memcpy(p + h, body, n);
	connection_say(c, p, h + n);
	connection_await(c, 9);
}

void connection_release(struct connection *c)
{
	fcntl(c->fd, F_SETFL, O_NONBLOCK);
}

void connection_close(struct connection *c)
{
	if (c->ssl)
		SSL_free(c->ssl);
	close(c->fd);
	free(c->in);
	free(c->out);
}
