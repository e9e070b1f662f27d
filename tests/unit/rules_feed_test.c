/* rules_feed_test.c -- from a message on the broker's thread to what lies in the rings, and when a rule out of force is given back. The threads that read the
 * rings do not run: the test reads. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "core/threads.h"
#include "core/topic.h"
#include "plugins/rules/engine_unit.h"
#include "tests/unit/rules_fake.h"

enum { RING = 4096, FOUR = 4 };

static int open_one(void **state)
{
	static struct rules_fake f;
	*state = &f;
	return rules_fake_open(&f, 1, RING) ? 0 : -1;
}

static int open_four(void **state)
{
	static struct rules_fake f;
	*state = &f;
	return rules_fake_open(&f, FOUR, RING) ? 0 : -1;
}

static int shut(void **state)
{
	rules_fake_close(*state);
	return 0;
}

static struct live_rule *put(struct rules_fake *f, const char *name, const char *filter)
{
	struct live_rule *r = rules_fake_rule(name, filter);
	assert_non_null(r);
	assert_int_equal(engine_put(f->engine, r), 0);
	return r;
}

/* A rule of a file that belongs to that thread. */
static struct live_rule *put_lua(struct rules_fake *f, const char *name, const char *filter, int thread)
{
	struct live_rule *r = live_new(name, filter, NULL);
	r->unit = lua_unit_new("doors.lua", NULL);
	r->unit->thread = thread;
	r->runs_lua = true;
	assert_int_equal(engine_put(f->engine, r), 0);
	return r;
}

static uint64_t dropped(const struct live_rule *r)
{
	return atomic_load(&r->count.dropped);
}

static bool all_empty(const struct rules_fake *f)
{
	for (int k = 0; k < f->engine->threads; k++)
		if (!rules_ring_empty(f->engine->thread[k]->ring))
			return false;
	return true;
}

/* -- what is copied -- */

static void a_message_is_copied_whole(void **state)
{
	static const char properties[] = { 1, 1, 3, 0, 1, 'x' };
	struct rules_fake *f = *state;
	struct live_rule *r = put(f, "r", "a/+");
	struct sk_client client = { .id = "press-7", .username = "principal", .address = "10.0.0.7" };
	const struct sk_feed feed = { .handle = &client, .topic = "a/b", .payload = "x\0y", .size = 3, .qos = 2, .retain = true, .depth = 3, .properties = properties,
		.properties_size = sizeof properties };
	int64_t before = sk_wall_ms();
	assert_int_equal(engine_message(f->engine, &feed), SK_PASS);
	const struct rules_message *m = rules_fake_read(f, 0);
	assert_int_equal(m->rules, 1);
	assert_ptr_equal(m->rule[0], r);
	assert_true(m->now_ms >= before && m->now_ms <= sk_wall_ms());
	assert_true(m->qos == 2 && m->retain && m->depth == 3 && !m->basic);
	assert_string_equal(message_text(m, m->topic), "a/b");
	assert_string_equal(message_text(m, m->client_id), "press-7");
	assert_string_equal(message_text(m, m->principal), "principal");
	assert_string_equal(message_text(m, m->source_ip), "10.0.0.7");
	assert_int_equal(m->size, 3);
	assert_memory_equal((const char *)m + m->payload, "x\0y", 4);
	assert_int_equal(m->properties_size, sizeof properties);
	assert_memory_equal(message_text(m, m->properties), properties, sizeof properties);
	assert_null(rules_fake_read(f, 0));
}

static void what_is_not_there_is_not_copied(void **state)
{
	struct rules_fake *f = *state;
	struct sk_client local = { .id = "", .address = "/run/op.sock" };
	struct sk_feed feed = { .topic = "a" };
	put(f, "r", "#");
	assert_int_equal(engine_message(f->engine, &feed), SK_PASS);
	const struct rules_message *m = rules_fake_read(f, 0);
	assert_true(!m->client_id && !m->principal && !m->source_ip && !m->properties && !m->properties_size && !m->size);
	assert_int_equal(((const char *)m)[m->payload], '\0');
	feed.handle = &local;
	assert_int_equal(engine_message(f->engine, &feed), SK_PASS);
	m = rules_fake_read(f, 0);
	assert_string_equal(message_text(m, m->client_id), "");
	assert_true(!m->principal && !m->source_ip);
}

static void payloads_of_every_size_are_what_they_were(void **state)
{
	struct rules_fake *f = *state;
	unsigned char payload[600];
	for (size_t i = 0; i < sizeof payload; i++)
		payload[i] = (unsigned char)(i * 7 + 1);
	put(f, "r", "a");
	for (size_t n = 0; n <= sizeof payload; n++) {
		const struct sk_feed feed = { .topic = "a", .payload = payload, .size = n };
		assert_int_equal(engine_message(f->engine, &feed), SK_PASS);
		struct rules_message *m = rules_fake_read(f, 0);
		assert_int_equal(m->size, n);
		assert_memory_equal((const char *)m + m->payload, payload, n);
		assert_int_equal(((const char *)m)[m->payload + n], '\0');
		rules_fake_done(f, 0, m);
	}
}

/* -- whom it concerns -- */

static void what_matches_nothing_costs_nothing(void **state)
{
	struct rules_fake *f = *state;
	put(f, "r", "a/+");
	put(f, "off", "off")->disabled = true;
	atomic_store(&put(f, "broken", "broken")->broken, true);
	put(f, "ingest", NULL);
	assert_int_equal(rules_fake_feed(f, "b", "{}"), SK_PASS);
	assert_int_equal(rules_fake_feed(f, "off", "{}"), SK_PASS);
	assert_int_equal(rules_fake_feed(f, "broken", "{}"), SK_PASS);
	assert_int_equal(rules_fake_feed(f, "$SYS/a", "{}"), SK_PASS);
	f->engine->taking = false;
	assert_int_equal(rules_fake_feed(f, "a/b", "{}"), SK_PASS);
	f->engine->taking = true;
	assert_true(all_empty(f));
	assert_int_equal(f->engine->thread[0]->fed, 0);
	engine_turn(f->engine);
	assert_false(atomic_load(&f->engine->thread[0]->rung));
}

static void all_rules_of_a_topic_are_in_one_record(void **state)
{
	struct rules_fake *f = *state;
	char name[16];
	for (int i = 0; i < 150; i++) {
		snprintf(name, sizeof name, "r%d", i);
		put(f, name, i % 3 ? "a/b" : "a/+")->disabled = i % 5 == 0;
	}
	assert_int_equal(rules_fake_feed(f, "a/b", "{}"), SK_PASS);
	const struct rules_message *m = rules_fake_read(f, 0);
	assert_int_equal(m->rules, 120);
	for (int i = 0; i < m->rules; i++) {
		assert_false(m->rule[i]->disabled);
		assert_true(!i || m->rule[i]->id > m->rule[i - 1]->id);
	}
	assert_null(rules_fake_read(f, 0));
}

static void a_topic_is_always_one_threads(void **state)
{
	struct rules_fake *f = *state;
	int of[64], used[FOUR] = { 0 };
	char topic[16];
	put(f, "r", "a/+");
	put(f, "s", "#");
	for (int round = 0; round < 3; round++)
		for (int i = 0; i < 64; i++) {
			snprintf(topic, sizeof topic, "a/%d", i);
			assert_int_equal(rules_fake_feed(f, topic, "{}"), SK_PASS);
			int at = -1;
			for (int k = 0; k < FOUR; k++) {
				struct rules_message *m = rules_fake_read(f, k);
				if (!m)
					continue;
				assert_int_equal(at, -1);
				assert_int_equal(m->rules, 2);
				at = k;
				rules_fake_done(f, k, m);
			}
			assert_true(at >= 0 && (!round || of[i] == at));
			of[i] = at;
			used[at]++;
		}
	for (int k = 0; k < FOUR; k++)
		assert_true(used[k] >= 3 * 64 / FOUR / 3);
}

static void rules_of_a_file_go_to_its_thread(void **state)
{
	struct rules_fake *f = *state;
	struct live_rule *lua[FOUR], *sql = put(f, "sql", "a");
	char name[16];
	int records = 0, with_sql = 0;
	for (int k = 0; k < FOUR; k++) {
		snprintf(name, sizeof name, "lua%d", k);
		lua[k] = put_lua(f, name, "a", k);
	}
	assert_int_equal(rules_fake_feed(f, "a", "{\"n\":1}"), SK_PASS);
	for (int k = 0; k < FOUR; k++) {
		const struct rules_message *m = rules_fake_read(f, k);
		assert_string_equal((const char *)m + m->payload, "{\"n\":1}");
		records++;
		with_sql += m->rules == 2;
		assert_ptr_equal(m->rule[m->rules - 1], lua[k]);
		assert_true(m->rules == 1 || (m->rules == 2 && m->rule[0] == sql));
	}
	assert_true(records == FOUR && with_sql == 1);
}

/* -- no room -- */

static void a_full_ring_refuses_and_counts(void **state)
{
	struct rules_fake *f = *state;
	char payload[512];
	uint64_t taken = 0;
	struct live_rule *r = put(f, "r", "a"), *s = put(f, "s", "#");
	memset(payload, 'x', sizeof payload - 1);
	payload[sizeof payload - 1] = '\0';
	while (rules_fake_feed(f, "a", payload) == SK_PASS)
		taken++;
	assert_true(taken >= 5 && taken <= RING / sizeof payload);
	assert_true(dropped(r) == 1 && dropped(s) == 1);
	assert_int_equal(rules_fake_feed(f, "b", payload), SK_DENY);
	assert_true(dropped(r) == 1 && dropped(s) == 2);
	rules_fake_done(f, 0, rules_fake_read(f, 0));
	assert_int_equal(rules_fake_feed(f, "b", payload), SK_PASS);
	assert_int_equal(rules_fake_drain(f, 0), taken);
}

static void what_one_ring_has_no_room_for_goes_into_none(void **state)
{
	struct rules_fake *f = *state;
	char payload[400];
	memset(payload, 'x', sizeof payload - 1);
	payload[sizeof payload - 1] = '\0';
	struct live_rule *on[FOUR];
	char name[16];
	for (int k = 0; k < FOUR; k++) {
		snprintf(name, sizeof name, "on%d", k);
		on[k] = put_lua(f, name, "all", k);
	}
	put_lua(f, "last", "last", FOUR - 1);
	while (rules_fake_feed(f, "last", payload) == SK_PASS)
		continue;
	assert_int_equal(rules_fake_feed(f, "all", payload), SK_DENY);
	for (int k = 0; k < FOUR; k++) {
		assert_int_equal(dropped(on[k]), 1);
		assert_true(k == FOUR - 1 || !rules_fake_read(f, k));
	}
	rules_fake_drain(f, FOUR - 1);
	assert_int_equal(rules_fake_feed(f, "all", payload), SK_PASS);
	for (int k = 0; k < FOUR; k++)
		assert_int_equal(rules_fake_drain(f, k), 1);
}

static void what_never_fits_is_passed_by_and_said(void **state)
{
	struct rules_fake *f = *state;
	char *large = calloc(1, RING);
	struct sk_arena a = { 0 };
	int64_t at;
	struct live_rule *r = put(f, "r", "a");
	memset(large, 'x', RING - 1);
	assert_int_equal(rules_fake_feed(f, "a", large), SK_PASS);
	assert_true(all_empty(f));
	assert_int_equal(dropped(r), 1);
	assert_non_null(strstr(live_last_error(r, &a, &at), "a message of 4095 bytes is more than half of a ring (plugin_opt_ring"));
	free(large);
	sk_arena_free(&a);
}

/* -- Basic Ingest -- */

static int ingest(struct rules_fake *f, const char *topic, const char *name, const char *rest)
{
	struct sk_topic_match own = { .captures = rest ? 2 : 1, .capture = { { name, strlen(name) } } };
	if (rest) {
		own.capture[1].at = rest;
		own.capture[1].size = strlen(rest);
	}
	const struct sk_feed feed = { .topic = topic, .payload = "{}", .size = 2, .own = &own };
	return engine_message(f->engine, &feed);
}

static void basic_ingest_is_for_one_rule_alone(void **state)
{
	struct rules_fake *f = *state;
	struct live_rule *r = put(f, "r", NULL), *all = put(f, "all", "#");
	assert_int_equal(ingest(f, "$aws/rules/r/a/b", "r", "a/b"), SK_PASS);
	struct rules_message *m = rules_fake_read(f, 0);
	assert_true(m->basic && m->rules == 1 && m->rule[0] == r);
	assert_string_equal(message_text(m, m->topic), "a/b");
	assert_int_equal(ingest(f, "$aws/rules/all", "all", NULL), SK_PASS);
	m = rules_fake_read(f, 0);
	assert_true(m->basic && m->rules == 1 && m->rule[0] == all);
	assert_string_equal(message_text(m, m->topic), "");
}

static void basic_ingest_to_no_rule_is_passed_by(void **state)
{
	struct rules_fake *f = *state;
	char name[200];
	memset(name, 'x', sizeof name - 1);
	name[sizeof name - 1] = '\0';
	put(f, "off", "a")->disabled = true;
	atomic_store(&put(f, "broken", "a")->broken, true);
	int64_t from = sk_mono_us();
	assert_int_equal(ingest(f, "$aws/rules/off/a", "off", "a"), SK_PASS);
	assert_true(rules_fake_said(f, "$aws/rules/off: that rule is disabled"));
	assert_int_equal(ingest(f, "$aws/rules/no/a", "no", "a"), SK_PASS);
	assert_int_equal(ingest(f, "$aws/rules/broken/a", "broken", "a"), SK_PASS);
	assert_int_equal(ingest(f, "$aws/rules/x/a", name, "a"), SK_PASS);
	assert_int_equal(ingest(f, "$aws/rules//a", "", "a"), SK_PASS);
	assert_true(!rules_fake_said(f, "that rule") || sk_mono_us() - from >= 1000000); /* once a second */
	name[128] = '\0';
	assert_int_equal(ingest(f, "$aws/rules/x/a", name, "a"), SK_PASS);
	assert_true(all_empty(f));
	put(f, name, NULL);
	assert_int_equal(ingest(f, "$aws/rules/x/a", name, "a"), SK_PASS);
	assert_false(all_empty(f));
}

/* -- waking -- */

static int bells(const struct rules_fake *f, int k)
{
	int n;
	sem_getvalue(&f->engine->thread[k]->bell, &n);
	return n;
}

static void a_thread_is_woken_at_the_end_of_the_turn_or_after_64_messages(void **state)
{
	struct rules_fake *f = *state;
	put_lua(f, "r", "a", 2);
	assert_int_equal(rules_fake_feed(f, "a", ""), SK_PASS);
	assert_int_equal(bells(f, 2), 0);
	engine_turn(f->engine);
	assert_true(bells(f, 2) == 1 && !bells(f, 0) && f->engine->thread[2]->fed == 0);
	atomic_store(&f->engine->thread[2]->rung, false);
	rules_fake_drain(f, 2);
	for (int i = 0; i < 63; i++) {
		assert_int_equal(rules_fake_feed(f, "a", ""), SK_PASS);
		rules_fake_drain(f, 2);
	}
	assert_int_equal(bells(f, 2), 1);
	assert_int_equal(rules_fake_feed(f, "a", ""), SK_PASS);
	assert_int_equal(bells(f, 2), 2);
	engine_turn(f->engine);
	assert_int_equal(bells(f, 2), 2);
}

/* -- out of force -- */

static unsigned refs(const struct live_rule *r)
{
	return atomic_load(&((struct live_rule *)r)->refs);
}

static void a_rule_out_of_force_is_given_back_behind_its_messages_in_every_ring(void **state)
{
	struct rules_fake *f = *state;
	struct live_rule *old = live_ref(put(f, "r", "a"));
	assert_int_equal(refs(old), 2);
	rules_fake_feed(f, "a", "1");
	put(f, "r", "a");
	rules_fake_feed(f, "a", "2");
	assert_int_equal(refs(old), 1 + FOUR);
	int seen = 0;
	for (int k = 0; k < FOUR; k++) {
		unsigned before = refs(old);
		for (struct rules_message *m; (m = rules_fake_read(f, k)); rules_fake_done(f, k, m)) {
			seen += m->rules;
			if (m->rules)
				assert_true(m->rule[0] == (refs(old) == before ? old : live_find(&f->engine->table, "r")));
		}
		assert_int_equal(refs(old), before - 1);
	}
	assert_int_equal(seen, 2);
	assert_int_equal(refs(old), 1);
	live_unref(old);
	struct live_rule *dropped_one = live_ref(live_find(&f->engine->table, "r"));
	engine_drop(f->engine, "r");
	engine_drop(f->engine, "r");
	assert_null(live_find(&f->engine->table, "r"));
	assert_int_equal(refs(dropped_one), 1 + FOUR);
	rules_fake_feed(f, "a", "3");
	for (int k = 0; k < FOUR; k++)
		assert_int_equal(rules_fake_drain(f, k), 1);
	assert_int_equal(refs(dropped_one), 1);
	live_unref(dropped_one);
}

/* The rings have no room to say that it is out of force: said later, in order. */
static void with_full_rings_it_stays_until_there_is_room(void **state)
{
	struct rules_fake *f = *state;
	struct live_rule *old[3];
	put_lua(f, "fill", "fill", 1);
	while (rules_fake_feed(f, "fill", "") == SK_PASS)
		continue;
	for (int i = 0; i < 3; i++) {
		old[i] = live_ref(put(f, "r", "a"));
		assert_ptr_equal(live_find(&f->engine->table, "r"), old[i]);
	}
	engine_drop(f->engine, "r");
	engine_turn(f->engine);
	for (int i = 0; i < 3; i++)
		assert_int_equal(refs(old[i]), 2);
	for (int k = 0; k < FOUR; k++)
		assert_true(k == 1 || !rules_fake_read(f, k));
	rules_fake_drain(f, 1);
	engine_turn(f->engine);
	for (int k = 0; k < FOUR; k++)
		for (int i = 0; i < 3; i++) {
			struct rules_message *m = rules_fake_read(f, k);
			assert_true(m && !m->rules && ((struct rules_retired *)m)->retired == old[i]);
			rules_fake_done(f, k, m);
		}
	assert_null(f->engine->retiring);
	for (int i = 0; i < 3; i++) {
		assert_int_equal(refs(old[i]), 1);
		live_unref(old[i]);
	}
}

/* As a file's rule that a stored one has hidden: the same object comes again. */
static void one_that_comes_and_goes_while_it_waits_is_given_back_once(void **state)
{
	struct rules_fake *f = *state;
	struct live_rule *files = live_ref(put_lua(f, "r", "a", 0)), *other;
	put_lua(f, "fill", "fill", 0);
	while (rules_fake_feed(f, "fill", "") == SK_PASS)
		continue;
	for (int i = 0; i < 3; i++) {
		other = live_ref(put(f, "r", "a"));
		assert_int_equal(engine_put(f->engine, live_ref(files)), 0);
		assert_int_equal(refs(files), 3);
		live_unref(other);
	}
	engine_drop(f->engine, "r");
	assert_int_equal(refs(files), 2);
	rules_fake_drain(f, 0);
	engine_turn(f->engine);
	assert_int_equal(rules_fake_drain(f, 0), 4);
	assert_int_equal(refs(files), 1);
	live_unref(files);
}

static void what_waits_at_the_end_is_given_back(void **state)
{
	struct rules_fake *f = *state;
	struct live_rule *in_rings = live_ref(put(f, "r", "a")), *waits;
	engine_drop(f->engine, "r");
	put_lua(f, "fill", "fill", 1);
	while (rules_fake_feed(f, "fill", "") == SK_PASS)
		continue;
	waits = live_ref(put(f, "s", "a"));
	engine_drop(f->engine, "s");
	engine_free(&f->engine);
	assert_int_equal(refs(in_rings), 1);
	assert_int_equal(refs(waits), 1);
	live_unref(in_rings);
	live_unref(waits);
}

static void before_the_start_and_at_the_end_it_goes_at_once(void **state)
{
	struct rules_fake *f = *state;
	struct live_rule *r = live_ref(put(f, "r", "a"));
	f->engine->taking = false;
	put(f, "r", "a/b");
	assert_int_equal(refs(r), 1);
	live_unref(r);
	assert_true(all_empty(f));
}

#define ONE(test) cmocka_unit_test_setup_teardown(test, open_one, shut)
#define ALL(test) cmocka_unit_test_setup_teardown(test, open_four, shut)

int main(void)
{
	const struct CMUnitTest tests[] = {
		ONE(a_message_is_copied_whole), ONE(what_is_not_there_is_not_copied), ONE(payloads_of_every_size_are_what_they_were),
		ONE(what_matches_nothing_costs_nothing), ONE(all_rules_of_a_topic_are_in_one_record), ALL(a_topic_is_always_one_threads),
		ALL(rules_of_a_file_go_to_its_thread), ONE(a_full_ring_refuses_and_counts), ALL(what_one_ring_has_no_room_for_goes_into_none),
		ONE(what_never_fits_is_passed_by_and_said), ONE(basic_ingest_is_for_one_rule_alone), ONE(basic_ingest_to_no_rule_is_passed_by),
		ALL(a_thread_is_woken_at_the_end_of_the_turn_or_after_64_messages), ALL(a_rule_out_of_force_is_given_back_behind_its_messages_in_every_ring),
		ALL(with_full_rings_it_stays_until_there_is_room), ONE(one_that_comes_and_goes_while_it_waits_is_given_back_once),
		ALL(what_waits_at_the_end_is_given_back), ALL(before_the_start_and_at_the_end_it_goes_at_once),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
