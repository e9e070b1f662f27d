/* slow.c -- the slow pool: work that a handler awaits, off the workers; and tickets, whose answers come from elsewhere. The request and its
 * partition wait until the answer is there, so a job may point at the request's list of answers. */
#include "core/runtime.h"

#include <stdlib.h>
#include <string.h>

#define JOB_MEMORY (64u << 20)

struct sk_ticket {
	struct sk_woken note; /* first: when the work is done the job is what its worker is woken with */
	struct sk_ticket *next;
	struct sk_slow_result *result;
	struct sk_worker *worker;
	void *state;
	char partition[];
};
struct sk_slow_pool {
	struct sk_runtime *rt;
	pthread_mutex_t lock;
	struct sk_ticket *head, **tail;
	bool stopped;
};

/* Answers from that place on are for questions of a run that is void now. */
static struct sk_slow_result **cut_results(struct sk_request *r, unsigned place)
{
	struct sk_slow_result **at = &r->slow;
	while (*at && place--)
		at = &(*at)->next;
	while (*at) {
		struct sk_slow_result *old = *at;
		*at = old->next;
		sk_bytes_unref(old->answer);
		free(old);
	}
	return at;
}

static struct sk_slow_result *add_result(struct sk_slot *s)
{
	size_t n = s->wanted_slow.size;
	struct sk_slow_result **at = cut_results(s->request, s->wanted_slow.place), *result = malloc(sizeof *result + n + 1);
	if (!result)
		return NULL;
	*result = (struct sk_slow_result){ .fn = s->wanted_slow.fn, .ask = s->wanted_slow.ask, .size = n };
	memcpy(result->in, s->wanted_slow.in, n);
	result->in[n] = '\0';
	return *at = result;
}

static void enqueue(struct sk_slow_pool *p, struct sk_ticket *j)
{
	pthread_mutex_lock(&p->lock);
	j->next = NULL;
	*p->tail = j;
	p->tail = &j->next;
	pthread_mutex_unlock(&p->lock);
	p->rt->host->wake_thread(p->rt->host->ctx, SK_SLOW_POOL);
}

int sk_slow_submit(struct sk_slow_pool *p, struct sk_slot *s)
{
	const char *partition = s->run->partition->name;
	size_t n = strlen(partition) + 1;
	struct sk_slow_result *result = add_result(s);
	struct sk_ticket *j = result ? malloc(sizeof *j + n) : NULL;
	if (!j)
		return -1;
	*j = (struct sk_ticket){ .result = result, .worker = s->run->worker, .state = s->call.state };
	memcpy(j->partition, partition, n);
	j->note.partition = j->partition;
	if (result->ask)
		result->ask(j, result->in, result->size, j->state);
	else
		enqueue(p, j);
	return 0;
}

static void answered(struct sk_ticket *j, struct sk_bytes *answer)
{
	j->result->answer = answer;
	SK_COUNT(j->worker->rt->count.slow_calls);
	sk_worker_post_woken(j->worker, &j->note);
}

void sk_ticket_answer(struct sk_ticket *t, const char *json, size_t size)
{
	answered(t, json ? sk_bytes_new(json, size) : NULL);
}

static struct sk_bytes *work(struct sk_ticket *j)
{
	struct sk_arena a;
	struct sk_bytes *answer = NULL;
	size_t n = 0;
	sk_arena_init(&a, JOB_MEMORY);
	const cJSON *in = sk_json_parse(&a, j->result->in, j->result->size, NULL, NULL);
	cJSON *out = in ? j->result->fn(&a, in, j->state) : NULL;
	const char *text = sk_json_print(&a, out ? out : sk_json_null(&a), &n);
	if (text && !a.failed)
		answer = sk_bytes_new(text, n);
	sk_arena_free(&a);
	return answer;
}

static struct sk_ticket *take(struct sk_slow_pool *p)
{
	pthread_mutex_lock(&p->lock);
	struct sk_ticket *j = p->stopped ? NULL : p->head;
	if (j) {
		p->head = j->next;
		if (!p->head)
			p->tail = &p->head;
	}
	pthread_mutex_unlock(&p->lock);
	return j;
}

bool sk_slow_step(struct sk_slow_pool *p)
{
	struct sk_ticket *j = take(p);
	if (!j)
		return false;
	struct sk_bytes *answer = work(j);
	SK_POINT(p->rt->host, "slow.done");
	answered(j, answer);
	return true;
}

struct sk_slow_pool *sk_slow_new(struct sk_runtime *rt)
{
	struct sk_slow_pool *p = calloc(1, sizeof *p);
	if (!p)
		return NULL;
	p->rt = rt;
	p->tail = &p->head;
	pthread_mutex_init(&p->lock, NULL);
	return p;
}

void sk_slow_stop(struct sk_slow_pool *p)
{
	pthread_mutex_lock(&p->lock);
	p->stopped = true;
	pthread_mutex_unlock(&p->lock);
}

void sk_slow_free(struct sk_slow_pool **at)
{
	struct sk_slow_pool *p = *at;
	*at = NULL;
	if (!p)
		return;
	while (p->head) {
		struct sk_ticket *j = p->head;
		p->head = j->next;
		free(j);
	}
	pthread_mutex_destroy(&p->lock);
	free(p);
}
