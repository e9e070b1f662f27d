/* run.c -- a stack machine for programs: one small function for each instruction.
 *
 * Blocks of EACH and TRY run above the values that stand on the stack; the emitter has counted them, so the stack, taken from
 * the arena once, never overflows. After each 1024 steps, and whenever a function charges, the limits are looked at. */
#include <stdarg.h>

#include "expr/code.h"
#include "expr/parse.h"

enum { PAUSE = 1024, SMALL_STACK = 24 };
#define HIDDEN __attribute__((unused))

struct machine {
	struct expr_run *run;
	const uint8_t *code;
	const cJSON *root;
	struct expr_value *top; /* the value on top of the stack */
};

/* Answers the next instruction, or NULL at the end of the block and after an error. */
typedef const uint8_t *step(struct machine *m, const uint8_t *pc);

/* -- limits -- */

void expr_run_start(struct expr_run *r)
{
	if (r->limits.steps == 0)
		r->limits.steps = EXPR_STEPS;
	if (r->limits.bytes == 0)
		r->limits.bytes = EXPR_BYTES;
	r->steps = r->asked = 0;
	r->pause = PAUSE;
	r->bytes_before = r->arena->total;
	r->error = SK_OK;
	r->message = NULL;
	r->later = false;
}

struct expr_value expr_fail_run(struct expr_run *r, int error, const char *fmt, ...)
{
	va_list ap;

	if (r->error)
		return expr_undefined();
	va_start(ap, fmt);
	r->error = error;
	r->message = sk_vprintf(r->arena, fmt, ap);
	if (!r->message)
		r->message = "out of memory";
	va_end(ap);
	return expr_undefined();
}

static bool within_limits(struct expr_run *r)
{
	if (r->error)
		return false;
	if (r->arena->failed)
		expr_fail_run(r, SK_E_INTERNAL, "out of memory");
	else if (r->steps > r->limits.steps)
		expr_fail_run(r, SK_E_LIMIT_EXCEEDED, "more than %llu steps", (unsigned long long)r->limits.steps);
	else if (r->arena->total - r->bytes_before > r->limits.bytes)
		expr_fail_run(r, SK_E_LIMIT_EXCEEDED, "more than %zu bytes of memory", r->limits.bytes);
	else if (r->limits.stop && r->steps - r->asked >= PAUSE && (r->asked = r->steps, r->limits.stop(r->limits.state)))
		expr_fail_run(r, SK_E_LIMIT_EXCEEDED, "it took too long");
	return !r->error;
}

bool expr_charge(struct expr_run *r, uint64_t n)
{
	if (n > r->limits.steps)
		n = r->limits.steps + 1;
	r->steps += n;
	return within_limits(r);
}

/* -- values -- */

static const uint8_t *push(struct machine *m, struct expr_value v, const uint8_t *pc)
{
	*++m->top = v;
	return pc;
}

static const uint8_t *op_END(struct machine *m HIDDEN, const uint8_t *pc HIDDEN)
{
	return NULL;
}

static const uint8_t *op_UNDEFINED(struct machine *m, const uint8_t *pc)
{
	return push(m, expr_undefined(), pc);
}

static const uint8_t *op_NULL(struct machine *m, const uint8_t *pc)
{
	return push(m, (struct expr_value){ .kind = EXPR_NULL }, pc);
}

static const uint8_t *op_TRUE(struct machine *m, const uint8_t *pc)
{
	return push(m, expr_bool(true), pc);
}

static const uint8_t *op_FALSE(struct machine *m, const uint8_t *pc)
{
	return push(m, expr_bool(false), pc);
}

static const uint8_t *op_INT(struct machine *m, const uint8_t *pc)
{
	int64_t i = code_int(&pc);

	return push(m, expr_int(i), pc);
}

static const uint8_t *op_DECIMAL(struct machine *m, const uint8_t *pc)
{
	struct expr_value v = code_decimal(&pc);

	return push(m, v, pc);
}

static const uint8_t *op_STRING(struct machine *m, const uint8_t *pc)
{
	size_t n;
	const char *text = code_text(&pc, &n);

	return push(m, expr_string(text, n), pc);
}

static const uint8_t *op_ROOT(struct machine *m, const uint8_t *pc)
{
	return push(m, expr_of_node(m->run->program->mode, m->root), pc);
}

static const uint8_t *op_RAW(struct machine *m, const uint8_t *pc)
{
	return push(m, (struct expr_value){ .kind = EXPR_RAW }, pc);
}

static const uint8_t *op_NAME(struct machine *m, const uint8_t *pc)
{
	size_t n;
	const char *name = code_text(&pc, &n);

	return push(m, expr_of_node(m->run->program->mode, sk_json_get(m->root, name)), pc);
}

static const cJSON *object_of(const struct expr_value *v)
{
	return v->kind == EXPR_OBJECT ? v->node : NULL;
}

static const uint8_t *op_MEMBER(struct machine *m, const uint8_t *pc)
{
	size_t n;
	const char *name = code_text(&pc, &n);

	*m->top = expr_of_node(m->run->program->mode, sk_json_get(object_of(m->top), name));
	return pc;
}

const cJSON *expr_element(struct expr_run *r, const cJSON *array, int64_t i)
{
	const cJSON *child = i >= 0 ? array->child : NULL;
	int64_t left = i;

	for (; child && left > 0; left--)
		child = child->next;
	r->steps += i > 0 ? (uint64_t)(i - left) / 16 : 0;
	return child;
}

static const uint8_t *op_INDEX(struct machine *m, const uint8_t *pc)
{
	struct expr_value *of = m->top - 1, *by = m->top--;
	const cJSON *found = NULL;

	if (of->kind == EXPR_ARRAY && by->kind == EXPR_INT)
		found = expr_element(m->run, of->node, by->i);
	else if (by->kind == EXPR_STRING)
		found = sk_json_get(object_of(of), by->text);
	*of = expr_of_node(m->run->program->mode, found);
	return pc;
}

/* -- operators and functions -- */

static const uint8_t *op_PREFIX(struct machine *m, const uint8_t *pc)
{
	*m->top = m->run->dialect->operators[*pc].apply(m->run, 1, m->top);
	return m->run->error ? NULL : pc + 1;
}

static const uint8_t *op_INFIX(struct machine *m, const uint8_t *pc)
{
	m->top--;
	*m->top = m->run->dialect->operators[*pc].apply(m->run, 2, m->top);
	return m->run->error ? NULL : pc + 1;
}

static const uint8_t *op_CALL(struct machine *m, const uint8_t *pc)
{
	const struct expr_function *f = &m->run->dialect->functions[pc[0]];
	int n = pc[1];

	m->top -= n - 1;
	*m->top = n >= f->least && n <= f->most ? f->apply(m->run, n, m->top) : expr_undefined();
	return within_limits(m->run) ? pc + 2 : NULL;
}

/* -- jumps -- */

static const uint8_t *jump(struct machine *m, const uint8_t *pc, bool taken)
{
	uint32_t at = code_address(&pc);

	return taken ? m->code + at : pc;
}

static const uint8_t *op_JUMP(struct machine *m, const uint8_t *pc)
{
	return jump(m, pc, true);
}

static const uint8_t *op_UNLESS(struct machine *m, const uint8_t *pc)
{
	return jump(m, pc, m->run->dialect->truth(m->top--) != 1);
}

static const uint8_t *op_IF_UNSET(struct machine *m, const uint8_t *pc)
{
	return jump(m, pc, m->top->kind == EXPR_UNDEFINED);
}

static const uint8_t *op_IF_SET(struct machine *m, const uint8_t *pc)
{
	return jump(m, pc, m->top->kind > EXPR_NULL);
}

static const uint8_t *decided(struct machine *m, const uint8_t *pc, int by)
{
	bool taken = m->run->dialect->truth(m->top) == by;

	if (taken)
		*m->top = expr_bool(by);
	return jump(m, pc, taken);
}

static const uint8_t *op_AND(struct machine *m, const uint8_t *pc)
{
	return decided(m, pc, 0);
}

static const uint8_t *op_OR(struct machine *m, const uint8_t *pc)
{
	return decided(m, pc, 1);
}

static const uint8_t *op_COPY(struct machine *m, const uint8_t *pc)
{
	m->top[1] = m->top[0];
	m->top++;
	return pc;
}

static const uint8_t *op_DROP(struct machine *m, const uint8_t *pc)
{
	m->top--;
	return pc;
}

/* -- making arrays and objects; those on the stack below the value are our own -- */

static const uint8_t *push_new(struct machine *m, const uint8_t *pc, enum expr_kind kind)
{
	cJSON *node = kind == EXPR_ARRAY ? sk_json_array(m->run->arena) : sk_json_object(m->run->arena);

	push(m, (struct expr_value){ .kind = kind, .node = node }, pc);
	return node || within_limits(m->run) ? pc : NULL;
}

static const uint8_t *op_ARRAY(struct machine *m, const uint8_t *pc)
{
	return push_new(m, pc, EXPR_ARRAY);
}

static const uint8_t *op_OBJECT(struct machine *m, const uint8_t *pc)
{
	return push_new(m, pc, EXPR_OBJECT);
}

static cJSON *own_node(struct expr_value *v)
{
	return (cJSON *)v->node;
}

static const uint8_t *op_ADD(struct machine *m, const uint8_t *pc)
{
	cJSON *node = expr_to_node(m->run->arena, m->top--);

	expr_link(m->run->arena, own_node(m->top), NULL, node);
	return pc;
}

/* An object of our own at `key`: a copy of the one that may be the document's, or a new one. */
static cJSON *step_into(struct machine *m, cJSON *object, const char *key)
{
	const cJSON *old = sk_json_get(object, key);
	cJSON *own = sk_json_object(m->run->arena);

	if (cJSON_IsObject(old)) {
		SK_JSON_EACH(child, old)
			expr_link(m->run->arena, own, child->string, child);
	}
	return sk_json_set(m->run->arena, object, key, own);
}

static void put_member(struct machine *m, cJSON *object, const char *key, size_t n, cJSON *node)
{
	struct sk_arena *a = m->run->arena;

	if (!node)
		return;
	if (sk_json_get(object, key))
		sk_json_set(a, object, key, node);
	else
		expr_link(a, object, sk_strndup(a, key, n), node);
}

static const uint8_t *op_PUT(struct machine *m, const uint8_t *pc)
{
	struct expr_value *v = m->top--;
	cJSON *object = own_node(m->top), *node = v->kind == EXPR_UNDEFINED ? NULL : expr_to_node(m->run->arena, v);
	int count = *pc++;
	const char *key;
	size_t n;

	for (int i = 1; i < count; i++) {
		key = code_text(&pc, &n);
		object = node ? step_into(m, object, key) : NULL;
	}
	key = code_text(&pc, &n);
	put_member(m, object, key, n, node);
	return pc;
}

static const uint8_t *op_MERGE(struct machine *m, const uint8_t *pc)
{
	cJSON *object = own_node(m->top);
	bool fresh = object && !object->child;
	int before = fresh ? 0 : sk_json_count(object);

	if (!cJSON_IsObject(m->root))
		return pc;
	SK_JSON_EACH(child, m->root) {
		if (fresh || !sk_json_get(object, child->string))
			expr_link(m->run->arena, object, child->string, child);
		else
			sk_json_set(m->run->arena, object, child->string, (cJSON *)child); /* which stands in a tree: copied */
		m->run->steps += 1 + (uint64_t)before / 8;
	}
	return within_limits(m->run) ? pc : NULL;
}

/* -- blocks -- */

static struct expr_value run_block(const struct machine *outer, uint32_t at, const cJSON *root);

static bool is_wanted(const struct machine *m, uint32_t where, const cJSON *root)
{
	struct expr_value v = where ? run_block(m, where, root) : expr_bool(true);

	return !m->run->error && m->run->dialect->truth(&v) == 1;
}

static struct expr_value each_element(const struct machine *m, uint32_t items, uint32_t where)
{
	cJSON *out = sk_json_array(m->run->arena);

	for (const cJSON *e = m->top->node->child; e && !m->run->error; e = e->next) {
		struct expr_value v;
		if (!is_wanted(m, where, e))
			continue;
		v = run_block(m, items, e);
		if (v.kind != EXPR_UNDEFINED)
			expr_link(m->run->arena, out, NULL, expr_to_node(m->run->arena, &v));
	}
	return (struct expr_value){ .kind = out ? EXPR_ARRAY : EXPR_UNDEFINED, .node = out };
}

static const uint8_t *op_EACH(struct machine *m, const uint8_t *pc)
{
	uint32_t items = code_address(&pc), where = code_address(&pc);
	const struct expr_value from = *m->top;

	if (from.kind == EXPR_ARRAY)
		*m->top = each_element(m, items, where);
	else if (from.kind == EXPR_OBJECT && is_wanted(m, where, from.node))
		*m->top = run_block(m, items, from.node);
	else
		*m->top = expr_undefined();
	/* The block of the condition stands between here and the next instruction, behind a jump. */
	return within_limits(m->run) ? pc : NULL;
}

/* What ended the block counts as undefined, unless a limit did. */
static const uint8_t *op_TRY(struct machine *m, const uint8_t *pc)
{
	struct expr_run *r = m->run;
	uint32_t behind = code_address(&pc);
	struct expr_value v = run_block(m, (uint32_t)(pc - m->code), m->root);

	if (r->error && r->error != SK_E_LIMIT_EXCEEDED && r->error != SK_E_INTERNAL) {
		r->error = SK_OK;
		r->message = NULL;
		v = expr_undefined();
	}
	push(m, v, pc);
	return r->error ? NULL : m->code + behind;
}

/* -- the loop -- */

static step *const steps[] = {
#define OP(name, operands, effect) op_##name,
#include "expr/ops.tbl"
#undef OP
};

static struct expr_value run_on(struct machine *m, uint32_t at)
{
	const struct expr_value *bottom = m->top;
	const uint8_t *pc = m->code + at;
	struct expr_run *r = m->run;

	while (pc) {
		if (++r->steps >= r->pause) {
			r->pause = r->steps + PAUSE;
			if (!within_limits(r))
				break;
		}
		pc = steps[*pc](m, pc + 1);
		if (r->trace && pc && m->top > bottom)
			r->trace(r->watcher, (uint32_t)(pc - m->code), m->top);
	}
	return r->error || m->top == bottom ? expr_undefined() : *m->top;
}

static struct expr_value run_block(const struct machine *outer, uint32_t at, const cJSON *root)
{
	struct machine m = *outer;

	m.root = root;
	return run_on(&m, at);
}

struct expr_value expr_run_at(struct expr_run *r, uint32_t at)
{
	struct expr_value small[SMALL_STACK];
	struct machine m = { .run = r, .code = r->program->code, .root = r->root, .top = small };

	if (r->program->stack + 1 > SMALL_STACK)
		m.top = sk_alloc(r->arena, (r->program->stack + 1) * sizeof *m.top);
	if (!m.top)
		return expr_fail_run(r, SK_E_INTERNAL, "out of memory");
	m.top->kind = EXPR_UNDEFINED;
	return run_on(&m, at);
}
