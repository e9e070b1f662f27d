/* lanes.c -- the set of lanes: found by kind and name, made when there is none, and opened again from their folders.
 *
 * One that is found stays as long as somebody uses it. Making one waits for the disk: never on the broker's thread. */
#include "plugins/rules/engine_actions.h"
#include "plugins/rules/lane_seal.h"
#include "plugins/rules/lanes.h"

#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "core/threads.h"
#include "core/why.h"

/* -- a lane -- */

static void lane_free(struct lane *l)
{
	for (int i = 0; i < RULES_MAX_THREADS; i++) {
		free(l->buffer[i].bytes);
		free(l->buffer[i].size);
		free(l->buffer[i].message);
	}
	lane_run_free(&l->run);
	sk_segments_close(&l->files);
	sem_destroy(&l->bell);
	free(l->kind);
	free(l->name);
	free(l->folder);
	free(l->fields);
	free(l);
}

static struct lane *lane_new(struct lanes *set, const char *kind, const char *name, char *why, size_t why_size)
{
	const struct lane_limits limits = { set->settings.retry_for_ms, set->settings.retry_least_ms, set->settings.retry_most_ms };
	struct lane_host host = lane_host_of_threads;
	struct lane *l = calloc(1, sizeof *l);

	sk_why(why, why_size, "memory is out");
	if (!l)
		return NULL;
	sem_init(&l->bell, 0, 0);
	host.ctx = l;
	l->set = set;
	l->index = set->serial++;
	l->mark_ms = sk_mono_us() / 1000;
	l->kind = strdup(kind);
	l->name = strdup(name);
	l->folder = lane_folder_name(set->folder, kind, name);
	l->files = l->kind && l->name && l->folder ? sk_segments_open(l->folder, 0, why, why_size) : NULL;
	l->run = l->files ? lane_run_new(l->files, &limits, &host) : NULL;
	if (l->run)
		return l;
	lane_free(l);
	return NULL;
}

/* What of the fields says where to and who as, as text: it has changed when this has. */
static char *aim_of(const struct sk_sink *sink, const cJSON *fields, struct sk_arena *a)
{
	size_t n = 0, all = 0;
	cJSON *o = sk_json_object(a);
	const struct sk_sink_field *without = sk_sink_flatten(fields, sink->connection, a, &n), *field = sk_sink_flatten(fields, NULL, a, &all);

	if (!without || !field)
		return NULL;
	for (size_t i = 0, k = 0; i < all; i++) {
		if (k < n && !strcmp(field[i].path, without[k].path))
			k++;
		else
			sk_json_set_string(a, o, field[i].path, field[i].text);
	}
	return sk_json_print(a, o, NULL);
}

/* The newest rule's fields win. 0, or -1: memory is out, or the label cannot be written; then it is as before. */
static int aim(struct lane *l, const struct sk_sink *sink, void *state, const cJSON *fields, struct sk_arena *a, char *why, size_t why_size)
{
	const struct lane_label label = { l->kind, l->name, fields };
	const char *text = aim_of(sink, fields, a);
	char *copy = text ? strdup(text) : NULL;

	if (copy && l->fields && !strcmp(copy, l->fields)) {
		free(copy);
		return 0;
	}
	if (!copy || lane_label_write(l->folder, &label, why, why_size) || lane_run_aim(l->run, sink, state, fields)) {
		if (!copy)
			sk_why(why, why_size, "memory is out");
		free(copy);
		return -1;
	}
	free(l->fields);
	l->fields = copy;
	l->sink = sink;
	lane_ring(l);
	return 0;
}

/* -- the set; under `making` -- */

static struct lane *find(struct lanes *s, const char *kind, const char *name)
{
	struct lane *l = s->first;

	while (l && (strcmp(l->kind, kind) || strcmp(l->name, name)))
		l = l->next;
	return l;
}

static void put_in(struct lanes *s, struct lane *l)
{
	pthread_mutex_lock(&s->lock);
	l->next = s->first;
	s->first = l;
	s->count++;
	pthread_mutex_unlock(&s->lock);
}

static struct lane *take_out_idle(struct lanes *s)
{
	struct lane **at = &s->first, *l;

	pthread_mutex_lock(&s->lock);
	while (*at && ((*at)->users || (*at)->gets || atomic_load(&(*at)->listed) || sk_segments_bytes((*at)->files)))
		at = &(*at)->next;
	l = *at;
	if (l) {
		*at = l->next;
		s->count--;
	}
	pthread_mutex_unlock(&s->lock);
	return l;
}

static void throw_away(struct lane *l)
{
	char *folder = l->folder;

	lane_thread_stop(l);
	l->folder = NULL;
	lane_free(l);
	lane_folder_remove(folder);
	free(folder);
}

/* NULL with why[]. */
static struct lane *make(struct lanes *s, const struct sk_sink *sink, const char *name, char *why, size_t why_size)
{
	struct lane *idle = s->count >= s->settings.most_lanes ? take_out_idle(s) : NULL, *l;

	if (idle)
		throw_away(idle);
	if (s->count >= s->settings.most_lanes) {
		sk_why(why, why_size, "there are %d destinations already (plugin_opt_lanes)", s->count);
		return NULL;
	}
	l = lane_new(s, sink->kind, name, why, why_size);
	if (!l)
		return NULL;
	put_in(s, l);
	return l;
}

/* -- for actions -- */

const char *lane_missing(struct sk_arena *a, const char *kind)
{
	const struct rules_kind *k = rules_kind(kind);

	if (k && k->plugin)
		return sk_printf(a, "nothing here carries out %s actions: load skeeter_%s.so", kind, k->plugin);
	return sk_printf(a, "nothing here carries out %s actions", kind);
}

static const char *name_of(const struct sk_sink *sink, const cJSON *fields, struct sk_arena *a, const char **why)
{
	const char *name = sink->lane ? sink->lane(fields, a, why) : sk_sink_lane(fields, sink->connection, a);

	if (!name && !*why)
		*why = "memory is out";
	return name;
}

static struct lane *get(struct lanes *s, const struct sk_sink *sink, void *state, const cJSON *fields, struct sk_arena *a, const char **why)
{
	char text[512] = "memory is out";
	const char *name = name_of(sink, fields, a, why);
	struct lane *l = name ? find(s, sink->kind, name) : NULL;

	if (!name)
		return NULL;
	if (!l)
		l = make(s, sink, name, text, sizeof text);
	if (l && !aim(l, sink, state, fields, a, text, sizeof text) && (!atomic_load(&s->ready) || !lane_thread_start(l)))
		return l;
	*why = sk_strdup(a, l && !*text ? "its thread cannot be started" : text);
	return NULL;
}

void lane_keep(struct lane *l)
{
	pthread_mutex_lock(&l->set->lock);
	l->gets++;
	pthread_mutex_unlock(&l->set->lock);
}

struct lane *lane_get(struct lanes *s, const char *kind, const cJSON *fields, struct sk_arena *a, const char **why)
{
	void *state = NULL;
	const struct sk_sink *sink = sk_sink_find(kind, &state);
	struct lane *l;

	*why = NULL;
	if (!sink) {
		*why = lane_missing(a, kind);
		return NULL;
	}
	if (!s) {
		*why = "there are no lanes here";
		return NULL;
	}
	const struct rules_action action = { .kind = rules_kind(kind), .fields = fields };
	const char *absent, *fault = action.kind ? engine_action_fault(s->engine, &action, a, &absent) : NULL;
	if (fault) {
		*why = fault;
		return NULL;
	}
	pthread_mutex_lock(&s->making);
	l = get(s, sink, state, fields, a, why);
	if (l)
		lane_keep(l);
	pthread_mutex_unlock(&s->making);
	if (!l && !*why)
		*why = "memory is out";
	return l;
}

void lane_put(struct lane *l)
{
	struct lanes *s = l->set;

	pthread_mutex_lock(&s->lock);
	l->gets--;
	pthread_mutex_unlock(&s->lock);
}

const struct sk_sink *lane_sink(const struct lane *l)
{
	return l->sink;
}

/* -- for a rule's actions: found once -- */

static struct lane_uses *uses_of(struct lanes *s, struct live_rule *r, int actions)
{
	struct lane_uses *uses = atomic_load_explicit(&r->lanes, memory_order_acquire), *none = NULL;

	if (uses)
		return uses;
	uses = calloc(1, sizeof *uses + ((size_t)actions + 1) * sizeof *uses->use);
	if (!uses)
		return NULL;
	uses->set = s;
	uses->n = actions + 1;
	if (atomic_compare_exchange_strong(&r->lanes, &none, uses))
		return uses;
	free(uses);
	return none;
}

static void use(struct lane *l, struct live_rule *r, struct lane_use *u)
{
	pthread_mutex_lock(&l->set->lock);
	if (!atomic_load(&u->lane)) {
		u->rule = r;
		u->next = l->users;
		u->at = &l->users;
		if (u->next)
			u->next->at = &u->next;
		l->users = u;
		if (atomic_load(&l->full))
			atomic_fetch_add(&r->full_lanes, 1);
		atomic_store_explicit(&u->lane, l, memory_order_release);
	}
	pthread_mutex_unlock(&l->set->lock);
}

struct lane *lanes_of(struct lanes *s, struct live_rule *r, const struct rules_rule *program, int action, struct sk_arena *a, const char **why)
{
	const struct rules_action *which = action < 0 ? program->error_action : &program->action[action];
	struct lane_uses *uses = uses_of(s, r, program->actions);
	struct lane *l = uses ? atomic_load_explicit(&uses->use[action + 1].lane, memory_order_acquire) : NULL;

	*why = "memory is out";
	if (!uses || l)
		return l;
	l = lane_get(s, which->kind->name, which->fields, a, why);
	if (!l)
		return NULL;
	use(l, r, &uses->use[action + 1]);
	lane_put(l);
	return l;
}

void lanes_leave(struct live_rule *r)
{
	struct lane_uses *uses = atomic_load(&r->lanes);

	if (!uses)
		return;
	pthread_mutex_lock(&uses->set->lock);
	for (int i = 0; i < uses->n; i++) {
		struct lane_use *u = &uses->use[i];
		if (!atomic_load(&u->lane))
			continue;
		*u->at = u->next;
		if (u->next)
			u->next->at = u->at;
	}
	pthread_mutex_unlock(&uses->set->lock);
	free(uses);
}

/* -- life -- */

/* Of a process that was killed while it made one, say. */
static bool holds_nothing(const char *folder)
{
	char why[200];
	struct sk_segments *files = sk_segments_open_read(folder, why, sizeof why);
	bool empty = files && !sk_segments_bytes(files);

	sk_segments_close(&files);
	return empty;
}

/* What is left of an earlier life. A folder that does not say whose it is stays as it is. */
static int reopen(struct lanes *s, const char *entry, char *why, size_t why_size)
{
	struct sk_arena a = { 0 };
	struct lane_label label;
	void *state = NULL;
	char text[512];
	char *folder = sk_printf(&a, "%s/%s", s->folder, entry);
	struct lane *l = NULL;
	int rc = 0;

	if (!folder || lane_label_read(folder, &a, &label, text, sizeof text)) {
		if (folder && holds_nothing(folder))
			lane_folder_remove(folder);
		else
			sk_log('e', "rules", "%s: what waits there stays there", folder ? text : "memory is out");
	} else if (!(l = lane_new(s, label.kind, label.name, text, sizeof text))) {
		rc = sk_why(why, why_size, "%s", text);
	} else if (strcmp(l->folder, folder) || !sk_segments_bytes(l->files)) {
		bool elsewhere = strcmp(l->folder, folder) != 0;
		lane_free(l);
		if (elsewhere)
			sk_log('e', "rules", "%s is another lane's: what waits there stays there", folder);
		else
			lane_folder_remove(folder);
	} else {
		const struct sk_sink *sink = sk_sink_find(label.kind, &state);
		put_in(s, l);
		rc = lane_run_aim(l->run, sink, state, label.fields) ? sk_why(why, why_size, "memory is out") : 0;
		lane_look_at_room(l);
	}
	sk_arena_free(&a);
	return rc;
}

static int reopen_all(struct lanes *s, char *why, size_t why_size)
{
	DIR *d = opendir(s->folder);
	struct dirent *e;
	int rc = d ? 0 : sk_why(why, why_size, "%s cannot be read: %s", s->folder, strerror(errno));

	while (!rc && (e = readdir(d)))
		if (*e->d_name != '.')
			rc = reopen(s, e->d_name, why, why_size);
	if (d)
		closedir(d);
	return rc;
}

struct lanes *lanes_open(struct rules_engine *e, const struct lanes_settings *settings, char *why, size_t why_size)
{
	struct lanes *s = calloc(1, sizeof *s);

	if (!s || !(s->folder = strdup(settings->folder))) {
		free(s);
		sk_why(why, why_size, "memory is out");
		return NULL;
	}
	s->engine = e;
	s->settings = *settings;
	s->settings.folder = s->folder;
	pthread_mutex_init(&s->making, NULL);
	pthread_mutex_init(&s->lock, NULL);
	uint8_t fresh[SK_SEAL_KEY];
	e->rt->host->random(e->rt->host->ctx, fresh, sizeof fresh);
	if (lanes_folder_make(s->folder, why, why_size) || lane_seal_open(s->folder, fresh, why, why_size) || reopen_all(s, why, why_size))
		lanes_close(&s);
	return s;
}

/* Sinks that are loaded behind skeeter_rules are known only now. */
static void aim_again(struct lane *l)
{
	struct sk_arena a = { 0 };
	struct lane_label label;
	char why[512];
	void *state = NULL;
	const struct sk_sink *sink = sk_sink_find(l->kind, &state);

	if (sink && !l->sink && !lane_label_read(l->folder, &a, &label, why, sizeof why))
		lane_run_aim(l->run, sink, state, label.fields);
	if (!sink)
		sk_log('w', "rules", "%s %s has messages that wait: %s", l->kind, l->name, lane_missing(&a, l->kind));
	sk_arena_free(&a);
}

void lanes_ready(struct lanes *s)
{
	pthread_mutex_lock(&s->making);
	atomic_store(&s->ready, true);
	for (struct lane *l = s->first; l; l = l->next) {
		aim_again(l);
		if (lane_thread_start(l))
			sk_log('e', "rules", "a thread for %s %s cannot be started: what waits there stays there", l->kind, l->name);
	}
	pthread_mutex_unlock(&s->making);
}

/* All are told first: they end together. */
void lanes_quiesce(struct lanes *s)
{
	pthread_mutex_lock(&s->making);
	atomic_store(&s->ready, false);
	for (struct lane *l = s->first; l; l = l->next) {
		atomic_store(&l->stop, true);
		sem_post(&l->bell);
	}
	for (struct lane *l = s->first; l; l = l->next)
		lane_thread_stop(l);
	pthread_mutex_unlock(&s->making);
}

void lanes_close(struct lanes **at)
{
	struct lanes *s = *at;

	*at = NULL;
	if (!s)
		return;
	while (s->first) {
		struct lane *l = s->first;
		s->first = l->next;
		lane_free(l);
	}
	pthread_mutex_destroy(&s->making);
	pthread_mutex_destroy(&s->lock);
	free(s->folder);
	free(s);
}
