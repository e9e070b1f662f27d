/* flags.c -- see flags.h. */
#include "cli/flags.h"

#include <stdio.h>
#include <string.h>

#include "core/closest.h"

static const struct flag *find(const struct flag *table, const char *text, size_t n)
{
	for (; table->name; table++)
		if (strlen(table->name) == n && strncmp(table->name, text, n) == 0)
			return table;
	return NULL;
}

static int unknown(const struct flag *table, const char *text, char *why, size_t why_size)
{
	size_t n = 0;
	while (table[n].name)
		n++;
	const char *near = sk_closest(text + 2, &table->name, n, sizeof(*table));
	if (near)
		snprintf(why, why_size, "unknown option %s: did you mean --%s?", text, near);
	else
		snprintf(why, why_size, "unknown option %s", text);
	return -1;
}

/* argv[*i] is "--name" or "--name=value". */
static int take(const struct flag *table, int argc, char **argv, int *i, char *why)
{
	const char *text = argv[*i], *equals = strchr(text, '=');
	const struct flag *f = find(table, text + 2, equals ? (size_t)(equals - text - 2) : strlen(text + 2));
	if (!f)
		return unknown(table, text, why, 200);
	if (!f->value == !equals || (f->value && *i + 1 < argc)) {
		if (f->set)
			*f->set = true;
		if (f->value)
			*f->value = equals ? equals + 1 : argv[++*i];
		return 0;
	}
	snprintf(why, 200, "--%s: expected %s", f->name, f->value ? "one argument" : "no argument");
	return -1;
}

int flags_take(const struct flag *table, int argc, char **argv, int *left, char *why, size_t why_size)
{
	char line[200] = "";
	*left = 0;
	for (int i = 0; i < argc; i++) {
		if (strncmp(argv[i], "--", 2) != 0 || !argv[i][2])
			argv[(*left)++] = argv[i];
		else if (take(table, argc, argv, &i, line) != 0) {
			snprintf(why, why_size, "%s", line);
			return -1;
		}
	}
	for (; table->name; table++)
		if (table->required && !*table->value) {
			snprintf(why, why_size, "the following arguments are required: --%s", table->name);
			return -1;
		}
	return 0;
}
