/* tags.h -- the inputs of AWS's Projects service for tags, which are narrower than those of its Devices service. */
#ifndef BUTTON_TAGS_H
#define BUTTON_TAGS_H

#include <stddef.h>

#include "core/shape.h"

struct tags_inputs {
	struct sk_shapes *shapes;
	struct sk_inputs *list, *tag, *untag;
};

/* From the plugin's own table of types. 0, or -1 with why[]; what was made is to be freed either way. */
int tags_inputs_new(struct tags_inputs *t, const struct sk_shape *table, char *why, size_t why_size);
void tags_inputs_free(struct tags_inputs *t);

#endif
