/* store.c -- how every verb of skeeter-store says that it could not: one line on stderr, behind what stdout has so far. */
#include "cli/store/store.h"

#include <stdarg.h>

int store_failed(const char *fmt, ...)
{
	va_list ap;

	fflush(stdout);
	fputs("skeeter-store: ", stderr);
	va_start(ap, fmt);
	vfprintf(stderr, fmt, ap);
	va_end(ap);
	fputc('\n', stderr);
	return STORE_FAILED;
}
