// Where messages come from: every QoS and version, wills, retained ones, HTTP, our own services, other rules.
'use strict';
const assert = require('node:assert/strict');
const { test, until } = require('../../harness/test');
const { ALLOW_ALL } = require('../../harness/broker');
const { devicePlane } = require('../../harness/devices');
const { rules, republish, PLUGINS } = require('../../harness/rules');

const only = (...resources) => ({ Version: '2012-10-17', Statement: [
	{ Effect: 'Allow', Action: ['iot:Connect', 'iot:Subscribe', 'iot:Receive'], Resource: '*' },
	{ Effect: 'Allow', Action: 'iot:Publish', Resource: resources.map((one) => `arn:aws:iot:us-east-1:123456789012:topic/${one}`) }] });

for (const version of [4, 5])
	test(`a rule hears QoS 0, 1 and 2 of MQTT ${version === 4 ? '3.1.1' : 5}, each message once`, async (t) => {
		const r = await rules(t), { op } = r;
		await r.make('copy', "SELECT * FROM 'in/+'", republish('out', { qos: 1 }));
		await op.subscribe('out');
		const lamp = await r.b.device('lamp', undefined, { version });
		for (let n = 0; n < 30; n++)
			await lamp.publish(`in/${n % 3}`, { n }, { qos: n % 3, retain: n % 2 === 0 });
		await r.counted('copy', { matched: 30 });
		const seen = Array.from({ length: 30 }, () => op.next('out').then((m) => m.n));
		assert.deepEqual((await Promise.all(seen)).sort((a, b) => a - b), Array.from({ length: 30 }, (_, n) => n));
		assert.equal((await r.statistics('copy')).matched, 30);
	});

test('a message that the policy denies reaches no rule', async (t) => {
	const r = await rules(t), { op } = r;
	await r.make('copy', "SELECT * FROM '#'", republish('seen/${topic()}'));
	await op.subscribe('seen/#');
	const lamp = await r.b.device('lamp', only('yes'));
	await lamp.publish('no', '{}', { qos: 0 }).catch(() => null);
	const again = await r.b.tls('lamp').connect();
	await again.publish('yes', '{}');
	await op.nextMessage('seen/yes');
	assert.deepEqual(op.got('seen/no'), []);
});

test('an allowed will is heard, with MQTT 3.1.1, with a delay and after a take-over; a denied one is not', async (t) => {
	const r = await rules(t), { op } = r;
	await r.make('wills', "SELECT why, clientid() AS client FROM 'wills/#'", republish('told/${topic(2)}'));
	await op.subscribe(['told/#', 'wills/#']);
	await r.b.provision('lamp', only('wills/lamp'));
	const will = (topic, more = {}) => ({ topic, payload: Buffer.from('{"why":"gone"}'), qos: 1, retain: false, ...more });
	const kill = (d) => d.client.stream.destroy();
	kill(await r.b.tls('lamp', { will: will('wills/other') }).connect());
	await r.b.logged(/Client lamp closed its connection|Socket error on client lamp|Client lamp .*disconnected: /, 0);
	kill(await r.b.tls('lamp', { will: will('wills/lamp') }).connect());
	assert.deepEqual(await op.next('told/lamp'), { why: 'gone', client: 'lamp' });
	await op.nextMessage('wills/lamp');
	kill(await r.b.tls('lamp', { version: 5, properties: { sessionExpiryInterval: 60 }, will: will('wills/lamp', { properties: { willDelayInterval: 1 } }) }).connect());
	assert.deepEqual(await op.next('told/lamp'), { why: 'gone', client: 'lamp' });
	await op.nextMessage('wills/lamp');
	await r.b.tls('lamp', { will: will('wills/lamp') }).connect();
	const last = await r.b.tls('lamp', { will: will('wills/lamp') }).connect();
	assert.deepEqual(await op.next('told/lamp'), { why: 'gone', client: 'lamp' });
	await op.nextMessage('wills/lamp');
	await new Promise((done) => last.client.end(false, {}, done));
	await r.b.logged(/Received DISCONNECT from lamp/, 0);
	await op.publish('wills/end', '{"why":"end"}');
	await op.next('told/end');
	assert.deepEqual(op.inbox.map((m) => m.topic), ['wills/end']);
	assert.equal((await r.statistics('wills')).matched, 4);
});

test('a retained message is heard when it is published, not again when somebody subscribes or the broker starts', async (t) => {
	const r = await rules(t, { conf: 'persistence true' });
	await r.make('kept', "SELECT * FROM 'kept'", republish('out', { qos: 1 }));
	await r.op.subscribe('out');
	await r.op.publish('kept', '{"n":1}', { retain: true });
	const first = await r.op.nextMessage('out');
	assert.equal(first.packet.retain, false);
	await r.op.subscribe('kept');
	await r.op.nextMessage('kept');
	assert.equal((await r.statistics('kept')).matched, 1);
	await r.b.restart();
	const op = await r.b.operator();
	await op.subscribe(['kept', 'out']);
	await op.nextMessage('kept');
	await op.publish('kept', '{"n":2}');
	assert.deepEqual(await op.next('out'), { n: 2 });
	assert.equal((await r.statistics('kept')).matched, 1);
});

test('a rule hears what a device posts over HTTPS, with who it is', async (t) => {
	const d = await devicePlane(t, { plugins: PLUGINS });
	const op = await d.b.operator();
	await d.b.call('CreateTopicRule', { ruleName: 'posted', topicRulePayload: { sql: "SELECT n, topic() AS topic FROM 'post/#'", actions: [republish('out')], awsIotSqlVersion: '2016-03-23' } });
	await op.subscribe('out');
	await d.b.provision('lamp');
	assert.equal((await d.ask('lamp', 'POST', '/topics/post%2Fa?qos=1', '{"n":3}')).status, 200);
	assert.deepEqual(await op.next('out'), { n: 3, topic: 'post/a' });
	assert.equal((await d.ask('lamp', 'POST', '/topics/%24aws%2Frules%2Fposted%2Fdirect?qos=1', '{"n":4}')).status, 200);
	assert.deepEqual(await op.next('out'), { n: 4, topic: 'direct' });
});

test('rules lead to rules up to eight deep, then it ends and is counted', async (t) => {
	const r = await rules(t), { op } = r;
	for (let n = 0; n < 12; n++)
		await r.make(`r${n}`, `SELECT * FROM 'step/${n}'`, republish(`step/${n + 1}`));
	await op.subscribe('step/#');
	await op.publish('step/0', '{}');
	await r.counted('r8', { failed: 1 });
	await until('all steps', () => op.inbox.length >= 9);
	assert.deepEqual(op.inbox.map((m) => m.topic), Array.from({ length: 9 }, (_, n) => `step/${n}`));
	const { failed, lastError } = await r.statistics('r8');
	assert.equal(failed, 1);
	assert.match(lastError, /eight publishes of ours/);
	assert.equal(await r.statistics('r9').then((s) => s.matched), 0);
});

test('a rule that republishes to its own topic ends at depth 8, however many messages start it', async (t) => {
	const r = await rules(t), { op } = r;
	await r.make('loop', "SELECT n + 1 AS n FROM 'loop'", republish('loop', { qos: 1 }));
	await r.make('shadows', "SELECT {'reported': {'n': state.reported.n + 1}} AS state FROM '$aws/things/loop/shadow/update/accepted'", republish('$$aws/things/loop/shadow/update'));
	await r.b.call('CreateThing', { thingName: 'loop' });
	await op.subscribe('loop');
	for (let i = 0; i < 20; i++)
		await op.publish('loop', '{"n":0}');
	await r.counted('loop', { matched: 180, failed: 20 });
	await until('all of them', () => op.inbox.length >= 180);
	assert.equal(op.inbox.length, 180);
	assert.equal(Math.max(...op.inbox.map((m) => JSON.parse(m.payload).n)), 8);
	await r.b.call('UpdateThingShadow', { thingName: 'loop', payload: { state: { reported: { n: 0 } } } });
	await until('the shadow to come to rest', async () => (await r.statistics('shadows')).failed + await r.counter('depth_refused') > 0);
	const { payload } = await r.b.call('GetThingShadow', { thingName: 'loop' });
	assert.ok(payload.state.reported.n >= 3 && payload.state.reported.n <= 8, JSON.stringify(payload.state));
});

test('a client that is allowed everything cannot make rules hear what is ours', async (t) => {
	const r = await rules(t), { op } = r;
	await r.make('fake', "SELECT * FROM '$aws/things/+/shadow/update/accepted'", republish('fooled'));
	await op.subscribe(['fooled', 'end']);
	await r.make('end', "SELECT * FROM 'in'", republish('end'));
	const lamp = await r.b.device('lamp', ALLOW_ALL);
	await lamp.publish('$aws/things/lamp/shadow/update/accepted', '{"fake":1}').catch(() => null);
	await op.publish('in', '{}');
	await op.nextMessage('end');
	assert.deepEqual([op.got('fooled'), (await r.statistics('fake')).matched], [[], 0]);
});
