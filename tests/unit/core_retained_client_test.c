/* core_retained_client_test.c -- our client against a broker that this test plays: it answers, answers late, talks nonsense, hangs up. A thread of the test is
 * the broker's thread. */
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include "core/retained.h"
#include "core/retained_wire.h"

enum mood { GOOD, REFUSES, HANGS_UP, NONSENSE, KEEPS_MESSAGE };

static struct {
	char folder[40], path[60];
	int listener, fd;
	pthread_t thread;
	_Atomic(struct sk_retained *) client;
	_Atomic enum mood mood;
	atomic_bool stop;
	atomic_int connections, open;
	pthread_mutex_t lock;
	const char *topic[8], *payload[8]; /* what it retains */
	int count;
} broker = { .lock = PTHREAD_MUTEX_INITIALIZER };

/* -- the broker -- */

static void send_message(const char *topic, const char *payload)
{
	unsigned char out[300];
	size_t t = strlen(topic), p = strlen(payload);
	out[0] = 0x30;
	out[1] = (unsigned char)(2 + t + 1 + p);
	out[2] = 0;
	out[3] = (unsigned char)t;
	memcpy(out + 4, topic, t);
	out[4 + t] = 0;
	memcpy(out + 5 + t, payload, p);
	send(broker.fd, out, 5 + t + p, MSG_NOSIGNAL);
}

static void tell(const char *filter)
{
	struct sk_retained *r = atomic_load(&broker.client);
	for (int i = 0; i < broker.count; i++) {
		struct sk_retained_view v = { broker.topic[i], broker.payload[i], strlen(broker.payload[i]), 1, true };
		if (strcmp(filter, "#") && strcmp(filter, v.topic))
			continue;
		if (sk_retained_reads(r, &v) && atomic_load(&broker.mood) != KEEPS_MESSAGE)
			send_message(v.topic, broker.payload[i]);
	}
}

static void acknowledge(unsigned char type, const unsigned char *id)
{
	const unsigned char out[] = { type, 4, id[0], id[1], 0, 0 };
	send(broker.fd, out, sizeof(out), MSG_NOSIGNAL);
}

static void subscribed(const struct sk_wire_packet *p)
{
	char filter[200];
	pthread_mutex_lock(&broker.lock);
	for (size_t at = 3; at < p->size;) {
		size_t n = (size_t)p->body[at] << 8 | p->body[at + 1];
		snprintf(filter, sizeof(filter), "%.*s", (int)n, (const char *)p->body + at + 2);
		if (sk_retained_subscribes(atomic_load(&broker.client), filter))
			tell(filter);
		at += 2 + n + 1;
	}
	pthread_mutex_unlock(&broker.lock);
	acknowledge(0x90, p->body);
}

static bool handle(const struct sk_wire_packet *p)
{
	static const unsigned char yes[] = { 0x20, 3, 0, 0, 0 }, no[] = { 0x20, 3, 0, 0x87, 0 }, nonsense[] = { 0xff, 0xff, 0xff, 0xff, 0xff, 0xff };
	enum mood mood = atomic_load(&broker.mood);
	switch ((int)p->type) {
	case 1:
		send(broker.fd, mood == REFUSES ? no : yes, sizeof(yes), MSG_NOSIGNAL);
		return mood != REFUSES;
	case 8:
		if (mood == NONSENSE)
			send(broker.fd, nonsense, sizeof(nonsense), MSG_NOSIGNAL);
		if (mood == HANGS_UP || mood == NONSENSE)
			return false;
		subscribed(p);
		return true;
	case 10:
		acknowledge(0xb0, p->body);
		return true;
	default:
		return true;
	}
}

static void serve(void)
{
	static unsigned char in[65536];
	size_t n = 0;
	struct sk_wire_packet p;
	for (bool on = true; on;) {
		ssize_t got = recv(broker.fd, in + n, sizeof(in) - n, 0);
		if (got <= 0)
			return;
		n += (size_t)got;
		while (on && n && sk_wire_packet(in, n, &p) > 0) {
			size_t whole = p.whole;
			on = handle(&p);
			memmove(in, in + whole, n - whole);
			n -= whole;
		}
	}
}

static void *run(void *arg)
{
	(void)arg;
	while (!atomic_load(&broker.stop)) {
		broker.fd = accept(broker.listener, NULL, NULL);
		if (broker.fd < 0)
			continue;
		atomic_store(&broker.open, 1);
		atomic_fetch_add(&broker.connections, 1);
		while (!atomic_load(&broker.client) && !atomic_load(&broker.stop))
			usleep(1000);
		serve();
		close(broker.fd);
		pthread_mutex_lock(&broker.lock);
		if (atomic_load(&broker.client))
			sk_retained_left(atomic_load(&broker.client));
		pthread_mutex_unlock(&broker.lock);
		atomic_store(&broker.open, 0);
	}
	return NULL;
}

static int start_broker(void **state)
{
	struct sockaddr_un un = { .sun_family = AF_UNIX };
	(void)state;
	strcpy(broker.folder, "/tmp/retained-client-XXXXXX");
	if (!mkdtemp(broker.folder))
		return -1;
	snprintf(broker.path, sizeof(broker.path), "%s/sock", broker.folder);
	strcpy(un.sun_path, broker.path);
	broker.listener = socket(AF_UNIX, SOCK_STREAM, 0);
	return bind(broker.listener, (struct sockaddr *)&un, sizeof(un)) || listen(broker.listener, 5) || pthread_create(&broker.thread, NULL, run, NULL);
}

static int stop_broker(void **state)
{
	(void)state;
	atomic_store(&broker.stop, true);
	shutdown(broker.listener, SHUT_RDWR);
	pthread_join(broker.thread, NULL);
	close(broker.listener);
	unlink(broker.path);
	return rmdir(broker.folder);
}

/* -- the client -- */

static int64_t ms(clockid_t clock)
{
	struct timespec t;
	clock_gettime(clock, &t);
	return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}
static int64_t wall_ms(void) { return ms(CLOCK_REALTIME); }
/* A hundredth of it: a thread of the test that lost its core for some seconds is no answer that comes too late. */
static int64_t mono_ms(void) { return ms(CLOCK_MONOTONIC) / 100; }
static int chance(void *to, size_t n) { memset(to, 7, n); return 0; }
static void say(char level, const char *line) { (void)level, (void)line; }

static struct sk_retained *client(enum mood mood)
{
	const struct sk_retained_options o = { .listener = broker.path, .topics = 100, .wall_ms = wall_ms, .mono_ms = mono_ms, .random = chance, .say = say };
	atomic_store(&broker.mood, mood);
	struct sk_retained *r = sk_retained_start(&o);
	assert_non_null(r);
	atomic_store(&broker.client, r);
	return r;
}

static void until_ready(const struct sk_retained *r)
{
	for (int i = 0; i < 60000 && !sk_retained_ready(r); i++)
		usleep(1000);
	assert_true(sk_retained_ready(r));
}

/* The broker must have let go of it: it is freed only when its connection has been seen to end. */
static void leave(struct sk_retained **r)
{
	sk_retained_quiesce(*r);
	while (atomic_load(&broker.open))
		usleep(1000);
	atomic_store(&broker.client, NULL);
	sk_retained_free(r);
	assert_null(*r);
}

static void retain(int i, const char *topic, const char *payload)
{
	pthread_mutex_lock(&broker.lock);
	broker.topic[i] = topic;
	broker.payload[i] = payload;
	broker.count = i + 1;
	pthread_mutex_unlock(&broker.lock);
}

static void a_question_is_answered_by_what_the_broker_has(void **state)
{
	struct sk_retained_message m;
	struct sk_retained_page page;
	(void)state;
	retain(0, "a", "one");
	retain(1, "b", "two");
	struct sk_retained *r = client(GOOD);
	until_ready(r);
	assert_int_equal(sk_retained_fetch(r, "b", &m), SK_RETAINED_FOUND);
	assert_int_equal(m.payload_size, 3);
	assert_memory_equal(m.payload, "two", 3);
	assert_int_equal(m.fact.qos, 1);
	free(m.payload);
	free(m.properties);
	assert_int_equal(sk_retained_fetch(r, "c", &m), SK_RETAINED_NONE);
	assert_null(m.payload);
	retain(0, "a", "one"); /* and b has expired */
	assert_int_equal(sk_retained_list(r, NULL, 10, &page), SK_RETAINED_FOUND);
	assert_int_equal(page.count, 1);
	assert_string_equal(page.entry[0].topic, "a");
	assert_null(page.next);
	sk_retained_page_free(&page);
	assert_int_equal(sk_retained_count(r), 1);
	leave(&r);
}

static void a_message_that_does_not_come_is_too_large(void **state)
{
	struct sk_retained_message m;
	(void)state;
	retain(0, "a", "one");
	struct sk_retained *r = client(KEEPS_MESSAGE);
	until_ready(r);
	assert_int_equal(sk_retained_fetch(r, "a", &m), SK_RETAINED_TOO_LARGE);
	leave(&r);
}

static void it_comes_back_after_every_kind_of_trouble(void **state)
{
	static const enum mood moods[] = { REFUSES, HANGS_UP, NONSENSE };
	struct sk_retained_message m;
	struct sk_retained_page page;
	(void)state;
	retain(0, "a", "one");
	for (size_t i = 0; i < 3; i++) {
		int before = atomic_load(&broker.connections);
		struct sk_retained *r = client(moods[i]);
		while (atomic_load(&broker.connections) < before + 2)
			usleep(1000);
		assert_false(sk_retained_ready(r));
		assert_int_equal(sk_retained_fetch(r, "a", &m), SK_RETAINED_NOT_NOW);
		assert_int_equal(sk_retained_list(r, NULL, 10, &page), SK_RETAINED_NOT_NOW);
		sk_retained_page_free(&page);
		atomic_store(&broker.mood, GOOD);
		until_ready(r);
		assert_int_equal(sk_retained_fetch(r, "a", &m), SK_RETAINED_FOUND);
		free(m.payload);
		free(m.properties);
		leave(&r);
	}
}

static void a_question_that_the_broker_hangs_up_on_is_not_now_and_the_next_is_answered(void **state)
{
	struct sk_retained_message m;
	(void)state;
	retain(0, "a", "one");
	struct sk_retained *r = client(GOOD);
	until_ready(r);
	atomic_store(&broker.mood, HANGS_UP);
	assert_int_equal(sk_retained_fetch(r, "a", &m), SK_RETAINED_NOT_NOW);
	atomic_store(&broker.mood, GOOD);
	int rc = SK_RETAINED_NOT_NOW;
	for (int i = 0; i < 60000 && (rc = sk_retained_fetch(r, "a", &m)) != SK_RETAINED_FOUND; i++)
		usleep(1000);
	assert_int_equal(rc, SK_RETAINED_FOUND);
	assert_memory_equal(m.payload, "one", 3);
	free(m.payload);
	free(m.properties);
	leave(&r);
}

/* Given up here, but still in the broker's socket: what it finds for an old question is no answer to a new one, and removes nothing. */
static void a_question_of_nobody_changes_nothing(void **state)
{
	(void)state;
	retain(0, "a", "one");
	struct sk_retained *r = client(GOOD);
	until_ready(r);
	pthread_mutex_lock(&broker.lock);
	assert_true(sk_retained_subscribes(r, "a"));
	assert_false(sk_retained_subscribes(r, "$SYS/skeeter/end"));
	static const struct sk_retained_view live = { "b", "x", 1, 0, true }, plain = { "c", "x", 1, 0, false }, gone = { "b", "", 0, 0, true }, sys = { "$SYS/x", "x", 1, 0, true };
	assert_false(sk_retained_reads(r, &live));
	assert_false(sk_retained_reads(r, &plain));
	assert_false(sk_retained_reads(r, &sys));
	assert_int_equal(sk_retained_count(r), 2);
	assert_false(sk_retained_reads(r, &gone));
	pthread_mutex_unlock(&broker.lock);
	assert_int_equal(sk_retained_count(r), 1);
	leave(&r);
}

static void *ask_for_ever(void *arg)
{
	struct sk_retained_message m;
	for (int i = 0; i < 100000 && sk_retained_fetch(arg, "a", &m) != SK_RETAINED_NOT_NOW; i++) {
		free(m.payload);
		free(m.properties);
	}
	return NULL;
}

static void whoever_asks_at_the_end_is_answered(void **state)
{
	pthread_t askers[4];
	(void)state;
	retain(0, "a", "one");
	struct sk_retained *r = client(GOOD);
	until_ready(r);
	for (int i = 0; i < 4; i++)
		assert_int_equal(pthread_create(&askers[i], NULL, ask_for_ever, r), 0);
	usleep(20000);
	sk_retained_quiesce(r);
	for (int i = 0; i < 4; i++)
		pthread_join(askers[i], NULL);
	leave(&r);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_question_is_answered_by_what_the_broker_has),
		cmocka_unit_test(a_message_that_does_not_come_is_too_large),
		cmocka_unit_test(it_comes_back_after_every_kind_of_trouble),
		cmocka_unit_test(a_question_that_the_broker_hangs_up_on_is_not_now_and_the_next_is_answered),
		cmocka_unit_test(a_question_of_nobody_changes_nothing),
		cmocka_unit_test(whoever_asks_at_the_end_is_answered),
	};
	return cmocka_run_group_tests(tests, start_broker, stop_broker);
}
