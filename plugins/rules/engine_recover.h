/* engine_recover.h -- messages that an earlier process had taken and not done with are fed again. Broker's thread, but for recover_poke().
 *
 * One goes out of its file when it lies in a ring of ours: killed in between, it comes twice, and never not at all. */
#ifndef RULES_RECOVER_H
#define RULES_RECOVER_H

#include "plugins/rules/engine.h"

struct rules_thread;
void recover_begin(struct rules_engine *e);        /* rules are in force, and messages are taken */
void recover_go_on(void *engine);                  /* as many as there is room for now */
void recover_poke(struct rules_thread *t);         /* thread t has made room: the broker's thread hears of it with what t sends next */
/* Is it a message of `size` bytes, all of which lies inside of them? */
bool recover_is_message(const struct rules_message *m, size_t size);

#endif
