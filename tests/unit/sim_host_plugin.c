/* sim_host_plugin.c -- plugins for the simulated world: every handler carries out a script that stands in its input.
 *
 * Steps are separated by ';', words by blanks. KEY is of the home partition, or a whole key after '@'.
 *   get KEY, version KEY     their value is added to the answer         put KEY V, add KEY N, del KEY
 *   scan LIMIT PREFIX [AFTER], page PREFIX                              say TOPIC TEXT (QoS 0), say1, keep (retained), say! (durable)
 *   reply TOPIC TEXT, kick USER                                         emit EVENT THING SCRIPT (',' for ';')
 *   timer NAME MS EVENT SCRIPT, at NAME DUE EVENT SCRIPT, clear NAME    await TEXT: the answer is TEXT in capitals
 *   ask TEXT: the ticket is in sim_ticket until somebody answers it
 *   echo KEY: awaits "N" and its value, echounless KEY: the same unless it is 0
 *   uuid, now                                                           fail ERROR TEXT
 *   unless KEY ERROR: fails while KEY is absent                         eat BYTES of memory */
#include "tests/unit/sim_host.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct step {
	struct sk_call *c;
	cJSON *out;          /* array */
	char *word[6];
	int words;
	char *rest[6];       /* the text from that word on */
};

static const char *key_of(struct step *t, int i)
{
	const char *k = t->word[i];
	return *k == '@' ? k + 1 : sk_printf(t->c->arena, "%s/%s", t->c->home, k);
}

static int64_t number_at(const cJSON *document)
{
	return sk_json_int_of(document, "v", 0);
}

static void tell(struct step *t, const char *text)
{
	sk_json_append(t->out, sk_json_string(t->c->arena, text));
}

static cJSON *script_input(struct step *t, const char *thing, const char *script)
{
	struct sk_arena *a = t->c->arena;
	cJSON *in = sk_json_object(a);
	char *text = sk_strdup(a, script ? script : "");
	for (char *p = text; p && *p; p++)
		*p = *p == ',' ? ';' : *p;
	sk_json_set_string(a, in, "thingName", thing);
	sk_json_set_string(a, in, "script", text);
	return in;
}

static int do_get(struct step *t)
{
	const char *key = key_of(t, 1);
	const cJSON *d = key ? sk_get(t->c, "%s", key) : NULL;
	tell(t, d ? sk_printf(t->c->arena, "%lld", (long long)number_at(d)) : "-");
	return SK_OK;
}

static int do_version(struct step *t)
{
	const char *key = key_of(t, 1);
	uint64_t v = key ? sk_version(t->c, "%s", key) : 0;
	tell(t, v == UINT64_MAX ? "own" : v ? "stored" : "absent");
	return SK_OK;
}

static void put_number(struct step *t, const char *key, int64_t v)
{
	cJSON *d = sk_json_object(t->c->arena);
	sk_json_set_int(t->c->arena, d, "v", v);
	if (key)
		sk_put(t->c, d, "%s", key);
}

static int do_put(struct step *t)
{
	put_number(t, key_of(t, 1), atoll(t->word[2]));
	return SK_OK;
}

static int do_add(struct step *t)
{
	const char *key = key_of(t, 1);
	int64_t sum = (key ? number_at(sk_get(t->c, "%s", key)) : 0) + atoll(t->word[2]);
	put_number(t, key, sum);
	tell(t, sk_printf(t->c->arena, "%lld", (long long)sum));
	return SK_OK;
}

static int do_del(struct step *t)
{
	const char *key = key_of(t, 1);
	if (key)
		sk_remove(t->c, "%s", key);
	return SK_OK;
}

static void tell_scan(struct step *t, const struct sk_scan *scan)
{
	const char *text = "";
	for (size_t i = 0; i < scan->count && text; i++)
		text = sk_printf(t->c->arena, "%s%s%s=%lld", text, i ? "," : "", scan->row[i].name, (long long)number_at(scan->row[i].document));
	tell(t, sk_printf(t->c->arena, "%s|%s", text ? text : "", scan->next ? scan->next : ""));
}

static int do_scan(struct step *t)
{
	const char *prefix = key_of(t, 2);
	struct sk_scan scan = prefix ? sk_scan(t->c, (size_t)atoll(t->word[1]), t->words > 3 ? t->word[3] : NULL, "%s", prefix) : (struct sk_scan){ 0 };
	tell_scan(t, &scan);
	return SK_OK;
}

static int do_page(struct step *t)
{
	int rc;
	const char *prefix = key_of(t, 1);
	if (!prefix)
		return SK_OK;
	struct sk_scan scan = sk_scan_page(t->c, &rc, "%s", prefix);
	tell_scan(t, &scan);
	return rc;
}

static int publish(struct step *t, int flags)
{
	sk_publish_bytes(t->c, (enum sk_publish_flags)flags, t->rest[2], strlen(t->rest[2]), "%s", t->word[1]);
	return SK_OK;
}

static int do_say(struct step *t) { return publish(t, SK_QOS0); }
static int do_say1(struct step *t) { return publish(t, SK_QOS1); }
static int do_keep(struct step *t) { return publish(t, SK_RETAIN); }
static int do_say_durably(struct step *t) { return publish(t, SK_DURABLE); }

static int do_reply(struct step *t)
{
	sk_reply(t->c, sk_json_string(t->c->arena, t->rest[2]), "%s", t->word[1]);
	return SK_OK;
}

static int do_kick(struct step *t)
{
	sk_kick(t->c, t->word[1], NULL, "because");
	return SK_OK;
}

static int do_emit(struct step *t)
{
	sk_emit(t->c, t->word[1], script_input(t, t->word[2], t->rest[3]));
	return SK_OK;
}

static void set_timer(struct step *t, int64_t due)
{
	const char *thing = strchr(t->c->home, '/');
	sk_timer_set(t->c, t->word[1], due, t->word[3], script_input(t, thing ? thing + 1 : "", t->rest[4]));
}

static int do_timer(struct step *t)
{
	set_timer(t, t->c->now_ms + atoll(t->word[2]));
	return SK_OK;
}

static int do_at(struct step *t)
{
	set_timer(t, atoll(t->word[2]));
	return SK_OK;
}

static int do_clear(struct step *t)
{
	sk_timer_clear(t->c, t->word[1]);
	return SK_OK;
}

static cJSON *in_capitals(struct sk_arena *a, const cJSON *in, void *state)
{
	char *text = sk_strdup(a, in->valuestring);
	(void)state;
	for (char *p = text; p && *p; p++)
		*p = (char)toupper((unsigned char)*p);
	return sk_json_string(a, text);
}

static int do_await(struct step *t)
{
	const cJSON *answer = sk_await(t->c, in_capitals, sk_json_string(t->c->arena, t->rest[1]));
	tell(t, answer ? answer->valuestring : "void");
	return SK_OK;
}

struct sk_ticket *sim_ticket;

static void keep_ticket(struct sk_ticket *ticket, const char *in, size_t size, void *state)
{
	(void)in, (void)size, (void)state;
	sim_ticket = ticket;
}

static int do_ask(struct step *t)
{
	const cJSON *answer = sk_await_ticket(t->c, keep_ticket, sk_json_string(t->c->arena, t->rest[1]));
	tell(t, cJSON_IsString(answer) ? answer->valuestring : "void");
	return SK_OK;
}

/* "N" and the record's value, by slow work: asks something else when the record has changed. */
static int do_echo(struct step *t)
{
	const char *key = key_of(t, 1);
	const cJSON *d = key ? sk_get(t->c, "%s", key) : NULL;
	if (!strcmp(t->word[0], "echounless") && !number_at(d))
		return SK_OK;
	char *question = sk_printf(t->c->arena, "n%lld", (long long)number_at(d));
	const cJSON *answer = sk_await(t->c, in_capitals, sk_json_string(t->c->arena, question));
	tell(t, answer ? answer->valuestring : "void");
	return SK_OK;
}

static int do_uuid(struct step *t)
{
	tell(t, sk_uuid(t->c));
	return SK_OK;
}

static int do_now(struct step *t)
{
	tell(t, sk_printf(t->c->arena, "%lld", (long long)t->c->now_ms));
	return SK_OK;
}

static int do_fail(struct step *t)
{
	return sk_fail(t->c, sk_error_by_name(t->word[1]), "%s", t->rest[2]);
}

static int do_unless(struct step *t)
{
	const char *key = key_of(t, 1);
	const cJSON *d = key ? sk_get(t->c, "%s", key) : NULL;
	return d || sk_void(t->c) ? SK_OK : sk_fail(t->c, sk_error_by_name(t->word[2]), "not yet");
}

static int do_eat(struct step *t)
{
	sk_alloc(t->c->arena, (size_t)atoll(t->word[1]));
	return SK_OK;
}

static const struct { const char *name; int (*fn)(struct step *); } verbs[] = {
	{ "get", do_get }, { "version", do_version }, { "put", do_put }, { "add", do_add }, { "del", do_del }, { "scan", do_scan },
	{ "page", do_page }, { "say", do_say }, { "say1", do_say1 }, { "keep", do_keep }, { "say!", do_say_durably }, { "reply", do_reply },
	{ "kick", do_kick }, { "emit", do_emit }, { "timer", do_timer }, { "at", do_at }, { "clear", do_clear }, { "await", do_await }, { "ask", do_ask },
	{ "uuid", do_uuid }, { "echo", do_echo },
	{ "echounless", do_echo }, { "now", do_now }, { "fail", do_fail }, { "unless", do_unless }, { "eat", do_eat },
};

/* Words are cut out of one copy; rest[] point into another, which stays whole. */
static void split(struct step *t, char *text, char *whole)
{
	t->words = 0;
	for (char *p = text; *p && t->words < 6;) {
		p += strspn(p, " ");
		if (!*p)
			break;
		t->word[t->words] = p;
		t->rest[t->words++] = whole + (p - text);
		p += strcspn(p, " ");
		if (*p)
			*p++ = '\0';
	}
	for (int i = t->words; i < 6; i++)
		t->word[i] = t->rest[i] = (char *)"";
}

static int step(struct step *t, char *text)
{
	char *copy = sk_strdup(t->c->arena, text);
	if (!copy)
		return SK_OK;
	split(t, copy, text);
	for (size_t i = 0; i < sizeof verbs / sizeof *verbs; i++)
		if (!strcmp(verbs[i].name, t->word[0]))
			return verbs[i].fn(t);
	return t->words ? sk_fail(t->c, SK_E_INVALID_REQUEST, "no such step: %s", text) : SK_OK;
}

static int script(struct sk_call *c, const char *source)
{
	struct step t = { .c = c, .out = sk_json_array(c->arena) };
	char *text = sk_strdup(c->arena, source ? source : "");
	((struct sim *)c->state)->handled++;
	while (text && *text) {
		char *end = text + strcspn(text, ";"), *next = *end ? end + 1 : end;
		*end = '\0';
		int rc = step(&t, text);
		if (rc)
			return rc;
		text = next;
	}
	sk_json_set(c->arena, c->out, "saw", t.out);
	return SK_OK;
}

static int run_script(struct sk_call *c)
{
	return script(c, sk_json_text(c->in, "script"));
}

static int on_message(struct sk_call *c)
{
	if (!c->payload) {
		sk_publish_bytes(c, SK_QOS0, "large", 5, "sim/%s/rejected", c->arg[0]);
		return SK_OK;
	}
	int rc = script(c, c->payload);
	if (rc)
		sk_publish_bytes(c, SK_QOS0, "error", 5, "sim/%s/rejected", c->arg[0]);
	return rc;
}

static int on_refusal(struct sk_call *c)
{
	sk_publish_bytes(c, SK_QOS0, sk_error_info(c->error)->name, strlen(sk_error_info(c->error)->name), "sim/%s/refused", c->arg[0]);
	return SK_OK;
}

/* Does all that a refused call may not do. */
static int on_bad_refusal(struct sk_call *c)
{
	on_refusal(c);
	sk_emit(c, "E", NULL);
	sk_timer_set(c, "t", 0, "E", NULL);
	sk_put(c, sk_json_object(c->arena), "%s/refused", c->home);
	return SK_OK;
}

static size_t limit(void *state)
{
	(void)state;
	return 20;
}

/* Broker thread: no call.h but in and out. */
static int on_broker(struct sk_call *c)
{
	sk_json_set_string(c->arena, c->out, "index", ((struct sim *)c->state)->index);
	return SK_OK;
}

static void tell_index(char **index, const char *line)
{
	size_t have = *index ? strlen(*index) : 0;
	*index = realloc(*index, have + strlen(line) + 1);
	strcpy(*index + have, line);
}

static int apply(void *state, const char *name, const struct sk_bytes *bytes)
{
	struct sim *s = state;
	char line[256];
	if (s->crashed)
		return 0;
	snprintf(line, sizeof line, "%s=%s ", name, bytes ? bytes->data : "gone");
	tell_index(&s->index, line);
	if (s->aside)
		tell_index(&s->aside, line);
	return 0;
}

static int reset(void *state, enum sk_reset phase)
{
	struct sim *s = state;
	if (phase == SK_RESET_OVER)
		return 0;
	free(phase == SK_RESET_BEGINS ? s->aside : s->index);
	if (phase == SK_RESET_BEGINS)
		s->aside = strdup("");
	else
		s->index = s->aside;
	if (phase == SK_RESET_ENDS)
		s->aside = NULL;
	return 0;
}

const char *sim_index(struct sim *s, const char *name)
{
	static char value[256];
	char part[128];
	snprintf(part, sizeof part, "%s=", name);
	const char *last = NULL;
	for (const char *at = s->index; at && (at = strstr(at, part)); at++)
		last = at == s->index || at[-1] == ' ' ? at : last;
	if (!last)
		return NULL;
	last += strlen(part);
	snprintf(value, sizeof value, "%.*s", (int)strcspn(last, " "), last);
	return strcmp(value, "gone") ? value : NULL;
}

static const struct sk_topic topics[] = {
	{ .pattern = "sim/{thingName}/do", .handler = on_message, .refuse = on_refusal, .partition = "thing/{thingName}" },
	{ .pattern = "sim/{thingName}/bad", .handler = on_message, .refuse = on_bad_refusal, .partition = "thing/{thingName}" },
	{ .pattern = "sim/{thingName}/small", .handler = on_message, .refuse = on_refusal, .limit = limit, .partition = "thing/{thingName}" },
	{ 0 }
};
static const struct sk_op ops[] = {
	{ .name = "Do", .verb = SK_POST, .route = "/do/{thingName}", .partition = "thing/{thingName}", .inputs = "script:String", .handler = run_script },
	{ .name = "Register", .verb = SK_POST, .route = "/register", .partition = "registry", .inputs = "script:String &page", .handler = run_script },
	{ .name = "Mark", .verb = SK_POST, .route = "/mark", .partition = "registry", .inputs = "script:String &marks", .handler = run_script },
	{ .name = "Marker", .verb = SK_POST, .route = "/marker", .partition = "registry", .inputs = "script:String pageSize marker", .handler = run_script },
	{ .name = "Look", .verb = SK_POST, .route = "/look", .partition = "any", .inputs = "script:String", .handler = run_script },
	{ .name = "Wait", .verb = SK_POST, .route = "/wait", .partition = "alone", .inputs = "script:String", .handler = run_script },
	{ .name = "Index", .verb = SK_GET, .route = "/index", .partition = "broker", .inputs = "", .handler = on_broker },
	{ 0 }
};
static const struct sk_op_group group = { .service = "sim", .op = ops };
/* Another service's operation of the same name. */
static const struct sk_op_group twin = { .service = "twin", .op = (const struct sk_op[]){
	{ .name = "Look", .verb = SK_POST, .route = "/look", .partition = "any", .inputs = "script:String", .handler = on_broker }, { 0 } } };
static const struct sk_op_group *const groups[] = { &group, &twin, NULL };
static const struct sk_on on[] = {
	{ "E", run_script, "thing/{thingName}" },
	{ "Both", run_script, "thing/{thingName}" },
	{ "Lost", run_script, "thing/{nobody}" },
	{ 0 }
};
static const struct sk_on other_on[] = { { "Both", run_script, "registry" }, { 0 } };
static const struct sk_watch watches[] = { { "registry/w/", apply }, { 0 } };

const struct sk_plugin sim_plugin = { .name = "sim", .topics = topics, .operations = groups, .on = on, .watches = watches, .reset = reset };
const struct sk_plugin sim_other_plugin = { .name = "other", .on = other_on };
