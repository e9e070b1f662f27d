/* why.c -- the one way to note a reason. */
#include "core/why.h"

#include <stdarg.h>
#include <stdio.h>

int sk_why(char *why, size_t why_size, const char *fmt, ...)
{
	va_list ap;
	va_start(ap, fmt);
	if (why_size)
		vsnprintf(why, why_size, fmt, ap);
	va_end(ap);
	return -1;
}
