/* http_device_test.c -- who shows a certificate, and what its policy is asked for each operation of the data plane. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "plugins/http/device.h"

static struct sk_arena arena;

static int teardown(void **state)
{
	(void)state;
	sk_arena_free(&arena);
	return 0;
}

static const cJSON *input(const char *json)
{
	return sk_json_parse(&arena, json, strlen(json), NULL, NULL);
}

static void each_operation_asks_for_its_own_permission(void **state)
{
	static const struct {
		const char *operation, *input, *action, *resource;
		int count;
	} rows[] = {
		{ "Publish", "{\"topic\":\"a/b\"}", "iot:Publish", "a/b", 1 },
		{ "Publish", "{\"topic\":\"a\",\"retain\":false}", "iot:Publish", "a", 1 },
		{ "Publish", "{\"topic\":\"a\",\"retain\":true}", "iot:Publish", "a", 2 },
		{ "GetThingShadow", "{\"thingName\":\"lamp\"}", "iot:GetThingShadow", "lamp", 1 },
		{ "UpdateThingShadow", "{\"thingName\":\"lamp\",\"shadowName\":\"n\"}", "iot:UpdateThingShadow", "lamp/n", 1 },
		{ "DeleteThingShadow", "{\"thingName\":\"lamp\",\"shadowName\":\"s\"}", "iot:DeleteThingShadow", "lamp/s", 1 },
		{ "ListNamedShadowsForThing", "{\"thingName\":\"lamp\"}", "iot:ListNamedShadowsForThing", "lamp", 1 },
		{ "GetRetainedMessage", "{\"topic\":\"a\"}", "iot:GetRetainedMessage", "a", 1 },
		{ "ListRetainedMessages", "{}", "iot:ListRetainedMessages", "*", 1 },
		{ "CreateThing", "{\"thingName\":\"lamp\"}", NULL, NULL, 0 },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		struct sk_permission p[SK_PERMISSIONS];
		assert_int_equal(device_permissions(&arena, rows[i].operation, input(rows[i].input), p), rows[i].count);
		if (!rows[i].count)
			continue;
		assert_string_equal(p[0].action, rows[i].action);
		assert_string_equal(p[0].resource, rows[i].resource);
		if (rows[i].count == 2) {
			assert_string_equal(p[1].action, "iot:RetainPublish");
			assert_string_equal(p[1].resource, rows[i].resource);
		}
	}
}

static struct http_call call(int64_t now_s)
{
	return (struct http_call){ .now_ms = now_s * 1000, .peer = { .der = (const unsigned char *)"abc", .size = 3, .valid_from_s = 100, .valid_until_s = 200 } };
}

static void the_certificate_is_the_caller(void **state)
{
	struct http_call x = call(150);
	struct sigv4_refusal no;

	(void)state;
	assert_int_equal(device_identify(&x, &no), 0);
	assert_string_equal(x.caller.principal, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
	assert_string_equal(x.certificate, x.caller.principal);
	assert_string_equal(x.service, "iotdata");
	sk_arena_free(&x.arena);
}

static void no_certificate_and_one_out_of_its_time_are_nobody(void **state)
{
	struct sigv4_refusal no;

	(void)state;
	for (int64_t now = 50; now < 300; now += 200) {
		struct http_call x = call(now);
		assert_int_equal(device_identify(&x, &no), -1);
		assert_int_equal(no.http, 403);
		assert_string_equal(no.name, "ForbiddenException");
		sk_arena_free(&x.arena);
	}
	struct http_call x = call(150);
	x.peer.size = 0;
	assert_int_equal(device_identify(&x, &no), -1);
	assert_string_equal(no.message, "Missing Authentication Token");
	sk_arena_free(&x.arena);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_teardown(each_operation_asks_for_its_own_permission, teardown),
		cmocka_unit_test(the_certificate_is_the_caller),
		cmocka_unit_test(no_certificate_and_one_out_of_its_time_are_nobody),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
