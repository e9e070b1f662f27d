/* metrics.h -- all counters as Prometheus reads them; the names are listed in plugins/http/README.md. */
#ifndef HTTP_METRICS_H
#define HTTP_METRICS_H

#include "plugins/http/http.h"

/* The text, in a; NULL: memory is out. connections: open now. */
const char *metrics_text(struct sk_arena *a, const struct http_state *s, struct sk_runtime *rt, int64_t connections);

#endif
