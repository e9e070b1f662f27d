/* deny.c -- the log line of a denial. An attacker chooses how many there are and what stands in them: both are bounded. */
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "plugins/auth/auth.h"

enum { PER_SECOND = 5, SHOWN = 200 };

static bool may_log(struct auth *a)
{
	int64_t more = (a->now_ms - a->log_ms) * PER_SECOND / 1000;

	if (more) { /* less than 0: the clock was set back */
		a->log_tokens = more < 0 || a->log_tokens + more > AUTH_LOG_BURST ? AUTH_LOG_BURST : a->log_tokens + more;
		a->log_ms = a->now_ms;
	}
	if (!a->log_tokens) {
		a->log_missing++;
		return false;
	}
	a->log_tokens--;
	return true;
}

void auth_deny(struct auth *a, const char *fmt, ...)
{
	char line[1400];
	va_list ap;
	int n;

	va_start(ap, fmt);
	n = vsnprintf(line, sizeof(line), fmt, ap);
	va_end(ap);
	if (a->host->denied)
		a->host->denied(line);
	if (!may_log(a))
		return;
	if (a->log_missing && n >= 0 && n < (int)sizeof(line))
		snprintf(line + n, sizeof(line) - (size_t)n, " (%u more denials were not logged)", a->log_missing);
	a->log_missing = 0;
	a->host->log('n', line);
}

const char *auth_shown(const char *text)
{
	static __thread char buffers[2][SHOWN + 4];
	static __thread unsigned turn;
	char *out = buffers[turn++ % 2];
	size_t n = 0;

	for (; text[n] && n < SHOWN; n++)
		out[n] = (unsigned char)text[n] < ' ' || text[n] == 127 ? '?' : text[n];
	/* Not in the middle of a character. */
	while (text[n] && n && ((unsigned char)text[n] & 0xc0) == 0x80)
		n--;
	strcpy(out + n, text[n] ? "…" : "");
	return out;
}
