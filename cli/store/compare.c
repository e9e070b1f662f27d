/* compare.c -- both are read in order at the same time, so that neither has to be kept. The marker of a store that is being filled is passed over.
 *
 * The digest is over each record as "space, size of the key, size of the data" (1, 4 and 4 bytes, the least first), key, data: the same for a file
 * and a Redis. */
#include "cli/store/compare.h"

#include <inttypes.h>
#include <openssl/evp.h>
#include <string.h>

#include "cli/store/store.h"

enum { TELL_EVERY = 1024 };

struct side {
	struct flow *flow;
	struct flow_record r; /* key NULL: none is left */
};

static int next(struct compare *c, struct side *s)
{
	int rc;

	do {
		flow_drop(&s->r);
		rc = flow_next(s->flow, &s->r);
	} while (rc > 0 && place_is_marker(s->r.space, s->r.key, strlen(s->r.key)));
	if (rc < 0)
		snprintf(c->why, sizeof c->why, "%s", flow_why(s->flow));
	return rc < 0 ? -1 : 0;
}

static void differs(struct compare *c, const struct side *s, const char *how, const struct place *where)
{
	char text[VIEW_SHOWN];

	if (c->differences++ >= CHECK_LINES)
		return;
	printf("%s: %s%s\n", view_shown(s->r.space, (struct sk_slice){ s->r.key, strlen(s->r.key) }, text), how, where ? where->name : "");
}

/* Below 0: from's comes first, so to does not have it. */
static int order(const struct side *from, const struct side *to)
{
	if (!from->r.key || !to->r.key)
		return !to->r.key ? -1 : 1;
	if (from->r.space != to->r.space)
		return from->r.space < to->r.space ? -1 : 1;
	return strcmp(from->r.key, to->r.key);
}

static bool same(const struct sk_bytes *a, const struct sk_bytes *b)
{
	return a->size == b->size && !memcmp(a->data, b->data, a->size);
}

static int digest(EVP_MD_CTX *sum, const struct flow_record *r)
{
	uint32_t size[2] = { (uint32_t)strlen(r->key), r->bytes->size };
	unsigned char head[9] = { (unsigned char)r->space };

	for (int i = 0; i < 8; i++)
		head[1 + i] = (unsigned char)(size[i / 4] >> 8 * (i % 4));
	return EVP_DigestUpdate(sum, head, sizeof head) && EVP_DigestUpdate(sum, r->key, size[0]) && EVP_DigestUpdate(sum, r->bytes->data, size[1]) ? 0 : -1;
}

static int step(struct compare *c, struct side *from, struct side *to, EVP_MD_CTX *sum)
{
	int o = order(from, to);

	if (o < 0)
		differs(c, from, "not in ", c->to);
	else if (o > 0)
		differs(c, to, "not in ", c->from);
	else if (!same(from->r.bytes, to->r.bytes))
		differs(c, from, "another document in ", c->to);
	if (o <= 0) {
		c->records[from->r.space]++;
		c->bytes[from->r.space] += from->r.bytes->size;
		if (digest(sum, &from->r)) {
			snprintf(c->why, sizeof c->why, "out of memory");
			return -1;
		}
	}
	return (o <= 0 && next(c, from)) || (o >= 0 && next(c, to)) ? -1 : 0;
}

static int compare_all(struct compare *c, struct side *from, struct side *to, EVP_MD_CTX *sum)
{
	int rc = next(c, from) || next(c, to) ? -1 : 0;
	uint64_t seen = 0;

	while (!rc && (from->r.key || to->r.key)) {
		rc = c->stop && *c->stop ? -1 : step(c, from, to, sum);
		if (!(++seen % TELL_EVERY))
			progress_tell(c->progress, seen, c->expected);
	}
	return rc;
}

static int finish(struct compare *c, EVP_MD_CTX *sum)
{
	unsigned char bytes[EVP_MAX_MD_SIZE];
	unsigned int size;

	if (!EVP_DigestFinal_ex(sum, bytes, &size) || 2 * size >= sizeof c->sha256)
		return -1;
	for (unsigned int i = 0; i < size; i++)
		snprintf(c->sha256 + 2 * i, 3, "%02x", bytes[i]);
	if (c->differences > CHECK_LINES)
		printf("and %" PRIu64 " more\n", c->differences - CHECK_LINES);
	return 0;
}

int compare_places(struct compare *c)
{
	struct side from = { .flow = flow_open(c->from, SK_RECORD, NULL) }, to = { .flow = flow_open(c->to, SK_RECORD, NULL) };
	EVP_MD_CTX *sum = EVP_MD_CTX_new();
	int rc = -1;

	c->why[0] = '\0';
	progress_begin(c->progress, "verify: records");
	if (!from.flow || !to.flow || !sum || !EVP_DigestInit_ex(sum, EVP_sha256(), NULL))
		snprintf(c->why, sizeof c->why, "out of memory");
	else
		rc = compare_all(c, &from, &to, sum);
	if (!rc)
		rc = finish(c, sum);
	flow_drop(&from.r);
	flow_drop(&to.r);
	flow_close(&from.flow);
	flow_close(&to.flow);
	EVP_MD_CTX_free(sum);
	return rc;
}
