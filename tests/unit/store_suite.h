/* store_suite.h -- what every store must do, as cases over a factory: each back end's test runs the same ones.
 *
 * A fixture is a store and a thread that runs its step(), as the runtime's committer does. */
#ifndef STORE_SUITE_H
#define STORE_SUITE_H

#include <pthread.h>

#include "core/store.h"

struct store_backend {
	const char *name;
	struct sk_store *(*open)(void); /* the store of the running case; empty when it is opened first */
	void (*destroy)(void);          /* forgets its data; called when it is closed */
};

struct store_fixture {
	const struct store_backend *backend;
	struct sk_store *store;
	pthread_t thread;
	pthread_mutex_t lock;
	pthread_cond_t wake, answered;
	bool woken, stop;
};

void fixture_start(struct store_fixture *f, const struct store_backend *backend);
void fixture_stop(struct store_fixture *f);   /* closes the store */
void fixture_reopen(struct store_fixture *f);
void fixture_settle(struct store_fixture *f); /* waits until nothing is left to fold */

enum { CHANGE_MAX = 16 };
struct change { /* a commit with room for its parts */
	struct sk_commit commit;
	struct store_fixture *fixture;
	char partition[128];
	struct sk_store_write writes[CHANGE_MAX];
	struct sk_store_expect expects[CHANGE_MAX];
	bool answered;
	unsigned order; /* its place among the answers */
};
void change_start(struct change *c, struct store_fixture *f, const char *partition);
void change_write(struct change *c, enum sk_space space, const char *key, const char *text); /* NULL: delete */
void change_expect(struct change *c, const char *key, uint64_t version, uint64_t as_of);
void change_expect_structure(struct change *c, const char *prefix, uint64_t as_of);
void change_submit(struct change *c, size_t n); /* an array as one list */
void change_wait(struct change *c);
void change_free(struct change *c);
enum sk_commit_status change_run(struct change *c); /* submits, waits, frees; status, version and why stay */

uint64_t put(struct store_fixture *f, const char *key, const char *text); /* one blind RECORD write; its version, 0: refused */
/* The value as text (the caller frees it) or NULL. */
char *get(struct store_fixture *f, enum sk_space space, const char *key, uint64_t *version);
/* "key=value " of each record scanned; the caller frees it. */
char *scan(struct store_fixture *f, enum sk_space space, const char *prefix, const char *after, size_t limit);
void assert_value(struct store_fixture *f, const char *key, const char *text); /* NULL: absent */
void assert_scan(struct store_fixture *f, const char *prefix, const char *expected);

/* Runs all cases; the number of failures. */
int store_suite_run(const struct store_backend *backend);
/* The part of them that is about many records and many bytes. */
int store_suite_wide(const struct store_backend *backend);

#endif
