/* dead_letters.c -- events whose function has failed for good, kept until an operator sends them again or deletes them. What is kept of one function has a bound
 * (plugin_opt_dead_letters), above which the oldest go.
 *
 * Of partition function/NAME: function/NAME/dead/<ms, 13 digits>-<id> is {functionArn, condition, why, attempts, time (ms), payload}, function/NAME/dead-letters
 * is {count, dropped}. Letters outlive their function. */
#include <string.h>

#include "plugins/functions/functions.h"
#include "plugins/functions/invoke.h"

#define OPS_FILE "plugins/functions/dead_letters.ops"
#define OPS_GROUP dead_letters
#define OPS_SERVICE "skeeter"
#include "core/ops_table.h"

enum { PAGE = 100 }; /* letters of a call that nobody limited */

static void count(struct sk_call *c, const char *name, int64_t more, int64_t dropped)
{
	const cJSON *before = sk_get(c, "function/%s/dead-letters", name);
	cJSON *after = sk_json_object(c->arena);
	sk_json_set_int(c->arena, after, "count", sk_json_int_of(before, "count", 0) + more);
	sk_json_set_int(c->arena, after, "dropped", sk_json_int_of(before, "dropped", 0) + dropped);
	sk_put(c, after, "function/%s/dead-letters", name);
}

/* -- kept -- */

static bool drop_oldest(struct sk_call *c, const char *name)
{
	struct sk_scan oldest = sk_scan(c, 1, NULL, "function/%s/dead/", name);
	if (oldest.count)
		sk_remove(c, "function/%s/dead/%s", name, oldest.row[0].name);
	return oldest.count > 0;
}

int invoke_on_dead(struct sk_call *c)
{
	static const char *const members[] = { "functionArn", "condition", "why", "attempts", "time", "payload" };
	const struct functions_state *s = c->state;
	const char *name = sk_json_text(c->in, "functionName"), *id = sk_json_text(c->in, "id");
	const char *key = sk_printf(c->arena, "%013lld-%s", (long long)sk_json_int_of(c->in, "time", 0), id);
	cJSON *letter = sk_json_object(c->arena);
	if (!key || sk_get(c, "function/%s/dead/%s", name, key))
		return SK_OK; /* the event comes at least once */
	for (size_t i = 0; i < sizeof members / sizeof members[0]; i++)
		if (sk_json_get(c->in, members[i]))
			sk_json_set(c->arena, letter, members[i], sk_json_copy(c->arena, sk_json_get(c->in, members[i])));
	bool full = sk_json_int_of(sk_get(c, "function/%s/dead-letters", name), "count", 0) >= s->dead_letters;
	bool dropped = full && drop_oldest(c, name);
	sk_put(c, letter, "function/%s/dead/%s", name, key);
	count(c, name, dropped ? 0 : 1, dropped);
	return SK_OK;
}

/* -- looking -- */

static int ListFunctionDeadLetters(struct sk_call *c)
{
	int rc;
	struct sk_scan scan = sk_scan_page(c, &rc, "function/%s/dead/", sk_json_text(c->in, "functionName"));
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

/* -- which ones -- */

static void take(struct sk_call *c, const char *name, const char *id, const cJSON *letter, bool again)
{
	cJSON *event = sk_json_object(c->arena);
	sk_json_append(sk_json_get(c->out, "ids"), sk_json_string(c->arena, id));
	sk_remove(c, "function/%s/dead/%s", name, id);
	if (!again)
		return;
	sk_json_set_string(c->arena, event, "id", sk_uuid(c));
	sk_json_set_string(c->arena, event, "functionName", sk_json_text(letter, "functionArn"));
	sk_json_set(c->arena, event, "payload", sk_json_copy(c->arena, sk_json_get(letter, "payload")));
	sk_emit(c, INVOKE_EVENT_LATER, event);
}

/* Those that are named and there, or the oldest. */
static int take_all(struct sk_call *c, const char *what, bool again)
{
	const char *name = sk_json_text(c->in, "functionName");
	const cJSON *ids = sk_json_get(c->in, "ids");
	cJSON *taken = sk_json_set_array(c->arena, c->out, "ids");
	SK_JSON_EACH(id, ids) {
		const cJSON *letter = sk_get(c, "function/%s/dead/%s", name, id->valuestring);
		if (letter)
			take(c, name, id->valuestring, letter, again);
	}
	struct sk_scan oldest = { 0 };
	if (!ids)
		oldest = sk_scan(c, (size_t)sk_json_int_of(c->in, "maxResults", PAGE), NULL, "function/%s/dead/", name);
	for (size_t i = 0; i < oldest.count; i++)
		take(c, name, oldest.row[i].name, oldest.row[i].document, again);
	int n = sk_json_count(taken);
	if (n)
		count(c, name, -n, 0);
	sk_json_set_int(c->arena, c->out, what, n);
	sk_json_set_int(c->arena, c->out, "remaining", sk_json_int_of(sk_get(c, "function/%s/dead-letters", name), "count", 0));
	return SK_OK;
}

static int RedriveFunctionDeadLetters(struct sk_call *c)
{
	return take_all(c, "redriven", true);
}

static int DeleteFunctionDeadLetters(struct sk_call *c)
{
	return take_all(c, "deleted", false);
}
