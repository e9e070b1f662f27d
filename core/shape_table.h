/* shape_table.h -- turn SHAPES_FILE into a table named SHAPES_NAME. No guard: one inclusion per file. */
#define STRING(n, lo, hi, pattern) { .name = #n, .kind = SK_SHAPE_STRING, .min = lo, .max = hi, .text = pattern },
#define INTEGER(n, lo, hi) { .name = #n, .kind = SK_SHAPE_INTEGER, .min = lo, .max = hi },
#define LONG(n, lo, hi) { .name = #n, .kind = SK_SHAPE_LONG, .min = lo, .max = hi },
#define NUMBER(n, lo, hi) { .name = #n, .kind = SK_SHAPE_NUMBER, .min = lo, .max = hi },
#define BOOLEAN(n) { .name = #n, .kind = SK_SHAPE_BOOLEAN },
#define ENUM(n, values) { .name = #n, .kind = SK_SHAPE_ENUM, .text = values },
#define STRUCT(n, members) { .name = #n, .kind = SK_SHAPE_STRUCT, .text = members },
#define MEMBER(n, members) { .name = #n, .kind = SK_SHAPE_MEMBER, .text = members },
#define LIST(n, item, lo, hi) { .name = #n, .kind = SK_SHAPE_LIST, .min = lo, .max = hi, .element = #item },
#define MAP(n, k, v) { .name = #n, .kind = SK_SHAPE_MAP, .key = #k, .element = #v },
#define TIMESTAMP(n) { .name = #n, .kind = SK_SHAPE_TIMESTAMP },
#define ANY(n) { .name = #n, .kind = SK_SHAPE_ANY },
static const struct sk_shape SHAPES_NAME[] = {
#include SHAPES_FILE
	{ 0 }
};
#undef STRING
#undef INTEGER
#undef LONG
#undef NUMBER
#undef BOOLEAN
#undef ENUM
#undef STRUCT
#undef MEMBER
#undef LIST
#undef MAP
#undef TIMESTAMP
#undef ANY
