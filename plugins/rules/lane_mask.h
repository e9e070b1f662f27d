/* lane_mask.h -- what a lane knows of its sink's secrets, so that no server that sends back what it was shown gets one into an error, a log or a list. */
#ifndef RULES_LANE_MASK_H
#define RULES_LANE_MASK_H

#include "core/arena.h"
#include "core/json.h"

struct lane_mask {
	struct sk_arena arena;
	const char **word;   /* the longest first */
	size_t n, room;
};
/* The words of the fields: what get_secret() was replaced by (`raw` is the fields' text before that), and what rules_holds_secret() knows. -1: memory is out. */
int lane_mask_set(struct lane_mask *m, const char *raw, const cJSON *filled);
void lane_mask_free(struct lane_mask *m);
/* The text, or a copy with *** for each of them; NULL stays NULL. */
const char *lane_masked(const struct lane_mask *m, struct sk_arena *a, const char *text);

#endif
