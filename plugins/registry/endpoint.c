/* endpoint.c -- DescribeEndpoint: the one address of this broker, for every kind of endpoint that AWS knows.
 *
 * AWS has a host per purpose; here one broker serves them all, so the type is only checked. */
#include <string.h>

#include "core/call.h"
#include "core/plugin.h"
#include "plugins/registry/registry.h"

#define OPS_FILE "plugins/registry/endpoint.ops"
#define OPS_GROUP endpoint
#define OPS_SERVICE "iot"
#include "core/ops_table.h"

static const char *const types[] = { "iot:Data", "iot:Data-ATS", "iot:CredentialProvider", "iot:Jobs",
	                             "iot:DeviceAdvisor", "iot:Data-Beta" };

static bool is_known(const char *type)
{
	for (size_t i = 0; i < sizeof(types) / sizeof(*types); i++)
		if (!strcmp(types[i], type))
			return true;
	return false;
}

static int DescribeEndpoint(struct sk_call *c)
{
	const struct registry_state *s = c->state;
	const char *type = sk_json_text(c->in, "endpointType");

	if (type && !is_known(type))
		return sk_fail(c, SK_E_INVALID_REQUEST, "Endpoint type %s not recognized.", type);
	sk_json_set_string(c->arena, c->out, "endpointAddress", s->endpoint && *s->endpoint ? s->endpoint : s->host);
	return SK_OK;
}
