// Rules in Lua that run away, eat memory or only fail: they end within their limits, are disabled when it does not stop, and the others go on.
'use strict';
const assert = require('node:assert/strict');
const { test, until } = require('../../harness/test');
const { rules } = require('../../harness/rules');

const GOOD = 'rule "good" { topic = "in/#", run = function(m) local n = state.get("n", 0) + 1 state.set("n", n) publish("good", { n = n }) end }';
const files = (more) => Object.fromEntries([['good.lua', GOOD], ...Object.entries(more).map(([name, body]) => [`${name}.lua`, `rule "${name}" { topic = "in/${name}", run = function(m) ${body} end }`])]);

// Twenty messages, and one for the rules that go on.
async function provoke(r, name, times = 20) {
	for (let i = 0; i < times; i++)
		await r.op.publish(`in/${name}`, '{"n":1}');
	return r.counted(name, { failed: times });
}

// Lua itself refuses these at once: they are errors like any other.
const REFUSED = ['huge', 'deep', 'metatable'];

test('a runaway, a memory bomb, deep recursion and tables without end: each is stopped, and what reached a limit 20 times is disabled with one line', async (t) => {
	const bad = {
		forever: 'while true do end',
		caught: 'while true do pcall(function() while true do end end) end',
		bomb: 'local t = {} while true do t[#t + 1] = string.rep("x", 1000) .. #t end',
		huge: 'publish("x", string.rep("x", 1 << 40))',
		deep: 'local function f(n) return 1 + f(n + 1) end return f(1)',
		pattern: 'return string.find(string.rep("a", 10000), string.rep("a*", 30) .. "b")',
		flood: 'for i = 1, 1e9 do publish("x", "y") end',
		metatable: 'local t = setmetatable({}, { __index = function(t, k) return t[k + 1] end }) return t[1]',
	};
	const r = await rules(t, { lua: files(bad) }), { op } = r;
	await op.subscribe(['x', 'good']);
	let messages = 0;
	for (const name of Object.keys(bad)) {
		const s = await provoke(r, name);
		messages += 20;
		assert.ok(s.lastError, name);
		if (REFUSED.includes(name))
			continue;
		await until(`${name} to be disabled`, async () => (await r.statistics(name)).ruleDisabled);
		const line = new RegExp(`skeeter: rules: rule ${name} is disabled: it keeps failing, the last time: .*; correct its file ${name}\\.lua`, 'g');
		await r.b.logged(new RegExp(line.source), 0);
		await op.publish(`in/${name}`, '{}');
		messages++;
		assert.equal((await r.statistics(name)).matched, 20);
		assert.equal(r.b.log.match(line).length, 1, name);
	}
	await until('the good one', () => op.got('good').length === messages);
	assert.equal(op.got('x').length, 0);
	assert.equal((await r.statistics('good')).failed, 0);
	assert.equal((await r.b.call('GetTopicRule', { ruleName: 'bomb' })).rule.ruleDisabled, true);
}, { seconds: 240 });

test('a disabled rule runs again when its file is corrected, and its state is what it was', async (t) => {
	const text = (body) => `rule "r" { topic = "in/r", run = function(m) ${body} end }`;
	const r = await rules(t, { lua: { 'r.lua': text('while m.bad do end local n = state.get("n", 0) + 1 state.set("n", n) publish("r", { n = n })') } }), { op } = r;
	await op.subscribe('r');
	await op.publish('in/r', '{}');
	assert.deepEqual(await op.next('r'), { n: 1 });
	for (let i = 0; i < 25; i++)
		await op.publish('in/r', '{"bad":true}');
	await until('it to be disabled', async () => (await r.statistics('r')).ruleDisabled);
	await op.publish('in/r', '{}');
	await r.reload('r.lua', text('local n = state.get("n", 0) + 1 state.set("n", n) publish("r", { n = n })'));
	await op.publish('in/r', '{}');
	assert.deepEqual(await op.next('r'), { n: 2 });
	assert.deepEqual([(await r.statistics('r')).ruleDisabled, op.inbox], [false, []]);
});

test('a device cannot switch a rule off with a few messages that it does not expect, but it ends when nothing else comes', async (t) => {
	const r = await rules(t, { lua: files({ strict: 'publish("strict", m.n + 1)' }) }), { op } = r;
	await op.subscribe('strict');
	for (let i = 0; i < 100; i++)
		await op.publish('in/strict', '{}');
	await op.publish('in/strict', '{"n":1}');
	assert.equal(await op.next('strict'), 2);
	await Promise.all(Array.from({ length: 1000 }, () => op.publish('in/strict', '{}')));
	await until('it to be disabled', async () => (await r.statistics('strict')).ruleDisabled);
});

test('failures that are not in a row disable nothing', async (t) => {
	const r = await rules(t, { lua: files({ some: 'if m.n % 10 ~= 0 then error("bad") end publish("some", m.n)' }) }), { op } = r;
	await op.subscribe('some');
	for (let n = 0; n < 100; n++)
		await op.publish('in/some', { n });
	await r.counted('some', { matched: 100, failed: 90 });
	await until('all that went well', () => op.got('some').length === 10);
	assert.equal((await r.statistics('some')).ruleDisabled, false);
});

test('a storm of errors and of log lines does not flood the log', async (t) => {
	const r = await rules(t, { lua: files({ loud: 'for i = 1, 500 do log("line", i, "with\\nbreak and \\27[31m") end' }), rules: { lua_time: '10s' } });
	const from = r.b.log.length, began = Date.now();
	for (let i = 0; i < 50; i++)
		await r.op.publish('in/loud', '{}');
	await r.counted('loud', { passed: 50 });
	await r.b.logged(/skeeter: rules: loud: .*\n/, from);
	const lines = r.b.log.slice(from).split('\n').slice(0, -1).filter((line) => line.includes('skeeter: rules: loud: '));
	const most = 100 * ((Date.now() - began) / 1000 + 2);
	assert.ok(lines.length >= 1 && lines.length <= most, `${lines.length}, at most ${most}`);
	assert.ok(lines.every((line) => /^skeeter: rules: loud: line \d+ with break and {2}\[31m$|^skeeter: rules: loud: line \d+ with break and  ?\[31m$/.test(line)), lines[0]);
	assert.equal((await r.statistics('loud')).failed, 0);
});

test('what a timer does wrong counts too, and is not tried again for ever', async (t) => {
	const r = await rules(t, { lua: { 'good.lua': GOOD, 'late.lua': `rule "late" { topic = "in/late", run = function(m) timer.set("t" .. m.n, 0) end,
		timer = function() while true do end end }` } }), { op } = r;
	await op.subscribe('good');
	for (let n = 0; n < 5; n++)
		await op.publish('in/late', { n });
	await r.counted('late', { failed: 5, matched: 10 });
	await until('the good one', () => op.got('good').length === 5);
	await new Promise((done) => setTimeout(done, 1500));
	assert.equal((await r.statistics('late')).failed, 5);
	await until('its timers to be counted', async () => await r.counter('timers_fired') >= 5);
	assert.equal(r.b.child.gone, undefined);
});

test('a broken rule leaves nothing of its run: no state, no timer, no message', async (t) => {
	const r = await rules(t, { lua: { 'half.lua': `rule "half" { topic = "in", run = function(m)
		if m.ask then publish("n", { n = state.get("n", 0) }) return end
		state.set("n", 5) publish("half", "x") timer.set("t", 0) log("half") if not m.fine then error("half way") end end,
		timer = function() publish("half", "timer") end }` } }), { op } = r;
	await op.subscribe(['half', 'n']);
	await op.publish('in', '{}');
	await r.counted('half', { failed: 1 });
	await op.publish('in', '{"ask":true}');
	assert.deepEqual(await op.next('n'), { n: 0 });
	assert.deepEqual(op.inbox, []);
	await op.publish('in', '{"fine":true}');
	assert.deepEqual([await op.nextMessage('half'), await op.nextMessage('half')].map((m) => String(m.payload)), ['x', 'timer']);
});

test('payloads that are nobody\'s friend: deep, wide, broken and long ones reach every kind of rule, and all goes on', async (t) => {
	const r = await rules(t, { lua: { 'any.lua': `rule "any" { topic = "in/odd", run = function(m) publish("any", { bytes = #m.raw, text = json.encode(json.copy(m.payload)) }) end }
		rule "sql" { sql = [[SELECT *, a.b.c[0] AS x FROM 'in/odd']], run = function(m) publish("sql", m.raw) end }`, 'good.lua': GOOD } }), { op } = r;
	await r.make('made', "SELECT *, regexp_matches(encode(*, 'base64'), '(a+)+$') AS r FROM 'in/odd' WHERE isUndefined(nothing)", [{ republish: { roleArn: 'arn:aws:iam::123456789012:role/r', topic: 'made' } }]);
	const payloads = ['['.repeat(100000), '{"a":'.repeat(20000), `[${'1,'.repeat(60000)}1]`, `{${Array.from({ length: 8000 }, (_, i) => `"k${i}":${i}`).join()}}`, Buffer.alloc(120000, 0xff),
		`{"a":"${'\\u0000'.repeat(10000)}"}`, '1e400', '-0', `"${'a'.repeat(100000)}"`, `{"a":${'9'.repeat(50000)}}`, '{"a":1,"a":2}', '\ufeff{}', 'null', 'true', ''];
	await op.subscribe('good');
	for (const payload of payloads)
		await op.publish('in/odd', payload);
	await r.counted('any', { matched: payloads.length });
	await r.counted('made', { matched: payloads.length });
	await op.publish('in/end', '{}');
	await until('the good one to have seen all', () => op.got('good').length === payloads.length + 1);
	assert.deepEqual(JSON.parse(op.got('good').at(-1).payload), { n: payloads.length + 1 });
});
