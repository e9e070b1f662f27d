/* fake_call_run.c -- runs a handler until no read is missing, judges it, and lets the test look at what came out. */
#include "tests/unit/fake_call_private.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MAX_RUNS 9 /* one and eight reruns */

/* Test JSON with ' for ", canonical. */
static char *canonical(struct fake *f, const char *json)
{
	char *text = fake_must(strdup(json));
	struct sk_json_error e = { 0 };

	if (!strchr(text, '"'))
		for (char *p = text; *p; p++)
			if (*p == '\'')
				*p = '"';
	const char *printed = sk_json_print(&f->p->scratch, sk_json_parse(&f->p->scratch, text, strlen(text), NULL, &e), NULL);
	if (!printed)
		fake_die(text, e.why ? e.why : "out of memory");
	free(text);
	return fake_must(strdup(printed));
}

/* Puts the input's members into a row's partition: "thing/{thingName}". A topic row's come from its captures. */
static char *home_of(const struct sk_call *c, const char *partition)
{
	char *home = fake_must(calloc(1, 1024)), *end = home;
	size_t n = 0;

	for (const char *p = partition; *p; p++) {
		if (*p != '{') {
			*end++ = *p;
			continue;
		}
		char *name = fake_must(strndup(p + 1, strcspn(p + 1, "}")));
		const char *value = c->in ? sk_json_text(c->in, name) : c->arg[n++];
		p += strlen(name) + 1;
		free(name);
		end = stpcpy(end, value ? value : "");
	}
	return home;
}

static void start_run(struct fake *f, const char *input)
{
	struct fake_private *p = f->p;

	fake_list_free(&p->writes);
	fake_list_free(&p->docs);
	fake_effects_free(f);
	sk_arena_free(&p->arena);
	sk_arena_init(&p->arena, f->memory_limit);
	p->drawn = p->awaits = 0;
	p->is_void = false;
	p->c.error = SK_OK;
	p->c.message = NULL;
	p->c.error_fields = NULL;
	p->c.in = input ? sk_json_parse(&p->arena, input, strlen(input), NULL, NULL) : NULL;
	p->c.out = sk_json_object(&p->arena);
}

static void check_documents(struct fake *f, const char *input)
{
	struct fake_private *p = f->p;

	for (const struct node *n = p->docs; n; n = n->next) {
		const char *now = sk_json_print(&p->scratch, n->doc, NULL);
		if (now && strcmp(now, n->text))
			fake_misuse(&p->c, "the handler changed a document that it was given", n->key);
	}
	const char *in = p->c.in ? sk_json_print(&p->scratch, p->c.in, NULL) : NULL;
	if (in && strcmp(in, input))
		fake_misuse(&p->c, "the handler changed its input", in);
}

static int run_once(struct fake *f, sk_handler *handler, const char *input)
{
	struct fake_private *p = f->p;

	start_run(f, input);
	int rc = p->arena.failed ? SK_OK : handler(&p->c); /* as in core: an input that did not fit reaches nobody */
	check_documents(f, input);
	if (!p->is_void && !p->arena.failed && rc != p->c.error)
		fake_misuse(&p->c, "the handler returned", rc ? "an error without sk_fail" : "SK_OK after sk_fail");
	return rc;
}

static int verdict(struct fake *f, int rc)
{
	struct fake_private *p = f->p;

	f->message = p->c.message;
	if (p->misuse) {
		f->message = p->misuse;
		return SK_E_INTERNAL;
	}
	if (p->arena.failed || p->is_void) {
		f->message = p->is_void ? "too many reruns" : "out of memory";
		return SK_E_UNAVAILABLE;
	}
	return rc;
}

static void start_call(struct fake *f, const char *operation)
{
	struct fake_private *p = f->p;

	f->rc = SK_OK;
	f->message = NULL;
	f->out = f->error_fields = NULL;
	f->runs = 0;
	fake_effects_free(f);
	fake_list_free(&p->known);
	fake_list_free(&p->awaited);
	free(p->misuse);
	sk_arena_free(&p->scratch);
	p->misuse = NULL;
	p->calls++;
	p->c = (struct sk_call){ .arena = &p->arena, .caller = &f->caller, .state = f->state, .operation = operation, .now_ms = f->now_ms };
}

static int run_call(struct fake *f, sk_handler *handler, const char *partition, const char *input)
{
	struct fake_private *p = f->p;
	int rc;

	start_run(f, input);
	char *home = home_of(&p->c, partition);
	p->c.home = home;
	p->read_only = !strcmp(partition, "any");
	do {
		rc = run_once(f, handler, input);
	} while (p->is_void && !p->misuse && ++f->runs < MAX_RUNS);
	f->runs += !p->is_void;
	f->rc = verdict(f, rc);
	p->c.home = "";
	free(home);
	if (f->rc) {
		fake_effects_free(f);
		f->error_fields = p->arena.failed ? NULL : p->c.error_fields;
		return f->rc;
	}
	if (p->writes)
		fake_list_apply(&p->records, p->writes, ++p->seq);
	f->out = p->c.out;
	return f->rc;
}

static bool check_input(struct fake *f, const struct sk_op *op, const char *input)
{
	struct fake_private *p = f->p;
	char why[300] = "";
	struct sk_inputs *in = sk_inputs_new(p->shapes, op->route, op->inputs, op->verb != SK_GET && op->verb != SK_DELETE, why, sizeof(why));
	const cJSON *object = sk_json_parse(&p->scratch, input, strlen(input), NULL, NULL);

	if (!in)
		fake_die(op->name, why);
	if (sk_inputs_check(in, &p->scratch, object, &f->message))
		f->rc = SK_E_INVALID_REQUEST;
	sk_inputs_free(&in);
	return f->rc == SK_OK;
}

int fake_op(struct fake *f, const struct sk_op_group *group, const char *name, const char *input)
{
	const struct sk_op *op = group->op;

	while (op->name && strcmp(op->name, name))
		op++;
	if (!op->name)
		fake_die(name, "no such operation in the group");
	start_call(f, op->name);
	char *text = canonical(f, input);
	if (check_input(f, op, text))
		run_call(f, op->handler, op->partition, text);
	free(text);
	return f->rc;
}

/* Fills the captures; they are the scratch arena's. */
static bool topic_fits(struct fake *f, const char *pattern, const char *topic)
{
	size_t captures = 0;

	for (;; pattern++, topic++) {
		size_t np = strcspn(pattern, "/"), nt = strcspn(topic, "/");
		if (*pattern == '{' && nt && captures < SK_MAX_CAPTURES)
			f->p->c.arg[captures++] = sk_strndup(&f->p->scratch, topic, nt);
		else if (*pattern == '{' || np != nt || memcmp(pattern, topic, np))
			return false;
		pattern += np;
		topic += nt;
		if (!*pattern || !*topic)
			return !*pattern && !*topic;
	}
}

int fake_message(struct fake *f, const struct sk_topic *rows, const char *topic, const void *payload, size_t n)
{
	struct fake_private *p = f->p;

	start_call(f, topic);
	for (; rows->pattern; rows++)
		if (topic_fits(f, rows->pattern, topic))
			break;
	if (!rows->pattern)
		return f->rc = SK_E_UNKNOWN_OPERATION;
	char *copy = fake_must(calloc(1, n + 1));
	if (n)
		memcpy(copy, payload, n);
	p->c.operation = rows->pattern;
	p->c.topic = topic;
	p->c.payload = rows->limit && n > rows->limit(f->state) ? NULL : copy;
	p->c.payload_size = n;
	p->c.refused = f->refuse;
	if (f->refuse && !rows->refuse)
		f->rc = SK_E_THROTTLING;
	else
		run_call(f, f->refuse ? rows->refuse : rows->handler, rows->partition, NULL);
	free(copy);
	return f->rc;
}

int fake_publish(struct fake *f, const struct sk_topic *rows, const char *topic, const char *text)
{
	char *copy = fake_must(strdup(text));

	if (!strchr(copy, '"'))
		for (char *p = copy; *p; p++)
			if (*p == '\'')
				*p = '"';
	int rc = fake_message(f, rows, topic, copy, strlen(copy));
	free(copy);
	return rc;
}

int fake_handler(struct fake *f, sk_handler *handler, const char *home, const char *input)
{
	start_call(f, "handler");
	char *text = canonical(f, input);
	run_call(f, handler, home, text);
	free(text);
	return f->rc;
}

int fake_event(struct fake *f, const struct sk_on *rows, const char *event, const char *input)
{
	/* Copies: both may be an effect's of the last call, and go with it. */
	char *name = strdup(event), *text = strdup(input);
	bool found = false;

	for (; name && text && rows->event; rows++) {
		if (strcmp(rows->event, name))
			continue;
		found = true;
		if (fake_handler(f, rows->handler, rows->partition, text))
			break;
	}
	if (!found)
		fake_die(event, "no such event in the rows");
	free(name);
	free(text);
	return f->rc;
}

/* -- the test's own view -- */

struct fake *fake_new(void)
{
	struct fake *f = fake_must(calloc(1, sizeof(*f)));

	f->p = fake_must(calloc(1, sizeof(*f->p)));
	f->p->f = f;
	f->p->shapes = fake_must(sk_shapes_new());
	f->now_ms = 1700000000123;
	f->event_version = UINT64_MAX;
	f->caller = (struct sk_caller){ .kind = SK_OPERATOR, .client_id = "test", .principal = "" };
	return f;
}

void fake_free(struct fake **f)
{
	struct fake_private *p = (*f)->p;
	struct node **const lists[] = { &p->records, &p->known, &p->awaited, &p->writes, &p->docs };

	fake_effects_free(*f);
	for (size_t i = 0; i < sizeof(lists) / sizeof(*lists); i++)
		fake_list_free(lists[i]);
	sk_arena_free(&p->arena);
	sk_arena_free(&p->scratch);
	sk_shapes_free(&p->shapes);
	free(p->misuse);
	free(p);
	free(*f);
	*f = NULL;
}

void fake_add_shapes(struct fake *f, const struct sk_shape *table)
{
	char why[300] = "";

	if (sk_shapes_add(f->p->shapes, table, why, sizeof(why)))
		fake_die("shapes", why);
}

void fake_put(struct fake *f, const char *key, const char *json)
{
	char *text = canonical(f, json);

	fake_list_set(&f->p->records, key, text, ++f->p->seq);
	free(text);
}

void fake_delete(struct fake *f, const char *key)
{
	fake_list_remove(&f->p->records, key);
}

const char *fake_get(struct fake *f, const char *key)
{
	struct node *n = fake_list_find(f->p->records, key);

	return n ? n->text : NULL;
}

size_t fake_count(struct fake *f, const char *prefix)
{
	size_t count = 0;

	for (const struct node *n = f->p->records; n; n = n->next)
		count += !strncmp(n->key, prefix, strlen(prefix));
	return count;
}

const struct fake_effect *fake_effect(const struct fake *f, enum fake_kind kind, size_t index)
{
	const struct fake_effect *e = f->effects;

	while (e && (e->kind != kind || index--))
		e = e->next;
	return e;
}

size_t fake_effect_count(const struct fake *f)
{
	size_t count = 0;

	for (const struct fake_effect *e = f->effects; e; e = e->next)
		count++;
	return count;
}

bool fake_is(struct fake *f, const cJSON *document, const char *json)
{
	struct sk_arena a = { 0 };
	char *text = canonical(f, json);
	cJSON *wanted = sk_json_parse(&a, text, strlen(text), NULL, NULL);
	cJSON *have = sk_json_object(&a);

	if (sk_json_get(wanted, "...")) {
		sk_json_remove(wanted, "...");
		SK_JSON_EACH(m, wanted)
			if (sk_json_get(document, m->string))
				sk_json_set(&a, have, m->string, sk_json_copy(&a, sk_json_get(document, m->string)));
	} else {
		have = sk_json_copy(&a, document);
	}
	bool same = have && sk_json_equal(wanted, have);
	if (!same) {
		const char *got = sk_json_print(&a, document, NULL);
		fprintf(stderr, "wanted %s\n   got %s\n", text, got ? got : "nothing");
	}
	free(text);
	sk_arena_free(&a);
	return same;
}

bool fake_text_is(struct fake *f, const char *text, const char *json)
{
	struct sk_arena a = { 0 };
	bool same = fake_is(f, text ? sk_json_parse(&a, text, strlen(text), NULL, NULL) : NULL, json);

	sk_arena_free(&a);
	return same;
}
