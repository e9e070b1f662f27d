/* server_listen.c -- the listening sockets: addresses are numeric and always written out, and what asks nobody listens on loopback only. */
#include <arpa/inet.h>
#include <errno.h>
#include <netdb.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "core/why.h"
#include "plugins/http/server_internal.h"

struct asked { /* one word of an option */
	const char *option;
	enum http_access access;
	bool tls;
	char *why;
	size_t why_size;
};

static bool is_loopback(const struct sockaddr *a)
{
	if (a->sa_family == AF_INET)
		return ntohl(((const struct sockaddr_in *)a)->sin_addr.s_addr) >> 24 == 127;
	return a->sa_family == AF_INET6 && IN6_IS_ADDR_LOOPBACK(&((const struct sockaddr_in6 *)a)->sin6_addr);
}

/* getaddrinfo() itself takes 65537 for 1. */
static bool is_port(const char *text)
{
	return *text && strspn(text, "0123456789") == strlen(text) && strlen(text) <= 5 && atoi(text) <= 65535;
}

/* "127.0.0.1:8080" and "[::1]:8080"; NULL: it is neither. */
static struct addrinfo *read_address(const char *text)
{
	static const struct addrinfo hints = { .ai_flags = AI_NUMERICHOST | AI_NUMERICSERV, .ai_socktype = SOCK_STREAM };
	char host[SERVER_ADDRESS];
	const char *colon = strrchr(text, ':');
	size_t n = colon ? (size_t)(colon - text) : 0;
	bool bracketed = n > 2 && *text == '[' && text[n - 1] == ']';
	struct addrinfo *list = NULL;
	if (!n || n >= sizeof host || !is_port(colon + 1) || (!bracketed && memchr(text, ':', n)))
		return NULL;
	snprintf(host, sizeof host, "%.*s", (int)(bracketed ? n - 2 : n), text + bracketed);
	return getaddrinfo(host, colon + 1, &hints, &list) ? NULL : list;
}

static int bind_to(const struct addrinfo *a)
{
	int fd = socket(a->ai_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0), one = 1;
	if (fd < 0)
		return -1;
	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
	if (a->ai_family == AF_INET6)
		setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &one, sizeof one);
	if (!bind(fd, a->ai_addr, a->ai_addrlen) && !listen(fd, 1024))
		return fd;
	int error = errno;
	close(fd);
	errno = error;
	return -1;
}

/* The address with the port that it was given when the option says 0. */
static void write_address(struct http_listener *l)
{
	struct sockaddr_storage a;
	socklen_t size = sizeof a;
	char host[INET6_ADDRSTRLEN] = "", port[8] = "";
	if (getsockname(l->fd, (struct sockaddr *)&a, &size) ||
	    getnameinfo((struct sockaddr *)&a, size, host, sizeof host, port, sizeof port, NI_NUMERICHOST | NI_NUMERICSERV))
		return;
	snprintf(l->address, sizeof l->address, a.ss_family == AF_INET6 ? "[%s]:%s" : "%s:%s", host, port);
}

static int open_one(struct http_server *v, const struct asked *asked, const char *text)
{
	if (v->listeners == SERVER_LISTENERS)
		return sk_why(asked->why, asked->why_size, "%s: more than %d addresses", asked->option, SERVER_LISTENERS);
	struct addrinfo *a = read_address(text);
	if (!a)
		return sk_why(asked->why, asked->why_size, "%s %s: expected an address and a port, like 127.0.0.1:8080 or [::1]:8080", asked->option, text);
	bool allowed = asked->access != HTTP_OPEN || is_loopback(a->ai_addr);
	struct http_listener *l = &v->listener[v->listeners];
	*l = (struct http_listener){ .server = v, .access = asked->access, .tls = asked->tls, .epoll = -1, .fd = allowed ? bind_to(a) : -1 };
	freeaddrinfo(a);
	if (!allowed)
		return sk_why(asked->why, asked->why_size, "%s %s: plugin_opt_auth open is for loopback addresses only", asked->option, text);
	if (l->fd < 0)
		return sk_why(asked->why, asked->why_size, "%s %s: %s", asked->option, text, strerror(errno));
	write_address(l);
	v->listeners++;
	return 0;
}

static int open_each(struct http_server *v, const struct asked *asked, const char *list)
{
	char word[SERVER_ADDRESS + 16];
	for (const char *at = list ? list + strspn(list, " ") : ""; *at; at += strspn(at, " ")) {
		size_t n = strcspn(at, " ");
		snprintf(word, sizeof word, "%.*s", (int)(n < sizeof word ? n : sizeof word - 1), at);
		if (open_one(v, asked, word))
			return -1;
		at += n;
	}
	return 0;
}

/* A whole file, NUL-terminated, malloc's; NULL and errno. */
static char *read_file(const char *path)
{
	FILE *f = fopen(path, "re");
	char *text = f ? calloc(1, 1 << 20) : NULL;
	size_t n = text ? fread(text, 1, (1 << 20) - 1, f) : 0;
	if (f)
		fclose(f);
	if (n)
		return text;
	free(text);
	return NULL;
}

static int read_pem(struct http_server *v, char *why, size_t why_size)
{
	const struct http_state *s = v->state;
	const char *needs = s->listen_tls && *s->listen_tls ? "plugin_opt_listen_tls" : s->listen_devices && *s->listen_devices ? "plugin_opt_listen_devices" : NULL;
	if (!needs)
		return 0;
	if (!s->tls_cert || !s->tls_key)
		return sk_why(why, why_size, "%s needs plugin_opt_tls_cert and plugin_opt_tls_key", needs);
	if (!(v->certificate = read_file(s->tls_cert)))
		return sk_why(why, why_size, "plugin_opt_tls_cert %s cannot be read", s->tls_cert);
	if (!(v->key = read_file(s->tls_key)))
		return sk_why(why, why_size, "plugin_opt_tls_key %s cannot be read", s->tls_key);
	return 0;
}

int server_listen(struct http_server *v, char *why, size_t why_size)
{
	const struct http_state *s = v->state;
	const struct asked plain = { "plugin_opt_listen", (enum http_access)s->auth, false, why, why_size };
	const struct asked tls = { "plugin_opt_listen_tls", (enum http_access)s->auth, true, why, why_size };
	const struct asked devices = { "plugin_opt_listen_devices", HTTP_DEVICE, true, why, why_size };
	if (read_pem(v, why, why_size) || open_each(v, &plain, s->listen) || open_each(v, &tls, s->listen_tls))
		return -1;
	return open_each(v, &devices, s->listen_devices);
}
