/* engine_folder.h -- the folder of rule files: all of them are in force, or those of before.
 *
 * A thread of its own looks at the folder when something in it changes and at SIGHUP. Files that are what they were keep their rules as they are;
 * if one of them is wrong, or names a rule that another has, nothing changes and the log says where. */
#ifndef RULES_FOLDER_H
#define RULES_FOLDER_H

#include "plugins/rules/engine.h"

struct folder;
/* Reads the folder and puts its rules in force at once. NULL with why[]. */
struct folder *folder_open(struct rules_engine *e, const char *path, char *why, size_t why_size);
void folder_start(struct folder *f);   /* broker's thread: from now on changes are seen */
void folder_reload(struct folder *f);  /* any thread: looks again soon */
void folder_stop(struct folder *f);    /* broker's thread */
void folder_free(struct folder **f);

#endif
