/* influx_line.c -- an item to a line of InfluxDB's line protocol: measurement,tag=a,tag=b field=1,field="x" 1700000000000000000. Pure.
 *
 * No text of a message can become anything but a name or a value: what has a meaning is escaped, and what cannot be escaped (line ends, a backslash
 * before a separator that follows) is refused. */
#include <stdlib.h>
#include <string.h>

#include "core/check.h"
#include "plugins/sink_http/sink_http.h"

enum { MOST_NAME = 1024, MOST_DEPTH = 16 };

struct line {
	struct outbound_text *text;
	const char *why;
	size_t fields;
};

/* -- names -- */

static const char *name_fault(const char *name)
{
	size_t n = strlen(name);

	for (const char *p = name; *p; p++)
		if ((unsigned char)*p < ' ' || *p == 0x7f)
			return "a measurement, tag or field name holds a line end or another control character";
	if (n && name[n - 1] == '\\')
		return "a measurement, tag or field name ends with a backslash, which line protocol cannot say";
	return n > MOST_NAME * 16 ? "a measurement, tag or field name is too long" : NULL;
}

/* `special` are the characters that end such a name. */
static void put_name(struct line *l, const char *name, const char *special)
{
	l->why = l->why ? l->why : name_fault(name);
	for (; *name; name++) {
		if (strchr(special, *name))
			outbound_putc(l->text, '\\');
		outbound_putc(l->text, *name);
	}
}

static void put_measurement(struct line *l, const char *name)
{
	if (!name || !*name)
		l->why = "the measurement is empty";
	else if (*name == '#')
		l->why = "a measurement that begins with # would be a comment";
	else
		put_name(l, name, ", ");
}

/* -- values -- */

static void put_string(struct line *l, const char *text, size_t n)
{
	outbound_putc(l->text, '"');
	for (size_t i = 0; i < n; i++) {
		if (text[i] == '"' || text[i] == '\\')
			outbound_putc(l->text, '\\');
		outbound_putc(l->text, text[i]);
	}
	outbound_putc(l->text, '"');
}

static bool digits(const char **p)
{
	size_t n = strspn(*p, "0123456789");

	*p += n;
	return n > 0;
}

/* A number as JSON has it; "i" or "u" may follow an integer, as line protocol has them. */
static bool is_number(const char *text)
{
	bool whole = true;

	text += *text == '-';
	if (!digits(&text))
		return false;
	if (*text == '.') {
		whole = false;
		text++;
		if (!digits(&text))
			return false;
	}
	if (*text == 'e' || *text == 'E') {
		whole = false;
		text += 1 + (text[1] == '+' || text[1] == '-');
		if (!digits(&text))
			return false;
	}
	return !*text || (whole && (*text == 'i' || *text == 'u') && !text[1]);
}

/* Text that is a number or a truth value is one; what stands in quotes is always a string. */
static void put_value(struct line *l, const char *text)
{
	size_t n = strlen(text);

	if (n >= 2 && text[0] == '"' && text[n - 1] == '"')
		put_string(l, text + 1, n - 2);
	else if (is_number(text) || !strcmp(text, "true") || !strcmp(text, "false"))
		outbound_put(l->text, text, n);
	else
		put_string(l, text, n);
}

/* In the name of a field, and only there, InfluxDB reads two backslashes before a separator as one, and one before a quote as none. */
static bool has_escaped_separator(const char *name)
{
	for (; (name = strchr(name, '\\')); name++)
		if (name[1] && strchr(",= \"", name[1]))
			return true;
	return false;
}

static void put_field_name(struct line *l, const char *name)
{
	outbound_putc(l->text, l->fields++ ? ',' : ' ');
	if (!*name)
		l->why = l->why ? l->why : "a field has no name";
	if (has_escaped_separator(name))
		l->why = l->why ? l->why : "a field's name has a backslash before a comma, a blank, a quote or =, which line protocol cannot say";
	put_name(l, name, ",= ");
	outbound_putc(l->text, '=');
}

/* -- fields of the payload -- */

static void put_member(struct line *l, const char *name, const cJSON *node, int depth);

static void put_members(struct line *l, const char *name, const cJSON *node, int depth)
{
	int i = 0;

	if (depth > MOST_DEPTH)
		l->why = l->why ? l->why : "the payload is nested too deep";
	SK_JSON_EACH(one, node) {
		const char *below = cJSON_IsArray(node) ? sk_printf(l->text->a, "%s_%d", name, i++) :
		                    *name ? sk_printf(l->text->a, "%s_%s", name, one->string) : one->string;
		if (l->why || !below)
			return;
		put_member(l, below, one, depth);
	}
}

static void put_member(struct line *l, const char *name, const cJSON *node, int depth)
{
	if (cJSON_IsNull(node))
		return;
	if (cJSON_IsObject(node) || cJSON_IsArray(node)) {
		put_members(l, name, node, depth + 1);
		return;
	}
	put_field_name(l, name);
	if (cJSON_IsString(node))
		put_string(l, node->valuestring, strlen(node->valuestring));
	else
		outbound_puts(l->text, sk_json_print(l->text->a, node, NULL));
}

static void put_payload(struct line *l, const struct sk_sink_item *item)
{
	const cJSON *document = sk_json_parse(l->text->a, item->payload, item->size, NULL, NULL);

	if (!cJSON_IsObject(document))
		l->why = l->why ? l->why : "the payload is no JSON object, and the action names no fields";
	else
		put_members(l, "", document, 0);
}

/* -- time -- */

static int64_t unit_of(const char *precision)
{
	static const struct {
		const char *name;
		int64_t ns;
	} units[] = { { "ns", 1 }, { "n", 1 }, { "us", 1000 }, { "u", 1000 }, { "ms", 1000000 }, { "s", 1000000000 } };

	for (size_t i = 0; i < sizeof units / sizeof *units; i++)
		if (!strcmp(units[i].name, precision ? precision : "ms"))
			return units[i].ns;
	return 0;
}

/* Points of one series at one time replace each other: messages of the same millisecond are told apart by their ids, the same way each time that
 * they come. */
static int64_t arrival(const struct sk_sink_item *item)
{
	return item->time_ms * 1000000 + (item->id ? sk_check(item->id, strlen(item->id)) % 1000000 : 0);
}

static void put_time(struct line *l, const struct sk_sink_item *item)
{
	const char *text = sk_sink_text(item, "timestamp");
	int64_t unit = unit_of(sk_sink_text(item, "precision")), ns = 0;
	char *end = NULL;
	long long n = text ? strtoll(text, &end, 10) : 0;

	if (!text)
		ns = arrival(item);
	else if (!unit)
		l->why = l->why ? l->why : "the precision is none of ns, us, ms, s";
	else if (end == text || *end || __builtin_mul_overflow((int64_t)n, unit, &ns))
		l->why = l->why ? l->why : "the timestamp is no integer in its range";
	outbound_putf(l->text, " %lld", (long long)ns);
}

/* -- the line -- */

/* Calls fn with the name behind "tags." of each field below it; how many there were. */
static size_t each_below(struct line *l, const struct sk_sink_item *item, const char *prefix, void (*fn)(struct line *, const char *, const char *))
{
	size_t n = strlen(prefix), found = 0;

	for (size_t i = 0; i < item->fields; i++)
		if (!strncmp(item->field[i].path, prefix, n)) {
			found++;
			fn(l, item->field[i].path + n, item->field[i].text);
		}
	return found;
}

/* A tag without a value is none: line protocol has no empty ones. */
static void put_tag(struct line *l, const char *name, const char *value)
{
	if (!*value)
		return;
	if (!*name)
		l->why = l->why ? l->why : "a tag has no name";
	outbound_putc(l->text, ',');
	put_name(l, name, ",= ");
	outbound_putc(l->text, '=');
	put_name(l, value, ",= ");
}

static void put_named_field(struct line *l, const char *name, const char *text)
{
	put_field_name(l, name);
	put_value(l, text);
}

const char *influx_line(struct outbound_text *t, const struct sk_sink_item *item)
{
	struct line l = { .text = t };
	size_t before = t->n;

	put_measurement(&l, sk_sink_text(item, "measurement"));
	each_below(&l, item, "tags.", put_tag);
	if (!each_below(&l, item, "fields.", put_named_field))
		put_payload(&l, item);
	if (!l.fields)
		l.why = l.why ? l.why : "there is no field: the payload has neither numbers, nor texts, nor truth values";
	put_time(&l, item);
	if (l.why && t->at) {
		t->n = before;
		t->at[before] = '\0';
	}
	return l.why;
}
