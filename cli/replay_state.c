/* replay_state.c -- see replay.h: keys and values of Lua rules, as printed JSON in a table of chains. */
#include <stdlib.h>
#include <string.h>

#include "cli/replay.h"
#include "core/cache.h"

enum { CHAINS = 4096 };

struct entry {
	struct entry *next;
	char *value;
	size_t rule; /* bytes of the rule's name */
	char key[];  /* "rule\nkey" */
};
struct replay_kept {
	struct entry *chain[CHAINS];
};

struct replay_kept *replay_kept_new(void)
{
	return calloc(1, sizeof(struct replay_kept));
}

static void entry_free(struct entry **at)
{
	struct entry *e = *at;
	*at = e->next;
	free(e->value);
	free(e);
}

void replay_kept_free(struct replay_kept **at)
{
	struct replay_kept *k = *at;
	*at = NULL;
	for (size_t i = 0; k && i < CHAINS; i++)
		while (k->chain[i])
			entry_free(&k->chain[i]);
	free(k);
}

static bool is(const struct entry *e, const char *rule, const char *key)
{
	return e->rule == strlen(rule) && !memcmp(e->key, rule, e->rule) && !strcmp(e->key + e->rule + 1, key);
}

static struct entry **find(const struct replay_kept *k, const char *rule, const char *key)
{
	uint32_t hash = sk_hash(rule, strlen(rule)) * 31 + sk_hash(key, strlen(key));
	struct entry **at = (struct entry **)&k->chain[hash % CHAINS];
	while (*at && !is(*at, rule, key))
		at = &(*at)->next;
	return at;
}

const cJSON *replay_kept_get(const struct replay_kept *k, const char *rule, const char *key, struct sk_arena *a)
{
	const struct entry *e = *find(k, rule, key);
	return e ? sk_json_parse(a, e->value, strlen(e->value), NULL, NULL) : NULL;
}

static struct entry *entry_new(const char *rule, const char *key)
{
	size_t n = strlen(rule), size = n + strlen(key) + 2;
	struct entry *e = calloc(1, sizeof(*e) + size);
	if (!e)
		return NULL;
	e->rule = n;
	memcpy(e->key, rule, n);
	memcpy(e->key + n + 1, key, size - n - 1);
	return e;
}

int replay_kept_set(struct replay_kept *k, const char *rule, const char *key, const cJSON *value, struct sk_arena *a)
{
	struct entry **at = find(k, rule, key);
	const char *text = value ? sk_json_print(a, value, NULL) : NULL;
	char *copy = text ? strdup(text) : NULL;
	if (!value) {
		if (*at)
			entry_free(at);
		return 0;
	}
	if (!copy || (!*at && !(*at = entry_new(rule, key)))) {
		free(copy);
		return -1;
	}
	free((*at)->value);
	(*at)->value = copy;
	return 0;
}

cJSON *replay_kept_write(const struct replay_kept *k, struct sk_arena *a)
{
	cJSON *list = sk_json_array(a);
	for (size_t i = 0; i < CHAINS; i++)
		for (const struct entry *e = k->chain[i]; e; e = e->next) {
			cJSON *one = sk_json_append(list, sk_json_object(a));
			sk_json_set(a, one, "rule", sk_json_stringn(a, e->key, e->rule));
			sk_json_set_string(a, one, "key", e->key + e->rule + 1);
			sk_json_set(a, one, "value", sk_json_parse(a, e->value, strlen(e->value), NULL, NULL));
		}
	return list;
}

int replay_kept_read(struct replay_kept *k, const cJSON *list, struct sk_arena *a)
{
	int rc = 0;
	SK_JSON_EACH(one, list) {
		const char *rule = sk_json_text(one, "rule"), *key = sk_json_text(one, "key");
		if (rule && key)
			rc |= replay_kept_set(k, rule, key, sk_json_get(one, "value"), a);
	}
	return rc;
}
