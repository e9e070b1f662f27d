/* templates.h -- a project's placementTemplate: checked, kept, changed.
 *
 * As it is kept it is whole: {defaultAttributes: {}, deviceTemplates: {NAME: {deviceType?, callbackOverrides: {}}}}. Pure. */
#ifndef BUTTON_TEMPLATES_H
#define BUTTON_TEMPLATES_H

#include "core/call.h"

#define TEMPLATE_ON_CLICK "onClickCallback" /* the only callback that can be overridden */

/* The device template of that name of a project's record; NULL: there is none. */
const cJSON *template_find(const cJSON *project, const char *name);

/* May this be called? The ARN of a Lambda function, with or without a qualifier. */
bool function_arn_valid(const char *arn);

/* What AWS's model leaves open of a placementTemplate that was given (NULL: none was): SK_OK or InvalidRequest. */
int template_check(struct sk_call *c, const cJSON *given);

/* The template that is to be kept: `old` (NULL: a new project's) changed as `given` says: "only the values that are provided" are changed, but
 * deviceTemplates names all device templates that there are to be; an empty text clears a value. */
cJSON *template_after(struct sk_arena *a, const cJSON *old, const cJSON *given);

/* `old` with the texts of `given` put over it; an empty one takes its name out. For attributes and callbacks. */
cJSON *texts_after(struct sk_arena *a, const cJSON *old, const cJSON *given);

#endif
