/* core_presence_test.c -- what is remembered of clients and what is bounded of it, the documents, and the look into a client object. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "core/ledger.h"
#include "core/peek.h"
#include "core/presence.h"

/* -- ledger -- */

static void count_one(struct sk_known *k, void *ctx)
{
	(void)k;
	++*(int *)ctx;
}

static int count(struct sk_ledger *l)
{
	int n = 0;
	sk_ledger_each(l, count_one, &n);
	return n;
}

static void clients_without_a_connection_are_bounded_and_the_oldest_goes(void **state)
{
	struct sk_ledger *l = sk_ledger_new(100, 0);
	char id[32];
	(void)state;
	struct sk_known *held = sk_ledger_open(l, "held");
	sk_ledger_hold(l, held);
	for (int i = 0; i < 5000; i++) {
		snprintf(id, sizeof id, "c%d", i);
		struct sk_known *k = sk_ledger_open(l, id);
		sk_ledger_hold(l, k);
		k->version = 0;
		sk_ledger_release(l, k);
	}
	assert_int_equal(count(l), 101);
	assert_ptr_equal(sk_ledger_find(l, "held"), held);
	assert_null(sk_ledger_find(l, "c4899"));
	assert_non_null(sk_ledger_find(l, "c4900"));
	held->version = 0;
	sk_ledger_release(l, held);
	assert_int_equal(count(l), 100);
	assert_null(sk_ledger_find(l, "c4900"));
	sk_ledger_free(&l);
	assert_null(l);
}

static void one_that_never_got_through_is_forgotten_unless_it_was_denied(void **state)
{
	struct sk_ledger *l = sk_ledger_new(10, 0);
	(void)state;
	struct sk_known *k = sk_ledger_open(l, "a");
	sk_ledger_hold(l, k);
	sk_ledger_release(l, k);
	assert_null(sk_ledger_find(l, "a"));
	k = sk_ledger_open(l, "b");
	sk_ledger_hold(l, k);
	sk_known_denied(k, "no", 7);
	sk_known_denied(k, "never", 8);
	sk_known_is(k, "me", NULL);
	sk_ledger_release(l, k);
	k = sk_ledger_find(l, "b");
	assert_string_equal(k->denial, "never");
	assert_string_equal(k->principal, "me");
	assert_int_equal(k->denied_ms, 8);
	sk_ledger_free(&l);
}

static void a_pair_is_counted_and_told_with_its_last_verdict(void **state)
{
	struct sk_ledger *l = sk_ledger_new(10, 10000);
	(void)state;
	struct sk_known *k = sk_ledger_open(l, "a");
	sk_ledger_did(l, k, SK_DID_PUBLISH, "x", false, 1);
	sk_ledger_did(l, k, SK_DID_SUBSCRIBE, "x", true, 2);
	sk_ledger_did(l, k, SK_DID_PUBLISH, "x", true, 3);
	assert_int_equal(k->deeds, 2);
	assert_int_equal(k->recent->deed, SK_DID_PUBLISH);
	assert_int_equal(k->recent->count, 2);
	assert_int_equal(k->recent->first_ms, 1);
	assert_int_equal(k->recent->last_ms, 3);
	assert_true(k->recent->allowed);
	char longer[SK_LEDGER_TOPIC + 2] = "";
	memset(longer, 'y', sizeof longer - 1);
	sk_ledger_did(l, k, SK_DID_PUBLISH, longer, true, 4);
	assert_int_equal(k->deeds, 2);
	sk_ledger_free(&l);
}

static void each_pair_is_found_again_among_many(void **state)
{
	struct sk_ledger *l = sk_ledger_new(1000, 1000000);
	char topic[32], id[32];
	(void)state;
	for (int i = 0; i < 30 * 60 * 3; i++) {
		snprintf(id, sizeof id, "c%d", i % 30);
		snprintf(topic, sizeof topic, "t/%d", i / 30 % 60);
		sk_ledger_did(l, sk_ledger_open(l, id), i / 30 % 2 ? SK_DID_PUBLISH : SK_DID_RECEIVE, topic, true, i);
	}
	for (int c = 0; c < 30; c++) {
		snprintf(id, sizeof id, "c%d", c);
		const struct sk_known *k = sk_ledger_find(l, id);
		assert_int_equal(k->deeds, 60);
		for (const struct sk_did *d = k->did; d; d = d->next)
			assert_int_equal(d->count, 3);
	}
	sk_ledger_free(&l);
}

static void pairs_are_bounded_for_each_client_and_in_all(void **state)
{
	struct sk_ledger *l = sk_ledger_new(1000, 20000);
	char id[32], topic[32];
	size_t deeds = 0;
	(void)state;
	for (int c = 0; c < 50; c++) {
		snprintf(id, sizeof id, "c%d", c);
		struct sk_known *k = sk_ledger_open(l, id);
		for (int i = 0; i < 100; i++) {
			snprintf(topic, sizeof topic, "t/%d", i);
			sk_ledger_did(l, k, SK_DID_PUBLISH, topic, true, i);
		}
		assert_true(k->deeds <= SK_LEDGER_DEEDS && k->deeds > 0);
		assert_string_equal(k->recent->topic, "t/99");
	}
	for (int c = 0; c < 50; c++) {
		snprintf(id, sizeof id, "c%d", c);
		deeds += (size_t)sk_ledger_find(l, id)->deeds;
	}
	assert_true(deeds * sizeof(struct sk_did) <= 20000);
	assert_int_equal(sk_ledger_find(l, "c0")->deeds, 0);
	sk_ledger_free(&l);
}

static void without_room_nothing_is_kept(void **state)
{
	struct sk_ledger *l = sk_ledger_new(0, 0);
	(void)state;
	struct sk_known *k = sk_ledger_open(l, "a");
	assert_non_null(k);
	sk_ledger_hold(l, k);
	sk_ledger_did(l, k, SK_DID_PUBLISH, "x", true, 1);
	assert_int_equal(k->deeds, 0);
	k->version = 0;
	sk_ledger_release(l, k);
	assert_null(sk_ledger_find(l, "a"));
	sk_ledger_did(NULL, NULL, SK_DID_PUBLISH, "x", true, 1);
	assert_null(sk_ledger_find(NULL, "a"));
	assert_null(sk_ledger_open(NULL, "a"));
	sk_ledger_free(&l);
}

/* -- documents -- */

static void documents_are_aws_s(void **state)
{
	struct sk_arena a = { 0 };
	struct sk_presence p = { .kind = SK_DISCONNECTED, .reason = SK_REASON_KEEPALIVE, .now_ms = 1573002340451, .version = 3, .client_id = "lamp",
		.session = "s1", .principal = "p1", .address = "192.0.2.1", .thing = "lamp" };
	(void)state;
	assert_string_equal(sk_json_print(&a, sk_presence_document(&a, &p), NULL),
		"{\"clientId\":\"lamp\",\"timestamp\":1573002340451,\"eventType\":\"disconnected\",\"sessionIdentifier\":\"s1\","
		"\"principalIdentifier\":\"p1\",\"clientInitiatedDisconnect\":false,\"disconnectReason\":\"MQTT_KEEP_ALIVE_TIMEOUT\","
		"\"versionNumber\":3,\"thingName\":\"lamp\"}");
	p = (struct sk_presence){ .kind = SK_CONNECT_FAILED, .now_ms = 1, .client_id = "x", .session = "s", .address = "::1" };
	assert_string_equal(sk_json_print(&a, sk_presence_document(&a, &p), NULL),
		"{\"clientId\":\"x\",\"timestamp\":1,\"eventType\":\"connect_failed\",\"connectFailureReason\":\"AUTHORIZATION_FAILED\","
		"\"sessionIdentifier\":\"s\",\"principalIdentifier\":\"\",\"ipAddress\":\"::1\"}");
	assert_string_equal(sk_presence_topic(&a, SK_UNSUBSCRIBED, "a/b"), "$aws/events/subscriptions/unsubscribed/a/b");
	assert_null(sk_presence_topic(&a, SK_CONNECTED, "a+"));
	assert_null(sk_presence_topic(&a, SK_CONNECTED, "#"));
	assert_null(sk_presence_topic(&a, SK_CONNECTED, ""));
	sk_arena_free(&a);
}

static void reasons_of_2_1_are_told_in_aws_s_words(void **state)
{
	static const struct { int code; const char *name; } expected[] = {
		{ 0, "CLIENT_INITIATED_DISCONNECT" }, { 7, "CONNECTION_LOST" }, { 19, "MQTT_KEEP_ALIVE_TIMEOUT" }, { 11, "AUTH_ERROR" },
		{ 142, "DUPLICATE_CLIENTID" }, { 152, "SERVER_INITIATED_DISCONNECT" }, { 2, "CLIENT_ERROR" }, { 13, "CLIENT_ERROR" },
		{ 21, "CLIENT_ERROR" }, { -1, "CONNECTION_LOST" }, { 9999, "CONNECTION_LOST" },
	};
	(void)state;
	for (size_t i = 0; i < sizeof expected / sizeof *expected; i++)
		assert_string_equal(sk_reason_name(sk_reason_of_code(expected[i].code)), expected[i].name);
}

/* -- peek: an object as Debian's 2.0 builds have it, its id at 16 -- */

struct object {
	int ident, sock;
	long address;
	const char *id, *username, *password;
	uint16_t keepalive, last_mid;
	int state;
	int64_t last_in, rest[20];
};

static struct sk_peek_at at(const struct object *o, int64_t now)
{
	return (struct sk_peek_at){ .object = o, .id = o->id, .username = o->username, .keepalive = o->keepalive, .now_s = { now, now + 5000, now + 1800000000 } };
}

static struct object live(void)
{
	static char id[] = "lamp", username[] = "u";
	return (struct object){ .id = id, .username = username, .keepalive = 60, .state = 3, .last_in = 100 };
}

static void the_place_is_learnt_on_a_live_client_only(void **state)
{
	struct sk_peek p = { 0 };
	struct object o = live(), other = live();
	struct sk_peek_at now = at(&o, 100), late = at(&o, 500);
	(void)state;
	sk_peek_learn(&p, &late);
	other.state = 1;
	struct sk_peek_at connecting = at(&other, 100);
	sk_peek_learn(&p, &connecting);
	struct sk_peek_at nameless = now;
	nameless.username = NULL;
	sk_peek_learn(&p, &nameless);
	assert_int_equal(p.offset, 0);
	assert_int_equal(sk_peek_why(&p, &now), SK_PEEK_UNKNOWN);
	sk_peek_learn(&p, &now);
	assert_int_equal(p.offset, 16);
	assert_int_equal(p.clock, 0);
	struct sk_peek boot = { 0 };
	struct object slept = live();
	slept.last_in = 5100;
	struct sk_peek_at since_boot = at(&slept, 100);
	sk_peek_learn(&boot, &since_boot);
	assert_int_equal(boot.clock, 1);
	struct sk_peek day = { 0 }; /* as Debian's 2.0.21 counts */
	struct object dated = live();
	dated.last_in = 1800000100;
	struct sk_peek_at of_the_day = at(&dated, 100);
	sk_peek_learn(&day, &of_the_day);
	assert_int_equal(day.clock, 2);
}

static void what_does_not_fit_is_never_learnt(void **state)
{
	struct sk_peek p = { 0 };
	struct object o = live();
	(void)state;
	struct sk_peek_at now = at(&o, 100);
	now.keepalive = 61;
	for (int i = 0; i < 1000; i++)
		sk_peek_learn(&p, &now);
	assert_int_equal(p.offset, 0);
	now.keepalive = 60;
	sk_peek_learn(&p, &now); /* it has given up */
	assert_int_equal(p.offset, 0);
}

static void the_state_tells_why(void **state)
{
	static const struct { int state; int64_t silent; enum sk_peeked why; } expected[] = {
		{ 2, 0, SK_PEEK_CLIENT }, { 18, 0, SK_PEEK_CLIENT }, { 17, 0, SK_PEEK_TAKEN }, { 3, 0, SK_PEEK_LOST }, { 3, 89, SK_PEEK_LOST },
		{ 3, 90, SK_PEEK_KEEPALIVE }, { 0, 0, SK_PEEK_CONNECTING }, { 1, 0, SK_PEEK_CONNECTING }, { 77, 0, SK_PEEK_UNKNOWN },
	};
	struct sk_peek p = { .offset = 16 };
	(void)state;
	for (size_t i = 0; i < sizeof expected / sizeof *expected; i++) {
		struct object o = live();
		o.state = expected[i].state;
		struct sk_peek_at end = at(&o, 100 + expected[i].silent);
		assert_int_equal(sk_peek_why(&p, &end), expected[i].why);
		end.id = "lamp "; /* not the pointer that stands there */
		assert_int_equal(sk_peek_why(&p, &end), SK_PEEK_UNKNOWN);
	}
	struct object o = live();
	o.keepalive = 0;
	struct sk_peek_at end = at(&o, 100000);
	assert_int_equal(sk_peek_why(&p, &end), SK_PEEK_LOST);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(clients_without_a_connection_are_bounded_and_the_oldest_goes),
		cmocka_unit_test(one_that_never_got_through_is_forgotten_unless_it_was_denied),
		cmocka_unit_test(a_pair_is_counted_and_told_with_its_last_verdict),
		cmocka_unit_test(each_pair_is_found_again_among_many),
		cmocka_unit_test(pairs_are_bounded_for_each_client_and_in_all),
		cmocka_unit_test(without_room_nothing_is_kept),
		cmocka_unit_test(documents_are_aws_s),
		cmocka_unit_test(reasons_of_2_1_are_told_in_aws_s_words),
		cmocka_unit_test(the_place_is_learnt_on_a_live_client_only),
		cmocka_unit_test(what_does_not_fit_is_never_learnt),
		cmocka_unit_test(the_state_tells_why),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
