/* call_internal.h -- shared by the files that implement call.h. */
#ifndef SK_CALL_INTERNAL_H
#define SK_CALL_INTERNAL_H

#include "core/runtime.h"

struct sk_slot *sk_slot_of(struct sk_call *c);
/* Our own mistake, not the caller's: logged once, the call answers 500. */
void sk_slot_poison(struct sk_slot *s, const char *why);
/* NULL when memory is out or the key is too long. */
char *sk_call_key(struct sk_call *c, const char *fmt, va_list ap);
/* text NULL deletes. Nothing happens in a void run. */
void sk_call_write(struct sk_call *c, enum sk_space space, const char *key, const char *text, size_t n);
/* payload must live as long as the call's arena. */
void sk_call_publish(struct sk_call *c, int flags, const void *payload, size_t n, const char *topic);
/* Deletes the hint of a timer's record; a NULL record does nothing. */
void sk_call_clear_hint(struct sk_call *c, const char *name, const cJSON *record);

/* Answers a call with an error in place of what it did; needs no memory for it. `why` is static text. */
void sk_slot_give_up(struct sk_slot *s, int code, const char *why);

/* core's own events */
#define SK_EVENT_PUBLISH "skeeter:publish" /* {"topic","flags","payload":base64}: a durable publish */
#define SK_EVENT_TIMER "skeeter:timer"     /* a durable timer is due; the timer's record names the real event */

#endif
