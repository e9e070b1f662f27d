/* engine_files.c -- see engine_files.h. A file is known by its name and its digest. */
#include "plugins/rules/engine_files.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/digest.h"
#include "core/why.h"
#include "plugins/rules/engine_actions.h"
#include "plugins/rules/engine_unit.h"

enum { FILE_MOST = 1 << 20, FILES_MOST = 4096 };

struct file {
	char *name;
	unsigned char digest[32];
	struct live_rule **rule;   /* a reference of each */
	size_t rules;
};
struct folder_set {
	struct file *file;         /* by name */
	size_t files, room;
	struct live_rule **by_name; /* all rules of all files */
	size_t rules;
};

static void file_free(struct file *f)
{
	for (size_t i = 0; i < f->rules; i++)
		live_unref(f->rule[i]);
	free(f->rule);
	free(f->name);
}

void folder_set_free(struct folder_set **at)
{
	struct folder_set *s = *at;
	*at = NULL;
	if (!s)
		return;
	for (size_t i = 0; i < s->files; i++)
		file_free(&s->file[i]);
	free(s->file);
	free(s->by_name);
	free(s);
}

size_t folder_set_files(const struct folder_set *s)
{
	return s->files;
}

size_t folder_set_rules(const struct folder_set *s)
{
	return s->rules;
}

bool folder_set_same(const struct folder_set *a, const struct folder_set *b)
{
	if (!a || a->files != b->files)
		return false;
	for (size_t i = 0; i < a->files; i++)
		if (strcmp(a->file[i].name, b->file[i].name) || memcmp(a->file[i].digest, b->file[i].digest, sizeof a->file[i].digest))
			return false;
	return true;
}

struct reading {
	const char *path;
	const struct folder_set *before;
	char *why;
	size_t why_size;
};

/* -- a file -- */

/* What somebody writes to meanwhile is read again: its end is an event of the folder. */
static ssize_t read_all_of(int fd, char *text, size_t most)
{
	size_t n = 0;
	ssize_t more;
	while (n < most && (more = read(fd, text + n, most - n)) != 0) {
		if (more < 0 && errno != EINTR)
			return -1;
		n += more > 0 ? (size_t)more : 0;
	}
	return (ssize_t)n;
}

static char *read_text(const char *folder, const char *name, size_t *size, char *why, size_t why_size)
{
	char path[4096];
	struct stat is;
	char *text = malloc(FILE_MOST + 1);
	snprintf(path, sizeof path, "%s/%s", folder, name);
	int fd = text ? open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY) : -1;
	bool regular = fd >= 0 && !fstat(fd, &is) && S_ISREG(is.st_mode);
	ssize_t n = regular ? read_all_of(fd, text, FILE_MOST + 1) : -1;
	if (fd >= 0 && !regular)
		sk_why(why, why_size, "%s: is no file", name);
	else if (n < 0)
		sk_why(why, why_size, "%s: %s", name, text ? strerror(errno) : "memory is out");
	else if (n > FILE_MOST)
		sk_why(why, why_size, "%s: a file of rules has at most 1 MiB", name);
	if (fd >= 0)
		close(fd);
	if (n < 0 || n > FILE_MOST) {
		free(text);
		return NULL;
	}
	*size = (size_t)n;
	return text;
}

/* What CreateTopicRule would have stored. NULL: memory is out. */
static struct sk_bytes *record_of(const struct lua_rule *l)
{
	struct sk_arena a = { 0 };
	cJSON *record = sk_json_object(&a), *payload = sk_json_set_object(&a, record, "payload");
	size_t n = 0;
	cJSON *actions = l->actions ? sk_json_parse(&a, l->actions, strlen(l->actions), NULL, NULL) : sk_json_array(&a);
	sk_json_set_string(&a, payload, "sql", l->sql);
	sk_json_set_string(&a, payload, "awsIotSqlVersion", l->sql_version);
	sk_json_set(&a, payload, "actions", actions);
	if (l->error_action)
		sk_json_set(&a, payload, "errorAction", sk_json_parse(&a, l->error_action, strlen(l->error_action), NULL, NULL));
	const char *text = sk_json_print(&a, record, &n);
	struct sk_bytes *bytes = text && !a.failed ? sk_bytes_new(text, n) : NULL;
	sk_arena_free(&a);
	return bytes;
}

/* Sinks that stand further down in the broker's configuration are not there yet when the files are read first: folder_set_check() follows. */
static const char *fault_of(struct rules_engine *e, const struct rules_rule *program, struct sk_arena *a, const char **absent)
{
	*absent = NULL;
	for (int i = 0; e->taking && i <= program->actions; i++) {
		const struct rules_action *action = i < program->actions ? &program->action[i] : program->error_action;
		const char *missing = NULL, *fault = action ? engine_action_fault(e, action, a, &missing) : NULL;
		if (fault)
			return i < program->actions ? sk_printf(a, "actions[%d]: %s", i, fault) : sk_printf(a, "errorAction: %s", fault);
		*absent = missing ? missing : *absent;
	}
	return NULL;
}

static void say_absent(const char *name, const char *absent)
{
	if (absent)
		sk_log('w', "rules", "rule %s: %s", name, absent);
}

/* The filter of its statement, compiled here so that errors come out now. */
static int compile_sql(struct rules_engine *e, const char *file, const struct lua_rule *l, struct live_rule **out, char *why, size_t why_size)
{
	struct sk_bytes *record = record_of(l);
	struct live_rule *r = record ? live_new(l->name, NULL, record) : NULL;
	const struct rules_rule *program = r ? live_program(r, &e->settings) : NULL;
	struct live_rule *made = NULL;
	struct sk_arena a = { 0 };
	const char *absent = NULL, *fault = program ? fault_of(e, program, &a, &absent) : NULL;
	say_absent(l->name, absent);
	if (fault)
		sk_why(why, why_size, "%s:%d: rule \"%s\": %s", file, l->line, l->name, fault);
	else if (!program)
		sk_why(why, why_size, "%s:%d: rule \"%s\": %s", file, l->line, l->name, r && r->last_error ? r->last_error : "memory is out");
	else if (!(made = live_new(l->name, program->filter, record)))
		sk_why(why, why_size, "memory is out");
	sk_arena_free(&a);
	live_unref(r);
	sk_bytes_unref(record);
	*out = made;
	return made ? 0 : -1;
}

static struct live_rule *make_rule(struct rules_engine *e, struct lua_unit *u, int i, char *why, size_t why_size)
{
	const struct lua_rule *l = lua_file_rule(u->file, i);
	struct live_rule *r = NULL;
	if (l->sql ? compile_sql(e, u->name, l, &r, why, why_size) : !(r = live_new(l->name, l->filter, NULL))) {
		if (!l->sql)
			sk_why(why, why_size, "memory is out");
		return NULL;
	}
	r->disabled = l->disabled;
	r->runs_lua = l->has_run || l->has_where;
	r->index = i;
	r->unit = lua_unit_ref(u);
	return r;
}

static int make_rules(struct rules_engine *e, struct file *f, struct lua_unit *u, char *why, size_t why_size)
{
	int n = lua_file_rules(u->file);
	f->rule = calloc((size_t)n + 1, sizeof *f->rule);
	if (!f->rule)
		return sk_why(why, why_size, "memory is out");
	for (int i = 0; i < n; i++) {
		if (!(f->rule[i] = make_rule(e, u, i, why, why_size)))
			return -1;
		f->rules++;
	}
	return 0;
}

static int64_t now_us(void *ctx)
{
	const struct sk_host *host = ctx;
	return host->mono_us(host->ctx);
}

static int load(struct rules_engine *e, struct file *f, const char *text, size_t size, const struct reading *to)
{
	const struct lua_limits limits = { .instructions = (uint64_t)e->options->lua_instructions, .time_us = e->options->lua_time * 1000,
		.memory = (size_t)e->options->lua_memory, .now_us = now_us, .ctx = (void *)e->rt->host };
	struct lua_file *file = lua_file_load(f->name, text, size, lua_shipped, &limits, to->why, to->why_size);
	struct lua_unit *u = file ? lua_unit_new(f->name, file) : NULL;
	if (!u) {
		if (file)
			sk_why(to->why, to->why_size, "memory is out");
		lua_file_free(&file);
		return -1;
	}
	u->thread = f->digest[0] % e->threads;
	int rc = make_rules(e, f, u, to->why, to->why_size);
	lua_unit_unref(u);
	return rc;
}

static const struct file *find_file(const struct folder_set *s, const char *name)
{
	for (size_t i = 0; s && i < s->files; i++)
		if (!strcmp(s->file[i].name, name))
			return &s->file[i];
	return NULL;
}

static int share(struct file *f, const struct file *old)
{
	f->rule = calloc(old->rules + 1, sizeof *f->rule);
	for (size_t i = 0; f->rule && i < old->rules; i++)
		f->rule[f->rules++] = live_ref(old->rule[i]);
	return f->rule ? 0 : -1;
}

static int fill_file(struct rules_engine *e, struct file *f, const struct reading *to)
{
	size_t size = 0;
	char *text = read_text(to->path, f->name, &size, to->why, to->why_size);
	const struct file *old = find_file(to->before, f->name);
	int rc = -1;
	if (text)
		sk_digest(text, size, f->digest);
	if (text && old && !memcmp(old->digest, f->digest, sizeof f->digest))
		rc = share(f, old) ? sk_why(to->why, to->why_size, "memory is out") : 0;
	else if (text)
		rc = load(e, f, text, size, to);
	free(text);
	return rc;
}

/* -- the folder -- */

static bool is_rule_file(const char *name)
{
	size_t n = strlen(name);
	return name[0] != '.' && n > 4 && !strcmp(name + n - 4, ".lua");
}

static int add_file(struct folder_set *s, const char *name)
{
	size_t room = s->room ? s->room * 2 : 16;
	struct file *list = s->files < s->room ? s->file : realloc(s->file, room * sizeof *list);
	if (!list)
		return -1;
	s->room = s->files < s->room ? s->room : room;
	s->file = list;
	s->file[s->files] = (struct file){ .name = strdup(name) };
	return s->file[s->files].name ? (s->files++, 0) : -1;
}

static int by_file(const void *a, const void *b)
{
	return strcmp(((const struct file *)a)->name, ((const struct file *)b)->name);
}

static int list_files(struct folder_set *s, const struct reading *to)
{
	DIR *folder = opendir(to->path);
	int rc = 0;
	if (!folder)
		return sk_why(to->why, to->why_size, "the folder of rules %s: %s", to->path, strerror(errno));
	for (const struct dirent *d; !rc && (errno = 0, d = readdir(folder));) {
		if (!is_rule_file(d->d_name))
			continue;
		if (s->files == FILES_MOST)
			rc = sk_why(to->why, to->why_size, "the folder of rules %s: more than %d files", to->path, FILES_MOST);
		else if (add_file(s, d->d_name))
			rc = sk_why(to->why, to->why_size, "memory is out");
	}
	if (!rc && errno)
		rc = sk_why(to->why, to->why_size, "the folder of rules %s: %s", to->path, strerror(errno));
	closedir(folder);
	if (!rc && s->files)
		qsort(s->file, s->files, sizeof *s->file, by_file);
	return rc;
}

static int by_name(const void *a, const void *b)
{
	const struct live_rule *r = *(struct live_rule *const *)a, *q = *(struct live_rule *const *)b;
	int order = strcmp(r->name, q->name);
	return order ? order : strcmp(r->unit->name, q->unit->name);
}

/* A name is there once. */
static int sort_rules(struct folder_set *s, const struct reading *to)
{
	size_t n = 0;
	for (size_t i = 0; i < s->files; i++)
		n += s->file[i].rules;
	s->by_name = malloc((n + 1) * sizeof *s->by_name);
	if (!s->by_name)
		return sk_why(to->why, to->why_size, "memory is out");
	for (size_t i = 0; i < s->files; i++)
		for (size_t k = 0; k < s->file[i].rules; k++)
			s->by_name[s->rules++] = s->file[i].rule[k];
	qsort(s->by_name, n, sizeof *s->by_name, by_name);
	for (size_t i = 1; i < n; i++) {
		const struct live_rule *r = s->by_name[i - 1], *next = s->by_name[i];
		if (!strcmp(r->name, next->name))
			return sk_why(to->why, to->why_size, "rule \"%s\" is in %s and in %s", r->name, r->unit->name, next->unit->name);
	}
	return 0;
}

static int read_all(struct rules_engine *e, struct folder_set *s, const struct reading *to)
{
	int rc = list_files(s, to);
	for (size_t i = 0; !rc && i < s->files; i++)
		rc = fill_file(e, &s->file[i], to);
	return rc ? rc : sort_rules(s, to);
}

struct folder_set *folder_set_read(struct rules_engine *e, const char *path, const struct folder_set *before, char *why, size_t why_size)
{
	struct folder_set *s = calloc(1, sizeof *s);
	const struct reading to = { path, before, why, why_size };
	if (!s)
		sk_why(why, why_size, "memory is out");
	else if (read_all(e, s, &to))
		folder_set_free(&s);
	return s;
}

void folder_set_check(struct rules_engine *e, const struct folder_set *s)
{
	struct sk_arena a = { 0 };
	for (size_t i = 0; i < s->rules; i++) {
		struct live_rule *r = s->by_name[i];
		const struct rules_rule *program = live_program(r, &e->settings);
		const char *absent = NULL, *fault = program ? fault_of(e, program, &a, &absent) : NULL;
		say_absent(r->name, absent);
		if (fault)
			sk_log('e', "rules", "%s: rule %s: %s", r->unit->name, r->name, fault);
		sk_arena_reset(&a, 65536);
	}
	sk_arena_free(&a);
}

/* -- into force -- */

static int to_name(const void *name, const void *at)
{
	return strcmp(name, (*(struct live_rule *const *)at)->name);
}

static bool holds(const struct folder_set *s, const char *name)
{
	return bsearch(name, s->by_name, s->rules, sizeof *s->by_name, to_name);
}

static int check_names(const struct rules_engine *e, const struct folder_set *next, char *why, size_t why_size)
{
	for (size_t i = 0; i < next->rules; i++) {
		const struct live_rule *r = live_find(&e->table, next->by_name[i]->name);
		if (r && !r->unit)
			return sk_why(why, why_size, "%s: there is a rule \"%s\" already, made by CreateTopicRule", next->by_name[i]->unit->name, r->name);
	}
	return 0;
}

static bool in_force(const struct rules_engine *e, const struct live_rule *r)
{
	return live_find(&e->table, r->name) == r;
}

/* What is there already is left as it is. */
static int prepare(struct rules_engine *e, const struct folder_set *next)
{
	for (size_t i = 0; i < next->rules; i++) {
		if (in_force(e, next->by_name[i]) || !engine_prepare(e, next->by_name[i]))
			continue;
		while (i--)
			if (!in_force(e, next->by_name[i]))
				live_give_up(&e->table, next->by_name[i]);
		return -1;
	}
	return 0;
}

/* A stored rule may have taken a file's name when the broker started: that one stays. */
static void drop_missing(struct rules_engine *e, const struct folder_set *before, const struct folder_set *next)
{
	for (size_t i = 0; before && i < before->rules; i++)
		if (in_force(e, before->by_name[i]) && !holds(next, before->by_name[i]->name))
			engine_drop(e, before->by_name[i]->name);
}

int folder_set_swap(struct rules_engine *e, const struct folder_set *before, const struct folder_set *next, char *why, size_t why_size)
{
	if (check_names(e, next, why, why_size))
		return -1;
	if (prepare(e, next))
		return sk_why(why, why_size, "memory is out");
	drop_missing(e, before, next);
	for (size_t i = 0; i < next->rules; i++)
		if (!in_force(e, next->by_name[i]))
			engine_put_prepared(e, live_ref(next->by_name[i]));
	return 0;
}
