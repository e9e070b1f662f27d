/* claim_codes.c -- codes that name devices. AWS's manufacturers gave them out with the buttons; here an operator does. */
#include <stdint.h>

#include "core/plugin.h"
#include "plugins/button/button.h"
#include "plugins/button/pages.h"
#include "plugins/button/records.h"

#define OPS_FILE "plugins/button/claim_codes.ops"
#define OPS_GROUP button_claim_codes
#define OPS_SERVICE "skeeter"
#include "core/ops_table.h"

enum { CODE_LETTERS = 13 }; /* of five bits each, behind "C-" */

/* 65 bits of chance, in letters and digits that are not mistaken for each other. */
static const char *new_code(struct sk_call *c)
{
	static const char letters[] = "23456789ABCDEFGHJKLMNPQRSTUVWXYZ";
	uint8_t chance[CODE_LETTERS];
	char text[CODE_LETTERS + 1];

	sk_random(c, chance, sizeof(chance));
	for (int i = 0; i < CODE_LETTERS; i++)
		text[i] = letters[chance[i] % 32];
	text[CODE_LETTERS] = '\0';
	return sk_printf(c->arena, "C-%s", text);
}

static void show(struct sk_call *c, cJSON *out, const char *code, const cJSON *record)
{
	sk_json_set_string(c->arena, out, "claimCode", code);
	sk_json_set(c->arena, out, "deviceIds", sk_json_copy(c->arena, sk_json_get(record, "deviceIds")));
	sk_json_set(c->arena, out, "createdAt", sk_json_time(c->arena, sk_json_int_of(record, "createdAt", 0)));
}

/* Devices that were not known are from now on. */
static int CreateClaimCode(struct sk_call *c)
{
	const char *given = sk_json_text(c->in, "claimCode"), *code = given ? given : new_code(c);
	const cJSON *ids = sk_json_get(c->in, "deviceIds");
	cJSON *record = sk_json_object(c->arena);

	if (sk_get(c, "buttons/account/code/%s", code))
		return sk_fail(c, SK_E_RESOURCE_CONFLICT, "The claim code %s exists already", code);
	sk_json_set(c->arena, record, "deviceIds", sk_json_copy(c->arena, ids));
	sk_json_set_int(c->arena, record, "createdAt", c->now_ms);
	sk_put(c, record, "buttons/account/code/%s", code);
	SK_JSON_EACH(id, ids)
		if (!sk_get(c, "buttons/account/device/%s", id->valuestring) && !sk_get(c, "buttons/account/waiting/%s", id->valuestring))
			waiting_put(c, id->valuestring, NULL, sk_json_object(c->arena));
	show(c, c->out, code, record);
	return SK_OK;
}

static int ListClaimCodes(struct sk_call *c)
{
	int rc;
	struct sk_scan page = page_of(c, &rc, "buttons/account/code/");
	cJSON *list = sk_json_set_array(c->arena, c->out, "claimCodes");

	for (size_t i = 0; i < page.count; i++)
		show(c, sk_json_append(list, sk_json_object(c->arena)), page.row[i].name, page.row[i].document);
	return rc;
}

/* What was claimed by it stays claimed. */
static int DeleteClaimCode(struct sk_call *c)
{
	const char *code = sk_json_text(c->in, "claimCode");

	if (!sk_get(c, "buttons/account/code/%s", code))
		return sk_fail(c, SK_E_NOT_FOUND, "The claim code %s does not exist", code);
	sk_remove(c, "buttons/account/code/%s", code);
	return SK_OK;
}

static int ListUnclaimedDevices(struct sk_call *c)
{
	int rc;
	struct sk_scan page = page_of(c, &rc, "buttons/account/waiting/");
	cJSON *list = sk_json_set_array(c->arena, c->out, "devices");

	for (size_t i = 0; i < page.count; i++) {
		const cJSON *waiting = page.row[i].document;
		cJSON *one = sk_json_append(list, sk_json_object(c->arena));
		sk_json_set_string(c->arena, one, "deviceId", page.row[i].name);
		sk_json_set_string(c->arena, one, "type", sk_json_text(waiting, "type"));
		sk_json_set_string(c->arena, one, "state", sk_json_get(waiting, "initiatedAt") ? "CLAIM_INITIATED" : "UNCLAIMED");
		sk_json_set(c->arena, one, "seenAt", sk_json_time(c->arena, sk_json_int_of(waiting, "seenAt", 0)));
	}
	return rc;
}
