/* model.h -- the random life of a simulated world, and what must hold in it whatever happens.
 *
 * One seed is one struct model: calls and messages at random, faults at random, and in between one step of one actor after the
 * other. Every call has a number; scripts carry it into records and messages, so that what is stored or heard later names its call.
 * Whoever finds something wrong says so with sim_fails, which ends the program with the command that replays the seed. */
#ifndef SIM_MODEL_H
#define SIM_MODEL_H

#include "core/client.h"
#include "tests/unit/sim_host.h"

enum { CALLS = 160, MESSAGES = 400, THINGS = 5, KEYS = 3, DEVICES = 3, POINTS_MOST = 32 };

enum what { PUT, ADD, VOLATILE, DURABLE, EMIT, CHAIN, TIMER, SHARED, AWAIT, ECHO, SCAN, PAIR, GET, LOOK, LOOK_PAIR, REPLY, MARK, BUMP, FAILING, WHATS };
struct call {
	enum what what;
	int thing, key, target, further; /* further: where a chain of events ends */
	int epoch;            /* crashes and stops before it */
	int floor;            /* LOOK: the newest call then that was accepted for its key */
	int64_t due_ms;       /* TIMER: once it has been answered */
	int said, published, fired; /* times heard: volatile, durable, by a timer */
};
struct message {
	int thing, answered;
};
struct device {
	struct sk_client client;
	double tokens;        /* by the rule, in fractions */
	int64_t tokens_at;
};
struct model {
	struct sim *s;
	uint64_t seed, hash;  /* of all that happened */
	bool trace, calm;     /* calm: no faults, so nothing may be lost */
	bool crowded;         /* many large messages for a small inbox */
	unsigned faults;      /* those that may happen, a bit each */
	struct call call[CALLS];
	int calls, epoch, crashes;
	bool dropped;         /* a crash or a stop may have lost messages */
	struct message message[MESSAGES];
	int messages, refused, heard_last[THINGS], said_last[THINGS];
	int envelopes, replies[64];
	struct device device[DEVICES], operator;
	uint64_t generation;
	long memory_failed;   /* failures before this seed */
	int foreign[THINGS];  /* writes by somebody else */
	uint64_t newest[THINGS][KEYS];
	int newest_put[THINGS][KEYS]; /* accepted */
	int64_t wall_most;
};

/* -- seeds.c -- */
void sim_fails(const struct model *m, const char *fmt, ...) __attribute__((format(printf, 2, 3), noreturn));
#define MUST(m, condition) ((condition) ? (void)0 : sim_fails(m, "%s:%d: not so: %s", __FILE__, __LINE__, #condition))
void trace(struct model *m, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
unsigned chance(struct model *m, unsigned below);
extern const char *const points[]; /* ends with NULL */

/* -- calls.c: what is asked -- */
void call_new(struct model *m);
void envelope_new(struct model *m);
void foreign_write(struct model *m);

/* -- devices.c: the broker's side of it: clients, admission, calls in flight -- */
void devices_start(struct model *m); /* also after a restart: all are new connections */
void message_new(struct model *m);
void device_reconnect(struct model *m);
void devices_check(struct model *m);
void devices_finished(void *ctx, const struct sk_outgoing *item);
void control_send(struct model *m, const char *envelope, size_t size);

/* -- faults.c -- */
void fault_new(struct model *m);
void faults_end(struct model *m); /* the world is whole again */
void world_restart(struct model *m, int steps);

/* -- heard.c: what must hold at the moment at which something is heard -- */
void heard(void *ctx, const struct sk_outgoing *item);
void was_answered(void *ctx, int place);
int stored(struct model *m, const char *key, ...) __attribute__((format(printf, 2, 3)));

/* -- checks.c: what must hold at all times, and in the end -- */
void check_now(struct model *m);
void check_end(struct model *m);

#endif
