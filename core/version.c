/* version.c -- see version.h. The Makefile gives the text to this file only. */
#include "core/version.h"

const char *sk_version_text(void)
{
	return SKEETER_VERSION;
}
