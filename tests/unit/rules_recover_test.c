/* rules_recover_test.c -- what an engine finds that was killed before it: a copy of its folder, made while it ran, is what kill -9 leaves. Each message that was to
 * be kept and was not done is fed once, to the rules that it was for; nothing else is. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "core/topic.h"
#include "plugins/rules/engine_recover.h"
#include "plugins/rules/engine_unit.h"
#include "tests/unit/rules_fake.h"

enum { RING = 1 << 14 };
static struct rules_fake f, before;

/* -- an engine, killed, and the next one -- */

static void copy_folder(const char *from, const char *to)
{
	char command[512];
	snprintf(command, sizeof command, "cp '%.120s'/* '%.120s'/", from, to);
	assert_int_equal(system(command), 0);
}

/* What runs now is `before`, and `f` begins with what it would leave; its rules are not in force yet. */
static void kill_and_start(int threads, size_t ring)
{
	char next[sizeof f.journal];
	sk_outbox_free(&f.rt.outbox);
	before = f;
	before.engine->options = &before.options;
	memset(&f, 0, sizeof f);
	assert_true(rules_fake_open(&f, threads, ring));
	strcpy(next, f.journal);
	rules_fake_stop(&f);
	memset(&f, 0, sizeof f);
	strcpy(f.journal, next);
	copy_folder(before.journal, next);
	assert_true(rules_fake_start(&f, threads, ring));
}

static void end_before(void)
{
	before.engine->rt = &f.rt;
	engine_free(&before.engine);
	rules_fake_files(&before, true);
	rmdir(before.journal);
}

static int open_first(void **state)
{
	(void)state;
	return rules_fake_open(&f, 2, RING) ? 0 : -1;
}

static int shut(void **state)
{
	(void)state;
	rules_fake_close(&f);
	return 0;
}

static struct live_rule *put(const char *name, const char *filter)
{
	struct live_rule *r = rules_fake_rule(name, filter);
	assert_non_null(r);
	assert_int_equal(engine_put(f.engine, r), 0);
	return r;
}

static struct live_rule *put_lua(const char *name, const char *filter, int thread)
{
	struct live_rule *r = live_new(name, filter, NULL);
	r->unit = lua_unit_new("doors.lua", NULL);
	r->unit->thread = thread;
	r->runs_lua = true;
	assert_int_equal(engine_put(f.engine, r), 0);
	return r;
}

static int feed(const char *topic, const char *payload, int qos)
{
	const struct sk_feed one = { .topic = topic, .payload = payload, .size = strlen(payload), .qos = qos };
	return engine_message(f.engine, &one);
}

/* All that lies in the rings now, read and done: "payload>rule+rule ". */
static const char *all_read(void)
{
	static char text[1 << 16];
	size_t used = 0;
	text[0] = '\0';
	for (int k = 0; k < f.engine->threads; k++)
		for (struct rules_message *m; (m = rules_fake_read(&f, k)); rules_fake_done(&f, k, m)) {
			if (!m->rules)
				continue;
			used += (size_t)snprintf(text + used, sizeof text - used, "%s>", (const char *)m + m->payload);
			for (int i = 0; i < m->rules; i++)
				used += (size_t)snprintf(text + used, sizeof text - used, "%s%s", i ? "+" : "", m->rule[i]->name);
			used += (size_t)snprintf(text + used, sizeof text - used, " ");
		}
	return text;
}

static size_t files(void)
{
	return rules_fake_files(&f, false);
}

/* -- */

static void what_was_acknowledged_comes_again_and_nothing_else(void **state)
{
	(void)state;
	put("r", "a/+");
	assert_int_equal(feed("a/x", "none", 0), SK_PASS);
	assert_int_equal(feed("a/x", "one", 1), SK_PASS);
	assert_int_equal(feed("a/x", "two", 2), SK_PASS);
	assert_int_equal(feed("b", "other", 1), SK_PASS);
	assert_int_equal(feed("a/x", "three", 1), SK_PASS);
	kill_and_start(2, RING);
	put("r", "a/+");
	recover_begin(f.engine);
	assert_true(rules_fake_said(&f, "3 messages of before the broker's end are run again"));
	assert_string_equal(all_read(), "one>r two>r three>r ");
	assert_int_equal(files(), 2); /* the rings of now */
	recover_go_on(f.engine);
	assert_string_equal(all_read(), "");
	end_before();
}

static void what_is_done_does_not_come_again(void **state)
{
	struct rules_message *m[4];
	char payload[8];
	int k = 0;
	(void)state;
	put_lua("r", "a", 1);
	for (int i = 0; i < 4; i++) {
		snprintf(payload, sizeof payload, "%d", i);
		assert_int_equal(feed("a", payload, 1), SK_PASS);
	}
	while (k < 4 && (m[k] = rules_fake_read(&f, 1)))
		m[k++]->open = 7;
	assert_int_equal(k, 4);
	rules_fake_done(&f, 1, m[2]);
	rules_fake_done(&f, 1, m[0]);
	kill_and_start(2, RING);
	put_lua("r", "a", 0);
	recover_begin(f.engine);
	assert_string_equal(all_read(), "1>r 3>r ");
	end_before();
}

/* It is as it was, to its number and its time. */
static void a_message_is_the_same_message(void **state)
{
	static const char properties[] = { 1, 1, 3, 0, 1, 'x' };
	struct sk_client client = { .id = "press-7", .username = "principal", .address = "10.0.0.7" };
	const struct sk_feed one = { .handle = &client, .topic = "a/b", .payload = "x\0y", .size = 3, .qos = 2, .retain = true, .depth = 3, .properties = properties,
		.properties_size = sizeof properties };
	(void)state;
	put("r", "a/+");
	put("s", "#");
	assert_int_equal(engine_message(f.engine, &one), SK_PASS);
	int k = rules_ring_empty(f.engine->thread[0]->ring) ? 1 : 0;
	const struct rules_message *was = rules_fake_read(&f, k);
	kill_and_start(2, RING);
	put("s", "#");
	put("r", "a/+");
	recover_begin(f.engine);
	const struct rules_message *m = rules_fake_read(&f, k);
	assert_non_null(m);
	assert_true(m->now_ms == was->now_ms && m->number == was->number && m->qos == 2 && m->retain && m->depth == 3 && !m->basic && m->rules == 2);
	assert_string_equal(message_text(m, m->topic), "a/b");
	assert_string_equal(message_text(m, m->client_id), "press-7");
	assert_string_equal(message_text(m, m->principal), "principal");
	assert_string_equal(message_text(m, m->source_ip), "10.0.0.7");
	assert_int_equal(m->size, 3);
	assert_memory_equal((const char *)m + m->payload, "x\0y", 4);
	assert_int_equal(m->properties_size, sizeof properties);
	assert_memory_equal(message_text(m, m->properties), properties, sizeof properties);
	end_before();
}

/* A message lies in the ring of each thread that has a rule of it: each of them comes again for its own rules alone. */
static void a_message_of_many_rings_comes_once_for_each_rule(void **state)
{
	(void)state;
	put_lua("zero", "a", 0);
	put_lua("one", "a", 1);
	assert_int_equal(feed("a", "x", 1), SK_PASS);
	assert_int_equal(feed("a", "y", 1), SK_PASS);
	rules_fake_done(&f, 0, rules_fake_read(&f, 0));
	kill_and_start(2, RING);
	put_lua("zero", "a", 0);
	put_lua("one", "a", 1);
	recover_begin(f.engine);
	assert_string_equal(all_read(), "y>zero x>one y>one ");
	end_before();
}

/* Rules that are gone, switched off, listen elsewhere now, or came since. */
static void rules_are_those_of_now_that_were_there(void **state)
{
	(void)state;
	put("gone", "a");
	put("off", "a");
	put("moved", "a");
	put("stays", "a");
	assert_int_equal(feed("a", "x", 1), SK_PASS);
	kill_and_start(1, RING);
	put("off", "a")->disabled = true;
	put("moved", "b");
	put("stays", "+");
	put("new", "a");
	recover_begin(f.engine);
	assert_string_equal(all_read(), "x>stays ");
	end_before();
}

static void what_no_rule_wants_any_more_goes_and_is_counted(void **state)
{
	(void)state;
	put("gone", "a");
	assert_int_equal(feed("a", "x", 1), SK_PASS);
	kill_and_start(1, RING);
	recover_begin(f.engine);
	assert_true(rules_fake_said(&f, "0 for rules, 1 of rules that are not there any more"));
	assert_string_equal(all_read(), "");
	assert_int_equal(files(), 1);
	end_before();
}

static void basic_ingest_comes_again_for_its_rule(void **state)
{
	const struct sk_topic_match own = { .captures = 2, .capture = { { "r", 1 }, { "rest/of", 7 } } };
	const struct sk_feed one = { .topic = "$aws/rules/r/rest/of", .payload = "{}", .size = 2, .qos = 1, .own = &own };
	(void)state;
	put("r", NULL);
	put("all", "#");
	assert_int_equal(engine_message(f.engine, &one), SK_PASS);
	kill_and_start(1, RING);
	put("all", "#");
	put("r", NULL);
	recover_begin(f.engine);
	const struct rules_message *m = rules_fake_read(&f, 0);
	assert_non_null(m);
	assert_true(m->basic && m->rules == 1);
	assert_string_equal(m->rule[0]->name, "r");
	assert_string_equal(message_text(m, m->topic), "rest/of");
	assert_null(rules_fake_read(&f, 0));
	end_before();
}

/* Eight rings' worth, in order; whoever is killed in between goes on where it was. */
static void what_has_no_room_comes_when_there_is_some(void **state)
{
	char payload[400];
	int n = 0, next = 0;
	(void)state;
	rules_fake_close(&f);
	assert_true(rules_fake_open(&f, 1, 1 << 15));
	put("r", "a");
	do
		snprintf(payload, sizeof payload, "%d %0300d", n++, 0);
	while (feed("a", payload, 1) == SK_PASS);
	n--;
	kill_and_start(1, 4096);
	end_before();
	put("r", "a");
	recover_begin(f.engine);
	for (int round = 0; round < 100 && next < n; round++) {
		for (struct rules_message *m; (m = rules_fake_read(&f, 0)); rules_fake_done(&f, 0, m))
			if (m->rules)
				assert_int_equal(atoi((const char *)m + m->payload), next++);
		if (round == 3) {
			kill_and_start(1, 4096);
			end_before();
			put("r", "a");
			recover_begin(f.engine);
		} else {
			assert_true(next == n || atomic_load(&f.engine->going_on));
			recover_go_on(f.engine);
		}
	}
	assert_true(n > 50 && next == n);
	assert_int_equal(files(), 1);
}

static void a_rule_that_is_full_waits_alone(void **state)
{
	(void)state;
	put("full", "f/+");
	put("other", "o");
	put("both", "both");
	assert_int_equal(feed("f/1", "f1", 1), SK_PASS);
	assert_int_equal(feed("o", "o1", 1), SK_PASS);
	assert_int_equal(feed("f/2", "f2", 1), SK_PASS);
	kill_and_start(1, RING);
	struct live_rule *full = put("full", "f/+");
	put("other", "o");
	atomic_store(&full->full_lanes, 1);
	recover_begin(f.engine);
	assert_string_equal(all_read(), "o1>other ");
	recover_go_on(f.engine);
	assert_string_equal(all_read(), "");
	assert_true(files() > 1);
	atomic_store(&full->full_lanes, 0);
	recover_go_on(f.engine);
	assert_string_equal(all_read(), "f1>full f2>full ");
	assert_int_equal(files(), 1);
	end_before();
}

static void what_waits_for_one_rule_keeps_nothing_from_another(void **state)
{
	struct engine_waiting waiting = { .n = 0 };
	(void)state;
	put("full", "both/+");
	put("other", "#");
	assert_int_equal(feed("both/1", "b1", 1), SK_PASS);
	assert_int_equal(feed("o", "o1", 1), SK_PASS);
	kill_and_start(1, RING);
	struct live_rule *full = put("full", "both/+"), *other = put("other", "#");
	atomic_store(&full->full_lanes, 1);
	recover_begin(f.engine);
	assert_string_equal(all_read(), "o1>other ");
	/* One that has been met full counts as full, though it is not any more: what it gets stays in order. */
	assert_int_equal(feed("both/2", "b2", 0), SK_DENY);
	assert_string_equal(all_read(), "b2>other ");
	atomic_store(&full->full_lanes, 0);
	assert_int_equal(feed("both/3", "b3", 1), SK_PASS);
	struct rules_message *m = rules_fake_read(&f, 0);
	waiting.rule[waiting.n++] = full;
	assert_int_equal(engine_message_again(f.engine, m, &waiting), ENGINE_FULL);
	waiting.n = 0;
	atomic_store(&other->full_lanes, 1);
	assert_int_equal(engine_message_again(f.engine, m, &waiting), ENGINE_FULL);
	assert_true(waiting.n == 1 && waiting.rule[0] == other);
	atomic_store(&other->full_lanes, 0);
	rules_fake_done(&f, 0, m);
	recover_go_on(f.engine);
	assert_string_equal(all_read(), "b1>full+other ");
	end_before();
}

static void what_fits_no_ring_any_more_stays(void **state)
{
	char payload[3000];
	(void)state;
	memset(payload, 'x', sizeof payload - 1);
	payload[sizeof payload - 1] = '\0';
	put("r", "a");
	assert_int_equal(feed("a", payload, 1), SK_PASS);
	assert_int_equal(feed("a", "small", 1), SK_PASS);
	kill_and_start(1, 4096);
	end_before();
	put("r", "a");
	recover_begin(f.engine);
	assert_string_equal(all_read(), "small>r ");
	assert_true(rules_fake_said(&f, "1 messages of before the broker's end do not fit"));
	kill_and_start(1, RING);
	end_before();
	put("r", "a");
	recover_begin(f.engine);
	assert_int_equal(strlen(all_read()), sizeof payload - 1 + 3);
	assert_int_equal(files(), 1);
}

/* With QoS 0 the others get it; with QoS 1 nobody does, and the client hears of it. */
static void a_full_rule_refuses_its_messages(void **state)
{
	(void)state;
	struct live_rule *full = put("full", "a"), *other = put("other", "#");
	atomic_store(&full->full_lanes, 1);
	assert_int_equal(feed("a", "x", 1), SK_DENY);
	assert_int_equal(feed("a", "x", 2), SK_DENY);
	assert_string_equal(all_read(), "");
	assert_true(atomic_load(&full->count.dropped) == 2 && atomic_load(&other->count.dropped) == 2);
	assert_int_equal(feed("a", "y", 0), SK_DENY);
	assert_int_equal(feed("b", "z", 1), SK_PASS);
	assert_true(atomic_load(&full->count.dropped) == 3 && atomic_load(&other->count.dropped) == 2);
	const char *all = all_read();
	assert_true(strstr(all, "y>other ") && strstr(all, "z>other ") && strlen(all) == 16);
	engine_drop(f.engine, "other");
	assert_int_equal(feed("a", "x", 0), SK_DENY);
	assert_int_equal(atomic_load(&full->count.dropped), 4);
	atomic_store(&full->full_lanes, 0);
	assert_int_equal(feed("a", "w", 1), SK_PASS);
	assert_string_equal(all_read(), "w>full ");
}

/* A clean end leaves what was not run, read or not. */
static void an_end_in_peace_leaves_what_is_not_done(void **state)
{
	(void)state;
	put("r", "a");
	assert_int_equal(feed("a", "one", 1), SK_PASS);
	assert_int_equal(feed("a", "two", 1), SK_PASS);
	assert_int_equal(feed("a", "none", 0), SK_PASS);
	engine_drop(f.engine, "r");
	int k = rules_ring_empty(f.engine->thread[0]->ring) ? 1 : 0;
	if (rules_ring_empty(f.engine->thread[1]->ring) || !rules_fake_read(&f, k))
		fail_msg("both rings hold the mark of the rule");
	rules_fake_stop(&f);
	assert_true(rules_fake_start(&f, 2, RING));
	put("r", "a");
	recover_begin(f.engine);
	assert_string_equal(all_read(), "one>r two>r ");
	rules_fake_stop(&f);
	assert_true(rules_fake_start(&f, 2, RING));
	recover_begin(f.engine);
	assert_false(rules_fake_said(&f, "of before"));
}

/* A record whose check is right and which is none: it is not fed, and stays. */
static void what_is_no_message_is_not_fed(void **state)
{
	static const struct { size_t at, size; uint64_t is; } wrong[] = {
#define FIELD(name, value) { offsetof(struct rules_message, name), sizeof(((struct rules_message *)0)->name), value }
		FIELD(qos, 0), FIELD(qos, 3), FIELD(depth, 200), FIELD(rules, 0), FIELD(rules, 65535), FIELD(topic, 0), FIELD(topic, 8), FIELD(topic, 1 << 20),
		FIELD(client_id, 70), FIELD(principal, UINT32_MAX), FIELD(source_ip, 1 << 16), FIELD(payload, 0), FIELD(payload, UINT32_MAX), FIELD(size, 1 << 20),
		FIELD(size, UINT32_MAX), FIELD(size, 3), FIELD(properties_size, 1 << 16), FIELD(properties_size, UINT32_MAX), FIELD(properties, 3), FIELD(properties, UINT32_MAX),
#undef FIELD
	};
	static const char properties[] = { 1, 1, 3, 0, 1, 'x' };
	struct sk_client client = { .id = "press-7", .username = "principal", .address = "10.0.0.7" };
	const struct sk_feed one = { .handle = &client, .topic = "a", .payload = "1234567", .size = 7, .qos = 1, .properties = properties, .properties_size = sizeof properties };
	size_t size;
	(void)state;
	put_lua("r", "a", 0);
	assert_int_equal(engine_message(f.engine, &one), SK_PASS);
	struct rules_ring *ring = f.engine->thread[0]->ring;
	struct rules_message *m = rules_ring_read(ring, &size);
	void *copy = malloc(size);
	assert_true(recover_is_message(m, size));
	for (size_t n = 0; n < size; n++)
		assert_false(recover_is_message(m, n));
	for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
		memcpy(copy, m, size);
		memcpy((char *)copy + wrong[i].at, &wrong[i].is, wrong[i].size);
		if (recover_is_message(copy, size))
			fail_msg("number %zu is taken for a message", i);
	}
	free(copy);
	rules_ring_done(ring, m);
	m = rules_ring_reserve(ring, sizeof *m);
	*m = (struct rules_message){ .rules = 1, .qos = 1 };
	rules_ring_publish(ring, true);
	assert_int_equal(feed("a", "good", 1), SK_PASS);
	kill_and_start(1, RING);
	put_lua("r", "a", 0);
	recover_begin(f.engine);
	assert_string_equal(all_read(), "good>r ");
	assert_true(rules_fake_said(&f, "1 messages of before the broker's end do not fit"));
	assert_int_equal(files(), 2);
	end_before();
}

int main(void)
{
#define ONE(name) cmocka_unit_test_setup_teardown(name, open_first, shut)
	const struct CMUnitTest tests[] = {
		ONE(what_was_acknowledged_comes_again_and_nothing_else), ONE(what_is_done_does_not_come_again), ONE(a_message_is_the_same_message),
		ONE(a_message_of_many_rings_comes_once_for_each_rule), ONE(rules_are_those_of_now_that_were_there),
		ONE(what_no_rule_wants_any_more_goes_and_is_counted), ONE(basic_ingest_comes_again_for_its_rule), ONE(what_has_no_room_comes_when_there_is_some),
		ONE(a_rule_that_is_full_waits_alone), ONE(what_waits_for_one_rule_keeps_nothing_from_another),
		ONE(what_fits_no_ring_any_more_stays), ONE(a_full_rule_refuses_its_messages),
		ONE(an_end_in_peace_leaves_what_is_not_done), ONE(what_is_no_message_is_not_fed),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
