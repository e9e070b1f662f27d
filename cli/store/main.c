/* main.c -- skeeter-store: what an operator does with a store, a file or a Redis. A table of verbs; each ends with one of the codes of store.h. */
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
	int stores;      /* how many of them may be a Redis */
};

static const struct verb verbs[] = {
	{ "dump", "STORE", "every record as lines of JSON, on stdout",
	  "The last line is a footer with their number and a checksum: a dump without it is not whole.\n", store_dump, 1, 1, 1 },
	{ "load", "STORE [FILE]", "makes a store of a dump, from FILE or stdin",
	  "STORE must be new or empty; --replace puts the dump in the place of all that it holds. A file is changed when the whole\n"
	  "dump has been read and written, in one step; until then, and if anything fails, it stays as it was. No broker starts with a\n"
	  "Redis that is not loaded to the end; the versions of its records are new ones.\n", store_load, 1, 2, 1 },
	{ "copy", "FROM TO", "all that one store holds into another, file or Redis, each record compared",
	  "TO must be new or empty; --replace puts the copy in the place of all that it holds. No broker uses either of them meanwhile, and\n"
	  "none starts with TO before it is whole. Interrupted, the same command goes on where it was.\n"
	  "--verify copies nothing: it compares the two, a line for each difference on stdout.\n", store_copy, 2, 2, 2 },
	{ "check", "STORE", "looks for damage and for records that do not fit together",
	  "Pages and indexes, the log's checksums, keys, versions, documents, timers and effects; in a Redis the keys of each bucket.\n"
	  "A line for each fault on stdout.\n", store_check, 1, 1, 1 },
	{ "stats", "STORE", "what is in it: records by prefix, bytes, the log", "A Redis also while brokers use it.\n", store_stats, 1, 1, 1 },
	{ "backup", "STORE FILE", "a copy as of now, also while a broker runs",
	  "FILE is a whole store with everything that was accepted before the backup began, checked before it gets its name.\n"
	  "A file that is there is never written over.\n", store_backup, 2, 2, 0 },
	{ "migrate", "STORE", "brings a store of an earlier version up to date, as a broker's start does",
	  "As it was it is kept as STORE.vN if there is room.\n", store_migrate, 1, 1, 0 },
	{ 0 }
};

static const char options_help[] =
	"STORE is the store's file, the folder in which it is called skeeter.db, or the URL of a Redis:\n"
	"  redis://[USER[:PASSWORD]@]HOST[:PORT][/DATABASE][?prefix=skeeter:&password_file=FILE]    rediss:// with TLS\n"
	"  redis+unix://  redis+sentinel://  redis+cluster://   as plugin_opt_store has them (docs/REDIS.md)\n"
	"backup and migrate are for files. While a broker uses it only the backup of a file and the stats of a Redis work.\n\n"
	"Options, anywhere on the line:\n"
	"  --replace         load, copy: also into a store that is not empty\n"
	"  --verify          copy: only compares\n"
	"  --progress SECS   long work says how far it is every so many seconds (1)\n"
	"  --quiet           it does not\n"
	"  --help            help on the verb before it\n\n"
	"Exit codes: 0 done; 252 the command line is wrong, nothing was done; 254 check found faults, copy differences; 255 it could not\n"
	"be done, and nothing was changed but what the line says.\n";

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

static int take_verify(struct command *c, const char *value)
{
	(void)value;
	c->o.verify = true;
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
	{ "--verify", false, take_verify },
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

	if (sk_store_is_url(store) || stat(store, &st) || !S_ISDIR(st.st_mode))
		return store;
	snprintf(room, PATH_MAX, "%s/skeeter.db", store);
	return room;
}

static int run(const struct verb *v, struct store_options *o, int argc, char **argv)
{
	char room[2][PATH_MAX];

	if (argc < v->least || argc > v->most || (o->replace && v->run != store_load && v->run != store_copy) || (o->verify && v->run != store_copy) ||
	    (o->verify && o->replace))
		return usage(v);
	for (int i = 0; i < argc && !v->stores; i++)
		if (sk_store_is_url(argv[i])) {
			store_failed("%s is for a store's file: copy makes one of a Redis, and Redis has backups of its own", v->name);
			return STORE_USAGE;
		}
	o->store = file_of(argv[0], room[0]);
	if (argc > 1)
		o->other = v->stores > 1 ? file_of(argv[1], room[1]) : argv[1];
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
