/* memory.h -- the runtime's memory in the simulated world: it can run out, and what is not given back is counted.
 *
 * The Makefile links the simulation with a copy of libpure.a in which malloc and its kin are sim_malloc and its kin (memory.syms): only
 * what the runtime asks for is met, never what the world around it needs. */
#ifndef SIM_MEMORY_H
#define SIM_MEMORY_H

#include <stdbool.h>
#include <stddef.h>

/* The n-th next allocation fails, and `more` after it; n 0: none does. */
void sim_memory_fail(long n, long more);
/* While it is on nothing is counted and nothing fails: it is not the runtime that asks. Answers what it was. */
bool sim_memory_world(bool on);
long sim_memory_asked(void);  /* allocations since sim_memory_fail, failed ones too */
long sim_memory_failed(void); /* since the program began */
long sim_memory_live(void);   /* blocks not given back */
/* SQLite asks here too: call before any other function of it. */
void sim_memory_of_sqlite(void);

void *sim_malloc(size_t n);
void *sim_calloc(size_t n, size_t size);
void *sim_realloc(void *p, size_t n);
char *sim_strdup(const char *s);
char *sim_strndup(const char *s, size_t n);
void sim_release(void *p);

#endif
