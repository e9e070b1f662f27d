/* follower_internal.h -- what the follower's files share. */
#ifndef SK_FOLLOWER_INTERNAL_H
#define SK_FOLLOWER_INTERNAL_H

#include "core/applied.h"
#include "core/follower.h"
#include "core/marks.h"

#define SK_LOOK_US 250000
enum { SK_PEERS_MOST = 256, SK_AT_ONCE = 128, SK_OUTBOX_MOST = 2000 /* items that wait for the broker's thread: then the follower waits */ };

struct sk_changed { /* a record to be read anew */
	struct sk_changed *next;
	uint64_t version;   /* at least this one, if it is gone */
	char key[];
};
struct sk_changed_list { struct sk_changed *head, **tail; };
void sk_changed_init(struct sk_changed_list *l);
int sk_changed_add(struct sk_changed_list *l, const char *prefix, const char *rest, uint64_t version); /* 0 or -1: memory is out */

enum sk_reset_state { SK_IN_STEP, SK_GAP, SK_BEGINNING, SK_READING, SK_ENDING };
struct sk_resetting {
	enum sk_reset_state state;
	atomic_bool under_way;     /* a call on the broker's thread has not been answered */
	_Atomic int answer;        /* its: 0, 1 for more, -1 */
	int plugin, watch;         /* that is read */
	char after[SK_KEY_MAX + 1];
	int64_t not_before_us;     /* a plugin could not; 0: at once */
};

struct sk_follower {
	struct sk_runtime *rt;
	pthread_mutex_t lock;      /* of again, known, peer */
	struct sk_changed_list again; /* the broker's thread asks for these */
	struct sk_marks known;     /* effects under way here */
	char peer[SK_PEERS_MOST][17];
	int peers;
	_Atomic int64_t heard_us;  /* when changes() answered last */
	atomic_bool silent;        /* the last one did not */
	struct sk_applied applied; /* the broker's thread's, but for its number */
	/* the follower's thread's */
	struct sk_changes *at;
	struct sk_changed_list changed;
	bool lost_one;             /* memory was out for a change: as a gap */
	struct sk_resetting reset;
	int64_t next_look_us, next_beat_us, next_pass_us;
	char heard_peer[SK_PEERS_MOST][17]; /* of the beat under way */
	int heard_peers;
	struct sk_marks doubted, doubting; /* effects that nobody works on: in the last pass, and in this one */
	char pass_after[SK_KEY_MAX + 1];
	bool in_pass;
};

struct sk_apply { /* what a watch is to be told */
	const char *key;
	struct sk_bytes *bytes;
	uint64_t version, made;
};
/* 0, or -1: memory is out. */
int sk_follower_add_apply(struct sk_out_list *out, struct sk_follower *f, const struct sk_loaded *l, const struct sk_watch *w, const struct sk_apply *a);
bool sk_follower_has_room(const struct sk_follower *f);

/* follower_reset.c: a step of it. 0; 1: call again at once; -1: the store does not answer. */
int sk_follower_reset(struct sk_follower *f, int64_t now_us);
/* follower_effects.c: the same, at next_pass_us */
int sk_follower_take_over(struct sk_follower *f, int64_t now_us);

#endif
