/* shadow_fuzz.c -- the shadow engine against its own promises and a naive merge.
 *
 * Input: lines. The first is a stored document, whatever it may be; the others are requests in a row: one that begins with
 * 'g' or 'd' is a get or a delete, any other an update. With an empty first line all that is stored came from the
 * engine, and then every accepted update must keep the invariants below. */
#include <stdlib.h>
#include <string.h>

#include "shadow/shadow.h"
#include "tests/fuzz/expect.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const cJSON *path(const cJSON *node, const char *first, const char *second)
{
	return sk_json_get(sk_json_get(node, first), second);
}

/* Is every wish fulfilled? */
static bool is_subset(const cJSON *desired, const cJSON *reported)
{
	if (!cJSON_IsObject(desired) || !cJSON_IsObject(reported))
		return !desired || (reported && sk_json_equal(desired, reported));
	SK_JSON_EACH(wish, desired)
		if (!is_subset(wish, sk_json_get(reported, wish->string)))
			return false;
	return true;
}

/* Same shape and order, and a timestamp for each scalar. */
static bool mirrors(const cJSON *metadata, const cJSON *state)
{
	const cJSON *m = metadata ? metadata->child : NULL;

	if (!cJSON_IsObject(state) && !cJSON_IsArray(state))
		return cJSON_IsNumber(sk_json_get(metadata, "timestamp")) && sk_json_count(metadata) == 1;
	if (!metadata || (cJSON_IsArray(metadata) != cJSON_IsArray(state)))
		return false;
	SK_JSON_EACH(s, state) {
		if (!m || (s->string && strcmp(s->string, m->string)) || !mirrors(m, s))
			return false;
		m = m->next;
	}
	return !m;
}

static bool has_null(const cJSON *node)
{
	SK_JSON_EACH(child, node)
		if (cJSON_IsNull(child) || has_null(child))
			return true;
	return false;
}

/* RFC 7396, and what is in arrays loses its nulls too. */
static cJSON *naive_merge(struct sk_arena *a, const cJSON *old, const cJSON *patch)
{
	cJSON *out;

	if (cJSON_IsArray(patch)) {
		out = sk_json_array(a);
		SK_JSON_EACH(element, patch)
			sk_json_append(out, naive_merge(a, NULL, element));
		return out;
	}
	if (!cJSON_IsObject(patch))
		return sk_json_copy(a, patch);
	out = cJSON_IsObject(old) ? sk_json_copy(a, old) : sk_json_object(a);
	SK_JSON_EACH(change, patch) {
		if (cJSON_IsNull(change))
			sk_json_remove(out, change->string);
		else
			sk_json_set(a, out, change->string, naive_merge(a, sk_json_get(out, change->string), change));
	}
	return out;
}

static void check_section(const struct shadow_call *c, const cJSON *stored, const cJSON *request, const struct shadow_result *r,
                          const char *name)
{
	const cJSON *state = sk_json_get(request, "state"), *patch = sk_json_get(state, name);
	const cJSON *old = path(stored, "state", name);
	const cJSON *now = path(r->next, "state", name);
	cJSON *naive = NULL;

	if (cJSON_IsObject(patch))
		naive = naive_merge(c->arena, old, patch);
	else if (!patch && !cJSON_IsNull(state))
		naive = sk_json_copy(c->arena, old);
	expect(sk_json_count(naive) ? sk_json_equal(naive, now) : !now);
	expect(!now || (sk_json_count(now) && mirrors(path(r->next, "metadata", name), now)));
	expect(!has_null(now) && sk_json_depth(now) <= c->limits.depth);
}

static void check_update(const struct shadow_call *c, const cJSON *stored, const cJSON *request, const struct shadow_result *r)
{
	const cJSON *desired = path(r->next, "state", "desired"), *reported = path(r->next, "state", "reported");
	size_t n, nd = 0, nr = 0;
	const char *text = sk_json_print(c->arena, r->next, &n);

	expect(sk_json_int_of(r->next, "version", -1) == sk_json_int_of(stored, "version", 0) + 1);
	expect(sk_json_equal(sk_json_parse(c->arena, text, n, NULL, NULL), r->next));
	expect(!r->delta == is_subset(desired, reported));
	expect(!r->delta || (is_subset(sk_json_get(r->delta, "state"), desired) && sk_json_count(sk_json_get(r->delta, "state"))));
	expect(!r->delta || mirrors(sk_json_get(r->delta, "metadata"), sk_json_get(r->delta, "state")));
	expect(sk_json_equal(sk_json_get(r->accepted, "state"), sk_json_get(request, "state")));
	expect(sk_json_equal(sk_json_get(r->documents, "current"), r->next));
	check_section(c, stored, request, r, "desired");
	check_section(c, stored, request, r, "reported");
	sk_json_print(c->arena, desired, &nd);
	sk_json_print(c->arena, reported, &nr);
	expect((desired ? nd : 0) + (reported ? nr : 0) <= c->limits.size);
}

static int serve(const struct shadow_call *c, const cJSON *stored, const char *line, size_t n, struct shadow_result *r, bool ours)
{
	const bool is_get = n && *line == 'g', is_delete = n && *line == 'd';
	const cJSON *request = NULL;
	int rc = shadow_parse(c, line + (is_get || is_delete), n - (is_get || is_delete), &request, r);

	if (is_delete)
		return shadow_delete(c, stored, request, r);
	if (is_get)
		return shadow_get(c, stored, request, r);
	if (!rc)
		rc = shadow_update(c, stored, request, r);
	if (!rc && ours)
		check_update(c, stored, request, r);
	return rc;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct sk_arena a = { 0 };
	const struct shadow_call c = { .arena = &a, .limits = { 256, 5 }, .now_ms = 100999, .name = "lamp" };
	const char *text = (const char *)data, *end = text + size;
	const cJSON *stored = NULL;
	bool ours = true;

	for (bool first = true; text < end; first = false) {
		const char *stop = memchr(text, '\n', (size_t)(end - text));
		size_t n = (size_t)((stop ? stop : end) - text);
		struct shadow_result r = { 0 };
		if (first) {
			stored = sk_json_parse(&a, text, n, NULL, NULL);
			ours = !stored;
		} else {
			int rc = serve(&c, stored, text, n, &r, ours);
			expect(rc ? r.message && !r.next && !r.accepted : r.accepted && !r.message);
			expect(!rc || sk_json_get(shadow_rejected(&c, rc, &r), "code"));
			stored = r.next ? r.next : stored;
		}
		text += n + 1;
	}
	sk_arena_free(&a);
	return 0;
}
