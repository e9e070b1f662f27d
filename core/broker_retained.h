/* broker_retained.h -- what a plugin's glue does to have retained messages watched (core/retained.h). Broker thread only. */
#ifndef SK_BROKER_RETAINED_H
#define SK_BROKER_RETAINED_H

#include "core/retained.h"

/* From now on the broker's questions about r's client go to r; NULL: there is none. */
void sk_broker_set_retained(struct sk_retained *r);
/* A listener that our own clients may come through, as far as skeeter_core's options name one; NULL: they do not. */
const char *sk_broker_own_listener(void);

#endif
