/* url.c -- see url.h. The text is copied once and taken apart in place: what the struct points to lies in its own memory.
 *
 * What is said of an URL never shows what stands before the @: a password may stand there. */
#include "redis/url.h"

#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/why.h"

enum { MOST = 8192, SECRET = 4096, PORT = 6379, SENTINEL_PORT = 26379, TIMEOUT_MS = 2000, UNIX = 3 };

struct say {
	char *why;
	size_t size;
};
#define wrong(s, ...) sk_why((s)->why, (s)->size, __VA_ARGS__)

/* Takes over `memory` (NULL: it was out). */
static char *keep(struct redis_url *u, char *memory)
{
	if (!memory || u->memories == (int)(sizeof u->memory / sizeof u->memory[0])) {
		free(memory);
		return NULL;
	}
	return u->memory[u->memories++] = memory;
}

static int hex(char c)
{
	return c >= '0' && c <= '9' ? c - '0' : isxdigit((unsigned char)c) ? (c | 32) - 'a' + 10 : -1;
}

/* In place. false: a % that no two hex digits follow, or a control character. */
static bool decode(char *text)
{
	char *to = text;

	for (const char *at = text; *at; at++, to++) {
		*to = *at;
		if (*at != '%')
			continue;
		if (hex(at[1]) < 0 || hex(at[2]) < 0)
			return false;
		*to = (char)(hex(at[1]) << 4 | hex(at[2]));
		if ((unsigned char)*to < ' ' || *to == 127)
			return false;
		at += 2;
	}
	*to = 0;
	return true;
}

static bool number(const char *text, long low, long high, long *out)
{
	char *end;

	errno = 0;
	*out = isdigit((unsigned char)*text) ? strtol(text, &end, 10) : -1;
	return *out >= 0 && !errno && !*end && *out >= low && *out <= high;
}

/* -- what stands behind the question mark -- */

typedef int take_fn(struct redis_url *u, char *value, const struct say *s);

static int take_prefix(struct redis_url *u, char *value, const struct say *s)
{
	if (strlen(value) >= sizeof u->prefix || strpbrk(value, "{}"))
		return wrong(s, "prefix has at most %zu bytes and no braces", sizeof u->prefix - 1);
	for (const char *c = value; *c; c++)
		if ((unsigned char)*c <= ' ' || *c == 127 || strchr("*?[]\\", *c))
			return wrong(s, "prefix has no blanks and none of * ? [ ] \\");
	snprintf(u->prefix, sizeof u->prefix, "%s", value);
	return 0;
}

/* "1500", "1500ms", "2s" */
static int take_timeout(struct redis_url *u, char *value, const struct say *s)
{
	char *unit = value + strspn(value, "0123456789");
	long n, times = !strcmp(unit, "s") ? 1000 : !*unit || !strcmp(unit, "ms") ? 1 : 0;

	*unit = 0;
	if (!times || !number(value, 0, 60000, &n) || n * times < 100 || n * times > 60000)
		return wrong(s, "timeout is 100ms to 60s");
	u->timeout_ms = n * times;
	return 0;
}

static int take_replicas(struct redis_url *u, char *value, const struct say *s)
{
	long n;

	if (!number(value, 0, 100, &n))
		return wrong(s, "replicas is 0 to 100");
	u->replicas = (int)n;
	return 0;
}

static int take_buckets(struct redis_url *u, char *value, const struct say *s)
{
	long n;

	if (!number(value, 1, 1024, &n))
		return wrong(s, "buckets is 1 to 1024");
	u->buckets = (int)n;
	return 0;
}

static int take_database(struct redis_url *u, char *value, const struct say *s)
{
	if (!number(value, 0, 1000000, &u->login.database))
		return wrong(s, "a database is a number");
	return 0;
}

#define TEXT(NAME, FIELD) \
	static int take_##NAME(struct redis_url *u, char *value, const struct say *s) \
	{ \
		if (!*value) \
			return wrong(s, #NAME " is empty"); \
		u->FIELD = value; \
		return 0; \
	}
TEXT(password_file, password_file)
TEXT(sentinel_user, sentinel.user)
TEXT(sentinel_password_file, sentinel_password_file)
TEXT(ca, login.ca)
TEXT(cert, login.certificate)
TEXT(key, login.key)

static const struct { const char *name; take_fn *take; } names[] = { /* what may stand behind the question mark */
	{ "prefix", take_prefix }, { "timeout", take_timeout }, { "replicas", take_replicas }, { "buckets", take_buckets },
	{ "database", take_database }, { "password_file", take_password_file }, { "sentinel_user", take_sentinel_user },
	{ "sentinel_password_file", take_sentinel_password_file }, { "ca", take_ca }, { "cert", take_cert }, { "key", take_key },
};
enum { NAMES = sizeof names / sizeof names[0] };

static int take_pair(struct redis_url *u, char *pair, unsigned *seen, const struct say *s)
{
	char *value = strchr(pair, '=');

	if (value)
		*value++ = 0;
	if (!value || !decode(value))
		return wrong(s, "%.40s: NAME=VALUE stands behind the question mark, %% as %%25", pair);
	for (unsigned i = 0; i < NAMES; i++) {
		if (strcmp(pair, names[i].name))
			continue;
		if (*seen & 1u << i)
			return wrong(s, "%s stands there twice", pair);
		*seen |= 1u << i;
		return names[i].take(u, value, s);
	}
	return wrong(s, "there is no \"%.40s\": prefix, timeout, replicas, buckets, database, password_file, sentinel_user, sentinel_password_file, ca, cert "
	                "and key may stand behind the question mark", pair);
}

static int take_query(struct redis_url *u, char *query, const struct say *s)
{
	unsigned seen = 0;

	for (char *pair = query, *next; pair && *pair; pair = next) {
		next = strchr(pair, '&');
		if (next)
			*next++ = 0;
		if (take_pair(u, pair, &seen, s))
			return -1;
	}
	return 0;
}

/* -- what stands before it -- */

static const struct { const char *name; int kind; bool tls; } schemes[] = {
	{ "redis", REDIS_ONE, false }, { "rediss", REDIS_ONE, true }, { "redis+unix", UNIX, false },
	{ "redis+sentinel", REDIS_SENTINEL, false }, { "rediss+sentinel", REDIS_SENTINEL, true },
	{ "redis+cluster", REDIS_CLUSTER, false }, { "rediss+cluster", REDIS_CLUSTER, true },
};

static int take_scheme(struct redis_url *u, char **text, int *kind, const struct say *s)
{
	char *end = strstr(*text, "://");

	for (size_t i = 0; end && i < sizeof schemes / sizeof schemes[0]; i++) {
		size_t n = strlen(schemes[i].name);
		if ((size_t)(end - *text) != n || strncasecmp(*text, schemes[i].name, n))
			continue;
		*kind = schemes[i].kind;
		u->kind = *kind == UNIX ? REDIS_ONE : (enum redis_kind)*kind;
		u->login.tls = u->sentinel.tls = schemes[i].tls;
		*text = end + 3;
		return 0;
	}
	return wrong(s, "an URL begins with redis://, rediss://, redis+unix://, redis+sentinel://, rediss+sentinel://, redis+cluster:// or rediss+cluster://");
}

static int take_user(struct redis_url *u, char *user, const struct say *s)
{
	char *password = strchr(user, ':');

	if (password)
		*password++ = 0;
	if (!decode(user) || (password && !decode(password)))
		return wrong(s, "user or password: two hex digits of no control character follow a %%");
	u->login.user = *user ? user : NULL;
	u->login.password = password && (*password || *user) ? password : NULL;
	return 0;
}

static bool plain(const char *host)
{
	if (!*host)
		return false;
	for (const char *c = host; *c; c++)
		if ((unsigned char)*c <= ' ' || *c == 127 || strchr("@/\\[]\"<>", *c))
			return false;
	return true;
}

static int take_host(struct redis_url *u, char *text, int port, const struct say *s)
{
	char *host = text, *digits = NULL, *shut = *text == '[' ? strchr(text, ']') : NULL;
	long n = port;
	bool well = true;

	if (shut) {
		host++;
		*shut = 0;
		digits = shut[1] ? shut + 2 : NULL;
		well = !shut[1] || shut[1] == ':';
	} else if ((digits = strchr(text, ':'))) {
		*digits++ = 0;
	}
	if (u->hosts == REDIS_HOSTS)
		return wrong(s, "an URL names %d hosts at most", REDIS_HOSTS);
	if (!well || !decode(host) || !plain(host) || strlen(host) >= sizeof u->host[0].host || (shut && !strchr(host, ':')))
		return wrong(s, "a host is HOST, HOST:PORT or [IPv6]:PORT, behind a comma the next one");
	if (digits && !number(digits, 1, 65535, &n))
		return wrong(s, "a port is 1 to 65535");
	snprintf(u->host[u->hosts].host, sizeof u->host[0].host, "%s", host);
	u->host[u->hosts++].port = (int)n;
	return 0;
}

static int take_hosts(struct redis_url *u, char *list, const struct say *s)
{
	int port = u->kind == REDIS_SENTINEL ? SENTINEL_PORT : PORT;

	for (char *host = list, *next; host; host = next) {
		next = strchr(host, ',');
		if (next)
			*next++ = 0;
		if (take_host(u, host, port, s))
			return -1;
	}
	if (u->kind == REDIS_ONE && u->hosts > 1)
		return wrong(s, "redis:// names one server: for several write redis+cluster:// or redis+sentinel://");
	return 0;
}

/* "/0", "/mymaster/0", "" */
static int take_path(struct redis_url *u, char *path, const struct say *s)
{
	char *rest = path && u->kind != REDIS_SENTINEL ? path : NULL;

	if (u->kind == REDIS_SENTINEL) {
		rest = path ? strchr(path, '/') : NULL;
		if (rest)
			*rest++ = 0;
		if (!path || !*path || !decode(path) || strlen(path) >= sizeof u->master)
			return wrong(s, "behind the Sentinels stands the master's name: redis+sentinel://HOST/MASTER");
		snprintf(u->master, sizeof u->master, "%s", path);
	}
	return rest && *rest ? take_database(u, rest, s) : 0;
}

static int take_socket(struct redis_url *u, char *path, const struct say *s)
{
	if (!path || !*path || !decode(path) || strlen(path) + 1 >= sizeof u->path)
		return wrong(s, "a socket is redis+unix:///PATH of at most %zu bytes", sizeof u->path - 1);
	snprintf(u->path, sizeof u->path, "/%s", path);
	return 0;
}

/* What no single part shows. */
static int agree(struct redis_url *u, const struct say *s)
{
	struct redis_login *l = &u->login;

	if (l->password && u->password_file)
		return wrong(s, "a password stands in the URL and in password_file");
	if (l->user && !l->password && !u->password_file)
		return wrong(s, "a user has a password: USER:PASSWORD@ or password_file");
	if ((u->sentinel.user || u->sentinel_password_file) && u->kind != REDIS_SENTINEL)
		return wrong(s, "sentinel_user and sentinel_password_file are for redis+sentinel://");
	if (u->sentinel.user && !u->sentinel_password_file)
		return wrong(s, "sentinel_user has a sentinel_password_file");
	if ((l->ca || l->certificate || l->key) && !l->tls)
		return wrong(s, "ca, cert and key are for TLS: rediss://");
	if (!l->certificate != !l->key)
		return wrong(s, "cert and key stand together");
	if (u->kind == REDIS_CLUSTER && l->database)
		return wrong(s, "a Redis Cluster has no databases but 0");
	return 0;
}

static int take_apart(struct redis_url *u, char *text, const struct say *s)
{
	int kind = 0;
	char *query, *path, *at;

	if (strlen(text) > MOST)
		return wrong(s, "an URL has at most %d bytes", MOST);
	for (const char *c = text; *c; c++)
		if ((unsigned char)*c < ' ' || *c == 127 || *c == '#')
			return wrong(s, "an URL has no control characters and no # (which is %%23)");
	if (take_scheme(u, &text, &kind, s))
		return -1;
	if ((query = strchr(text, '?')))
		*query++ = 0;
	if ((path = strchr(text, '/')))
		*path++ = 0;
	if ((at = strrchr(text, '@'))) {
		*at = 0;
		if (take_user(u, text, s))
			return -1;
		text = at + 1;
	}
	if (kind == UNIX && *text)
		return wrong(s, "a socket has no host: redis+unix:///PATH");
	if (kind == UNIX ? take_socket(u, path, s) : take_hosts(u, text, s) || take_path(u, path, s))
		return -1;
	return take_query(u, query, s) || agree(u, s) ? -1 : 0;
}

int redis_url_parse(struct redis_url *u, const char *text, char *why, size_t why_size)
{
	const struct say s = { why, why_size };
	char *copy;

	*u = (struct redis_url){ .prefix = "skeeter:", .timeout_ms = TIMEOUT_MS };
	copy = keep(u, strdup(text));
	return copy ? take_apart(u, copy, &s) : wrong(&s, "memory is out");
}

void redis_url_free(struct redis_url *u)
{
	for (int i = 0; i < u->memories; i++) {
		explicit_bzero(u->memory[i], strlen(u->memory[i]));
		free(u->memory[i]);
	}
	*u = (struct redis_url){ 0 };
}

/* -- files -- */

static int below(struct redis_url *u, const char *folder, const char **file, const struct say *s)
{
	char *path = NULL;

	if (!*file || **file == '/' || !folder)
		return 0;
	if (asprintf(&path, "%s/%s", folder, *file) < 0)
		path = NULL;
	*file = keep(u, path);
	return *file ? 0 : wrong(s, "memory is out");
}

static int read_secret(int fd, const char *path, char *to, const struct say *s)
{
	struct stat st;
	ssize_t n;

	if (fstat(fd, &st))
		return wrong(s, "%s: %s", path, strerror(errno));
	if (!S_ISREG(st.st_mode))
		return wrong(s, "%s is not a file", path);
	if (st.st_mode & 077)
		return wrong(s, "others than its owner may use %s: chmod 600", path);
	n = read(fd, to, SECRET);
	if (n < 0)
		return wrong(s, "%s: %s", path, strerror(errno));
	to[n] = 0;
	if (n && to[n - 1] == '\n')
		to[--n] = 0;
	if (n && to[n - 1] == '\r')
		to[--n] = 0;
	if (!n || n >= SECRET - 2 || strlen(to) != (size_t)n || strchr(to, '\n'))
		return wrong(s, "%s is not one line with a password", path);
	return 0;
}

static int secret(struct redis_url *u, const char *path, const char **to, const struct say *s)
{
	char *text;
	int fd, rc;

	if (!path)
		return 0;
	text = keep(u, calloc(1, SECRET + 1));
	if (!text)
		return wrong(s, "memory is out");
	fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	if (fd < 0)
		return wrong(s, "%s: %s", path, strerror(errno));
	rc = read_secret(fd, path, text, s);
	close(fd);
	*to = text;
	return rc;
}

int redis_url_secrets(struct redis_url *u, const char *folder, char *why, size_t why_size)
{
	const struct say s = { why, why_size };
	const char **const file[] = { &u->password_file, &u->sentinel_password_file, &u->login.ca, &u->login.certificate, &u->login.key };

	for (size_t i = 0; i < sizeof file / sizeof file[0]; i++)
		if (below(u, folder, file[i], &s))
			return -1;
	u->sentinel.ca = u->login.ca;
	u->sentinel.certificate = u->login.certificate;
	u->sentinel.key = u->login.key;
	return secret(u, u->password_file, &u->login.password, &s) || secret(u, u->sentinel_password_file, &u->sentinel.password, &s) ? -1 : 0;
}

/* -- for people -- */

struct shown {
	char *text;
	size_t size, at;
};

static void show(struct shown *t, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
static void show(struct shown *t, const char *fmt, ...)
{
	va_list args;
	int n;

	va_start(args, fmt);
	n = vsnprintf(t->text + t->at, t->size - t->at, fmt, args);
	va_end(args);
	t->at = n < 0 || (size_t)n >= t->size - t->at ? t->size - 1 : t->at + (size_t)n;
}

void redis_url_show(const struct redis_url *u, char *text, size_t size)
{
	static const char *const kind[] = { "", "+sentinel", "+cluster" };
	struct shown t = { text, size, 0 };

	if (!size)
		return;
	*text = 0;
	show(&t, "redis%s%s://", u->login.tls ? "s" : "", *u->path ? "+unix" : kind[u->kind]);
	if (u->login.user)
		show(&t, "%s@", u->login.user);
	for (int i = 0; i < u->hosts; i++)
		show(&t, strchr(u->host[i].host, ':') ? "%s[%s]:%d" : "%s%s:%d", i ? "," : "", u->host[i].host, u->host[i].port);
	show(&t, "%s", u->path);
	if (*u->master)
		show(&t, "/%s", u->master);
	if (u->login.database)
		show(&t, *u->path ? "?database=%ld" : "/%ld", u->login.database);
}
