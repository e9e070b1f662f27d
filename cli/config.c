/* config.c -- see config.h. Mosquitto reads a line as a word, blanks, and the rest; a # begins a comment at the line's start only. */
#include "cli/config.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/value.h"

enum { DEPTH = 8 };

static void add(struct config *c, const char *file, int number, const char *text)
{
	struct config_line *line = sk_alloc(c->arena, sizeof(*line));
	size_t n = strcspn(text, " \t");
	if (!line)
		return;
	line->file = file;
	line->number = number;
	line->key = sk_strndup(c->arena, text, n);
	text += n;
	line->value = sk_strdup(c->arena, text + strspn(text, " \t"));
	if (!line->key || !line->value)
		return;
	if (!c->end)
		c->end = &c->first;
	*c->end = line;
	c->end = (struct config_line **)&line->next;
	c->lines++;
}

static const char *trimmed(struct sk_arena *a, const char *text, size_t n)
{
	while (n && strchr(" \t\r", *text))
		text++, n--;
	while (n && strchr(" \t\r", text[n - 1]))
		n--;
	return sk_strndup(a, text, n);
}

void config_parse(struct config *c, const char *file, const char *text)
{
	for (int number = 1; *text; number++) {
		size_t n = strcspn(text, "\n");
		const char *line = trimmed(c->arena, text, n);
		if (line && *line && *line != '#')
			add(c, file, number, line);
		text += n + (text[n] == '\n');
	}
}

static int by_name(const void *one, const void *other)
{
	return strcmp(*(const char *const *)one, *(const char *const *)other);
}

/* The names that end with .conf, sorted; *count -1 when the folder cannot be read. */
static const char **list(struct sk_arena *a, const char *folder, int *count)
{
	DIR *d = opendir(folder);
	int n = 0;
	const char **names = NULL;
	*count = -1;
	if (!d)
		return NULL;
	for (struct dirent *e; (e = readdir(d));)
		n++;
	names = sk_alloc(a, (size_t)(n + 1) * sizeof(*names));
	rewinddir(d);
	*count = 0;
	for (struct dirent *e; names && *count < n && (e = readdir(d));) {
		size_t size = strlen(e->d_name);
		if (size > 5 && strcmp(e->d_name + size - 5, ".conf") == 0)
			names[(*count)++] = sk_printf(a, "%s/%s", folder, e->d_name);
	}
	closedir(d);
	if (names)
		qsort(names, (size_t)*count, sizeof(*names), by_name);
	return names;
}

static int read_file(struct config *c, const char *path, int depth, char *why, size_t why_size);

static int read_folder(struct config *c, const struct config_line *line, int depth, char *why, size_t why_size)
{
	int n, rc = 0;
	const char **names = list(c->arena, line->value, &n);
	if (n < 0) {
		snprintf(why, why_size, "%s:%d: include_dir %s: %s", line->file, line->number, line->value, strerror(errno));
		return -1;
	}
	for (int i = 0; rc == 0 && names && i < n; i++)
		rc = read_file(c, names[i], depth + 1, why, why_size);
	return rc;
}

static int read_file(struct config *c, const char *path, int depth, char *why, size_t why_size)
{
	struct value_error e;
	struct config one = { .arena = c->arena };
	const char *text = depth < DEPTH ? value_text(c->arena, sk_printf(c->arena, "file://%s", path), &e) : NULL;
	if (!text) {
		snprintf(why, why_size, "%s", depth < DEPTH ? e.text : "include_dir includes itself");
		return -1;
	}
	config_parse(&one, path, text);
	for (const struct config_line *l = one.first, *next; l; l = next) {
		next = l->next;
		add(c, l->file, l->number, sk_printf(c->arena, "%s %s", l->key, l->value));
		if (strcmp(l->key, "include_dir") == 0 && read_folder(c, l, depth, why, why_size) != 0)
			return -1;
	}
	return 0;
}

int config_read(struct config *c, const char *path, char *why, size_t why_size)
{
	return read_file(c, path, 0, why, why_size);
}

const struct config_line *config_find(const struct config *c, const char *key)
{
	const struct config_line *found = NULL;
	for (const struct config_line *l = c->first; l; l = l->next)
		if (strcmp(l->key, key) == 0)
			found = l;
	return found;
}
