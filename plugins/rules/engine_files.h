/* engine_files.h -- the rules of all files of a folder at one moment. */
#ifndef RULES_FOLDER_SET_H
#define RULES_FOLDER_SET_H

#include "plugins/rules/engine.h"

struct folder_set;
/* Reads all *.lua; files that are as in `before` (may be NULL) share their rules with it. NULL with why[]: "doors.lua:12: ...". */
struct folder_set *folder_set_read(struct rules_engine *e, const char *path, const struct folder_set *before, char *why, size_t why_size);
void folder_set_free(struct folder_set **s);
bool folder_set_same(const struct folder_set *a, const struct folder_set *b);
size_t folder_set_rules(const struct folder_set *s);
size_t folder_set_files(const struct folder_set *s);
/* Any thread but the broker's, once all plugins are loaded: a line in the log for each rule whose actions nothing here can carry out as they are. */
void folder_set_check(struct rules_engine *e, const struct folder_set *s);
/* Broker's thread: the rules of `next` are in force instead of those of `before` (NULL: none). 0; -1 with why[]: a name is taken, or memory is out, and
 * nothing has changed: all or nothing. */
int folder_set_swap(struct rules_engine *e, const struct folder_set *before, const struct folder_set *next, char *why, size_t why_size);

#endif
