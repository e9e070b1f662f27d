/* store_checkpoint.h -- the thread that copies the embedded store's write-ahead log into its file. */
#ifndef SK_STORE_CHECKPOINT_H
#define SK_STORE_CHECKPOINT_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

struct sk_embedded;
struct sk_table;

enum sk_checkpoint_state { SK_CKPT_IDLE, SK_CKPT_WANTED, SK_CKPT_FINISH, SK_CKPT_STOP };
struct sk_checkpointer {
	struct sk_table *table;
	int fd;               /* the store's, of the database file */
	pthread_t thread;
	bool threaded;
	pthread_mutex_t lock; /* of state */
	pthread_cond_t wake;
	enum sk_checkpoint_state state;
	int64_t not_before;
	_Atomic bool failed;
};

int sk_checkpointer_start(struct sk_embedded *s);
void sk_checkpointer_stop(struct sk_embedded *s);
void sk_checkpointer_step(struct sk_embedded *s, int64_t now_us, bool idle);
void sk_checkpointer_catch_up(struct sk_embedded *s, int64_t now_us); /* before a commit: waits when the WAL is at its bound */

#endif
