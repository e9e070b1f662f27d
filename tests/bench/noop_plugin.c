/* noop_plugin.c -- the floor: a plugin whose callbacks do nothing, with one thread that sleeps. What a message costs with it no plugin that
 * has threads can save: glibc takes other ways through malloc and its system calls once a process has two. `threads false` leaves it out. */
#include <mosquitto_broker.h>
#include <mosquitto_plugin.h>
#include <mosquitto.h>
#include <pthread.h>
#include <string.h>
#include <unistd.h>

static mosquitto_plugin_id_t *id;
static bool wanted = true, started;
static pthread_t thread;

static void *sleeping(void *unused)
{
	pause(); /* until it is cancelled */
	return unused;
}

/* A thread made at load would be left behind when Mosquitto becomes a daemon, so it is made here. */
static int allow(int event, void *event_data, void *userdata)
{
	(void)event, (void)event_data, (void)userdata;
	if (wanted && !started)
		started = pthread_create(&thread, NULL, sleeping, NULL) == 0;
	return MOSQ_ERR_SUCCESS;
}

static const int events[] = { MOSQ_EVT_BASIC_AUTH, MOSQ_EVT_ACL_CHECK, MOSQ_EVT_MESSAGE, MOSQ_EVT_DISCONNECT, MOSQ_EVT_TICK };

int mosquitto_plugin_version(int count, const int *versions)
{
	for (int i = 0; i < count; i++)
		if (versions[i] == 5)
			return 5;
	return -1;
}

int mosquitto_plugin_init(mosquitto_plugin_id_t *identifier, void **data, struct mosquitto_opt *options, int count)
{
	(void)data;
	id = identifier;
	for (int i = 0; i < count; i++)
		if (!strcmp(options[i].key, "threads"))
			wanted = !strcmp(options[i].value, "true");
	for (size_t i = 0; i < sizeof events / sizeof *events; i++)
		if (mosquitto_callback_register(id, events[i], allow, NULL, NULL))
			return MOSQ_ERR_UNKNOWN;
	return MOSQ_ERR_SUCCESS;
}

int mosquitto_plugin_cleanup(void *data, struct mosquitto_opt *options, int count)
{
	(void)data, (void)options, (void)count;
	for (size_t i = 0; i < sizeof events / sizeof *events; i++)
		mosquitto_callback_unregister(id, events[i], allow, NULL);
	if (started && !pthread_cancel(thread))
		pthread_join(thread, NULL);
	return MOSQ_ERR_SUCCESS;
}
