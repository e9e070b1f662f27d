/* tags.h -- tags as AWS has them: a list of {Key, Value}, kept as the member `tags` of the record of what is tagged.
 *
 * What can be tagged says a row in its plugin's `.tagged` (core/plugin.h); TagResource and its like find its records by that. */
#ifndef SK_TAGS_H
#define SK_TAGS_H

#include "core/call.h"
#include "core/plugin.h"

enum { SK_TAGS_MAX = 50 };

/* SK_OK; InvalidRequest for a key that is there twice or that AWS keeps for itself; `over` (not every operation has LimitExceeded) for too many. */
int sk_tags_check(struct sk_call *c, const cJSON *tags, int over);
/* The one with that key; NULL: there is none. */
const cJSON *sk_tags_find(const cJSON *tags, const char *key);
/* Appends a copy to a list as it is stored and answered: with a Value, which may be empty. */
void sk_tags_append(struct sk_arena *a, cJSON *list, const cJSON *tag);
/* Puts the tags, if there are any, into a record that is being made. */
void sk_tags_store(struct sk_arena *a, cJSON *record, const cJSON *tags);
/* "site=Oslo&floor=2", as the header x-amz-tagging has it: percent-encoded, + for a blank. A list of {Key, Value}; NULL: it is none, or memory is out. */
cJSON *sk_tags_of_query(struct sk_arena *a, const char *query);
/* The same of an input that may be NULL (then *tags is NULL), checked like a list that is given as one. SK_OK or InvalidRequest. */
int sk_tags_read(struct sk_call *c, const char *query, cJSON **tags);

/* The rows of all plugins that are loaded, one after the other; NULL behind the last one. process.c */
const struct sk_tagged *sk_tagged_at(size_t i);

#endif
