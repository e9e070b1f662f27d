/* pages.c -- see pages.h. */
#include "plugins/button/pages.h"

#include "core/token.h"

/* "If not set, a default value of 100 is used." */
enum { PAGE = 100, PAGE_MOST = 250 };

const char *page_after(struct sk_call *c, int *rc)
{
	const char *token = sk_json_text(c->in, "nextToken"), *after = token ? sk_token_read(c->arena, token) : NULL;

	*rc = token && !after ? sk_fail(c, SK_E_INVALID_REQUEST, "Invalid nextToken") : SK_OK;
	return after;
}

size_t page_size(const struct sk_call *c)
{
	int64_t n = sk_json_int_of(c->in, "maxResults", PAGE);

	return (size_t)(n < 1 ? 1 : n > PAGE_MOST ? PAGE_MOST : n);
}

void page_next(struct sk_call *c, const char *name)
{
	if (name)
		sk_json_set_string(c->arena, c->out, "nextToken", sk_token_of(c->arena, name));
}

struct sk_scan page_of(struct sk_call *c, int *rc, const char *prefix)
{
	const char *after = page_after(c, rc);
	struct sk_scan page = { 0 };

	if (*rc)
		return page;
	page = sk_scan(c, page_size(c), after, "%s", prefix);
	page_next(c, page.next);
	return page;
}
