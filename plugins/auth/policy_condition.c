/* policy_condition.c -- see policy_condition.h. An operand that is not known matches nothing; a negated operator holds in spite of it for a
 * Deny only. */
#include "plugins/auth/policy_condition.h"

#include <arpa/inet.h>
#include <openssl/evp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <time.h>

/* name, type, relation, negated */
static const struct policy_operator operators[] = {
	{ "StringEquals", POLICY_TEXT, POLICY_EQUAL, false },
	{ "StringNotEquals", POLICY_TEXT, POLICY_EQUAL, true },
	{ "StringEqualsIgnoreCase", POLICY_FOLDED, POLICY_EQUAL, false },
	{ "StringNotEqualsIgnoreCase", POLICY_FOLDED, POLICY_EQUAL, true },
	{ "StringLike", POLICY_LIKE, POLICY_EQUAL, false },
	{ "StringNotLike", POLICY_LIKE, POLICY_EQUAL, true },
	{ "NumericEquals", POLICY_NUMBER, POLICY_EQUAL, false },
	{ "NumericNotEquals", POLICY_NUMBER, POLICY_EQUAL, true },
	{ "NumericLessThan", POLICY_NUMBER, POLICY_LESS, false },
	{ "NumericLessThanEquals", POLICY_NUMBER, POLICY_LESS_EQUAL, false },
	{ "NumericGreaterThan", POLICY_NUMBER, POLICY_GREATER, false },
	{ "NumericGreaterThanEquals", POLICY_NUMBER, POLICY_GREATER_EQUAL, false },
	{ "DateEquals", POLICY_DATE, POLICY_EQUAL, false },
	{ "DateNotEquals", POLICY_DATE, POLICY_EQUAL, true },
	{ "DateLessThan", POLICY_DATE, POLICY_LESS, false },
	{ "DateLessThanEquals", POLICY_DATE, POLICY_LESS_EQUAL, false },
	{ "DateGreaterThan", POLICY_DATE, POLICY_GREATER, false },
	{ "DateGreaterThanEquals", POLICY_DATE, POLICY_GREATER_EQUAL, false },
	{ "Bool", POLICY_BOOL, POLICY_EQUAL, false },
	{ "BinaryEquals", POLICY_BINARY, POLICY_EQUAL, false },
	{ "IpAddress", POLICY_IP, POLICY_EQUAL, false },
	{ "NotIpAddress", POLICY_IP, POLICY_EQUAL, true },
	{ "ArnEquals", POLICY_ARN, POLICY_EQUAL, false },
	{ "ArnLike", POLICY_ARN, POLICY_EQUAL, false },
	{ "ArnNotEquals", POLICY_ARN, POLICY_EQUAL, true },
	{ "ArnNotLike", POLICY_ARN, POLICY_EQUAL, true },
	{ "Null", POLICY_NULL, POLICY_EQUAL, false },
};

static const char *without_set(const char *name, struct policy_condition *c)
{
	static const struct {
		const char *prefix;
		enum policy_set set;
	} sets[] = { { "ForAllValues:", POLICY_ALL_VALUES }, { "ForAnyValue:", POLICY_ANY_VALUE } };

	for (size_t i = 0; i < sizeof(sets) / sizeof(sets[0]); i++) {
		if (strncasecmp(name, sets[i].prefix, strlen(sets[i].prefix)))
			continue;
		c->set = sets[i].set;
		return name + strlen(sets[i].prefix);
	}
	return name;
}

bool policy_operator_named(const char *name, struct policy_condition *c)
{
	static const char suffix[] = "IfExists";
	size_t n;

	name = without_set(name, c);
	n = strlen(name);
	if (n > strlen(suffix) && !strcasecmp(name + n - strlen(suffix), suffix)) {
		c->if_exists = true;
		n -= strlen(suffix);
	}
	for (size_t i = 0; i < sizeof(operators) / sizeof(operators[0]); i++)
		if (strlen(operators[i].name) == n && !strncasecmp(operators[i].name, name, n))
			c->operator = &operators[i];
	/* "...IfExists: any condition operator except Null." */
	return c->operator && !(c->operator->type == POLICY_NULL && (c->if_exists || c->set));
}

/* -- values from text; text ends with a NUL -- */

static bool number_of(const char *text, double *out)
{
	char *end;

	if (!*text || strspn(text, "+-.0123456789eE") != strlen(text))
		return false;
	*out = strtod(text, &end);
	return !*end;
}

/* Reads exactly `digits` digits at *at. */
static bool digits_of(const char **at, int digits, int *out)
{
	*out = 0;
	for (; digits; digits--, (*at)++) {
		if (**at < '0' || **at > '9')
			return false;
		*out = *out * 10 + (**at - '0');
	}
	return true;
}

static bool literal(const char **at, char c)
{
	if (**at != c)
		return false;
	(*at)++;
	return true;
}

/* Z, +hh:mm or -hh:mm, to the end. */
static bool zone_of(const char *at, int64_t *ms)
{
	int hours, minutes, sign = *at == '-' ? -1 : 1;

	if (!strcmp(at, "Z"))
		return true;
	if (*at != '+' && *at != '-')
		return false;
	at++;
	if (!digits_of(&at, 2, &hours) || !literal(&at, ':') || !digits_of(&at, 2, &minutes) || *at || hours > 23 || minutes > 59)
		return false;
	*ms -= sign * (int64_t)(hours * 60 + minutes) * 60000;
	return true;
}

static bool clock_of(const char **at, struct tm *tm)
{
	return literal(at, 'T') && digits_of(at, 2, &tm->tm_hour) && literal(at, ':') && digits_of(at, 2, &tm->tm_min) &&
	       tm->tm_hour < 24 && tm->tm_min < 60;
}

static bool time_of(const char *at, struct tm *tm, int64_t *ms)
{
	int fraction = 0, scale = 100;

	if (!clock_of(&at, tm))
		return false;
	if (*at == ':') {
		at++;
		if (!digits_of(&at, 2, &tm->tm_sec) || tm->tm_sec > 60)
			return false;
	}
	if (*at == '.')
		for (at++; *at >= '0' && *at <= '9'; at++, scale /= 10)
			fraction += (*at - '0') * scale;
	*ms = (int64_t)timegm(tm) * 1000 + fraction;
	return zone_of(at, ms);
}

/* ISO 8601 as W3C profiles it, a day alone included, or seconds since 1970. */
static bool date_of(const char *text, int64_t *ms)
{
	const char *at = text;
	struct tm tm = { .tm_mday = 1 };
	double seconds;

	if (digits_of(&at, 4, &tm.tm_year) && literal(&at, '-') && digits_of(&at, 2, &tm.tm_mon) && literal(&at, '-') &&
	    digits_of(&at, 2, &tm.tm_mday)) {
		if (tm.tm_mon < 1 || tm.tm_mon > 12 || tm.tm_mday < 1 || tm.tm_mday > 31)
			return false;
		tm.tm_year -= 1900;
		tm.tm_mon--;
		*ms = (int64_t)timegm(&tm) * 1000;
		return !*at || time_of(at, &tm, ms);
	}
	if (!number_of(text, &seconds) || seconds < -1e14 || seconds > 1e14)
		return false;
	*ms = (int64_t)(seconds * 1000);
	return true;
}

/* An address of either family as sixteen bytes. */
static bool address_of(const char *text, uint8_t out[16], bool *four)
{
	static const uint8_t mapped[12] = { [10] = 0xff, [11] = 0xff };

	memcpy(out, mapped, sizeof(mapped));
	*four = inet_pton(AF_INET, text, out + 12) == 1;
	if (*four)
		return true;
	if (inet_pton(AF_INET6, text, out) != 1)
		return false;
	*four = !memcmp(out, mapped, sizeof(mapped));
	return true;
}

static bool net_of(const char *text, struct policy_operand *o)
{
	char address[64];
	const char *slash = strchr(text, '/');
	size_t n = slash ? (size_t)(slash - text) : strlen(text);
	int most;
	bool four;

	if (n >= sizeof(address))
		return false;
	memcpy(address, text, n);
	address[n] = 0;
	if (!address_of(address, o->net.address, &four))
		return false;
	most = four && !strchr(address, ':') ? 32 : 128;
	o->net.bits = most;
	if (slash) {
		if (!slash[1] || strspn(slash + 1, "0123456789") != strlen(slash + 1) || strlen(slash + 1) > 3)
			return false;
		o->net.bits = atoi(slash + 1);
	}
	if (o->net.bits > most)
		return false;
	o->net.bits += 128 - most;
	return true;
}

static bool bool_of(const char *text, bool *out)
{
	*out = !strcasecmp(text, "true");
	return *out || !strcasecmp(text, "false");
}

/* Nothing but base64, without the white space that OpenSSL would pass over. */
static bool is_base64(const char *text, int n, int padding)
{
	for (int i = 0; i < n - padding; i++)
		if (!strchr("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/", text[i]) || !text[i])
			return false;
	return n % 4 == 0;
}

/* In place: decoded text is shorter. */
static bool binary_of(struct policy_operand *o)
{
	char *text = (char *)o->pattern.text;
	int n = (int)o->pattern.size, padding = n && text[n - 1] == '=' ? 1 + (n > 1 && text[n - 2] == '=') : 0;
	unsigned char *out;

	if (!is_base64(text, n, padding))
		return false;
	out = malloc((size_t)n + 1);
	n = out ? EVP_DecodeBlock(out, (const unsigned char *)text, n) : -1;
	if (n >= 0) {
		o->pattern.size = (uint32_t)(n - padding);
		memcpy(text, out, o->pattern.size);
	}
	free(out);
	return n >= 0;
}

const char *policy_operand_read(const struct policy_operator *op, struct policy_operand *o)
{
	char text[128];
	bool flag;

	o->known = op->type == POLICY_TEXT || op->type == POLICY_FOLDED || op->type == POLICY_LIKE;
	if (o->known)
		return NULL;
	if (op->type == POLICY_BINARY)
		return (o->known = binary_of(o)) ? NULL : "text in base64";
	if (op->type == POLICY_ARN)
		return (o->known = o->pattern.size >= 3) ? NULL : "an ARN";
	snprintf(text, sizeof(text), "%.*s", (int)o->pattern.size, o->pattern.text);
	if (o->pattern.size >= sizeof(text))
		return "short";
	if (op->type == POLICY_NUMBER)
		return (o->known = number_of(text, &o->number)) ? NULL : "a number";
	if (op->type == POLICY_DATE)
		return (o->known = date_of(text, &o->ms)) ? NULL : "a date in ISO 8601";
	if (op->type == POLICY_IP)
		return (o->known = net_of(text, o)) ? NULL : "an IP address or a range in CIDR";
	o->known = bool_of(text, &flag);
	o->number = flag;
	return o->known ? NULL : "true or false";
}

/* -- one key against one operand -- */

static bool related(enum policy_relation relation, double difference)
{
	switch (relation) {
	case POLICY_LESS:
		return difference < 0;
	case POLICY_LESS_EQUAL:
		return difference <= 0;
	case POLICY_GREATER:
		return difference > 0;
	case POLICY_GREATER_EQUAL:
		return difference >= 0;
	default:
		return difference == 0;
	}
}

static bool in_net(const struct policy_operand *o, const char *key)
{
	uint8_t address[16];
	bool four;
	int bytes = o->net.bits / 8, bits = o->net.bits % 8;

	if (!address_of(key, address, &four) || memcmp(address, o->net.address, (size_t)bytes))
		return false;
	return !bits || !((address[bytes] ^ o->net.address[bytes]) >> (8 - bits));
}

/* "Each of the six colon-delimited components of the ARN is checked separately and each can include wildcards." */
static bool arn_matches(const struct policy_operand *o, const char *key)
{
	const char *pattern = o->pattern.text, *pattern_end = pattern + o->pattern.size, *key_end = key + strlen(key);

	for (int part = 0; part < 5; part++) {
		const char *p = memchr(pattern, ':', (size_t)(pattern_end - pattern)), *k = strchr(key, ':');
		if (!p || !k || !policy_glob(pattern, (size_t)(p - pattern), key, (size_t)(k - key)))
			return false;
		pattern = p + 1;
		key = k + 1;
	}
	return policy_glob(pattern, (size_t)(pattern_end - pattern), key, (size_t)(key_end - key));
}

static bool is_text(const struct policy_operand *o, const char *key)
{
	return strlen(key) == o->pattern.size && !memcmp(key, o->pattern.text, o->pattern.size);
}

static bool matches(const struct policy_operator *op, const struct policy_operand *o, const char *key)
{
	double number;
	int64_t ms;
	bool flag;

	switch (op->type) {
	case POLICY_FOLDED:
		return strlen(key) == o->pattern.size && !strncasecmp(key, o->pattern.text, o->pattern.size);
	case POLICY_LIKE:
		return policy_glob(o->pattern.text, o->pattern.size, key, strlen(key));
	case POLICY_NUMBER:
		return number_of(key, &number) && related(op->relation, number - o->number);
	case POLICY_DATE:
		return date_of(key, &ms) && related(op->relation, (double)(ms - o->ms));
	case POLICY_BOOL:
		return bool_of(key, &flag) && flag == (o->number != 0);
	case POLICY_IP:
		return in_net(o, key);
	case POLICY_ARN:
		return arn_matches(o, key);
	default:
		return is_text(o, key);
	}
}

/* -- a condition -- */

static bool key_holds(const struct policy_condition *c, const char *key)
{
	bool unknown = false;

	for (uint32_t i = 0; i < c->operands; i++) {
		unknown |= !c->operand[i].known;
		if (c->operand[i].known && matches(c->operator, &c->operand[i], key))
			return !c->operator->negated;
	}
	return c->operator->negated && (!unknown || c->deny);
}

static bool has_unknown(const struct policy_condition *c)
{
	for (uint32_t i = 0; i < c->operands; i++)
		if (!c->operand[i].known)
			return true;
	return false;
}

/* "If the key is not present, the values do not match; if the condition requires that it does not match, the condition is true."
 * "ForAllValues is also true when there are no keys in the request." */
static bool absent_holds(const struct policy_condition *c)
{
	if (c->if_exists || c->set == POLICY_ALL_VALUES)
		return true;
	return c->set != POLICY_ANY_VALUE && c->operator->negated && (!has_unknown(c) || c->deny);
}

static bool null_holds(const struct policy_condition *c, bool absent)
{
	for (uint32_t i = 0; i < c->operands; i++)
		if (c->operand[i].known && (c->operand[i].number != 0) == absent)
			return true;
	return false;
}

bool policy_condition_holds(const struct policy_condition *c, const char *const *keys, size_t n)
{
	/* Of a key with several values and no ForAllValues: or ForAnyValue:, one must match; with a negated operator all of them. */
	bool all = c->set == POLICY_ALL_VALUES || (c->set == POLICY_ONE_VALUE && c->operator->negated);

	if (c->operator->type == POLICY_NULL)
		return null_holds(c, !n);
	if (!n)
		return absent_holds(c);
	for (size_t i = 0; i < n; i++)
		if (key_holds(c, keys[i]) != all)
			return !all;
	return all;
}

/* -- the moment -- */

static size_t connect_attributes(enum policy_action action, const struct policy_moment *m, const char *keys[2])
{
	size_t n = 0;

	if (action == POLICY_Connect && m->persistent)
		keys[n++] = "PersistentConnect";
	if (action == POLICY_Connect && m->last_will)
		keys[n++] = "LastWill";
	return n;
}

static void print_time(const struct policy_moment *m, char *out, size_t size)
{
	time_t seconds = (time_t)(m->now_ms / 1000);
	struct tm tm = { 0 };

	gmtime_r(&seconds, &tm);
	strftime(out, size, "%Y-%m-%dT%H:%M:%SZ", &tm);
}

static bool fleeting_holds(const struct policy_condition *c, enum policy_action action, const struct policy_moment *m)
{
	char text[64];
	const char *keys[2] = { text };

	if (c->kind == POLICY_CONNECT_ATTRIBUTES)
		return policy_condition_holds(c, keys, connect_attributes(action, m, keys));
	if (c->kind == POLICY_EPOCH_TIME)
		snprintf(text, sizeof(text), "%lld", (long long)(m->now_ms / 1000));
	else
		print_time(m, text, sizeof(text));
	return policy_condition_holds(c, keys, 1);
}

bool policy_when_holds(const struct policy_when *w, enum policy_action action, const struct policy_moment *m)
{
	for (uint32_t i = 0; i < w->conditions; i++)
		if (!fleeting_holds(&w->condition[i], action, m))
			return false;
	return true;
}
