/* runners.h -- who runs what, by the beginning of the runtime's name: `lua` on threads of this process, the rest by skeeter-functiond. */
#ifndef FUNCTIONS_RUNNERS_H
#define FUNCTIONS_RUNNERS_H

#include "plugins/functions/run.h"

bool runners_have(const char *runtime);
/* Any thread; neither blocks nor calls run_done() itself: that comes on the runner's thread. */
void runners_start(void *state, struct run *r);

/* run_lua.c. NULL: no threads. end(): what waits and what runs has been answered when it returns. */
struct run_lua;
struct run_lua *run_lua_new(int threads);
void run_lua_start(struct run_lua *l, struct run *r);
void run_lua_end(struct run_lua **l);

#endif
