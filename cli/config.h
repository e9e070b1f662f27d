/* config.h -- mosquitto.conf as a list of lines, with the files of include_dir in Mosquitto's order where they are included. */
#ifndef SKEETER_CONFIG_H
#define SKEETER_CONFIG_H

#include <stdbool.h>
#include <stddef.h>

#include "core/arena.h"

struct config_line {
	const struct config_line *next;
	const char *file;  /* as it is shown to people */
	int number;
	const char *key, *value; /* "" for none */
};
struct config {
	struct sk_arena *arena;
	struct config_line *first, **end;
	size_t lines;
};
/* Appends a file and what it includes. 0, or -1 with one line in why[]. */
int config_read(struct config *c, const char *path, char *why, size_t why_size);
/* Appends one file's text; what it includes is only a line. Pure. */
void config_parse(struct config *c, const char *file, const char *text);
/* The last line with that key, NULL: there is none. */
const struct config_line *config_find(const struct config *c, const char *key);

#endif
