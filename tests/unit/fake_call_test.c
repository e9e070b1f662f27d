/* fake_call_test.c -- the fake runtime itself: it reruns, keeps order, and catches handlers that break core/call.h's contract. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
/* cmocka needs those first */
#include <cmocka.h>

#include "tests/unit/fake_call.h"

static int setup(void **at)
{
	*at = fake_new();
	return 0;
}

static int teardown(void **at)
{
	fake_free((struct fake **)at);
	return 0;
}

static int count_up(struct sk_call *c)
{
	const cJSON *old = sk_get(c, "registry/a/%s", sk_json_text(c->in, "name"));
	cJSON *next = sk_json_object(c->arena);

	sk_json_set_int(c->arena, next, "n", sk_json_int_of(old, "n", 0) + 1);
	sk_put(c, next, "registry/a/%s", sk_json_text(c->in, "name"));
	sk_json_set_int(c->arena, c->out, "n", sk_json_int_of(sk_get(c, "registry/a/%s", sk_json_text(c->in, "name")), "n", 0));
	sk_emit(c, "counted", next);
	return SK_OK;
}

static void a_void_run_leaves_nothing_behind(void **at)
{
	struct fake *f = *at;

	fake_put(f, "registry/a/x", "{'n':7}");
	assert_int_equal(fake_handler(f, count_up, "registry", "{'name':'x'}"), SK_OK);
	assert_int_equal(f->runs, 2);
	assert_string_equal(fake_get(f, "registry/a/x"), "{\"n\":8}");
	assert_true(fake_is(f, f->out, "{'n':8}"));
	assert_int_equal(fake_effect_count(f), 1);
	f->no_misses = true;
	assert_int_equal(fake_handler(f, count_up, "registry", "{'name':'x'}"), SK_OK);
	assert_int_equal(f->runs, 1);
	assert_string_equal(fake_get(f, "registry/a/x"), "{\"n\":9}");
}

static int fail_late(struct sk_call *c)
{
	count_up(c);
	return sk_fail(c, SK_E_CONFLICT, "no %d", 42);
}

static void an_error_drops_writes_and_effects(void **at)
{
	struct fake *f = *at;

	assert_int_equal(fake_handler(f, fail_late, "registry", "{'name':'x'}"), SK_E_CONFLICT);
	assert_string_equal(f->message, "no 42");
	assert_null(fake_get(f, "registry/a/x"));
	assert_int_equal(fake_effect_count(f), 0);
	assert_null(f->out);
}

static int spoil_document(struct sk_call *c)
{
	cJSON *doc = (cJSON *)sk_get(c, "registry/a/x");

	sk_json_set_int(c->arena, doc, "n", 1);
	return SK_OK;
}

static int spoil_input(struct sk_call *c)
{
	sk_json_set_int(c->arena, (cJSON *)c->in, "n", 1);
	return SK_OK;
}

static int error_without_fail(struct sk_call *c)
{
	(void)c;
	return SK_E_NOT_FOUND;
}

static int fail_and_go_on(struct sk_call *c)
{
	sk_fail(c, SK_E_NOT_FOUND, "forgotten");
	return SK_OK;
}

static int always_another_key(struct sk_call *c)
{
	static int n;

	sk_get(c, "registry/a/%d", n++);
	return SK_OK;
}

static void broken_contracts_are_found_out(void **at)
{
	struct fake *f = *at;

	fake_put(f, "registry/a/x", "{'n':7}");
	assert_int_equal(fake_handler(f, count_up, "thing/x", "{'name':'x'}"), SK_E_INTERNAL);
	assert_int_equal(fake_handler(f, count_up, "any", "{'name':'x'}"), SK_E_INTERNAL);
	assert_int_equal(fake_handler(f, spoil_document, "any", "{}"), SK_E_INTERNAL);
	assert_int_equal(fake_handler(f, spoil_input, "any", "{}"), SK_E_INTERNAL);
	assert_int_equal(fake_handler(f, error_without_fail, "any", "{}"), SK_E_INTERNAL);
	assert_int_equal(fake_handler(f, fail_and_go_on, "any", "{}"), SK_E_INTERNAL);
	assert_int_equal(fake_handler(f, always_another_key, "any", "{}"), SK_E_UNAVAILABLE);
	assert_int_equal(f->runs, 9);
	assert_string_equal(fake_get(f, "registry/a/x"), "{\"n\":7}");
}

static int list_two(struct sk_call *c)
{
	sk_remove(c, "registry/a/2");
	sk_put(c, sk_json_int(c->arena, 5), "registry/a/5");
	struct sk_scan s = sk_scan(c, 2, sk_json_text(c->in, "after"), "registry/a/");
	for (size_t i = 0; i < s.count; i++)
		sk_json_set(c->arena, c->out, s.row[i].name, sk_json_copy(c->arena, s.row[i].document));
	sk_json_set_string(c->arena, c->out, "next", s.next);
	return SK_OK;
}

static void a_scan_sees_the_calls_own_writes(void **at)
{
	struct fake *f = *at;

	fake_put(f, "registry/a/1", "1");
	fake_put(f, "registry/a/2", "2");
	fake_put(f, "registry/a/3", "3");
	fake_put(f, "registry/b/4", "4");
	assert_int_equal(fake_handler(f, list_two, "registry", "{}"), SK_OK);
	assert_true(fake_is(f, f->out, "{'1':1,'3':3,'next':'3'}"));
	assert_int_equal(fake_handler(f, list_two, "registry", "{'after':'3'}"), SK_OK);
	assert_true(fake_is(f, f->out, "{'5':5}"));
	assert_int_equal(fake_count(f, "registry/a/"), 3);
}

static cJSON *doubled(struct sk_arena *a, const cJSON *in, void *state)
{
	++*(int *)state;
	return sk_json_number(a, in->valuedouble * 2);
}

static int two_of_four(struct sk_call *c)
{
	const cJSON *four = sk_await(c, doubled, sk_json_int(c->arena, 2));
	const cJSON *eight = four ? sk_await(c, doubled, four) : NULL;

	if (eight)
		sk_json_set(c->arena, c->out, "n", sk_json_copy(c->arena, eight));
	return SK_OK;
}

static void awaited_answers_are_kept_for_the_rerun(void **at)
{
	struct fake *f = *at;
	int asked = 0;

	f->state = &asked;
	assert_int_equal(fake_handler(f, two_of_four, "any", "{}"), SK_OK);
	assert_true(fake_is(f, f->out, "{'n':8}"));
	assert_int_equal(asked, 2);
	assert_int_equal(f->runs, 3);
}

static int on_update(struct sk_call *c)
{
	cJSON *doc = sk_json_object(c->arena);

	if (!c->payload) {
		sk_reply(c, doc, "too/%s", c->arg[0]);
		return SK_OK;
	}
	sk_json_set_string(c->arena, doc, "text", c->payload);
	sk_put(c, doc, "thing/%s/%s", c->arg[0], c->arg[1]);
	sk_publish(c, SK_QOS1, doc, "a/%s", c->arg[1]);
	sk_publish_bytes(c, SK_RETAIN, "\0x", 2, "b");
	sk_timer_set(c, "later", c->now_ms + 5, "late", doc);
	sk_timer_clear(c, "sooner");
	sk_kick(c, NULL, "client", "why");
	return SK_OK;
}

static int on_refused(struct sk_call *c)
{
	sk_reply(c, c->out, "refused/%s", c->arg[0]);
	return SK_OK;
}

static size_t limit(void *state)
{
	(void)state;
	return 3;
}

static void messages_reach_the_row_that_fits(void **at)
{
	static const struct sk_topic rows[] = {
		{ .pattern = "t/{thing}/x", .handler = on_refused, .partition = "any" },
		{ .pattern = "t/{thing}/{name}/y", .handler = on_update, .refuse = on_refused, .partition = "thing/{thing}", .limit = limit },
		{ 0 }
	};
	struct fake *f = *at;

	assert_int_equal(fake_publish(f, rows, "t/lamp/s/y", "abc"), SK_OK);
	assert_string_equal(fake_get(f, "thing/lamp/s"), "{\"text\":\"abc\"}");
	assert_string_equal(fake_effect(f, FAKE_PUBLISH, 0)->name, "a/s");
	assert_int_equal(fake_effect(f, FAKE_PUBLISH, 0)->flags, SK_QOS1);
	assert_memory_equal(fake_effect(f, FAKE_PUBLISH, 1)->text, "\0x", 3);
	assert_int_equal(fake_effect(f, FAKE_TIMER_SET, 0)->due_ms, f->now_ms + 5);
	assert_string_equal(fake_effect(f, FAKE_TIMER_SET, 0)->also, "late");
	assert_string_equal(fake_effect(f, FAKE_TIMER_CLEAR, 0)->name, "sooner");
	assert_string_equal(fake_effect(f, FAKE_KICK, 0)->also, "client");
	assert_null(fake_effect(f, FAKE_KICK, 1));
	assert_int_equal(fake_publish(f, rows, "t/lamp/s/y", "abcd"), SK_OK);
	assert_string_equal(fake_effect(f, FAKE_REPLY, 0)->name, "too/lamp");
	assert_int_equal(fake_publish(f, rows, "t//s/y", "abc"), SK_E_UNKNOWN_OPERATION);
	assert_int_equal(fake_publish(f, rows, "t/lamp/s/y/z", "abc"), SK_E_UNKNOWN_OPERATION);
	assert_int_equal(fake_publish(f, rows, "t/lamp/s", "abc"), SK_E_UNKNOWN_OPERATION);
	f->refuse = true;
	assert_int_equal(fake_publish(f, rows, "t/lamp/s/y", "abc"), SK_OK);
	assert_string_equal(fake_effect(f, FAKE_REPLY, 0)->name, "refused/lamp");
	assert_int_equal(fake_publish(f, rows, "t/lamp/x", "abc"), SK_E_THROTTLING);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(a_void_run_leaves_nothing_behind),
		TEST(an_error_drops_writes_and_effects),
		TEST(broken_contracts_are_found_out),
		TEST(a_scan_sees_the_calls_own_writes),
		TEST(awaited_answers_are_kept_for_the_rerun),
		TEST(messages_reach_the_row_that_fits),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
