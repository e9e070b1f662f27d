/* delaying_plugin.c -- decides about clients called later-* only when a file has appeared: lets them in, or not those called later-no-*.
 *
 * Delayed authentication is Mosquitto 2.1's; 2.0 takes the answer for an error. plugin_opt_file names the file. */
#include <dlfcn.h>
#include <mosquitto.h>
#include <mosquitto_broker.h>
#include <mosquitto_plugin.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

enum { AUTH_DELAYED = -5 };

static mosquitto_plugin_id_t *plugin;
static char waiting[64], file[512];

static int on_basic_auth(int event, void *event_data, void *userdata)
{
	const struct mosquitto_evt_basic_auth *ed = event_data;
	const char *id = mosquitto_client_id(ed->client);
	(void)event, (void)userdata;
	if (!id || strncmp(id, "later-", 6))
		return MOSQ_ERR_PLUGIN_DEFER;
	snprintf(waiting, sizeof waiting, "%s", id);
	return AUTH_DELAYED;
}

static int on_tick(int event, void *event_data, void *userdata)
{
	void (*complete)(const char *id, int result);
	(void)event, (void)event_data, (void)userdata;
	if (!waiting[0] || access(file, F_OK))
		return MOSQ_ERR_SUCCESS;
	*(void **)&complete = dlsym(RTLD_DEFAULT, "mosquitto_complete_basic_auth");
	if (complete)
		complete(waiting, strncmp(waiting, "later-no-", 9) ? MOSQ_ERR_SUCCESS : MOSQ_ERR_AUTH);
	waiting[0] = '\0';
	return MOSQ_ERR_SUCCESS;
}

int mosquitto_plugin_version(int count, const int *versions)
{
	(void)count, (void)versions;
	return 5;
}

int mosquitto_plugin_init(mosquitto_plugin_id_t *id, void **userdata, struct mosquitto_opt *options, int n)
{
	(void)userdata;
	plugin = id;
	if (n == 1)
		snprintf(file, sizeof file, "%s", options[0].value);
	return mosquitto_callback_register(id, MOSQ_EVT_BASIC_AUTH, on_basic_auth, NULL, NULL) ||
	       mosquitto_callback_register(id, MOSQ_EVT_TICK, on_tick, NULL, NULL);
}

int mosquitto_plugin_cleanup(void *userdata, struct mosquitto_opt *options, int n)
{
	(void)userdata, (void)options, (void)n;
	mosquitto_callback_unregister(plugin, MOSQ_EVT_BASIC_AUTH, on_basic_auth, NULL);
	mosquitto_callback_unregister(plugin, MOSQ_EVT_TICK, on_tick, NULL);
	return MOSQ_ERR_SUCCESS;
}
