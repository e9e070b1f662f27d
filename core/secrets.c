/* secrets.c -- see secrets.h. The file's text is kept as it was read; a question parses it anew in the asker's arena, so that nothing is shared. */
#include "core/secrets.h"

#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/base64.h"
#include "core/plugin.h"
#include "core/threads.h"
#include "core/why.h"

enum { MOST = 1 << 20, LOOK_US = 1000000 };

struct content {
	char *text;
	size_t size;
	struct timespec changed;
	ino_t file;
};
static struct {
	pthread_mutex_t lock;
	char *path;                /* NULL: there is no file */
	struct content now;
	int64_t looked_us;
} secrets = { .lock = PTHREAD_MUTEX_INITIALIZER };

static void wipe(struct content *c)
{
	if (c->text)
		explicit_bzero(c->text, c->size);
	free(c->text);
	*c = (struct content){ 0 };
}

/* -- the file -- */

static int read_all(int fd, const char *path, struct content *out, char *why, size_t why_size)
{
	ssize_t n;

	out->text = malloc(MOST + 1);
	if (!out->text)
		return sk_why(why, why_size, "memory is out");
	while (out->size <= MOST && (n = read(fd, out->text + out->size, MOST + 1 - out->size)) > 0)
		out->size += (size_t)n;
	if (out->size > MOST)
		return sk_why(why, why_size, "plugin_opt_secrets: %s is larger than 1 MiB", path);
	return 0;
}

static int check_content(const struct content *c, const char *path, char *why, size_t why_size)
{
	struct sk_arena a = { 0 };
	const cJSON *all = sk_json_parse(&a, c->text, c->size, NULL, NULL);
	int rc = cJSON_IsObject(all) ? 0 : sk_why(why, why_size, "plugin_opt_secrets: %s is not a JSON object", path);

	SK_JSON_EACH(one, all)
		if (!rc && !cJSON_IsString(one) && !cJSON_IsObject(one))
			rc = sk_why(why, why_size, "plugin_opt_secrets: %s: %.100s is neither a text nor an object", path, one->string);
	sk_arena_free(&a);
	return rc;
}

static int load_from(int fd, const char *path, struct content *out, char *why, size_t why_size)
{
	struct stat st;

	if (fstat(fd, &st) || !S_ISREG(st.st_mode))
		return sk_why(why, why_size, "plugin_opt_secrets: %s is not a file", path);
	if (st.st_mode & 077)
		return sk_why(why, why_size, "plugin_opt_secrets: others than its owner may use %s: chmod 600", path);
	out->changed = st.st_mtim;
	out->file = st.st_ino;
	return read_all(fd, path, out, why, why_size) || check_content(out, path, why, why_size) ? -1 : 0;
}

static int load(const char *path, struct content *out, char *why, size_t why_size)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC), rc;

	*out = (struct content){ 0 };
	if (fd < 0)
		return sk_why(why, why_size, "plugin_opt_secrets: %s: %s", path, strerror(errno));
	rc = load_from(fd, path, out, why, why_size);
	close(fd);
	if (rc)
		wipe(out);
	return rc;
}

int sk_secrets_open(const char *file, char *why, size_t why_size)
{
	struct content fresh;

	if (!file)
		return 0;
	if (load(file, &fresh, why, why_size))
		return -1;
	secrets.path = strdup(file);
	if (!secrets.path) {
		wipe(&fresh);
		return sk_why(why, why_size, "memory is out");
	}
	secrets.now = fresh;
	return 0;
}

/* Under the lock. */
static void load_again(void)
{
	struct content fresh;
	char why[512];

	if (load(secrets.path, &fresh, why, sizeof why)) {
		sk_log('e', "core", "%s; the secrets stay what they were", why);
		return;
	}
	wipe(&secrets.now);
	secrets.now = fresh;
}

void sk_secrets_reload(void)
{
	pthread_mutex_lock(&secrets.lock);
	if (secrets.path)
		load_again();
	pthread_mutex_unlock(&secrets.lock);
}

/* Under the lock. */
static void look_again(void)
{
	struct stat st;
	int64_t now = sk_mono_us();

	if (!secrets.path || now - secrets.looked_us < LOOK_US)
		return;
	secrets.looked_us = now;
	if (stat(secrets.path, &st))
		return;
	if (st.st_ino == secrets.now.file && st.st_mtim.tv_sec == secrets.now.changed.tv_sec && st.st_mtim.tv_nsec == secrets.now.changed.tv_nsec)
		return;
	secrets.now.file = st.st_ino; /* a file that is wrong is told of once */
	secrets.now.changed = st.st_mtim;
	load_again();
}

void sk_secrets_close(void)
{
	pthread_mutex_lock(&secrets.lock);
	wipe(&secrets.now);
	free(secrets.path);
	secrets.path = NULL;
	secrets.looked_us = 0;
	pthread_mutex_unlock(&secrets.lock);
}

/* -- questions -- */

static const char *from_environment(struct sk_arena *a, const char *name)
{
	char *variable = sk_printf(a, "SKEETER_SECRET_%s", name);

	for (char *c = variable; c && *c; c++)
		*c = isalnum((unsigned char)*c) ? (char)toupper((unsigned char)*c) : '_';
	return variable ? getenv(variable) : NULL;
}

static const cJSON *from_file(struct sk_arena *a, const char *name)
{
	const cJSON *all;

	pthread_mutex_lock(&secrets.lock);
	look_again();
	all = secrets.now.text ? sk_json_parse(a, secrets.now.text, secrets.now.size, NULL, NULL) : NULL;
	pthread_mutex_unlock(&secrets.lock);
	return sk_json_get(all, name);
}

static const char *text_of(struct sk_arena *a, const cJSON *value)
{
	return cJSON_IsString(value) ? value->valuestring : value ? sk_json_print(a, value, NULL) : NULL;
}

const char *sk_secret(struct sk_arena *a, const char *name, const char *key)
{
	const char *text = from_environment(a, name);
	const cJSON *value = text ? NULL : from_file(a, name);

	if (text && !key)
		return sk_strdup(a, text);
	if (text || (key && cJSON_IsString(value))) {
		const char *json = text ? text : value->valuestring;
		value = sk_json_parse(a, json, strlen(json), NULL, NULL);
	}
	return text_of(a, key ? sk_json_get(value, key) : value);
}

/* -- templates -- */

struct template {
	char *word[4];
	int words;
};

static const char *skip_blanks(const char *s)
{
	return s + strspn(s, " \t\n");
}

/* 'text' with '' for a quote, or "text"; moves *at behind it. */
static char *quoted(struct sk_arena *a, const char **at)
{
	const char quote = **at, *s = *at + 1;
	char *out = quote == '\'' || quote == '"' ? sk_alloc_text(a, strlen(s) + 1) : NULL, *to = out;

	for (; out && *s && (*s != quote || s[1] == quote); s++) {
		s += *s == quote;
		*to++ = *s;
	}
	if (!out || *s != quote)
		return NULL;
	*to = '\0';
	*at = s + 1;
	return out;
}

/* get_secret(...) up to the closing brace, behind which *at is left. */
static bool read_template(struct sk_arena *a, const char **at, struct template *t)
{
	const char *s = skip_blanks(*at);

	*t = (struct template){ 0 };
	if (strncmp(s, "get_secret", 10) || *(s = skip_blanks(s + 10)) != '(')
		return false;
	do {
		s = skip_blanks(s + 1);
		if (t->words == 4 || !(t->word[t->words++] = quoted(a, &s)))
			return false;
		s = skip_blanks(s);
	} while (*s == ',');
	if (*s != ')' || *(s = skip_blanks(s + 1)) != '}' || t->words < 2)
		return false;
	*at = s + 1;
	return true;
}

static const char *decoded(struct sk_arena *a, const char *text)
{
	size_t n = strlen(text);
	char *out = sk_alloc(a, n + 1);
	long size = out ? sk_base64_decode(text, n, (unsigned char *)out) : -1;

	if (size < 0)
		return NULL;
	out[size] = '\0';
	return out;
}

/* With three words the third is a key, or a role, which is an ARN. */
static const char *value_of(struct sk_arena *a, const struct template *t)
{
	const char *key = t->words > 2 && strncmp(t->word[2], "arn:", 4) ? t->word[2] : NULL, *text = sk_secret(a, t->word[0], key);

	return text && !strcmp(t->word[1], "SecretBinary") ? decoded(a, text) : text;
}

const char *sk_secrets_fill(struct sk_arena *a, const char *text, const char **why)
{
	const char *at = strstr(text, "${"), *done = "";
	struct template t;

	if (!at)
		return text;
	for (; at; at = strstr(text, "${")) {
		const char *end = at + 2, *value;
		if (!read_template(a, &end, &t)) {
			*why = "a template here must be ${get_secret('NAME', 'SecretString', 'KEY')}";
			return NULL;
		}
		value = value_of(a, &t);
		if (!value) {
			*why = sk_printf(a, "there is no secret %s%s%s", t.word[0], t.words > 2 ? ", " : "", t.words > 2 ? t.word[2] : "");
			return NULL;
		}
		done = sk_printf(a, "%s%.*s%s", done, (int)(at - text), text, value);
		text = end;
	}
	*why = "memory is out";
	return sk_printf(a, "%s%s", done, text);
}

static bool fill_in_place(struct sk_arena *a, cJSON *node, const char **why)
{
	if (cJSON_IsString(node)) {
		const char *filled = sk_secrets_fill(a, node->valuestring, why);
		if (!filled)
			return false;
		node->valuestring = (char *)filled; /* a copy of ours, in the arena */
	}
	for (cJSON *one = node->child; one; one = one->next)
		if (!fill_in_place(a, one, why))
			return false;
	return true;
}

cJSON *sk_secrets_fill_all(struct sk_arena *a, const cJSON *document, const char **why)
{
	cJSON *copy = sk_json_copy(a, document);

	*why = "memory is out";
	return copy && fill_in_place(a, copy, why) && !a->failed ? copy : NULL;
}
