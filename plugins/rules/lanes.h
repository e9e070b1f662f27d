/* lanes.h -- what the files of lanes share (lanes.c, lanes_add.c, lanes_folder.c, lanes_thread.c, lane_report.c).
 *
 * A lane is made once and stays until the end, but for one that holds nothing and that no rule uses, when another needs its place. */
#ifndef RULES_LANES_H
#define RULES_LANES_H

#include <pthread.h>
#include <semaphore.h>

#include "plugins/rules/engine_thread.h"
#include "plugins/rules/lane_step.h"

/* -- a thread's buffer of a lane: that thread's -- */
struct lane_buffer {
	struct lane *lane;
	struct lane_buffer *next;  /* of the thread's */
	bool listed;
	char *bytes;               /* records, one behind the other */
	size_t used, room, held;   /* held: bytes of them that are counted in the thread's and the lane's */
	size_t *size;              /* of each record */
	struct rules_message **message; /* of each record: NULL, or what is done with it */
	size_t n, n_room;
};

/* -- a lane -- */
struct lane_use {              /* an action of a rule that sends to it */
	struct lane *_Atomic lane;
	struct live_rule *rule;
	struct lane_use *next, **at; /* of the lane's */
};
struct lane_uses {             /* a rule's, by the number of the action + 1; one block */
	struct lanes *set;
	int n;
	struct lane_use use[];
};
struct lane {
	struct lanes *set;
	struct lane *next;
	char *kind, *name, *folder;
	struct sk_segments *files;
	struct lane_run *run;
	int index;
	/* under set->making */
	const struct sk_sink *sink; /* never changes once it is there */
	char *fields;              /* of the sink's connection, as JSON: what it was aimed by */
	/* under set->lock */
	struct lane_use *users;
	unsigned gets;             /* lane_get() and lane_keep() without lane_put() */
	uint64_t mark;             /* delivered at mark_ms, for the rate; lane_report.c */
	int64_t mark_ms;
	double rate;
	/* any thread */
	atomic_bool full;
	_Atomic size_t held;       /* bytes in buffers that could not be appended */
	atomic_int listed;         /* buffers that hold something */
	struct lane_buffer buffer[RULES_MAX_THREADS];
	/* its thread (lanes_thread.c) */
	pthread_t id;
	sem_t bell;
	atomic_bool rung, stop, started;
};
struct lanes {
	struct rules_engine *engine;
	struct lanes_settings settings;
	char *folder;
	pthread_mutex_t making;    /* held while one is made or thrown away; before `lock` */
	pthread_mutex_t lock;      /* short: the list, users, what is full */
	struct lane *first;
	int count, serial;
	atomic_bool ready;
};

/* lanes.c: it stays until lane_put() */
void lane_keep(struct lane *l);
/* lanes_add.c: any thread; looks whether there is room, and tells the rules that use it. */
void lane_look_at_room(struct lane *l);
/* lanes_thread.c */
int lane_thread_start(struct lane *l);
void lane_thread_stop(struct lane *l);
void lane_ring(struct lane *l); /* any thread */
extern const struct lane_host lane_host_of_threads; /* ctx: the lane */
/* dead_letters.c, for lane_host.failed */
int lane_failed(void *lane, const struct lane_failure *f);

/* lanes_folder.c: the folder of a lane, with lane.json. 0, or -1 with why[]. */
struct lane_label {            /* the arena's */
	const char *kind, *name;
	const cJSON *fields;
};
char *lane_folder_name(const char *folder, const char *kind, const char *name); /* malloc'd; NULL: memory is out */
int lane_label_write(const char *folder, const struct lane_label *label, char *why, size_t why_size);
int lane_label_read(const char *folder, struct sk_arena *a, struct lane_label *label, char *why, size_t why_size);
void lane_folder_remove(const char *folder); /* and what is in it */
int lanes_folder_make(const char *folder, char *why, size_t why_size); /* and those above it up to two */

#endif
