/* index.h -- what the broker's thread knows about certificates and policies. That thread only.
 *
 * A copy of the store's records, kept by watches: per certificate one entry of 64 bytes and per attached thing one of 16, both in
 * a file's pages (index_table.h); policies are compiled once and shared; things and groups are index_things.h's. Nothing of it is the
 * truth: it is built anew at each start.
 *
 * Records may arrive in any order. What is half known denies: an attached policy without a document, one that does not compile, and a
 * certificate with more policies than fit. So does what a change that could not be kept was about, until the broker starts again. */
#ifndef AUTH_INDEX_H
#define AUTH_INDEX_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "plugins/auth/certificate.h"
#include "plugins/auth/policy.h"

/* AWS's limit of policies attached to one certificate or group. */
#define INDEX_POLICIES 10
/* Policies that count for one connection, groups included; and bytes of a thing's name with its NUL. */
enum { INDEX_EFFECTIVE = 256, INDEX_THING = 129 };

enum index_status { INDEX_UNKNOWN, INDEX_ACTIVE, INDEX_INACTIVE, INDEX_REVOKED, INDEX_OTHER };

struct index_policy { /* stays where it is for the life of the index */
	uint32_t number;
	char *name;
	char *version;          /* "1" */
	struct policy *compiled; /* NULL: no such policy, or one that does not compile */
};
struct index_certificate {
	enum index_status status;
	bool overflow; /* more policies than fit were attached: deny all */
	size_t policies;
	const struct index_policy *policy[INDEX_POLICIES];
};

struct index_attached {
	const struct index_policy *policy;
	const char *group; /* NULL: by the certificate */
};
struct index_effective {
	size_t count;
	struct index_attached policy[INDEX_EFFECTIVE];
};

struct index;
struct things;
struct index *index_new(const char *folder, char *why, size_t why_size);
void index_free(struct index **ix);

/* -- changes; 0, or -1 when the index cannot be kept (memory or disk is out) -- */
/* NULL status: the certificate was deleted. */
int index_set_certificate(struct index *ix, const uint8_t id[CERTIFICATE_ID_SIZE], const char *status);
int index_set_attached(struct index *ix, const uint8_t id[CERTIFICATE_ID_SIZE], const char *policy, bool attached);
int index_set_thing(struct index *ix, const uint8_t id[CERTIFICATE_ID_SIZE], const char *thing, bool attached);
int index_set_attached_group(struct index *ix, const char *group, const char *policy, bool attached);
/* What was attached to it is not known any more: it denies all. Answers -1. */
int index_close_certificate(struct index *ix, const uint8_t id[CERTIFICATE_ID_SIZE]);
/* NULL document: the policy was deleted. A document that does not compile is kept as one that denies, with why[] filled. */
int index_set_policy(struct index *ix, const char *name, const char *version, const char *document, char *why, size_t why_size);

/* -- questions -- */
/* false: nothing is known of it (then *out is INDEX_UNKNOWN without policies). */
bool index_find(const struct index *ix, const uint8_t id[CERTIFICATE_ID_SIZE], struct index_certificate *out);
bool index_is_attached(const struct index *ix, const uint8_t id[CERTIFICATE_ID_SIZE], const char *thing);
struct things *index_things(const struct index *ix);
/* NULL when the name was never seen. */
const struct index_policy *index_policy(const struct index *ix, const char *name);
/* The i-th that was named; NULL: there are no more. */
const struct index_policy *index_policy_at(const struct index *ix, size_t i);
const char *index_status_name(enum index_status s);
size_t index_certificates(const struct index *ix);
size_t index_bytes(const struct index *ix); /* of the tables' pages */

#endif
