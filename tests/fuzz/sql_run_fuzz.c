/* sql_run_fuzz.c -- a statement in the first line, a payload behind it: a run ends within its limits, answers JSON, answers the same
 * again, and touches neither program nor message. */
#include <string.h>

#include "sql/sql.h"
#include "tests/fuzz/expect.h"
#include "tests/unit/sql_world.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { STEPS = 50000, BYTES = 4 << 20 };

static const char *answer(struct sk_arena *a, const struct expr_program *p, const struct sql_message *m)
{
	const struct expr_limits limits = { .steps = STEPS, .bytes = BYTES };
	struct sql_result r;
	int rc = sql_run(p, m, a, &limits, &r);

	expect(rc == SK_OK || rc == SQL_LATER || (rc < 0 && r.why && r.outcome == SQL_NO_MATCH && !r.document));
	expect((r.outcome == SQL_DOCUMENT) == (r.document != NULL));
	if (r.document)
		return sk_json_print(a, r.document, NULL);
	return sk_printf(a, "%d %d %s", rc, (int)r.outcome, r.why ? r.why : "");
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const char *text = (const char *)data, *line = memchr(text, '\n', size);
	const struct sql_options options = { .version = size % 7 ? SQL_2016_03_23 : SQL_2015_10_08, .strict_aws = size % 11 == 0 };
	size_t n = line ? (size_t)(line - text) : size, rest = line ? size - n - 1 : 0;
	struct sk_arena kept = { 0 }, a = { 0 };
	const struct expr_program *p = sql_compile(&kept, text, n, &options, NULL);
	struct sql_message m = world_message(NULL, NULL);
	const char *before, *first, *second;
	void *copy;

	m.payload = line ? line + 1 : "";
	m.size = rest;
	m.document = sk_json_parse(&kept, m.payload, rest, NULL, NULL);
	if (p) {
		before = sk_json_print(&kept, m.document, NULL);
		copy = memcpy(sk_alloc(&kept, p->size), p, p->size);
		first = answer(&kept, p, &m);
		second = answer(&a, p, &m);
		expect(first && second && strcmp(first, second) == 0);
		expect(memcmp(copy, p, p->size) == 0);
		expect(!before || strcmp(before, sk_json_print(&kept, m.document, NULL)) == 0);
	}
	sk_arena_free(&a);
	sk_arena_free(&kept);
	return 0;
}
