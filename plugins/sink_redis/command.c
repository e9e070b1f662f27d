/* command.c -- items as Redis commands: XADD, RPUSH, LPUSH, PUBLISH, SET, HSET. See command.h.
 *
 * A command is written twice by the same code: once to be counted, once into the room that was made by that count. */
#include "plugins/sink_redis/command.h"

#include <stdio.h>
#include <string.h>

/* -- RESP: *3\r\n$3\r\nSET\r\n... -- */

static void put(struct redis_out *o, const void *bytes, size_t n)
{
	if (o->to)
		memcpy(o->to + o->n, bytes, n);
	o->n += n;
}

static void put_count(struct redis_out *o, char kind, size_t value)
{
	char text[24], *p = text + sizeof text;

	*--p = '\n';
	*--p = '\r';
	do
		*--p = (char)('0' + value % 10);
	while ((value /= 10));
	*--p = kind;
	put(o, p, (size_t)(text + sizeof text - p));
}

static void put_bytes(struct redis_out *o, const void *bytes, size_t n)
{
	put_count(o, '$', n);
	put(o, bytes, n);
	put(o, "\r\n", 2);
}

static void put_text(struct redis_out *o, const char *text)
{
	put_bytes(o, text, strlen(text));
}

void redis_words(struct redis_out *o, const char *const *word, size_t n)
{
	put_count(o, '*', n);
	for (size_t i = 0; i < n; i++)
		put_text(o, word[i]);
}

/* -- what the commands take -- */

/* "fields.NAME": NAME; else NULL. */
static const char *name_of(const struct sk_sink_field *f)
{
	return strncmp(f->path, "fields.", 7) ? NULL : f->path + 7;
}

static size_t pairs(const struct sk_sink_item *item)
{
	size_t n = 0;

	for (size_t i = 0; i < item->fields; i++)
		n += name_of(&item->field[i]) != NULL;
	return (n ? n : 1) + (sk_sink_text(item, "idField") != NULL);
}

/* `fields`, or the one field `payload`; and the id, if there is a name for it. */
static void put_pairs(struct redis_out *o, const struct sk_sink_item *item)
{
	const char *id = sk_sink_text(item, "idField");
	bool any = false;

	for (size_t i = 0; i < item->fields; i++) {
		const char *name = name_of(&item->field[i]);
		if (!name)
			continue;
		put_text(o, name);
		put_text(o, item->field[i].text);
		any = true;
	}
	if (!any) {
		put_text(o, "payload");
		put_bytes(o, item->payload, item->size);
	}
	if (id) {
		put_text(o, id);
		put_text(o, item->id);
	}
}

static void put_value(struct redis_out *o, const struct sk_sink_item *item)
{
	const char *value = sk_sink_text(item, "value");

	if (value)
		put_text(o, value);
	else
		put_bytes(o, item->payload, item->size);
}

static void begin(struct redis_out *o, size_t words, const char *name, const char *key)
{
	put_count(o, '*', words);
	put_text(o, name);
	put_text(o, key);
}

static void stream(struct redis_out *o, const struct sk_sink_item *item, const char *key)
{
	const char *most = sk_sink_text(item, "maxLength");

	begin(o, 3 + (most ? 3 : 0) + 2 * pairs(item), "XADD", key);
	if (most) {
		put_text(o, "MAXLEN");
		put_text(o, "~");
		put_text(o, most);
	}
	put_text(o, "*");
	put_pairs(o, item);
}

static void list(struct redis_out *o, const struct sk_sink_item *item, const char *key)
{
	const char *side = sk_sink_text(item, "side");

	begin(o, 3, side && !strcmp(side, "left") ? "LPUSH" : "RPUSH", key);
	put_value(o, item);
}

static void publish(struct redis_out *o, const struct sk_sink_item *item, const char *key)
{
	begin(o, 3, "PUBLISH", key);
	put_value(o, item);
}

static void set(struct redis_out *o, const struct sk_sink_item *item, const char *key)
{
	const char *seconds = sk_sink_text(item, "expire");

	begin(o, seconds ? 5 : 3, "SET", key);
	put_value(o, item);
	if (seconds) {
		put_text(o, "EX");
		put_text(o, seconds);
	}
}

static void hash(struct redis_out *o, const struct sk_sink_item *item, const char *key)
{
	begin(o, 2 + 2 * pairs(item), "HSET", key);
	put_pairs(o, item);
}

/* A command, what writes it, and which fields it takes besides `command` and `key`. */
static const struct command {
	const char *name;
	void (*write)(struct redis_out *o, const struct sk_sink_item *item, const char *key);
	const char *takes;
} commands[] = {
	{ "stream",  stream,  " fields idField maxLength " },
	{ "list",    list,    " value side " },
	{ "publish", publish, " value " },
	{ "set",     set,     " value expire " },
	{ "hash",    hash,    " fields idField " },
	{ 0 }
};

static const struct command *command_of(const char *name)
{
	for (const struct command *c = commands; name && c->name; c++)
		if (!strcmp(c->name, name))
			return c;
	return NULL;
}

const char *redis_command(struct redis_out *o, const struct sk_sink_item *item)
{
	const struct command *c = command_of(sk_sink_text(item, "command"));
	const char *key = sk_sink_text(item, "key");

	if (!c)
		return "`command` is none of stream, list, publish, set, hash";
	if (!key || !*key)
		return "`key` is empty";
	c->write(o, item, key);
	return NULL;
}

const char *redis_command_fault(const cJSON *fields, struct sk_arena *a)
{
	static const char *const some[] = { "value", "fields", "idField", "maxLength", "expire", "side" };
	const struct command *c = command_of(sk_json_text(fields, "command"));

	if (!c)
		return "command must be stream, list, publish, set or hash";
	for (size_t i = 0; i < sizeof some / sizeof *some; i++) {
		const cJSON *field = sk_json_get(fields, some[i]);
		char name[16];
		snprintf(name, sizeof name, " %s ", some[i]);
		if (field && !cJSON_IsNull(field) && !strstr(c->takes, name))
			return sk_printf(a, "%s is not for command %s", some[i], c->name);
		SK_JSON_EACH(one, cJSON_IsObject(field) ? field : NULL)
			if (!cJSON_IsString(one) || !*one->string)
				return "each member of fields must have a name and be a string";
	}
	return NULL;
}
