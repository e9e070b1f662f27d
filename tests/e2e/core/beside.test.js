// Beside other plugins: mosquitto_dynamic_security, before and after ours.
'use strict';
const assert = require('node:assert/strict');
const { execFileSync } = require('node:child_process');
const fs = require('node:fs');
const path = require('node:path');
const { test } = require('../../harness/test');
const { create } = require('../../harness/broker');
const { plugin, tellsForeign } = require('../../harness/facts');
const { Shadow } = require('../../harness/shadow');

const DYNSEC = plugin('mosquitto_dynamic_security.so');

async function together(t, options) {
	assert.notEqual(DYNSEC, '', 'the mosquitto package brings mosquitto_dynamic_security.so');
	const b = create(t, { plain: true, plugins: ['core', 'registry', 'auth', 'shadow', DYNSEC], options: { ...options } });
	const config = path.join(b.dir, 'dynsec.json');
	execFileSync('mosquitto_ctrl', ['dynsec', 'init', config, 'admin', 'secret'], { stdio: 'ignore' });
	fs.chmodSync(config, 0o600);
	b.spec.options[DYNSEC] = { config_file: config };
	return b.start();
}

test('a user of dynamic-security and a device with a certificate live in one broker', async (t) => {
	const b = await together(t, { auth: { others: 'defer' } });
	assert.equal(await b.plain({ username: 'admin', password: 'wrong' }).refusedConnect(), 5);
	const admin = await b.plain({ username: 'admin', password: 'secret' }).connect();
	await admin.subscribe('$CONTROL/dynamic-security/v1/response');
	await admin.publish('$CONTROL/dynamic-security/v1', { commands: [{ command: 'listClients' }] });
	assert.equal((await admin.next('$CONTROL/dynamic-security/v1/response')).responses[0].command, 'listClients');
	const s = await new Shadow(await b.device('lamp'), 'lamp').listen();
	assert.equal((await s.update({ state: { reported: { a: 1 } } })).version, 1);
});

test('a user of dynamic-security is refused the shadow topics', async (t) => {
	const b = await together(t, { auth: { others: 'defer' } });
	const s = await new Shadow(await b.device('lamp'), 'lamp').listen();
	const admin = await b.plain({ username: 'admin', password: 'secret' }).connect();
	await admin.publish('$aws/things/lamp/shadow/update', { state: { reported: { a: 1 } } }).catch(() => {});
	assert.match(await s.rejected('get'), /^404 /);
});

test('dynamic-security cannot be used by a device', async (t) => {
	const b = await together(t, { auth: { others: 'defer' } });
	const lamp = await b.device('lamp');
	await lamp.publish('$CONTROL/dynamic-security/v1', { commands: [{ command: 'createClient', username: 'evil', password: 'x' }] }).catch(() => {});
	const admin = await b.plain({ username: 'admin', password: 'secret' }).connect();
	await admin.subscribe('$CONTROL/dynamic-security/v1/response');
	await admin.publish('$CONTROL/dynamic-security/v1', { commands: [{ command: 'listClients' }] });
	const [answer] = (await admin.next('$CONTROL/dynamic-security/v1/response')).responses;
	assert.deepEqual(answer.data.clients, ['admin']);
});

test('a client that dynamic-security refuses after us was never there, and its own clients are told of', async (t) => {
	const b = await together(t, { auth: { others: 'defer' } });
	const op = await b.operator();
	await op.subscribe('$aws/events/#');
	const told = (id) => op.inbox.map((m) => JSON.parse(m.payload)).filter((e) => e.clientId === id).map((e) => e.eventType);
	const connected = async () => (await b.call('ListClients', {})).clients.filter((c) => c.connected).map((c) => c.clientId);
	assert.equal(await b.plain({ clientId: 'liar', username: 'admin', password: 'wrong' }).refusedConnect(), 5);
	const admin = await b.plain({ clientId: 'boss', username: 'admin', password: 'secret' }).connect();
	await op.next('$aws/events/presence/connected/boss');
	await admin.subscribe('$CONTROL/dynamic-security/v1/response');
	await admin.publish('$CONTROL/dynamic-security/v1', { commands: [{ command: 'listClients' }] });
	await admin.next('$CONTROL/dynamic-security/v1/response');
	assert.deepEqual((await connected()).filter((id) => id === 'liar' || id === 'boss'), ['boss']);
	await new Promise((done) => admin.client.end(false, {}, done));
	await op.next('$aws/events/presence/disconnected/boss');
	assert.deepEqual([told('liar'), told('boss')], [[], tellsForeign ? ['subscribed'] : []]);
});
