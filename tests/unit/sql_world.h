/* sql_world.h -- the message and the world that tests of AWS IoT SQL run in: always the same. */
#ifndef TESTS_SQL_WORLD_H
#define TESTS_SQL_WORLD_H

#include "sql/sql.h"

/* `payload` may be NULL, and is not parsed; `topic` NULL is a/b/c. Look-ups: get_thing_shadow of "lamp" has an alarm that is ON,
 * of "later" has no answer yet, of "broken" fails; aws_lambda answers its input as {"got": input}; the registry knows "lamp". Zones:
 * America/Belize, America/Los_Angeles (summer time from March to October), Europe/Berlin is unknown. */
struct sql_message world_message(const char *payload, const char *topic);

#endif
