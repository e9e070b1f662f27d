// Looking at rules that run: ListTopicRuleStatistics, TraceTopicRule and DryRunTopicRule beside the engine.
'use strict';
const assert = require('node:assert/strict');
const { test, until } = require('../../harness/test');
const { rules, republish } = require('../../harness/rules');

const LUA = { 'a.lua': `rule "lua" { topic = "in", where = "n > 1", run = function(m) if m.bad then error("bad as told") end publish("lua", { n = m.n }) end }
	rule "sql" { sql = [[SELECT n FROM 'in' WHERE n > 2]], run = function(m) publish("sql", { n = m.n }) end }
	rule "plain" { sql = [[SELECT n * 2 AS n FROM 'in']], actions = { { republish = { roleArn = "arn:aws:iam::123456789012:role/r", topic = "plain" } } } }` };

test.smoke('ListTopicRuleStatistics counts what rules match, pass, fail and take, the busiest first', async (t) => {
	const r = await rules(t, { lua: LUA }), { op } = r;
	await r.make('made', "SELECT * FROM 'in' WHERE n > 3", republish('${nothing}'));
	for (let n = 1; n <= 5; n++)
		await op.publish('in', { n, bad: n === 5 });
	await r.counted('lua', { matched: 5, failed: 1 });
	await r.counted('made', { matched: 5, failed: 2 });
	await r.counted('sql', { matched: 5, passed: 3 });
	await r.counted('plain', { matched: 5, passed: 5 });
	const { statistics, rules: count } = await r.b.call('ListTopicRuleStatistics', {});
	const numbers = Object.fromEntries(statistics.map((s) => [s.ruleName, [s.matched, s.passed, s.failed, s.dropped, s.file]]));
	assert.deepEqual(numbers, { lua: [5, 4, 1, 0, 'a.lua'], sql: [5, 3, 0, 0, 'a.lua'], plain: [5, 5, 0, 0, 'a.lua'], made: [5, 2, 2, 0, undefined] });
	assert.equal(count, 4);
	assert.deepEqual(statistics.map((s) => s.microseconds), statistics.map((s) => s.microseconds).sort((a, b) => b - a));
	assert.ok(statistics.every((s) => s.microseconds >= 0) && statistics[0].microseconds > 0);
	const { lastError, lastErrorAt } = await r.statistics('lua');
	assert.match(lastError, /^a\.lua:1: bad as told/);
	assert.ok(Math.abs(lastErrorAt - Date.now() / 1000) < 60);
	assert.equal((await r.b.call('ListTopicRuleStatistics', { maxResults: 2 })).statistics.length, 2);
	await r.replace('made', "SELECT * FROM 'in'", republish('out'));
	assert.deepEqual(((s) => [s.matched, s.lastError])(await r.statistics('made')), [0, undefined]);
});

test('TraceTopicRule shows each clause, the output and what becomes of each action, from the moment somebody asks', async (t) => {
	const r = await rules(t), { op } = r;
	await r.make('hot', "SELECT temp, topic(2) AS room FROM 'rooms/+' WHERE temp > 30", [republish('hot/${room}'), republish('hot/${topic(2)}')]);
	const trace = async (after) => (await r.b.call('TraceTopicRule', { ruleName: 'hot', after })).traces;
	await op.subscribe('hot/early');
	await op.publish('rooms/early', '{"temp":40}');
	await op.nextMessage('hot/early'); // its run is over: one that goes on is traced
	assert.deepEqual(await trace(0), []);
	await op.publish('rooms/attic', '{"temp":31}');
	await op.publish('rooms/hall', '{"temp":3}');
	const [first, second] = await until('two traces', async () => {
		const all = await trace(0);
		return all.length === 2 && all;
	});
	assert.deepEqual([first.sequence, first.topic, first.clientId, first.trace.matched, first.trace.output], [1, 'rooms/attic', op.options.clientId, true, { temp: 31, room: 'attic' }]);
	assert.ok(Math.abs(first.time - Date.now() / 1000) < 60);
	assert.ok(first.trace.clauses.some((c) => c.clause === 'temp > 30' && c.value === true), JSON.stringify(first.trace.clauses));
	assert.match(first.trace.actions[0].error, /^topic: .*undefined/);
	assert.equal(first.trace.actions[1].fields.topic, 'hot/attic');
	assert.deepEqual([second.sequence, second.topic, second.trace.matched], [2, 'rooms/hall', false]);
	assert.deepEqual((await trace(1)).map((one) => one.sequence), [2]);
	assert.deepEqual(await trace(2), []);
	for (let n = 0; n < 100; n++) {
		if (n % 10 === 0)
			await trace(103); // somebody still asks
		await op.publish('rooms/x', { temp: n });
	}
	await op.publish('rooms/long', { temp: 31, fill: 'x'.repeat(30000) });
	const late = await until('the last one', async () => {
		const all = await trace(0);
		return all.at(-1).sequence === 103 && all;
	});
	assert.deepEqual(late.map((one) => one.sequence), Array.from({ length: 64 }, (_, i) => 40 + i));
	await r.b.call('DisableTopicRule', { ruleName: 'hot' });
	assert.deepEqual(await trace(0), []);
});

test('TraceTopicRule shows what a rule in Lua was given and how it ended', async (t) => {
	const r = await rules(t, { lua: LUA }), { op } = r;
	const trace = async (ruleName) => (await r.b.call('TraceTopicRule', { ruleName })).traces;
	// A message is traced when its run is over.
	const three = (ruleName) => until(`three traces of ${ruleName}`, async () => {
		const all = await trace(ruleName);
		return all.length >= 3 && all;
	});
	assert.deepEqual([await trace('lua'), await trace('sql'), await trace('plain')], [[], [], []]);
	await op.publish('in', '{"n":1}');
	await op.publish('in', '{"n":3}');
	await op.publish('in', '{"n":4,"bad":true}');
	const lua = await three('lua');
	assert.deepEqual(lua.map((one) => [one.topic, one.trace.matched, one.trace.actions, (one.trace.error || '').slice(0, 20)]), [
		['in', false, [], ''], ['in', true, [{ action: 'publish', fields: { topic: 'lua', payload: { n: 3 }, qos: 0 } }], ''], ['in', true, [], 'a.lua:1: bad as told']]);
	const sql = await three('sql');
	assert.deepEqual(sql.map((one) => [one.trace.matched, one.trace.message]), [[false, undefined], [true, { n: 3 }], [true, { n: 4 }]]);
	assert.deepEqual((await three('plain')).map((one) => one.trace.output), [{ n: 2 }, { n: 6 }, { n: 8 }]);
});

test('DryRunTopicRule tries rules of files and of operations, and does nothing', async (t) => {
	const r = await rules(t, { lua: LUA }), { op } = r;
	await op.subscribe(['plain', 'made', 'lua']);
	await r.make('made', "SELECT n FROM 'in'", republish('made'));
	for (const [ruleName, output, topic] of [['made', { n: 4 }, 'made'], ['plain', { n: 8 }, 'plain']]) {
		const { matched, output: made, actions } = await r.b.call('DryRunTopicRule', { ruleName, payload: '{"n":4}' });
		assert.deepEqual([matched, made, actions[0].fields.topic], [true, output, topic]);
	}
	assert.match(await r.b.refused('DryRunTopicRule', { ruleName: 'lua', payload: '{"n":4}' }), /^InvalidRequestException 400 Rule lua is Lua, made by the file a\.lua/);
	assert.deepEqual([(await r.statistics('made')).matched, (await r.statistics('plain')).matched, op.inbox], [0, 0, []]);
});

test('statistics, traces and dry runs are asked for while messages come and rules change', async (t) => {
	const r = await rules(t, { lua: LUA, rules: { threads: 2 } }), { op } = r;
	let flows = true, sent = 0, most = 0; // a hundred a round: a ring has room for all of them
	const flow = (async () => {
		while (flows) {
			if (sent < most)
				await op.publish('in', { n: sent++ % 6 });
			else
				await new Promise(setImmediate);
		}
	})();
	for (let i = 0; i < 60; i++) {
		most += 100;
		await r.b.call(i % 2 ? 'DeleteTopicRule' : 'CreateTopicRule', { ruleName: 'made', topicRulePayload: { sql: "SELECT n FROM 'in'", actions: [republish('made')] } });
		await r.b.call('TraceTopicRule', { ruleName: 'lua' });
		await r.b.call('TraceTopicRule', { ruleName: 'plain' });
		await r.b.call('ListTopicRuleStatistics', {});
		await r.b.call('DryRunTopicRule', { ruleName: 'plain', payload: '{"n":1}' });
	}
	flows = false;
	await flow;
	for (const name of ['lua', 'plain']) {
		await r.counted(name, { matched: sent }); /* each on a thread of its own */
		assert.equal((await r.statistics(name)).matched, sent);
	}
});
