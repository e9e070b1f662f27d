/* host.h -- what the runtime needs from the world: clocks, chance, the broker.
 *
 * The real one is core/broker.c with threads.c; a simulation supplies its own and drives every step() itself. */
#ifndef SK_HOST_H
#define SK_HOST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct sk_outgoing; /* core/outbox.h */

struct sk_host {
	int64_t (*mono_us)(void *ctx);
	int64_t (*wall_ms)(void *ctx);
	void (*random)(void *ctx, void *buf, size_t n);
	/* From any thread: the broker thread should drain the outbox soon. Must not block. */
	void (*wake_broker)(void *ctx);
	/* From any thread: the thread of worker `index` (or the keeper, SK_KEEPER; the committer, SK_COMMITTER) should step. */
	void (*wake_thread)(void *ctx, int index);
	/* Broker thread, while draining. Each takes what it needs from the item; the caller frees it. */
	void (*publish)(void *ctx, const struct sk_outgoing *item);
	void (*kick)(void *ctx, const struct sk_outgoing *item);
	void (*log)(void *ctx, char level, const char *line);
	/* A named point (SK_POINT) at which a simulation may crash; each is reached by `make sim`. NULL in production. */
	void (*crash_point)(void *ctx, const char *name);
	void *ctx;
};
#define SK_POINT(host, name) ((host)->crash_point ? (host)->crash_point((host)->ctx, name) : (void)0)
enum { SK_KEEPER = -1, SK_COMMITTER = -2, SK_SLOW_POOL = -3, SK_FOLLOWER = -4 };

#endif
