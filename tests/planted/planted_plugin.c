/* planted_plugin.c -- a plugin with a fault: plugin_opt_bug says which one it commits while the broker ends. That the sanitizers and
 * valgrind are really watching is known because a broker with it fails its test. */
#include <mosquitto_broker.h>
#include <mosquitto_plugin.h>
#include <mosquitto.h>
#include <limits.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

static volatile int number = INT_MAX;
static int shared;

static void heap(void)
{
	volatile char *volatile p = malloc(10);
	volatile int past = 10;

	p[past] = 1;
	free((void *)p);
}

static void leak(void)
{
	char *volatile p = malloc(4321);

	p[0] = 1;
	p = NULL;
}

static void undefined(void)
{
	number = number + 1;
}

static void uninitialised(void)
{
	char *volatile p = malloc(10);

	if (p[3] == 7)
		number = 1;
	free(p);
}

static void *count(void *unused)
{
	for (int i = 0; i < 1000; i++)
		shared++;
	return unused;
}

static void race(void)
{
	pthread_t one, other;

	if (pthread_create(&one, NULL, count, NULL) || pthread_create(&other, NULL, count, NULL))
		return;
	pthread_join(one, NULL);
	pthread_join(other, NULL);
}

static const struct {
	const char *name;
	void (*commit)(void);
} bugs[] = { { "heap", heap }, { "leak", leak }, { "undefined", undefined }, { "uninitialised", uninitialised }, { "race", race } };

int mosquitto_plugin_version(int count_of, const int *versions)
{
	for (int i = 0; i < count_of; i++)
		if (versions[i] == 5)
			return 5;
	return -1;
}

int mosquitto_plugin_init(mosquitto_plugin_id_t *identifier, void **data, struct mosquitto_opt *options, int count_of)
{
	(void)identifier, (void)data, (void)options, (void)count_of;
	return MOSQ_ERR_SUCCESS;
}

int mosquitto_plugin_cleanup(void *data, struct mosquitto_opt *options, int count_of)
{
	(void)data;
	for (int k = 0; k < count_of; k++)
		for (size_t i = 0; i < sizeof bugs / sizeof *bugs; i++)
			if (!strcmp(options[k].value, bugs[i].name))
				bugs[i].commit();
	return MOSQ_ERR_SUCCESS;
}
