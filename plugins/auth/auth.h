/* auth.h -- the state of skeeter_auth, in three parts by who may touch it: options and what start made of them are read by every
 * thread and never change; the rest belongs to the broker's thread. Handlers use the first two parts only. */
#ifndef AUTH_AUTH_H
#define AUTH_AUTH_H

#include <stdint.h>

#include "core/arena.h"
#include "core/ask.h"
#include "core/client.h"
#include "core/plugin.h"
#include "plugins/auth/certificate.h"
#include "plugins/auth/grants.h"
#include "plugins/auth/index.h"

enum auth_others { OTHERS_ALLOW, OTHERS_DEFER };
enum auth_violations { VIOLATIONS_DISCONNECT, VIOLATIONS_DENY };
enum { AUTH_BUCKETS = 1024, AUTH_LOG_BURST = 20 };

/* What the decisions need from the broker; plugin.c has the real one, tests another. */
struct auth_host {
	bool (*is_input)(const char *topic);
	const unsigned char *(*certificate_der)(struct sk_client *client, size_t *n);
	int (*set_username)(struct sk_client *client, const char *username);
	void (*kick)(struct sk_client *client, const char *why);
	void (*log)(char level, const char *line);
	void (*denied)(const char *line); /* each denial, also those that are not logged; may be NULL */
	int64_t (*lost_ms)(void);         /* sk_store_lost_ms; may be NULL */
};

struct auth {
	/* options */
	const char *ca_cert, *ca_key, *capath, *plain_policy;
	int others, violations;
	int64_t policy_size, store_lost;
	/* made by start */
	struct certificate_ca *ca; /* NULL: none was named */
	const struct auth_host *host;
	char arn[256];             /* "arn:aws:iot:REGION:ACCOUNT:" */
	struct grants *grants;     /* any thread, see there */
	/* the broker's thread */
	struct index *index;
	struct index *next;        /* while it is built anew (reset.c): changes go into both. NULL: it is not */
	struct index *old;         /* what it was before, until SK_RESET_OVER */
	bool aside;                /* the watch call at hand is for `next` */
	bool swept;                /* the new one is in place, sessions and policies are still looked through */
	size_t sweep_sessions, sweep_policies;
	struct sk_arena scratch;   /* of one watch call */
	const unsigned char *shown; /* of the question at hand (asked.c): its certificate; NULL: the client's own */
	size_t shown_size;
	struct session *sessions[AUTH_BUCKETS]; /* by certificate id; those without are in the first */
	struct session *of_thing[AUTH_BUCKETS]; /* those that have one, by its name */
	uint32_t epoch;            /* grows when a policy changes */
	int64_t now_ms;            /* as of the last tick; start sets it */
	int64_t log_ms;            /* denial lines: when tokens were last added */
	int64_t log_tokens;        /* start sets it to AUTH_LOG_BURST */
	uint32_t log_missing;      /* lines not written since the last one */
};

extern const struct sk_op_group certificates_group, ca_certificates_group, policies_group, policy_versions_group, attachments_group,
	principals_group, authorization_group, explain_group;
extern const struct sk_on auth_on[];

/* -- ca_certificates.c: what follows a DeleteCACertificate -- */
#define CA_DELETED "skeeter:ca-certificate-deleted"
sk_handler ca_deleted;

/* -- connect.c, acl.c: the hooks -- */
int auth_connect(struct auth *a, struct sk_client *client, bool again);
int auth_acl(struct auth *a, struct sk_client *client, int access, const char *topic, const struct sk_message_view *m);
void auth_gone(struct auth *a, struct sk_client *client);
int auth_asked(struct auth *a, struct sk_ask *ask); /* asked.c */
/* Has the store been away for too long to believe what is known of certificates? */
bool auth_is_lost(const struct auth *a);
/* Why a client with a certificate is refused whatever its policies say; NULL: they decide. From any thread. */
const char *auth_client_id_fault(const char *client_id);
const char *auth_topic_fault(const struct auth *a, int access, const char *topic);
/* What a shared subscription delivers is what its inner filter matches. */
const char *auth_inner_filter(const char *filter);

/* -- watches.c -- */
int auth_watch_certificate(void *state, const char *name, const struct sk_bytes *bytes);
int auth_watch_attached(void *state, const char *name, const struct sk_bytes *bytes);
int auth_watch_principal(void *state, const char *name, const struct sk_bytes *bytes);
int auth_watch_policy(void *state, const char *name, const struct sk_bytes *bytes);
int auth_watch_thing(void *state, const char *name, const struct sk_bytes *bytes);
int auth_watch_member(void *state, const char *name, const struct sk_bytes *bytes);
int auth_watch_group(void *state, const char *name, const struct sk_bytes *bytes);
int auth_watch_attached_group(void *state, const char *name, const struct sk_bytes *bytes);

/* -- reset.c -- */
int auth_reset(void *state, enum sk_reset phase);

/* -- deny.c: one line per denial, at most AUTH_LOG_BURST at once and 5 a second; the line after a gap says how many are missing -- */
void auth_deny(struct auth *a, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
/* The text with what could break a log line made visible, cut at 200 bytes. In a buffer of the thread, two at a time. */
const char *auth_shown(const char *text);

#endif
