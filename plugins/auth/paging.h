/* paging.h -- pages of lists that core's sk_scan_page cannot cut: of two prefixes, sorted, or gathered. For operations with &marks.
 *
 * A marker is the name of the last element in hex, as in core. */
#ifndef AUTH_PAGING_H
#define AUTH_PAGING_H

#include "core/call.h"

/* The name behind the call's marker; NULL with SK_OK: there is none; NULL with the error in *rc. */
const char *paging_after(struct sk_call *c, int *rc);
size_t paging_size(const struct sk_call *c);
void paging_next(struct sk_call *c, const char *name);

/* The call's page of n names: from *first on so many; sets nextMarker. */
size_t paging_slice(struct sk_call *c, const char *const *names, size_t n, size_t *first, int *rc);

/* As sk_scan_page; with ascendingOrder by creationDate, either way. `prefix` ends with a slash. */
struct sk_scan paging_by_date(struct sk_call *c, int *rc, const char *prefix);

#endif
