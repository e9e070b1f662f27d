/* secrets.h -- what may not stand in a rule: passwords and keys, by name, from a file of the operator's or from the environment.
 *
 * plugin_opt_secrets of skeeter_core names a file that only its owner may read: {"NAME": "text", "OTHER": {"user": "text", "password": "text"}}. It
 * is read again at SIGHUP, and when it has changed (looked at when somebody asks, no more than once a second). SKEETER_SECRET_NAME in the environment (letters in
 * upper case, all but letters and digits become _) comes first; its value is the text, JSON or not. Rules write AWS's get_secret().
 * A secret is never logged, listed, or stored. Any thread. */
#ifndef SK_SECRETS_H
#define SK_SECRETS_H

#include "core/arena.h"
#include "core/json.h"

/* At start: reads the file, NULL: there is none. 0, or -1 with why[]: not there, others may read it, not as above. */
int sk_secrets_open(const char *file, char *why, size_t why_size);
void sk_secrets_say(void (*say)(const char *line)); /* who is told, on any thread, of a file that is wrong when it is read again; NULL: nobody */
void sk_secrets_reload(void); /* SIGHUP; of a file that is wrong now the old secrets stay */
void sk_secrets_close(void);

/* The secret's text (an object's as JSON), or with `key` that member of it; the arena's. NULL: there is none. */
const char *sk_secret(struct sk_arena *a, const char *name, const char *key);
/* Text in which each ${get_secret('NAME', 'SecretString'[, 'KEY'][, 'ROLE'])} is replaced; SecretBinary is base64-decoded. NULL with *why (which never
 * holds a secret): there is no such secret, another template, memory. Text without templates is answered as it is. */
const char *sk_secrets_fill(struct sk_arena *a, const char *text, const char **why);
/* The same for every text of a document, which is copied. */
cJSON *sk_secrets_fill_all(struct sk_arena *a, const cJSON *document, const char **why);
/* NULL, or what is wrong with the templates of a text that is to be filled in later. *absent: the name of a secret that is not there yet (the last one). */
const char *sk_secrets_fault(struct sk_arena *a, const char *text, const char **absent);

#endif
