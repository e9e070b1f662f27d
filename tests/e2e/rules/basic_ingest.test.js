// Basic Ingest: what goes to $aws/rules/NAME/... is that rule's alone.
'use strict';
const assert = require('node:assert/strict');
const { test, until } = require('../../harness/test');
const { ALLOW_ALL } = require('../../harness/broker');
const { rules, republish } = require('../../harness/rules');

const said = (b) => (b.log.match(/a message to \$aws\/rules\/.*(?=\n)/g) || []).map((line) => line.replace(/^a message to /, ''));

test.smoke('a message to $aws/rules/NAME/a/b goes to that rule alone, which sees a/b as its topic', async (t) => {
	const r = await rules(t), { op } = r;
	await r.make('mine', "SELECT n, topic() AS topic, topic(1) AS first, topic(2) AS second, clientid() AS client FROM 'other/filter' WHERE n > 0", republish('got'));
	await r.make('same', "SELECT * FROM 'a/b'", republish('wrong'));
	await r.make('all', "SELECT * FROM '#' WHERE isUndefined(topic)", republish('wrong'));
	await r.make('aws', "SELECT * FROM '$aws/rules/#'", republish('wrong'));
	await op.subscribe(['got', 'wrong', 'a/#']);
	const lamp = await r.b.device('lamp');
	await lamp.publish('$aws/rules/mine/a/b', '{"n":1}', { retain: true });
	assert.deepEqual(await op.next('got'), { n: 1, topic: 'a/b', first: 'a', second: 'b', client: 'lamp' });
	await lamp.publish('$aws/rules/mine', '{"n":2}', { qos: 0 });
	assert.deepEqual(await op.next('got'), { n: 2, topic: '', first: '', client: 'lamp' });
	await lamp.publish('$aws/rules/mine/x', '{"n":0}');
	await lamp.publish('$aws/rules/mine//', '{"n":3}', { qos: 2 });
	const { topic, n } = await op.next('got');
	assert.deepEqual([topic, n], ['/', 3]);
	assert.deepEqual(op.inbox, []);
	assert.deepEqual([(await r.counted('mine', { matched: 4 })).matched, (await r.statistics('aws')).matched], [4, 0]); // topics have threads of their own
	assert.ok(await r.counter('fed_directly') >= 4);
});

test('nobody can subscribe to it, and nothing of it is retained', async (t) => {
	const r = await rules(t), { op } = r;
	await r.make('mine', "SELECT * FROM 'x'", republish('got'));
	await op.subscribe(['got', '#', '$aws/rules/#', '$aws/rules/mine/x', '$aws/#']);
	const lamp = await r.b.device('lamp', ALLOW_ALL);
	await lamp.subscribe(['$aws/rules/mine/x', '#', '$aws/rules/+/x']).catch((e) => assert.equal(e.code, 'closed'));
	const other = await r.b.device('fan', ALLOW_ALL);
	await other.publish('$aws/rules/mine/x', '{}', { retain: true });
	await op.nextMessage('got');
	await other.publish('end', '{}');
	await op.nextMessage('end');
	assert.deepEqual(op.inbox.filter((m) => m.topic.includes('rules') || m.topic === '$'), []);
	const late = await r.b.unix().connect();
	await late.subscribe(['$aws/rules/#', '#', '$']);
	await op.publish('late', 'x');
	await late.nextMessage('late');
	assert.deepEqual(late.inbox.filter((m) => m.topic !== 'late' && !m.topic.startsWith('$aws/events')), []);
	assert.deepEqual(lamp.inbox.filter((m) => m.topic.startsWith('$')), []);
});

test('the policy decides by the whole topic', async (t) => {
	const r = await rules(t), { op } = r;
	await r.make('mine', "SELECT topic() AS t FROM 'x'", republish('got'));
	await op.subscribe('got');
	const policy = { Version: '2012-10-17', Statement: [{ Effect: 'Allow', Action: 'iot:Connect', Resource: '*' },
		{ Effect: 'Allow', Action: 'iot:Publish', Resource: 'arn:aws:iot:us-east-1:123456789012:topic/$aws/rules/mine/${iot:ClientId}/*' }] };
	const lamp = await r.b.device('lamp', policy, { version: 5 });
	await lamp.publish('$aws/rules/mine/lamp/1', '{}');
	assert.deepEqual(await op.next('got'), { t: 'lamp/1' });
	await assert.rejects(lamp.publish('$aws/rules/mine/fan/1', '{}'));
	const again = await r.b.tls('lamp', { version: 5 }).connect();
	await again.publish('$aws/rules/mine/lamp/2', '{}');
	assert.deepEqual(await op.next('got'), { t: 'lamp/2' });
});

test('to a rule that does not exist or is disabled it is acknowledged, and logged', async (t) => {
	const r = await rules(t), { op } = r;
	await r.make('off', "SELECT * FROM 'x'", republish('got'), { ruleDisabled: true });
	await op.subscribe('got');
	const sleep = () => new Promise((done) => setTimeout(done, 1100)); // one line in a second: the same again is left out, unless that has passed
	const lines = () => said(r.b).filter((line, i, all) => line !== all[i - 1]);
	for (const version of [4, 5]) {
		const lamp = await r.b.device(`lamp${version}`, ALLOW_ALL, { version });
		await lamp.publish('$aws/rules/none/x', '{}');
		await sleep();
		await lamp.publish('$aws/rules/off/x', '{}');
		await lamp.publish('$aws/rules/off/x', '{}');
		await sleep();
	}
	await op.publish(`$aws/rules/${'n'.repeat(300)}/x`, '{}');
	await until('the last line', () => lines().length >= 5);
	assert.deepEqual(lines(), ['none: that rule does not exist', 'off: that rule is disabled', 'none: that rule does not exist', 'off: that rule is disabled',
		`${'n'.repeat(128)}: that rule does not exist`].map((s) => `$aws/rules/${s}`));
	assert.equal((await r.statistics('off')).matched, 0);
	await r.b.call('EnableTopicRule', { ruleName: 'off' });
	await op.publish('$aws/rules/off/x', '{"now":1}');
	assert.deepEqual(await op.next('got'), { now: 1 });
});

test('a rule may republish to another one by $$aws/rules, and to itself eight times', async (t) => {
	const r = await rules(t), { op } = r;
	await r.make('first', "SELECT n + 1 AS n FROM 'in'", republish('$$aws/rules/second/way/${n}'));
	await r.make('second', "SELECT n, topic() AS topic FROM 'nothing'", republish('out'));
	await r.make('itself', "SELECT n + 1 AS n FROM 'nothing'", [republish('$$aws/rules/itself/again'), republish('round')]);
	await op.subscribe(['out', 'round', '$aws/rules/#']);
	await op.publish('in', '{"n":1}');
	assert.deepEqual(await op.next('out'), { n: 2, topic: 'way/1' });
	await op.publish('$aws/rules/itself', '{"n":0}');
	const rounds = [];
	while (rounds.length < 8)
		rounds.push((await op.next('round')).n);
	assert.deepEqual(rounds, [1, 2, 3, 4, 5, 6, 7, 8]);
	await r.counted('itself', { matched: 9, failed: 1 });
	assert.deepEqual(op.inbox, []);
});

test('a rule without FROM is reached by Basic Ingest only; a rule in Lua can be too', async (t) => {
	const r = await rules(t, { lua: { 'l.lua': 'rule "lua" { topic = "x/#", run = function(m) publish("out", { topic = m.topic, n = m.n, levels = #m.levels }) end }' } }), { op } = r;
	await op.subscribe('out');
	await r.make('fromless', 'SELECT n, topic() AS topic', republish('out'));
	await op.publish('$aws/rules/fromless/a/b', '{"n":1}');
	assert.deepEqual(await op.next('out'), { n: 1, topic: 'a/b' });
	await op.publish('$aws/rules/lua/a/b', '{"n":2}');
	assert.deepEqual(await op.next('out'), { n: 2, topic: 'a/b', levels: 2 });
});
