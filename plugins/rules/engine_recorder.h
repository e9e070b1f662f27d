/* engine_recorder.h -- the flight recorder: a copy of messages in files, for `skeeter rules replay`.
 *
 *   broker's thread   recorder_wants() says whether a message is to be kept; of its copies in rings one is marked
 *   thread k          recorder_note() copies it, recorder_flush() appends what a batch has noted with one write
 *
 * It keeps nobody waiting and refuses nothing: what cannot be written is left out, counted, and told once. */
#ifndef RULES_ENGINE_RECORDER_H
#define RULES_ENGINE_RECORDER_H

#include "plugins/rules/engine.h"

struct recorder;
struct recorder_settings {
	const char *folder;
	uint64_t most;             /* bytes that are kept */
	int64_t age_ms;            /* for so long, 0: for any time */
	const char *topics;        /* filters, separated by blanks: their messages, whether a rule matches or not. NULL: what matches a rule */
};
/* NULL with why[]. */
struct recorder *recorder_open(const struct recorder_settings *s, char *why, size_t why_size);
void recorder_free(struct recorder **r); /* behind the engine's threads */

/* Broker's thread. matched: rules run for it. Several filters cost what one costs. */
bool recorder_wants(const struct recorder *r, const char *topic, bool matched);
/* What stands in the ring as the only rule of a message that is for the recorder alone; it never runs. */
struct live_rule *recorder_rule(struct recorder *r);
void recorder_missed(struct recorder *r); /* there was no room in the ring */

/* Threads that evaluate. false: it was for the recorder alone. */
bool recorder_note(struct recorder *r, int thread, const struct rules_message *m);
void recorder_flush(struct recorder *r, int thread);

#endif
