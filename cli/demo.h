/* demo.h -- the verbs of `skeeter demo`, and what they share. The demo's folder is the one that the socket is in. */
#ifndef SKEETER_DEMO_H
#define SKEETER_DEMO_H

#include "cli/cli.h"

/* The three devices; ends with NULL. */
extern const char *const demo_devices[];
/* A policy that denies; attached to a device's certificate by `demo forbid`. */
#define DEMO_FORBID "demo-forbid"

/* One verb; `device` is checked, NULL for a verb that takes none. */
typedef int demo_run(struct cli *cli, const char *device);
demo_run demo_kill;     /* demo_kill.c */
demo_run demo_register; /* demo_register.c */

/* How many of the devices are connected; -1 when there was no answer, which is printed if `loud`. */
int demo_online(struct cli *cli, bool loud);
/* Waits until the device is (not) connected, at most ms. */
bool demo_wait(struct cli *cli, const char *device, bool connected, int ms);
/* Creates what may be there already. */
int demo_create(struct cli *cli, const char *operation, const cJSON *in, const cJSON **data);
void demo_pause(int ms);

#endif
