/* rules_lane_item_test.c -- plugins/rules/lane_item.c: what was written is read again, and no bytes that are cut or changed are taken for an item that is not. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "plugins/rules/lane.h"
#include "plugins/rules/lane_seal.h"

static const struct sk_sink_field fields[] = { { "stream", "a b" }, { "headers[0].key", "" }, { "n", "1.50" } };
static const char message[] = "{\"a\":1}\0binary";

static struct lane_item full(void)
{
	return (struct lane_item){ .kind = "redis", .qos = 1, .depth = 3, .retain = true, .basic = true, .action = LANE_ERROR_ACTION, .principal = "p", .source_ip = "::1",
		.message = message, .message_size = sizeof message - 1, .properties = "\x01\x00", .properties_size = 2,
		.sink = { .field = fields, .fields = 3, .payload = "other", .size = 5, .rule = "r", .topic = "a/b", .client_id = "c",
			.id = "0123456789abcdef0123456789abcdef", .time_ms = INT64_C(1700000000123) } };
}

static void same_text(const char *a, const char *b)
{
	assert_true(!a == !b);
	if (a)
		assert_string_equal(a, b);
}

static void same(const struct lane_item *a, const struct lane_item *b)
{
	same_text(a->kind, b->kind);
	same_text(a->principal, b->principal);
	same_text(a->source_ip, b->source_ip);
	same_text(a->sink.rule, b->sink.rule);
	same_text(a->sink.topic, b->sink.topic);
	same_text(a->sink.client_id, b->sink.client_id);
	same_text(a->sink.id, b->sink.id);
	assert_int_equal(a->qos, b->qos);
	assert_int_equal(a->depth, b->depth);
	assert_int_equal(a->retain, b->retain);
	assert_int_equal(a->basic, b->basic);
	assert_int_equal(a->action, b->action);
	assert_int_equal(a->sink.time_ms, b->sink.time_ms);
	assert_int_equal(a->sink.size, b->sink.size);
	assert_memory_equal(a->sink.payload, b->sink.payload, a->sink.size);
	assert_int_equal(a->message_size, b->message_size);
	assert_memory_equal(a->message, b->message, a->message_size);
	assert_int_equal(a->properties_size, b->properties_size);
	assert_int_equal(a->sink.fields, b->sink.fields);
	for (size_t i = 0; i < a->sink.fields; i++) {
		assert_string_equal(a->sink.field[i].path, b->sink.field[i].path);
		assert_string_equal(a->sink.field[i].text, b->sink.field[i].text);
	}
}

static void round_trip(const struct lane_item *i)
{
	struct sk_arena a = { 0 };
	struct lane_item out;
	size_t n;
	const void *record = lane_item_write(&a, i, &n);

	assert_non_null(record);
	assert_int_equal(n, lane_item_size(i));
	assert_int_equal(lane_item_read(&a, record, n, &out), 0);
	same(i, &out);
	assert_int_equal(((const char *)out.sink.payload)[out.sink.size], '\0');
	sk_arena_free(&a);
}

static void an_item_is_what_it_was(void **state)
{
	struct lane_item i = full();

	(void)state;
	round_trip(&i);
	i.principal = i.source_ip = i.sink.client_id = NULL;
	i.properties = NULL;
	i.properties_size = 0;
	i.sink.fields = 0;
	i.action = 7;
	i.sink.payload = "";
	i.sink.size = 0;
	round_trip(&i);
}

static void a_payload_that_is_the_message_is_kept_once(void **state)
{
	struct lane_item i = full();
	struct sk_arena a = { 0 };
	struct lane_item out;
	size_t n, other = lane_item_size(&i);

	(void)state;
	i.sink.payload = message;
	i.sink.size = sizeof message - 1;
	round_trip(&i);
	assert_int_equal(lane_item_size(&i), other - 6);
	const void *record = lane_item_write(&a, &i, &n);
	assert_int_equal(lane_item_read(&a, record, n, &out), 0);
	assert_ptr_equal(out.sink.payload, out.message);
	sk_arena_free(&a);
}

static void what_is_cut_or_longer_is_none(void **state)
{
	struct lane_item i = full(), out;
	struct sk_arena a = { 0 };
	size_t n;
	char *record = lane_item_write(&a, &i, &n), *longer = sk_alloc(&a, n + 1);

	(void)state;
	memcpy(longer, record, n);
	assert_int_equal(lane_item_read(&a, longer, n + 1, &out), -1);
	for (size_t k = 0; k < n; k++)
		assert_int_equal(lane_item_read(&a, record, k, &out), -1);
	assert_false(a.failed);
	sk_arena_free(&a);
}

/* Some changes make another item; none may be read beyond its end, which the sanitizer sees. */
static void any_changed_byte_is_read_within_bounds(void **state)
{
	struct lane_item i = full(), out;
	struct sk_arena a = { 0 };
	size_t n, wrong = 0;
	unsigned char *record = lane_item_write(&a, &i, &n);

	(void)state;
	for (size_t k = 0; k < n; k++)
		for (int bit = 0; bit < 8; bit++) {
			record[k] ^= (unsigned char)(1 << bit);
			wrong += lane_item_read(&a, record, n, &out) != 0;
			record[k] ^= (unsigned char)(1 << bit);
		}
	assert_in_range(wrong, n, 8 * n);
	assert_int_equal(lane_item_read(&a, record, n, &out), 0);
	sk_arena_free(&a);
}

static void names_that_no_key_may_have_are_refused(void **state)
{
	static const char *const rules[] = { "", "a/b", NULL };
	static const char *const ids[] = { "", "0123456789ABCDEF0123456789abcdef", "0123456789abcdef0123456789abcde", NULL };
	struct sk_arena a = { 0 };
	struct lane_item out;
	size_t n;

	(void)state;
	for (int k = 0; k < 6; k++) {
		struct lane_item i = full();
		if (k < 3)
			i.sink.rule = rules[k];
		else
			i.sink.id = ids[k - 3];
		const void *record = lane_item_write(&a, &i, &n);
		assert_int_equal(lane_item_read(&a, record, n, &out), -1);
	}
	sk_arena_free(&a);
}

/* -- sealed -- */

static bool holds(const void *record, size_t n, const char *text)
{
	return memmem(record, n, text, strlen(text));
}

static void a_secret_one_lies_there_sealed(void **state)
{
	struct lane_item i = full(), out;
	struct sk_arena a = { 0 };
	size_t n, plain_n;
	const void *plain = lane_item_write(&a, &i, &plain_n);

	(void)state;
	i.secret = true;
	round_trip(&i);
	unsigned char *record = lane_item_write(&a, &i, &n);
	assert_int_equal(n, plain_n + LANE_SEALED_MORE);
	assert_int_equal(lane_item_read(&a, record, n, &out), 0);
	assert_true(out.secret);
	assert_true(holds(plain, plain_n, message) && holds(plain, plain_n, i.sink.topic) && holds(plain, plain_n, i.sink.field[0].text));
	assert_false(holds(record, n, message) || holds(record, n, i.sink.topic) || holds(record, n, i.sink.field[0].text));
	assert_memory_equal(record, lane_item_write(&a, &i, &n), n); /* and is the same each time */
	for (size_t k = 0; k < n; k++) {
		record[k] ^= 1;
		assert_int_equal(lane_item_read(&a, record, n, &out), -1);
		record[k] ^= 1;
		assert_int_equal(lane_item_read(&a, record, k, &out), -1);
	}
	assert_false(a.failed);
	sk_arena_free(&a);
}

static void another_key_opens_nothing(void **state)
{
	struct lane_item i = full(), out;
	struct sk_arena a = { 0 };
	char folder[] = "/tmp/skeeter-lanes-XXXXXX", path[64], why[200];
	uint8_t fresh[SK_SEAL_KEY] = { 1, 2, 3 };
	struct stat st;
	size_t n;

	(void)state;
	i.secret = true;
	const void *before = lane_item_write(&a, &i, &n);
	const char *text = lane_seal_text(&a, "{\"password\":\"c4n4ry\"}");
	assert_non_null(mkdtemp(folder));
	snprintf(path, sizeof path, "%s.key", folder);
	assert_int_equal(lane_seal_open(folder, fresh, why, sizeof why), 0);
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_mode & 0777, 0600);
	assert_int_equal(lane_item_read(&a, before, n, &out), -1);
	assert_null(lane_unseal_text(&a, text));
	const void *after = lane_item_write(&a, &i, &n);
	memset(fresh, 9, sizeof fresh);
	assert_int_equal(lane_seal_open(folder, fresh, why, sizeof why), 0); /* the key that is there counts */
	assert_int_equal(lane_item_read(&a, after, n, &out), 0);
	assert_string_equal(lane_unseal_text(&a, lane_seal_text(&a, "{}")), "{}");
	assert_int_equal(chmod(path, 0644), 0);
	assert_int_equal(lane_seal_open(folder, fresh, why, sizeof why), -1);
	assert_non_null(strstr(why, "the lanes' key"));
	unlink(path);
	rmdir(folder);
	sk_arena_free(&a);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_secret_one_lies_there_sealed),
		cmocka_unit_test(another_key_opens_nothing),
		cmocka_unit_test(an_item_is_what_it_was),
		cmocka_unit_test(a_payload_that_is_the_message_is_kept_once),
		cmocka_unit_test(what_is_cut_or_longer_is_none),
		cmocka_unit_test(any_changed_byte_is_read_within_bounds),
		cmocka_unit_test(names_that_no_key_may_have_are_refused),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
