/* main.c -- skeeter-store: what an operator does with a store's file. A table of verbs; each ends with one of the codes of store.h. */
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "cli/store/store.h"
#include "core/store.h"

struct verb {
	const char *name, *arguments, *prose, *details;
	store_verb *run;
	int least, most; /* arguments */
};

static const struct verb verbs[] = {
	{ "dump", "STORE", "every record as lines of JSON, on stdout",
	  "The last line is a footer with their number and a checksum: a dump without it is not whole.\n", store_dump, 1, 1 },
	{ "load", "STORE [FILE]", "makes a store of a dump, from FILE or stdin",
	  "STORE must be new or empty; --replace puts the dump in the place of all that it holds. The store is changed when the whole\n"
	  "dump has been read and written, in one step; until then, and if anything fails, it stays as it was.\n", store_load, 1, 2 },
	{ "check", "STORE", "looks for damage and for records that do not fit together",
	  "Pages and indexes, the log's checksums, keys, versions, documents, timers and effects. A line for each fault on stdout.\n",
	  store_check, 1, 1 },
	{ "stats", "STORE", "what is in it: records by prefix, bytes, the log", NULL, store_stats, 1, 1 },
	{ "backup", "STORE FILE", "a copy as of now, also while a broker runs",
	  "FILE is a whole store with everything that was accepted before the backup began, checked before it gets its name.\n"
	  "A file that is there is never written over.\n", store_backup, 2, 2 },
	{ "migrate", "STORE", "brings a store of an earlier version up to date, as a broker's start does",
	  "As it was it is kept as STORE.vN if there is room.\n", store_migrate, 1, 1 },
	{ 0 }
};

static const char options_help[] =
	"STORE is the store's file, or the folder in which it is called skeeter.db. While a broker runs only backup works.\n\n"
	"Options, anywhere on the line:\n"
	"  --replace         load: also into a store that is not empty\n"
	"  --progress SECS   long work says how far it is every so many seconds (1)\n"
	"  --quiet           it does not\n"
	"  --help            help on the verb before it\n\n"
	"Exit codes: 0 done; 252 the command line is wrong, nothing was done; 254 check found faults; 255 it could not be done,\n"
	"nothing was changed.\n";

static int usage(const struct verb *v)
{
	if (v)
		store_failed("usage: skeeter-store %s %s", v->name, v->arguments);
	else
		store_failed("usage: skeeter-store VERB STORE: skeeter-store --help lists the verbs");
	return STORE_USAGE;
}

static int help(const struct verb *v)
{
	if (v) {
		printf("usage: skeeter-store %s %s\n\n%s\n", v->name, v->arguments, v->prose);
		printf("%s%s\n", v->details ? "\n" : "", v->details ? v->details : "");
	} else {
		printf("usage: skeeter-store VERB STORE [FILE]\n\nVerbs:\n");
		for (v = verbs; v->name; v++)
			printf("  %-8s%-14s%s\n", v->name, v->arguments, v->prose);
		putchar('\n');
	}
	fputs(options_help, stdout);
	return STORE_OK;
}

static const struct verb *find(const char *name)
{
	for (const struct verb *v = verbs; v->name; v++)
		if (!strcmp(v->name, name))
			return v;
	return NULL;
}

/* -- options -- */
struct command {
	struct store_options o;
	bool helps;
};
struct option {
	const char *name;
	bool valued; /* the next argument is its value, NULL when there is none */
	int (*take)(struct command *c, const char *value);
};

static int take_replace(struct command *c, const char *value)
{
	(void)value;
	c->o.replace = true;
	return 0;
}

static int take_quiet(struct command *c, const char *value)
{
	(void)value;
	c->o.progress.quiet = true;
	return 0;
}

static int take_help(struct command *c, const char *value)
{
	(void)value;
	c->helps = true;
	return 0;
}

static int take_progress(struct command *c, const char *value)
{
	char *end = NULL;
	long seconds = value ? strtol(value, &end, 10) : -1;

	if (!value || end == value || *end || seconds < 0 || seconds > 86400) {
		store_failed("--progress must be a number of seconds from 0 to 86400, not '%s'", value ? value : "");
		return -1;
	}
	c->o.progress.every_ms = (int)seconds * 1000;
	return 0;
}

static const struct option options[] = {
	{ "--replace", false, take_replace },
	{ "--quiet", false, take_quiet },
	{ "--progress", true, take_progress },
	{ "--help", false, take_help },
	{ "-h", false, take_help },
	{ 0 }
};

static const struct option *find_option(const char *name)
{
	for (const struct option *o = options; o->name; o++)
		if (!strcmp(o->name, name))
			return o;
	return NULL;
}

/* Takes the options out of argv; the number of arguments left, or -1. */
static int take_options(struct command *c, int argc, char **argv)
{
	const struct option *option;
	int left = 0;

	for (int i = 1; i < argc; i++) {
		option = find_option(argv[i]);
		if (!option && argv[i][0] == '-' && argv[i][1]) {
			store_failed("unknown option %s: skeeter-store --help lists them", argv[i]);
			return -1;
		}
		if (!option)
			argv[left++] = argv[i];
		else if (option->take(c, option->valued && i + 1 < argc ? argv[i + 1] : NULL))
			return -1;
		i += option && option->valued;
	}
	return left;
}

static const char *file_of(const char *store, char *room)
{
	struct stat st;

	if (stat(store, &st) || !S_ISDIR(st.st_mode))
		return store;
	snprintf(room, PATH_MAX, "%s/skeeter.db", store);
	return room;
}

static int run(const struct verb *v, struct store_options *o, int argc, char **argv)
{
	char room[PATH_MAX];

	if (argc < v->least || argc > v->most || (o->replace && v->run != store_load))
		return usage(v);
	o->store = file_of(argv[0], room);
	o->other = argc > 1 ? argv[1] : NULL;
	return v->run(o);
}

int main(int argc, char **argv)
{
	struct command c = { .o = { .progress = { .every_ms = 1000 } } };
	const struct verb *v = NULL;
	int n = take_options(&c, argc, argv);

	if (n < 0)
		return STORE_USAGE;
	if (n > 0 && !(v = find(argv[0]))) {
		store_failed("there is no verb %s: skeeter-store --help lists them", argv[0]);
		return STORE_USAGE;
	}
	if (c.helps)
		return help(v);
	return v ? run(v, &c.o, n - 1, argv + 1) : usage(NULL);
}
