/* load.c -- a load on a broker: messages or service requests from many connections, paced by a clock of its own or closed-loop.
 *
 * Usage: load KIND to=PATH-or-PORT [name=value ...]; the names are the rows of `options`. With rate=N message k is due at start + k/N
 * whatever the broker does, and its latency counts from then; with rate=0 every connection keeps `window` under way. Each message has a
 * number and its time inside: every one that does not come back is counted as lost, every one that comes twice too. Prints a JSON line,
 * and one for each `every` seconds. The KINDs idle (with a subscription) and connect (without) print a line when all are there and stay
 * until their standard input ends. The KIND storm connects all as fast as it goes and drops them at once, `messages` times. The KIND rule sends
 * readings of which one in `of` is above 30 degrees; those alone come back, on the topic `hot`, to the first connection. With gather=1 what is due
 * together leaves a connection in one piece. */
#include <errno.h>
#include <inttypes.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

#include "tests/bench/load_connection.h"
#include "tests/bench/load_histogram.h"
#include "tests/bench/packets.h"

enum { PACKET = 4096, EVENTS = 256, CLOSED_MOST = 300000, BURST = 64 };

struct load;
struct kind {
	const char *name, *request;                    /* of the topic, %s: a thing's name */
	const char *answers[3];                        /* filters that the owner of a thing subscribes */
	size_t (*payload)(const struct load *l, int64_t thing, const char *mark, char *out, size_t room);
	bool storm;
	bool collected;                                /* answers are the first connection's, of one message in `of` */
};
struct load {
	const struct kind *kind;
	struct target target;
	struct connection *connection;
	int epoll;
	int64_t clients, rate, window, seconds, warm, qos, topics, size, things, messages, every, pid, gap, linger, of, gather;
	const char *to, *cafile, *cert, *key, *user, *password, *prefix;
	int64_t start;                                 /* ns */
	_Atomic int64_t end;
	uint64_t limit, sent, answered, refused, twice, stray;
	unsigned char *seen;                           /* a bit for each number */
	struct histogram all, lately, gaps, gaps_lately;
	double cpu_at_warm;
	uint64_t answered_at_warm;
	pthread_mutex_t lock;                          /* of the two gap histograms */
};

static int64_t now(void)
{
	struct timespec t;
	clock_gettime(CLOCK_MONOTONIC, &t);
	return (int64_t)t.tv_sec * 1000000000 + t.tv_nsec;
}

/* -- the broker's process -- */

/* Seconds that all its threads have run. */
static double broker_cpu(const struct load *l)
{
	clockid_t id;
	struct timespec t;
	if (!l->pid || clock_getcpuclockid((pid_t)l->pid, &id) || clock_gettime(id, &t))
		return 0;
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static long broker_memory(const struct load *l)
{
	char path[64], line[200];
	long kib = 0;
	snprintf(path, sizeof path, "/proc/%d/status", (int)l->pid);
	FILE *f = l->pid ? fopen(path, "re") : NULL;
	while (f && fgets(line, sizeof line, f))
		if (sscanf(line, "RssAnon: %ld", &kib) == 1)
			break;
	if (f)
		fclose(f);
	return kib;
}

/* -- what is sent -- */

static size_t plain_payload(const struct load *l, int64_t thing, const char *mark, char *out, size_t room)
{
	size_t n = strlen(mark), size = (size_t)l->size > n ? (size_t)l->size : n;
	(void)thing;
	size = size < room ? size : room;
	memset(out, 'x', size);
	memcpy(out, mark, n);
	return size;
}

static size_t update_payload(const struct load *l, int64_t thing, const char *mark, char *out, size_t room)
{
	int n = snprintf(out, room, "{\"clientToken\":\"%s\",\"state\":{\"reported\":{\"temperature\":%" PRIu64 ".5,\"on\":true,\"name\":\"", mark, l->sent % 100);
	int end = snprintf(out + n, room - (size_t)n, "device number %" PRId64, thing);
	int pad = (int)l->size - n - end - 4;
	memset(out + n + end, 'x', pad > 0 ? (size_t)pad : 0);
	end += n + (pad > 0 ? pad : 0);
	return (size_t)(end + snprintf(out + end, room - (size_t)end, "\"}}}"));
}

static size_t get_payload(const struct load *l, int64_t thing, const char *mark, char *out, size_t room)
{
	(void)l, (void)thing;
	return (size_t)snprintf(out, room, "{\"clientToken\":\"%s\"}", mark);
}

static size_t describe_payload(const struct load *l, int64_t thing, const char *mark, char *out, size_t room)
{
	return (size_t)snprintf(out, room, "{\"commands\":[{\"command\":\"DescribeThing\",\"thingName\":\"%s-%" PRId64 "\",\"correlationData\":\"%s\"}]}", l->prefix,
	                        thing, mark);
}

static size_t reading_payload(const struct load *l, int64_t thing, const char *mark, char *out, size_t room)
{
	uint64_t degrees = l->sent % 19 + (l->sent % (uint64_t)l->of ? 11 : 31);
	int n = snprintf(out, room, "{\"temp\":%" PRIu64 ".5,\"mark\":\"%s\",\"on\":true,\"name\":\"device %" PRId64, degrees, mark, thing);
	int pad = (int)l->size - n - 2;
	memset(out + n, 'x', pad > 0 ? (size_t)pad : 0);
	n += pad > 0 ? pad : 0;
	return (size_t)(n + snprintf(out + n, room - (size_t)n, "\"}"));
}

static const struct kind kinds[] = {
	{ "plain", "bench/%s", { "bench/%s/#" }, plain_payload, false, false },
	{ "update", "$aws/things/%s/shadow/update", { "$aws/things/%s/shadow/update/accepted", "$aws/things/%s/shadow/update/rejected" }, update_payload, false, false },
	{ "get", "$aws/things/%s/shadow/get", { "$aws/things/%s/shadow/get/accepted", "$aws/things/%s/shadow/get/rejected" }, get_payload, false, false },
	{ "describe", "$CONTROL/skeeter/v1", { NULL }, describe_payload, false, false },
	{ "rule", "sensors/%s/temp", { "hot" }, reading_payload, false, true },
	{ "idle", "", { "bench/%s/#" }, NULL, false, false },
	{ "connect", "", { NULL }, NULL, false, false },
	{ "storm", "", { NULL }, NULL, true, false },
	{ 0 },
};

/* A thing belongs to one connection, which sees its answers; fewer things than connections are shared out. */
static int64_t thing_of(const struct load *l, const struct connection *c)
{
	int64_t turn = (int64_t)l->sent / l->clients;
	if (l->things <= l->clients)
		return c->number % l->things;
	return c->number + l->clients * (turn % (l->things / l->clients));
}

static size_t write_topic(const struct load *l, int64_t thing, unsigned char *out)
{
	char name[64], topic[200];
	snprintf(name, sizeof name, "%s-%" PRId64, l->prefix, thing);
	int n = snprintf(topic, sizeof topic, l->kind->request, name);
	if (l->kind->payload == plain_payload)
		snprintf(topic + n, sizeof topic - (size_t)n, "/%" PRIu64, l->sent / (uint64_t)l->clients % (uint64_t)l->topics);
	return packet_text(out, topic);
}

/* What the socket does not take goes when it does. */
static void say(struct load *l, struct connection *c, const unsigned char *packet, size_t n)
{
	if (l->gather) {
		connection_keep(c, packet, n);
		return;
	}
	connection_say(c, packet, n);
	if (c->waiting)
		epoll_ctl(l->epoll, EPOLL_CTL_MOD, c->fd, &(struct epoll_event){ .events = EPOLLIN | EPOLLOUT, .data.ptr = c });
}

static void let_go(struct load *l)
{
	for (int64_t i = 0; l->gather && i < l->clients; i++) {
		struct connection *c = &l->connection[i];
		if (c->waiting && !connection_flush(c))
			epoll_ctl(l->epoll, EPOLL_CTL_MOD, c->fd, &(struct epoll_event){ .events = EPOLLIN | EPOLLOUT, .data.ptr = c });
	}
}

static void publish(struct load *l, struct connection *c, int64_t due)
{
	unsigned char p[PACKET + 8], body[PACKET];
	char mark[64];
	int64_t thing = thing_of(l, c);
	snprintf(mark, sizeof mark, "#%" PRIx64 ".%" PRIx64 "#", l->sent, (uint64_t)due);
	size_t n = write_topic(l, thing, body);
	if (l->qos) {
		body[n++] = 0;
		body[n++] = (unsigned char)(1 + l->sent / (uint64_t)l->clients % 250);
	}
	n += l->kind->payload(l, thing, mark, (char *)body + n, PACKET - n);
	size_t h = packet_header(p, 0x30 | (int)l->qos << 1, n);
	memcpy(p + h, body, n);
	l->sent++;
	c->under_way++;
	say(l, c, p, h + n);
}

/* -- what comes -- */

static bool read_mark(const unsigned char *p, size_t n, uint64_t *number, uint64_t *due)
{
	const char *at = memchr(p, '#', n);
	return at && sscanf(at, "#%" SCNx64 ".%" SCNx64 "#", number, due) == 2;
}

/* Of so many messages. */
static uint64_t expected(const struct load *l, uint64_t sent)
{
	return l->kind->collected ? (sent + (uint64_t)l->of - 1) / (uint64_t)l->of : sent;
}

static void count_answer(struct load *l, uint64_t number, uint64_t due)
{
	if (number >= l->limit || (l->kind->collected && number % (uint64_t)l->of)) {
		l->stray++;
		return;
	}
	unsigned char bit = (unsigned char)(1 << number % 8);
	l->twice += (l->seen[number / 8] & bit) != 0;
	l->answered += !(l->seen[number / 8] & bit);
	l->seen[number / 8] |= bit;
	int64_t took = now() - (int64_t)due;
	if ((int64_t)due >= l->start + l->warm * 1000000000)
		histogram_add(&l->all, took);
	histogram_add(&l->lately, took);
}

static void came(void *context, struct connection *c, const unsigned char *p, size_t head)
{
	struct load *l = context;
	uint64_t number, due;
	if (p[0] >> 4 != 3)
		return;
	size_t topic = (size_t)p[head] << 8 | p[head + 1], at = head + 2 + topic, rest = 0, size;
	bool acknowledged = p[0] >> 1 & 3;
	size = packet_whole(p, SIZE_MAX / 2, &rest);
	if (acknowledged) {
		say(l, c, (unsigned char[]){ 0x40, 2, p[at], p[at + 1] }, 4);
		at += 2;
	}
	if (topic > 9 && !memcmp(p + head + 2 + topic - 9, "/rejected", 9))
		l->refused++;
	if (!read_mark(p + at, size - at, &number, &due)) {
		l->stray++;
		return;
	}
	count_answer(l, number, due);
	c->under_way -= c->under_way > 0;
	if (!l->rate && l->sent < l->limit && now() < l->end)
		publish(l, c, now());
}

static void serve(struct load *l, int timeout_ms)
{
	struct epoll_event ev[EVENTS];
	int n = epoll_wait(l->epoll, ev, EVENTS, timeout_ms);
	for (int i = 0; i < n; i++) {
		struct connection *c = ev[i].data.ptr;
		if (ev[i].events & EPOLLOUT && connection_flush(c))
			epoll_ctl(l->epoll, EPOLL_CTL_MOD, c->fd, &(struct epoll_event){ .events = EPOLLIN, .data.ptr = c });
		if (ev[i].events & ~(unsigned)EPOLLOUT)
			connection_hear(c, came, l);
	}
	let_go(l);
}

/* -- the gap: how long the broker's loop leaves a PINGREQ unanswered -- */

static void *watch_gap(void *context)
{
	struct load *l = context;
	struct connection c;
	connection_open(&c, &l->target, (int)l->clients + 1000000);
	while (now() < l->end) {
		int64_t before = now();
		connection_say(&c, (const unsigned char[]){ 0xc0, 0 }, 2);
		connection_await(&c, 13);
		int64_t took = now() - before;
		pthread_mutex_lock(&l->lock);
		histogram_add(&l->gaps_lately, took);
		if (before > l->start + l->warm * 1000000000)
			histogram_add(&l->gaps, took);
		pthread_mutex_unlock(&l->lock);
		nanosleep(&(struct timespec){ .tv_nsec = 2000000 }, NULL);
	}
	connection_close(&c);
	return NULL;
}

/* -- the run -- */

static void print_interval(struct load *l, int64_t at)
{
	pthread_mutex_lock(&l->lock);
	printf("{\"t\":%.1f,\"sent\":%" PRIu64 ",\"answered\":%" PRIu64 ",\"p50\":%.3f,\"p99\":%.3f,\"max\":%.3f,\"gap_p99\":%.3f,\"gap_max\":%.3f,"
	       "\"memory_kib\":%ld,\"cpu_s\":%.3f}\n",
	       (double)(at - l->start) / 1e9, l->sent, l->answered, histogram_at(&l->lately, 0.5), histogram_at(&l->lately, 0.99),
	       (double)l->lately.max / 1e3, histogram_at(&l->gaps_lately, 0.99), (double)l->gaps_lately.max / 1e3, broker_memory(l), broker_cpu(l));
	memset(&l->gaps_lately, 0, sizeof l->gaps_lately);
	pthread_mutex_unlock(&l->lock);
	memset(&l->lately, 0, sizeof l->lately);
	fflush(stdout);
}

/* Everything that is due, but not so much at once that answers would wait for it. */
static int send_due(struct load *l, int64_t at)
{
	uint64_t due = (uint64_t)((double)(at - l->start) / 1e9 * (double)l->rate);
	for (int n = 0; l->sent < due && l->sent < l->limit && n < BURST; n++)
		publish(l, &l->connection[l->sent % (uint64_t)l->clients], l->start + (int64_t)((double)l->sent * 1e9 / (double)l->rate));
	let_go(l);
	return l->sent < due && l->sent < l->limit ? 0 : 1;
}

static void begin(struct load *l)
{
	l->start = now();
	l->end = l->start + l->seconds * 1000000000;
	for (int64_t i = 0; !l->rate && i < l->clients; i++)
		for (int64_t k = 0; k < l->window && l->sent < l->limit; k++)
			publish(l, &l->connection[i], now());
}

static void note_warm(struct load *l, int64_t at)
{
	if (l->cpu_at_warm == 0 && at >= l->start + l->warm * 1000000000) {
		l->cpu_at_warm = broker_cpu(l);
		l->answered_at_warm = l->answered;
	}
}

/* What is still under way gets three seconds without any answer. */
static void drain(struct load *l)
{
	uint64_t last = l->answered;
	for (int64_t since = now(); l->answered < expected(l, l->sent) && now() - since < 3000000000;) {
		serve(l, 10);
		if (l->answered != last) {
			last = l->answered;
			since = now();
		}
	}
}

static void run(struct load *l)
{
	int64_t at, next = l->every * 1000000000;
	while ((at = now()) < l->end && (l->rate ? l->sent : l->answered) < l->limit) {
		note_warm(l, at);
		int wait = l->rate ? send_due(l, at) : 10;
		serve(l, wait);
		if (l->every && at - l->start >= next) {
			print_interval(l, at);
			next += l->every * 1000000000;
		}
	}
}

static void print_result(struct load *l, double seconds, double cpu, uint64_t answered, long before)
{
	double measured = seconds - (double)l->warm;
	printf("{\"kind\":\"%s\",\"sent\":%" PRIu64 ",\"answered\":%" PRIu64 ",\"lost\":%" PRIu64 ",\"twice\":%" PRIu64 ",\"refused\":%" PRIu64 ",\"stray\":%" PRIu64
	       ",\"seconds\":%.3f,\"per_second\":%.1f,\"p50\":%.3f,\"p90\":%.3f,\"p99\":%.3f,\"p999\":%.3f,\"max\":%.3f,\"cpu_us\":%.3f,\"cpu_s\":%.6f,\"cpu_share\":%.3f,"
	       "\"gap_p50\":%.3f,\"gap_p99\":%.3f,\"gap_max\":%.3f,\"memory_before_kib\":%ld,\"memory_kib\":%ld}\n",
	       l->kind->name, l->sent, l->answered, expected(l, l->sent) - l->answered, l->twice, l->refused, l->stray, seconds, (double)answered / measured,
	       histogram_at(&l->all, 0.5), histogram_at(&l->all, 0.9), histogram_at(&l->all, 0.99), histogram_at(&l->all, 0.999), (double)l->all.max / 1e3,
	       answered ? cpu * 1e6 / (double)answered : 0, cpu, cpu / measured, histogram_at(&l->gaps, 0.5), histogram_at(&l->gaps, 0.99),
	       (double)l->gaps.max / 1e3, before, broker_memory(l));
}

/* All come, then all go; the answer to each CONNECT is waited for when all have been sent. */
static void come_and_go(struct load *l)
{
	for (int64_t k = 0; k < (l->messages ? l->messages : 1); k++) {
		for (int64_t i = 0; i < l->clients; i++)
			connection_begin(&l->connection[i], &l->target, (int)i);
		for (int64_t i = 0; i < l->clients; i++)
			connection_await(&l->connection[i], 2);
		for (int64_t i = 0; i < l->clients; i++)
			connection_close(&l->connection[i]);
		l->sent += (uint64_t)l->clients;
		l->answered += (uint64_t)l->clients;
	}
	l->end = 0;
}

static void storm(struct load *l)
{
	pthread_t watcher;
	long before = broker_memory(l);
	l->start = now();
	l->end = INT64_MAX;
	if (pthread_create(&watcher, NULL, watch_gap, l))
		load_die("the thread", "cannot be made");
	come_and_go(l);
	pthread_join(watcher, NULL);
	print_result(l, (double)(now() - l->start) / 1e9, broker_cpu(l), l->answered, before);
}

static void measure(struct load *l)
{
	pthread_t watcher;
	long before = broker_memory(l);
	begin(l);
	if (l->gap && pthread_create(&watcher, NULL, watch_gap, l))
		load_die("the thread", "cannot be made");
	run(l);
	double seconds = (double)(now() - l->start) / 1e9, cpu = broker_cpu(l) - l->cpu_at_warm;
	uint64_t answered = l->answered - l->answered_at_warm;
	drain(l);
	if (l->gap)
		pthread_join(watcher, NULL);
	print_result(l, seconds, cpu, answered, before);
	fflush(stdout);
	usleep((unsigned)l->linger * 1000); /* still connected: what a broker does then is no part of the load */
}

/* -- the beginning -- */

static void subscribe(struct load *l, struct connection *c, int64_t thing)
{
	char name[64], filter[200];
	snprintf(name, sizeof name, "%s-%" PRId64, l->prefix, thing);
	for (int i = 0; l->kind->answers[i]; i++) {
		snprintf(filter, sizeof filter, l->kind->answers[i], name);
		connection_subscribe(c, filter, (int)l->qos);
	}
}

static void open_all(struct load *l)
{
	l->epoll = epoll_create1(EPOLL_CLOEXEC);
	l->connection = calloc((size_t)l->clients, sizeof *l->connection);
	if (!l->connection || l->epoll < 0)
		load_die("memory", "is out");
	for (int64_t i = 0; i < l->clients && !l->kind->storm; i++) {
		struct connection *c = &l->connection[i];
		connection_open(c, &l->target, (int)i);
		for (int64_t t = i; t < (l->kind->collected ? !i : l->things); t += l->clients)
			subscribe(l, c, t);
		connection_release(c);
		epoll_ctl(l->epoll, EPOLL_CTL_ADD, c->fd, &(struct epoll_event){ .events = EPOLLIN, .data.ptr = c });
	}
}

static const struct { const char *name; size_t number, text; int64_t otherwise; } options[] = {
#define NUMBER(field, value) { #field, offsetof(struct load, field) + 1, 0, value }
#define TEXT(field) { #field, 0, offsetof(struct load, field) + 1, 0 }
	TEXT(to), TEXT(cafile), TEXT(cert), TEXT(key), TEXT(user), TEXT(password), TEXT(prefix),
	NUMBER(clients, 1), NUMBER(rate, 0), NUMBER(window, 1), NUMBER(seconds, 5), NUMBER(warm, 0), NUMBER(qos, 0), NUMBER(topics, 1),
	NUMBER(size, 64), NUMBER(things, 0), NUMBER(messages, 0), NUMBER(every, 0), NUMBER(pid, 0), NUMBER(gap, 0), NUMBER(linger, 0), NUMBER(of, 2), NUMBER(gather, 0),
};
enum { OPTIONS = sizeof options / sizeof *options };

static void set_option(struct load *l, const char *word)
{
	size_t n = strcspn(word, "=");
	for (int i = 0; i < OPTIONS; i++) {
		if (word[n] != '=' || strlen(options[i].name) != n || memcmp(options[i].name, word, n))
			continue;
		if (options[i].number)
			*(int64_t *)(void *)((char *)l + options[i].number - 1) = atoll(word + n + 1);
		else
			*(const char **)(void *)((char *)l + options[i].text - 1) = word + n + 1;
		return;
	}
	load_die(word, "is no option");
}

static void read_options(struct load *l, int argc, char **argv)
{
	for (int i = 0; i < OPTIONS; i++)
		if (options[i].number)
			*(int64_t *)(void *)((char *)l + options[i].number - 1) = options[i].otherwise;
	l->prefix = "load";
	for (l->kind = kinds; l->kind->name && strcmp(l->kind->name, argv[1]); l->kind++)
		;
	for (int i = 2; i < argc; i++)
		set_option(l, argv[i]);
	if (!l->kind->name || !l->to || l->clients < 1 || l->topics < 1 || l->of < 1 || l->size > 2000 || (l->kind->collected && !l->rate))
		load_die(argv[1], "needs a known kind (rule: and rate=), to=, clients, topics and of of at least 1, and a size of at most 2000");
	l->things = l->things ? l->things : l->clients;
	l->limit = l->messages ? (uint64_t)l->messages : (uint64_t)(l->seconds * (l->rate ? l->rate : CLOSED_MOST));
	l->seen = calloc(l->limit / 8 + 1, 1);
	l->target = (struct target){ .address = l->to, .user = l->user, .password = l->password, .prefix = l->prefix };
	if (l->cafile)
		l->target.tls = target_tls(l->cafile, l->cert, l->key);
	if (!l->seen)
		load_die("memory", "is out");
}

static void stay(void)
{
	char byte;
	puts("ready");
	fflush(stdout);
	while (read(STDIN_FILENO, &byte, 1) > 0)
		;
}

int main(int argc, char **argv)
{
	static struct load l = { .lock = PTHREAD_MUTEX_INITIALIZER };
	struct rlimit files;
	if (argc < 3) {
		fprintf(stderr, "usage: load plain|update|get|describe|rule|idle|connect|storm to=PATH-or-PORT [name=value ...]\n");
		return 2;
	}
	getrlimit(RLIMIT_NOFILE, &files);
	files.rlim_cur = files.rlim_max;
	setrlimit(RLIMIT_NOFILE, &files);
	read_options(&l, argc, argv);
	open_all(&l);
	if (l.kind->payload)
		measure(&l);
	else if (l.kind->storm)
		storm(&l);
	else
		stay();
	return 0;
}
