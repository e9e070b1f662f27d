// skeeter_cluster: what is published at one broker reaches subscribers at the others, once, with all that belongs to it; and what is not to be carried is not.
'use strict';
const assert = require('node:assert/strict');
const { test, until } = require('../../harness/test');
const { create } = require('../../harness/broker');
const { cluster, client, linked, counters } = require('../../harness/cluster');
const { republish } = require('../../harness/rules');
const { redis } = require('../../harness/service_redis');

const text = (list) => list.map((m) => String(m.payload));

test('a shadow changed at one broker is heard at the others', async (t) => {
	const r = await redis(t), [a, b, c] = await cluster(t, r.url, 3);
	const device = await client(a), app = await client(c), other = await client(b);
	await app.subscribe(['$aws/things/lamp/shadow/update/accepted', '$aws/things/+/shadow/update/documents', '$aws/things/lamp/shadow/get/accepted']);
	await other.subscribe('$aws/things/lamp/shadow/update/delta');
	await linked(a, app);
	await linked(a, other);
	await device.publish('$aws/things/lamp/shadow/update', { state: { desired: { on: true }, reported: { on: false } }, clientToken: 'x' });
	assert.deepEqual((await other.next('$aws/things/lamp/shadow/update/delta')).state, { on: true });
	assert.equal((await app.next('$aws/things/lamp/shadow/update/accepted')).clientToken, 'x');
	assert.deepEqual((await app.next('$aws/things/lamp/shadow/update/documents')).current.state.reported, { on: false });
	await device.publish('$aws/things/lamp/shadow/get', '');
	assert.deepEqual((await app.next('$aws/things/lamp/shadow/get/accepted')).state.reported, { on: false });
	assert.equal(other.inbox.length + app.inbox.length, 0);
});

test('clients\' messages of selected topics cross with QoS and properties, each once, in order; others do not', async (t) => {
	const r = await redis(t), [a, b, c] = await cluster(t, r.url, 3, { topics: 'site/+/temp far/#' });
	const sender = await client(a, { version: 5 }), near = await client(a), plus = await client(b, { version: 5 }), all = await client(c), shared = await client(c);
	await near.subscribe('#');
	await plus.subscribe(['site/+/temp', 'site/1/temp'], { qos: 2 });
	await all.subscribe('#', { qos: 0 });
	await shared.subscribe('$share/g/far/#');
	for (const s of [plus, all, shared])
		await linked(a, s);
	const properties = { contentType: 'text/plain', responseTopic: 'back', correlationData: Buffer.from([0, 255]), userProperties: { k: 'v' }, payloadFormatIndicator: true };
	await sender.publish('site/9/temp', 'with', { qos: 2, properties });
	const m = await plus.nextMessage('site/9/temp');
	assert.equal(m.packet.qos, 2);
	assert.deepEqual({ ...m.packet.properties, userProperties: { ...m.packet.properties.userProperties } }, properties);
	const numbers = Array.from({ length: 500 }, (_, i) => String(i));
	await Promise.all(numbers.map((n) => sender.publish('site/9/temp', n)));
	await sender.publish('site/9/humidity', 'stays');
	await sender.publish('other', 'stays');
	await sender.publish('far/1', 'last');
	await all.nextMessage('far/1');
	await shared.nextMessage('far/1');
	await until('all of them', () => plus.got('site/9/temp').length >= 500);
	assert.deepEqual(text(plus.got('site/9/temp')), numbers);
	assert.deepEqual(text(all.inbox.filter((one) => one.topic.startsWith('site') || one.topic === 'other')), ['with', ...numbers]);
	assert.equal(near.got('other').length, 1);
	const [ca, cb, cc] = await Promise.all([a, b, c].map(counters));
	assert.equal(cb.cluster_lost + cc.cluster_lost + ca.cluster_dropped, 0);
});

test('nobody gets it back: brokers that all take and carry everything do not send in circles', async (t) => {
	const r = await redis(t), brokers = await cluster(t, r.url, 3, { topics: '#' });
	const clients = await Promise.all(brokers.map((b) => client(b)));
	for (const c of clients)
		await c.subscribe('#');
	for (const c of clients)
		await linked(brokers, c);
	// Behind a broker's mark there is nothing of before: one broker's messages arrive in order.
	for (const [i, c] of clients.entries())
		await c.publish(`mark/${i}`, '');
	for (const c of clients)
		for (let i = 0; i < 3; i++)
			await c.nextMessage(`mark/${i}`);
	const sent = async () => (await Promise.all(brokers.map(counters))).map((one) => one.cluster_sent);
	const heard = async () => (await Promise.all(brokers.map(counters))).reduce((n, one) => n + one.cluster_received, 0);
	const settled = () => until('what was sent to be counted', async () => (await sent()).reduce((n, one) => n + one, 0) === await heard());
	await settled();
	const before = await sent();
	for (const [i, c] of clients.entries())
		for (let n = 0; n < 50; n++)
			await c.publish(`from/${i}`, String(n));
	for (const c of clients)
		await until('all of them', () => c.inbox.filter((m) => m.topic.startsWith('from/')).length >= 150);
	for (const [i, c] of clients.entries())
		await c.publish(`end/${i}`, '');
	for (const c of clients) {
		for (let i = 0; i < 3; i++)
			await c.nextMessage(`end/${i}`);
		assert.equal(c.inbox.filter((m) => m.topic.startsWith('from/')).length, 150);
	}
	await settled();
	const after = await sent();
	assert.deepEqual(after.map((n, i) => n - before[i]), [102, 102, 102]); /* 51 messages of each, to two others */
});

test('a rule runs where the message was published, and what it publishes is heard everywhere', async (t) => {
	const r = await redis(t), brokers = await cluster(t, r.url, 3, { topics: 'in/#', plugins: ['core', 'rules'] });
	const [a, b, c] = brokers, sender = await client(a), here = await client(b), there = await client(c);
	for (const one of brokers)
		await one.call('CreateTopicRule', { ruleName: 'r', topicRulePayload: { sql: "SELECT * FROM 'in/#'", awsIotSqlVersion: '2016-03-23', actions: [republish('out', { qos: 1 })] } });
	await here.subscribe(['in/#', 'out']);
	await there.subscribe(['in/#', 'out', 'end']);
	await linked(a, here);
	await linked(a, there);
	for (let n = 0; n < 20; n++)
		await sender.publish('in/x', { n });
	for (const s of [here, there]) {
		await until('what the rule published', () => s.got('out').length >= 20);
		await linked(brokers, s);
		assert.equal(s.got('out').length, 20);
		assert.equal(s.got('in/x').length, 20);
	}
	const passed = await Promise.all(brokers.map(async (one) => (await one.call('ListTopicRuleStatistics', { ruleName: 'r' })).statistics[0].matched));
	assert.deepEqual(passed, [20, 0, 0]);
});

test('what is retained is retained at each broker, whoever subscribes, and cleared at each', async (t) => {
	const r = await redis(t), [a, b] = await cluster(t, r.url, 2, { topics: 'kept/#' });
	const sender = await client(a), probe = await client(b);
	await linked(a, probe);
	await sender.publish('kept/x', 'value', { retain: true });
	await linked(a, probe);
	const late = await client(b);
	await late.subscribe('kept/#');
	assert.equal((await late.nextMessage('kept/x')).packet.retain, true);
	await linked(a, late);
	await sender.publish('kept/x', '', { retain: true });
	await late.nextMessage('kept/x');
	const later = await client(b);
	await later.subscribe(['kept/#', 'probe/here']);
	await later.publish('probe/here', '');
	await later.nextMessage('probe/here');
	assert.equal(later.got('kept/x').length, 0);
});

test('without a subscriber nothing is sent: unsubscribing, disconnecting and the end of a session stop it', async (t) => {
	const r = await redis(t), [a, b] = await cluster(t, r.url, 2, { topics: 'site/#' });
	const sender = await client(a), probe = await client(b), s = await client(b), w = await client(b);
	const sent = async () => {
		await linked(a, probe);
		const before = (await counters(a)).cluster_sent;
		for (let n = 0; n < 10; n++)
			await sender.publish('site/1', String(n));
		await until('the queue to be empty', async () => {
			await linked(a, probe);
			return true;
		});
		return (await counters(a)).cluster_sent - before;
	};
	assert.ok(await sent() < 10);
	await s.subscribe('site/#');
	await w.subscribe('site/1');
	assert.ok(await sent() >= 10);
	await s.unsubscribe('site/#');
	assert.ok(await sent() >= 10);
	await w.end();
	await until('it to stop', async () => await sent() < 10);
});

test('of a plugin without a Redis the broker says what to do, and of a wrong option what is wrong', async (t) => {
	const refusal = async (options) => {
		const b = create(t, { plugins: ['core', 'cluster'], options: { cluster: options } });
		assert.notEqual(await b.refuses(), 0);
		return /skeeter: cluster: (.*)/.exec(b.log)[1];
	};
	assert.match(await refusal({}), /the store is a file: say in plugin_opt_redis/);
	assert.match(await refusal({ redis: 'http://x' }), /redis/);
	assert.match(await refusal({ redis: 'redis://127.0.0.1:1', topics: 'a/#/b' }), /plugin_opt_topics/);
	assert.match(await refusal({ redis: 'redis://127.0.0.1:1', topics: '$SYS/#' }), /plugin_opt_topics/);
	assert.match(await refusal({ redis: 'redis://127.0.0.1:1', always: '#/' }), /plugin_opt_always/);
	assert.match(await refusal({ redis: 'redis://127.0.0.1:1', queue: '1k' }), /plugin_opt_queue/);
});
