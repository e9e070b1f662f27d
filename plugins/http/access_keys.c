/* access_keys.c -- access keys: made, listed, switched on and off, deleted.
 *
 * registry/access-key/<id> is {status, sealedSecret, policyNames, createDate (ms), description?}. The secret leaves once, in the answer that
 * made it; what is stored of it is sealed (seal.h). Only operators have a say here, never a request that such a key signed. */
#include "plugins/http/access_keys.h"

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <string.h>

#include "core/call.h"
#include "plugins/http/http.h"
#include "plugins/http/keyring.h"
#include "core/seal.h"

#define OPS_FILE "plugins/http/access_keys.ops"
#define OPS_GROUP access_keys
#define OPS_SERVICE "skeeter"
#include "core/ops_table.h"

#define ACTIVE "Active"
enum { ID_RANDOM = 16, SECRET_RANDOM = 30 };

static int operators_only(struct sk_call *c)
{
	return c->caller->kind == SK_OPERATOR ? SK_OK : sk_fail(c, SK_E_FORBIDDEN, "Access keys are an operator's: use the skeeter command");
}

/* -- making -- */

/* As AWS's look: AKIA and 16 of A to Z and 2 to 7. */
static const char *new_id(struct sk_call *c)
{
	static const char letters[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
	unsigned char bytes[ID_RANDOM];
	char text[ID_RANDOM + 1] = "";

	sk_random(c, bytes, sizeof(bytes));
	for (int i = 0; i < ID_RANDOM; i++)
		text[i] = letters[bytes[i] & 31];
	return sk_printf(c->arena, "AKIA%s", text);
}

/* 40 characters of base64. */
static const char *new_secret(struct sk_call *c)
{
	unsigned char bytes[SECRET_RANDOM], text[SECRET_RANDOM / 3 * 4 + 1];
	const char *secret;

	sk_random(c, bytes, sizeof(bytes));
	EVP_EncodeBlock(text, bytes, sizeof(bytes));
	secret = sk_strdup(c->arena, (const char *)text);
	OPENSSL_cleanse(bytes, sizeof(bytes));
	OPENSSL_cleanse(text, sizeof(text));
	return secret;
}

/* Policies that exist. SK_OK, or ResourceNotFound. */
static int check_policies(struct sk_call *c, const cJSON *names)
{
	SK_JSON_EACH(name, names)
		if (strcmp(name->valuestring, KEYRING_ALL) && !sk_get(c, "registry/policy/%s", name->valuestring))
			return sk_fail(c, SK_E_NOT_FOUND, "Policy %s not found", name->valuestring);
	return SK_OK;
}

static void copy_members(struct sk_call *c, cJSON *to, const cJSON *from)
{
	static const char *const members[] = { "status", "policyNames", "description" };

	for (size_t i = 0; i < sizeof(members) / sizeof(members[0]); i++)
		if (sk_json_get(from, members[i]))
			sk_json_set(c->arena, to, members[i], sk_json_copy(c->arena, sk_json_get(from, members[i])));
}

static void describe(struct sk_call *c, cJSON *out, const char *id, const cJSON *record)
{
	sk_json_set_string(c->arena, out, "accessKeyId", id);
	copy_members(c, out, record);
	sk_json_set(c->arena, out, "createDate", sk_json_time(c->arena, sk_json_int_of(record, "createDate", 0)));
}

static int CreateAccessKey(struct sk_call *c)
{
	const struct http_state *s = c->state;
	int rc = operators_only(c);
	const char *id = new_id(c), *secret = new_secret(c), *sealed;
	uint8_t nonce[SK_SEAL_NONCE];
	cJSON *record = sk_json_object(c->arena);

	if (!rc)
		rc = check_policies(c, sk_json_get(c->in, "policyNames"));
	if (rc || !id || !secret)
		return rc;
	sk_random(c, nonce, sizeof(nonce));
	sealed = sk_seal_text(c->arena, s->seal, nonce, id, secret);
	if (!sealed)
		return sk_fail(c, SK_E_UNAVAILABLE, "The secret could not be sealed");
	sk_json_set_string(c->arena, record, "status", ACTIVE);
	sk_json_set_string(c->arena, record, "sealedSecret", sealed);
	sk_json_set_int(c->arena, record, "createDate", c->now_ms);
	copy_members(c, record, c->in);
	sk_put(c, record, "registry/access-key/%s", id);
	describe(c, c->out, id, record);
	sk_json_set_string(c->arena, c->out, "secretAccessKey", secret);
	return SK_OK;
}

/* -- the rest -- */

static int ListAccessKeys(struct sk_call *c)
{
	int rc = operators_only(c);
	struct sk_scan keys = { 0 };
	cJSON *list;

	if (!rc)
		keys = sk_scan_page(c, &rc, "registry/access-key/");
	if (rc)
		return rc;
	list = sk_json_set_array(c->arena, c->out, "accessKeys");
	for (size_t i = 0; i < keys.count; i++)
		describe(c, sk_json_append(list, sk_json_object(c->arena)), keys.row[i].name, keys.row[i].document);
	return SK_OK;
}

static const cJSON *record_or_fail(struct sk_call *c, const char *id, int *rc)
{
	const cJSON *record = sk_get(c, "registry/access-key/%s", id);

	*rc = operators_only(c);
	if (!*rc && !record)
		*rc = sk_fail(c, SK_E_NOT_FOUND, "The access key %s does not exist", id);
	return record;
}

static int UpdateAccessKey(struct sk_call *c)
{
	const char *id = sk_json_text(c->in, "accessKeyId");
	int rc;
	const cJSON *record = record_or_fail(c, id, &rc);
	cJSON *next = sk_json_copy(c->arena, record);

	if (!rc)
		rc = check_policies(c, sk_json_get(c->in, "policyNames"));
	if (rc)
		return rc;
	copy_members(c, next, c->in);
	sk_put(c, next, "registry/access-key/%s", id);
	describe(c, c->out, id, next);
	return SK_OK;
}

static int DeleteAccessKey(struct sk_call *c)
{
	const char *id = sk_json_text(c->in, "accessKeyId");
	int rc;

	record_or_fail(c, id, &rc);
	if (!rc)
		sk_remove(c, "registry/access-key/%s", id);
	return rc;
}

/* -- the keyring -- */

int access_keys_reset(void *state, enum sk_reset phase)
{
	struct http_state *s = state;

	if (phase == SK_RESET_BEGINS)
		keyring_begin(s->keys);
	else if (phase == SK_RESET_ENDS)
		keyring_end(s->keys);
	return 0;
}

/* The secret of a record that counts; NULL: none does. */
static char *secret_of(struct http_state *s, struct sk_arena *a, const char *id, const cJSON *record)
{
	const char *status = sk_json_text(record, "status"), *sealed = sk_json_text(record, "sealedSecret");
	char *secret;

	if (!status || strcmp(status, ACTIVE) || !sealed)
		return NULL;
	secret = sk_seal_read(a, s->seal, id, sealed);
	if (!secret)
		sk_log('e', "http", "access key %.128s is refused: its secret was not sealed with %s", id, s->key_path);
	return secret;
}

int access_keys_watch(void *state, const char *id, const struct sk_bytes *bytes)
{
	struct http_state *s = state;
	struct sk_arena memory;
	const cJSON *record;
	char *secret;
	int rc;

	sk_arena_init(&memory, 0);
	record = bytes ? sk_json_parse(&memory, bytes->data, bytes->size, NULL, NULL) : NULL;
	secret = secret_of(s, &memory, id, record);
	rc = keyring_set(s->keys, id, memory.failed ? NULL : secret, sk_json_get(record, "policyNames"));
	if (memory.failed)
		rc = -1;
	if (secret)
		OPENSSL_cleanse(secret, strlen(secret));
	sk_arena_free(&memory);
	return rc;
}
