/* suggest.c -- see suggest.h. */
#include "cli/suggest.h"

#include <stdlib.h>
#include <string.h>

enum { ALIKE = 4, LEVELS = 64 };

static const char *const actions[] = { "iot:Connect", "iot:Publish", "iot:RetainPublish", "iot:Subscribe", "iot:Receive" };

static void remark(struct suggest *s, const char *line)
{
	sk_json_append(s->remarks, sk_json_string(s->arena, line));
}

/* -- one topic -- */

/* Each level that is the client's id becomes the variable; with `star` the wildcards of a filter become *. */
static const char *generalise(struct sk_arena *a, const char *topic, const char *id, const char *variable)
{
	const char *out = "";
	for (const char *at = topic;; at++) {
		size_t n = strcspn(at, "/");
		const char *level = sk_strndup(a, at, n);
		if (strlen(id) == n && strncmp(at, id, n) == 0)
			level = variable;
		out = sk_printf(a, "%s%s%s", out, level, at[n] ? "/" : "");
		at += n;
		if (!*at)
			return out;
	}
}

static const char *received_by(struct sk_arena *a, const char *filter)
{
	char *out = sk_strdup(a, filter);
	for (char *at = out; at && *at; at++)
		if ((*at == '+' || *at == '#') && (at == out || at[-1] == '/') && (!at[1] || at[1] == '/'))
			*at = '*';
	return out;
}

/* What a shared subscription asks for is the filter behind $share/GROUP/. */
static const char *inner(const char *filter)
{
	const char *slash = strncmp(filter, "$share/", 7) == 0 ? strchr(filter + 7, '/') : NULL;
	return slash ? slash + 1 : filter;
}

static bool ends(const char *text, const char *with)
{
	size_t n = strlen(text), m = strlen(with);
	return n >= m && strcmp(text + n - m, with) == 0;
}

/* Why no policy can allow it, or NULL. */
static const char *hopeless(const char *action, const char *name)
{
	static const char *const answers[] = { "/accepted", "/rejected", "/delta", "/documents" };
	if (strstr(name, "${"))
		return "a policy would read ${ as a variable";
	if (strpbrk(name, "*?"))
		return "a policy would read * and ? as wildcards";
	if (strcmp(action, "iot:Publish") != 0 && strcmp(action, "iot:RetainPublish") != 0)
		return name[0] == '$' && strncmp(name, "$aws", 4) != 0 ? "topics that begin with $ are reserved" : NULL;
	if (strncmp(name, "$aws/events/", 12) == 0 || (name[0] == '$' && strncmp(name, "$aws/", 5) != 0))
		return "nobody may publish there";
	for (size_t i = 0; strncmp(name, "$aws/", 5) == 0 && i < sizeof(answers) / sizeof(*answers); i++)
		if (ends(name, answers[i]))
			return "only the service publishes there";
	return NULL;
}

/* -- adding -- */

static void add(struct suggest *s, const char *action, const char *resource)
{
	cJSON *list = sk_json_get(s->resources, action);
	if (!resource)
		return;
	if (!list)
		list = sk_json_set_array(s->arena, s->resources, action);
	SK_JSON_EACH(known, list)
		if (strcmp(known->valuestring, resource) == 0)
			return;
	sk_json_append(list, sk_json_string(s->arena, resource));
}

static void add_one(struct suggest *s, const cJSON *deed, const char *client_id, const char *variable)
{
	struct sk_arena *a = s->arena;
	const char *action = sk_json_text(deed, "action"), *filter = sk_json_text(deed, "topicFilter"), *topic = sk_json_text(deed, "topic");
	bool allowed = sk_json_true(deed, "allowed");
	const char *name = filter ? inner(filter) : topic ? topic : client_id;
	const char *why = action && !allowed ? hopeless(action, name) : NULL;
	if (!action)
		return;
	if (!allowed)
		remark(s, sk_printf(a, "%s %s was refused%s%s", action, name, s->without_refused || why ? ", and is left out" : "",
		                    why ? sk_printf(a, ": %s", why) : ""));
	if (why || (!allowed && s->without_refused))
		return;
	const char *general = generalise(a, name, client_id, variable);
	add(s, action, sk_printf(a, "%s/%s", filter ? "topicfilter" : topic ? "topic" : "client", general));
	if (filter)
		add(s, "iot:Receive", sk_printf(a, "topic/%s", received_by(a, general)));
}

void suggest_add(struct suggest *s, const cJSON *activity, const char *client_id, const char *variable)
{
	if (!s->resources)
		s->resources = sk_json_object(s->arena);
	if (!s->remarks)
		s->remarks = sk_json_array(s->arena);
	SK_JSON_EACH(deed, activity)
		add_one(s, deed, client_id, variable);
}

/* -- topics that differ in one level -- */

/* `text` with its level `at` as "*"; NULL when it has none, or one that may not become a star. */
static const char *without_level(struct sk_arena *a, const char *text, int at)
{
	const char *from = text;
	for (int i = 0; i < at; i++) {
		from = strchr(from, '/');
		if (!from)
			return NULL;
		from++;
	}
	size_t n = strcspn(from, "/");
	if (strncmp(from, "${", 2) == 0 || (n == 1 && strchr("*+#", *from)) || from[0] == '$')
		return NULL;
	return sk_printf(a, "%.*s*%s", (int)(from - text), text, from + n);
}

static int count_like(struct sk_arena *a, const cJSON *list, const char *pattern, int level)
{
	int n = 0;
	SK_JSON_EACH(one, list) {
		const char *like = without_level(a, one->valuestring, level);
		n += like && strcmp(like, pattern) == 0;
	}
	return n;
}

static void replace_like(struct suggest *s, cJSON *list, const char *pattern, int level)
{
	for (cJSON *one = list->child, *next; one; one = next) {
		next = one->next;
		const char *like = without_level(s->arena, one->valuestring, level);
		if (like && strcmp(like, pattern) == 0)
			sk_json_detach(list, one);
	}
	sk_json_append(list, sk_json_string(s->arena, pattern));
}

/* Not the first level behind "topic": a star stands for any number of levels, and would be all topics. */
static bool merge_once(struct suggest *s, cJSON *list)
{
	for (int level = 2; level < LEVELS; level++)
		SK_JSON_EACH(one, list) {
			const char *pattern = without_level(s->arena, one->valuestring, level);
			int n = pattern ? count_like(s->arena, list, pattern, level) : 0;
			if (n < ALIKE)
				continue;
			remark(s, sk_printf(s->arena, "%d topics that differ in one level became %s", n, pattern));
			replace_like(s, list, pattern, level);
			return true;
		}
	return false;
}

/* -- the document -- */

static int by_text(const void *one, const void *other)
{
	return strcmp((*(cJSON *const *)one)->valuestring, (*(cJSON *const *)other)->valuestring);
}

static cJSON *sorted(struct suggest *s, const cJSON *list)
{
	size_t n = (size_t)sk_json_count(list), i = 0;
	const cJSON **row = sk_alloc(s->arena, n * sizeof(*row) + 1);
	cJSON *out = sk_json_array(s->arena);
	if (!row)
		return out;
	SK_JSON_EACH(one, list)
		row[i++] = one;
	qsort(row, n, sizeof(*row), by_text);
	for (i = 0; i < n; i++)
		sk_json_append(out, sk_json_string(s->arena, sk_printf(s->arena, "%s:%s", s->arn, row[i]->valuestring)));
	return out;
}

cJSON *suggest_document(struct suggest *s)
{
	struct sk_arena *a = s->arena;
	if (a->failed || !sk_json_count(s->resources))
		return NULL;
	cJSON *document = sk_json_object(a);
	sk_json_set_string(a, document, "Version", "2012-10-17");
	cJSON *statements = sk_json_set_array(a, document, "Statement");
	for (size_t i = 0; i < sizeof(actions) / sizeof(*actions); i++) {
		cJSON *list = sk_json_get(s->resources, actions[i]);
		if (!list)
			continue;
		while (!a->failed && strncmp(list->child->valuestring, "topic/", 6) == 0 && merge_once(s, list))
			;
		cJSON *statement = sk_json_append(statements, sk_json_object(a)), *resources = sorted(s, list);
		sk_json_set_string(a, statement, "Effect", "Allow");
		sk_json_set_string(a, statement, "Action", actions[i]);
		sk_json_set(a, statement, "Resource", sk_json_count(resources) == 1 ? sk_json_copy(a, resources->child) : resources);
	}
	return a->failed ? NULL : document;
}
