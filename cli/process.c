/* process.c -- see process.h. */
#include "cli/process.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

/* When the process was started, in ticks since boot; 0 when there is none, or only its zombie. */
static unsigned long long started(pid_t pid)
{
	char path[64], line[1024];
	unsigned long long ticks = 0;
	char state = 0;
	snprintf(path, sizeof(path), "/proc/%d/stat", (int)pid);
	FILE *f = fopen(path, "r");
	if (!f)
		return 0;
	/* The program's name stands in brackets and may hold anything: count fields from the last one. */
	const char *rest = fgets(line, sizeof(line), f) ? strrchr(line, ')') : NULL;
	fclose(f);
	if (!rest || sscanf(rest, ") %c %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %llu", &state, &ticks) != 2)
		return 0;
	return state == 'Z' || state == 'X' ? 0 : ticks;
}

pid_t process_find(const char *folder, const char *name)
{
	char path[1024];
	int pid = 0;
	unsigned long long ticks = 0;
	snprintf(path, sizeof(path), "%s/%s.pid", folder, name);
	FILE *f = fopen(path, "r");
	if (!f)
		return 0;
	int n = fscanf(f, "%d %llu", &pid, &ticks);
	fclose(f);
	return n == 2 && pid > 0 && ticks != 0 && started(pid) == ticks ? pid : 0;
}

bool process_end(pid_t pid, int signal, int ms)
{
	unsigned long long ticks = started(pid);
	const struct timespec pause = { 0, 10 * 1000000 };
	if (ticks == 0)
		return true;
	kill(pid, signal);
	for (int waited = 0; started(pid) == ticks; waited += 10) {
		if (waited >= ms)
			return false;
		nanosleep(&pause, NULL);
	}
	return true;
}

static void become(const char *folder, const char *name, char *const argv[])
{
	char path[1024];
	snprintf(path, sizeof(path), "%s/%s.log", folder, name);
	setsid();
	int in = open("/dev/null", O_RDONLY), out = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
	if (in < 0 || out < 0 || dup2(in, 0) < 0 || dup2(out, 1) < 0 || dup2(out, 2) < 0)
		_exit(127);
	execv(argv[0], argv);
	_exit(127);
}

pid_t process_start(const char *folder, const char *name, char *const argv[])
{
	char path[1024];
	pid_t pid = fork();
	if (pid == 0)
		become(folder, name, argv);
	if (pid < 0)
		return -1;
	snprintf(path, sizeof(path), "%s/%s.pid", folder, name);
	FILE *f = fopen(path, "w");
	if (!f)
		return -1;
	fprintf(f, "%d %llu\n", (int)pid, started(pid));
	return fclose(f) == 0 ? pid : -1;
}
