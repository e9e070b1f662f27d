/* ask.h -- may the owner of this certificate do that? Asked from any thread, answered on the broker's, where whoever knows certificates
 * and policies keeps its index: a turn of the loop later, by the state that every connect is judged by.
 *
 * The question is the asker's memory and stays as it is until it is answered; it is answered exactly once. */
#ifndef SK_ASK_H
#define SK_ASK_H

#include <stddef.h>

struct sk_runtime;

struct sk_permission {
	const char *action;   /* as policies spell it: "iot:Publish" */
	const char *resource; /* the resource's own name: the topic, the thing, "thing/shadow" */
};
enum { SK_PERMISSIONS = 2 };

struct sk_ask {
	/* the question: all of it must be allowed */
	const unsigned char *der; /* of the certificate, whose key the peer has proved to have */
	size_t der_size;
	const char *address;      /* the peer's IP; NULL: not known */
	struct sk_permission permission[SK_PERMISSIONS];
	int permissions;
	/* the answer */
	int verdict;              /* SK_ALLOW; SK_DENY; SK_PASS: no plugin knows certificates, or the runtime has ended */
	char principal[65];       /* the certificate's id in hex, when a plugin answered */
	char why[512];            /* of SK_DENY: for the log, not for the peer */
	void (*answered)(struct sk_ask *ask); /* on the broker's thread (the last one, when the runtime ends); must not block */
	void *context;            /* the asker's */
};

/* 0, or -1 when memory is out: then answered() is not called. */
int sk_ask(struct sk_runtime *rt, struct sk_ask *ask);

#endif
