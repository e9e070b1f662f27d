/* fn_context.c -- what a rule may know of its message: topic, client, time, chance, MQTT 5 properties.
 *
 * Chance is made of the seed of the call and a count, so a run that is run again draws the same. */
#include <string.h>

#include "core/base64.h"
#include "core/digest.h"
#include "sql/internal.h"

#define HIDDEN __attribute__((unused))

static const struct sql_message *message(struct expr_run *r)
{
	return sql_state(r)->message;
}

static struct expr_value known(const char *text)
{
	return text ? expr_string(text, strlen(text)) : expr_undefined();
}

/* -- chance -- */

enum { TRACE = UINT32_MAX }; /* the count that is the trace id's */

static void chance(const struct sql_message *m, uint32_t count, uint8_t out[SK_DIGEST_SIZE])
{
	uint8_t in[20];

	memcpy(in, m->seed, 16);
	memcpy(in + 16, &count, 4);
	sk_digest(in, sizeof in, out);
}

static void draw(struct expr_run *r, uint8_t out[SK_DIGEST_SIZE])
{
	chance(message(r), sql_state(r)->chances++, out);
}

static const char *uuid_of(struct sk_arena *a, const uint8_t *bytes)
{
	char *text = sk_alloc_text(a, SK_UUID_TEXT);

	if (text)
		sk_uuid_text(bytes, text);
	return text;
}

const char *sql_trace_id(const struct sql_message *m, struct sk_arena *a)
{
	uint8_t bytes[SK_DIGEST_SIZE];

	if (m->trace_id)
		return m->trace_id;
	chance(m, TRACE, bytes);
	return uuid_of(a, bytes);
}

struct expr_value sql_fn_rand(struct expr_run *r, int n HIDDEN, const struct expr_value *args HIDDEN)
{
	uint8_t bytes[SK_DIGEST_SIZE];
	uint64_t v;

	draw(r, bytes);
	memcpy(&v, bytes, sizeof v);
	return expr_double(r->program->mode, (double)(v >> 11) * 0x1p-53);
}

struct expr_value sql_fn_newuuid(struct expr_run *r, int n HIDDEN, const struct expr_value *args HIDDEN)
{
	uint8_t bytes[SK_DIGEST_SIZE];

	draw(r, bytes);
	return known(uuid_of(r->arena, bytes));
}

/* -- the client -- */

struct expr_value sql_fn_clientid(struct expr_run *r, int n HIDDEN, const struct expr_value *args HIDDEN)
{
	const char *id = message(r)->client_id;

	return known(id ? id : "n/a");
}

struct expr_value sql_fn_principal(struct expr_run *r, int n HIDDEN, const struct expr_value *args HIDDEN)
{
	return known(message(r)->principal);
}

struct expr_value sql_fn_accountid(struct expr_run *r, int n HIDDEN, const struct expr_value *args HIDDEN)
{
	return known(message(r)->account);
}

struct expr_value sql_fn_sourceip(struct expr_run *r, int n HIDDEN, const struct expr_value *args HIDDEN)
{
	return known(message(r)->source_ip);
}

struct expr_value sql_fn_traceid(struct expr_run *r, int n HIDDEN, const struct expr_value *args HIDDEN)
{
	return known(sql_trace_id(message(r), r->arena));
}

struct expr_value sql_fn_timestamp(struct expr_run *r, int n HIDDEN, const struct expr_value *args HIDDEN)
{
	return expr_int(message(r)->now_ms);
}

/* -- topic -- */

/* "The initial prefix $aws/rules/rule-name is not available to topic()." */
static const char *topic_of(struct expr_run *r)
{
	static const char prefix[] = "$aws/rules/";
	const char *topic = message(r)->topic, *rest;

	if (!topic || strncmp(topic, prefix, sizeof prefix - 1) != 0)
		return topic;
	rest = strchr(topic + sizeof prefix - 1, '/');
	return rest ? rest + 1 : "";
}

static struct expr_value level(struct expr_run *r, const char *topic, int64_t i)
{
	const char *end = strchrnul(topic, '/');

	for (; i > 1 && *end; i--) {
		topic = end + 1;
		end = strchrnul(topic, '/');
	}
	if (i != 1)
		return expr_undefined();
	return expr_string(sk_strndup(r->arena, topic, (size_t)(end - topic)), (size_t)(end - topic));
}

struct expr_value sql_fn_topic(struct expr_run *r, int n, const struct expr_value *args)
{
	const char *topic = topic_of(r);
	int64_t i;

	if (n == 0 || !topic)
		return known(topic);
	return sql_int(args, EXPR_FLOOR, &i) ? level(r, topic, i) : expr_undefined();
}

/* -- MQTT 5 -- */

static struct expr_value format_indicator(struct expr_run *r)
{
	int format = message(r)->format;

	return known(format == 0 ? "UNSPECIFIED_BYTES" : format == 1 ? "UTF8_DATA" : NULL);
}

static struct expr_value content_type(struct expr_run *r)
{
	return known(message(r)->content_type);
}

static struct expr_value response_topic(struct expr_run *r)
{
	return known(message(r)->response_topic);
}

static struct expr_value correlation_data(struct expr_run *r)
{
	const struct sql_message *m = message(r);
	char *text = m->correlation ? sql_room(r, sk_base64_size(m->correlation_size)) : NULL;

	if (!text)
		return expr_undefined();
	sk_base64_encode(m->correlation, m->correlation_size, text);
	return expr_string(text, sk_base64_size(m->correlation_size));
}

static const struct {
	const char *name;
	struct expr_value (*get)(struct expr_run *r);
} properties[] = {
	{ "format_indicator", format_indicator },
	{ "content_type", content_type },
	{ "response_topic", response_topic },
	{ "correlation_data", correlation_data },
};

struct expr_value sql_fn_get_mqtt_property(struct expr_run *r, int n HIDDEN, const struct expr_value *args)
{
	for (size_t i = 0; args->kind == EXPR_STRING && i < sizeof properties / sizeof *properties; i++)
		if (strcmp(properties[i].name, args->text) == 0)
			return properties[i].get(r);
	return expr_undefined();
}

/* All as [{name: value}, ...], or the values of one name. None of that name is undefined. */
struct expr_value sql_fn_get_user_properties(struct expr_run *r, int n, const struct expr_value *args)
{
	cJSON *out = sk_json_array(r->arena);

	if (n == 1 && args->kind != EXPR_STRING)
		return expr_undefined();
	for (const struct sql_property *p = message(r)->user; p && p->name; p++) {
		cJSON *value = sk_json_string(r->arena, p->value), *pair;
		if (n == 1) {
			if (strcmp(p->name, args->text) == 0)
				sk_json_append(out, value);
			continue;
		}
		pair = sk_json_object(r->arena);
		sk_json_add(r->arena, pair, p->name, value);
		sk_json_append(out, pair);
	}
	return n == 1 && out && !out->child ? expr_undefined() : expr_of_node(r->program->mode, out);
}
