/* ask.c -- a question about a certificate on its way to the broker's thread and to the plugin that knows; see ask.h. */
#include "core/ask.h"

#include "core/runtime.h"

static void ask_plugins(void *arg)
{
	struct sk_ask *ask = arg;
	const struct sk_runtime *rt = sk_process();

	for (int i = 0; i < rt->loaded_count && ask->verdict == SK_PASS; i++) {
		const struct sk_loaded *l = &rt->loaded[i];
		if (l->plugin->hooks && l->plugin->hooks->asked)
			ask->verdict = l->plugin->hooks->asked(l->state, ask);
	}
	ask->answered(ask);
}

static void dropped(void *arg)
{
	struct sk_ask *ask = arg;

	ask->answered(ask);
}

int sk_ask(struct sk_runtime *rt, struct sk_ask *ask)
{
	struct sk_out_list out;
	struct sk_outgoing *item;

	ask->verdict = SK_PASS;
	ask->principal[0] = ask->why[0] = '\0';
	sk_out_list_init(&out);
	out.home = &rt->outbox.others;
	item = sk_out_add(&out, SK_OUT_CALL, NULL, NULL, NULL, 0);
	if (!item)
		return -1;
	item->call = ask_plugins;
	item->drop = dropped;
	item->state = ask;
	sk_outbox_push(&rt->outbox, &out, rt->host);
	return 0;
}
