/* secrets.c -- see secrets.h. The file's text is kept as it was read; a question parses it anew in the asker's arena, so that nothing is shared.
 * What is said of the file is its path, a place in it and a name, never a value. */
#include "core/secrets.h"

#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/base64.h"
#include "core/threads.h"
#include "core/why.h"

enum { MOST = 1 << 20, LOOK_US = 1000000, YOUNG_S = 2 };

/* What changes when a file does: all zero when it is not there. */
struct stamp {
	struct timespec changed;
	dev_t device;
	ino_t file;
	off_t size;
};
struct content {
	char *text;
	size_t size;
	struct stamp stamp;        /* of what was read last, good or not */
	bool young;                /* it changed so shortly before that another change may look the same */
};
static struct {
	pthread_mutex_t lock;
	char *path;                /* NULL: there is no file */
	struct content now;
	int64_t looked_us;
	void (*say)(const char *line);
} secrets = { .lock = PTHREAD_MUTEX_INITIALIZER };

static void wipe(struct content *c)
{
	if (c->text)
		explicit_bzero(c->text, c->size);
	free(c->text);
	c->text = NULL;
	c->size = 0;
}

/* -- the file -- */

static struct stamp stamp_of(const struct stat *st)
{
	return (struct stamp){ st->st_ctim, st->st_dev, st->st_ino, st->st_size };
}

static bool same_stamp(const struct stamp *a, const struct stamp *b)
{
	return a->changed.tv_sec == b->changed.tv_sec && a->changed.tv_nsec == b->changed.tv_nsec && a->device == b->device && a->file == b->file &&
	       a->size == b->size;
}

static int read_all(int fd, const char *path, struct content *out, char *why, size_t why_size)
{
	ssize_t n = 1;

	out->text = malloc(MOST + 1);
	if (!out->text)
		return sk_why(why, why_size, "memory is out");
	while (out->size <= MOST && n) {
		n = read(fd, out->text + out->size, MOST + 1 - out->size);
		if (n < 0 && errno != EINTR)
			return sk_why(why, why_size, "plugin_opt_secrets: %s: %s", path, strerror(errno));
		out->size += n > 0 ? (size_t)n : 0;
	}
	if (out->size > MOST)
		return sk_why(why, why_size, "plugin_opt_secrets: %s is larger than 1 MiB", path);
	return 0;
}

static int check_content(const struct content *c, const char *path, char *why, size_t why_size)
{
	const struct sk_json_options once = { .unique_keys = true };
	struct sk_json_error e = { 0 };
	struct sk_arena a = { 0 };
	const cJSON *all = sk_json_parse(&a, c->text, c->size, &once, &e);
	int rc = 0;

	if (!all)
		rc = sk_why(why, why_size, "plugin_opt_secrets: %s is not JSON at byte %zu: %s", path, e.at, e.why);
	else if (!cJSON_IsObject(all))
		rc = sk_why(why, why_size, "plugin_opt_secrets: %s is not a JSON object", path);
	SK_JSON_EACH(one, all)
		if (!rc && !cJSON_IsString(one) && !cJSON_IsObject(one))
			rc = sk_why(why, why_size, "plugin_opt_secrets: %s: %.100s is neither a text nor an object", path, one->string);
	sk_arena_free(&a);
	return rc;
}

static int load_from(int fd, const char *path, struct content *out, char *why, size_t why_size)
{
	struct stat st;

	if (fstat(fd, &st))
		return sk_why(why, why_size, "plugin_opt_secrets: %s: %s", path, strerror(errno));
	out->stamp = stamp_of(&st);
	out->young = sk_wall_ms() / 1000 - st.st_ctim.tv_sec <= YOUNG_S;
	if (!S_ISREG(st.st_mode))
		return sk_why(why, why_size, "plugin_opt_secrets: %s is not a file", path);
	if (st.st_mode & 077)
		return sk_why(why, why_size, "plugin_opt_secrets: others than its owner may use %s: chmod 600", path);
	return read_all(fd, path, out, why, why_size) || check_content(out, path, why, why_size) ? -1 : 0;
}

/* The stamp is right in failure too. A link is followed: what counts is the file that was opened. */
static int load(const char *path, struct content *out, char *why, size_t why_size)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY), rc;

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
	char *path = file ? strdup(file) : NULL;

	if (!file)
		return 0;
	if (!path)
		return sk_why(why, why_size, "memory is out");
	if (load(file, &fresh, why, why_size)) {
		free(path);
		return -1;
	}
	sk_secrets_close();
	pthread_mutex_lock(&secrets.lock);
	secrets.path = path;
	secrets.now = fresh;
	pthread_mutex_unlock(&secrets.lock);
	return 0;
}

/* Under the lock. */
static void load_again(void)
{
	struct content fresh;
	char why[512];

	if (load(secrets.path, &fresh, why, sizeof why)) {
		secrets.now.stamp = fresh.stamp; /* a file that is wrong is told of once */
		secrets.now.young = fresh.young;
		if (secrets.say)
			secrets.say(why);
		return;
	}
	wipe(&secrets.now);
	secrets.now = fresh;
}

void sk_secrets_say(void (*say)(const char *line))
{
	pthread_mutex_lock(&secrets.lock);
	secrets.say = say;
	pthread_mutex_unlock(&secrets.lock);
}

void sk_secrets_reload(void)
{
	pthread_mutex_lock(&secrets.lock);
	if (secrets.path)
		load_again();
	pthread_mutex_unlock(&secrets.lock);
}

/* Under the lock. What was young is read once more, a second later. */
static void look_again(void)
{
	struct stat st;
	struct stamp stamp = { 0 };
	int64_t now = sk_mono_us();
	bool young = secrets.now.young;

	if (!secrets.path || (secrets.looked_us && now - secrets.looked_us < LOOK_US))
		return;
	secrets.looked_us = now;
	if (!stat(secrets.path, &st))
		stamp = stamp_of(&st);
	if (young || !same_stamp(&stamp, &secrets.now.stamp))
		load_again();
}

void sk_secrets_close(void)
{
	pthread_mutex_lock(&secrets.lock);
	wipe(&secrets.now);
	free(secrets.path);
	secrets.path = NULL;
	secrets.now = (struct content){ 0 };
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

static bool is_type(const char *word)
{
	return !strcmp(word, "SecretString") || !strcmp(word, "SecretBinary");
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
	if (*s != ')' || *(s = skip_blanks(s + 1)) != '}' || t->words < 2 || !is_type(t->word[1]))
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

/* With three words the third is a key, or a role, which is an ARN; with four there is a key. */
static const char *key_of(const struct template *t)
{
	return t->words == 4 || (t->words == 3 && strncmp(t->word[2], "arn:", 4)) ? t->word[2] : NULL;
}

/* NULL with *why. */
static const char *value_of(struct sk_arena *a, const struct template *t, const char **why)
{
	const char *key = key_of(t), *text = sk_secret(a, t->word[0], key);
	bool binary = !strcmp(t->word[1], "SecretBinary");

	if (!text)
		*why = sk_printf(a, "there is no secret %s%s%s", t->word[0], key ? ", " : "", key ? key : "");
	else if (binary && !(text = decoded(a, text)))
		*why = sk_printf(a, "the secret %s is not base64", t->word[0]);
	return text;
}

const char *sk_secrets_fill(struct sk_arena *a, const char *text, const char **why)
{
	const char *at = strstr(text, "${"), *done = "";
	struct template t;

	if (!at)
		return text;
	for (; at && done; at = strstr(text, "${")) {
		const char *end = at + 2, *value;
		if (!read_template(a, &end, &t)) {
			*why = "a template here must be ${get_secret('NAME', 'SecretString', 'KEY')}";
			return NULL;
		}
		value = value_of(a, &t, why);
		if (!value)
			return NULL;
		done = sk_printf(a, "%s%.*s%s", done, (int)(at - text), text, value);
		text = end;
	}
	*why = "memory is out";
	return done ? sk_printf(a, "%s%s", done, text) : NULL;
}

/* -- before there is one -- */

const char *sk_secrets_fault(struct sk_arena *a, const char *text, const char **absent)
{
	struct template t;

	for (const char *at = strstr(text, "${"); at; at = strstr(text, "${")) {
		text = at + 2;
		if (!read_template(a, &text, &t))
			return "a template here must be ${get_secret('NAME', 'SecretString', 'KEY')}";
		if (!sk_secret(a, t.word[0], key_of(&t)))
			*absent = t.word[0];
	}
	return NULL;
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
