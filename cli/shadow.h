/* shadow.h -- shadows as people read them: what is reported, and what is wished beyond it. */
#ifndef SKEETER_CLI_SHADOW_H
#define SKEETER_CLI_SHADOW_H

#include "cli/cli.h"

/* GetThingShadow; shadow NULL is the classic one. *document is NULL when there is no shadow, which is no error here. */
int cli_shadow_get(struct cli *cli, const char *thing, const char *shadow, const cJSON **document);
/* UpdateThingShadow with {"state":state}; *document is what was accepted. */
int cli_shadow_update(struct cli *cli, const char *thing, cJSON *state, const cJSON **document);
/* "on=false -> true, level=3": the members of `reported`, with an arrow to what `desired` wants instead. */
const char *cli_shadow_line(struct sk_arena *a, const cJSON *reported, const cJSON *desired);

#endif
