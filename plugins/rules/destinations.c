/* destinations.c -- see destinations.h: made, confirmed, changed, listed. What may be sent to is known to the engine by its watch on these records.
 *
 * Whoever asks for a destination does not learn its token: that goes to the URL alone, and comes back with whoever is there. */
#include "plugins/rules/destinations.h"

#include <openssl/crypto.h>
#include <string.h>
#include <time.h>

#include "core/digest.h"
#include "core/sink.h"
#include "core/token.h"
#include "plugins/rules/rules.h"

#define OPS_FILE "plugins/rules/destinations.ops"
#define OPS_GROUP destinations
#define OPS_SERVICE "iot"
#include "core/ops_table.h"

enum { HEX = 2 * SK_DIGEST_SIZE + 1, TOKEN = 32, PAGE = 1000, URL_MOST = 2000 };
#define CONFIRM_MS INT64_C(259200000) /* three days */

/* -- records -- */

static const cJSON *destination_get(struct sk_call *c, const char *id)
{
	return sk_get(c, "registry/destination/%s", id);
}

static const char *hash_of(struct sk_call *c, const char *text)
{
	uint8_t hash[SK_DIGEST_SIZE];
	char hex[HEX];

	sk_digest(text, strlen(text), hash);
	sk_hex(hash, sizeof hash, hex);
	return sk_strdup(c->arena, hex);
}

static void index_put(struct sk_call *c, const char *what, const char *hash, const char *id)
{
	cJSON *record = sk_json_object(c->arena);

	sk_json_set_string(c->arena, record, "id", id);
	sk_put(c, record, "registry/destination-%s/%s", what, hash);
}

static int64_t counted(struct sk_call *c)
{
	return sk_json_int_of(sk_get(c, "registry/destination-count"), "count", 0);
}

static void count(struct sk_call *c, int64_t n)
{
	cJSON *record = sk_json_object(c->arena);

	sk_json_set_int(c->arena, record, "count", n > 0 ? n : 0);
	sk_put(c, record, "registry/destination-count");
}

static const char *url_of(const cJSON *record)
{
	return sk_json_text(record, "url");
}

static bool has_status(const cJSON *record, const char *status)
{
	const char *now = sk_json_text(record, "status");

	return now && !strcmp(now, status);
}

static void set_status(struct sk_call *c, cJSON *record, const char *status, const char *reason)
{
	sk_json_set_string(c->arena, record, "status", status);
	sk_json_remove(record, "reason");
	sk_json_set_string(c->arena, record, "reason", reason);
	sk_json_set_int(c->arena, record, "updatedAt", c->now_ms);
}

static const char *timer_of(struct sk_call *c, const char *id)
{
	return sk_printf(c->arena, "destination:%s", id);
}

/* -- names -- */

static const char *arn_of(struct sk_call *c, const char *id, const cJSON *record)
{
	return sk_arn(c, "ruledestination/%s/%s", url_of(record) ? "http" : "vpc", id);
}

static bool is_id(const char *text)
{
	return strlen(text) == DESTINATION_ID && strspn(text, "0123456789abcdef-") == DESTINATION_ID;
}

/* "ruledestination/http/ID" of this account, whatever the region; "": it is another ARN. */
static const char *id_of_arn(struct sk_call *c, const char *arn, const char **kind)
{
	const char *tail = sk_arn(c, "%s", ""), *at = arn;

	*kind = "";
	for (int i = 0; i < 4 && at; i++)
		at = strchr(at + !!i, ':');
	for (int i = 0; i < 4 && tail; i++)
		tail = strchr(tail + !!i, ':');
	size_t n = tail ? strlen(tail) : 0;
	if (!at || !tail || strncmp(arn, "arn:aws:iot:", 12) || strncmp(at, tail, n) || strncmp(at + n, "ruledestination/", 16))
		return "";
	*kind = at + n + 16;
	const char *slash = strchr(*kind, '/');
	return slash && is_id(slash + 1) ? slash + 1 : "";
}

static int fail_absent(struct sk_call *c, const char *arn)
{
	return sk_fail(c, SK_E_UNAUTHORIZED, "Access to topic rule destination '%.200s' was denied", arn);
}

/* The record that the input's ARN names; NULL: *rc says why not. */
static const cJSON *named(struct sk_call *c, const char **id, int *rc)
{
	const char *arn = sk_json_text(c->in, "arn"), *kind;
	*id = id_of_arn(c, arn, &kind);
	const cJSON *record = **id ? destination_get(c, *id) : NULL;

	if (record && strncmp(kind, url_of(record) ? "http/" : "vpc/", url_of(record) ? 5 : 4))
		record = NULL;
	*rc = record ? SK_OK : fail_absent(c, arn);
	return record;
}

/* -- asking -- */

static const char *date(struct sk_call *c, int64_t ms)
{
	time_t s = (time_t)(ms / 1000);
	struct tm tm;
	char text[32];

	strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%S", gmtime_r(&s, &tm));
	return sk_printf(c->arena, "%s.%03dZ", text, (int)(ms % 1000));
}

static const char *new_token(struct sk_call *c)
{
	uint8_t chance[TOKEN];
	char hex[2 * TOKEN + 1];

	sk_random(c, chance, sizeof chance);
	sk_hex(chance, sizeof chance, hex);
	return sk_strdup(c->arena, hex);
}

static void forget_token(struct sk_call *c, const cJSON *record)
{
	const char *digest = sk_json_text(record, "digest");

	if (digest)
		sk_remove(c, "registry/destination-token/%s", digest);
}

/* A new token each time; the one before is worth nothing from then on. */
static void ask(struct sk_call *c, const char *id, cJSON *record)
{
	const char *token = new_token(c), *digest = hash_of(c, token);
	cJSON *event = sk_json_object(c->arena), *late = sk_json_object(c->arena);

	forget_token(c, record);
	set_status(c, record, "IN_PROGRESS", sk_printf(c->arena, "Awaiting confirmation. Confirmation message sent on %s; no response received from the endpoint.", date(c, c->now_ms)));
	sk_json_set_string(c->arena, record, "digest", digest);
	index_put(c, "token", digest, id);
	sk_json_set_string(c->arena, event, "destinationId", id);
	sk_json_set_string(c->arena, event, "url", url_of(record));
	sk_json_set_string(c->arena, event, "token", token);
	sk_emit(c, DESTINATION_EVENT_CONFIRM, event);
	sk_json_set_string(c->arena, late, "destinationId", id);
	sk_timer_set(c, timer_of(c, id), c->now_ms + CONFIRM_MS, DESTINATION_EVENT_LATE, late);
}

/* Nobody has confirmed it within its time. */
int destinations_on_late(struct sk_call *c)
{
	const char *id = sk_json_text(c->in, "destinationId");
	const cJSON *before = destination_get(c, id);
	cJSON *record;

	if (!has_status(before, "IN_PROGRESS"))
		return SK_OK;
	record = sk_json_copy(c->arena, before);
	forget_token(c, record);
	sk_json_remove(record, "digest");
	set_status(c, record, "ERROR", "Confirmation timed out: it was not confirmed within three days");
	sk_put(c, record, "registry/destination/%s", id);
	return SK_OK;
}

/* It still waits, and may be confirmed by whoever has the token: but why nobody may have it is told. */
int destinations_on_unsent(struct sk_call *c)
{
	const char *id = sk_json_text(c->in, "destinationId"), *why = sk_json_text(c->in, "why"), *digest = sk_json_text(c->in, "digest");
	const cJSON *before = destination_get(c, id);
	const char *now = sk_json_text(before, "digest");

	if (!has_status(before, "IN_PROGRESS") || !now || !digest || strcmp(now, digest))
		return SK_OK;
	cJSON *record = sk_json_copy(c->arena, before);
	set_status(c, record, "IN_PROGRESS", sk_printf(c->arena, "Awaiting confirmation. The confirmation message could not be delivered: %.300s", why ? why : "memory is out"));
	sk_put(c, record, "registry/destination/%s", id);
	return SK_OK;
}

/* -- making -- */

static cJSON *new_record(struct sk_call *c)
{
	cJSON *record = sk_json_object(c->arena);

	sk_json_set_int(c->arena, record, "createdAt", c->now_ms);
	sk_json_set_int(c->arena, record, "updatedAt", c->now_ms);
	return record;
}

static cJSON *make_http(struct sk_call *c, const char *id, const char *url)
{
	cJSON *record = new_record(c);

	sk_json_set_string(c->arena, record, "url", url);
	index_put(c, "url", hash_of(c, url), id);
	ask(c, id, record);
	sk_put(c, record, "registry/destination/%s", id);
	return record;
}

/* There is no network of AWS's to make it in: it is there at once, as a name for kafka actions. */
static cJSON *make_vpc(struct sk_call *c, const char *id, const cJSON *given)
{
	static const char *const members[] = { "subnetIds", "securityGroups", "vpcId", "roleArn" };
	cJSON *record = new_record(c), *vpc = sk_json_set_object(c->arena, record, "vpc");

	for (size_t i = 0; i < sizeof members / sizeof *members; i++)
		if (sk_json_get(given, members[i]))
			sk_json_set(c->arena, vpc, members[i], sk_json_copy(c->arena, sk_json_get(given, members[i])));
	set_status(c, record, "ENABLED", NULL);
	sk_put(c, record, "registry/destination/%s", id);
	return record;
}

static const cJSON *known(struct sk_call *c, const char *url)
{
	return sk_get(c, "registry/destination-url/%s", hash_of(c, url));
}

static int fail_exists(struct sk_call *c, const char *id)
{
	int rc = sk_fail(c, SK_E_ALREADY_EXISTS, "A topic rule destination with this confirmationUrl already exists");

	c->error_fields = sk_json_object(c->arena);
	sk_json_set_string(c->arena, c->error_fields, "resourceId", id);
	sk_json_set_string(c->arena, c->error_fields, "resourceArn", sk_arn(c, "ruledestination/http/%s", id));
	return rc;
}

static int check_new(struct sk_call *c, const cJSON *http, const cJSON *vpc)
{
	const char *url = sk_json_text(http, "confirmationUrl"), *fault = url ? destination_url_fault(url) : NULL;
	const struct rules_state *s = c->state;
	const cJSON *there = url && !fault ? known(c, url) : NULL;

	if (!http == !vpc)
		return sk_fail(c, SK_E_INVALID_REQUEST, "A destination has either a httpUrlConfiguration or a vpcConfiguration");
	if (fault)
		return sk_fail(c, SK_E_INVALID_REQUEST, "confirmationUrl: %s", fault);
	if (there)
		return fail_exists(c, sk_json_text(there, "id"));
	if (counted(c) >= s->most_rules)
		return sk_fail(c, SK_E_INVALID_REQUEST, "There can be at most %lld destinations (plugin_opt_most_rules)", (long long)s->most_rules);
	return SK_OK;
}

/* -- showing -- */

static cJSON *shown(struct sk_call *c, const char *id, const cJSON *record, bool summary)
{
	cJSON *out = sk_json_object(c->arena), *http;

	sk_json_set_string(c->arena, out, "arn", arn_of(c, id, record));
	sk_json_set_string(c->arena, out, "status", sk_json_text(record, "status"));
	sk_json_set(c->arena, out, "createdAt", sk_json_time(c->arena, sk_json_int_of(record, "createdAt", 0)));
	sk_json_set(c->arena, out, "lastUpdatedAt", sk_json_time(c->arena, sk_json_int_of(record, "updatedAt", 0)));
	sk_json_set_string(c->arena, out, "statusReason", sk_json_text(record, "reason"));
	if (!url_of(record)) {
		sk_json_set(c->arena, out, summary ? "vpcDestinationSummary" : "vpcProperties", sk_json_copy(c->arena, sk_json_get(record, "vpc")));
		return out;
	}
	http = sk_json_set_object(c->arena, out, summary ? "httpUrlSummary" : "httpUrlProperties");
	sk_json_set_string(c->arena, http, "confirmationUrl", url_of(record));
	return out;
}

/* -- operations -- */

static int CreateTopicRuleDestination(struct sk_call *c)
{
	const cJSON *wanted = sk_json_get(c->in, "destinationConfiguration"), *http = sk_json_get(wanted, "httpUrlConfiguration");
	const cJSON *vpc = sk_json_get(wanted, "vpcConfiguration");
	http = cJSON_IsObject(http) ? http : NULL;
	vpc = cJSON_IsObject(vpc) ? vpc : NULL;
	int rc = check_new(c, http, vpc);

	if (rc)
		return rc;
	const char *id = sk_uuid(c);
	const cJSON *record = http ? make_http(c, id, sk_json_text(http, "confirmationUrl")) : make_vpc(c, id, vpc);
	count(c, counted(c) + 1);
	sk_json_set(c->arena, c->out, "topicRuleDestination", shown(c, id, record, false));
	return SK_OK;
}

static int GetTopicRuleDestination(struct sk_call *c)
{
	const char *id;
	int rc;
	const cJSON *record = named(c, &id, &rc);

	if (record)
		sk_json_set(c->arena, c->out, "topicRuleDestination", shown(c, id, record, false));
	return rc;
}

static int ListTopicRuleDestinations(struct sk_call *c)
{
	const char *token = sk_json_text(c->in, "nextToken"), *after = token ? sk_token_read(c->arena, token) : NULL;

	if (token && !after)
		return sk_fail(c, SK_E_INVALID_REQUEST, "Invalid nextToken");
	struct sk_scan page = sk_scan(c, (size_t)sk_json_int_of(c->in, "maxResults", PAGE), after, "registry/destination/");
	cJSON *list = sk_json_set_array(c->arena, c->out, "destinationSummaries");
	for (size_t i = 0; i < page.count; i++)
		sk_json_append(list, shown(c, page.row[i].name, page.row[i].document, true));
	if (page.next)
		sk_json_set_string(c->arena, c->out, "nextToken", sk_token_of(c->arena, page.next));
	return SK_OK;
}

/* "You can only enable a destination that's in DISABLED status", and the other way round; what is so already stays. */
static const char *change_fault(const cJSON *record, const char *to)
{
	bool again = !strcmp(to, "IN_PROGRESS");

	if (again)
		return url_of(record) ? NULL : "a VPC destination is not confirmed";
	if (strcmp(to, "ENABLED") && strcmp(to, "DISABLED"))
		return "status can be set to ENABLED, DISABLED and IN_PROGRESS";
	return has_status(record, "ENABLED") || has_status(record, "DISABLED") ? NULL : "it has not been confirmed";
}

static int UpdateTopicRuleDestination(struct sk_call *c)
{
	const char *to = sk_json_text(c->in, "status"), *id;
	int rc;
	const cJSON *before = named(c, &id, &rc);
	const char *fault = before ? change_fault(before, to) : NULL;

	if (!before)
		return rc;
	if (fault)
		return sk_fail(c, SK_E_INVALID_REQUEST, "The topic rule destination cannot become %s: %s", to, fault);
	if (has_status(before, to) && strcmp(to, "IN_PROGRESS"))
		return SK_OK;
	cJSON *record = sk_json_copy(c->arena, before);
	if (!strcmp(to, "IN_PROGRESS"))
		ask(c, id, record);
	else
		set_status(c, record, to, NULL);
	sk_put(c, record, "registry/destination/%s", id);
	return SK_OK;
}

static int DeleteTopicRuleDestination(struct sk_call *c)
{
	const char *id;
	int rc;
	const cJSON *record = named(c, &id, &rc);

	if (!record)
		return rc;
	if (url_of(record)) {
		forget_token(c, record);
		sk_remove(c, "registry/destination-url/%s", hash_of(c, url_of(record)));
		sk_timer_clear(c, timer_of(c, id));
	}
	sk_remove(c, "registry/destination/%s", id);
	count(c, counted(c) - 1);
	return SK_OK;
}

/* Found by its hash, so that no comparison's time says anything about a token; then that once more, in constant time. */
static int ConfirmTopicRuleDestination(struct sk_call *c)
{
	const char *digest = hash_of(c, sk_json_text(c->in, "confirmationToken"));
	const char *id = sk_json_text(digest ? sk_get(c, "registry/destination-token/%s", digest) : NULL, "id");
	const cJSON *before = id ? destination_get(c, id) : NULL;
	const char *stored = sk_json_text(before, "digest");

	if (!stored || strlen(stored) != HEX - 1 || CRYPTO_memcmp(stored, digest, HEX - 1))
		return sk_fail(c, SK_E_INVALID_REQUEST, "The confirmation token is invalid: it was never given out, has been replaced by another, or came too late");
	if (!has_status(before, "IN_PROGRESS"))
		return SK_OK; /* a browser asks twice */
	cJSON *record = sk_json_copy(c->arena, before);
	set_status(c, record, "ENABLED", NULL);
	sk_put(c, record, "registry/destination/%s", id);
	sk_timer_clear(c, timer_of(c, id));
	return SK_OK;
}

/* -- those that rules bring -- */

/* "If url contains a substitution template, you must specify confirmationUrl"; both without templates: the one begins with the other. */
static const char *action_fault(const char *url, const char *confirm)
{
	const char *base = confirm ? confirm : url;
	bool known_url = !strstr(url, "${"), known_base = !strstr(base, "${");

	if (!known_url && !confirm)
		return "a url with a template needs a confirmationUrl";
	if (known_base && destination_url_fault(base))
		return destination_url_fault(base);
	if (!known_base)
		return NULL;
	return known_url ? destination_is_below(url, base) ? NULL : "url does not begin with confirmationUrl"
	                 : !strncmp(url, base, strlen(base)) ? NULL : "url does not begin with confirmationUrl";
}

static int of_action(struct sk_call *c, const struct rules_action *action, const char *where)
{
	const struct rules_state *s = c->state;
	const char *url = sk_json_text(action->fields, "url"), *confirm = sk_json_text(action->fields, "confirmationUrl"), *base = confirm ? confirm : url;

	if (strcmp(action->kind->name, "http") || !url)
		return SK_OK;
	const char *fault = action_fault(url, confirm);
	if (fault)
		return sk_fail(c, SK_E_INVALID_REQUEST, "%s.http: %s", where, fault);
	if (strstr(base, "${") || strlen(base) > URL_MOST || known(c, base) || counted(c) >= s->most_rules)
		return SK_OK;
	make_http(c, sk_uuid(c), base);
	count(c, counted(c) + 1);
	return SK_OK;
}

int destinations_of_rule(struct sk_call *c, const struct rules_rule *rule)
{
	const struct rules_state *s = c->state;
	int rc = SK_OK;

	if (s->destinations == DESTINATIONS_ANY)
		return SK_OK;
	for (int i = 0; !rc && i < rule->actions; i++)
		rc = of_action(c, &rule->action[i], sk_printf(c->arena, "actions[%d]", i));
	return rc || !rule->error_action ? rc : of_action(c, rule->error_action, "errorAction");
}
