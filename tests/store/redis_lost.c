/* redis_lost.c -- answers that never come. The test that runs this stands between us and the server: of the first request that holds
 * "thing/lost/" it loses the answer with the connection, of the first one with "thing/held/" the answer alone. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>
#include <stdlib.h>
#include <unistd.h>

#include "tests/store/redis_suite.h"

static const struct store_backend backend = { "redis, lost", redis_suite_open, redis_suite_destroy };
static struct store_fixture fixture, *const f = &fixture;

static int setup(void **state)
{
	(void)state;
	fixture_start(f, &backend);
	return put(f, "thing/before/1", "x") ? 0 : -1; /* the server knows the script */
}

static int teardown(void **state)
{
	(void)state;
	fixture_stop(f);
	return 0;
}

static struct sk_store_stats stats(void)
{
	struct sk_store_stats s;

	f->store->ops->stats(f->store, &s);
	return s;
}

static enum sk_commit_status put_new(struct change *c, const char *partition, const char *key)
{
	change_start(c, f, partition);
	change_expect(c, key, 0, 0);
	change_write(c, SK_RECORD, key, "1");
	change_write(c, SK_EFFECT, key, "1");
	return change_run(c);
}

static void assert_version(const char *key, uint64_t version)
{
	uint64_t found;
	char *text = get(f, SK_RECORD, key, &found);

	assert_string_equal(text, "1");
	assert_int_equal(found, version);
	free(text);
}

static void what_was_done_is_not_done_again(void **state)
{
	struct change c;
	(void)state;

	assert_int_equal(put_new(&c, "thing/lost", "thing/lost/1"), SK_COMMIT_OK);
	assert_version("thing/lost/1", c.commit.version);
	assert_true(stats().resent >= 1);
	assert_int_equal(stats().unknown, 0);
	assert_int_equal(put_new(&c, "thing/lost", "thing/lost/1"), SK_COMMIT_CONFLICT);
	assert_int_equal(put_new(&c, "thing/lost", "thing/lost/2"), SK_COMMIT_OK);
}

static void what_is_not_known_is_refused_and_said(void **state)
{
	struct change c;
	(void)state;

	assert_int_equal(put_new(&c, "thing/held", "thing/held/1"), SK_COMMIT_FAILED);
	assert_string_equal(c.commit.why, "the store's Redis did not answer in time");
	assert_int_equal(stats().unknown, 1);
	for (int i = 0; i < 60000 && stats().down; i++)
		usleep(1000);
	assert_int_equal(stats().down, 0);
	assert_int_equal(put_new(&c, "thing/held", "thing/held/2"), SK_COMMIT_OK);
	assert_version("thing/held/2", c.commit.version);
	assert_value(f, "thing/held/1", "1");
	assert_int_equal(put_new(&c, "thing/held", "thing/held/1"), SK_COMMIT_CONFLICT);
}

int redis_lost_run(void)
{
	const struct CMUnitTest cases[] = { cmocka_unit_test_setup_teardown(what_was_done_is_not_done_again, setup, teardown) };

	return cmocka_run_group_tests_name(backend.name, cases, NULL, NULL);
}

int redis_held_run(void)
{
	const struct CMUnitTest cases[] = { cmocka_unit_test_setup_teardown(what_is_not_known_is_refused_and_said, setup, teardown) };

	return cmocka_run_group_tests_name(backend.name, cases, NULL, NULL);
}
