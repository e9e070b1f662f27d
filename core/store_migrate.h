/* store_migrate.h -- stores of earlier versions, brought up to date by steps of one version each when they are opened. */
#ifndef SK_STORE_MIGRATE_H
#define SK_STORE_MIGRATE_H

#include <sqlite3.h>
#include <stddef.h>

#define SK_STORE_APPLICATION 0x534b4545 /* PRAGMA application_id of every version: "SKEE" */

struct sk_store_step {
	const char *what;         /* for the log, e.g. "the version mark" */
	int (*run)(sqlite3 *db);  /* inside of the step's transaction; SQLITE_OK or the error. It neither begins nor ends one */
};

/* The step at index n leads from version n to n + 1; SK_STORE_SCHEMA of them. */
extern const struct sk_store_step sk_store_steps[];

struct sk_migration {
	sqlite3 *db;              /* nobody else has the file */
	const char *path;
	const struct sk_store_step *steps;
	int from, to;
	void (*say)(const char *line); /* one line when all is done; NULL: nobody hears it */
};

/* Keeps a copy as PATH.vFROM if there is room for one, then runs the steps, each in one transaction together with its version.
 * 0, or -1 and why[]: the store then is of the version that the last good step reached, which opens again from there. */
int sk_store_migrate(const struct sk_migration *m, char *why, size_t why_size);

#endif
