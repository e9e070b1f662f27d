/* engine_ask.c -- see engine_ask.h. A question that a run has asked before finds the same answer in its next one. */
#include "plugins/rules/engine_ask.h"

#include <stdlib.h>
#include <string.h>

#include "core/invoke.h"

enum { QUESTIONS_MOST = 16 }; /* of one message under one rule */

struct question {
	struct rules_note note;   /* first */
	struct question *next;
	struct ask_round *round;
	bool done;
	int error;
	char *answer, *why;       /* JSON of the payload, NULL: undefined; of an error */
	char text[];              /* {functionName, payload} */
};
struct ask_round {
	struct question *questions;
	int count, open;
	bool waits, over;         /* over: nobody will run again, but answers are still to come */
	struct rules_thread *thread;
	struct rules_message *message;
	struct live_rule *rule;   /* with a reference while it waits */
	uint8_t seed[16];         /* chance repeats */
	void (*again)(struct rules_thread *, struct work *, struct live_rule *);
};

static void round_free(struct ask_round *round)
{
	while (round && round->questions) {
		struct question *next = round->questions->next;
		free(round->questions->answer);
		free(round->questions->why);
		free(round->questions);
		round->questions = next;
	}
	free(round);
}

/* -- answers -- */

/* All that was open is answered, and the run that asked is over. */
static void go_on(struct rules_thread *t, struct ask_round *round)
{
	struct rules_message *m = round->message;
	struct live_rule *r = round->rule;
	struct work w;
	round->waits = false;
	if (atomic_load(&t->stop)) {
		round_free(round); /* the message stays in the journal */
	} else {
		work_open(t, m, &w);
		memcpy(w.sql.seed, round->seed, sizeof round->seed);
		t->asking = round;
		round->again(t, &w, r);
		work_done(t, m);
	}
	live_unref(r);
}

static void answered(struct rules_thread *t, struct rules_note *n)
{
	struct question *q = (struct question *)n;
	struct ask_round *round = q->round;
	q->done = true;
	if (--round->open)
		return;
	if (round->waits)
		go_on(t, round);
	else if (round->over)
		round_free(round);
}

/* On a worker, or wherever the runtime ends. */
static void finished(struct sk_request *request, const struct sk_answer *a)
{
	struct question *q = request->finish_ctx;
	struct sk_arena arena = { 0 };
	const cJSON *payload = a->error ? NULL : sk_json_get(a->out, "payload");
	const char *text = payload ? sk_json_print(&arena, payload, NULL) : NULL;
	q->answer = text ? strdup(text) : NULL;
	q->error = payload && !q->answer ? SK_E_UNAVAILABLE : a->error;
	q->why = a->error && a->message ? strdup(a->message) : NULL;
	sk_arena_free(&arena);
	thread_post(q->round->thread, &q->note);
}

/* -- questions -- */

static const char *text_of(struct sk_arena *a, const char *function, const cJSON *input, cJSON **in)
{
	*in = sk_json_object(a);
	sk_json_set_string(a, *in, "functionName", function);
	sk_json_set(a, *in, "payload", input ? sk_json_copy(a, input) : sk_json_null(a));
	return sk_json_print(a, *in, NULL);
}

static int submit(struct rules_thread *t, struct question *q, const cJSON *in, const char **why)
{
	static const struct sk_caller us = { .kind = SK_INTERNAL, .client_id = "", .principal = "" };
	struct sk_runtime *rt = t->engine->rt;
	struct sk_invocation v = { .row = sk_runtime_event(rt, RULES_INVOKE), .internal = true, .caller = &us, .in = in, .text = q->text, .size = strlen(q->text),
		.finish = finished, .ctx = q };
	return sk_runtime_invoke(rt, &v, &t->arena, why);
}

static int ask(struct rules_thread *t, const char *text, const cJSON *in, const char **why)
{
	struct ask_round *round = t->asking;
	struct question *q = calloc(1, sizeof *q + strlen(text) + 1);
	if (!q)
		return SK_E_UNAVAILABLE;
	strcpy(q->text, text);
	q->note.run = answered;
	q->round = round;
	int rc = submit(t, q, in, why);
	if (rc) {
		free(q);
		return rc;
	}
	q->next = round->questions;
	round->questions = q;
	round->count++;
	round->open++;
	return SQL_LATER;
}

static int answer_of(struct rules_thread *t, const struct question *q, const cJSON **answer, const char **why)
{
	*why = sk_strdup(&t->arena, q->why);
	*answer = q->answer ? sk_json_parse(&t->arena, q->answer, strlen(q->answer), NULL, NULL) : NULL;
	return q->error ? q->error : SQL_ANSWERED;
}

int ask_function(void *context, const char *function, const cJSON *input, const cJSON **answer, const char **why)
{
	struct rules_thread *t = context;
	cJSON *in;
	if (!sk_runtime_event(t->engine->rt, RULES_INVOKE)) {
		*why = "no plugin here runs functions (skeeter_functions)";
		return SK_E_UNAVAILABLE;
	}
	const char *text = text_of(&t->arena, function, input, &in);
	if (!t->asking && (t->asking = calloc(1, sizeof *t->asking)))
		t->asking->thread = t;
	if (!text || !t->asking)
		return SK_E_UNAVAILABLE;
	for (const struct question *q = t->asking->questions; q; q = q->next)
		if (!strcmp(q->text, text))
			return q->done ? answer_of(t, q, answer, why) : SQL_LATER;
	if (t->asking->count < QUESTIONS_MOST)
		return ask(t, text, in, why);
	*why = "16 questions are the most for one message";
	return SK_E_LIMIT_EXCEEDED;
}

/* -- runs -- */

void ask_wait(struct rules_thread *t, struct work *w, struct live_rule *r, void (*again)(struct rules_thread *, struct work *, struct live_rule *))
{
	struct ask_round *round = t->asking;
	t->asking = NULL;
	memcpy(round->seed, w->sql.seed, sizeof round->seed);
	round->message = w->m;
	round->rule = live_ref(r);
	round->again = again;
	round->waits = true;
	w->m->open++;
}

/* A question may be open still, of a run that failed at another: the round goes with the last answer. */
void ask_end(struct rules_thread *t)
{
	struct ask_round *round = t->asking;
	t->asking = NULL;
	if (round && round->open)
		round->over = true;
	else
		round_free(round);
}
