/* broker_properties.c -- MQTT 5's properties as the broker's own list.
 *
 * Mosquitto 2.0.21 as Debian builds it keeps the functions that make such a list to itself. Those of the client library are the same code, if
 * it is of the same version: they are used instead. Where neither is there, a message leaves without its properties and the log says so once. */
#include "core/broker_internal.h"

#include <dlfcn.h>
#include <stdlib.h>
#include <string.h>

#include "core/properties.h"

static struct {
	int (*add_byte)(mosquitto_property **list, int id, uint8_t value);
	int (*add_int32)(mosquitto_property **list, int id, uint32_t value);
	int (*add_binary)(mosquitto_property **list, int id, const void *value, uint16_t n);
	int (*add_string)(mosquitto_property **list, int id, const char *value);
	int (*add_pair)(mosquitto_property **list, int id, const char *name, const char *value);
	void (*free_all)(mosquitto_property **list);
	int (*identifier)(const mosquitto_property *p);
	const mosquitto_property *(*next)(const mosquitto_property *p);
	const mosquitto_property *(*read_byte)(const mosquitto_property *list, int id, uint8_t *value, bool skip_first);
	const mosquitto_property *(*read_binary)(const mosquitto_property *list, int id, void **value, uint16_t *n, bool skip_first);
	const mosquitto_property *(*read_string)(const mosquitto_property *list, int id, char **value, bool skip_first);
	const mosquitto_property *(*read_pair)(const mosquitto_property *list, int id, char **name, char **value, bool skip_first);
} broker;

static const struct { const char *name; void *at; } functions[] = {
	{ "mosquitto_property_add_byte", &broker.add_byte }, { "mosquitto_property_add_int32", &broker.add_int32 },
	{ "mosquitto_property_add_binary", &broker.add_binary }, { "mosquitto_property_add_string", &broker.add_string },
	{ "mosquitto_property_add_string_pair", &broker.add_pair }, { "mosquitto_property_free_all", &broker.free_all },
	{ "mosquitto_property_identifier", &broker.identifier }, { "mosquitto_property_next", &broker.next },
	{ "mosquitto_property_read_byte", &broker.read_byte }, { "mosquitto_property_read_binary", &broker.read_binary },
	{ "mosquitto_property_read_string", &broker.read_string }, { "mosquitto_property_read_string_pair", &broker.read_pair },
};
enum { FUNCTIONS = sizeof functions / sizeof *functions };

static bool take_from(void *library)
{
	bool all = true;
	for (int i = 0; i < FUNCTIONS; i++) {
		void *found = dlsym(library, functions[i].name);
		memcpy(functions[i].at, &found, sizeof found);
		all = all && found;
	}
	return all;
}

/* 2.1 exports them: this is for 2.0 alone, whose list another version's functions would make wrongly. */
static bool take_from_client_library(void)
{
	int (*version)(int *major, int *minor, int *revision);
	int major = 0, minor = 0, revision = 0;
	void *library = dlopen("libmosquitto.so.1", RTLD_LAZY | RTLD_LOCAL);
	if (!library)
		return false;
	*(void **)&version = dlsym(library, "mosquitto_lib_version");
	if (version)
		version(&major, &minor, &revision);
	return major == 2 && minor == 0 && take_from(library);
}

static bool can(void)
{
	static enum { UNASKED, NO, YES } answer;
	if (answer == UNASKED) {
		answer = take_from(RTLD_DEFAULT) || take_from_client_library() ? YES : NO;
		if (answer == NO)
			mosquitto_log_printf(MOSQ_LOG_WARNING, "skeeter: core: this broker does not lend its functions for MQTT 5's properties, and libmosquitto.so.1 "
			                     "of Mosquitto 2.0 is not installed: messages of ours leave without properties");
	}
	return answer == YES;
}

/* Texts that the broker copies, terminated. */
static int add_texts(mosquitto_property **list, const struct sk_property *p)
{
	char *text = strndup(p->text, p->size), *value = p->value ? strndup(p->value, p->value_size) : NULL;
	int rc = MOSQ_ERR_NOMEM;
	if (text && value)
		rc = broker.add_pair(list, p->id, text, value);
	else if (text && !p->value)
		rc = broker.add_string(list, p->id, text);
	free(text);
	free(value);
	return rc;
}

static int add(mosquitto_property **list, const struct sk_property *p)
{
	switch (p->id) {
	case SK_PROPERTY_PAYLOAD_FORMAT: return broker.add_byte(list, p->id, (uint8_t)p->number);
	case SK_PROPERTY_MESSAGE_EXPIRY: return broker.add_int32(list, p->id, p->number);
	case SK_PROPERTY_CORRELATION_DATA: return broker.add_binary(list, p->id, p->text, (uint16_t)p->size);
	case SK_PROPERTY_CONTENT_TYPE: case SK_PROPERTY_RESPONSE_TOPIC: case SK_PROPERTY_USER_PROPERTY: return add_texts(list, p);
	default: return MOSQ_ERR_SUCCESS; /* a publish of ours has no other */
	}
}

int sk_broker_properties(mosquitto_property **list, const void *encoded, size_t n)
{
	const unsigned char *at = encoded;
	struct sk_properties all = { .at = at, .end = at + n };
	struct sk_property p;
	int rc = MOSQ_ERR_SUCCESS;
	if (!at || !can())
		return rc;
	while (rc == MOSQ_ERR_SUCCESS && sk_properties_next(&all, &p))
		rc = add(list, &p);
	return rc;
}

void sk_broker_properties_free(mosquitto_property **list)
{
	if (*list)
		broker.free_all(list);
}

/* -- the other way -- */

struct encoded {
	unsigned char *at;
	size_t used, room;
};

static void put(struct encoded *e, const void *bytes, size_t n)
{
	if (e->used < e->room)
		memcpy(e->at + e->used, bytes, n < e->room - e->used ? n : e->room - e->used);
	e->used += n;
}

static void put_text(struct encoded *e, const char *text, size_t n)
{
	unsigned char size[2] = { (unsigned char)(n >> 8), (unsigned char)n };
	put(e, size, sizeof size);
	put(e, text, n);
}

/* What is read is a copy of plain malloc's; when there was no memory for it, it is left out. */
static void put_texts(struct encoded *e, const mosquitto_property *p, unsigned char id)
{
	char *text = NULL, *value = NULL;
	uint16_t n = 0;
	const mosquitto_property *found;
	if (id == SK_PROPERTY_CORRELATION_DATA)
		found = broker.read_binary(p, id, (void **)&text, &n, false);
	else if (id == SK_PROPERTY_USER_PROPERTY)
		found = broker.read_pair(p, id, &text, &value, false);
	else
		found = broker.read_string(p, id, &text, false);
	if (found) { /* 2.1 gives NULL for what is empty */
		put(e, &id, 1);
		put_text(e, text ? text : "", id == SK_PROPERTY_CORRELATION_DATA ? n : text ? strlen(text) : 0);
		if (id == SK_PROPERTY_USER_PROPERTY)
			put_text(e, value ? value : "", value ? strlen(value) : 0);
	}
	free(text);
	free(value);
}

static void encode(struct encoded *e, const mosquitto_property *p)
{
	unsigned char id = (unsigned char)broker.identifier(p), byte = 0;
	switch (id) {
	case SK_PROPERTY_PAYLOAD_FORMAT:
		if (!broker.read_byte(p, id, &byte, false))
			return;
		put(e, &id, 1);
		put(e, &byte, 1);
		return;
	case SK_PROPERTY_CONTENT_TYPE: case SK_PROPERTY_RESPONSE_TOPIC: case SK_PROPERTY_CORRELATION_DATA: case SK_PROPERTY_USER_PROPERTY:
		put_texts(e, p, id);
	}
}

size_t sk_broker_properties_encode(const mosquitto_property *list, void *out, size_t room)
{
	struct encoded e = { .at = out, .room = room };
	for (const mosquitto_property *p = can() ? list : NULL; p; p = broker.next(p))
		encode(&e, p);
	return e.used;
}
