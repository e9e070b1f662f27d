/* rules_effects_test.c -- what a run of a Lua rule wants done, as a document and back, and in a call: all of it, or nothing when the state has changed. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "core/properties.h"
#include "lua-rules/effects.h"
#include "plugins/rules/lua_effects.h"
#include "tests/unit/fake_call.h"

static int setup(void **state)
{
	*state = fake_new();
	return 0;
}

static int teardown(void **state)
{
	fake_free((struct fake **)state);
	return 0;
}

static int apply(struct fake *f, const char *effects)
{
	return fake_handler(f, lua_on_effects, "rule/r", effects);
}

static void is_record(struct fake *f, const char *key, const char *json)
{
	const char *text = fake_get(f, key);
	if (!json)
		assert_null(text);
	else
		assert_true(text && fake_text_is(f, text, json));
}

/* -- state -- */

static void state_is_written_when_it_is_what_the_run_saw(void **state)
{
	struct fake *f = *state;
	assert_int_equal(apply(f, "{'ruleName':'r','state':[{'key':'rule/r/state/a','was':0,'n':7,'value':{'on':true}},{'key':'rule/r/state/b','was':0,'n':7,'value':null}]}"), SK_OK);
	is_record(f, "rule/r/state/a", "{'v':{'on':true},'n':7}");
	is_record(f, "rule/r/state/b", "{'v':null,'n':7}");
	assert_int_equal(apply(f, "{'ruleName':'r','state':[{'key':'rule/r/state/a','was':7,'n':281474976710656,'value':[1]},{'key':'rule/r/state/b','was':7,'n':9}]}"), SK_OK);
	is_record(f, "rule/r/state/a", "{'v':[1],'n':281474976710656}");
	is_record(f, "rule/r/state/b", NULL);
	assert_int_equal(apply(f, "{'ruleName':'r','state':[{'key':'rule/r/state/a','was':281474976710656}]}"), SK_OK);
	is_record(f, "rule/r/state/a", "{'v':[1],'n':281474976710656}");
	assert_int_equal(apply(f, "{'ruleName':'r'}"), SK_OK);
}

static void state_that_has_changed_leaves_everything(void **state)
{
	static const char *const changed[] = {
		"{'key':'rule/r/state/a','was':2,'n':5,'value':1}", "{'key':'rule/r/state/a','was':0,'n':5,'value':1}", "{'key':'rule/r/state/a','was':0}",
		"{'key':'rule/r/state/none','was':1,'n':5,'value':1}", "{'key':'rule/r/state/none','was':1}", "{'key':'rule/r/state/a','was':0,'n':5}",
	};
	struct fake *f = *state;
	char text[1024];
	fake_put(f, "rule/r/state/a", "{'v':0,'n':1}");
	for (size_t i = 0; i < sizeof changed / sizeof *changed; i++)
		for (int first = 0; first < 2; first++) {
			const char *good = "{'key':'rule/r/state/b','was':0,'n':5,'value':1}";
			snprintf(text, sizeof text, "{'ruleName':'r','state':[%s,%s],'timers':[{'name':'t','due':5}],'publish':[{'topic':'a','payload':'','flags':0}]}",
			         first ? changed[i] : good, first ? good : changed[i]);
			assert_int_equal(apply(f, text), SK_E_CONFLICT);
			assert_string_equal(f->message, "the state of rule r has changed meanwhile");
			assert_int_equal(fake_effect_count(f), 0);
			is_record(f, "rule/r/state/a", "{'v':0,'n':1}");
			is_record(f, "rule/r/state/b", NULL);
		}
}

/* -- timers -- */

static void timers_are_set_and_cleared(void **state)
{
	struct fake *f = *state;
	assert_int_equal(apply(f, "{'ruleName':'r','timers':[{'name':'a','due':1700000001000,'document':{'x':[1]}},{'name':'b','due':5},{'name':'c'}]}"), SK_OK);
	const struct fake_effect *a = fake_effect(f, FAKE_TIMER_SET, 0), *b = fake_effect(f, FAKE_TIMER_SET, 1), *c = fake_effect(f, FAKE_TIMER_CLEAR, 0);
	assert_int_equal(fake_effect_count(f), 3);
	assert_string_equal(a->name, "a");
	assert_string_equal(a->also, LUA_EVENT_TIMER);
	assert_int_equal(a->due_ms, 1700000001000);
	assert_true(fake_text_is(f, a->text, "{'ruleName':'r','name':'a','document':{'x':[1]}}"));
	assert_true(fake_text_is(f, b->text, "{'ruleName':'r','name':'b'}"));
	assert_int_equal(b->due_ms, 5);
	assert_string_equal(c->name, "c");
}

static void timers_are_what_the_rule_said(void **state)
{
	struct fake *f = *state;
	struct sk_arena a = { 0 };
	const cJSON *document = sk_json_parse(&a, "{\"x\":1}", 7, NULL, NULL);
	const struct lua_effect set = { .kind = LUA_SET_TIMER, .name = "t", .due_ms = INT64_C(1) << 52, .document = document }, bare = { .kind = LUA_SET_TIMER, .name = "", .due_ms = 1 },
		clear = { .kind = LUA_CLEAR_TIMER, .name = "t", .due_ms = 7, .document = document };
	assert_true(fake_is(f, lua_timer_write(&a, &set), "{'name':'t','due':4503599627370496,'document':{'x':1}}"));
	assert_true(fake_is(f, lua_timer_write(&a, &bare), "{'name':'','due':1}"));
	assert_true(fake_is(f, lua_timer_write(&a, &clear), "{'name':'t'}"));
	assert_false(a.failed);
	sk_arena_free(&a);
}

/* -- messages -- */

static void same_text(const char *a, const char *b)
{
	assert_int_equal(a != NULL, b != NULL);
	if (a)
		assert_string_equal(a, b);
}

/* Through the document, printed and parsed as it is on its way, and back. */
static void comes_back(const struct sk_message *m)
{
	struct sk_arena a = { 0 };
	struct sk_message got;
	size_t n = 0;
	const char *text = sk_json_print(&a, lua_publish_write(&a, "t/\xc3\xa9", m), &n);
	const cJSON *one = sk_json_parse(&a, text, n, NULL, NULL);
	assert_string_equal(lua_publish_read(&a, one, &got), "t/\xc3\xa9");
	assert_int_equal(got.flags, m->flags);
	assert_int_equal(got.utf8, m->utf8);
	assert_int_equal(got.expiry_s, m->expiry_s);
	same_text(got.content_type, m->content_type);
	same_text(got.response_topic, m->response_topic);
	assert_int_equal(got.size, m->size);
	assert_memory_equal(got.payload, m->payload ? m->payload : "", m->size);
	assert_int_equal(got.correlation_size, m->correlation_size);
	assert_int_equal(got.correlation != NULL, m->correlation != NULL);
	if (m->correlation_size)
		assert_memory_equal(got.correlation, m->correlation, m->correlation_size);
	assert_int_equal(got.users, m->users);
	for (size_t i = 0; i < m->users; i++) {
		assert_string_equal(got.user[i].name, m->user[i].name);
		assert_string_equal(got.user[i].value, m->user[i].value);
	}
	assert_false(a.failed);
	sk_arena_free(&a);
}

static void every_property_comes_back(void **state)
{
	static const struct sk_user_property users[] = { { "a", "1" }, { "a", "2" }, { "", "" }, { "\xc3\xa9", "quote \" slash \\" } };
	const struct sk_message plain = { .payload = "x", .size = 1 }, all = { .payload = "{}", .size = 2, .flags = SK_QOS1 | SK_RETAIN, .utf8 = true, .expiry_s = UINT32_MAX,
		.content_type = "application/json", .response_topic = "answer/1", .correlation = "\0\1\xff", .correlation_size = 3, .user = users, .users = 4 };
	(void)state;
	comes_back(&plain);
	comes_back(&all);
	for (int without = 0; without < 8; without++) {
		struct sk_message m = all;
		switch (without) {
		case 0: m.flags = SK_QOS0; break;
		case 1: m.flags = SK_QOS1; break;
		case 2: m.utf8 = false; break;
		case 3: m.expiry_s = 0; break;
		case 4: m.content_type = NULL; break;
		case 5: m.response_topic = ""; break;
		case 6: m.correlation = NULL, m.correlation_size = 0; break;
		default: m.users = 0; break;
		}
		comes_back(&m);
	}
}

static void bytes_of_every_length_come_back(void **state)
{
	unsigned char bytes[300];
	(void)state;
	for (size_t i = 0; i < sizeof bytes; i++)
		bytes[i] = (unsigned char)(255 - i * 3);
	for (size_t n = 0; n <= sizeof bytes; n++) {
		const struct sk_message m = { .payload = bytes, .size = n, .correlation = bytes + sizeof bytes - n, .correlation_size = n };
		comes_back(&m);
	}
	const struct sk_message none = { .payload = NULL };
	comes_back(&none);
}

static void a_call_publishes_all_of_it(void **state)
{
	static const struct sk_user_property users[] = { { "k", "v" } };
	struct fake *f = *state;
	struct sk_arena a = { 0 };
	const struct sk_message m = { .payload = "\0\xff{", .size = 3, .flags = SK_QOS1 | SK_RETAIN, .utf8 = true, .expiry_s = 60, .content_type = "c", .response_topic = "r",
		.correlation = "x", .correlation_size = 1, .user = users, .users = 1 }, empty = { .payload = "" };
	cJSON *all = sk_json_object(&a), *list = sk_json_set_array(&a, all, "publish");
	size_t n = 0;
	sk_json_append(list, lua_publish_write(&a, "with/%s/percent", &m));
	sk_json_append(list, lua_publish_write(&a, "empty", &empty));
	assert_int_equal(apply(f, sk_json_print(&a, all, NULL)), SK_OK);
	const struct fake_effect *one = fake_effect(f, FAKE_PUBLISH, 0), *two = fake_effect(f, FAKE_PUBLISH, 1);
	const void *properties = sk_properties_write(&a, &m, &n);
	assert_string_equal(one->name, "with/%s/percent");
	assert_int_equal(one->flags, SK_QOS1 | SK_RETAIN);
	assert_int_equal(one->size, 3);
	assert_memory_equal(one->text, m.payload, 3);
	assert_int_equal(one->properties_size, n);
	assert_memory_equal(one->properties, properties, n);
	assert_string_equal(two->name, "empty");
	assert_true(two->size == 0 && two->flags == SK_QOS0 && !two->properties_size);
	sk_arena_free(&a);
}

/* A call whose arena ends: nothing of it is done. */
static void without_memory_nothing_is_done(void **state)
{
	struct fake *f = *state;
	char text[20000];
	int n = snprintf(text, sizeof text, "{'ruleName':'r','state':[{'key':'rule/r/state/a','was':0,'n':7,'value':'");
	memset(text + n, 'x', 16000);
	snprintf(text + n + 16000, sizeof text - (size_t)n - 16000, "'}],'timers':[{'name':'t','due':5}],'publish':[{'topic':'a','payload':'','flags':0}]}");
	assert_int_equal(apply(f, text), SK_OK);
	fake_delete(f, "rule/r/state/a");
	int refused = 0;
	for (size_t limit = 1;; limit += 1500, refused++) {
		f->memory_limit = limit;
		if (apply(f, text) == SK_OK)
			break;
		assert_int_equal(f->rc, SK_E_UNAVAILABLE);
		assert_int_equal(fake_effect_count(f), 0);
		is_record(f, "rule/r/state/a", NULL);
	}
	assert_true(refused > 3);
}

int main(void)
{
#define T(test) cmocka_unit_test_setup_teardown(test, setup, teardown)
	const struct CMUnitTest tests[] = {
		T(state_is_written_when_it_is_what_the_run_saw), T(state_that_has_changed_leaves_everything), T(timers_are_set_and_cleared), T(timers_are_what_the_rule_said),
		T(every_property_comes_back), T(bytes_of_every_length_come_back), T(a_call_publishes_all_of_it), T(without_memory_nothing_is_done),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
