/* route_find.c -- who serves what: the one server, the master that Sentinels name and that says itself that it is one, or the masters of a Cluster
 * by CLUSTER SLOTS of any node. See route_private.h.
 *
 * Who does not answer gets half of the time that is left, so that the next one can be asked. */
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/why.h"
#include "redis/route_private.h"

enum { SHARE_MS = 50 };

static int64_t share(const struct redis_route *r, int64_t until)
{
	int64_t now = r->now(), half = (until - now) / 2;

	if (half > r->u->timeout_ms)
		return now + r->u->timeout_ms;
	return half < SHARE_MS ? until : now + half;
}

int redis_route_connect(struct redis_route *r, struct redis_node *n, const struct redis_login *login, int64_t until)
{
	uint64_t before = n->opened;
	int rc = redis_node_ready(n, login, r->u->kind == REDIS_ONE ? until : share(r, until));

	r->count.reconnects += before && n->opened > before;
	if (!rc)
		return 0;
	r->refused = n->refused;
	return sk_why(r->why, sizeof r->why, "%s", n->why);
}

/* -- places -- */

static int add(struct redis_route *r, struct redis_node *n)
{
	if (n && r->places == r->room) {
		int room = r->room ? 2 * r->room : 4;
		struct redis_place *larger = reallocarray(r->place, (size_t)room, sizeof *larger);
		if (larger) {
			r->place = larger;
			r->room = room;
		}
	}
	if (!n || r->places == r->room || r->places == INT16_MAX) {
		redis_node_free(n);
		return sk_why(r->why, sizeof r->why, "memory is out");
	}
	r->place[r->places] = (struct redis_place){ .link = n };
	return r->places++;
}

int redis_route_place(struct redis_route *r, const char *host, int port)
{
	for (int i = 0; i < r->places; i++) {
		const struct dial_to *to = &r->place[i].link->to;
		if (to->host && to->port == port && !strcmp(to->host, host))
			return i;
	}
	return add(r, redis_node_new(host, port, NULL, r->now));
}

int redis_route_named(struct redis_route *r, const char *name, const struct redis_node *from)
{
	const char *colon = strrchr(name, ':');
	char host[256];
	long port = colon ? strtol(colon + 1, NULL, 10) : 0;

	if (port < 1 || port > 65535 || colon - name >= (long)sizeof host || *name == '?')
		return -1;
	snprintf(host, sizeof host, "%.*s", (int)(colon - name), name);
	if (colon == name && !from->to.host)
		return -1;
	return redis_route_place(r, colon == name ? from->to.host : host, (int)port);
}

/* Those that serve nothing go; the others close ranks. */
static void drop_idle(struct redis_route *r)
{
	int16_t *now = calloc((size_t)r->places + 1, sizeof *now);
	int kept = 0;

	if (!now)
		return;
	for (int i = 0; i < r->places; i++) {
		now[i] = (int16_t)kept;
		if (r->place[i].master)
			r->place[kept++] = r->place[i];
		else
			redis_node_free(r->place[i].link);
	}
	r->places = kept;
	for (int s = 0; s < REDIS_SLOTS; s++)
		r->slot[s] = r->slot[s] < 0 ? -1 : now[r->slot[s]];
	free(now);
}

/* -- a Cluster -- */

static const redisReply *of(const redisReply *array, size_t i, int type)
{
	const redisReply *one = array && array->type == REDIS_REPLY_ARRAY && i < array->elements ? array->element[i] : NULL;

	return one && one->type == type ? one : NULL;
}

/* What a node is to be called: its preferred name; where that is the one it was asked by, or not known, its address. */
static const char *host_of(const redisReply *node, const struct redis_node *from)
{
	const redisReply *name = of(node, 0, REDIS_REPLY_STRING), *more = of(node, 3, REDIS_REPLY_ARRAY), *key, *value;

	if (of(node, 0, REDIS_REPLY_NIL) || (name && !*name->str))
		return from->to.host;
	if (name && strcmp(name->str, "?"))
		return name->str;
	for (size_t i = 0; (key = of(more, i, REDIS_REPLY_STRING)) && (value = of(more, i + 1, REDIS_REPLY_STRING)); i += 2)
		if (!strcmp(key->str, "ip") && *value->str)
			return value->str;
	return NULL;
}

static int take_range(struct redis_route *r, const redisReply *range, const struct redis_node *from)
{
	const redisReply *first = of(range, 0, REDIS_REPLY_INTEGER), *last = of(range, 1, REDIS_REPLY_INTEGER);
	const redisReply *node = of(range, 2, REDIS_REPLY_ARRAY), *port = of(node, 1, REDIS_REPLY_INTEGER);
	const char *host = host_of(node, from);
	int at;

	if (!first || !last || !port || first->integer < 0 || last->integer >= REDIS_SLOTS || port->integer < 1 || port->integer > 65535)
		return sk_why(r->why, sizeof r->why, "%s: CLUSTER SLOTS answers what is none", from->name);
	at = host ? redis_route_place(r, host, (int)port->integer) : -1;
	if (at < 0)
		return host ? -1 : 0;
	r->place[at].master = true;
	for (long long s = first->integer; s <= last->integer; s++)
		r->slot[s] = (int16_t)at;
	return 0;
}

static int take_slots(struct redis_route *r, const redisReply *all, const struct redis_node *from)
{
	int rc = 0;

	memset(r->slot, -1, sizeof r->slot);
	for (int i = 0; i < r->places; i++)
		r->place[i].master = false;
	if (all->type != REDIS_REPLY_ARRAY)
		return sk_why(r->why, sizeof r->why, "%s: CLUSTER SLOTS answers what is none", from->name);
	if (!all->elements)
		return sk_why(r->why, sizeof r->why, "%s: this node of the Cluster knows of no slots", from->name);
	for (size_t i = 0; i < all->elements && !rc; i++)
		rc = take_range(r, all->element[i], from);
	if (!rc)
		drop_idle(r);
	return rc;
}

static int ask_slots(struct redis_route *r, int at, int64_t until)
{
	struct redis_node *n = r->place[at].link;
	int64_t limit = share(r, until);
	redisReply *all;
	int rc;

	if (redis_route_connect(r, n, &r->u->login, until))
		return -1;
	all = redis_node_ask(n, (const char *const[]){ "CLUSTER", "SLOTS" }, 2, true, limit);
	if (!all) {
		r->refused = n->refused;
		return sk_why(r->why, sizeof r->why, "%s", n->why);
	}
	rc = take_slots(r, all, n);
	freeReplyObject(all);
	return rc;
}

static int learn_cluster(struct redis_route *r, int64_t until)
{
	const int known = r->places, all = known + r->u->hosts;

	for (int i = 0; i < all && r->now() < until; i++) {
		int k = (r->next + i) % all;
		int at = k < known ? k : redis_route_place(r, r->u->host[k - known].host, r->u->host[k - known].port);
		if (at >= 0 && !ask_slots(r, at, until))
			return 0;
	}
	r->next++;
	return -1;
}

/* -- Sentinels -- */

static int ask_sentinel(struct redis_route *r, struct redis_node *s, int64_t until)
{
	int64_t limit = share(r, until);
	redisReply *named;
	const redisReply *host, *port;
	int rc = -1;

	if (redis_route_connect(r, s, &r->u->sentinel, until))
		return -1;
	named = redis_node_ask(s, (const char *const[]){ "SENTINEL", "get-master-addr-by-name", r->u->master }, 3, true, limit);
	if (!named) {
		r->refused = s->refused;
		return sk_why(r->why, sizeof r->why, "%s", s->why);
	}
	host = of(named, 0, REDIS_REPLY_STRING);
	port = of(named, 1, REDIS_REPLY_STRING);
	if (host && port && atoi(port->str) > 0 && atoi(port->str) < 65536)
		rc = redis_route_place(r, host->str, atoi(port->str));
	else
		sk_why(r->why, sizeof r->why, "%s: this Sentinel knows no master \"%s\"", s->name, r->u->master);
	freeReplyObject(named);
	return rc;
}

/* A Sentinel may not have heard yet that its master is none any more. Who may not ask that (NOPERM) believes it. */
static int is_master(struct redis_route *r, struct redis_node *n, int64_t until)
{
	int64_t limit = share(r, until);
	redisReply *role;
	bool yes;

	if (redis_route_connect(r, n, &r->u->login, until))
		return -1;
	role = redis_node_ask(n, (const char *const[]){ "ROLE" }, 1, false, limit);
	if (!role)
		return sk_why(r->why, sizeof r->why, "%s", n->why);
	yes = (of(role, 0, REDIS_REPLY_STRING) && !strcmp(role->element[0]->str, "master")) ||
	      (role->type == REDIS_REPLY_ERROR && !strncmp(role->str, "NOPERM", 6));
	freeReplyObject(role);
	if (yes)
		return 0;
	redis_node_close(n);
	return sk_why(r->why, sizeof r->why, "%s: it is no master, although a Sentinel names it", n->name);
}

static int learn_master(struct redis_route *r, int64_t until)
{
	for (int i = 0; i < r->u->hosts && r->now() < until; i++) {
		int k = (r->next + i) % r->u->hosts;
		struct redis_node *s = redis_node_new(r->u->host[k].host, r->u->host[k].port, NULL, r->now);
		int at = s ? ask_sentinel(r, s, until) : -1;
		redis_node_free(s);
		if (at < 0 || is_master(r, r->place[at].link, until))
			continue;
		for (int p = 0; p < r->places; p++)
			r->place[p].master = p == at;
		drop_idle(r);
		r->next = k;
		return 0;
	}
	r->next++;
	return -1;
}

static int learn_one(struct redis_route *r)
{
	const struct redis_url *u = r->u;

	if (!r->places && add(r, redis_node_new(u->host[0].host, u->host[0].port, *u->path ? u->path : NULL, r->now)) < 0)
		return -1;
	r->place[0].master = true;
	return 0;
}

int redis_route_learn(struct redis_route *r, int64_t until)
{
	int rc;

	if (r->known)
		return 0;
	r->refused = false;
	rc = r->u->kind == REDIS_ONE ? learn_one(r) : r->u->kind == REDIS_SENTINEL ? learn_master(r, until) : learn_cluster(r, until);
	if (rc)
		return -1;
	r->known = true;
	r->moved = r->refused = false;
	r->learned = r->now();
	return 0;
}
