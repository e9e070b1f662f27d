/* dead_letters.c -- see dead_letters.h: listed, sent again, deleted; and where actions go. What is kept of one rule has a bound, above which the oldest go. */
#include "plugins/rules/dead_letters.h"

#include <string.h>

#include "core/plugin.h"
#include "plugins/rules/dead_letters_keep.h"
#include "plugins/rules/engine.h"
#include "plugins/rules/lane.h"
#include "plugins/rules/lane_seal.h"
#include "plugins/rules/topic_rules.h"

#define OPS_FILE "plugins/rules/dead_letters.ops"
#define OPS_GROUP dead_letters
#define OPS_SERVICE "skeeter"
#include "core/ops_table.h"

enum { PAGE = 100, SEND_MOST = 4 << 20 }; /* letters of a call that nobody limited; bytes of them that are sent at once */

/* -- looking -- */

static int ListDeadLetters(struct sk_call *c)
{
	int rc;
	struct sk_scan scan = sk_scan_page(c, &rc, "rule/%s/dead/", sk_json_text(c->in, "ruleName"));
	cJSON *list = sk_json_set_array(c->arena, c->out, "deadLetters");

	for (size_t i = 0; i < scan.count; i++) {
		cJSON *one = sk_json_append(list, sk_json_object(c->arena));
		sk_json_set_string(c->arena, one, "id", scan.row[i].name);
		SK_JSON_EACH(member, scan.row[i].document)
			sk_json_set(c->arena, one, member->string, strcmp(member->string, "time") ? sk_json_copy(c->arena, member)
			            : sk_json_time(c->arena, sk_json_int_of(scan.row[i].document, "time", 0)));
	}
	return rc;
}

static int ListRuleLanes(struct sk_call *c)
{
	const struct rules_state *s = c->state;

	sk_json_set(c->arena, c->out, "lanes", lanes_report(s->engine->lanes, c->arena));
	return SK_OK;
}

/* -- which ones -- */

struct chosen {
	size_t n;
	const char **id;
	const cJSON **letter;
};

static void choose(struct chosen *to, const char *id, const cJSON *letter)
{
	to->id[to->n] = id;
	to->letter[to->n++] = letter;
}

/* Those that are named and there, or the oldest. On a miss there are none. */
static struct chosen choose_letters(struct sk_call *c, const char *rule)
{
	const cJSON *ids = sk_json_get(c->in, "ids");
	size_t most = ids ? (size_t)sk_json_count(ids) : (size_t)sk_json_int_of(c->in, "maxResults", PAGE);
	struct chosen all = { .id = sk_alloc(c->arena, (most + 1) * sizeof *all.id), .letter = sk_alloc(c->arena, (most + 1) * sizeof *all.letter) };
	struct sk_scan scan = { 0 };

	if (!all.id || !all.letter)
		return (struct chosen){ 0 };
	SK_JSON_EACH(id, ids) {
		const cJSON *letter = sk_get(c, "rule/%s/dead/%s", rule, id->valuestring);
		if (letter)
			choose(&all, id->valuestring, letter);
	}
	if (!ids)
		scan = sk_scan(c, most, NULL, "rule/%s/dead/", rule);
	for (size_t i = 0; i < scan.count; i++)
		choose(&all, scan.row[i].name, scan.row[i].document);
	return all;
}

static void answer(struct sk_call *c, const char *rule, const char *what, const struct chosen *all, size_t n)
{
	cJSON *ids = sk_json_set_array(c->arena, c->out, "ids");

	sk_json_set_int(c->arena, c->out, what, (int64_t)n);
	for (size_t i = 0; i < n; i++)
		sk_json_append(ids, sk_json_string(c->arena, all->id[i]));
	sk_json_set_int(c->arena, c->out, "remaining", dead_letters_kept(c, rule));
}

/* -- deleting, sending again -- */

static int DeleteDeadLetters(struct sk_call *c)
{
	const char *rule = sk_json_text(c->in, "ruleName");
	struct chosen all = choose_letters(c, rule);

	dead_letters_remove(c, rule, all.id, all.letter, all.n);
	answer(c, rule, "deleted", &all, all.n);
	return SK_OK;
}

/* The rule's action as it is now, if it still is of that kind: what was wrong with it may have been mended. */
static const cJSON *fields_now(const cJSON *payload, const char *kind, int64_t number, const cJSON *before)
{
	const cJSON *action = number == LANE_ERROR_ACTION ? sk_json_get(payload, "errorAction") : NULL, *fields;

	if (number >= 0)
		action = cJSON_GetArrayItem(sk_json_get(payload, "actions"), (int)number);
	fields = sk_json_get(action, kind);
	return cJSON_IsObject(fields) ? fields : before;
}

static const cJSON *fields_before(struct sk_arena *a, const cJSON *kept)
{
	const char *sealed = sk_json_text(kept, "fields"), *text = sealed ? lane_unseal_text(a, sealed) : NULL;

	return text ? sk_json_parse(a, text, strlen(text), NULL, NULL) : NULL;
}

/* Of the chosen ones the first that are not too much at once. */
static cJSON *letters_of(struct sk_call *c, const char *rule, const struct chosen *all)
{
	const cJSON *payload = topic_rule_payload(c, rule);
	cJSON *in = sk_json_object(c->arena), *list = sk_json_set_array(c->arena, in, "letters");
	int64_t bytes = 0;

	for (size_t i = 0; i < all->n && bytes < SEND_MOST; i++) {
		const cJSON *kept = sk_get(c, "rule/%s/dead-item/%s", rule, all->id[i]);
		const char *kind = sk_json_text(all->letter[i], "action");
		cJSON *one = sk_json_append(list, sk_json_object(c->arena));
		if (!kept)
			continue;
		sk_json_set_string(c->arena, one, "kind", kind);
		sk_json_set(c->arena, one, "fields", sk_json_copy(c->arena, fields_now(payload, kind, sk_json_int_of(kept, "number", -2), fields_before(c->arena, kept))));
		sk_json_set(c->arena, one, "item", sk_json_copy(c->arena, sk_json_get(kept, "item")));
		bytes += sk_json_int_of(all->letter[i], "bytes", 0);
	}
	return in;
}

static int RedeliverDeadLetters(struct sk_call *c)
{
	const char *rule = sk_json_text(c->in, "ruleName"), *why;
	struct chosen all = choose_letters(c, rule);
	const cJSON *in = letters_of(c, rule, &all), *out = NULL;

	if (all.n && !sk_void(c))
		out = sk_await(c, dead_letters_send, in);
	if (sk_void(c))
		return SK_OK;
	size_t sent = (size_t)sk_json_int_of(out, "sent", 0);
	why = sk_json_text(out, "why");
	if (all.n && !sent)
		return sk_fail(c, SK_E_UNAVAILABLE, "%s", why ? why : "memory is out");
	sent = sent < all.n ? sent : all.n;
	dead_letters_remove(c, rule, all.id, all.letter, sent);
	answer(c, rule, "redelivered", &all, sent);
	sk_json_set_string(c->arena, c->out, "stopped", why);
	return SK_OK;
}
