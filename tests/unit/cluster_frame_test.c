/* cluster_frame_test.c -- plugins/cluster/frame.h: what is written is read again; what is cut, too long or not allowed is bad and ends the reading. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "plugins/cluster/frame.h"

static char bytes[4096];

static size_t put(size_t at, const struct frame_entry *e)
{
	char *payload = entry_put(bytes + at, e, NULL);

	memcpy(payload, e->payload ? e->payload : "", e->size);
	return at + entry_size(e);
}

static size_t message(size_t at, const char *topic, const char *payload)
{
	return put(at, &(struct frame_entry){ .kind = ENTRY_MESSAGE, .qos = 1, .topic = topic, .topic_size = strlen(topic), .payload = payload, .size = strlen(payload) });
}

static bool opens(struct frame *f, enum frame_kind kind, size_t n)
{
	frame_head(bytes, kind, 0x1122334455667788, 7);
	return frame_open(f, bytes, n);
}

static void messages_come_back_whole(void **state)
{
	struct frame f;
	struct frame_entry e, in = { .kind = ENTRY_MESSAGE, .qos = 2, .retain = true, .topic = "a/b", .topic_size = 3, .properties = "\x03\x00\x01x", .properties_size = 4,
		.payload = "p\0q", .size = 3 };
	size_t n = put(FRAME_HEAD, &in);

	(void)state;
	n = message(n, "$aws/things/t/shadow/update/delta", "");
	assert_true(opens(&f, FRAME_MESSAGES, n));
	assert_true(f.sender == 0x1122334455667788 && f.number == 7 && f.kind == FRAME_MESSAGES);
	assert_true(frame_next(&f, &e));
	assert_string_equal(e.topic, "a/b");
	assert_true(e.qos == 2 && e.retain && e.size == 3 && !memcmp(e.payload, "p\0q", 3) && e.properties_size == 4 && !memcmp(e.properties, "\x03\x00\x01x", 4));
	assert_int_equal(e.bytes_size, entry_size(&in));
	assert_true(frame_next(&f, &e));
	assert_true(e.qos == 1 && !e.retain && e.size == 0 && e.properties_size == 0);
	assert_false(frame_next(&f, &e));
	assert_false(f.bad);
}

static void what_is_cut_is_bad_at_each_place(void **state)
{
	struct frame f;
	struct frame_entry e;
	size_t n = message(FRAME_HEAD, "topic/of/it", "payload");

	(void)state;
	for (size_t i = 0; i < n; i++) {
		bool open = opens(&f, FRAME_MESSAGES, i);
		assert_true(open == (i >= FRAME_HEAD));
		if (open) {
			assert_false(frame_next(&f, &e));
			assert_true(f.bad == (i > FRAME_HEAD));
		}
	}
}

static bool good(enum frame_kind kind, const struct frame_entry *e)
{
	struct frame f;
	struct frame_entry out;
	size_t n = put(FRAME_HEAD, e);

	return opens(&f, kind, n) && frame_next(&f, &out) && !f.bad;
}

static bool topic_is_good(const char *topic, size_t n)
{
	return good(FRAME_MESSAGES, &(struct frame_entry){ .kind = ENTRY_MESSAGE, .topic = topic, .topic_size = n });
}

static void topics_that_nobody_may_publish_to_are_bad(void **state)
{
	static const char *const bad[] = { "", "a/+/b", "#", "\xff", "$SYS/broker", "$CONTROL/skeeter/v1" };
	char deep[402];

	(void)state;
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
		assert_false(topic_is_good(bad[i], strlen(bad[i])));
	assert_false(topic_is_good("a\0b", 3));
	assert_true(topic_is_good("\xc3\xa4/$SYS/x", 9));
	memset(deep, '/', sizeof deep);
	assert_true(topic_is_good(deep, 200));
	assert_false(topic_is_good(deep, 201));
}

static void kinds_stay_in_their_frames(void **state)
{
	const struct frame_entry filter = { .kind = ENTRY_ADD, .topic = "a/#", .topic_size = 3 }, m = { .kind = ENTRY_MESSAGE, .topic = "a", .topic_size = 1 },
		keep = { .kind = ENTRY_KEEP, .topic = "a", .topic_size = 1 }, fat = { .kind = ENTRY_ADD, .topic = "a", .topic_size = 1, .payload = "x", .size = 1 },
		qos = { .kind = ENTRY_MESSAGE, .qos = 3, .topic = "a", .topic_size = 1 }, everything = { .kind = ENTRY_REMOVE, .topic = "" };

	(void)state;
	assert_true(good(FRAME_INTEREST, &filter) && good(FRAME_FILE, &filter) && good(FRAME_INTEREST, &everything));
	assert_true(good(FRAME_FIRST, &m));
	assert_false(good(FRAME_INTEREST, &m) || good(FRAME_MESSAGES, &filter) || good(FRAME_INTEREST, &keep) || good(FRAME_INTEREST, &fat) || good(FRAME_MESSAGES, &qos));
}

static void properties_are_looked_at(void **state)
{
	struct frame_entry e = { .kind = ENTRY_MESSAGE, .topic = "a", .topic_size = 1, .properties = "\x26\x00\x01k\x00\x01v", .properties_size = 7 };

	(void)state;
	assert_true(good(FRAME_MESSAGES, &e));
	e.properties_size = 6;
	assert_false(good(FRAME_MESSAGES, &e));
	e.properties = "\x03\x00\x01\xff";
	e.properties_size = 4;
	assert_false(good(FRAME_MESSAGES, &e));
}

static void a_strangers_bytes_are_no_frame(void **state)
{
	struct frame f;

	(void)state;
	assert_false(frame_open(&f, "", 0));
	assert_false(frame_open(&f, "sk2m                ", FRAME_HEAD));
	assert_false(frame_open(&f, "sk1\0                ", FRAME_HEAD));
	assert_false(frame_open(&f, "sk1x                ", FRAME_HEAD));
	assert_true(frame_open(&f, "sk1b                ", FRAME_HEAD));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(messages_come_back_whole), cmocka_unit_test(what_is_cut_is_bad_at_each_place),
		cmocka_unit_test(topics_that_nobody_may_publish_to_are_bad), cmocka_unit_test(kinds_stay_in_their_frames),
		cmocka_unit_test(properties_are_looked_at), cmocka_unit_test(a_strangers_bytes_are_no_frame),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
