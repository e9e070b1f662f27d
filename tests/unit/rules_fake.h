/* rules_fake.h -- an engine of rules whose threads do not run: what the broker's thread does to it, and what then lies in the rings.
 *
 *   struct rules_fake f;
 *   rules_fake_open(&f, 4, 1 << 16);               4 threads, rings of 64 KiB in a folder of their own; messages are taken
 *   engine_put(f.engine, rules_fake_rule("r", "a/+"));
 *   rules_fake_feed(&f, "a/b", "{}")               -> SK_PASS or SK_DENY
 *   rules_fake_read(&f, 0)                         the next record of a ring; it is the test's until rules_fake_done()
 *   rules_fake_said(&f, "memory is out")           has a line been logged with that in it? All are forgotten
 *   rules_fake_close(&f);
 *
 * sk_feed_client() and sk_feed_properties() are its own: a feed's handle is a struct sk_client, its properties are bytes. */
#ifndef RULES_FAKE_H
#define RULES_FAKE_H

#include "plugins/rules/engine.h"
#include "plugins/rules/engine_thread.h"

struct rules_fake {
	struct sk_host host;
	struct sk_runtime rt;
	struct rules_state options;
	struct rules_engine *engine;
	char journal[128];
};
bool rules_fake_open(struct rules_fake *f, int threads, size_t ring); /* false: memory is out */
void rules_fake_close(struct rules_fake *f); /* and the folder is removed */
/* The same in parts: what was left in the folder stays from one engine to the next. */
bool rules_fake_start(struct rules_fake *f, int threads, size_t ring);
void rules_fake_stop(struct rules_fake *f);
size_t rules_fake_files(const struct rules_fake *f, bool removed); /* of the folder */
/* A rule of SQL, "SELECT * FROM filter"; NULL: memory is out. */
struct live_rule *rules_fake_rule(const char *name, const char *filter);
int rules_fake_feed(struct rules_fake *f, const char *topic, const char *payload);
struct rules_message *rules_fake_read(struct rules_fake *f, int thread); /* NULL: there is none */
/* Done with it; a mark of a rule out of force gives its reference back, as the thread does. */
void rules_fake_done(struct rules_fake *f, int thread, struct rules_message *m);
size_t rules_fake_drain(struct rules_fake *f, int thread); /* all of them: how many there were */
bool rules_fake_said(struct rules_fake *f, const char *part);

#endif
