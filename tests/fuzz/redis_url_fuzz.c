/* redis_url_fuzz.c -- redis_url_parse(): any text; what is accepted names somebody and is shown on one line, what is refused says why. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "redis/url.h"
#include "tests/fuzz/expect.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void look(const struct redis_url *u)
{
	char shown[2000];

	expect(u->hosts >= 1 || *u->path == '/');
	expect(u->kind == REDIS_ONE || !*u->path);
	expect((u->kind == REDIS_SENTINEL) == (*u->master != 0));
	expect(u->timeout_ms >= 100 && u->timeout_ms <= 60000);
	expect(u->login.database >= 0 && (u->kind != REDIS_CLUSTER || !u->login.database));
	expect(!strpbrk(u->prefix, "{} \n"));
	expect(!u->login.user || u->login.password || u->password_file);
	for (int i = 0; i < u->hosts; i++)
		expect(*u->host[i].host && u->host[i].port > 0 && u->host[i].port < 65536);
	redis_url_show(u, shown, sizeof shown);
	expect(!strncmp(shown, "redis", 5) && strlen(shown) < sizeof shown);
	for (const char *c = shown; *c; c++)
		expect((unsigned char)*c >= ' ' && *c != 127);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *text = strndup((const char *)data, size), why[100] = "";
	struct redis_url u;

	if (text && !redis_url_parse(&u, text, why, sizeof why))
		look(&u);
	else if (text)
		expect(*why);
	if (text)
		redis_url_free(&u);
	free(text);
	return 0;
}
