/* engines_memory_test.c -- core's engines, the shadow engine, dumps and what the command reads, with memory that fails at every point in turn:
 * each answers what its header says, gives back what it took, and goes on when there is memory again. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "cli/config.h"
#include "cli/store/dump.h"
#include "cli/suggest.h"
#include "cli/value.h"
#include "core/cache.h"
#include "core/ledger.h"
#include "core/options.h"
#include "core/plugin.h"
#include "core/presence.h"
#include "core/shape.h"
#include "core/store_internal.h"
#include "core/topic.h"
#include "shadow/shadow.h"
#include "tests/unit/scarce.h"

static const char document[] = "{\"a\":[1,-0.5e-3,true,null,\"x\\u00e9\\ud83d\\ude00\"],\"b\":{\"c\":9007199254740993,\"a\":{}},\"a\":2,\"d\":\"";

/* Long enough for several chunks of the arena. */
static const char *long_document(void)
{
	static char text[40000];
	size_t n = sizeof document - 1;

	memcpy(text, document, n);
	memset(text + n, 'z', 30000);
	strcpy(text + n + 30000, "\"}");
	return text;
}

/* -- JSON: NULL with SK_JSON_MEMORY, and the arena says that it failed -- */

static bool json_parses_and_prints(void *ctx)
{
	struct sk_arena a = { 0 };
	struct sk_json_error e = { 0 };
	const char *text = ctx;
	size_t n = 0;
	cJSON *tree = sk_json_parse(&a, text, strlen(text), NULL, &e);
	char *printed = sk_json_print(&a, tree, &n), *pretty = sk_json_print_pretty(&a, tree, NULL);
	cJSON *copy = sk_json_copy(&a, tree);

	assert_true(tree ? e.status == SK_JSON_OK : e.status == SK_JSON_MEMORY && a.failed);
	assert_true(printed || a.failed);
	assert_true(!printed || (strlen(printed) == n && pretty == NULL) == (a.failed && !pretty));
	if (tree && copy && !a.failed) {
		assert_true(sk_json_equal(tree, copy));
		sk_json_set_string(&a, copy, "e", "f");
		sk_json_remove(copy, "a");
	}
	bool good = tree && printed && pretty && copy && !a.failed;
	sk_arena_free(&a);
	return good;
}

static bool json_is_built(void *ctx)
{
	struct sk_arena a = { 0 };
	cJSON *object = sk_json_object(&a), *list = sk_json_set_array(&a, object, "list");
	const char *text;

	(void)ctx;
	for (int i = 0; i < 300; i++) {
		cJSON *one = sk_json_append(list, sk_json_object(&a));
		sk_json_set_int(&a, one, "n", INT64_MAX - i);
		sk_json_set_number(&a, one, "x", i / 7.0);
		sk_json_set_string(&a, sk_json_set_object(&a, one, "o"), "bad\xff", "\xfe bytes");
	}
	text = sk_json_print(&a, object, NULL);
	bool good = !a.failed;
	assert_true(!good || strstr(text, "9223372036854775807"));
	sk_arena_free(&a);
	return good;
}

static void json(void **state)
{
	(void)state;
	assert_true(scarce_everywhere(json_parses_and_prints, (void *)long_document()) > 3);
	assert_true(scarce_everywhere(json_is_built, NULL) > 3);
}

/* Deep trees are walked without recursion: the stack of the walk is memory too. */
static bool json_deep(void *ctx)
{
	struct sk_arena a = { 0 };
	struct sk_json_options opt = { .max_depth = 5000 };
	size_t n = 4000;
	char *text = sk_alloc_text(&a, 2 * n + 1);

	(void)ctx;
	if (text) {
		memset(text, '[', n);
		memset(text + n, ']', n);
		cJSON *tree = sk_json_parse(&a, text, 2 * n, &opt, NULL);
		int depth = tree ? sk_json_depth(tree) : 0;
		assert_true(!tree || depth == (int)n || (scarce_failed() && depth == INT32_MAX));
		sk_json_print(&a, tree, NULL);
		sk_json_copy(&a, tree);
		text = tree && depth == (int)n ? text : NULL;
	}
	bool good = text && !a.failed;
	sk_arena_free(&a);
	return good;
}

static void deep_json(void **state)
{
	(void)state;
	scarce_everywhere(json_deep, NULL);
}

/* -- shapes -- */

static const struct sk_shape shapes[] = {
	{ .name = "Key", .kind = SK_SHAPE_STRING, .min = 1, .max = 4, .text = "[a-z]+(x|y){0,2}" },
	{ .name = "Status", .kind = SK_SHAPE_ENUM, .text = "ON OFF" },
	{ .name = "Node", .kind = SK_SHAPE_STRUCT, .text = "k!:Key n:Nodes m:NodeMap" },
	{ .name = "Nodes", .kind = SK_SHAPE_LIST, .element = "Node", .min = 1, .max = 5 },
	{ .name = "NodeMap", .kind = SK_SHAPE_MAP, .key = "Key", .element = "Node" },
	{ 0 }
};

static bool shapes_are_added(void *ctx)
{
	char why[200] = "";
	struct sk_shapes *s = sk_shapes_new();
	bool added = s && !sk_shapes_add(s, shapes, why, sizeof why);
	struct sk_inputs *in = added ? sk_inputs_new(s, "/{thingName}/x", "?n:Node s!:Status t:TagList", true, why, sizeof why) : NULL;

	(void)ctx;
	assert_true(!s || in || *why);
	if (s && !in) { /* what failed before is done again */
		scarce_plenty();
		assert_int_equal(sk_shapes_add(s, shapes, why, sizeof why), 0);
		struct sk_inputs *now = sk_inputs_new(s, "/{thingName}/x", "?n:Node s!:Status t:TagList", true, why, sizeof why);
		assert_non_null(now);
		sk_inputs_free(&now);
		scarce_again();
	}
	bool good = in;
	sk_inputs_free(&in);
	sk_shapes_free(&s);
	return good;
}

struct check {
	struct sk_inputs *in;
	const char *text;
	bool fits;
};

/* A check must never pass what is wrong because it could not say so. */
static bool shape_is_checked(void *ctx)
{
	const struct check *c = ctx;
	struct sk_arena a = { 0 }, scratch = { 0 };
	const char *message = NULL;

	scarce_plenty();
	cJSON *tree = sk_json_parse(&scratch, c->text, strlen(c->text), NULL, NULL);
	scarce_again();
	int rc = sk_inputs_check(c->in, &a, tree, &message);
	assert_true(c->fits ? rc == 0 || scarce_failed() : rc == -1);
	assert_true(!message || rc);
	bool good = c->fits ? rc == 0 : message && !a.failed;
	sk_arena_free(&a);
	sk_arena_free(&scratch);
	return good;
}

static void the_check_of_shapes(void **state)
{
	static const char *const texts[] = {
		"{\"thingName\":\"lamp\",\"s\":\"ON\",\"n\":{\"k\":\"a\",\"n\":[{\"k\":\"b\"}],\"m\":{\"c\":{\"k\":\"d\"}}},\"t\":[{\"Key\":\"k\"}]}",
		"{\"thingName\":\"a b\",\"s\":\"NO\",\"n\":{\"k\":\"\",\"n\":[],\"m\":{\"C\":{\"k\":7}}},\"t\":[{}]}",
	};
	char why[200];
	struct sk_shapes *s = sk_shapes_new();

	(void)state;
	assert_true(scarce_everywhere(shapes_are_added, NULL) > 20);
	assert_int_equal(sk_shapes_add(s, shapes, why, sizeof why), 0);
	struct sk_inputs *in = sk_inputs_new(s, "/{thingName}", "n:Node s!:Status t:TagList", true, why, sizeof why);
	assert_non_null(in);
	for (size_t i = 0; i < 2; i++)
		scarce_everywhere(shape_is_checked, &(struct check){ in, texts[i], i == 0 });
	sk_inputs_free(&in);
	sk_shapes_free(&s);
}

/* -- the topic trie: what was refused is not half there -- */

static bool trie_grows(void *ctx)
{
	static const char *const patterns[] = { "$aws/things/{thing}/shadow/update", "$aws/things/{thing}/shadow/name/{shadow}/update",
		"a/b", "a/{x}/c", "a/d", "a/e", "a/f", "a/g", "a/h", "a/i", "a/j", "a/k", "{all}" };
	enum { COUNT = sizeof patterns / sizeof *patterns };
	struct sk_trie *t = sk_trie_new();
	struct sk_topic_match m;
	bool there[COUNT], all = t;
	char why[100];

	(void)ctx;
	for (size_t i = 0; t && i < COUNT; i++) {
		there[i] = !sk_trie_add(t, patterns[i], (void *)patterns[i], why, sizeof why);
		all = all && there[i];
	}
	if (t) {
		assert_int_equal(sk_trie_find(t, "$aws/things/lamp/shadow/name/x/update", &m), there[1]);
		assert_int_equal(sk_trie_find(t, "a/b", &m), there[2]);
		assert_int_equal(sk_trie_find(t, "a/z/c", &m), there[3]);
		scarce_plenty();
		for (size_t i = 0; i < COUNT; i++)
			assert_int_equal(sk_trie_add(t, patterns[i], (void *)patterns[i], why, sizeof why), there[i] ? -1 : 0);
		scarce_again();
		assert_true(sk_trie_find(t, "$aws/things/lamp/shadow/name/x/update", &m) && m.row == patterns[1] && m.captures == 2);
		assert_true(sk_trie_find(t, "x", &m) && m.row == patterns[12]);
	}
	sk_trie_free(&t);
	return all;
}

static void the_trie(void **state)
{
	(void)state;
	assert_true(scarce_everywhere(trie_grows, NULL) > 10);
}

/* -- options -- */

struct settings {
	int64_t port;
	const char *path, *name;
};
static const struct sk_option options[] = {
	SK_OPTION(SK_INT, struct settings, port, "1", "1 9", ""),
	SK_OPTION(SK_STR, struct settings, path, "data", NULL, ""),
	SK_OPTION(SK_STR, struct settings, name, NULL, NULL, ""),
	{ 0 }
};

static bool options_are_read(void *ctx)
{
	const char *keys[] = { "path", "name" }, *values[] = { "here", "me" };
	struct settings s = { 0 };
	char why[100] = "";
	int rc = sk_options_read(options, &s, keys, values, 2, why, sizeof why);

	(void)ctx;
	assert_true(rc ? strstr(why, "memory") != NULL : !strcmp(s.path, "here") && !strcmp(s.name, "me"));
	sk_options_free(options, &s);
	return !rc;
}

static void reading_options(void **state)
{
	(void)state;
	assert_int_equal(scarce_everywhere(options_are_read, NULL), 3);
}

/* -- the ledger remembers less, and nothing of it breaks -- */

static void count_known(struct sk_known *k, void *ctx)
{
	assert_true(*k->id == 'c');
	++*(size_t *)ctx;
}

static bool ledger_is_kept(void *ctx)
{
	struct sk_ledger *l = sk_ledger_new(20, 4000);
	size_t known = 0, opened = 0;
	char id[20], topic[40];

	(void)ctx;
	for (int i = 0; i < 60; i++) {
		snprintf(id, sizeof id, "c%d", i % 40);
		struct sk_known *k = sk_ledger_open(l, id);
		assert_true(k || scarce_failed());
		if (!k)
			continue;
		opened++;
		sk_ledger_hold(l, k);
		sk_known_is(k, "principal", "address");
		sk_known_denied(k, "no statement allows it", 5);
		for (int d = 0; d < 5; d++) {
			snprintf(topic, sizeof topic, "t/%d", d * i);
			sk_ledger_did(l, k, SK_DID_PUBLISH, topic, d & 1, i);
		}
		sk_ledger_release(l, k);
		assert_ptr_equal(sk_ledger_find(l, id), k);
	}
	sk_ledger_each(l, count_known, &known);
	assert_true(known <= 20 && known <= opened);
	sk_ledger_free(&l);
	return known == 20 && !scarce_failed();
}

static void the_ledger(void **state)
{
	(void)state;
	assert_true(scarce_everywhere(ledger_is_kept, NULL) > 50);
}

/* -- the cache forgets, and what it answers is right -- */

static bool cache_is_kept(void *ctx)
{
	struct sk_cache c;
	bool all = true;
	char key[20];

	(void)ctx;
	sk_cache_init(&c, 1 << 20);
	for (int i = 0; i < 200; i++) {
		uint64_t version = 0;
		struct sk_bytes *bytes, *found = NULL;
		int n = snprintf(key, sizeof key, "k/%d", i % 150);
		scarce_plenty();
		bytes = sk_bytes_new(key, (size_t)n);
		scarce_again();
		sk_cache_put(&c, key, sk_hash(key, (size_t)n), bytes, (uint64_t)i + 1);
		if (sk_cache_get(&c, key, sk_hash(key, (size_t)n), &found, &version))
			assert_true(version == (uint64_t)i + 1 && found && !strcmp(found->data, key));
		else
			all = false;
		sk_bytes_unref(bytes);
		if (i == 100)
			sk_cache_compact(&c);
	}
	sk_cache_drop(&c, "k/3", sk_hash("k/3", 3));
	assert_true(all || scarce_failed());
	all = all && c.count == 149;
	sk_cache_free(&c);
	return all || !scarce_failed();
}

static void the_cache(void **state)
{
	(void)state;
	assert_true(scarce_everywhere(cache_is_kept, NULL) > 200);
}

/* -- presence -- */

static bool presence_is_told(void *ctx)
{
	struct sk_arena a = { 0 };
	struct sk_presence p = { .kind = SK_DISCONNECTED, .reason = SK_REASON_KEEPALIVE, .now_ms = 5, .version = 3, .client_id = "lamp",
		.session = "s", .principal = "p", .address = "192.0.2.1", .thing = "lamp" };
	const char *topic = sk_presence_topic(&a, p.kind, p.client_id), *text = sk_json_print(&a, sk_presence_document(&a, &p), NULL);
	bool good = topic && text;

	(void)ctx;
	assert_int_equal(good, !a.failed);
	sk_arena_free(&a);
	return good;
}

static void presence(void **state)
{
	(void)state;
	assert_true(scarce_everywhere(presence_is_told, NULL) > 0);
}

/* -- the shadow engine: SK_E_INTERNAL and nothing else -- */

static bool shadow_is_served(void *ctx)
{
	static char update[20000];
	struct sk_arena a = { 0 };
	const struct shadow_call c = { .arena = &a, .limits = shadow_limits_default, .now_ms = 5000, .name = "lamp" };
	const cJSON *stored = NULL, *request;
	struct shadow_result r;
	int rc = 0;

	(void)ctx;
	for (int i = 0; i < 3 && !rc; i++) {
		int n = snprintf(update, sizeof update, "{\"state\":{\"desired\":{\"a\":%d,\"b\":{\"c\":[1,{\"d\":null}]},\"x%d\":\"%*d\"},\"reported\":{\"a\":null}},\"clientToken\":\"t\"}", i, i, 6000, i);
		r = (struct shadow_result){ 0 };
		rc = shadow_parse(&c, update, (size_t)n, &request, &r);
		if (!rc)
			rc = shadow_update(&c, stored, request, &r);
		assert_true(rc ? !r.next && !r.accepted : r.next && r.accepted && r.delta && r.documents);
		stored = rc ? stored : r.next;
	}
	r = (struct shadow_result){ 0 };
	rc = rc ? rc : shadow_get(&c, stored, NULL, &r);
	r = (struct shadow_result){ 0 };
	rc = rc ? rc : shadow_delete(&c, stored, NULL, &r);
	assert_true(rc == 0 || rc == SK_E_INTERNAL);
	sk_arena_free(&a);
	return !rc;
}

static void the_shadow_engine(void **state)
{
	(void)state;
	assert_true(scarce_everywhere(shadow_is_served, NULL) > 1);
}

/* -- what the command reads -- */

static bool texts_are_read(void *ctx)
{
	struct sk_arena a = { 0 };
	struct value_error e = { "" };
	struct config c = { .arena = &a };
	cJSON *value = value_shorthand(&a, NULL, "a={b=1,c=[x,\"y z\"]},d=1,2,3", &e);

	(void)ctx;
	assert_true(value || *e.text);
	config_parse(&c, "file", "listener 1883\nplugin x\n# y\nplugin_opt_z 1\n");
	assert_true(c.lines == 3 || a.failed);
	value_word(&a, "true");
	bool good = value && !a.failed;
	sk_arena_free(&a);
	return good;
}

/* Half a policy is none. */
static bool policy_is_suggested(void *ctx)
{
	static const char deeds[] = "[{\"action\":\"iot:Connect\",\"allowed\":true},{\"action\":\"iot:Subscribe\",\"topicFilter\":\"lamp/+/#\",\"allowed\":true}]";
	struct sk_arena a = { 0 };
	struct suggest s = { .arena = &a, .arn = "arn:aws:iot:us-east-1:123456789012" };
	char one[400];

	(void)ctx;
	suggest_add(&s, sk_json_parse(&a, deeds, strlen(deeds), NULL, NULL), "lamp", "${iot:ClientId}");
	for (int i = 0; i < 40; i++) {
		snprintf(one, sizeof one, "[{\"action\":\"iot:Publish\",\"topic\":\"log/%d/%0200d/lamp\",\"allowed\":%s}]", i, i % 8, i % 3 ? "true" : "false");
		suggest_add(&s, sk_json_parse(&a, one, strlen(one), NULL, NULL), "lamp", "${iot:ClientId}");
	}
	const cJSON *policy = suggest_document(&s);
	assert_int_equal(!policy, a.failed);
	assert_true(!policy || sk_json_count(sk_json_get(policy, "Statement")) == 4);
	bool good = policy;
	sk_arena_free(&a);
	return good;
}

static void what_people_type(void **state)
{
	(void)state;
	assert_true(scarce_everywhere(policy_is_suggested, NULL) > 5);
	assert_true(scarce_everywhere(texts_are_read, NULL) > 0);
}

/* -- dumps: what is not whole is refused, by the writer or by the reader -- */

struct lines {
	char text[4000];
	size_t size;
};

static int put(void *ctx, const char *data, size_t n)
{
	struct lines *to = ctx;

	assert_true(to->size + n < sizeof to->text);
	memcpy(to->text + to->size, data, n);
	to->size += n;
	return 0;
}

static bool dump_is_read(const char *text, size_t size)
{
	struct dump_reader r = { 0 };
	enum dump_line kind = DUMP_HEADER;
	size_t records = 0;

	for (size_t n; size && kind != DUMP_WRONG; text += n, size -= n) {
		n = (size_t)((const char *)memchr(text, '\n', size) - text) + 1;
		kind = dump_read(&r, text, n);
		records += kind == DUMP_RECORD;
		assert_true((kind == DUMP_WRONG) == (*r.why != 0));
	}
	bool whole = !dump_read_end(&r);
	assert_true(whole ? records == 2 : *r.why && scarce_failed());
	dump_reader_free(&r);
	return whole;
}

static bool dump_goes_round(void *ctx)
{
	static const struct view_record records[] = {
		{ .key = { "a/b/c", 5 }, .data = { "{\"a\":[1.50,null]}", 18 }, .version = 3 },
		{ .key = { "a/b/\xff", 5 }, .data = { "\0\1", 2 }, .version = 4 },
	};
	struct lines out = { .size = 0 };
	struct dump_writer w = { .put = put, .ctx = &out };
	bool written = !dump_begin(&w, 9) && !dump_record(&w, &records[0]) && !dump_record(&w, &records[1]) && !dump_footer(&w);

	(void)ctx;
	dump_end(&w);
	assert_true(written || scarce_failed());
	return written && dump_is_read(out.text, out.size);
}

static void dumps(void **state)
{
	(void)state;
	assert_true(scarce_everywhere(dump_goes_round, NULL) > 3);
}

/* -- the store's map and log rows -- */

static bool map_is_filled(void *ctx)
{
	struct sk_map m;
	struct sk_row row = { 0 };
	bool all = !sk_row_start(&row);
	char key[20];

	(void)ctx;
	sk_map_init(&m);
	for (int i = 0; i < 50; i++) {
		struct sk_entry *e, *trash = NULL;
		struct sk_slice at = { key, (size_t)snprintf(key, sizeof key, "a/b/%d", i % 40) };
		e = sk_entry_new(&m, SK_RECORD, at);
		if (e) {
			e->version = (uint64_t)i + 1;
			bool value = (e->bytes = sk_bytes_new(key, at.size));
			sk_map_put(&m, e, &trash); /* without a value: a tombstone of what no table holds */
			const struct sk_entry *found = sk_map_find(&m, SK_RECORD, at);
			assert_true(value ? found && found->version == (uint64_t)i + 1 && found->bytes->size == at.size : !found);
			all = all && value;
		}
		for (struct sk_entry *next; trash; trash = next) {
			next = trash->older;
			sk_entry_free(trash);
		}
		struct sk_store_write write = { .space = SK_RECORD, .key = key };
		struct sk_commit commit = { .partition = "a/b", .writes = &write, .write_count = 1 };
		all = e && all && !sk_row_add(&row, &commit);
	}
	sk_map_free(&m);
	free(row.data);
	return all;
}

static void map_and_rows(void **state)
{
	(void)state;
	assert_true(scarce_everywhere(map_is_filled, NULL) > 50);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(json), cmocka_unit_test(deep_json), cmocka_unit_test(the_check_of_shapes), cmocka_unit_test(the_trie),
		cmocka_unit_test(reading_options), cmocka_unit_test(the_ledger), cmocka_unit_test(the_cache), cmocka_unit_test(presence),
		cmocka_unit_test(the_shadow_engine), cmocka_unit_test(what_people_type),
		cmocka_unit_test(dumps), cmocka_unit_test(map_and_rows),
	};

	scarce_libraries();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
