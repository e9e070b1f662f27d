/* slow.c -- the slow pool: work that a handler awaits, off the workers. The request and its partition wait until the answer
 * is there, so a job may point at the request's list of answers. */
#include "core/runtime.h"

#include <stdlib.h>
#include <string.h>

#define JOB_MEMORY (64u << 20)

struct job {
	struct job *next;
	struct sk_slow_result *result;
	struct sk_worker *worker;
	void *state;
	char *partition, *in;
	size_t size;
};
struct sk_slow_pool {
	struct sk_runtime *rt;
	pthread_mutex_t lock;
	struct job *head, **tail;
	bool stopped;
};

static void job_free(struct job *j)
{
	free(j->partition);
	free(j->in);
	free(j);
}

static struct sk_slow_result *add_result(struct sk_request *r, sk_slow *fn)
{
	struct sk_slow_result *result = calloc(1, sizeof *result), **at = &r->slow;
	if (!result)
		return NULL;
	result->fn = fn;
	while (*at)
		at = &(*at)->next;
	*at = result;
	return result;
}

/* When memory is out the answer is "failed" at once, where there is room for an answer at all. */
static void enqueue(struct sk_slow_pool *p, struct job *j)
{
	pthread_mutex_lock(&p->lock);
	j->next = NULL;
	*p->tail = j;
	p->tail = &j->next;
	pthread_mutex_unlock(&p->lock);
	p->rt->host->wake_thread(p->rt->host->ctx, SK_SLOW_POOL);
}

void sk_slow_submit(struct sk_slow_pool *p, struct sk_request *r, sk_slow *fn, const char *in, size_t n, void *state)
{
	struct sk_worker *w = p->rt->worker[sk_hash(r->partition, strlen(r->partition)) % (unsigned)p->rt->workers];
	struct sk_slow_result *result = add_result(r, fn);
	struct job *j = result ? calloc(1, sizeof *j) : NULL;
	if (j) {
		*j = (struct job){ .result = result, .worker = w, .state = state, .partition = strdup(r->partition), .in = malloc(n + 1), .size = n };
		if (j->partition && j->in) {
			memcpy(j->in, in, n);
			j->in[n] = '\0';
			enqueue(p, j);
			return;
		}
		job_free(j);
	}
	if (result)
		result->done = true;
	sk_worker_post_woken(w, r->partition);
}

static struct sk_bytes *work(struct job *j)
{
	struct sk_arena a;
	struct sk_bytes *answer = NULL;
	size_t n = 0;
	sk_arena_init(&a, JOB_MEMORY);
	const cJSON *in = sk_json_parse(&a, j->in, j->size, NULL, NULL);
	cJSON *out = in ? j->result->fn(&a, in, j->state) : NULL;
	const char *text = sk_json_print(&a, out ? out : sk_json_null(&a), &n);
	if (text && !a.failed)
		answer = sk_bytes_new(text, n);
	sk_arena_free(&a);
	return answer;
}

static struct job *take(struct sk_slow_pool *p)
{
	pthread_mutex_lock(&p->lock);
	struct job *j = p->stopped ? NULL : p->head;
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
	struct job *j = take(p);
	if (!j)
		return false;
	j->result->answer = work(j);
	j->result->done = true;
	SK_COUNT(p->rt->count.slow_calls);
	sk_worker_post_woken(j->worker, j->partition);
	job_free(j);
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
		struct job *j = p->head;
		p->head = j->next;
		job_free(j);
	}
	pthread_mutex_destroy(&p->lock);
	free(p);
}
