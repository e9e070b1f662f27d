/* engine_state.c -- see engine_state.h. */
#include "plugins/rules/engine_state.h"

#include <stdlib.h>
#include <string.h>

#include "plugins/rules/engine_thread.h"

struct lua_overlay {
	struct lua_overlay *next;
	int64_t n;
	char *text;  /* of the value; NULL: removed */
	size_t size;
	char key[];
};

/* Whatever a key holds, a record's key has letters, digits and "-_.~:@" of it as they are and the rest as %XX. */
char *lua_state_key(struct sk_arena *a, const char *rule, const char *key)
{
	static const char digits[] = "0123456789ABCDEF", plain[] = "-_.~:@";
	size_t n = strlen(key);
	char *out = n && n <= STATE_KEY_MOST ? sk_alloc(a, 3 * n + 1) : NULL, *at = out;
	for (const unsigned char *s = (const unsigned char *)key; out && *s; s++) {
		bool as_is = (*s >= '0' && *s <= '9') || ((*s | 32) >= 'a' && (*s | 32) <= 'z') || strchr(plain, *s);
		if (as_is)
			*at++ = (char)*s;
		else {
			*at++ = '%';
			*at++ = digits[*s >> 4];
			*at++ = digits[*s & 15];
		}
	}
	char *whole = out ? sk_printf(a, "rule/%s/state/%s", rule, out) : NULL;
	return whole && strlen(whole) <= SK_KEY_MAX ? whole : NULL;
}

static struct lua_overlay **find(struct live_rule *r, const char *key)
{
	struct lua_overlay **at = &r->overlay;
	while (*at && strcmp((*at)->key, key))
		at = &(*at)->next;
	return at;
}

int64_t lua_state_number(const uint8_t seed[16])
{
	int64_t n = 0;
	for (int i = 0; i < 6; i++)
		n = n << 8 | seed[i];
	return n + 1;
}

const cJSON *lua_state_get(struct rules_thread *t, struct live_rule *r, const char *record_key, int64_t *n)
{
	const struct lua_overlay *o = r ? *find(r, record_key) : NULL;
	if (!o) {
		bool failed = false;
		const cJSON *record = world_record(t, record_key, &failed);
		*n = failed ? -1 : sk_json_int_of(record, "n", 0);
		return sk_json_get(record, "v");
	}
	*n = o->text ? o->n : 0;
	return o->text ? sk_json_parse(&t->arena, o->text, o->size, NULL, NULL) : NULL;
}

int lua_state_sent(struct rules_thread *t, struct live_rule *r, const char *record_key, const cJSON *value, int64_t n)
{
	struct lua_overlay **at = find(r, record_key), *o = *at;
	size_t size = 0;
	const char *text = value ? sk_json_print(&t->arena, value, &size) : NULL;
	char *copy = text ? strdup(text) : NULL;
	if (value && !copy)
		return -1;
	if (!o) {
		o = calloc(1, sizeof *o + strlen(record_key) + 1);
		if (!o) {
			free(copy);
			return -1;
		}
		strcpy(o->key, record_key);
		*at = o;
	}
	free(o->text);
	o->text = copy;
	o->size = size;
	o->n = n;
	return 0;
}

void lua_state_free(struct lua_overlay **o)
{
	while (*o) {
		struct lua_overlay *next = (*o)->next;
		free((*o)->text);
		free(*o);
		*o = next;
	}
}
