/* remembered.c -- the subscriptions of sessions that outlive their connections, in a file of the data folder.
 *
 * After a restart Mosquitto has such sessions from its own file and tells nobody of their subscriptions. What stands here counts as subscribed to for
 * plugin_opt_remember, or until the session comes and shows what it has. The file is replaced whole. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/why.h"
#include "plugins/cluster/cluster.h"

enum { PATH = 4096, SAVE_MS = 2000, MOST = 256 << 20 };

static void path_of(char path[PATH], const char *end)
{
	snprintf(path, PATH, "%s/cluster.sessions%s", sk_data_dir(), end);
}

/* -- reading -- */

static char *read_all(int fd, size_t *n)
{
	struct stat st;
	char *bytes = fstat(fd, &st) || st.st_size > MOST ? NULL : malloc((size_t)st.st_size + 1);
	ssize_t got = 1;

	for (*n = 0; bytes && *n < (size_t)st.st_size && got > 0; *n += got > 0 ? (size_t)got : 0)
		got = read(fd, bytes + *n, (size_t)st.st_size - *n);
	return bytes;
}

/* What is not whole is not believed: then it is everything. */
static int take(struct cluster *c, const char *bytes, size_t n)
{
	struct frame f;
	struct frame_entry e;
	int rc = sessions_came(&c->sessions, &(struct session_is){ .id = "", .lasting = true, .fresh = true });
	bool good = frame_open(&f, bytes, n) && f.kind == FRAME_FILE;

	while (good && !rc && frame_next(&f, &e))
		rc = sessions_subscribed(&c->sessions, 0, e.topic, true);
	return rc || !good || f.bad ? -1 : 0;
}

int remembered_read(struct cluster *c, char *why, size_t why_size)
{
	char path[PATH], *bytes;
	size_t n = 0;

	path_of(path, "");
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0 && errno == ENOENT)
		return 0;
	if (fd < 0)
		return sk_why(why, why_size, "%s: %s", path, strerror(errno));
	bytes = read_all(fd, &n);
	close(fd);
	c->remembering = true;
	if (!bytes || take(c, bytes, n)) {
		sk_log('w', "cluster", "%s cannot be read: this broker takes everything until the next start", path);
		atomic_store(&c->blind, true);
	}
	free(bytes);
	return 0;
}

/* -- writing: our thread -- */

static bool put(FILE *f, const struct string *one)
{
	const struct frame_entry e = { .kind = ENTRY_ADD, .topic = one->text, .topic_size = strlen(one->text) };
	char *bytes = malloc(entry_size(&e));
	bool done = bytes;

	if (done) {
		entry_put(bytes, &e, NULL);
		done = fwrite(bytes, entry_size(&e), 1, f) == 1;
	}
	free(bytes);
	return done;
}

static bool write_all(const struct cluster *c, FILE *f)
{
	char head[FRAME_HEAD];
	bool good = true;

	frame_head(head, FRAME_FILE, c->self, 0);
	good = fwrite(head, sizeof head, 1, f) == 1;
	for (struct string *one = strings_next(&c->own, NULL); one && good; one = strings_next(&c->own, one))
		good = one->lasting == NOT_KEPT || put(f, one);
	return !fflush(f) && !fsync(fileno(f)) && good;
}

static void nobody(void *ctx, const char *text)
{
	(void)ctx, (void)text;
}

/* What was forgotten before the last save goes now; what since, with the next. */
static bool age(struct cluster *c)
{
	bool more = false;

	for (struct string *one = strings_next(&c->own, NULL); one; one = strings_next(&c->own, one)) {
		more = more || one->lasting == FORGOTTEN;
		one->lasting = one->lasting == FORGOTTEN ? FORGOTTEN_LONG : one->lasting == FORGOTTEN_LONG ? NOT_KEPT : one->lasting;
		one->mark = one->refs || one->lasting;
	}
	strings_sweep(&c->own, nobody, NULL);
	return more;
}

void remembered_save(struct cluster *c)
{
	char path[PATH], fresh[PATH];
	int64_t now = cluster_now();

	if (!c->dirty || (now < c->save_at && !atomic_load(&c->stopping)))
		return;
	if (!atomic_load(&c->stopping))
		c->dirty = age(c);
	path_of(path, "");
	path_of(fresh, ".new");
	int fd = open(fresh, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	FILE *f = fd < 0 ? NULL : fdopen(fd, "w");
	bool good = f && write_all(c, f);
	good = (!f || !fclose(f)) && good && !rename(fresh, path);
	if (!good)
		sk_log('w', "cluster", "%s cannot be written: %s", path, strerror(errno));
	c->save_at = now + (good ? SAVE_MS : 60000);
}
