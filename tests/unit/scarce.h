/* scarce.h -- memory that runs out at a chosen moment, for our own code, SQLite and OpenSSL.
 *
 * The Makefile links a test whose name ends in _memory_test with --wrap for malloc and its kin, so that what our files allocate comes here;
 * scarce_libraries() sends SQLite's and OpenSSL's requests here too. Blocks of our own files that were not given back are counted.
 * SCARCE_STEP=n in the environment tries every n-th point only, for slow tools. One thread. */
#ifndef SCARCE_H
#define SCARCE_H

#include <stdbool.h>

/* First thing in main(), before either library is used. */
void scarce_libraries(void);

/* Runs once(ctx) again and again: with its first allocation failing, its second, and so on, each alone and then with all that follow it,
 * until no point is left. It answers whether it came to its good end; a false one is what it documents, which it has checked itself.
 * Ends the test when a run with all its memory is not good, or when a run leaves a block behind. Answers the number of points. */
long scarce_everywhere(bool (*once)(void *ctx), void *ctx);
/* The same at about `most` points, evenly spread: for what goes through a library with thousands of them. */
long scarce_often(long most, bool (*once)(void *ctx), void *ctx);

/* Within once(): setting up and looking afterwards is not what is tried. Calls nest. */
void scarce_plenty(void);
void scarce_again(void);
/* Has an allocation of this run failed? */
bool scarce_failed(void);

#endif
