/* threads.h -- the only place where a thread blocks: each loop steps its part of the runtime and sleeps until it is woken. */
#ifndef SK_THREADS_H
#define SK_THREADS_H

#include <semaphore.h>

#include "core/runtime.h"

struct sk_threads;
/* Starts the workers, the committer, the keeper and the slow pool with all signals blocked; *t is set before the first of them runs,
 * since they wake each other through the host. 0, or -1 with why[] and *t NULL. */
int sk_threads_start(struct sk_threads **t, struct sk_runtime *rt, char *why, size_t why_size);
/* host.wake_thread for real threads; nothing when t is NULL. */
void sk_threads_wake(struct sk_threads *t, int index);
/* From now on the calling thread's wake-ups of workers are noted in *workers, a bit each, until sk_threads_ring() carries them out;
 * NULL: at once again. Nothing else of what it does waits for that, and another thread may wake the same worker. */
void sk_threads_gather(uint32_t *workers);
void sk_threads_ring(struct sk_threads *t, uint32_t *workers);
/* Lets what is under way finish for at most limit_us, then stops all threads in reverse order and commits what is queued: nothing
 * calls back any more. The number of calls left undone. */
size_t sk_threads_stop(struct sk_threads **t, int64_t limit_us);

/* Until it is posted, or monotonic until_us (INT64_MAX: until posted). true: it was. */
bool sk_wait_posted(sem_t *posted, int64_t until_us);

int64_t sk_mono_us(void);
int64_t sk_wall_ms(void);

#endif
