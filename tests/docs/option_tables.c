/* option_tables.c -- prints the options of a built plugin as the rows of its README's table, or the counters of core.
 *
 *   option_tables build/skeeter_shadow.so        option_tables --counters
 *
 * The plugin is opened without a broker: its mosquitto_plugin_init hands its constant to sk_plugin_load, and the one it finds is
 * the one below. Nothing else of the plugin runs. */
#include <dlfcn.h>
#include <stdio.h>
#include <string.h>

#include "core/plugin.h"

static void print_words(const char *words, const char *between)
{
	for (const char *p = words; *p;) {
		size_t n = strcspn(p, " ");
		printf("%s`%.*s`", p == words ? "" : between, (int)n, p);
		p += n;
		p += strspn(p, " ");
	}
}

static void print_number(const struct sk_option *o)
{
	long long least, most;
	if (o->values && sscanf(o->values, "%lld %lld", &least, &most) == 2)
		printf("%lld to %lld", least, most);
	else
		printf("number");
}

static void print_value(const struct sk_option *o)
{
	switch (o->type) {
	case SK_BOOL: printf("`true`, `false`"); break;
	case SK_INT: print_number(o); break;
	case SK_STR: printf("text"); break;
	case SK_SIZE: printf("bytes (`64k`, `8m`)"); break;
	case SK_DURATION: printf("time (`500ms`, `48h`)"); break;
	case SK_CHOICE: print_words(o->values, ", "); break;
	}
}

static void print_option(const struct sk_option *o)
{
	printf("| `plugin_opt_%s` | ", o->name);
	print_value(o);
	printf(o->init ? " | `%s` | " : " | none | ", o->init);
	printf("%s |\n", o->prose);
}

SK_EXPORT int sk_plugin_load(const struct sk_plugin *p, void *identifier, void *options, int option_count)
{
	(void)identifier, (void)options, (void)option_count;
	if (!p->options || !p->options->name) {
		puts("None.");
		return 0;
	}
	puts("| option | value | default | |\n|---|---|---|---|");
	for (const struct sk_option *o = p->options; o->name; o++)
		print_option(o);
	return 0;
}

SK_EXPORT int sk_plugin_unload(const struct sk_plugin *p)
{
	(void)p;
	return 0;
}

static int print_counters(void)
{
	puts("| counter | counts |\n|---|---|");
#define SK_COUNTER(name, prose) printf("| `%s` | %s |\n", #name, prose);
#include "core/counters.tbl"
#undef SK_COUNTER
	return 0;
}

static int print_http_counters(void)
{
	puts("| counter | counts |\n|---|---|");
#define HTTP_COUNTER(name, prose) printf("| `%s` | %s |\n", #name, prose);
#include "plugins/http/http.tbl"
#undef HTTP_COUNTER
	return 0;
}

int main(int argc, char **argv)
{
	if (argc == 2 && !strcmp(argv[1], "--counters"))
		return print_counters();
	if (argc == 2 && !strcmp(argv[1], "--http-counters"))
		return print_http_counters();
	/* Lazy: what the plugin needs of a broker is never called. */
	void *plugin = argc == 2 ? dlopen(argv[1], RTLD_LAZY | RTLD_LOCAL) : NULL;
	int (*init)(void *, void **, void *, int) = NULL;
	void *userdata;
	if (plugin)
		*(void **)&init = dlsym(plugin, "mosquitto_plugin_init");
	if (!init) {
		fprintf(stderr, "option_tables: %s\n", argc == 2 ? dlerror() : "usage: option_tables PLUGIN.so | --counters | --http-counters");
		return 1;
	}
	return init(NULL, &userdata, NULL, 0);
}
