/* journal.h -- the folder in which rings lie as files, and what earlier processes left there.
 *
 * A ring's file is written full of zeros, mapped and locked in memory, so that a store to it needs neither room nor a disk nor a page: it cannot
 * fail, and on tmpfs it cannot wait either. `ring-K` are this process's; what is found of earlier ones is set aside as `left-N`, in their order, and
 * stays until all of it was done. What cannot be read is kept as `damaged-N` for whoever wants to look. The folder is locked: it is one broker's.
 * One thread. */
#ifndef RULES_JOURNAL_H
#define RULES_JOURNAL_H

#include "rules/left.h"
#include "rules/ring.h"

struct rules_journal;

/* Makes the folder (0700) if it is not there; one that is not ours alone, or a link, is refused. `ours`: it goes at the end when nothing is left in
 * it. NULL with why[]. */
struct rules_journal *rules_journal_open(const char *folder, bool ours, char *why, size_t why_size);
/* Makes n rings, of `bytes` each (as in rules_ring_over(), without the head), which live until the journal is closed. 0, or -1 with why[]. */
int rules_journal_rings(struct rules_journal *j, size_t n, size_t bytes, struct rules_ring **ring, char *why, size_t why_size);
bool rules_journal_on_disk(const struct rules_journal *j); /* its file system is not one in memory */

/* What was left, oldest first; i from 0 on. NULL: there is no i-th; one of which nothing is left any more has no records. */
struct rules_left *rules_journal_left(struct rules_journal *j, size_t i);
void rules_journal_forget(struct rules_journal *j, size_t i); /* all of it is done: the file goes; a damaged one is set aside */
size_t rules_journal_damaged(const struct rules_journal *j);  /* files that could not be read to their end when it was opened */
/* Files of rings go, but for those that hold a record that is kept and not done. */
void rules_journal_close(struct rules_journal **j);

#endif
