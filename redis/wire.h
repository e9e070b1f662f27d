/* wire.h -- commands as Redis reads them (RESP2), in memory that grows. Pure.
 *
 * https://redis.io/docs/latest/develop/reference/protocol-spec/ : "*3\r\n$3\r\nSET\r\n..." */
#ifndef REDIS_WIRE_H
#define REDIS_WIRE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct redis_text {
	char *bytes;
	size_t size, room;
	bool failed;          /* memory was out: what is there is not whole */
};
/* A command of n words follows, each by one of the next three. */
void redis_begin(struct redis_text *t, size_t n);
void redis_word(struct redis_text *t, const void *bytes, size_t n);
void redis_name(struct redis_text *t, const char *word);
void redis_number(struct redis_text *t, uint64_t n);
/* A whole command of words. */
void redis_words(struct redis_text *t, const char *const *word, size_t n);
/* What was written elsewhere, as it stands. */
void redis_bytes(struct redis_text *t, const void *bytes, size_t n);
void redis_text_clear(struct redis_text *t); /* empty, with its room */
void redis_text_free(struct redis_text *t);

/* The slot of a key, of its part in braces if there is one: https://redis.io/docs/latest/operate/oss_and_stack/reference/cluster-spec/ */
enum { REDIS_SLOTS = 16384 };
unsigned redis_slot(const char *key, size_t n);

#endif
