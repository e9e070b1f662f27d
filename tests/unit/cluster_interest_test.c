/* cluster_interest_test.c -- what others take (plugins/cluster/interest.h), what our own sessions take (sessions.h), and the queue between the threads. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <pthread.h>

#include "plugins/cluster/interest.h"
#include "plugins/cluster/queue.h"
#include "plugins/cluster/sessions.h"

/* -- others -- */

static struct interest others;

static void takes(uint64_t self, const char *filter)
{
	interest_change(&others, interest_add(&others, self), ENTRY_ADD, filter);
}

/* The brokers that a topic concerns, as text: "1 3". */
static const char *concerned(const char *topic)
{
	static char text[256];
	uint32_t at[BROKERS];
	size_t n = interest_match(&others, topic, at), used = 0;

	text[0] = '\0';
	for (size_t i = 0; i < n; i++)
		used += (size_t)snprintf(text + used, sizeof text - used, i ? " %d" : "%d", (int)others.other[at[i]].self);
	return text;
}

static void a_topic_concerns_those_who_take_it(void **state)
{
	(void)state;
	interest_init(&others);
	takes(1, "a/+"), takes(2, "#"), takes(3, "a/b"), takes(3, "a/#"), takes(4, "$aws/things/t/#");
	assert_string_equal(concerned("a/b"), "1 2 3");
	assert_string_equal(concerned("x"), "2");
	assert_string_equal(concerned("$aws/things/t/shadow/update/delta"), "4");
	takes(1, "");
	assert_string_equal(concerned("$aws/things/t/shadow/update/delta"), "1 4");
	assert_string_equal(concerned("x"), "1 2");
	interest_change(&others, interest_find(&others, 1), ENTRY_REMOVE, "");
	assert_string_equal(concerned("x"), "2");
	interest_change(&others, interest_find(&others, 3), ENTRY_REMOVE, "a/b");
	assert_string_equal(concerned("a/b"), "1 2 3");
	interest_change(&others, interest_find(&others, 3), ENTRY_REMOVE, "a/#");
	assert_string_equal(concerned("a/b"), "1 2");
	takes(3, "a/#/b"), takes(3, "x#");
	assert_int_equal(others.filters, 3);
	interest_free(&others);
}

static void a_list_that_is_read_anew_replaces_what_was_known(void **state)
{
	struct other *o;

	(void)state;
	interest_init(&others);
	takes(1, "old"), takes(1, "both"), takes(1, ""), takes(2, "old");
	o = interest_find(&others, 1);
	interest_begin(&others, o);
	takes(1, "both"), takes(1, "new");
	interest_end(&others, o);
	assert_string_equal(concerned("old"), "2");
	assert_string_equal(concerned("both"), "1");
	assert_string_equal(concerned("new"), "1");
	assert_int_equal(others.filters, 3);
	assert_int_equal(others.all, 0);
	interest_free(&others);
}

static void a_broker_that_is_dropped_leaves_nothing(void **state)
{
	char filter[16];

	(void)state;
	interest_init(&others);
	for (int i = 0; i < 1000; i++) {
		snprintf(filter, sizeof filter, "f/%d", i);
		takes(1, filter);
		takes(2, filter);
	}
	takes(1, "");
	interest_drop(&others, interest_find(&others, 1));
	assert_int_equal(others.filters, 1000);
	assert_int_equal(others.others, 1);
	assert_int_equal(others.all, 0);
	assert_string_equal(concerned("f/500"), "2");
	takes(5, "f/500");
	assert_string_equal(concerned("f/500"), "5 2");
	interest_free(&others);
}

static void there_is_an_end_of_brokers(void **state)
{
	(void)state;
	interest_init(&others);
	for (uint64_t self = 1; self <= BROKERS; self++)
		assert_non_null(interest_add(&others, self));
	assert_null(interest_add(&others, BROKERS + 1));
	assert_non_null(interest_add(&others, BROKERS));
	assert_null(interest_add(&others, 0));
	interest_free(&others);
}

/* -- our own sessions -- */

static char told[1024];

static void changed(void *ctx, enum entry_kind what, const char *filter)
{
	(void)ctx;
	snprintf(told + strlen(told), sizeof told - strlen(told), "%c%s ", what, filter);
}

/* What was told since it was last asked. */
static const char *news(void)
{
	static char text[sizeof told];

	strcpy(text, told);
	told[0] = '\0';
	return text;
}

static struct sessions ours;

static void came(uint64_t generation, const char *id, bool lasting, bool fresh)
{
	assert_int_equal(sessions_came(&ours, &(struct session_is){ .generation = generation, .id = id, .lasting = lasting, .fresh = fresh }), 0);
}

static void begin(void)
{
	ours = (struct sessions){ .changed = changed };
	told[0] = '\0';
}

static void a_filter_is_told_of_once_however_many_have_it(void **state)
{
	(void)state;
	begin();
	came(1, "a", false, true), came(2, "b", false, true);
	sessions_subscribed(&ours, 1, "x/#", true), sessions_subscribed(&ours, 1, "x/#", true), sessions_subscribed(&ours, 2, "x/#", true);
	assert_string_equal(news(), "+x/# ");
	sessions_subscribed(&ours, 1, "x/#", false), sessions_subscribed(&ours, 1, "x/#", false);
	assert_string_equal(news(), "");
	sessions_subscribed(&ours, 9, "y", true);
	sessions_gone(&ours, 2), sessions_gone(&ours, 2);
	assert_string_equal(news(), "-x/# ");
	assert_int_equal(ours.filters.count, 0);
	sessions_free(&ours);
}

static void a_session_that_is_taken_over_keeps_its_filters(void **state)
{
	(void)state;
	begin();
	came(1, "a", true, false);
	sessions_subscribed(&ours, 1, "x", true);
	assert_string_equal(news(), "+x kx ");
	came(2, "a", true, false);
	sessions_gone(&ours, 1);
	assert_string_equal(news(), "");
	came(3, "a", false, true); /* begins clean */
	sessions_gone(&ours, 2);
	assert_string_equal(news(), "fx -x ");
	came(4, "b", true, false);
	came(5, "a", false, false);
	sessions_free(&ours);
}

static void a_connect_that_is_refused_takes_nothing_away(void **state)
{
	(void)state;
	begin();
	came(1, "a", true, false);
	sessions_subscribed(&ours, 1, "x", true);
	news();
	came(2, "a", false, true);
	sessions_gone(&ours, 2);
	assert_string_equal(news(), "");
	sessions_free(&ours);
}

static void shared_subscriptions_count_as_what_is_behind_the_group(void **state)
{
	(void)state;
	begin();
	came(1, "a", false, true);
	sessions_subscribed(&ours, 1, "$share/g/x/+", true), sessions_subscribed(&ours, 1, "$share/h/x/+", true), sessions_subscribed(&ours, 1, "x/+", true);
	assert_string_equal(news(), "+x/+ ");
	sessions_subscribed(&ours, 1, "x/+", false), sessions_subscribed(&ours, 1, "$share/g/x/+", false);
	assert_string_equal(news(), "");
	sessions_subscribed(&ours, 1, "$share/h/x/+", false);
	assert_string_equal(news(), "-x/+ ");
	sessions_subscribed(&ours, 1, "$share/broken", true);
	assert_string_equal(news(), "");
	sessions_free(&ours);
}

static int there;

static int subscriptions(void *handle, uint64_t generation)
{
	(void)handle, (void)generation;
	return there;
}

static void a_session_with_more_than_we_know_takes_everything(void **state)
{
	(void)state;
	begin();
	came(1, "a", true, false);
	there = 2;
	sessions_doubt(&ours, subscriptions);
	assert_string_equal(news(), "+ k ");
	sessions_subscribed(&ours, 1, "x", true);
	sessions_doubt(&ours, subscriptions);
	assert_string_equal(news(), "+x kx ");
	came(2, "a", true, false);
	sessions_gone(&ours, 1);
	sessions_doubt(&ours, subscriptions);
	assert_non_null(strings_find(&ours.filters, ""));
	news();
	sessions_subscribed(&ours, 2, "y", true);
	sessions_doubt(&ours, subscriptions);
	assert_string_equal(news(), "+y ky f - ");
	assert_null(ours.doubtful);
	came(3, "new", true, false);
	there = 0;
	sessions_doubt(&ours, subscriptions);
	assert_string_equal(news(), "");
	sessions_free(&ours);
}

static void what_is_remembered_fades_in_pieces(void **state)
{
	(void)state;
	begin();
	came(0, "", true, true);
	sessions_subscribed(&ours, 0, "x", true), sessions_subscribed(&ours, 0, "y", true), sessions_subscribed(&ours, 0, "z", true);
	news();
	assert_false(sessions_fade(&ours, 0, 2));
	assert_string_equal(news(), "fz -z fy -y ");
	assert_true(sessions_fade(&ours, 0, 2));
	assert_string_equal(news(), "fx -x ");
	assert_true(sessions_fade(&ours, 0, 2));
	assert_int_equal(ours.count, 0);
	sessions_free(&ours);
}

static void thousands_of_sessions_leave_nothing(void **state)
{
	char id[16];

	(void)state;
	begin();
	for (int i = 0; i < 5000; i++) {
		snprintf(id, sizeof id, "c%d", i);
		came((uint64_t)i + 1, id, i & 1, i & 2);
		sessions_subscribed(&ours, (uint64_t)i + 1, id, true);
		sessions_subscribed(&ours, (uint64_t)i + 1, "all", true);
	}
	assert_int_equal(ours.filters.count, 5001);
	for (int i = 0; i < 5000; i++)
		sessions_gone(&ours, (uint64_t)i + 1);
	assert_int_equal(ours.filters.count, 0);
	assert_int_equal(ours.count, 0);
	assert_null(ours.doubtful);
	sessions_free(&ours);
}

/* -- the queue -- */

static bool add(struct queue *q, const char *topic, size_t payload, bool must)
{
	const struct frame_entry e = { .kind = ENTRY_MESSAGE, .topic = topic, .topic_size = strlen(topic), .size = payload };
	char *to = queue_room(q, entry_size(&e), must);

	if (!to)
		return false;
	memset(entry_put(to, &e, NULL), 'x', payload);
	queue_added(q);
	return true;
}

static void the_queue_is_bounded_in_bytes(void **state)
{
	struct queue q;
	size_t n = 0;

	(void)state;
	assert_int_equal(queue_init(&q, 1 << 20), 0);
	while (add(&q, "t", 1000, false))
		n++;
	assert_in_range(n, 1000, 1048);
	assert_true(add(&q, "t", 100000, true));
	for (struct chunk *c = queue_take(&q), *next; c; c = next) {
		struct frame_entry e;
		next = c->next;
		for (const char *at = c->bytes; entry_next(&at, c->bytes + c->used, &e);)
			n--;
		q.bytes -= c->used;
		queue_give_back(&q, c);
	}
	assert_int_equal(n, (size_t)-1);
	assert_int_equal(q.bytes, 0);
	assert_true(add(&q, "t", 1000, false));
	queue_free(&q);
}

enum { MANY = 200000 };

static void *taker(void *arg)
{
	struct queue *q = arg;
	uintptr_t expected = 0;

	while (expected < MANY)
		for (struct chunk *c = queue_take(q), *next; c; c = next) {
			struct frame_entry e;
			next = c->next;
			for (const char *at = c->bytes; entry_next(&at, c->bytes + c->used, &e);)
				expected += (uintptr_t)atol(e.topic) == expected;
			q->bytes -= c->used;
			queue_give_back(q, c);
		}
	return (void *)expected;
}

static void two_threads_keep_the_order(void **state)
{
	struct queue q;
	pthread_t thread;
	void *taken = NULL;
	char topic[16];

	(void)state;
	assert_int_equal(queue_init(&q, 1 << 20), 0);
	assert_int_equal(pthread_create(&thread, NULL, taker, &q), 0);
	for (int i = 0; i < MANY;) {
		snprintf(topic, sizeof topic, "%d", i);
		if (add(&q, topic, (size_t)(i % 300), false))
			i++;
		queue_ring(&q);
	}
	pthread_join(thread, &taken);
	assert_int_equal((uintptr_t)taken, MANY);
	queue_free(&q);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_topic_concerns_those_who_take_it), cmocka_unit_test(a_list_that_is_read_anew_replaces_what_was_known),
		cmocka_unit_test(a_broker_that_is_dropped_leaves_nothing), cmocka_unit_test(there_is_an_end_of_brokers),
		cmocka_unit_test(a_filter_is_told_of_once_however_many_have_it), cmocka_unit_test(a_session_that_is_taken_over_keeps_its_filters),
		cmocka_unit_test(a_connect_that_is_refused_takes_nothing_away), cmocka_unit_test(shared_subscriptions_count_as_what_is_behind_the_group),
		cmocka_unit_test(a_session_with_more_than_we_know_takes_everything), cmocka_unit_test(what_is_remembered_fades_in_pieces), cmocka_unit_test(thousands_of_sessions_leave_nothing),
		cmocka_unit_test(the_queue_is_bounded_in_bytes), cmocka_unit_test(two_threads_keep_the_order),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
