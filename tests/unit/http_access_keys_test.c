/* http_access_keys_test.c -- access keys from the operation that makes one to the request that it signs; the file that their secrets are sealed
 * under; the keyring under several threads. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
/* cmocka needs those first */
#include <cmocka.h>
#include <fcntl.h>
#include <pthread.h>
#include <sys/stat.h>
#include <unistd.h>

#include "plugins/http/access_keys.h"
#include "plugins/http/http.h"
#include "plugins/http/keyring.h"
#include "sigv4/canonical.h"
#include "tests/unit/fake_call.h"

#define SHAPES_FILE "plugins/http/http.shapes"
#define SHAPES_NAME shapes
#include "core/shape_table.h"

#define NOW_MS 1700000000123

static struct fake *f;
static struct http_state state;
static struct sk_arena arena;

static int setup(void **at)
{
	(void)at;
	memset(&state, 0, sizeof(state));
	memset(state.seal, 7, sizeof(state.seal));
	state.keys = keyring_new();
	f = fake_new();
	f->state = &state;
	fake_add_shapes(f, shapes);
	sk_arena_init(&arena, 0);
	fake_put(f, "registry/policy/reader", "{'policyDocument':'{}'}");
	return 0;
}

static int teardown(void **at)
{
	(void)at;
	fake_free(&f);
	keyring_free(&state.keys);
	sk_arena_free(&arena);
	return 0;
}

static int op(const char *name, const char *input)
{
	return fake_op(f, &access_keys_group, name, input);
}

/* What core does when the commit is done. */
static int tell(const char *id)
{
	const char *json = fake_get(f, sk_printf(&arena, "registry/access-key/%s", id));
	struct sk_bytes *bytes = json ? sk_bytes_new(json, strlen(json)) : NULL;
	int rc = access_keys_watch(&state, id, bytes);

	if (bytes)
		sk_bytes_unref(bytes);
	return rc;
}

struct made {
	const char *id, *secret;
};

static struct made make(const char *policies)
{
	struct made m;

	assert_int_equal(op("CreateAccessKey", sk_printf(&arena, "{'policyNames':%s}", policies)), SK_OK);
	m.id = sk_strdup(&arena, sk_json_text(f->out, "accessKeyId"));
	m.secret = sk_strdup(&arena, sk_json_text(f->out, "secretAccessKey"));
	assert_int_equal(tell(m.id), 0);
	return m;
}

/* What a request signed with that comes to: the policies, or NULL. */
static const char *signed_by(const struct made *m, const char *region)
{
	struct sigv4_field field[4] = { { "Host", "localhost" } };
	struct sigv4_request r = { "GET", "/things", "", field, 1 };
	struct sigv4_signer by = { .key_id = m->id, .secret = m->secret, .region = region, .service = "iot", .now_ms = NOW_MS };
	struct sigv4_body body = { "", 0 };
	struct sigv4_claim claim;
	struct sigv4_refusal no;
	struct keyring_grant grant;
	uint8_t key[SIGV4_HASH];
	struct sigv4_text t = { .a = &arena };

	r.headers += sigv4_sign(&arena, &r, &body, &by, field + 1);
	assert_int_equal(sigv4_read(&arena, &r, &claim, &no), 0);
	if (keyring_find(state.keys, &arena, &claim, key, &grant))
		return NULL;
	if (sigv4_judge(&arena, &r, &claim, &body, key, NOW_MS, &no))
		return "forged";
	for (size_t i = 0; i < grant.policies; i++)
		sigv4_puts(&t, sk_printf(&arena, "%s ", grant.policy[i]));
	sigv4_puts(&t, grant.all ? "all" : "");
	return sigv4_text_end(&t);
}

/* -- operations -- */

static void a_secret_is_shown_once_and_signs(void **at)
{
	struct made m = make("['reader','*']"), forged;
	const char *record = fake_get(f, sk_printf(&arena, "registry/access-key/%s", m.id));

	(void)at;
	assert_int_equal(strlen(m.id), 20);
	assert_int_equal(strncmp(m.id, "AKIA", 4), 0);
	assert_int_equal(strlen(m.secret), 40);
	assert_null(strstr(record, m.secret));
	assert_non_null(strstr(record, "\"status\":\"Active\""));
	assert_string_equal(signed_by(&m, "us-east-1"), "reader * all");
	forged = (struct made){ m.id, "another secret" };
	assert_string_equal(signed_by(&forged, "us-east-1"), "forged");
	assert_int_equal(op("ListAccessKeys", "{}"), SK_OK);
	assert_true(fake_is(f, f->out, sk_printf(&arena, "{'accessKeys':[{'accessKeyId':'%s','status':'Active','policyNames':['reader','*'],"
	                                                 "'createDate':1700000000.123}]}", m.id)));
}

static void two_keys_have_nothing_in_common(void **at)
{
	struct made one = make("['*']"), two = make("['*']");

	(void)at;
	assert_string_not_equal(one.id, two.id);
	assert_string_not_equal(one.secret, two.secret);
	assert_string_equal(signed_by(&one, "us-east-1"), "* all");
	two.id = one.id;
	assert_string_equal(signed_by(&two, "us-east-1"), "forged");
}

static void a_key_that_is_switched_off_or_deleted_is_unknown_at_once(void **at)
{
	struct made m = make("['*']");

	(void)at;
	assert_int_equal(op("UpdateAccessKey", sk_printf(&arena, "{'accessKeyId':'%s','status':'Inactive'}", m.id)), SK_OK);
	assert_null(sk_json_get(f->out, "secretAccessKey"));
	tell(m.id);
	assert_null(signed_by(&m, "us-east-1"));
	assert_int_equal(op("UpdateAccessKey", sk_printf(&arena, "{'accessKeyId':'%s','status':'Active','policyNames':['reader']}", m.id)), SK_OK);
	tell(m.id);
	assert_string_equal(signed_by(&m, "us-east-1"), "reader ");
	assert_int_equal(op("DeleteAccessKey", sk_printf(&arena, "{'accessKeyId':'%s'}", m.id)), SK_OK);
	tell(m.id);
	assert_null(signed_by(&m, "us-east-1"));
	assert_int_equal(op("DeleteAccessKey", sk_printf(&arena, "{'accessKeyId':'%s'}", m.id)), SK_E_NOT_FOUND);
	assert_int_equal(op("UpdateAccessKey", sk_printf(&arena, "{'accessKeyId':'%s'}", m.id)), SK_E_NOT_FOUND);
}

static void policies_must_exist_and_be_few(void **at)
{
	struct made m = make("['*']");

	(void)at;
	assert_int_equal(op("CreateAccessKey", "{'policyNames':['none']}"), SK_E_NOT_FOUND);
	assert_string_equal(f->message, "Policy none not found");
	assert_int_equal(op("CreateAccessKey", "{}"), SK_E_INVALID_REQUEST);
	assert_int_equal(op("CreateAccessKey", "{'policyNames':[]}"), SK_E_INVALID_REQUEST);
	assert_int_equal(op("CreateAccessKey", "{'policyNames':['*','*','*','*','*','*','*','*','*','*','*']}"), SK_E_INVALID_REQUEST);
	assert_int_equal(op("CreateAccessKey", "{'policyNames':['**']}"), SK_E_INVALID_REQUEST);
	assert_int_equal(op("UpdateAccessKey", sk_printf(&arena, "{'accessKeyId':'%s','policyNames':['none']}", m.id)), SK_E_NOT_FOUND);
	assert_int_equal(op("UpdateAccessKey", sk_printf(&arena, "{'accessKeyId':'%s','status':'On'}", m.id)), SK_E_INVALID_REQUEST);
}

static void nobody_but_an_operator_has_a_say(void **at)
{
	static const char *const inputs[][2] = { { "CreateAccessKey", "{'policyNames':['*']}" }, { "ListAccessKeys", "{}" },
		{ "UpdateAccessKey", "{'accessKeyId':'AKIAAAAAAAAAAAAAAAAA'}" }, { "DeleteAccessKey", "{'accessKeyId':'AKIAAAAAAAAAAAAAAAAA'}" } };

	(void)at;
	f->caller.kind = SK_HTTP;
	for (size_t i = 0; i < 4; i++) {
		assert_int_equal(op(inputs[i][0], inputs[i][1]), SK_E_FORBIDDEN);
		assert_string_equal(f->message, "Access keys are an operator's: use the skeeter command");
	}
	assert_int_equal(fake_count(f, "registry/access-key/"), 0);
}

static void memory_that_is_out_makes_no_key(void **at)
{
	size_t keys = 0;
	int failed = 0;

	(void)at;
	for (f->memory_limit = 64; f->memory_limit < 64 << 10; f->memory_limit *= 2) {
		int rc = op("CreateAccessKey", "{'policyNames':['*']}");
		assert_true(rc == SK_OK || rc == SK_E_UNAVAILABLE);
		failed += rc != SK_OK;
		keys += rc == SK_OK;
		assert_int_equal(fake_count(f, "registry/access-key/"), keys);
	}
	assert_true(failed > 0 && keys > 0);
}

/* -- sealing -- */

static void what_is_sealed_opens_with_its_key_for_its_id_only(void **at)
{
	uint8_t key[SK_SEAL_KEY] = { 1 }, other[SK_SEAL_KEY] = { 2 }, nonce[SK_SEAL_NONCE] = { 3 };
	const char *sealed = sk_seal_text(&arena, key, nonce, "AKIA", "secret");
	char changed[200];

	(void)at;
	assert_string_equal(sk_seal_read(&arena, key, "AKIA", sealed), "secret");
	assert_null(sk_seal_read(&arena, other, "AKIA", sealed));
	assert_null(sk_seal_read(&arena, key, "AKIB", sealed));
	for (size_t i = 0; i < strlen(sealed); i++) {
		strcpy(changed, sealed);
		changed[i] = changed[i] == 'A' ? 'B' : 'A';
		assert_null(sk_seal_read(&arena, key, "AKIA", changed));
		changed[i] = 0;
		assert_null(sk_seal_read(&arena, key, "AKIA", changed));
	}
	assert_string_equal(sk_seal_read(&arena, key, "", sk_seal_text(&arena, key, nonce, "", "")), "");
	assert_null(sk_seal_read(&arena, key, "AKIA", "===="));
	assert_null(sk_seal_read(&arena, key, "AKIA", "not base64!!"));
}

static void a_store_with_another_key_file_gives_no_key(void **at)
{
	struct made m = make("['*']");

	(void)at;
	state.seal[0] ^= 1;
	assert_int_equal(tell(m.id), 0);
	assert_null(signed_by(&m, "us-east-1"));
	state.seal[0] ^= 1;
	assert_int_equal(tell(m.id), 0);
	assert_string_equal(signed_by(&m, "us-east-1"), "* all");
}

static char folder[] = "/tmp/access-keys-test-XXXXXX";

static void write_file(const char *path, const char *text, mode_t mode)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0600);

	assert_true(fd >= 0);
	assert_int_equal(write(fd, text, strlen(text)), (ssize_t)strlen(text));
	assert_int_equal(fchmod(fd, mode), 0);
	close(fd);
}

static void the_key_file_is_made_once_and_guarded(void **at)
{
	static const struct {
		const char *text;
		mode_t mode;
		const char *why;
	} bad[] = {
		{ "", 0600, "does not hold a key of 64 hexadecimal digits" },
		{ "00", 0600, "does not hold a key" },
		{ "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1g\n", 0600, "does not hold a key" },
		{ "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f\n\n", 0600, "does not hold a key" },
		{ "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f\n", 0640, "may be read by others than its owner: chmod 600 it" },
	};
	uint8_t fresh[SK_SEAL_KEY] = { 0xab, 1 }, key[SK_SEAL_KEY], again[SK_SEAL_KEY];
	char why[300], *path, *link_path;
	struct stat st;

	(void)at;
	assert_non_null(mkdtemp(folder));
	path = sk_printf(&arena, "%s/key", folder);
	link_path = sk_printf(&arena, "%s/link", folder);
	assert_int_equal(sk_seal_open("plugin_opt_key_file", path, fresh, key, why, sizeof(why)), 0);
	assert_memory_equal(key, fresh, SK_SEAL_KEY);
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_mode & 07777, 0600);
	assert_int_equal(st.st_size, 65);
	memset(fresh, 9, sizeof(fresh));
	assert_int_equal(sk_seal_open("plugin_opt_key_file", path, fresh, again, why, sizeof(why)), 0);
	assert_memory_equal(again, key, SK_SEAL_KEY);
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		write_file(path, bad[i].text, bad[i].mode);
		assert_int_equal(sk_seal_open("plugin_opt_key_file", path, fresh, key, why, sizeof(why)), -1);
		if (!strstr(why, bad[i].why))
			fail_msg("%zu: %s", i, why);
	}
	assert_int_equal(symlink(path, link_path), 0);
	assert_int_equal(sk_seal_open("plugin_opt_key_file", link_path, fresh, key, why, sizeof(why)), -1);
	assert_int_equal(sk_seal_open("plugin_opt_key_file", folder, fresh, key, why, sizeof(why)), -1);
	assert_non_null(strstr(why, "is not a file"));
	assert_int_equal(sk_seal_open("plugin_opt_key_file", sk_printf(&arena, "%s/no/key", folder), fresh, key, why, sizeof(why)), -1);
	unlink(path);
	unlink(link_path);
	rmdir(folder);
}

/* -- the keyring -- */

static void keys_are_derived_for_any_number_of_regions(void **at)
{
	struct made m = make("['*']");

	(void)at;
	for (int round = 0; round < 2; round++)
		for (int i = 0; i < 10; i++)
			assert_string_equal(signed_by(&m, sk_printf(&arena, "region-%d", i)), "* all");
}

struct asking {
	struct made made;
	long found, forged;
};

static void *ask(void *at)
{
	struct asking *q = at;
	struct sk_arena a = { 0 };
	uint8_t right[SIGV4_HASH], key[SIGV4_HASH];

	for (int i = 0; i < 4000; i++) {
		const char *region = sk_printf(&a, "region-%d", i % 7);
		struct sigv4_claim claim = { .key_id = q->made.id, .date = "20231114", .region = region, .service = "iot" };
		struct keyring_grant grant;
		if (!keyring_find(state.keys, &a, &claim, key, &grant)) {
			sigv4_signing_key(q->made.secret, claim.date, claim.region, claim.service, right);
			q->found++;
			q->forged += memcmp(key, right, sizeof(key)) != 0 || grant.policies != 1;
		}
		sk_arena_reset(&a, 4096);
	}
	sk_arena_free(&a);
	return NULL;
}

static void keys_come_and_go_while_others_ask(void **at)
{
	struct made m = make("['*']");
	struct asking asking[2] = { { m, 0, 0 }, { m, 0, 0 } };
	pthread_t thread[2];
	const cJSON *all = sk_json_parse(&arena, "[\"*\"]", 5, NULL, NULL);

	(void)at;
	for (int i = 0; i < 2; i++)
		assert_int_equal(pthread_create(&thread[i], NULL, ask, &asking[i]), 0);
	for (int i = 0; i < 2000; i++)
		assert_int_equal(keyring_set(state.keys, m.id, i % 2 ? m.secret : NULL, all), 0);
	for (int i = 0; i < 2; i++)
		pthread_join(thread[i], NULL);
	assert_int_equal(asking[0].forged + asking[1].forged, 0);
	assert_true(asking[0].found <= 4000 && asking[1].found <= 4000);
	assert_string_equal(signed_by(&m, "us-east-1"), "* all");
}

/* What is not told of again after a gap is good until the end of it, and not longer. */
static void after_a_gap_keys_that_were_not_told_of_are_gone(void **at)
{
	struct made kept = make("['*']"), gone = make("['*']");

	(void)at;
	assert_int_equal(access_keys_reset(&state, SK_RESET_BEGINS), 0);
	assert_string_equal(signed_by(&gone, "eu-central-1"), "* all");
	assert_int_equal(tell(kept.id), 0);
	assert_int_equal(access_keys_reset(&state, SK_RESET_ENDS), 0);
	assert_int_equal(access_keys_reset(&state, SK_RESET_OVER), 0);
	assert_null(signed_by(&gone, "eu-central-1"));
	assert_string_equal(signed_by(&kept, "eu-central-1"), "* all");
	assert_int_equal(tell(gone.id), 0);
	assert_string_equal(signed_by(&gone, "eu-central-1"), "* all");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(a_secret_is_shown_once_and_signs, setup, teardown),
		cmocka_unit_test_setup_teardown(two_keys_have_nothing_in_common, setup, teardown),
		cmocka_unit_test_setup_teardown(a_key_that_is_switched_off_or_deleted_is_unknown_at_once, setup, teardown),
		cmocka_unit_test_setup_teardown(policies_must_exist_and_be_few, setup, teardown),
		cmocka_unit_test_setup_teardown(nobody_but_an_operator_has_a_say, setup, teardown),
		cmocka_unit_test_setup_teardown(memory_that_is_out_makes_no_key, setup, teardown),
		cmocka_unit_test_setup_teardown(what_is_sealed_opens_with_its_key_for_its_id_only, setup, teardown),
		cmocka_unit_test_setup_teardown(a_store_with_another_key_file_gives_no_key, setup, teardown),
		cmocka_unit_test_setup_teardown(the_key_file_is_made_once_and_guarded, setup, teardown),
		cmocka_unit_test_setup_teardown(keys_are_derived_for_any_number_of_regions, setup, teardown),
		cmocka_unit_test_setup_teardown(after_a_gap_keys_that_were_not_told_of_are_gone, setup, teardown),
		cmocka_unit_test_setup_teardown(keys_come_and_go_while_others_ask, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
