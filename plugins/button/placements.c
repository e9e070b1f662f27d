/* placements.c -- placements: made, changed, listed, deleted when no device is in them. Their attributes are their own: what the project has by default
 * is put under them when a click is told. */
#include "core/plugin.h"
#include "plugins/button/pages.h"
#include "plugins/button/records.h"
#include "plugins/button/templates.h"

#define OPS_FILE "plugins/button/placements.ops"
#define OPS_GROUP button_placements
#define OPS_SERVICE "iot1click"
#include "core/ops_table.h"

static void store(struct sk_call *c, cJSON *placement)
{
	sk_json_set_int(c->arena, placement, "updatedAt", c->now_ms);
	sk_put(c, placement, "buttons/account/placement/%s/%s", sk_json_text(c->in, "projectName"), sk_json_text(c->in, "placementName"));
}

static int CreatePlacement(struct sk_call *c)
{
	const char *project = sk_json_text(c->in, "projectName"), *name = sk_json_text(c->in, "placementName");
	const cJSON *old = sk_get(c, "buttons/account/placement/%s/%s", project, name);
	cJSON *placement = sk_json_object(c->arena);
	int rc;

	project_wanted(c, &rc);
	if (!rc && old)
		rc = sk_fail(c, SK_E_RESOURCE_CONFLICT, "Placement %s of project %s exists already", name, project);
	if (rc)
		return rc;
	sk_json_set(c->arena, placement, "attributes", texts_after(c->arena, NULL, sk_json_get(c->in, "attributes")));
	sk_json_set_object(c->arena, placement, "devices");
	sk_json_set_int(c->arena, placement, "createdAt", c->now_ms);
	store(c, placement);
	return SK_OK;
}

static void show(struct sk_call *c, cJSON *out, const char *name, const cJSON *placement)
{
	sk_json_set_string(c->arena, out, "projectName", sk_json_text(c->in, "projectName"));
	sk_json_set_string(c->arena, out, "placementName", name);
	sk_json_set(c->arena, out, "createdDate", sk_json_time(c->arena, sk_json_int_of(placement, "createdAt", 0)));
	sk_json_set(c->arena, out, "updatedDate", sk_json_time(c->arena, sk_json_int_of(placement, "updatedAt", 0)));
}

static int DescribePlacement(struct sk_call *c)
{
	int rc;
	const cJSON *placement = placement_wanted(c, &rc);
	cJSON *out = rc ? NULL : sk_json_set_object(c->arena, c->out, "placement");

	if (rc)
		return rc;
	show(c, out, sk_json_text(c->in, "placementName"), placement);
	sk_json_set(c->arena, out, "attributes", sk_json_copy(c->arena, sk_json_get(placement, "attributes")));
	return SK_OK;
}

/* "Updates a placement with the given attributes. To clear an attribute, pass an empty value." */
static int UpdatePlacement(struct sk_call *c)
{
	int rc;
	cJSON *placement = sk_json_copy(c->arena, placement_wanted(c, &rc));

	if (rc)
		return rc;
	sk_json_set(c->arena, placement, "attributes",
	            texts_after(c->arena, sk_json_get(placement, "attributes"), sk_json_get(c->in, "attributes")));
	store(c, placement);
	return SK_OK;
}

static int DeletePlacement(struct sk_call *c)
{
	const char *project = sk_json_text(c->in, "projectName"), *name = sk_json_text(c->in, "placementName");
	int rc;
	const cJSON *placement = placement_wanted(c, &rc);

	if (!rc && sk_json_count(sk_json_get(placement, "devices")))
		rc = sk_fail(c, SK_E_INVALID_REQUEST, "Placement %s of project %s has devices", name, project);
	if (!rc)
		sk_remove(c, "buttons/account/placement/%s/%s", project, name);
	return rc;
}

static int ListPlacements(struct sk_call *c)
{
	int rc, absent;
	struct sk_scan page = page_of(c, &rc, sk_printf(c->arena, "buttons/account/placement/%s/", sk_json_text(c->in, "projectName")));
	cJSON *list = sk_json_set_array(c->arena, c->out, "placements");

	project_wanted(c, &absent);
	for (size_t i = 0; i < page.count; i++)
		show(c, sk_json_append(list, sk_json_object(c->arena)), page.row[i].name, page.row[i].document);
	return rc ? rc : absent;
}
