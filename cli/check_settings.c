/* check_settings.c -- settings that stand for themselves: one row, one rule. */
#include "cli/check.h"

#include <stdlib.h>
#include <string.h>

void check_add(struct check *c, enum check_level level, const struct config_line *line, const char *what, const char *why, const char *instead)
{
	struct check_finding *f = sk_alloc(c->arena, sizeof(*f));
	if (!f)
		return;
	*f = (struct check_finding){ .level = level, .line = line, .what = what, .why = why, .instead = instead };
	if (!c->end)
		c->end = &c->first;
	*c->end = f;
	c->end = &f->next;
	c->count[level]++;
}

static bool is_true(const char *v) { return strcmp(v, "true") == 0 || strcmp(v, "1") == 0; }
static bool is_not_true(const char *v) { return !is_true(v); }
static bool is_any(const char *v) { return v != NULL; }
static bool is_rare(const char *v) { return atol(v) > 300 || atol(v) == 0; }
static bool is_short(const char *v) { return atol(v) > 0 && atol(v) < 1000; }
static bool is_endless(const char *v) { return atol(v) == 0; }
static bool is_small(const char *v) { return atol(v) > 0 && atol(v) < 131072; }

/* `bad` of the line's value; with `absent` the same holds of a file without the line, whose default is that. */
static const struct {
	const char *key;
	bool (*bad)(const char *value);
	const char *absent;
	enum check_level level;
	const char *why, *instead;
} rules[] = {
	{ "per_listener_settings", is_true, NULL, CHECK_ERROR, "each listener would load its own plugins, and Mosquitto 2.0 gives them no time", "per_listener_settings false" },
	{ "use_identity_as_username", is_true, NULL, CHECK_ERROR, "with it Mosquitto asks no plugin who a client is: certificates would not be looked at", "use_identity_as_username false" },
	{ "use_subject_as_username", is_true, NULL, CHECK_ERROR, "with it Mosquitto asks no plugin who a client is: certificates would not be looked at", "use_subject_as_username false" },
	{ "use_username_as_clientid", is_true, NULL, CHECK_WARNING, "a client's id would become its user name: policies speak of client ids", "use_username_as_clientid false" },
	{ "set_tcp_nodelay", is_not_true, "false", CHECK_WARNING, "every TLS connection and every acknowledgement would wait up to 40 ms", "set_tcp_nodelay true" },
	{ "persistence", is_not_true, "false", CHECK_WARNING, "sessions, queued and retained messages would end with the broker", "persistence true" },
	{ "autosave_interval", is_rare, "1800", CHECK_WARNING, "a crash or a power cut loses the sessions and queues of so many seconds", "autosave_interval 60" },
	{ "autosave_on_changes", is_true, NULL, CHECK_NOTE, "autosave_interval counts changes then, not seconds", "autosave_on_changes false" },
	{ "max_queued_messages", is_endless, NULL, CHECK_WARNING, "one client that is away may fill the memory", "max_queued_messages 10000" },
	{ "max_queued_messages", is_short, "1000", CHECK_NOTE, "answers beyond it to one slow client are dropped without a word", "max_queued_messages 10000" },
	{ "memory_limit", is_any, NULL, CHECK_WARNING, "Mosquitto 2.0 counts what plugins publish wrongly, and would run out of a memory that is there", "no memory_limit: let the system limit the service" },
	{ "message_size_limit", is_small, NULL, CHECK_NOTE, "AWS takes payloads of 128 KiB", "message_size_limit 131072" },
	{ "max_packet_size", is_small, NULL, CHECK_NOTE, "AWS takes payloads of 128 KiB, and a packet is somewhat larger", "max_packet_size 150000" },
	{ "auth_plugin_deny_special_chars", is_not_true, NULL, CHECK_WARNING, "user names and client ids with + or # could widen other plugins' patterns", "auth_plugin_deny_special_chars true" },
};

void check_settings(struct check *c)
{
	for (size_t i = 0; i < sizeof(rules) / sizeof(*rules); i++) {
		const struct config_line *l = config_find(c->config, rules[i].key);
		const char *value = l ? l->value : rules[i].absent;
		if (!value || !rules[i].bad(value))
			continue;
		const char *what = l ? sk_printf(c->arena, "%s %s", l->key, l->value) : sk_printf(c->arena, "no %s, which is %s then", rules[i].key, value);
		check_add(c, rules[i].level, l, what, rules[i].why, rules[i].instead);
	}
}
