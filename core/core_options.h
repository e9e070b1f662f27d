/* core_options.h -- the options of skeeter_core. */
#ifndef SK_CORE_OPTIONS_H
#define SK_CORE_OPTIONS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct sk_core_options {
	const char *data;        /* folder */
	const char *store;       /* file name in it, or the URL of a Redis */
	int64_t store_wait;      /* ms, for a Redis that is not there yet */
	int durability;          /* 0 full, 1 relaxed */
	const char *account, *region;
	const char *operators;   /* blank-separated */
	int64_t workers;
	int64_t inbox;           /* bytes */
	int64_t cache;           /* bytes, of all workers */
	int64_t device_rate, device_in_flight;
	int64_t sys_interval;    /* ms */
	int wake;                /* 0 auto, 1 eventfd, 2 ping, 3 tick */
	const char *wake_socket;
	bool presence;
	int64_t remember;        /* clients without a connection */
	int64_t activity;        /* bytes */
	const char *secrets;     /* file: core/secrets.h */
};

/* skeeter_core's start: opens the store in the data folder, makes the runtime, registers the broker's events. -1 with why[]. */
int sk_broker_open(const struct sk_core_options *o, char *why, size_t why_size);

/* Broker thread. wake_mode is enum sk_wake_mode's. */
struct sk_broker_facts {
	int64_t started_ms;
	const char *interface; /* of Mosquitto's plugins: "2.0", "2.1" */
	int wake_mode;
};
struct sk_broker_facts sk_broker_facts(void);

#endif
