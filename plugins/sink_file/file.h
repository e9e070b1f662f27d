/* file.h -- the sink `file`: a line for each message, in files below one folder, turned over when they are large. */
#ifndef SINK_FILE_FILE_H
#define SINK_FILE_FILE_H

#include "core/sink.h"

struct file_settings { /* the plugin's state */
	const char *folder;
};

/* What sk_sink's row wants. */
const char *file_lane(const cJSON *fields, struct sk_arena *a, const char **why);
const char *file_check(const cJSON *fields, struct sk_arena *a);
void *file_open(void *state, const cJSON *fields, char *why, size_t why_size);
void file_deliver(void *sink, struct sk_sink_item *const *item, size_t n, struct sk_arena *a);
void file_close(void *sink);

/* -- pure parts (line.c) -- */
/* NULL, or what is wrong with a path below the folder: absolute, a level that is empty or of dots only, too long. */
const char *file_path_fault(const char *path);
/* The line of an item, with its end; NULL: memory is out. document: always {id, time, topic, clientId, rule, payload}. Else the payload if it is JSON. */
const char *file_line(const struct sk_sink_item *item, bool document, struct sk_arena *a, size_t *size);

#endif
