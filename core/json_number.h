/* json_number.h -- numbers as JSON writes them: literal to double, double to the shortest literal, exact comparison.
 * Nothing here looks at the locale. */
#ifndef SK_JSON_NUMBER_H
#define SK_JSON_NUMBER_H

#include <stdbool.h>
#include <stdint.h>

#include <cjson/cJSON.h>

#define SK_JSON_NUMBER_ROOM 48           /* bytes that any double or int64 needs, with the NUL */
#define SK_JSON_EXACT       (1ll << 53) /* up to here a double holds every integer */

struct sk_json_literal {
	uint64_t digits;  /* the first 19 significant digits */
	int exponent;     /* the value is digits * 10^exponent, if it is not `cut` */
	bool negative;
	bool integer;     /* neither fraction nor exponent */
	bool cut;         /* more digits, or a bigger exponent, than these fields hold */
};

/* Reads the longest number of RFC 8259 at s. Its end, or NULL if there is none. */
const char *sk_json_number_scan(const char *s, const char *end, struct sk_json_literal *out);
/* The nearest double; `text` is the NUL-terminated literal. Infinite if it is out of range. */
double sk_json_number_value(const struct sk_json_literal *literal, const char *text);
/* Makes node a number: valuedouble, and valueint saturated as cJSON does it. */
void sk_json_number_fill(cJSON *node, double v);
/* The canonical text of a finite v: an integer without exponent, else the shortest digits. Answers its length. */
int sk_json_number_format(char out[SK_JSON_NUMBER_ROOM], double v);
int sk_json_int_format(char out[SK_JSON_NUMBER_ROOM], int64_t v);
/* The literal of a number node: its own text, or `room` filled. */
const char *sk_json_number_text(const cJSON *node, char room[SK_JSON_NUMBER_ROOM]);
/* Both are number nodes. */
bool sk_json_number_equal(const cJSON *a, const cJSON *b);

#endif
