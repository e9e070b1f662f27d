/* check_files.c -- can the broker read what its configuration names? Mosquitto becomes its `user` (mosquitto) before it opens most of it. */
#include "cli/check.h"

#include <errno.h>
#include <grp.h>
#include <pwd.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/secrets.h"

/* The value is a path: of a file, a folder, a secret that nobody else may read. */
static const struct { const char *key; bool secret; } paths[] = {
	{ "cafile", false }, { "capath", false }, { "certfile", false }, { "keyfile", true }, { "crlfile", false }, { "dhparamfile", false },
	{ "password_file", true }, { "psk_file", true }, { "acl_file", false }, { "plugin", false }, { "auth_plugin", false },
	{ "global_plugin", false }, { "plugin_opt_ca_cert", false }, { "plugin_opt_ca_key", true },
	{ "plugin_opt_secrets", true },
};

struct reader {
	const char *name;
	uid_t uid;
	gid_t gid;
};

/* As whom the broker reads: only root becomes somebody else. */
static struct reader reader_of(const struct config *config)
{
	const struct config_line *l = config_find(config, "user");
	const struct passwd *p = geteuid() == 0 ? getpwnam(l ? l->value : "mosquitto") : getpwuid(geteuid());
	if (p)
		return (struct reader){ p->pw_name, p->pw_uid, p->pw_gid };
	return (struct reader){ "this user", geteuid(), getegid() };
}

static bool in_group(const struct reader *r, gid_t gid)
{
	gid_t groups[64];
	int n = 64;
	if (gid == r->gid)
		return true;
	if (getgrouplist(r->name, r->gid, groups, &n) < 0)
		return false;
	while (n-- > 0)
		if (groups[n] == gid)
			return true;
	return false;
}

static bool may(const struct reader *r, const struct stat *st, mode_t bit)
{
	if (r->uid == 0)
		return true;
	if (st->st_uid == r->uid)
		return st->st_mode & bit << 6;
	return in_group(r, st->st_gid) ? (st->st_mode & bit << 3) != 0 : (st->st_mode & bit) != 0;
}

/* Each folder on the way must let the reader through; the first that does not, or NULL. */
static const char *closed_folder(struct sk_arena *a, const struct reader *r, const char *path)
{
	struct stat st;
	for (const char *at = strchr(path + 1, '/'); at; at = strchr(at + 1, '/')) {
		const char *folder = sk_strndup(a, path, (size_t)(at - path));
		if (folder && stat(folder, &st) == 0 && !may(r, &st, 1))
			return folder;
	}
	return NULL;
}

static void check_path(struct check *c, const struct reader *r, const struct config_line *l, bool secret)
{
	struct stat st;
	const char *what = sk_printf(c->arena, "%s %s", l->key, l->value), *closed;
	if (stat(l->value, &st) != 0) {
		check_add(c, CHECK_ERROR, l, what, strerror(errno), "the path of a file that is there, from the root on");
		return;
	}
	if (l->value[0] != '/')
		check_add(c, CHECK_NOTE, l, what, "a relative path depends on where the broker is started", "a path from the root on");
	closed = closed_folder(c->arena, r, l->value);
	if (closed || !may(r, &st, 4))
		check_add(c, CHECK_ERROR, l, what, sk_printf(c->arena, "%s may not %s %s", r->name, closed ? "enter" : "read", closed ? closed : "it"),
		          sk_printf(c->arena, "chgrp and chmod so that %s may", r->name));
	if (secret && st.st_mode & S_IROTH)
		check_add(c, CHECK_WARNING, l, what, "every user of this machine may read this secret", sk_printf(c->arena, "chmod o-r %s", l->value));
}

static void check_data(struct check *c, const struct reader *r)
{
	const struct config_line *l = config_find(c->config, "plugin_opt_data");
	struct stat st;
	const char *slash = l ? strrchr(l->value, '/') : NULL;
	if (!l)
		return;
	const char *folder = stat(l->value, &st) == 0 ? l->value : slash && slash != l->value ? sk_strndup(c->arena, l->value, (size_t)(slash - l->value)) : ".";
	if (stat(folder, &st) != 0 || !S_ISDIR(st.st_mode))
		check_add(c, CHECK_ERROR, l, sk_printf(c->arena, "plugin_opt_data %s", l->value), sk_printf(c->arena, "%s is no folder", folder), "a folder in one that is there");
	else if (!may(r, &st, 2))
		check_add(c, CHECK_ERROR, l, sk_printf(c->arena, "plugin_opt_data %s", l->value), sk_printf(c->arena, "%s may not write in %s", r->name, folder),
		          sk_printf(c->arena, "install -d -o %s -m 700 %s", r->name, l->value));
}

/* The broker refuses what others may read, and what is not as core/secrets.h says. */
static void check_secrets(struct check *c)
{
	const struct config_line *l = config_find(c->config, "plugin_opt_secrets");
	struct stat st;
	char why[512];
	if (!l || stat(l->value, &st) != 0 || access(l->value, R_OK) != 0)
		return;
	if (sk_secrets_open(l->value, why, sizeof(why)) != 0)
		check_add(c, CHECK_ERROR, l, sk_printf(c->arena, "plugin_opt_secrets %s", l->value), sk_strdup(c->arena, why),
		          st.st_mode & 077 ? sk_printf(c->arena, "chmod 600 %s", l->value) : "{\"NAME\": \"text\", \"OTHER\": {\"KEY\": \"text\"}}");
	sk_secrets_close();
}

static bool is_given(const struct config *config, const char *key)
{
	return config_find(config, key) != NULL;
}

void check_files(struct check *c)
{
	struct reader r = reader_of(c->config);
	for (const struct config_line *l = c->config->first; l; l = l->next)
		for (size_t i = 0; i < sizeof(paths) / sizeof(*paths); i++)
			if (strcmp(l->key, paths[i].key) == 0 && *l->value)
				check_path(c, &r, l, paths[i].secret);
	check_data(c, &r);
	check_secrets(c);
	if (is_given(c->config, "plugin_opt_ca_cert") != is_given(c->config, "plugin_opt_ca_key"))
		check_add(c, CHECK_ERROR, NULL, "one of plugin_opt_ca_cert and plugin_opt_ca_key", "each needs the other, and the broker would not start", "both, or none");
}
