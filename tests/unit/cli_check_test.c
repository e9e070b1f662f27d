/* cli_check_test.c -- each rule of check-config: a few lines of mosquitto.conf, and what is found in them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

#include "cli/check.h"

#define GOOD \
	"per_listener_settings false\nallow_anonymous false\nset_tcp_nodelay true\npersistence true\nautosave_interval 60\n" \
	"plugin /x/skeeter_core.so\nplugin_opt_operators /run/op.sock\nplugin /x/skeeter_auth.so\nplugin_opt_others defer\n" \
	"listener 8883\ncafile a\ncertfile b\nkeyfile c\nrequire_certificate true\nmax_qos 1\nlistener 0 /run/op.sock\n"

/* Level, line ("0": of the whole file), and a part of what and of what to write; in any order. */
static const struct { const char *text, *finding, *instead; } cases[] = {
	{ "per_listener_settings true\n", "error 1 per_listener_settings true", "per_listener_settings false" },
	{ "# use_identity_as_username true\n use_identity_as_username true \n", "error 2 use_identity_as_username true", "use_identity_as_username false" },
	{ "use_subject_as_username\ttrue\n", "error 1 use_subject_as_username true", "use_subject_as_username false" },
	{ "use_username_as_clientid true\n", "warning 1 use_username_as_clientid true", "false" },
	{ "\n", "warning 0 no set_tcp_nodelay, which is false then", "set_tcp_nodelay true" },
	{ "set_tcp_nodelay false\n", "warning 1 set_tcp_nodelay false", "set_tcp_nodelay true" },
	{ "persistence true\n", "warning 0 no autosave_interval, which is 1800 then", "autosave_interval 60" },
	{ "autosave_interval 0\n", "warning 1 autosave_interval 0", "autosave_interval 60" },
	{ "autosave_interval 900\n", "warning 1 autosave_interval 900", "autosave_interval 60" },
	{ "max_queued_messages 0\n", "warning 1 max_queued_messages 0", "max_queued_messages 10000" },
	{ "max_queued_messages 100\n", "note 1 max_queued_messages 100", "max_queued_messages 10000" },
	{ "memory_limit 1000000\n", "warning 1 memory_limit 1000000", "no memory_limit" },
	{ "max_packet_size 1000\n", "note 1 max_packet_size 1000", "150000" },
	{ "plugin /x/skeeter_auth.so\nplugin /x/skeeter_core.so\n", "error 1 plugin /x/skeeter_auth.so", "skeeter_core.so above it" },
	{ "plugin /x/mosquitto_dynamic_security.so\nplugin /x/skeeter_core.so\n", "error 1 plugin /x/mosquitto_dynamic_security.so before Skeeter's", "below all of Skeeter's" },
	{ "plugin /x/skeeter_core.so\nplugin /x/skeeter_core.so\n", "error 2 plugin /x/skeeter_core.so a second time", "one plugin line" },
	{ "plugin /x/skeeter_core.so\nplugin_opt_dta /d\n", "error 2 plugin_opt_dta", "plugin_opt_data" },
	{ "plugin /x/skeeter_core.so\nplugin_opt_others allow\n", "error 2 plugin_opt_others", "below the plugin line of skeeter_auth.so" },
	{ "plugin /x/skeeter_core.so\nplugin_opt_quite_else 1\n", "error 2 plugin_opt_quite_else", "plugins/core/README.md" },
	{ "plugin_opt_data /d\n", "error 1 plugin_opt_data", "the plugin line first" },
	{ "plugin /x/skeeter_core.so\n", "warning 1 no skeeter_auth.so", "skeeter_auth.so" },
	{ "plugin /x/skeeter_core.so\n", "note 0 no plugin_opt_operators", "plugin_opt_operators PATH" },
	{ "port 1883\n", "warning 1 listener 1883 is not encrypted", "require_certificate true" },
	{ "listener 1883\nallow_anonymous true\n", "error 1 listener 1883 is open", "allow_anonymous false" },
	{ "listener 1883 127.0.0.1\n", "note 1 listener 1883 127.0.0.1 is not encrypted", "listener 0 PATH" },
	{ "listener 8883\ncertfile b\nkeyfile c\n", "warning 1 listener 8883 without require_certificate", "require_certificate true" },
	{ "listener 8883\ncertfile b\nrequire_certificate true\nlistener 1\n", "error 1 listener 8883", "cafile or capath" },
	{ "listener 8883\ncertfile b\nmax_qos 2\n", "note 3 listener 8883 takes QoS 2", "max_qos 1" },
	{ "plugin /x/skeeter_core.so\nplugin_opt_operators me /run/o.sock\n", "error 2 operators' socket /run/o.sock", "listener 0 /run/o.sock" },
	{ "allow_anonymous false\n", "note 0 no listener", "listener 8883" },
	{ "allow_anonymous false\n", "note 0 no plugin of Skeeter", "docs/EXISTING-BROKER.md" },
};

static struct sk_arena arena;

static struct check run(struct config *config, const char *text)
{
	struct check c = { .arena = &arena, .config = config };
	*config = (struct config){ .arena = &arena };
	config_parse(config, "f.conf", text);
	check_settings(&c);
	check_plugins(&c);
	check_listeners(&c);
	return c;
}

static bool found(const struct check *c, const char *finding, const char *instead)
{
	static const char *const levels[] = { "note", "warning", "error" };
	char line[300];
	for (const struct check_finding *f = c->first; f; f = f->next) {
		snprintf(line, sizeof(line), "%s %d %s", levels[f->level], f->line ? f->line->number : 0, f->what);
		if (strcmp(line, finding) == 0 && strstr(f->instead, instead) && *f->why)
			return true;
		}
	return false;
}

static void each_rule_finds_what_it_is_for(void **state)
{
	struct config config;
	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		struct check c = run(&config, cases[i].text);
		if (!found(&c, cases[i].finding, cases[i].instead)) {
			for (const struct check_finding *f = c.first; f; f = f->next)
				print_error("%d %d %s; %s\n", f->level, f->line ? f->line->number : 0, f->what, f->instead);
			fail_msg("%s: not found: %s", cases[i].text, cases[i].finding);
		}
		sk_arena_reset(&arena, 0);
	}
}

static void a_good_configuration_has_no_finding(void **state)
{
	struct config config;
	(void)state;
	struct check c = run(&config, GOOD);
	if (c.first)
		fail_msg("%s", c.first->what);
	sk_arena_reset(&arena, 0);
}

/* The last value counts, as for Mosquitto, and a plugin of somebody else may come behind ours. */
static void a_later_line_overrules_an_earlier_one(void **state)
{
	struct config config;
	(void)state;
	struct check c = run(&config, "per_listener_settings true\n" GOOD "plugin /x/mosquitto_dynamic_security.so\nplugin_opt_config_file /x\n");
	assert_null(c.first);
	sk_arena_reset(&arena, 0);
}

static void odd_text_is_read_as_lines(void **state)
{
	struct config config = { .arena = &arena };
	(void)state;
	config_parse(&config, "f", "a\r\n\n#b\n  c\t d  e \nlast");
	assert_int_equal(config.lines, 3);
	assert_string_equal(config.first->key, "a");
	assert_string_equal(config.first->value, "");
	assert_string_equal(config_find(&config, "c")->value, "d  e");
	assert_int_equal(config_find(&config, "last")->number, 5);
	assert_null(config_find(&config, "#b"));
	sk_arena_free(&arena);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_rule_finds_what_it_is_for),
		cmocka_unit_test(a_good_configuration_has_no_finding),
		cmocka_unit_test(a_later_line_overrules_an_earlier_one),
		cmocka_unit_test(odd_text_is_read_as_lines),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
