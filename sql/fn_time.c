/* fn_time.c -- time as text and back. */
#include "sql/internal.h"

#define FARTHEST_MS 253402300799999 /* the end of the year 9999; the same backwards */

/* parse_time(pattern, milliseconds[, zone]) writes, whatever it is called. */
struct expr_value sql_fn_parse_time(struct expr_run *r, int n, const struct expr_value *args)
{
	struct expr_value pattern = sql_text(r, &args[0]), zone = n > 2 ? sql_text(r, &args[2]) : expr_string("UTC", 3);
	struct sql_zone at;
	struct sql_moment m;
	int64_t ms;
	size_t size;
	char *text;

	if (pattern.kind != EXPR_STRING || zone.kind != EXPR_STRING || !sql_int(&args[1], EXPR_FLOOR, &ms))
		return expr_undefined();
	if (ms > FARTHEST_MS || ms < -FARTHEST_MS || !sql_zone_of(r, zone.text, ms, &at))
		return expr_undefined();
	m = sql_moment_at(ms, at.offset);
	m.zone = at.name;
	m.zone_id = zone.text;
	text = sql_format_time(r, pattern.text, &m, &size);
	return text ? expr_string(text, size) : expr_undefined();
}

struct expr_value sql_fn_time_to_epoch(struct expr_run *r, int n, const struct expr_value *args)
{
	struct expr_value text = sql_text(r, &args[0]), pattern = sql_text(r, &args[1]);
	int64_t ms;

	(void)n;
	if (text.kind != EXPR_STRING || pattern.kind != EXPR_STRING || !sql_parse_time(r, text.text, pattern.text, &ms))
		return expr_undefined();
	return expr_int(ms);
}
