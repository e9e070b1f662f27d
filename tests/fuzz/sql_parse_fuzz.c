/* sql_parse_fuzz.c -- any text as a statement and as a template: it compiles or says where it is wrong; what compiles can be explained,
 * moved and run. The first byte chooses version and strictness. */
#include <string.h>

#include "sql/sql.h"
#include "tests/fuzz/expect.h"
#include "tests/unit/sql_world.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const char payload[] = "{\"a\":1,\"b\":{\"c\":[1,2.5,\"x\",null,{\"d\":true}]},\"s\":\"text\",\"n\":null,\"t\":-0.5e3}";

static void check_error(const struct expr_error *e, size_t size)
{
	expect(e->line >= 1 && e->column >= 1 && (size_t)e->column <= size + 1);
	expect(strncmp(e->message, "line ", 5) == 0);
}

static const struct expr_program *moved(struct sk_arena *a, const struct expr_program *p)
{
	void *copy = sk_alloc(a, p->size);

	expect(copy && p->size >= sizeof *p);
	return memcpy(copy, p, p->size);
}

static void run(struct sk_arena *a, const struct expr_program *p, bool template)
{
	const struct expr_limits limits = { .steps = 20000, .bytes = 1 << 20 };
	struct sql_message m = world_message(payload, NULL);
	struct sql_result r = { 0 };
	int rc;

	m.document = sk_json_parse(a, payload, m.size, NULL, NULL);
	rc = template ? sql_run_template(p, &m, a, &limits, &r) : sql_run(p, &m, a, &limits, &r);
	expect(rc >= 0 || r.why);
	expect(!r.text || sk_utf8_valid(r.text, strlen(r.text)));
	if (r.document) {
		size_t n;
		const char *printed = sk_json_print(a, r.document, &n);
		struct sk_json_error e;
		expect(printed && (sk_json_parse(a, printed, n, NULL, &e) || e.status == SK_JSON_RANGE || e.status == SK_JSON_DEPTH));
	}
}

static void try(const char *text, size_t n, const struct sql_options *options, bool template)
{
	struct sk_arena a = { 0 };
	struct expr_error e;
	const struct expr_program *p = template ? sql_compile_template(&a, text, n, options, &e) : sql_compile(&a, text, n, options, &e);

	if (p) {
		p = moved(&a, p);
		expect(sql_explain(&a, p));
		expect(!sql_filter(p) || strlen(sql_filter(p)) > 0);
		run(&a, p, template);
	} else {
		check_error(&e, n);
	}
	sk_arena_free(&a);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct sql_options options;

	if (size == 0)
		return 0;
	options = (struct sql_options){ .version = (enum sql_version)(*data % 3), .strict_aws = *data & 8 };
	try((const char *)data + 1, size - 1, &options, false);
	try((const char *)data + 1, size - 1, &options, true);
	return 0;
}
