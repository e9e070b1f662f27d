/* kafka.h -- what the files of skeeter_sink_kafka share. A producer belongs to its lane's thread; librdkafka's own threads end with it.
 *
 * A batch is given to librdkafka as a whole and waited for: what it has not reported by then is not known to have arrived. */
#ifndef SINK_KAFKA_KAFKA_H
#define SINK_KAFKA_KAFKA_H

#include <librdkafka/rdkafka.h>

#include "core/sink.h"

struct kafka_state {
	int64_t timeout; /* ms */
};

/* -- producer.c -- */
void *kafka_open(void *state, const cJSON *fields, char *why, size_t why_size);
void kafka_deliver(void *sink, struct sk_sink_item *const *item, size_t n, struct sk_arena *a);
void kafka_close(void *sink);

/* -- properties.c: pure -- */
typedef int kafka_set(void *to, const char *name, const char *value, char *why, size_t why_size);
/* Calls `set` for each property of librdkafka that AWS's clientProperties come to. 0, or -1 with why[], which holds no value. */
int kafka_properties(const cJSON *properties, kafka_set *set, void *to, char *why, size_t why_size);
const char *kafka_check(const cJSON *fields, struct sk_arena *a);
const char *kafka_lane(const cJSON *fields, struct sk_arena *a, const char **why);

/* -- verdict.c: pure -- */
enum sk_sunk kafka_verdict(rd_kafka_resp_err_t e);
/* "", or none: any (-1). false: it is no number of a partition. */
bool kafka_partition(const char *text, int32_t *out);

#endif
