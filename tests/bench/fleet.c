/* fleet.c -- a fleet moves in: THINGS things, each with a certificate of its own, are registered through $CONTROL, then CONNECTS of them
 * connect over mutual TLS, one after the other, and stay.
 *
 * Usage: fleet SOCKET PORT CA.CRT CA.KEY THINGS CONNECTS. SOCKET - registers nothing, for a broker that asks nobody. After each of the two it
 * waits for a line on its standard input (or its end), so that who started it can look at the broker. One EC key serves all certificates, since making 100,000 keys would be
 * measured too; serial and name differ, so do the ids. The policy `fleet` is made first. Prints rates. */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <openssl/ec.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#include "core/json.h"
#include "tests/bench/packets.h"

enum { PER_ENVELOPE = 25, CONTROLS = 32, BUFFER = 1 << 20 };
#define POLICY "{\"Version\":\"2012-10-17\",\"Statement\":[{\"Effect\":\"Allow\",\"Action\":[\"iot:Connect\",\"iot:Publish\",\"iot:Subscribe\",\"iot:Receive\"],\"Resource\":\"*\"}]}"

struct control {
	int fd;
	unsigned char *in;
	size_t filled;
};
struct fleet {
	const char *socket_path;
	int port, things, connects;
	X509 *ca;
	EVP_PKEY *ca_key, *key;
	X509 **certificate; /* of those that will connect */
};

static double now(void)
{
	struct timespec t;
	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static void die(const char *what, const char *detail)
{
	fprintf(stderr, "fleet: %s: %s\n", what, detail);
	exit(1);
}

/* -- certificates -- */

static X509 *make_certificate(const struct fleet *f, int number)
{
	char name[32];
	X509 *x = X509_new();
	X509_NAME *subject = X509_NAME_new();
	snprintf(name, sizeof name, "fleet-%d", number);
	X509_NAME_add_entry_by_txt(subject, "CN", MBSTRING_ASC, (const unsigned char *)name, -1, -1, 0);
	X509_set_version(x, 2);
	ASN1_INTEGER_set(X509_get_serialNumber(x), number + 1);
	X509_gmtime_adj(X509_getm_notBefore(x), -3600);
	X509_gmtime_adj(X509_getm_notAfter(x), 365L * 86400);
	X509_set_subject_name(x, subject);
	X509_set_issuer_name(x, X509_get_subject_name(f->ca));
	X509_set_pubkey(x, f->key);
	X509_NAME_free(subject);
	if (!X509_sign(x, f->ca_key, EVP_sha256()))
		die("certificate", "cannot be signed");
	return x;
}

static char *pem_of(struct sk_arena *a, X509 *x)
{
	BIO *b = BIO_new(BIO_s_mem());
	char *at;
	PEM_write_bio_X509(b, x);
	long n = BIO_get_mem_data(b, &at);
	char *pem = sk_strndup(a, at, (size_t)n);
	BIO_free(b);
	return pem;
}

static const char *id_of(struct sk_arena *a, X509 *x)
{
	unsigned char hash[32];
	char *hex = sk_alloc_text(a, 65);
	unsigned n;
	X509_digest(x, EVP_sha256(), hash, &n);
	for (unsigned i = 0; i < 32; i++)
		snprintf(hex + 2 * i, 3, "%02x", hash[i]);
	return hex;
}

/* -- $CONTROL -- */

static void send_all(int fd, const void *data, size_t n)
{
	for (const char *p = data; n;) {
		ssize_t sent = send(fd, p, n, MSG_NOSIGNAL);
		if (sent < 0)
			die("send", strerror(errno));
		p += sent;
		n -= (size_t)sent;
	}
}

/* The next packet of that type (high nibble), whole, with its payload's place; the buffer is then empty. */
static const unsigned char *next_packet(struct control *c, int type, size_t *size)
{
	for (;;) {
		size_t head, n = packet_whole(c->in, c->filled, &head);
		if (!n) {
			ssize_t got = read(c->fd, c->in + c->filled, BUFFER - c->filled - 1);
			if (got <= 0)
				die("read", "the broker closed the control connection");
			c->filled += (size_t)got;
			continue;
		}
		if (c->in[0] >> 4 == type && n == c->filled) {
			c->in[n] = '\0';
			c->filled = 0;
			*size = n;
			return c->in;
		}
		memmove(c->in, c->in + n, c->filled - n);
		c->filled -= n;
	}
}

static void open_control(struct control *c, const char *path, int number)
{
	struct sockaddr_un a = { .sun_family = AF_UNIX };
	unsigned char p[128], body[100];
	char id[32];
	size_t size;
	snprintf(a.sun_path, sizeof a.sun_path, "%s", path);
	c->fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	c->in = malloc(BUFFER);
	if (c->fd < 0 || !c->in || connect(c->fd, (const struct sockaddr *)&a, sizeof a))
		die(path, strerror(errno));
	snprintf(id, sizeof id, "fleet-control-%d", number);
	size_t n = packet_text(body, "MQTT");
	memcpy(body + n, "\x04\x02\x00\x00", 4);
	n += 4 + packet_text(body + n + 4, id);
	size_t h = packet_header(p, 0x10, n);
	memcpy(p + h, body, n);
	send_all(c->fd, p, h + n);
	next_packet(c, 2, &size);
}

static void say(struct control *c, struct sk_arena *a, cJSON *commands)
{
	unsigned char head[64], topic[40];
	size_t n;
	cJSON *envelope = sk_json_object(a);
	sk_json_set(a, envelope, "commands", commands);
	const char *text = sk_json_print(a, envelope, &n);
	size_t t = packet_text(topic, "$CONTROL/skeeter/v1"), h = packet_header(head, 0x30, t + n);
	send_all(c->fd, head, h);
	send_all(c->fd, topic, t);
	send_all(c->fd, text, n);
}

static void hear(struct control *c)
{
	size_t size;
	const unsigned char *p = next_packet(c, 3, &size);
	size_t head = 1;
	while (p[head++] & 128)
		;
	size_t topic = (size_t)p[head] << 8 | p[head + 1];
	unsigned char ack[4] = { 0x40, 2, p[head + 2 + topic], p[head + 3 + topic] };
	const char *text = (const char *)p + head + 4 + topic, *error = strstr(text, "\"error\"");
	if (error)
		die("an operation failed", error);
	send_all(c->fd, ack, sizeof ack);
}

static cJSON *command(struct sk_arena *a, cJSON *list, const char *name)
{
	cJSON *c = sk_json_append(list, sk_json_object(a));
	sk_json_set_string(a, c, "command", name);
	return c;
}

static void add_device(struct sk_arena *a, struct fleet *f, cJSON *list, int number)
{
	char thing[32];
	X509 *x = make_certificate(f, number);
	const char *arn = sk_printf(a, "arn:aws:iot:us-east-1:123456789012:cert/%s", id_of(a, x));
	snprintf(thing, sizeof thing, "fleet-%d", number);
	sk_json_set_string(a, command(a, list, "CreateThing"), "thingName", thing);
	cJSON *c = command(a, list, "RegisterCertificateWithoutCA");
	sk_json_set_string(a, c, "certificatePem", pem_of(a, x));
	sk_json_set_string(a, c, "status", "ACTIVE");
	c = command(a, list, "AttachThingPrincipal");
	sk_json_set_string(a, c, "thingName", thing);
	sk_json_set_string(a, c, "principal", arn);
	c = command(a, list, "AttachPolicy");
	sk_json_set_string(a, c, "policyName", "fleet");
	sk_json_set_string(a, c, "target", arn);
	if (number < f->connects)
		f->certificate[number] = x;
	else
		X509_free(x);
}

static int say_devices(struct control *c, struct fleet *f, int from)
{
	struct sk_arena a;
	sk_arena_init(&a, 0);
	cJSON *list = sk_json_array(&a);
	int n = f->things - from < PER_ENVELOPE ? f->things - from : PER_ENVELOPE;
	for (int i = 0; i < n; i++)
		add_device(&a, f, list, from + i);
	say(c, &a, list);
	sk_arena_free(&a);
	return n;
}

static void make_policy(struct control *c)
{
	struct sk_arena a;
	sk_arena_init(&a, 0);
	cJSON *list = sk_json_array(&a), *one = command(&a, list, "CreatePolicy");
	sk_json_set_string(&a, one, "policyName", "fleet");
	sk_json_set_string(&a, one, "policyDocument", POLICY);
	say(c, &a, list);
	hear(c);
	sk_arena_free(&a);
}

static void register_all(struct fleet *f)
{
	struct control c[CONTROLS] = { 0 };
	bool busy[CONTROLS] = { 0 };
	for (int i = 0; i < CONTROLS; i++)
		open_control(&c[i], f->socket_path, i);
	make_policy(&c[0]);
	double start = now();
	int next = 0, done = 0, turn = 0;
	while (done < f->things) {
		int i = turn++ % CONTROLS;
		if (busy[i]) {
			hear(&c[i]);
			busy[i] = false;
			done = done + PER_ENVELOPE < f->things ? done + PER_ENVELOPE : f->things;
		}
		if (next < f->things) {
			next += say_devices(&c[i], f, next);
			busy[i] = true;
		}
		if (turn % 2000 == 0)
			fprintf(stderr, "%d of %d\n", done, f->things);
	}
	double seconds = now() - start;
	printf("%d things with certificate, principal and policy registered in %.1f s: %.0f things/s, %.0f operations/s (making the certificates included)\n",
	       f->things, seconds, f->things / seconds, 4.0 * f->things / seconds);
}

/* -- devices -- */

static SSL *connect_device(const struct fleet *f, int number)
{
	struct sockaddr_in a = { .sin_family = AF_INET, .sin_port = htons((uint16_t)f->port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), one = 1;
	SSL_CTX *ctx = SSL_CTX_new(TLS_client_method());
	SSL_CTX_use_certificate(ctx, f->certificate[number]);
	SSL_CTX_use_PrivateKey(ctx, f->key);
	SSL *ssl = SSL_new(ctx);
	SSL_CTX_free(ctx);
	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
	SSL_set_fd(ssl, fd);
	if (connect(fd, (const struct sockaddr *)&a, sizeof a) || SSL_connect(ssl) != 1)
		die("a device", "TLS failed");
	return ssl;
}

static void say_hello(SSL *ssl, int number)
{
	unsigned char p[128], body[100], answer[4];
	char id[32];
	snprintf(id, sizeof id, "fleet-%d", number);
	size_t n = packet_text(body, "MQTT");
	memcpy(body + n, "\x04\x02\x00\x00", 4);
	n += 4 + packet_text(body + n + 4, id);
	size_t h = packet_header(p, 0x10, n);
	memcpy(p + h, body, n);
	if (SSL_write(ssl, p, (int)(h + n)) <= 0 || SSL_read(ssl, answer, sizeof answer) != 4 || answer[0] != 0x20 || answer[3])
		die("a device", "CONNECT was refused");
}

static void connect_all(const struct fleet *f)
{
	double start = now();
	for (int i = 0; i < f->connects; i++)
		say_hello(connect_device(f, i), i);
	double seconds = now() - start;
	printf("%d of them connected over mutual TLS in %.1f s, one after the other: %.0f connects/s\n", f->connects, seconds, f->connects / seconds);
}

/* -- main -- */

static void make_all(struct fleet *f)
{
	for (int i = 0; i < f->connects; i++)
		f->certificate[i] = make_certificate(f, i);
	puts("made");
}

static void wait_for_line(void)
{
	char line[8];
	fflush(stdout);
	if (!fgets(line, sizeof line, stdin))
		return;
}

static FILE *open_file(const char *path)
{
	FILE *file = fopen(path, "re");
	if (!file)
		die(path, strerror(errno));
	return file;
}

int main(int argc, char **argv)
{
	struct fleet f = { 0 };
	if (argc != 7) {
		fprintf(stderr, "usage: fleet SOCKET PORT CA.CRT CA.KEY THINGS CONNECTS\n");
		return 2;
	}
	f.socket_path = argv[1];
	f.port = atoi(argv[2]);
	FILE *ca = open_file(argv[3]), *key = open_file(argv[4]);
	f.ca = PEM_read_X509(ca, NULL, NULL, NULL);
	f.ca_key = PEM_read_PrivateKey(key, NULL, NULL, NULL);
	fclose(ca);
	fclose(key);
	f.things = atoi(argv[5]);
	f.connects = atoi(argv[6]) < f.things ? atoi(argv[6]) : f.things;
	f.key = EVP_EC_gen("P-256");
	f.certificate = calloc((size_t)f.connects + 1, sizeof *f.certificate);
	if (!f.ca || !f.ca_key || !f.key || !f.certificate)
		die("the CA", "cannot be read");
	if (strcmp(f.socket_path, "-"))
		register_all(&f);
	else
		make_all(&f);
	wait_for_line();
	connect_all(&f);
	wait_for_line();
	return 0;
}
