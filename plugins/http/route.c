/* route.c -- see route.h. Rows stand in buckets by their first segment; a bucket holds a handful. */
#include "plugins/http/route.h"

#include <string.h>
#include <strings.h>

enum { BUCKETS = 256, SEGMENTS = 16 };

struct segment {
	const char *at; /* of a literal; NULL: a capture */
	size_t size;
};
struct route {
	struct route *next;
	struct sk_row *row;
	struct segment segment[SEGMENTS];
	size_t segments;
	bool greedy; /* the last segment takes what is left, slashes too */
	bool slash;  /* it ends with one, which may be left out */
};
struct http_routes {
	struct route *bucket[BUCKETS], *any; /* any: begins with a capture */
	struct route *target;                /* awsJson: POST / */
};

static const char *const verbs[] = { [SK_GET] = "GET", [SK_POST] = "POST", [SK_PUT] = "PUT", [SK_PATCH] = "PATCH", [SK_DELETE] = "DELETE" };

/* -- services -- */

/* What requests are signed with, where it is not the name in the rows: SDKs before 2023 sign for the API gateway. */
static const struct { const char *signing_name, *service; } aliases[] = {
	{ "execute-api", "iot" },
	{ "iotdevicegateway", "iotdata" },
	{ 0 }
};

/* Beginnings of AWS's host names. */
static const struct { const char *prefix, *service; } hosts[] = {
	{ "iot.", "iot" },
	{ "data-ats.iot.", "iotdata" },
	{ "data.iot.", "iotdata" },
	{ "data.jobs.iot.", "iot-jobs-data" },
	{ "api.tunneling.iot.", "IoTSecuredTunneling" },
	{ "api.fleethub.iot.", "iotfleethub" },
	{ "api.iotdeviceadvisor.", "iotdeviceadvisor" },
	{ "lambda.", "lambda" },
	{ "iotevents.", "iotevents" },
	{ "data.iotevents.", "ioteventsdata" },
	{ "iotanalytics.", "iotanalytics" },
	{ "iotthingsgraph.", "iotthingsgraph" },
	{ "greengrass.", "greengrass" },
	{ "devices.iot1click.", "iot1click" },
	{ "projects.iot1click.", "iot1click" },
	{ "api.iotsitewise.", "iotsitewise" },
	{ "data.iotsitewise.", "iotsitewise" },
	{ "monitor.iotsitewise.", "iotsitewise" },
	{ "api.iottwinmaker.", "iottwinmaker" },
	{ "data.iottwinmaker.", "iottwinmaker" },
	{ 0 }
};

const char *route_signed_service(const char *signing_name)
{
	for (size_t i = 0; aliases[i].service; i++)
		if (!strcmp(aliases[i].signing_name, signing_name))
			return aliases[i].service;
	return signing_name;
}

/* An account's own endpoint has a label before it: a1b2c3-ats.iot.REGION. */
const char *route_host_service(const char *host)
{
	for (size_t i = 0; hosts[i].service; i++)
		if (!strncasecmp(host, hosts[i].prefix, strlen(hosts[i].prefix)))
			return hosts[i].service;
	const char *second = strchr(host, '.');
	if (!second)
		return "";
	return !strncasecmp(second, ".iot.", 5) ? "iotdata" : !strncasecmp(second, ".jobs.iot.", 10) ? "iot-jobs-data" : "";
}

/* -- paths -- */

/* The segments of "/a/b" are "a" and "b"; -1: it does not begin with a slash, or has too many. Those beyond `most` stay in the last one. */
static int split(const char *path, struct segment *out, int most)
{
	int n = 0;
	if (*path != '/')
		return -1;
	while (*path) {
		size_t size = n == most - 1 ? strlen(path + 1) : strcspn(path + 1, "/");
		out[n++] = (struct segment){ path + 1, size };
		path += 1 + size;
	}
	return n;
}

static unsigned hash(struct segment s)
{
	unsigned h = 5381;
	for (size_t i = 0; i < s.size; i++)
		h = h * 33 + (unsigned char)s.at[i];
	return h % BUCKETS;
}

static bool is_literal(struct segment want, struct segment have)
{
	return want.size == have.size && !memcmp(want.at, have.at, want.size);
}

/* A bit for each literal, the leftmost the highest. */
static unsigned rank(const struct route *r)
{
	unsigned bits = r->greedy ? 0 : 1;
	for (size_t i = 0; i < r->segments; i++)
		bits |= (r->segment[i].at ? 1u : 0) << (SEGMENTS - i);
	return bits;
}

static bool fits(const struct route *r, const struct segment *path, size_t n)
{
	n -= r->slash && n > 1 && !path[n - 1].size;
	if (r->greedy ? n < r->segments : n != r->segments)
		return false;
	for (size_t i = 0; i < r->segments; i++)
		if (r->segment[i].at ? !is_literal(r->segment[i], path[i]) : !path[i].size && !(r->greedy && i + 1 == r->segments && n > r->segments))
			return false;
	return true;
}

static void capture(const struct route *r, const struct segment *path, struct http_match *m)
{
	m->row = r->row;
	m->captures = 0;
	for (size_t i = 0; i < r->segments; i++)
		if (!r->segment[i].at && m->captures < HTTP_CAPTURES)
			m->capture[m->captures++] = (struct http_capture){ path[i].at, path[i].size };
	if (r->greedy && m->captures)
		m->capture[m->captures - 1].size = strlen(path[r->segments - 1].at);
}

struct search {
	const char *service, *verb;
	const struct segment *path;
	size_t segments;
	const struct route *best;
	bool other_verb;
};

static void look_through(const struct route *list, struct search *s)
{
	for (const struct route *r = list; r; r = r->next) {
		if ((*s->service && strcmp(r->row->service, s->service)) || !fits(r, s->path, s->segments))
			continue;
		if (strcmp(verbs[r->row->op->verb], s->verb))
			s->other_verb = true;
		else if (!s->best || rank(r) > rank(s->best))
			s->best = r;
	}
}

enum http_found routes_find(const struct http_routes *r, const char *service, const char *verb, const char *path, struct http_match *out)
{
	struct segment segments[SEGMENTS + 1];
	int n = split(path, segments, SEGMENTS + 1);
	if (n < 1)
		return ROUTE_UNKNOWN;
	struct search s = { .service = service, .verb = verb, .path = segments, .segments = (size_t)n };
	look_through(r->bucket[hash(segments[0])], &s);
	look_through(r->any, &s);
	if (!s.best)
		return s.other_verb ? ROUTE_OTHER_VERB : ROUTE_UNKNOWN;
	capture(s.best, segments, out);
	return ROUTE_FOUND;
}

struct sk_row *routes_target(const struct http_routes *r, const char *service, const char *target)
{
	const char *name = strrchr(target, '.');
	for (const struct route *t = r->target; name && t; t = t->next)
		if ((!*service || !strcmp(t->row->service, service)) && !strcmp(t->row->name, name + 1))
			return t->row;
	return NULL;
}

/* -- making -- */

/* Rows keep their order: the first of two equal ones wins. */
static void append(struct route **list, struct route *r)
{
	while (*list)
		list = &(*list)->next;
	*list = r;
}

static void read_segments(struct route *r)
{
	struct segment s[SEGMENTS];
	int n = split(r->row->op->route, s, SEGMENTS);
	r->slash = n > 1 && !s[n - 1].size;
	r->segments = n > 0 ? (size_t)n - r->slash : 0;
	for (size_t i = 0; i < r->segments; i++) {
		bool captures = s[i].size && *s[i].at == '{';
		r->segment[i] = (struct segment){ captures ? NULL : s[i].at, s[i].size };
		r->greedy = captures && memchr(s[i].at, '+', s[i].size);
	}
}

static bool add(struct sk_arena *a, struct http_routes *routes, struct sk_row *row)
{
	struct route *r = sk_alloc(a, sizeof *r);
	if (!r)
		return false;
	r->row = row;
	read_segments(r);
	if (!strcmp(row->op->route, "/"))
		append(&routes->target, r);
	else
		append(r->segment[0].at ? &routes->bucket[hash(r->segment[0])] : &routes->any, r);
	return true;
}

struct http_routes *routes_new(struct sk_arena *a, struct sk_loaded *loaded, int n)
{
	struct http_routes *r = sk_alloc(a, sizeof *r);
	for (int i = 0; r && i < n; i++)
		for (size_t k = 0; k < loaded[i].row_count; k++)
			if (loaded[i].rows[k].kind == SK_ROW_OPERATION && !add(a, r, &loaded[i].rows[k]))
				return NULL;
	return r;
}
