/* projects.c -- projects: made, changed, listed, deleted when nothing is in them. */
#include "core/plugin.h"
#include "plugins/button/pages.h"
#include "plugins/button/records.h"
#include "plugins/button/templates.h"

#define OPS_FILE "plugins/button/projects.ops"
#define OPS_GROUP button_projects
#define OPS_SERVICE "iot1click"
#include "core/ops_table.h"

static void store(struct sk_call *c, const char *name, cJSON *project)
{
	sk_json_set_int(c->arena, project, "updatedAt", c->now_ms);
	sk_put(c, project, "buttons/account/project/%s", name);
}

static int CreateProject(struct sk_call *c)
{
	const char *name = sk_json_text(c->in, "projectName"), *description = sk_json_text(c->in, "description");
	const cJSON *given = sk_json_get(c->in, "placementTemplate"), *tags = sk_json_get(c->in, "tags");
	cJSON *project = sk_json_object(c->arena);
	int rc = SK_OK;

	if (sk_get(c, "buttons/account/project/%s", name))
		rc = sk_fail(c, SK_E_RESOURCE_CONFLICT, "Project %s exists already", name);
	if (!rc)
		rc = button_tags_check(c, tags);
	if (!rc)
		rc = template_check(c, given);
	if (rc)
		return rc;
	sk_json_set_string(c->arena, project, "projectName", name);
	sk_json_set_string(c->arena, project, "description", description);
	sk_json_set(c->arena, project, "placementTemplate", template_after(c->arena, NULL, given));
	if (sk_json_count(tags))
		sk_json_set(c->arena, project, "tags", sk_json_copy(c->arena, tags));
	sk_json_set_int(c->arena, project, "createdAt", c->now_ms);
	store(c, name, project);
	return SK_OK;
}

static void show(struct sk_call *c, cJSON *out, const char *name, const cJSON *project)
{
	sk_json_set_string(c->arena, out, "arn", sk_arn_of(c, "iot1click", "projects/%s", name));
	sk_json_set_string(c->arena, out, "projectName", name);
	sk_json_set(c->arena, out, "createdDate", sk_json_time(c->arena, sk_json_int_of(project, "createdAt", 0)));
	sk_json_set(c->arena, out, "updatedDate", sk_json_time(c->arena, sk_json_int_of(project, "updatedAt", 0)));
	button_tags_show(c, out, project);
}

static int DescribeProject(struct sk_call *c)
{
	int rc;
	const cJSON *project = project_wanted(c, &rc);
	cJSON *out = rc ? NULL : sk_json_set_object(c->arena, c->out, "project");

	if (rc)
		return rc;
	show(c, out, sk_json_text(c->in, "projectName"), project);
	sk_json_set_string(c->arena, out, "description", sk_json_text(project, "description"));
	sk_json_set(c->arena, out, "placementTemplate", sk_json_copy(c->arena, sk_json_get(project, "placementTemplate")));
	return SK_OK;
}

/* A device template that has a device in some placement stays. */
static int check_templates_in_use(struct sk_call *c, const char *name, const cJSON *old, const cJSON *after)
{
	int rc = SK_OK;

	SK_JSON_EACH(one, sk_json_get(old, "deviceTemplates")) {
		if (sk_json_get(sk_json_get(after, "deviceTemplates"), one->string))
			continue;
		struct sk_scan in_use = sk_scan(c, 1, NULL, "buttons/account/in/%s/%s/", name, one->string);
		if (!rc && in_use.count)
			rc = sk_fail(c, SK_E_INVALID_REQUEST, "Device template %s is missing, and placement %s has a device for it", one->string, in_use.row[0].name);
	}
	return rc;
}

static int UpdateProject(struct sk_call *c)
{
	const char *name = sk_json_text(c->in, "projectName"), *description = sk_json_text(c->in, "description");
	const cJSON *given = sk_json_get(c->in, "placementTemplate"), *old;
	int rc;
	cJSON *project = sk_json_copy(c->arena, project_wanted(c, &rc)), *after;

	if (!rc)
		rc = template_check(c, given);
	if (rc)
		return rc;
	old = sk_json_get(project, "placementTemplate");
	after = template_after(c->arena, old, given);
	rc = check_templates_in_use(c, name, old, after);
	if (rc)
		return rc;
	sk_json_set(c->arena, project, "placementTemplate", after);
	if (description)
		sk_json_remove(project, "description");
	if (description && *description)
		sk_json_set_string(c->arena, project, "description", description);
	store(c, name, project);
	return SK_OK;
}

static int DeleteProject(struct sk_call *c)
{
	const char *name = sk_json_text(c->in, "projectName");
	struct sk_scan placements = sk_scan(c, 1, NULL, "buttons/account/placement/%s/", name);
	int rc;

	project_wanted(c, &rc);
	if (!rc && placements.count)
		rc = sk_fail(c, SK_E_INVALID_REQUEST, "Project %s has placements", name);
	if (!rc)
		sk_remove(c, "buttons/account/project/%s", name);
	return rc;
}

static int ListProjects(struct sk_call *c)
{
	int rc;
	struct sk_scan page = page_of(c, &rc, "buttons/account/project/");
	cJSON *list = sk_json_set_array(c->arena, c->out, "projects");

	for (size_t i = 0; i < page.count; i++)
		show(c, sk_json_append(list, sk_json_object(c->arena)), page.row[i].name, page.row[i].document);
	return rc;
}
