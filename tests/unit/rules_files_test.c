/* rules_files_test.c -- a folder of rule files: read whole or not at all, exchanged whole or not at all, and what has not changed stays the same object. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "plugins/rules/engine_files.h"
#include "plugins/rules/engine_unit.h"
#include "tests/unit/rules_fake.h"

struct world {
	struct rules_fake f;
	char folder[64], why[512];
};

#define RULE(name, topic) "rule \"" name "\" { topic = \"" topic "\", run = function(m) end }\n"

static void path_of(const struct world *w, const char *name, char out[256])
{
	snprintf(out, 256, "%s/%s", w->folder, name);
}

static void write_bytes(const struct world *w, const char *name, const void *text, size_t n)
{
	char path[256];
	path_of(w, name, path);
	FILE *f = fopen(path, "w");
	assert_non_null(f);
	assert_int_equal(fwrite(text, 1, n, f), n);
	assert_int_equal(fclose(f), 0);
}

static void write_file(const struct world *w, const char *name, const char *text)
{
	write_bytes(w, name, text, strlen(text));
}

static void remove_file(const struct world *w, const char *name)
{
	char path[256];
	path_of(w, name, path);
	assert_int_equal(remove(path), 0);
}

static int setup(void **state)
{
	struct world *w = calloc(1, sizeof *w);
	const char *tmp = getenv("TMPDIR");
	snprintf(w->folder, sizeof w->folder, "%.40s/rules-XXXXXX", tmp ? tmp : "/tmp");
	*state = w;
	return mkdtemp(w->folder) && rules_fake_open(&w->f, 2, 1 << 16) ? 0 : -1;
}

static int teardown(void **state)
{
	struct world *w = *state;
	char command[128];
	rules_fake_close(&w->f);
	snprintf(command, sizeof command, "rm -rf '%s'", w->folder);
	int rc = system(command);
	free(w);
	return rc;
}

static struct folder_set *read_folder(struct world *w, const struct folder_set *before)
{
	strcpy(w->why, "nothing was said");
	return folder_set_read(w->f.engine, w->folder, before, w->why, sizeof w->why);
}

static struct folder_set *must_read(struct world *w, const struct folder_set *before)
{
	struct folder_set *s = read_folder(w, before);
	if (!s)
		fail_msg("%s", w->why);
	return s;
}

/* A folder that is refused says why, with that in it. */
static void refused(struct world *w, const struct folder_set *before, const char *why)
{
	assert_null(read_folder(w, before));
	if (!strstr(w->why, why) || strchr(w->why, '\n'))
		fail_msg("'%s' instead of '%s'", w->why, why);
}

static int swap(struct world *w, const struct folder_set *before, const struct folder_set *next)
{
	return folder_set_swap(w->f.engine, before, next, w->why, sizeof w->why);
}

static struct live_rule *find(const struct world *w, const char *name)
{
	return live_find(&w->f.engine->table, name);
}

/* -- reading -- */

static void only_files_that_end_in_lua_are_read(void **state)
{
	struct world *w = *state;
	write_file(w, "a.lua", RULE("a", "in"));
	write_file(w, ".hidden.lua", "no Lua");
	write_file(w, "a.lua~", "no Lua");
	write_file(w, "note.txt", "no Lua");
	write_file(w, "lua", "no Lua");
	write_file(w, ".lua", "no Lua");
	write_file(w, "A.LUA", "no Lua");
	struct folder_set *s = must_read(w, NULL);
	assert_true(folder_set_files(s) == 1 && folder_set_rules(s) == 1);
	folder_set_free(&s);
	assert_null(s);
	folder_set_free(&s);
	remove_file(w, "a.lua");
	s = must_read(w, NULL);
	assert_true(folder_set_files(s) == 0 && folder_set_rules(s) == 0);
	assert_int_equal(swap(w, NULL, s), 0);
	folder_set_free(&s);
}

static void a_rule_is_what_its_file_declares(void **state)
{
	struct world *w = *state;
	write_file(w, "a.lua", RULE("a", "in/+") "rule \"off\" { topic = \"off\", disabled = true, run = function(m) end }\n");
	write_file(w, "b.lua", "rule \"s\" { sql = [[SELECT n FROM 'sql/#']], actions = { { republish = { topic = \"out\", roleArn = \"arn:aws:iam::1:role/x\" } } } }\n");
	struct folder_set *s = must_read(w, NULL);
	assert_int_equal(swap(w, NULL, s), 0);
	struct live_rule *a = find(w, "a"), *off = find(w, "off"), *sql = find(w, "s");
	assert_true(a->runs_lua && !a->disabled && a->index == 0 && !strcmp(a->filter, "in/+") && !strcmp(a->unit->name, "a.lua"));
	assert_true(off->disabled && off->index == 1 && off->unit == a->unit && a->unit->thread < 2);
	assert_true(!sql->runs_lua && !strcmp(sql->filter, "sql/#"));
	assert_non_null(live_program(sql, &w->f.engine->settings));
	folder_set_free(&s);
	assert_ptr_equal(find(w, "a"), a);
}

static void a_file_that_is_wrong_refuses_all(void **state)
{
	static const struct { const char *text, *why; } wrong[] = {
		{ "this is no Lua", "b.lua:1:" },
		{ "rule \"x\" { }", "b.lua:1:" },
		{ "\n\nrule \"x\" { topic = \"a/#/b\", run = function(m) end }", "b.lua:3:" },
		{ "rule \"x\" { topic = \"\", run = function(m) end }", "b.lua:1:" },
		{ "rule \"x-y\" { topic = \"a\", run = function(m) end }", "b.lua:1: rule \"x-y\": a name has 1 to 128 letters, digits and _" },
		{ "rule \"\" { topic = \"a\", run = function(m) end }", "b.lua:1:" },
		{ "\nrule \"x\" { sql = [[SELECT FROM]], run = function(m) end }", "b.lua:2: rule \"x\": " },
		{ "rule \"x\" { sql = [[SELECT * FROM 'a/#/b']], run = function(m) end }", "b.lua:1: rule \"x\": " },
		{ "rule \"a\" { topic = \"b\", run = function(m) end }", "rule \"a\" is in a.lua and in b.lua" },
		{ RULE("x", "b") RULE("x", "b"), "b.lua:2:" },
		{ "while true do end", "b.lua" },
		{ "error(\"stop\")", "b.lua:1: stop" },
		{ "local t = {} for i = 1, 1e9 do t[i] = i end", "b.lua" },
	};
	struct world *w = *state;
	write_file(w, "a.lua", RULE("a", "in"));
	struct folder_set *before = must_read(w, NULL);
	assert_int_equal(swap(w, NULL, before), 0);
	struct live_rule *a = find(w, "a");
	for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
		write_file(w, "b.lua", wrong[i].text);
		write_file(w, "c.lua", RULE("c", "in"));
		refused(w, before, wrong[i].why);
		refused(w, NULL, wrong[i].why);
		assert_ptr_equal(find(w, "a"), a);
	}
	write_file(w, "b.lua", RULE("b", "b"));
	struct folder_set *next = must_read(w, before);
	assert_int_equal(folder_set_rules(next), 3);
	folder_set_free(&next);
	folder_set_free(&before);
}

static void names_have_1_to_128_letters(void **state)
{
	struct world *w = *state;
	char text[512], name[130];
	for (size_t n = 127; n <= 129; n++) {
		memset(name, 'n', n);
		name[n] = '\0';
		snprintf(text, sizeof text, "rule \"%s\" { topic = \"in\", run = function(m) end }\n", name);
		write_file(w, "a.lua", text);
		if (n > 128) {
			refused(w, NULL, "a name has 1 to 128 letters");
			continue;
		}
		struct folder_set *s = must_read(w, NULL);
		folder_set_free(&s);
	}
}

static void filters_have_at_most_200_slashes(void **state)
{
	static const char *const rules[] = { "rule \"x\" { sql = [[SELECT * FROM '%s']], run = function(m) end }", "rule \"x\" { topic = \"%s\", run = function(m) end }" };
	struct world *w = *state;
	for (size_t i = 0; i < sizeof rules / sizeof *rules; i++)
		for (int n = 200; n <= 201; n++) {
			char slashes[256], text[512];
			const char *at = strstr(rules[i], "%s");
			memset(slashes, '/', (size_t)n);
			slashes[n] = '\0';
			snprintf(text, sizeof text, "%.*s%s%s", (int)(at - rules[i]), rules[i], slashes, at + 2);
			write_file(w, "a.lua", text);
			if (n > 200) {
				refused(w, NULL, "topic filter");
				continue;
			}
			struct folder_set *s = must_read(w, NULL);
			assert_int_equal(swap(w, NULL, s), 0);
			assert_string_equal(find(w, "x")->filter, slashes);
			folder_set_free(&s);
			engine_drop(w->f.engine, "x");
		}
}

static void a_file_has_at_most_1_mib(void **state)
{
	struct world *w = *state;
	const size_t most = 1 << 20;
	char *text = malloc(most + 1);
	memset(text, ' ', most + 1);
	memcpy(text, RULE("a", "in"), sizeof RULE("a", "in") - 1);
	write_bytes(w, "a.lua", text, most);
	struct folder_set *s = must_read(w, NULL);
	assert_int_equal(folder_set_rules(s), 1);
	folder_set_free(&s);
	write_bytes(w, "a.lua", text, most + 1);
	refused(w, NULL, "a.lua: a file of rules has at most 1 MiB");
	free(text);
}

static void what_is_no_file_is_said(void **state)
{
	struct world *w = *state;
	char path[256];
	path_of(w, "a.lua", path);
	assert_int_equal(mkfifo(path, 0600), 0);
	refused(w, NULL, "a.lua: is no file");
	assert_int_equal(remove(path), 0);
	assert_int_equal(mkdir(path, 0700), 0);
	refused(w, NULL, "a.lua: is no file");
	assert_int_equal(remove(path), 0);
	assert_int_equal(symlink("/dev/zero", path), 0);
	refused(w, NULL, "a.lua: is no file");
	assert_int_equal(remove(path), 0);
	assert_int_equal(symlink("nowhere.lua", path), 0);
	refused(w, NULL, "a.lua: No such file or directory");
	assert_int_equal(remove(path), 0);
	write_bytes(w, "a.lua", "\x1bLua\x54\0\x19\x93", 8);
	refused(w, NULL, "a.lua");
	write_bytes(w, "a.lua", "", 0);
	struct folder_set *s = must_read(w, NULL);
	assert_true(folder_set_files(s) == 1 && folder_set_rules(s) == 0);
	folder_set_free(&s);
}

/* root reads everything: then the folder alone is unreadable. */
static void what_cannot_be_read_is_said(void **state)
{
	struct world *w = *state;
	char folder[64], path[256];
	write_file(w, "a.lua", RULE("a", "in"));
	path_of(w, "a.lua", path);
	assert_int_equal(chmod(path, 0), 0);
	if (geteuid())
		refused(w, NULL, "a.lua: Permission denied");
	strcpy(folder, w->folder);
	strcat(w->folder, "/none");
	refused(w, NULL, "No such file or directory");
	strcpy(w->folder, folder);
	strcat(w->folder, "/a.lua");
	refused(w, NULL, "Not a directory");
	strcpy(w->folder, folder);
}

static void at_most_4096_files(void **state)
{
	struct world *w = *state;
	char name[32];
	for (int i = 0; i < 4096; i++) {
		snprintf(name, sizeof name, "%d.lua", i);
		write_bytes(w, name, "", 0);
	}
	write_file(w, "x.lua", RULE("a", "in"));
	refused(w, NULL, "more than 4096 files");
}

/* -- exchanging -- */

static void files_that_are_what_they_were_keep_their_rules(void **state)
{
	struct world *w = *state;
	write_file(w, "a.lua", RULE("a", "in") RULE("a2", "in"));
	write_file(w, "b.lua", RULE("b", "in"));
	struct folder_set *one = must_read(w, NULL), *two;
	assert_int_equal(swap(w, NULL, one), 0);
	struct live_rule *a = find(w, "a"), *a2 = find(w, "a2"), *b = find(w, "b");
	two = must_read(w, one);
	assert_true(folder_set_same(one, two) && !folder_set_same(NULL, two));
	folder_set_free(&two);
	write_file(w, "b.lua", RULE("b", "other") RULE("b2", "in"));
	two = must_read(w, one);
	assert_false(folder_set_same(one, two));
	assert_int_equal(swap(w, one, two), 0);
	folder_set_free(&one);
	assert_true(find(w, "a") == a && find(w, "a2") == a2 && find(w, "b") != b && find(w, "b2"));
	assert_string_equal(find(w, "b")->filter, "other");
	remove_file(w, "a.lua");
	one = must_read(w, two);
	assert_int_equal(swap(w, two, one), 0);
	folder_set_free(&two);
	assert_true(!find(w, "a") && !find(w, "a2") && find(w, "b") && w->f.engine->table.count == 2);
	folder_set_free(&one);
}

static void a_rule_that_moves_to_another_file_is_replaced(void **state)
{
	struct world *w = *state;
	write_file(w, "a.lua", RULE("x", "in"));
	write_file(w, "b.lua", RULE("y", "in"));
	struct folder_set *one = must_read(w, NULL);
	assert_int_equal(swap(w, NULL, one), 0);
	write_file(w, "a.lua", RULE("y", "in"));
	write_file(w, "b.lua", RULE("x", "in"));
	struct folder_set *two = must_read(w, one);
	assert_int_equal(swap(w, one, two), 0);
	assert_true(!strcmp(find(w, "x")->unit->name, "b.lua") && !strcmp(find(w, "y")->unit->name, "a.lua"));
	assert_int_equal(w->f.engine->table.count, 2);
	folder_set_free(&one);
	folder_set_free(&two);
}

static void a_name_that_a_stored_rule_has_refuses_all(void **state)
{
	struct world *w = *state;
	write_file(w, "a.lua", RULE("a", "in"));
	struct folder_set *one = must_read(w, NULL), *two;
	assert_int_equal(swap(w, NULL, one), 0);
	struct live_rule *a = find(w, "a"), *stored = rules_fake_rule("m", "in");
	assert_int_equal(engine_put(w->f.engine, stored), 0);
	write_file(w, "a.lua", RULE("z", "in"));
	write_file(w, "b.lua", RULE("b", "in") RULE("m", "in"));
	two = must_read(w, one);
	assert_int_equal(swap(w, one, two), -1);
	assert_string_equal(w->why, "b.lua: there is a rule \"m\" already, made by CreateTopicRule");
	assert_true(find(w, "a") == a && find(w, "m") == stored && !find(w, "b") && !find(w, "z"));
	engine_drop(w->f.engine, "m");
	assert_int_equal(swap(w, one, two), 0);
	assert_true(!find(w, "a") && find(w, "m") && find(w, "b") && find(w, "z"));
	folder_set_free(&one);
	folder_set_free(&two);
}

/* A stored rule hid it when the broker started: deleted, and told to look again, the file's comes. */
static void the_same_set_brings_back_what_was_hidden(void **state)
{
	struct world *w = *state;
	write_file(w, "a.lua", RULE("a", "in") RULE("b", "in"));
	struct folder_set *one = must_read(w, NULL), *two;
	assert_int_equal(swap(w, NULL, one), 0);
	struct live_rule *a = find(w, "a"), *b = find(w, "b");
	assert_int_equal(engine_put(w->f.engine, rules_fake_rule("a", "x")), 0);
	two = must_read(w, one);
	assert_int_equal(swap(w, one, two), -1);
	engine_drop(w->f.engine, "a");
	assert_int_equal(swap(w, one, two), 0);
	assert_true(find(w, "a") == a && find(w, "b") == b);
	folder_set_free(&one);
	folder_set_free(&two);
}

static void a_stored_rule_that_hides_a_files_stays_when_the_file_goes(void **state)
{
	struct world *w = *state;
	write_file(w, "a.lua", RULE("a", "in"));
	struct folder_set *one = must_read(w, NULL), *none;
	assert_int_equal(swap(w, NULL, one), 0);
	struct live_rule *stored = rules_fake_rule("a", "x");
	assert_int_equal(engine_put(w->f.engine, stored), 0);
	remove_file(w, "a.lua");
	none = must_read(w, one);
	assert_int_equal(swap(w, one, none), 0);
	assert_ptr_equal(find(w, "a"), stored);
	folder_set_free(&one);
	folder_set_free(&none);
}

int main(void)
{
#define T(test) cmocka_unit_test_setup_teardown(test, setup, teardown)
	const struct CMUnitTest tests[] = {
		T(only_files_that_end_in_lua_are_read), T(a_rule_is_what_its_file_declares), T(a_file_that_is_wrong_refuses_all), T(names_have_1_to_128_letters),
		T(filters_have_at_most_200_slashes),
		T(a_file_has_at_most_1_mib), T(what_is_no_file_is_said), T(what_cannot_be_read_is_said), T(at_most_4096_files),
		T(files_that_are_what_they_were_keep_their_rules), T(a_rule_that_moves_to_another_file_is_replaced), T(a_name_that_a_stored_rule_has_refuses_all),
		T(the_same_set_brings_back_what_was_hidden), T(a_stored_rule_that_hides_a_files_stays_when_the_file_goes),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
