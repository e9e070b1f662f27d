/* inputs.h -- what many operations ask of their input: a name or an ARN, and the version that the caller has seen. */
#ifndef REGISTRY_INPUTS_H
#define REGISTRY_INPUTS_H

#include "core/call.h"

/* The rest of an ARN of ours after "<kind>/", NULL if it is none: no name, a slash in it, another account, region or kind. */
const char *input_arn_name(struct sk_call *c, const char *kind, const char *arn);

/* Of a resource that is named by `name_input` or by `arn_input` ("thingName", "thingArn"): its name. InvalidRequest when neither is
 * given, when the ARN is no ARN of that kind here, or when they differ. */
int input_name(struct sk_call *c, const char *kind, const char *name_input, const char *arn_input, const char **name);

/* VersionConflict when the input has an expectedVersion and the record another version. what: "thing lamp". */
int input_expected_version(struct sk_call *c, const cJSON *record, const char *what, const char *name);

#endif
