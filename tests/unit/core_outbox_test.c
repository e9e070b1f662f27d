/* core_outbox_test.c -- the queue to the broker thread: order, portions, wake-ups, what is dropped at the end. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "core/outbox.h"
#include "core/plugin.h"

struct world {
	struct sk_host host;
	struct sk_outbox box;
	int64_t now;
	int64_t cost;   /* microseconds of each publish */
	int wakes;
	char heard[4096];
};

static int64_t mono(void *ctx) { return ((struct world *)ctx)->now; }
static void wake(void *ctx) { ((struct world *)ctx)->wakes++; }

static void hear(struct world *w, const char *what)
{
	strncat(w->heard, what, sizeof w->heard - strlen(w->heard) - 2);
	strcat(w->heard, " ");
}

static void publish(void *ctx, const struct sk_outgoing *item)
{
	struct world *w = ctx;
	w->now += w->cost;
	hear(w, item->topic);
}

static void kick(void *ctx, const struct sk_outgoing *item) { hear(ctx, item->client_id); }
static void say(void *ctx, char level, const char *line) { (void)level; hear(ctx, line); }
static void finished(void *ctx, const struct sk_outgoing *item) { (void)item; hear(ctx, "finished"); }
static void call(void *arg) { hear(arg, "call"); }
static void drop(void *arg) { hear(arg, "drop"); }

static int apply(void *state, const char *name, const struct sk_bytes *bytes)
{
	hear(state, name);
	return bytes ? 0 : -1;
}

static void start(struct world *w)
{
	memset(w, 0, sizeof *w);
	w->host = (struct sk_host){ .mono_us = mono, .wake_broker = wake, .publish = publish, .kick = kick, .log = say, .ctx = w };
	sk_outbox_init(&w->box);
}

static void push(struct world *w, const char *topic)
{
	struct sk_out_list l;
	sk_out_list_init(&l);
	assert_non_null(sk_out_add(&l, SK_OUT_PUBLISH, topic, NULL, "x", 1));
	sk_outbox_push(&w->box, &l, &w->host);
	assert_null(l.head);
}

static bool drain(struct world *w, int max, int64_t budget)
{
	return sk_outbox_drain(&w->box, &w->host, &(struct sk_drain){ .max = max, .budget_us = budget, .finished = finished, .ctx = w });
}

static void items_of_every_kind_leave_in_order(void **state)
{
	struct world w;
	struct sk_out_list l;
	static const struct sk_watch watch = { "p/", apply };
	struct sk_drain d = { .max = 100, .budget_us = 1000, .finished = finished, .ctx = &w };
	(void)state;
	start(&w);
	sk_out_list_init(&l);
	struct sk_outgoing *item = sk_out_add(&l, SK_OUT_APPLY, "applied", NULL, NULL, 0);
	item->watch = &watch;
	item->state = &w;
	item->bytes = sk_bytes_new("b", 1);
	sk_out_add(&l, SK_OUT_PUBLISH, "publish", NULL, "x", 1);
	sk_out_add(&l, SK_OUT_REPLY, "reply", NULL, NULL, 0);
	sk_out_add(&l, SK_OUT_KICK, NULL, "kicked", "why", 3);
	sk_out_add(&l, SK_OUT_FINISHED, NULL, NULL, NULL, 0);
	sk_out_add(&l, SK_OUT_LOG, "line", NULL, NULL, 0);
	item = sk_out_add(&l, SK_OUT_CALL, NULL, NULL, NULL, 0);
	item->call = call;
	item->drop = drop;
	item->state = &w;
	sk_outbox_push(&w.box, &l, &w.host);
	assert_int_equal(w.box.depth_now, 7);
	assert_false(sk_outbox_drain(&w.box, &w.host, &d));
	assert_string_equal(w.heard, "applied publish reply kicked finished line call ");
	assert_int_equal(d.published, 2);
	assert_int_equal(w.box.depth_now, 0);
	sk_outbox_free(&w.box);
}

static void a_watch_that_cannot_be_applied_is_logged(void **state)
{
	struct world w;
	struct sk_out_list l;
	static const struct sk_watch watch = { "p/", apply };
	(void)state;
	start(&w);
	sk_out_list_init(&l);
	struct sk_outgoing *item = sk_out_add(&l, SK_OUT_APPLY, "gone", NULL, NULL, 0);
	item->watch = &watch;
	item->state = &w;
	sk_outbox_push(&w.box, &l, &w.host);
	drain(&w, 10, 1000);
	assert_string_equal(w.heard, "gone a change could not be applied to the broker's index: restart the broker to rebuild it ");
	sk_outbox_free(&w.box);
}

static void texts_and_bytes_are_copied_whole(void **state)
{
	struct sk_out_list l;
	char topic[] = "topic", payload[] = "a\0b";
	(void)state;
	sk_out_list_init(&l);
	struct sk_outgoing *item = sk_out_add(&l, SK_OUT_PUBLISH, topic, "", payload, 3), *none = sk_out_add(&l, SK_OUT_PUBLISH, "", NULL, "", 0);
	memset(topic, 'x', 5);
	memset(payload, 'x', 3);
	assert_string_equal(item->topic, "topic");
	assert_string_equal(item->client_id, "");
	assert_memory_equal(item->payload, "a\0b", 4);
	assert_int_equal(item->payload_size, 3);
	assert_string_equal(none->payload, "");
	assert_null(none->client_id);
	sk_outgoing_free(item);
	sk_outgoing_free(none);
}

static void a_drain_does_at_most_so_many_and_the_rest_keeps_its_order(void **state)
{
	struct world w;
	(void)state;
	start(&w);
	push(&w, "1");
	push(&w, "2");
	push(&w, "3");
	assert_true(drain(&w, 2, 1000));
	assert_true(w.box.filled);
	push(&w, "4");
	assert_true(drain(&w, 1, 1000));
	push(&w, "5");
	assert_false(drain(&w, 100, 1000));
	assert_string_equal(w.heard, "1 2 3 4 5 ");
	assert_false(w.box.filled);
	sk_outbox_free(&w.box);
}

static void a_drain_stops_when_its_time_is_up(void **state)
{
	struct world w;
	(void)state;
	start(&w);
	w.cost = 100;
	for (int i = 0; i < 100; i++)
		push(&w, "x");
	assert_true(drain(&w, 256, 1000));
	assert_in_range(strlen(w.heard) / 2, 10, 31);
	while (drain(&w, 256, 1000))
		;
	assert_int_equal(strlen(w.heard), 200);
	sk_outbox_free(&w.box);
}

static void the_broker_is_woken_once_until_it_drains(void **state)
{
	struct world w;
	(void)state;
	start(&w);
	push(&w, "1");
	push(&w, "2");
	assert_int_equal(w.wakes, 1);
	drain(&w, 1, 1000);
	push(&w, "3");
	assert_int_equal(w.wakes, 2);
	drain(&w, 100, 1000);
	drain(&w, 100, 1000);
	push(&w, "4");
	assert_int_equal(w.wakes, 3);
	sk_outbox_free(&w.box);
}

static void an_empty_list_wakes_nobody(void **state)
{
	struct world w;
	struct sk_out_list l;
	(void)state;
	start(&w);
	sk_out_list_init(&l);
	sk_outbox_push(&w.box, &l, &w.host);
	assert_int_equal(w.wakes, 0);
	assert_false(w.box.filled);
	assert_false(drain(&w, 1, 1));
	sk_outbox_free(&w.box);
}

static void what_is_left_at_the_end_is_dropped_not_called(void **state)
{
	struct world w;
	struct sk_out_list l;
	(void)state;
	start(&w);
	for (int i = 0; i < 3; i++) {
		sk_out_list_init(&l);
		struct sk_outgoing *item = sk_out_add(&l, SK_OUT_CALL, NULL, NULL, NULL, 0);
		item->call = call;
		item->drop = drop;
		item->state = &w;
		sk_outbox_push(&w.box, &l, &w.host);
		if (!i)
			drain(&w, 0, 1000); /* taken, not done */
	}
	sk_outbox_free(&w.box);
	assert_string_equal(w.heard, "drop drop drop ");
}

static void what_has_a_home_comes_back_to_it_to_be_freed(void **state)
{
	struct world w;
	struct sk_out_list l, none;
	struct sk_out_home home = { NULL };
	(void)state;
	start(&w);
	sk_out_list_init(&l);
	sk_out_list_init(&none);
	l.home = &home;
	for (int i = 0; i < 2; i++) { /* pushing does not take the home away from the list */
		sk_out_add(&l, SK_OUT_PUBLISH, "mine", NULL, "x", 1)->properties = malloc(10);
		sk_out_add(&none, SK_OUT_PUBLISH, "nobody's", NULL, "x", 1);
		sk_outbox_push(&w.box, &l, &w.host);
		sk_outbox_push(&w.box, &none, &w.host);
	}
	assert_null(atomic_load(&home.back));
	assert_true(drain(&w, 2, 1000));
	struct sk_outgoing *first = atomic_load(&home.back);
	assert_non_null(first);
	assert_string_equal(first->topic, "mine");
	assert_null(first->next);
	sk_out_home_empty(&home);
	assert_null(atomic_load(&home.back));
	assert_false(drain(&w, 2, 1000));
	assert_string_equal(w.heard, "mine nobody's mine nobody's ");
	assert_non_null(atomic_load(&home.back));
	sk_outbox_free(&w.box);
	sk_out_home_empty(&home);
	sk_out_home_empty(&home);
}

static void what_moves_to_another_list_keeps_its_home_and_the_lists_theirs(void **state)
{
	struct sk_out_list from, to;
	struct sk_out_home home[2] = { { NULL } };
	(void)state;
	sk_out_list_init(&from);
	sk_out_list_init(&to);
	from.home = &home[0];
	to.home = &home[1];
	struct sk_outgoing *moved = sk_out_add(&from, SK_OUT_LOG, "moved", NULL, NULL, 0);
	sk_out_list_move(&to, &from);
	struct sk_outgoing *mine = sk_out_add(&to, SK_OUT_LOG, "mine", NULL, NULL, 0), *later = sk_out_add(&from, SK_OUT_LOG, "later", NULL, NULL, 0);
	assert_ptr_equal(moved->home, &home[0]);
	assert_ptr_equal(mine->home, &home[1]);
	assert_ptr_equal(later->home, &home[0]);
	sk_out_list_free(&to);
	sk_out_list_free(&from);
	assert_null(to.home);
}

static void a_finished_call_is_heard_of_before_its_memory_goes(void **state)
{
	struct world w;
	struct sk_out_list l;
	(void)state;
	start(&w);
	sk_out_list_init(&l);
	for (int i = 0; i < 2; i++) {
		struct sk_outgoing *item = sk_out_add(&l, SK_OUT_FINISHED, NULL, NULL, NULL, 0);
		item->drop = drop;
		item->state = &w;
	}
	sk_outbox_push(&w.box, &l, &w.host);
	assert_true(drain(&w, 1, 1000));
	assert_string_equal(w.heard, "finished drop ");
	sk_outbox_free(&w.box);
	assert_string_equal(w.heard, "finished drop drop ");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(items_of_every_kind_leave_in_order),
		cmocka_unit_test(a_watch_that_cannot_be_applied_is_logged),
		cmocka_unit_test(texts_and_bytes_are_copied_whole),
		cmocka_unit_test(a_drain_does_at_most_so_many_and_the_rest_keeps_its_order),
		cmocka_unit_test(a_drain_stops_when_its_time_is_up),
		cmocka_unit_test(the_broker_is_woken_once_until_it_drains),
		cmocka_unit_test(an_empty_list_wakes_nobody),
		cmocka_unit_test(what_is_left_at_the_end_is_dropped_not_called),
		cmocka_unit_test(what_has_a_home_comes_back_to_it_to_be_freed),
		cmocka_unit_test(what_moves_to_another_list_keeps_its_home_and_the_lists_theirs),
		cmocka_unit_test(a_finished_call_is_heard_of_before_its_memory_goes),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
