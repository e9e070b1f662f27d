/* pages.h -- pages of the lists of 1-Click, which hold a hundred elements when nobody says how many. */
#ifndef BUTTON_PAGES_H
#define BUTTON_PAGES_H

#include "core/call.h"

/* As sk_scan_page(), with maxResults 100 by default. */
struct sk_scan page_of(struct sk_call *c, int *rc, const char *prefix);
/* Its two halves: the name that nextToken stands for, NULL without one or with an error in *rc; and how many are wanted. */
const char *page_after(struct sk_call *c, int *rc);
size_t page_size(const struct sk_call *c);
/* Says where the list goes on; NULL: it does not. */
void page_next(struct sk_call *c, const char *name);

#endif
