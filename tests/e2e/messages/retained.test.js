// Retained messages: what the operations answer is what a subscriber gets, whoever published, over restarts and kill -9, up to 10,000 topics.
'use strict';
const assert = require('node:assert/strict');
const { test, until } = require('../../harness/test');
const { start } = require('../../harness/broker');

const PLUGINS = ['core', 'registry', 'auth', 'shadow', 'messages'];
const text = (m) => Buffer.from(m.payload, 'base64').toString();
const ready = (b) => b.logged(/skeeter: messages: \d+ retained messages/, b.mark);

async function broker(t, spec = {}) {
	const b = await start(t, { plugins: PLUGINS, plain: true, ...spec, options: { auth: { others: 'allow' }, ...spec.options } });
	await ready(b);
	return b;
}

async function all(b, maxResults) {
	const topics = [];
	for (let nextToken; ;) {
		const page = await b.call('ListRetainedMessages', { maxResults, nextToken });
		assert.ok(page.retainedTopics.length <= (maxResults || 25));
		topics.push(...page.retainedTopics);
		if (!page.nextToken)
			return topics;
		nextToken = page.nextToken;
	}
}
const names = async (b, n) => (await all(b, n)).map((m) => m.topic);

test.smoke('a retained message is there when it is published, replaced by the next and gone with an empty one', async (t) => {
	const b = await broker(t);
	const device = await b.plain({ version: 5 }).connect();
	const before = Date.now();
	await device.publish('a/b', 'one', { retain: true });
	const m = await b.call('GetRetainedMessage', { topic: 'a/b' });
	assert.deepEqual([m.topic, text(m), m.qos, m.userProperties], ['a/b', 'one', 1, undefined]);
	assert.ok(m.lastModifiedTime >= before && m.lastModifiedTime <= Date.now(), `${m.lastModifiedTime}`);
	await device.publish('a/b', 'second', { retain: true, qos: 0 });
	await device.publish('a/b', 'not retained');
	assert.deepEqual((await all(b)).map(({ topic, payloadSize, qos }) => ({ topic, payloadSize, qos })), [{ topic: 'a/b', payloadSize: 6, qos: 0 }]);
	assert.equal(text(await b.call('GetRetainedMessage', { topic: 'a/b' })), 'second');
	await device.publish('a/b', '', { retain: true });
	assert.deepEqual(await all(b), []);
	assert.equal(await b.refused('GetRetainedMessage', { topic: 'a/b' }), 'ResourceNotFoundException 404 No retained message exists for topic a/b');
});

test('user properties come back as AWS writes them, and lastModifiedTime moves with the next message only', async (t) => {
	const b = await broker(t);
	const device = await b.plain({ version: 5 }).connect();
	await device.publish('p', 'x', { retain: true, properties: { userProperties: { a: ['1', '2'], b: '' }, contentType: 'text/plain' } });
	const m = await b.call('GetRetainedMessage', { topic: 'p' });
	assert.deepEqual(JSON.parse(Buffer.from(m.userProperties, 'base64')), [{ a: '1' }, { a: '2' }, { b: '' }]);
	const again = await b.call('GetRetainedMessage', { topic: 'p' });
	assert.equal(again.lastModifiedTime, m.lastModifiedTime);
	await until('a later millisecond', () => Date.now() > m.lastModifiedTime);
	await device.publish('p', 'x', { retain: true });
	const next = await b.call('GetRetainedMessage', { topic: 'p' });
	assert.ok(next.lastModifiedTime > m.lastModifiedTime);
	assert.equal(next.userProperties, undefined);
});

test('a message that has expired is neither answered nor listed', async (t) => {
	const b = await broker(t);
	const device = await b.plain({ version: 5 }).connect();
	for (const topic of ['short', 'long'])
		await device.publish(topic, 'x', { retain: true, properties: { messageExpiryInterval: 1000 } });
	assert.deepEqual(await names(b), ['long', 'short']);
	await device.publish('short', 'x', { retain: true, properties: { messageExpiryInterval: 1 } });
	await until('the end of the message', async () => (await names(b)).join() === 'long');
	assert.match(await b.refused('GetRetainedMessage', { topic: 'short' }), /^ResourceNotFoundException 404 /);
	const late = await b.plain({ version: 5 }).connect();
	await late.subscribe('#');
	await late.nextMessage('long');
	assert.equal(late.got('short').length, 0);
});

test('topics below $, wildcards and empty topics are not among them', async (t) => {
	const b = await broker(t);
	assert.deepEqual(await all(b), []);
	assert.match(await b.refused('GetRetainedMessage', { topic: '$SYS/broker/version' }), /^ResourceNotFoundException 404 /);
	for (const topic of ['a/#', '+/b', ''])
		assert.match(await b.refused('GetRetainedMessage', { topic }), /^InvalidRequestException 400 /);
	assert.match(await b.refused('ListRetainedMessages', { maxResults: 201 }), /^InvalidRequestException 400 .*'maxResults'/);
	assert.match(await b.refused('ListRetainedMessages', { nextToken: 'x' }), /^InvalidRequestException 400 Invalid nextToken/);
});

test('wills that are retained are seen', async (t) => {
	const b = await broker(t);
	const device = await b.plain({ version: 5, will: { topic: 'will', payload: 'gone', qos: 1, retain: true } }).connect();
	device.client.stream.destroy();
	await until('the will', async () => (await names(b)).join() === 'will');
	assert.equal(text(await b.call('GetRetainedMessage', { topic: 'will' })), 'gone');
});

test('QoS 2 counts when it is released, and a message that the policy denies never', async (t) => {
	const b = await broker(t);
	const plain = await b.plain().connect();
	await plain.publish('two', 'x', { retain: true, qos: 2 });
	const m = await b.call('GetRetainedMessage', { topic: 'two' });
	assert.equal(m.qos, 1);
	const device = await b.device('valve', { Version: '2012-10-17', Statement: [{ Effect: 'Allow', Action: ['iot:Connect', 'iot:Publish'], Resource: '*' }] });
	await assert.rejects(device.publish('denied', 'x', { retain: true }));
	assert.deepEqual(await names(b), ['two']);
});

test('after a restart all is there with its time, and after kill -9 what the broker has', async (t) => {
	const b = await broker(t, { conf: 'persistence true\nautosave_interval 1800' });
	let device = await b.plain().connect();
	await device.publish('kept', '1', { retain: true });
	const { lastModifiedTime } = await b.call('GetRetainedMessage', { topic: 'kept' });
	await b.restart();
	await ready(b);
	const m = await b.call('GetRetainedMessage', { topic: 'kept' });
	assert.deepEqual([text(m), m.lastModifiedTime], ['1', lastModifiedTime]);
	device = await b.plain().connect();
	await device.publish('kept', '2', { retain: true });
	await device.publish('lost', 'x', { retain: true });
	assert.deepEqual(await names(b), ['kept', 'lost']);
	await b.restart('SIGKILL');
	await ready(b);
	assert.deepEqual(await names(b), ['kept']);
	assert.equal(text(await b.call('GetRetainedMessage', { topic: 'kept' })), '1');
	const late = await b.plain().connect();
	await late.subscribe('#');
	assert.equal((await late.nextMessage('kept')).payload.toString(), '1');
});

test('a broker that keeps nothing has nothing after kill -9, and the one with a newer file has more than we knew', async (t) => {
	const b = await broker(t);
	const device = await b.plain().connect();
	await device.publish('a', 'x', { retain: true });
	await b.restart('SIGKILL');
	await ready(b);
	assert.deepEqual(await names(b), []);
	const other = await broker(t, { conf: 'persistence true' });
	const there = await other.plain().connect();
	await there.publish('b', 'x', { retain: true });
	await other.stop();
	require('node:fs').rmSync(other.data, { recursive: true });
	await other.start();
	await ready(other);
	assert.deepEqual(await names(other), ['b']);
	assert.equal(text(await other.call('GetRetainedMessage', { topic: 'b' })), 'x');
});

test('10,000 topics are listed in order, page by page, also after a restart', async (t) => {
	const b = await broker(t, { conf: 'persistence true\nmax_inflight_messages 0' });
	const device = await b.plain().connect();
	const topics = Array.from({ length: 10000 }, (_, i) => `t/${i}`);
	await Promise.all(topics.map((topic) => device.publish(topic, topic, { retain: true })));
	topics.sort();
	assert.deepEqual(await names(b, 200), topics);
	await b.restart();
	await ready(b);
	assert.deepEqual(await names(b, 199), topics);
	assert.equal(text(await b.call('GetRetainedMessage', { topic: 't/9999' })), 't/9999');
});

// What a new subscriber is given, as {topic: payload}.
async function subscriber(b) {
	const d = await b.plain().connect();
	await d.subscribe('#');
	await d.subscribe('end');
	await d.publish('end', 'x');
	await d.nextMessage('end');
	return Object.fromEntries(d.inbox.filter((m) => m.packet.retain).map((m) => [m.topic, m.payload.toString()]));
}

test('under load from many sides, with lists and gets between, what is answered at the end is what a subscriber gets, kill -9 or not', async (t) => {
	const b = await broker(t, { conf: 'persistence true\nautosave_on_changes true\nautosave_interval 500\nmax_inflight_messages 0' });
	let seed = 7;
	const random = (n) => { seed = (seed * 48271) % 2147483647; return Math.floor(seed / 2147483647 * n); };
	const publisher = async () => {
		const d = await b.plain({ version: 5 }).connect();
		for (let i = 0; i < 400; i++) {
			const options = { retain: true, qos: random(3), ...(random(9) ? {} : { properties: { messageExpiryInterval: 200 + random(1000) } }) };
			await d.publish(`load/${random(150)}`, random(4) ? `${i}` : '', options);
		}
	};
	let asking = true;
	const asker = async () => {
		while (asking) {
			await all(b, 1 + random(200));
			await b.call('GetRetainedMessage', { topic: `load/${random(150)}` }).catch((e) => { if (e.code !== 'ResourceNotFoundException') throw e; });
		}
	};
	const compare = async () => {
		const expected = await subscriber(b);
		delete expected.end;
		assert.deepEqual((await names(b, 200)), Object.keys(expected).sort());
		for (const topic of Object.keys(expected))
			assert.equal(text(await b.call('GetRetainedMessage', { topic })), expected[topic], topic);
		return Object.keys(expected).length;
	};
	const asks = asker();
	await Promise.all(Array.from({ length: 6 }, publisher));
	asking = false;
	await asks;
	assert.ok(await compare() > 20);
	await b.restart('SIGKILL');
	await ready(b);
	assert.ok(await compare() > 0);
}, { seconds: 120 });

test('the reading client stands SIGHUP, takes nothing that it does not ask for, and nobody passes for it', async (t) => {
	const b = await broker(t);
	const [, id] = /as (sr-[0-9a-f]{32}) /.exec(b.log);
	const thief = b.unix({ clientId: id, username: 'skeeter-retained', password: '0'.repeat(32) });
	assert.ok(await thief.refusedConnect());
	const device = await b.plain().connect();
	await device.publish('a', 'x', { retain: true });
	process.kill(b.pid, 'SIGHUP');
	await b.logged(/Reloading config/, b.mark);
	await (await b.plain().connect()).publish('b', 'x', { retain: true });
	await until('both', async () => (await names(b).catch(() => [])).join() === 'a,b');
	assert.doesNotMatch(b.log, new RegExp(`Sending PUBLISH to ${id}`));
	await b.call('GetRetainedMessage', { topic: 'a' });
	await b.logged(new RegExp(`Sending PUBLISH to ${id} .*'a'`), 0);
});

test('without a listener, or with none that answers, the operations say so and the rest works', async (t) => {
	const b = await start(t, { plugins: PLUGINS, options: { messages: { retained: 'false' } } });
	assert.match(await b.refused('GetRetainedMessage', { topic: 'a' }), /^ServiceUnavailableException 503 Retained messages are not watched/);
	assert.match(await b.refused('ListRetainedMessages', {}), /^ServiceUnavailableException 503 /);
	await b.call('Publish', { topic: 'a' });
	const dead = await start(t, { plugins: PLUGINS, options: { messages: { retained_listener: '127.0.0.1:1' } } });
	await dead.logged(/skeeter: messages: .*cannot connect: check plugin_opt_retained_listener/, 0);
	assert.match(await dead.refused('ListRetainedMessages', {}), /^ServiceUnavailableException 503 /);
});

test('a loopback port is as good as a socket, and what is neither is refused', async (t) => {
	const b = await broker(t, { conf: '', options: { messages: {} } });
	b.spec.options = { auth: { others: 'allow' }, messages: { retained_listener: `127.0.0.1:${b.plainPort}` } };
	await b.restart();
	await ready(b);
	await (await b.plain().connect()).publish('a', 'x', { retain: true });
	assert.deepEqual(await names(b), ['a']);
	await b.stop();
	for (const bad of ['192.0.2.1:1883', 'localhost', '127.0.0.1:', '127.0.0.1:70000']) {
		b.spec.options = { messages: { retained_listener: bad } };
		assert.notEqual(await b.refuses(), 0);
		assert.match(b.log, /plugin_opt_retained_listener .*neither the path of a unix socket nor 127\.0\.0\.1 and a port/);
	}
});

test('more topics than there is room for are not listed, but each is answered', async (t) => {
	const b = await broker(t, { options: { messages: { retained_topics: 3 } } });
	const device = await b.plain().connect();
	for (const topic of ['a', 'b', 'c', 'd'])
		await device.publish(topic, topic, { retain: true });
	assert.match(await b.refused('ListRetainedMessages', {}), /^ServiceUnavailableException 503 There are more retained messages/);
	assert.equal(text(await b.call('GetRetainedMessage', { topic: 'd' })), 'd');
});

test('/readyz waits until the retained messages have been read', async (t) => {
	const { prepare } = require('../../harness/http');
	const h = await prepare(t, { plugins: PLUGINS, options: { messages: { retained_listener: '/nowhere/at/all' } } });
	await h.b.start();
	const answer = () => h.ask('GET', '/readyz').catch(() => null);
	const r = await until('an answer', answer);
	assert.deepEqual([r.status, r.text], [503, 'the retained messages are being read\n']);
	await h.b.stop();
	h.b.spec.options.messages = {};
	await h.b.start();
	await until('readiness', async () => ((await answer()) || {}).status === 200);
	assert.deepEqual(await all(h.b), []);
});
