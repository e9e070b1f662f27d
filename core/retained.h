/* retained.h -- the messages that the broker retains, as a subscriber would get them now.
 *
 * Mosquitto has no call for it, so a client of our own stands beside the devices: its subscription to # makes the broker ask on its thread, of
 * every retained message that it has or that passes, whether this client may read it. The answer is no, but the topic has been seen: whoever
 * published it, a will, a bridge and another plugin too, and in the moment in which the broker keeps it. Only a message that is asked for
 * is sent to the client. So the broker's own set is the truth, at each start anew, and what has expired is found gone when it is asked for.
 *
 * The client comes through a listener of this broker that wants no certificate: a unix socket, or a loopback port. */
#ifndef SK_RETAINED_H
#define SK_RETAINED_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/retained_index.h"

struct sk_retained;

struct sk_retained_options {
	const char *listener; /* a path, or 127.0.0.1:1883 */
	const char *times;    /* file that remembers over a restart since when; NULL: none */
	size_t topics;        /* most in the index */
	int64_t (*wall_ms)(void), (*mono_ms)(void);
	int (*random)(void *to, size_t n); /* 0, or -1 */
	void (*say)(char level, const char *line); /* any thread */
};

/* The listener must be a path or a loopback address with a port: NULL, or what is wrong with it. */
const char *sk_retained_listener_fault(const char *listener);
/* Starts the client's thread. NULL: memory or threads are out. */
struct sk_retained *sk_retained_start(const struct sk_retained_options *o);
/* Questions under way are answered "not now" first. The broker may ask no more when it is freed. */
void sk_retained_quiesce(struct sk_retained *r);
void sk_retained_free(struct sk_retained **r);

/* Every retained message has been seen, and none passes unseen. */
bool sk_retained_ready(const struct sk_retained *r);

/* -- any thread but the broker's: these wait for it -- */
enum sk_retained_answer { SK_RETAINED_FOUND, SK_RETAINED_NONE, SK_RETAINED_NOT_NOW, SK_RETAINED_TOO_LARGE };
struct sk_retained_message {
	struct sk_retained_fact fact;
	unsigned char *payload;    /* payload_size bytes and a NUL; to be freed */
	size_t payload_size;
	unsigned char *properties; /* core/properties.h; to be freed */
	size_t properties_size;
};
/* The message on that topic, which is no filter and does not begin with $. */
enum sk_retained_answer sk_retained_fetch(struct sk_retained *r, const char *topic, struct sk_retained_message *out);
enum { SK_RETAINED_PAGE = 200 };
struct sk_retained_page {
	struct sk_retained_entry entry[SK_RETAINED_PAGE];
	int count;
	char *next; /* the topic behind which the next page begins; NULL: there is no more */
};
/* The topics behind `after` (NULL: from the first) that have a message now, in order, at most n of them. SK_RETAINED_FOUND, SK_RETAINED_NOT_NOW. */
enum sk_retained_answer sk_retained_list(struct sk_retained *r, const char *after, int n, struct sk_retained_page *out);
void sk_retained_page_free(struct sk_retained_page *p);
/* Topics that did not fit into the index. */
size_t sk_retained_missed(struct sk_retained *r);
size_t sk_retained_count(struct sk_retained *r);

/* -- the broker's thread: what it asks about clients -- */
/* Is it our client's name, whoever says so; and is it our client? */
bool sk_retained_is_named(const struct sk_retained *r, const char *client_id);
bool sk_retained_is_proved(const struct sk_retained *r, const char *client_id, const char *password);
/* Our client asks to subscribe: may it? */
bool sk_retained_subscribes(struct sk_retained *r, const char *filter);
/* Our client's connection has ended. */
void sk_retained_left(struct sk_retained *r);
/* A message is for our client: is it to be sent? */
struct sk_retained_view {
	const char *topic;
	const void *payload;
	size_t size;
	int qos;
	bool retain;
};
bool sk_retained_reads(struct sk_retained *r, const struct sk_retained_view *m);

#endif
