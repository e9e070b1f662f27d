/* frame.h -- what brokers send each other, as bytes: a head, then entries to the end. Pure.
 *
 * Head: "sk1", kind, the sender (8 bytes), a number (8 bytes). Entry: kind, flags, sizes of the topic (2), of the properties (4) and of the
 * payload (4), then topic, NUL, properties (core/properties.h), payload. Numbers are big endian. The queue between threads and the file of
 * lasting subscriptions hold the same entries. Whatever is read here may come from a stranger. */
#ifndef CLUSTER_FRAME_H
#define CLUSTER_FRAME_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum frame_kind {
	FRAME_MESSAGES = 'm', /* to one broker; numbers count on by one */
	FRAME_FIRST = 'M',    /* the same, and what was counted before is over */
	FRAME_INTEREST = 'i', /* to all: filters that the sender takes, or takes no more */
	FRAME_BYE = 'b',      /* to all: the sender goes */
	FRAME_FILE = 'f',     /* filters of sessions that outlive their connections */
};
enum entry_kind {
	ENTRY_MESSAGE = 'm',
	ENTRY_ADD = '+', ENTRY_REMOVE = '-',   /* a filter; "": everything */
	ENTRY_KEEP = 'k', ENTRY_FORGET = 'f',  /* in the queue alone: a lasting session has it, none has it any more */
};
enum { FRAME_HEAD = 20, ENTRY_HEAD = 12 };

struct frame {
	enum frame_kind kind;
	uint64_t sender, number;
	const char *at, *end; /* of the entries that are still to be read */
	bool bad;             /* something was not well-formed: the rest is not read */
};
struct frame_entry {
	enum entry_kind kind;
	int qos;
	bool retain;
	const char *topic;    /* or a filter; terminated, UTF-8 */
	size_t topic_size;
	const void *properties;
	size_t properties_size;
	const char *payload;
	size_t size;
	const char *bytes;    /* all of the entry */
	size_t bytes_size;
};

void frame_head(char head[FRAME_HEAD], enum frame_kind kind, uint64_t sender, uint64_t number);
/* false: it is no frame. Points into bytes. */
bool frame_open(struct frame *f, const char *bytes, size_t n);
/* The next entry; false: there is none, or f->bad. Of a message the topic can be published to, and below $SYS and $CONTROL it is bad. */
bool frame_next(struct frame *f, struct frame_entry *e);
/* Entries without a head, which we have written ourselves. */
bool entry_next(const char **at, const char *end, struct frame_entry *e);
/* Bytes of an entry, by topic_size, properties_size and size. */
size_t entry_size(const struct frame_entry *e);
/* Writes it without its payload; properties NULL: room is left for them, *properties says where. The answer: where the payload belongs. */
char *entry_put(char *to, const struct frame_entry *e, char **properties);

#endif
