/* sink_file_test.c -- the sink `file`: which lines, which files and no others, turning over, and a disk that takes only a part. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "plugins/sink_file/file.h"

static char root[64];
static struct sk_arena arena;

static int make(void **state)
{
	(void)state;
	snprintf(root, sizeof root, "/tmp/sink-file-XXXXXX");
	return mkdtemp(root) ? 0 : -1;
}

static int clear(void **state)
{
	char command[100];
	(void)state;
	sk_arena_free(&arena);
	snprintf(command, sizeof command, "rm -rf %s", root);
	return system(command);
}

static const char *in_root(const char *name)
{
	return sk_printf(&arena, "%s/%s", root, name);
}

static const char *content(const char *name)
{
	char *text = sk_alloc(&arena, 1 << 16);
	FILE *f = fopen(in_root(name), "re");
	size_t n = f ? fread(text, 1, (1 << 16) - 1, f) : 0;
	if (!f)
		return NULL;
	fclose(f);
	text[n] = '\0';
	return text;
}

/* An item of fields in JSON, ` for ". */
static struct sk_sink_item *item(const char *fields, const char *payload)
{
	struct sk_sink_item *i = sk_alloc(&arena, sizeof *i);
	char *text = sk_strdup(&arena, fields);
	for (char *p = text; *p; p++)
		*p = *p == '`' ? '"' : *p;
	*i = (struct sk_sink_item){ .payload = payload, .size = strlen(payload), .rule = "r", .topic = "a/b", .client_id = "c", .id = "0123", .time_ms = 1700000000123 };
	i->field = sk_sink_flatten(sk_json_parse(&arena, text, strlen(text), NULL, NULL), NULL, &arena, &i->fields);
	return i;
}

static void deliver(struct sk_sink_item **list, size_t n)
{
	struct file_settings s = { .folder = root };
	char why[100];
	void *sink = file_open(&s, NULL, why, sizeof why);
	for (size_t i = 0; i < n; i++)
		list[i]->result = SK_SUNK_RETRY;
	file_deliver(sink, list, n, &arena);
	file_close(sink);
}

static struct sk_sink_item *one(const char *fields, const char *payload)
{
	struct sk_sink_item *i = item(fields, payload);
	deliver(&i, 1);
	return i;
}

static void a_message_is_a_line(void **state)
{
	static const char *const payload[] = { "{\"a\":1}", "[1,\n 2]\r\n", "\"x\"", "12", "text", "", "\xff\xfe" };
	struct sk_sink_item *list[7];
	(void)state;
	for (size_t i = 0; i < 7; i++)
		list[i] = item("{`path`:`deep/er/x.jsonl`}", payload[i]);
	deliver(list, 7);
	for (size_t i = 0; i < 7; i++)
		assert_int_equal(list[i]->result, SK_SUNK_OK);
	assert_string_equal(content("deep/er/x.jsonl"),
		"{\"a\":1}\n[1,  2]  \n\"x\"\n12\n"
		"{\"id\":\"0123\",\"time\":1700000000123,\"topic\":\"a/b\",\"clientId\":\"c\",\"rule\":\"r\",\"payload\":\"text\"}\n"
		"{\"id\":\"0123\",\"time\":1700000000123,\"topic\":\"a/b\",\"clientId\":\"c\",\"rule\":\"r\",\"payload\":\"\"}\n"
		"{\"id\":\"0123\",\"time\":1700000000123,\"topic\":\"a/b\",\"clientId\":\"c\",\"rule\":\"r\",\"payloadBase64\":\"//4=\"}\n");
	list[0] = one("{`path`:`d`,`format`:`document`,`sync`:true}", "{\"a\":1}");
	assert_int_equal(list[0]->result, SK_SUNK_OK);
	assert_string_equal(content("d"), "{\"id\":\"0123\",\"time\":1700000000123,\"topic\":\"a/b\",\"clientId\":\"c\",\"rule\":\"r\",\"payload\":{\"a\":1}}\n");
}

static void a_batch_may_go_to_several_files(void **state)
{
	struct sk_sink_item *list[] = { item("{`path`:`a`}", "1"), item("{`path`:`b`}", "2"), item("{`path`:`../b`}", "3"), item("{`path`:`a`}", "4"), item("{}", "5"),
		item("{`path`:`b`}", "6") };
	(void)state;
	deliver(list, 6);
	assert_string_equal(content("a"), "1\n4\n");
	assert_string_equal(content("b"), "2\n6\n");
	assert_int_equal(list[2]->result, SK_SUNK_FAIL);
	assert_int_equal(list[4]->result, SK_SUNK_FAIL);
	assert_int_equal(list[5]->result, SK_SUNK_OK);
}

static void nothing_outside_of_the_folder_is_touched(void **state)
{
	static const struct { const char *path, *why; } bad[] = {
		{ "", "the path is empty" }, { "/etc/x", "the path is absolute: it must lie below plugin_opt_folder" }, { "../x", "the path has a level that is . or .." },
		{ "a/../../x", "the path has a level that is . or .." }, { "a/./x", "the path has a level that is . or .." }, { "a//x", "the path has an empty level" },
		{ "a/", "the path has an empty level" }, { "..", "the path has a level that is . or .." },
	};
	char outside[64];
	struct stat st;
	(void)state;
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
		struct sk_sink_item *got = one(sk_printf(&arena, "{`path`:`%s`}", bad[i].path), "1");
		assert_int_equal(got->result, SK_SUNK_FAIL);
		assert_string_equal(got->why, bad[i].why);
	}
	assert_null(file_path_fault("...x/..y/.z"));
	snprintf(outside, sizeof outside, "/tmp/sink-file-out-XXXXXX");
	assert_non_null(mkdtemp(outside));
	assert_int_equal(symlink(outside, in_root("link")), 0);
	assert_int_equal(symlink(sk_printf(&arena, "%s/new", outside), in_root("file")), 0);
	assert_int_equal(mkfifo(in_root("pipe"), 0600), 0);
	assert_int_equal(mkdir(in_root("folder"), 0700), 0);
	assert_int_equal(one("{`path`:`link/x`}", "1")->result, SK_SUNK_FAIL);
	assert_string_equal(one("{`path`:`file`}", "1")->why, "file: a link: links are not followed");
	assert_int_equal(one("{`path`:`pipe`}", "1")->result, SK_SUNK_FAIL);
	assert_string_equal(one("{`path`:`folder`}", "1")->why, "folder: Is a directory");
	assert_string_equal(one("{`path`:`pipe/x`}", "1")->why, "pipe/x: Not a directory");
	assert_int_equal(lstat(sk_printf(&arena, "%s/new", outside), &st), -1);
	assert_int_equal(rmdir(outside), 0);
}

static void files_are_turned_over_and_the_oldest_goes(void **state)
{
	struct sk_sink_item *list[12];
	(void)state;
	for (int i = 0; i < 12; i++)
		list[i] = item("{`path`:`x`,`maxBytes`:10,`files`:2}", sk_printf(&arena, "1%02d", i));
	deliver(list, 5);
	assert_string_equal(content("x.2"), "100\n101\n");
	assert_string_equal(content("x.1"), "102\n103\n");
	assert_string_equal(content("x"), "104\n");
	deliver(list + 5, 7);
	assert_string_equal(content("x.2"), "106\n107\n");
	assert_string_equal(content("x.1"), "108\n109\n");
	assert_string_equal(content("x"), "110\n111\n");
	assert_null(content("x.3"));
}

static void a_line_larger_than_a_file_or_a_buffer_is_written(void **state)
{
	char *large = sk_alloc(&arena, 400001);
	struct stat st;
	(void)state;
	memset(large, '7', 400000);
	struct sk_sink_item *list[] = { item("{`path`:`x`,`maxBytes`:1000}", "1"), item("{`path`:`x`,`maxBytes`:1000}", large), item("{`path`:`x`,`maxBytes`:1000}", "2") };
	deliver(list, 3);
	assert_string_equal(content("x.2"), "1\n");
	assert_int_equal(stat(in_root("x.1"), &st), 0);
	assert_true(st.st_size > 400000);
	assert_string_equal(content("x"), "2\n");
}

static void a_torn_line_stands_alone(void **state)
{
	FILE *f = fopen(in_root("x"), "we");
	(void)state;
	fputs("{\"a\":1}\n{\"b\"", f);
	fclose(f);
	assert_int_equal(one("{`path`:`x`}", "2")->result, SK_SUNK_OK);
	assert_string_equal(content("x"), "{\"a\":1}\n{\"b\"\n2\n");
}

/* The limit of a file's size is the full disk here: a write that ends in the middle. */
static void a_write_that_ends_in_the_middle_is_taken_back(void **state)
{
	(void)state;
	pid_t child = fork();
	if (!child) {
		struct rlimit most = { 25, RLIM_INFINITY };
		struct sk_sink_item *list[] = { item("{`path`:`x`}", "1234567890"), item("{`path`:`x`}", "1234567890"), item("{`path`:`x`}", "1234567890") };
		signal(SIGXFSZ, SIG_IGN);
		setrlimit(RLIMIT_FSIZE, &most);
		deliver(list, 1);
		bool first = list[0]->result == SK_SUNK_OK;
		deliver(list + 1, 2);
		bool kept = list[1]->result == SK_SUNK_RETRY && list[2]->result == SK_SUNK_RETRY && list[1]->why && !strcmp(content("x"), "1234567890\n");
		most.rlim_cur = RLIM_INFINITY;
		setrlimit(RLIMIT_FSIZE, &most);
		deliver(list + 1, 2);
		_exit(first && kept && !strcmp(content("x"), "1234567890\n1234567890\n1234567890\n") ? 0 : 1);
	}
	int status;
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_int_equal(status, 0);
}

static void a_folder_that_is_not_there_is_waited_for(void **state)
{
	struct sk_sink_item *i = item("{`path`:`x`}", "1");
	struct file_settings s = { .folder = "/nowhere/at/all" };
	(void)state;
	file_deliver(&s, &i, 1, &arena);
	assert_int_equal(i->result, SK_SUNK_RETRY);
	assert_string_equal(i->why, "/nowhere/at/all: No such file or directory");
}

static void a_rule_says_a_path_that_can_be(void **state)
{
	cJSON *fields = sk_json_object(&arena);
	(void)state;
	sk_json_set_string(&arena, fields, "path", "a/../b");
	assert_string_equal(file_check(fields, &arena), "the path has a level that is . or ..");
	sk_json_set_string(&arena, fields, "path", "a/${topic(2)}/../b");
	assert_null(file_check(fields, &arena));
	sk_json_set_string(&arena, fields, "path", "a/b.jsonl");
	assert_null(file_check(fields, &arena));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, make, clear)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_message_is_a_line),
		TEST(a_batch_may_go_to_several_files),
		TEST(nothing_outside_of_the_folder_is_touched),
		TEST(files_are_turned_over_and_the_oldest_goes),
		TEST(a_line_larger_than_a_file_or_a_buffer_is_written),
		TEST(a_torn_line_stands_alone),
		TEST(a_write_that_ends_in_the_middle_is_taken_back),
		TEST(a_folder_that_is_not_there_is_waited_for),
		TEST(a_rule_says_a_path_that_can_be),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
