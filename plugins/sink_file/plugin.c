/* plugin.c -- skeeter_sink_file: rules write lines to files. Glue only. */
#include "core/plugin.h"
#include "core/why.h"
#include "plugins/sink_file/file.h"

#define SHAPES_FILE "plugins/sink_file/sink_file.shapes"
#define SHAPES_NAME shapes
#include "core/shape_table.h"

static const struct sk_option options[] = {
	SK_OPTION(SK_STR, struct file_settings, folder, NULL, NULL, "folder that all files lie in or below; it must be set, and absolute"),
	{ 0 }
};

static const struct sk_sink sinks[] = {
	{ .kind = "file", .prose = "lines of JSON in files that are turned over", .lane = file_lane, .order = "path", .check = file_check, .open = file_open,
	  .deliver = file_deliver, .close = file_close },
	{ 0 }
};

static int start(void *state, char *why, size_t why_size)
{
	const struct file_settings *s = state;

	if (!s->folder || *s->folder != '/')
		return sk_why(why, why_size, "plugin_opt_folder must be set to an absolute path: the files of rules lie there and nowhere else");
	return 0;
}

SKEETER_PLUGIN(.name = "sink_file", .prose = "rules write lines to files", .state_size = sizeof(struct file_settings), .options = options,
               .shapes = shapes, .sinks = sinks, .start = start)
