/* engine_sinks.h -- actions that other plugins of this broker carry out: lambda, iotEvents, iotAnalytics, iotSiteWise. Each becomes an internal event,
 * for whose row its plugin has a handler (core/plugin.h, `on`); while no plugin has one, the action fails with a line that says so.
 *
 * The event's input: {kind, fields: {PATH: text}, id, topic, clientId?, timestamp (ms), payload (a JSON value) or payloadBase64}; of `lambda`
 * functionName and invocationType "Event" too, as whoever answers aws_lambda() knows it (engine_ask.h). The id is the same each time that an item
 * comes. What the handler answers is taken as in a call of AWS's: SK_E_THROTTLING and SK_E_UNAVAILABLE come again, other errors fail. */
#ifndef RULES_ENGINE_SINKS_H
#define RULES_ENGINE_SINKS_H

#include "core/sink.h"

extern const struct sk_sink engine_sinks[]; /* ends with a row of zeros */

#endif
