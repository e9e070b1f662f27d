/* core_retained_test.c -- the index of retained topics, its times over a restart, and the packets of our own client. The client against a
 * real broker is tests/e2e/messages. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "core/retained.h"
#include "core/retained_times.h"
#include "core/retained_wire.h"

/* -- the index -- */

static struct sk_retained_fact fact(const char *payload, int64_t at)
{
	return (struct sk_retained_fact){ .size = (uint32_t)strlen(payload), .qos = 1, .modified_ms = at,
		                          .digest = sk_retained_digest(payload, strlen(payload), 1) };
}

static void set(struct sk_retained_index *ix, const char *topic, const char *payload, int64_t at)
{
	struct sk_retained_fact f = fact(payload, at);
	sk_retained_index_set(ix, topic, &f);
}

static void see(struct sk_retained_index *ix, const char *topic, const char *payload, int64_t at)
{
	struct sk_retained_fact f = fact(payload, at);
	sk_retained_index_see(ix, topic, &f);
}

static int64_t time_of(struct sk_retained_index *ix, const char *topic)
{
	struct sk_retained_fact f;
	return sk_retained_index_find(ix, topic, &f) ? f.modified_ms : -1;
}

static void topics_stand_in_order_and_pages_go_on_behind_any_of_them(void **state)
{
	enum { N = 3000 };
	struct sk_retained_index *ix = sk_retained_index_new(N);
	struct sk_retained_entry entry[70];
	char name[20], before[20] = "", *after = NULL;
	int seen = 0, n;

	(void)state;
	for (int i = 0; i < N; i++) {
		snprintf(name, sizeof(name), "t/%d", (i * 7919) % N);
		set(ix, name, name, i);
	}
	assert_int_equal(sk_retained_index_count(ix), N);
	do {
		n = sk_retained_index_page(ix, after, entry, 70);
		for (int i = 0; i < n; i++, seen++) {
			assert_true(strcmp(before, entry[i].topic) < 0);
			snprintf(before, sizeof(before), "%s", entry[i].topic);
			if (i == n - 1) {
				free(after);
				after = entry[i].topic;
			} else {
				free(entry[i].topic);
			}
		}
	} while (n == 70);
	assert_int_equal(seen, N);
	free(after);
	assert_int_equal(sk_retained_index_page(ix, "t/zzz", entry, 70), 0);
	for (int i = 0; i < N; i += 2) {
		snprintf(name, sizeof(name), "t/%d", i);
		sk_retained_index_remove(ix, name);
		sk_retained_index_remove(ix, name);
		assert_int_equal(time_of(ix, name), -1);
	}
	assert_int_equal(sk_retained_index_count(ix), N / 2);
	sk_retained_index_free(&ix);
	assert_null(ix);
}

static void what_is_seen_again_keeps_its_time_and_what_is_set_does_not(void **state)
{
	struct sk_retained_index *ix = sk_retained_index_new(10);

	(void)state;
	set(ix, "a", "x", 100);
	see(ix, "a", "x", 200);
	assert_int_equal(time_of(ix, "a"), 100);
	see(ix, "a", "y", 300);
	assert_int_equal(time_of(ix, "a"), 300);
	set(ix, "a", "y", 400);
	assert_int_equal(time_of(ix, "a"), 400);
	sk_retained_index_free(&ix);
}

static void what_was_not_seen_is_swept(void **state)
{
	struct sk_retained_index *ix = sk_retained_index_new(5000);
	char name[20], *after = NULL;

	(void)state;
	for (int i = 0; i < 2000; i++) {
		snprintf(name, sizeof(name), "t/%04d", i);
		set(ix, name, "x", i);
	}
	sk_retained_index_begin(ix);
	for (int i = 0; i < 2000; i += 3) {
		snprintf(name, sizeof(name), "t/%04d", i);
		see(ix, name, "x", 9);
	}
	while (sk_retained_index_sweep(ix, &after))
		;
	assert_null(after);
	assert_int_equal(sk_retained_index_count(ix), 667);
	for (int i = 0; i < 2000; i++) {
		snprintf(name, sizeof(name), "t/%04d", i);
		assert_int_equal(time_of(ix, name), i % 3 ? -1 : i);
	}
	sk_retained_index_free(&ix);
}

static void what_does_not_fit_is_counted(void **state)
{
	struct sk_retained_index *ix = sk_retained_index_new(2);

	(void)state;
	set(ix, "a", "x", 1);
	set(ix, "b", "x", 1);
	set(ix, "c", "x", 1);
	set(ix, "a", "y", 2);
	assert_int_equal(sk_retained_index_count(ix), 2);
	assert_int_equal(sk_retained_index_missed(ix), 1);
	assert_int_equal(time_of(ix, "c"), -1);
	sk_retained_index_begin(ix);
	assert_int_equal(sk_retained_index_missed(ix), 0);
	sk_retained_index_free(&ix);
}

static void a_digest_tells_payloads_and_qos_apart(void **state)
{
	const char text[] = "0123456789abcdef0";

	(void)state;
	for (size_t n = 0; n < sizeof(text) - 1; n++)
		assert_true(sk_retained_digest(text, n, 0) != sk_retained_digest(text, n + 1, 0));
	assert_true(sk_retained_digest("x", 1, 0) != sk_retained_digest("x", 1, 1));
	assert_true(sk_retained_digest("\0", 1, 0) != sk_retained_digest("\0\0", 2, 0));
}

/* -- times -- */

static char path[] = "/tmp/retained-times-XXXXXX";

static int make_file(void **state)
{
	int fd = mkstemp(path);

	(void)state;
	close(fd);
	return fd < 0;
}

static int remove_file(void **state)
{
	(void)state;
	return unlink(path);
}

static void times_are_remembered_for_the_same_message_only(void **state)
{
	struct sk_retained_index *ix = sk_retained_index_new(2000);
	char name[20];

	(void)state;
	for (int i = 0; i < 1000; i++) {
		snprintf(name, sizeof(name), "t/%d", i);
		set(ix, name, name, 5000 + i);
	}
	assert_int_equal(sk_times_save(path, ix), 0);
	struct sk_times *t = sk_times_load(path);
	assert_non_null(t);
	for (int i = 0; i < 1000; i++) {
		snprintf(name, sizeof(name), "t/%d", i);
		assert_int_equal(sk_times_find(t, name, sk_retained_digest(name, strlen(name), 1), 7), 5000 + i);
		assert_int_equal(sk_times_find(t, name, sk_retained_digest("other", 5, 1), 7), 7);
	}
	assert_int_equal(sk_times_find(t, "none", 1, 7), 7);
	assert_int_equal(sk_times_find(NULL, "t/1", 1, 7), 7);
	sk_times_free(&t);
	assert_null(t);
	sk_retained_index_free(&ix);
}

static void a_file_that_is_cut_or_not_ours_is_no_file(void **state)
{
	struct sk_retained_index *ix = sk_retained_index_new(10);
	struct stat st;

	(void)state;
	set(ix, "a", "x", 1);
	assert_int_equal(sk_times_save(path, ix), 0);
	assert_int_equal(stat(path, &st), 0);
	for (off_t n = st.st_size - 1; n >= 0; n -= 7) {
		assert_int_equal(truncate(path, n), 0);
		assert_null(sk_times_load(path));
	}
	assert_null(sk_times_load("/nowhere/at/all"));
	assert_null(sk_times_load(NULL));
	assert_int_equal(sk_times_save("/nowhere/at/all", ix), -1);
	sk_retained_index_free(&ix);
}

/* -- packets -- */

static void our_packets_are_mqtts(void **state)
{
	static const unsigned char connect[] = { 0x10, 30, 0, 4, 'M', 'Q', 'T', 'T', 5, 0xc2, 0, 60, 5, 39, 0, 0x20, 0, 0,
		                                 0, 2, 'i', 'd', 0, 4, 'u', 's', 'e', 'r', 0, 2, 'p', 'w' };
	static const unsigned char subscribe[] = { 0x82, 9, 1, 2, 0, 0, 3, 'a', '/', '#', 0 };
	static const unsigned char unsubscribe[] = { 0xa2, 8, 1, 2, 0, 0, 3, 'a', '/', '#' };
	const char *filter[] = { "a/#" };
	struct sk_wire_out out = { 0 };

	(void)state;
	sk_wire_connect(&out, "id", "user", "pw");
	assert_int_equal(out.n, sizeof(connect));
	assert_memory_equal(out.at, connect, sizeof(connect));
	sk_wire_out_free(&out);
	sk_wire_subscribe(&out, 0x102, filter, 1);
	assert_int_equal(out.n, sizeof(subscribe));
	assert_memory_equal(out.at, subscribe, sizeof(subscribe));
	sk_wire_out_free(&out);
	sk_wire_unsubscribe(&out, 0x102, filter, 1);
	assert_int_equal(out.n, sizeof(unsubscribe));
	assert_memory_equal(out.at, unsubscribe, sizeof(unsubscribe));
	sk_wire_out_free(&out);
	assert_null(out.at);
}

static void a_text_that_mqtt_cannot_hold_is_not_sent(void **state)
{
	char *text = malloc(70000);
	const char *filter[] = { text };
	struct sk_wire_out out = { 0 };

	(void)state;
	memset(text, 'x', 69999);
	text[69999] = 0;
	sk_wire_subscribe(&out, 1, filter, 1);
	assert_true(out.failed);
	sk_wire_out_free(&out);
	free(text);
}

static void packets_are_told_apart_byte_by_byte(void **state)
{
	static const unsigned char bytes[] = { 0x20, 3, 0, 0x85, 0, 0x90, 4, 1, 2, 0, 0, 0x31, 9, 0, 1, 't', 2, 1, 1, 'p', 'a', 'y' };
	const unsigned char *at = bytes, *end = bytes + sizeof(bytes);
	struct sk_wire_packet p;
	struct sk_wire_message m;

	(void)state;
	for (size_t n = 0; n < 5; n++)
		assert_int_equal(sk_wire_packet(at, n, &p), 0);
	assert_int_equal(sk_wire_packet(at, (size_t)(end - at), &p), 1);
	assert_int_equal(p.type, SK_WIRE_CONNACK);
	assert_int_equal(sk_wire_connack(&p), 0x85);
	at += p.whole;
	assert_int_equal(sk_wire_packet(at, (size_t)(end - at), &p), 1);
	assert_int_equal(p.type, SK_WIRE_SUBACK);
	assert_int_equal(sk_wire_ack(&p), 0x102);
	at += p.whole;
	assert_int_equal(sk_wire_packet(at, (size_t)(end - at), &p), 1);
	assert_true(sk_wire_publish(&p, &m));
	assert_int_equal(m.topic_size, 1);
	assert_int_equal(m.properties_size, 2);
	assert_int_equal(m.payload_size, 3);
	assert_memory_equal(m.payload, "pay", 3);
	assert_ptr_equal(at + p.whole, end);
}

static void bad_packets_are_refused(void **state)
{
	static const unsigned char endless[] = { 0x30, 0xff, 0xff, 0xff, 0xff, 1 }, large[] = { 0x30, 0xff, 0xff, 0xff, 0x7f };
	static const unsigned char qos1[] = { 0x32, 5, 0, 1, 't', 0, 0 }, topic[] = { 0x30, 3, 0, 9, 't' }, properties[] = { 0x30, 4, 0, 1, 't', 9 };
	struct sk_wire_packet p;
	struct sk_wire_message m;

	(void)state;
	assert_int_equal(sk_wire_packet(endless, sizeof(endless), &p), -1);
	assert_int_equal(sk_wire_packet(large, sizeof(large), &p), -1);
	assert_int_equal(sk_wire_packet(qos1, sizeof(qos1), &p), 1);
	assert_false(sk_wire_publish(&p, &m));
	assert_int_equal(sk_wire_packet(topic, sizeof(topic), &p), 1);
	assert_false(sk_wire_publish(&p, &m));
	assert_int_equal(sk_wire_packet(properties, sizeof(properties), &p), 1);
	assert_false(sk_wire_publish(&p, &m));
}

static void a_listener_is_a_path_or_a_loopback_port(void **state)
{
	char path_too_long[200];

	(void)state;
	memset(path_too_long, '/', sizeof(path_too_long));
	path_too_long[sizeof(path_too_long) - 1] = 0;
	assert_null(sk_retained_listener_fault("/run/x.sock"));
	assert_null(sk_retained_listener_fault("run/x.sock"));
	assert_null(sk_retained_listener_fault("127.0.0.1:1883"));
	assert_non_null(sk_retained_listener_fault(path_too_long));
	const char *bad[] = { "", "x", "127.0.0.1", "127.0.0.1:0", "127.0.0.1:65536", "127.0.0.1:1x", "10.0.0.1:1883", "::1:1883", "localhost:1883" };
	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++)
		assert_non_null(sk_retained_listener_fault(bad[i]));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(topics_stand_in_order_and_pages_go_on_behind_any_of_them),
		cmocka_unit_test(what_is_seen_again_keeps_its_time_and_what_is_set_does_not),
		cmocka_unit_test(what_was_not_seen_is_swept),
		cmocka_unit_test(what_does_not_fit_is_counted),
		cmocka_unit_test(a_digest_tells_payloads_and_qos_apart),
		cmocka_unit_test(times_are_remembered_for_the_same_message_only),
		cmocka_unit_test(a_file_that_is_cut_or_not_ours_is_no_file),
		cmocka_unit_test(our_packets_are_mqtts),
		cmocka_unit_test(a_text_that_mqtt_cannot_hold_is_not_sent),
		cmocka_unit_test(packets_are_told_apart_byte_by_byte),
		cmocka_unit_test(bad_packets_are_refused),
		cmocka_unit_test(a_listener_is_a_path_or_a_loopback_port),
	};
	return cmocka_run_group_tests(tests, make_file, remove_file);
}
