/* load_connection.h -- one client's connection to the broker under load: TCP or a unix socket, TLS or not, blocking while it is made,
 * non-blocking after connection_release(). What cannot be made or breaks ends the program with a line that says what. */
#ifndef BENCH_LOAD_CONNECTION_H
#define BENCH_LOAD_CONNECTION_H

#include <openssl/ssl.h>
#include <stdbool.h>
#include <stddef.h>

struct target {
	const char *address;             /* a path, or a port of 127.0.0.1 */
	const char *user, *password;     /* NULL: none */
	SSL_CTX *tls;                    /* NULL: none */
	const char *prefix;              /* of client ids */
};
struct connection {
	int fd, number;
	SSL *ssl;
	unsigned char *in, *out;
	size_t filled, in_room, waiting, out_room;
	unsigned under_way;
};
/* Sees one whole packet; `head` is the length of its fixed header. */
typedef void packet_seen(void *context, struct connection *c, const unsigned char *packet, size_t head);

void load_die(const char *what, const char *detail);
SSL_CTX *target_tls(const char *cafile, const char *cert, const char *key);
/* Connected, and its CONNECT sent. */
void connection_begin(struct connection *c, const struct target *t, int number);
/* Connected, and its CONNECT accepted. */
void connection_open(struct connection *c, const struct target *t, int number);
/* Subscribes and waits for the answer. */
void connection_subscribe(struct connection *c, const char *filter, int qos);
void connection_release(struct connection *c);
void connection_say(struct connection *c, const unsigned char *packet, size_t n);
/* Behind what waits already; connection_flush() sends it. */
void connection_keep(struct connection *c, const unsigned char *packet, size_t n);
/* Sends what waits; false: some still does. */
bool connection_flush(struct connection *c);
/* Reads all that is there. */
void connection_hear(struct connection *c, packet_seen *seen, void *context);
/* Blocking: reads until a packet of that type (high nibble) has come, and drops it. */
void connection_await(struct connection *c, int type);
void connection_close(struct connection *c);

#endif
