/* headers.h -- what MQTT 5 says beside a message, as a statement sees it. Pure. */
#ifndef RULES_HEADERS_H
#define RULES_HEADERS_H

#include "sql/sql.h"

/* Fills in format, content_type, response_topic, correlation and user of *m from properties as core/properties.h has them. Texts are the
 * arena's, the correlation data lies where it lay. */
void rules_headers(struct sk_arena *a, const void *properties, size_t size, struct sql_message *m);

#endif
