// The AWS IoT Device SDK v1 for JavaScript, unmodified: device and thingShadow over mutual TLS.
'use strict';
const assert = require('node:assert/strict');
const { device, thingShadow } = require('aws-iot-device-sdk');
const { test, until } = require('../harness/test');
const { start } = require('../harness/broker');
const pki = require('../harness/pki');

function options(b, name, more = {}) {
	const c = pki.certificate(name);
	return { keyPath: c.key, certPath: c.crt, caPath: pki.authority().crt, clientId: name, host: 'localhost', port: b.port,
		baseReconnectTimeMs: 200, maximumReconnectTimeMs: 1000, drainTimeMs: 20, ...more };
}

const PATIENT = { operationTimeout: 60000 };
const once = (emitter, event) => new Promise((done) => emitter.once(event, (...args) => done(args)));

function closing(t, client) {
	t.after(() => new Promise((done) => client.end(true, done)));
	return client;
}

async function lamp(t, policy) {
	const b = await start(t);
	await b.provision('lamp', policy);
	return b;
}

// thingShadow answers with a status event that carries the token of the call.
function ask(shadow, verb, ...args) {
	return new Promise((done, fail) => {
		const token = shadow[verb]('lamp', ...args);
		if (token === null)
			return fail(new Error(`${verb} is busy`));
		shadow.on('status', function heard(thing, kind, its, document) {
			if (its !== token)
				return;
			shadow.removeListener('status', heard);
			done([kind, document]);
		});
		shadow.once('timeout', () => fail(new Error(`${verb} timed out`)));
	});
}

test('thingShadow works through the life of a classic shadow', async (t) => {
	const b = await lamp(t);
	const shadow = closing(t, thingShadow(options(b, 'lamp'), PATIENT));
	await once(shadow, 'connect');
	await new Promise((done, fail) => shadow.register('lamp', {}, (e) => e ? fail(e) : done()));
	assert.equal((await ask(shadow, 'get'))[0], 'rejected');
	const delta = once(shadow, 'delta');
	let [kind, document] = await ask(shadow, 'update', { state: { desired: { on: true }, reported: { on: false } } });
	assert.deepEqual([kind, document.state], ['accepted', { desired: { on: true }, reported: { on: false } }]);
	assert.deepEqual((await delta)[1].state, { on: true });
	[kind, document] = await ask(shadow, 'get');
	assert.deepEqual([kind, document.state.delta], ['accepted', { on: true }]);
	assert.equal((await ask(shadow, 'delete'))[0], 'accepted');
	[kind, document] = await ask(shadow, 'get');
	assert.deepEqual([kind, document.code], ['rejected', 404]);
});

test('device works through the life of a named shadow, which this SDK knows only as topics', async (t) => {
	const b = await lamp(t);
	const client = closing(t, device(options(b, 'lamp')));
	await once(client, 'connect');
	const prefix = '$aws/things/lamp/shadow/name/night', seen = [];
	client.on('message', (topic, payload) => payload.length && seen.push([topic.slice(prefix.length + 1), JSON.parse(payload)]));
	await new Promise((done, fail) => client.subscribe(`${prefix}/#`, { qos: 1 }, (e) => e ? fail(e) : done()));
	const answer = (topic) => until(topic, () => seen.find(([x]) => x === topic)).then(([, document]) => document);
	client.publish(`${prefix}/update`, JSON.stringify({ state: { desired: { on: true } }, clientToken: 'n' }), { qos: 1 });
	assert.deepEqual([(await answer('update/accepted')).version, (await answer('update/accepted')).clientToken], [1, 'n']);
	assert.deepEqual((await answer('update/delta')).state, { on: true });
	assert.equal((await answer('update/documents')).current.version, 1);
	client.publish(`${prefix}/get`, '', { qos: 1 });
	assert.deepEqual((await answer('get/accepted')).state, { desired: { on: true }, delta: { on: true } });
	client.publish(`${prefix}/delete`, '', { qos: 1 });
	assert.equal((await answer('delete/accepted')).version, 1);
	client.publish(`${prefix}/get`, '', { qos: 1 });
	assert.equal((await answer('get/rejected')).code, 404);
});

test('thingShadow hears of an update that somebody else made', async (t) => {
	const b = await lamp(t);
	const shadow = closing(t, thingShadow(options(b, 'lamp'), PATIENT));
	await once(shadow, 'connect');
	await new Promise((done) => shadow.register('lamp', { ignoreDeltas: false }, done));
	const foreign = once(shadow, 'foreignStateChange'), delta = once(shadow, 'delta');
	await b.call('UpdateThingShadow', { thingName: 'lamp', payload: { state: { desired: { level: 7 } } } });
	assert.deepEqual((await delta)[1].state, { level: 7 });
	assert.equal((await foreign)[1], 'update');
});

test('device passes messages both ways', async (t) => {
	const b = await lamp(t);
	const client = closing(t, device(options(b, 'lamp')));
	await once(client, 'connect');
	await new Promise((done, fail) => client.subscribe('v1/#', { qos: 1 }, (e) => e ? fail(e) : done()));
	const message = once(client, 'message');
	client.publish('v1/a', 'hello', { qos: 1 });
	const [topic, payload] = await message;
	assert.deepEqual([topic, String(payload)], ['v1/a', 'hello']);
});

test('device is refused a topic that its policy does not name', async (t) => {
	const b = await lamp(t, { Version: '2012-10-17', Statement: [{ Effect: 'Allow', Action: 'iot:Connect', Resource: '*' }] });
	const client = closing(t, device(options(b, 'lamp')));
	await once(client, 'connect');
	const from = b.log.length;
	const closed = once(client, 'close');
	client.publish('forbidden', 'x', { qos: 1 });
	await closed;
	await b.logged(/deny publish lamp -> forbidden: no statement of lamp-policy v1 \(via certificate [0-9a-f]+…\) allows iot:Publish/, from);
});

test('device is not let in without a registered certificate', async (t) => {
	const b = await start(t);
	const client = closing(t, device(options(b, 'stranger')));
	let connected = false;
	client.on('connect', () => { connected = true; });
	client.on('error', () => {});
	await b.logged(/is not registered/, 0);
	assert.equal(connected, false);
});

test('a persistent session gets the delta that came while the device was away', async (t) => {
	const b = await lamp(t);
	const first = device(options(b, 'lamp', { clean: false }));
	await once(first, 'connect');
	await new Promise((done) => first.subscribe('$aws/things/lamp/shadow/update/delta', { qos: 1 }, done));
	await new Promise((done) => first.end(false, done));
	await b.call('UpdateThingShadow', { thingName: 'lamp', payload: { state: { desired: { open: true } } } });
	const second = closing(t, device(options(b, 'lamp', { clean: false })));
	const [topic, payload] = await once(second, 'message');
	assert.deepEqual([topic, JSON.parse(payload).state], ['$aws/things/lamp/shadow/update/delta', { open: true }]);
});

test('after a restart of the broker it reconnects by itself and goes on', async (t) => {
	const b = await lamp(t);
	const shadow = closing(t, thingShadow(options(b, 'lamp'), PATIENT));
	await once(shadow, 'connect');
	await new Promise((done) => shadow.register('lamp', {}, done));
	assert.equal((await ask(shadow, 'update', { state: { reported: { n: 1 } } }))[0], 'accepted');
	const again = once(shadow, 'connect');
	await b.restart();
	await again;
	await until('an update after the restart', async () => {
		const [kind, document] = await ask(shadow, 'update', { state: { reported: { n: 2 } } }).catch(() => [null]);
		return kind === 'accepted' && document.state.reported.n === 2;
	}, 100000);
}, { seconds: 200 });
