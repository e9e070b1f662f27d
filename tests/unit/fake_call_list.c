/* fake_call_list.c -- the sorted lists that the fake runtime keeps everything in. */
#include "tests/unit/fake_call_private.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void *fake_must(void *p)
{
	if (!p)
		abort();
	return p;
}

void fake_die(const char *what, const char *why)
{
	fprintf(stderr, "fake_call: %s: %s\n", what, why);
	abort();
}

struct node *fake_list_find(struct node *list, const char *key)
{
	while (list && strcmp(list->key, key))
		list = list->next;
	return list;
}

static void node_free(struct node *n)
{
	free(n->key);
	free(n->text);
	free(n);
}

void fake_list_free(struct node **list)
{
	while (*list) {
		struct node *n = *list;
		*list = n->next;
		node_free(n);
	}
}

struct node *fake_list_set(struct node **list, const char *key, const char *text, uint64_t version)
{
	while (*list && strcmp((*list)->key, key) < 0)
		list = &(*list)->next;
	if (!*list || strcmp((*list)->key, key)) {
		struct node *n = fake_must(calloc(1, sizeof(*n)));
		n->key = fake_must(strdup(key));
		n->next = *list;
		*list = n;
	}
	char *copy = text ? fake_must(strdup(text)) : NULL;
	free((*list)->text);
	(*list)->text = copy;
	(*list)->version = version;
	return *list;
}

void fake_list_remove(struct node **list, const char *key)
{
	while (*list && strcmp((*list)->key, key))
		list = &(*list)->next;
	if (*list) {
		struct node *n = *list;
		*list = n->next;
		node_free(n);
	}
}

void fake_list_apply(struct node **records, const struct node *writes, uint64_t version)
{
	for (; writes; writes = writes->next) {
		if (writes->text)
			fake_list_set(records, writes->key, writes->text, version);
		else
			fake_list_remove(records, writes->key);
	}
}

void fake_effects_free(struct fake *f)
{
	while (f->effects) {
		struct fake_effect *e = f->effects;
		f->effects = e->next;
		free((char *)e->name);
		free((char *)e->text);
		free((char *)e->also);
		free((void *)e->properties);
		free(e);
	}
}

void fake_misuse(struct sk_call *c, const char *what, const char *key)
{
	char *text;

	if (((struct fake_private *)c)->misuse)
		return;
	if (asprintf(&text, "%s: %s", what, key) < 0)
		abort();
	((struct fake_private *)c)->misuse = text;
}
