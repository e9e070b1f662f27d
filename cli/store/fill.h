/* fill.h -- writes many records into a store: gathered into commits of one partition each, durable when fill_flush() has answered 0.
 *
 * An effect or a timer is committed in the partition that its key names: in a store of several servers that is where the runtime looks for it. */
#ifndef STORE_FILL_H
#define STORE_FILL_H

#include <signal.h>

#include "cli/store/flow.h"
#include "cli/store/progress.h"

struct fill;
/* stop: looked at while a store that is away is waited for, which is then given up. NULL: memory is out. */
struct fill *fill_new(struct place *p, const volatile sig_atomic_t *stop);
void fill_free(struct fill **f);
/* Takes key and bytes over, also when it fails; bytes NULL: the key is deleted. Flushes when there is enough. 0, or -1 and fill_why(). */
int fill_add(struct fill *f, struct flow_record *r);
/* All that was added, and then the marker with that text ("": it stays as it is, NULL: it goes). 0, or -1 and fill_why(). */
int fill_flush(struct fill *f, const char *marker);
/* Forgets what was added since the last flush and deletes all that the store holds but the marker. 0, or -1 and fill_why(), which is "" when it was stopped. */
int fill_empty(struct fill *f, struct progress *progress);
/* Is it time for one? */
bool fill_is_full(const struct fill *f);
const char *fill_why(const struct fill *f);

/* How many bytes of the key, from *key on, are the partition in whose commit it is written. */
size_t fill_home(enum sk_space space, const char **key);

#endif
