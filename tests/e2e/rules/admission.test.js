// More than the rules can do: what finds no room is refused in MQTT's own words, counted, and afterwards all is as before.
'use strict';
const assert = require('node:assert/strict');
const { test, until } = require('../../harness/test');
const { overQuota } = require('../../harness/facts');
const { rules, republish } = require('../../harness/rules');

// Takes 50 ms or so of each message; others of its thread wait meanwhile.
const SLOW = { 'slow.lua': 'rule "slow" { topic = "slow/#", run = function(m) for i = 1, 3000000 do local x = i * i end publish("done", { n = m.n }) end }' };
const options = { ring: '64k', threads: 1, lua_instructions: 1000000000, lua_time: '10s' };
const big = (n) => JSON.stringify({ n, fill: 'x'.repeat(8000) });

async function slow(t, more = {}) {
	const r = await rules(t, { lua: SLOW, rules: { ...options, ...more } });
	await r.op.subscribe('done');
	return r;
}
// The rule has worked off what it took, and takes again.
async function recovers(r) {
	await until('the rule to work off what it took', async () => {
		const { passed, matched } = await r.statistics('slow');
		return passed === matched && r.op.got('done').length >= passed;
	}, 90000);
	r.op.inbox.length = 0;
	await until('a message to be taken again', async () => {
		await r.op.publish('slow/end', '{"n":"end"}', { qos: 0 });
		return r.op.got('done').length > 0;
	});
	assert.equal((await r.statistics('slow')).failed, 0);
}

// Sends rounds of that many messages until something has been refused: how fast they come and how fast the rule works is the machine's business.
async function untilRefused(r, lamp, topic, qos, round, codes = []) {
	do {
		const first = codes.length;
		codes.push(...await Promise.all(Array.from({ length: round }, (_, i) => lamp.publish(topic, big(first + i), { qos }).then(() => 0, (e) => e.code))));
	} while (!codes.some((code) => code));
	return codes;
}
async function untilDropped(r, d, topic, least) {
	let sent = 0;
	do {
		for (const end = sent + 40; sent < end; sent++)
			await d.publish(topic, big(sent), { qos: 0 });
	} while ((await r.statistics('slow')).dropped < least);
	return sent;
}

test('QoS 0 that finds no room is dropped and counted, and still reaches its subscribers', async (t) => {
	const r = await slow(t), { op } = r;
	await op.subscribe('slow/#');
	const lamp = await r.b.device('lamp');
	const sent = await untilDropped(r, lamp, 'slow/x', 20);
	await until('all of them', () => op.got('slow/x').length === sent);
	const { dropped } = await r.statistics('slow');
	assert.ok(dropped >= 20 && dropped < sent, `${dropped} of ${sent}`);
	assert.equal(await r.counter('feed_refused'), dropped);
	assert.ok(lamp.open);
	await op.unsubscribe('slow/#');
	await until('the rest', () => op.got('done').length === sent - dropped, 90000);
	op.inbox.length = 0;
	await op.publish('slow/x', '{"n":"after"}');
	assert.deepEqual(await op.next('done'), { n: 'after' });
	assert.equal((await r.statistics('slow')).matched, sent + 1 - dropped);
});

for (const qos of [1, 2])
	test(`MQTT 5 QoS ${qos} that finds no room is answered with "quota exceeded", and reaches nobody`, async (t) => {
		const r = await slow(t), { op } = r;
		await op.subscribe('slow/#');
		const lamp = await r.b.device('lamp', undefined, { version: 5 });
		const results = await untilRefused(r, lamp, 'slow/x', qos, 30);
		const refused = results.filter((code) => code !== 0);
		assert.ok(refused.length < results.length, JSON.stringify(results));
		assert.deepEqual([...new Set(refused)], [overQuota]);
		assert.equal((await r.statistics('slow')).dropped, refused.length);
		assert.ok(lamp.open);
		const taken = results.flatMap((code, n) => code ? [] : [n]);
		await until('what was taken', () => op.got('done').length === taken.length && op.got('slow/x').length === taken.length, 90000);
		assert.deepEqual(op.got('done').map((m) => JSON.parse(m.payload).n), taken);
		assert.deepEqual(op.got('slow/x').map((m) => JSON.parse(m.payload).n), taken);
		await lamp.publish('slow/x', '{"n":99}', { qos });
		await op.unsubscribe('slow/#');
		await recovers(r);
	});

test('Basic Ingest that finds no room is answered likewise: QoS 0 is dropped, QoS 1 refused, and neither is seen by anybody', async (t) => {
	const r = await slow(t), { op } = r;
	const lamp = await r.b.device('lamp', undefined, { version: 5 });
	const untold = await untilDropped(r, lamp, '$aws/rules/slow/x', 1);
	const codes = await untilRefused(r, lamp, '$aws/rules/slow/x', 1, 20);
	assert.deepEqual([...new Set(codes.filter((code) => code))], [overQuota]);
	const { dropped } = await r.statistics('slow'), refused = codes.filter((code) => code === overQuota).length, sent = untold + codes.length;
	assert.ok(dropped > refused && dropped < sent, `${dropped} of ${sent}, ${refused} of them told`);
	assert.equal(await r.counter('feed_refused'), dropped);
	await until('what was taken', () => op.got('done').length === sent - dropped, 90000);
	await recovers(r);
});

test('MQTT 3.1.1 QoS 1 that finds no room ends the connection, and what is sent again is taken', async (t) => {
	const r = await slow(t), { op } = r;
	await r.b.provision('lamp');
	const taken = new Set();
	let closed = 0, n = 0;
	for (let lamp = null; n < 25 || !closed;) {
		lamp = lamp && lamp.open ? lamp : await r.b.tls('lamp').connect();
		const sends = Array.from({ length: 12 }, (_, i) => lamp.publish('slow/x', big(n + i)).then(() => 1, () => 0));
		const done = await Promise.all(sends);
		const good = done.indexOf(0) < 0 ? done.length : done.indexOf(0);
		for (let i = 0; i < good; i++)
			taken.add(n + i);
		closed += good < done.length ? 1 : 0;
		n += good;
	}
	await until('all of them', () => new Set(op.got('done').map((m) => JSON.parse(m.payload).n)).size >= n, 90000);
	assert.equal(taken.size, n);
	assert.ok((await r.statistics('slow')).dropped >= 1);
	await recovers(r);
});

test('what is larger than a ring can ever hold is passed by, not refused for ever', async (t) => {
	const r = await rules(t, { rules: { ring: '64k', threads: 1 } }), { op } = r;
	await r.make('all', "SELECT * FROM 'big'", republish('out'));
	await op.subscribe(['out', 'big']);
	const lamp = await r.b.device('lamp');
	await lamp.publish('big', Buffer.alloc(100000, 'x'));
	assert.equal((await op.nextMessage('big')).payload.length, 100000);
	const { dropped, matched, lastError } = await r.counted('all', { dropped: 1 });
	assert.deepEqual([dropped, matched], [1, 0]);
	assert.match(lastError, /100000 bytes.*plugin_opt_ring/);
	await lamp.publish('big', 'small');
	assert.equal(String((await op.nextMessage('out')).payload), 'small');
});

test('a rule that is slow does not hold up the broker, shadows, or rules of SQL on other threads', async (t) => {
	const r = await slow(t, { ring: '4m', threads: 4 }), { op } = r;
	await r.make('quick', "SELECT * FROM 'quick/#'", republish('fast'));
	await op.subscribe('fast');
	for (let n = 0; n < 200; n++)
		await op.publish('slow/x', `{"n":${n}}`, { qos: 0 });
	for (let n = 0; n < 40; n++)
		await op.publish(`quick/${n}`, `{"n":${n}}`);
	await until('messages of most topics', () => op.got('fast').length >= 20);
	const ahead = op.inbox.slice(0, op.inbox.indexOf(op.got('fast')[19])).filter((m) => m.topic === 'done').length;
	assert.ok(ahead < 200, 'all of the slow ones were done before: the test says nothing');
	await r.b.call('CreateThing', { thingName: 'lamp' });
	await r.b.call('UpdateThingShadow', { thingName: 'lamp', payload: { state: { reported: { on: true } } } });
	await until('all', () => op.got('fast').length === 40 && op.got('done').length === 200, 150000);
	assert.deepEqual(op.got('done').map((m) => JSON.parse(m.payload).n), Array.from({ length: 200 }, (_, n) => n));
}, { seconds: 300 });

test('more rules match one message than any list of a fixed size would hold', async (t) => {
	const r = await rules(t, { rules: { most_rules: 3000 } });
	const create = (n) => ({ command: 'CreateTopicRule', ruleName: `r${n}`, topicRulePayload: { sql: `SELECT ${n} AS n FROM 'in/#'`, actions: [republish('out', { qos: 1 })] } });
	for (let i = 0; i < 1500; i += 50) {
		const { responses } = await r.op.raw({ commands: Array.from({ length: 50 }, (_, k) => create(i + k)) });
		assert.deepEqual(responses.filter((one) => one.error), []);
	}
	await r.op.subscribe('out');
	await r.op.publish('in/x', '{}');
	await until('all', () => r.op.got('out').length === 1500);
	assert.equal(new Set(r.op.got('out').map((m) => JSON.parse(m.payload).n)).size, 1500);
});

test('a broker that stops while rings are full ends in time', async (t) => {
	const r = await slow(t);
	await untilDropped(r, r.op, 'slow/x', 1);
	await r.b.restart();
	r.op = await r.b.operator();
	await r.op.subscribe('done');
	await recovers(r);
});
