/* marker.c -- the key travels in base64: it may be no UTF-8. */
#include "cli/store/marker.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/base64.h"
#include "core/json.h"

char *marker_write(const struct marker *m)
{
	struct sk_arena a;
	char *text = NULL;
	const char *printed;
	cJSON *o;

	sk_arena_init(&a, 0);
	o = sk_json_object(&a);
	sk_json_set_string(&a, o, "from", m->from);
	sk_json_set_string(&a, o, "state", m->state);
	sk_json_set_bool(&a, o, "begun", m->begun);
	sk_json_set_string(&a, o, "space", view_space[m->space]);
	sk_json_set_string(&a, o, "after", sk_base64_text(&a, m->after, strlen(m->after)));
	sk_json_set_int(&a, o, "records", (int64_t)m->records);
	printed = sk_json_print(&a, o, NULL);
	if (printed && !a.failed)
		text = strdup(printed);
	sk_arena_free(&a);
	return text;
}

static int take(struct marker *m, const cJSON *o)
{
	const char *from = sk_json_text(o, "from"), *state = sk_json_text(o, "state"), *space = sk_json_text(o, "space"), *after = sk_json_text(o, "after");
	unsigned char key[SK_KEY_MAX + 8];
	int64_t records = sk_json_int_of(o, "records", -1);
	long n;

	if (!from || !state || !space || !after || records < 0 || strlen(from) >= sizeof m->from || strlen(state) >= sizeof m->state || strlen(after) > SK_KEY_MAX / 3 * 4 + 4)
		return -1;
	n = sk_base64_decode(after, strlen(after), key);
	if (n < 0 || n > SK_KEY_MAX || memchr(key, 0, (size_t)n))
		return -1;
	*m = (struct marker){ .begun = sk_json_true(o, "begun"), .space = SK_SPACES, .records = (uint64_t)records };
	strcpy(m->from, from);
	strcpy(m->state, state);
	memcpy(m->after, key, (size_t)n);
	for (int i = 0; i < SK_SPACES; i++)
		if (!strcmp(space, view_space[i]))
			m->space = (enum sk_space)i;
	return m->space < SK_SPACES ? 0 : -1;
}

int marker_read(struct marker *m, const struct sk_bytes *text)
{
	struct sk_arena a;
	int rc;

	sk_arena_init(&a, 0);
	rc = take(m, sk_json_parse(&a, text->data, text->size, NULL, NULL));
	sk_arena_free(&a);
	return rc;
}
