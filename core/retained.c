/* retained.c -- our client on the broker and what it is asked for; see retained.h.
 *
 * One thread speaks MQTT. A question is one SUBSCRIBE to the topics and to a last filter that is always refused: between the two the broker asks
 * about what it retains, outside of them about what is being published. That tells the one from the other, whatever else happens in
 * that turn of its loop. The UNSUBSCRIBE that is sent along is answered when all is done. */
#include "core/retained.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/retained_link.h"
#include "core/retained_notes.h"
#include "core/retained_times.h"
#include "core/retained_wire.h"

#define LAST "$SYS/skeeter/end" /* the filter that ends a question */
#define USERNAME "skeeter-retained"

enum { ANSWER_MS = 5000, PAUSE_MS = 200, IDLE_MS = 20000, SAVE_MS = 5000, ID = 40, MANY_NOTES = 256, SPARE_NOTES = 1 << 16 };

enum kind { SEED, LOOK, FETCH };
struct question { /* the asker's memory */
	struct question *next;
	enum kind kind;
	const char *const *topic;
	size_t topics;
	bool *seen;                        /* one for each topic */
	bool asked;                        /* the broker has been through all of them */
	struct sk_retained_message *message; /* FETCH */
	enum sk_retained_answer answer;
	bool answered;
};

struct sk_retained {
	struct sk_retained_options options;
	struct sk_retained_index *index;
	struct sk_notes notes;             /* on their way into it */
	char id[ID], password[ID];
	int64_t started_ms;
	struct sk_link link;
	pthread_t thread;
	bool threaded;
	atomic_bool stop, ready;
	_Atomic uint64_t saved;            /* changes of the index that the file has */
	struct sk_times *before;           /* of the process before, until the first seed is done; whoever applies notes has it */
	uint16_t packet;
	pthread_mutex_t lock;              /* of what follows */
	pthread_cond_t answered;
	struct question *first, **last;
	struct question *now;              /* what the thread is asking the broker */
	/* the broker's thread */
	bool inside;                       /* of a question */
	bool ours;                         /* as far as it has come, it is what `now` asks */
	size_t at;                         /* topics of it so far */
};

/* -- the broker's thread -- */

bool sk_retained_is_named(const struct sk_retained *r, const char *client_id)
{
	return client_id && !strcmp(client_id, r->id);
}

bool sk_retained_is_proved(const struct sk_retained *r, const char *client_id, const char *password)
{
	return sk_retained_is_named(r, client_id) && password && !strcmp(password, r->password);
}

/* What the broker did not tell of it does not have any more. Here, so that what is published next comes behind it. */
static void end_question(struct sk_retained *r, struct question *q)
{
	q->asked = true;
	for (size_t i = 0; q->kind != SEED && i < q->topics; i++)
		if (!q->seen[i])
			sk_notes_add(&r->notes, SK_NOTE_REMOVE, q->topic[i], NULL);
}

/* Of a question that was given up in the meantime the broker may still be told: it must not be taken for the next one. */
bool sk_retained_subscribes(struct sk_retained *r, const char *filter)
{
	bool last = !strcmp(filter, LAST);
	pthread_mutex_lock(&r->lock);
	struct question *q = r->now;
	if (last) {
		if (q && r->ours && r->at == q->topics)
			end_question(r, q);
	} else {
		r->ours = (r->ours || !r->inside) && q && r->at < q->topics && !strcmp(q->topic[r->at], filter);
		r->at++;
	}
	pthread_mutex_unlock(&r->lock);
	r->inside = !last;
	if (last)
		sk_retained_left(r);
	return !last;
}

void sk_retained_left(struct sk_retained *r)
{
	r->inside = r->ours = false;
	r->at = 0;
}

static struct sk_retained_fact fact_of(const struct sk_retained *r, const struct sk_retained_view *m)
{
	return (struct sk_retained_fact){ .size = (uint32_t)m->size, .qos = m->qos, .modified_ms = r->options.wall_ms(),
		                          .digest = sk_retained_digest(m->payload, m->size, m->qos) };
}

static bool is_wanted(struct sk_retained *r, const char *topic)
{
	bool send = false;
	pthread_mutex_lock(&r->lock);
	struct question *q = r->now;
	if (q && r->ours && r->at && r->at <= q->topics && !strcmp(q->topic[r->at - 1], topic)) {
		q->seen[r->at - 1] = true;
		send = q->kind == FETCH;
	}
	pthread_mutex_unlock(&r->lock);
	return send;
}

bool sk_retained_reads(struct sk_retained *r, const struct sk_retained_view *m)
{
	if (!m->retain || m->topic[0] == '$')
		return false;
	struct sk_retained_fact f = fact_of(r, m);
	enum sk_note_kind kind = r->inside ? SK_NOTE_SEEN : m->size ? SK_NOTE_SET : SK_NOTE_REMOVE;
	if (sk_notes_add(&r->notes, kind, m->topic, &f) == MANY_NOTES)
		sk_link_ring(&r->link);
	return r->inside && is_wanted(r, m->topic);
}

/* -- whoever looks into the index -- */

/* Of a message that we did not see being published nothing is older than what is known of it, or than this process. */
static void apply_note(void *ctx, const struct sk_note *n)
{
	struct sk_retained *r = ctx;
	struct sk_retained_fact f = n->fact;
	switch (n->kind) {
	case SK_NOTE_SET:
		sk_retained_index_set(r->index, n->topic, &f);
		break;
	case SK_NOTE_SEEN:
		f.modified_ms = sk_times_find(r->before, n->topic, f.digest, r->started_ms);
		sk_retained_index_see(r->index, n->topic, &f);
		break;
	case SK_NOTE_REMOVE:
		sk_retained_index_remove(r->index, n->topic);
		break;
	}
}

static void apply_notes(struct sk_retained *r)
{
	sk_notes_apply(&r->notes, apply_note, r);
}

/* -- our thread: one question -- */

static void keep_message(struct question *q, const struct sk_wire_packet *p)
{
	struct sk_wire_message m;
	struct sk_retained_message *to = q->message;
	if (q->kind != FETCH || to->payload || !sk_wire_publish(p, &m) || m.topic_size != strlen(q->topic[0]) ||
	    memcmp(m.topic, q->topic[0], m.topic_size))
		return;
	to->payload = calloc(1, m.payload_size + 1);
	to->properties = calloc(1, m.properties_size + 1);
	if (!to->payload || !to->properties) {
		free(to->payload);
		free(to->properties);
		to->payload = to->properties = NULL;
		return;
	}
	memcpy(to->payload, m.payload, m.payload_size);
	memcpy(to->properties, m.properties, m.properties_size);
	to->payload_size = m.payload_size;
	to->properties_size = m.properties_size;
}

/* The connection ended behind the message and before the end of the question: nobody takes it. */
static void forget_message(struct sk_retained_message *m)
{
	free(m->payload);
	free(m->properties);
	m->payload = m->properties = NULL;
}

/* Packets until the one that ends the question. 0, or -1: the connection is over. */
static int await(struct sk_retained *r, enum sk_wire_type type, uint16_t id, struct question *q)
{
	int64_t until = r->options.mono_ms() + ANSWER_MS;
	for (;;) {
		struct sk_wire_packet p;
		int rc = sk_link_read(&r->link, &p, until, &r->stop);
		if (rc <= 0)
			return -1;
		if (p.type == SK_WIRE_PUBLISH)
			keep_message(q, &p);
		if (p.type == SK_WIRE_DISCONNECT)
			return -1;
		if (p.type == type && sk_wire_ack(&p) == id)
			return 0;
	}
}

static int send_question(struct sk_retained *r, const struct question *q, uint16_t id)
{
	const char *filter[SK_RETAINED_PAGE + 1];
	struct sk_wire_out out = { 0 };
	for (size_t i = 0; i < q->topics; i++)
		filter[i] = q->topic[i];
	filter[q->topics] = LAST;
	sk_wire_subscribe(&out, id, filter, q->topics + 1);
	if (q->kind != SEED)
		sk_wire_unsubscribe(&out, id, filter, q->topics);
	int rc = sk_link_write(&r->link, &out, &r->stop);
	sk_wire_out_free(&out);
	return rc;
}

static void set_now(struct sk_retained *r, struct question *q)
{
	pthread_mutex_lock(&r->lock);
	r->now = q;
	pthread_mutex_unlock(&r->lock);
}

static int ask_broker(struct sk_retained *r, struct question *q)
{
	uint16_t id = r->packet = r->packet < UINT16_MAX ? r->packet + 1 : 1;
	set_now(r, q);
	int rc = send_question(r, q, id);
	if (!rc)
		rc = await(r, q->kind == SEED ? SK_WIRE_SUBACK : SK_WIRE_UNSUBACK, id, q);
	set_now(r, NULL);
	return rc;
}

static enum sk_retained_answer answer_of(const struct question *q)
{
	if (!q->asked)
		return SK_RETAINED_NOT_NOW;
	if (q->kind != FETCH)
		return SK_RETAINED_FOUND;
	return !q->seen[0] ? SK_RETAINED_NONE : q->message->payload ? SK_RETAINED_FOUND : SK_RETAINED_TOO_LARGE;
}

static void answer(struct sk_retained *r, struct question *q)
{
	pthread_mutex_lock(&r->lock);
	q->answered = true;
	pthread_cond_broadcast(&r->answered);
	pthread_mutex_unlock(&r->lock);
}

static struct question *take(struct sk_retained *r)
{
	pthread_mutex_lock(&r->lock);
	struct question *q = r->first;
	if (q && !(r->first = q->next))
		r->last = &r->first;
	pthread_mutex_unlock(&r->lock);
	return q;
}

static int serve_questions(struct sk_retained *r)
{
	for (struct question *q; (q = take(r)) != NULL;) {
		int rc = ask_broker(r, q);
		if (!rc)
			q->answer = answer_of(q);
		if (q->kind == FETCH && q->answer != SK_RETAINED_FOUND)
			forget_message(q->message);
		answer(r, q);
		if (rc)
			return rc;
	}
	return 0;
}

/* -- our thread: one connection -- */

static void say(const struct sk_retained *r, char level, const char *what, size_t n)
{
	char line[300];
	snprintf(line, sizeof line, what, n);
	r->options.say(level, line);
}

static int greet(struct sk_retained *r)
{
	struct sk_wire_out out = { 0 };
	struct sk_wire_packet p;
	sk_wire_connect(&out, r->id, USERNAME, r->password);
	int rc = sk_link_write(&r->link, &out, &r->stop);
	sk_wire_out_free(&out);
	if (rc || sk_link_read(&r->link, &p, r->options.mono_ms() + ANSWER_MS, &r->stop) <= 0)
		return -1;
	return p.type == SK_WIRE_CONNACK && sk_wire_connack(&p) == 0 ? 0 : -1;
}

static int seed(struct sk_retained *r)
{
	static const char *const all[] = { "#" };
	bool seen;
	struct question q = { .kind = SEED, .topic = all, .topics = 1, .seen = &seen };
	char *after = NULL;
	apply_notes(r);
	sk_retained_index_begin(r->index);
	atomic_store(&r->notes.dropped, 0);
	if (ask_broker(r, &q) || !q.asked)
		return -1;
	apply_notes(r);
	while (sk_retained_index_sweep(r->index, &after))
		;
	free(after);
	atomic_store(&r->ready, true);
	say(r, 'i', "%zu retained messages", sk_retained_index_count(r->index));
	if (sk_retained_missed(r))
		say(r, 'w', "%zu more retained messages than plugin_opt_retained_topics: they are not listed", sk_retained_missed(r));
	return 0;
}

static void save(struct sk_retained *r)
{
	apply_notes(r);
	uint64_t changes = sk_retained_index_changes(r->index);
	if (!r->options.times || changes == atomic_load(&r->saved))
		return;
	if (!sk_times_save(r->options.times, r->index))
		atomic_store(&r->saved, changes);
}

static int ping(struct sk_retained *r)
{
	struct sk_wire_out out = { 0 };
	sk_wire_ping(&out);
	int rc = sk_link_write(&r->link, &out, &r->stop);
	sk_wire_out_free(&out);
	return rc;
}

static void session(struct sk_retained *r)
{
	int64_t save_at = r->options.mono_ms() + SAVE_MS, pinged = r->options.mono_ms();
	while (!atomic_load(&r->stop)) {
		if (serve_questions(r))
			return;
		apply_notes(r);
		if (sk_link_wait(&r->link, SAVE_MS))
			return;
		int64_t now = r->options.mono_ms();
		if (now >= save_at) {
			save(r);
			save_at = r->options.mono_ms() + SAVE_MS + (r->options.mono_ms() - now) * 50;
		}
		if (now - pinged >= IDLE_MS) {
			if (ping(r))
				return;
			pinged = now;
		}
	}
}

/* Nobody waits for a connection that is not there. */
static void answer_not_now(struct sk_retained *r)
{
	for (struct question *q; (q = take(r)) != NULL;)
		answer(r, q);
}

/* The times of the process before: whoever applies notes looks at them. */
static void forget_before(struct sk_retained *r)
{
	pthread_mutex_lock(&r->notes.applying);
	sk_times_free(&r->before);
	pthread_mutex_unlock(&r->notes.applying);
}

static void *run(void *arg)
{
	struct sk_retained *r = arg;
	bool said = false;
	while (!atomic_load(&r->stop)) {
		bool open = !sk_link_open(&r->link, r->options.listener) && !greet(r);
		if (open && !seed(r)) {
			forget_before(r);
			said = false;
			session(r);
		}
		atomic_store(&r->ready, false);
		sk_link_close(&r->link);
		answer_not_now(r);
		if (!said && !atomic_load(&r->stop)) {
			said = true;
			r->options.say('w', open ? "the client that reads retained messages lost its connection" :
			                           "the client that reads retained messages cannot connect: check plugin_opt_retained_listener");
		}
		sk_link_pause(&r->link, PAUSE_MS);
		answer_not_now(r);
	}
	save(r);
	return NULL;
}

/* -- questions -- */

/* Waits until it is answered: the thread gives each question a time. */
static void ask(struct sk_retained *r, struct question *q)
{
	q->answer = SK_RETAINED_NOT_NOW;
	pthread_mutex_lock(&r->lock);
	if (atomic_load(&r->ready) && !atomic_load(&r->stop)) {
		*r->last = q;
		r->last = &q->next;
		sk_link_ring(&r->link);
		while (!q->answered)
			pthread_cond_wait(&r->answered, &r->lock);
	}
	pthread_mutex_unlock(&r->lock);
}

enum sk_retained_answer sk_retained_fetch(struct sk_retained *r, const char *topic, struct sk_retained_message *out)
{
	const char *const topics[] = { topic };
	bool seen = false;
	struct question q = { .kind = FETCH, .topic = topics, .topics = 1, .seen = &seen, .message = out };
	memset(out, 0, sizeof *out);
	ask(r, &q);
	apply_notes(r);
	if (q.answer == SK_RETAINED_FOUND && !sk_retained_index_find(r->index, topic, &out->fact))
		out->fact = (struct sk_retained_fact){ .size = (uint32_t)out->payload_size, .modified_ms = r->started_ms };
	return q.answer;
}

/* Those that the broker has stay; how many. */
static int keep_seen(struct sk_retained_page *p, const bool *seen)
{
	int kept = 0;
	for (int i = 0; i < p->count; i++) {
		if (seen[i])
			p->entry[kept++] = p->entry[i];
		else
			free(p->entry[i].topic);
	}
	return kept;
}

enum sk_retained_answer sk_retained_list(struct sk_retained *r, const char *after, int n, struct sk_retained_page *out)
{
	const char *topic[SK_RETAINED_PAGE];
	bool seen[SK_RETAINED_PAGE] = { false };
	struct question q = { .kind = LOOK, .topic = topic, .seen = seen };
	apply_notes(r);
	out->next = NULL;
	out->count = atomic_load(&r->ready) ? sk_retained_index_page(r->index, after, out->entry, n) : -1;
	if (out->count < 0) {
		out->count = 0;
		return SK_RETAINED_NOT_NOW;
	}
	for (int i = 0; i < out->count; i++)
		topic[i] = out->entry[i].topic;
	q.topics = (size_t)out->count;
	out->next = out->count == n ? strdup(topic[n - 1]) : NULL;
	if (out->count)
		ask(r, &q);
	out->count = keep_seen(out, seen);
	return q.topics && q.answer == SK_RETAINED_NOT_NOW ? SK_RETAINED_NOT_NOW : SK_RETAINED_FOUND;
}

void sk_retained_page_free(struct sk_retained_page *p)
{
	for (int i = 0; i < p->count; i++)
		free(p->entry[i].topic);
	free(p->next);
	p->next = NULL;
	p->count = 0;
}

bool sk_retained_ready(const struct sk_retained *r)
{
	return atomic_load(&r->ready);
}

size_t sk_retained_missed(struct sk_retained *r)
{
	return sk_retained_index_missed(r->index) + atomic_load(&r->notes.dropped);
}

size_t sk_retained_count(struct sk_retained *r)
{
	apply_notes(r);
	return sk_retained_index_count(r->index);
}

/* -- life -- */

const char *sk_retained_listener_fault(const char *listener)
{
	return sk_link_fault(listener);
}

static int make_secrets(struct sk_retained *r)
{
	uint64_t word[4];
	if (r->options.random(word, sizeof word))
		return -1;
	snprintf(r->id, sizeof r->id, "sr-%016llx%016llx", (unsigned long long)word[0], (unsigned long long)word[1]);
	snprintf(r->password, sizeof r->password, "%016llx%016llx", (unsigned long long)word[2], (unsigned long long)word[3]);
	return 0;
}

struct sk_retained *sk_retained_start(const struct sk_retained_options *o)
{
	struct sk_retained *r = calloc(1, sizeof *r);
	if (!r)
		return NULL;
	r->options = *o;
	r->last = &r->first;
	r->started_ms = o->wall_ms();
	pthread_mutex_init(&r->lock, NULL);
	pthread_cond_init(&r->answered, NULL);
	r->index = sk_retained_index_new(o->topics);
	sk_notes_init(&r->notes, o->topics + SPARE_NOTES);
	r->before = sk_times_load(o->times);
	if (!sk_link_init(&r->link, o->mono_ms) && r->index && !make_secrets(r) && !sk_link_thread(&r->thread, run, r)) {
		r->threaded = true;
		return r;
	}
	sk_retained_free(&r);
	return NULL;
}

void sk_retained_quiesce(struct sk_retained *r)
{
	pthread_mutex_lock(&r->lock); /* who asks after this sees it */
	atomic_store(&r->stop, true);
	pthread_mutex_unlock(&r->lock);
	sk_link_ring(&r->link);
	if (r->threaded)
		pthread_join(r->thread, NULL);
	r->threaded = false;
	answer_not_now(r);
}

void sk_retained_free(struct sk_retained **at)
{
	struct sk_retained *r = *at;
	*at = NULL;
	if (!r)
		return;
	sk_retained_quiesce(r);
	sk_link_free(&r->link);
	sk_notes_free(&r->notes);
	sk_times_free(&r->before);
	sk_retained_index_free(&r->index);
	pthread_cond_destroy(&r->answered);
	pthread_mutex_destroy(&r->lock);
	free(r);
}
