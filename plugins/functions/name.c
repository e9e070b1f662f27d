/* name.c -- what names a function: Lambda API, FunctionName of Invoke. Pure. */
#include "plugins/functions/functions.h"

#include <string.h>

enum { NAME_MOST = 64, QUALIFIER_MOST = 128, PARTS_MOST = 8 };

static bool is_word(const char *s, size_t n, size_t most)
{
	static const char may[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_";
	if (n == 0 || n > most)
		return false;
	for (size_t i = 0; i < n; i++)
		if (!s[i] || !strchr(may, s[i]))
			return false;
	return true;
}

static bool is_qualifier(const char *s)
{
	return !strcmp(s, "$LATEST") || is_word(s, strlen(s), QUALIFIER_MOST);
}

static int split(struct sk_arena *a, const char *text, char *part[PARTS_MOST])
{
	char *at = sk_strdup(a, text);
	int n = 0;
	while (at && n < PARTS_MOST) {
		part[n++] = at;
		if ((at = strchr(at, ':')))
			*at++ = '\0';
	}
	return at ? -1 : n;
}

static bool is_account(const char *s)
{
	return strlen(s) == 12 && strspn(s, "0123456789") == 12;
}

int functions_name_parse(struct sk_arena *a, const char *text, struct functions_name *out)
{
	char *part[PARTS_MOST];
	int n = split(a, text, part), at = 0;
	*out = (struct functions_name){ 0 };
	if (n >= 5 && !strcmp(part[0], "arn") && !strncmp(part[1], "aws", 3) && !strcmp(part[2], "lambda"))
		at = 4; /* the region: any */
	if (n > at + 2 && is_account(part[at]) && !strcmp(part[at + 1], "function"))
		out->account = part[at++];
	else if (at)
		return -1;
	if (n > at + 1 && !strcmp(part[at], "function"))
		at++;
	if (n < at + 1 || n > at + 2 || !is_word(part[at], strlen(part[at]), NAME_MOST) || (n == at + 2 && !is_qualifier(part[at + 1])))
		return -1;
	out->name = part[at];
	out->qualifier = n == at + 2 ? part[at + 1] : NULL;
	return 0;
}

const char *functions_bare_name(struct sk_call *c, const char *text)
{
	struct functions_name name;
	return functions_name_parse(c->arena, text, &name) ? text : name.name;
}
