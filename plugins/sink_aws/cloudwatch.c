/* cloudwatch.c -- metrics (PutMetricData) and states of alarms (SetAlarmState), in the query protocol. */
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "plugins/sink_aws/aws.h"

#define MEMBER "MetricData.member"
#define VERSION "2010-08-01"

/* -- metrics -- */

static bool to_number(const char *s, double *out)
{
	char *end = NULL;

	if (!s || !*s || s[strspn(s, "0123456789+-.eE")])
		return false;
	*out = strtod(s, &end);
	return !*end && isfinite(*out);
}

/* 2026-11-23T16:00:00Z of seconds since 1970; NULL: not within four digits of a year. */
static const char *stamp(struct sk_arena *a, double seconds)
{
	char text[32];
	struct tm tm;
	time_t t;

	if (!(seconds >= 0 && seconds < 253402300800.0))
		return NULL;
	t = (time_t)seconds;
	gmtime_r(&t, &tm);
	strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%SZ", &tm);
	return sk_strdup(a, text);
}

static const char *prepare_metric(const struct aws_sink *s, struct aws_entry *e, struct sk_arena *a)
{
	const char *when = sk_sink_text(e->item, "metricTimestamp"), *space = sk_sink_text(e->item, "metricNamespace");
	double value, seconds = (double)(e->item->time_ms / 1000);

	(void)s;
	if (!to_number(sk_sink_text(e->item, "metricValue"), &value))
		return "metricValue is no number";
	if (when && *when && !to_number(when, &seconds))
		return "metricTimestamp is no number of seconds since 1970";
	e->own = stamp(a, seconds);
	if (!e->own && !a->failed)
		return "metricTimestamp is no time";
	e->group = space;
	e->size = 256;
	return NULL;
}

static void write_metrics(struct aws_request *r)
{
	static const char *const members[][2] = { { "MetricName", "metricName" }, { "Value", "metricValue" }, { "Unit", "metricUnit" } };

	aws_form_begin(r, "PutMetricData", VERSION);
	aws_form(&r->body, "Namespace", sk_sink_text(r->entry[0]->item, "metricNamespace"));
	for (size_t i = 0; i < r->n; i++) {
		for (size_t k = 0; k < sizeof members / sizeof *members; k++)
			aws_form(&r->body, aws_member(r->arena, MEMBER, i + 1, members[k][0]), sk_sink_text(r->entry[i]->item, members[k][1]));
		aws_form(&r->body, aws_member(r->arena, MEMBER, i + 1, "Timestamp"), r->entry[i]->own);
	}
}

const struct aws_service aws_cloudwatch_metric = {
	.name = AWS_CLOUDWATCH, .protocol = AWS_QUERY, .signing = "monitoring", .content_type = AWS_FORM, .resource = "metricNamespace",
	.most_items = 1000, .most_bytes = 256 << 10, .prepare = prepare_metric, .write = write_metrics,
};

/* -- alarms -- */

static const char *prepare_alarm(const struct aws_sink *s, struct aws_entry *e, struct sk_arena *a)
{
	(void)s, (void)a;
	e->key = sk_sink_text(e->item, "alarmName");
	return NULL;
}

static void write_alarm(struct aws_request *r)
{
	const struct sk_sink_item *item = r->entry[0]->item;

	aws_form_begin(r, "SetAlarmState", VERSION);
	aws_form(&r->body, "AlarmName", sk_sink_text(item, "alarmName"));
	aws_form(&r->body, "StateValue", sk_sink_text(item, "stateValue"));
	aws_form(&r->body, "StateReason", sk_sink_text(item, "stateReason"));
}

const struct aws_service aws_cloudwatch_alarm = {
	.name = AWS_CLOUDWATCH, .protocol = AWS_QUERY, .signing = "monitoring", .content_type = AWS_FORM, .resource = "alarmName", .order = AWS_ONCE,
	.most_items = 1, .most_bytes = 64 << 10, .prepare = prepare_alarm, .write = write_alarm,
};
