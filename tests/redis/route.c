/* route.c -- a route of redis/route.h as a program, for the tests of routing: lines of JSON in, a line of JSON out for each.
 *
 *   route URL
 *
 * {"asks": [ASK...], "ms": 2000}   ASK: ["GET", "k"] or {"words": [...], "slot", "node", "once", "replicas", "replicasMs"}; a word may be {"times": n}: so
 *     many x. Slot: that of the second word, of the fourth behind EVALSHA, whose "@" is the script's name. Answers {"rc", "why", "ms", "replies", "unknown",
 *     "acknowledged", "count"}; a text of more than 1000 bytes is {"length": n}, an error {"error": text}, none {"none": true}.
 * {"script": TEXT}                 what EVALSHA @ asks for
 * {"masters": true, "ms": 2000}    {"rc", "why", "masters": ["127.0.0.1:6379"...]}
 * {"counters": n, "deep": n, "ms": 2000, "replicas": 1}   adds one to each of so many counters, over and over, until the next line comes; then
 *     {"added", "refused", "wrong", "wrongs", "longestMs", "count"}
 * {"forget": true}, {"show": true} */
#include <cjson/cJSON.h>
#include <inttypes.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "redis/route.h"

enum { MOST = 4096, SHOWN = 1000 };

static struct redis_url url;
static struct redis_route *route;
static struct redis_script script;

static int64_t now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

static double number(const cJSON *in, const char *name, double otherwise)
{
	const cJSON *n = cJSON_GetObjectItem(in, name);

	return cJSON_IsNumber(n) ? n->valuedouble : otherwise;
}

static void add_count(cJSON *out)
{
	struct redis_route_count c = redis_route_counted(route);
	cJSON *count = cJSON_AddObjectToObject(out, "count");

	cJSON_AddNumberToObject(count, "reconnects", (double)c.reconnects);
	cJSON_AddNumberToObject(count, "redirects", (double)c.redirects);
	cJSON_AddNumberToObject(count, "resent", (double)c.resent);
}

/* -- asking -- */

static void add_word(struct redis_text *t, const cJSON *word)
{
	size_t n = (size_t)number(word, "times", 0);
	char *many = n ? malloc(n) : NULL;

	if (many)
		memset(many, 'x', n);
	if (many)
		redis_word(t, many, n);
	else
		redis_name(t, strcmp(word->valuestring, "@") ? word->valuestring : script.sha);
	free(many);
}

static void make_ask(struct redis_ask *a, struct redis_text *t, const cJSON *in)
{
	const cJSON *words = cJSON_IsArray(in) ? in : cJSON_GetObjectItem(in, "words"), *first = cJSON_GetArrayItem(words, 0);
	bool evaluates = !strncmp(first->valuestring, "EVALSHA", 7);
	const cJSON *key = cJSON_GetArrayItem(words, evaluates ? 3 : 1), *word;

	redis_begin(t, (size_t)cJSON_GetArraySize(words));
	cJSON_ArrayForEach(word, words)
		add_word(t, word);
	*a = (struct redis_ask){ .slot = cJSON_IsString(key) ? (int)redis_slot(key->valuestring, strlen(key->valuestring)) : REDIS_ANY_SLOT, .node = -1,
		.bytes = t->bytes, .size = t->size, .script = evaluates ? &script : NULL };
	if (!cJSON_IsObject(in))
		return;
	a->slot = (int)number(in, "slot", a->slot);
	a->node = (int)number(in, "node", -1);
	a->replicas = (int)number(in, "replicas", 0);
	a->replicas_ms = (int)number(in, "replicasMs", 100);
	a->once = cJSON_IsTrue(cJSON_GetObjectItem(in, "once"));
}

static cJSON *shown(const redisReply *r)
{
	cJSON *out;

	if (!r || r->type == REDIS_REPLY_ERROR || ((r->type == REDIS_REPLY_STRING) && r->len > SHOWN)) {
		out = cJSON_CreateObject();
		if (!r)
			cJSON_AddTrueToObject(out, "none");
		else if (r->type == REDIS_REPLY_ERROR)
			cJSON_AddStringToObject(out, "error", r->str);
		else
			cJSON_AddNumberToObject(out, "length", (double)r->len);
		return out;
	}
	if (r->type == REDIS_REPLY_STRING || r->type == REDIS_REPLY_STATUS)
		return cJSON_CreateString(r->str);
	if (r->type == REDIS_REPLY_INTEGER)
		return cJSON_CreateNumber((double)r->integer);
	if (r->type == REDIS_REPLY_NIL)
		return cJSON_CreateNull();
	out = cJSON_CreateArray();
	for (size_t i = 0; i < r->elements; i++)
		cJSON_AddItemToArray(out, shown(r->element[i]));
	return out;
}

static void ask(const cJSON *in, cJSON *out)
{
	static struct redis_ask asks[MOST];
	static struct redis_text text[MOST];
	const cJSON *list = cJSON_GetObjectItem(in, "asks"), *one;
	cJSON *replies = cJSON_AddArrayToObject(out, "replies"), *unknown = cJSON_AddArrayToObject(out, "unknown");
	cJSON *acknowledged = cJSON_AddArrayToObject(out, "acknowledged");
	int64_t began = now();
	size_t n = 0;

	cJSON_ArrayForEach(one, list) {
		redis_text_clear(&text[n]);
		make_ask(&asks[n], &text[n], one);
		if (++n == MOST)
			break;
	}
	cJSON_AddNumberToObject(out, "rc", redis_route_ask(route, asks, n, began + (int64_t)number(in, "ms", 2000)));
	cJSON_AddNumberToObject(out, "ms", (double)(now() - began));
	for (size_t i = 0; i < n; i++) {
		cJSON_AddItemToArray(replies, shown(asks[i].reply));
		cJSON_AddItemToArray(unknown, cJSON_CreateBool(asks[i].unknown));
		cJSON_AddItemToArray(acknowledged, cJSON_CreateNumber(asks[i].acknowledged));
		if (asks[i].reply)
			freeReplyObject(asks[i].reply);
	}
	for (size_t i = 0; i < n; i++)
		redis_text_free(&text[i]);
}

/* -- counters: each is what this program thinks it is, or one more where an answer never came -- */

struct counter {
	uint64_t is;
	bool unsure;
};
struct counters {
	struct counter *all;
	size_t n, deep, at;
	int replicas;
	int64_t ms, longest;
	uint64_t added, refused, wrong;
	char wrongs[400];
};
/* Done twice it does what it does once; what it answers is what stands there now. It always writes, or WAIT has nothing to wait for. */
static const char *const add_one = "#!lua\nlocal is = redis.call('GET', KEYS[1]) or '0'\n"
                                   "if is == ARGV[1] then is = ARGV[2] end\nredis.call('SET', KEYS[1], is)\nreturn is";

static void wrong(struct counters *c, size_t i, const char *is)
{
	size_t used = strlen(c->wrongs);

	if (!c->wrong++ || used < sizeof c->wrongs - 100)
		snprintf(c->wrongs + used, sizeof c->wrongs - used, "%zu: %" PRIu64 " is %s%s; ", i, c->all[i].is, is, c->all[i].unsure ? ", unsure" : "");
}

static void make_add(const struct counters *c, size_t i, struct redis_ask *a, struct redis_text *t)
{
	char key[40];

	snprintf(key, sizeof key, "counter:{%zu}", i);
	redis_begin(t, 6);
	redis_name(t, "EVALSHA");
	redis_name(t, script.sha);
	redis_name(t, "1");
	redis_name(t, key);
	redis_number(t, c->all[i].is);
	redis_number(t, c->all[i].is + 1);
	*a = (struct redis_ask){ .slot = (int)redis_slot(key, strlen(key)), .node = -1, .bytes = t->bytes, .size = t->size, .script = &script,
		.replicas = c->replicas, .replicas_ms = 200 };
}

/* It is one more now, unless nobody knows. */
static void judge(struct counters *c, size_t i, const struct redis_ask *a)
{
	struct counter *one = &c->all[i];
	const redisReply *r = a->reply;
	bool sure = r && r->type == REDIS_REPLY_STRING && a->acknowledged >= c->replicas;
	uint64_t is = r && r->type == REDIS_REPLY_STRING ? strtoull(r->str, NULL, 10) : 0;

	if (sure && is == one->is + 1) {
		one->is = is;
		one->unsure = false;
		c->added++;
		return;
	}
	c->refused++;
	if (r && r->type == REDIS_REPLY_STRING && is != one->is + 1)
		wrong(c, i, r->str);
	one->unsure = true;
}

static void turn(struct counters *c)
{
	static struct redis_ask asks[MOST];
	static struct redis_text text[MOST];
	int64_t began = now();

	for (size_t k = 0; k < c->deep; k++) {
		redis_text_clear(&text[k]);
		make_add(c, (c->at + k) % c->n, &asks[k], &text[k]);
	}
	redis_route_ask(route, asks, c->deep, began + c->ms);
	for (size_t k = 0; k < c->deep; k++) {
		judge(c, (c->at + k) % c->n, &asks[k]);
		if (asks[k].reply)
			freeReplyObject(asks[k].reply);
	}
	c->at = (c->at + c->deep) % c->n;
	c->longest = now() - began > c->longest ? now() - began : c->longest;
}

/* At the end each of them is looked at. */
static void verify(struct counters *c)
{
	for (size_t i = 0; i < c->n; i++) {
		struct redis_text t = { 0 };
		char key[40];
		snprintf(key, sizeof key, "counter:{%zu}", i);
		redis_words(&t, (const char *const[]){ "GET", key }, 2);
		struct redis_ask a = { .slot = (int)redis_slot(key, strlen(key)), .node = -1, .bytes = t.bytes, .size = t.size };
		redis_route_ask(route, &a, 1, now() + 10000);
		uint64_t is = a.reply && a.reply->type == REDIS_REPLY_STRING ? strtoull(a.reply->str, NULL, 10) : 0;
		if (is != c->all[i].is && !(c->all[i].unsure && is == c->all[i].is + 1))
			wrong(c, i, a.reply && a.reply->str ? a.reply->str : "not there");
		if (a.reply)
			freeReplyObject(a.reply);
		redis_text_free(&t);
	}
}

static void count(const cJSON *in, cJSON *out)
{
	struct counters c = { .n = (size_t)number(in, "counters", 1), .deep = (size_t)number(in, "deep", 1), .ms = (int64_t)number(in, "ms", 2000),
		.replicas = (int)number(in, "replicas", 0) };
	struct pollfd more = { .fd = 0, .events = POLLIN };

	c.deep = c.deep > c.n ? c.n : c.deep > MOST ? MOST : c.deep;
	c.all = calloc(c.n, sizeof *c.all);
	script.body = add_one;
	redis_script_name(&script);
	while (c.all && poll(&more, 1, 0) == 0)
		turn(&c);
	verify(&c);
	free(c.all);
	cJSON_AddNumberToObject(out, "added", (double)c.added);
	cJSON_AddNumberToObject(out, "refused", (double)c.refused);
	cJSON_AddNumberToObject(out, "wrong", (double)c.wrong);
	cJSON_AddStringToObject(out, "wrongs", c.wrongs);
	cJSON_AddNumberToObject(out, "longestMs", (double)c.longest);
}

/* -- lines -- */

static void masters(const cJSON *in, cJSON *out)
{
	int n = redis_route_masters(route, now() + (int64_t)number(in, "ms", 2000));
	cJSON *list = cJSON_AddArrayToObject(out, "masters");

	cJSON_AddNumberToObject(out, "rc", n);
	for (int i = 0; i < n; i++)
		cJSON_AddItemToArray(list, cJSON_CreateString(redis_route_master(route, i)->name));
}

static void show(cJSON *out)
{
	char text[1000];

	redis_url_show(&url, text, sizeof text);
	cJSON_AddStringToObject(out, "url", text);
}

static void take_script(const cJSON *in)
{
	static char *kept;

	free(kept);
	kept = strdup(in->valuestring);
	script.body = kept;
	redis_script_name(&script);
}

static void line(const char *text)
{
	cJSON *in = cJSON_Parse(text), *out = cJSON_CreateObject();

	if (cJSON_HasObjectItem(in, "script"))
		take_script(cJSON_GetObjectItem(in, "script"));
	if (cJSON_HasObjectItem(in, "asks"))
		ask(in, out);
	if (cJSON_HasObjectItem(in, "masters"))
		masters(in, out);
	if (cJSON_HasObjectItem(in, "counters"))
		count(in, out);
	if (cJSON_HasObjectItem(in, "forget"))
		redis_route_forget(route);
	if (cJSON_HasObjectItem(in, "show"))
		show(out);
	cJSON_AddStringToObject(out, "why", redis_route_why(route));
	add_count(out);
	char *print = cJSON_PrintUnformatted(out);
	puts(print);
	fflush(stdout);
	cJSON_free(print);
	cJSON_Delete(in);
	cJSON_Delete(out);
}

int main(int argc, char **argv)
{
	char why[300] = "usage: route URL", *text = NULL;
	size_t room = 0;

	setvbuf(stdin, NULL, _IONBF, 0); /* poll() is to see what has come */
	if (argc != 2 || redis_url_parse(&url, argv[1], why, sizeof why) || redis_url_secrets(&url, NULL, why, sizeof why) || !(route = redis_route_new(&url, now))) {
		fprintf(stderr, "%s\n", why);
		redis_url_free(&url);
		return 2;
	}
	while (getline(&text, &room, stdin) > 0)
		line(text);
	free(text);
	redis_route_free(route);
	redis_url_free(&url);
	return 0;
}
