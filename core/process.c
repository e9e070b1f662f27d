/* process.c -- the one runtime of this process: what code without a call at hand may ask. */
#include "core/runtime.h"
#include "core/follower.h"
#include "core/sink.h"
#include "core/tags.h"

#include <stdio.h>
#include <string.h>

static struct sk_runtime *the_runtime;

void sk_process_set(struct sk_runtime *rt)
{
	__atomic_store_n(&the_runtime, rt, __ATOMIC_RELEASE);
}

struct sk_runtime *sk_process(void)
{
	return __atomic_load_n(&the_runtime, __ATOMIC_ACQUIRE);
}

const char *sk_account(void)
{
	const struct sk_runtime *rt = sk_process();
	return rt && rt->account ? rt->account : "123456789012";
}

const char *sk_region(void)
{
	const struct sk_runtime *rt = sk_process();
	return rt && rt->region ? rt->region : "us-east-1";
}

const char *sk_data_dir(void)
{
	const struct sk_runtime *rt = sk_process();
	return rt && rt->data_dir ? rt->data_dir : ".";
}

const char *sk_store_url(void)
{
	const struct sk_runtime *rt = sk_process();
	return rt ? rt->store_url : NULL;
}

int64_t sk_store_lost_ms(void)
{
	const struct sk_runtime *rt = sk_process();
	return rt && rt->follower ? sk_follower_lost_ms(rt->follower) : 0;
}

const struct sk_tagged *sk_tagged_at(size_t i)
{
	const struct sk_runtime *rt = sk_process();
	for (int k = 0; rt && k < rt->loaded_count; k++)
		for (const struct sk_tagged *t = rt->loaded[k].plugin->tagged; t && t->kind; t++)
			if (i-- == 0)
				return t;
	return NULL;
}

const struct sk_sink *sk_sink_find(const char *kind, void **state)
{
	const struct sk_runtime *rt = sk_process();
	for (int k = 0; rt && k < rt->loaded_count; k++)
		for (const struct sk_sink *s = rt->loaded[k].plugin->sinks; s && s->kind; s++)
			if (!strcmp(s->kind, kind)) {
				*state = rt->loaded[k].state;
				return s;
			}
	return NULL;
}

/* Queued to the broker thread: Mosquitto's log may route a message, and SIGHUP closes its file. */
void sk_log(char level, const char *plugin, const char *fmt, ...)
{
	char line[1024];
	struct sk_runtime *rt = sk_process();
	int n = snprintf(line, sizeof line, "skeeter: %s: ", plugin);
	va_list ap;
	va_start(ap, fmt);
	vsnprintf(line + n, sizeof line - (size_t)n, fmt, ap);
	va_end(ap);
	if (!rt) {
		fprintf(stderr, "%s\n", line);
		return;
	}
	struct sk_out_list out;
	sk_out_list_init(&out);
	out.home = &rt->outbox.others;
	struct sk_outgoing *item = sk_out_add(&out, SK_OUT_LOG, line, NULL, NULL, 0);
	if (item)
		item->level = level;
	sk_outbox_push(&rt->outbox, &out, rt->host);
}
