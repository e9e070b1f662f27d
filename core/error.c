/* error.c -- the table of AWS's errors.
 *
 * Row -code of the table is the error's; row 0 is what an unknown code answers. */
#include "core/error.h"

#include <stddef.h>
#include <string.h>

static const struct sk_error_info errors[] = {
	[0] = { "InternalFailureException", 500, 0x80 },
#define SK_ERROR(code, name, http, mqtt) [SK_E_##code##_NEG] = { name, http, mqtt },
#include "core/errors.tbl"
#undef SK_ERROR
};

#define N_ERRORS ((int)(sizeof errors / sizeof errors[0]))

const struct sk_error_info *sk_error_info(int code)
{
	return code < 0 && code > -N_ERRORS ? &errors[-code] : &errors[0];
}

static const struct { const char *service; int code; struct sk_error_info info; } of_services[] = {
#define SK_ERROR_OF(service, code, name, http, mqtt) { service, SK_E_##code, { name, http, mqtt } },
#include "core/errors_of.tbl"
#undef SK_ERROR_OF
};

const struct sk_error_info *sk_error_of(const char *service, int code)
{
	for (size_t i = 0; service && i < sizeof of_services / sizeof of_services[0]; i++)
		if (of_services[i].code == code && !strcmp(of_services[i].service, service))
			return &of_services[i].info;
	return sk_error_info(code);
}

int sk_error_by_name(const char *name)
{
	for (int i = 1; name && i < N_ERRORS; i++)
		if (strcmp(errors[i].name, name) == 0)
			return -i;
	return 0;
}
