/* fn_text.c -- functions of strings. Positions and lengths count characters, never bytes.
 *
 * Arguments become strings by the standard conversions; null and undefined make the result undefined. */
#include <string.h>

#include "sql/internal.h"

#define HIDDEN __attribute__((unused))
enum { MOST_PADDING = 1000 };

static bool texts(struct expr_run *r, int n, const struct expr_value *args, struct expr_value *out)
{
	for (int i = 0; i < n; i++) {
		out[i] = sql_text(r, &args[i]);
		if (out[i].kind != EXPR_STRING || !expr_charge(r, out[i].size / 64))
			return false;
	}
	return true;
}

static bool continues(char c)
{
	return (c & 0xc0) == 0x80;
}

static int64_t characters(const char *s, size_t n)
{
	int64_t count = 0;

	for (size_t i = 0; i < n; i++)
		count += !continues(s[i]);
	return count;
}

/* Where character i begins; the end if there are fewer. */
static size_t place_of(const struct expr_value *v, int64_t i)
{
	size_t at = 0;

	if (i >= v->size)
		return v->size;
	for (; i > 0 && at < v->size; i--)
		for (at++; at < v->size && continues(v->text[at]);)
			at++;
	return at;
}

static struct expr_value part(struct expr_run *r, const struct expr_value *v, size_t from, size_t to)
{
	char *text;

	if (to == v->size)
		return expr_string(v->text + from, to - from);
	text = sql_room(r, to - from);
	if (text)
		memcpy(text, v->text + from, to - from);
	return expr_string(text, to - from);
}

/* -- concat -- */

static struct expr_value joined(struct expr_run *r, int n, const struct expr_value *args)
{
	size_t size = 0, at = 0;
	char *text;

	for (int i = 0; i < n; i++) {
		struct expr_value v = sql_text(r, &args[i]);
		if (v.kind != EXPR_STRING)
			return expr_undefined();
		size += v.size;
	}
	text = sql_room(r, size);
	for (int i = 0; text && i < n; i++) {
		struct expr_value v = sql_text(r, &args[i]);
		if (v.kind != EXPR_STRING)
			return expr_undefined();
		memcpy(text + at, v.text, v.size);
		at += v.size;
	}
	return expr_string(text, size);
}

static struct expr_value spliced(struct expr_run *r, int n, const struct expr_value *args)
{
	cJSON *out = sk_json_array(r->arena);

	for (int i = 0; i < n; i++) {
		if (args[i].kind != EXPR_ARRAY) {
			expr_link(r->arena, out, NULL, expr_to_node(r->arena, &args[i]));
			continue;
		}
		SK_JSON_EACH(child, args[i].node) {
			if (!expr_charge(r, 1))
				return expr_undefined();
			expr_link(r->arena, out, NULL, child);
		}
	}
	return expr_of_node(r->program->mode, out);
}

/* "1: the argument is returned unmodified", but the guide's example makes concat(1) the string "1". */
struct expr_value sql_fn_concat(struct expr_run *r, int n, const struct expr_value *args)
{
	bool strings = false;

	if (n == 0)
		return expr_undefined();
	if (n == 1)
		return (r->program->mode & SQL_STRICT) && expr_is_number(args) ? sql_text(r, args) : args[0];
	for (int i = 0; i < n; i++) {
		if (args[i].kind == EXPR_ARRAY)
			return spliced(r, n, args);
		strings |= args[i].kind == EXPR_STRING;
	}
	return strings ? joined(r, n, args) : expr_undefined();
}

/* -- letters: ASCII, Latin, Greek, Cyrillic, Armenian -- */

/* Capital letters from first to last, in steps; the small letter stands `away` behind. */
static const struct {
	uint16_t first, last, step, away;
} capitals[] = {
	{ 'A', 'Z', 1, 32 },        { 0xc0, 0xd6, 1, 32 },     { 0xd8, 0xde, 1, 32 },     { 0x100, 0x12e, 2, 1 },   { 0x132, 0x136, 2, 1 },
	{ 0x139, 0x147, 2, 1 },     { 0x14a, 0x176, 2, 1 },    { 0x179, 0x17d, 2, 1 },    { 0x386, 0x386, 1, 38 },  { 0x388, 0x38a, 1, 37 },
	{ 0x38c, 0x38c, 1, 64 },    { 0x38e, 0x38f, 1, 63 },   { 0x391, 0x3a1, 1, 32 },   { 0x3a3, 0x3ab, 1, 32 },  { 0x400, 0x40f, 1, 80 },
	{ 0x410, 0x42f, 1, 32 },    { 0x460, 0x480, 2, 1 },    { 0x48a, 0x4be, 2, 1 },    { 0x4d0, 0x52e, 2, 1 },   { 0x531, 0x556, 1, 48 },
	{ 0x1e00, 0x1e94, 2, 1 },   { 0x1ea0, 0x1efe, 2, 1 },
};

static unsigned small_of(unsigned c)
{
	for (size_t i = 0; i < sizeof capitals / sizeof *capitals; i++)
		if (c >= capitals[i].first && c <= capitals[i].last && (c - capitals[i].first) % capitals[i].step == 0)
			return c + capitals[i].away;
	return c;
}

static unsigned capital_of(unsigned c)
{
	for (size_t i = 0; i < sizeof capitals / sizeof *capitals; i++) {
		unsigned capital = c - capitals[i].away;
		if (c >= capitals[i].away && capital >= capitals[i].first && capital <= capitals[i].last &&
		    (capital - capitals[i].first) % capitals[i].step == 0)
			return capital;
	}
	return c;
}

/* Letters of two bytes stay letters of two bytes, of three of three; the others are copied. */
static void turn(char *s, size_t n, unsigned (*f)(unsigned c))
{
	for (size_t i = 0; i < n; i++) {
		unsigned char c = (unsigned char)s[i];
		unsigned now;
		if (c < 0x80) {
			s[i] = (char)f(c);
		} else if (c >= 0xc3 && c < 0xe0 && i + 1 < n) {
			now = f((c & 0x1fu) << 6 | ((unsigned char)s[i + 1] & 0x3fu));
			s[i] = (char)(0xc0 | now >> 6);
			s[++i] = (char)(0x80 | (now & 0x3f));
		} else if (c == 0xe1 && i + 2 < n) {
			now = f(0x1000u | ((unsigned char)s[i + 1] & 0x3fu) << 6 | ((unsigned char)s[i + 2] & 0x3fu));
			s[++i] = (char)(0x80 | (now >> 6 & 0x3f));
			s[++i] = (char)(0x80 | (now & 0x3f));
		}
	}
}

static struct expr_value turned(struct expr_run *r, const struct expr_value *args, unsigned (*f)(unsigned c))
{
	struct expr_value v = sql_text(r, args);
	char *text = v.kind == EXPR_STRING ? sql_room(r, v.size) : NULL;

	if (!text)
		return expr_undefined();
	memcpy(text, v.text, v.size);
	turn(text, v.size, f);
	return expr_string(text, v.size);
}

struct expr_value sql_fn_lower(struct expr_run *r, int n HIDDEN, const struct expr_value *args)
{
	return turned(r, args, small_of);
}

struct expr_value sql_fn_upper(struct expr_run *r, int n HIDDEN, const struct expr_value *args)
{
	return turned(r, args, capital_of);
}

/* -- lengths, blanks -- */

struct expr_value sql_fn_length(struct expr_run *r, int n, const struct expr_value *args)
{
	struct expr_value v;

	return texts(r, n, args, &v) ? expr_int(characters(v.text, v.size)) : expr_undefined();
}

struct expr_value sql_fn_numbytes(struct expr_run *r, int n, const struct expr_value *args)
{
	struct expr_value v;

	return texts(r, n, args, &v) ? expr_int(v.size) : expr_undefined();
}

/* ltrim and rtrim take away "tabs and spaces", trim "white space". */
static struct expr_value trimmed(struct expr_run *r, const struct expr_value *args, bool left, bool right)
{
	const char *blanks = left && right ? " \t\n\v\f\r" : " \t";
	struct expr_value v;
	size_t from = 0, to;

	if (!texts(r, 1, args, &v))
		return expr_undefined();
	to = v.size;
	while (left && from < to && strchr(blanks, v.text[from]))
		from++;
	while (right && to > from && strchr(blanks, v.text[to - 1]))
		to--;
	return part(r, &v, from, to);
}

struct expr_value sql_fn_ltrim(struct expr_run *r, int n HIDDEN, const struct expr_value *args)
{
	return trimmed(r, args, true, false);
}

struct expr_value sql_fn_rtrim(struct expr_run *r, int n HIDDEN, const struct expr_value *args)
{
	return trimmed(r, args, false, true);
}

struct expr_value sql_fn_trim(struct expr_run *r, int n HIDDEN, const struct expr_value *args)
{
	return trimmed(r, args, true, true);
}

/* "The Int argument must be between 0 and 1000", else the nearest of them counts. */
static struct expr_value padded(struct expr_run *r, const struct expr_value *args, bool left)
{
	struct expr_value v;
	int64_t n;
	char *text;

	if (!texts(r, 1, args, &v) || !sql_int(&args[1], EXPR_FLOOR, &n))
		return expr_undefined();
	n = n < 0 ? 0 : n > MOST_PADDING ? MOST_PADDING : n;
	text = sql_room(r, v.size + (size_t)n);
	if (!text)
		return expr_undefined();
	memset(left ? text : text + v.size, ' ', (size_t)n);
	memcpy(left ? text + n : text, v.text, v.size);
	return expr_string(text, v.size + (size_t)n);
}

struct expr_value sql_fn_lpad(struct expr_run *r, int n HIDDEN, const struct expr_value *args)
{
	return padded(r, args, true);
}

struct expr_value sql_fn_rpad(struct expr_run *r, int n HIDDEN, const struct expr_value *args)
{
	return padded(r, args, false);
}

/* -- searching -- */

struct expr_value sql_fn_startswith(struct expr_run *r, int n, const struct expr_value *args)
{
	struct expr_value v[2];

	if (!texts(r, n, args, v))
		return expr_undefined();
	return expr_bool(v[1].size <= v[0].size && memcmp(v[0].text, v[1].text, v[1].size) == 0);
}

struct expr_value sql_fn_endswith(struct expr_run *r, int n, const struct expr_value *args)
{
	struct expr_value v[2];

	if (!texts(r, n, args, v))
		return expr_undefined();
	return expr_bool(v[1].size <= v[0].size && memcmp(v[0].text + (v[0].size - v[1].size), v[1].text, v[1].size) == 0);
}

struct expr_value sql_fn_indexof(struct expr_run *r, int n, const struct expr_value *args)
{
	struct expr_value v[2];
	const char *found;

	if (!texts(r, n, args, v))
		return expr_undefined();
	found = memmem(v[0].text, v[0].size, v[1].text, v[1].size);
	return expr_int(found ? characters(v[0].text, (size_t)(found - v[0].text)) : -1);
}

/* Indices are rounded down; those that are too small or too great are the nearest that is there. */
struct expr_value sql_fn_substring(struct expr_run *r, int n, const struct expr_value *args)
{
	struct expr_value v;
	int64_t from, to = INT64_MAX;
	size_t begin, end;

	if (!texts(r, 1, args, &v) || !sql_int(&args[1], EXPR_FLOOR, &from) || (n > 2 && !sql_int(&args[2], EXPR_FLOOR, &to)))
		return expr_undefined();
	begin = place_of(&v, from < 0 ? 0 : from);
	end = place_of(&v, to < 0 ? 0 : to);
	return begin < end ? part(r, &v, begin, end) : expr_string("", 0);
}

static const char *found_in(const char *s, const char *end, const struct expr_value *what)
{
	if (what->size == 1)
		return memchr(s, *what->text, (size_t)(end - s));
	return memmem(s, (size_t)(end - s), what->text, what->size);
}

static size_t count_of(const struct expr_value *in, const struct expr_value *what)
{
	const char *s = in->text, *end = s + in->size;
	size_t count = 0;

	while (what->size && (s = found_in(s, end, what)) != NULL) {
		count++;
		s += what->size;
	}
	return count;
}

/* An empty string is found nowhere. */
struct expr_value sql_fn_replace(struct expr_run *r, int n, const struct expr_value *args)
{
	struct expr_value v[3];
	size_t count, size;
	const char *s, *end;
	char *text, *out;

	if (!texts(r, n, args, v))
		return expr_undefined();
	count = count_of(&v[0], &v[1]);
	size = v[0].size + count * v[2].size - count * v[1].size;
	text = out = sql_room(r, size);
	s = v[0].text;
	end = s + v[0].size;
	for (; text && count > 0; count--) {
		const char *found = found_in(s, end, &v[1]);
		out = mempcpy(out, s, (size_t)(found - s));
		out = mempcpy(out, v[2].text, v[2].size);
		s = found + v[1].size;
	}
	if (text)
		memcpy(out, s, (size_t)(end - s));
	return expr_string(text, size);
}

/* -- single characters -- */

struct expr_value sql_fn_chr(struct expr_run *r, int n HIDDEN, const struct expr_value *args)
{
	int64_t code;
	char *text;

	if (!sql_int(args, EXPR_FLOOR, &code) || code < 1 || code > 127)
		return expr_undefined();
	text = sql_room(r, 1);
	if (text)
		*text = (char)code;
	return expr_string(text, 1);
}

/* Of get(): the character at that place. */
struct expr_value sql_character(struct expr_run *r, const struct expr_value *v, int64_t i)
{
	size_t from;

	if (i < 0 || !expr_charge(r, v->size / 64))
		return expr_undefined();
	from = place_of(v, i);
	return from < v->size ? part(r, v, from, place_of(&(struct expr_value){ .size = v->size - (uint32_t)from, .text = v->text + from }, 1) + from)
	                      : expr_undefined();
}
