/* check.h -- what in a mosquitto.conf would hurt Skeeter, or its operator. Pure but for check_files, which looks at files. */
#ifndef SKEETER_CHECK_H
#define SKEETER_CHECK_H

#include "cli/config.h"

enum check_level { CHECK_NOTE, CHECK_WARNING, CHECK_ERROR, CHECK_LEVELS };
struct check_finding {
	struct check_finding *next;
	enum check_level level;
	const struct config_line *line; /* NULL: about the whole file */
	const char *what, *why, *instead;
};
struct check {
	struct sk_arena *arena;
	const struct config *config;
	struct check_finding *first, **end;
	int count[CHECK_LEVELS];
};

/* Of a line, or of the file as a whole; the texts are kept as they are. */
void check_add(struct check *c, enum check_level level, const struct config_line *line, const char *what, const char *why, const char *instead);

void check_settings(struct check *c);  /* check_settings.c: one line, one rule */
void check_plugins(struct check *c);   /* check_plugins.c: order and options of plugin lines */
void check_listeners(struct check *c); /* check_listeners.c: who may come in, and how */
void check_files(struct check *c);     /* check_files.c: can the broker's user read what is named */

#endif
