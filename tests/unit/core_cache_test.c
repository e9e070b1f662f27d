/* core_cache_test.c -- a worker's cache: bounded, the least recently used goes, absent records are known too. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "core/cache.h"

static void put(struct sk_cache *c, const char *key, const char *text, uint64_t version)
{
	struct sk_bytes *b = text ? sk_bytes_new(text, strlen(text)) : NULL;
	sk_cache_put(c, key, sk_hash(key, strlen(key)), b, version);
	sk_bytes_unref(b);
}

static bool has(struct sk_cache *c, const char *key, const char *text, uint64_t version)
{
	struct sk_bytes *b = NULL;
	uint64_t v = 0;
	if (!sk_cache_get(c, key, sk_hash(key, strlen(key)), &b, &v))
		return false;
	assert_int_equal(v, version);
	if (text)
		assert_string_equal(b->data, text);
	else
		assert_null(b);
	return true;
}

static void what_was_put_is_found_until_it_is_replaced_or_dropped(void **state)
{
	struct sk_cache c;
	(void)state;
	sk_cache_init(&c, 1 << 20);
	assert_false(has(&c, "a", "", 0));
	put(&c, "a", "1", 5);
	put(&c, "b", NULL, 0);
	assert_true(has(&c, "a", "1", 5));
	assert_true(has(&c, "b", NULL, 0));
	put(&c, "a", "22", 6);
	assert_true(has(&c, "a", "22", 6));
	assert_int_equal(c.count, 2);
	sk_cache_drop(&c, "a", sk_hash("a", 1));
	sk_cache_drop(&c, "never", sk_hash("never", 5));
	assert_false(has(&c, "a", "", 0));
	sk_cache_drop(&c, "b", sk_hash("b", 1));
	assert_int_equal(c.count, 0);
	assert_int_equal(c.bytes, 0);
	sk_cache_free(&c);
}

static void keys_of_one_hash_are_told_apart(void **state)
{
	struct sk_cache c;
	(void)state;
	sk_cache_init(&c, 1 << 20);
	for (int i = 0; i < 50; i++) {
		char key[16];
		snprintf(key, sizeof key, "k%d", i);
		sk_cache_put(&c, key, 7, NULL, (uint64_t)i);
	}
	for (int i = 0; i < 50; i++) {
		struct sk_bytes *b;
		uint64_t v;
		char key[16];
		snprintf(key, sizeof key, "k%d", i);
		assert_true(sk_cache_get(&c, key, 7, &b, &v));
		assert_int_equal(v, i);
	}
	sk_cache_free(&c);
}

static void the_least_recently_used_goes_first(void **state)
{
	struct sk_cache c;
	char key[16];
	(void)state;
	sk_cache_init(&c, 1 << 20);
	put(&c, "k0", "0123456789", 1);
	size_t one = c.bytes;
	c.limit = one * 10;
	for (int i = 1; i < 10; i++) {
		snprintf(key, sizeof key, "k%d", i);
		put(&c, key, "0123456789", 1);
	}
	assert_int_equal(c.count, 10);
	assert_true(has(&c, "k0", "0123456789", 1));
	put(&c, "n1", "0123456789", 1);
	assert_false(has(&c, "k1", "", 1));
	assert_true(has(&c, "k0", "0123456789", 1));
	put(&c, "n2", "0123456789", 1);
	assert_false(has(&c, "k2", "", 1));
	assert_true(has(&c, "k3", "0123456789", 1));
	sk_cache_free(&c);
}

static void it_never_holds_more_bytes_than_its_limit(void **state)
{
	struct sk_cache c;
	unsigned seed = 1;
	(void)state;
	sk_cache_init(&c, 20000);
	for (int i = 0; i < 100000; i++) {
		char key[32], text[700];
		seed = seed * 1103515245 + 12345;
		snprintf(key, sizeof key, "thing/%u", (seed >> 8) % 500);
		uint32_t hash = sk_hash(key, strlen(key));
		switch ((seed >> 20) % 4) {
		case 0:
			sk_cache_drop(&c, key, hash);
			break;
		case 1: {
			struct sk_bytes *b;
			uint64_t v;
			if (sk_cache_get(&c, key, hash, &b, &v))
				assert_int_equal(strtoul(b->data, NULL, 10), v);
			break;
		}
		default:
			snprintf(text, sizeof text, "%d%*s", i, (int)((seed >> 12) % 600), "");
			put(&c, key, text, (uint64_t)i);
		}
		assert_true(c.bytes <= 20000);
	}
	assert_true(c.count > 10);
	sk_cache_free(&c);
}

static void what_is_larger_than_the_cache_is_not_kept(void **state)
{
	struct sk_cache c;
	char text[3000];
	(void)state;
	memset(text, 'x', sizeof text);
	text[sizeof text - 1] = '\0';
	sk_cache_init(&c, 2000);
	put(&c, "small", "1", 1);
	put(&c, "large", text, 2);
	assert_false(has(&c, "large", "", 2));
	assert_true(c.bytes <= 2000);
	put(&c, "small", "1", 1);
	assert_true(has(&c, "small", "1", 1));
	sk_cache_free(&c);
}

static void a_record_outlives_its_entry_for_who_holds_it(void **state)
{
	struct sk_cache c;
	struct sk_bytes *b;
	uint64_t v;
	(void)state;
	sk_cache_init(&c, 1 << 20);
	put(&c, "a", "held", 1);
	assert_true(sk_cache_get(&c, "a", sk_hash("a", 1), &b, &v));
	sk_bytes_ref(b);
	sk_cache_free(&c);
	assert_string_equal(b->data, "held");
	sk_bytes_unref(b);
}

static void compacting_keeps_every_entry_and_who_goes_next(void **state)
{
	struct sk_cache c;
	char key[32], text[64];
	(void)state;
	sk_cache_init(&c, 1 << 20);
	for (int i = 0; i < 1000; i++) {
		snprintf(key, sizeof key, "registry/thing/%d", i);
		snprintf(text, sizeof text, "{\"number\":%d}", i);
		put(&c, key, i % 3 ? text : NULL, i % 3 ? (uint64_t)i : 0);
	}
	size_t bytes = c.bytes;
	sk_cache_compact(&c);
	assert_int_equal(c.count, 1000);
	assert_int_equal(c.bytes, bytes);
	c.limit = c.bytes - 1; /* one must go: still the one that was put first */
	put(&c, "registry/thing/999", "{\"number\":999}", 999);
	assert_false(has(&c, "registry/thing/0", NULL, 0));
	for (int i = 1; i < 999; i++) {
		snprintf(key, sizeof key, "registry/thing/%d", i);
		snprintf(text, sizeof text, "{\"number\":%d}", i);
		assert_true(has(&c, key, i % 3 ? text : NULL, i % 3 ? (uint64_t)i : 0));
	}
	sk_cache_free(&c);
	sk_cache_init(&c, 100);
	sk_cache_compact(&c);
	assert_int_equal(c.count, 0);
	sk_cache_free(&c);
}

static void hashes_spread_over_workers(void **state)
{
	int in[8] = { 0 };
	(void)state;
	for (int i = 0; i < 8000; i++) {
		char name[32];
		snprintf(name, sizeof name, "thing/lamp%d", i);
		in[sk_hash(name, strlen(name)) % 8]++;
	}
	for (int i = 0; i < 8; i++)
		assert_in_range(in[i], 800, 1200);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_was_put_is_found_until_it_is_replaced_or_dropped),
		cmocka_unit_test(keys_of_one_hash_are_told_apart),
		cmocka_unit_test(the_least_recently_used_goes_first),
		cmocka_unit_test(it_never_holds_more_bytes_than_its_limit),
		cmocka_unit_test(what_is_larger_than_the_cache_is_not_kept),
		cmocka_unit_test(a_record_outlives_its_entry_for_who_holds_it),
		cmocka_unit_test(compacting_keeps_every_entry_and_who_goes_next),
		cmocka_unit_test(hashes_spread_over_workers),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
