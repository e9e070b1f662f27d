/* redis_suite.h -- the parts of the program that tests a store in a Redis. */
#ifndef REDIS_SUITE_H
#define REDIS_SUITE_H

#include "tests/unit/store_suite.h"

const char *redis_suite_url(void); /* of the running case's store */
const char *redis_suite_admin_url(void); /* for what only a test does */
struct sk_store *redis_suite_open(void);
struct sk_store *redis_suite_open_at(const char *url);
void redis_suite_destroy(void);    /* the next case's is another one */
/* The number of failures. */
int redis_suite_run(void);   /* tests/unit/store_suite.h */
int redis_shared_run(void);  /* redis_shared.c: two brokers */
int redis_lost_run(void);    /* redis_lost.c: answers that never come, with their connection */
int redis_held_run(void);    /* ... and without */

#endif
