/* lanes_folder.c -- where a lane lies: FOLDER/KIND-CHECK with lane.json, {kind, name, fields} as the rule had them, and its segments. So what a lane
 * holds finds its way also when its rule has gone. The fields are sealed (lane_seal.h):
 * a rule may hold a password as it is. Those that are named by get_secret() are never filled in there. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/digest.h"
#include "core/why.h"
#include "plugins/rules/lane_seal.h"
#include "plugins/rules/lanes.h"

enum { LABEL_MOST = 1 << 20 };

char *lane_folder_name(const char *folder, const char *kind, const char *name)
{
	unsigned char digest[SK_DIGEST_SIZE];
	char check[17], *both = NULL, *path = NULL;
	int n = asprintf(&both, "%s\n%s", kind, name);

	if (n < 0)
		return NULL;
	sk_digest(both, (size_t)n, digest);
	sk_hex(digest, 8, check);
	if (asprintf(&path, "%s/%s-%s", folder, kind, check) < 0)
		path = NULL;
	free(both);
	return path;
}

int lanes_folder_make(const char *folder, char *why, size_t why_size)
{
	char path[4096];

	if (strlen(folder) >= sizeof path)
		return sk_why(why, why_size, "%s is too long", folder);
	for (size_t i = 1; folder[i - 1]; i++) {
		if (folder[i] && folder[i] != '/')
			continue;
		memcpy(path, folder, i);
		path[i] = '\0';
		if (mkdir(path, 0700) && errno != EEXIST)
			return sk_why(why, why_size, "%s cannot be made: %s", path, strerror(errno));
		if (!folder[i])
			break;
	}
	return 0;
}

static int write_file(const char *path, const char *text, size_t size)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600);
	ssize_t n = fd < 0 ? -1 : write(fd, text, size);

	if (n >= 0 && (size_t)n != size)
		errno = ENOSPC;
	int failed = errno;
	if (fd >= 0)
		close(fd);
	errno = failed;
	return n >= 0 && (size_t)n == size ? 0 : -1;
}

/* Whole or as it was. */
int lane_label_write(const char *folder, const struct lane_label *label, char *why, size_t why_size)
{
	struct sk_arena a = { 0 };
	cJSON *o = sk_json_object(&a);
	size_t n = 0;

	sk_json_set_string(&a, o, "kind", label->kind);
	sk_json_set_string(&a, o, "name", label->name);
	const char *fields = sk_json_print(&a, label->fields, NULL);
	sk_json_set_string(&a, o, "fields", fields ? lane_seal_text(&a, fields) : NULL);
	const char *text = sk_json_print(&a, o, &n), *path = sk_printf(&a, "%s/lane.json", folder), *next = sk_printf(&a, "%s/lane.json.new", folder);
	int rc = a.failed || !sk_json_get(o, "fields") ? sk_why(why, why_size, "memory is out") : 0;
	if (!rc && mkdir(folder, 0700) && errno != EEXIST)
		rc = sk_why(why, why_size, "%s cannot be made: %s", folder, strerror(errno));
	if (!rc && (write_file(next, text, n) || rename(next, path)))
		rc = sk_why(why, why_size, "%s cannot be written: %s", path, strerror(errno));
	sk_arena_free(&a);
	return rc;
}

int lane_label_read(const char *folder, struct sk_arena *a, struct lane_label *label, char *why, size_t why_size)
{
	const char *path = sk_printf(a, "%s/lane.json", folder);
	char *text = sk_alloc_text(a, LABEL_MOST);
	int fd = path && text ? open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK) : -1;
	ssize_t n = fd < 0 ? -1 : read(fd, text, LABEL_MOST);

	if (n < 0)
		sk_why(why, why_size, "%s/lane.json cannot be read: %s", folder, path && text ? strerror(errno) : "memory is out");
	if (fd >= 0)
		close(fd);
	if (n < 0)
		return -1;
	const cJSON *o = sk_json_parse(a, text, (size_t)n, NULL, NULL);
	const char *sealed = sk_json_text(o, "fields"), *fields = sealed ? lane_unseal_text(a, sealed) : NULL;
	*label = (struct lane_label){ sk_json_text(o, "kind"), sk_json_text(o, "name"), fields ? sk_json_parse(a, fields, strlen(fields), NULL, NULL) : NULL };
	if (!label->kind || !label->name || !sealed)
		return sk_why(why, why_size, "%s/lane.json does not say whose it is", folder);
	return cJSON_IsObject(label->fields) ? 0 : sk_why(why, why_size, "%s/lane.json was not sealed with this lanes.key", folder);
}

void lane_folder_remove(const char *folder)
{
	DIR *d = opendir(folder);
	struct dirent *e;

	while (d && (e = readdir(d)))
		if (strcmp(e->d_name, ".") && strcmp(e->d_name, ".."))
			unlinkat(dirfd(d), e->d_name, 0);
	if (d)
		closedir(d);
	rmdir(folder);
}
