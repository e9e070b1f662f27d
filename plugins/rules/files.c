/* files.c -- see files.h. No rule is made by a file here. */
#include "plugins/rules/files.h"

bool rules_files_get(void *state, const char *name, struct sk_arena *a, cJSON **rule)
{
	(void)state, (void)name, (void)a, (void)rule;
	return false;
}

void rules_files_list(void *state, struct sk_arena *a, void (*fn)(void *ctx, const char *name, const cJSON *item), void *ctx)
{
	(void)state, (void)a, (void)fn, (void)ctx;
}
