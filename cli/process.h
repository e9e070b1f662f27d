/* process.h -- the demo's processes, known by run/NAME.pid.
 *
 * A pid file holds "PID STARTED", the second being field 22 of /proc/PID/stat: a pid that was given to another program since
 * is never taken for ours. cli/demo.sh writes and reads the same files. */
#ifndef SKEETER_PROCESS_H
#define SKEETER_PROCESS_H

#include <stdbool.h>
#include <sys/types.h>

/* The pid in folder/name.pid if that very process is alive, else 0. */
pid_t process_find(const char *folder, const char *name);
/* Sends the signal and waits until the process has ended; false when it has not within `ms`. */
bool process_end(pid_t pid, int signal, int ms);
/* Starts argv[0] in a session of its own, output appended to folder/name.log, and writes its pid file. The pid, or -1. */
pid_t process_start(const char *folder, const char *name, char *const argv[]);

#endif
