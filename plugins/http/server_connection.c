/* server_connection.c -- which connections there are, in what state, and which have to go: those that are too slow, and when there is no
 * room those that do nothing. A connection is ended by shutting its socket down: libmicrohttpd then finds it closed. */
#include <arpa/inet.h>
#include <stdlib.h>
#include <sys/socket.h>

#include "plugins/http/server_internal.h"

static void unlink_from(struct http_connections *l, struct http_connection *c)
{
	*(c->previous ? &c->previous->next : &l->oldest) = c->next;
	*(c->next ? &c->next->previous : &l->newest) = c->previous;
	c->next = c->previous = NULL;
}

static void append_to(struct http_connections *l, struct http_connection *c)
{
	c->previous = l->newest;
	c->next = NULL;
	*(l->newest ? &l->newest->next : &l->oldest) = c;
	l->newest = c;
}

void server_move(struct http_connection *c, int state)
{
	struct http_server *v = c->listener->server;
	unlink_from(&v->list[c->state], c);
	c->state = state;
	c->since_ms = v->now_ms;
	append_to(&v->list[state], c);
}

/* One that does nothing, or else the one whose request has been coming in for the longest. */
static void make_room(struct http_server *v)
{
	struct http_connection *c = v->list[CONNECTION_IDLE].oldest;
	if (!c)
		c = v->list[CONNECTION_READING].oldest;
	if (!c)
		return;
	SK_COUNT(v->state->count.connections_evicted);
	shutdown(c->fd, SHUT_RDWR);
	server_move(c, CONNECTION_SENDING); /* it is on its way out: no more is done for it */
}

static void read_address(struct http_connection *c)
{
	const union MHD_ConnectionInfo *info = MHD_get_connection_info(c->mhd, MHD_CONNECTION_INFO_CLIENT_ADDRESS);
	const struct sockaddr *a = info ? info->client_addr : NULL;
	if (a && a->sa_family == AF_INET)
		inet_ntop(AF_INET, &((const struct sockaddr_in *)a)->sin_addr, c->address, sizeof c->address);
	else if (a && a->sa_family == AF_INET6)
		inet_ntop(AF_INET6, &((const struct sockaddr_in6 *)a)->sin6_addr, c->address, sizeof c->address);
}

static void opened(struct http_listener *l, struct MHD_Connection *mhd, void **socket)
{
	struct http_server *v = l->server;
	struct http_connection *c = calloc(1, sizeof *c);
	const union MHD_ConnectionInfo *info = MHD_get_connection_info(mhd, MHD_CONNECTION_INFO_CONNECTION_FD);
	*socket = c;
	if (!c)
		return;
	c->listener = l;
	c->mhd = mhd;
	c->fd = info ? info->connect_fd : -1;
	c->since_ms = v->now_ms;
	read_address(c);
	if (l->access == HTTP_DEVICE)
		server_ask_certificate(mhd);
	if (atomic_load(&v->open) >= v->state->connections)
		make_room(v);
	append_to(&v->list[CONNECTION_IDLE], c);
	atomic_fetch_add(&v->open, 1);
	SK_COUNT(v->state->count.connections);
}

static void closed(void **socket)
{
	struct http_connection *c = *socket;
	*socket = NULL;
	if (!c)
		return;
	unlink_from(&c->listener->server->list[c->state], c);
	atomic_fetch_sub(&c->listener->server->open, 1);
	free(c);
}

void server_on_connection(void *cls, struct MHD_Connection *mhd, void **socket, enum MHD_ConnectionNotificationCode what)
{
	if (what == MHD_CONNECTION_NOTIFY_STARTED)
		opened(cls, mhd, socket);
	else
		closed(socket);
}

static void sweep_list(struct http_server *v, int state, int64_t limit_ms)
{
	struct http_connection *c;
	while ((c = v->list[state].oldest) && v->now_ms - c->since_ms > limit_ms) {
		if (state != CONNECTION_IDLE)
			SK_COUNT(v->state->count.connections_late);
		shutdown(c->fd, SHUT_RDWR);
		server_move(c, state); /* behind the others, in case it takes a moment */
	}
}

void server_sweep(struct http_server *v)
{
	sweep_list(v, CONNECTION_IDLE, v->state->idle);
	sweep_list(v, CONNECTION_READING, v->state->request_time);
	sweep_list(v, CONNECTION_SENDING, v->state->request_time);
}
