// What survives: SIGHUP, a restart, a session that was away; and how Skeeter starts and stops.
'use strict';
const assert = require('node:assert/strict');
const { test, until, sleep } = require('../../harness/test');
const { start, create } = require('../../harness/broker');
const { Shadow } = require('../../harness/shadow');

test.smoke('a restart keeps things, certificates, policies and shadows with their versions', async (t) => {
	const b = await start(t);
	const s = await new Shadow(await b.device('lamp'), 'lamp').listen();
	await s.update({ state: { desired: { on: true } } });
	await s.update({ state: { reported: { on: false } } });
	const before = await s.get();
	await b.restart();
	const again = await new Shadow(await b.tls('lamp').connect(), 'lamp').listen();
	const after = await again.get();
	assert.deepEqual([after.state, after.metadata, after.version], [before.state, before.metadata, 2]);
	assert.equal((await again.update({ state: { reported: { on: true } } })).version, 3);
	assert.equal((await b.call('DescribeThing', { thingName: 'lamp' })).version, 1);
});

test('those who come after many that went for good find nothing of them', async (t) => {
	const b = await start(t, { plain: true, options: { auth: { others: 'allow' } }, conf: 'allow_anonymous true' });
	for (let round = 0; round < 3; round++) {
		const all = await Promise.all(Array.from({ length: 45 }, (_, i) => b.plain({ clientId: `guest-${round}-${i}` }).connect()));
		await Promise.all(all.map((d) => d.end()));
		const operator = await b.operator(), known = async () => (await operator.call('DescribeCounters', {})) && (await operator.call('ListClients', {})).clients;
		await until('the guests to be gone', async () => (await known()).every((c) => !c.connected || !/^guest/.test(c.clientId)));
		await sleep(2200); /* they are forgotten a second later */
	}
	await b.plain({ clientId: 'late' }).connect();
	assert.equal(b.child.gone, undefined);
});

test('SIGHUP keeps every session and what it may do', async (t) => {
	const b = await start(t, { plain: true, options: { auth: { others: 'allow' } }, conf: 'allow_anonymous true' });
	const lamp = await b.device('lamp', { Version: '2012-10-17', Statement: [{ Effect: 'Allow', Action: '*', Resource: '*' }] });
	const away = await b.device('away', undefined, { clean: false });
	await away.subscribe('news');
	await away.end();
	const plain = await b.plain({ username: 'u', password: 'p' }).connect();
	const s = await new Shadow(lamp, 'lamp').listen();
	for (let i = 0; i < 3; i++) {
		const from = b.log.length;
		b.signal('SIGHUP');
		await b.logged(/Reloading config/, from);
		assert.equal((await s.update({ state: { reported: { i } } })).version, i + 1);
	}
	assert.deepEqual([lamp.open, plain.open], [true, true]);
	await lamp.publish('news', 'while away');
	const back = await b.tls('away', { clean: false }).connect();
	await back.nextMessage('news');
});

test('a persistent session gets the delta that came while it was away', async (t) => {
	const b = await start(t);
	const s = await new Shadow(await b.device('valve', undefined, { clean: false }), 'valve').listen();
	await s.update({ state: { reported: { open: false } } });
	await s.device.end();
	await b.call('UpdateThingShadow', { thingName: 'valve', payload: { state: { desired: { open: true } } } });
	const back = await b.tls('valve', { clean: false }).connect();
	assert.equal(back.connack.sessionPresent, true);
	assert.deepEqual((await new Shadow(back, 'valve').next('update/delta')).state, { open: true });
});

test('a session of MQTT 5 that began clean stays as long as it asked to, for messages and for its will', async (t) => {
	const b = await start(t);
	const ear = await b.device('ear');
	await ear.subscribe('gone/+');
	await b.provision('lamp');
	for (const [name, clean, sessionExpiryInterval] of [['begun', true, 100], ['kept', false, 100], ['over', true, 0]]) {
		const will = { topic: `gone/${name}`, payload: 'x', qos: 1, properties: { willDelayInterval: 3 } };
		const lamp = await b.tls('lamp', { version: 5, clean, properties: { sessionExpiryInterval }, will }).connect();
		await lamp.subscribe('news');
		lamp.client.stream.destroy();
		await ear.nextMessage(`gone/${name}`);
		await ear.publish('news', name);
		const back = await b.tls('lamp', { version: 5, clean: false, properties: { sessionExpiryInterval: 0 } }).connect();
		assert.equal(back.connack.sessionPresent, sessionExpiryInterval > 0);
		if (sessionExpiryInterval)
			await back.nextMessage('news');
		await back.end();
	}
});

test('a persistent session survives a restart of the broker', async (t) => {
	const b = await start(t, { conf: 'persistence true\nautosave_interval 1' });
	const s = await new Shadow(await b.device('valve', undefined, { clean: false }), 'valve').listen();
	await s.device.end();
	await b.restart();
	await b.call('UpdateThingShadow', { thingName: 'valve', payload: { state: { desired: { open: true } } } });
	const back = await b.tls('valve', { clean: false }).connect();
	assert.equal(back.connack.sessionPresent, true);
	assert.deepEqual((await new Shadow(back, 'valve').next('update/delta')).state, { open: true });
});

test('skeeter_core must be the first plugin line', async (t) => {
	for (const plugins of [['shadow', 'core'], ['auth'], ['registry', 'core', 'auth']]) {
		const b = create(t, { plugins });
		assert.notEqual(await b.refuses(), 0);
		assert.match(b.log, /skeeter_core must be the first plugin line/);
	}
});

test('without skeeter_auth the log says who decides', async (t) => {
	const b = await start(t, { plugins: ['core', 'registry'] });
	await b.logged(/skeeter_auth is not loaded: .* denies what neither an acl_file nor a plugin allows/, 0);
});

test('an option that nobody knows stops the start with one clear line', async (t) => {
	for (const [options, line] of [[{ core: { opertors: 'x' } }, /opertors.*operators/], [{ auth: { others: 'maybe' } }, /others.*allow.*defer/], [{ shadow: { limits: 'huge' } }, /limits/]]) {
		const b = create(t, { options });
		assert.notEqual(await b.refuses(), 0);
		assert.match(b.log, line);
	}
});

test('stopping under load ends cleanly and keeps what was accepted', async (t) => {
	const b = await start(t);
	const s = await new Shadow(await b.device('lamp'), 'lamp').listen(['update/accepted']);
	for (let i = 0; i < 500; i++)
		s.publish('update', { state: { reported: { i } } }).catch(() => {});
	await s.next('update/accepted');
	await b.restart();
	const seen = Math.max(1, ...s.got('update/accepted').map((a) => a.version));
	const now = await (await new Shadow(await b.tls('lamp').connect(), 'lamp').listen()).get();
	assert.ok(now.version >= seen, `${now.version} < ${seen}`);
});
