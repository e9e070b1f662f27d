/* core.h -- shared by the files of skeeter_core. */
#ifndef PLUGINS_CORE_H
#define PLUGINS_CORE_H

#include "core/plugin.h"

extern const struct sk_op_group core_group; /* introspect.c */

#endif
