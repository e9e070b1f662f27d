/* settings.h -- what CreateFunction and UpdateFunctionConfiguration set in a function's record. */
#ifndef FUNCTIONS_SETTINGS_H
#define FUNCTIONS_SETTINGS_H

#include "core/call.h"

/* Checks what the types of the inputs cannot. `before` NULL: a new function. SK_OK, or what sk_fail() returned. */
int settings_check(struct sk_call *c, const cJSON *before);
/* Puts what is given into the record; what a new one lacks gets Lambda's defaults. */
void settings_take(struct sk_call *c, cJSON *record, bool is_new);

#endif
