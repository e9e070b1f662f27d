/* sim_host.h -- the runtime in a world of one thread: its clocks, its chance, its store and its broker are the test's.
 *
 *   struct sim *s = sim_new(1, 2);                       seed, workers; loads the plugins of sim_host_plugin.c
 *   int a = sim_do(s, "lamp", "put on 1; get on");       a call of partition thing/lamp (the language: sim_host_plugin.c)
 *   sim_settle(s);                                       steps everybody until nobody has anything to do
 *   s->answer[a].error, s->answer[a].text                what it came to
 *   sim_sent(s)                                          "publish t=x; reply ...;" what the broker was given, in order
 *   sim_free(&s);
 *
 * Nothing happens unless a step is asked for. The store is in memory and keeps the contract of store.h: what breaks it ends the
 * program with a line that says how. A crash throws away all but what was durable. */
#ifndef SIM_HOST_H
#define SIM_HOST_H

#include "core/runtime.h"

enum { SIM_ANSWERS = 4096, SIM_CLIENT = 77 };
enum { SIM_COMMITTER, SIM_KEEPER, SIM_SLOW, SIM_BROKER, SIM_FOLLOWER, SIM_OTHERS }; /* actors besides the workers */

struct sim_answer {
	bool done;
	int count;        /* answers that came: 1, or something is wrong */
	int ended;        /* times that the runtime was through with the call, answered or thrown away: 1 in the end */
	int error;
	char *message, *text; /* text: the output or the error's fields, printed */
	unsigned order;   /* its place among all answers */
};

struct sim_record {
	char *key;
	struct sk_bytes *bytes;
	uint64_t version;
};
struct sim_table {
	struct sim_record *at;
	size_t count, room;
};
struct sim_structure {
	char *partition;
	uint64_t version;
};
/* What brokers that share a store tell each other through it. */
struct sim_change {
	char *key;
	uint64_t version;
};
struct sim_peer {
	char self[17];
	int64_t at_ms;           /* of the wall clock, which all share */
};
enum { SIM_PEERS = 64 };
struct sim_store {
	struct sk_store store;   /* first */
	struct sim *sim;
	struct sim_store *base;  /* whose tables it uses: its own, or those of another world */
	bool shares;
	struct sim_change *log;  /* the base's, as all below */
	size_t changes, log_room, cut; /* cut: so many of them are forgotten */
	unsigned life;           /* of the data: another one when it was emptied */
	struct sim_peer peer[SIM_PEERS];
	int peers;
	unsigned names;
	/* sim_host_file.c: the embedded store in a file instead of the tables below; faults are put before it */
	struct sk_store *file;
	char folder[64], path[96];
	unsigned files;
	bool copied;             /* the files have been copied as they were at the crash */
	struct sk_bytes *shown;  /* by sim_record */
	struct sim_table table[SK_SPACES];
	struct sim_structure *structure;
	size_t structures;
	struct sk_commit *queue, **queue_end;
	/* faults */
	int fail_reads, fail_scans; /* so many next ones answer -1 */
	int fail_commits, conflict_commits;
	int lose_answers;        /* so many next commits happen and are answered FAILED */
	bool silent;             /* nothing is answered: reads, scans, changes, beats fail and so do commits */
	const char *poison;      /* a commit that writes this key fails */
	bool held;               /* a step commits nothing: completion is delayed */
	bool pressed;            /* says that its backlog is too large */
	unsigned reads, scans, commits, largest; /* largest: most writes of a commit */
};

struct sim {
	struct sk_host host;
	struct sk_runtime *rt;
	struct sim_store *store;
	int workers;
	bool on_file;
	size_t cache, inbox;
	int64_t mono_us, wall_ms; /* wall_ms may be set back */
	uint64_t rng;
	/* the broker's side */
	char *sent;              /* one line for everything that the broker was given */
	size_t sent_size, sent_room;
	char *log;               /* lines logged */
	int wakes;
	bool hold_broker;        /* sim_settle leaves the outbox alone */
	bool hold_slow;
	struct sim_answer answer[SIM_ANSWERS];
	int answers;
	unsigned answered;
	unsigned handled;        /* times that the script handler ran */
	char *index;             /* what the watch of registry/w/ has been told; after a reset: since it began */
	char *aside;             /* NULL: no reset is under way */
	/* crash */
	const char *crash_at;    /* the point's name */
	int crash_after;         /* passings of it that do no harm */
	bool crashed;
	unsigned starts;
	const struct sk_plugin *extra; /* loaded too */
	int64_t due_us[SK_MAX_WORKERS + SIM_OTHERS]; /* sim_host_wake.c: when each actor wants to step */
	/* what a model wants to hear; each may be NULL */
	void (*heard)(void *ctx, const struct sk_outgoing *item);          /* a publish or a reply; nothing is noted in `sent` then */
	void (*was_answered)(void *ctx, int place);
	void (*passed)(void *ctx, const char *point, bool crash);          /* a named point */
	void (*finished)(void *ctx, const struct sk_outgoing *item);
	void (*crashing)(void *ctx);                                       /* the runtime is about to be thrown away and started again */
	void *ctx;
};

struct sim *sim_new(uint64_t seed, int workers);
struct sim *sim_new_on_file(uint64_t seed, int workers);
struct sim *sim_new_with(uint64_t seed, int workers, const struct sk_plugin *extra);
/* A broker whose store is shared, and another one beside it on the same data; that of the first must outlive it. */
struct sim *sim_new_shared(uint64_t seed, int workers);
struct sim *sim_new_beside(struct sim *first, uint64_t seed, int workers);
void sim_free(struct sim **s);
uint64_t sim_random(struct sim *s, uint64_t below);

/* -- requests: the place of their answer, or -1 when they were refused -- */
int sim_do(struct sim *s, const char *thing, const char *script);
int sim_operation(struct sim *s, const char *operation, const char *thing, const char *script);
int sim_json(struct sim *s, const char *operation, const char *json); /* ' for " */
/* A device's publish; 0 or -1: the lane was full, then it is submitted as refused and -2 when that was full too. */
int sim_message(struct sim *s, const char *topic, const char *payload);
int sim_control(struct sim *s, const void *envelope, size_t size);

/* -- steps -- */
void sim_settle(struct sim *s);
bool sim_busy(struct sim *s);         /* somebody has something to do now */
bool sim_step_any(struct sim *s);     /* one random actor does one step */
void sim_drain(struct sim *s, int most);
void sim_advance(struct sim *s, int64_t ms); /* both clocks, then settles; in small steps */
void sim_crash(struct sim *s);        /* now; the runtime starts again on what was durable */
void sim_start(struct sim *s);
void sim_stop(struct sim *s);         /* throws the runtime away, and what the store has not committed */

/* -- steps by wake-ups alone (sim_host_wake.c): an actor steps when it was woken or when the time has come that it asked for -- */
void sim_wake(struct sim *s, int actor);    /* a worker's number, or workers + SIM_... */
bool sim_step_woken(struct sim *s);         /* one random actor of those; false: all sleep */
void sim_step_actor(struct sim *s, int actor);
int64_t sim_next_due(const struct sim *s);
/* Until all sleep; then the words for what is left undone, or NULL. */
const char *sim_rest(struct sim *s);
/* The same over so much time, which passes only while all sleep. */
const char *sim_pass(struct sim *s, int64_t ms);
/* As the broker stops: the keeper first, `steps` for what is under way, then all that is left is thrown away. sim_start goes on. */
void sim_shut_down(struct sim *s, int steps);

/* -- looking -- */
const char *sim_sent(struct sim *s);  /* "" when nothing; what has been returned is forgotten at the next call */
bool sim_was_sent(const struct sim *s, const char *part);
int sim_times_sent(const struct sim *s, const char *part);
/* The value of a RECORD as text, or NULL. */
const char *sim_record(struct sim *s, const char *key);
uint64_t sim_version(struct sim *s, const char *key);
size_t sim_count(struct sim *s, enum sk_space space);
void sim_put(struct sim *s, const char *key, const char *text); /* directly, as if it had always been there */
void sim_put_in(struct sim *s, enum sk_space space, const char *key, const char *text);
const char *sim_index(struct sim *s, const char *name); /* what the watch was told last of that name; NULL: nothing, or that it is gone */

/* sim_host_store.c */
struct sim_store *sim_store_new(struct sim *s);
void sim_store_free(struct sim_store **s);
bool sim_store_busy(const struct sim_store *s);
void sim_store_step(struct sim_store *s, int most); /* commits of this step */
void sim_store_lose(struct sim_store *s);           /* what is queued is answered FAILED and not done */
void sim_store_name(struct sim_store *s);           /* a new process */
void sim_store_empty(struct sim_store *s);          /* as a server that has lost its data */
void sim_store_cut(struct sim_store *s);            /* the log so far */
struct sim_record *sim_table_find(struct sim_table *t, const char *key);

/* sim_host_file.c */
void sim_file_open(struct sim_store *s);   /* path; makes a folder the first time */
void sim_file_close(struct sim_store *s);  /* in an orderly way */
void sim_file_crash(struct sim_store *s);  /* goes on with a copy of the files as they are now, or were at a point of the store */
void sim_file_free(struct sim_store *s);   /* with the folder */
void sim_file_remove_now(void);            /* the folder of the world that there is: the program ends */
void sim_file_commit(struct sim_store *s, struct sk_commit *list);
int64_t sim_file_step(struct sim_store *s);
void sim_file_put(struct sim_store *s, const struct sk_store_write *w);
struct sk_store_read sim_file_read(struct sim_store *s, const char *key); /* bytes stay the store's */

/* sim_host_plugin.c */
extern const struct sk_plugin sim_plugin, sim_other_plugin;

/* The ticket of the last `ask`. */
extern struct sk_ticket *sim_ticket;

#endif
