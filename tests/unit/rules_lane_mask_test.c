/* rules_lane_mask_test.c -- what is masked of what a sink says: passwords as they stand in fields and URLs, and what get_secret() was replaced by. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <string.h>

#include "core/sink.h"
#include "plugins/rules/lane_mask.h"
#include "tests/unit/rules_world.h"
#include "tests/unit/sql_world.h"

static const struct { const char *raw, *filled, *said, *masked; } cases[] = {
	{ "{}", "{}", "refused", "refused" },
	{ "{`url`:`redis://h`}", "{`url`:`redis://h`}", "no such host h", "no such host h" },
	{ "{`password`:`sesame`}", "{`password`:`sesame`}", "AUTH sesame, sesame", "AUTH ***, ***" },
	{ "{`password`:`abc`}", "{`password`:`abc`}", "abc", "abc" },
	{ "{`url`:`redis://u:ses%40me@h`}", "{`url`:`redis://u:ses%40me@h`}", "ses%40me is ses@me", "*** is ***" },
	{ "{`url`:`https://h/?key=sesame`}", "{`url`:`https://h/?key=sesame`}", "no sesame", "no ***" },
	{ "{`user`:`${get_secret('a','SecretString')}`}", "{`user`:`admin`}", "no user admin", "no user ***" },
	{ "{`url`:`redis://u:${get_secret('a','SecretString')}@h`}", "{`url`:`redis://u:sesame@h`}", "sesame", "***" },
	{ "{`auth`:`Bearer ${get_secret('a','SecretString')}!`}", "{`auth`:`Bearer sesame!`}", "you sent sesame", "you sent ***" },
	{ "{`p`:{`sasl.password`:`sesame`,`x`:[`a`,`amqp://u:open@h`]}}", "{`p`:{`sasl.password`:`sesame`,`x`:[`a`,`amqp://u:open@h`]}}", "sesame open", "*** ***" },
	{ "{`list`:[`x`,`${get_secret('a','SecretString')}`]}", "{`list`:[`x`,`sesame`]}", "sesame", "***" },
	{ "{`headers`:[{`key`:`Cookie`,`value`:`sesame`}]}", "{`headers`:[{`key`:`Cookie`,`value`:`sesame`}]}", "sesame", "***" },
	{ "{`password`:`same`,`token`:`same-longer`}", "{`password`:`same`,`token`:`same-longer`}", "same-longer same", "*** ***" },
	{ "{`password`:`****`}", "{`password`:`****`}", "*********", "***" },
	{ "{`password`:`sesame`}", "{`password`:`sesame`}", NULL, NULL },
};

static void no_word_of_a_secret_is_said(void **state)
{
	struct lane_mask m = { .n = 0 };

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct sk_arena a = { 0 };
		const char *raw = sk_json_print(&a, world_json(&a, cases[i].raw), NULL);
		assert_int_equal(lane_mask_set(&m, raw, world_json(&a, cases[i].filled)), 0);
		const char *got = lane_masked(&m, &a, cases[i].said);
		if (cases[i].masked ? !got || strcmp(got, cases[i].masked) != 0 : got != NULL)
			fail_msg("%s: %s, not %s", cases[i].raw, got, cases[i].masked);
		sk_arena_free(&a);
	}
	lane_mask_free(&m);
}

static void a_url_is_shown_without_its_secrets(void **state)
{
	static const struct { const char *url, *shown; } urls[] = {
		{ "https://h/p?a=b&keys=c", "https://h/p?a=b&keys=c" }, { "redis://u:p@h/?key=k&x=y&AccessToken=t#key=z", "redis://u:***@h/?key=***&x=y&AccessToken=***#key=z" },
		{ "no url?key=k", "no url?key=k" }, { "https://h/?key=&key=k", "https://h/?key=&key=***" }, { "https://h/?", "https://h/?" }, { "a://b:@c", "a://b:***@c" },
	};
	struct sk_arena a = { 0 };

	(void)state;
	for (size_t i = 0; i < sizeof urls / sizeof *urls; i++)
		assert_string_equal(sk_sink_without_password(&a, urls[i].url), urls[i].shown);
	sk_arena_free(&a);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(no_word_of_a_secret_is_said),
		cmocka_unit_test(a_url_is_shown_without_its_secrets),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
