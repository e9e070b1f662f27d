/* engine_ask.h -- aws_lambda(): what a rule asks of functions takes its time, so the message waits in its ring, and the rule runs again when all that
 * it has asked is answered. The rule's own thread, but for the answers.
 *
 * A plugin that runs functions has a row for the event INVOKE: {functionName, payload} to {payload}, or an error. */
#ifndef RULES_ENGINE_ASK_H
#define RULES_ENGINE_ASK_H

#include "plugins/rules/engine_thread.h"

#define RULES_INVOKE "InvokeFunction"

struct ask_round;
/* For rules_world.invoke; the context is the thread, whose `asking` is the round (NULL: none has begun). */
int ask_function(void *context, const char *function, const cJSON *input, const cJSON **answer, const char **why);
/* The run has ended with "later": the message waits, and `again` is called when it need not any more; w and r as before. */
void ask_wait(struct rules_thread *t, struct work *w, struct live_rule *r, void (*again)(struct rules_thread *, struct work *, struct live_rule *));
/* The run has ended otherwise. */
void ask_end(struct rules_thread *t);

#endif
