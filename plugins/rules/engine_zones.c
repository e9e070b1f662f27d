/* engine_zones.c -- see engine_zones.h. A name becomes a path only when it is made of what zones' names are made of. */
#include "plugins/rules/engine_zones.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define FOLDER "/usr/share/zoneinfo"

static bool is_name(const char *s)
{
	static const char may[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_+-/";
	size_t n = strlen(s);
	return n > 0 && n < ZONE_NAME && s[0] != '/' && s[strspn(s, may)] == '\0';
}

static void *read_file(const char *name, size_t *size)
{
	char path[sizeof FOLDER + ZONE_NAME + 1];
	void *file = malloc(ZONE_FILE);
	snprintf(path, sizeof path, "%s/%s", FOLDER, name);
	int fd = file ? open(path, O_RDONLY | O_CLOEXEC) : -1;
	ssize_t n = fd < 0 ? -1 : read(fd, file, ZONE_FILE);
	if (fd >= 0)
		close(fd);
	if (n <= 0 || n == ZONE_FILE) {
		free(file);
		return NULL;
	}
	*size = (size_t)n;
	void *fits = realloc(file, *size);
	return fits ? fits : file;
}

static int keep(struct zones *z, const char *name)
{
	int at = (int)(z->next++ % ZONES_KEPT);
	free(z->kept[at].file);
	memset(&z->kept[at], 0, sizeof z->kept[at]);
	snprintf(z->kept[at].name, sizeof z->kept[at].name, "%s", name);
	z->kept[at].file = read_file(name, &z->kept[at].size);
	return at;
}

bool zones_at(struct zones *z, const char *zone, int64_t utc_ms, struct sql_zone *out)
{
	int at = 0;
	if (!is_name(zone))
		return false;
	while (at < ZONES_KEPT && strcmp(z->kept[at].name, zone))
		at++;
	if (at == ZONES_KEPT)
		at = keep(z, zone);
	return z->kept[at].file && sql_zone_file(z->kept[at].file, z->kept[at].size, utc_ms, out);
}

void zones_free(struct zones *z)
{
	for (int i = 0; i < ZONES_KEPT; i++)
		free(z->kept[i].file);
	memset(z, 0, sizeof *z);
}
