/* http_hello.c -- libmicrohttpd's own "hello": what requests over HTTP cost without anything behind them. Prints its port (that of its argument,
 * if there is one), ends with its input.
 *
 * It waits outside of libmicrohttpd, as skeeter_http does: inside, version 0.9.75 stalls when exactly 128 connections are ready. */
#include <microhttpd.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static enum MHD_Result hello(void *cls, struct MHD_Connection *connection, const char *url, const char *method, const char *version, const char *data,
                             size_t *size, void **seen)
{
	static const char text[] = "{\"hello\":1}";
	(void)cls, (void)url, (void)method, (void)version, (void)data;
	if (!*seen || *size) {
		*seen = connection;
		*size = 0;
		return MHD_YES;
	}
	struct MHD_Response *out = MHD_create_response_from_buffer(sizeof text - 1, (void *)text, MHD_RESPMEM_PERSISTENT);
	MHD_add_response_header(out, "Content-Type", "application/json");
	enum MHD_Result rc = MHD_queue_response(connection, 200, out);
	MHD_destroy_response(out);
	return rc;
}

int main(int argc, char **argv)
{
	struct sockaddr_in to = { .sin_family = AF_INET, .sin_port = htons((uint16_t)(argc > 1 ? atoi(argv[1]) : 0)), .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	struct MHD_Daemon *d = MHD_start_daemon(MHD_USE_EPOLL, 0, NULL, NULL, hello, NULL, MHD_OPTION_SOCK_ADDR, &to,
	                                        MHD_OPTION_CONNECTION_LIMIT, 1000u, MHD_OPTION_LISTENING_ADDRESS_REUSE, 1u, MHD_OPTION_END);
	const union MHD_DaemonInfo *info = d ? MHD_get_daemon_info(d, MHD_DAEMON_INFO_BIND_PORT) : NULL;
	if (!info)
		return 1;
	printf("%u\n", info->port);
	fflush(stdout);
	struct pollfd wait[2] = { { .fd = MHD_get_daemon_info(d, MHD_DAEMON_INFO_EPOLL_FD)->epoll_fd, .events = POLLIN }, { .fd = 0, .events = POLLIN } };
	MHD_UNSIGNED_LONG_LONG ms;
	while (poll(wait, 2, MHD_get_timeout(d, &ms) == MHD_YES && ms < 1000 ? (int)ms : 1000) >= 0 && !wait[1].revents)
		MHD_run(d);
	MHD_stop_daemon(d);
	return 0;
}
