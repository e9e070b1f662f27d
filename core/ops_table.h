/* ops_table.h -- turn a .ops file into prototypes and a table. No guard: one inclusion per file.
 *
 *   #define OPS_FILE "plugins/registry/things.ops"      path from the root
 *   #define OPS_GROUP things                            makes `struct sk_op_group things_group`
 *   #define OPS_SERVICE "iot"                           AWS's signing name
 *   #include "core/ops_table.h"
 *
 * OP(Name, VERB, "/route/{pathInput}", partition, "inputs", "about"), inputs separated by blanks:
 *     name      optional, its type has the same name with a capital (thingTypeName:ThingTypeName)
 *     name!     required              name:Type   the type has another name
 *     ?name     in the query          ^name       in a header
 *     @name     over HTTP the body as it is     >name     over HTTP that member of the output is the body
 *     >name=X-Header   over HTTP that member of the output is a header      >name=:status   is the answer's status
 *     *name     over HTTP the body, a JSON object, is this one input
 *     name=wire has another name in the path, the query or the header: ^principal!=x-amzn-principal
 *     &page     nextToken and maxResults      &marks    marker, pageSize, ascendingOrder
 * Inputs named in the route are required and are not repeated ({thingName}; {arn+} is greedy; {certificateId:Type} where
 * the type has another name). GET and DELETE inputs are in the query unless marked, others in the body.
 * What it is about, for docs/API.md: its tier, "1" what nearly everybody needs, "2" who runs a fleet, "3" few; with "newer" when Debian 12's
 * AWS clients lack it; "own" when AWS does; with "open" when over HTTP nobody has to sign it: what its route holds is proof enough; with "201" or
 * another status that success has over HTTP instead of 200. A route that ends with a slash is found without it too. */
#define OP(op_name, op_verb, op_route, op_partition, op_inputs, op_about) static sk_handler op_name;
#include OPS_FILE
#undef OP
#define SK_OPS_JOIN_(a, b) a##b
#define SK_OPS_JOIN(a, b) SK_OPS_JOIN_(a, b)
static const struct sk_op SK_OPS_JOIN(OPS_GROUP, _rows)[] = {
#define OP(op_name, op_verb, op_route, op_partition, op_inputs, op_about) \
	{ .name = #op_name, .verb = SK_##op_verb, .route = op_route, .partition = #op_partition, .inputs = op_inputs, \
	  .handler = op_name, .file = OPS_FILE, .about = op_about },
#include OPS_FILE
#undef OP
	{ 0 }
};
const struct sk_op_group SK_OPS_JOIN(OPS_GROUP, _group) = { .service = OPS_SERVICE, .op = SK_OPS_JOIN(OPS_GROUP, _rows) };
#undef OPS_FILE
#undef OPS_GROUP
#undef OPS_SERVICE
