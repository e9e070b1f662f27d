/* lua_host_test.c -- files of rules load or say why not; runs leave what their rules did, all or nothing. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "tests/unit/lua_world.h"

static void a_rule_with_a_topic_runs(void **state)
{
	struct lua_try *t = try_file("rule \"overheat\" {\n"
	                             "  description = \"too hot\",\n"
	                             "  topic = \"factory/+/temperature\",\n"
	                             "  where = function(m) return m.temp > 30 end,\n"
	                             "  run = function(m) publish(\"factory/\" .. m.levels[2] .. \"/valve/set\", { open = false }) end,\n"
	                             "}\n", NULL);
	const struct lua_rule *r = lua_file_rule(t->file, 0);

	(void)state;
	assert_int_equal(lua_file_rules(t->file), 1);
	assert_string_equal(r->name, "overheat");
	assert_string_equal(r->filter, "factory/+/temperature");
	assert_string_equal(r->description, "too hot");
	assert_int_equal(r->line, 1);
	assert_true(r->has_run && r->has_where && !r->has_timer && !r->disabled && !r->sql && !r->actions);
	assert_null(lua_file_rule(t->file, 1));
	assert_string_equal(try_run(t, "factory/hall-3/temperature", "{\"temp\":31}"), "factory/hall-3/valve/set {\"open\":false}");
	assert_string_equal(try_run(t, "factory/hall-3/temperature", "{\"temp\":30}"), "no");
	assert_true(t->out.instructions < 1000);
	assert_string_equal(try_run(t, "factory/hall-3/temperature", "{}"), "error: a.lua:4: attempt to compare number with nil");
	assert_false(t->out.budget);
	try_free(&t);
	assert_null(t);
}


/* A body of run, and what it did. */
struct body {
	const char *body, *did;
};

static void all(const struct body *list, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		const char *did = try_body(list[i].body);
		if (strcmp(did, list[i].did) != 0)
			fail_msg("%s\n  expected %s\n  came     %s", list[i].body, list[i].did, did);
	}
}
#define ALL(list) all(list, sizeof(list) / sizeof *(list))

/* -- the message -- */

static void a_message_is_read_like_a_table(void **state)
{
	static const struct body list[] = {
		{ "publish('x', m.temp .. ' ' .. m.name .. ' ' .. tostring(m.yes))", "x 21.5 Ada true" },
		{ "publish('x', m.site.hall .. #m.list .. #m.site.rows .. #m.empty)", "x B430" },
		{ "publish('x', tostring(m.none == null) .. tostring(m.list[3] == null) .. tostring(m.nothing))", "x truetruenil" },
		{ "publish('x', m.list[4].a .. tostring(m.list[5]) .. tostring(m.list[0]) .. tostring(m.list.x) .. tostring(m.site[1]))", "x 1nilnilnilnil" },
		{ "local t = {} for k, v in pairs(m.site) do t[#t + 1] = k .. '=' .. tostring(v) end publish('x', table.concat(t, ','))", "x hall=B,rows=[1,2,3]" },
		{ "local t = {} for i, v in ipairs(m.list) do t[#t + 1] = i .. '=' .. tostring(v) end publish('x', table.concat(t, ','))",
		  "x 1=10,2=x,3=null,4={\"a\":1}" },
		{ "local n = 0 for k in pairs(m) do n = n + 1 end publish('x', n)", "x 12" },
		{ "for i, v in pairs(m.site.rows) do publish('x', i * v) end", "x 1\nx 4\nx 9" },
		{ "publish('x', m.site.rows[3] + m.site.rows[2] + m.site.rows[1])", "x 6" },
		{ "publish('x', table.concat(m.site.rows, '+') .. '=' .. select('#', table.unpack(m.site.rows)))", "x 1+2+3=3" },
		{ "publish('x', tostring(m.site == m.site) .. tostring(m.site == m.site.rows) .. type(m.site) .. type(m) .. type(m.none))", "x truefalsetabletablenull" },
		{ "publish('x', math.type(m.n) .. math.type(m.big) .. math.type(m.huge) .. (m.big + 1) .. ' ' .. m.n // 2)", "x integerintegerfloat9007199254740994 3" },
		{ "publish('x', #m)", "error: a.lua:1: an object has no length: only lists have" },
		{ "return m.nothing.more", "error: a.lua:1: attempt to index a nil value (field 'nothing')" },
		{ "return m.none.more", "error: a.lua:1: null has no member 'more'" },
	};

	(void)state;
	ALL(list);
}

static void the_names_of_a_message_are_its_own(void **state)
{
	static const struct body list[] = {
		{ "publish('x', m.topic .. ' ' .. m.client .. ' ' .. m.payload.topic .. ' ' .. m.payload.client)", "x factory/hall-3/temperature client-1 forged forged" },
		{ "publish('x', #m.levels .. m.levels[2] .. tostring(m.levels[4]) .. m.levels[3])", "x 3hall-3niltemperature" },
		{ "m.levels[2] = 'mine' publish('x', m.levels[2])", "x mine" },
		{ "publish('x', m.mqtt.qos .. tostring(m.mqtt.retain) .. m.mqtt.content_type .. m.mqtt.response_topic .. m.mqtt.expiry .. m.mqtt.user.unit .. m.mqtt.source_ip)",
		  "x 1falseapplication/jsonanswers60C192.0.2.7" },
		{ "publish('x', #m.raw .. m.raw:sub(1, 12))", "x 216{\"temp\":21.5" },
	};
	struct lua_try *t = try_file("rule 'r' { topic = '#', run = function(m) publish('x', m.raw .. '|' .. tostring(m.payload) .. tostring(m.a) .. #m.levels .. '|' .. tostring(m)) end }", NULL);

	(void)state;
	ALL(list);
	assert_string_equal(try_run(t, "a/b", "not JSON"), "x not JSON|nilnil2|not JSON");
	assert_string_equal(try_run(t, "", "42"), "x 42|42nil1|42");
	assert_string_equal(try_run(t, "/", "\"s\""), "x \"s\"|snil2|s");
	assert_string_equal(try_run(t, "a", "[7]"), "x [7]|[7]nil1|[7]");
	try_free(&t);
}

/* -- JSON -- */

static void tables_become_json(void **state)
{
	static const struct body list[] = {
		{ "publish('x', {})", "x {}" },
		{ "publish('x', array {})", "x []" },
		{ "publish('x', { 1, 'a', true, null, { b = 1.5 } })", "x [1,\"a\",true,null,{\"b\":1.5}]" },
		{ "publish('x', { b = 1, a = 2, ['\xc3\xa4 \"'] = 3 })", "x {\"a\":2,\"b\":1,\"\xc3\xa4 \\\"\":3}" },
		{ "publish('x', { n = math.maxinteger, m = math.mininteger, f = 3.0, e = 1e300 })",
		  "x {\"e\":1e+300,\"f\":3,\"m\":-9223372036854775808,\"n\":9223372036854775807}" },
		{ "publish('x', { big = m.huge, whole = m.site })", "x {\"big\":18446744073709552000,\"whole\":{\"hall\":\"B\",\"rows\":[1,2,3]}}" },
		{ "publish('x', m.site)", "x {\"hall\":\"B\",\"rows\":[1,2,3]}" },
		{ "local t = array { 1, 2 } t[2] = nil t[1] = nil publish('x', t)", "x []" },
		{ "local t = json.copy(m.empty) publish('x', t) t[1] = 1 publish('x', t)", "x []\nx [1]" },
		{ "local t = json.copy(m.site) t.rows[4] = 4 t.hall = nil publish('x', t)", "x {\"rows\":[1,2,3,4]}" },
		{ "publish('x', json.decode('{\"a\":[1,2.5,\"\\\\u00e4\",null,{}]}'))", "x {\"a\":[1,2.5,\"\xc3\xa4\",null,{}]}" },
		{ "publish('x', json.encode({ a = { 1 } }) .. json.encode('s') .. json.encode(null) .. json.encode(m.n))", "x {\"a\":[1]}\"s\"null7" },
		{ "publish('x', json.encode({ a = 1 }, true))", "x {\n  \"a\": 1\n}" },
		{ "publish('x', 42) publish('x', true) publish('x', null) publish('x', '')", "x 42\nx true\nx null\nx " },
		{ "publish('x', { a = { 1, nil, 3 } })", "error: a.lua:1: publish: the value at .a is a list with holes: its keys must be 1 to n (null stands for nothing)" },
		{ "publish('x', { 1, a = 2 })", "error: a.lua:1: publish: the value has names and numbers as keys: a list has 1 to n, an object has strings" },
		{ "publish('x', { a = { { f = print } } })", "error: a.lua:1: publish: the value at .a[1].f is a function, which JSON does not have" },
		{ "publish('x', { a = 0 / 0 })", "error: a.lua:1: publish: the value at .a is not a number (0/0)" },
		{ "publish('x', { a = 1 / 0 })", "error: a.lua:1: publish: the value at .a is infinite" },
		{ "publish('x', { a = '\\xff' })", "error: a.lua:1: publish: the value at .a is not UTF-8, so it cannot be JSON" },
		{ "publish('x', { a = 'b\\0c' })", "error: a.lua:1: publish: the value at .a has a byte 0, which JSON texts here may not have" },
		{ "publish('x', { [{}] = 1 })", "error: a.lua:1: publish: the value is a list with holes: its keys must be 1 to n (null stands for nothing)" },
		{ "local t = {} t.self = t publish('x', t)", "error: a.lua:1: publish: the value at .self contains itself" },
		{ "publish('x')", "error: a.lua:1: publish: the value is nil: null stands for nothing in JSON" },
		{ "json.decode('{\"a\":}')", "error: a.lua:1: json.decode: at byte 6: expected a value" },
		{ "array(setmetatable({}, {}))", "error: a.lua:1: array: this table has a metatable already" },
	};

	(void)state;
	ALL(list);
}

/* -- what rules do -- */

static void publishing(void **state)
{
	static const struct body list[] = {
		{ "publish('a/b', 'text', { qos = 1, retain = true })", "a/b text qos1 retain" },
		{ "publish('a/b', 'x', { qos = 2 })", "error: a.lua:1: qos: expected a whole number from 0 to 1" },
		{ "publish('a/b', 'x', { qso = 1 })", "error: a.lua:1: publish: unknown field 'qso': did you mean 'qos'?" },
		{ "publish('a/b', 'x', { retain = 1 })", "error: a.lua:1: publish: retain must be boolean, not number" },
		{ "publish('a/b', 'x', 1)", "error: a.lua:1: publish: expected a table { ... }, got number" },
		{ "publish('a/+', 'x')", "error: a.lua:1: publish: 'a/+' is a filter: a topic has no + and no #" },
		{ "publish('', 'x')", "error: a.lua:1: publish: the topic: expected 1 to 65535 bytes, got 0" },
		{ "publish(nil, 'x')", "error: a.lua:1: publish: the topic: expected text, got nil" },
		{ "publish('a\\0b', 'x')", "error: a.lua:1: publish: the topic: expected UTF-8 without a byte 0" },
		{ "publish('a', 'x', json.decode('{}'))", "a x" },
		{ "publish('a', 'x', m.none)", "error: a.lua:1: publish: expected a table { ... }, got null" },
		{ "publish('a', 'x', { user = m.site })", "error: a.lua:1: user: expected a table { name = \"value\" }: json.copy(...) makes one of a document" },
		{ "publish('a', 'x', { user = { a = 1 } })", "error: a.lua:1: user: the value of a property: expected text, got number" },
	};
	struct lua_try *t = try_file("rule 'r' { topic = '#', run = function(m) publish('x', 'a\\0b', { expiry = 5, content_type = 't', response_topic = 'r', correlation = 'c',"
	                             " utf8 = true, user = { k = 'v' } }) end }", NULL);

	(void)state;
	ALL(list);
	try_run(t, "a", "{}");
	const struct sk_message *m = &t->out.effects->message;
	assert_int_equal(m->size, 3);
	assert_memory_equal(m->payload, "a\0b", 3);
	assert_int_equal(m->expiry_s, 5);
	assert_string_equal(m->content_type, "t");
	assert_string_equal(m->response_topic, "r");
	assert_int_equal(m->correlation_size, 1);
	assert_true(m->utf8 && m->users == 1);
	assert_string_equal(m->user[0].name, "k");
	assert_string_equal(m->user[0].value, "v");
	try_free(&t);
}

static void state_timers_and_sinks(void **state)
{
	static const struct body list[] = {
		{ "state.set('k', { 1 }) local v = state.get('k') v[2] = 5 publish('x', v) publish('y', state.get('k'))", "state k [1]\nx [1,5]\ny [1]" },
		{ "state.set('k', 1) state.set('k', nil) publish('x', tostring(state.get('k')) .. state.get('k', 'else'))", "state k 1\nstate k nil\nx nilelse" },
		{ "state.set('k', null) publish('x', tostring(state.get('k')))", "state k null\nx null" },
		{ "state.set('k', false) publish('x', tostring(state.get('k', true)))", "state k false\nx false" },
		{ "state.set(1, 1)", "error: a.lua:1: state.set: the key: expected text, got number" },
		{ "state.set('k', print)", "error: a.lua:1: state.set: the value is a function, which JSON does not have" },
		{ "timer.set('t', 1.5, { a = 1 }) timer.clear('u')", "timer t 1700000001500 {\"a\":1}\nclear u" },
		{ "timer.set('t', -1)", "error: a.lua:1: timer.set: expected 0 to 31622400 seconds" },
		{ "timer.set('t')", "error: a.lua:1: timer.set: expected 0 to 31622400 seconds" },
		{ "shadow.desire('valve', { open = false })", "$aws/things/valve/shadow/update {\"state\":{\"desired\":{\"open\":false}}} qos1" },
		{ "shadow.report('valve', { open = false }, 'cfg')", "$aws/things/valve/shadow/name/cfg/update {\"state\":{\"reported\":{\"open\":false}}} qos1" },
		{ "shadow.update('valve', { open = false })", "error: a.lua:1: shadow.update: expected a document { state = { desired = ..., reported = ... } }" },
		{ "sink.sqs { queueUrl = 'q', payload = { a = 1 } }", "sqs {\"queueUrl\":\"q\"} {\"a\":1}" },
		{ "sink.sqs { queueUrl = 'q', payload = 'text' }", "sqs {\"queueUrl\":\"q\"} text" },
		{ "sink.sqss { queueUrl = 'q' }", "error: a.lua:1: sink: there is no action 'sqss': did you mean 'sqs'?" },
		{ "sink.sqs('q')", "error: a.lua:1: sink.sqs: expected a table { ... }, got string" },
		{ "sink.x = 1", "error: a.lua:1: sink: its actions are AWS's, none can be added" },
		{ "log('a', 1, nil, m.site, '\\n\\x01b')", "log a 1 nil {\"hall\":\"B\",\"rows\":[1,2,3]}   b" },
		{ "print('a')", "log a" },
		{ "log(('\xc3\xa4'):rep(1000))", NULL },
	};

	(void)state;
	all(list, sizeof list / sizeof *list - 1);
	assert_int_equal(strlen(try_body(list[sizeof list / sizeof *list - 1].body)), 4 + 1024);
}

static void time_and_chance_are_the_runs(void **state)
{
	static const struct body list[] = {
		{ "publish('x', time.now() .. ' ' .. time.ms() .. ' ' .. time.format('%Y-%m-%dT%H:%M:%SZ') .. ' ' .. time.format('%j %a', 0))",
		  "x 1700000000 1700000000000 2023-11-14T22:13:20Z 001 Thu" },
		{ "local t = time.utc(time.now()) publish('x', t.year .. t.month .. t.day .. t.hour .. t.min .. t.sec .. t.weekday .. t.yearday)", "x 20231114221320" "2318" },
		{ "publish('x', time.format('%Q'))", "error: a.lua:1: time.format: '%Q' is not one of %Y %m %d %H %M %S %F %T %j %a %b ..." },
		{ "publish('x', time.format('%'))", "error: a.lua:1: time.format: '%' is not one of %Y %m %d %H %M %S %F %T %j %a %b ..." },
		{ "publish('x', time.format('%Y', 1e300))", "error: a.lua:1: time: expected seconds since 1970, of the years 1 to 9999" },
		{ "for i = 1, 100 do local n = math.random(3) assert(n >= 1 and n <= 3) local x = math.random() assert(x >= 0 and x < 1) end publish('x', math.random(5, 5))", "x 5" },
		{ "math.random(0)", "error: a.lua:1: bad argument #1 to 'random' (interval is empty)" },
		{ "publish('x', #uuid() .. tostring(uuid() ~= uuid()) .. uuid():sub(15, 15))", "x 36true4" },
		{ "local n = math.random(math.mininteger, math.maxinteger) publish('x', math.type(n))", "x integer" },
	};
	char first[100];

	(void)state;
	ALL(list);
	strcpy(first, try_body("publish('x', uuid() .. math.random(1000000))"));
	assert_string_equal(try_body("publish('x', uuid() .. math.random(1000000))"), first);
}

static void the_world_answers(void **state)
{
	struct lua_try *t = try_file("rule 'r' { topic = '#', run = function(m)\n"
	                             "  local n = state.get('n', 0)\n  state.set('n', n + 1)\n"
	                             "  local s = shadow.get('valve')\n  local cfg = shadow.get('valve', 'cfg')\n"
	                             "  publish('x', { n = n, open = s and s.state.reported.open, cfg = cfg, model = (registry.thing('valve') or { model = 'none' }).model })\n"
	                             "end }", NULL);

	(void)state;
	assert_string_equal(try_run(t, "a", "{}"), "state n 1\nx {\"model\":\"none\",\"n\":0}");
	t->state = try_json(t, "{\"n\":41}");
	t->shadow = try_json(t, "{\"valve\":{\"state\":{\"reported\":{\"open\":true}}},\"valve/cfg\":{\"v\":1}}");
	t->thing = try_json(t, "{\"valve\":{\"model\":\"v2\"}}");
	assert_string_equal(try_run(t, "a", "{}"), "state n 42\nx {\"cfg\":{\"v\":1},\"model\":\"v2\",\"n\":41,\"open\":true}");
	t->fail = SK_E_UNAVAILABLE;
	assert_string_equal(try_run(t, "a", "{}"), "error: a.lua:2: state.get: the store is away");
	try_free(&t);
	t = try_file("rule 'r' { topic = '#', run = function(m) local ok, why = pcall(state.get, 'n') publish('x', tostring(ok) .. why) end }", NULL);
	t->fail = SK_E_UNAVAILABLE;
	assert_string_equal(try_run(t, "a", "{}"), "x falsea.lua:1: state.get: the store is away");
	try_free(&t);
}

static void timers_run(void **state)
{
	struct lua_try *t = try_file("rule 'r' { topic = '#', run = function(m) timer.set('t', 60, { n = 1 }) end,\n"
	                             "timer = function(name, data) publish('late/' .. name, data) timer.set(name, 1) sink.sqs { queueUrl = 'q', payload = 'p' } end }", NULL);

	(void)state;
	assert_string_equal(try_timer(t, "t", "{\"n\":[1]}"), "late/t {\"n\":[1]}\ntimer t 1700000001000 nil\nsqs {\"queueUrl\":\"q\"} p");
	assert_string_equal(try_timer(t, "t", NULL), "error: a.lua:2: publish: the value is nil: null stands for nothing in JSON");
	try_free(&t);
	t = try_file("rule 'r' { topic = '#', run = function(m) timer.set('t', 1) end }", NULL);
	assert_string_equal(try_run(t, "a", "{}"), "error: a.lua:1: timer.set: rule 'r' declares no timer = function(name, data)");
	assert_string_equal(try_timer(t, "t", NULL), "no");
	try_free(&t);
	t = try_file("rule 'r' { topic = '#', run = function() end, timer = function() sink.sqs { queueUrl = 'q' } end }", NULL);
	assert_string_equal(try_timer(t, "t", NULL), "error: a.lua:1: sink.sqs: expected a payload: a timer has no message of its own");
	try_free(&t);
}

/* -- SQL -- */

static void conditions_in_sql(void **state)
{
	struct lua_try *t = try_file("rule 'r' { topic = '#', where = \"temp > 30 AND topic(2) = 'b'\", run = function(m) publish('x', m) end }", NULL);

	(void)state;
	assert_true(lua_file_rule(t->file, 0)->has_where);
	assert_string_equal(try_run(t, "a/b", "{\"temp\":31}"), "x {\"temp\":31}");
	assert_string_equal(try_run(t, "a/c", "{\"temp\":31}"), "no");
	assert_string_equal(try_run(t, "a/b", "{\"temp\":30}"), "no");
	assert_string_equal(try_run(t, "a/b", "{}"), "no");
	assert_string_equal(try_run(t, "a/b", "no JSON"), "no");
	try_free(&t);
	t = try_file("rule 'r' { topic = '#', where = \"get_thing_shadow('valve', '').state.open = true\", run = function(m) publish('x', m) end }", NULL);
	assert_string_equal(try_run(t, "a", "{}"), "no");
	t->shadow = try_json(t, "{\"valve\":{\"state\":{\"open\":true}}}");
	assert_string_equal(try_run(t, "a", "{}"), "x {}");
	try_free(&t);
	assert_string_equal(try_bad_file("rule 'r' { topic = '#', where = 'temp >', run = print }"), "a.lua:1: where: column 7: expected an expression, found the end");
	assert_string_equal(try_bad_file("\nrule 'r' { topic = '#', where = 'temp > 1 1', run = print }"), "a.lua:2: where: column 10: expected an operator or the end, found 1");
}

static void values_in_sql(void **state)
{
	static const struct body list[] = {
		{ "publish('x', sql.value('temp * 2 + n', m))", "x 50" },
		{ "publish('x', sql.value('upper(name)', m) .. sql.value(\"get_user_properties('unit')\", m)[1])", "x ADAC" },
		{ "publish('x', sql.value('site', m))", "x {\"hall\":\"B\",\"rows\":[1,2,3]}" },
		{ "publish('x', tostring(sql.value('nothing.more', m)))", "x nil" },
		{ "for i = 1, 200 do assert(sql.value('n + ' .. i, m) == 7 + i) end publish('x', 'good')", "x good" },
		{ "sql.value('temp +', m)", "error: a.lua:1: sql.value: column 7: expected an expression, found )" },
		{ "sql.value('temp')", "error: a.lua:1: sql.value: expected (expression, m), m being the rule's message" },
		{ "sql.value(1, m)", "error: a.lua:1: sql.value: expected an expression as text, got number" },
		{ "sql.value(\"aws_lambda('arn', {})\", m)", "error: a.lua:1: sql: aws_lambda: not within a rule in Lua: write it as sql = [[SELECT ...]]" },
	};

	(void)state;
	ALL(list);
}

/* -- declarations -- */

static void declarations_are_checked(void **state)
{
	static const struct body list[] = {
		{ "rule 'r' { topic = 't', run = print, were = 1 }", "a.lua:1: rule \"r\": unknown field 'were': did you mean 'where'?" },
		{ "rule 'r' { topic = 't', run = 'print' }", "a.lua:1: rule \"r\": run must be function, not string" },
		{ "rule 'r' { topic = 1, run = print }", "a.lua:1: rule \"r\": topic must be string, not number" },
		{ "rule 'r' { 't', run = print }", "a.lua:1: rule \"r\": expected name = value, got a value without a name" },
		{ "rule 'r' 't'", "a.lua:1: rule \"r\": expected a table { ... }, got string" },
		{ "\nrule 'r'\n", "a.lua: line 2: rule \"r\" has no { ... }" },
		{ "rule 'a' rule 'b' { topic = 't', run = print }", "a.lua:1: rule \"a\" of line 1 has no { ... }" },
		{ "rule { topic = 't' }", "a.lua:1: rule: expected its name, as in rule \"name\" { ... }" },
		{ "rule 'a b' { topic = 't', run = print }", "a.lua:1: rule \"a b\": a name has 1 to 128 letters, digits and _" },
		{ "rule 'r' { topic = 't', run = print }\nrule 'r' { topic = 't', run = print }", "a.lua:2: rule \"r\" stands on line 1 already" },
		{ "rule 'r' { run = print }", "a.lua:1: rule \"r\": expected either topic = \"...\" or sql = [[SELECT ...]]" },
		{ "rule 'r' { topic = 't', sql = \"SELECT * FROM 't'\", run = print }", "a.lua:1: rule \"r\": expected either topic = \"...\" or sql = [[SELECT ...]]" },
		{ "rule 'r' { topic = 't' }", "a.lua:1: rule \"r\": expected either run = function(m) ... end or, with sql, actions = { ... }" },
		{ "rule 'r' { topic = 't', actions = {} }", "a.lua:1: rule \"r\": actions need sql = [[SELECT ...]]; with topic it is run = function(m) ... end" },
		{ "rule 'r' { sql = \"SELECT * FROM 't'\", where = print, run = print }", "a.lua:1: rule \"r\": sql has a WHERE of its own, so where is not for it" },
		{ "rule 'r' { topic = 'a/#/b', run = print }", "a.lua:1: rule \"r\": 'a/#/b' is no topic filter" },
		{ "rule 'r' { sql = \"SELECT * FORM 't'\", run = print }", NULL },
		{ "rule 'r' { sql = \"SELECT * FROM 't'\", actions = array { { sqss = {} } } }", "a.lua:1: rule \"r\": actions[0]: 'sqss' is no kind of action" },
		{ "rule 'r' { topic = 't', run = print, error_action = { sqss = {} } }", "a.lua:1: rule \"r\": errorAction: 'sqss' is no kind of action" },
		{ "rule 'r' { sql = \"SELECT * FROM 't'\", sql_version = '2017', run = print }", "a.lua:1: rule \"r\": awsIotSqlVersion: '2017' is none of 2015-10-08, 2016-03-23, beta" },
		{ "publish('x', 'y')", "a.lua:1: publish: only while a rule runs, not while its file is loaded" },
		{ "local x = time.now()", "a.lua:1: time: only while a rule runs, not while its file is loaded" },
		{ "state.get('x')", "a.lua:1: state.get: only while a rule runs, not while its file is loaded" },
		{ "x = = 1", "a.lua:1: unexpected symbol near '='" },
		{ "require 'nothing'", "a.lua:1: require: there is no 'nothing' in lib/" },
		{ "error({})", "a.lua: an error that is no text" },
		{ "error('bad', 0)", "a.lua:1: bad" },
		{ "local function f() error('here') end\nf()", "a.lua:1: here" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof list / sizeof *list; i++) {
		const char *why = try_bad_file(list[i].body);
		if (list[i].did ? strcmp(why, list[i].did) : !strstr(why, "a.lua:1: rule \"r\": sql: line 1, column 10: expected"))
			fail_msg("%s\n  expected %s\n  came     %s", list[i].body, list[i].did ? list[i].did : "", why);
	}
}

/* The least that plugin_opt_lua_memory takes. */
static void a_small_memory_is_enough(void **state)
{
	const struct lua_limits limits = { .memory = 65536 };
	struct lua_try *t = try_file("rule 'r' { topic = '#', where = 'n > 1', run = function(m) state.set('n', state.get('n', 0) + m.n) publish('x', { n = m.n }) "
	                             "shadow.desire('v', { n = sql.value('n + 1', m) }) log(time.format('%Y')) end }", &limits);

	(void)state;
	for (int i = 0; i < 2000; i++)
		assert_string_equal(try_run(t, "a", "{\"n\":2}"), "state n 2\nx {\"n\":2}\n$aws/things/v/shadow/update {\"state\":{\"desired\":{\"n\":3}}} qos1\nlog 2023");
	assert_true(lua_file_memory(t->file) < 65536 + 8192);
	try_free(&t);
}

static void a_rule_with_a_statement(void **state)
{
	struct lua_try *t = try_file("rule 'a' { sql = [[SELECT temp AS t FROM 'a/+' WHERE temp > 1]], sql_version = '2015-10-08', disabled = true, error_action = { sqs = { queueUrl = 'q' } },\n"
	                             "  actions = { { republish = { topic = 'b/${topic(2)}', roleArn = 'r', qos = 1 } } } }\n"
	                             "rule 'b' { sql = [[SELECT * FROM 'a/+']], run = function(m) publish('x', m) end }\n"
	                             , NULL);
	const struct lua_rule *a = lua_file_rule(t->file, 0), *b = lua_file_rule(t->file, 1);

	(void)state;
	assert_null(a->filter);
	assert_string_equal(a->sql, "SELECT temp AS t FROM 'a/+' WHERE temp > 1");
	assert_string_equal(a->sql_version, "2015-10-08");
	assert_string_equal(a->actions, "[{\"republish\":{\"qos\":1,\"roleArn\":\"r\",\"topic\":\"b/${topic(2)}\"}}]");
	assert_string_equal(a->error_action, "{\"sqs\":{\"queueUrl\":\"q\"}}");
	assert_true(a->disabled && !a->has_run && !b->disabled && b->has_run && !b->actions);
	assert_string_equal(b->sql_version, "2016-03-23");
	assert_int_equal(b->line, 3);
	try_free(&t);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_rule_with_a_topic_runs),
		cmocka_unit_test(a_message_is_read_like_a_table),
		cmocka_unit_test(the_names_of_a_message_are_its_own),
		cmocka_unit_test(tables_become_json),
		cmocka_unit_test(publishing),
		cmocka_unit_test(state_timers_and_sinks),
		cmocka_unit_test(time_and_chance_are_the_runs),
		cmocka_unit_test(the_world_answers),
		cmocka_unit_test(timers_run),
		cmocka_unit_test(conditions_in_sql),
		cmocka_unit_test(values_in_sql),
		cmocka_unit_test(declarations_are_checked),
		cmocka_unit_test(a_small_memory_is_enough),
		cmocka_unit_test(a_rule_with_a_statement),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
