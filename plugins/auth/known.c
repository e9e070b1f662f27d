/* known.c -- see known.h. */
#include "plugins/auth/known.h"

#include <stdio.h>
#include <string.h>

#include "plugins/auth/certificate_facts.h"

static const char *named(const void *context, enum policy_variable kind, const char *name)
{
	const struct known *k = context;

	return facts_value(kind == POLICY_ATTRIBUTE ? k->thing_facts : k->certificate_facts, name);
}

/* A unix socket has a path and no address; an IPv4 address is the same behind ::ffff: */
static const char *source_ip(struct known *k)
{
	const char *address = k->address;

	if (!address || !*address || strchr(address, '/'))
		return NULL;
	if (!strncmp(address, "::ffff:", 7) && strchr(address, '.'))
		address += 7;
	snprintf(k->ip, sizeof(k->ip), "%s", address);
	return k->ip;
}

void known_facts(struct known *k, struct policy_facts *out)
{
	*out = (struct policy_facts){ .named = named, .context = k };
	out->variable[POLICY_CLIENT_ID] = k->client_id;
	out->variable[POLICY_THING_NAME] = k->thing;
	out->variable[POLICY_THING_TYPE] = facts_value(k->thing_facts, KNOWN_TYPE);
	out->variable[POLICY_IS_ATTACHED] = k->thing ? "true" : "false";
	out->variable[POLICY_CERTIFICATE_ID] = k->certificate;
	out->variable[POLICY_SOURCE_IP] = source_ip(k);
}
