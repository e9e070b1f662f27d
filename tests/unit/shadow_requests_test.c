/* shadow_requests_test.c -- the shadow plugin's own tables (topics, operations, events, options) on a fake runtime.
 *
 * plugin.c is included, so that the rows that are tested are the rows that are loaded. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
/* cmocka needs those first */
#include <cmocka.h>

#include "plugins/shadow/plugin.c"
#include "tests/unit/fake_call.h"

#define P "$aws/things/lamp/shadow"
#define N "$aws/things/lamp/shadow/name/night"
#define HOURS 3600000

int sk_plugin_load(const struct sk_plugin *p, void *identifier, void *given, int option_count)
{
	(void)identifier, (void)given, (void)option_count;
	return p ? 0 : -1;
}

int sk_plugin_unload(const struct sk_plugin *p)
{
	return p ? 0 : -1;
}

static struct shadows_state state;

static void load(int limits, int64_t size, int64_t depth)
{
	char why[100];

	state = (struct shadows_state){ .limits = limits, .max_document_size = size, .max_depth = depth, .version_memory = 48 * HOURS };
	assert_int_equal(start(&state, why, sizeof(why)), 0);
}

static int setup(void **at)
{
	struct fake *f = *at = fake_new();

	load(SHADOWS_LIMITS_DEFAULT, 0, 0);
	f->state = &state;
	fake_add_shapes(f, shapes);
	fake_put(f, "registry/thing/lamp", "{'version':1}");
	return 0;
}

static int teardown(void **at)
{
	fake_free((struct fake **)at);
	return 0;
}

static void say(struct fake *f, const char *topic, const char *text)
{
	assert_int_equal(fake_publish(f, topics, topic, text), SK_OK);
}

static int op(struct fake *f, const char *name, const char *input)
{
	return fake_op(f, &shadows_group, name, input);
}

/* The index-th publish went to that topic, and says that. */
static void told(const struct fake *f, size_t index, const char *topic, const char *json)
{
	const struct fake_effect *e = fake_effect(f, FAKE_PUBLISH, index);

	assert_non_null(e);
	assert_string_equal(e->name, topic);
	assert_int_equal(e->flags, SK_QOS1);
	assert_true(fake_text_is((struct fake *)f, e->text, json));
}

static void told_only(const struct fake *f, const char *topic, const char *json)
{
	assert_int_equal(fake_effect_count(f), 1);
	told(f, 0, topic, json);
}

static void record_is(struct fake *f, const char *key, const char *json)
{
	const char *text = fake_get(f, key);

	if (!json) {
		assert_null(text);
		return;
	}
	assert_non_null(text);
	assert_true(fake_text_is(f, text, json));
}

static void an_update_is_stored_and_published_three_ways(void **at)
{
	struct fake *f = *at;

	say(f, P "/update", "{'state':{'desired':{'on':true}},'clientToken':'t'}");
	assert_int_equal(fake_effect_count(f), 3);
	told(f, 0, P "/update/accepted",
	     "{'state':{'desired':{'on':true}},'metadata':{'desired':{'on':{'timestamp':1700000000}}},'version':1,'timestamp':1700000000,"
	     "'clientToken':'t'}");
	told(f, 1, P "/update/delta",
	     "{'version':1,'timestamp':1700000000,'state':{'on':true},'metadata':{'on':{'timestamp':1700000000}},'clientToken':'t'}");
	told(f, 2, P "/update/documents",
	     "{'previous':{'state':{},'metadata':{},'version':0},'current':{'state':{'desired':{'on':true}},"
	     "'metadata':{'desired':{'on':{'timestamp':1700000000}}},'version':1},'timestamp':1700000000,'clientToken':'t'}");
	record_is(f, "thing/lamp/shadow",
	          "{'state':{'desired':{'on':true}},'metadata':{'desired':{'on':{'timestamp':1700000000}}},'version':1}");
}

static void an_update_without_a_difference_has_no_delta(void **at)
{
	struct fake *f = *at;

	say(f, P "/update", "{'state':{'reported':{'on':true}}}");
	assert_int_equal(fake_effect_count(f), 2);
	assert_string_equal(fake_effect(f, FAKE_PUBLISH, 1)->name, P "/update/documents");
}

static void named_and_classic_shadows_are_kept_apart(void **at)
{
	struct fake *f = *at;

	say(f, P "/update", "{'state':{'reported':{'who':'classic'}}}");
	say(f, N "/update", "{'state':{'reported':{'who':'night'}}}");
	told(f, 0, N "/update/accepted",
	     "{'state':{'reported':{'who':'night'}},'metadata':{'reported':{'who':{'timestamp':1700000000}}},'version':1,'timestamp':1700000000}");
	say(f, P "/get", "");
	told_only(f, P "/get/accepted",
	          "{'state':{'reported':{'who':'classic'}},'metadata':{'reported':{'who':{'timestamp':1700000000}}},'version':1,'timestamp':1700000000}");
	say(f, N "/get", "{'clientToken':'g'}");
	told_only(f, N "/get/accepted",
	          "{'state':{'reported':{'who':'night'}},'metadata':{'reported':{'who':{'timestamp':1700000000}}},'version':1,"
	          "'timestamp':1700000000,'clientToken':'g'}");
}

static void a_refusal_goes_to_rejected_and_nothing_is_stored(void **at)
{
	struct fake *f = *at;

	say(f, P "/update", "{'state':7,'clientToken':'t'}");
	told_only(f, P "/update/rejected", "{'code':400,'message':'State node must be an object','timestamp':1700000000,'clientToken':'t'}");
	say(f, P "/update", "");
	told_only(f, P "/update/rejected", "{'code':400,'message':'Invalid JSON','timestamp':1700000000}");
	say(f, P "/get", "{");
	told_only(f, P "/get/rejected", "{'code':400,'message':'Invalid JSON','timestamp':1700000000}");
	say(f, N "/get", "");
	told_only(f, N "/get/rejected", "{\"code\":404,\"message\":\"No shadow exists with name: 'lamp~night'\",\"timestamp\":1700000000}");
	say(f, P "/delete", "{'clientToken':'d'}");
	told_only(f, P "/delete/rejected",
	          "{\"code\":404,\"message\":\"No shadow exists with name: 'lamp'\",\"timestamp\":1700000000,\"clientToken\":\"d\"}");
	assert_int_equal(fake_count(f, "thing/"), 0);
}

static void a_payload_above_the_rows_limit_is_413(void **at)
{
	struct fake *f = *at;
	size_t n = request_size(&state);
	char *big = calloc(1, n + 2);

	memset(big, ' ', n + 1);
	say(f, P "/update", big);
	told_only(f, P "/update/rejected", "{'code':413,'message':'The payload exceeds the maximum size allowed','timestamp':1700000000}");
	say(f, P "/get", big);
	told_only(f, P "/get/rejected", "{'code':413,'message':'The payload exceeds the maximum size allowed','timestamp':1700000000}");
	big[n] = 0;
	say(f, P "/update", big);
	told_only(f, P "/update/rejected", "{'code':400,'message':'Invalid JSON','timestamp':1700000000}");
	free(big);
}

static void names_out_of_shape_are_refused_on_their_own_topic(void **at)
{
	struct fake *f = *at;
	char topic[200], rejected[220];

	say(f, "$aws/things/a lamp/shadow/update", "{'state':{}}");
	told_only(f, "$aws/things/a lamp/shadow/update/rejected", "{'code':400,'message':'Invalid thing name','timestamp':1700000000}");
	say(f, "$aws/things/$lamp/shadow/get", "");
	told_only(f, "$aws/things/$lamp/shadow/get/rejected", "{'code':400,'message':'Invalid thing name','timestamp':1700000000}");
	say(f, P "/name/a.b/delete", "");
	told_only(f, P "/name/a.b/delete/rejected", "{'code':400,'message':'Invalid shadow name','timestamp':1700000000}");
	snprintf(topic, sizeof(topic), P "/name/%065d/update", 0);
	snprintf(rejected, sizeof(rejected), "%s/rejected", topic);
	say(f, topic, "{'state':{}}");
	told_only(f, rejected, "{'code':400,'message':'Invalid shadow name','timestamp':1700000000}");
	assert_int_equal(fake_count(f, "thing/"), 0);
	snprintf(topic, sizeof(topic), P "/name/%064d/update", 0);
	say(f, topic, "{'state':{}}");
	say(f, P "/name/$package/update", "{'state':{}}");
	assert_int_equal(fake_count(f, "thing/lamp/shadow/"), 2);
}

static void what_cannot_be_served_is_answered_with_the_token(void **at)
{
	struct fake *f = *at;

	f->refuse = true;
	say(f, P "/update", "{'state':{},'clientToken':'t'}");
	told_only(f, P "/update/rejected", "{'code':429,'message':'Too many requests','timestamp':1700000000,'clientToken':'t'}");
	say(f, N "/get", "");
	told_only(f, N "/get/rejected", "{'code':429,'message':'Too many requests','timestamp':1700000000}");
}

static void the_count_goes_on_after_a_delete(void **at)
{
	struct fake *f = *at;

	say(f, N "/update", "{'state':{}}");
	say(f, N "/update", "{'state':{}}");
	say(f, N "/delete", "not JSON");
	told(f, 0, N "/delete/accepted", "{'version':2,'timestamp':1700000000}");
	record_is(f, "thing/lamp/shadow/night", NULL);
	record_is(f, "thing/lamp/shadow-gone/night", "{'version':2,'deletedAt':1700000000}");
	const struct fake_effect *timer = fake_effect(f, FAKE_TIMER_SET, 0);
	assert_string_equal(timer->name, "forget-shadow:night");
	assert_string_equal(timer->also, "ForgetShadow");
	assert_int_equal(timer->due_ms, f->now_ms + 48 * HOURS);
	assert_true(fake_text_is(f, timer->text, "{'thingName':'lamp','shadowName':'night','version':2}"));
	say(f, N "/update", "{'state':{},'version':2}");
	assert_string_equal(fake_effect(f, FAKE_TIMER_CLEAR, 0)->name, "forget-shadow:night");
	record_is(f, "thing/lamp/shadow/night", "{'state':{},'metadata':{},'version':3}");
	record_is(f, "thing/lamp/shadow-gone/night", NULL);
}

static void a_tombstone_goes_when_its_time_is_over(void **at)
{
	struct fake *f = *at;

	say(f, P "/update", "{'state':{}}");
	say(f, P "/delete", "");
	assert_string_equal(fake_effect(f, FAKE_TIMER_SET, 0)->name, "forget-shadow");
	assert_int_equal(fake_event(f, on, "ForgetShadow", "{'timer':'forget-shadow','thingName':'lamp','version':7}"), SK_OK);
	record_is(f, "thing/lamp/shadow-gone", "{'version':1,'deletedAt':1700000000}");
	assert_int_equal(fake_event(f, on, "ForgetShadow", "{'timer':'forget-shadow','thingName':'lamp','version':1}"), SK_OK);
	record_is(f, "thing/lamp/shadow-gone", NULL);
	assert_int_equal(fake_event(f, on, "ForgetShadow", "{'timer':'forget-shadow','thingName':'lamp','version':1}"), SK_OK);
	say(f, P "/update", "{'state':{}}");
	record_is(f, "thing/lamp/shadow", "{'state':{},'metadata':{},'version':1}");
}

static void without_version_memory_a_delete_leaves_nothing(void **at)
{
	struct fake *f = *at;

	state.version_memory = 0;
	say(f, P "/update", "{'state':{}}");
	say(f, P "/delete", "");
	told_only(f, P "/delete/accepted", "{'version':1,'timestamp':1700000000}");
	assert_int_equal(fake_count(f, "thing/"), 0);
}

static void a_deleted_thing_takes_all_its_shadows_along(void **at)
{
	struct fake *f = *at;

	fake_put(f, "thing/lamp/job/1", "{}");
	fake_put(f, "thing/lamp2/shadow", "{}");
	say(f, P "/update", "{'state':{}}");
	say(f, N "/update", "{'state':{}}");
	say(f, P "/name/old/update", "{'state':{}}");
	say(f, P "/name/old/delete", "");
	assert_int_equal(fake_event(f, on, "DeleteThing", "{'thingName':'lamp'}"), SK_OK);
	assert_string_equal(fake_effect(f, FAKE_TIMER_CLEAR, 0)->name, "forget-shadow:old");
	assert_int_equal(fake_effect_count(f), 1);
	assert_int_equal(fake_count(f, "thing/lamp/"), 1);
	assert_int_equal(fake_count(f, "thing/"), 2);
	assert_int_equal(fake_event(f, on, "DeleteThing", "{'thingName':'lamp'}"), SK_OK);
}

static void a_thing_of_many_shadows_is_forgotten_in_steps(void **at)
{
	struct fake *f = *at;
	char key[60];
	int steps = 1;

	for (int i = 0; i < 250; i++) {
		snprintf(key, sizeof(key), "thing/lamp/shadow/%d", i);
		fake_put(f, key, "{'state':{},'metadata':{},'version':1}");
	}
	assert_int_equal(fake_event(f, on, "DeleteThing", "{'thingName':'lamp'}"), SK_OK);
	for (; fake_effect(f, FAKE_EMIT, 0); steps++) {
		assert_string_equal(fake_effect(f, FAKE_EMIT, 0)->name, "ForgetShadows");
		char *rest = strdup(fake_effect(f, FAKE_EMIT, 0)->text);
		assert_int_equal(fake_event(f, on, "ForgetShadows", rest), SK_OK);
		free(rest);
	}
	assert_int_equal(steps, 3);
	assert_int_equal(fake_count(f, "thing/lamp/"), 0);
}

/* By then it may be registered again, at another broker that shares the store. */
static void a_deletion_that_is_carried_out_late_leaves_what_is_newer(void **at)
{
	struct fake *f = *at;
	const char *const document = "{'state':{},'metadata':{},'version':1}";
	char key[60];

	for (int i = 0; i < 250; i++) {
		snprintf(key, sizeof(key), "thing/lamp/shadow/%03d", i);
		fake_put(f, key, document);
	}
	f->event_version = 101; /* records get 1, 2, 3 and on; the first is the thing's own */
	assert_int_equal(fake_event(f, on, "DeleteThing", "{'thingName':'lamp'}"), SK_OK);
	f->event_version = 1000; /* what follows is of the same deletion */
	while (fake_effect(f, FAKE_EMIT, 0)) {
		char *rest = strdup(fake_effect(f, FAKE_EMIT, 0)->text);
		assert_int_equal(fake_event(f, on, "ForgetShadows", rest), SK_OK);
		free(rest);
	}
	assert_int_equal(fake_count(f, "thing/lamp/"), 150);
	fake_put(f, "thing/nobody/shadow", document);
	f->event_version = 1;
	assert_int_equal(fake_event(f, on, "DeleteThing", "{'thingName':'nobody'}"), SK_OK);
	assert_int_equal(fake_count(f, "thing/nobody/"), 0);
}

static void operations_answer_the_payload_and_publish_what_they_change(void **at)
{
	struct fake *f = *at;

	assert_int_equal(op(f, "UpdateThingShadow", "{'thingName':'lamp','payload':{'state':{'desired':{'on':1}},'clientToken':'t'}}"), SK_OK);
	assert_true(fake_is(f, f->out, "{'payload':{'state':{'desired':{'on':1}},'metadata':{'desired':{'on':{'timestamp':1700000000}}},"
	                               "'version':1,'timestamp':1700000000,'clientToken':'t'}}"));
	assert_int_equal(fake_effect_count(f), 3);
	assert_string_equal(fake_effect(f, FAKE_PUBLISH, 1)->name, P "/update/delta");
	assert_int_equal(op(f, "GetThingShadow", "{'thingName':'lamp'}"), SK_OK);
	assert_true(fake_is(f, f->out, "{'payload':{'state':{'desired':{'on':1},'delta':{'on':1}},"
	                               "'metadata':{'desired':{'on':{'timestamp':1700000000}}},'version':1,'timestamp':1700000000}}"));
	assert_int_equal(fake_effect_count(f), 0);
	assert_int_equal(op(f, "DeleteThingShadow", "{'thingName':'lamp'}"), SK_OK);
	assert_true(fake_is(f, f->out, "{'payload':{'version':1,'timestamp':1700000000}}"));
	told(f, 0, P "/delete/accepted", "{'version':1,'timestamp':1700000000}");
	assert_int_equal(op(f, "GetThingShadow", "{'thingName':'lamp'}"), SK_E_NOT_FOUND);
	assert_string_equal(f->message, "No shadow exists with name: 'lamp'");
}

static void operations_take_a_named_shadow_under_both_of_its_names(void **at)
{
	struct fake *f = *at;

	assert_int_equal(op(f, "UpdateThingShadow", "{'thingName':'lamp','shadowName':'night','payload':{'state':{}}}"), SK_OK);
	told(f, 0, N "/update/accepted", "{'state':{},'metadata':{},'version':1,'timestamp':1700000000}");
	assert_int_equal(op(f, "GetThingShadow", "{'thingName':'lamp','shadowName':'night'}"), SK_OK);
	assert_int_equal(op(f, "GetThingShadow", "{'thingName':'lamp','shadowName':'day'}"), SK_E_NOT_FOUND);
	assert_string_equal(f->message, "No shadow exists with name: 'lamp~day'");
	assert_int_equal(op(f, "GetThingShadow", "{'thingName':'lamp','shadowName':'a/b'}"), SK_E_INVALID_REQUEST);
}

static void an_operation_fails_with_the_errors_name_and_publishes_nothing(void **at)
{
	static const struct {
		const char *payload;
		int code;
		const char *message;
	} rows[] = {
		{ "{}", SK_E_INVALID_REQUEST, "Missing required node: state" },
		{ "{'state':{},'version':4}", SK_E_CONFLICT, "Version conflict" },
		{ "'{'", SK_E_INVALID_REQUEST, "Invalid JSON" },
		{ "{'state':{'reported':{'a':'0123456789'}}}", SK_E_TOO_LARGE, "The payload exceeds the maximum size allowed" },
		{ "7", SK_E_INVALID_REQUEST, "Missing required node: state" },
	};
	struct fake *f = *at;
	char input[200];

	load(SHADOWS_LIMITS_DEFAULT, 10, 0);
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		snprintf(input, sizeof(input), "{'thingName':'lamp','payload':%s}", rows[i].payload);
		assert_int_equal(op(f, "UpdateThingShadow", input), rows[i].code);
		assert_string_equal(f->message, rows[i].message);
		assert_int_equal(fake_effect_count(f), 0);
	}
	assert_int_equal(fake_count(f, "thing/"), 0);
	assert_int_equal(op(f, "UpdateThingShadow", "{'thingName':'lamp'}"), SK_E_INVALID_REQUEST);
}

static void a_payload_may_be_text(void **at)
{
	struct fake *f = *at;

	assert_int_equal(op(f, "UpdateThingShadow", "{\"thingName\":\"lamp\",\"payload\":\"{\\\"state\\\":{\\\"reported\\\":{\\\"a\\\":1}}}\"}"), SK_OK);
	record_is(f, "thing/lamp/shadow", "{'state':{'reported':{'a':1}},'metadata':{'reported':{'a':{'timestamp':1700000000}}},'version':1}");
}

static void operations_want_a_registered_thing_and_topics_do_not(void **at)
{
	static const char *const names[] = { "GetThingShadow", "DeleteThingShadow", "ListNamedShadowsForThing" };
	struct fake *f = *at;

	say(f, "$aws/things/stray/shadow/update", "{'state':{}}");
	assert_int_equal(fake_count(f, "thing/stray/"), 1);
	for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++) {
		assert_int_equal(op(f, names[i], "{'thingName':'stray'}"), SK_E_NOT_FOUND);
		assert_string_equal(f->message, "Thing not found");
	}
	assert_int_equal(op(f, "UpdateThingShadow", "{'thingName':'stray','payload':{'state':{}}}"), SK_E_NOT_FOUND);
	assert_int_equal(fake_effect_count(f), 0);
}

static void named_shadows_are_listed_in_order_without_the_classic_and_deleted_ones(void **at)
{
	struct fake *f = *at;

	assert_int_equal(op(f, "ListNamedShadowsForThing", "{'thingName':'lamp'}"), SK_OK);
	assert_true(fake_is(f, f->out, "{'results':[],'timestamp':1700000000}"));
	say(f, P "/update", "{'state':{}}");
	say(f, P "/name/b/update", "{'state':{}}");
	say(f, P "/name/a/update", "{'state':{}}");
	say(f, P "/name/c/update", "{'state':{}}");
	say(f, P "/name/c/delete", "");
	assert_int_equal(op(f, "ListNamedShadowsForThing", "{'thingName':'lamp','pageSize':100}"), SK_OK);
	assert_true(fake_is(f, f->out, "{'results':['a','b'],'timestamp':1700000000}"));
	assert_int_equal(op(f, "ListNamedShadowsForThing", "{'thingName':'lamp','pageSize':101}"), SK_E_INVALID_REQUEST);
}

static void long_lists_come_in_pages(void **at)
{
	struct fake *f = *at;
	char text[200];

	for (int i = 10; i < 40; i++) {
		snprintf(text, sizeof(text), P "/name/s%d/update", i);
		say(f, text, "{'state':{}}");
	}
	assert_int_equal(op(f, "ListNamedShadowsForThing", "{'thingName':'lamp'}"), SK_OK);
	assert_int_equal(sk_json_count(sk_json_get(f->out, "results")), 25);
	snprintf(text, sizeof(text), "{'thingName':'lamp','nextToken':'%s'}", sk_json_text(f->out, "nextToken"));
	assert_int_equal(op(f, "ListNamedShadowsForThing", text), SK_OK);
	assert_true(fake_is(f, f->out, "{'results':['s35','s36','s37','s38','s39'],'timestamp':1700000000}"));
}

static void limits_come_from_the_options(void **at)
{
	static const struct {
		int limits;
		int64_t size, depth;
		struct shadow_limits in_force;
	} rows[] = {
		{ SHADOWS_LIMITS_DEFAULT, 0, 0, { 65536, 16 } }, { SHADOWS_LIMITS_AWS, 0, 0, { 8192, 6 } },
		{ SHADOWS_LIMITS_AWS, 30720, 0, { 30720, 6 } },  { SHADOWS_LIMITS_DEFAULT, 0, 3, { 65536, 3 } },
	};
	struct fake *f = *at;
	char why[100];

	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		load(rows[i].limits, rows[i].size, rows[i].depth);
		assert_int_equal(state.in_force.size, rows[i].in_force.size);
		assert_int_equal(state.in_force.depth, rows[i].in_force.depth);
	}
	say(f, P "/update", "{'state':{'desired':{'a':{'b':{'c':{}}}}}}");
	told_only(f, P "/update/rejected",
	          "{'code':400,'message':'JSON contains too many levels of nesting; maximum is 3','timestamp':1700000000}");
	state.max_document_size = (1 << 20) + 1;
	assert_int_equal(start(&state, why, sizeof(why)), -1);
	assert_string_equal(why, "plugin_opt_max_document_size may be at most 1m");
}

static void short_of_memory_a_request_changes_all_or_nothing(void **at)
{
	struct fake *f = *at;
	size_t refused = 0;

	for (f->memory_limit = 4096;; f->memory_limit += 4096) {
		int rc = fake_publish(f, topics, P "/update", "{'state':{'desired':{'a':[1,2,3],'b':{'c':'d'}},'reported':{'e':true}}}");
		if (rc == SK_OK)
			break;
		refused++;
		assert_int_equal(rc, SK_E_UNAVAILABLE);
		assert_int_equal(fake_effect_count(f), 0);
		assert_int_equal(fake_count(f, "thing/"), 0);
	}
	assert_int_equal(fake_count(f, "thing/"), 1);
	assert_true(refused > 0);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(an_update_is_stored_and_published_three_ways),
		TEST(an_update_without_a_difference_has_no_delta),
		TEST(named_and_classic_shadows_are_kept_apart),
		TEST(a_refusal_goes_to_rejected_and_nothing_is_stored),
		TEST(a_payload_above_the_rows_limit_is_413),
		TEST(names_out_of_shape_are_refused_on_their_own_topic),
		TEST(what_cannot_be_served_is_answered_with_the_token),
		TEST(the_count_goes_on_after_a_delete),
		TEST(a_tombstone_goes_when_its_time_is_over),
		TEST(without_version_memory_a_delete_leaves_nothing),
		TEST(a_deleted_thing_takes_all_its_shadows_along),
		TEST(a_thing_of_many_shadows_is_forgotten_in_steps),
		TEST(a_deletion_that_is_carried_out_late_leaves_what_is_newer),
		TEST(operations_answer_the_payload_and_publish_what_they_change),
		TEST(operations_take_a_named_shadow_under_both_of_its_names),
		TEST(an_operation_fails_with_the_errors_name_and_publishes_nothing),
		TEST(a_payload_may_be_text),
		TEST(operations_want_a_registered_thing_and_topics_do_not),
		TEST(named_shadows_are_listed_in_order_without_the_classic_and_deleted_ones),
		TEST(long_lists_come_in_pages),
		TEST(limits_come_from_the_options),
		TEST(short_of_memory_a_request_changes_all_or_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
