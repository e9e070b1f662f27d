/* document.c -- the three requests: update, get, delete. Here the parts come together; start reading here.
 *
 * Every update that is accepted adds one to the version, also when nothing changed; the count survives a delete. */
#include "shadow/shadow.h"

static const char *const sections[] = { "desired", "reported" };
enum { SECTIONS = sizeof(sections) / sizeof(*sections) };

static int64_t seconds(const struct shadow_call *c)
{
	return c->now_ms / 1000;
}

static int refuse(struct shadow_result *out, int code, const char *message)
{
	*out = (struct shadow_result){ .token = out->token, .message = message };
	return code;
}

static int finish(const struct shadow_call *c, struct shadow_result *out)
{
	return c->arena->failed ? refuse(out, SK_E_INTERNAL, "Internal service failure") : SK_OK;
}

static bool exists(const cJSON *stored)
{
	return sk_json_get(stored, "state");
}

static int refuse_absent(const struct shadow_call *c, struct shadow_result *out)
{
	return refuse(out, SK_E_NOT_FOUND, sk_printf(c->arena, "No shadow exists with name: '%s'", c->name));
}

/* Every reply ends with the time and, if the request had one, the clientToken. */
static void sign(const struct shadow_call *c, cJSON *reply, const char *token)
{
	sk_json_set_int(c->arena, reply, "timestamp", seconds(c));
	sk_json_set_string(c->arena, reply, "clientToken", token);
}

static void share(struct sk_arena *a, cJSON *to, const char *key, const cJSON *value)
{
	sk_json_add(a, to, key, shadow_share(a, value));
}

/* -- update -- */

static struct shadow_tree section_of(const cJSON *document, const char *name)
{
	return (struct shadow_tree){ sk_json_get(sk_json_get(document, "state"), name),
		                     sk_json_get(sk_json_get(document, "metadata"), name) };
}

/* A section after the request. "state":null clears both sections, "desired":null one. */
static struct shadow_tree next_section(const struct shadow_call *c, struct shadow_tree old, const cJSON *state, const char *name)
{
	const cJSON *patch = sk_json_get(state, name);

	if (cJSON_IsNull(state) || cJSON_IsNull(patch))
		return (struct shadow_tree){ 0 };
	return patch ? shadow_merge(c->arena, old, patch, seconds(c)) : old;
}

static cJSON *next_document(const struct shadow_call *c, const cJSON *stored, const cJSON *request)
{
	cJSON *next = sk_json_object(c->arena);
	cJSON *state = sk_json_set_object(c->arena, next, "state");
	cJSON *metadata = sk_json_set_object(c->arena, next, "metadata");

	for (int i = 0; i < SECTIONS; i++) {
		struct shadow_tree old = section_of(stored, sections[i]);
		struct shadow_tree now = next_section(c, old, sk_json_get(request, "state"), sections[i]);
		if (!sk_json_count(now.state)) /* an empty section disappears */
			continue;
		share(c->arena, state, sections[i], now.state);
		share(c->arena, metadata, sections[i], now.metadata);
	}
	sk_json_set_int(c->arena, next, "version", sk_json_int_of(stored, "version", 0) + 1);
	return next;
}

/* Only the sections and keys of the request, nulls as they came. */
static cJSON *accepted(const struct shadow_call *c, const cJSON *next, const cJSON *request, const char *token)
{
	cJSON *reply = sk_json_object(c->arena);
	const cJSON *state = sk_json_get(request, "state");

	share(c->arena, reply, "state", state);
	sk_json_add(c->arena, reply, "metadata", shadow_stamp(c->arena, state, seconds(c)));
	share(c->arena, reply, "version", sk_json_get(next, "version"));
	sign(c, reply, token);
	return reply;
}

static cJSON *delta(const struct shadow_call *c, const cJSON *next, const char *token)
{
	struct shadow_tree desired = section_of(next, "desired");
	cJSON *open = shadow_delta(c->arena, desired.state, section_of(next, "reported").state);
	cJSON *reply;

	if (!open)
		return NULL;
	reply = sk_json_object(c->arena);
	share(c->arena, reply, "version", sk_json_get(next, "version"));
	sk_json_set_int(c->arena, reply, "timestamp", seconds(c));
	sk_json_add(c->arena, reply, "state", open);
	sk_json_add(c->arena, reply, "metadata", shadow_stamps_of(c->arena, open, desired.metadata));
	sk_json_set_string(c->arena, reply, "clientToken", token);
	return reply;
}

/* What was there before: of a shadow that did not exist, an empty one. */
static cJSON *previous(const struct shadow_call *c, const cJSON *stored)
{
	cJSON *empty;

	if (exists(stored))
		return shadow_share(c->arena, stored);
	empty = sk_json_object(c->arena);
	sk_json_set_object(c->arena, empty, "state");
	sk_json_set_object(c->arena, empty, "metadata");
	sk_json_set_int(c->arena, empty, "version", sk_json_int_of(stored, "version", 0));
	return empty;
}

static cJSON *documents(const struct shadow_call *c, const cJSON *stored, const cJSON *next, const char *token)
{
	cJSON *reply = sk_json_object(c->arena);

	sk_json_add(c->arena, reply, "previous", previous(c, stored));
	share(c->arena, reply, "current", next);
	sign(c, reply, token);
	return reply;
}

/* "A request version must equal the stored version": 0 of a shadow that never was, the last one of a deleted shadow. */
static bool conflicts(const cJSON *stored, const cJSON *request)
{
	int64_t wanted;

	return sk_json_to_int(sk_json_get(request, "version"), &wanted) && wanted != sk_json_int_of(stored, "version", 0);
}

int shadow_update(const struct shadow_call *c, const cJSON *stored, const cJSON *request, struct shadow_result *out)
{
	const cJSON *next;
	int rc;

	*out = (struct shadow_result){ 0 };
	rc = shadow_check_update(c, request, out);
	if (rc)
		return rc;
	if (conflicts(stored, request))
		return refuse(out, SK_E_CONFLICT, "Version conflict");
	next = next_document(c, stored, request);
	if (shadow_too_large(c->arena, sk_json_get(next, "state"), c->limits.size))
		return refuse(out, SK_E_TOO_LARGE, "The payload exceeds the maximum size allowed");
	out->next = next;
	out->accepted = accepted(c, next, request, out->token);
	out->delta = delta(c, next, out->token);
	out->documents = documents(c, stored, next, out->token);
	return finish(c, out);
}

/* -- get -- */

/* The stored sections, and delta beside them when there is one. */
static cJSON *visible_state(const struct shadow_call *c, const cJSON *stored)
{
	cJSON *state = sk_json_object(c->arena);
	const cJSON *desired = section_of(stored, "desired").state;
	const cJSON *reported = section_of(stored, "reported").state;

	share(c->arena, state, "desired", desired);
	share(c->arena, state, "reported", reported);
	sk_json_add(c->arena, state, "delta", shadow_delta(c->arena, desired, reported));
	return state;
}

int shadow_get(const struct shadow_call *c, const cJSON *stored, const cJSON *request, struct shadow_result *out)
{
	cJSON *reply;
	int rc;

	*out = (struct shadow_result){ .token = shadow_token(request) };
	rc = shadow_check_get(request, out);
	if (rc)
		return rc;
	if (!exists(stored))
		return refuse_absent(c, out);
	reply = sk_json_object(c->arena);
	sk_json_add(c->arena, reply, "state", visible_state(c, stored));
	share(c->arena, reply, "metadata", sk_json_get(stored, "metadata"));
	share(c->arena, reply, "version", sk_json_get(stored, "version"));
	sign(c, reply, out->token);
	out->accepted = reply;
	return finish(c, out);
}

/* -- delete -- */

static cJSON *tombstone(const struct shadow_call *c, const cJSON *stored)
{
	cJSON *stone = sk_json_object(c->arena);

	share(c->arena, stone, "version", sk_json_get(stored, "version"));
	sk_json_set_int(c->arena, stone, "deletedAt", seconds(c));
	return stone;
}

int shadow_delete(const struct shadow_call *c, const cJSON *stored, const cJSON *request, struct shadow_result *out)
{
	cJSON *reply;

	*out = (struct shadow_result){ .token = shadow_token(request) };
	if (!exists(stored))
		return refuse_absent(c, out);
	reply = sk_json_object(c->arena);
	share(c->arena, reply, "version", sk_json_get(stored, "version"));
	sign(c, reply, out->token);
	out->accepted = reply;
	out->next = tombstone(c, stored);
	return finish(c, out);
}

/* -- errors -- */

cJSON *shadow_rejected(const struct shadow_call *c, int code, const struct shadow_result *out)
{
	cJSON *reply = sk_json_object(c->arena);

	sk_json_set_int(c->arena, reply, "code", sk_error_info(code)->http);
	sk_json_set_string(c->arena, reply, "message", out->message);
	sign(c, reply, out->token);
	return reply;
}
