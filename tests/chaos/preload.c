/* preload.c -- loaded into a broker under test (LD_PRELOAD): its clock is moved, its disk stands still, its loop
 * is not woken, its turns are timed, a crash says where.
 *
 * SKEETER_CHAOS names a file of `struct shared`, which tests/chaos/preload.js writes and reads while the broker runs. What is asked for there
 * holds from the next call on, for all threads; without that file this library changes nothing. A call on a file below SKEETER_CHAOS_DATA
 * waits as long as `stalled` stands. A turn is what the main thread does from the return of epoll_wait to the next call of it. */
#include <dlfcn.h>
#include <errno.h>
#include <execinfo.h>
#include <fcntl.h>
#include <signal.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

#define COUNTED_NS 10000000 /* the longest turn that the design allows */

struct shared { /* eight bytes each, in the order of preload.js */
	_Atomic int64_t clock_offset_us, stalled, deaf; /* asked for; deaf: what is written to an eventfd is lost */
	_Atomic int64_t waited, waited_main;        /* calls that waited: of any thread, of the broker's own */
	_Atomic int64_t turns, longest_ns, longest_cpu_ns, longest_blocked_ns, over, over_cpu, over_blocked;
};

static struct shared nothing, *shared = &nothing;
static char data[512];
static size_t data_size;

static void crashed(int signal)
{
	void *frame[64];
	static const char line[] = "the broker crashed:\n";
	if (write(STDERR_FILENO, line, sizeof line - 1) > 0)
		backtrace_symbols_fd(frame, backtrace(frame, 64), STDERR_FILENO);
	raise(signal); /* once more, as if nobody had looked */
}

static void say_where(void)
{
	static const int fatal[] = { SIGABRT, SIGSEGV, SIGBUS, SIGFPE, SIGILL };
	struct sigaction how = { .sa_handler = crashed, .sa_flags = SA_RESETHAND | SA_NODEFER };
	void *frame[1];
	backtrace(frame, 1); /* loads what it needs */
	for (size_t i = 0; i < sizeof fatal / sizeof *fatal; i++)
		sigaction(fatal[i], &how, NULL);
}

__attribute__((constructor)) static void begin(void)
{
	const char *path = getenv("SKEETER_CHAOS"), *folder = getenv("SKEETER_CHAOS_DATA");
	int fd = path ? open(path, O_RDWR | O_CLOEXEC) : -1;
	void *at = fd < 0 ? MAP_FAILED : mmap(NULL, sizeof *shared, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	if (fd >= 0)
		close(fd);
	if (at != MAP_FAILED)
		shared = at;
	if (at != MAP_FAILED)
		say_where();
	if (folder)
		data_size = (size_t)snprintf(data, sizeof data, "%s/", folder);
}

/* -- the clock -- */

static int64_t kernel_ns(clockid_t clock)
{
	struct timespec t;
	syscall(SYS_clock_gettime, clock, &t);
	return (int64_t)t.tv_sec * 1000000000 + t.tv_nsec;
}

int clock_gettime(clockid_t clock, struct timespec *t)
{
	static int (*next)(clockid_t, struct timespec *);
	if (!next)
		next = dlsym(RTLD_NEXT, "clock_gettime");
	int rc = next(clock, t);
	int64_t offset = atomic_load_explicit(&shared->clock_offset_us, memory_order_relaxed);
	if (rc || !offset || clock != CLOCK_REALTIME)
		return rc;
	int64_t us = (int64_t)t->tv_sec * 1000000 + t->tv_nsec / 1000 + offset;
	t->tv_sec = us / 1000000;
	t->tv_nsec = us % 1000000 * 1000;
	return 0;
}

int gettimeofday(struct timeval *restrict tv, void *restrict zone)
{
	struct timespec t;
	(void)zone;
	clock_gettime(CLOCK_REALTIME, &t);
	tv->tv_sec = t.tv_sec;
	tv->tv_usec = t.tv_nsec / 1000;
	return 0;
}

time_t time(time_t *out)
{
	struct timespec t;
	clock_gettime(CLOCK_REALTIME, &t);
	if (out)
		*out = t.tv_sec;
	return t.tv_sec;
}

/* -- the disk -- */

static bool is_main(void)
{
	return syscall(SYS_gettid) == getpid();
}

static bool below_data(int fd)
{
	char link[64], path[512];
	snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
	ssize_t n = readlink(link, path, sizeof path - 1);
	return n > (ssize_t)data_size && !memcmp(path, data, data_size);
}

static void stand(int fd)
{
	int error = errno;
	if (!atomic_load_explicit(&shared->stalled, memory_order_relaxed) || !data_size || !below_data(fd)) {
		errno = error;
		return;
	}
	atomic_fetch_add(is_main() ? &shared->waited_main : &shared->waited, 1);
	while (atomic_load(&shared->stalled))
		usleep(500);
	errno = error;
}

#define STANDING(result, name, parameters, arguments) \
	result name parameters \
	{ \
		static result (*next) parameters; \
		if (!next) \
			next = dlsym(RTLD_NEXT, #name); \
		stand(fd); \
		return next arguments; \
	}
STANDING(int, fsync, (int fd), (fd))
STANDING(int, fdatasync, (int fd), (fd))
STANDING(int, ftruncate, (int fd, off_t n), (fd, n))
STANDING(int, ftruncate64, (int fd, off64_t n), (fd, n))
STANDING(int, posix_fallocate, (int fd, off_t at, off_t n), (fd, at, n))
STANDING(int, posix_fallocate64, (int fd, off64_t at, off64_t n), (fd, at, n))
STANDING(ssize_t, pwrite, (int fd, const void *p, size_t n, off_t at), (fd, p, n, at))
STANDING(ssize_t, pwrite64, (int fd, const void *p, size_t n, off64_t at), (fd, p, n, at))

/* -- waking -- */

static bool is_eventfd(int fd)
{
	char link[64], path[32];
	snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
	ssize_t n = readlink(link, path, sizeof path - 1);
	return n > 0 && !strncmp(path, "anon_inode:[eventfd]", (size_t)n);
}

ssize_t write(int fd, const void *p, size_t n)
{
	static ssize_t (*next)(int, const void *, size_t);
	if (!next)
		next = dlsym(RTLD_NEXT, "write");
	if (atomic_load_explicit(&shared->deaf, memory_order_relaxed) && n == sizeof(uint64_t) && is_eventfd(fd))
		return (ssize_t)n;
	stand(fd);
	return next(fd, p, n);
}

/* -- the turns of the broker's loop -- */

static struct { int64_t wall, cpu, queued; bool on; } turn;

/* How long this thread has been ready to run while another one ran: a busy machine's doing, not ours. */
static int64_t queued_ns(void)
{
	static int fd = -2;
	char line[100];
	unsigned long long ran, queued;
	if (fd == -2)
		fd = open("/proc/thread-self/schedstat", O_RDONLY | O_CLOEXEC);
	ssize_t n = fd < 0 ? -1 : pread(fd, line, sizeof line - 1, 0);
	if (n <= 0)
		return 0;
	line[n] = '\0';
	return sscanf(line, "%llu %llu", &ran, &queued) == 2 ? (int64_t)queued : 0;
}

static void note(_Atomic int64_t *longest, _Atomic int64_t *over, int64_t took)
{
	if (took > *longest)
		*longest = took;
	*over += took >= COUNTED_NS;
}

static void end_turn(void)
{
	if (!turn.on)
		return;
	int64_t wall = kernel_ns(CLOCK_MONOTONIC) - turn.wall;
	shared->turns++;
	note(&shared->longest_ns, &shared->over, wall);
	if (wall < 500000)
		return;
	int64_t cpu = kernel_ns(CLOCK_THREAD_CPUTIME_ID) - turn.cpu;
	note(&shared->longest_cpu_ns, &shared->over_cpu, cpu);
	note(&shared->longest_blocked_ns, &shared->over_blocked, wall - cpu - (queued_ns() - turn.queued));
}

static void start_turn(void)
{
	int error = errno;
	turn.queued = queued_ns();
	turn.cpu = kernel_ns(CLOCK_THREAD_CPUTIME_ID);
	turn.wall = kernel_ns(CLOCK_MONOTONIC);
	turn.on = true;
	errno = error;
}

int epoll_wait(int epoll, struct epoll_event *events, int most, int ms)
{
	static int (*next)(int, struct epoll_event *, int, int);
	if (!next)
		next = dlsym(RTLD_NEXT, "epoll_wait");
	if (shared == &nothing || !is_main())
		return next(epoll, events, most, ms);
	end_turn();
	int n = next(epoll, events, most, ms);
	start_turn();
	return n;
}
