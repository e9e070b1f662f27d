// What an update does and who hears of it, for classic and named shadows alike.
'use strict';
const assert = require('node:assert/strict');
const { test } = require('../../harness/test');
const { start } = require('../../harness/broker');
const { Shadow, timeless, stamp } = require('../../harness/shadow');

async function lamp(t, name) {
	const b = await start(t);
	const device = await b.device('lamp');
	return new Shadow(device, 'lamp', name).listen();
}

for (const [kind, name] of [['classic', undefined], ['named', 'night']]) {
	const wire = kind === 'classic' ? test.smoke : test;

	wire(`an update of a ${kind} shadow is accepted with what it said, its metadata, version 1 and its token`, async (t) => {
		const s = await lamp(t, name);
		assert.deepEqual(timeless(await s.update({ state: { reported: { on: true, level: 3 } }, clientToken: 'c-1' })), {
			state: { reported: { on: true, level: 3 } }, metadata: { reported: { on: stamp, level: stamp } }, version: 1, timestamp: 1, clientToken: 'c-1' });
	});

	wire(`desired that differs from reported in a ${kind} shadow is sent as a delta, and no more when it agrees`, async (t) => {
		const s = await lamp(t, name);
		await s.update({ state: { desired: { on: true, color: { r: 1, g: 2 } } }, clientToken: 'a' });
		assert.deepEqual(timeless(await s.next('update/delta')), { version: 1, timestamp: 1, clientToken: 'a',
			state: { on: true, color: { r: 1, g: 2 } }, metadata: { on: stamp, color: { r: stamp, g: stamp } } });
		await s.update({ state: { reported: { on: true, color: { r: 1 } } } });
		assert.deepEqual((await s.next('update/delta')).state, { color: { g: 2 } });
		await s.update({ state: { reported: { color: { g: 2 }, extra: 1 } } });
		await s.get();
		assert.deepEqual(s.got('update/delta'), []);
	});

	wire(`documents of a ${kind} shadow hold it before and after`, async (t) => {
		const s = await lamp(t, name);
		await s.update({ state: { desired: { on: true } } });
		await s.next('update/documents');
		await s.update({ state: { desired: { on: false }, reported: { on: true } }, clientToken: 'd' });
		assert.deepEqual(timeless(await s.next('update/documents')), {
			previous: { state: { desired: { on: true } }, metadata: { desired: { on: stamp } }, version: 1 },
			current: { state: { desired: { on: false }, reported: { on: true } }, metadata: { desired: { on: stamp }, reported: { on: stamp } }, version: 2 },
			timestamp: 1, clientToken: 'd' });
	});

	wire(`get of a ${kind} shadow answers all of it with the delta, and the token`, async (t) => {
		const s = await lamp(t, name);
		await s.update({ state: { desired: { on: true, n: 1 }, reported: { n: 1 } } });
		assert.deepEqual(timeless(await s.get({ clientToken: 'g' })), {
			state: { desired: { on: true, n: 1 }, reported: { n: 1 }, delta: { on: true } },
			metadata: { desired: { on: stamp, n: stamp }, reported: { n: stamp } }, version: 1, timestamp: 1, clientToken: 'g' });
		await s.update({ state: { reported: { on: true } } });
		assert.equal('delta' in (await s.get('')).state, false);
	});

	wire(`delete of a ${kind} shadow answers the version, and the count goes on after it`, async (t) => {
		const s = await lamp(t, name);
		await s.update({ state: { desired: { on: true } } });
		await s.update({ state: { desired: { on: false } } });
		assert.deepEqual(timeless(await s.accepted('delete', { clientToken: 'x' })), { version: 2, timestamp: 1, clientToken: 'x' });
		assert.match(await s.rejected('get'), /^404 No shadow exists with name: /);
		const again = await s.update({ state: { reported: { up: 1 } } });
		assert.ok(again.version > 2, `version ${again.version}`);
		assert.deepEqual((await s.get()).state, { reported: { up: 1 } });
	});
}

test('null deletes a key, a section, and leaves no trace of either', async (t) => {
	const s = await lamp(t);
	await s.update({ state: { desired: { a: 1, b: { c: 2, d: 3 } }, reported: { a: 1 } } });
	await s.update({ state: { desired: { b: { c: null } } } });
	assert.deepEqual(timeless(await s.get()).state, { desired: { a: 1, b: { d: 3 } }, reported: { a: 1 }, delta: { b: { d: 3 } } });
	await s.update({ state: { desired: null } });
	const left = timeless(await s.get());
	assert.deepEqual([left.state, left.metadata], [{ reported: { a: 1 } }, { reported: { a: stamp } }]);
});

test('arrays are replaced as a whole and have a timestamp per element', async (t) => {
	const s = await lamp(t);
	await s.update({ state: { reported: { list: [1, { x: 2 }, 'three'] } } });
	await s.update({ state: { reported: { list: [4] } } });
	const now = timeless(await s.get());
	assert.deepEqual([now.state.reported.list, now.metadata.reported.list], [[4], [stamp]]);
});

test('an update names the version that it wants, and another one is a conflict', async (t) => {
	const s = await lamp(t);
	await s.update({ state: { desired: { n: 1 } } });
	assert.equal((await s.update({ state: { desired: { n: 2 } }, version: 1 })).version, 2);
	assert.equal(await s.rejected('update', { state: { desired: { n: 3 } }, version: 1 }), '409 Version conflict');
	assert.equal((await s.get()).state.desired.n, 2);
	assert.equal((await s.update({ state: { desired: { n: 2 } } })).version, 3);
});

test('integers up to 2^63 and doubles keep their value', async (t) => {
	const s = await lamp(t);
	const text = '{"state":{"reported":{"big":9223372036854775807,"small":-9223372036854775808,"pi":3.141592653589793,"tenth":0.1,"e":1e-7}}}';
	await s.publish('update', text);
	const raw = String((await s.device.nextMessage(`${s.prefix}/update/accepted`)).payload);
	for (const part of ['9223372036854775807', '-9223372036854775808', '3.141592653589793', '0.1', '1e-7'])
		assert.ok(raw.includes(`:${part}`) || raw.replace('1e-07', '1e-7').includes(`:${part}`), `${part} in ${raw}`);
});

test('shadows of one thing do not touch each other, nor those of another', async (t) => {
	const b = await start(t);
	const device = await b.device('lamp');
	const [classic, a, other] = await Promise.all([[undefined, 'lamp'], ['a', 'lamp'], ['a', 'fan']].map(([n, thing]) => new Shadow(device, thing, n).listen()));
	await b.call('CreateThing', { thingName: 'fan' });
	await classic.update({ state: { reported: { who: 'classic' } } });
	await a.update({ state: { reported: { who: 'a' } } });
	await other.update({ state: { reported: { who: 'fan' } } });
	assert.deepEqual([(await classic.get()).state.reported.who, (await a.get()).state.reported.who, (await other.get()).state.reported.who], ['classic', 'a', 'fan']);
});

test('updates of one shadow are answered in the order in which they came', async (t) => {
	const s = await lamp(t);
	const sent = [];
	for (let i = 1; i <= 60; i++)
		sent.push(s.publish('update', { state: { reported: { i } }, clientToken: `${i}` }));
	await Promise.all(sent);
	for (let i = 1; i <= 60; i++) {
		const answer = await s.next('update/accepted');
		assert.deepEqual([answer.clientToken, answer.version], [`${i}`, i]);
	}
});

test('an update of MQTT 5 with QoS 0 is accepted like any other, and a retained one is not kept', async (t) => {
	const b = await start(t);
	await b.provision('lamp');
	const s = await new Shadow(await b.tls('lamp', { version: 5 }).connect(), 'lamp').listen();
	await s.publish('update', { state: { reported: { q: 0 } } }, { qos: 0 });
	assert.equal((await s.next('update/accepted')).version, 1);
	await s.publish('update', { state: { reported: { q: 1 } } }, { retain: true });
	assert.equal((await s.next('update/accepted')).version, 2);
	const late = await b.tls('late', { certificate: require('../../harness/pki').certificate('lamp') }).connect();
	await late.subscribe(`${s.prefix}/#`);
	await s.get();
	await late.next(`${s.prefix}/get/accepted`);
	assert.deepEqual(late.inbox.filter((m) => m.packet.retain), []);
});
