// $aws is closed: who has no certificate may write to none of its topics, whatever plugin they belong to.
'use strict';
const assert = require('node:assert/strict');
const fs = require('node:fs');
const path = require('node:path');
const { test } = require('../../harness/test');
const { start, ALLOW_ALL, BUILD } = require('../../harness/broker');
const { Shadow } = require('../../harness/shadow');

// Every input row of every plugin, read off the built files, with its captures filled in.
function rows() {
	const built = fs.readdirSync(BUILD).filter((f) => /^skeeter_.*\.so$/.test(f)).map((f) => fs.readFileSync(path.join(BUILD, f), 'latin1'));
	const patterns = built.flatMap((text) => text.match(/\$aws\/[\w/${}+-]*\{\w+\+?\}[\w/${}+-]*/g) || []);
	return [...new Set(patterns)].map((p) => p.replace(/\{[^}]*\}/g, 'lamp'));
}

const KINDS = [
	['a plain client', { username: 'somebody', password: 'x' }],
	['an anonymous client', {}],
];

for (const [who, login] of KINDS)
	test(`${who} is refused every input row`, async (t) => {
		const b = await start(t, { plain: true, conf: 'allow_anonymous true', options: { auth: { others: 'allow' } } });
		const s = await new Shadow(await b.device('lamp'), 'lamp').listen();
		await s.update({ state: { reported: { mine: 1 } } });
		const topics = rows();
		assert.ok(topics.length >= 6, `only ${topics.length} rows found`);
		for (const topic of topics)
			for (const version of [4, 5]) {
				const d = await b.plain({ ...login, version }).connect();
				const payload = { state: { reported: { stolen: topic } } };
				await d.publish(topic, payload, { qos: 0 });
				await d.publish(topic, payload).then(() => assert.equal(version, 4, topic), (e) => assert.ok(e.code === 'closed' || e.code >= 0x80, topic));
				await d.end();
			}
		const now = await s.get();
		assert.deepEqual([now.state.reported, now.version], [{ mine: 1 }, 1]);
		assert.deepEqual(s.got('delete/accepted'), []);
	});

test.smoke('what no row matches below $aws is refused to devices too', async (t) => {
	const b = await start(t);
	const listener = await b.device('listener');
	await listener.subscribe(['$aws/#', 'open']);
	await b.provision('lamp');
	for (const topic of ['$aws/things/lamp/shadow/update/accepted', '$aws/things/lamp/shadow', '$aws/nothing', '$aws/events/presence/connected/lamp', '$aws']) {
		const d = await b.tls('lamp', { version: 5 }).connect();
		await assert.rejects(d.publish(topic, 'x'), undefined, topic);
		await d.end();
	}
	await listener.publish('open', 'x');
	await listener.nextMessage('open');
	const told = listener.inbox.filter((m) => !/^\$aws\/events\/(presence|subscriptions)\//.test(m.topic) || String(m.payload) === 'x');
	assert.deepEqual(told.map((m) => m.topic), []);
});

test('plain clients go on as before beside it: others allow', async (t) => {
	const b = await start(t, { plain: true, conf: 'allow_anonymous true', options: { auth: { others: 'allow' } } });
	const [one, two] = [await b.plain({ username: 'one', password: 'x' }).connect(), await b.plain().connect()];
	assert.deepEqual(await one.subscribe('chat/#'), [1]);
	await two.publish('chat/1', 'hello');
	assert.equal(String((await one.nextMessage('chat/1')).payload), 'hello');
	const device = await b.device('lamp');
	await device.publish('chat/2', 'from lamp');
	await one.nextMessage('chat/2');
});

test('others defer leaves plain clients to Mosquitto, which denies what nobody allows', async (t) => {
	const b = await start(t, { plain: true, options: { auth: { others: 'defer' } } });
	assert.equal(await b.plain({ username: 'one', password: 'x' }).refusedConnect(), 5);
	assert.equal(await b.plain().refusedConnect(), 5);
	await (await b.device('lamp')).publish('a', 'b');
});

test('plain_policy gives clients without a certificate a policy of their own', async (t) => {
	const b = await start(t, { plain: true, conf: 'allow_anonymous true', options: { auth: { others: 'allow', plain_policy: 'guests' } } });
	await b.call('CreateThing', { thingName: 'lamp' });
	await b.call('CreatePolicy', { policyName: 'guests', policyDocument: JSON.stringify(ALLOW_ALL) });
	const s = await new Shadow(await b.plain({ username: 'guest', password: 'x' }).connect(), 'lamp').listen();
	assert.equal((await s.update({ state: { reported: { a: 1 } } })).version, 1);
});

test('a will to a shadow topic of a plain client is not sent', async (t) => {
	const b = await start(t, { plain: true, conf: 'allow_anonymous true', options: { auth: { others: 'allow' } } });
	const s = await new Shadow(await b.device('lamp'), 'lamp').listen();
	for (const topic of ['$aws/things/lamp/shadow/update', '$aws/things/lamp/shadow/update/delta', '$CONTROL/skeeter/v1', 'ok']) {
		const d = b.plain({ username: 'x', password: 'x', will: { topic, payload: Buffer.from('{"state":{"reported":{"w":1}}}'), qos: 1 } });
		const refused = await d.connect().then(() => false, () => true);
		if (!refused) {
			d.client.stream.destroy();
			await d.closed();
		}
	}
	assert.match(await s.rejected('get'), /^404 /);
	assert.deepEqual(s.got('update/delta'), []);
});
