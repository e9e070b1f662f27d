/* core_secrets_test.c -- which files are taken, what is read again and when, templates, and that no line ever holds a value. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/base64.h"
#include "core/secrets.h"

#define CANARY "c4n4ry"
static char folder[64], file[96], other[96], why[512];
static struct sk_arena arena;

static void write_file(const char *path, const char *text, mode_t mode)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0600);

	assert_true(fd >= 0);
	assert_int_equal(write(fd, text, strlen(text)), strlen(text));
	assert_int_equal(fchmod(fd, mode), 0);
	close(fd);
}

static int setup(void **state)
{
	(void)state;
	strcpy(folder, "/tmp/skeeter-secrets-XXXXXX");
	assert_non_null(mkdtemp(folder));
	snprintf(file, sizeof file, "%s/secrets.json", folder);
	snprintf(other, sizeof other, "%s/other", folder);
	*why = '\0';
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	sk_secrets_close();
	sk_arena_free(&arena);
	unlink(file);
	unlink(other);
	rmdir(folder);
	return 0;
}

static const char *get(const char *name, const char *key)
{
	const char *text = sk_secret(&arena, name, key);

	return text ? text : "none";
}

/* -- what is taken -- */

static void refused(const char *expected)
{
	assert_int_equal(sk_secrets_open(file, why, sizeof why), -1);
	if (!strstr(why, expected) || strstr(why, CANARY))
		fail_msg("\"%s\" in \"%s\"", expected, why);
	assert_string_equal(get("a", NULL), "none");
}

static void only_the_owner_may_use_the_file(void **state)
{
	static const mode_t open_modes[] = { 0640, 0604, 0620, 0602, 0610, 0601, 0666, 0777 };

	(void)state;
	for (size_t i = 0; i < sizeof open_modes / sizeof *open_modes; i++) {
		write_file(file, "{\"a\":\"" CANARY "\"}", open_modes[i]);
		refused("chmod 600");
	}
	write_file(file, "{\"a\":\"1\"}", 0400);
	assert_int_equal(sk_secrets_open(file, why, sizeof why), 0);
	assert_string_equal(get("a", NULL), "1");
}

static void what_is_no_object_of_texts_and_objects_is_refused(void **state)
{
	static const struct { const char *text, *why; } cases[] = {
		{ "", "not JSON at byte 0" }, { "{\"a\":\"" CANARY "\"", "not JSON at byte 13" }, { "[\"" CANARY "\"]", "not a JSON object" }, { "\"" CANARY "\"", "not a JSON object" },
		{ "{\"a\":5}", "a is neither a text nor an object" }, { "{\"a\":[\"" CANARY "\"]}", "a is neither" }, { "{\"a\":null}", "a is neither" },
		{ "{\"a\":\"" CANARY "\",\"a\":\"2\"}", "not JSON" }, { "{\"a\":\"" CANARY "\"} x", "not JSON" }, { "{\"a\":\"\\u0000\"}", "not JSON" }, { "{\"a\":\"\xff\"}", "not JSON" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		write_file(file, cases[i].text, 0600);
		refused(cases[i].why);
	}
	assert_int_equal(truncate(file, (1 << 20) + 1), 0);
	refused("larger than 1 MiB");
}

/* Neither hangs the broker: a pipe that nobody writes to, a folder, nothing. */
static void what_is_no_file_is_refused(void **state)
{
	(void)state;
	refused(strerror(ENOENT));
	assert_int_equal(mkfifo(file, 0600), 0);
	refused("is not a file");
	unlink(file);
	assert_int_equal(mkdir(file, 0700), 0);
	refused("is not a file");
	rmdir(file);
	assert_int_equal(symlink("/dev/null", file), 0);
	refused("is not a file");
	assert_int_equal(sk_secrets_open(NULL, why, sizeof why), 0);
}

/* As containers hand secrets out: what counts is what it leads to. */
static void a_link_is_followed(void **state)
{
	(void)state;
	write_file(other, "{\"a\":\"" CANARY "\"}", 0644);
	assert_int_equal(symlink(other, file), 0);
	refused("chmod 600");
	assert_int_equal(chmod(other, 0600), 0);
	assert_int_equal(sk_secrets_open(file, why, sizeof why), 0);
	assert_string_equal(get("a", NULL), CANARY);
	sk_secrets_close();
	unlink(other);
	unlink(file);
	assert_int_equal(symlink(file, file), 0);
	refused(strerror(ELOOP));
}

/* -- what is answered -- */

static void texts_objects_and_members(void **state)
{
	(void)state;
	write_file(file, "{\"text\":\"t\",\"object\":{\"user\":\"u\",\"n\":5,\"deep\":{\"x\":1}},\"json\":\"{\\\"k\\\":\\\"v\\\"}\",\"a/b c\":\"odd\",\"\":\"empty\"}", 0600);
	assert_int_equal(sk_secrets_open(file, why, sizeof why), 0);
	assert_string_equal(get("text", NULL), "t");
	assert_string_equal(get("text", "user"), "none");
	assert_string_equal(get("object", NULL), "{\"user\":\"u\",\"n\":5,\"deep\":{\"x\":1}}");
	assert_string_equal(get("object", "user"), "u");
	assert_string_equal(get("object", "n"), "5");
	assert_string_equal(get("object", "deep"), "{\"x\":1}");
	assert_string_equal(get("object", "none"), "none");
	assert_string_equal(get("json", "k"), "v");
	assert_string_equal(get("json", NULL), "{\"k\":\"v\"}");
	assert_string_equal(get("a/b c", NULL), "odd");
	assert_string_equal(get("Text", NULL), "none");
	assert_string_equal(get("nothing", "user"), "none");
}

static void the_environment_comes_first_under_a_prefix_of_its_own(void **state)
{
	(void)state;
	write_file(file, "{\"db-1\":\"file\",\"HOME\":\"file\"}", 0600);
	assert_int_equal(sk_secrets_open(file, why, sizeof why), 0);
	assert_string_equal(get("db-1", NULL), "file");
	assert_int_equal(setenv("SKEETER_SECRET_DB_1", "{\"user\":\"env\"}", 1), 0);
	assert_string_equal(get("db-1", "user"), "env");
	assert_string_equal(get("db-1", NULL), "{\"user\":\"env\"}");
	assert_string_equal(get("db-1", "password"), "none");
	assert_int_equal(unsetenv("SKEETER_SECRET_DB_1"), 0);
	assert_string_equal(get("db-1", NULL), "file");
	assert_string_equal(get("HOME", NULL), "file");
	assert_string_equal(get("PATH", NULL), "none");
	assert_string_equal(get("", NULL), "none");
}

/* -- read again -- */

static void wait_for(const char *value)
{
	for (int i = 0; i < 1000 && strcmp(get("a", NULL), value); i++)
		usleep(20000);
	assert_string_equal(get("a", NULL), value);
}

static void a_change_is_seen_by_itself(void **state)
{
	(void)state;
	write_file(file, "{\"a\":\"1\"}", 0600);
	assert_int_equal(sk_secrets_open(file, why, sizeof why), 0);
	assert_string_equal(get("a", NULL), "1");
	write_file(file, "{\"a\":\"2\"}", 0600); /* of the same size, perhaps in the same tick of the file system's clock */
	wait_for("2");
	write_file(other, "{\"a\":\"3\"}", 0600);
	assert_int_equal(rename(other, file), 0);
	wait_for("3");
}

static char said[512];

static void say(const char *line)
{
	snprintf(said, sizeof said, "%s", line);
}

static const char *said_by_reload(void)
{
	*said = '\0';
	sk_secrets_say(say);
	sk_secrets_reload();
	sk_secrets_say(NULL);
	assert_null(strstr(said, CANARY));
	return said;
}

static void a_file_that_is_wrong_now_leaves_the_secrets_and_says_so_without_them(void **state)
{
	(void)state;
	write_file(file, "{\"a\":\"" CANARY "\"}", 0600);
	assert_int_equal(sk_secrets_open(file, why, sizeof why), 0);
	write_file(file, "{\"a\":\"" CANARY "2\"", 0600);
	assert_non_null(strstr(said_by_reload(), "not JSON at byte"));
	write_file(file, "{\"a\":\"" CANARY "3\"}", 0644);
	assert_non_null(strstr(said_by_reload(), "chmod 600"));
	unlink(file);
	assert_non_null(strstr(said_by_reload(), strerror(ENOENT)));
	assert_string_equal(get("a", NULL), CANARY);
	write_file(file, "{\"a\":\"new\"}", 0600);
	assert_string_equal(said_by_reload(), "");
	assert_string_equal(get("a", NULL), "new");
}

static atomic_bool stop;
static atomic_int torn;

static void *ask(void *unused)
{
	struct sk_arena a = { 0 };

	(void)unused;
	while (!atomic_load(&stop)) {
		const char *x = sk_secret(&a, "a", NULL), *y = sk_secret(&a, "b", "c");
		if (!x || !y || strlen(x) != 5000 || x[0] != x[4999] || strlen(y) != 1)
			atomic_fetch_add(&torn, 1);
		sk_arena_reset(&a, 65536);
	}
	sk_arena_free(&a);
	return NULL;
}

/* Threads ask while the file is rewritten in place and read again: each answer is whole, of one file. */
static void askers_and_reloads_do_not_meet(void **state)
{
	char text[5200], digits[5001];
	pthread_t thread[3];

	(void)state;
	for (int i = 0; i < 300; i++) {
		memset(digits, '0' + i % 10, 5000);
		digits[5000] = '\0';
		snprintf(text, sizeof text, "{\"a\":\"%s\",\"b\":{\"c\":\"%d\"}}", digits, i % 10);
		write_file(file, text, 0600);
		if (i) {
			sk_secrets_reload();
			continue;
		}
		assert_int_equal(sk_secrets_open(file, why, sizeof why), 0);
		for (int k = 0; k < 3; k++)
			assert_int_equal(pthread_create(&thread[k], NULL, ask, NULL), 0);
	}
	atomic_store(&stop, true);
	for (int k = 0; k < 3; k++)
		pthread_join(thread[k], NULL);
	assert_int_equal(atomic_load(&torn), 0);
}

/* -- templates -- */

static const char *fill(const char *text)
{
	const char *fault = NULL, *filled = sk_secrets_fill(&arena, text, &fault);

	return filled ? filled : sk_printf(&arena, "! %s", fault);
}

static void templates_are_filled_once(void **state)
{
	static const struct { const char *text, *filled; } cases[] = {
		{ "plain $ {x}", "plain $ {x}" }, { "${get_secret('db','SecretString')}", "pw" }, { "a${ get_secret ( \"o\" , 'SecretString', 'user' ) }b", "aub" },
		{ "${get_secret('o','SecretString','user','arn:aws:iam::1:role/r')}:${get_secret('db','SecretString','arn:aws:iam::1:role/r')}", "u:pw" },
		{ "${get_secret('bin','SecretBinary')}", "hello" }, { "${get_secret('inner','SecretString')}", "${get_secret('db','SecretString')}" },
		{ "${get_secret('it''s','SecretString')}", "quote" }, { "${get_secret('none','SecretString')}", "! there is no secret none" },
		{ "${get_secret('o','SecretString','none')}", "! there is no secret o, none" }, { "${get_secret('db','SecretBinary')}", "! the secret db is not base64" },
		{ "${topic()}", "! a template here must be" }, { "${get_secret('db')}", "! a template here" }, { "${get_secret('db','Other')}", "! a template here" },
		{ "${get_secret('db','SecretString'}", "! a template here" }, { "${get_secret('db','SecretString')", "! a template here" }, { "${", "! a template here" },
		{ "${get_secret('db','SecretString','a','b','c')}", "! a template here" }, { "${get_secret('db,'SecretString')}", "! a template here" },
		{ "${get_secret('db','SecretString')} ${x}", "! a template here" }, { "${get_secret('", "! a template here" },
	};

	(void)state;
	write_file(file, "{\"db\":\"pw\",\"o\":{\"user\":\"u\"},\"bin\":\"aGVsbG8=\",\"inner\":\"${get_secret('db','SecretString')}\",\"it's\":\"quote\"}", 0600);
	assert_int_equal(sk_secrets_open(file, why, sizeof why), 0);
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
		if (strncmp(fill(cases[i].text), cases[i].filled, strlen(cases[i].filled)) || (*cases[i].filled != '!' && strcmp(fill(cases[i].text), cases[i].filled)))
			fail_msg("%s: %s, not %s", cases[i].text, fill(cases[i].text), cases[i].filled);
}

static void a_document_is_filled_in_a_copy(void **state)
{
	static const char text[] = "{\"url\":\"redis://x:${get_secret('db','SecretString')}@h\",\"n\":1,\"list\":[{\"v\":\"${get_secret('db','SecretString')}\"}]}";
	const cJSON *document = sk_json_parse(&arena, text, strlen(text), NULL, NULL);
	const char *fault = NULL;

	(void)state;
	write_file(file, "{\"db\":\"pw\"}", 0600);
	assert_int_equal(sk_secrets_open(file, why, sizeof why), 0);
	assert_string_equal(sk_json_print(&arena, sk_secrets_fill_all(&arena, document, &fault), NULL), "{\"url\":\"redis://x:pw@h\",\"n\":1,\"list\":[{\"v\":\"pw\"}]}");
	assert_string_equal(sk_json_print(&arena, document, NULL), text);
}

static void a_template_is_looked_at_before_its_secret_is_there(void **state)
{
	const char *absent = NULL;

	(void)state;
	write_file(file, "{\"db\":\"pw\"}", 0600);
	assert_int_equal(sk_secrets_open(file, why, sizeof why), 0);
	assert_null(sk_secrets_fault(&arena, "x", &absent));
	assert_null(sk_secrets_fault(&arena, "${get_secret('db','SecretString')}", &absent));
	assert_null(absent);
	assert_null(sk_secrets_fault(&arena, "${get_secret('later','SecretString')}${get_secret('db','SecretString')}", &absent));
	assert_string_equal(absent, "later");
	assert_non_null(sk_secrets_fault(&arena, "${get_secret('db','SecretString')}${topic()}", &absent));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(only_the_owner_may_use_the_file, setup, teardown),
		cmocka_unit_test_setup_teardown(what_is_no_object_of_texts_and_objects_is_refused, setup, teardown),
		cmocka_unit_test_setup_teardown(what_is_no_file_is_refused, setup, teardown),
		cmocka_unit_test_setup_teardown(a_link_is_followed, setup, teardown),
		cmocka_unit_test_setup_teardown(texts_objects_and_members, setup, teardown),
		cmocka_unit_test_setup_teardown(the_environment_comes_first_under_a_prefix_of_its_own, setup, teardown),
		cmocka_unit_test_setup_teardown(a_change_is_seen_by_itself, setup, teardown),
		cmocka_unit_test_setup_teardown(a_file_that_is_wrong_now_leaves_the_secrets_and_says_so_without_them, setup, teardown),
		cmocka_unit_test_setup_teardown(askers_and_reloads_do_not_meet, setup, teardown),
		cmocka_unit_test_setup_teardown(templates_are_filled_once, setup, teardown),
		cmocka_unit_test_setup_teardown(a_document_is_filled_in_a_copy, setup, teardown),
		cmocka_unit_test_setup_teardown(a_template_is_looked_at_before_its_secret_is_there, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
