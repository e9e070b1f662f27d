/* check_plugins.c -- plugin lines: order, and whether each option is one of that plugin. The options are read from the printed tables of the
 * plugins' READMEs when this is built. */
#include "cli/check.h"

#include <string.h>

#include "core/closest.h"

static const struct { const char *plugin, *option; } known[] = {
#include "known_options.inc"
};
enum { KNOWN = sizeof(known) / sizeof(*known) };

/* "core" of ".../skeeter_core.so"; NULL: not ours. */
static const char *ours(struct sk_arena *a, const char *path)
{
	const char *name = strrchr(path, '/');
	name = name ? name + 1 : path;
	size_t n = strlen(name);
	if (strncmp(name, "skeeter_", 8) != 0 || n < 12 || strcmp(name + n - 3, ".so") != 0)
		return NULL;
	return sk_strndup(a, name + 8, n - 11);
}

static bool is_known(const char *plugin, const char *option)
{
	for (size_t i = 0; i < KNOWN; i++)
		if (strcmp(known[i].plugin, plugin) == 0 && strcmp(known[i].option, option) == 0)
			return true;
	return false;
}

static void unknown(struct check *c, const struct config_line *l, const char *plugin, const char *option)
{
	const char *names[KNOWN];
	const char *whose = NULL;
	size_t n = 0;
	for (size_t i = 0; i < KNOWN; i++) {
		if (strcmp(known[i].plugin, plugin) == 0)
			names[n++] = known[i].option;
		if (strcmp(known[i].option, option) == 0)
			whose = known[i].plugin;
	}
	const char *near = sk_closest(option, names, n, sizeof(*names));
	const char *instead = near ? sk_printf(c->arena, "plugin_opt_%s", near)
	                    : whose ? sk_printf(c->arena, "the same line below the plugin line of skeeter_%s.so", whose)
	                            : sk_printf(c->arena, "one of plugins/%s/README.md", plugin);
	check_add(c, CHECK_ERROR, l, l->key, sk_printf(c->arena, "skeeter_%s has no such option, and the broker would not start", plugin), instead);
}

static void check_option(struct check *c, const struct config_line *l, const struct config_line *plugin)
{
	const char *option = strncmp(l->key, "plugin_opt_", 11) == 0 ? l->key + 11 : l->key + 9; /* auth_opt_ */
	const char *name = plugin ? ours(c->arena, plugin->value) : NULL;
	if (!plugin)
		check_add(c, CHECK_ERROR, l, l->key, "it belongs to the plugin line above it, and there is none", "the plugin line first");
	else if (name && !is_known(name, option))
		unknown(c, l, name, option);
}

struct order {
	const struct config_line *core, *foreign, *auth, *first_of_ours;
};

static void note_plugin(struct check *c, struct order *o, const struct config_line *l)
{
	const char *name = ours(c->arena, l->value);
	if (!name) {
		o->foreign = o->foreign ? o->foreign : l;
		return;
	}
	if (!o->core && strcmp(name, "core") != 0)
		check_add(c, CHECK_ERROR, l, sk_printf(c->arena, "plugin %s", l->value), "skeeter_core.so must be loaded before it, and the broker would not start",
		          "the plugin line of skeeter_core.so above it");
	if (o->foreign && !o->first_of_ours)
		check_add(c, CHECK_ERROR, o->foreign, sk_printf(c->arena, "plugin %s before Skeeter's", o->foreign->value),
		          "Mosquitto asks plugins in order and believes the first answer: ours must come first", "this line and its options below all of Skeeter's");
	o->first_of_ours = o->first_of_ours ? o->first_of_ours : l;
	if (strcmp(name, "core") == 0)
		o->core = l;
	if (strcmp(name, "auth") == 0)
		o->auth = l;
}

static bool is_plugin(const struct config_line *l)
{
	return strcmp(l->key, "plugin") == 0 || strcmp(l->key, "auth_plugin") == 0 || strcmp(l->key, "global_plugin") == 0;
}

static void check_twice(struct check *c, const struct config_line *l)
{
	for (const struct config_line *before = c->config->first; before != l; before = before->next)
		if (is_plugin(before) && strcmp(before->value, l->value) == 0 && ours(c->arena, l->value)) {
			check_add(c, CHECK_ERROR, l, sk_printf(c->arena, "plugin %s a second time", l->value), "a plugin is loaded once, and the broker would not start", "one plugin line");
			return;
		}
}

void check_plugins(struct check *c)
{
	struct order o = { 0 };
	const struct config_line *plugin = NULL;
	for (const struct config_line *l = c->config->first; l; l = l->next) {
		if (is_plugin(l)) {
			plugin = l;
			check_twice(c, l);
			note_plugin(c, &o, l);
		} else if (strncmp(l->key, "plugin_opt_", 11) == 0 || strncmp(l->key, "auth_opt_", 9) == 0) {
			check_option(c, l, plugin);
		}
	}
	if (!o.first_of_ours)
		check_add(c, CHECK_NOTE, NULL, "no plugin of Skeeter", "it would do nothing in this broker", "the lines of skeeter.conf: docs/EXISTING-BROKER.md");
	else if (!o.auth)
		check_add(c, CHECK_WARNING, o.first_of_ours, "no skeeter_auth.so", "clients would not be held to policies", "plugin /usr/lib/skeeter/skeeter_auth.so");
}
