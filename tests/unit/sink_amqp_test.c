/* sink_amqp_test.c -- AMQP's frames, items as messages, what is read of the server's, and addresses. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <string.h>

#include "plugins/sink_amqp/address.h"
#include "plugins/sink_amqp/message.h"

static struct sk_arena a;

static cJSON *json(const char *text)
{
	cJSON *node = sk_json_parse(&a, text, strlen(text), NULL, NULL);
	assert_non_null(node);
	return node;
}

static struct sk_sink_item item_of(const char *fields, const char *payload)
{
	struct sk_sink_item i = { .payload = payload, .size = strlen(payload), .id = "0f", .time_ms = 0x102030405 * 1000LL };
	i.field = sk_sink_flatten(json(fields), "url", &a, &i.fields);
	return i;
}

/* Bytes as text: what is no printable ASCII as two hexadecimal digits between < and >. */
static const char *shown(const char *bytes, size_t n)
{
	char *out = sk_alloc_text(&a, 4 * n + 1), *p = out;
	for (size_t i = 0; i < n; i++)
		p += bytes[i] > ' ' && bytes[i] < 0x7f ? sprintf(p, "%c", bytes[i]) : sprintf(p, "<%02x>", (unsigned char)bytes[i]);
	*p = '\0';
	return out;
}

static const char *published(const char *fields, const char *payload, size_t most)
{
	struct sk_sink_item i = item_of(fields, payload);
	struct amqp_out counted = { 0 }, out = { 0 };
	assert_null(amqp_item_fault(&i));
	amqp_publish(&counted, &i, most);
	out.to = sk_alloc_text(&a, counted.n + 1);
	amqp_publish(&out, &i, most);
	assert_int_equal(out.n, counted.n);
	return shown(out.to, out.n);
}

static void items_become_frames(void **state)
{
	(void)state;
	assert_string_equal(published("{\"routingKey\":\"q\"}", "hi", 4096),
	                    "<01><00><01><00><00><00><0a><00><<00>(<00><00><00><01>q<00><ce>"
	                    "<02><00><01><00><00><00><1a><00><<00><00><00><00><00><00><00><00><00><02><10><c0><02><02>0f<00><00><00><01><02><03><04><05><ce>"
	                    "<03><00><01><00><00><00><02>hi<ce>");
	assert_string_equal(published("{\"exchange\":\"e\",\"mandatory\":true,\"persistent\":false,\"contentType\":\"t\",\"expiration\":\"9\",\"headers\":{\"A\":\"b\"},\"value\":\"\"}", "x", 4096),
	                    "<01><00><01><00><00><00><0a><00><<00>(<00><00><01>e<00><01><ce>"
	                    "<02><00><01><00><00><00>*<00><<00><00><00><00><00><00><00><00><00><00><b1><c0><01>t<00><00><00><08><01>AS<00><00><00><01>b<01><01>9<02>0f"
	                    "<00><00><00><01><02><03><04><05><ce>");
	assert_non_null(strstr(published("{}", "abcdefghijk", 12), "<03><00><01><00><00><00><04>abcd<ce><03><00><01><00><00><00><04>efgh<ce><03><00><01><00><00><00><03>ijk<ce>"));
	sk_arena_reset(&a, 0);
}

static void what_cannot_be_published_is_told(void **state)
{
	static const char *const good[] = { "{}", "{\"expiration\":\"0\"}", "{\"expiration\":\"4294967295\"}", "{\"headers\":{\"a\":\"\"}}", NULL };
	static const char *const bad[] = { "{\"expiration\":\"\"}", "{\"expiration\":\"1s\"}", "{\"expiration\":\"-1\"}", "{\"expiration\":\"12345678901\"}", "{\"headers\":{\"\":\"x\"}}", NULL };
	char key[257];
	(void)state;
	for (size_t i = 0; good[i]; i++)
		assert_null(amqp_item_fault(&(struct sk_sink_item[]){ item_of(good[i], "") }[0]));
	for (size_t i = 0; bad[i]; i++)
		assert_non_null(amqp_item_fault(&(struct sk_sink_item[]){ item_of(bad[i], "") }[0]));
	memset(key, 'k', 256);
	key[256] = '\0';
	assert_non_null(amqp_item_fault(&(struct sk_sink_item[]){ item_of(sk_printf(&a, "{\"routingKey\":\"%s\"}", key), "") }[0]));
	assert_non_null(amqp_item_fault(&(struct sk_sink_item[]){ item_of(sk_printf(&a, "{\"headers\":{\"%s\":\"\"}}", key), "") }[0]));
	key[255] = '\0';
	assert_null(amqp_item_fault(&(struct sk_sink_item[]){ item_of(sk_printf(&a, "{\"routingKey\":\"%s\"}", key), "") }[0]));
	sk_arena_reset(&a, 0);
}

static void frames_are_read(void **state)
{
	static const char frame[] = "\1\0\1\0\0\0\6\0\x3c\0\x50\1z\xce";
	struct amqp_frame f;
	(void)state;
	for (size_t n = 0; n < sizeof frame - 1; n++)
		assert_int_equal(amqp_next(frame, n, 100, &f), 0);
	assert_int_equal(amqp_next(frame, sizeof frame - 1, 100, &f), 14);
	assert_int_equal(f.type, AMQP_METHOD);
	assert_int_equal(f.channel, 1);
	struct amqp_in in = amqp_reading(&f);
	assert_int_equal(amqp_get(&in, 4), AMQP_ACK);
	struct amqp_text t = amqp_get_short(&in);
	assert_int_equal(t.size, 1);
	assert_int_equal(*t.at, 'z');
	assert_false(in.bad);
	assert_int_equal(amqp_get(&in, 1), 0);
	assert_true(in.bad);
	assert_int_equal(amqp_get_long(&in).size, 0);
	assert_int_equal(amqp_next(frame, sizeof frame - 1, 13, &f), -1);
	assert_int_equal(amqp_next("\1\0\1\0\0\0\0x", 8, 100, &f), -1);
	assert_int_equal(amqp_next("\1\0\1\xff\xff\xff\xff", 7, 100, &f), -1);
	assert_int_equal(amqp_next("AMQP\0\0\11\1", 8, 100, &f), -1);
}

/* A text that is longer than what is left of its frame is none. */
static void lengths_are_not_trusted(void **state)
{
	const struct amqp_frame f = { .at = (const unsigned char *)"\xff" "abc", .size = 4 };
	struct amqp_in in = amqp_reading(&f);
	(void)state;
	assert_int_equal(amqp_get_short(&in).size, 0);
	assert_true(in.bad);
	in = amqp_reading(&f);
	assert_int_equal(amqp_get_long(&in).size, 0);
	assert_true(in.bad);
}

static void the_id_of_a_returned_message_is_found(void **state)
{
	struct sk_sink_item i = item_of("{\"contentType\":\"t\",\"expiration\":\"9\",\"headers\":{\"A\":\"b\",\"C\":\"d\"}}", "");
	struct amqp_out o = { .to = sk_alloc_text(&a, 1000) };
	struct amqp_frame f;
	(void)state;
	amqp_publish(&o, &i, 4096);
	long n = amqp_next(o.to, o.n, 4096, &f);
	assert_true(n > 0);
	assert_true(amqp_next(o.to + n, o.n - (size_t)n, 4096, &f) > 0);
	assert_int_equal(f.type, AMQP_HEADER);
	struct amqp_text id = amqp_message_id(&f);
	assert_int_equal(id.size, 2);
	assert_memory_equal(id.at, "0f", 2);
	f.size = 20;
	assert_int_equal(amqp_message_id(&f).size, 0);
	f.size = 0;
	assert_int_equal(amqp_message_id(&f).size, 0);
	sk_arena_reset(&a, 0);
}

/* "host|port|vhost|user|password|tls", or what is wrong. */
static const char *address(const char *fields)
{
	struct amqp_address to;
	const char *fault = amqp_address(json(fields), &a, &to);
	return fault ? fault : sk_printf(&a, "%s|%s|%s|%s|%d", to.shown, to.vhost, to.user, to.password, to.tls);
}

static void addresses_are_read(void **state)
{
	static const struct { const char *fields, *is; } cases[] = {
		{ "{\"url\":\"amqp://h\"}", "h:5672|/|guest|guest|0" },
		{ "{\"url\":\"amqps://u:p@[::1]/v%2fw\"}", "[::1]:5671|v/w|u|p|1" },
		{ "{\"url\":\"amqp://u:p@h:1/\",\"user\":\"v\",\"password\":\"q\"}", "h:1|/|v|q|0" },
		{ "{\"url\":\"amqp://h/%2f\"}", "h:5672|/|guest|guest|0" },
		{ "{\"url\":\"amqp://u@h\"}", "user and password go together" },
		{ "{\"url\":\"amqp://h?x\"}", "a URL of AMQP takes no ?" },
		{ "{\"url\":\"http://h\"}", "url must be amqp:// or amqps://" },
		{ "{\"url\":\"amqp://\"}", "the URL has no host" },
		{ "{\"url\":\"amqp://h\",\"tls\":{}}", "tls is for amqps:// only" },
		{ "{\"url\":\"amqps://h\",\"tls\":{\"key\":\"k\"}}", "tls.certificate and tls.key go together" },
		{ "{}", "there is no url" },
	};
	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
		assert_string_equal(address(cases[i].fields), cases[i].is);
	sk_arena_reset(&a, 0);
}

/* Chunks are large: one that fails is all that an address needs. Nothing is read that is not there. */
static void without_memory_an_address_is_refused(void **state)
{
	cJSON *fields = json("{\"url\":\"amqps://u:p@h:1/v\"}");
	struct sk_arena none = { .limit = 1 };
	struct amqp_address to;
	(void)state;
	const char *fault = amqp_address(fields, &none, &to);
	assert_true(fault || none.failed);
	sk_arena_free(&none);
	sk_arena_reset(&a, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(items_become_frames),
		cmocka_unit_test(what_cannot_be_published_is_told),
		cmocka_unit_test(frames_are_read),
		cmocka_unit_test(lengths_are_not_trusted),
		cmocka_unit_test(the_id_of_a_returned_message_is_found),
		cmocka_unit_test(addresses_are_read),
		cmocka_unit_test(without_memory_an_address_is_refused),
	};
	int failed = cmocka_run_group_tests(tests, NULL, NULL);
	sk_arena_free(&a);
	return failed;
}
