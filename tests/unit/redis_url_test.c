/* redis_url_test.c -- URLs of a Redis taken apart, those that are refused without a word of the password, and the files they name. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "redis/url.h"

static const char *or_none(const char *text)
{
	return text ? text : "-";
}

/* "kind tls user password host:port,... path master database prefix timeout replicas buckets", or what is wrong. */
static const char *apart(const char *text)
{
	static char out[2000];
	static const char *const kind[] = { "one", "sentinel", "cluster" };
	char why[300], hosts[600] = "-";
	struct redis_url u;

	if (redis_url_parse(&u, text, why, sizeof why)) {
		snprintf(out, sizeof out, "%s", why);
	} else {
		for (int i = 0, at = 0; i < u.hosts; i++)
			at += snprintf(hosts + at, sizeof hosts - (size_t)at, "%s%s:%d", i ? "," : "", u.host[i].host, u.host[i].port);
		snprintf(out, sizeof out, "%s %s %s %s %s %s %s %ld %s %d %d %d", kind[u.kind], u.login.tls ? "tls" : "-", or_none(u.login.user), or_none(u.login.password), hosts,
		         *u.path ? u.path : "-", *u.master ? u.master : "-", u.login.database, u.prefix, (int)u.timeout_ms, u.replicas, u.buckets);
	}
	redis_url_free(&u);
	return out;
}

static void urls_come_apart(void **state)
{
	static const struct { const char *url, *parts; } cases[] = {
		{ "redis://localhost", "one - - - localhost:6379 - - 0 skeeter: 2000 0 0" },
		{ "REDIS://h:7000/", "one - - - h:7000 - - 0 skeeter: 2000 0 0" },
		{ "rediss://u:p%40s:s%2f@h/3", "one tls u p@s:s/ h:6379 - - 3 skeeter: 2000 0 0" },
		{ "redis://:p@h", "one - - p h:6379 - - 0 skeeter: 2000 0 0" },
		{ "redis://u:@h", "one - u  h:6379 - - 0 skeeter: 2000 0 0" },
		{ "redis://u:a@b@h", "one - u a@b h:6379 - - 0 skeeter: 2000 0 0" },
		{ "redis://[::1]:7000", "one - - - ::1:7000 - - 0 skeeter: 2000 0 0" },
		{ "redis://[fe80::1%25eth0]", "one - - - fe80::1%eth0:6379 - - 0 skeeter: 2000 0 0" },
		{ "redis://h?prefix=a:&timeout=5s&replicas=2&buckets=1024&database=9", "one - - - h:6379 - - 9 a: 5000 2 1024" },
		{ "redis://h/?timeout=100", "one - - - h:6379 - - 0 skeeter: 100 0 0" },
		{ "redis://h?timeout=1500ms&prefix=", "one - - - h:6379 - - 0  1500 0 0" },
		{ "redis://h?prefix=%41%26b", "one - - - h:6379 - - 0 A&b 2000 0 0" },
		{ "redis://u@h?password_file=/x", "one - u - h:6379 - - 0 skeeter: 2000 0 0" },
		{ "redis+unix:///run/redis/a.sock", "one - - - - /run/redis/a.sock - 0 skeeter: 2000 0 0" },
		{ "redis+unix://u:p@/run/%20.sock?database=2", "one - u p - /run/ .sock - 2 skeeter: 2000 0 0" },
		{ "redis+sentinel://a,b:1,[::2]:3/mymaster/4", "sentinel - - - a:26379,b:1,::2:3 - mymaster 4 skeeter: 2000 0 0" },
		{ "rediss+sentinel://:p@a/m?sentinel_password_file=x&sentinel_user=s", "sentinel tls - p a:26379 - m 0 skeeter: 2000 0 0" },
		{ "redis+cluster://a:7000,b:7001", "cluster - - - a:7000,b:7001 - - 0 skeeter: 2000 0 0" },
		{ "rediss+cluster://a/0?ca=x&cert=y&key=z", "cluster tls - - a:6379 - - 0 skeeter: 2000 0 0" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
		assert_string_equal(apart(cases[i].url), cases[i].parts);
}

static void what_is_no_url_is_refused_without_being_told(void **state)
{
	static const struct { const char *url, *why; } cases[] = {
		{ "", "an URL begins with" }, { "localhost:6379", "an URL begins with" }, { "http://h", "an URL begins with" }, { "redis:/h", "an URL begins with" },
		{ "rediss+unix:///x", "an URL begins with" }, { "redis://", "a host is" }, { "redis://u:secret@", "a host is" }, { "redis://h:", "a port is" },
		{ "redis://h:0", "a port is" }, { "redis://h:65536", "a port is" }, { "redis://h:6x", "a port is" }, { "redis://h:-1", "a port is" },
		{ "redis://h:99999999999999999999", "a port is" }, { "redis://[::1", "a host is" }, { "redis://[h]", "a host is" }, { "redis://[::1]7000", "a host is" },
		{ "redis://a,b", "one server" }, { "redis://h/x", "a database is a number" }, { "redis://h/0/1", "a database is a number" }, { "redis://h/-1", "a database is a number" },
		{ "redis://u:secret%4@h", "two hex digits" }, { "redis://u:secret%00@h", "no control character" }, { "redis://h\n", "no control characters" },
		{ "redis://u:secret/x@h", "a port is" }, { "redis://u:secret?x@h", "a port is" }, { "redis://u:1/secret@h", "a database is a number" }, { "redis://u:secret#@h", "no # " },
		{ "redis://u@h", "a user has a password" }, { "redis://u:secret@h?password_file=x", "in the URL and in password_file" },
		{ "redis://h?x=1", "there is no \"x\": prefix," }, { "redis://h?prefix", "NAME=VALUE" }, { "redis://h?prefix=a&prefix=b", "twice" },
		{ "redis://h?prefix={a}", "no braces" }, { "redis://h?prefix=a*", "no blanks and none of" }, { "redis://h?prefix=%20", "no blanks" },
		{ "redis://h?prefix=0123456789012345678901234567890123456789012345678901234567890123", "at most 63 bytes" },
		{ "redis://h?timeout=99", "100ms to 60s" }, { "redis://h?timeout=61s", "100ms to 60s" }, { "redis://h?timeout=2m", "100ms to 60s" }, { "redis://h?timeout=", "100ms to 60s" },
		{ "redis://h?replicas=-1", "0 to 100" }, { "redis://h?buckets=0", "1 to 1024" }, { "redis://h?buckets=1025", "1 to 1024" }, { "redis://h?database=x", "is a number" },
		{ "redis://h?ca=x", "for TLS" }, { "rediss://h?cert=x", "together" }, { "rediss://h?ca=", "ca is empty" }, { "redis://h?sentinel_user=x", "for redis+sentinel" },
		{ "redis+sentinel://h", "the master's name" }, { "redis+sentinel://h/", "the master's name" }, { "redis+sentinel://h/m?sentinel_user=x", "has a sentinel_password_file" },
		{ "redis+cluster://h/1", "no databases but 0" }, { "redis+unix://h/x", "a socket has no host" }, { "redis+unix:///", "a socket is" },
		{ "redis+cluster://a,a,a,a,a,a,a,a,a,a,a,a,a,a,a,a,a", "16 hosts at most" }, { "redis+cluster://a,,b", "a host is" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		const char *why = apart(cases[i].url);
		if (!strstr(why, cases[i].why))
			print_error("%s: %s\n", cases[i].url, why);
		assert_non_null(strstr(why, cases[i].why));
		assert_null(strstr(why, "secret"));
	}
}

static void what_is_too_long_is_refused(void **state)
{
	char *text = test_malloc(20000);

	(void)state;
	memset(text, 'a', 20000);
	memcpy(text, "redis://", 8);
	text[300] = 0;
	assert_non_null(strstr(apart(text), "a host is"));
	text[300] = 'a';
	text[19999] = 0;
	assert_non_null(strstr(apart(text), "at most 8192 bytes"));
	memcpy(text, "redis+unix:///", 14);
	text[200] = 0;
	assert_non_null(strstr(apart(text), "at most 107 bytes"));
	test_free(text);
}

static void people_are_shown_no_password(void **state)
{
	static const struct { const char *url, *shown; } cases[] = {
		{ "redis://u:secret@h/3", "redis://u@h:6379/3" }, { "rediss://:secret@[::1]", "rediss://[::1]:6379" },
		{ "redis+sentinel://u:secret@a,[::1]:3/m/4", "redis+sentinel://u@a:26379,[::1]:3/m/4" }, { "rediss+cluster://a,b:2", "rediss+cluster://a:6379,b:2" },
		{ "redis+unix://u:secret@/run/a.sock?database=2", "redis+unix://u@/run/a.sock?database=2" },
	};
	char text[200], small[12], why[200];

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct redis_url u;
		assert_int_equal(redis_url_parse(&u, cases[i].url, why, sizeof why), 0);
		redis_url_show(&u, text, sizeof text);
		assert_string_equal(text, cases[i].shown);
		redis_url_show(&u, small, sizeof small);
		assert_int_equal(strncmp(small, text, sizeof small - 1), 0);
		assert_int_equal(strlen(small), sizeof small - 1);
		redis_url_free(&u);
	}
}

/* -- files -- */

static void write_file(const char *folder, const char *name, const char *text, mode_t mode)
{
	char path[200];
	int fd;

	snprintf(path, sizeof path, "%s/%s", folder, name);
	fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0600);
	assert_true(fd >= 0);
	assert_int_equal(write(fd, text, strlen(text)), (ssize_t)strlen(text));
	close(fd);
	assert_int_equal(chmod(path, mode), 0);
}

static void passwords_are_read_from_files_that_only_their_owner_may_read(void **state)
{
	static const struct { const char *text; mode_t mode; const char *result; } cases[] = {
		{ "word\n", 0600, "word" }, { "word", 0400, "word" }, { "two words \r\n", 0600, "two words " }, { "word\n", 0640, "chmod 600" },
		{ "word\n", 0604, "chmod 600" }, { "", 0600, "one line" }, { "\n", 0600, "one line" }, { "a\nb\n", 0600, "one line" },
	};
	char folder[] = "/tmp/skeeter-url-XXXXXX", path[200], why[300];

	(void)state;
	assert_non_null(mkdtemp(folder));
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct redis_url u;
		write_file(folder, "p", cases[i].text, cases[i].mode);
		assert_int_equal(redis_url_parse(&u, "rediss://u@h?password_file=p&ca=ca.pem&cert=/abs.pem&key=k", why, sizeof why), 0);
		int rc = redis_url_secrets(&u, folder, why, sizeof why);
		snprintf(path, sizeof path, "%s/ca.pem", folder);
		assert_string_equal(u.login.ca, path);
		assert_string_equal(u.login.certificate, "/abs.pem");
		assert_ptr_equal(u.sentinel.ca, u.login.ca);
		if (!rc)
			assert_string_equal(u.login.password, cases[i].result);
		else
			assert_non_null(strstr(why, cases[i].result));
		redis_url_free(&u);
		snprintf(path, sizeof path, "%s/p", folder);
		unlink(path);
	}
	rmdir(folder);
}

static void a_password_file_that_is_none_is_said(void **state)
{
	static const struct { const char *url, *why; } cases[] = {
		{ "redis://h?password_file=/nowhere/p", "/nowhere/p: No such file" }, { "redis://h?password_file=/dev/null", "/dev/null is not a file" },
		{ "redis://h?password_file=/tmp", "/tmp is not a file" }, { "redis+sentinel://h/m?sentinel_password_file=/nowhere/s", "/nowhere/s: No such file" },
	};
	char why[300];

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct redis_url u;
		assert_int_equal(redis_url_parse(&u, cases[i].url, why, sizeof why), 0);
		assert_int_equal(redis_url_secrets(&u, NULL, why, sizeof why), -1);
		assert_non_null(strstr(why, cases[i].why));
		redis_url_free(&u);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(urls_come_apart),
		cmocka_unit_test(what_is_no_url_is_refused_without_being_told),
		cmocka_unit_test(what_is_too_long_is_refused),
		cmocka_unit_test(people_are_shown_no_password),
		cmocka_unit_test(passwords_are_read_from_files_that_only_their_owner_may_read),
		cmocka_unit_test(a_password_file_that_is_none_is_said),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
