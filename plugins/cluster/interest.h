/* interest.h -- the other brokers and what each of them takes: which brokers does a topic concern? Pure; one thread.
 *
 * A broker has a small number as long as it is known. What it takes is a set of filters; "" is everything. When memory is out, it takes everything. */
#ifndef CLUSTER_INTEREST_H
#define CLUSTER_INTEREST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "plugins/cluster/frame.h"
#include "plugins/cluster/strings.h"

struct rules_filters;

enum { BROKERS = 256 }; /* others at most */

struct other {
	uint64_t self;          /* 0: the place is free */
	uint64_t known;         /* the number of the latest packet of its filters that we know; 0: none */
	uint64_t in;            /* the number of the latest packet of messages from it; 0: none */
	int64_t missing_since;  /* monotonic ms; 0: it is there */
	struct strings filters;
	bool mark;              /* its user's */
	bool overfull;          /* memory was out: it takes everything */
	void *way;              /* the packets to it: its user's */
};
struct interest {
	struct other other[BROKERS];
	struct rules_filters *index;
	size_t others, filters, all; /* brokers; filters of all of them; brokers that take everything */
};

int interest_init(struct interest *i); /* 0 or -1: memory is out */
void interest_free(struct interest *i);
struct other *interest_find(struct interest *i, uint64_t self); /* NULL: unknown */
struct other *interest_add(struct interest *i, uint64_t self);  /* finds it or makes it; NULL: too many */
void interest_drop(struct interest *i, struct other *o);
/* ENTRY_ADD or ENTRY_REMOVE of a filter. What is no filter is passed by. */
void interest_change(struct interest *i, struct other *o, enum entry_kind kind, const char *filter);
/* The whole list of o's filters anew: begin, each of them by ENTRY_ADD, end: those that were not named are gone. */
void interest_begin(struct interest *i, struct other *o);
void interest_end(struct interest *i, struct other *o);
/* Numbers of the brokers that a topic concerns, ascending; how many. */
size_t interest_match(struct interest *i, const char *topic, uint32_t out[BROKERS]);

#endif
