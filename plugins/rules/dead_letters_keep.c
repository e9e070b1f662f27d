/* dead_letters_keep.c -- see dead_letters_keep.h. Invariant: {count, bytes} are the sums of the letters that are there. */
#include "plugins/rules/dead_letters_keep.h"

#include <string.h>

#include "plugins/rules/lane_seal.h"
#include "plugins/rules/rules.h"

enum { LOOK = 100, AROUND = 256 }; /* looked at together; bytes of a record besides its texts, about */

struct kept {
	int64_t count, bytes, dropped;
};

static struct kept kept_get(struct sk_call *c, const char *rule)
{
	const cJSON *record = sk_get(c, "rule/%s/dead-letters", rule);

	return (struct kept){ sk_json_int_of(record, "count", 0), sk_json_int_of(record, "bytes", 0), sk_json_int_of(record, "dropped", 0) };
}

static void kept_put(struct sk_call *c, const char *rule, const struct kept *k)
{
	cJSON *record = sk_json_object(c->arena);

	if (!k->count && !k->dropped) {
		sk_remove(c, "rule/%s/dead-letters", rule);
		return;
	}
	sk_json_set_int(c->arena, record, "count", k->count);
	sk_json_set_int(c->arena, record, "bytes", k->bytes);
	sk_json_set_int(c->arena, record, "dropped", k->dropped);
	sk_put(c, record, "rule/%s/dead-letters", rule);
}

int64_t dead_letters_kept(struct sk_call *c, const char *rule)
{
	return kept_get(c, rule).count;
}

static void take_out(struct sk_call *c, const char *rule, const char *id, const cJSON *letter, struct kept *k)
{
	k->count--;
	k->bytes -= sk_json_int_of(letter, "bytes", 0);
	sk_remove(c, "rule/%s/dead/%s", rule, id);
	sk_remove(c, "rule/%s/dead-item/%s", rule, id);
}

void dead_letters_remove(struct sk_call *c, const char *rule, const char *const *id, const cJSON *const *letter, size_t n)
{
	struct kept k = kept_get(c, rule);

	for (size_t i = 0; i < n; i++)
		take_out(c, rule, id[i], letter[i], &k);
	if (n)
		kept_put(c, rule, &k);
}

/* Room for one of so many bytes: the oldest go. */
static int make_room(struct sk_call *c, const char *rule, int64_t most, int64_t bytes, struct kept *k)
{
	int gone = 0;
	size_t n = LOOK;

	while (k->count > 0 && (k->count >= most || k->bytes + bytes > DEAD_BYTES_MOST) && n == LOOK) {
		struct sk_scan scan = sk_scan(c, LOOK, NULL, "rule/%s/dead/", rule);
		n = scan.count;
		for (size_t i = 0; i < n && (k->count >= most || k->bytes + bytes > DEAD_BYTES_MOST); i++, gone++)
			take_out(c, rule, scan.row[i].name, scan.row[i].document, k);
	}
	k->dropped += gone;
	return gone;
}

static cJSON *letter_of(struct sk_call *c, const struct lane_item *i, const char *why, int64_t bytes)
{
	cJSON *letter = sk_json_object(c->arena);

	sk_json_set_int(c->arena, letter, "time", i->sink.time_ms);
	sk_json_set_string(c->arena, letter, "topic", i->sink.topic);
	sk_json_set_string(c->arena, letter, "clientId", i->sink.client_id);
	sk_json_set_string(c->arena, letter, "action", i->kind);
	sk_json_set_string(c->arena, letter, "why", why);
	sk_json_set_int(c->arena, letter, "attempts", sk_json_int_of(c->in, "attempts", 0));
	sk_json_set_int(c->arena, letter, "bytes", bytes);
	return letter;
}

int dead_letters_add(struct sk_call *c, const struct lane_item *i, const char *item, const char *why)
{
	const struct rules_state *s = c->state;
	const char *rule = i->sink.rule;
	struct kept k = kept_get(c, rule);
	int64_t bytes = (int64_t)(strlen(item) + strlen(why) + strlen(i->sink.topic) + AROUND);
	cJSON *kept = sk_json_object(c->arena);
	int gone = 0;

	if (sk_get(c, "rule/%s/dead/%s", rule, i->sink.id))
		return 0;
	if (s->dead_letters < 1 || bytes > DEAD_BYTES_MOST) {
		k.dropped++;
		kept_put(c, rule, &k);
		return 1;
	}
	gone = make_room(c, rule, s->dead_letters, bytes, &k);
	k.count++;
	k.bytes += bytes;
	sk_json_set_int(c->arena, kept, "number", i->action);
	const char *fields = sk_json_print(c->arena, sk_json_get(c->in, "fields"), NULL);
	sk_json_set_string(c->arena, kept, "fields", fields ? lane_seal_text(c->arena, fields) : NULL);
	sk_json_set_string(c->arena, kept, "item", item);
	sk_put(c, letter_of(c, i, why, bytes), "rule/%s/dead/%s", rule, i->sink.id);
	sk_put(c, kept, "rule/%s/dead-item/%s", rule, i->sink.id);
	kept_put(c, rule, &k);
	return gone;
}
